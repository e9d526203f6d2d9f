//! Stock rules fire on what they describe and stay silent on its twin.

use sentinel_event::{Body, Exec, Observation, PathFlags, Ptrace};

use super::build::*;

fn started(name: &str, argv: &[&str]) -> Observation {
    let mut started = exec(name, argv);
    started.event.head.syscall = call(libc::SYS_execve);
    started
}

fn started_as(name: &str, argv: &[&str], change: impl FnOnce(&mut Exec)) -> Observation {
    let mut started = started(name, argv);
    change(exec_body(&mut started));
    started
}

fn in_terminal(mut observation: Observation) -> Observation {
    observation.event.head.tty = 34_816;
    observation
}

fn traced(request: u64) -> Observation {
    let mut traced = observation(Body::Ptrace(Ptrace { request, target_pid: 300 }));
    traced.event.head.syscall = call(libc::SYS_ptrace);
    traced
}

fn failed(path: &str, name: &str) -> Observation {
    let mut failed = open("", libc::O_RDONLY);
    failed.event.head.result = -2;
    let Body::FileOpen(open) = &mut failed.event.body else { panic!() };
    open.asked = asked(path, name);
    failed
}

fn with_raw(path: &str, name: &str) -> Observation {
    let mut opened = open(path, libc::O_RDONLY);
    let Body::FileOpen(open) = &mut opened.event.body else { panic!() };
    open.path.flags = PathFlags::SHARED;
    open.asked = asked(path, name);
    opened
}

fn by_ssh(peer: &str, port: u16) -> Observation {
    let mut connected = called(connect(peer, port), "ssh");
    connected.process = Some(process(300, "ssh", "/usr/bin/ssh", &["ssh", "host"]));
    connected
}

/// A rule, an event that it describes, and one that it does not.
fn twins() -> Vec<(&'static str, Observation, Observation)> {
    let shell = in_terminal(below(contained(started("bash", &["bash"])), "runc"));
    let mut no_terminal = shell.clone();
    no_terminal.event.head.tty = 0;
    let log = libc::O_WRONLY | libc::O_TRUNC;
    vec![
        (
            "Read sensitive file untrusted",
            open("/etc/shadow", libc::O_RDONLY),
            called(open("/etc/shadow", libc::O_RDONLY), "sshd"),
        ),
        ("Read sensitive file untrusted", open("/etc/sudoers.d/a", libc::O_RDWR), open("/etc/hosts", 0)),
        ("Terminal shell in container", shell, no_terminal),
        ("Execution from /dev/shm", started("x", &["/dev/shm/x"]), started("x", &["/dev/shmx/x"])),
        (
            "Execution from /dev/shm",
            started_as("x", &["./x"], |exec| exec.cwd = "/dev/shm".into()),
            started_as("x", &["./x"], |exec| exec.cwd = "/srv".into()),
        ),
        (
            "Fileless execution via memfd_create",
            started_as("x", &["x"], |exec| exec.executable.memfd = true),
            started("x", &["x"]),
        ),
        (
            "Drop and execute new binary in container",
            contained(started_as("x", &["x"], |exec| exec.executable.upper_layer = true)),
            started_as("x", &["x"], |exec| exec.executable.upper_layer = true),
        ),
        (
            "Netcat Remote Code Execution in Container",
            contained(started("nc", &["nc", "-lp", "1", "-e", "sh"])),
            contained(started("nc", &["nc", "-lp", "1"])),
        ),
        (
            "Search Private Keys or Passwords",
            started("find", &["find", "/", "-name", "id_rsa"]),
            started("find", &["find", "/", "-name", "notes"]),
        ),
        (
            "Search Private Keys or Passwords",
            started("grep", &["grep", "-r", "begin rsa private", "/"]),
            started("cat", &["cat", "begin rsa private"]),
        ),
        ("Clear Log Activities", open("/var/log/syslog", log), open("/var/log/syslog", libc::O_WRONLY)),
        ("Remove Bulk Data from Disk", started("shred", &["shred", "x"]), started("rm", &["rm", "x"])),
        ("PTRACE attached to process", traced(16), traced(0)),
        ("PTRACE anti-debug attempt", traced(0), traced(16)),
        (
            "Find AWS Credentials",
            started("find", &["find", "/root/.aws/credentials"]),
            started("find", &["find", "/root/.aws"]),
        ),
        (
            "Directory traversal monitored file read",
            below(failed("/etc/nope", "../../etc/nope"), "nginx"),
            below(failed("/etc/nope", "/etc/nope"), "nginx"),
        ),
        (
            "Directory traversal monitored file read",
            below(with_raw("/etc/passwd", "../../etc/passwd"), "nginx"),
            with_raw("/etc/passwd", "../../etc/passwd"),
        ),
        (
            "Run shell untrusted",
            below(started("sh", &["sh", "-c", "id"]), "nginx"),
            below(started("sh", &["sh", "-c", "id"]), "make"),
        ),
        (
            "Disallowed SSH Connection Non Standard Port",
            by_ssh("93.184.216.34", 443),
            by_ssh("93.184.216.34", 22),
        ),
        (
            "Disallowed SSH Connection Non Standard Port",
            by_ssh("93.184.216.34", 4444),
            by_ssh("192.168.1.9", 4444),
        ),
    ]
}

#[test]
fn rules_fire_on_the_attack_and_not_on_its_twin() {
    let Some(engine) = stock() else { return };
    for (rule, attack, benign) in twins() {
        assert!(engine.rules().iter().any(|known| known.name == rule), "{rule}");
        let fires = |observation: &Observation| fired(&engine, observation).iter().any(|name| name == rule);
        assert!(fires(&attack), "{rule} is silent on {attack:?}");
        assert!(!fires(&benign), "{rule} fires on {benign:?}");
    }
}

#[test]
fn ordinary_events_fire_nothing() {
    let Some(engine) = stock() else { return };
    for event in [
        open("/usr/lib/libc.so.6", libc::O_RDONLY),
        open("/tmp/x", libc::O_WRONLY | libc::O_CREAT),
        started("ls", &["ls", "-l"]),
        called(connect("10.0.0.9", 5432), "psql"),
    ] {
        assert_eq!(fired(&engine, &event), [""; 0], "{event:?}");
    }
}

#[test]
fn an_alert_of_a_stock_rule_reads_as_its_template_says() {
    let Some(engine) = stock() else { return };
    let mut text = Vec::new();
    let event = open("/etc/shadow", libc::O_RDONLY);
    engine.evaluate(&event, &mut Default::default(), &mut |alert| {
        if alert.rule.name == "Read sensitive file untrusted" {
            alert.text(&mut text);
        }
    });
    let text = String::from_utf8(text).unwrap();
    let expected = "22:13:20.123456789: Warning Sensitive file opened for reading by non-trusted program | \
        file=/etc/shadow gparent=sshd ggparent=<NA> gggparent=<NA> evt_type=openat user=<NA> user_uid=1000 \
        user_loginuid=-1 process=cat proc_exepath=/usr/bin/cat parent=bash command=cat -n /x terminal=0";
    assert_eq!(text, expected);
}
