//! Opening ports.

use std::{
    io,
    net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, TcpListener},
};

use tracing::debug;

use crate::DetectorError;

/// Opens a port. With 127.0.0.1 goes ::1, where there is IPv6.
pub(crate) fn listen(key: &'static str, address: &str, port: u16) -> Result<Vec<TcpListener>, DetectorError> {
    // The configuration was checked; what is no address here would be no address there.
    let ip = address.parse().unwrap_or(IpAddr::V4(Ipv4Addr::LOCALHOST));
    let first = bind(key, SocketAddr::new(ip, port))?;
    let mut listeners = Vec::new();
    if ip == Ipv4Addr::LOCALHOST {
        let port = first.local_addr().map_or(port, |address| address.port());
        match bind(key, SocketAddr::new(Ipv6Addr::LOCALHOST.into(), port)) {
            Ok(second) => listeners.push(second),
            Err(DetectorError::Listen { source, .. }) if source.kind() != io::ErrorKind::AddrInUse => {
                debug!(%source, "No IPv6 loopback.");
            }
            Err(error) => return Err(error),
        }
    }
    listeners.insert(0, first);
    Ok(listeners)
}

fn bind(key: &'static str, address: SocketAddr) -> Result<TcpListener, DetectorError> {
    let listener = TcpListener::bind(address).and_then(|listener| {
        listener.set_nonblocking(true)?;
        Ok(listener)
    });
    listener.map_err(|source| DetectorError::Listen { key, address, source })
}

/// Their addresses.
pub(crate) fn addresses(listeners: &[TcpListener]) -> Vec<SocketAddr> {
    listeners.iter().filter_map(|listener| listener.local_addr().ok()).collect()
}
