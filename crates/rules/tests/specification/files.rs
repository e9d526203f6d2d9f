//! Files of rules: which key decides, what a later item changes, and who sees whom.

use sentinel_rules::language::{Part, Priority};

use crate::common::{canonical, load, refused, rule, rules, warned};

#[test]
fn the_kind_of_an_item_is_told_by_the_first_key_that_there_is() {
    let text = "- {rule: a, list: l, items: [x]}\n- {condition: evt.type = open, rule: b, macro: m}\n";
    let told = format!("{text}{}", rule("m and proc.name in (l)"));
    assert_eq!(canonical(&told), "(evt.type = open and proc.name in (x))");
    warned(&told, "1:4 LOAD_UNKNOWN_KEY list l", "Unknown key 'rule'");
    let version = "- {list: l, required_engine_version: 5.0.0}\n";
    refused(version, "1:38 LOAD_ERR_VALIDATE required_engine_version ", "5.0.0");
    warned("- {lists: l}\n", "1:3 LOAD_UNKNOWN_ITEM item ", "lists");
}

#[test]
fn truth_is_written_in_many_ways() {
    for (words, expected) in [
        (["true", "True", "TRUE", "yes", "Yes", "on", "'true'", "\"yes\"", "y"], true),
        (["false", "False", "FALSE", "no", "NO", "off", "'false'", "\"off\"", "n"], false),
    ] {
        for word in words {
            let text = format!("{}  enabled: {word}\n  capture: {word}\n", rule("evt.type = open"));
            let told = &rules(&text)[0];
            assert_eq!((told.enabled, told.capture), (expected, expected), "{word}");
        }
    }
}

#[test]
fn priorities_have_eight_names_in_any_case() {
    let names = ["Emergency", "Alert", "Critical", "Error", "Warning", "Notice", "Informational", "Debug"];
    assert_eq!(Priority::ALL.iter().map(|priority| priority.name()).collect::<Vec<_>>(), names);
    assert!(Priority::ALL.is_sorted());
    for name in names {
        for word in [name.to_owned(), name.to_uppercase(), name.to_lowercase()] {
            let text = rule("evt.type = open").replace("INFO", &word);
            assert_eq!(rules(&text)[0].priority.name(), name);
        }
    }
    let short = rule("evt.type = open").replace("INFO", "iNfO");
    assert_eq!(rules(&short)[0].priority, Priority::Informational);
    refused(
        &rule("evt.type = open").replace("INFO", "warn"),
        "4:13 LOAD_ERR_YAML_VALIDATE rule r",
        "Invalid priority",
    );
}

#[test]
fn texts_lose_the_blanks_around_them() {
    let text = "- rule: r\n  desc: >\n    d e\n  output: '  a %proc.name  '\n  priority: INFO\n  condition: ' evt.type = open '\n";
    let told = &rules(text)[0];
    assert_eq!((told.desc.as_str(), told.output.parts.len()), ("d e", 2));
    assert_eq!(told.output.parts[0], Part::Text("a ".into()));
}

#[test]
fn a_rule_asks_for_a_capture_with_its_length() {
    let text = format!("{}  capture: true\n  capture_duration: 1500\n", rule("evt.type = open"));
    assert_eq!((rules(&text)[0].capture, rules(&text)[0].capture_duration_ms), (true, 1500));
    let plain = &rules(&rule("evt.type = open"))[0];
    assert_eq!((plain.capture, plain.capture_duration_ms), (false, 0));
}

#[test]
fn an_append_changes_condition_and_exceptions_and_nothing_else() {
    let text = format!(
        "{}- rule: r\n  append: true\n  condition: and proc.name = x\n  desc: other\n  output: other\n  priority: \
         ERROR\n  enabled: false\n  tags: [t]\n  exceptions: [{{name: e, fields: proc.pname, values: [y]}}]\n",
        rule("evt.type = open")
    );
    let told = &rules(&text)[0];
    let expected = "((evt.type = open and proc.name = x) and not proc.pname in (y))";
    assert_eq!(told.condition.canonical(), expected);
    assert_eq!((told.desc.as_str(), told.priority, told.enabled), ("d", Priority::Informational, true));
    assert!(told.tags.is_empty());
    assert_eq!(told.output.parts, [Part::Text("o".into())]);
}

#[test]
fn every_key_is_replaced_and_added_to_as_it_allows() {
    let first = format!("{}  tags: [x]\n", rule("proc.name = a or proc.name = b"));
    let replaced = "- rule: r\n  desc: e\n  output: p\n  warn_evttypes: false\n  skip-if-unknown-filter: true\n  \
        capture: true\n  capture_duration: 7\n  enabled: false\n  priority: alert\n  condition: no.such = x\n  override: \
        {desc: replace, output: replace, warn_evttypes: replace, skip-if-unknown-filter: replace, capture: replace, \
        capture_duration: replace, enabled: replace, priority: replace, condition: replace}\n";
    // Now its field is unknown, it says that this is no error, and it is dropped.
    warned(&format!("{first}{replaced}"), "16:14 LOAD_UNKNOWN_FILTER rule r", "no.such");
    let replaced = replaced.replace("no.such", "proc.pname");
    let (report, set) = load(&format!("{first}{replaced}"));
    assert_eq!(report.warnings, [], "{report}");
    let told = &set.expect("it loads").rules[0];
    assert_eq!(told.condition.canonical(), "proc.pname = x");
    assert_eq!((told.desc.as_str(), told.priority, told.enabled), ("e", Priority::Alert, false));
    assert_eq!((told.capture, told.capture_duration_ms), (true, 7));
    assert_eq!(told.output.parts, [Part::Text("p".into())]);
    assert!(told.tags.contains("x"), "what is not named stays");

    // Text is joined to text, so the new one has to begin with an operator and precedence is that of the whole.
    let added = "- rule: r\n  condition: and proc.pname = c\n  output: '%proc.pid'\n  override: {condition: append, \
        output: append}\n";
    let told = &rules(&format!("{first}{added}"))[0];
    assert_eq!(told.condition.canonical(), "(proc.name = a or (proc.name = b and proc.pname = c))");
    assert_eq!(told.output.parts.len(), 2);
    let wrong = added.replace("and proc", "proc");
    refused(&format!("{first}{wrong}"), "8:14 LOAD_ERR_COMPILE_CONDITION rule r", "unexpected token");
}

#[test]
fn a_new_definition_forgets_the_old_one() {
    let old = format!(
        "{}  tags: [x]\n  enabled: false\n  exceptions: [{{name: e, fields: proc.name, values: [a]}}]\n",
        rule("evt.type = open")
    );
    let told = &rules(&format!("{old}{}", rule("evt.type = close")))[0];
    assert_eq!(told.condition.canonical(), "evt.type = close");
    assert!(told.enabled && told.tags.is_empty());
}

#[test]
fn what_belongs_to_another_source_may_be_added_to_and_switched() {
    let other = format!("{}  source: aws_cloudtrail\n", rule("ct.name = x"));
    for more in [
        "- rule: r\n  append: true\n  condition: and ct.user = y\n",
        "- rule: r\n  exceptions: [{name: e, fields: ct.user, values: [z]}]\n  override: {exceptions: append}\n",
        "- rule: r\n  enabled: true\n",
        "- rule: r\n  priority: ERROR\n  override: {priority: replace}\n",
        "- rule: r\n  desc: d\n  output: '%ct.name'\n  priority: INFO\n  condition: ct.name = y\n",
    ] {
        assert_eq!(rules(&format!("{other}{more}")), [], "{more}");
    }
}

#[test]
fn rules_see_all_macros_and_macros_those_before_their_last_change() {
    let early = format!("{}- macro: m\n  condition: evt.type = open\n", rule("m"));
    assert_eq!(canonical(&early), "evt.type = open");
    let a = "- macro: a\n  condition: evt.type = close\n";
    let b = "- macro: b\n  condition: evt.type = open\n";
    let again = |how: &str| format!("{a}{b}- macro: a\n  condition: {how}\n{}", rule("a"));
    assert_eq!(canonical(&again("b")), "evt.type = open");
    let appended = again("or b\n  override: {condition: append}");
    assert_eq!(canonical(&appended), "(evt.type = close or evt.type = open)");
    // A list that is defined anew sees what came in between.
    let lists = "- list: l\n  items: [k]\n- list: k\n  items: [x]\n- list: l\n  items: [k, y]\n";
    assert_eq!(canonical(&format!("{lists}{}", rule("proc.name in (l)"))), "proc.name in (x, y)");
}

#[test]
fn items_of_lists_keep_the_text_they_were_written_with() {
    let text = "- list: l\n  items: [1.50, 0x1F, 007, true, ~, null, 1e3, 2026-01-01, -5, \"\"]\n";
    let text = format!("{text}{}", rule("proc.name in (l)"));
    let (report, set) = load(&text);
    let told = set.map(|set| set.rules[0].condition.canonical().to_owned());
    assert_eq!(
        told.as_deref(),
        Some("proc.name in (1.50, 0x1F, 007, true, ~, null, 1e3, 2026-01-01, -5, )"),
        "{report}"
    );
}

#[test]
fn exceptions_take_every_operator_in_its_form() {
    let with = |exception: &str| {
        let base = format!("- list: l\n  items: [x, y]\n{}", rule("evt.type = open"));
        canonical(&format!("{base}  exceptions: [{exception}]\n"))
    };
    for (exception, expected) in [
        ("{name: e, fields: proc.args, comps: intersects, values: [a, l]}", "proc.args intersects (a, x, y)"),
        ("{name: e, fields: fd.name, comps: glob oneof, values: ['*.a']}", "fd.name glob oneof (*.a)"),
        ("{name: e, fields: fd.name, comps: '!= allof', values: [a]}", "fd.name != allof (a)"),
        (
            "{name: e, fields: [fd.name], comps: [endswith anyof], values: [[.a], [[.b, .c]]]}",
            "(fd.name endswith anyof (.a) or fd.name endswith anyof (.b, .c))",
        ),
        (
            "{name: e, fields: [proc.name, fd.num], comps: [' startswith ', '>='], values: [[a, 3]]}",
            "(proc.name startswith a and fd.num >= 3)",
        ),
        (
            "{name: e, fields: [proc.name], values: [['a b'], ['\"c d\"']]}",
            "(proc.name = \"a b\" or proc.name = \"c d\")",
        ),
        (
            "{name: e, fields: ['proc.aname[2]', fd.name], comps: ['!=', pmatch], values: [[a, [/x, /y]]]}",
            "(proc.aname[2] != a and fd.name pmatch (/x, /y))",
        ),
    ] {
        assert_eq!(with(exception), format!("(evt.type = open and not {expected})"), "{exception}");
    }
    // Without a name, without a mapping, without values: the first two are errors.
    let text = |exception: &str| format!("{}  exceptions: [{exception}]\n", rule("evt.type = open"));
    refused(&text("{fields: proc.name}"), "6:16 LOAD_ERR_YAML_VALIDATE rule r", "no mapping for key 'name'");
    assert_eq!(canonical(&text("{name: e, fields: proc.name, values: []}")), "evt.type = open");
}
