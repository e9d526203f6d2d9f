//! What makes each of Falco's stock rules fire.
//!
//! Actions are shell commands. `as NAME PROGRAM ARGUMENT…` runs a program under another name, `below NAME COMMAND`
//! runs a command by a shell of that name, `inside` in a container (a cgroup named like one), `container OPTION… PROGRAM`
//! in a container of podman's, and `act NAME CODE` runs Perl under that name, `weak NAME CODE` without CAP_SYS_ADMIN.
//! `$M` marks the command line, `$DIR` is a directory of the test's own. `{ptrace}` in Perl is the number of a system
//! call. What `below` gets is in single quotes, and therein Perl in double ones.

/// How a rule is made to fire.
pub(crate) enum How {
    /// By this action, on the real kernel.
    Act(&'static str),
    /// By made-up events, in `crates/rules/tests/eval/made.rs`, because of this.
    Made(&'static str),
}

pub(crate) struct Case {
    pub(crate) rule: &'static str,
    pub(crate) priority: &'static str,
    pub(crate) how: How,
    /// What its output must show besides the words of the rule.
    pub(crate) shows: &'static [&'static str],
}

const fn act(
    rule: &'static str,
    priority: &'static str,
    action: &'static str,
    shows: &'static [&'static str],
) -> Case {
    Case { rule, priority, how: How::Act(action), shows }
}

const fn made(rule: &'static str, priority: &'static str, why: &'static str) -> Case {
    Case { rule, priority, how: How::Made(why), shows: &[] }
}

/// Of `falco_rules.yaml`, in its order.
pub(crate) const STABLE: &[Case] = &[
    act(
        "Directory traversal monitored file read",
        "Warning",
        r#"act reader "open F, q(<), q(/tmp/../tmp/../etc/no-such-file)""#,
        &["file=/etc/no-such-file", "fileraw=/tmp/../tmp/../etc/no-such-file", "process=reader"],
    ),
    act(
        "Read sensitive file trusted after startup",
        "Warning",
        // Its process must be five seconds old.
        r#"act nginx "select undef, undef, undef, 5.2; open F, q(<), q(/etc/shadow)""#,
        &["file=/etc/shadow", "process=nginx"],
    ),
    act(
        "Read sensitive file untrusted",
        "Warning",
        r#"act reader "open F, q(<), q(/etc/shadow)""#,
        &[
            "file=/etc/shadow",
            "evt_type=openat",
            "user_uid=0",
            "process=reader",
            "proc_exepath=/usr/bin/perl",
        ],
    ),
    act(
        "Run shell untrusted",
        "Notice",
        r#"below httpd 'as bash sh -c true $M'"#,
        &["process=bash", "parent=httpd"],
    ),
    act(
        "System user interactive",
        "Informational",
        "below sshd 'setpriv --reuid=daemon --clear-groups /bin/true $M'",
        &["user=daemon", "process=true", "parent=sshd"],
    ),
    act(
        "Terminal shell in container",
        "Notice",
        r#"script -qec "$SHELL_OF_TEST 'inside below runc \"as bash sh -c true \$M\"'" /dev/null"#,
        &["process=bash", "parent=runc"],
    ),
    made(
        "Contact K8S API Server From Container",
        "Notice",
        "needs Kubernetes: the name of the peer's address in the cluster (`fd.sip.name`)",
    ),
    act(
        "Netcat Remote Code Execution in Container",
        "Warning",
        "inside as nc /bin/true -e /bin/sh $M",
        &["process=nc", "-e /bin/sh"],
    ),
    act(
        "Search Private Keys or Passwords",
        "Warning",
        "as find /bin/true / -name id_rsa $M",
        &["process=find"],
    ),
    act(
        "Clear Log Activities",
        "Warning",
        r#"act cleaner "open F, q(>), qq($DIR/syslog)""#,
        &["/syslog", "process=cleaner"],
    ),
    act("Remove Bulk Data from Disk", "Warning", "as shred /bin/true $M", &["process=shred"]),
    act(
        "Create Symlink Over Sensitive Files",
        "Warning",
        r#"act linker "symlink q(/etc/shadow), qq($DIR/s$$)""#,
        &["target=/etc/shadow", "process=linker"],
    ),
    act(
        "Create Hardlink Over Sensitive Files",
        "Warning",
        r#"act linker "link q(/etc/shadow), qq($DIR/h$$)""#,
        &["target=/etc/shadow", "process=linker"],
    ),
    act(
        "Packet socket created in container",
        "Notice",
        r#"inside act sniffer "syscall {socket}, 17, 3, 0""#,
        &["AF_PACKET", "process=sniffer"],
    ),
    act(
        "Redirect STDOUT/STDIN to Network Connection in Container",
        "Notice",
        r#"inside act shell "use IO::Socket::INET; \$l = IO::Socket::INET->new(Listen => 1, LocalAddr => q(127.0.0.1)); \$s = IO::Socket::INET->new(PeerAddr => q(127.0.0.1), PeerPort => \$l->sockport); syscall {dup3}, fileno(\$s), 0, 0""#,
        &["connection=127.0.0.1:", "fd_type=ipv4", "process=shell"],
    ),
    made(
        "Linux Kernel Module Injection Detected",
        "Warning",
        "needs a kernel that takes modules: without them there are no such system calls",
    ),
    act(
        "Debugfs Launched in Privileged Container",
        "Warning",
        "container --privileged /debugfs $M",
        &["process=debugfs", "user=root"],
    ),
    act(
        "Detect release_agent File Container Escapes",
        "Critical",
        r#"inside act escaper "open F, q(>), qq($DIR/release_agent)""#,
        &["/release_agent cap_effective=", "CAP_SYS_ADMIN", "process=escaper"],
    ),
    act(
        "PTRACE attached to process",
        "Warning",
        r#"act tracer "syscall {ptrace}, 16, \$\$, 0, 0""#,
        &["process=tracer", "evt_type=ptrace"],
    ),
    act(
        "PTRACE anti-debug attempt",
        "Notice",
        r#"act tracee "syscall {ptrace}, 0, 0, 0, 0""#,
        &["process=tracee"],
    ),
    act(
        "Find AWS Credentials",
        "Warning",
        "as find /bin/true $M .aws/credentials",
        &["process=find", "user=root"],
    ),
    act(
        "Execution from /dev/shm",
        "Warning",
        "as sh sh $SHM/program $M",
        &["process=sh", "command=sh /dev/shm/", "evt_res=SUCCESS"],
    ),
    act(
        "Drop and execute new binary in container",
        "Critical",
        "inside dropped $M",
        &["process=dropped", "exe_flags=EXE_WRITABLE|EXE_UPPER_LAYER"],
    ),
    act(
        "Disallowed SSH Connection Non Standard Port",
        "Notice",
        r#"act ssh "require qq($DIR/net.pl); reach(q(203.0.113.7), 443)""#,
        &["->203.0.113.7:443", "rport=443", "fd_proto=tcp", "process=ssh"],
    ),
    act(
        "Fileless execution via memfd_create",
        "Critical",
        r#"act loader "\$n = q(x); \$d = syscall {memfd_create}, \$n, 0; open M, qq(>&=), \$d; open T, q(<), q(/bin/true); print M join q(), <T>; close T; M->flush; exec {qq(/proc/self/fd/\$d)} q(memory), q($M)""#,
        &["exe_flags=EXE_WRITABLE|EXE_FROM_MEMFD"],
    ),
];

/// Of `falco-incubating_rules.yaml`, in its order.
pub(crate) const INCUBATING: &[Case] = &[
    act(
        "Modify Shell Configuration File",
        "Warning",
        r#"act writer "open F, q(>), qq($DIR/.bashrc)""#,
        &["/.bashrc", "process=writer"],
    ),
    act("Schedule Cron Jobs", "Notice", "as crontab /bin/true $M", &["process=crontab"]),
    act(
        "Read ssh information",
        "Error",
        r#"act reader "open F, q(<), qq($SSH/known_hosts)""#,
        &["file=/root/.ssh", "process=reader"],
    ),
    act(
        "DB program spawned process",
        "Notice",
        "below mysqld 'as program /bin/true $M'",
        &["process=program", "parent=mysqld"],
    ),
    act(
        "Change thread namespace",
        "Notice",
        r#"act enter "open F, q(<), q(/proc/self/ns/uts); syscall {setns}, fileno(F), 0""#,
        &["process=enter"],
    ),
    act(
        "Change namespace privileges via unshare",
        "Notice",
        r#"inside weak sharer "syscall {unshare}, 0x04000000""#,
        &["process=sharer"],
    ),
    act(
        "Launch Privileged Container",
        "Informational",
        "container --privileged /program $M",
        &["process=program"],
    ),
    act(
        "Launch Excessively Capable Container",
        "Informational",
        "container --cap-add SYS_ADMIN /program $M",
        &["cap_permitted=CAP_CHOWN ", " CAP_SYS_ADMIN ", "process=program"],
    ),
    act(
        "System procs network activity",
        "Notice",
        r#"act cat "require qq($DIR/net.pl); reach(q(203.0.113.7), 443)""#,
        &["203.0.113.7:443", "process=cat"],
    ),
    act(
        "Program run with disallowed http proxy env",
        "Notice",
        r#"ln -sf /bin/true "$DIR/bin/curl"; exec env HTTP_PROXY=http://203.0.113.7:8080 "$DIR/bin/curl" $M"#,
        &["env=", "HTTP_PROXY=http://203.0.113.7:8080", "process=curl"],
    ),
    act(
        "Unexpected UDP Traffic",
        "Notice",
        r#"act sender "require qq($DIR/net.pl); datagrams(q(203.0.113.7), 7777)""#,
        &["->203.0.113.7:7777", "fd_proto=udp", "process=sender"],
    ),
    act(
        "Non sudo setuid",
        "Notice",
        r#"act changer "syscall {setresuid}, 1234, 1234, 1234; syscall {setuid}, 1234""#,
        &["process=changer", "user_uid=1234"],
    ),
    act("User mgmt binaries", "Notice", "as usermod /bin/true $M", &["process=usermod"]),
    act(
        "Create files below dev",
        "Error",
        r#"act writer "open F, q(>), q(/dev/$M) and unlink q(/dev/$M)""#,
        &["file=/dev/stock-", "process=writer"],
    ),
    act(
        "Contact EC2 Instance Metadata Service From Container",
        "Notice",
        r#"inside act asker "require qq($DIR/net.pl); reach(q(169.254.169.254), 80)""#,
        &["->169.254.169.254:80", "process=asker"],
    ),
    act(
        "Contact cloud metadata service from container",
        "Notice",
        r#"inside act asker "require qq($DIR/net.pl); reach(q(169.254.169.254), 80)""#,
        &["->169.254.169.254:80", "process=asker"],
    ),
    act(
        "Launch Package Management Process in Container",
        "Error",
        "inside as apt /bin/true $M",
        &["process=apt"],
    ),
    act(
        "Launch Suspicious Network Tool in Container",
        "Notice",
        "inside as dig /bin/true $M",
        &["process=dig"],
    ),
    act("Launch Suspicious Network Tool on Host", "Notice", "as nmap /bin/true $M", &["process=nmap"]),
    act(
        "Delete or rename shell history",
        "Warning",
        r#"act remover "open F, q(>>), qq($DIR/.bash_history); unlink qq($DIR/.bash_history)""#,
        &["/.bash_history", "process=remover"],
    ),
    act(
        "Set Setuid or Setgid bit",
        "Notice",
        r#"act changer "open F, q(>>), qq($DIR/program); chmod 04755, qq($DIR/program)""#,
        &["/program", "S_ISUID", "process=changer"],
    ),
    act(
        "Launch Remote File Copy Tools in Container",
        "Notice",
        "inside as rsync /bin/true $M",
        &["process=rsync"],
    ),
    made(
        "Network Connection outside Local Subnet",
        "Warning",
        "needs Kubernetes, and that somebody fills its list `namespace_scope_network_only_subnet`",
    ),
    act(
        "Mount Launched in Privileged Container",
        "Warning",
        "container --privileged /mount $M",
        &["process=mount"],
    ),
    act(
        "Launch Ingress Remote File Copy Tools in Container",
        "Notice",
        "inside as wget /bin/true $M",
        &["process=wget"],
    ),
    act(
        "Read environment variable from /proc files",
        "Warning",
        r#"inside act reader "open F, q(<), q(/proc/self/environ)""#,
        &["/environ", "process=reader"],
    ),
    act(
        "Exfiltrating Artifacts via Kubernetes Control Plane",
        "Notice",
        r#"setsid -w $SHELL_OF_TEST 'inside below runc "act tar \"open F, q(<), qq(\$DIR/net.pl)\""'"#,
        &["/net.pl", "process=tar", "parent=runc"],
    ),
    act(
        "Adding ssh keys to authorized_keys",
        "Warning",
        r#"act writer "open F, q(>>), qq($SSH/authorized_keys)""#,
        &["/authorized_keys", "process=writer"],
    ),
    act(
        "Potential Local Privilege Escalation via Environment Variables Misuse",
        "Notice",
        "exec env GLIBC_TUNABLES=glibc.malloc.perturb=1 true $M",
        &["GLIBC_TUNABLES=glibc.malloc.perturb=1", "process=true"],
    ),
    act(
        "Backdoored library loaded into SSHD (CVE-2024-3094)",
        "Warning",
        r#"act sshd "open F, q(+>>), qq($DIR/liblzma.so.5.6.0)""#,
        &["/liblzma.so.5.6.0", "process=sshd"],
    ),
    act("BPF Program Not Profiled", "Notice", r#"act loader "syscall {bpf}, 5, 0, 0""#, &["process=loader"]),
];
