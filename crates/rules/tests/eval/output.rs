//! What alerts say.

use std::sync::Arc;

use sentinel_event::{Body, Executable, Observation};
use sentinel_rules::language::{
    Additions, AppendOutput, ExtraField,
    eval::{Alert, Engine, Matching, Memory, Node, Selection},
};
use serde_json::{Value, json};

use super::build::*;

const OUTPUT: &str = "%proc.name read %fd.name as %user.uid (%proc.pname, %proc.aname[2], %proc.aname[9]) \
    %toupper(proc.name) %evt.is_open_read %fd.num";

fn alert(output: &str, event: &Observation, render: fn(&Alert<'_>, &mut Vec<u8>)) -> Vec<u8> {
    let text = "- rule: A rule\n  desc: d\n  priority: ERROR\n  tags: [b, a]\n  recommendation: look\n  \
        condition: evt.type exists\n  output: '"
        .to_owned()
        + output
        + "'\n";
    let node = Node { hostname: "node-1".into(), utc_offset_s: 3600 };
    let engine = Engine::new(load(&text), &Selection::default()).with_node(node);
    let mut out = Vec::new();
    engine.evaluate(event, &mut Memory::default(), &mut |alert| render(&alert, &mut out));
    out
}

#[test]
fn templates_are_filled_padded_and_cut() {
    let event = open("/etc/shadow", libc::O_RDONLY);
    for (output, expected) in [
        (OUTPUT, "cat read /etc/shadow as 1000 (bash, sshd, <NA>) CAT true 3"),
        ("*%proc.name", "cat"),
        ("[%8proc.name]", "[cat     ]"),
        ("[%2proc.name]", "[ca]"),
        ("[%3container.image.id]", "[<NA]"),
        ("%proc.aname", "bash sshd"),
        ("%user.loginuid %proc.tty %container.id", "-1 0 host"),
        ("%evt.arg.flags|%evt.arg.fd|%evt.arg[2]", "O_RDONLY|<f>/etc/shadow|/etc/shadow"),
        ("%evt.args", "fd=<f>/etc/shadow name=/etc/shadow flags=O_RDONLY mode=0 dev=8 ino=77"),
    ] {
        assert_eq!(rendered(output, &event), expected, "{output}");
    }
    assert_eq!(rendered("%fd.sip %fd.name", &connect("::1", 9)), "::1 fd00::5:40000->::1:9");
}

#[test]
fn a_file_name_cannot_forge_a_line() {
    let mut event = open("", libc::O_RDONLY);
    let Body::FileOpen(body) = &mut event.event.body else { panic!() };
    body.path.bytes = b"/tmp/a\n00:00:00: Critical \"x\\\x1b[2J\xff".to_vec().into();
    let text = alert("%fd.name", &event, |alert, out| alert.text(out));
    let expected =
        r#"23:13:20.123456789: Error /tmp/a\n00:00:00: Critical \"x\\\u001b[2J"#.to_owned() + "\u{fffd}";
    assert_eq!(String::from_utf8(text).unwrap(), expected);
}

#[test]
fn falcos_object_has_its_keys_sorted_and_its_fields_typed() {
    let event = open("/etc/shadow", libc::O_RDONLY);
    let text = String::from_utf8(alert(OUTPUT, &event, |alert, out| alert.falco_json(out))).unwrap();
    let message = "cat read /etc/shadow as 1000 (bash, sshd, <NA>) CAT true 3";
    let expected = json!({
        "hostname": "node-1",
        "message": message,
        "output": format!("23:13:20.123456789: Error {message}"),
        "output_fields": {
            "evt.is_open_read": true,
            "evt.time": NOW,
            "fd.name": "/etc/shadow",
            "fd.num": 3,
            "proc.aname[2]": "sshd",
            "proc.aname[9]": null,
            "proc.name": "cat",
            "proc.pname": "bash",
            "user.uid": 1000,
        },
        "priority": "Error",
        "rule": "A rule",
        "source": "syscall",
        "tags": ["a", "b"],
        "time": "2023-11-14T22:13:20.123456789Z",
    });
    assert_eq!(serde_json::from_str::<Value>(&text).unwrap(), expected);
    let keys =
        ["hostname", "message", "output", "output_fields", "priority", "rule", "source", "tags", "time"];
    let places: Vec<_> = keys.iter().map(|key| text.find(&format!("\"{key}\":")).unwrap()).collect();
    assert!(places.is_sorted(), "{text}");
}

#[test]
fn sentinels_object_has_what_the_contract_names() {
    let event = contained(connect("203.0.113.9", 4444));
    let text = alert("%proc.name to %fd.name", &event, |alert, out| alert.sentinel_json(out));
    let value: Value = serde_json::from_slice(&text).unwrap();
    let expected = json!({
        "rule_id": "a_rule",
        "severity": "high",
        "risk_score": 80,
        "reason": "cat to 10.0.0.5:40000->203.0.113.9:4444",
        "recommendation": "look",
        "event": {
            "PID": 300, "TID": 300, "PPID": 200, "UID": 1000, "GID": 1000, "EUID": 1000, "CgroupID": 0,
            "ExecID": "0000000000000000-300-300000000-0",
            "Comm": "cat", "Filename": "", "EventType": "connect", "Syscall": "connect", "Result": 0,
            "DstIP": "203.0.113.9", "DstPort": 4444, "Proto": 6,
        },
        "container": {"id": "0123456789abcdef0123456789abcdef", "name": "", "runtime": "", "image": ""},
        "pod": {"name": "", "namespace": "", "node": "node-1"},
        "timestamp": "2023-11-14T22:13:20.123456789Z",
        "addr": "203.0.113.9:4444",
        "lineage": [
            {"pid": 200, "name": "bash", "exe": "/usr/bin/bash", "cmdline": "bash"},
            {"pid": 100, "name": "sshd", "exe": "/usr/sbin/sshd", "cmdline": "sshd -D"},
        ],
        "rule": "A rule",
        "tags": ["a", "b"],
        "output_fields": {
            "evt.time": NOW,
            "fd.name": "10.0.0.5:40000->203.0.113.9:4444",
            "proc.name": "cat",
        },
    });
    assert_eq!(value, expected);
}

#[test]
fn an_ancestor_is_told_with_what_is_known_of_its_start() {
    let mut event = contained(connect("203.0.113.9", 4444));
    let mut parent = (*process(200, "drop", "/memfd:drop", &["drop", &"x".repeat(5000)])).clone();
    parent.cwd = "/dev/shm".into();
    parent.executable = Some(Executable { memfd: true, upper_layer: true, ..Executable::default() });
    event.ancestors = [Arc::new(parent)].into();
    let text = alert("%proc.name", &event, |alert, out| alert.sentinel_json(out));
    let value: Value = serde_json::from_slice(&text).unwrap();
    let told = &value["lineage"][0];
    assert_eq!(
        (&told["cwd"], &told["memfd"], &told["upper_layer"]),
        (&json!("/dev/shm"), &json!(true), &json!(true))
    );
    assert_eq!(told["cmdline"], format!("drop {}", "x".repeat(507)), "at most 512 bytes");
}

#[test]
fn an_owned_alert_has_every_form_and_the_events_main_fields() {
    let rules = "- rule: A rule\n  desc: d\n  priority: ERROR\n  risk_score: 85\n  output: 'saw %proc.name'\n  \
        condition: evt.type exists\n";
    let engine = Engine::new(load(rules), &Selection::default());
    let owned = |event: &Observation| {
        let mut owned = Vec::new();
        engine.evaluate(event, &mut Memory::default(), &mut |alert| {
            let mut forms = [Vec::new(), Vec::new(), Vec::new()];
            alert.sentinel_json(&mut forms[0]);
            alert.falco_json(&mut forms[1]);
            alert.text(&mut forms[2]);
            let alert = alert.owned("an id".to_owned());
            assert_eq!(
                [&alert.sentinel_json, &alert.falco_json, &alert.text],
                [&forms[0], &forms[1], &forms[2]]
            );
            owned.push(alert);
        });
        owned.pop().expect("it matches")
    };
    let alert = owned(&contained(open("/etc/a\nb", libc::O_RDONLY)));
    assert_eq!(
        (alert.id.as_str(), alert.time_ns, &*alert.rule_id, &*alert.rule),
        ("an id", NOW, "a_rule", "A rule")
    );
    assert_eq!((alert.priority.name(), alert.severity.name(), alert.risk_score), ("Error", "high", 85));
    assert_eq!(alert.reason, "saw cat");
    let expected = [
        ("PID", "300"),
        ("TID", "300"),
        ("PPID", "200"),
        ("UID", "1000"),
        ("GID", "1000"),
        ("EUID", "1000"),
        ("COMM", "cat"),
        ("EXE", "/usr/bin/cat"),
        ("PARENT", "bash"),
        ("FILENAME", "/etc/a\nb"),
        ("CONTAINER_ID", "0123456789abcdef0123456789abcdef"),
        ("EVENT_TYPE", "file_open"),
        ("SYSCALL", "openat"),
        ("RESULT", "3"),
    ];
    assert_eq!(alert.fields, expected.map(|(name, value)| (name, value.into())));
    let alert = owned(&connect("10.1.2.3", 4444));
    let last = alert.fields.iter().rev().take(2).map(|(name, value)| (*name, value.to_string()));
    let end = [("DST_PORT", "4444".to_owned()), ("DST_IP", "10.1.2.3".to_owned())];
    assert_eq!(last.collect::<Vec<_>>(), end);
}

#[test]
fn configuration_adds_texts_fields_and_constants() {
    let rules = ["one", "two"].map(|name| {
        format!("- rule: {name}\n  desc: d\n  priority: INFO\n  tags: [a, {name}]\n  output: 'saw %proc.name'\n  condition: evt.type exists\n")
    });
    let mut set = load(&rules.concat());
    let additions = Additions {
        append_output: vec![
            AppendOutput {
                tags: ["a", "one"].map(Into::into).into(),
                extra_output: Some("of %proc.pname".into()),
                extra_fields: vec![
                    ExtraField::Field("proc.pid".into()),
                    ExtraField::Template { name: "both".into(), template: "%proc.name/%proc.pid".into() },
                ],
                ..AppendOutput::default()
            },
            AppendOutput { rule: Some("two".into()), suggested_output: true, ..AppendOutput::default() },
            AppendOutput {
                source: Some("other".into()),
                extra_output: Some("never".into()),
                ..AppendOutput::default()
            },
        ],
        static_fields: [("site".to_owned(), "a \"quoted\" one".to_owned())].into(),
    };
    set.add(&additions).unwrap();
    let engine = Engine::new(set, &Selection { matching: Matching::All, ..Selection::default() });
    let mut seen = Vec::new();
    engine.evaluate(&open("/x", libc::O_RDONLY), &mut Memory::default(), &mut |alert| {
        let (mut message, mut json) = (Vec::new(), Vec::new());
        alert.message(&mut message);
        alert.falco_json(&mut json);
        let fields = serde_json::from_slice::<Value>(&json).unwrap()["output_fields"].clone();
        seen.push((String::from_utf8(message).unwrap(), fields));
    });
    let site = "a \"quoted\" one";
    let expected = json!({"both": "cat/300", "evt.time": NOW, "proc.name": "cat", "proc.pid": 300, "proc.pname": "bash", "static.site": site});
    assert_eq!(seen[0], ("saw cat of bash".to_owned(), expected));
    assert!(
        seen[1].0.starts_with("saw cat container_id=host container_name=host container_image"),
        "{}",
        seen[1].0
    );
    assert_eq!(seen[1].1["static.site"], site);

    let refused = |one: AppendOutput| {
        let additions = Additions { append_output: vec![one], ..Additions::default() };
        load(&rules.concat()).add(&additions).unwrap_err().to_string()
    };
    let wrong = refused(AppendOutput { extra_output: Some("%proc.nmae".into()), ..AppendOutput::default() });
    assert!(wrong.starts_with("append_output[0].extra_output: \"%proc.nmae\": "), "{wrong}");
    let fields = vec![ExtraField::Field("proc.name and more".into())];
    let wrong = refused(AppendOutput { extra_fields: fields, ..AppendOutput::default() });
    assert!(wrong.contains("extra_fields[0]") && wrong.contains("not one field"), "{wrong}");
}
