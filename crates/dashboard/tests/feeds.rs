//! Several detectors as one.
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing)] // helpers of tests are tests

mod common;

use std::{
    net::TcpListener,
    time::{Duration, Instant},
};

use common::{Events, Upstream, alert, get, start, until};
use sentinel_dashboard::{Config, Detector, Server};
use serde_json::{Value, json};

fn ids(page: &Value) -> Vec<String> {
    page["alerts"]
        .as_array()
        .unwrap()
        .iter()
        .map(|one| one["alert_id"].as_str().unwrap().to_owned())
        .collect()
}

#[test]
fn an_alert_arrives_at_once_and_as_it_was_sent() {
    let detector = Upstream::start();
    let server = start(&[&detector]);
    let mut events = Events::open(&server, "/events", None);
    assert_eq!(events.reachable(), ["a"]);
    let sent = json!({"z": "\u{202e}<script>", "a": 1.50, "seq": 1, "alert_id": "x", "timestamp": "2026-01-01T00:00:00Z"});
    let began = Instant::now();
    detector.push(sent.clone());
    assert_eq!(events.alert(), ("a=1".into(), sent));
    assert!(began.elapsed() < Duration::from_secs(1));
    server.stop();
}

#[test]
fn two_streams_are_one_without_repetition() {
    let (one, two) = (Upstream::start(), Upstream::start());
    for (seq, second) in [(1, 10), (2, 30), (3, 50)] {
        one.push(alert(seq, &format!("a{second}"), second));
        two.push(alert(seq, &format!("b{}", second + 5), second + 5));
    }
    two.push(alert(4, "a50", 50)); // both got this one
    let server = start(&[&one, &two]);
    let mut events = Events::open(&server, "/events?since=a%3D0%2Cb%3D0", None);
    let mut found: Vec<_> =
        (0..6).map(|_| events.alert().1["alert_id"].as_str().unwrap().to_owned()).collect();
    // How two streams are put in order is tested with a clock of its own, in src/merge.rs.
    let of = |name: char| found.iter().filter(|id| id.starts_with(name)).cloned().collect::<Vec<_>>();
    assert_eq!((of('b'), of('a').len()), (vec!["b15".into(), "b35".into(), "b55".into()], 3));
    one.push(alert(4, "last", 59));
    found.push(events.alert().1["alert_id"].as_str().unwrap().to_owned());
    found.sort();
    assert_eq!(found, ["a10", "a30", "a50", "b15", "b35", "b55", "last"]);
}

#[test]
fn a_reader_goes_on_where_it_was() {
    let (one, two) = (Upstream::start(), Upstream::start());
    let server = start(&[&one, &two]);
    let mut events = Events::open(&server, "/events", None);
    until("both are followed", || one.listeners() == 1 && two.listeners() == 1);
    one.push(alert(1, "a1", 1));
    assert_eq!(events.alert().0, "a=1");
    two.push(alert(7, "b7", 2));
    let (id, _) = events.alert();
    assert_eq!(id, "a=1,b=7");
    drop(events);
    until("it has left", || {
        // A detector notices when it writes.
        one.push(alert(2, "a2", 3));
        one.listeners() == 0
    });
    two.push(alert(8, "b8", 4));
    let mut events = Events::open(&server, "/events?since=a%3D99", Some(&id));
    let mut found = [events.alert().1, events.alert().1];
    found.sort_by_key(|one| one["alert_id"].as_str().unwrap().to_owned());
    assert_eq!((&found[0]["alert_id"], &found[1]["alert_id"]), (&json!("a2"), &json!("b8")));
}

#[test]
fn a_broken_stream_is_taken_up_without_a_gap() {
    let detector = Upstream::start();
    let server = start(&[&detector]);
    let mut events = Events::open(&server, "/events", None);
    until("it is followed", || detector.listeners() == 1);
    detector.push(alert(1, "1", 1));
    assert_eq!(events.alert().0, "a=1");
    detector.cut();
    detector.push(alert(2, "2", 2)); // nobody listens
    assert_eq!(events.alert().0, "a=2");
    detector.push(alert(3, "3", 3));
    assert_eq!(events.alert().0, "a=3");
}

#[test]
fn who_cannot_be_reached_is_named_and_holds_up_nobody() {
    let (one, gone) = (Upstream::start(), Upstream::start());
    one.push(alert(1, "1", 1));
    gone.stop();
    let server = start(&[&one, &gone]);
    let mut events = Events::open(&server, "/events?since=a%3D0", None);
    assert_eq!(events.alert().1["alert_id"], "1");
    let mut events = Events::open(&server, "/events", None);
    while events.reachable() != ["a"] {}
    let page = get(&server, "/api/alerts").json();
    assert_eq!(ids(&page), ["1"]);
    assert_eq!(page["unreachable"][0]["name"], "b");
    assert!(page["unreachable"][0]["error"].as_str().unwrap().contains("is it running?"), "{page}");
    let all = get(&server, "/api/detectors").json();
    assert_eq!(
        (&all["detectors"][0]["reachable"], &all["detectors"][1]["reachable"]),
        (&json!(true), &json!(false))
    );
    // A file must not look complete when it is not, unless that is wanted.
    assert_eq!(get(&server, "/api/export").status, 502);
    assert_eq!(get(&server, "/api/export?partial=yes").status, 200);
}

/// Reads up to this id: how many alerts were told one by one, and how many in numbers.
fn counted(events: &mut Events, until: &str) -> (u64, u64) {
    let (mut each, mut folded) = (0, 0);
    loop {
        let (kind, id, data) = events.next();
        match kind.as_str() {
            "" => each += 1,
            "folded" => {
                let all =
                    [&data["kinds"], &data["others"]].map(|part| part.as_array().unwrap().clone()).concat();
                folded += all.iter().map(|one| one["count"].as_u64().unwrap()).sum::<u64>();
            }
            _ => continue,
        }
        if id == until {
            return (each, folded);
        }
    }
}

#[test]
fn a_flood_is_told_in_numbers_to_whoever_asks_for_that() {
    let detector = Upstream::start();
    for seq in 1..=20_000 {
        detector.push(alert(seq, &seq.to_string(), 1));
    }
    let server = start(&[&detector]);
    let mut plain = Events::open(&server, "/events?since=a%3D0", None);
    assert_eq!(counted(&mut plain, "a=20000"), (20_000, 0));
    let mut events = Events::open(&server, "/events?since=a%3D0&fold=1", None);
    let (each, folded) = counted(&mut events, "a=20000");
    assert!(each + folded == 20_000 && folded > 10_000, "{each} one by one, {folded} in numbers");
    // And it goes on one by one when the flood is over.
    until("one comes by itself", || {
        let seq = detector.last() + 1;
        detector.push(alert(seq, &seq.to_string(), 1));
        let found = counted(&mut events, &format!("a={seq}"));
        found == (1, 0)
    });
}

#[test]
fn who_reads_late_is_told_of_now_and_not_of_long_ago() {
    const LONG: usize = 8000;
    let detector = Upstream::start();
    let server = start(&[&detector]);
    let mut events = Events::open(&server, "/events?fold=1", None);
    until("it is followed", || detector.listeners() == 1);
    // Much more than the sockets hold, to somebody who does not read.
    for seq in 1..=5000 {
        let mut one = alert(seq, &seq.to_string(), 1);
        one["reason"] = "x".repeat(LONG).into();
        detector.push(one);
    }
    let mut bytes = 0;
    let (mut each, mut folded) = (0, 0);
    while each + folded < 5000 {
        let (kind, _, data) = events.next();
        bytes += data.to_string().len();
        match kind.as_str() {
            "" => each += 1,
            "folded" => folded += data["kinds"][0]["count"].as_u64().unwrap(),
            _ => {}
        }
    }
    assert!(folded > 2000 && bytes < 3000 * LONG, "{each} one by one, {folded} in numbers, {bytes} bytes");
}

#[test]
fn pages_of_two_histories_are_one_history() {
    let (one, two) = (Upstream::start(), Upstream::start());
    for seq in 1..=20 {
        one.push(alert(seq, &format!("a{seq}"), seq * 2));
        if seq <= 10 {
            two.push(alert(100 + seq, &format!("b{seq}"), seq * 2 + 1));
        }
    }
    two.push(alert(111, "a20", 40)); // both got this one
    let server = start(&[&one, &two]);
    let (mut found, mut before, mut pages) = (Vec::new(), String::new(), 0);
    loop {
        let page = get(&server, &format!("/api/alerts?limit=7&rule=r{before}")).json();
        found.extend(ids(&page));
        pages += 1;
        let Some(next) = page["next"].as_str() else { break };
        before = format!("&before={}", next.replace('=', "%3D").replace(',', "%2C"));
        assert!(pages < 20, "{found:?}");
    }
    let mut expected: Vec<String> = (11..=20).rev().map(|seq| format!("a{seq}")).collect();
    for seq in (1..=10).rev() {
        expected.extend([format!("b{seq}"), format!("a{seq}")]);
    }
    assert_eq!(found, expected);
    assert!(one.asked().iter().all(|(path, _)| path.contains("rule=r")), "filters are passed on");
}

#[test]
fn a_page_says_from_where_the_stream_goes_on() {
    let (one, two) = (Upstream::start(), Upstream::start());
    one.push(alert(5, "5", 1));
    let server = start(&[&one, &two]);
    let page = get(&server, "/api/alerts").json();
    assert_eq!(page["position"], "a=5,b=0");
    one.push(alert(6, "6", 2));
    let mut events = Events::open(&server, "/events?since=a%3D5%2Cb%3D0", None);
    assert_eq!(events.alert().1["alert_id"], "6");
}

#[test]
fn an_export_has_every_alert_of_every_page() {
    let detector = Upstream::start();
    for seq in 1..=2500 {
        detector.push(alert(seq, &seq.to_string(), seq % 60));
    }
    let server = start(&[&detector]);
    let lines = String::from_utf8(get(&server, "/api/export?format=ndjson").body).unwrap();
    let found: Vec<u64> = lines
        .lines()
        .map(|line| serde_json::from_str::<Value>(line).unwrap()["seq"].as_u64().unwrap())
        .collect();
    assert_eq!(found, (1..=2500).rev().collect::<Vec<_>>());
    let answer = get(&server, "/api/export?format=csv");
    assert_eq!(answer.header("content-disposition"), Some("attachment; filename=\"sentinel-alerts.csv\""));
    let rows = String::from_utf8(answer.body).unwrap();
    assert_eq!(rows.lines().count(), 2501);
    assert!(rows.starts_with("timestamp,severity,"), "{}", &rows[..40]);
}

#[test]
fn nodes_rules_and_lineage_are_put_together() {
    let (one, two) = (Upstream::start(), Upstream::start());
    let node = |name: &str, seen: u64| json!({"node": name, "last_seen_ms": seen});
    one.answer(
        "/api/nodes",
        json!({"nodes": [node("x", 5), node("moved", 1)], "detector": {"version": "1"}}),
    );
    two.answer("/api/nodes", json!({"nodes": [node("moved", 9)], "detector": {}}));
    let rule = |hits: u64, node: &str| json!({"rule_id": "r", "rule": "R", "hits": hits, "suppressed": 1, "last_ms": hits, "loaded": [{"node": node}]});
    one.answer("/api/rules", json!({"rules": [rule(3, "x")]}));
    let mut explained = rule(4, "moved");
    explained["condition"] = json!("evt.type = connect");
    two.answer("/api/rules", json!({"rules": [explained]}));
    two.answer(
        "/api/lineage/018f-1",
        json!({"alert": {"alert_id": "018f-1"}, "processes": [], "touched": []}),
    );
    let server = start(&[&one, &two]);
    let nodes = get(&server, "/api/nodes").json();
    let found: Vec<_> =
        nodes["nodes"].as_array().unwrap().iter().map(|one| (&one["node"], &one["detector"])).collect();
    assert_eq!(found, [(&json!("moved"), &json!("b")), (&json!("x"), &json!("a"))]);
    let rules = get(&server, "/api/rules").json();
    let expected = json!({"rule_id": "r", "rule": "R", "hits": 7, "suppressed": 2, "last_ms": 4,
        "condition": "evt.type = connect",
        "loaded": [{"node": "x", "detector": "a"}, {"node": "moved", "detector": "b"}]});
    assert_eq!(rules["rules"], json!([expected]));
    assert_eq!(get(&server, "/api/lineage/018f-1").json()["alert"]["alert_id"], "018f-1");
    assert_eq!(get(&server, "/api/lineage/018f-2").status, 404);
    assert_eq!(get(&server, "/api/lineage/..%2Fnodes").status, 400);
}

#[test]
fn a_detector_that_talks_nonsense_costs_only_itself() {
    let (good, bad) = (Upstream::start(), Upstream::start());
    good.push(alert(1, "1", 1));
    for path in ["/api/alerts", "/api/stats", "/api/nodes", "/api/rules"] {
        bad.answer(path, json!("nonsense"));
    }
    let server = start(&[&good, &bad]);
    let page = get(&server, "/api/alerts").json();
    assert_eq!(ids(&page), ["1"]);
    assert!(
        page["unreachable"][0]["error"].as_str().unwrap().starts_with("its answer makes no sense"),
        "{page}"
    );
    for path in ["/api/stats", "/api/nodes", "/api/rules"] {
        assert_eq!(get(&server, path).status, 200, "{path}");
    }
}

#[test]
fn the_token_for_a_detector_is_sent() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("token");
    std::fs::write(&file, "for-the-detector\n").unwrap();
    let detector = Upstream::start();
    let mut config = Config::default();
    config.http.port = 0;
    config.detectors = vec![Detector { name: "d".into(), url: detector.url(), token_file: Some(file) }];
    let server = Server::start(&config).unwrap();
    get(&server, "/api/alerts");
    let asked = detector.asked();
    assert_eq!(asked[0].1["authorization"], "Bearer for-the-detector");
}

#[test]
fn stopping_ends_open_streams_and_frees_the_port() {
    let detector = Upstream::start();
    let server = start(&[&detector]);
    let address = server.addresses()[0];
    let events = Events::open(&server, "/events", None);
    until("it is followed", || detector.listeners() == 1);
    let began = Instant::now();
    server.stop();
    assert!(began.elapsed() < Duration::from_secs(5));
    TcpListener::bind(address).unwrap();
    drop(events);
}
