//! Any bytes are a condition and a rule file, or are refused; what is read prints to something that reads the same.
#![no_main]

use libfuzzer_sys::fuzz_target;
use sentinel_rules::language::{RuleSet, parse_condition};

fuzz_target!(|data: &[u8]| {
    if let Ok(expr) = parse_condition(data) {
        assert_eq!(parse_condition(expr.canonical()), Ok(expr));
    }
    if let Ok(text) = std::str::from_utf8(data) {
        let (report, set) = RuleSet::load(&[("fuzz", text)]);
        assert_eq!(report.successful, set.is_some());
        for rule in set.into_iter().flat_map(|set| set.rules) {
            assert!(parse_condition(rule.condition.canonical()).is_ok());
        }
    }
});
