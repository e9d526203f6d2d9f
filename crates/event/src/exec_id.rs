//! The name of one execution.

use std::{fmt, str::FromStr};

use crate::ProcessKey;

/// Names one execution of a program for good, wherever it is told: a process, from one exec to the next.
///
/// Node and boot aside it comes from kernel objects, the same at every event: an agent that was started again goes on
/// with the same names, and one that missed the exec has the right one.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ExecId {
    /// Node and boot: the first 64 bits of the SHA-256 of `NODE/BOOT_ID`.
    pub host: u64,
    /// The process.
    pub process: ProcessKey,
    /// How many programs were started before, by the process and those that it descends from; modulo 65536.
    pub execution: u16,
}

/// `HOST-PID-START-EXECUTION`: 16 hexadecimal digits, then numbers.
impl fmt::Display for ExecId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { host, process, execution } = self;
        write!(f, "{host:016x}-{}-{}-{execution}", process.tgid, process.start_ns)
    }
}

/// This text is no [`ExecId`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NotAnExecId;

impl fmt::Display for NotAnExecId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("expected HOST-PID-START-EXECUTION")
    }
}

impl std::error::Error for NotAnExecId {}

impl FromStr for ExecId {
    type Err = NotAnExecId;

    fn from_str(text: &str) -> Result<Self, NotAnExecId> {
        let mut parts = text.split('-');
        let mut next = || parts.next().ok_or(NotAnExecId);
        let host = next()?;
        if host.len() != 16 || host.starts_with('+') {
            return Err(NotAnExecId);
        }
        let id = Self {
            host: u64::from_str_radix(host, 16).map_err(|_| NotAnExecId)?,
            process: ProcessKey {
                tgid: next()?.parse().map_err(|_| NotAnExecId)?,
                start_ns: next()?.parse().map_err(|_| NotAnExecId)?,
            },
            execution: next()?.parse().map_err(|_| NotAnExecId)?,
        };
        if parts.next().is_none() { Ok(id) } else { Err(NotAnExecId) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_reads_back() {
        let process = ProcessKey { tgid: 4711, start_ns: 81_234_567_890 };
        let id = ExecId { host: 0x1f, process, execution: 3 };
        assert_eq!(id.to_string(), "000000000000001f-4711-81234567890-3");
        assert_eq!(id.to_string().parse(), Ok(id));
    }

    #[test]
    fn what_is_no_id_is_refused() {
        for text in [
            "",
            "1-2-3-4",
            "000000000000001f-4711-81234567890",
            "000000000000001f-4711-81234567890-3-",
            "000000000000001f-4711-81234567890-65536",
            "+00000000000001f-1-2-3",
            "000000000000001g-1-2-3",
        ] {
            assert_eq!(text.parse::<ExecId>(), Err(NotAnExecId), "{text}");
        }
    }
}
