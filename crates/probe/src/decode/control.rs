//! What processes do to themselves, to each other and to the kernel; and any other call.

use sentinel_event::{
    AnyCall, Body, Bpf, Comm, IoUringSetup, Prctl, ProcessVmWrite, Signal, Text, Userfaultfd,
};

use super::{Content, Decode, DecodeError, Tail};
use crate::abi;

const PR_SET_NAME: u64 = 15;

impl Decode for abi::sentinel_prctl {
    fn decode(&self, _: Tail<'_>) -> Result<Content, DecodeError> {
        Ok(Content::Body(Body::Prctl(Prctl {
            option: self.option,
            args: self.args,
            name: (self.option == PR_SET_NAME && self.hdr.result >= 0).then(|| Comm::new(self.hdr.comm)),
        })))
    }
}

impl Decode for abi::sentinel_signal {
    fn decode(&self, _: Tail<'_>) -> Result<Content, DecodeError> {
        Ok(Content::Body(Body::Signal(Signal {
            target_pid: self.target_pid,
            target_tid: self.target_tid,
            signal: self.signal,
            pidfd: self.pidfd,
        })))
    }
}

impl Decode for abi::sentinel_bpf {
    fn decode(&self, _: Tail<'_>) -> Result<Content, DecodeError> {
        Ok(Content::Body(Body::Bpf(Bpf {
            cmd: self.cmd,
            object_type: self.type_,
            name: Text::from(self.name.split(|byte| *byte == 0).next().unwrap_or_default()),
        })))
    }
}

impl Decode for abi::sentinel_userfaultfd {
    fn decode(&self, _: Tail<'_>) -> Result<Content, DecodeError> {
        Ok(Content::Body(Body::Userfaultfd(Userfaultfd { flags: self.flags })))
    }
}

impl Decode for abi::sentinel_io_uring_setup {
    fn decode(&self, _: Tail<'_>) -> Result<Content, DecodeError> {
        Ok(Content::Body(Body::IoUringSetup(IoUringSetup {
            entries: self.entries,
            flags: self.flags,
            sq_entries: self.sq_entries,
            cq_entries: self.cq_entries,
            sq_thread_cpu: self.sq_thread_cpu,
            sq_thread_idle: self.sq_thread_idle,
            features: self.features,
            unreadable: self.unreadable != 0,
        })))
    }
}

impl Decode for abi::sentinel_process_vm_write {
    fn decode(&self, _: Tail<'_>) -> Result<Content, DecodeError> {
        Ok(Content::Body(Body::ProcessVmWrite(ProcessVmWrite {
            target_pid: self.target_pid,
            addr: self.addr,
            pieces: self.pieces,
        })))
    }
}

impl Decode for abi::sentinel_syscall {
    fn decode(&self, _: Tail<'_>) -> Result<Content, DecodeError> {
        Ok(Content::Body(Body::Syscall(AnyCall { args: self.args })))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::decode::wire_tests::{body, every_cut_fails, record};

    #[test]
    fn numbers_arrive_where_they_belong() {
        let cases = [
            (
                record(
                    24,
                    &abi::sentinel_prctl { option: 38, args: [1, 2, 3, 4], ..Default::default() },
                    b"",
                ),
                Body::Prctl(Prctl { option: 38, args: [1, 2, 3, 4], name: None }),
            ),
            (
                record(
                    25,
                    &abi::sentinel_signal {
                        target_pid: -5,
                        target_tid: 6,
                        signal: 9,
                        pidfd: -1,
                        ..Default::default()
                    },
                    b"",
                ),
                Body::Signal(Signal { target_pid: -5, target_tid: 6, signal: 9, pidfd: -1 }),
            ),
            (
                record(41, &abi::sentinel_userfaultfd { flags: 1, ..Default::default() }, b""),
                Body::Userfaultfd(Userfaultfd { flags: 1 }),
            ),
            (
                record(
                    42,
                    &abi::sentinel_io_uring_setup {
                        entries: 1,
                        flags: 2,
                        sq_entries: 3,
                        cq_entries: 4,
                        sq_thread_cpu: 5,
                        sq_thread_idle: 6,
                        features: 7,
                        unreadable: 1,
                        ..Default::default()
                    },
                    b"",
                ),
                Body::IoUringSetup(IoUringSetup {
                    entries: 1,
                    flags: 2,
                    sq_entries: 3,
                    cq_entries: 4,
                    sq_thread_cpu: 5,
                    sq_thread_idle: 6,
                    features: 7,
                    unreadable: true,
                }),
            ),
            (
                record(
                    43,
                    &abi::sentinel_process_vm_write {
                        target_pid: 1,
                        addr: 2,
                        pieces: 3,
                        ..Default::default()
                    },
                    b"",
                ),
                Body::ProcessVmWrite(ProcessVmWrite { target_pid: 1, addr: 2, pieces: 3 }),
            ),
            (
                record(
                    44,
                    &abi::sentinel_syscall { args: [1, 2, 3, 4, 5, u64::MAX], ..Default::default() },
                    b"",
                ),
                Body::Syscall(AnyCall { args: [1, 2, 3, 4, 5, u64::MAX] }),
            ),
        ];
        for (bytes, want) in cases {
            assert_eq!(body(&bytes), want);
            every_cut_fails(&bytes);
        }
    }

    #[test]
    fn a_name_that_was_set_is_the_threads() {
        let mut wire = abi::sentinel_prctl { option: PR_SET_NAME, ..Default::default() };
        wire.hdr.comm = *b"kworker/0:1\0\0\0\0\0";
        let name = |bytes: &[u8]| match body(bytes) {
            Body::Prctl(prctl) => prctl.name,
            other => panic!("{other:?}"),
        };
        assert_eq!(name(&record(24, &wire, b"")), Some(Comm::from("kworker/0:1")));
        wire.hdr.result = -14;
        assert_eq!(name(&record(24, &wire, b"")), None);
    }

    #[test]
    fn names_of_programs_end_at_their_nul() {
        for (name, want) in [(*b"probe\0left over.", "probe"), (*b"sixteen letters!", "sixteen letters!")] {
            let bytes = record(39, &abi::sentinel_bpf { cmd: 5, type_: 2, name, ..Default::default() }, b"");
            assert_eq!(body(&bytes), Body::Bpf(Bpf { cmd: 5, object_type: 2, name: want.into() }));
            every_cut_fails(&bytes);
        }
    }
}
