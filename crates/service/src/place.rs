//! Whether a place is on this host.

use std::net::IpAddr;

/// Whether what is said to this place leaves the host: it is neither `localhost` nor an address of the loopback.
/// `place` is `HOST`, `HOST:PORT` or a URL with them.
pub fn is_remote(place: &str) -> bool {
    let place = place.split_once("://").map_or(place, |(_, rest)| rest);
    let place = place.split(['/', '?', '#']).next().unwrap_or_default();
    let place = place.rsplit_once('@').map_or(place, |(_, host)| host);
    let host = match place.strip_prefix('[') {
        Some(rest) => rest.split(']').next().unwrap_or_default(),
        // An IPv6 address may stand there alone.
        None if place.matches(':').count() == 1 => place.split(':').next().unwrap_or_default(),
        None => place,
    };
    !host.eq_ignore_ascii_case("localhost") && !host.parse::<IpAddr>().is_ok_and(|ip| ip.is_loopback())
}

#[test]
fn this_host_is_not_remote() {
    for place in [
        "localhost",
        "LocalHost:4222",
        "127.0.0.1",
        "127.1.2.3:50051",
        "::1",
        "[::1]:50051",
        "nats://user:secret@localhost:4222",
        "http://[::1]:8090/path?x=y",
    ] {
        assert!(!is_remote(place), "{place}");
    }
    for place in [
        "0.0.0.0",
        "::",
        "10.0.0.7:50051",
        "[2001:db8::1]:4222",
        "detector.sentinel.svc:50051",
        "nats://localhost.example:4222",
        "nats://localhost@10.0.0.7",
        "http://example/?@localhost",
    ] {
        assert!(is_remote(place), "{place}");
    }
}
