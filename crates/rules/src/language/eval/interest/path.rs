//! What tests say of a path.

use super::set::Set;
use crate::language::{Argument, Comparand, Literal, Modifier, Operator, Term, Test, Transformer};

/// Which part of the path of an open a term is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Part {
    Whole,
    /// All but the last name, without the slash behind it; of a directory, the whole.
    Directory,
    /// The last name.
    Last,
}

/// The part that the term is; none when it is something else.
fn part(term: &Term) -> Option<Part> {
    match term {
        Term::Field(field) => match (field.id.field().name, &field.argument) {
            ("fd.name" | "fs.path.name" | "evt.abspath", Argument::None) => Some(Part::Whole),
            ("evt.arg" | "evt.rawarg", Argument::Key(name)) if *name == "name" => Some(Part::Whole),
            ("fd.directory", Argument::None) => Some(Part::Directory),
            ("fd.filename", Argument::None) => Some(Part::Last),
            _ => None,
        },
        Term::Call(call) => match (call.transformer, call.arguments.as_slice()) {
            (Transformer::Basename, [argument]) => (part(argument)? != Part::Directory).then_some(Part::Last),
            _ => None,
        },
        Term::Text(_) | Term::List(_) => None,
    }
}

/// Whether the test looks at the path.
pub(super) fn is_of_path(test: &Test) -> bool {
    part(&test.left).is_some()
}

/// The paths on which the test may hold.
pub(super) fn paths(test: &Test) -> Set {
    let Some(part) = part(&test.left) else { return Set::All };
    match &test.right {
        Comparand::Nothing | Comparand::Term(_) => Set::All,
        Comparand::One(literal) => of(part, test.operator, literal),
        Comparand::Many(modifier, literals) => {
            let each = literals.iter().map(|literal| of(part, test.operator, literal));
            match modifier {
                // Each must hold; of none, none does.
                Some(Modifier::AllOf) => each.reduce(Set::narrower).unwrap_or_default(),
                None | Some(Modifier::AnyOf | Modifier::OneOf) => {
                    let mut joined = Set::default();
                    each.for_each(|set| joined.join(set));
                    joined
                }
            }
        }
    }
}

fn of(part: Part, operator: Operator, literal: &Literal) -> Set {
    let (Literal::Text(_) | Literal::Bytes(_)) = literal else { return Set::All };
    let text: &[u8] = match literal {
        Literal::Text(text) => text,
        Literal::Bytes(bytes) => bytes,
        _ => return Set::All,
    };
    match operator {
        Operator::Equal | Operator::DoubleEqual | Operator::In | Operator::Intersects => match part {
            Part::Last => Set::name(text),
            Part::Whole | Part::Directory => Set::prefix(text),
        },
        Operator::StartsWith | Operator::BStartsWith => match part {
            Part::Last => Set::All,
            Part::Whole | Part::Directory => Set::prefix(text),
        },
        Operator::EndsWith => pattern(part, &[Piece::Any, Piece::Text(text)]),
        Operator::Contains | Operator::BContains => {
            pattern(part, &[Piece::Any, Piece::Text(text), Piece::Any])
        }
        Operator::Glob => pattern(part, &pieces(text)),
        Operator::PMatch => match part {
            Part::Last => Set::All,
            Part::Whole | Part::Directory => below(text),
        },
        _ => Set::All,
    }
}

/// Paths at or below one of `pmatch`, which compares by names.
fn below(text: &[u8]) -> Set {
    let mut prefix = Vec::new();
    for name in text.split(|byte| *byte == b'/').filter(|name| !name.is_empty()) {
        prefix.push(b'/');
        let literal = name.iter().position(|byte| b"?*[\\".contains(byte));
        prefix.extend_from_slice(name.get(..literal.unwrap_or(name.len())).unwrap_or_default());
        if literal.is_some() {
            break;
        }
    }
    // What is by names `/` and what begins with `/` are everything.
    let by_prefix = if prefix.len() > 1 { Set::prefix(&prefix) } else { Set::All };
    let names = text.split(|byte| *byte == b'/').filter(|name| !name.is_empty());
    let behind = names.skip_while(|name| is_literal(name)).filter(|name| is_literal(name));
    behind.map(Set::name).fold(by_prefix, Set::narrower)
}

fn is_literal(name: &[u8]) -> bool {
    !name.is_empty() && !name.iter().any(|byte| b"?*[\\{".contains(byte))
}

/// A piece of a pattern.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Piece<'t> {
    Text(&'t [u8]),
    /// Anything, slashes too.
    Any,
}

/// A glob; what stands behind a bracket, a brace or a backslash is not read any further.
fn pieces(glob: &[u8]) -> Vec<Piece<'_>> {
    let mut pieces = Vec::new();
    let mut rest = glob;
    while let Some(end) = rest.iter().position(|byte| b"?*[\\{".contains(byte)) {
        let (text, special) = rest.split_at(end);
        pieces.extend([Piece::Text(text), Piece::Any]);
        let Some((b'?' | b'*', behind)) = special.split_first() else { return pieces };
        rest = behind;
    }
    pieces.push(Piece::Text(rest));
    pieces
}

/// The narrowest set of the paths whose `part` is these pieces one after the other.
fn pattern(part: Part, pieces: &[Piece<'_>]) -> Set {
    let mut narrowest = Set::All;
    let last = pieces.len().saturating_sub(1);
    for (at, piece) in pieces.iter().enumerate() {
        let Piece::Text(text) = piece else { continue };
        let (first, end) = (at == 0, at == last);
        if first && part != Part::Last {
            // It says more than the names in it.
            narrowest = narrowest.narrower(Set::prefix(text));
            continue;
        }
        if end && part != Part::Directory {
            let tail = text.rsplit(|byte| *byte == b'/').next().unwrap_or_default();
            narrowest = narrowest.narrower(Set::suffix(tail));
        }
        // Names with a slash, or an end, on either side.
        let names: Vec<&[u8]> = text.split(|byte| *byte == b'/').collect();
        let count = names.len();
        for (place, name) in names.into_iter().enumerate() {
            let begins = place > 0 || (first && part == Part::Last);
            let ends = place + 1 < count || end;
            if begins && ends {
                narrowest = narrowest.narrower(Set::name(name));
            }
        }
    }
    narrowest
}
