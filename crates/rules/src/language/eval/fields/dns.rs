//! `dns.*`: what an answer from port 53 says.

use sentinel_event::{Body, Dns};

use super::{Row, built, or_missing, plain, some};
use crate::language::eval::{
    json::print,
    value::{Item, Scratch, Several, Value},
    view::View,
};

pub(super) const FIELDS: &[Row] = &[
    plain("dns.question", |view, _, _| or_missing(of(view), |dns| some(&dns.question))),
    built("dns.type", |view, _, scratch| {
        or_missing(of(view), |dns| word(dns.type_name(), dns.record_type, scratch))
    }),
    built("dns.code", |view, _, scratch| {
        or_missing(of(view), |dns| word(dns.code_name(), dns.code.into(), scratch))
    }),
    built("dns.address", |view, _, scratch| match of(view) {
        Some(dns) if !dns.addresses.is_empty() => {
            let items = dns.addresses.iter().map(|known| Item::Address(known.ip));
            scratch.several(Several::Any, items)
        }
        _ => Value::Missing,
    }),
];

/// An answer whose question could be read.
fn of<'a>(view: &View<'a>) -> Option<&'a Dns> {
    match &view.observation.event.body {
        Body::Dns(dns) if !dns.question.is_empty() => Some(dns),
        _ => None,
    }
}

fn word<'a>(name: Option<&'static str>, number: u16, scratch: &mut Scratch) -> Value<'a> {
    match name {
        Some(name) => Value::Text(name.as_bytes()),
        None => scratch.build(|out| print(out, format_args!("{number}"))),
    }
}
