//! Events of a usual mix: 40 % opens, 20 % program starts and ends, 15 % network, 15 % writes and closes, 10 % other.
//!
//! `mixed.ndjson` is a recording of real activity (a build, shell scripts, a Python server, container tools), as the
//! agent wrote it, less what no rule reads, and with names of its machine replaced.

use std::{collections::BTreeMap, sync::Arc};

use sentinel_event::{Body, Kind, Observation, Process, ProcessKey};
use sentinel_rules::language::envelope::Envelope;
use serde_json::Value;

const RECORDING: &str = include_str!("mixed.ndjson");

/// Shares of the mix in percent, with a name for reports.
pub(crate) const MIX: &[(u64, &str, &[Kind])] = &[
    (40, "open", &[Kind::FileOpen]),
    (20, "exec and exit", &[Kind::Exec, Kind::Exit]),
    (15, "network", &[Kind::Connect, Kind::Accept, Kind::Bind, Kind::Listen]),
    (15, "write and close", &[Kind::FileWrite, Kind::FileClose]),
    (10, "other", &[Kind::FileRead, Kind::Fork, Kind::FileUnlink, Kind::FileRename, Kind::MmapExec]),
];

/// Makes events without end, the same for the same seed.
pub(crate) struct Stream {
    /// By share of the mix.
    recorded: Vec<Vec<Observation>>,
    random: u64,
    made: u64,
}

impl Stream {
    /// Reads the recording.
    pub(crate) fn new(seed: u64) -> Result<Self, super::Failure> {
        let mut recorded: Vec<Vec<Observation>> = MIX.iter().map(|_| Vec::new()).collect();
        for line in RECORDING.lines() {
            let event = read(line)?;
            let share = MIX.iter().position(|(_, _, kinds)| kinds.contains(&event.event.kind()));
            if let Some(events) = share.and_then(|share| recorded.get_mut(share)) {
                events.push(event);
            }
        }
        if recorded.iter().any(Vec::is_empty) {
            return Err("mixed.ndjson has no events of some share of the mix".into());
        }
        Ok(Self { recorded, random: seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1, made: 0 })
    }

    /// A number below `end` (xorshift).
    fn below(&mut self, end: u64) -> u64 {
        self.random ^= self.random << 13;
        self.random ^= self.random >> 7;
        self.random ^= self.random << 17;
        (self.random >> 11) % end.max(1)
    }

    /// One more event of the mix.
    pub(crate) fn next(&mut self) -> Observation {
        let mut place = self.below(100);
        let share = MIX.iter().position(|(share, _, _)| {
            let here = place < *share;
            place = place.saturating_sub(*share);
            here
        });
        self.of(share.unwrap_or_default())
    }

    /// One more event of a share of the mix: a recorded one, of another process and about another file or port.
    pub(crate) fn of(&mut self, share: usize) -> Observation {
        let length = self.recorded.get(share).map_or(0, Vec::len);
        let chosen = self.below(length as u64);
        let (variant, contained) = (self.below(10_000), self.below(3) == 0);
        self.made += 1;
        let recorded = self.recorded.get(share).and_then(|events| events.get(usize::try_from(chosen).ok()?));
        let Some(mut event) = recorded.cloned() else { return self.of(0) };
        let head = &mut event.event.head;
        head.real_ns += self.made * 20_000;
        head.boot_ns += self.made * 20_000;
        head.process.tgid = 1000 + u32::try_from(variant).unwrap_or_default();
        head.tid = head.process.tgid;
        // Half of the files are the recorded ones.
        let vary = |path: &mut sentinel_event::Text| {
            if variant % 2 == 1 && !path.is_empty() {
                path.extend_from_slice(format!(".{variant}").as_bytes());
            }
        };
        match &mut event.event.body {
            Body::FileOpen(open) if open.asked.path.is_empty() => vary(&mut open.path.bytes),
            Body::FileRead(io) | Body::FileWrite(io) => vary(&mut io.path.bytes),
            Body::FileClose(close) => vary(&mut close.path.bytes),
            Body::Connect(connect) => {
                connect.socket.local.port = 32_768 + u16::try_from(variant).unwrap_or_default();
            }
            _ => {}
        }
        if contained {
            event.container_id =
                Some("0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef".into());
        }
        event
    }
}

/// A line of the recording. Envelopes know the parent; a shell of a remote login stands for the rest.
fn read(line: &str) -> Result<Observation, super::Failure> {
    let object: Value = serde_json::from_str(line)?;
    let map = |key: &str| -> Result<BTreeMap<String, String>, super::Failure> {
        Ok(serde_json::from_value(object.get(key).cloned().unwrap_or_default())?)
    };
    let (data, attributes) = (map("data")?, map("attributes")?);
    let envelope = Envelope {
        event_type: object.get("event_type").and_then(Value::as_str).unwrap_or_default(),
        ts_unix_nano: object.get("ts_unix_nano").and_then(Value::as_u64).unwrap_or_default(),
        container_id: object.get("container_id").and_then(Value::as_str).unwrap_or_default(),
        data: &data,
        attributes: &attributes,
    };
    let mut told = envelope.read()?;
    if !told.malformed.is_empty() {
        return Err(format!("{:?} of {line}", told.malformed).into());
    }
    let mut ancestors = told.observation.ancestors.to_vec();
    for (pid, name) in [(900, "bash"), (800, "sshd"), (700, "sshd"), (1, "systemd")] {
        let exe = format!("/usr/bin/{name}").as_str().into();
        let key = ProcessKey { tgid: pid, start_ns: pid.into() };
        let argv = [name, "-x"].map(Into::into).to_vec().into();
        ancestors.push(Arc::new(Process { key, comm: name.into(), exe, argv, ..Process::default() }));
    }
    told.observation.ancestors = ancestors.into();
    Ok(told.observation)
}
