//! Who and when: facts of every kind but `loss`, and those of `loss`.

use sentinel_event::{Body, Container, Head, Kind, Observation, Owner, ProcessKey, Runtime, Users, Workload};

use super::{Fact, KERNEL, TABLE, Told, rows};
use crate::{
    Section, Value,
    errno::result_name,
    facts::{some_bytes, some_number},
    syscall::evt_type,
};

const RUNTIME: &str = "container runtime";
const POD: &str = "container runtime, or Kubernetes' API server";
const PODS: &str = "Kubernetes' API server";
const USERS: &str = "`passwd` and `group` of the process's root directory";

/// Every kind that somebody did.
const DEEDS: &[Kind] = match Kind::ALL.split_last() {
    Some((Kind::Loss, deeds)) => deeds,
    _ => &[],
};

macro_rules! head {
    ($section:ident, $actor:literal, $told:ident, $head:ident; $($key:literal, $unit:literal, $source:expr, $meaning:literal, $get:expr;)*) => {
        &[$(Fact {
            section: Section::$section, key: $key, json: concat!(",\"", $key, "\":\""), meaning: $meaning, unit: $unit, source: $source, kinds: DEEDS, actor: $actor,
            get: |$told| { let $head = &$told.observation.event.head; let _ = $head; $get },
        },)*]
    };
}

const WHO: &[Fact] = head! { Data, false, told, head;
    "comm", "", "kernel; chosen by the thread", "Name of the thread, 15 bytes at most.",
        Some(Value::Bytes(head.comm.as_bstr()));
    "pid", "", KERNEL, "Process that acted, in the host's pid namespace.", Some(Value::U64(head.process.tgid.into()));
    "tid", "", KERNEL, "Thread that acted, in the host's pid namespace.", Some(Value::U64(head.tid.into()));
    "uid", "", KERNEL, "Real user id.", Some(Value::U64(head.uid.into()));
    "gid", "", KERNEL, "Real group id.", Some(Value::U64(head.gid.into()));
};

const CALL: &[Fact] = head! { Attributes, false, told, head;
    "evt.type", "", KERNEL, "Name of the system call. Absent for a call this build has no name for.",
        evt_type(&told.observation.event).map(Value::Name);
    "evt.res", "", KERNEL, "`SUCCESS`, or the name of the error.", Some(Value::Name(result_name(head.result)));
    "evt.rawres", "", KERNEL, "What the call returned: a result, or a negated errno. Absent without a call.",
        head.syscall.map(|_| Value::I64(head.result));
};

/// A source of a fact here must be compared in `crate::actor`.
const ACTOR: &[Fact] = head! { Attributes, true, told, head;
    "proc.name", "", TABLE, "Name of the main thread; of the acting one when the process is not known.",
        Some(Value::Bytes(name(told.observation)));
    "proc.exepath", "", TABLE, "Program of the process. Absent when the process is not known, and for kernel threads.",
        told.observation.process.as_ref().and_then(|process| some_bytes(&process.exe));
    "proc.cmdline", "", "process table; chosen by the creator",
        "`proc.name` and the arguments after the first, a blank between them. Absent when the process is not known.",
        told.observation.process.as_ref().map(|process| {
            Value::Words(Some(name(told.observation)), process.argv.get(1..).unwrap_or_default())
        });
    "proc.vpid", "", KERNEL, "Process in its own pid namespace.", Some(Value::U64(head.vpid.into()));
    "proc.pid.ts", "ns since 1970", KERNEL, "Start of the process.", start(head, head.process);
    "proc.exec_id", "", KERNEL,
        "Execution that acted, the same wherever it is told: `HOST-PID-START-EXECUTION`. HOST is the first 16 digits of the \
         SHA-256 of `NODE/BOOT_ID`, START is in nanoseconds since boot, EXECUTION counts programs started on the way to it, \
         modulo 65536. Absent when the process is not known.",
        told.observation.exec_id().map(Value::ExecId);
    "proc.parent_exec_id", "", KERNEL,
        "Execution that created the process; for a process older than the agent its parent, as it was first met. Absent \
         when there is none, or the process is not known.",
        told.observation.parent_exec_id().map(Value::ExecId);
    "proc.ppid", "", KERNEL, "Parent at the time of the event.", Some(Value::U64(head.parent.tgid.into()));
    "proc.ppid.ts", "ns since 1970", KERNEL, "Start of the parent.", start(head, head.parent);
    "proc.pname", "", TABLE, "Name of the parent. Absent when it is not known.",
        parent(told).map(|parent| Value::Bytes(&parent.comm));
    "proc.pexepath", "", TABLE, "Program of the parent. Absent when it is not known.",
        parent(told).and_then(|parent| some_bytes(&parent.exe));
    "proc.pcmdline", "", "process table; chosen by the creator", "`proc.cmdline` of the parent. Absent when it is not known.",
        parent(told).map(|parent| Value::Words(Some(&parent.comm), parent.argv.get(1..).unwrap_or_default()));
    "proc.pgid", "", KERNEL, "Process group: pid of its leader.", Some(Value::U64(head.group.into()));
    "proc.sid", "", KERNEL, "Session: pid of its leader.", Some(Value::U64(head.session.into()));
    "proc.tty", "", KERNEL, "Controlling terminal, the kernel's device number; 0 for none.", Some(Value::U64(head.tty.into()));
    "user.uid", "", KERNEL, "Effective user id.", Some(Value::U64(head.euid.into()));
    "user.loginuid", "", KERNEL, "User who logged in, kept over su and sudo; -1 when nobody did.",
        Some(Value::I64(if head.loginuid == u32::MAX { -1 } else { head.loginuid.into() }));
    "group.gid", "", KERNEL, "Effective group id.", Some(Value::U64(head.egid.into()));
    "container.id", "", "cgroup path", "First 12 digits of the container's id; `host` outside containers.",
        Some(Value::Name(short_id(told.observation)));
    "container.name", "", RUNTIME, "Name of the container. Absent on the host, and until its runtime has told.",
        container(told).and_then(|container| some_bytes(container.name.as_bytes()));
    "container.type", "", "cgroup path, then runtime", "Runtime of the container. Absent on the host, and when it is not known.",
        runtime(told).map(|runtime| Value::Name(runtime.name()));
    "container.image.repository", "", RUNTIME, "Its image without tag and digest. Absent when the runtime does not say.",
        container(told).and_then(|container| some_bytes(container.image.repository.as_bytes()));
    "container.image.tag", "", RUNTIME, "Tag of the image. Absent when the runtime does not say.",
        container(told).and_then(|container| some_bytes(container.image.tag.as_bytes()));
    "container.image.digest", "", RUNTIME, "Digest of the image. Absent when the runtime does not say.",
        container(told).and_then(|container| some_bytes(container.image.digest.as_bytes()));
    "container.privileged", "", RUNTIME, "`true` when it was started with all privileges. Absent when the runtime does not say.",
        container(told).and_then(|container| container.privileged).map(|yes| Value::Name(if yes { "true" } else { "false" }));
    "k8s.ns.name", "", POD, "Namespace of the pod. Absent outside pods.",
        told.observation.pod().and_then(|pod| some_bytes(pod.namespace.as_bytes()));
    "k8s.pod.name", "", POD, "Name of the pod. Absent outside pods.",
        told.observation.pod().and_then(|pod| some_bytes(pod.name.as_bytes()));
    "k8s.pod.uid", "", "cgroup path", "UID of the pod. Absent outside pods.",
        workload(told).and_then(|workload| workload.place.pod_uid.as_deref()).map(Value::Name);
    "k8s.owner.kind", "", PODS, "What somebody asked for: `Deployment`, `DaemonSet`, `Job` … Absent for a pod by itself, and when the API server is not asked.",
        owner(told).and_then(|owner| some_bytes(owner.kind.as_bytes()));
    "k8s.owner.name", "", PODS, "Its name. Absent likewise.",
        owner(told).and_then(|owner| some_bytes(owner.name.as_bytes()));
    "k8s.pod.service_account", "", PODS, "Service account of the pod. Absent when the API server is not asked.",
        told.observation.pod().and_then(|pod| some_bytes(pod.service_account.as_bytes()));
    "systemd.unit", "", "cgroup path", "Unit of the innermost systemd. Absent outside units.",
        workload(told).and_then(|workload| workload.place.unit.as_deref()).and_then(|unit| some_bytes(unit.as_bytes()));
    "user.name", "", USERS, "Name of the effective user. Absent when it is not known.",
        users(told).and_then(|users| users.user(head.euid)).and_then(|user| some_bytes(user.name.as_bytes()));
    "user.loginname", "", USERS, "Name of the user who logged in. Absent when nobody did, or it is not known.",
        users(told).filter(|_| head.loginuid != u32::MAX).and_then(|users| users.user(head.loginuid))
            .and_then(|user| some_bytes(user.name.as_bytes()));
    "group.name", "", USERS, "Name of the effective group. Absent when it is not known.",
        users(told).and_then(|users| users.group(head.egid)).and_then(|group| some_bytes(group.name.as_bytes()));
    "sentinel.metadata", "", "agent", "`pending`: the container's runtime had not answered when the event left. Absent otherwise.",
        workload(told).filter(|workload| workload.is_pending()).map(|_| Value::Name("pending"));
};

const CONTEXT: &[Fact] = head! { Attributes, false, told, head;
    "sentinel.boot_ns", "ns since boot", KERNEL, "Time of the event on the clock that never steps (CLOCK_BOOTTIME).",
        Some(Value::U64(head.boot_ns));
    "sentinel.cgroup_id", "", KERNEL, "cgroup v2 id: inode number of its directory.", Some(Value::U64(head.cgroup_id));
    "sentinel.ns.pid", "", KERNEL, "pid namespace, its inode number.", Some(Value::U64(head.namespaces.pid.into()));
    "sentinel.ns.mnt", "", KERNEL, "Mount namespace, its inode number.", Some(Value::U64(head.namespaces.mnt.into()));
    "sentinel.ns.net", "", KERNEL, "Network namespace, its inode number.", Some(Value::U64(head.namespaces.net.into()));
    "sentinel.folded", "events", "agent",
        "Further events of the same process, kind and path that this one stands for; their calls and bytes are in \
         its sums. Only for processes that store the agent's own output. Absent for none.",
        some_number(told.folded);
};

const LOSS: &[Fact] = rows! { Data, &[Kind::Loss], Body::Loss(loss) =>
    "stage", "", "agent", "Where they were lost: `hook`, `ring`, `decode`, `queue`, or an output: `stdout`, `grpc`, `nats`, `file`.", Some(Value::Name(loss.stage.name()));
    "cause", "", "agent", "Why: `full`, `skipped`, `malformed`, `closed` or `failed`.", Some(Value::Name(loss.cause.name()));
    "kind", "", "agent", "Kind of the lost events. Absent where it could not be told.",
        loss.kind.map(|kind| Value::Name(kind.name()));
    "count", "events", "agent", "How many, since the last report of the same stage, cause and kind.", Some(Value::U64(loss.count));
};

const LOSS_CONTEXT: &[Fact] = rows! { Attributes, &[Kind::Loss], Body::Loss(loss) =>
    "evt.type", "", "agent", "`drop`.", Some({ let _ = loss; Value::Name("drop") });
};

pub(super) const FACTS: &[&[Fact]] = &[WHO, LOSS, CALL, ACTOR, CONTEXT, LOSS_CONTEXT];

fn name(observation: &Observation) -> &[u8] {
    match &observation.process {
        Some(process) if !process.comm.is_empty() => &process.comm,
        _ => observation.event.head.comm.as_bstr(),
    }
}

fn parent<'a>(told: &'a Told<'a>) -> Option<&'a sentinel_event::Process> {
    told.observation.ancestors.first().map(|parent| parent.as_ref())
}

/// Start on the wall clock, by the difference of the two clocks at the event.
fn start(head: &Head, key: ProcessKey) -> Option<Value<'static>> {
    let epoch = head.real_ns.checked_sub(head.boot_ns)?;
    (key.start_ns != 0).then(|| Value::U64(epoch.saturating_add(key.start_ns)))
}

/// Names of containers that have no id are told whole.
fn short_id(observation: &Observation) -> &str {
    let short = |id: &str| id.bytes().all(|digit| digit.is_ascii_hexdigit());
    match observation.container_id.as_deref() {
        Some(id) if short(id) => id.get(..12).unwrap_or(id),
        Some(name) => name,
        None => "host",
    }
}

fn workload<'a>(told: &'a Told<'a>) -> Option<&'a Workload> {
    told.observation.workload.as_deref()
}

fn container<'a>(told: &'a Told<'a>) -> Option<&'a Container> {
    workload(told)?.container.get()
}

fn runtime(told: &Told<'_>) -> Option<Runtime> {
    container(told).and_then(|container| container.runtime).or_else(|| workload(told)?.place.runtime)
}

fn owner<'a>(told: &'a Told<'a>) -> Option<&'a Owner> {
    told.observation.pod()?.owner.as_ref()
}

fn users<'a>(told: &'a Told<'a>) -> Option<&'a Users> {
    workload(told)?.users.get()
}
