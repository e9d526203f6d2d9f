//! `k8s.*` and `systemd.*`: the pod and the unit.

use std::sync::Arc;

use sentinel_event::{Place, Pod};

use super::{
    Row, built,
    container::{label, labels, short, text},
    or_missing, plain,
};
use crate::language::eval::{value::Value, view::View};

pub(super) const FIELDS: &[Row] = &[
    plain("k8s.ns.name", |view, _, _| pod(view, |pod| text(&pod.namespace))),
    plain("k8s.pod.name", |view, _, _| pod(view, |pod| text(&pod.name))),
    plain("k8s.pod.id", |view, _, _| uid(view)),
    plain("k8s.pod.uid", |view, _, _| uid(view)),
    plain("k8s.pod.sandbox_id", |view, _, _| pod(view, |pod| super::some(short(&pod.sandbox)))),
    plain("k8s.pod.full_sandbox_id", |view, _, _| pod(view, |pod| text(&pod.sandbox))),
    plain("k8s.pod.ip", |view, _, _| pod(view, |pod| text(&pod.ip))),
    plain("k8s.pod.label", |view, argument, _| pod(view, |pod| label(&pod.labels, argument))),
    built("k8s.pod.labels", |view, _, scratch| {
        or_missing(view.observation.pod(), |pod| labels(&pod.labels, scratch))
    }),
    plain("systemd.unit", |view, _, _| place(view, |place| place.unit.as_ref())),
    plain("systemd.slice", |view, _, _| place(view, |place| place.slice.as_ref())),
    plain("systemd.user_unit", |view, _, _| place(view, |place| place.user_unit.as_ref())),
    plain("systemd.session", |view, _, _| place(view, |place| place.session.as_ref())),
    plain("systemd.invocation_id", |view, _, _| place(view, |place| place.invocation.as_ref())),
];

fn pod<'a>(view: &View<'a>, value: impl FnOnce(&'a Pod) -> Value<'a>) -> Value<'a> {
    view.observation.pod().map_or(Value::Missing, value)
}

/// The path of the cgroup tells it before the runtime does.
fn uid<'a>(view: &View<'a>) -> Value<'a> {
    match view.observation.pod() {
        Some(pod) if !pod.uid.is_empty() => text(&pod.uid),
        _ => place(view, |place| place.pod_uid.as_ref()),
    }
}

fn place<'a>(view: &View<'a>, value: impl FnOnce(&'a Place) -> Option<&'a Arc<str>>) -> Value<'a> {
    let place = view.observation.workload.as_ref().map(|workload| &*workload.place);
    or_missing(place.and_then(value), |found| text(found))
}
