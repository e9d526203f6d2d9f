use std::sync::Arc;

use proptest::prelude::*;
use sentinel_event::{
    Event, Exec, Exit, FileIo, FileOpen, FileRename, FileUnlink, Head, Loss, LossCause, MmapExec, Process,
    Stage, Text, UserPath,
};

use super::*;

fn seen(body: Body) -> Observation {
    let head = Head { comm: Comm::from("thread"), ..Head::default() };
    let process = Process { comm: "program".into(), ..Process::default() };
    Observation {
        event: Event { head, body },
        process: Some(Arc::new(process)),
        ancestors: Default::default(),
        container_id: None,
        workload: None,
    }
}

fn read(path: &str) -> Body {
    Body::FileRead(FileIo { path: Path::from(path), ..FileIo::default() })
}

fn open(path: &str, asked: &str) -> Body {
    let asked = UserPath { path: asked.into(), ..UserPath::default() };
    Body::FileOpen(FileOpen { path: Path::from(path), asked, ..FileOpen::default() })
}

fn rules(kind: &str, what: &str) -> ForwardRules {
    ForwardRules::parse("r.yaml", &format!("rules: [{{name: a, event: {kind}, match: {what}}}]")).unwrap()
}

#[test]
fn a_rule_takes_what_it_names() {
    let exec = |exe: &str, filename: &str| {
        Body::Exec(Exec { exe: Path::from(exe), filename: filename.into(), ..Exec::default() })
    };
    let rename = |from: &str, to: &str| {
        let name = |path: &str| UserPath { path: path.into(), ..UserPath::default() };
        Body::FileRename(FileRename { from: name(from), to: name(to), flags: 0 })
    };
    let unlink = |asked: &str, used: &str| {
        let second = Some(Box::new(used.into()));
        let target = UserPath { path: asked.into(), second, ..UserPath::default() };
        Body::FileUnlink(FileUnlink { target })
    };
    let mmap = |path: &str| Body::MmapExec(MmapExec { path: Path::from(path), ..MmapExec::default() });
    for (kind, what, body, expected) in [
        ("file_read", "{pathPrefixes: [/etc/pass]}", read("/etc/passwd"), true),
        ("file_read", "{pathPrefixes: [/etc/pass]}", read("/etc/pas"), false),
        ("file_read", "{pathPrefixes: []}", read("/x"), true),
        ("file_write", "{}", read("/x"), false),
        ("file_read", "{comms: [thread]}", read("/x"), true),
        ("file_read", "{comms: [program]}", read("/x"), true),
        ("file_read", "{comms: [prog]}", read("/x"), false),
        ("file_read", "{comms: [thread], pathPrefixes: [/y]}", read("/x"), false),
        ("file_open", "{pathPrefixes: [/etc]}", open("/tmp/decoy", "/etc/shadow"), true),
        ("file_open", "{pathPrefixes: [/etc]}", open("/etc/shadow", "/tmp/decoy"), true),
        ("file_open", "{pathPrefixes: [/etc]}", open("", "/tmp/decoy"), false),
        ("file_open", "{pathPrefixes: [/etc]}", open("", ""), true),
        ("exec", "{pathPrefixes: [/bin]}", exec("/bin/sh", "sh"), true),
        ("exec", "{pathPrefixes: [/bin]}", exec("", "/bin/gone"), true),
        ("exec", "{pathPrefixes: [/bin]}", exec("/usr/bin/sh", "/bin/sh"), false),
        ("file_rename", "{pathPrefixes: [/a]}", rename("/b", "/a"), true),
        ("file_rename", "{pathPrefixes: [/a]}", rename("/a", "/b"), true),
        ("file_rename", "{pathPrefixes: [/a]}", rename("/b", "/c"), false),
        ("file_unlink", "{pathPrefixes: [/run]}", unlink("/var/run/x", "/run/x"), true),
        ("file_unlink", "{pathPrefixes: [/var]}", unlink("/var/run/x", "/run/x"), true),
        ("file_unlink", "{pathPrefixes: [/etc]}", unlink("/var/run/x", "/run/x"), false),
        ("mmap_exec", "{pathPrefixes: [/]}", mmap(""), false),
        ("mmap_exec", "{pathPrefixes: [/]}", mmap("/lib/x.so"), true),
        ("exit", "{pathPrefixes: [/]}", Body::Exit(Exit::default()), false),
        ("exit", "{comms: [thread]}", Body::Exit(Exit::default()), true),
    ] {
        let shown = format!("{kind} {what} {body:?}");
        assert_eq!(rules(kind, what).matches(&seen(body)), expected, "{shown}");
    }
}

#[test]
fn a_path_without_its_top_cannot_be_ruled_out() {
    for (flag, expected) in [(PathFlags::CUT, true), (PathFlags::DETACHED, true), (PathFlags::DELETED, false)]
    {
        let path = Path { bytes: "deep/file".into(), flags: flag };
        let body = Body::FileRead(FileIo { path, ..FileIo::default() });
        assert_eq!(rules("file_read", "{pathPrefixes: [/etc]}").matches(&seen(body)), expected);
    }
}

#[test]
fn a_long_name_is_compared_as_the_kernel_keeps_it() {
    let mut event = seen(read("/x"));
    event.event.head.comm = Comm::from("a name of many letters");
    assert!(rules("file_read", "{comms: [a name of many letters]}").matches(&event));
}

#[test]
fn losses_are_forwarded_whatever_the_rules_say() {
    let loss = Loss { stage: Stage::Ring, cause: LossCause::Full, kind: None, count: 1 };
    let none = ForwardRules::parse("r", "rules: []").unwrap();
    assert!(none.matches(&seen(Body::Loss(loss))));
    assert!(!none.matches(&seen(read("/x"))));
    assert_eq!(none.kinds().iter().collect::<Vec<_>>(), [Kind::Loss]);
}

#[test]
fn the_default_is_every_read_and_write() {
    for text in ["", "# nothing\n", "{}"] {
        assert_eq!(ForwardRules::parse("r", text).unwrap(), ForwardRules::default());
    }
    let kinds: Vec<_> = ForwardRules::default().kinds().iter().collect();
    assert_eq!(kinds, [Kind::FileRead, Kind::FileWrite, Kind::Loss]);
    assert!(ForwardRules::default().matches(&seen(read(""))));
}

#[test]
fn a_disabled_rule_does_nothing_but_is_checked() {
    let text = "rules: [{name: a, enabled: false, event: file_read}]";
    assert!(!ForwardRules::parse("r", text).unwrap().matches(&seen(read("/x"))));
    assert!(ForwardRules::parse("r", "rules: [{name: a, enabled: false, event: nothing}]").is_err());
}

#[test]
fn errors_name_file_key_value_and_remedy() {
    for (text, message) in [
        ("rules: 5", "r.yaml: rules: expected a list of rules, found 5; `[]` forwards nothing"),
        ("rule: []", "r.yaml: top level: unknown key \"rule\"; did you mean \"rules\"? (known: rules)"),
        ("[]", "r.yaml: top level: expected keys (rules), found a list"),
        ("rules: [{event: exec}]", "r.yaml: rules[0].name: missing; give the rule a name of its own"),
        (
            "rules: [{name: a, event: exec}, {name: a, event: exit}]",
            "r.yaml: rules[1].name: \"a\" is already the name of another rule",
        ),
        ("rules: [{name: a}]", "r.yaml: rules[0].event: missing; name an event kind, e.g. file_read"),
        (
            "rules: [{name: a, event: file_reads}]",
            "r.yaml: rules[0].event: \"file_reads\" is no event kind; did you mean \"file_read\"?",
        ),
        (
            "rules: [{name: a, event: exec, enabled: 1}]",
            "r.yaml: rules[0].enabled: expected true or false, found 1",
        ),
        (
            "rules: [{name: a, event: exec, match: {pathPrefix: [/]}}]",
            "r.yaml: rules[0].match: unknown key \"pathPrefix\"; did you mean \"pathPrefixes\"? (known: pathPrefixes, comms)",
        ),
        (
            "rules: [{name: a, event: exec, match: {comms: sh}}]",
            "r.yaml: rules[0].match.comms: expected a list, found \"sh\"; write [\"sh\"]",
        ),
        (
            "rules: [{name: a, event: exec, match: {comms: [7]}}]",
            "r.yaml: rules[0].match.comms[0]: expected some text, found 7",
        ),
        (
            "rules: [{name: a, condition: evt.type = open}]",
            "r.yaml: rules[0].condition: conditions come with the rule engine in a later version; until then use \
             `event` and `match`",
        ),
    ] {
        assert_eq!(ForwardRules::parse("r.yaml", text).unwrap_err().to_string(), message);
    }
    let broken = ForwardRules::parse("r.yaml", "rules: [").unwrap_err().to_string();
    assert!(broken.starts_with("r.yaml: ") && broken.contains("line 2"), "{broken}");
}

proptest! {
    #[test]
    fn a_prefix_is_a_prefix_and_nothing_else(prefix in "/[a-z/.]{0,6}", path in prop::collection::vec(any::<u8>(), 1..12)) {
        let rules = rules("file_read", &format!("{{pathPrefixes: [{prefix:?}]}}"));
        let io = FileIo { path: Path { bytes: Text::from(path.clone()), ..Path::default() }, ..FileIo::default() };
        prop_assert_eq!(rules.matches(&seen(Body::FileRead(io))), path.starts_with(prefix.as_bytes()));
        let longer = FileIo { path: Path::from(format!("{prefix}x").as_str()), ..FileIo::default() };
        prop_assert!(rules.matches(&seen(Body::FileRead(longer))));
    }

    #[test]
    fn more_rules_never_forward_less(one in "/[a-c]{0,2}", other in "/[a-c]{0,2}", path in "/[a-c]{0,3}") {
        let text = |rules: &[&str]| {
            let rules: Vec<_> = rules.iter().enumerate()
                .map(|(at, prefix)| format!("{{name: r{at}, event: file_read, match: {{pathPrefixes: [{prefix:?}]}}}}"))
                .collect();
            ForwardRules::parse("r", &format!("rules: [{}]", rules.join(", "))).unwrap()
        };
        let event = seen(read(&path));
        prop_assert_eq!(
            text(&[&one, &other]).matches(&event),
            text(&[&one]).matches(&event) || text(&[&other]).matches(&event)
        );
    }

    #[test]
    fn no_text_panics(text in any::<String>()) {
        let _ = ForwardRules::parse("r", &text);
        let _ = ForwardRules::parse("r", &format!("rules: [{text}]"));
    }
}

#[test]
fn what_is_forwarded_is_in_the_plan_of_calls() {
    let text = "rules: [{name: a, event: file_mkdir, match: {comms: [cp]}}, \
                {name: b, event: file_mkdir, match: {comms: [tar], pathPrefixes: [/etc]}}, \
                {name: c, event: connect}, {name: d, event: bind, match: {comms: [nc]}}, {name: e, event: bind}, \
                {name: f, event: listen, enabled: false}]";
    let plan = ForwardRules::parse("r.yaml", text).unwrap().calls();
    let comms = ["cp", "tar"].map(Comm::from).into();
    let expected = Named { comms: Comms::Only(comms), ..Named::default() };
    assert_eq!(plan.named(Kind::FileMkdir), Some(&expected));
    for setting in Setting::all() {
        assert!(plan.has_all(Kind::Connect, setting) && plan.has_all(Kind::Bind, setting));
        assert!(plan.kinds(setting).contains(Kind::FileMkdir) && !plan.kinds(setting).contains(Kind::Listen));
    }
}
