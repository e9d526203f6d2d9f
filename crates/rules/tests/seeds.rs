//! The seeds of the fuzzer are read, so that it starts from what is right.

use sentinel_rules::language::{RuleSet, parse_condition};

#[test]
fn seeds_of_the_fuzzer_are_accepted() {
    for condition in [include_str!("../fuzz/seeds/condition"), include_str!("../fuzz/seeds/transformers")] {
        assert!(parse_condition(condition).is_ok(), "{condition}");
    }
    let (report, set) = RuleSet::load(&[("seed", include_str!("../fuzz/seeds/rules.yaml"))]);
    assert!(set.is_some(), "{report}");
}
