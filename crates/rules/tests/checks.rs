//! Names, types, events and outputs: what fits together and what does not.

#![allow(clippy::panic, clippy::indexing_slicing, reason = "the helpers of a test are part of it")]

mod common;

use common::{load, refused, rule, rules, warned};
use sentinel_rules::language::{Comparand, Condition, EventSet, Literal, Term, Type};

fn accepts(condition: &str) -> bool {
    load(&rule(&format!("'{}'", condition.replace('\'', "''")))).1.is_some()
}

fn says(condition: &str, message: &str) {
    let (report, _) = load(&rule(&format!("'{}'", condition.replace('\'', "''"))));
    let error = report.errors.first().unwrap_or_else(|| panic!("{condition} is accepted"));
    assert_eq!(error.code.name(), "LOAD_ERR_COMPILE_CONDITION", "{error}");
    assert!(error.message.contains(message), "{condition}: {}", error.message);
}

#[test]
fn operators_fit_types() {
    // A field of each class, a constant it takes, and the operators that are legal for it.
    let number = ["=", "==", "!=", "<", "<=", ">", ">="].as_slice();
    let equality = ["=", "==", "!="].as_slice();
    let bytes =
        ["=", "==", "!=", "contains", "startswith", "endswith", "bcontains", "bstartswith"].as_slice();
    let text = ["=", "==", "!=", "contains", "icontains", "startswith", "endswith", "glob", "iglob", "regex"]
        .as_slice();
    let order = ["<", "<=", ">", ">="];
    let all = [number, bytes, text].concat();
    for (field, constant, legal, pmatch) in [
        ("fd.num", "5", number, false),
        ("proc.duration", "5", number, false),
        ("fd.sport", "5", number, false),
        ("proc.fdusage", "5", number, false),
        ("evt.is_open_read", "true", equality, false),
        ("proc.name", "ab", text, true),
        ("fs.path.name", "ab", text, true),
        ("evt.buffer", "ab", bytes, false),
        ("fd.cip", "10.0.0.1", equality, false),
        ("fd.snet", "10.0.0.0/8", equality, false),
        ("fd.types", "ab", &[], false),
    ] {
        for operator in &all {
            let numeric = order.contains(operator) && legal != number;
            // Texts have an order too; the constant that the grammar allows there is a number, taken as text.
            let expected = legal.contains(operator) || (legal == text && order.contains(operator));
            let right = if numeric { "5" } else { constant };
            assert_eq!(accepts(&format!("{field} {operator} {right}")), expected, "{field} {operator}");
            if !order.contains(operator) {
                let listed = format!("{field} {operator} anyof ({constant})");
                assert_eq!(accepts(&listed), expected, "{listed}");
            }
        }
        assert_eq!(accepts(&format!("{field} pmatch ({constant})")), pmatch, "{field} pmatch");
        for operator in ["in", "intersects"] {
            assert!(accepts(&format!("{field} {operator} ({constant})")), "{field} {operator}");
        }
        assert!(accepts(&format!("{field} exists")), "{field} exists");
    }
    // Texts have an order among themselves.
    assert!(accepts("proc.name < val(proc.pname)"));
    says("fd.num contains 5", "'contains' operator not supported for int64 filters");
    says("fd.types = file", "'=' operator not supported for list of string filters");
}

#[test]
fn constants_have_the_type_of_the_left_side() {
    says("fd.num = abc", "'abc' is no signed number of 64 bits");
    says("user.uid in (1, -1)", "'-1' is no unsigned number of 32 bits");
    says("evt.is_open_read = yes", "unrecognized boolean value 'yes'");
    says("fd.sport = nope", "unknown service name 'nope'");
    says("fd.cip = 10.0.0", "unrecognized IPv4 address 10.0.0");
    says("fd.cip = nope", "unrecognized IPv6 address nope");
    says("fd.snet in (10.0.0.1)", "address/prefix");
    says("evt.buffer bcontains abc", "support hex strings only");
    says("proc.name = \"a\\x00b\"", "NUL");
    says("proc.name regex \"(\"", "invalid regular expression");
    says("len(proc.name) = abc", "'abc' is no unsigned number");
    assert!(accepts("evt.buffer contains \"a\\x00b\""));
    assert!(accepts("fd.sport in (ssh, 22)") && !accepts("fd.sport in (ssh, 0x16)"));
    assert!(accepts(&format!("proc.name = {}", "a".repeat(10_000))));
    let parsed = &rules(&rule("fd.snet in (10.0.0.0/8, \"fe80::/10\")"))[0].condition;
    let Condition::Test(test) = parsed else { panic!("{parsed:?}") };
    let net = Literal::Network([10, 0, 0, 0].into(), 8);
    assert!(matches!(&test.right, Comparand::Many(None, values) if values[0] == net), "{:?}", test.right);
}

#[test]
fn fields_take_their_arguments() {
    says("no.such = x", "filter_check called with nonexistent field no.such");
    says("proc.nam = x", "did you mean 'proc.name'?");
    says("proc.name[1] = x", "field 'proc.name' takes no argument");
    says("proc.aname[x] = x", "takes a number as its argument");
    says("container.mount.dest = x", "needs an argument in brackets");
    says("evt.arg = x", "needs an argument");
    says("evt.arg.nope = x", "no event has a parameter called 'nope'");
    says("evt.arg.flags[1] = x", "takes one argument");
    for fine in [
        "proc.aname = x",
        "proc.aname[2] = x",
        "proc.args[0] = x",
        "proc.env[PATH] contains x",
        "evt.arg[1] = x",
        "evt.arg[flags] = x",
        "evt.arg.flags = x",
        "container.mount.dest[/proc*] = x",
        "k8s.pod.label.app = x",
        "k8s.pod.label[app] = x",
        "container.mount[0] = x",
        "evt.rawarg.res < 0",
        "thread.cgroup[cpu] = x",
    ] {
        assert!(accepts(fine), "{fine}");
    }
}

#[test]
fn transformers_have_signatures() {
    for fine in [
        "tolower(proc.name) = x",
        "basename(toupper(fd.name)) startswith x",
        "b64(evt.buffer) bcontains ab",
        "b64(proc.name) = x",
        "len(proc.name) > 3",
        "len(fd.types) > 3",
        "len(evt.buffer) = 0",
        "join(\",\", (proc.name, \"x\")) = x",
        "join(\",\", fd.types) = x",
        "concat(proc.name, \"x\", proc.pname) = y",
        "getopt(proc.args, \"a:\") intersects (a)",
        "getopt(proc.args, \"a:\")[a] = x",
        "proc.name = tolower(proc.pname)",
        "proc.name in (x) and proc.name = val(proc.pname)",
        "fd.sport = val(fd.cport)",
        "fd.types in val(fd.types)",
    ] {
        assert!(accepts(fine), "{fine}");
    }
    says("tolower(fd.num) = x", "transformer 'tolower' takes one string");
    says("tolower(proc.name, \"x\") = x", "takes one string");
    says("len(fd.num) = 1", "takes one string, buffer or list");
    says("concat(proc.name) = x", "takes two strings or more");
    says("join(proc.name, \"x\") = x", "takes a string and a list of strings");
    says("getopt(proc.name, \"a\") in (a)", "takes a list of strings");
    says("getopt(proc.args, \"a:\")[ab] = x", "takes one letter in brackets");
    says("getopt(proc.args, \"a:\") = x", "'=' operator not supported for list of string filters");
    says("tolower(proc.name)[a] = x", "takes no argument in brackets");
    says("join(\",\", (fd.num)) = x", "holds strings only");
    for field in ["fd.sip.name", "fd.ip", "fd.snet", "proc.aname[2]", "fd.proto"] {
        says(&format!("concat({field}, \"x\") = x"), "does not support transformers");
    }
}

#[test]
fn right_sides_fit_left_sides() {
    says(
        "fd.num = val(proc.name)",
        "right-hand side has incompatible type string: the left-hand side has int64",
    );
    says("fd.types in val(proc.name)", "incompatible type string: the left-hand side has list of string");
    says("fd.name pmatch val(proc.name)", "'pmatch' operator does not support right-hand side fields");
    says("fd.name regex val(proc.name)", "'regex' operator does not support right-hand side fields");
    says("fd.snet = val(fd.cip)", "IP network filters do not support");
    says("fd.sip.name = val(proc.name)", "field 'fd.sip.name' doesn't support right-hand side fields");
    says("proc.name = val(proc.aname[2])", "field 'proc.aname[2]' can't be used as a right-hand side field");
    says("evt.type = val(proc.name)", "field 'evt.type' doesn't support");
    says("tolower(evt.type) = open", "field 'evt.type' does not support transformers");
    assert!(accepts("fs.path.name = val(proc.exepath)"));
}

#[test]
fn probable_mistakes_are_warned_of() {
    let at = "5:26 LOAD_COMPILE_CONDITION rule r";
    warned(&rule("proc.name   = proc.pname "), &at.replace("26", "28"), "misused as a const string value");
    warned(&rule("proc.name in (proc.pname)"), &at.replace("26", "28"), "val(proc.pname)");
    warned(&rule("proc.name = \"tolower(proc.pname)\""), at, "transformer misused");
    for (pattern, simpler) in [
        ("abc", "= abc"),
        ("^abc$", "= abc"),
        ("abc.*", "startswith abc"),
        (".*abc", "endswith abc"),
        (".*abc.*", "contains abc"),
    ] {
        warned(&rule(&format!("proc.name regex {pattern}")), &at.replace("26", "30"), simpler);
    }
    let (report, _) =
        load(&rule("evt.type = open and proc.name regex a.c and proc.name = a.b and fd.name = /x"));
    assert_eq!(report.warnings, []);
    let (report, _) = load(&rule("ka.verb = <NA>"));
    assert_eq!(report.warnings[0].code.name(), "LOAD_UNSAFE_NA_CHECK");
}

#[test]
fn deprecated_fields_are_warned_of() {
    warned(
        &rule("evt.type = open and evt.dir=<"),
        "5:34 LOAD_DEPRECATED_ITEM rule r",
        "'evt.dir' is deprecated",
    );
    warned(&rule("evt.type = open and evt.latency > 5"), "5:34 LOAD_DEPRECATED_ITEM rule r", "always 0");
    let output = rule("evt.type = open").replace("output: o", "output: a %container.info");
    warned(&output, "3:14 LOAD_DEPRECATED_ITEM rule r", "'container.info' is deprecated");
    let within = format!("- macro: m\n  condition: evt.dir=<\n{}", rule("evt.type = open and m"));
    warned(&within, "2:14 LOAD_DEPRECATED_ITEM macro m", "evt.dir");
}

fn types(condition: &str) -> Vec<&'static str> {
    rules(&rule(condition))[0].event_types.iter().collect()
}

fn all_types(condition: &str) -> bool {
    rules(&rule(condition))[0].event_types == EventSet::all()
}

#[test]
fn event_types_follow_from_the_condition() {
    assert_eq!(types("evt.type = open"), ["open"]);
    assert_eq!(types("evt.type in (open, openat) and proc.name = x"), ["open", "openat"]);
    assert_eq!(types("evt.type = open or evt.type == close"), ["close", "open"]);
    assert_eq!(types("evt.type in (open, close) and evt.type != open"), ["close"]);
    assert_eq!(types("not (evt.type != open)"), ["open"]);
    assert_eq!(types("evt.type in (open, close) and not evt.type = open"), ["close"]);
    assert_eq!(
        types("evt.type in (open, close) and not (evt.type = open and proc.name = x)"),
        ["close", "open"]
    );
    assert_eq!(types("evt.type in (open, close) and not (evt.type = open or proc.name = x)"), ["close"]);
    assert_eq!(types("evt.type = open and not proc.name = x").len(), 1);
    assert!(all_types("proc.name = x"));
    assert!(all_types("not proc.name = x"));
    assert!(all_types("evt.type exists"));
    assert!(all_types("evt.type = open or proc.name = x"));
    assert!(all_types("evt.type startswith open"));
}

#[test]
fn the_number_of_an_event_makes_constants() {
    assert_eq!(types("evt.num = 0"), Vec::<&str>::new());
    assert_eq!(types("evt.num < 1 and evt.type = open"), Vec::<&str>::new());
    assert!(all_types("evt.num >= 0"));
    assert!(all_types("evt.num > 0"));
    assert!(all_types("not evt.num = 0"));
    assert_eq!(types("evt.type = open and not evt.num = 0"), ["open"]);
    assert_eq!(types("evt.type = open and (evt.num = 0 or proc.name = x)"), ["open"]);
    assert!(all_types("evt.num = 7"));
    let (report, _) = load(&rule("evt.num = 0"));
    assert_eq!(report.warnings, []);
}

#[test]
fn rules_on_too_many_events_are_warned_of() {
    let at = "1:3 LOAD_NO_EVTTYPE rule r";
    warned(&rule("proc.name = x"), at, "too many evt.type values");
    warned(&rule("evt.type != open"), at, "too many evt.type values");
    let quiet = format!("{}  warn_evttypes: false\n", rule("proc.name = x"));
    assert_eq!(load(&quiet).0.warnings, []);
}

#[test]
fn events_must_exist() {
    says("evt.type = opne", "unknown event type opne; did you mean 'open'?");
    says("evt.type in (open, nothing_like_it)", "unknown event type nothing_like_it");
}

#[test]
fn unknown_names_may_drop_the_rule_instead() {
    for condition in ["no.such = x", "evt.type = nope", "evt.arg.nope = x"] {
        let text = format!("{}  skip-if-unknown-filter: true\n", rule(condition));
        let (report, set) = load(&text);
        assert_eq!(report.warnings[0].code.name(), "LOAD_UNKNOWN_FILTER", "{report}");
        assert_eq!(set.expect("only a warning").rules, []);
    }
    let output = format!("{}  skip-if-unknown-filter: true\n", rule("evt.type = open"))
        .replace("output: o", "output: '%no.such'");
    warned(&output, "3:13 LOAD_UNKNOWN_FILTER rule r", "unknown filter: no.such");
    let by_macro =
        format!("- macro: m\n  condition: no.such = x\n{}  skip-if-unknown-filter: true\n", rule("m"));
    warned(&by_macro, "2:14 LOAD_UNKNOWN_FILTER rule r", "in macro 'm'");
    let other = format!("{}  skip-if-unknown-filter: true\n", rule("fd.num = x"));
    refused(&other, "5:23 LOAD_ERR_COMPILE_CONDITION rule r", "no signed number");
}

#[test]
fn outputs_are_checked() {
    let text = |output: &str| rule("evt.type = open").replace("output: o", &format!("output: {output}"));
    let code = "LOAD_ERR_COMPILE_OUTPUT rule r";
    refused(&text("a %no.such b"), &format!("3:14 {code}"), "unknown filter: no.such");
    refused(&text("'100%'"), &format!("3:15 {code}"), "must not end in '%'");
    refused(&text("\"%fd.net\""), &format!("3:13 {code}"), "field 'fd.net' is for conditions only");
    let rule = rules(&text("'*shell %proc.name %proc.aname[2] %proc.name %tolower(proc.exe)'")).remove(0);
    let fields: Vec<_> = rule.output.fields().iter().map(|field| field.text.to_string()).collect();
    assert_eq!(fields, ["proc.name", "proc.aname[2]"]);
}

#[test]
fn terms_know_their_types() {
    let left = |condition: &str| {
        let rule = rules(&rule(condition)).remove(0);
        let Condition::Test(test) = rule.condition else { panic!("{condition}") };
        (matches!(test.left, Term::Call(_)), test.left.ty())
    };
    assert_eq!(left("fd.types in (file)"), (false, (Type::Text, true)));
    assert_eq!(left("fd.types[1] = file"), (false, (Type::Text, false)));
    assert_eq!(left("len(fd.types) = 1"), (true, (Type::U64, false)));
    assert_eq!(left("evt.rawarg.res = 1"), (false, (Type::I64, false)));
    assert_eq!(left("evt.rawarg.path = x"), (false, (Type::Text, false)));
    assert_eq!(left("basename(fs.path.name) = x"), (true, (Type::Path, false)));
}
