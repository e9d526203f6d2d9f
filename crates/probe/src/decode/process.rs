//! Starts, ends, interference; and what the iterators tell of processes that were there before us.

use sentinel_event::{
    Body, Capabilities, Exec, Executable, Exit, Fork, Path, Process, ProcessKey, Ptrace, Text,
};

use super::{Content, Decode, DecodeError, Tail, split};
use crate::abi;

impl Decode for abi::sentinel_exec {
    fn decode(&self, tail: Tail<'_>) -> Result<Content, DecodeError> {
        let failed = self.hdr.result < 0;
        let filename = tail.text(self.filename)?;
        let interpreter = tail.text(self.interp)?;
        let found = !failed && self.executable.ino != 0;
        Ok(Content::Body(Body::Exec(Exec {
            interpreter: if interpreter.is_empty() && !failed { filename.clone() } else { interpreter },
            filename,
            exe: if found { tail.rooted(self.exe)? } else { Path::default() },
            argv: arguments(tail.bytes(self.argv)?),
            argv_truncated: self.argv_len > u32::from(self.argv.len),
            executable: if found { executable(&self.executable) } else { Executable::default() },
            cwd: tail.rooted(self.cwd)?,
            capabilities: (!failed).then(|| {
                let [inheritable, permitted, effective] = self.cap;
                Capabilities { inheritable, permitted, effective }
            }),
            env: arguments(tail.bytes(self.env)?),
        })))
    }
}

fn executable(wire: &abi::sentinel_executable) -> Executable {
    let is = |flag| wire.flags & flag != 0;
    Executable {
        ino: wire.ino,
        changed_ns: wire.changed_ns,
        modified_ns: wire.modified_ns,
        pid_namespace_ns: wire.pidns_start_ns,
        memfd: wire.nlink == 0,
        upper_layer: is(abi::SENTINEL_EXECUTABLE_UPPER),
        lower_layer: is(abi::SENTINEL_EXECUTABLE_LOWER),
        writable: is(abi::SENTINEL_EXECUTABLE_WRITABLE),
    }
}

/// Each argument ends with a NUL; the last may have been cut.
fn arguments(bytes: &[u8]) -> Vec<Text> {
    if bytes.is_empty() {
        return Vec::new();
    }
    let bytes = bytes.strip_suffix(&[0]).unwrap_or(bytes);
    bytes.split(|byte| *byte == 0).map(Text::from).collect()
}

impl Decode for abi::sentinel_fork {
    fn decode(&self, _: Tail<'_>) -> Result<Content, DecodeError> {
        Ok(Content::Body(Body::Fork(Fork {
            child: ProcessKey { tgid: self.child_tgid, start_ns: self.child_start_ns },
            child_vpid: self.child_vpid,
        })))
    }
}

/// Bit of the wait status that says so.
const CORE_DUMPED: u32 = 0x80;

impl Decode for abi::sentinel_exit {
    fn decode(&self, _: Tail<'_>) -> Result<Content, DecodeError> {
        let signal = self.signal & !CORE_DUMPED;
        Ok(Content::Body(Body::Exit(Exit {
            status: if signal == 0 { self.status } else { 0 },
            signal,
            core_dumped: self.signal & CORE_DUMPED != 0,
        })))
    }
}

impl Decode for abi::sentinel_ptrace {
    fn decode(&self, _: Tail<'_>) -> Result<Content, DecodeError> {
        Ok(Content::Body(Body::Ptrace(Ptrace { request: self.request, target_pid: self.target_pid })))
    }
}

/// Processes as the iterator `snapshot_tasks` tells them, without arguments, and the tgid of who read them
/// (0 when there is no record). A torn or malformed record ends the list.
pub(crate) fn snapshot(mut bytes: &[u8]) -> (Vec<Process>, u32) {
    let (mut processes, mut reader) = (Vec::new(), 0);
    while let Some((wire, tail, rest)) = next_process(bytes) {
        reader = wire.reader_tgid;
        processes.push(process(&wire, tail));
        bytes = rest;
    }
    (processes, reader)
}

fn next_process(bytes: &[u8]) -> Option<(abi::sentinel_process, Tail<'_>, &[u8])> {
    let (wire, _) = split::<abi::sentinel_process>(bytes).ok()?;
    let (record, rest) = bytes.split_at_checked(usize::try_from(wire.hdr.len).ok()?)?;
    let tail = record.get(size_of::<abi::sentinel_process>()..)?;
    (u32::from(wire.hdr.version) == abi::SENTINEL_ABI_VERSION).then_some((wire, Tail(tail), rest))
}

fn process(wire: &abi::sentinel_process, tail: Tail<'_>) -> Process {
    let head = super::head(&wire.hdr);
    let exe = if wire.has_exe == 0 { Path::default() } else { tail.rooted(wire.exe).unwrap_or_default() };
    Process {
        key: head.process,
        parent: head.parent,
        execution: Some(head.execution),
        comm: Text::from(head.comm.as_bstr()),
        exe: exe.bytes,
        executable: (wire.executable.ino != 0).then(|| executable(&wire.executable)),
        vpid: head.vpid,
        uid: head.uid,
        gid: head.gid,
        group: head.group,
        loginuid: head.loginuid,
        session: head.session,
        tty: head.tty,
        cgroup_id: head.cgroup_id,
        ..Process::default()
    }
}

/// An open file of a process.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct OpenFd {
    /// The process, host's pid namespace.
    pub tgid: u32,
    /// Its start, nanoseconds since boot.
    pub start_ns: u64,
    /// The descriptor.
    pub fd: u32,
    /// Kernel's device number of the file system, major << 20 | minor.
    pub dev: u32,
    /// Inode number as the kernel has it: an overlay shows another to stat(2).
    pub ino: u64,
    /// `S_IF*` and permissions.
    pub mode: u32,
    /// The kernel's `FMODE_*`: 1 readable, 2 writable.
    pub fmode: u32,
}

/// Open files as the iterator `snapshot_files` tells them, and the tgid of who read them (0 when there is
/// no record). A torn last record is left out.
pub(crate) fn files(mut bytes: &[u8]) -> (Vec<OpenFd>, u32) {
    let (mut files, mut reader) = (Vec::new(), 0);
    while let Ok((wire, rest)) = split::<abi::sentinel_process_file>(bytes) {
        reader = wire.reader_tgid;
        files.push(OpenFd {
            tgid: wire.tgid,
            start_ns: wire.start_ns,
            fd: wire.fd,
            dev: wire.dev,
            ino: wire.ino,
            mode: wire.mode,
            fmode: wire.fmode,
        });
        bytes = rest;
    }
    (files, reader)
}

#[cfg(test)]
mod tests {
    use zerocopy::IntoBytes as _;

    use super::*;
    use crate::decode::wire_tests::{body, every_cut_fails, len16, record, span};

    fn path(off: u16, len: u16) -> abi::sentinel_path {
        abi::sentinel_path { span: span(off, len), flags: 0 }
    }

    fn file(nlink: u32, flags: u32) -> abi::sentinel_executable {
        let (ino, changed_ns, modified_ns, pidns_start_ns) = (99, 8, 7, 6);
        abi::sentinel_executable { ino, changed_ns, modified_ns, pidns_start_ns, nlink, flags }
    }

    /// `sh -c ''` as the kernel reports it.
    fn exec() -> (abi::sentinel_exec, &'static [u8]) {
        let wire = abi::sentinel_exec {
            exe: path(0, 9),
            cwd: path(9, 5),
            filename: span(14, 7),
            argv: span(21, 7),
            argv_len: 7,
            executable: file(1, 0),
            cap: [1, 2, 3],
            ..Default::default()
        };
        (wire, b"dash\0bin\0root\0/bin/shsh\0-c\0\0")
    }

    fn decoded(wire: &abi::sentinel_exec, tail: &[u8]) -> Exec {
        match body(&record(1, wire, tail)) {
            Body::Exec(exec) => exec,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn an_exec_tells_the_program_and_how_it_was_called() {
        let (wire, tail) = exec();
        let want = Exec {
            filename: "/bin/sh".into(),
            interpreter: "/bin/sh".into(),
            exe: "/bin/dash".into(),
            argv: ["sh", "-c", ""].map(Text::from).to_vec(),
            argv_truncated: false,
            executable: Executable {
                ino: 99,
                changed_ns: 8,
                modified_ns: 7,
                pid_namespace_ns: 6,
                ..Executable::default()
            },
            cwd: "/root".into(),
            capabilities: Some(Capabilities { inheritable: 1, permitted: 2, effective: 3 }),
            env: Vec::new(),
        };
        assert_eq!(decoded(&wire, tail), want);
        every_cut_fails(&record(1, &wire, tail));
    }

    #[test]
    fn arguments_end_at_their_nul() {
        let text = |args: &[&str]| args.iter().map(|arg| Text::from(*arg)).collect::<Vec<_>>();
        for (bytes, want) in [
            (&b""[..], text(&[])),
            (b"\0", text(&[""])),
            (b"a\0\0", text(&["a", ""])),
            (b"a\0b c\n\0", text(&["a", "b c\n"])),
            (b"a\0cut", text(&["a", "cut"])),
        ] {
            assert_eq!(arguments(bytes), want, "{bytes:?}");
        }
    }

    #[test]
    fn a_failed_exec_has_no_program_and_no_interpreter() {
        let wire = abi::sentinel_exec {
            hdr: abi::sentinel_header { result: -2, ..Default::default() },
            cwd: path(0, 5),
            filename: span(5, 2),
            ..Default::default()
        };
        let want = Exec { filename: "./".into(), cwd: "/root".into(), ..Exec::default() };
        assert_eq!(decoded(&wire, b"root\0./"), want);
    }

    #[test]
    fn what_is_special_about_an_exec_is_told() {
        let (wire, tail) = exec();
        assert!(decoded(&abi::sentinel_exec { argv_len: 8, ..wire }, tail).argv_truncated);
        let of = |nlink, flags| {
            decoded(&abi::sentinel_exec { executable: file(nlink, flags), ..wire }, tail).executable
        };
        assert!(of(0, 0).memfd && !of(1, 7).memfd);
        let flags = |found: Executable| [found.upper_layer, found.lower_layer, found.writable];
        assert_eq!(
            [1, 2, 4].map(|flag| flags(of(1, flag))),
            [[true, false, false], [false, true, false], [false, false, true]]
        );
        let environment = decoded(&abi::sentinel_exec { env: span(21, 4), ..wire }, tail).env;
        assert_eq!(environment, ["sh", "-"], "the last may have been cut");
        assert_eq!(decoded(&abi::sentinel_exec { interp: span(0, 4), ..wire }, tail).interpreter, "dash");
        let unread = decoded(&abi::sentinel_exec { argv: span(21, 0), ..wire }, tail);
        assert!(unread.argv.is_empty() && unread.argv_truncated);
    }

    #[test]
    fn a_process_ends_by_a_status_or_by_a_signal() {
        for (status, signal, want) in [
            (0, 0, Exit { status: 0, signal: 0, core_dumped: false }),
            (3, 0, Exit { status: 3, signal: 0, core_dumped: false }),
            (0, 9, Exit { status: 0, signal: 9, core_dumped: false }),
            (0, 11 | 0x80, Exit { status: 0, signal: 11, core_dumped: true }),
            (7, 9, Exit { status: 0, signal: 9, core_dumped: false }),
        ] {
            let wire = abi::sentinel_exit { status, signal, ..Default::default() };
            assert_eq!(body(&record(3, &wire, b"")), Body::Exit(want));
            every_cut_fails(&record(3, &wire, b""));
        }
    }

    #[test]
    fn forks_and_traces_name_the_other() {
        let fork =
            abi::sentinel_fork { child_start_ns: 5, child_tgid: 6, child_vpid: 7, ..Default::default() };
        let want = Fork { child: ProcessKey { tgid: 6, start_ns: 5 }, child_vpid: 7 };
        assert_eq!(body(&record(2, &fork, b"")), Body::Fork(want));
        every_cut_fails(&record(2, &fork, b""));
        let ptrace = abi::sentinel_ptrace { request: 16, target_pid: 4, ..Default::default() };
        assert_eq!(body(&record(14, &ptrace, b"")), Body::Ptrace(Ptrace { request: 16, target_pid: 4 }));
        every_cut_fails(&record(14, &ptrace, b""));
    }

    fn task(tgid: u32, comm: &[u8; 16], exe: Option<&[u8]>) -> Vec<u8> {
        let tail = exe.unwrap_or_default();
        let wire = abi::sentinel_process {
            hdr: abi::sentinel_header {
                tgid,
                start_ns: 8,
                ppid: 1,
                uid: 3,
                comm: *comm,
                ..Default::default()
            },
            exe: path(0, len16(tail)),
            executable: if exe.is_some() { file(1, 0) } else { abi::sentinel_executable::default() },
            reader_tgid: 42,
            has_exe: exe.is_some().into(),
        };
        record(0, &wire, tail)
    }

    #[test]
    fn a_snapshot_is_read_up_to_its_torn_end() {
        let init = task(1, b"init\0\0\0\0\0\0\0\0\0\0\0\0", Some(b"init\0sbin\0"));
        let both = [init.as_slice(), &task(2, b"kthreadd\0\0\0\0\0\0\0\0", None)].concat();
        let (all, reader) = snapshot(&both);
        let process = |tgid, comm: &str, exe: &str| Process {
            key: ProcessKey { tgid, start_ns: 8 },
            parent: ProcessKey { tgid: 1, start_ns: 0 },
            execution: Some(0),
            comm: comm.into(),
            exe: exe.into(),
            executable: (!exe.is_empty()).then(|| executable(&file(1, 0))),
            uid: 3,
            ..Process::default()
        };
        assert_eq!(all, [process(1, "init", "/sbin/init"), process(2, "kthreadd", "")]);
        assert_eq!(reader, 42);
        for n in 0..both.len() {
            assert_eq!(snapshot(&both[..n]).0.len(), usize::from(n >= init.len()), "{n}");
        }
    }

    #[test]
    fn a_record_that_lies_about_its_length_ends_the_snapshot() {
        let good = task(1, b"init\0\0\0\0\0\0\0\0\0\0\0\0", None);
        for len in [0_u32, 1, 128, u32::MAX] {
            let mut bytes = [good.as_slice(), &good, &good].concat();
            bytes[good.len()..good.len() + 4].copy_from_slice(&len.to_ne_bytes());
            assert_eq!(snapshot(&bytes).0.len(), 1, "{len}");
        }
    }

    #[test]
    fn open_files_are_read_up_to_the_torn_end() {
        let wire = abi::sentinel_process_file {
            ino: 1,
            start_ns: 2,
            dev: 3,
            tgid: 4,
            fd: 5,
            mode: 0o100_644,
            fmode: 7,
            reader_tgid: 8,
        };
        let bytes = [wire.as_bytes(), wire.as_bytes()].concat();
        let want = OpenFd { ino: 1, start_ns: 2, dev: 3, tgid: 4, fd: 5, mode: 0o100_644, fmode: 7 };
        assert_eq!(files(&bytes), (vec![want, want], 8));
        for n in 0..bytes.len() {
            assert_eq!(files(&bytes[..n]).0.len(), n / size_of::<abi::sentinel_process_file>(), "{n}");
        }
        assert_eq!(files(b""), (vec![], 0));
    }
}
