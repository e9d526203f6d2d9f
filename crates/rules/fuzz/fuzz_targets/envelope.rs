//! Any text is an envelope: it is read, judged and shown, or refused.
#![no_main]

use std::{collections::BTreeMap, sync::LazyLock};

use libfuzzer_sys::fuzz_target;
use sentinel_rules::language::{
    RuleSet,
    envelope::Envelope,
    eval::{Engine, Matching, Memory, Selection},
};

const RULES: &str = "- rule: all\n  desc: d\n  priority: INFO\n  condition: evt.type exists\n  output: '%evt.args \
    %proc.cmdline %fd.name %proc.acmdline'\n- rule: often\n  desc: d\n  priority: INFO\n  condition: evt.type exists\n  \
    threshold: {at: 3, within: 1s, by: [proc.pid, fd.name]}\n  output: often\n";

static ENGINE: LazyLock<Engine> = LazyLock::new(|| {
    let (report, set) = RuleSet::load(&[("fuzz", RULES)]);
    let all = Selection { matching: Matching::All, ..Selection::default() };
    Engine::new(set.unwrap_or_else(|| panic!("{report}")), &all)
});

// One line is the kind, the others are `key=value`: of `data`, and after an empty line of `attributes`.
fuzz_target!(|text: &str| {
    let mut maps = [BTreeMap::new(), BTreeMap::new()];
    let mut lines = text.lines();
    let event_type = lines.next().unwrap_or_default();
    let mut place = 0;
    for line in lines {
        match line.split_once('=') {
            Some((key, value)) => drop(maps[place].insert(key.to_owned(), value.to_owned())),
            None => place = 1,
        }
    }
    let [data, attributes] = &maps;
    let envelope = Envelope { event_type, ts_unix_nano: text.len() as u64, container_id: "", data, attributes };
    let Ok(told) = envelope.read() else { return };
    let mut memory = Memory::default();
    for _ in 0..4 {
        ENGINE.evaluate(&told.observation, &mut memory, &mut |alert| drop(alert.owned(String::new())));
    }
});
