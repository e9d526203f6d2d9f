//! What the API server says, as far as it is used.

use std::collections::BTreeMap;

use sentinel_event::{Owner, Pod};
use serde::Deserialize;
use serde_json::value::RawValue;

/// Labels that are kept of a pod.
const LABELS: usize = 64;
/// The hash that a Deployment puts behind its own name for that of a ReplicaSet, and on the pods.
const TEMPLATE_HASH: &str = "pod-template-hash";

/// `PodList`.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct List<'a> {
    pub(super) metadata: ListMeta,
    /// Each is read by itself, so that one which makes no sense costs itself.
    #[serde(borrow)]
    pub(super) items: Option<Vec<&'a RawValue>>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(super) struct ListMeta {
    pub(super) resource_version: String,
    /// Where the next page begins; empty on the last.
    pub(super) r#continue: String,
}

/// `WatchEvent`: one line of a watch.
#[derive(Debug, Deserialize)]
pub(super) struct Line<'a> {
    pub(super) r#type: &'a str,
    #[serde(borrow)]
    pub(super) object: &'a RawValue,
}

/// `Status`: why a watch ends.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Status {
    pub(super) code: u16,
    pub(super) message: String,
}

/// `Pod`.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Object {
    pub(super) metadata: Meta,
    pub(super) spec: Spec,
    status: PodStatus,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(super) struct Meta {
    pub(super) resource_version: String,
    name: String,
    namespace: String,
    uid: String,
    labels: Option<BTreeMap<String, String>>,
    annotations: Option<Annotations>,
    owner_references: Option<Vec<Reference>>,
}

/// The one that matters; others may be long.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Annotations {
    /// Of a pod from a file of the node: the UID that the node knows it by. The server gives it another one.
    #[serde(rename = "kubernetes.io/config.hash")]
    config_hash: Option<String>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Reference {
    kind: String,
    name: String,
    uid: String,
    controller: Option<bool>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(super) struct Spec {
    pub(super) node_name: String,
    service_account_name: String,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct PodStatus {
    #[serde(rename = "podIP")]
    pod_ip: String,
}

/// A pod; its UID is the one that its cgroups are called by.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Found(pub(super) Pod);

impl Object {
    /// None for what has no UID.
    pub(super) fn found(self) -> Option<Found> {
        let meta = self.metadata;
        let labels = meta.labels.unwrap_or_default();
        let controller = meta.owner_references.unwrap_or_default().into_iter();
        let controller = controller.filter(|owner| owner.controller == Some(true)).map(|owner| Owner {
            kind: owner.kind,
            name: owner.name,
            uid: owner.uid,
        });
        let controller = controller.into_iter().next();
        let owner =
            controller.as_ref().map(|owner| deployment(owner, &labels).unwrap_or_else(|| owner.clone()));
        let config_hash = meta.annotations.and_then(|annotations| annotations.config_hash);
        let uid = config_hash.filter(|hash| !hash.is_empty()).unwrap_or(meta.uid);
        let pod = Pod {
            name: meta.name,
            namespace: meta.namespace,
            uid,
            ip: self.status.pod_ip,
            labels: labels.into_iter().take(LABELS).collect(),
            service_account: self.spec.service_account_name,
            node: self.spec.node_name,
            controller,
            owner,
            ..Pod::default()
        };
        (!pod.uid.is_empty()).then_some(Found(pod))
    }
}

/// The Deployment that a ReplicaSet belongs to, by its name: nobody has to be asked, and no further right is needed.
fn deployment(set: &Owner, labels: &BTreeMap<String, String>) -> Option<Owner> {
    let hash = labels.get(TEMPLATE_HASH).filter(|hash| !hash.is_empty() && set.kind == "ReplicaSet")?;
    let name = set.name.strip_suffix(hash.as_str())?.strip_suffix('-').filter(|name| !name.is_empty())?;
    Some(Owner { kind: "Deployment".into(), name: name.into(), uid: String::new() })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(json: serde_json::Value) -> Option<Found> {
        serde_json::from_value::<Object>(json).unwrap().found()
    }

    fn owned(kind: &str, name: &str, hash: &str) -> String {
        let json = serde_json::json!({"metadata": {
            "uid": "u", "labels": {TEMPLATE_HASH: hash},
            "ownerReferences": [
                {"kind": "Other", "name": "not in charge", "uid": "1"},
                {"kind": kind, "name": name, "uid": "2", "controller": true},
            ],
        }});
        let owner = read(json).unwrap().0.owner.unwrap();
        format!("{} {} {}", owner.kind, owner.name, owner.uid)
    }

    #[test]
    fn a_replica_set_tells_its_deployment_by_the_hash() {
        for (kind, name, hash, expected) in [
            ("ReplicaSet", "web-7d4b9c6f5", "7d4b9c6f5", "Deployment web "),
            ("ReplicaSet", "a-b-7d4b9c6f5", "7d4b9c6f5", "Deployment a-b "),
            ("ReplicaSet", "by-hand", "7d4b9c6f5", "ReplicaSet by-hand 2"),
            ("ReplicaSet", "7d4b9c6f5", "7d4b9c6f5", "ReplicaSet 7d4b9c6f5 2"),
            ("ReplicaSet", "-7d4b9c6f5", "7d4b9c6f5", "ReplicaSet -7d4b9c6f5 2"),
            ("ReplicaSet", "web", "", "ReplicaSet web 2"),
            ("StatefulSet", "db-7d4b9c6f5", "7d4b9c6f5", "StatefulSet db-7d4b9c6f5 2"),
            ("Job", "backup-29384720", "", "Job backup-29384720 2"),
        ] {
            assert_eq!(owned(kind, name, hash), expected);
        }
    }

    #[test]
    fn a_pod_from_a_file_is_known_by_the_nodes_uid() {
        let found = read(serde_json::json!({"metadata": {
            "uid": "5b1e", "annotations": {"kubernetes.io/config.hash": "0a1b", "kubernetes.io/config.source": "file"},
        }}));
        assert_eq!(found.unwrap().0.uid, "0a1b");
        assert_eq!(read(serde_json::json!({"metadata": {"name": "x"}})), None);
    }

    #[test]
    fn what_is_absent_is_empty() {
        let found =
            read(serde_json::json!({"metadata": {"uid": "u", "labels": null}, "status": {}})).unwrap();
        assert_eq!(found.0, Pod { uid: "u".into(), ..Pod::default() });
    }
}
