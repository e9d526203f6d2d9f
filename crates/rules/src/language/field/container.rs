//! `container.*`, `k8s.*` and `systemd.*`: where the process runs.

use super::{ArgumentRule, CarriedBy::*, Field, field, text};
use crate::language::types::Type;

const NOT_RESOLVED: &str = "the agent does not ask the API server for it; it is always missing";

pub(super) const FIELDS: &[Field] = &[
    text("container.id", Every, "First 12 digits of the container's id; `host` outside of containers."),
    text("container.full_id", Every, "The container's whole id."),
    text("container.name", Every, "Name of the container; `host` outside of containers."),
    text("container.image", Container, "Image with its tag, as the runtime names it."),
    text("container.image.id", Container, "Id of the image."),
    text("container.image.repository", Container, "Image without tag and digest."),
    text("container.image.tag", Container, "Tag of the image."),
    text("container.image.digest", Container, "Digest of the image."),
    text("container.type", Every, "Runtime of the container; `host` outside of containers."),
    field("container.privileged", Type::Bool, Container, "The container was started privileged."),
    text(
        "container.mounts",
        Container,
        "All mounts, `source:dest:mode:rdwr:propagation`, with a blank between them.",
    ),
    text("container.mount", Container, "One mount, by number or by a pattern for its source.")
        .with(ArgumentRule::Key),
    text(
        "container.mount.source",
        Container,
        "Source of a mount, by number or by a pattern for its destination.",
    )
    .with(ArgumentRule::Key),
    text(
        "container.mount.dest",
        Container,
        "Destination of a mount, by number or by a pattern for its source.",
    )
    .with(ArgumentRule::Key),
    text("container.mount.mode", Container, "Mode of a mount, by number or by a pattern for its source.")
        .with(ArgumentRule::Key),
    text(
        "container.mount.rdwr",
        Container,
        "Whether a mount is writable, by number or by a pattern for its source.",
    )
    .with(ArgumentRule::Key),
    text(
        "container.mount.propagation",
        Container,
        "Propagation of a mount, by number or by a pattern for its source.",
    )
    .with(ArgumentRule::Key),
    text("container.healthcheck", Container, "Command line of the health check."),
    text("container.liveness_probe", Container, "Command line of the liveness probe."),
    text("container.readiness_probe", Container, "Command line of the readiness probe."),
    field("container.start_ts", Type::Time, Container, "When the first process of the container started."),
    field("container.duration", Type::Duration, Container, "Nanoseconds since the container started."),
    text("container.ip", Container, "Address of the container."),
    text("container.cni.json", Container, "What the network plugin said of the pod."),
    field("container.host_pid", Type::Bool, Container, "The container shares the host's pid namespace."),
    field(
        "container.host_network",
        Type::Bool,
        Container,
        "The container shares the host's network namespace.",
    ),
    field("container.host_ipc", Type::Bool, Container, "The container shares the host's IPC namespace."),
    text("container.label", Container, "One label of the container.").with(ArgumentRule::Label),
    text(
        "container.labels",
        Container,
        "All labels of the container, `key:value`, with a comma between them.",
    ),
    text("container.info", Every, "Nothing.").deprecated("outputs name what they want to show"),
    text("k8s.ns.name", Pod, "Namespace of the pod."),
    text("k8s.pod.name", Pod, "Name of the pod."),
    text("k8s.pod.id", Pod, "UID of the pod."),
    text("k8s.pod.uid", Pod, "UID of the pod."),
    text("k8s.pod.sandbox_id", Pod, "First 12 digits of the id of the pod's sandbox."),
    text("k8s.pod.full_sandbox_id", Pod, "Id of the pod's sandbox."),
    text("k8s.pod.label", Pod, "One label of the pod.").with(ArgumentRule::Label),
    text("k8s.pod.labels", Pod, "All labels of the pod, `key:value`, with a comma between them."),
    text("k8s.pod.ip", Pod, "Address of the pod."),
    text("k8s.pod.service_account", Pod, "Service account of the pod, from the API server."),
    text("k8s.node.name", Pod, "Node of the pod, from the API server."),
    text(
        "k8s.owner.kind",
        Pod,
        "What somebody asked for, from the API server: `Deployment`, `DaemonSet`, `Job` …; missing for a pod by itself.",
    ),
    text("k8s.owner.name", Pod, "Its name."),
    text("k8s.pod.cni.json", Pod, "What the network plugin said of the pod."),
    text("k8s.rc.name", Pod, "Replication controller of the pod, from the API server."),
    text("k8s.rc.id", Pod, "Its UID."),
    text("k8s.rc.label", Pod, "One label of the replication controller.")
        .with(ArgumentRule::Label)
        .deprecated(NOT_RESOLVED),
    text("k8s.rc.labels", Pod, "All labels of the replication controller.").deprecated(NOT_RESOLVED),
    text("k8s.svc.name", Pod, "Service.").deprecated(NOT_RESOLVED),
    text("k8s.svc.id", Pod, "Id of the service.").deprecated(NOT_RESOLVED),
    text("k8s.svc.label", Pod, "One label of the service.")
        .with(ArgumentRule::Label)
        .deprecated(NOT_RESOLVED),
    text("k8s.svc.labels", Pod, "All labels of the service.").deprecated(NOT_RESOLVED),
    text("k8s.ns.id", Pod, "Id of the namespace.").deprecated(NOT_RESOLVED),
    text("k8s.ns.label", Pod, "One label of the namespace.")
        .with(ArgumentRule::Label)
        .deprecated(NOT_RESOLVED),
    text("k8s.ns.labels", Pod, "All labels of the namespace.").deprecated(NOT_RESOLVED),
    text("k8s.rs.name", Pod, "Replica set of the pod, from the API server."),
    text("k8s.rs.id", Pod, "Its UID."),
    text("k8s.rs.label", Pod, "One label of the replica set.")
        .with(ArgumentRule::Label)
        .deprecated(NOT_RESOLVED),
    text("k8s.rs.labels", Pod, "All labels of the replica set.").deprecated(NOT_RESOLVED),
    text("k8s.deployment.name", Pod, "Deployment of the pod, by the name of its replica set."),
    text("k8s.deployment.id", Pod, "Id of the deployment.").deprecated(NOT_RESOLVED),
    text("k8s.deployment.label", Pod, "One label of the deployment.")
        .with(ArgumentRule::Label)
        .deprecated(NOT_RESOLVED),
    text("k8s.deployment.labels", Pod, "All labels of the deployment.").deprecated(NOT_RESOLVED),
    text(
        "systemd.unit",
        Every,
        "Unit of the innermost systemd, from the path of the cgroup: a service or a scope.",
    ),
    text("systemd.slice", Every, "The slice around that unit."),
    text("systemd.user_unit", Every, "Unit of a user's own systemd, inside `user@UID.service`."),
    text("systemd.session", Every, "Login session."),
    text(
        "systemd.invocation_id",
        Every,
        "Invocation of the unit on the host: 32 digits, new with each start.",
    ),
];
