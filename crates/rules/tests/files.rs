//! The shape of rule files: every error and warning about it, in its place.

mod common;

use common::{load, place, refused, rule, rules, warned};
use sentinel_rules::language::{LoadReport, Priority, RuleSet, Severity};

#[test]
fn documents_are_sequences_of_mappings() {
    refused("a: [", "2:1 LOAD_ERR_YAML_PARSE file ", "");
    refused("a: b: c", "1:5 LOAD_ERR_YAML_PARSE file ", "");
    refused("text", "1:1 LOAD_ERR_YAML_VALIDATE file ", "Rules content is not yaml");
    refused("rule: r", "1:1 LOAD_ERR_YAML_VALIDATE file ", "Rules content is not yaml array of objects");
    refused("- a", "1:3 LOAD_ERR_YAML_VALIDATE file ", "Unexpected element type");
    for nothing in ["", "# note\n", "---\n", "[]", "- ~\n", "null\n---\n- ~\n"] {
        assert_eq!(rules(nothing), [], "{nothing:?}");
    }
    let two = format!("{}---\n- macro: m\n  condition: m2\n", rule("evt.type = open"));
    refused(&two, "8:14 LOAD_ERR_VALIDATE macro m", "Undefined macro 'm2'");
}

#[test]
fn styles_and_anchors_of_yaml_are_all_the_same() {
    let flow = r#"[{rule: r, "desc": 'd', output: o, priority: info, condition: "evt.type=open", enabled: "no", tags: [a, b]}]"#;
    let block = "- &x\n  rule: r\n  desc: d\n  output: >\n    o\n  priority: Info\n  condition: >-\n    evt.type\n    = open\n  enabled: off\n  tags:\n    - a\n    - b\n";
    let (flow, block) = (rules(flow), rules(block));
    assert_eq!(flow[0].condition.event_types(), block[0].condition.event_types());
    assert_eq!(
        (flow[0].enabled, &flow[0].tags, &flow[0].output),
        (block[0].enabled, &block[0].tags, &block[0].output)
    );
    assert!(!flow[0].enabled);
}

#[test]
fn items_are_known_by_their_first_key() {
    warned("- foo: 1\n", "1:3 LOAD_UNKNOWN_ITEM item ", "Unknown top level item 'foo'");
    let extra = format!("{}  tgas: [x]\n", rule("evt.type = open"));
    warned(
        &extra,
        "6:3 LOAD_UNKNOWN_KEY rule r",
        "Unknown key 'tgas'. The key will be ignored. Did you mean 'tags'?",
    );
    let twice = format!("{}  desc: e\n", rule("evt.type = open"));
    warned(&twice, "6:3 LOAD_UNKNOWN_KEY rule r", "given twice");
    assert_eq!(rules(&twice)[0].desc, "d");
}

#[test]
fn keys_have_their_types() {
    for (text, expected, message) in [
        ("- rule:\n  desc: d\n", "1:7 LOAD_ERR_YAML_VALIDATE rule ", "Mapping for key 'rule' is empty"),
        ("- rule: [a]\n", "1:9 LOAD_ERR_YAML_VALIDATE rule ", "Value is not a scalar value"),
        ("- rule: ''\n", "1:9 LOAD_ERR_YAML_VALIDATE rule ", "Value must be non-empty"),
        ("- list: l\n", "1:3 LOAD_ERR_YAML_VALIDATE list l", "Item has no mapping for key 'items'"),
        ("- list: l\n  items: x\n", "2:10 LOAD_ERR_YAML_VALIDATE list l", "Value is not a sequence"),
        (
            "- list: l\n  items: [a, [b]]\n",
            "2:14 LOAD_ERR_YAML_VALIDATE list l",
            "sequence value is not scalar",
        ),
        ("- macro: m\n", "1:3 LOAD_ERR_YAML_VALIDATE macro m", "Item has no mapping for key 'condition'"),
        (
            "- rule: r\n  enabled: maybe\n",
            "2:12 LOAD_ERR_YAML_VALIDATE rule r",
            "Can't decode YAML scalar value 'maybe'",
        ),
        ("- rule: r\n", "1:3 LOAD_ERR_YAML_VALIDATE rule r", "no mapping for key"),
        (
            "- rule: r\n  desc: d\n  output: o\n  priority: INFO\n",
            "1:3 LOAD_ERR_YAML_VALIDATE rule r",
            "'condition'",
        ),
    ] {
        refused(text, expected, message);
    }
    let with = |line: &str| format!("{}  {line}\n", rule("evt.type = open"));
    for (line, column, message) in [
        ("tags: x", 9, "Value is not a sequence"),
        ("warn_evttypes: 2", 18, "it must be true or false"),
        ("capture_duration: -1", 21, "a number of milliseconds"),
        ("risk_score: 101", 15, "a number from 0 to 100"),
        ("severity: bad", 13, "critical, high, medium, low or info"),
        ("exceptions: x", 15, "Value is not a sequence"),
        ("exceptions: [x]", 16, "an exception is a mapping"),
        ("exceptions: [{fields: proc.name}]", 16, "no mapping for key 'name'"),
    ] {
        refused(&with(line), &format!("6:{column} LOAD_ERR_YAML_VALIDATE rule r"), message);
    }
    let priority = rule("evt.type = open").replace("INFO", "severe");
    refused(&priority, "4:13 LOAD_ERR_YAML_VALIDATE rule r", "Invalid priority 'severe'");
}

#[test]
fn every_item_that_is_wrong_is_reported() {
    let text = "- list: l\n- macro: m\n- rule: r\n";
    let codes: Vec<_> = load(text).0.errors.iter().map(place).collect();
    assert_eq!(codes.len(), 3, "{codes:?}");
}

#[test]
fn engines_and_plugins_must_be_new_enough() {
    for fine in ["0.57.0", "'0.63.0'", "63", "0"] {
        assert_eq!(rules(&format!("- required_engine_version: {fine}\n")), [], "{fine}");
    }
    let at = "1:28 LOAD_ERR_VALIDATE required_engine_version ";
    let newer = "Rules require engine version 0.64.0, but engine version is 0.63.0";
    refused("- required_engine_version: 64\n- list: l\n", at, newer);
    refused("- required_engine_version: 1.0.0\n", at, "1.0.0");
    refused("- required_engine_version: new\n", at, "Unable to parse");
    let plugin = |entry: &str| format!("- required_plugin_versions:\n    - {entry}\n");
    assert_eq!(rules(&plugin("{name: container, version: 0.4.0}")), []);
    let other = "{name: json, version: 0.1.0, alternatives: [{name: container, version: 0.2.0}]}";
    assert_eq!(rules(&plugin(other)), []);
    let at = "2:7 LOAD_ERR_VALIDATE required_plugin_versions ";
    refused(&plugin("{name: json, version: 0.1.0}"), at, "must load one of: json (>= 0.1.0)");
    refused(&plugin("{name: container, version: 1.0.0}"), at, "container (>= 1.0.0)");
    let at = "2:34 LOAD_ERR_VALIDATE required_plugin_versions ";
    refused(&plugin("{name: container, version: x}"), at, "Invalid plugin version");
    let at = "2:7 LOAD_ERR_YAML_VALIDATE required_plugin_versions ";
    refused(&plugin("{name: container}"), at, "no mapping for key 'version'");
}

#[test]
fn names_that_no_condition_can_use_are_warned_of() {
    let used = "evt.type in (a b)";
    let list = format!("- list: a b\n  items: [open]\n{}", rule(used));
    warned(&list, "1:3 LOAD_INVALID_LIST_NAME list a b", "name of a list");
    assert_eq!(common::canonical(&list), "evt.type in (open)");
    warned(
        "- macro: a-b\n  condition: evt.type = open\n",
        "1:3 LOAD_INVALID_MACRO_NAME macro a-b",
        "name of a macro",
    );
}

#[test]
fn rules_of_other_sources_are_skipped() {
    let text = format!("{}  source: k8s_audit\n", rule("ka.verb = create and undefined_macro"));
    warned(&text, "1:3 LOAD_UNKNOWN_SOURCE rule r", "k8s_audit");
    assert_eq!(rules(&text), []);
    assert_eq!(rules(&format!("{}  source: syscall\n", rule("evt.type = open"))).len(), 1);
}

#[test]
fn our_own_keys_have_defaults_from_the_priority() {
    let plain = &rules(&rule("evt.type = open").replace("rule: r", "rule: Reverse Shell (x)"))[0];
    assert_eq!(
        (plain.id.as_str(), plain.severity, plain.risk_score),
        ("reverse_shell_x", Severity::Info, 10)
    );
    assert_eq!(
        (plain.priority, plain.priority.name(), plain.enabled),
        (Priority::Informational, "Informational", true)
    );
    let own = "  id: a\n  severity: High\n  risk_score: 7\n  recommendation: look\n  threshold: {at: 3, within: 5s}\n";
    let own = &rules(&format!("{}{own}", rule("evt.type = open")))[0];
    assert_eq!((own.id.as_str(), own.severity, own.risk_score), ("a", Severity::High, 7));
    assert_eq!(own.recommendation.as_deref(), Some("look"));
    assert_eq!(own.threshold.as_ref().map(|threshold| threshold.at), Some(3));
    assert!(own.sequence.is_none());
}

#[test]
fn reports_have_the_documented_shape() {
    let (report, _) = load(&rule("proc.nmae = x"));
    let json = serde_json::to_value(&report).expect("JSON");
    let expected = serde_json::json!({
        "successful": false,
        "errors": [{
            "code": "LOAD_ERR_COMPILE_CONDITION", "item_type": "rule", "item_name": "r", "file": "f.yaml",
            "line": 5, "column": 14,
            "message": "filter_check called with nonexistent field proc.nmae; did you mean 'proc.name'?",
        }],
        "warnings": [],
    });
    assert_eq!(json, expected);
    let text = report.to_string();
    assert!(text.contains("f.yaml:5:14: LOAD_ERR_COMPILE_CONDITION: rule \"r\": filter_check"), "{text}");
    assert!(text.contains("\n      condition: proc.nmae = x\n                 ^\n"), "{text}");
    assert!(text.ends_with("1 errors, 0 warnings"), "{text}");
}

#[test]
fn a_rule_is_listed_with_all_its_keys() {
    let rule = &rules(&rule("evt.type = open"))[0];
    let json = serde_json::to_value(rule).expect("JSON");
    assert_eq!(json["condition"], "evt.type = open");
    assert_eq!(json["event_types"], serde_json::json!(["open"]));
    assert_eq!((&json["priority"], &json["severity"]), (&"Informational".into(), &"info".into()));
    assert_eq!((&json["file"], &json["line"]), (&"f.yaml".into(), &1.into()));
}

#[test]
fn messages_do_not_carry_a_files_control_characters() {
    let (report, _) = RuleSet::load(&[("f\n.yaml", "- rule: \"a\\nb\\e[1m\"\n  foo: 1\n")]);
    let text = report.to_string();
    assert!(!text.contains('\u{1b}') && text.contains(r#""a\nb\u{1b}[1m""#), "{text}");
    assert!(text.starts_with(r"f\n.yaml:"), "{text}");
}

#[test]
fn files_that_cannot_be_read_are_reported_alike() {
    let report = LoadReport::unreadable("f.yaml", "permission denied");
    assert_eq!(place(&report.errors[0]), "1:1 LOAD_ERR_FILE_READ file ");
    assert_eq!(report.to_string(), "f.yaml:1:1: LOAD_ERR_FILE_READ: permission denied\n1 errors, 0 warnings");
}

#[test]
fn what_is_only_ours_has_its_own_codes() {
    let of = |rest: &str| {
        let rule = "- rule: r\n  desc: d\n  output: o\n  priority: INFO\n  condition: evt.type = openat\n";
        let (report, _) = RuleSet::load(&[("f.yaml", &format!("{rule}{rest}"))]);
        let all = report.errors.iter().chain(&report.warnings);
        all.map(|one| (one.code.name(), one.line)).collect::<Vec<_>>()
    };
    let extension = [("LOAD_ERR_EXTENSION", 6)];
    assert_eq!(of("  threshold: {at: 3}\n"), extension);
    assert_eq!(of("  sequence: {maxspan: 1s}\n"), extension);
    // Fields and conditions in them are the language's.
    let field = "  threshold: {at: 3, within: 1s, by: proc.nmae}\n";
    assert_eq!(of(field), [("LOAD_ERR_COMPILE_CONDITION", 6)]);
    assert_eq!(of("  threshold: {at: 1, within: 1s}\n"), [("LOAD_WARNING_EXTENSION", 6)]);
    for does in [", quiet: 1s", ", distinct: fd.name"] {
        assert_eq!(of(&format!("  threshold: {{at: 1, within: 1s{does}}}\n")), []);
    }
}
