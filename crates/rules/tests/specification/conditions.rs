//! Conditions as text: forms that are rare.

use sentinel_rules::language::parse_condition;

use crate::common::{load, rule, rules};

fn canonical(text: &str) -> String {
    parse_condition(text).unwrap_or_else(|error| panic!("{text}: {error}")).canonical()
}

#[test]
fn letters_are_not_alike_in_both_cases() {
    for text in
        ["a AND b", "a Or b", "NOT a", "a.b CONTAINS x", "a.b In (x)", "a.b Exists", "ToLower(a.b) = x"]
    {
        assert!(parse_condition(text).is_err(), "{text}");
    }
    let wrong = load(&rule("PROC.name = x")).0;
    assert!(wrong.errors[0].message.contains("nonexistent field PROC.name"), "{wrong}");
    assert_eq!(canonical("Not"), "Not", "a macro of that name");
}

#[test]
fn numbers_end_where_no_number_can_go_on() {
    assert_eq!(canonical("a.b < 0XfF"), "a.b < 0XfF");
    assert_eq!(canonical("a.b >= +7."), "a.b >= +7.");
    assert_eq!(canonical("a.b <-1.25E-3"), "a.b < -1.25E-3");
    // An exponent without a sign, a hexadecimal number without digits, a number without digits before the point.
    for (text, column) in
        [("a.b < 1e3", 8), ("a.b < 0x", 8), ("a.b < 5s", 8), ("a.b < .5", 7), ("a.b < -", 7)]
    {
        let error = parse_condition(text).expect_err(text);
        assert_eq!((error.line, error.column, error.offset), (1, column, column - 1), "{text}: {error}");
    }
}

#[test]
fn names_of_fields_and_macros_have_their_letters() {
    for text in ["a_1.b_2.C3 exists", "a.b.c.d.e exists", "m_1"] {
        assert_eq!(canonical(text), text);
    }
    for text in ["_a", "1a", "a-b", "a.1b exists", "a._b exists", "a..b exists", ".a exists", "a. exists"] {
        assert!(parse_condition(text).is_err(), "{text}");
    }
}

#[test]
fn an_argument_may_hold_what_would_end_a_word() {
    for text in ["a.b[x,y] exists", "a.b[(x)] exists"] {
        assert_eq!(canonical(text), text);
    }
    assert_eq!(canonical("a.b[x=y] exists"), "a.b[\"x=y\"] exists");
    assert!(parse_condition("a.b[x[y]] exists").is_err() && parse_condition("a.b[\"x\"y] exists").is_err());
}

#[test]
fn a_word_is_a_modifier_only_before_a_list_or_a_name() {
    assert_eq!(canonical("a.b = oneof android"), "a.b = oneof android");
    assert_eq!(canonical("a.b = oneofx"), "a.b = oneofx");
    for text in ["a.b in anyof (x)", "a.b pmatch allof (x)", "a.b intersects oneof (x)", "a.b < anyof (1)"] {
        assert!(parse_condition(text).is_err(), "{text}");
    }
    // Without a blank behind it, it is the constant.
    assert_eq!(parse_condition("a.b = anyof(x)").expect_err("a list").column, 12);
    // `not` cannot be a name: the word before it is the constant, and nothing may follow that.
    assert_eq!(parse_condition("a.b = allof not x").expect_err("two conditions").column, 13);
}

#[test]
fn quotes_of_either_kind_hold_the_other() {
    for (text, expected) in [
        (r#"a.b = '\x41\'\/'"#, r#"a.b = "A'/""#),
        (r#"a.b = """#, "a.b = "),
        (r#"a.b in ('', "")"#, "a.b in (, )"),
        (r#"a.b = "\ "x"#, ""),
    ] {
        match expected {
            "" => assert!(parse_condition(text).is_err(), "{text}"),
            _ => assert_eq!(canonical(text), expected, "{text}"),
        }
    }
}

#[test]
fn a_name_on_the_right_is_a_text() {
    let set = rules(&rule("proc.name = proc.pname and evt.type = open"));
    assert_eq!(set[0].condition.canonical(), "(proc.name = proc.pname and evt.type = open)");
    assert!(parse_condition("a.b in (val(c.d))").is_err(), "a list holds constants");
    assert!(parse_condition("a.b in (tolower(c.d))").is_err());
}

#[test]
fn an_event_named_twice_is_not_named_exactly_once() {
    let types = |condition: &str| rules(&rule(condition))[0].event_types.iter().collect::<Vec<_>>();
    assert_eq!(types("evt.type = oneof (open, close)"), ["close", "open"]);
    assert_eq!(types("evt.type in (open, close) and not evt.type = oneof (open, close)"), [""; 0]);
    // The second is false on an open, so its negation is true there.
    assert_eq!(types("evt.type in (open, close) and not evt.type = oneof (open, open)"), ["close", "open"]);
}
