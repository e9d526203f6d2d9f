//! What a machine does every day raises no alert of high severity under the shipped rules. Needs root and apt.
//! `scripts/noise.sh` measures more: real packages, a large build, the boot of a whole system.
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing)] // helpers of tests are tests

mod harness;

use std::{
    fs,
    os::unix::fs::PermissionsExt as _,
    path::{Path, PathBuf},
    process::Command,
    sync::mpsc::Receiver,
    time::Instant,
};

use harness::{Agent, DEADLINE};
use serde_json::Value;

/// Its alert says that all alerts before it have come.
const MARK: &str = "
- rule: mark
  desc: a mark of the test
  condition: evt.type in (execve, execveat) and proc.args contains sentinel-test-mark
  output: mark %proc.args
  priority: DEBUG
";

/// Three crates that need nothing: a macro, a script that runs while it is built, a program.
const CRATES: &[(&str, &str)] = &[
    ("Cargo.toml", "[workspace]\nresolver = \"2\"\nmembers = [\"a\", \"b\"]\n"),
    (
        "a/Cargo.toml",
        "[package]\nname = \"a\"\nversion = \"0.0.0\"\nedition = \"2021\"\n[lib]\nproc-macro = true\n",
    ),
    (
        "a/src/lib.rs",
        "use proc_macro::TokenStream;\n#[proc_macro]\npub fn one(_: TokenStream) -> TokenStream { \"1\".parse().unwrap() }\n",
    ),
    (
        "b/Cargo.toml",
        "[package]\nname = \"b\"\nversion = \"0.0.0\"\nedition = \"2021\"\n[dependencies]\na = { path = \"../a\" }\n",
    ),
    ("b/build.rs", "fn main() { println!(\"cargo:rerun-if-changed=build.rs\"); }\n"),
    ("b/src/main.rs", "fn main() { assert_eq!(a::one!(), 1); }\n"),
];

/// A package with what packages have: settings, a unit, a job for cron, scripts that run when it comes and goes.
const PACKAGE: &[(&str, &str)] = &[
    (
        "DEBIAN/control",
        "Package: sentinel-noise-test\nVersion: 1\nArchitecture: all\nMaintainer: nobody <nobody@localhost>\n\
         Description: of a test of Sentinel\n",
    ),
    ("DEBIAN/conffiles", "/etc/sentinel-noise-test.conf\n"),
    ("DEBIAN/preinst", "#!/bin/sh\nset -e\n[ -d /etc ]\n"),
    (
        "DEBIAN/postinst",
        "#!/bin/sh\nset -e\nmkdir -p /var/lib/sentinel-noise-test\ngrep -q root /etc/passwd\n",
    ),
    ("DEBIAN/prerm", "#!/bin/sh\nset -e\nrm -rf /var/lib/sentinel-noise-test\n"),
    ("etc/sentinel-noise-test.conf", "a = 1\n"),
    ("etc/cron.d/sentinel-noise-test", "# nothing\n"),
    ("lib/systemd/system/sentinel-noise-test.service", "[Service]\nExecStart=/bin/true\n"),
    ("usr/bin/sentinel-noise-test", "#!/bin/sh\necho hello\n"),
];

fn write(root: &Path, files: &[(&str, &str)]) {
    for (name, text) in files {
        let path = root.join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, text).unwrap();
        let program = text.starts_with("#!");
        fs::set_permissions(&path, fs::Permissions::from_mode(if program { 0o755 } else { 0o644 })).unwrap();
    }
}

fn run(command: &mut Command) {
    let output = command.output().unwrap_or_else(|error| panic!("{command:?}: {error}"));
    assert!(output.status.success(), "{command:?}: {}", String::from_utf8_lossy(&output.stderr));
}

/// Not below a temporary directory: programs that start from there are what a rule is about.
struct Place(PathBuf);

impl Place {
    fn new() -> Self {
        let path = PathBuf::from(format!("/var/lib/sentinel-noise-test.{}", std::process::id()));
        fs::create_dir(&path).unwrap();
        Self(path)
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

/// Alerts about processes that descend from this test, until the mark of this name.
fn ours(lines: &Receiver<String>, agent: &Agent, name: &str) -> Vec<Value> {
    let (started, own) = (Instant::now(), u64::from(std::process::id()));
    let mut found = Vec::new();
    loop {
        let left = DEADLINE.saturating_sub(started.elapsed());
        let line = lines.recv_timeout(left).unwrap_or_else(|_| panic!("the log: {}", agent.log()));
        let alert: Value = serde_json::from_str(&line).unwrap();
        if alert["rule"] == "mark" {
            if alert["reason"].as_str().unwrap().contains(name) {
                return found;
            }
            continue;
        }
        let lineage = alert["lineage"].as_array().map(Vec::as_slice).unwrap_or_default();
        if lineage.iter().any(|ancestor| ancestor["pid"].as_u64() == Some(own)) {
            found.push(alert);
        }
    }
}

#[test]
fn a_build_and_a_package_raise_no_alert_of_high_severity() {
    let (place, dir) = (Place::new(), tempfile::tempdir().unwrap());
    fs::write(dir.path().join("mark.yaml"), MARK).unwrap();
    let rules = format!("detection: {{rules: [builtin, {}]}}", dir.path().join("mark.yaml").display());
    let (agent, lines) = Agent::start(dir.path(), &rules, "rules: []");
    let mark = |name: &str| run(Command::new("true").arg(format!("sentinel-test-mark-{name}")));
    let mut raised = Vec::new();

    // What is no daily work is seen.
    fs::copy("/bin/true", dir.path().join("copy")).unwrap();
    run(&mut Command::new(dir.path().join("copy")));
    mark("seen");
    let seen = ours(&lines, &agent, "seen");
    assert!(seen.iter().any(|alert| alert["rule_id"] == "suspicious_exec"), "{seen:?}");

    write(&place.0.join("crates"), CRATES);
    let mut cargo = Command::new(env!("CARGO"));
    cargo.args(["build", "--offline", "--quiet"]).current_dir(place.0.join("crates"));
    run(cargo.env("CARGO_TARGET_DIR", place.0.join("target")).env_remove("RUSTFLAGS"));
    mark("built");
    raised.push(("cargo build", ours(&lines, &agent, "built")));

    write(&place.0.join("package"), PACKAGE);
    let package = place.0.join("sentinel-noise-test.deb");
    run(Command::new("dpkg-deb")
        .args(["--root-owner-group", "--build"])
        .arg(place.0.join("package"))
        .arg(&package));
    let apt = |action: &str, what: &str| {
        let mut command = Command::new("flock");
        command.arg("/var/lock/sentinel-setup.lock").args([
            "apt-get",
            "-qq",
            "-y",
            "-o",
            "DPkg::Lock::Timeout=600",
        ]);
        run(command.args([action, what]).env("DEBIAN_FRONTEND", "noninteractive"));
    };
    apt("install", package.to_str().unwrap());
    run(&mut Command::new("sentinel-noise-test"));
    apt("purge", "sentinel-noise-test");
    mark("installed");
    raised.push(("apt-get install and purge", ours(&lines, &agent, "installed")));

    for (what, alerts) in raised {
        let severe: Vec<_> = alerts
            .iter()
            .filter(|alert| alert["severity"] == "high" || alert["severity"] == "critical")
            .collect();
        assert!(severe.is_empty(), "{what}: {severe:?}");
        // Of lower ones there are none either; one that comes up is to be looked at before it is allowed here.
        assert!(alerts.is_empty(), "{what}: {alerts:?}");
    }
}
