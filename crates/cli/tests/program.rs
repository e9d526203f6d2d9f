//! The program as a user meets it, without privileges.
#![allow(clippy::unwrap_used, reason = "a test may fail by panicking; helpers are not seen as tests")]

use std::process::{Command, Output, Stdio};

fn sentinel(args: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_sentinel"));
    command
        .args(args)
        .env_remove("NO_COLOR")
        .env_remove("SENTINEL_LOG")
        .stdin(Stdio::null())
        .output()
        .unwrap()
}

fn text(bytes: &[u8]) -> &str {
    std::str::from_utf8(bytes).unwrap()
}

/// Whether a program is installed.
fn have(program: &str) -> bool {
    let paths = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&paths).any(|dir| dir.join(program).is_file())
}

fn fed(program: &str, args: &[&str], input: &[u8]) -> Output {
    let mut child = Command::new(program)
        .args(args)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    std::io::Write::write_all(&mut child.stdin.take().unwrap(), input).unwrap();
    child.wait_with_output().unwrap()
}

#[test]
fn help_names_every_command_and_each_has_an_example() {
    let help = sentinel(&["--help"]);
    assert_eq!(help.status.code(), Some(0));
    for command in ["run", "doctor", "decode", "replay", "tail", "rules", "completions", "man"] {
        assert!(text(&help.stdout).contains(&format!("\n  {command} ")), "{command}");
        let own = sentinel(&[command, "--help"]);
        assert!(text(&own.stdout).contains(&format!("sentinel {command}")), "{command}");
        assert!(text(&own.stdout).contains("Example"), "{command}");
    }
}

#[test]
fn wrong_usage_is_two_and_names_the_nearest() {
    let cases = [
        (&["runn"][..], "'run'"),
        (&["run", "--event", "exce"], "'exec'"),
        (&["run", "--event", "exec", "--forward", "r"], "cannot be used with"),
        (&["run", "--no-rules", "--rules", "r"], "cannot be used with"),
        (&["completions", "tcsh"], "bash"),
    ];
    for (args, hint) in cases {
        let output = sentinel(args);
        assert_eq!(output.status.code(), Some(2), "{args:?}");
        assert!(
            text(&output.stderr).starts_with("error: ") && text(&output.stderr).contains(hint),
            "{args:?}"
        );
    }
}

#[test]
fn wrong_files_are_two_and_say_what_to_do() {
    let dir = tempfile::tempdir().unwrap();
    let file = |name: &str, text: &str| {
        let path = dir.path().join(name);
        std::fs::write(&path, text).unwrap();
        path.display().to_string()
    };
    let config = file("config.yaml", "logLevl: info\n");
    for (args, parts) in [
        (["run", "--config", &config], ["config.yaml", "logLevel"]),
        (["run", "--config", "/nonexistent.yaml"], ["/nonexistent.yaml", "create it"]),
        (["run", "--rules", "/nonexistent.yaml"], ["/nonexistent.yaml", ";"]),
        (["run", "--forward", "/nonexistent.yaml"], ["/nonexistent.yaml", ";"]),
    ] {
        let output = sentinel(&args);
        assert_eq!(output.status.code(), Some(2), "{args:?}: {output:?}");
        let message = text(&output.stderr);
        assert!(
            message.starts_with("error: ") && parts.iter().all(|part| message.contains(part)),
            "{message}"
        );
    }
}

#[test]
fn completions_are_there_for_every_shell() {
    for shell in ["bash", "zsh", "fish"] {
        let script = sentinel(&["completions", shell]);
        assert_eq!(script.status.code(), Some(0));
        for word in ["run", "doctor", "attached", "mprotect_exec", "explain"] {
            assert!(text(&script.stdout).contains(word), "{shell}: {word}");
        }
        if have(shell) {
            let file = tempfile::NamedTempFile::new().unwrap();
            std::fs::write(file.path(), &script.stdout).unwrap();
            let parsed = Command::new(shell).arg("-n").arg(file.path()).output().unwrap();
            assert!(parsed.status.success(), "{shell}: {parsed:?}");
        }
    }
}

#[test]
fn the_manual_has_no_errors() {
    let dir = tempfile::tempdir().unwrap();
    let target = dir.path().display().to_string();
    assert_eq!(sentinel(&["man", &target]).status.code(), Some(0));
    let mut pages = vec![sentinel(&["man"]).stdout];
    for name in [
        "sentinel",
        "sentinel-run",
        "sentinel-doctor",
        "sentinel-rules",
        "sentinel-rules-check",
        "sentinel-completions",
        "sentinel-man",
    ] {
        pages.push(std::fs::read(dir.path().join(format!("{name}.1"))).unwrap());
    }
    for page in pages {
        assert!(text(&page).contains(".SH SYNOPSIS"));
        if have("mandoc") {
            let found = fed("mandoc", &["-T", "lint", "-W", "error"], &page);
            assert!(found.status.success(), "{}", text(&found.stdout));
        }
    }
    assert_eq!(sentinel(&["man", "/nonexistent/dir"]).status.code(), Some(1));
}

#[test]
fn doctor_reports_in_both_forms_and_its_code_agrees() {
    let json = sentinel(&["doctor", "--format", "json"]);
    let report: serde_json::Value = serde_json::from_slice(&json.stdout).unwrap();
    let checks = report["checks"].as_array().unwrap();
    for name in [
        "btf",
        "capabilities",
        "tracefs mount",
        "securityfs mount",
        "lockdown",
        "health port",
        "metrics port",
        "memory",
    ] {
        assert!(checks.iter().any(|check| check["name"] == name), "{name}");
    }
    let lacks = checks.iter().any(|check| check["required"] == true && check["available"] == false);
    assert_eq!(report["works"].as_bool(), Some(!lacks));
    assert_eq!(json.status.code() == Some(0), !lacks);
    let list = sentinel(&["doctor"]);
    assert_eq!(list.status.code(), json.status.code());
    assert!(!text(&list.stdout).contains('\x1b'));
    assert!(text(&list.stdout).lines().last().unwrap().starts_with("Sentinel "));
}
