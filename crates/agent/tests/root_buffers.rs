//! Rules about the data of buffers match where buffers are captured, and say so where they are not. Needs root.
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing)] // helpers of tests are tests

mod harness;

use std::{fs, io::Write as _};

use harness::{Agent, DEADLINE, poll};
use serde_json::Value;

/// What is written, and what the rule looks for.
const TEXT: &str = "a secret of sentinel's own test";

#[test]
fn a_rule_sees_data_where_it_may_and_is_called_blind_where_it_may_not() {
    let dir = tempfile::tempdir().unwrap();
    let (rules, file) = (dir.path().join("rules.yaml"), dir.path().join("written"));
    let rule = format!(
        "- rule: Secret\n  desc: d\n  priority: NOTICE\n  output: wrote %evt.buffer\n  condition: >\n    \
         evt.type = write and evt.buffer contains \"{TEXT}\" and fd.name = {}\n",
        file.canonicalize().unwrap_or(file.clone()).display()
    );
    fs::write(&rules, rule).unwrap();
    let config = format!("detection: {{rules: [{}]}}", rules.display());
    let (agent, _) = Agent::start(dir.path(), &config, "rules: []");
    let log = agent.stop();
    assert!(
        log.contains("blind") && log.contains("Secret") && log.contains("`capture.buffers: true`"),
        "{log}"
    );

    let forward = "rules: [{name: w, event: file_write}]";
    let (agent, lines) = Agent::start(dir.path(), &format!("{config}\ncapture: {{buffers: true}}"), forward);
    let mut written = fs::File::create(&file).unwrap();
    written.write_all(TEXT.as_bytes()).unwrap();
    let (mut event, mut alert) = (None, None);
    let both = || {
        for line in lines.try_iter() {
            let told: Value = serde_json::from_str(&line).unwrap();
            if told["data"]["filename"] == *file.to_string_lossy() {
                event = Some(line);
            } else if told["rule"] == "Secret" {
                alert = Some(told);
            }
        }
        (event.is_some() && alert.is_some()).then_some(())
    };
    poll(both, || format!("not within {DEADLINE:?}: {}", agent.log()));
    assert_eq!(alert.unwrap()["reason"], format!("wrote {TEXT}"));
    assert!(!event.unwrap().contains(TEXT), "data leaves in the rule's output only");
    assert!(!agent.stop().contains("blind"));
}
