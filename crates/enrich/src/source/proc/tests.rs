use std::os::unix::process::CommandExt as _;
use std::process::{Command, Stdio};

use super::*;

#[test]
fn a_name_with_parentheses_does_not_shift_the_fields() {
    let line =
        b"6697 (a) R 1 (b) S 6696 6693 4524 34816 -1 4194304 106 0 0 0 0 0 0 0 20 0 1 0 131566 2998272";
    let (stat, ppid) = Stat::parse(line).unwrap();
    assert_eq!((stat.comm.as_slice(), ppid), (b"a) R 1 (b".as_slice(), 6696));
    assert_eq!((stat.session, stat.tty, stat.start_ns), (4524, 136 << 20, 1_315_660_000_000));
}

#[test]
fn malformed_stat_files_are_refused() {
    for line in
        ["", "1", "1 (a", "1 a)", "1 )a(", "1 (a) R", "1 (a) R 0 0 0 0 -1 0 0 0 0 0 0 0 0 0 20 0 1 0 x"]
    {
        assert!(Stat::parse(line.as_bytes()).is_none(), "{line:?}");
    }
}

#[test]
fn device_numbers_are_those_of_the_kernel() {
    let cases = [(0, 0), (0x8800, 136 << 20), (0x0401, (4 << 20) | 1), (0x0010_8805, (136 << 20) | 0x105)];
    for (user, kernel) in cases {
        assert_eq!(kernel_dev(user), kernel, "{user:#x}");
    }
}

#[test]
fn cgroup_mounts_are_found_beside_version_1_and_with_odd_names() {
    let mountinfo = b"\
40 31 0:37 / /sys/fs/cgroup/systemd rw,relatime - cgroup cgroup rw,name=systemd
41 31 0:38 / /sys/fs/cgroup/unified rw,relatime - cgroup2 cgroup2 rw
42 31 0:38 / /mnt/a\\040b rw,relatime shared:9 master:2 - cgroup2 cgroup2 rw
torn line";
    let expected: [PathBuf; 2] = ["/sys/fs/cgroup/unified".into(), "/mnt/a b".into()];
    assert_eq!(cgroup2_mounts(mountinfo), expected);
    assert_eq!(unescape(b"a\\134b\\9x\\"), b"a\\b\\9x\\");
}

#[test]
fn a_child_of_ours_is_described_as_it_was_started() {
    let mut child = Command::new("/bin/cat").arg0("my cat").arg("-").stdin(Stdio::piped()).spawn().unwrap();
    let mut source = ProcSource::new();
    // Between fork and exec the child still is a copy of us; its arguments are the last that an exec sets.
    let started = std::time::Instant::now();
    let process = loop {
        let process = source.process(child.id()).unwrap();
        if process.argv.first().is_some_and(|name| name.as_slice() == b"my cat")
            || started.elapsed().as_secs() > 10
        {
            break process;
        }
    };
    let all = source.processes();
    let ours = all.iter().find(|p| p.key.tgid == std::process::id()).unwrap();
    assert!(all.contains(&process));
    assert_eq!(process.parent, ours.key);
    assert_eq!((&process.argv[0], &process.argv[1], process.argv.len()), (&"my cat".into(), &"-".into(), 2));
    assert!(process.exe.ends_with(b"/cat") || process.exe.ends_with(b"busybox"), "{:?}", process.exe);
    assert!(process.key.start_ns >= ours.key.start_ns);
    // Nothing in between gives or takes privileges.
    assert!(process.capabilities.is_some() && process.capabilities == ours.capabilities);
    drop(child.stdin.take());
    child.wait().unwrap();
    assert_eq!(source.process(child.id()), None);
}

const DOCKER_V1: &str =
    "2:cpu:/x\n1:name=systemd:/docker/0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef\n";

#[test]
fn cgroups_are_read_with_their_ids_or_without() {
    let host = tempfile::tempdir().unwrap();
    let mount = host.path().join("cgroup");
    fs::create_dir_all(mount.join("docker/abc")).unwrap();
    for (pid, line) in [
        ("1", "1:cpu:/x\n0::/docker/abc\n"),
        ("2", "0::/../other\n"),
        ("3", "0::/gone\n"),
        ("4", "1:cpu:/\n"),
        ("5", DOCKER_V1),
        ("6", DOCKER_V1),
    ] {
        fs::create_dir(host.path().join(pid)).unwrap();
        fs::write(host.path().join(pid).join("cgroup"), line).unwrap();
    }
    let mut source = ProcSource { proc: host.path().into(), cgroups: Some(mount.clone()), births: None };
    let ino = |path: &str| fs::metadata(mount.join(path)).unwrap().ino();
    assert_eq!(
        source.cgroup_of(1),
        Some(Cgroup { id: Some(ino("docker/abc")), path: "/docker/abc".into(), legacy: None })
    );
    assert_eq!(source.cgroup_of(2), Some(Cgroup { id: None, path: "/../other".into(), legacy: None }));
    assert_eq!(source.cgroup_of(3), Some(Cgroup { id: None, path: "/gone".into(), legacy: None }));
    let in_root = |legacy: Option<&str>| {
        Some(Cgroup { id: Some(ROOT_CGROUP), path: "/".into(), legacy: legacy.map(Text::from) })
    };
    assert_eq!((source.cgroup_of(4), source.cgroup_of(7)), (in_root(None), None), "nobody mounts version 2");
    for (pid, root) in [("1", "/"), ("5", "/proc"), ("6", "/")] {
        std::os::unix::fs::symlink(root, host.path().join(pid).join("root")).unwrap();
    }
    let path = DOCKER_V1.rsplit(':').next().unwrap().trim_end();
    assert_eq!(source.cgroup_of(5), in_root(Some(path)));
    assert_eq!(source.cgroup_of(6), in_root(None), "a runtime in the host's root directory");
    let mut all = source.cgroups();
    all.sort_by_key(|(_, path)| path.clone());
    assert_eq!(all, [(ino("docker"), "/docker".into()), (ino("docker/abc"), "/docker/abc".into())]);
}
