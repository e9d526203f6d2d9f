//! A full disk: a small file system of its own.
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing)] // helpers of tests are tests

mod common;

use std::{fs, path::Path};

use common::{LONG, alert, counters, outputs, until};
use nix::mount::{MntFlags, MsFlags, mount, umount2};
use sentinel_sink::{DropCause, Spool, SpoolError};

/// A file system of 256 KiB.
struct Small(tempfile::TempDir);

impl Small {
    fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        mount(Some("tmpfs"), dir.path(), Some("tmpfs"), MsFlags::empty(), Some("size=256k")).unwrap();
        Self(dir)
    }

    fn path(&self) -> &Path {
        self.0.path()
    }
}

impl Drop for Small {
    fn drop(&mut self) {
        umount2(self.0.path(), MntFlags::MNT_DETACH).unwrap();
    }
}

#[test]
fn a_file_waits_for_room_and_holds_whole_lines() {
    let small = Small::new();
    let path = small.path().join("alerts");
    let ballast = small.path().join("ballast");
    fs::write(&ballast, vec![0; 200 << 10]).unwrap();
    let outputs = outputs(&format!("file: {{path: {}}}", path.display()));
    let long = "x".repeat(20_000);
    for number in 0..10 {
        outputs.send(&alert(&format!("{number} {long}")));
    }
    until("the disk is full", || counters(&outputs).retries > 1);
    let text = fs::read_to_string(&path).unwrap_or_default();
    assert!(text.is_empty() || text.ends_with('\n'), "no line is torn");
    fs::remove_file(&ballast).unwrap();
    until("all are written", || counters(&outputs).delivered == 10);
    outputs.stop(LONG);
    let numbers: Vec<String> = fs::read_to_string(&path)
        .unwrap()
        .lines()
        .map(|line| {
            let object: serde_json::Value = serde_json::from_str(line).unwrap();
            object["reason"].as_str().unwrap().split(' ').next().unwrap().to_owned()
        })
        .collect();
    assert_eq!(numbers, ["0", "1", "2", "3", "4", "5", "6", "7", "8", "9"]);
    assert_eq!(counters(&outputs).dropped_all(), 0);
}

#[test]
fn a_disk_that_stays_full_costs_what_the_queue_cannot_hold() {
    let small = Small::new();
    let ballast = small.path().join("ballast");
    // As much as goes.
    let _ = fs::write(&ballast, vec![0; 300 << 10]);
    let outputs = outputs(&format!("file: {{path: {}}}", small.path().join("alerts").display()));
    for number in 0..3000 {
        outputs.send(&alert(&number.to_string()));
    }
    until("it is full", || counters(&outputs).dropped(DropCause::Full) > 0);
    fs::remove_file(&ballast).unwrap();
    outputs.stop(LONG);
    let counters = counters(&outputs);
    assert_eq!(counters.taken, counters.delivered + counters.dropped_all());
    assert!(counters.delivered > 2000, "{counters:?}");
}

#[test]
fn a_spool_on_a_full_disk_is_full_and_stays_whole() {
    let small = Small::new();
    let mut spool = Spool::open(&small.path().join("spool"), u64::MAX).unwrap();
    let record = vec![b'x'; 10_000];
    let mut held = 0;
    let error = loop {
        match spool.push(&record) {
            Ok(()) => held += 1,
            Err(error) => break error,
        }
    };
    assert!(matches!(error, SpoolError::Full), "{error:?}");
    assert!(held > 10);
    assert!(matches!(spool.push(&record), Err(SpoolError::Full)));
    let mut found = 0;
    while !spool.is_empty() {
        for read in spool.read(7, usize::MAX).unwrap() {
            assert_eq!(read.bytes, record);
            found += 1;
            spool.taken(read.place).unwrap();
        }
    }
    assert_eq!((found, spool.damaged()), (held, 0));
    spool.push(&record).unwrap();
}
