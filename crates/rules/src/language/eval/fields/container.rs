//! `container.*`: what the cgroup's path and the runtime say. Until the runtime has answered, its part is missing.

use sentinel_event::{Container, ContainerMount, Runtime};

use super::{Row, built, or_missing, plain, some};
use crate::language::{
    Argument,
    eval::{
        glob::glob,
        value::{Scratch, Value},
        view::View,
    },
};

const HOST: Value<'static> = Value::Text(b"host");
const DIGITS: usize = 12; // of an id, as runtimes show it

pub(super) const FIELDS: &[Row] = &[
    plain("container.id", |view, _, _| match &view.observation.container_id {
        Some(id) => Value::Text(short(id)),
        None => HOST,
    }),
    plain("container.full_id", |view, _, _| match &view.observation.container_id {
        Some(id) => Value::Text(id.as_bytes()),
        None => HOST,
    }),
    plain("container.name", |view, _, _| match of(view) {
        Some(container) => text(&container.name),
        None => on_host(view),
    }),
    plain("container.type", |view, _, _| match runtime(view) {
        Some(runtime) => text(runtime.name()),
        None => on_host(view),
    }),
    plain("container.image", |view, _, _| said(view, |container| text(&container.image.name))),
    plain("container.image.id", |view, _, _| said(view, |container| text(&container.image.id))),
    plain("container.image.repository", |view, _, _| {
        said(view, |container| text(&container.image.repository))
    }),
    plain("container.image.tag", |view, _, _| said(view, |container| text(&container.image.tag))),
    plain("container.image.digest", |view, _, _| said(view, |container| text(&container.image.digest))),
    plain("container.privileged", |view, _, _| flag(view, |container| container.privileged)),
    plain("container.host_pid", |view, _, _| flag(view, |container| container.host_pid)),
    plain("container.host_network", |view, _, _| flag(view, |container| container.host_network)),
    plain("container.host_ipc", |view, _, _| flag(view, |container| container.host_ipc)),
    plain("container.ip", |view, _, _| said(view, |container| text(&container.ip))),
    plain("container.healthcheck", |view, _, _| said(view, |container| text(&container.healthcheck))),
    plain("container.start_ts", |view, _, _| or_missing(began(view), Value::Unsigned)),
    plain("container.duration", |view, _, _| {
        let now_ns = view.observation.event.head.real_ns;
        or_missing(began(view), |at| Value::Unsigned(now_ns.saturating_sub(at)))
    }),
    plain("container.label", |view, argument, _| said(view, |container| label(&container.labels, argument))),
    built("container.labels", |view, _, scratch| match of(view) {
        Some(container) => labels(&container.labels, scratch),
        None => Value::Missing,
    }),
    built("container.mounts", |view, _, scratch| match of(view) {
        Some(container) if !container.mounts.is_empty() => scratch.build(|out| {
            for (at, mount) in container.mounts.iter().enumerate() {
                out.extend_from_slice(if at > 0 { b" " } else { b"" });
                whole(mount, out);
            }
        }),
        _ => Value::Missing,
    }),
    built("container.mount", |view, argument, scratch| {
        or_missing(mount(view, argument, source), |mount| scratch.build(|out| whole(mount, out)))
    }),
    plain("container.mount.source", |view, argument, _| {
        or_missing(mount(view, argument, destination), |mount| text(&mount.source))
    }),
    plain("container.mount.dest", |view, argument, _| {
        or_missing(mount(view, argument, source), |mount| text(&mount.destination))
    }),
    plain("container.mount.mode", |view, argument, _| {
        or_missing(mount(view, argument, source), |mount| text(&mount.mode))
    }),
    plain("container.mount.rdwr", |view, argument, _| {
        or_missing(mount(view, argument, source), |mount| Value::Text(rdwr(mount)))
    }),
    plain("container.mount.propagation", |view, argument, _| {
        or_missing(mount(view, argument, source), |mount| text(&mount.propagation))
    }),
];

/// When the container began: as its runtime says, else with its pid namespace, when it has one of its own.
fn began(view: &View<'_>) -> Option<u64> {
    let head = &view.observation.event.head;
    let own = view.observation.container_id.is_some() && head.vpid != head.process.tgid;
    let told = of(view).and_then(|container| container.started_ns);
    told.or_else(|| super::executable::namespace_start(view).filter(|_| own))
}

/// An id as runtimes show it; names of containers that have no id are shown whole.
pub(super) fn short(id: &str) -> &[u8] {
    let id = id.as_bytes();
    if id.iter().all(u8::is_ascii_hexdigit) { id.get(..DIGITS).unwrap_or(id) } else { id }
}

/// What the runtime says of the event's container.
pub(in crate::language::eval) fn of<'a>(view: &View<'a>) -> Option<&'a Container> {
    view.observation.workload.as_ref()?.container.get()
}

/// Whose container it is: what answered knows better than what the path of a cgroup looks like.
pub(in crate::language::eval) fn runtime(view: &View<'_>) -> Option<Runtime> {
    let place = || view.observation.workload.as_ref()?.place.runtime;
    of(view).and_then(|container| container.runtime).or_else(place)
}

pub(super) fn text(text: &str) -> Value<'_> {
    some(text.as_bytes())
}

/// A label by its key; what has no value is empty.
pub(super) fn label<'a>(labels: &'a [(String, String)], argument: &Argument) -> Value<'a> {
    let Argument::Key(key) = argument else { return Value::Missing };
    let found = labels.iter().find(|(name, _)| name.as_bytes() == key.as_slice());
    or_missing(found, |(_, value)| Value::Text(value.as_bytes()))
}

/// `key:value`, with a comma between them.
pub(super) fn labels<'a>(labels: &[(String, String)], scratch: &mut Scratch) -> Value<'a> {
    if labels.is_empty() {
        return Value::Missing;
    }
    scratch.build(|out| {
        for (at, (key, value)) in labels.iter().enumerate() {
            out.extend_from_slice(if at > 0 { b"," } else { b"" });
            out.extend_from_slice(key.as_bytes());
            out.push(b':');
            out.extend_from_slice(value.as_bytes());
        }
    })
}

fn said<'a>(view: &View<'a>, value: impl FnOnce(&'a Container) -> Value<'a>) -> Value<'a> {
    of(view).map_or(Value::Missing, value)
}

fn flag<'a>(view: &View<'a>, value: impl FnOnce(&Container) -> Option<bool>) -> Value<'a> {
    or_missing(of(view).and_then(value), Value::Bool)
}

fn on_host<'a>(view: &View<'a>) -> Value<'a> {
    if view.observation.container_id.is_some() { Value::Missing } else { HOST }
}

fn source(mount: &ContainerMount) -> &str {
    &mount.source
}

fn destination(mount: &ContainerMount) -> &str {
    &mount.destination
}

/// By number, or the first of which the path matches a pattern.
fn mount<'a>(
    view: &View<'a>,
    argument: &Argument,
    path: fn(&ContainerMount) -> &str,
) -> Option<&'a ContainerMount> {
    let mounts = &of(view)?.mounts;
    match argument {
        Argument::Index(index) => mounts.get(usize::try_from(*index).ok()?),
        Argument::Key(pattern) => mounts.iter().find(|mount| glob(pattern, path(mount).as_bytes(), false)),
        Argument::None => None,
    }
}

fn rdwr(mount: &ContainerMount) -> &'static [u8] {
    if mount.writable { b"true" } else { b"false" }
}

fn whole(mount: &ContainerMount, out: &mut Vec<u8>) {
    let parts = [
        mount.source.as_bytes(),
        mount.destination.as_bytes(),
        mount.mode.as_bytes(),
        rdwr(mount),
        mount.propagation.as_bytes(),
    ];
    for (at, part) in parts.into_iter().enumerate() {
        out.extend_from_slice(if at > 0 { b":" } else { b"" });
        out.extend_from_slice(part);
    }
}
