//! Items of one name: define, append, override, switch; with and without an earlier one.

mod common;

use common::{canonical, load, place, refused, rule, rules, warned};
use sentinel_rules::language::{Priority, RuleSet};

const LIST: &str = "- list: l\n  items: [a]\n";
const MACRO: &str = "- macro: m\n  condition: proc.name = a\n";

fn with_list(items: &str) -> String {
    canonical(&format!("{items}{}", rule("proc.name in (l)")))
}

fn with_macro(items: &str) -> String {
    canonical(&format!("{items}{}", rule("m")))
}

fn with_rule(more: &str) -> sentinel_rules::language::Rule {
    let base = format!("{}  tags: [x]\n", rule("proc.name = a"));
    rules(&format!("{base}{more}")).remove(0)
}

#[test]
fn lists_are_defined_appended_to_and_replaced() {
    assert_eq!(with_list(LIST), "proc.name in (a)");
    assert_eq!(with_list(&format!("{LIST}- list: l\n  items: [b]\n")), "proc.name in (b)");
    assert_eq!(with_list(&format!("{LIST}- list: l\n  items: [b]\n  append: true\n")), "proc.name in (a, b)");
    assert_eq!(
        with_list(&format!("{LIST}- list: l\n  items: [b]\n  override: {{items: append}}\n")),
        "proc.name in (a, b)"
    );
    assert_eq!(
        with_list(&format!("{LIST}- list: l\n  items: [b]\n  override: {{items: replace}}\n")),
        "proc.name in (b)"
    );
    assert_eq!(with_list("- list: l\n  items: [b]\n  override: {items: replace}\n"), "proc.name in (b)");
    let message = "List uses 'append' or 'override.items: append' but no list by that name already exists";
    refused("- list: l\n  items: [b]\n  append: true\n", "1:3 LOAD_ERR_VALIDATE list l", message);
    refused(
        "- list: l\n  items: [b]\n  override: {items: append}\n",
        "1:3 LOAD_ERR_VALIDATE list l",
        message,
    );
}

#[test]
fn macros_are_defined_appended_to_and_replaced() {
    let more = |keys: &str| format!("{MACRO}- macro: m\n{keys}");
    assert_eq!(with_macro(MACRO), "proc.name = a");
    assert_eq!(with_macro(&more("  condition: proc.name = b\n")), "proc.name = b");
    assert_eq!(
        with_macro(&more("  condition: or proc.name = b\n  append: true\n")),
        "(proc.name = a or proc.name = b)"
    );
    let appended = with_macro(&more("  condition: or proc.name = b\n  override: {condition: append}\n"));
    assert_eq!(appended, "(proc.name = a or proc.name = b)");
    assert_eq!(
        with_macro(&more("  condition: proc.name = b\n  override: {condition: replace}\n")),
        "proc.name = b"
    );
    assert_eq!(
        with_macro("- macro: m\n  condition: proc.name = b\n  override: {condition: replace}\n"),
        "proc.name = b"
    );
    let message =
        "Macro uses 'append' or 'override.condition: append' but no macro by that name already exists";
    refused("- macro: m\n  condition: or b\n  append: true\n", "1:3 LOAD_ERR_VALIDATE macro m", message);
    refused(
        "- macro: m\n  condition: b\n  override: {condition: append}\n",
        "1:3 LOAD_ERR_VALIDATE macro m",
        message,
    );
}

#[test]
fn rules_are_defined_anew_in_their_old_place() {
    let text = format!(
        "{}{}{}",
        rule("proc.name = a"),
        rule("proc.name = z").replace("rule: r", "rule: s"),
        rule("proc.name = b")
    );
    let names: Vec<_> =
        rules(&text).iter().map(|rule| (rule.name.clone(), rule.condition.canonical())).collect();
    assert_eq!(names, [("r".into(), "proc.name = b".into()), ("s".to_owned(), "proc.name = z".to_owned())]);
    let other = format!("{}{}  source: other\n", rule("proc.name = a"), rule("proc.name = b"));
    refused(&other, "6:3 LOAD_ERR_VALIDATE rule r", "re-defined with a different source");
}

#[test]
fn rules_are_appended_to() {
    let appended = with_rule("- rule: r\n  condition: and proc.pname = p\n  append: true\n");
    assert_eq!(appended.condition.canonical(), "(proc.name = a and proc.pname = p)");
    let text = format!("{}- rule: r\n  condition: or x y\n  append: true\n", rule("proc.name = a"));
    refused(&text, "7:19 LOAD_ERR_COMPILE_CONDITION rule r", "unexpected token after 'x'");
    let missing = "Rule uses 'append' or 'override.<key>: append' but no rule by that name already exists";
    refused("- rule: r\n  condition: and x\n  append: true\n", "1:3 LOAD_ERR_VALIDATE rule r", missing);
    let empty = format!("{}- rule: r\n  desc: x\n  append: true\n", rule("proc.name = a"));
    refused(
        &empty,
        "6:3 LOAD_ERR_VALIDATE rule r",
        "Appended rule must have exceptions or condition property",
    );
    warned(
        &format!("{}- rule: r\n  condition: and proc.name = b\n  append: true\n", rule("proc.name = a")),
        "8:11 LOAD_DEPRECATED_ITEM rule r",
        "use 'override'",
    );
}

#[test]
fn keys_of_rules_are_overridden() {
    let rule = with_rule(
        "- rule: r\n  condition: and proc.pname = p\n  output: more\n  desc: more\n  tags: [y, x]\n  priority: ERROR\n  enabled: false\n  override: {condition: append, output: append, desc: append, tags: append, priority: replace, enabled: replace}\n",
    );
    assert_eq!(rule.condition.canonical(), "(proc.name = a and proc.pname = p)");
    assert_eq!((rule.desc.as_str(), rule.priority, rule.enabled), ("d more", Priority::Error, false));
    assert_eq!(rule.tags.iter().collect::<Vec<_>>(), ["x", "y"]);
    assert_eq!(rule.output.parts, [sentinel_rules::language::Part::Text("o more".into())]);
    let rule = with_rule(
        "- rule: r\n  condition: proc.name = z\n  tags: [z]\n  id: i\n  override: {condition: replace, tags: replace, id: replace}\n",
    );
    assert_eq!((rule.condition.canonical().as_str(), rule.id.as_str()), ("proc.name = z", "i"));
    assert_eq!(rule.tags.iter().collect::<Vec<_>>(), ["z"]);
    let text = "- rule: r\n  condition: and x\n  override: {condition: append}\n";
    refused(text, "1:3 LOAD_ERR_VALIDATE rule r", "'override.condition: append' but no rule by that name");
    let text = "- rule: r\n  priority: INFO\n  override: {priority: replace}\n";
    let message =
        "An 'override.priority: replace' to a rule was requested but no rule by that name already exists";
    refused(text, "1:3 LOAD_ERR_VALIDATE rule r", message);
}

#[test]
fn overrides_that_make_no_sense_are_refused() {
    let code = "LOAD_ERR_YAML_VALIDATE rule r";
    for (keys, at, message) in [
        (
            "  priority: INFO\n  override: {priority: append}\n",
            "8:14",
            "Key 'priority' cannot be appended to, use 'replace' instead",
        ),
        ("  source: x\n  override: {source: replace}\n", "8:14", "Key 'source' cannot be replaced"),
        ("  source: x\n  override: {source: append}\n", "8:14", "Key 'source' cannot be appended to"),
        (
            "  desc: x\n  override: {desc: merge}\n",
            "8:20",
            "Invalid override operation for key 'desc': 'merge'. Allowed values are: append replace",
        ),
        (
            "  override: {desc: append}\n",
            "7:14",
            "An append override for 'desc' was specified but 'desc' is not defined",
        ),
        (
            "  override: {desc: replace}\n",
            "7:14",
            "A replace override for 'desc' was specified but 'desc' is not defined",
        ),
        (
            "  desc: x\n  output: o\n  override: {desc: append}\n",
            "8:3",
            "Unexpected key 'output': no corresponding entry under 'override' is defined.",
        ),
        (
            "  desc: x\n  override: {desc: append}\n  append: true\n",
            "9:11",
            "Keys 'override' and 'append: true' cannot be used together",
        ),
        ("  desc: x\n  override: desc\n", "8:13", "Value is not a mapping"),
    ] {
        refused(&format!("{}- rule: r\n{keys}", rule("proc.name = a")), &format!("{at} {code}"), message);
    }
    let text = format!("{LIST}- list: l\n  items: [b]\n  override: {{name: append}}\n");
    refused(&text, "5:14 LOAD_ERR_YAML_VALIDATE list l", "Key 'name' cannot be appended to");
    let text = format!("{MACRO}- macro: m\n  condition: b\n  override: {{items: replace}}\n");
    refused(&text, "5:14 LOAD_ERR_YAML_VALIDATE macro m", "Key 'items' cannot be replaced");
    let text = format!("{MACRO}- macro: m\n  override: {{condition: replace}}\n");
    refused(&text, "4:14 LOAD_ERR_YAML_VALIDATE macro m", "A replace override for 'condition'");
}

#[test]
fn rules_are_switched() {
    assert!(!with_rule("- rule: r\n  enabled: false\n").enabled);
    assert!(with_rule("- rule: r\n  enabled: false\n- rule: r\n  enabled: true\n").enabled);
    let message = "Rule has 'enabled' key but no rule by that name already exists";
    refused("- rule: r\n  enabled: true\n", "1:3 LOAD_ERR_VALIDATE rule r", message);
    warned(
        &format!("{}- rule: r\n  enabled: true\n", rule("evt.type = open")),
        "6:3 LOAD_DEPRECATED_ITEM rule r",
        "'enabled' alone",
    );
}

#[test]
fn later_files_change_earlier_ones() {
    let first = rule("proc.name = a");
    let (report, set) =
        RuleSet::load(&[("a", &first), ("b", "- rule: r\n  condition: and\n    nothing\n  append: true\n")]);
    assert!(set.is_none());
    assert_eq!(report.errors.iter().map(place).collect::<Vec<_>>(), ["3:5 LOAD_ERR_VALIDATE rule r"]);
    assert_eq!(report.errors[0].file, "b");
    let (_, set) = RuleSet::load(&[("a", &first), ("b", "- list: l\n  items: [x]\n")]);
    assert_eq!(set.expect("both load").rules[0].file, "a");
}

#[test]
fn a_refused_file_leaves_no_rules() {
    let (report, set) = load(&format!("{}- list: l\n", rule("proc.name = a")));
    assert!(!report.successful && set.is_none());
}
