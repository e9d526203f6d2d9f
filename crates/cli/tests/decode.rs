//! `sentinel decode`, as people call it.
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing)] // helpers of tests are tests

use std::{
    io::Write as _,
    process::{Command, Output, Stdio},
};

use sentinel_wire::{evt1::write_record, v1::EventEnvelope, write_object};

fn log(names: &[&str]) -> Vec<u8> {
    let mut log = Vec::new();
    for name in names {
        let event =
            EventEnvelope { event_id: (*name).into(), event_type: "exec".into(), ..EventEnvelope::default() };
        write_record(&mut log, |out| write_object(&event, out)).unwrap();
    }
    log
}

fn line(name: &str) -> String {
    format!(
        "{{\"event_id\":\"{name}\",\"ts_unix_nano\":0,\"hostname\":\"\",\"pod\":\"\",\"namespace\":\"\",\"container_id\":\"\",\"event_type\":\"exec\",\"data\":{{}},\"attributes\":{{}}}}\n"
    )
}

fn decode(arguments: &[&str], input: &[u8]) -> Output {
    let mut child = Command::new(env!("CARGO_BIN_EXE_sentinel"))
        .arg("decode")
        .args(arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    // It may end without reading.
    let _ = child.stdin.take().unwrap().write_all(input);
    child.wait_with_output().unwrap()
}

#[test]
fn a_log_becomes_lines() {
    let dir = tempfile::tempdir().unwrap();
    let path = |name: &str| dir.path().join(name).display().to_string();
    std::fs::write(path("log"), log(&["a", "b"])).unwrap();
    let output = decode(&[&path("log")], b"");
    assert_eq!((output.status.code(), output.stderr.len()), (Some(0), 0));
    assert_eq!(String::from_utf8(output.stdout).unwrap(), line("a") + &line("b"));
    let output = decode(&["-", &path("out")], &log(&["c"]));
    assert_eq!((output.status.code(), output.stdout.len()), (Some(0), 0));
    assert_eq!(std::fs::read_to_string(path("out")).unwrap(), line("c"));
}

#[test]
fn damage_is_told_and_the_rest_is_decoded() {
    let whole = log(&["a", "b"]);
    let mut damaged = [&whole[..], b"garbage", &log(&["c"])].concat();
    damaged.truncate(damaged.len() - 1);
    let output = decode(&["-"], &[&damaged[..], &log(&["d"])].concat());
    assert_eq!(output.status.code(), Some(1));
    assert_eq!(String::from_utf8(output.stdout).unwrap(), [line("a"), line("b"), line("d")].concat());
    let told = String::from_utf8(output.stderr).unwrap();
    assert!(told.starts_with("warning: damaged at byte "), "{told}");
    let output = decode(&["-"], &whole[..whole.len() - 1]);
    assert_eq!((output.status.code(), String::from_utf8(output.stdout).unwrap()), (Some(1), line("a")));
    assert!(
        String::from_utf8(output.stderr).unwrap().starts_with("warning: torn: the log ends inside a record")
    );
}

#[test]
fn time_and_condition_choose() {
    let mut log = Vec::new();
    for (name, ms) in [("/etc/a", 1), ("/etc/b", 2), ("/tmp/c", 3), ("/etc/d", 4)] {
        let event = EventEnvelope {
            event_id: name.into(),
            event_type: "file_read".into(),
            ts_unix_nano: ms * 1_000_000,
            data: [("filename".to_owned(), name.to_owned())].into(),
            ..EventEnvelope::default()
        };
        write_record(&mut log, |out| write_object(&event, out)).unwrap();
    }
    for (options, names) in [
        (&["--filter", "fd.name startswith /etc"][..], &["/etc/a", "/etc/b", "/etc/d"][..]),
        (&["--start-ms", "2", "--end-ms", "3"], &["/etc/b", "/tmp/c"]),
        (&["--start-ms", "2", "--filter", "fd.directory = /etc"], &["/etc/b", "/etc/d"]),
        (&["--start-ms", "5"], &[]),
    ] {
        let output = decode(&[options, &["-"]].concat(), &log);
        assert_eq!(output.status.code(), Some(0), "{options:?}");
        let lines = String::from_utf8(output.stdout).unwrap();
        let ids = lines.lines().map(|line| line.split('"').nth(3).unwrap());
        assert_eq!(ids.collect::<Vec<_>>(), names, "{options:?}");
    }
    let output = decode(&["--filter", "fd.nam = x", "-"], b"");
    assert_eq!(output.status.code(), Some(2));
}

#[test]
fn a_missing_log_is_named() {
    let output = decode(&["/does/not/exist"], b"");
    assert_eq!(output.status.code(), Some(1));
    let told = String::from_utf8(output.stderr).unwrap();
    assert!(
        told.starts_with("error: /does/not/exist: No such file or directory (os error 2); name a log"),
        "{told}"
    );
    assert!(told.contains("stream: {mode: file}"), "{told}");
}
