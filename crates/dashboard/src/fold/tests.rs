#![allow(clippy::unwrap_used, clippy::indexing_slicing)]

use super::*;

fn alert(rule: &str, severity: &str, node: &str, number: usize) -> Vec<u8> {
    json!({"rule_id": rule, "severity": severity, "node": node, "seq": number}).to_string().into_bytes()
}

fn taken(fold: &mut Fold) -> Value {
    serde_json::from_slice(&fold.take()).unwrap()
}

#[test]
fn some_are_told_one_by_one_and_a_flood_is_not() {
    let begin = Instant::now();
    let mut fold = Fold::new(begin);
    let admitted = (0..10_000).filter(|_| fold.admits(begin)).count();
    assert_eq!(admitted as f64, AT_ONCE);
    let later = begin + Duration::from_millis(100);
    assert_eq!((0..10_000).filter(|_| fold.admits(later)).count() as f64, EACH / 10.0);
    let later = begin + Duration::from_secs(60);
    assert_eq!((0..10_000).filter(|_| fold.admits(later)).count() as f64, AT_ONCE);
}

#[test]
fn what_comes_after_a_counted_one_is_counted_too() {
    let now = Instant::now();
    let mut fold = Fold::new(now);
    assert!(fold.admits(now) && fold.due().is_none());
    fold.add(alert("r", "low", "n", 1), now);
    assert!(!fold.admits(now));
    assert_eq!(fold.due(), Some(now + WINDOW));
    fold.take();
    assert!(fold.admits(now) && fold.due().is_none());
}

#[test]
fn a_kind_is_its_count_and_its_newest_alert() {
    let now = Instant::now();
    let mut fold = Fold::new(now);
    for number in 0..100 {
        fold.add(alert("often", "low", "a", number), now);
    }
    fold.add(alert("once", "critical", "b", 7), now);
    fold.add(alert("often", "low", "a", 100), now);
    let told = taken(&mut fold);
    let once =
        json!({"count": 1, "alert": {"rule_id": "once", "severity": "critical", "node": "b", "seq": 7}});
    let often =
        json!({"count": 101, "alert": {"rule_id": "often", "severity": "low", "node": "a", "seq": 100}});
    assert_eq!(told, json!({"kinds": [once, often], "others": []}));
    assert_eq!(taken(&mut fold), json!({"kinds": [], "others": []}));
}

#[test]
fn a_rule_of_several_severities_is_counted_by_each() {
    let now = Instant::now();
    let mut fold = Fold::new(now);
    for (severity, number) in [("low", 1), ("critical", 2), ("low", 3)] {
        fold.add(alert("anomaly", severity, "n", number), now);
    }
    let told = taken(&mut fold);
    let counts = told["kinds"].as_array().unwrap().iter();
    let counts: Vec<_> = counts.map(|one| (&one["alert"]["severity"], &one["count"])).collect();
    assert_eq!(counts, [(&json!("critical"), &json!(1)), (&json!("low"), &json!(2))]);
}

#[test]
fn without_room_the_worst_are_kept_and_everything_is_counted() {
    let now = Instant::now();
    let mut fold = Fold::new(now);
    for number in 0..3 * KINDS {
        fold.add(alert("flood", "info", &number.to_string(), number), now);
        fold.add(alert(&format!("r{number}"), "low", "n", number), now);
    }
    fold.add(alert("theft", "critical", "n", 1), now);
    let told = taken(&mut fold);
    let kinds = told["kinds"].as_array().unwrap();
    assert_eq!(kinds.len(), KINDS);
    assert_eq!(kinds.last().unwrap()["alert"]["rule_id"], "theft");
    assert!(kinds.iter().all(|kind| kind["alert"]["rule_id"] != "flood"), "the least makes room");
    let others = told["others"].as_array().unwrap();
    assert_eq!(others[0], json!({"rule_id": "flood", "severity": "info", "count": 3 * KINDS}));
    let sum = |all: &[Value]| all.iter().map(|one| one["count"].as_u64().unwrap()).sum::<u64>();
    assert_eq!(sum(kinds) + sum(others), 6 * KINDS as u64 + 1);
}

#[test]
fn long_alerts_and_many_rules_are_bounded() {
    let now = Instant::now();
    let mut fold = Fold::new(now);
    let long = |number: usize| {
        json!({"rule_id": format!("r{number}"), "x": "x".repeat(100_000)}).to_string().into_bytes()
    };
    for number in 0..2 * RULES {
        fold.add(long(number), now);
    }
    // A kind whose newest does not fit keeps the one before.
    let mut longer = alert("r0", "info", "", 0);
    longer.splice(1..1, format!("\"x\":\"{}\",", "x".repeat(BYTES)).into_bytes());
    fold.add(longer, now);
    let text = fold.take();
    assert!(text.len() < BYTES + 64 * RULES, "{}", text.len());
    let told: Value = serde_json::from_slice(&text).unwrap();
    let all = [&told["kinds"], &told["others"]].map(|part| part.as_array().unwrap().clone()).concat();
    assert!(all.len() <= KINDS + RULES + SEVERITIES.len());
    assert_eq!(all.iter().map(|one| one["count"].as_u64().unwrap()).sum::<u64>(), 2 * RULES as u64 + 1);
}

#[test]
fn parts_of_other_types_count_as_absent_and_what_is_no_object_as_nothing() {
    let now = Instant::now();
    let mut fold = Fold::new(now);
    for text in ["", "7", "[1]", "{\"a\":", "{}x", "\"x\""] {
        fold.add(text.into(), now);
        assert!(fold.due().is_none(), "{text}");
    }
    fold.add(br#"{"severity":7,"rule_id":{},"pod":"x","event":{"Comm":[]}}"#.to_vec(), now);
    assert_eq!(taken(&mut fold)["kinds"][0]["count"], 1);
}
