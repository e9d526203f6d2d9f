//! Any bytes are a condition and a rule file, or are refused; what is read is printed, compiled and planned.
#![no_main]

use libfuzzer_sys::fuzz_target;
use sentinel_rules::language::{
    RuleSet,
    eval::{Engine, Selection},
    parse_condition,
};

fuzz_target!(|data: &[u8]| {
    if let Ok(expr) = parse_condition(data) {
        // Most forms read back as the same; docs/rules-deviations.md names those that do not.
        let _ = parse_condition(expr.canonical());
    }
    if let Ok(text) = std::str::from_utf8(data) {
        let (report, set) = RuleSet::load(&[("fuzz", text)]);
        assert_eq!(report.successful, set.is_some());
        if let Some(set) = set {
            set.rules.iter().for_each(|rule| drop(rule.condition.canonical()));
            drop(Engine::new(set, &Selection::default()).file_interest());
        }
    }
});
