use sentinel_event::{Kind, KindSet};

use super::*;

fn check(section: Section, name: &str, available: bool, required: bool) -> Check {
    let (detail, remedy) = (format!("about\n{name}"), format!("do {name}"));
    Check { section, name: name.into(), available, required, detail, remedy }
}

fn report(checks: Vec<Check>) -> Report {
    Report { checks, hooks: None }
}

fn hook(state: HookState) -> HookStatus {
    let kinds: KindSet = [Kind::Exec, Kind::Exit].into_iter().collect();
    HookStatus { program: "exec", hook: "tp_btf/sched_process_exec".into(), kinds, state }
}

#[test]
fn the_exit_code_tells_what_is_in_the_way() {
    use Section::*;
    let code = |checks| report(checks).exit_code();
    assert_eq!(code(vec![check(Kernel, "a", true, true), check(Host, "b", false, false)]), 0);
    assert_eq!(code(vec![check(Configuration, "a", false, true)]), 2);
    assert_eq!(code(vec![check(Configuration, "a", false, true), check(Kernel, "b", false, true)]), 3);
    assert_eq!(Report { checks: Vec::new(), hooks: Some(Err("refused".into())) }.exit_code(), 3);
}

#[test]
fn the_text_is_aligned_and_names_remedies() {
    let checks = vec![
        check(Section::Kernel, "btf", true, true),
        check(Section::Kernel, "tp_btf", false, true),
        check(Section::Host, "bpf", false, false),
    ];
    let hooks = vec![
        hook(HookState::Attached { verified: true }),
        hook(HookState::Idle),
        hook(HookState::Degraded("no\x1b[2J".into())),
    ];
    let text = Report { checks, hooks: Some(Ok(hooks)) }.text(false);
    let expected = "\
kernel
  ok        btf     about\\nbtf
  missing   tp_btf  about\\ntp_btf
                    → do tp_btf
host
  optional  bpf     about\\nbpf
                    → do bpf
configuration
hooks
  verified  exec  tp_btf/sched_process_exec  exec,exit
  idle      exec  tp_btf/sched_process_exec  exec,exit
                  → nothing needs it
  degraded  exec  tp_btf/sched_process_exec  exec,exit
                  → no\\x1b[2J
Sentinel does not work here: tp_btf. See → above.
";
    assert_eq!(text, expected);
}

#[test]
fn the_json_holds_the_same() {
    let report = Report {
        checks: vec![check(Section::Kernel, "btf", true, true), check(Section::Host, "bpf", false, false)],
        hooks: Some(Ok(vec![hook(HookState::Degraded("why".into()))])),
    };
    let value: Value = serde_json::from_str(&report.json()).unwrap();
    assert_eq!(value["works"], true);
    assert_eq!(value["checks"][0]["remedy"], Value::Null);
    assert_eq!(
        (&value["checks"][1]["section"], &value["checks"][1]["remedy"]),
        (&"host".into(), &"do bpf".into())
    );
    assert_eq!(
        value["hooks"][0],
        json!({
            "program": "exec", "hook": "tp_btf/sched_process_exec", "kinds": ["exec", "exit"], "state": "degraded", "reason": "why"
        })
    );
}
