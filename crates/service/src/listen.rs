//! Opening ports, and the checks of what a configuration says about them.

use std::{
    io,
    net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, TcpListener},
};

use thiserror::Error;
use tracing::debug;

/// How often another port is tried when the system chose one that is taken at ::1.
const TRIES: usize = 8;

/// A port that could not be opened.
#[derive(Debug, Error)]
#[error("{key}: cannot listen at {address}: {source}; stop what uses it, or set another {key}.port")]
pub struct ListenError {
    /// Section of the configuration, e.g. `metrics`.
    pub key: &'static str,
    /// The address.
    pub address: SocketAddr,
    /// What the system says.
    pub source: io::Error,
}

impl ListenError {
    /// Whether somebody else has the port.
    pub fn is_taken(&self) -> bool {
        self.source.kind() == io::ErrorKind::AddrInUse
    }
}

/// Opens a port; 0 lets the system choose. With 127.0.0.1 goes ::1, where there is IPv6. None of them blocks.
///
/// # Errors
/// When the system refuses; for ::1 only when somebody else has the port there.
pub fn listen(key: &'static str, ip: IpAddr, port: u16) -> Result<Vec<TcpListener>, ListenError> {
    let mut tries = if port == 0 { TRIES } else { 1 };
    loop {
        tries -= 1;
        let first = bind(key, SocketAddr::new(ip, port))?;
        if ip != Ipv4Addr::LOCALHOST {
            return Ok(vec![first]);
        }
        let same = first.local_addr().map_or(port, |address| address.port());
        match bind(key, SocketAddr::new(Ipv6Addr::LOCALHOST.into(), same)) {
            Ok(second) => return Ok(vec![first, second]),
            Err(error) if error.is_taken() && tries == 0 => return Err(error),
            Err(error) if error.is_taken() => {}
            Err(error) => {
                debug!(%error, "No IPv6 loopback.");
                return Ok(vec![first]);
            }
        }
    }
}

fn bind(key: &'static str, address: SocketAddr) -> Result<TcpListener, ListenError> {
    let listener = TcpListener::bind(address).and_then(|listener| {
        listener.set_nonblocking(true)?;
        Ok(listener)
    });
    listener.map_err(|source| ListenError { key, address, source })
}

/// Where they listen.
pub fn addresses(listeners: &[TcpListener]) -> Vec<SocketAddr> {
    listeners.iter().filter_map(|listener| listener.local_addr().ok()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_loopback_is_both_and_a_taken_port_is_told() {
        let listeners = listen("http", Ipv4Addr::LOCALHOST.into(), 0).unwrap();
        let addresses = addresses(&listeners);
        let port = addresses[0].port();
        assert!(port != 0 && addresses.iter().all(|address| address.port() == port), "{addresses:?}");
        let error = listen("http", Ipv4Addr::LOCALHOST.into(), port).unwrap_err();
        assert!(error.is_taken());
        assert!(error.to_string().ends_with("set another http.port"), "{error}");
    }

    #[test]
    fn an_address_that_is_not_ours_is_refused() {
        let error = listen("http", Ipv4Addr::new(192, 0, 2, 1).into(), 0).unwrap_err();
        assert!(!error.is_taken() && error.to_string().contains("192.0.2.1"), "{error}");
    }
}
