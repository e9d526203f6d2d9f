//! Deeds that are told by their facts alone: names, attributes, credentials, namespaces.

use sentinel_event::{Body, Credentials, FileTarget, Observation, Setuid};
use sentinel_wire::Value;

use super::{path, process, quoted, socket, transfer, user_path};

/// Object and details.
pub(super) fn object(observation: &Observation) -> (String, String) {
    let plain = |object: String| (object, String::new());
    match &observation.event.body {
        Body::Dup(dup) => {
            let what = match (dup.socket.family, dup.path.bytes.is_empty()) {
                (0, true) => format!("fd {}", dup.old_fd),
                (0, false) => path(&dup.path),
                _ => socket(&dup.socket, &dup.socket.peer),
            };
            (what, format!("fd {} → {}", dup.old_fd, observation.event.head.result))
        }
        Body::Socket(_) => plain(facts(observation, &["family", "socket_type", "protocol"])),
        Body::Send(message) | Body::Recv(message) => {
            let asked = &message.socket.asked;
            let known = asked.ip.is_some() || !asked.path.is_empty();
            let end = if known { asked } else { &message.socket.peer };
            (socket(&message.socket, end), transfer(message.bytes, 1))
        }
        Body::Dns(dns) => {
            let addresses: Vec<_> = dns.addresses.iter().map(|known| known.ip.to_string()).collect();
            let found =
                if addresses.is_empty() { facts(observation, &["code"]) } else { addresses.join(" ") };
            (format!("{} → {found}", quoted(&dns.question)), facts(observation, &["type"]))
        }
        Body::Setuid(setuid) => (change(setuid), facts(observation, &["asked_0", "asked_1", "asked_2"])),
        Body::Capset(_) => (facts(observation, &["new_effective"]), facts(observation, &["old_effective"])),
        Body::Prctl(prctl) => match &prctl.name {
            Some(name) => (facts(observation, &["option"]), quoted(name.as_bstr())),
            None => (facts(observation, &["option"]), facts(observation, &["arg2"])),
        },
        Body::Signal(_) => plain(facts(observation, &["signal", "target_pid", "target_tid", "pidfd"])),
        Body::FileLink(link) => plain(format!("{} → {}", user_path(&link.from), user_path(&link.to))),
        Body::FileSymlink(symlink) => {
            plain(format!("{} → {}", user_path(&symlink.link), quoted(&symlink.target)))
        }
        Body::FileMkdir(mkdir) => (user_path(&mkdir.target), facts(observation, &["mode"])),
        Body::FileRmdir(rmdir) => plain(user_path(&rmdir.target)),
        Body::FileChmod(chmod) => (target(&chmod.file), facts(observation, &["mode"])),
        Body::FileChown(chown) => (target(&chown.file), facts(observation, &["new_uid", "new_gid"])),
        Body::FileTruncate(truncate) => (target(&truncate.file), facts(observation, &["size"])),
        Body::FileMknod(mknod) => (user_path(&mknod.target), facts(observation, &["mode", "rdev"])),
        Body::Mount(mount) => {
            let source = format!("{} → {}", user_path(&mount.source), user_path(&mount.target));
            (source, facts(observation, &["fstype", "flags"]))
        }
        Body::Umount(umount) => (user_path(&umount.target), facts(observation, &["flags"])),
        Body::Chroot(chroot) if observation.event.head.failed() => plain(user_path(&chroot.asked)),
        Body::Chroot(chroot) => plain(path(&chroot.root)),
        Body::Setns(_) => plain(facts(observation, &["nstype", "ino"])),
        Body::Unshare(_) | Body::Userfaultfd(_) => plain(facts(observation, &["flags"])),
        Body::Bpf(_) => (facts(observation, &["cmd"]), facts(observation, &["object_type", "name"])),
        Body::ModuleLoad(module) if module.fd < 0 => ("(memory)".to_owned(), quoted(&module.args)),
        Body::ModuleLoad(module) => (path(&module.path), quoted(&module.args)),
        Body::IoUringSetup(_) => (facts(observation, &["entries"]), facts(observation, &["flags"])),
        Body::ProcessVmWrite(write) => (process(b"".into(), write.target_pid), facts(observation, &["addr"])),
        Body::Syscall(_) => {
            (facts(observation, &["evt.type"]), facts(observation, &["arg0", "arg1", "arg2"]))
        }
        // The others have words of their own.
        _ => plain(String::new()),
    }
}

fn target(file: &FileTarget) -> String {
    if file.path.bytes.is_empty() { user_path(&file.asked) } else { path(&file.path) }
}

/// What became of whom: `uid 0 → 1000`.
fn change(setuid: &Setuid) -> String {
    let ids = |of: &Credentials| [("uid", of.uid), ("euid", of.euid), ("gid", of.gid), ("egid", of.egid)];
    let before = setuid.before.unwrap_or(setuid.after);
    let changed: Vec<_> = ids(&before)
        .into_iter()
        .zip(ids(&setuid.after))
        .filter(|(old, new)| old != new)
        .map(|((name, old), (_, new))| format!("{name} {old} → {new}"))
        .collect();
    if changed.is_empty() { "nothing changed".to_owned() } else { changed.join(", ") }
}

/// `key value` of each fact that is there.
fn facts(observation: &Observation, keys: &[&str]) -> String {
    let mut found: Vec<Option<String>> = vec![None; keys.len()];
    sentinel_wire::facts(observation, 0, &mut |fact, value| {
        if let Some(slot) = keys.iter().position(|key| *key == fact.key).and_then(|at| found.get_mut(at)) {
            *slot = Some(match value {
                Value::Bytes(bytes) => quoted(bytes),
                value => value.to_string(),
            });
        }
    });
    let told = keys.iter().zip(found).filter_map(|(key, value)| Some(format!("{key} {}", value?)));
    told.collect::<Vec<_>>().join(" ")
}
