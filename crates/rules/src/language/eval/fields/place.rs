//! `k8s.*` and `systemd.*`: the pod and the unit.

use std::sync::Arc;

use sentinel_event::{Owner, Place, Pod};

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
    plain("k8s.pod.service_account", |view, _, _| pod(view, |pod| text(&pod.service_account))),
    plain("k8s.node.name", |view, _, _| pod(view, |pod| text(&pod.node))),
    plain("k8s.owner.kind", |view, _, _| owner(view, |owner| text(&owner.kind))),
    plain("k8s.owner.name", |view, _, _| owner(view, |owner| text(&owner.name))),
    plain("k8s.deployment.name", |view, _, _| {
        owner(view, |owner| if owner.kind == "Deployment" { text(&owner.name) } else { Value::Missing })
    }),
    plain("k8s.rs.name", |view, _, _| controller(view, "ReplicaSet", |set| text(&set.name))),
    plain("k8s.rs.id", |view, _, _| controller(view, "ReplicaSet", |set| text(&set.uid))),
    plain("k8s.rc.name", |view, _, _| controller(view, "ReplicationController", |set| text(&set.name))),
    plain("k8s.rc.id", |view, _, _| controller(view, "ReplicationController", |set| text(&set.uid))),
    plain("systemd.unit", |view, _, _| place(view, |place| place.unit.as_ref())),
    plain("systemd.slice", |view, _, _| place(view, |place| place.slice.as_ref())),
    plain("systemd.user_unit", |view, _, _| place(view, |place| place.user_unit.as_ref())),
    plain("systemd.session", |view, _, _| place(view, |place| place.session.as_ref())),
    plain("systemd.invocation_id", |view, _, _| place(view, |place| place.invocation.as_ref())),
];

fn pod<'a>(view: &View<'a>, value: impl FnOnce(&'a Pod) -> Value<'a>) -> Value<'a> {
    view.observation.pod().map_or(Value::Missing, value)
}

fn owner<'a>(view: &View<'a>, value: impl FnOnce(&'a Owner) -> Value<'a>) -> Value<'a> {
    or_missing(view.observation.pod().and_then(|pod| pod.owner.as_ref()), value)
}

/// Of a kind.
fn controller<'a>(view: &View<'a>, kind: &str, value: impl FnOnce(&'a Owner) -> Value<'a>) -> Value<'a> {
    let controller = view.observation.pod().and_then(|pod| pod.controller.as_ref());
    or_missing(controller.filter(|owner| owner.kind == kind), value)
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
