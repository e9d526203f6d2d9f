//! A rule file with what files of many houses use, all of it at once: it loads, and means what it says. The same with
//! one mistake is refused, with its code and place.
#![allow(clippy::panic, clippy::expect_used, reason = "helpers of a test are part of it")]

use std::collections::BTreeMap;

use sentinel_rules::language::{RuleSet, parse_condition};

const FILE: &str = include_str!("houses.yaml");

const SHAPES: &str = r#"((evt.type in (openat, execve) and not proc.name in (late, a, "b c", d, 1, 0x10, 1.5, ~tilde, x,y, (p), "q\"r", late, z) and proc.pname exists) and not ((proc.name in (a, b) and fd.name pmatch (/etc)) or (proc.name in (c, d) and fd.name pmatch (/usr/*/bin))) and not (proc.name contains "two words" or proc.name contains plain) and not proc.name in (x, "y z", more) and not fd.name endswith anyof (.log, .tmp) and not proc.pname startswith systemd)"#;

fn load() -> RuleSet {
    let (report, set) = RuleSet::load(&[("houses.yaml", FILE)]);
    set.unwrap_or_else(|| panic!("{report}"))
}

#[test]
fn it_loads_without_errors_and_warns_of_what_is_doubtful() {
    let (report, _) = RuleSet::load(&[("houses.yaml", FILE)]);
    assert!(report.successful && report.errors.is_empty(), "{report}");
    let mut warnings = BTreeMap::new();
    report.warnings.iter().for_each(|one| *warnings.entry(one.code.name()).or_insert(0) += 1);
    let expected = [
        ("LOAD_COMPILE_CONDITION", 3),
        ("LOAD_DEPRECATED_ITEM", 8),
        ("LOAD_UNKNOWN_FILTER", 3),
        ("LOAD_UNKNOWN_KEY", 1),
        ("LOAD_UNKNOWN_SOURCE", 2),
    ];
    assert_eq!(warnings, BTreeMap::from(expected), "{report}");
    let names: Vec<_> = load().rules.iter().map(|rule| rule.name.clone()).collect();
    assert_eq!(names, ["all operators", "transformers", "old", "shapes"]);
}

#[test]
fn it_uses_every_operator_modifier_and_transformer() {
    let all: String = load().rules.iter().map(|rule| format!("{} ", rule.condition.canonical())).collect();
    let operators = "= == != < <= > >= contains icontains bcontains startswith bstartswith endswith glob iglob regex \
        exists in intersects pmatch anyof allof oneof";
    for word in operators.split_whitespace() {
        assert!(all.contains(&format!(" {word} ")) || all.contains(&format!(" {word})")), "{word}");
    }
    for word in "val tolower toupper b64 basename len join concat getopt".split_whitespace() {
        assert!(all.contains(&format!("{word}(")), "{word}");
    }
}

#[test]
fn exceptions_of_all_shapes_and_overrides_of_all_keys_are_in_the_rule() {
    let set = load();
    let shapes = set.find("shapes").expect("it is in the file");
    assert_eq!(shapes.condition.canonical(), SHAPES);
    assert_eq!(
        (shapes.desc.as_str(), shapes.priority.name(), shapes.enabled),
        ("of exceptions and more", "Debug", true)
    );
    let macros = set.find("all operators").expect("it is in the file").condition.canonical().to_owned();
    let end = "((not proc.name = only and not proc.name = only) or (proc.name = only and not evt.num = 0))))";
    assert!(macros.ends_with(end), "{macros}");
    assert!(
        parse_condition(SHAPES).is_err(),
        "items with parentheses do not read back: docs/rules-deviations.md"
    );
}

#[test]
fn one_mistake_is_refused_in_its_place() {
    // What is put in place of what, and what is said then.
    let cases = [
        ("0.31.0", "1.0.0", "2:28 LOAD_ERR_VALIDATE"),
        ("version: 0.2.1", "version: 9.0.0", "4:5 LOAD_ERR_VALIDATE"),
        ("name: container", "name: k8saudit", "4:5 LOAD_ERR_VALIDATE"),
        ("condition: evt.num=0", "condition: evt.num=", "18:22 LOAD_ERR_COMPILE_CONDITION"),
        ("fd.num < 3", "fd.num < three", "29:117 LOAD_ERR_COMPILE_CONDITION"),
        ("fd.name contains x", "fd.name contians x", "30:16 LOAD_ERR_COMPILE_CONDITION"),
        ("evt.buffer bcontains 00ff", "evt.buffer bcontains 00f", "33:29 LOAD_ERR_COMPILE_CONDITION"),
        ("\"^/etc/.*$\"", "\"^/etc/(.*$\"", "31:76 LOAD_ERR_COMPILE_CONDITION"),
        ("%evt.res ", "%evt.rse ", "40:257 LOAD_ERR_COMPILE_OUTPUT"),
        ("priority: warning", "priority: loud", "41:13 LOAD_ERR_YAML_VALIDATE"),
        ("comps: [in, pmatch]", "comps: [in]", "96:7 LOAD_ERR_VALIDATE"),
        ("endswith anyof\n", "endswith\n", "109:7 LOAD_ERR_VALIDATE"),
        ("desc: append,", "desc: add,", "130:20 LOAD_ERR_YAML_VALIDATE"),
        ("tags: [a, a, b]", "tags: {a: b}", "42:9 LOAD_ERR_YAML_VALIDATE"),
    ];
    for (right, wrong, expected) in cases {
        assert!(FILE.contains(right), "{right}");
        let (report, set) = RuleSet::load(&[("houses.yaml", &FILE.replacen(right, wrong, 1))]);
        assert!(set.is_none() && !report.errors.is_empty(), "{wrong}: {report}");
        let told: Vec<_> = report
            .errors
            .iter()
            .map(|one| format!("{}:{} {}", one.line, one.column, one.code.name()))
            .collect();
        assert!(told.iter().any(|one| one.ends_with(expected)), "{wrong}: {told:?}");
        assert!(report.errors.iter().all(|one| one.line > 0 && one.column > 0), "{wrong}: {report}");
    }
}
