//! Fields and transformers.

use bstr::ByteSlice;
use sentinel_event::Text;

use super::Problem;
use crate::language::{
    ast::{FieldName, Operand, Transform, TransformArgument, Transformer},
    condition::{Argument, Call, FieldRef, Term},
    field::{ArgumentRule, Field, Usage, is_parameter},
    parse::operand_prefix,
    print::canonical,
    suggest,
    types::{Type, TypeClass},
};

/// Whether `text` reads as a call of a transformer on something.
pub(super) fn looks_like_call(text: &str) -> bool {
    text.ends_with([')', ']'])
        && matches!(operand_prefix(text.as_bytes()), Some((Operand::Transform(_), len)) if len == text.len())
}

/// Looks up a field or a transformer.
pub(in crate::language) fn operand(operand: &Operand) -> Result<Term, Problem> {
    match operand {
        Operand::Field(name) => field(name).map(Term::Field),
        Operand::Transform(transform) => call(transform).map(|call| Term::Call(Box::new(call))),
    }
}

/// Looks up a field.
pub(in crate::language) fn field(name: &FieldName) -> Result<FieldRef, Problem> {
    let at = name.at.0;
    let Some((id, key)) = Field::find(&name.name) else {
        let hint = suggest::hint(Field::nearest(&name.name));
        let message = format!("filter_check called with nonexistent field {}{hint}", name.name);
        return Err(Problem::unknown(at, message));
    };
    let rule = id.field().argument;
    let fail = |what: &str| Err(Problem::new(at, format!("field '{}' {what}", name.name)));
    let key = key.map(Text::from);
    if key.is_some() && name.argument.is_some() {
        return fail("takes one argument: behind a dot or in brackets");
    }
    let given = key.clone().or_else(|| name.argument.clone());
    let argument = match (rule, given) {
        (ArgumentRule::None, None) => Argument::None,
        (ArgumentRule::None, Some(_)) => return fail("takes no argument"),
        (ArgumentRule::OptionalIndex | ArgumentRule::OptionalKey, None) => Argument::None,
        (_, None) => return fail("needs an argument in brackets"),
        (ArgumentRule::OptionalIndex, Some(text)) => match index(&text) {
            Some(index) => Argument::Index(index),
            None => return fail("takes a number as its argument"),
        },
        (ArgumentRule::Parameter, Some(text)) => match index(&text) {
            Some(index) if key.is_none() => Argument::Index(index),
            _ if text.to_str().is_ok_and(is_parameter) => Argument::Key(text),
            _ => return Err(Problem::unknown(at, format!("no event has a parameter called '{text}'"))),
        },
        (ArgumentRule::Key, Some(text)) => match (id.field().name, index(&text)) {
            ("evt.around", _) => match text.to_str().ok().and_then(|text| text.parse().ok()) {
                Some(time) => Argument::Index(time),
                None => {
                    let problem = format!(
                        "'{text}' is no time: write nanoseconds since 1970, as `evt.rawtime` has them"
                    );
                    return Err(Problem::new(at, problem));
                }
            },
            ("evt.type.is" | "thread.cgroup", _) | (_, None) => Argument::Key(text),
            (_, Some(index)) => Argument::Index(index),
        },
        (ArgumentRule::OptionalKey | ArgumentRule::Label, Some(text)) => Argument::Key(text),
    };
    Ok(FieldRef { id, argument, text: canonical(name).into() })
}

fn index(text: &[u8]) -> Option<u64> {
    const DIGITS_MAX: usize = 9; // no event has a billion of anything
    let digits = text.len() <= DIGITS_MAX && text.iter().all(u8::is_ascii_digit);
    if digits { text.to_str().ok()?.parse().ok() } else { None }
}

fn call(transform: &Transform) -> Result<Call, Problem> {
    let name = transform.transformer.word();
    let at = transform.at.0;
    let fail = |what: &str| Err(Problem::new(at, format!("transformer '{name}' {what}")));
    let arguments: Vec<Term> =
        transform.arguments.iter().map(|given| argument(given, at, true)).collect::<Result<_, _>>()?;
    let types: Vec<_> =
        arguments.iter().zip(0..).map(|(term, place)| input(transform.transformer, term, place)).collect();
    let option = match (&transform.index, transform.transformer) {
        (None, _) => None,
        (Some(letter), Transformer::GetOpt) => match letter.as_slice() {
            [letter] => Some(*letter),
            _ => return fail("takes one letter in brackets"),
        },
        (Some(_), _) => return fail("takes no argument in brackets"),
    };
    let (ty, list) = match (transform.transformer, types.as_slice()) {
        (Transformer::ToLower | Transformer::ToUpper | Transformer::Basename, [(ty, false)])
            if ty.class() == TypeClass::Text =>
        {
            (*ty, false)
        }
        (Transformer::B64, [(ty, false)]) if matches!(ty.class(), TypeClass::Text | TypeClass::Bytes) => {
            (*ty, false)
        }
        (Transformer::Len, [(ty, list)])
            if *list || matches!(ty.class(), TypeClass::Text | TypeClass::Bytes) =>
        {
            (Type::U64, false)
        }
        (Transformer::Join, [(separator, false), (_, true)]) if separator.class() == TypeClass::Text => {
            (Type::Text, false)
        }
        (Transformer::Concat, [_, _, ..])
            if types.iter().all(|(ty, list)| !list && ty.class() == TypeClass::Text) =>
        {
            (Type::Text, false)
        }
        (Transformer::GetOpt, [(items, true), (options, false)])
            if items.class() == TypeClass::Text && options.class() == TypeClass::Text =>
        {
            (Type::Text, option.is_none())
        }
        (wrong, _) => return fail(signature(wrong)),
    };
    Ok(Call { transformer: transform.transformer, arguments, option, ty, list })
}

/// The type a transformer sees. `getopt` and `join` take `proc.args` for the list of arguments that it is.
fn input(transformer: Transformer, term: &Term, place: usize) -> (Type, bool) {
    let takes_list = matches!((transformer, place), (Transformer::GetOpt, 0) | (Transformer::Join, 1));
    match term {
        Term::Field(field) if takes_list && field.id.field().name == "proc.args" && !field.has_argument() => {
            (Type::Text, true)
        }
        _ => term.ty(),
    }
}

const fn signature(transformer: Transformer) -> &'static str {
    match transformer {
        Transformer::ToLower | Transformer::ToUpper | Transformer::Basename => "takes one string",
        Transformer::B64 => "takes one string or buffer",
        Transformer::Len => "takes one string, buffer or list",
        Transformer::Join => "takes a string and a list of strings",
        Transformer::Concat => "takes two strings or more",
        Transformer::GetOpt => "takes a list of strings, and a string of option letters",
    }
}

fn argument(given: &TransformArgument, at: usize, lists: bool) -> Result<Term, Problem> {
    match given {
        TransformArgument::Number(number) => Ok(Term::Text(number.as_str().into())),
        TransformArgument::Text(text) => Ok(Term::Text(text.clone())),
        TransformArgument::List(items) if lists => {
            let items = items.iter().map(|item| argument(item, at, false));
            let items = items.collect::<Result<Vec<_>, _>>()?;
            if items.iter().any(|item| item.ty().1 || item.ty().0.class() != TypeClass::Text) {
                return Err(Problem::new(at, "a list in a transformer holds strings only"));
            }
            Ok(Term::List(items))
        }
        TransformArgument::List(_) => Err(Problem::new(at, "a list in a transformer holds no further list")),
        TransformArgument::Operand(inner) => {
            let term = operand(inner)?;
            if let Term::Field(field) = &term
                && field.id.field().usage != Usage::Any
            {
                return Err(Problem::new(
                    at,
                    format!("field '{}' does not support transformers", field.text),
                ));
            }
            if let Term::Field(field) = &term
                && field.id.field().name == "evt.type"
            {
                return Err(Problem::new(at, "field 'evt.type' does not support transformers"));
            }
            Ok(term)
        }
    }
}
