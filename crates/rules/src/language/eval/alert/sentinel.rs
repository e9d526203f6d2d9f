//! Sentinel's JSON form of an alert.

use sentinel_event::{Body, Endpoint, Runtime};

use super::{
    super::{
        fields::{container, line_of},
        json::{Members, print},
        view::View,
    },
    Alert, tags,
};

pub(super) fn write(alert: &Alert<'_>, out: &mut Vec<u8>) {
    let (rule, view) = (alert.rule, &alert.view);
    let mut message = Vec::new();
    alert.message(&mut message);
    let mut object = Members::object(out);
    object.text("rule_id", &rule.id);
    object.text("severity", rule.severity.name());
    object.number("risk_score", rule.risk_score);
    object.text("reason", &message);
    object.text("recommendation", rule.recommendation.as_deref().unwrap_or_default());
    event(view, object.key("event"));
    whose(view, object.key("container"));
    pod(view, object.key("pod"));
    if let Some(unit) = view.observation.workload.as_ref().and_then(|workload| workload.place.unit.as_ref()) {
        object.text("unit", &**unit);
    }
    // Only then: what is asked about the container had no answer in time.
    if view.observation.workload.as_ref().is_some_and(|workload| workload.is_pending()) {
        object.text("metadata", "pending");
    }
    object.text("timestamp", alert.instant());
    object.text("addr", remote(view).map(|(end, _)| address(end)).unwrap_or_default());
    lineage(view, object.key("lineage"));
    object.text("rule", &rule.name);
    tags(rule, object.key("tags"));
    alert.output_fields(object.key("output_fields"));
    object.end();
}

/// The event's main facts. What it does not have is left out, except for what every reader looks for.
fn event(view: &View<'_>, out: &mut Vec<u8>) {
    let head = &view.observation.event.head;
    let mut object = Members::object(out);
    object.number("PID", head.process.tgid);
    object.number("TID", head.tid);
    object.number("PPID", head.parent.tgid);
    object.number("UID", head.uid);
    object.number("GID", head.gid);
    object.number("EUID", head.euid);
    object.number("CgroupID", head.cgroup_id);
    for (key, id) in
        [("ExecID", view.observation.exec_id()), ("ParentExecID", view.observation.parent_exec_id())]
    {
        if let Some(id) = id {
            object.text(key, id.to_string());
        }
    }
    object.text("Comm", head.comm.as_bstr());
    object.text("Filename", filename(view).unwrap_or_default());
    object.text("EventType", view.observation.event.kind().name());
    object.text("Syscall", view.call.name);
    object.number("Result", head.result);
    if let Some((end, protocol)) = remote(view) {
        let mut ip = Vec::new();
        if let Some(known) = end.ip {
            print(&mut ip, format_args!("{known}"));
        }
        object.text("DstIP", &ip);
        object.number("DstPort", end.port);
        object.number("Proto", protocol);
    }
    object.end();
}

/// The file the event is about, or the program that was started.
pub(super) fn filename<'a>(view: &View<'a>) -> Option<&'a [u8]> {
    let observation = view.observation;
    if let Some(path) = view.file() {
        return Some(path);
    }
    match &observation.event.body {
        Body::Exec(exec) if exec.exe.bytes.is_empty() => Some(exec.filename.as_slice()),
        Body::Exec(exec) => Some(exec.exe.bytes.as_slice()),
        Body::FileUnlink(unlink) => Some(view.name(&unlink.target)),
        Body::FileRename(rename) => Some(view.name(&rename.to)),
        Body::MemfdCreate(memfd) => Some(memfd.name.as_slice()),
        Body::FileLink(link) => Some(view.name(&link.to)),
        Body::FileSymlink(symlink) => Some(view.name(&symlink.link)),
        Body::FileMkdir(mkdir) => Some(view.name(&mkdir.target)),
        Body::FileRmdir(rmdir) => Some(view.name(&rmdir.target)),
        Body::FileMknod(mknod) => Some(view.name(&mknod.target)),
        Body::FileChmod(chmod) => Some(view.name(&chmod.file.asked)),
        Body::FileChown(chown) => Some(view.name(&chown.file.asked)),
        Body::FileTruncate(truncate) => Some(view.name(&truncate.file.asked)),
        Body::Mount(mount) => Some(view.name(&mount.target)),
        Body::Umount(umount) => Some(view.name(&umount.target)),
        Body::Chroot(chroot) => Some(chroot.root.bytes.as_slice()),
        _ => None,
    }
}

/// The other end of a connection, with an address, and the protocol's number.
pub(super) fn remote<'a>(view: &View<'a>) -> Option<(&'a Endpoint, u16)> {
    let net = view.net()?;
    net.peer.ip.map(|_| (net.peer, net.socket.protocol))
}

fn address(end: &Endpoint) -> Vec<u8> {
    let mut text = Vec::new();
    if let Some(ip) = end.ip {
        print(&mut text, format_args!("{}", std::net::SocketAddr::new(ip, end.port)));
    }
    text
}

/// What is not known is empty.
fn whose(view: &View<'_>, out: &mut Vec<u8>) {
    let (found, runtime) = (container::of(view), container::runtime(view));
    let mut object = Members::object(out);
    object.text("id", view.observation.container_id.as_deref().unwrap_or_default());
    object.text("name", found.map_or("", |container| &container.name));
    object.text("runtime", runtime.map_or("", Runtime::name));
    object.text("image", found.map_or("", |container| &container.image.name));
    object.end();
}

/// What is not known is empty.
fn pod(view: &View<'_>, out: &mut Vec<u8>) {
    let pod = view.observation.pod();
    let mut object = Members::object(out);
    object.text("name", pod.map_or("", |pod| &pod.name));
    object.text("namespace", pod.map_or("", |pod| &pod.namespace));
    object.text("node", &view.node.hostname);
    object.end();
}

/// Bytes of an ancestor's command line: sixteen of them must not make an alert a page.
const CMDLINE: usize = 512;

/// The ancestors, parent first. What is not known of one is left out.
fn lineage(view: &View<'_>, out: &mut Vec<u8>) {
    let mut array = Members::array(out);
    for process in view.ancestors() {
        let mut object = Members::object(array.next());
        object.number("pid", process.key.tgid);
        object.text("name", &process.comm);
        object.text("exe", &process.exe);
        if let Some(id) = process.exec_id() {
            object.text("exec_id", id.to_string());
        }
        if !process.argv.is_empty() {
            let mut cmdline = Vec::new();
            line_of(process, &mut cmdline);
            cmdline.truncate(CMDLINE);
            object.text("cmdline", &cmdline);
        }
        if !process.cwd.is_empty() {
            object.text("cwd", &process.cwd);
        }
        let file = process.executable.unwrap_or_default();
        for (key, told) in [("memfd", file.memfd), ("upper_layer", file.upper_layer)] {
            if told {
                object.number(key, true);
            }
        }
        object.end();
    }
    array.end();
}
