//! How messages travel.

use std::{
    fmt,
    io::{self, ErrorKind, Write as _},
    net::{TcpStream, ToSocketAddrs as _, UdpSocket},
    os::{
        fd::AsRawFd as _,
        unix::net::{UnixDatagram, UnixStream},
    },
    path::PathBuf,
    time::Duration,
};

use nix::sys::socket::{MsgFlags, recv};

/// How long connecting, and each write, may take.
const PATIENCE: Duration = Duration::from_secs(5);
/// What every receiver of UDP takes without fragments being lost is less; what one may take is this (RFC 5426, 3.2).
const DATAGRAM_MAX: usize = 65_000;

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Address {
    Udp(String),
    Tcp(String),
    Local(PathBuf),
}

impl Address {
    pub(super) fn parse(text: &str) -> Option<Self> {
        let end = |text: &str| {
            let (host, port) = text.rsplit_once(':')?;
            let good = !host.is_empty() && port.parse::<u16>().is_ok_and(|port| port > 0);
            good.then(|| text.to_owned())
        };
        if let Some(rest) = text.strip_prefix("udp://") {
            return end(rest).map(Self::Udp);
        }
        if let Some(rest) = text.strip_prefix("tcp://") {
            return end(rest).map(Self::Tcp);
        }
        text.starts_with('/').then(|| Self::Local(text.into()))
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Udp(end) => write!(f, "udp://{end}"),
            Self::Tcp(end) => write!(f, "tcp://{end}"),
            Self::Local(path) => write!(f, "{}", path.display()),
        }
    }
}

#[derive(Debug)]
enum Line {
    Udp(UdpSocket),
    Tcp(TcpStream),
    Datagram(UnixDatagram),
    Stream(UnixStream),
}

#[derive(Debug)]
pub(super) struct Wire {
    address: Address,
    line: Option<Line>,
}

impl Wire {
    pub(super) fn new(address: Address) -> Self {
        Self { address, line: None }
    }

    pub(super) fn address(&self) -> &Address {
        &self.address
    }

    pub(super) fn send(&mut self, message: &[u8]) -> io::Result<()> {
        // What is written to a peer that has gone is lost without a word, so that is looked for before.
        if self.line.as_ref().is_some_and(Line::gone) {
            self.line = None;
        }
        let mut line = match self.line.take() {
            Some(line) => line,
            None => connect(&self.address)?,
        };
        line.send(message)?;
        self.line = Some(line);
        Ok(())
    }
}

impl Line {
    fn gone(&self) -> bool {
        let descriptor = match self {
            Self::Tcp(stream) => stream.as_raw_fd(),
            Self::Stream(stream) => stream.as_raw_fd(),
            Self::Udp(_) | Self::Datagram(_) => return false,
        };
        // These servers never answer: the end is all there can be.
        let flags = MsgFlags::MSG_PEEK | MsgFlags::MSG_DONTWAIT;
        recv(descriptor, &mut [0], flags) != Err(nix::Error::EAGAIN)
    }

    fn send(&mut self, message: &[u8]) -> io::Result<()> {
        let datagram = message.get(..DATAGRAM_MAX).unwrap_or(message);
        match self {
            Self::Udp(socket) => match socket.send(datagram) {
                // Nobody had listened when the message before was sent; this one has not gone out.
                Err(error) if error.kind() == ErrorKind::ConnectionRefused => socket.send(datagram).map(drop),
                other => other.map(drop),
            },
            Self::Datagram(socket) => socket.send(datagram).map(drop),
            Self::Tcp(stream) => stream.write_all(&counted(message)),
            Self::Stream(stream) => stream.write_all(&counted(message)),
        }
    }
}

/// Octet counting (RFC 6587, 3.4.1): a message may hold anything.
fn counted(message: &[u8]) -> Vec<u8> {
    let mut framed = format!("{} ", message.len()).into_bytes();
    framed.extend_from_slice(message);
    framed
}

fn connect(address: &Address) -> io::Result<Line> {
    match address {
        Address::Udp(end) => {
            let mut last = none(end);
            for to in end.to_socket_addrs()? {
                let from = if to.is_ipv4() { "0.0.0.0:0" } else { "[::]:0" };
                match UdpSocket::bind(from).and_then(|socket| socket.connect(to).map(|()| socket)) {
                    Ok(socket) => return Ok(Line::Udp(socket)),
                    Err(error) => last = error,
                }
            }
            Err(last)
        }
        Address::Tcp(end) => {
            let mut last = none(end);
            for to in end.to_socket_addrs()? {
                match TcpStream::connect_timeout(&to, PATIENCE) {
                    Ok(stream) => {
                        stream.set_write_timeout(Some(PATIENCE))?;
                        return Ok(Line::Tcp(stream));
                    }
                    Err(error) => last = error,
                }
            }
            Err(last)
        }
        Address::Local(path) => {
            let socket = UnixDatagram::unbound()?;
            match socket.connect(path) {
                Ok(()) => {
                    socket.set_write_timeout(Some(PATIENCE))?;
                    Ok(Line::Datagram(socket))
                }
                // A socket of the other type.
                Err(error) if error.raw_os_error() == Some(nix::libc::EPROTOTYPE) => {
                    let stream = UnixStream::connect(path)?;
                    stream.set_write_timeout(Some(PATIENCE))?;
                    Ok(Line::Stream(stream))
                }
                Err(error) => Err(error),
            }
        }
    }
}

fn none(end: &str) -> io::Error {
    io::Error::new(ErrorKind::NotFound, format!("{end} has no address"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_told_apart() {
        for (text, expected) in [
            ("udp://log.example:514", Some(Address::Udp("log.example:514".into()))),
            ("tcp://[::1]:601", Some(Address::Tcp("[::1]:601".into()))),
            ("/dev/log", Some(Address::Local("/dev/log".into()))),
            ("log.example:514", None),
            ("udp://log.example", None),
            ("tcp://:601", None),
            ("tcp://log:0", None),
            ("", None),
        ] {
            assert_eq!(Address::parse(text), expected, "{text:?}");
        }
    }
}
