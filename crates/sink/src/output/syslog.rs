//! Syslog: RFC 5424 messages with structured data, by UDP, TCP or a local socket.

mod message;
mod wire;

use sentinel_event::Alert;

use self::{
    message::Header,
    wire::{Address, Wire},
};
use crate::{
    Format, SinkError, SyslogOutput,
    worker::{Output, Verdict},
};

#[derive(Debug)]
pub(crate) struct Syslog {
    header: Header,
    format: Format,
    wire: Wire,
}

/// Whether the address is one.
pub(crate) fn check(config: &SyslogOutput) -> Result<(), SinkError> {
    address(config).map(drop)
}

fn address(config: &SyslogOutput) -> Result<Address, SinkError> {
    Address::parse(&config.address).ok_or_else(|| SinkError::Invalid {
        key: "syslog.address".into(),
        problem: format!(
            "expected udp://HOST:PORT, tcp://HOST:PORT or an absolute path, found {:?}",
            config.address
        ),
    })
}

impl Syslog {
    pub(crate) fn new(config: &SyslogOutput, hostname: &str) -> Result<Self, SinkError> {
        let header = Header::new(config.facility, hostname);
        Ok(Self { header, format: config.format, wire: Wire::new(address(config)?) })
    }
}

impl Output for Syslog {
    fn render(&self, alert: &Alert) -> Vec<u8> {
        self.header.message(alert, self.format)
    }

    fn deliver(&mut self, rendered: &[Vec<u8>]) -> Verdict {
        for message in rendered {
            if let Err(error) = self.wire.send(message) {
                return Verdict::Away(format!("{}: {error}", self.wire.address()));
            }
        }
        Verdict::Delivered
    }
}
