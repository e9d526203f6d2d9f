#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::cast_possible_truncation)]

use std::{fs, path::PathBuf};

use sentinel_wire::v1::EventEnvelope;

use super::{model::TOLD, *};

const SECOND: u64 = 1_000_000_000;
const START: u64 = 1_767_225_600 * SECOND;

/// Of a process of its own, one a second.
fn event(at: u64, kind: &str, exe: &str, facts: &[(&str, &str)]) -> EventEnvelope {
    let map = |pairs: &[(&str, &str)]| -> std::collections::BTreeMap<String, String> {
        pairs.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect()
    };
    let mut data = map(facts);
    data.insert("pid".into(), at.to_string());
    let own = [("proc.exepath", exe), ("proc.pexepath", "/usr/sbin/nginx")];
    EventEnvelope {
        event_type: kind.into(),
        data,
        attributes: map(&own),
        ts_unix_nano: START + at * SECOND,
        ..EventEnvelope::default()
    }
}

/// A name without digits, another for almost every number.
fn word(number: u64) -> String {
    (0..6).map(|place| char::from(b'a' + (number >> (5 * place)) as u8 % 26)).collect()
}

/// What a web server and a build do, deterministic but not regular.
fn benign(number: u64) -> EventEnvelope {
    let dice = number.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 33;
    match dice % 10 {
        0..=4 => event(
            number,
            "file_read",
            "/usr/sbin/nginx",
            &[("filename", &format!("/srv/www/page{}/i.html", dice % 50))],
        ),
        5 => event(number, "file_write", "/usr/sbin/nginx", &[("filename", "/var/log/nginx/access.log")]),
        6 => event(number, "connect", "/usr/sbin/nginx", &[("peer_ip", "10.0.0.7"), ("peer_port", "5432")]),
        // A compiler reads and writes somewhere new all the time: that is its habit.
        7 => event(
            number,
            "file_write",
            "/usr/bin/cc",
            &[("filename", &format!("/build/{}/o/a.o", word(dice)))],
        ),
        8 => event(
            number,
            "file_read",
            "/usr/bin/cc",
            &[("filename", &format!("/build/{}/s/a.c", word(dice)))],
        ),
        _ => event(number, "exec", "", &[("exe", "/usr/lib/cgi-bin/status")]),
    }
}

fn baseline(path: Option<PathBuf>) -> Baseline {
    Baseline::new(&config::Baseline { path: path.unwrap_or_default(), ..config::Baseline::default() })
}

async fn findings(baseline: &Baseline, events: &[EventEnvelope]) -> Vec<Finding> {
    baseline.judge(&Events::of(events)).await
}

fn learned(path: Option<PathBuf>) -> Baseline {
    let baseline = baseline(path);
    let events: Vec<_> = (0..20_000).map(benign).collect();
    Events::of(&events).iter().for_each(|event| drop(baseline.lock().see(event, f64::INFINITY)));
    baseline
}

fn attacks() -> Vec<EventEnvelope> {
    let at = 20_001;
    vec![
        event(at, "exec", "", &[("exe", "/usr/bin/dash")]),
        event(at, "connect", "/usr/sbin/nginx", &[("peer_ip", "203.0.113.9"), ("peer_port", "4444")]),
        event(at, "file_read", "/usr/sbin/nginx", &[("filename", "/etc/shadow")]),
        event(at, "ptrace", "/usr/sbin/nginx", &[("target_pid", "1")]),
        event(at, "file_write", "/usr/sbin/nginx", &[("filename", "/root/.ssh/authorized_keys")]),
    ]
}

#[tokio::test]
async fn nothing_is_strange_to_who_knows_nothing() {
    let baseline = baseline(None);
    let events: Vec<_> = (0..8_000).map(benign).collect();
    assert_eq!(findings(&baseline, &events).await, []);
}

#[tokio::test]
async fn what_never_happened_is_found_explained_and_told_once() {
    let baseline = learned(None);
    let events: Vec<_> = (20_000..24_000).map(benign).collect();
    assert_eq!(findings(&baseline, &events).await, []);
    let found = findings(&baseline, &attacks()).await;
    let places: Vec<usize> = found.iter().map(|finding| finding.event).collect();
    assert_eq!(places, [0, 1, 2, 3, 4], "{found:#?}");
    assert!(
        found[0].reason.contains("/usr/sbin/nginx starts /usr/bin/dash: never seen among "),
        "{}",
        found[0].reason
    );
    assert!(
        found[1].reason.contains("/usr/sbin/nginx: connect port 4444 of the internet: never seen among "),
        "{}",
        found[1].reason
    );
    assert!(found.iter().all(|finding| finding.score > 0.5 && finding.score <= 1.0));
    assert_eq!(findings(&baseline, &attacks()).await, []);
}

#[tokio::test]
async fn what_always_does_something_new_is_not_strange_for_it() {
    let baseline = learned(None);
    let new = event(20_001, "file_write", "/usr/bin/cc", &[("filename", "/build/never/seen/before.o")]);
    assert_eq!(findings(&baseline, &[new]).await, []);
}

#[tokio::test]
async fn what_was_learned_outlives_the_program() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("deep/baseline.bin");
    learned(Some(path.clone())).save();
    let again = baseline(Some(path.clone()));
    assert_eq!(findings(&again, &attacks()).await.len(), 5);
    for damage in [&b""[..], b"SNTLBAS\x01", &[0xff; 100]] {
        fs::write(&path, damage).unwrap();
        assert!(checkpoint::read(&path).unwrap_err().contains("not a checkpoint of this version"));
    }
    let mut bytes = checkpoint::bytes(&Sketch::new());
    bytes[20..24].copy_from_slice(&f64::NAN.to_le_bytes()[4..]);
    let end = bytes.len();
    bytes[end - 8..].copy_from_slice(&f64::NAN.to_le_bytes());
    fs::write(&path, &bytes).unwrap();
    assert!(checkpoint::read(&path).is_err());
    // It goes on without.
    assert_eq!(findings(&baseline(Some(path)), &attacks()).await, []);
}

#[test]
fn the_same_surprise_is_told_again_after_an_hour_and_the_memory_is_bounded() {
    let mut model = Model::new(Sketch::new());
    assert!(
        model.is_news(1, START) && !model.is_news(1, START + 1) && model.is_news(1, START + 3600 * SECOND)
    );
    (0..2 * TOLD as u64).for_each(|number| assert!(model.is_news(10 + number, START)));
    assert!(model.told.len() <= TOLD);
}
