//! The book of cgroups: paths are known after their cgroups have gone. Needs root.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing)] // helpers of tests are tests

use std::{fs, os::unix::fs::MetadataExt as _, path::PathBuf};

use sentinel_event::KindSet;
use sentinel_probe::{Options, Probe};

/// Where version 2 is mounted, perhaps beside version 1.
fn hierarchy() -> PathBuf {
    let mounts = fs::read_to_string("/proc/self/mounts").unwrap();
    let mut found = mounts.lines().filter(|line| line.split(' ').nth(2) == Some("cgroup2"));
    found.next().expect("cgroup2 is mounted").split(' ').nth(1).unwrap().into()
}

#[test]
fn a_cgroup_is_known_after_it_has_gone_and_hundreds_leave_nothing_behind() {
    let (probe, _reader) = Probe::load(&Options { kinds: KindSet::NONE, ..Options::default() }).unwrap();
    let book = probe.cgroups().unwrap();
    let hierarchy = hierarchy();
    let name = |number: usize| format!("sentinel-test-{}-{number}", std::process::id());
    let mut ids = Vec::new();
    for number in 0..300 {
        let dir = hierarchy.join(name(number));
        fs::create_dir(&dir).unwrap();
        ids.push(fs::metadata(&dir).unwrap().ino());
        fs::remove_dir(&dir).unwrap();
    }
    for (number, id) in ids.iter().enumerate() {
        let path = String::from_utf8(book.path(*id).expect("a path")).unwrap();
        assert!(path.ends_with(&format!("/{}", name(number))), "{path}");
    }
    assert_eq!(book.path(u64::MAX), None);
    // Other cgroups of this machine may have gone meanwhile.
    let died: Vec<u64> = std::iter::from_fn(|| book.died()).filter(|id| ids.contains(id)).collect();
    assert_eq!(died, ids);
    ids.iter().for_each(|id| book.forget(*id));
    assert!(ids.iter().all(|id| book.path(*id).is_none()));
}

#[test]
fn a_path_that_does_not_fit_is_not_told() {
    let (probe, _reader) = Probe::load(&Options { kinds: KindSet::NONE, ..Options::default() }).unwrap();
    let book = probe.cgroups().unwrap();
    let outer = hierarchy().join(format!("sentinel-test-{}-{}", std::process::id(), "x".repeat(200)));
    let (middle, inner) = (outer.join("y".repeat(200)), outer.join("y".repeat(200)).join("z".repeat(200)));
    fs::create_dir_all(&inner).unwrap();
    let ids = [&middle, &inner].map(|dir| fs::metadata(dir).unwrap().ino());
    for dir in [&inner, &middle, &outer] {
        fs::remove_dir(dir).unwrap();
    }
    assert!(book.path(ids[0]).unwrap().ends_with(b"yyyy"));
    assert_eq!(book.path(ids[1]), None);
}
