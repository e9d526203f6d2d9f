//! Falco's stock rules on the real kernel: for each an action, and the alert with its rule, priority and output.
//! Needs root.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)] // helpers of tests are tests

mod harness;
#[path = "identity/podman.rs"]
mod podman;
mod stock;

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    sync::mpsc::{Receiver, RecvTimeoutError},
    time::{Duration, Instant},
};

use harness::Agent;
use podman::{IMAGE, Podman};
use sentinel_rules::language::{Part, RuleSet};
use serde_json::Value;
use stock::{Case, How, INCUBATING, STABLE};

const DEADLINE: Duration = Duration::from_secs(120);
const PAGE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/rules-stock.md");
const FILES: [(&str, &[Case]); 2] =
    [("falco_rules.yaml", STABLE), ("falco-incubating_rules.yaml", INCUBATING)];

/// What actions are written with.
const PRELUDE: &str = r#"
as() { n=$1; p=$(command -v "$2"); shift 2; ln -sf "$p" "$DIR/bin/$n"; exec "$DIR/bin/$n" "$@"; }
act() { as "$1" perl -e "$2" "$M"; }
weak() { ln -sf "$(command -v perl)" "$DIR/bin/$1"; exec setpriv --bounding-set -sys_admin "$DIR/bin/$1" -e "$2" "$M"; }
below() { ln -sf /bin/sh "$DIR/bin/$1"; exec "$DIR/bin/$1" -c ". $DIR/prelude; ($2); true"; }
inside() { echo $$ > "$CGROUP/cgroup.procs" && "$@"; }
container() {
    options=
    while [ "${1#/}" = "$1" ]; do options="$options $1"; shift; done
    exec $PODMAN run --rm --network none --ulimit nofile=1024:4096 --ulimit nproc=4096:4096 $options "$IMAGE" "$@"
}
dropped() { exec unshare -m --propagation private sh -c '
    mkdir "$DIR/over.$$" && cd "$DIR/over.$$" && mount -t tmpfs tmpfs . && mkdir low up work all &&
    mount -t overlay overlay -o lowerdir=low,upperdir=up,workdir=work all && cp /bin/true all/dropped &&
    exec all/dropped "$0"' "$1"; }
SHELL_OF_TEST="sh $DIR/run"
"#;

/// A network of one's own, with an address that others have.
const NET: &str = r#"
use IO::Socket::INET;
sub net {
    syscall({unshare}, 0x40000000) == 0 or die "unshare: $!";
    socket my $s, PF_INET, SOCK_DGRAM, 0;
    my $up = pack "a16 s x22", "lo", 0x49;
    ioctl $s, 0x8914, $up or die "up: $!";
    my $address = pack "a16 S n a4 x16", "lo:1", AF_INET, 0, inet_aton $_[0];
    ioctl $s, 0x8916, $address or die "address: $!";
}
sub reach {
    my ($peer, $port) = @_;
    net $peer;
    my $l = IO::Socket::INET->new(Listen => 1, LocalAddr => $peer, LocalPort => $port) or die "listen: $!";
    IO::Socket::INET->new(PeerAddr => $peer, PeerPort => $port) or die "connect: $!";
}
sub datagrams {
    my ($peer, $port) = @_;
    net $peer;
    IO::Socket::INET->new(Proto => "udp", PeerAddr => $peer, PeerPort => $port) or die "connect: $!";
}
1;
"#;

/// Numbers of system calls, by the names that actions use.
fn numbered(text: &str) -> String {
    let calls = [
        ("{bpf}", nix::libc::SYS_bpf),
        ("{dup3}", nix::libc::SYS_dup3),
        ("{memfd_create}", nix::libc::SYS_memfd_create),
        ("{ptrace}", nix::libc::SYS_ptrace),
        ("{setns}", nix::libc::SYS_setns),
        ("{setresuid}", nix::libc::SYS_setresuid),
        ("{setuid}", nix::libc::SYS_setuid),
        ("{socket}", nix::libc::SYS_socket),
        ("{unshare}", nix::libc::SYS_unshare),
    ];
    calls.into_iter().fold(text.to_owned(), |text, (name, number)| text.replace(name, &number.to_string()))
}

/// What the test makes: removed with everything in it.
struct Place {
    dir: PathBuf,
    ssh: PathBuf,
    shm: PathBuf,
    cgroup: PathBuf,
    podman: Podman,
}

impl Place {
    /// Containers are kept in `containers`.
    fn new(containers: &Path) -> Self {
        let own = std::process::id();
        let mounts = fs::read_to_string("/proc/self/mounts").unwrap();
        let unified =
            mounts.lines().map(|line| line.split(' ').collect::<Vec<_>>()).find(|row| row[2] == "cgroup2");
        let unified = unified.expect("a mounted hierarchy of cgroups, version 2")[1].to_owned();
        let id = format!("{own:064x}");
        let place = Self {
            dir: format!("/var/lib/sentinel-stock-test.{own}").into(),
            ssh: format!("/root/.ssh-stock-test.{own}").into(),
            shm: format!("/dev/shm/stock-test.{own}").into(),
            cgroup: format!("{unified}/docker-{id}.scope").into(),
            podman: Podman::with(containers, &["debugfs", "mount"]),
        };
        for dir in [&place.dir, &place.ssh, &place.shm, &place.cgroup, &place.dir.join("bin")] {
            fs::create_dir_all(dir).unwrap();
        }
        fs::write(place.dir.join("prelude"), numbered(PRELUDE)).unwrap();
        fs::write(place.dir.join("run"), ". $DIR/prelude; eval \"$1\"").unwrap();
        fs::write(place.dir.join("net.pl"), numbered(NET)).unwrap();
        fs::write(place.shm.join("program"), "true").unwrap();
        fs::write(place.ssh.join("known_hosts"), "").unwrap();
        place
    }

    /// Begins an action.
    fn start(&self, action: &str, mark: &str) -> Child {
        let mut command = Command::new("sh");
        command.arg(self.dir.join("run")).arg(numbered(action));
        // Of an environment 4096 bytes are told, and that of a build may be longer.
        command.env_clear().env("M", mark);
        let kept = |name: &str| {
            ["PATH", "HOME", "LANG", "TMPDIR", "USER"].contains(&name) || name.starts_with("XDG_")
        };
        command.envs(std::env::vars().filter(|(name, _)| kept(name)));
        for (name, dir) in
            [("DIR", &self.dir), ("SSH", &self.ssh), ("SHM", &self.shm), ("CGROUP", &self.cgroup)]
        {
            command.env(name, dir);
        }
        command.env("PODMAN", self.podman.line()).env("IMAGE", IMAGE);
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap()
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        for dir in [&self.dir, &self.ssh, &self.shm] {
            let _ = fs::remove_dir_all(dir);
        }
        let _ = fs::remove_dir(&self.cgroup);
    }
}

/// An agent with these rules.
fn start(dir: &Path, socket: &Path, rules: &[PathBuf]) -> (Agent, Receiver<String>) {
    let rules: Vec<_> = rules.iter().map(|path| path.display().to_string()).collect();
    let outputs = "outputs: {stdout: {format: falco}}";
    let config = format!(
        "detection: {{rules: [{}], matching: all, {outputs}}}\nenrichment: {{sockets: [{}]}}",
        rules.join(", "),
        socket.display()
    );
    Agent::start(dir, &config, "rules: []")
}

/// The stock files. None, with a word about it, when they are not there.
fn stock_files() -> Option<Vec<PathBuf>> {
    let named = std::env::var_os("SENTINEL_FALCO_RULES").map(PathBuf::from);
    let beside = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../../shared/falco-rules");
    let directory = named.clone().unwrap_or(beside);
    let files: Vec<_> = FILES.iter().map(|(name, _)| directory.join(name)).collect();
    let there = files.iter().all(|file| file.exists());
    assert!(there || named.is_none(), "SENTINEL_FALCO_RULES is set, but {files:?} are not there");
    if !there {
        eprintln!("SKIPPED: {files:?}; set SENTINEL_FALCO_RULES to test the stock rules");
    }
    there.then_some(files)
}

fn load(files: &[PathBuf]) -> RuleSet {
    let texts: Vec<_> = files.iter().map(|file| fs::read_to_string(file).unwrap()).collect();
    let named: Vec<_> = FILES.iter().zip(&texts).map(|((name, _), text)| (*name, text.as_str())).collect();
    let (report, set) = RuleSet::load(&named);
    set.unwrap_or_else(|| panic!("{report}"))
}

/// The words of the rule's template, in their order, in the output.
fn is_of(output: &str, rule: &sentinel_rules::language::Rule) -> bool {
    let words = rule.output.parts.iter().filter_map(|part| match part {
        Part::Text(text) => Some(text.to_string()),
        Part::Value { .. } => None,
    });
    let mut rest = output;
    words.into_iter().all(|word| match rest.split_once(word.trim()) {
        Some((_, behind)) => {
            rest = behind;
            true
        }
        None => false,
    })
}

#[test]
fn every_stock_rule_fires_on_its_action() {
    let Some(files) = stock_files() else { return };
    let dir = tempfile::tempdir().unwrap();
    let (mut place, set) = (Place::new(dir.path()), load(&files));
    place.podman.serve();
    let (agent, lines) = start(dir.path(), &place.podman.socket(), &files);
    let mut left: BTreeMap<String, (&Case, &str)> = BTreeMap::new();
    for (number, case) in STABLE.iter().chain(INCUBATING).enumerate() {
        if let How::Act(action) = &case.how {
            left.insert(format!("stock-{number:02}-{}", std::process::id()), (case, action));
        }
    }
    let (all, started) = (left.len(), Instant::now());
    let mut wrong = Vec::new();
    let mut words = BTreeMap::new();
    // Whatever was lost on a busy machine is done again.
    while !left.is_empty() && started.elapsed() < DEADLINE {
        let children: Vec<_> =
            left.iter().map(|(mark, (_, action))| (mark.clone(), place.start(action, mark))).collect();
        for (mark, child) in children {
            let output = child.wait_with_output().unwrap();
            words.insert(mark, String::from_utf8_lossy(&output.stderr).into_owned());
        }
        loop {
            let line = match lines.recv_timeout(Duration::from_secs(2)) {
                Ok(line) => line,
                Err(RecvTimeoutError::Timeout) => break,
                Err(RecvTimeoutError::Disconnected) => panic!("{}", agent.log()),
            };
            let alert: Value = serde_json::from_str(&line).unwrap();
            if alert.get("rule").is_none() {
                continue;
            }
            let output = alert["output"].as_str().unwrap();
            let ours =
                left.iter().find(|(mark, (case, _))| alert["rule"] == case.rule && output.contains(*mark));
            let Some((mark, (case, _))) = ours.map(|(mark, case)| (mark.clone(), *case)) else { continue };
            let rule = set.rules.iter().find(|rule| rule.name == case.rule).unwrap();
            let shown = case.shows.iter().all(|part| output.contains(part));
            if alert["priority"] != case.priority || !is_of(output, rule) || !shown {
                wrong.push(format!("{alert} is not {} and {:?}", case.priority, case.shows));
            }
            left.remove(&mark);
            if left.is_empty() {
                break;
            }
        }
    }
    let silent: Vec<_> =
        left.iter().map(|(mark, (case, _))| format!("{}: {}", case.rule, words[mark].trim())).collect();
    assert!(silent.is_empty(), "{} of {all} rules did not fire:\n{}", silent.len(), silent.join("\n"));
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn every_stock_rule_has_its_case() {
    let Some(files) = stock_files() else { return };
    let cases: Vec<_> = STABLE.iter().chain(INCUBATING).map(|case| (case.rule, case.priority)).collect();
    let set = load(&files);
    let rules: Vec<_> = set.rules.iter().map(|rule| (rule.name.as_str(), rule.priority.name())).collect();
    assert_eq!(cases, rules);
}

#[test]
fn what_cannot_happen_here_is_tried_on_made_up_events() {
    let tests = include_str!("../../rules/tests/eval/made.rs");
    for case in STABLE.iter().chain(INCUBATING) {
        let tried = tests.contains(&format!("rule: \"{}\"", case.rule));
        assert_eq!(tried, matches!(case.how, How::Made(_)), "{}", case.rule);
    }
}

#[test]
fn the_page_tells_how_each_stock_rule_is_tested() {
    let mut text = String::from(
        "# Falco's stock rules, one by one\n\n\
         Generated by `UPDATE=1 cargo test -p sentinel-agent --test root_stock_rules`; do not edit.\n\n\
         All 56 rules of the stock files load unmodified. For each, a test does something to a running agent on the \
         real kernel and\nexpects the alert: the rule, its priority and its output. Actions are shell commands: \
         `as NAME PROGRAM` runs a program\nunder another name, `below NAME COMMAND` has a parent of that name run it, \
         `inside` runs it in a cgroup named like a\ncontainer's, `container` in a container of podman's, `act NAME CODE` \
         is Perl under that name, `weak` without\nCAP_SYS_ADMIN. What cannot happen on the\nmachine of the tests is tried on made-up events \
         ([made.rs](../crates/rules/tests/eval/made.rs)); then the reason stands here.\n",
    );
    for (file, cases) in FILES {
        text += &format!("\n## {file}\n\n| rule | priority | fires on |\n|---|---|---|\n");
        for case in cases {
            let how = match case.how {
                How::Act(action) => format!("`` {} ``", action.replace('|', "\\|")),
                How::Made(why) => format!("made-up events: {why}"),
            };
            text += &format!("| {} | {} | {how} |\n", case.rule, case.priority);
        }
    }
    if std::env::var_os("UPDATE").is_some() {
        fs::write(PAGE, &text).unwrap();
    }
    let written = fs::read_to_string(PAGE).unwrap_or_default();
    assert!(written == text, "stale: run UPDATE=1 cargo test -p sentinel-agent --test root_stock_rules");
}
