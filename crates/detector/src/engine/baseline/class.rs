//! Many names, few classes: what two events have in common although their files and peers differ.

use std::net::IpAddr;

/// Components of a path that count.
const DEPTH: usize = 6;
/// From here on ports are the system's choice.
const EPHEMERAL: u16 = 32_768;

/// The components of a path, to a depth, each as its class: numbers and random names are replaced.
pub(super) fn components(path: &str) -> Vec<String> {
    path.split('/').filter(|component| !component.is_empty()).take(DEPTH).map(component).collect()
}

/// The class of a path.
pub(super) fn path(path: &str) -> String {
    components(path).iter().map(|component| format!("/{component}")).collect()
}

/// The class of a name: between its `-`, `.` and `_` random words are `*`, and digits are `0`.
fn component(name: &str) -> String {
    if is_random(name) {
        return "*".into();
    }
    let mut class = String::with_capacity(name.len());
    for piece in name.split_inclusive(['-', '.', '_']) {
        let (word, end) = match piece.chars().last() {
            Some(end @ ('-' | '.' | '_')) => (piece.trim_end_matches(end), Some(end)),
            _ => (piece, None),
        };
        if word.len() > 3 && word.starts_with("tmp") {
            class.push_str("tmp*");
        } else if word.len() > 3 && is_random(word) {
            class.push('*');
        } else {
            word.chars().for_each(|char| match char {
                '0'..='9' if class.ends_with('0') => {}
                '0'..='9' => class.push('0'),
                _ => class.push(char),
            });
        }
        class.extend(end);
    }
    class
}

/// Numbers, hexadecimal words, words with more digits or changes of case than a word has.
fn is_random(word: &str) -> bool {
    let digits = word.bytes().filter(u8::is_ascii_digit).count();
    let hex =
        word.len() >= 6 && digits > 0 && word.bytes().all(|byte| byte.is_ascii_hexdigit() || byte == b'-');
    let pairs = || word.bytes().zip(word.bytes().skip(1));
    let rises = pairs().filter(|(a, b)| a.is_ascii_lowercase() && b.is_ascii_uppercase()).count();
    digits == word.len() && digits > 0 || hex || word.len() >= 6 && (digits * 3 >= word.len() || rises >= 2)
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
            ("/var/lib/postgresql/15/main/base/1/2", "/var/lib/postgresql/*/main/base"),
            ("/etc/shadow", "/etc/shadow"),
            ("/home/ann/.ssh/id_rsa", "/home/ann/.ssh/id_rsa"),
            ("/tmp/.tmpQhsZ1a/x", "/tmp/*/x"),
            ("/var/lib/x/tmpfile.new", "/var/lib/x/tmp*.new"),
            ("/tmp/ccTbiOqV.o", "/tmp/*"),
            ("/proc/4711/maps", "/proc/*/maps"),
            ("/run/user/1000/f81d4fae-7dec/x", "/run/user/*/*/x"),
            ("/usr/lib/libssl.so.3", "/usr/lib/libssl.so.0"),
            ("/t/deps/root_agent-bcad01f2", "/t/deps/root_agent-*"),
            ("relative", "/relative"),
            ("", ""),
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
