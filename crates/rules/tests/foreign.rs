//! A rule file of another house, in the manners of older Falco versions: it must load, and mean what it says.
#![allow(
    clippy::panic,
    clippy::expect_used,
    clippy::indexing_slicing,
    reason = "helpers of a test are part of it"
)]

#[path = "eval/build.rs"]
mod build;

use build::{below, contained, exec, fired, open};
use sentinel_rules::language::{
    RuleSet,
    eval::{Engine, Matching, Selection},
};

/// Old manners: a number as version, directions, `append`, `source`, trailing `.`-arguments, lists of lists, names with
/// blanks, tabs, folded and literal blocks, anchors, a rule for a source that is not ours.
const FOREIGN: &str = r#"---
- required_engine_version: 11

- list: house_shells
  items: [bash, "sh", 'ash']
- list: house shells with more
  items: [house_shells, busybox]

- macro: house_exec
  condition: evt.type = execve and evt.dir = <
- macro: house_write
  condition: >-
    (evt.type=open or evt.type=openat) and evt.is_open_write=true
      and fd.typechar='f' and fd.num>=0
- macro: never_here
  condition: (evt.num=0)

- rule: House - Shell below a web server
  desc: |
    A web server starts
    a shell.
  condition: house_exec and proc.name in (house shells with more) and
    (proc.pname startswith nginx or proc.aname[2]=nginx) and not never_here
  output: "Shell below a web server (user=%user.name cmd=%proc.cmdline parent=%proc.pname gp=%proc.aname[2] image=%container.image.repository:%container.image.tag)"
  priority: critical
  tags: [process, mitre_execution]
  source: syscall

- rule: House - Write below binary dir
  desc: writes
  condition: house_write and fd.directory in (/bin, /usr/bin) and not proc.name in (dpkg)
  output: >
    File below a binary directory written
    (file=%fd.name flags=%evt.arg.flags)
  priority: ERROR
  warn_evttypes: False
  exceptions:
  - name: proc_file
    fields: [proc.name, fd.name]
    comps: [=, startswith]
    values:
    - [updater, /usr/bin/up]
- rule: House - Write below binary dir
  append: true
  exceptions:
  - name: proc_file
    values: [[installer, /usr/bin/inst]]
- macro: house_write
  append: true
  condition: and not fd.name endswith .tmp

- rule: House - Cloud login
  desc: of a plugin
  condition: ct.name = ConsoleLogin
  output: login
  priority: INFO
  source: aws_cloudtrail
- rule: House - Off
  desc: off
  condition: evt.type in (rename) and fd.name != ""
  output: o
  priority: DEBUG
  enabled: false
"#;

fn engine() -> Engine {
    let (report, set) = RuleSet::load(&[("foreign.yaml", FOREIGN)]);
    assert_eq!(report.errors.len(), 0, "{report}");
    let all = Selection { matching: Matching::All, ..Selection::default() };
    Engine::new(set.unwrap_or_else(|| panic!("{report}")), &all)
}

#[test]
fn it_loads_and_names_its_events() {
    let engine = engine();
    let rules: Vec<_> = engine
        .rules()
        .iter()
        .map(|rule| (rule.name.as_str(), rule.event_types.iter().collect::<Vec<_>>().join(" ")))
        .collect();
    let expected = [
        ("House - Shell below a web server", "execve".to_owned()),
        ("House - Write below binary dir", "open openat".to_owned()),
    ];
    assert_eq!(rules, expected);
}

#[test]
fn its_rules_fire_on_what_they_describe_and_not_on_its_twin() {
    let engine = engine();
    let mut shell = below(contained(exec("sh", &["sh", "-c", "id"])), "nginx");
    shell.event.head.syscall = build::call(libc::SYS_execve);
    assert_eq!(fired(&engine, &shell), ["House - Shell below a web server"]);
    assert_eq!(fired(&engine, &below(shell, "make")), [""; 0]);
    let write = |path: &str, name: &str| build::called(open(path, libc::O_WRONLY), name);
    assert_eq!(fired(&engine, &write("/usr/bin/x", "cp")), ["House - Write below binary dir"]);
    for (path, name) in [
        ("/usr/bin/x.tmp", "cp"),
        ("/usr/lib/x", "cp"),
        ("/usr/bin/x", "dpkg"),
        ("/usr/bin/update", "updater"),
        ("/usr/bin/install", "installer"),
    ] {
        assert_eq!(fired(&engine, &write(path, name)), [""; 0], "{path} by {name}");
    }
    assert_eq!(fired(&engine, &write("/usr/bin/other", "updater")), ["House - Write below binary dir"]);
}
