//! Transformers.

use bstr::ByteSlice as _;

use super::{
    compile::{Program, TermId},
    machine::Pass,
    value::{Item, Several, Value},
};
use crate::language::Transformer;

/// A transformer with its arguments.
#[derive(Debug)]
pub(super) struct Compiled {
    pub(super) transformer: Transformer,
    pub(super) arguments: Box<[TermId]>,
    pub(super) option: Option<u8>,
}

impl Compiled {
    /// Computes it. Missing when an argument is.
    pub(super) fn apply<'a>(&'a self, program: &'a Program, pass: &mut Pass<'a, '_>) -> Value<'a> {
        // All arguments first: what they build must not come between the pieces of the result. The second time
        // they are remembered.
        for argument in &self.arguments {
            if matches!(program.term(*argument, pass), Value::Missing) {
                return Value::Missing;
            }
        }
        let [first, rest @ ..] = &*self.arguments else { return Value::Missing };
        let value = program.term(*first, pass);
        match self.transformer {
            Transformer::ToLower => rewritten(pass, value, |text| text.make_ascii_lowercase()),
            Transformer::ToUpper => rewritten(pass, value, |text| text.make_ascii_uppercase()),
            Transformer::B64 => decoded(pass, value),
            Transformer::Basename => basename(pass, value),
            Transformer::Len => match value {
                Value::Text(text) => Value::Unsigned(text.len() as u64),
                Value::Built(span) => Value::Unsigned(span.range().len() as u64),
                Value::Several(_, span) => Value::Unsigned(span.range().len() as u64),
                _ => Value::Missing,
            },
            Transformer::Concat => {
                let start = pass.scratch.bytes.len();
                for argument in &self.arguments {
                    let value = program.term(*argument, pass);
                    if !pass.scratch.append(value) {
                        return Value::Missing;
                    }
                }
                pass.scratch.tail(start)
            }
            Transformer::Join => {
                let Some(Value::Several(_, list)) = rest.first().map(|list| program.term(*list, pass)) else {
                    return Value::Missing;
                };
                let start = pass.scratch.bytes.len();
                for at in list.range() {
                    if at > list.range().start {
                        pass.scratch.append(value);
                    }
                    if let Some(Item::Text(span)) =
                        pass.scratch.items(list).get(at - list.range().start).copied()
                    {
                        pass.scratch.append(Value::Built(span));
                    }
                }
                pass.scratch.tail(start)
            }
            Transformer::GetOpt => {
                let options = rest.first().map_or(Value::Missing, |options| program.term(*options, pass));
                options_of(pass, value, options, self.option)
            }
        }
    }
}

fn rewritten<'a>(pass: &mut Pass<'a, '_>, value: Value<'a>, rewrite: fn(&mut [u8])) -> Value<'a> {
    let start = pass.scratch.bytes.len();
    if !pass.scratch.append(value) {
        return Value::Missing;
    }
    rewrite(pass.scratch.bytes.get_mut(start..).unwrap_or_default());
    pass.scratch.tail(start)
}

fn basename<'a>(pass: &Pass<'a, '_>, value: Value<'a>) -> Value<'a> {
    let behind = |text: &[u8]| text.rfind_byte(b'/').map_or(0, |slash| slash + 1);
    match value {
        Value::Text(text) => Value::Text(text.get(behind(text)..).unwrap_or_default()),
        Value::Built(span) => pass.scratch.part(span, behind(pass.scratch.text(span))),
        _ => Value::Missing,
    }
}

/// Base64 with the usual letters; padding may be there or not.
fn decoded<'a>(pass: &mut Pass<'a, '_>, value: Value<'a>) -> Value<'a> {
    let start = pass.scratch.bytes.len();
    if !pass.scratch.append(value) {
        return Value::Missing;
    }
    let bytes = &mut pass.scratch.bytes;
    let text = bytes.get_mut(start..).unwrap_or_default();
    let padding = text.iter().rev().take_while(|byte| **byte == b'=').count();
    let (all, letters) = (text.len(), text.len() - padding);
    let fits = padding == 0 || (padding <= 2 && all % 4 == 0);
    let (mut bits, mut count, mut written) = (0_u32, 0_u32, 0);
    for at in 0..letters {
        let Some(letter) = text.get(at).copied().and_then(sextet) else {
            bytes.truncate(start);
            return Value::Missing;
        };
        bits = (bits << 6 | u32::from(letter)) & 0xff_ffff;
        count += 6;
        if count >= 8 {
            count -= 8;
            // Behind what has been read: three bytes come of four letters.
            if let (Some(slot), Some(byte)) = (text.get_mut(written), u8::try_from(bits >> count & 0xff).ok())
            {
                *slot = byte;
                written += 1;
            }
        }
    }
    if !fits || count >= 6 {
        bytes.truncate(start);
        return Value::Missing;
    }
    bytes.truncate(start + written);
    pass.scratch.tail(start)
}

fn sextet(letter: u8) -> Option<u8> {
    Some(match letter {
        b'A'..=b'Z' => letter - b'A',
        b'a'..=b'z' => letter - b'a' + 26,
        b'0'..=b'9' => letter - b'0' + 52,
        b'+' => 62,
        b'/' => 63,
        _ => return None,
    })
}

/// POSIX short options: all of them, or the last value of `wanted`.
fn options_of<'a>(
    pass: &mut Pass<'a, '_>,
    list: Value<'a>,
    options: Value<'a>,
    wanted: Option<u8>,
) -> Value<'a> {
    let Value::Several(_, list) = list else { return Value::Missing };
    let mark = pass.scratch.mark();
    let mut last = None;
    let words = list.range().len();
    let mut word = 0;
    while word < words {
        let Some(Item::Text(span)) = pass.scratch.items(list).get(word).copied() else { break };
        word += 1;
        let text = pass.scratch.text(span);
        match text {
            b"--" => break,
            [b'-', b'-', ..] => continue,
            [b'-', _, ..] => {}
            _ => break,
        }
        let mut at = 1;
        while let Some(letter) = pass.scratch.text(span).get(at).copied() {
            at += 1;
            let known = pass.scratch.scalar(options).and_then(|options| match options {
                super::value::Scalar::Text(options) => takes_value(options, letter),
                _ => None,
            });
            // What the option is worth: its value, or its letter when it takes none.
            let name = pass.scratch.span(|bytes| bytes.push(if known.is_some() { letter } else { b'?' }));
            let mut value = None;
            if known == Some(true) {
                let tail = pass.scratch.part(span, at);
                value = match tail {
                    Value::Built(tail) if !tail.range().is_empty() => Some(tail),
                    _ => {
                        let next = pass.scratch.items(list).get(word).copied();
                        word += 1;
                        match next {
                            Some(Item::Text(next)) => Some(next),
                            _ => Some(pass.scratch.span(|_| {})),
                        }
                    }
                };
            }
            if known.is_some() && wanted == Some(letter) {
                last = Some(value.unwrap_or(name));
            }
            if wanted.is_none() {
                pass.scratch.push(Item::Text(name));
                if let Some(value) = value {
                    pass.scratch.push(Item::Text(value));
                }
            }
            if known == Some(true) {
                break;
            }
        }
    }
    match wanted {
        Some(_) => last.map_or(Value::Missing, Value::Built),
        None => pass.scratch.since(mark),
    }
}

/// Whether the option takes a value; none when it is not known.
fn takes_value(options: &[u8], letter: u8) -> Option<bool> {
    let at = options.iter().position(|known| *known == letter && letter != b':')?;
    Some(options.get(at + 1) == Some(&b':'))
}

/// The arguments of a process as a list, for `getopt` and `join`.
pub(super) fn argument_list<'a>(pass: &mut Pass<'a, '_>) -> Value<'a> {
    match super::fields::arguments(&pass.view) {
        Some(arguments) => {
            pass.scratch.texts(Several::List, arguments.iter().map(|argument| argument.as_slice()))
        }
        None => Value::Missing,
    }
}
