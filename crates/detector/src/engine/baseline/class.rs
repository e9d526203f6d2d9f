//! Many names, few classes: what two events have in common although their files and peers differ.

use std::net::IpAddr;

/// Components of a directory that count.
const DEPTH: usize = 4;
/// From here on ports are the system's choice.
const EPHEMERAL: u16 = 32_768;

/// The class of a path: its directory, to a depth, with numbers and random names replaced. Small directories where
/// every file has a meaning of its own keep the file's name.
pub(super) fn path(path: &str) -> String {
    let telling =
        ["/etc/", "/root/", "/boot/"].iter().any(|start| path.starts_with(start)) || path.contains("/.ssh/");
    let directory = path.rsplit_once('/').map_or("", |(directory, _)| directory);
    let named = if telling { path } else { directory };
    let mut class = String::new();
    for component in named.split('/').filter(|component| !component.is_empty()).take(DEPTH) {
        class.push('/');
        class.push_str(if is_random(component) { "*" } else { component });
    }
    if class.is_empty() { "/".into() } else { class }
}

/// Numbers, hexadecimal names, names with more digits than a word has.
fn is_random(name: &str) -> bool {
    let digits = name.bytes().filter(u8::is_ascii_digit).count();
    let hex = name.len() >= 8 && name.bytes().all(|byte| byte.is_ascii_hexdigit() || byte == b'-');
    digits == name.len() || hex || digits * 3 >= name.len() && name.len() >= 6
}

/// The class of a peer: near or far, and the port if a service could be there.
pub(super) fn peer(ip: &str, port: &str) -> String {
    let place = match ip.parse::<IpAddr>() {
        Ok(ip) if ip.is_loopback() => "this host",
        Ok(IpAddr::V4(ip)) if ip.is_private() || ip.is_link_local() => "the local network",
        Ok(IpAddr::V6(ip)) if ip.is_unique_local() || ip.is_unicast_link_local() => "the local network",
        Ok(_) => "the internet",
        Err(_) => "an unknown place",
    };
    match port.parse::<u16>() {
        Ok(port) if port >= EPHEMERAL => format!("a high port of {place}"),
        Ok(port) => format!("port {port} of {place}"),
        Err(_) => place.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_of_the_same_sort_are_one() {
        for (name, class) in [
            ("/var/lib/postgresql/15/main/base/1/2", "/var/lib/postgresql/*"),
            ("/etc/shadow", "/etc/shadow"),
            ("/home/ann/.ssh/id_rsa", "/home/ann/.ssh/id_rsa"),
            ("/tmp/a", "/tmp"),
            ("/proc/4711/maps", "/proc/*"),
            ("/run/user/1000/f81d4fae-7dec/x", "/run/user/*/*"),
            ("relative", "/"),
            ("", "/"),
        ] {
            assert_eq!(path(name), class, "{name}");
        }
    }

    #[test]
    fn peers_are_near_or_far() {
        for (ip, port, class) in [
            ("127.0.0.1", "80", "port 80 of this host"),
            ("10.1.2.3", "5432", "port 5432 of the local network"),
            ("1.1.1.1", "50000", "a high port of the internet"),
            ("fd00::1", "", "the local network"),
            ("x", "y", "an unknown place"),
        ] {
            assert_eq!(peer(ip, port), class);
        }
    }
}
