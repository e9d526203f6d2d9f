//! Nothing is left behind, however an attack ends.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)] // parts of tests

use std::{
    fs,
    io::{BufRead as _, BufReader},
    path::Path,
    process::{Command, Stdio},
    time::{Duration, Instant},
};

const PROGRAM: &str = env!("CARGO_BIN_EXE_sentinel-simulate");

fn gone(path: &Path) -> bool {
    let deadline = Instant::now() + Duration::from_secs(10);
    while path.exists() {
        if Instant::now() > deadline {
            return false;
        }
        std::thread::sleep(Duration::from_millis(10));
    }
    true
}

/// What the attack left, as `--keep` tells. It is removed here.
fn kept(name: &str) -> Vec<String> {
    let output =
        Command::new(PROGRAM).args(["run", name, "--json", "--keep", "--yes-on-this-host"]).output().unwrap();
    let outcome: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(outcome["outcome"], "done", "{outcome}");
    let kept: Vec<String> = serde_json::from_value(outcome["kept"].clone()).unwrap();
    for path in &kept {
        let path = Path::new(path);
        assert!(path.exists(), "{}", path.display());
        if path.is_dir() { fs::remove_dir_all(path).unwrap() } else { fs::remove_file(path).unwrap() }
    }
    kept
}

#[test]
fn what_is_kept_is_told() {
    let kept = kept("persist-cron");
    assert!(kept.iter().any(|path| path.starts_with("/etc/cron.d/sentinel-simulate.")), "{kept:?}");
}

#[test]
fn a_killed_attack_is_undone_by_the_guard() {
    let file = Path::new("/etc/cron.d").join(format!("sentinel-simulate.killed.{}", std::process::id()));
    let mut victim = Command::new("sleep").arg("600").spawn().unwrap();
    let stat = fs::read_to_string(format!("/proc/{}/stat", victim.id())).unwrap();
    let start = stat.rsplit_once(')').unwrap().1.split_whitespace().nth(19).unwrap().to_owned();
    // A shell announces a file and a process, makes the file, and dies before it can say anything else.
    let made = file.parent().unwrap().exists();
    fs::create_dir_all(file.parent().unwrap()).unwrap();
    let script = format!(
        "{{ echo 'remove {path}'; echo 'kill {pid} {start}'; : > {path}; echo >&2; kill -9 $BASHPID; }} | \"$0\" guard",
        path = file.display(),
        pid = victim.id(),
    );
    let mut shell =
        Command::new("bash").args(["-c", &script, PROGRAM]).stderr(Stdio::piped()).spawn().unwrap();
    BufReader::new(shell.stderr.take().unwrap()).read_line(&mut String::new()).unwrap();
    shell.wait().unwrap();
    assert!(gone(&file));
    let status = victim.wait().unwrap();
    assert_eq!(std::os::unix::process::ExitStatusExt::signal(&status), Some(9));
    if !made {
        fs::remove_dir(file.parent().unwrap()).unwrap();
    }
}

#[test]
fn a_program_that_is_killed_leaves_nothing() {
    for _ in 0..50 {
        let mut command = Command::new(PROGRAM);
        command.args(["run", "exec-orphan", "--yes-on-this-host"]).stdout(Stdio::null());
        let mut program = command.spawn().unwrap();
        let directory = Path::new("/var/lib").join(format!("sentinel-simulate.{}", program.id()));
        while !directory.exists() && program.try_wait().unwrap().is_none() {
            std::thread::yield_now();
        }
        program.kill().unwrap();
        let status = program.wait().unwrap();
        assert!(gone(&directory), "{}", directory.display());
        // Else it was done before it could be killed.
        if std::os::unix::process::ExitStatusExt::signal(&status) == Some(9) {
            return;
        }
    }
    panic!("never quick enough to kill it");
}
