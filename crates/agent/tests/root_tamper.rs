//! Somebody opens our maps, and changes what our programs are told: alerts. Needs root.
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing)] // helpers of tests are tests

mod harness;

use std::time::Instant;

use harness::{Agent, DEADLINE};
use libbpf_rs::{MapCore as _, MapFlags, MapHandle, query::MapInfoIter};
use serde_json::Value;

const KEY: [u8; 4] = [0; 4];

/// The settings of this agent: they name its process.
fn settings(pid: u32) -> MapHandle {
    let maps = MapInfoIter::default().filter(|info| info.name == "settings");
    let mut ours = maps.filter_map(|info| {
        let map = MapHandle::from_map_id(info.id).ok()?;
        let value = map.lookup(&KEY, MapFlags::ANY).ok()??;
        (value.get(8..12)? == pid.to_ne_bytes()).then_some(map)
    });
    ours.next().unwrap()
}

#[test]
fn changed_settings_raise_an_alert_and_are_put_right() {
    let dir = tempfile::tempdir().unwrap();
    let (agent, lines) = Agent::start(dir.path(), "detection: {rules: []}", "rules: []");
    let settings = settings(agent.id());
    let told = settings.lookup(&KEY, MapFlags::ANY).unwrap().unwrap();
    // The wrong twin: the same once more is nothing new.
    settings.update(&KEY, &told, MapFlags::ANY).unwrap();
    settings.update(&KEY, &vec![0; told.len()], MapFlags::ANY).unwrap();
    let started = Instant::now();
    // Other tests, too, may look at all maps there are.
    let opened = format!("process {} (", std::process::id());
    let mut missing =
        vec![opened.as_str(), "somebody has changed what the programs are told; it is right again"];
    while !missing.is_empty() {
        let left = DEADLINE.saturating_sub(started.elapsed());
        let line = lines.recv_timeout(left).unwrap_or_else(|_| panic!("the log: {}", agent.log()));
        let alert: Value = serde_json::from_str(&line).unwrap();
        if alert.get("rule_id").is_some() {
            assert_eq!(alert["rule_id"], "sensor_tampering");
            assert_eq!(alert["severity"], "critical");
            let reason = alert["reason"].as_str().unwrap();
            missing.retain(|words| !reason.contains(words));
        }
    }
    assert_eq!(settings.lookup(&KEY, MapFlags::ANY).unwrap().unwrap(), told);
    agent.stop();
    let more = lines.iter().filter(|line| line.contains("programs are told")).count();
    assert_eq!(more, 0);
}
