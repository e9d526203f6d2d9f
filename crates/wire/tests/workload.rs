//! Container, pod and user are told alike in every encoding, and left out where they are not known.
#![allow(clippy::unwrap_used)] // a test program: helpers may fail it

use std::{collections::BTreeMap, sync::Arc};

use sentinel_event::{
    Body, Container, Event, Exit, Group, Head, Image, Known, Observation, Owner, Place, Pod, ProcessKey,
    Runtime, User, Users, Workload,
};
use sentinel_wire::{Encoder, EventIds, Node, batch_events, envelope, read_envelope, v1::EventEnvelope};
use serde_json::{Value, json};

fn observation(workload: Option<Workload>) -> Observation {
    let process = ProcessKey { tgid: 42, start_ns: 1_000 };
    let head = Head { process, loginuid: u32::MAX, euid: 1000, egid: 1000, ..Head::default() };
    Observation {
        event: Event { head, body: Body::Exit(Exit::default()) },
        process: None,
        ancestors: Arc::default(),
        container_id: Some("web".into()),
        workload: workload.map(Arc::new),
    }
}

fn whole() -> Workload {
    let container = Container {
        name: "a \"name\"".into(),
        image: Image { repository: "x/y".into(), tag: "1".into(), ..Image::default() },
        privileged: Some(true),
        pod: Some(Arc::new(Pod { name: "web-1".into(), namespace: "shop".into(), ..Pod::default() })),
        ..Container::default()
    };
    let user = User { uid: 1000, name: "ann".into(), ..User::default() };
    let users =
        Users::new(vec![user], vec![Group { gid: 1000, name: "wheel".into() }], Vec::new(), Vec::new());
    let place = Place { runtime: Some(Runtime::Lxc), unit: Some("u.service".into()), ..Place::default() };
    let (container, users) = (Known::Yes(container.into()), Known::Yes(users.into()));
    let owner = Some(Owner { kind: "Deployment".into(), name: "web".into(), uid: String::new() });
    let pod = Pod {
        name: "web-1".into(),
        namespace: "shop".into(),
        owner,
        service_account: "sa".into(),
        ..Pod::default()
    };
    Workload { place: place.into(), container, users, pod: Known::Yes(pod.into()) }
}

/// As JSON, as a message, and as a message in a batch.
fn encodings(observation: &Observation) -> (Value, EventEnvelope, EventEnvelope) {
    let node = Node { hostname: "n".into() };
    let (mut encoder, id) = (Encoder::new(&node), EventIds::default().next(1));
    let (mut object, mut batch) = (Vec::new(), Vec::new());
    encoder.object(id, observation, 0, &mut object);
    encoder.batched(id, observation, 0, &mut batch);
    let batched = read_envelope(batch_events(&batch).next().unwrap()).unwrap();
    (serde_json::from_slice(&object).unwrap(), envelope(observation, 0, &node, id), batched)
}

fn attributes(object: &Value) -> BTreeMap<String, String> {
    serde_json::from_value(object["attributes"].clone()).unwrap()
}

#[test]
fn every_encoding_tells_the_same() {
    let (object, message, batched) = encodings(&observation(Some(whole())));
    assert_eq!(message, batched);
    assert_eq!(attributes(&object), message.attributes);
    assert_eq!((&object["pod"], &object["namespace"]), (&json!("web-1"), &json!("shop")));
    assert_eq!((&*message.pod_name, &*message.namespace), ("web-1", "shop"));
    for (key, value) in [
        ("container.id", "web"),
        ("container.name", "a \"name\""),
        ("container.type", "lxc"),
        ("container.image.repository", "x/y"),
        ("container.image.tag", "1"),
        ("container.privileged", "true"),
        ("k8s.ns.name", "shop"),
        ("k8s.pod.name", "web-1"),
        ("k8s.owner.kind", "Deployment"),
        ("k8s.owner.name", "web"),
        ("k8s.pod.service_account", "sa"),
        ("systemd.unit", "u.service"),
        ("user.name", "ann"),
        ("group.name", "wheel"),
    ] {
        assert_eq!(message.attributes.get(key).map(String::as_str), Some(value), "{key}");
    }
    for key in ["container.image.digest", "k8s.pod.uid", "user.loginname", "sentinel.metadata"] {
        assert_eq!(message.attributes.get(key), None, "{key}");
    }
}

#[test]
fn what_has_not_been_answered_is_marked() {
    let pending = Workload { container: Known::Pending, ..Workload::default() };
    let (object, message, batched) = encodings(&observation(Some(pending)));
    assert_eq!(message, batched);
    assert_eq!(attributes(&object)["sentinel.metadata"], "pending");
    let (object, ..) = encodings(&observation(None));
    assert!(!attributes(&object).contains_key("sentinel.metadata"));
    assert_eq!((&object["pod"], &object["namespace"]), (&json!(""), &json!("")));
}
