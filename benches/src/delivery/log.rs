//! Logs as an agent writes them: EVT1 records of JSON objects.

use std::{
    fs::File,
    io::{BufWriter, Write},
    path::Path,
};

use anyhow::Result;

/// What a log is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// Reads and writes of files by some processes, judged by their node's rules.
    Usual,
    /// The same, some milliseconds apart.
    Paced,
    /// Judged by nobody, and each of them strange: what [`RULE`] finds.
    Strange,
}

/// A rule that finds every event of [`Kind::Strange`].
pub(super) const RULE: &str = "- rule: Bench finds everything\n  desc: every event of the harness\n  \
    condition: evt.type in (read, write) and fd.name startswith /srv/strange\n  \
    output: '%proc.name %fd.name %proc.cmdline'\n  priority: WARNING\n";

/// 2026-01-01, in nanoseconds since the Unix epoch.
const BEGIN: u64 = 1_767_225_600_000_000_000;

/// Writes so many events; returns the bytes of the file.
pub(super) fn write(path: &Path, kind: Kind, events: u32) -> Result<u64> {
    let mut out = BufWriter::with_capacity(1 << 20, File::create(path)?);
    let (mut bytes, mut time_ns) = (0, BEGIN);
    for number in 0..events {
        // 3 to 7 ms: no two are due together.
        time_ns += if kind == Kind::Paced { 3_000_000 + u64::from(number) * 7919 % 4_000_000 } else { 5000 };
        let object = object(kind, number, time_ns);
        let length = u32::try_from(object.len())?;
        out.write_all(b"EVT1")?;
        out.write_all(&length.to_le_bytes())?;
        out.write_all(object.as_bytes())?;
        bytes += 8 + u64::from(length);
    }
    out.flush()?;
    Ok(bytes)
}

/// The keys and the length are those of an agent's event on a host without containers.
fn object(kind: Kind, number: u32, time_ns: u64) -> String {
    let (process, file) = (number % 23, number % 5003);
    let pid = 1000 + process;
    let (event_type, call) =
        if number.is_multiple_of(4) { ("file_write", "write") } else { ("file_read", "read") };
    let (directory, judged) = match kind {
        Kind::Usual | Kind::Paced => ("/srv/shop/data", ",\"sentinel.rules\":\"1\""),
        Kind::Strange => ("/srv/strange", ""),
    };
    format!(
        "{{\"event_id\":\"019b7626-0000-7000-8000-{number:012x}\",\"ts_unix_nano\":{time_ns},\
         \"hostname\":\"node-1\",\"pod\":\"\",\"namespace\":\"\",\"container_id\":\"\",\
         \"event_type\":\"{event_type}\",\"data\":{{\"filename\":\"{directory}/{file}/record\",\
         \"bytes\":\"4096\",\"comm\":\"worker-{process}\",\"pid\":\"{pid}\",\"tid\":\"{pid}\",\
         \"uid\":\"33\",\"gid\":\"33\",\"fd\":\"11\",\"inode\":\"{file}\",\"device\":\"8:1\",\
         \"count\":\"1\",\"cgroup_id\":\"4711\"}},\"attributes\":{{\"evt.type\":\"{call}\",\
         \"evt.res\":\"SUCCESS\",\"fd.directory\":\"{directory}/{file}\",\"fd.filename\":\"record\",\
         \"fd.typechar\":\"f\",\"proc.name\":\"worker-{process}\",\"proc.exepath\":\"/usr/local/bin/worker\",\
         \"proc.exe\":\"worker\",\"proc.cmdline\":\"worker --shard {process} --data {directory}\",\
         \"proc.cwd\":\"/srv/shop\",\"proc.pid.ts\":\"17672255000{process:02}000000\",\"proc.ppid\":\"812\",\
         \"proc.ppid.ts\":\"1767225499000000000\",\"proc.pname\":\"supervisor\",\
         \"proc.pexepath\":\"/usr/local/bin/supervisor\",\"proc.pcmdline\":\"supervisor --config /etc/shop.toml\",\
         \"proc.aname[2]\":\"systemd\",\"proc.sid\":\"812\",\"proc.vpid\":\"{pid}\",\"proc.tty\":\"0\",\
         \"user.name\":\"www-data\",\"group.name\":\"www-data\",\"user.loginuid\":\"-1\",\
         \"thread.cgroup\":\"/system.slice/shop.service\"{judged}}}}}"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_log_is_records_of_objects() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("log");
        let bytes = write(&path, Kind::Strange, 2).unwrap();
        let log = std::fs::read(&path).unwrap();
        assert_eq!((log.len() as u64, &log[..4]), (bytes, &b"EVT1"[..]));
        let length = u32::from_le_bytes(log[4..8].try_into().unwrap()) as usize;
        let event: serde_json::Value = serde_json::from_slice(&log[8..8 + length]).unwrap();
        assert_eq!(event["data"]["filename"], "/srv/strange/0/record");
        assert_eq!(event["attributes"].get("sentinel.rules"), None);
        assert_eq!(&log[8 + length..12 + length], b"EVT1");
    }
}
