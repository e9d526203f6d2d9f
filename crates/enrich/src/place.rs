//! What the path of a cgroup says: container, pod, unit. Pure: nothing is read.

use std::sync::Arc;

use bstr::{BStr, ByteSlice as _};
use sentinel_event::{Place, Runtime};

mod systemd;

/// Prefixes that runtimes put before the id of a container in the name of its cgroup. Monitors such as
/// `crio-conmon-` and `libpod-conmon-` run outside their container and are not among them.
const PREFIXES: [(&str, Runtime); 6] = [
    ("docker-", Runtime::Docker),
    ("cri-containerd-", Runtime::Containerd),
    ("containerd-", Runtime::Containerd),
    ("nerdctl-", Runtime::Containerd),
    ("crio-", Runtime::CriO),
    ("libpod-", Runtime::Podman),
];

/// Digits of a full container id.
const ID_LEN: usize = 64;
/// Bytes of the name of a container or machine; systemd takes 64.
const NAME_MAX: usize = 255;

/// The id of the innermost container that a cgroup path names; none on the host.
///
/// Whoever may create cgroups can make up such a name.
pub fn container_of(cgroup: &BStr) -> Option<Arc<str>> {
    place_of(cgroup).container
}

/// Everything that a cgroup path says; `invocation` is not in it.
///
/// Knows docker, containerd, CRI-O, podman and nerdctl, alone and under Kubernetes, with the systemd and the cgroupfs
/// driver; LXC, systemd-nspawn; and the units, slices and sessions of systemd.
pub fn place_of(cgroup: &BStr) -> Place {
    let mut place = Place { path: cgroup.into(), ..Place::default() };
    // Parts that are not text name nothing, and are not passed over: what is beneath them stays where it is.
    let parts: Vec<&str> = cgroup.split_str("/").map(|part| part.to_str().unwrap_or_default()).collect();
    let found = parts.iter().enumerate().rev().find_map(|(at, part)| {
        let before = parts.get(..at).unwrap_or_default();
        container(part, before, parts.get(at + 1).copied()).map(|found| (at, found))
    });
    let mut inside: &[&str] = &[];
    if let Some((at, (id, runtime))) = found {
        place.container = Some(id.into());
        place.runtime = runtime;
        place.pod_uid = parts.get(..=at).unwrap_or_default().iter().rev().find_map(|part| pod_uid(part));
        inside = parts.get(at + 1..).unwrap_or_default();
    } else {
        place.pod_uid = parts.iter().rev().find_map(|part| pod_uid(part));
    }
    let around = parts.get(..parts.len() - inside.len()).unwrap_or_default();
    // A container may have a systemd of its own.
    let unit = systemd::unit(inside).or_else(|| systemd::unit(around));
    if let Some(unit) = unit {
        place.unit = Some(unit.name.into());
        place.slice = Some(unit.slice.into());
        place.user_unit = unit.user_unit.map(Arc::from);
        place.session = unit.session.map(Arc::from);
    }
    place
}

type Found = (String, Option<Runtime>);

/// The container that a part of a path names.
fn container(part: &str, before: &[&str], after: Option<&str>) -> Option<Found> {
    by_id(part, before).or_else(|| lxc(part, before)).or_else(|| machine(part, after))
}

/// `docker-ID.scope`, `ID`, `kubepods-….slice:cri-containerd:ID`.
fn by_id(part: &str, before: &[&str]) -> Option<Found> {
    let name = part.strip_suffix(".scope").unwrap_or(part);
    let (driver, name) = name.rsplit_once(':').map_or((None, name), |(driver, name)| (Some(driver), name));
    let prefixed = PREFIXES.iter().find_map(|(prefix, runtime)| Some((name.strip_prefix(prefix)?, *runtime)));
    let id = prefixed.map_or(name, |(id, _)| id);
    let hex = |b: u8| b.is_ascii_digit() || (b'a'..=b'f').contains(&b);
    if id.len() != ID_LEN || !id.bytes().all(hex) {
        return None;
    }
    let named = |word: &str| PREFIXES.iter().find(|(prefix, _)| prefix.trim_end_matches('-') == word);
    let runtime = prefixed
        .map(|(_, runtime)| runtime)
        .or_else(|| named(driver?.rsplit(':').next()?).map(|(_, runtime)| *runtime))
        .or_else(|| match before.last().copied()? {
            "docker" => Some(Runtime::Docker),
            "libpod_parent" => Some(Runtime::Podman),
            // ctr: the namespace of containerd.
            "default" | "k8s.io" | "moby" => Some(Runtime::Containerd),
            _ => None,
        });
    Some((id.to_owned(), runtime))
}

/// `lxc.payload.NAME`, `lxc.payload/NAME`, `lxc/NAME`; monitors are outside.
fn lxc(part: &str, before: &[&str]) -> Option<Found> {
    let name = part.strip_prefix("lxc.payload.").or_else(|| {
        let under = before.last().is_some_and(|last| matches!(*last, "lxc" | "lxc.payload"));
        // Below the top only: a directory `lxc` inside a container is the container's.
        (under && before.len() == 2).then_some(part)
    })?;
    named(name, Runtime::Lxc)
}

/// `machine-NAME.scope` as systemd-machined makes it, and `systemd-nspawn@NAME.service`. Virtual machines are
/// `machine-qemu\x2d…`: what runs in them has another kernel.
fn machine(part: &str, after: Option<&str>) -> Option<Found> {
    if let Some(name) = part.strip_prefix("systemd-nspawn@").and_then(|rest| rest.strip_suffix(".service")) {
        // Beside the payload is nspawn itself.
        return (after == Some("payload")).then(|| named(&unescape(name), Runtime::Nspawn)).flatten();
    }
    let name = unescape(part.strip_prefix("machine-")?.strip_suffix(".scope")?);
    if let Some(rest) = name.strip_prefix("lxc-") {
        // libvirt: number, name.
        return named(rest.split_once('-').map_or(rest, |(_, name)| name), Runtime::Lxc);
    }
    if name.starts_with("qemu-") || after == Some("supervisor") {
        return None;
    }
    named(&name, Runtime::Nspawn)
}

fn named(name: &str, runtime: Runtime) -> Option<Found> {
    let clean = |c: char| !c.is_control();
    (!name.is_empty() && name.len() <= NAME_MAX && name.chars().all(clean))
        .then(|| (name.to_owned(), Some(runtime)))
}

/// The UID in `podUID`, `kubepods-burstable-podUID.slice`, `kubepods-podUID.slice:…`. systemd knows `-` as a
/// separator, so the driver writes `_`.
fn pod_uid(part: &str) -> Option<Arc<str>> {
    let part = part.split(':').next()?;
    let uid = match part.strip_suffix(".slice") {
        Some(slice) if slice.contains("kubepods") => slice.rsplit_once("-pod")?.1.replace('_', "-"),
        Some(_) => return None,
        // The cgroupfs driver; or its path flattened into one name.
        None => part.strip_prefix("pod").or_else(|| part.rsplit_once("-pod").map(|(_, uid)| uid))?.to_owned(),
    };
    let fits = |b: u8| b.is_ascii_hexdigit() || b == b'-';
    // UIDs of static pods are 32 digits without dashes.
    let digits = uid.bytes().filter(|b| *b != b'-').count();
    (digits == 32 && uid.len() <= 36 && uid.bytes().all(fits)).then(|| uid.into())
}

/// systemd writes unusual characters as `\xHH`.
fn unescape(name: &str) -> String {
    let mut out = String::with_capacity(name.len());
    let mut rest = name;
    while let Some((before, after)) = rest.split_once("\\x") {
        out.push_str(before);
        match after.get(..2).and_then(|hex| u8::from_str_radix(hex, 16).ok()).filter(u8::is_ascii) {
            Some(byte) => {
                out.push(byte.into());
                rest = after.get(2..).unwrap_or_default();
            }
            None => {
                out.push_str("\\x");
                rest = after;
            }
        }
    }
    out + rest
}

#[cfg(test)]
mod tests;
