//! The files that the kernel counts in.

use std::{
    collections::HashSet,
    fs,
    os::unix::fs::MetadataExt as _,
    path::{Path, PathBuf},
};

use bstr::ByteSlice as _;
use sentinel_enrich::place_of;
use sentinel_event::Place;

use super::{Counts, Seat};

/// Directories that one look visits.
const VISITED: usize = 4096;
/// Levels below the root of a hierarchy.
const DEPTH: usize = 10;
/// Of these many pods and containers the traffic is read.
const NETWORKS: usize = 256;
/// `/proc/stat` counts in ticks; `USER_HZ` is 100 on every platform that we run on.
const TICK_NS: u64 = 10_000_000;
/// The first inode: the root of a hierarchy, and no part of it that was mounted into a container.
const ROOT: u64 = 1;

/// Where the kernel's counters are.
#[derive(Debug)]
pub(super) struct Host {
    proc: PathBuf,
    /// Version 2 first.
    hierarchies: Vec<Hierarchy>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct Hierarchy {
    mount: PathBuf,
    version2: bool,
}

impl Host {
    pub(super) fn new(proc: PathBuf) -> Self {
        let mounts = fs::read_to_string(proc.join("self/mountinfo")).unwrap_or_default();
        let hierarchies = hierarchies(&mounts);
        Self { proc, hierarchies }
    }

    /// Processors, and what the whole node has used.
    pub(super) fn node(&self) -> (u32, Counts) {
        let stat = fs::read_to_string(self.proc.join("stat")).unwrap_or_default();
        let processors =
            stat.lines().filter(|line| line.starts_with("cpu") && !line.starts_with("cpu ")).count();
        // The node's interfaces are those of the first process, wherever we are.
        let first = self.proc.join("1/net");
        let net = if first.join("dev").exists() { first } else { self.proc.join("net") };
        let table = fs::read_to_string(net.join("dev")).unwrap_or_default();
        let routes = fs::read_to_string(net.join("route")).unwrap_or_default();
        let ways = default_ways(&routes);
        // Bridges and their members would count the same bytes twice: what leaves the node goes the default way.
        let counted = |name: &str| match ways.is_empty() {
            true => name != "lo" && !name.starts_with("veth"),
            false => ways.contains(name),
        };
        let (received, sent) = traffic(&table, counted);
        let counts = Counts { cpu_ns: busy(&stat), received, sent };
        (u32::try_from(processors).unwrap_or(u32::MAX), counts)
    }

    /// Every pod, container outside pods, and unit, with what it has used.
    pub(super) fn seats(&self) -> Vec<Seat> {
        let mut found: Vec<Seat> = Vec::new();
        let mut known = HashSet::new();
        let mut networks = NETWORKS;
        for hierarchy in &self.hierarchies {
            for (dir, path, place) in hierarchy.places() {
                if !known.insert(path.clone()) {
                    continue;
                }
                let mut counts =
                    Counts { cpu_ns: hierarchy.cpu(&dir).unwrap_or_default(), ..Counts::default() };
                let is_pod = place.container.is_none() && place.pod_uid.is_some();
                let contained = place.container.is_some() || place.pod_uid.is_some();
                if contained && networks > 0 {
                    networks -= 1;
                    (counts.received, counts.sent) = self.own_traffic(&dir).unwrap_or_default();
                }
                let inside = is_pod.then(|| inside(&dir, &path)).flatten();
                found.push(Seat { path, place, inside, counts });
            }
        }
        found
    }

    /// Traffic of a network namespace that is not the node's; none when it has none, or may not be looked at.
    fn own_traffic(&self, cgroup: &Path) -> Option<(u64, u64)> {
        let process = self.proc.join(a_process(cgroup, 3)?.to_string());
        let namespace = |process: &Path| Some(fs::metadata(process.join("ns/net")).ok()?.ino());
        if namespace(&process)? == namespace(&self.proc.join("1"))? {
            return None;
        }
        let table = fs::read_to_string(process.join("net/dev")).ok()?;
        Some(traffic(&table, |name| name != "lo"))
    }
}

impl Hierarchy {
    /// Directories of pods, containers outside them, and units; at most [`VISITED`] are looked at.
    fn places(&self) -> Vec<(PathBuf, String, Place)> {
        let mut found = Vec::new();
        let mut left = vec![(self.mount.clone(), String::new(), 0, false)];
        let mut visited = 0;
        while let Some((dir, path, depth, in_unit)) = left.pop() {
            for child in children(&dir) {
                visited += 1;
                if visited > VISITED {
                    return found;
                }
                let Some(name) = child.file_name().and_then(|name| name.to_str()) else { continue };
                let path = format!("{path}/{name}");
                let place = place_of(path.as_bytes().as_bstr());
                let contained = place.container.is_some() || place.pod_uid.is_some();
                let unit = place.unit.is_some() && !in_unit;
                if !contained && depth < DEPTH {
                    // A user's containers are inside his unit.
                    left.push((child.clone(), path.clone(), depth + 1, in_unit || unit));
                }
                if contained || unit {
                    found.push((child, path, place));
                }
            }
        }
        found
    }

    /// Processor time of a cgroup, nanoseconds.
    fn cpu(&self, dir: &Path) -> Option<u64> {
        if !self.version2 {
            return fs::read_to_string(dir.join("cpuacct.usage")).ok()?.trim().parse().ok();
        }
        let stat = fs::read_to_string(dir.join("cpu.stat")).ok()?;
        let usec = stat.lines().find_map(|line| line.strip_prefix("usage_usec "))?;
        usec.parse::<u64>().ok()?.checked_mul(1000)
    }
}

/// Directories below; the kernel tells by the count of links when there are none.
fn children(dir: &Path) -> Vec<PathBuf> {
    if fs::metadata(dir).is_ok_and(|meta| meta.nlink() == 2) {
        return Vec::new();
    }
    let entries = fs::read_dir(dir).into_iter().flatten().flatten();
    let dirs = entries.filter(|entry| entry.file_type().is_ok_and(|kind| kind.is_dir()));
    dirs.take(VISITED).map(|entry| entry.path()).collect()
}

/// A container of a pod.
fn inside(pod: &Path, path: &str) -> Option<Place> {
    children(pod).iter().find_map(|child| {
        let place = place_of(format!("{path}/{}", child.file_name()?.to_str()?).as_bytes().as_bstr());
        place.container.is_some().then_some(place)
    })
}

/// A process in a cgroup or below it.
fn a_process(dir: &Path, depth: usize) -> Option<u32> {
    let first = fs::read_to_string(dir.join("cgroup.procs")).ok().and_then(|text| {
        // 0: one that cannot be seen from our pid namespace.
        text.lines().filter_map(|line| line.parse().ok()).find(|pid| *pid > 0)
    });
    first.or_else(|| {
        let below = depth.checked_sub(1)?;
        children(dir).iter().take(16).find_map(|child| a_process(child, below))
    })
}

/// Mounted hierarchies that count processor time, one of each version.
fn hierarchies(mountinfo: &str) -> Vec<Hierarchy> {
    let mut found: Vec<Hierarchy> = Vec::new();
    for version2 in [true, false] {
        let mounts: Vec<PathBuf> = mountinfo.lines().filter_map(|line| mount(line, version2)).collect();
        let is_root = |path: &&PathBuf| fs::metadata(path).is_ok_and(|meta| meta.ino() == ROOT);
        let mount = mounts.iter().find(is_root).or_else(|| mounts.first());
        found.extend(mount.map(|mount| Hierarchy { mount: mount.clone(), version2 }));
    }
    found
}

/// The place of a mount, when it is of such a hierarchy.
fn mount(line: &str, version2: bool) -> Option<PathBuf> {
    let (place, kind) = line.split_once(" - ")?;
    let mut kind = kind.split(' ');
    let (name, options) = (kind.next()?, kind.nth(1)?);
    let fits = match version2 {
        true => name == "cgroup2",
        false => name == "cgroup" && options.split(',').any(|option| option == "cpuacct"),
    };
    fits.then(|| place.split(' ').nth(4).map(PathBuf::from)).flatten()
}

/// Time that all processors together did something, nanoseconds.
fn busy(stat: &str) -> u64 {
    let Some(line) = stat.lines().find_map(|line| line.strip_prefix("cpu ")) else { return 0 };
    // user nice system idle iowait irq softirq, as in proc(5).
    let ticks = line.split_ascii_whitespace().take(7).enumerate().filter(|(at, _)| !matches!(at, 3 | 4));
    let ticks: u64 = ticks.filter_map(|(_, text)| text.parse::<u64>().ok()).sum();
    ticks.saturating_mul(TICK_NS)
}

/// Interfaces that the rest of the world is behind, from `/proc/net/route`.
fn default_ways(table: &str) -> HashSet<&str> {
    let columns = table.lines().skip(1).map(|line| line.split_ascii_whitespace());
    columns
        .filter_map(|mut line| Some((line.next()?, line.next()?)))
        .filter(|(_, to)| *to == "00000000")
        .map(|(name, _)| name)
        .collect()
}

/// Bytes received and sent, from `/proc/net/dev`.
fn traffic(table: &str, counted: impl Fn(&str) -> bool) -> (u64, u64) {
    let mut sums = (0u64, 0u64);
    for line in table.lines() {
        let Some((name, numbers)) = line.split_once(':') else { continue };
        if !counted(name.trim()) {
            continue;
        }
        let mut numbers = numbers.split_ascii_whitespace().map(|text| text.parse().unwrap_or(0u64));
        sums.0 = sums.0.saturating_add(numbers.next().unwrap_or(0));
        sums.1 = sums.1.saturating_add(numbers.nth(7).unwrap_or(0));
    }
    sums
}

#[cfg(test)]
mod tests;
