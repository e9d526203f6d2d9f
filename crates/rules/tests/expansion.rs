//! Lists and macros in conditions, exceptions, and the bounds on all of them.

mod common;

use common::{canonical, load, refused, rule, rules, warned};

fn with(items: &str, condition: &str) -> String {
    canonical(&format!("{items}{}", rule(condition)))
}

#[test]
fn lists_stand_where_lists_can_stand() {
    let items = "- list: l\n  items: [a, 'b c', '\"d e\"', 7, yes]\n- list: one\n  items: [x]\n- list: none\n  items: []\n";
    let all = "a, \"b c\", \"d e\", 7, yes";
    assert_eq!(with(items, "proc.name in (l)"), format!("proc.name in ({all})"));
    assert_eq!(with(items, "proc.name in (l, one, z)"), format!("proc.name in ({all}, x, z)"));
    assert_eq!(with(items, "proc.name in l"), format!("proc.name in ({all})"));
    assert_eq!(with(items, "proc.name startswith anyof (l)"), format!("proc.name startswith anyof ({all})"));
    assert_eq!(with(items, "proc.name = oneof one"), "proc.name = oneof (x)");
    assert_eq!(with(items, "fd.name pmatch (one)"), "fd.name pmatch (x)");
    assert_eq!(with(items, "proc.name in (none)"), "proc.name in ()");
    assert_eq!(with(items, "proc.name in (none, a, none)"), "proc.name in (a)");
    // Quotes keep a name from being one; so does a place for one constant.
    assert_eq!(with(items, "'proc.name in (\"one\")'"), "proc.name in (one)");
    assert_eq!(with(items, "proc.name = one"), "proc.name = one");
    assert_eq!(with(items, "proc.name in unknown"), "proc.name in unknown");
}

#[test]
fn lists_include_lists_that_were_there_before() {
    let chain = "- list: a\n  items: [x]\n- list: b\n  items: [a, y]\n- list: c\n  items: [b, z]\n";
    assert_eq!(with(chain, "proc.name in (c)"), "proc.name in (x, y, z)");
    let later = "- list: a\n  items: [b]\n- list: b\n  items: [x]\n";
    assert_eq!(with(later, "proc.name in (a)"), "proc.name in (b)");
    let appended = format!("{later}- list: a\n  items: [y]\n  append: true\n");
    assert_eq!(with(&appended, "proc.name in (a)"), "proc.name in (x, y)");
    assert_eq!(with("- list: a\n  items: [a]\n", "proc.name in (a)"), "proc.name in (a)");
    let looping =
        "- list: a\n  items: [x]\n- list: b\n  items: [a]\n- list: a\n  items: [b]\n  append: true\n";
    refused(
        &format!("{looping}{}", rule("proc.name in (a)")),
        "3:3 LOAD_ERR_VALIDATE list b",
        "reference loop in list 'b'",
    );
    refused(
        "- list: l\n  items: ['\"a']\n",
        "2:11 LOAD_ERR_VALIDATE list l",
        "expected the end of the quoted string",
    );
}

#[test]
fn the_last_content_of_a_list_counts_everywhere() {
    let text = format!("{}- list: l\n  items: [x]\n", rule("proc.name in (l)"));
    assert_eq!(canonical(&text), "proc.name in (x)");
}

#[test]
fn macros_are_single_operands() {
    let items = "- macro: m\n  condition: proc.name = a or proc.name = b\n";
    assert_eq!(with(items, "not m"), "not (proc.name = a or proc.name = b)");
    assert_eq!(with(items, "m or proc.name = c"), "((proc.name = a or proc.name = b) or proc.name = c)");
    let negated = "- macro: m\n  condition: not proc.name = a\n";
    assert_eq!(with(negated, "not m"), "not not proc.name = a");
}

#[test]
fn macros_see_macros_that_were_there_before() {
    let text = "- macro: a\n  condition: proc.name = x\n- macro: b\n  condition: a and b2\n- macro: b2\n  condition: proc.name = y\n";
    refused(text, "4:20 LOAD_ERR_VALIDATE macro b", "Undefined macro 'b2' used in filter.");
    refused(&rule("mm"), "5:14 LOAD_ERR_VALIDATE rule r", "Undefined macro 'mm' used in filter.");
    let near = format!("- macro: spawned\n  condition: evt.type = open\n{}", rule("spwaned and spawned"));
    refused(&near, "7:14 LOAD_ERR_VALIDATE rule r", "did you mean 'spawned'?");
}

#[test]
fn loops_of_macros_are_found() {
    refused(
        "- macro: a\n  condition: not a\n",
        "1:3 LOAD_ERR_VALIDATE macro a",
        "reference loop in macro 'a'",
    );
    let text = "- macro: a\n  condition: proc.name = x\n- macro: b\n  condition: a\n- macro: a\n  condition: or b\n  append: true\n";
    refused(
        &format!("{text}{}", rule("a or b")),
        "3:3 LOAD_ERR_VALIDATE macro b",
        "reference loop in macro 'b'",
    );
}

#[test]
fn what_is_wrong_with_a_macro_is_said_once_and_when_used() {
    let broken = "- macro: m\n  condition: >\n    proc.name = a and\n    no.such = x\n";
    warned(broken, "1:3 LOAD_UNUSED_MACRO macro m", "not referred to");
    let twice = format!(
        "{broken}- macro: n\n  condition: not m\n{}{}",
        rule("m"),
        rule("n").replace("rule: r", "rule: s")
    );
    refused(&twice, "4:5 LOAD_ERR_COMPILE_CONDITION macro m", "nonexistent field no.such (used by rule 'r')");
    refused(
        "- macro: m\n  condition: >\n    a b\n",
        "3:7 LOAD_ERR_COMPILE_CONDITION macro m",
        "unexpected token after 'a'",
    );
}

#[test]
fn what_nobody_uses_is_warned_of() {
    warned("- list: l\n  items: []\n", "1:3 LOAD_UNUSED_LIST list l", "not referred to");
    let (report, _) =
        load(&format!("- list: l\n  items: [open]\n- macro: m\n  condition: evt.type in (l)\n{}", rule("m")));
    assert_eq!(report.warnings, []);
}

fn excepted(exceptions: &str) -> String {
    canonical(&format!(
        "- list: l\n  items: [x, y]\n{}  exceptions: {exceptions}\n",
        rule("evt.type = open or m.n exists").replace(" or m.n exists", "")
    ))
}

#[test]
fn exceptions_become_conditions() {
    for (exceptions, expected) in [
        ("[]", "evt.type = open"),
        ("[{name: e, fields: proc.name}]", "evt.type = open"),
        (
            "[{name: e, fields: proc.name, values: [a, b c]}]",
            "(evt.type = open and not proc.name in (a, \"b c\"))",
        ),
        ("[{name: e, fields: proc.name, values: [l]}]", "(evt.type = open and not proc.name in (x, y))"),
        (
            "[{name: e, fields: fd.name, comps: pmatch, values: [/a]}]",
            "(evt.type = open and not fd.name pmatch (/a))",
        ),
        (
            "[{name: e, fields: fd.name, comps: startswith  anyof , values: [/a]}]",
            "(evt.type = open and not fd.name startswith anyof (/a))",
        ),
        (
            "[{name: e, fields: [proc.name, fd.name], values: [[a, /b], ['c d', '\"e f\"']]}]",
            "(evt.type = open and not ((proc.name = a and fd.name = /b) or (proc.name = \"c d\" and fd.name = \"e f\")))",
        ),
        (
            "[{name: e, fields: [proc.name, fd.name], comps: [in, endswith], values: [[[a, b], c], [l, '(d)']]}]",
            "(evt.type = open and not ((proc.name in (a, b) and fd.name endswith c) or (proc.name in (x, y) and fd.name endswith (d))))",
        ),
        (
            "[{name: e, fields: [proc.name], comps: [in], values: [['(a, b)'], ['c,d']]}]",
            "(evt.type = open and not (proc.name in (a, b) or proc.name in (c, d)))",
        ),
        (
            "[{name: e, fields: proc.name, values: [a]}, {name: f, fields: 'proc.aname[2]', values: [b]}]",
            "(evt.type = open and not proc.name in (a) and not proc.aname[2] in (b))",
        ),
    ] {
        assert_eq!(excepted(exceptions), expected, "{exceptions}");
    }
}

#[test]
fn exceptions_are_appended_to() {
    let text = |more: &str| {
        let base = format!(
            "{}  exceptions: [{{name: e, fields: proc.name, values: [a]}}, {{name: n, fields: fd.name}}]\n",
            rule("evt.type = open")
        );
        format!("{base}- rule: r\n  exceptions: {more}\n  override: {{exceptions: append}}\n")
    };
    let appended = |more: &str| canonical(&text(more));
    assert_eq!(appended("[{name: e, values: [b]}]"), "(evt.type = open and not proc.name in (a, b))");
    assert_eq!(
        appended("[{name: n, values: [/b]}]"),
        "(evt.type = open and not proc.name in (a) and not fd.name in (/b))"
    );
    let new = "[{name: x, fields: [proc.pname], values: [[b]]}]";
    assert_eq!(appended(new), "(evt.type = open and not proc.name in (a) and not proc.pname = b)");
    warned(&text("[{name: e}]"), "8:16 LOAD_APPEND_NO_VALUES rule r", "no values");
    for (more, message) in [
        (
            "[{name: e, fields: proc.name, values: [b]}]",
            "Can not append exception fields to existing exception, only values",
        ),
        (
            "[{name: e, comps: in, values: [b]}]",
            "Can not append exception comps to existing exception, only values",
        ),
        ("[{name: x, values: [b]}]", "must have fields property"),
        ("[{name: x, fields: proc.name}]", "must have values property"),
    ] {
        refused(&text(more), "8:16 LOAD_ERR_VALIDATE rule r", message);
    }
    let replaced = text("[{name: e, fields: fd.name, values: [b]}]")
        .replace("exceptions: append", "exceptions: replace");
    assert_eq!(canonical(&replaced), "(evt.type = open and not fd.name in (b))");
    let invalid = text("[{name: e, fields: fd.name, comps: like}]")
        .replace("exceptions: append", "exceptions: replace");
    refused(&invalid, "8:50 LOAD_ERR_VALIDATE rule r", "'like' is not a supported comparison operator");
}

#[test]
fn exceptions_that_make_no_sense_are_refused() {
    let text = |exception: &str| format!("{}  exceptions:\n    - {exception}\n", rule("evt.type = open"));
    for (exception, column, message) in [
        ("{name: e}", 7, "Rule exception item must have fields property with a list of fields"),
        (
            "{name: e, fields: [proc.name, fd.name], comps: [in]}",
            7,
            "Fields and comps lists must have equal length",
        ),
        (
            "{name: e, fields: [proc.name, fd.name], values: [[a]]}",
            56,
            "Fields and values lists must have equal length",
        ),
        ("{name: e, fields: [proc.name], values: [a]}", 47, "list of tuples"),
        (
            "{name: e, fields: proc.name, values: [[a]]}",
            45,
            "Expected values array to contain a list of strings",
        ),
        ("{name: e, fields: proc.name, comps: [in]}", 7, "Fields and comps must both be strings"),
        ("{name: e, fields: [proc.name], comps: in}", 7, "Fields and comps must both be lists"),
        (
            "{name: e, fields: proc.name, comps: =}",
            7,
            "comps must be one of (in, pmatch, intersects) or a modifier operator",
        ),
        (
            "{name: e, fields: proc.name, comps: in anyof}",
            43,
            "'in anyof' is not a supported comparison operator",
        ),
        ("{name: e, fields: [no.such]}", 26, "'no.such' is not a supported filter field"),
        ("{name: e, fields: [], values: []}", 7, "must have fields property"),
    ] {
        refused(&text(exception), &format!("7:{column} LOAD_ERR_VALIDATE rule r"), message);
    }
    let number = text("{name: e, fields: [fd.num], values: [[x]]}");
    refused(&number, "7:7 LOAD_ERR_COMPILE_CONDITION rule r", "exception 'e': 'x' is no signed number");
    let twice = text("{name: e, fields: fd.name}\n    - {name: e, fields: fd.name}");
    warned(&twice, "8:7 LOAD_EXCEPTION_NAME_NOT_UNIQUE rule r", "'e'");
}

#[test]
fn growth_by_macros_and_lists_is_bounded() {
    let mut macros = String::from("- macro: m0\n  condition: proc.name = x\n");
    let mut lists = String::from("- list: l0\n  items: [x]\n");
    for level in 1..60 {
        let before = level - 1;
        macros.push_str(&format!("- macro: m{level}\n  condition: m{before} or m{before}\n"));
        lists.push_str(&format!("- list: l{level}\n  items: [l{before}, l{before}]\n"));
    }
    let (report, _) = load(&format!("{macros}{}", rule("m59")));
    assert!(report.errors[0].message.contains("more than 2000000 parts"), "{report}");
    let (report, _) = load(&format!("{lists}{}", rule("proc.name in (l59)")));
    assert!(report.errors[0].message.contains("more than 2,000,000 values"), "{report}");
}

#[test]
fn long_chains_of_macros_do_not_overflow() {
    let chain = |length: usize, body: &str| {
        let mut text = String::from("- macro: m0\n  condition: proc.name = x\n");
        for level in 1..=length {
            text.push_str(&format!("- macro: m{level}\n  condition: {body} m{}\n", level - 1));
        }
        format!("{text}{}", rule(&format!("m{length}")))
    };
    assert_eq!(rules(&chain(900, "proc.pname = y and")).len(), 1);
    let (report, _) = load(&chain(20_000, "proc.pname = y and"));
    assert!(report.errors[0].message.contains("nest deeper than 1000"), "{}", report.errors[0]);
    assert_eq!(canonical(&chain(20_000, "")), "proc.name = x");
}

#[test]
fn a_large_list_in_many_rules_loads() {
    let items: Vec<_> = (0..5_000).map(|item| format!("name{item}")).collect();
    let mut text =
        format!("- list: l\n  items: [{}]\n- macro: m\n  condition: proc.name in (l)\n", items.join(", "));
    for number in 0..200 {
        text.push_str(&rule("evt.type = open and m").replace("rule: r", &format!("rule: r{number}")));
    }
    assert_eq!(rules(&text).len(), 200);
}
