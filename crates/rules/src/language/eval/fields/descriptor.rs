//! `fd.*` that is derived from other fields: names of ports, parts of device numbers.

use sentinel_event::Endpoint;

use super::{
    Row, built,
    fd::{inode, number},
    or_missing, plain,
    proc::head,
};
use crate::language::{
    eval::{
        json::print,
        value::{Item, Scratch, Several, Value},
        view::{Net, View},
    },
    service_name,
};

pub(super) const FIELDS: &[Row] = &[
    built("fd.proto", |view, _, scratch| {
        let Some(net) = view.net() else { return Value::Missing };
        let mark = scratch.mark();
        for end in [net.client, Some(net.server)].into_iter().flatten().filter(|end| end.ip.is_some()) {
            let span = scratch.span(|out| write(end, out));
            scratch.push(Item::Text(span));
        }
        match scratch.since(mark) {
            Value::Several(_, span) if !span.range().is_empty() => Value::Several(Several::Ends, span),
            _ => Value::Missing,
        }
    }),
    built("fd.cproto", |view, _, scratch| protocol(view, scratch, |net| net.client)),
    built("fd.sproto", |view, _, scratch| protocol(view, scratch, |net| Some(net.server))),
    built("fd.lproto", |view, _, scratch| protocol(view, scratch, |net| Some(net.local))),
    built("fd.rproto", |view, _, scratch| protocol(view, scratch, |net| Some(net.peer))),
    plain("fd.dev.major", |view, _, _| {
        or_missing(inode(view), |(dev, _)| Value::Unsigned((dev >> 20).into()))
    }),
    plain("fd.dev.minor", |view, _, _| {
        or_missing(inode(view), |(dev, _)| Value::Unsigned((dev & 0xf_ffff).into()))
    }),
    built("fd.uid", |view, _, scratch| {
        or_missing(number(view).filter(|fd| *fd >= 0), |fd| {
            scratch.build(|out| print(out, format_args!("{}{fd}", head(view).process.tgid)))
        })
    }),
];

/// The name of an end's port.
fn protocol<'a>(
    view: &View<'a>,
    scratch: &mut Scratch,
    end: fn(&Net<'a>) -> Option<&'a Endpoint>,
) -> Value<'a> {
    let end = view.net().and_then(|net| end(&net)).filter(|end| end.ip.is_some());
    or_missing(end, |end| scratch.build(|out| write(end, out)))
}

/// A port without a name is shown as the number it is.
fn write(end: &Endpoint, out: &mut Vec<u8>) {
    match service_name(end.port) {
        Some(name) => out.extend_from_slice(name.as_bytes()),
        None => print(out, format_args!("{}", end.port)),
    }
}
