//! systemd's journal, by its own protocol: a datagram of fields an alert.

use std::{
    io::{self, ErrorKind},
    os::unix::net::UnixDatagram,
    path::PathBuf,
    time::Duration,
};

use sentinel_event::Alert;

use crate::{
    JournaldOutput,
    form::printable,
    worker::{Output, Verdict},
};

/// How long the journal may be busy.
const BUSY: Duration = Duration::from_secs(5);
/// Bytes of a value that are sent; the journal's sockets take some 200 KiB in all.
const VALUE_MAX: usize = 16 << 10;

#[derive(Debug)]
pub(crate) struct Journald {
    path: PathBuf,
    socket: Option<UnixDatagram>,
}

impl Journald {
    pub(crate) fn new(config: &JournaldOutput) -> Self {
        Self { path: config.socket.clone(), socket: None }
    }

    fn send(&mut self, entry: &[u8]) -> io::Result<()> {
        let socket = match &self.socket {
            Some(socket) => socket,
            None => {
                let socket = UnixDatagram::unbound()?;
                socket.set_write_timeout(Some(BUSY))?;
                self.socket.insert(socket)
            }
        };
        socket.send_to(entry, &self.path).map(drop)
    }
}

impl Output for Journald {
    fn render(&self, alert: &Alert) -> Vec<u8> {
        let mut entry = Vec::with_capacity(1024);
        for (name, value) in [
            ("MESSAGE", printable(&alert.reason).as_bytes()),
            ("PRIORITY", (alert.priority as u8).to_string().as_bytes()),
            ("SYSLOG_IDENTIFIER", b"sentinel"),
            ("RULE_ID", alert.rule_id.as_bytes()),
            ("RULE", alert.rule.as_bytes()),
            ("SEVERITY", alert.severity.name().as_bytes()),
            ("RISK_SCORE", alert.risk_score.to_string().as_bytes()),
            ("ALERT_ID", alert.id.as_bytes()),
            ("EVENT_TIME_NS", alert.time_ns.to_string().as_bytes()),
        ] {
            field(&mut entry, name, value);
        }
        for (name, value) in &alert.fields {
            field(&mut entry, name, value);
        }
        entry
    }

    fn deliver(&mut self, rendered: &[Vec<u8>]) -> Verdict {
        for entry in rendered {
            match self.send(entry) {
                Ok(()) => {}
                Err(error) if error.raw_os_error() == Some(nix::libc::EMSGSIZE) => {
                    return Verdict::Refused(format!(
                        "an entry of {} bytes is too long for the journal",
                        entry.len()
                    ));
                }
                Err(error) => {
                    self.socket = None;
                    let busy = matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut);
                    let reason = if busy { "the journal is busy".to_owned() } else { error.to_string() };
                    return Verdict::Away(format!("{}: {reason}", self.path.display()));
                }
            }
        }
        Verdict::Delivered
    }
}

/// One field. The form with a length holds any bytes, so that no value can forge another field. Names are the
/// program's own; what the journal would refuse is left out.
fn field(entry: &mut Vec<u8>, name: &str, value: &[u8]) {
    let good =
        |at: usize, byte: u8| byte.is_ascii_uppercase() || at > 0 && (byte == b'_' || byte.is_ascii_digit());
    if name.is_empty() || name.len() > 64 || !name.bytes().enumerate().all(|(at, byte)| good(at, byte)) {
        return;
    }
    let value = value.get(..VALUE_MAX).unwrap_or(value);
    entry.extend_from_slice(name.as_bytes());
    if value.contains(&b'\n') {
        entry.push(b'\n');
        entry.extend_from_slice(&(value.len() as u64).to_le_bytes());
    } else {
        entry.push(b'=');
    }
    entry.extend_from_slice(value);
    entry.push(b'\n');
}
