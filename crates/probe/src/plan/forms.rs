//! Jobs of one form.

/// A program, and its twin for kernels before 5.17.
macro_rules! syscalls {
    ([$($kind:ident),+], $program:literal, $old:literal, [$($hook:literal),+ $(,)?]) => {
        Job {
            kinds: &[$(Kind::$kind),+],
            variants: &[
                Variant { program: $program, hooks: &[$(Hook::Syscall(Cow::Borrowed($hook))),+], needs: &[Name::Tracefs, Name::BpfLoop] },
                Variant { program: $old, hooks: &[$(Hook::Syscall(Cow::Borrowed($hook))),+], needs: &[Name::Tracefs] },
            ],
        }
    };
    ([$($kind:ident),+], $program:literal, [$($hook:literal),+ $(,)?]) => {
        Job {
            kinds: &[$(Kind::$kind),+],
            variants: &[Variant { program: $program, hooks: &[$(Hook::Syscall(Cow::Borrowed($hook))),+], needs: &[Name::Tracefs] }],
        }
    };
}

/// A program at the end of every request of io_uring: who makes none pays nothing.
macro_rules! requests {
    ($kinds:expr, $name:literal, $hook:literal) => {
        Job {
            kinds: $kinds,
            variants: &[Variant {
                program: $name,
                hooks: &[Hook::Typed($hook)],
                needs: &[Name::TpBtf, Name::BpfLoop, Name::Uring],
            }],
        }
    };
}

/// A program at the beginning of every request of io_uring, and its twin for kernels before 6.4.
macro_rules! submissions {
    ($kinds:expr, $program:literal, $old:literal) => {
        Job {
            kinds: $kinds,
            variants: &[
                Variant {
                    program: $program,
                    hooks: &[Hook::Typed("io_uring_submit_req")],
                    needs: &[Name::TpBtf, Name::BpfLoop, Name::Uring, Name::UringSubmitReq],
                },
                Variant {
                    program: $old,
                    hooks: &[Hook::Typed("io_uring_submit_sqe")],
                    needs: &[Name::TpBtf, Name::BpfLoop, Name::Uring],
                },
            ],
        }
    };
}

/// What a name leads to: the kernel's word, else the caller's memory at the beginning of the call.
macro_rules! noted {
    ($kind:ident, $used:literal, $function:literal, $entered:literal, [$($call:literal),+ $(,)?]) => {
        Job {
            kinds: &[Kind::$kind],
            variants: &[
                Variant {
                    program: $used,
                    hooks: &[Hook::Called($function)],
                    needs: &[Name::BpfLoop, Name::Fentry, Name::SecurityPath],
                },
                Variant {
                    program: $entered,
                    hooks: &[$(Hook::Syscall(Cow::Borrowed(concat!("sys_enter_", $call)))),+],
                    needs: &[Name::Tracefs, Name::BpfLoop],
                },
            ],
        }
    };
}

/// The same where the kernel has nothing to say.
macro_rules! entered {
    ($kind:ident, $program:literal, [$($call:literal),+ $(,)?]) => {
        Job {
            kinds: &[Kind::$kind],
            variants: &[Variant {
                program: $program,
                hooks: &[$(Hook::Syscall(Cow::Borrowed(concat!("sys_enter_", $call)))),+],
                needs: &[Name::Tracefs, Name::BpfLoop],
            }],
        }
    };
}

/// A program at every system call of the machine, while 32-bit calls are wanted.
macro_rules! compat {
    ([$($kind:ident),+], $program:literal, $hook:literal) => {
        Job {
            kinds: &[$(Kind::$kind),+],
            variants: &[Variant { program: $program, hooks: &[Hook::Every($hook)], needs: &[Name::Tracefs, Name::Compat] }],
        }
    };
}

pub(super) use {compat, entered, noted, requests, submissions, syscalls};
