#![allow(clippy::unwrap_used, clippy::indexing_slicing)]

use std::fs;

use serde_json::Value;

use super::*;

const RULES: &str = r#"
- rule: Write below etc
  desc: A file below /etc was written.
  condition: evt.type = write and fd.name startswith /etc/
  output: Written below etc (file=%fd.name program=%proc.name)
  priority: ERROR
"#;

fn engine(text: &str) -> Result<Rules, ConfigError> {
    let directory = tempfile::tempdir().unwrap();
    fs::write(directory.path().join("r.yaml"), text).unwrap();
    Rules::load(&[directory.path().display().to_string()])
}

fn written(path: &str, attributes: &[(&str, &str)]) -> EventEnvelope {
    let map =
        |pairs: &[(&str, &str)]| pairs.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect();
    EventEnvelope {
        event_id: "e".into(),
        hostname: "old-node".into(),
        pod_name: "p".into(),
        namespace: "ns".into(),
        event_type: "file_write".into(),
        data: map(&[("filename", path), ("bytes", "5"), ("comm", "tee"), ("pid", "7"), ("tid", "7")]),
        attributes: map(attributes),
        ts_unix_nano: 1_767_225_600_000_000_000,
        ..EventEnvelope::default()
    }
}

async fn judged(engine: &Rules, events: &[EventEnvelope]) -> Vec<Finding> {
    engine.judge(&Events::of(events)).await
}

#[tokio::test]
async fn an_event_that_no_node_judged_is_judged_here_and_others_are_not() {
    let engine = engine(RULES).unwrap();
    let events = [
        written("/tmp/a", &[]),
        written("/etc/hosts", &[("evt.type", "write")]),
        written("/etc/hosts", &[("evt.type", "write"), (JUDGED, "3")]),
        EventEnvelope { event_type: "unheard_of".into(), ..written("/etc/hosts", &[]) },
    ];
    let findings = judged(&engine, &events).await;
    assert_eq!(findings.len(), 1, "{findings:?}");
    let alert = findings[0].alert.as_ref().unwrap();
    assert_eq!((findings[0].event, findings[0].score, &*alert.rule_id), (1, 0.8, "write_below_etc"));
    assert_eq!(findings[0].reason, "Write below etc: Written below etc (file=/etc/hosts program=tee)");
    let object: Value = serde_json::from_slice(&alert.sentinel_json).unwrap();
    assert_eq!(object["pod"], json!({"name": "p", "namespace": "ns", "node": "old-node"}));
    assert_eq!(object["event"]["Filename"], "/etc/hosts");
    let loaded = engine.loaded();
    assert_eq!((loaded[0].hits, loaded[0].last_ms), (1, 1_767_225_600_000));
    assert_eq!(engine.unreadable.load(Ordering::Relaxed), 1);
}

#[test]
fn the_shipped_rules_load() {
    assert!(Rules::load(&[crate::config::BUILTIN.to_owned()]).unwrap().loaded().len() > 10);
}

#[test]
fn what_is_wrong_is_named_with_a_remedy() {
    let error =
        engine("- rule: x\n  desc: x\n  condition: nonsense.field = 1\n  output: x\n  priority: ERROR\n");
    let error = error.err().unwrap().to_string();
    assert!(error.contains("nonsense.field") && error.contains("sentinel rules check"), "{error}");
    let error = Rules::load(&["/nonexistent/rules".into()]).err().unwrap().to_string();
    assert!(error.contains("/nonexistent/rules") && error.contains("create it"), "{error}");
}

#[test]
fn memories_are_of_one_node_each_and_bounded() {
    let mut memories = Memories::default();
    let first = memories.of("n0");
    assert!(Arc::ptr_eq(&first, &memories.of("n0")) && !Arc::ptr_eq(&first, &memories.of("n1")));
    (0..NODES + 1).for_each(|number| drop(memories.of(&format!("n{number}"))));
    assert_eq!(memories.nodes.len(), NODES);
    assert!(!memories.nodes.contains_key("n0"));
}
