//! `sentinel rules` as a user meets it: forms, exit codes, messages.
#![allow(clippy::unwrap_used, clippy::panic, reason = "helpers of a test are part of it")]
#![allow(clippy::indexing_slicing, reason = "JSON values and tests may")]

use std::path::PathBuf;
use std::process::{Command, Output, Stdio};

use serde_json::{Value, json};

fn rules(args: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_sentinel"));
    command.arg("rules").args(args).stdin(Stdio::null()).output().unwrap()
}

fn text(bytes: &[u8]) -> &str {
    std::str::from_utf8(bytes).unwrap()
}

/// Directories of a test's own, with files by name.
struct Dir(tempfile::TempDir);

impl Dir {
    fn with(files: &[(&str, &str)]) -> Self {
        let dir = tempfile::tempdir().unwrap();
        files.iter().for_each(|(name, text)| std::fs::write(dir.path().join(name), text).unwrap());
        Self(dir)
    }

    fn path(&self, name: &str) -> String {
        self.0.path().join(name).display().to_string()
    }
}

const RULES: &str = "\
- list: shells
  items: [sh, bash]
- macro: opens
  condition: evt.type in (open, openat)
- rule: Shell opens
  desc: A shell opens a file.
  condition: opens and proc.name in (shells)
  output: \"%proc.name opened %20fd.name\"
  priority: WARNING
  tags: [shell, fs]
  exceptions:
    - name: known
      fields: [fd.name]
      comps: [startswith]
      values: [[/usr]]
- rule: Off
  desc: d
  condition: evt.type = execve
  output: o
  priority: INFO
  enabled: false
";

const BROKEN: &str =
    "- rule: r\n  desc: d\n  condition: evt.type = open and proc.nmae = x\n  output: o\n  priority: INFO\n";

#[test]
fn every_command_has_help_with_an_example() {
    let help = rules(&["--help"]);
    for command in ["check", "list", "explain", "parse", "fields"] {
        assert!(text(&help.stdout).contains(&format!("\n  {command} ")), "{command}");
        let own = rules(&[command, "--help"]);
        assert_eq!(own.status.code(), Some(0), "{command}");
        assert!(text(&own.stdout).contains("Example"), "{command}");
    }
    for usage in [&["check"][..], &["list"], &["explain"], &["check", "f", "--format", "xml"], &["chek"]] {
        assert_eq!(rules(usage).status.code(), Some(2), "{usage:?}");
    }
}

#[test]
fn check_reports_errors_as_one_json_object_of_fixed_shape() {
    let dir = Dir::with(&[("broken.yaml", BROKEN)]);
    let file = dir.path("broken.yaml");
    let output = rules(&["check", &file, "--format", "json"]);
    assert_eq!(output.status.code(), Some(1));
    let report: Value = serde_json::from_slice(&output.stdout).unwrap();
    let expected = json!({
        "successful": false,
        "errors": [{
            "code": "LOAD_ERR_COMPILE_CONDITION",
            "item_type": "rule",
            "item_name": "r",
            "message": "filter_check called with nonexistent field proc.nmae; did you mean 'proc.name'?",
            "file": file,
            "line": 3,
            "column": 34,
        }],
        "warnings": [],
    });
    assert_eq!(report, expected);
    assert!(text(&output.stdout).starts_with("{\"successful\":false,\"errors\":[{\"code\":"));
    assert_eq!(text(&output.stdout).lines().count(), 1);
}

#[test]
fn check_accepts_warnings() {
    let dir = Dir::with(&[("unused.yaml", "- list: l\n  items: [a]\n")]);
    let output = rules(&["check", &dir.path("unused.yaml"), "--format", "json"]);
    assert_eq!(output.status.code(), Some(0));
    let report: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(report["successful"], true);
    assert_eq!(report["errors"], json!([]));
    assert_eq!(report["warnings"][0]["code"], "LOAD_UNUSED_LIST");
    assert_eq!(report["warnings"][0]["item_type"], "list");
    let plain = rules(&["check", &dir.path("unused.yaml")]);
    assert_eq!(plain.status.code(), Some(0));
    assert!(text(&plain.stdout).ends_with("\nok: 1 file, 0 rules, 0 errors, 1 warning\n"));
}

#[test]
fn check_shows_people_the_line_and_a_caret() {
    let dir = Dir::with(&[("broken.yaml", BROKEN), ("macro.yaml", &BROKEN.replace("proc.nmae = x", "mm"))]);
    let file = dir.path("broken.yaml");
    let output = rules(&["check", &file]);
    assert_eq!(output.status.code(), Some(1));
    let expected = format!(
        "{file}:3:34: LOAD_ERR_COMPILE_CONDITION: rule \"r\": filter_check called with nonexistent field \
         proc.nmae; did you mean 'proc.name'?\n      condition: evt.type = open and proc.nmae = x\n{:>38}\n\
         refused: 1 file, 1 error, 0 warnings\n",
        '^'
    );
    assert_eq!(text(&output.stdout), expected);
    let defined = Dir::with(&[("m.yaml", "- macro: mmm\n  condition: evt.type = open\n")]);
    let near = rules(&["check", &defined.path("m.yaml"), &dir.path("macro.yaml")]);
    assert!(text(&near.stdout).contains("did you mean 'mmm'?"), "{near:?}");
}

#[test]
fn the_shipped_set_and_directories_are_named_like_files() {
    let mine =
        "- rule: mine\n  desc: d\n  condition: sn_started and proc.name = x\n  output: o\n  priority: INFO\n";
    let dir =
        Dir::with(&[("a.yaml", RULES), ("b.yml", "- list: l\n  items: [x]\n"), ("notes.txt", "no rules")]);
    let own = Dir::with(&[("mine.yaml", mine)]);
    // Its macro is the shipped set's.
    assert_eq!(rules(&["check", &own.path("mine.yaml")]).status.code(), Some(1));
    let both = rules(&["list", "builtin", &own.path("mine.yaml")]);
    assert!(text(&both.stdout).ends_with("mine\n") && text(&both.stdout).lines().count() > 30, "{both:?}");
    let found = rules(&["check", dir.0.path().to_str().unwrap()]);
    assert!(found.status.success() && text(&found.stdout).contains("ok: 2 files, "), "{found:?}");
    let empty = Dir::with(&[("notes.txt", "no rules")]);
    let none = rules(&["check", empty.0.path().to_str().unwrap()]);
    assert!(none.status.code() == Some(1) && text(&none.stdout).contains("no *.yaml"), "{none:?}");
}

#[test]
fn files_that_cannot_be_read_are_errors_of_the_report() {
    let dir = Dir::with(&[("good.yaml", RULES)]);
    let latin = dir.path("latin.yaml");
    std::fs::write(&latin, b"- list: l\n  items: [\xe9]\n").unwrap();
    let (missing, good) = (dir.path("missing.yaml"), dir.path("good.yaml"));
    for (file, part) in [
        (missing.as_str(), "No such file"),
        (latin.as_str(), "no UTF-8 from byte 20 on"),
        ("/dev/zero", "larger than"),
    ] {
        let output = rules(&["check", &good, file, "--format", "json"]);
        assert_eq!(output.status.code(), Some(1), "{file}");
        let report: Value = serde_json::from_slice(&output.stdout).unwrap();
        let error = &report["errors"][0];
        assert_eq!((&error["code"], &error["file"]), (&json!("LOAD_ERR_FILE_READ"), &json!(file)));
        assert_eq!((&error["item_type"], &error["line"]), (&json!("file"), &json!(1)));
        assert!(error["message"].as_str().unwrap().contains(part), "{error}");
        assert_eq!(report["errors"].as_array().unwrap().len(), 1);
    }
    for command in ["list", "explain"] {
        let output = rules(&[command, &missing, "--format", "json"]);
        assert_eq!((output.status.code(), output.stdout.len()), (Some(1), 0));
        assert!(text(&output.stderr).contains("LOAD_ERR_FILE_READ"), "{output:?}");
    }
}

#[test]
fn list_is_a_json_array_with_disabled_rules() {
    let dir = Dir::with(&[("rules.yaml", RULES)]);
    let file = dir.path("rules.yaml");
    let output = rules(&["list", &file, "--format", "json"]);
    assert_eq!(output.status.code(), Some(0));
    let expected = json!({
        "id": "shell_opens",
        "name": "Shell opens",
        "desc": "A shell opens a file.",
        "priority": "Warning",
        "severity": "medium",
        "risk_score": 55,
        "recommendation": null,
        "source": "syscall",
        "tags": ["fs", "shell"],
        "enabled": true,
        "capture": false,
        "capture_duration_ms": 0,
        "event_types": ["open", "openat"],
        "file": file,
        "line": 5,
        "column": 3,
        "condition": "((evt.type in (open, openat) and proc.name in (sh, bash)) and not fd.name startswith /usr)",
        "output": "%proc.name opened %20fd.name",
    });
    let listed: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(listed.as_array().unwrap().len(), 2);
    assert_eq!(listed[0], expected);
    assert_eq!((&listed[1]["name"], &listed[1]["enabled"]), (&json!("Off"), &json!(false)));
    let plain = rules(&["list", &file]);
    assert_eq!(text(&plain.stdout), "Warning        Shell opens\nInformational  Off  (disabled)\n");
}

#[test]
fn explain_shows_what_a_rule_has_become() {
    let local = "- list: shells\n  items: [zsh]\n  override: {items: append}\n- rule: Shell opens\n  \
                 condition: and not fd.name = /x\n  priority: CRITICAL\n  override: {condition: append, priority: replace}\n";
    let dir = Dir::with(&[("rules.yaml", RULES), ("local.yaml", local)]);
    let (file, local) = (dir.path("rules.yaml"), dir.path("local.yaml"));
    let output = rules(&["explain", &file, &local, "--rule", "Shell opens"]);
    let expected = format!(
        "Shell opens
  defined        {file}:5
  enabled        yes
  description    A shell opens a file.
  priority       Critical (critical, risk score 95)
  tags           fs, shell
  source         syscall
  event types    open, openat
  condition      ((evt.type in (open, openat) and proc.name in (sh, bash, zsh) and not fd.name = /x) and not fd.name startswith /usr)
  opens needed   for reading: every path
                 for writing: every path
                 that failed
                 where another thread could have swapped the file
                 every path because of: ((evt.type in (open, openat) and proc.name in (sh, bash, zsh) and not fd.name = /x) and not fd.name startswith /usr)
  calls needed   of bash sh zsh: file_open
  output         %proc.name opened %20fd.name
  id             shell_opens
"
    );
    assert_eq!((text(&output.stdout), output.status.code()), (expected.as_str(), Some(0)));
    let all: Value = serde_json::from_slice(&rules(&["explain", &file, "--format", "json"]).stdout).unwrap();
    assert_eq!(all.as_array().unwrap().len(), 2);
    let one = rules(&["explain", &file, "--rule", "Off", "--format", "json"]);
    let one: Value = serde_json::from_slice(&one.stdout).unwrap();
    assert_eq!(one[0]["condition"], "evt.type = execve");
    assert_eq!(one.as_array().unwrap().len(), 1);
}

#[test]
fn explain_tells_which_calls_the_kernel_must_tell_of() {
    let text = "- rule: Out\n  desc: d\n  output: o\n  priority: INFO\n  condition: evt.type = connect and \
                (evt.rawres >= 0 or evt.res = EINPROGRESS)\n- rule: In\n  desc: d\n  output: o\n  priority: INFO\n  \
                condition: evt.type in (accept4, bind) and evt.failed = false\n- rule: Any\n  desc: d\n  output: o\n  \
                priority: INFO\n  condition: evt.type = bind\n";
    let dir = Dir::with(&[("ends.yaml", text)]);
    let file = dir.path("ends.yaml");
    let output = rules(&["explain", &file, "--rule", "In"]);
    assert!(
        self::text(&output.stdout).contains("\n  calls needed   succeeded: accept, bind\n"),
        "{output:?}"
    );
    let output = rules(&["explain", &file, "--rule", "Any"]);
    assert!(!self::text(&output.stdout).contains("calls needed"), "{output:?}");
    let output = rules(&["explain", &file]);
    let together = "All enabled rules together\n  opens needed   none\n  calls needed   succeeded: accept\n                 \
                    succeeded or under way: connect\n";
    assert!(self::text(&output.stdout).ends_with(together), "{}", self::text(&output.stdout));
    let output = rules(&["explain", &file, "--rule", "Out", "--format", "json"]);
    let one: Value = serde_json::from_slice(&output.stdout).unwrap();
    let expected = serde_json::json!({
        "outcomes": ["succeeded", "under way"], "users": ["root", "others"], "places": ["host", "container"],
    });
    assert_eq!(one[0]["calls"]["connect"], expected);
}

#[test]
fn explain_tells_by_whom_where_and_with_which_port_calls_are_needed() {
    let rule = |name: &str, condition: &str| {
        format!("- rule: {name}\n  desc: d\n  output: o\n  priority: INFO\n  condition: {condition}\n")
    };
    let text = [
        rule("Port", "evt.type = connect and fd.sport in (4444, 9001) and user.uid != 0"),
        rule("Shell", "evt.type = connect and proc.name in (sh, bash) and container.id != host"),
        rule("Root", "evt.type = ptrace and user.uid = 0 and container.id = host"),
        rule("Others", "evt.type = mkdirat and not proc.name in (cp, tar)"),
    ];
    let dir = Dir::with(&[("calls.yaml", &text.concat())]);
    let output = rules(&["explain", &dir.path("calls.yaml")]);
    let text = self::text(&output.stdout);
    for line in [
        "\n  calls needed   not by root, port 4444 9001: connect\n",
        "\n  calls needed   in containers, of bash sh: connect\n",
        "\n  calls needed   by root, on the host: ptrace\n",
        "\n  calls needed   not of cp tar: file_mkdir\n",
    ] {
        assert!(text.contains(line), "{line}{text}");
    }
    let together = "\n  calls needed   by root, on the host: ptrace\n                 not of cp tar: file_mkdir\n                 \
                    of bash sh or port 4444 9001: connect\n";
    assert!(text.ends_with(together), "{text}");
    let output = rules(&["explain", &dir.path("calls.yaml"), "--rule", "Shell", "--format", "json"]);
    let one: Value = serde_json::from_slice(&output.stdout).unwrap();
    let expected = serde_json::json!({
        "outcomes": ["succeeded", "under way", "failed"], "users": ["root", "others"], "places": ["container"],
        "comms": {"only": ["bash", "sh"]},
    });
    assert_eq!(one[0]["calls"]["connect"], expected);
}

#[test]
fn an_unknown_rule_is_two_and_names_the_nearest() {
    let dir = Dir::with(&[("rules.yaml", RULES)]);
    for (name, expected) in [
        ("shell open", "error: no rule is called \"shell open\"; did you mean \"Shell opens\"?\n"),
        ("opens", "error: no rule is called \"opens\"; did you mean \"Shell opens\"?\n"),
        ("zebra", "error: no rule is called \"zebra\"; 'sentinel rules list' lists them\n"),
    ] {
        let output = rules(&["explain", &dir.path("rules.yaml"), "--rule", name]);
        assert_eq!((text(&output.stderr), output.status.code()), (expected, Some(2)));
        assert!(output.stdout.is_empty());
    }
}

#[test]
fn control_characters_of_files_do_not_reach_the_terminal() {
    let hostile = "- rule: \"a\\e[31mb\"\n  desc: \"x\\e]0;y\\a\"\n  condition: evt.type = \"o\\x1bpen\"\n  \
                   output: \"\\e[2J %proc.nmae\"\n  priority: INFO\n";
    let good = hostile.replace("\"o\\x1bpen\"", "open").replace("nmae", "name");
    let dir = Dir::with(&[("bad.yaml", hostile), ("good.yaml", &good)]);
    for (command, file) in [
        ("check", "bad.yaml"),
        ("check", "good.yaml"),
        ("list", "good.yaml"),
        ("explain", "good.yaml"),
        ("list", "bad.yaml"),
    ] {
        let output = rules(&[command, &dir.path(file)]);
        assert!(!output.stdout.is_empty() || !output.stderr.is_empty());
        let clean = |bytes: &[u8]| !bytes.iter().any(|byte| matches!(byte, 0x1b | 0x07));
        assert!(clean(&output.stdout) && clean(&output.stderr), "{command} {file}: {output:?}");
    }
}

/// A stock file; none, with a word about it, when the files are not there.
fn stock(name: &str) -> Option<String> {
    let named = std::env::var_os("SENTINEL_FALCO_RULES").map(PathBuf::from);
    let beside = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../../shared/falco-rules");
    let path = named.clone().unwrap_or(beside).join(name);
    if path.is_file() {
        return Some(path.display().to_string());
    }
    assert!(named.is_none(), "SENTINEL_FALCO_RULES is set, but there is no {}", path.display());
    eprintln!("SKIPPED: no {}; set SENTINEL_FALCO_RULES to test the stock rules", path.display());
    None
}

#[test]
fn the_stock_files_are_checked_listed_and_explained() {
    let (Some(stable), Some(incubating)) = (stock("falco_rules.yaml"), stock("falco-incubating_rules.yaml"))
    else {
        return;
    };
    let check = rules(&["check", &stable, &incubating, "--format", "json"]);
    let report: Value = serde_json::from_slice(&check.stdout).unwrap();
    assert_eq!((check.status.code(), &report["successful"]), (Some(0), &json!(true)), "{report}");
    let list = rules(&["list", &stable, &incubating, "--format", "json"]);
    let listed: Value = serde_json::from_slice(&list.stdout).unwrap();
    assert_eq!(listed.as_array().unwrap().len(), 56);
    let name = "Terminal shell in container";
    let explained = rules(&["explain", &stable, "--rule", name]);
    let explained = text(&explained.stdout);
    assert!(
        explained.starts_with(name) && explained.contains("\n  event types    execve, execveat\n"),
        "{explained}"
    );
}
