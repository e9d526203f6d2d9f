//! What is known of an open without its path.

use super::Class;
use crate::language::{
    Argument, Comparand, FieldRef, Literal, Modifier, Operator, Term, Test,
    eval::{fields, pred::Pred, value::Scalar},
};

/// Which ways a test can come out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Truth {
    pub(super) can_hold: bool,
    pub(super) can_fail: bool,
}

pub(super) const NEVER: Truth = Truth { can_hold: false, can_fail: true };
const ALWAYS: Truth = Truth { can_hold: true, can_fail: false };

impl Truth {
    /// Of the negation.
    pub(super) fn turned(self) -> Self {
        Self { can_hold: self.can_fail, can_fail: self.can_hold }
    }
}

/// What a field can be worth.
pub(super) enum Known {
    Missing,
    /// One of these.
    One(Vec<Scalar<'static>>),
    /// A number from the first to the second.
    Between(i64, i64),
    /// Names of flags, without these.
    Without(&'static [&'static [u8]]),
    /// A text that is none of these.
    NoneOf(&'static [&'static [u8]]),
}

/// How the test can come out; none when the class decides nothing.
pub(super) fn truth(test: &Test, class: Class, call: &str) -> Option<Truth> {
    let Term::Field(field) = &test.left else { return None };
    if fields::find(field).is_none() {
        return Some(NEVER);
    }
    judge(test, known(field, class, call)?)
}

/// How the test can come out when its left side is worth this; none when that decides nothing.
pub(super) fn judge(test: &Test, known: Known) -> Option<Truth> {
    if matches!(known, Known::Missing) {
        return Some(NEVER);
    }
    let pred = match &test.right {
        Comparand::Nothing => return Some(Truth { can_hold: true, can_fail: false }),
        Comparand::Term(_) => return None,
        constant => Pred::new(test.operator, constant),
    };
    let mut spare = Vec::new();
    match known {
        Known::Missing => Some(NEVER),
        Known::One(values) => {
            let mut truth = Truth { can_hold: false, can_fail: false };
            for value in values {
                let holds = pred.holds(value, &mut spare);
                truth.can_hold |= holds;
                truth.can_fail |= !holds;
            }
            Some(truth)
        }
        Known::NoneOf(others) => {
            let is_other = |literal: &Literal| matches!(literal, Literal::Text(text) if others.contains(&text.as_slice()));
            let literals = any_of(test).filter(|literals| literals.iter().all(is_other))?;
            match test.operator {
                operator if is_equal(operator) => Some(NEVER),
                Operator::NotEqual if !literals.is_empty() => Some(ALWAYS),
                _ => None,
            }
        }
        Known::Between(low, high) => ordered(test, low, high),
        Known::Without(absent) => {
            let Comparand::One(Literal::Text(needle)) = &test.right else { return None };
            let contains = test.operator == Operator::Contains;
            let never = absent.iter().any(|flag| bstr::ByteSlice::find(needle.as_slice(), flag).is_some());
            (contains && never).then_some(NEVER)
        }
    }
}

/// What stands on the right, one of which must be met.
fn any_of(test: &Test) -> Option<&[Literal]> {
    match &test.right {
        Comparand::One(literal) => Some(std::slice::from_ref(literal)),
        Comparand::Many(None | Some(Modifier::AnyOf), literals) => Some(literals),
        _ => None,
    }
}

fn is_equal(operator: Operator) -> bool {
    matches!(operator, Operator::Equal | Operator::DoubleEqual | Operator::In | Operator::Intersects)
}

/// Comparisons of a number between `low` and `high`, both possible.
fn ordered(test: &Test, low: i64, high: i64) -> Option<Truth> {
    let mut numbers = Vec::new();
    for literal in any_of(test)? {
        numbers.push(match literal {
            Literal::Signed(number) => *number,
            Literal::Unsigned(number) => i64::try_from(*number).ok()?,
            _ => return None,
        });
    }
    if is_equal(test.operator) {
        let can_hold = numbers.iter().any(|number| (low..=high).contains(number));
        return Some(Truth { can_hold, can_fail: true });
    }
    let [number] = numbers[..] else { return None };
    let (can_hold, can_fail) = match test.operator {
        Operator::NotEqual => (true, (low..=high).contains(&number)),
        Operator::Less => (low < number, high >= number),
        Operator::LessEqual => (low <= number, high > number),
        Operator::Greater => (high > number, low <= number),
        Operator::GreaterEqual => (high >= number, low < number),
        _ => return None,
    };
    Some(Truth { can_hold, can_fail })
}

fn known(field: &FieldRef, class: Class, call: &str) -> Option<Known> {
    use Class::{Failed, Modes, Reading, Unsure, Writing};
    let text = |values: &[&'static str]| {
        Known::One(values.iter().map(|value| Scalar::Text(value.as_bytes())).collect())
    };
    let truth = |truth: bool| Known::One(vec![Scalar::Bool(truth)]);
    let name = field.id.field().name;
    Some(match (name, &field.argument) {
        ("fd.typechar", _) => text(&["f", "d"]),
        ("fd.type", _) if class == Failed => Known::Missing,
        ("fd.type", _) => text(&["file", "directory"]),
        ("fd.num", _) if class == Failed => Known::One(vec![Scalar::Signed(-1)]),
        ("evt.rawres", _) if class == Failed => Known::Between(i64::MIN, -1),
        ("fd.num" | "evt.rawres", _) => Known::Between(0, i64::MAX),
        ("evt.failed", _) => truth(class == Failed),
        ("evt.res", _) if class != Failed => text(&["SUCCESS"]),
        ("evt.category", _) => text(&["file"]),
        ("evt.buffer" | "evt.buflen" | "evt.io_dir", _) => Known::Missing,
        ("evt.is_io" | "evt.is_io_read" | "evt.is_io_write" | "evt.is_syslog", _) => truth(false),
        ("evt.is_open_write" | "evt.is_open_read", _) if call == "creat" => truth(false),
        ("evt.is_open_write", _) if class == Reading => truth(false),
        ("evt.is_open_read", _) if class == Reading => truth(true),
        ("evt.is_open_create", _) if class == Reading => truth(false),
        ("fd.nameraw" | "fs.path.nameraw", _) if class.is_sure() => Known::Missing,
        ("evt.arg", Argument::Key(key)) => match class {
            Reading if *key == "flags" => Known::Without(&[b"O_TRUNC", b"O_CREAT", b"O_WRONLY", b"O_RDWR"]),
            Writing if *key == "mode" => Known::Without(&[b"S_ISUID", b"S_ISGID"]),
            Reading | Writing | Modes | Unsure | Failed => return None,
        },
        _ if is_of_socket(name) => Known::Missing,
        _ => return None,
    })
}

fn is_of_socket(name: &str) -> bool {
    let Some(part) = name.strip_prefix("fd.") else { return false };
    let side = part.strip_prefix(['c', 's', 'l', 'r']).unwrap_or(part);
    matches!(side, "ip" | "port" | "net") || matches!(part, "sockfamily" | "is_server" | "connected")
}
