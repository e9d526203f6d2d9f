//! Who may look.

use std::net::IpAddr;

use hyper::{HeaderMap, header};

use crate::config::{Checked, Rule};

/// The cookie that the page for the token sets.
pub(crate) const COOKIE: &str = "sentinel_token";

/// What a request may do.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Verdict {
    Welcome,
    /// The token is missing or wrong.
    Token,
    /// Refused, with the reason.
    No(&'static str),
}

/// Judges a request by who sent it and its headers.
pub(crate) fn judge(config: &Checked, peer: IpAddr, headers: &HeaderMap) -> Verdict {
    let text = |name| headers.get(name).and_then(|value| value.to_str().ok());
    // Another site's page in the same browser: it could not read the answer, but it could keep us busy.
    if text("sec-fetch-site") == Some("cross-site") && text("sec-fetch-mode") != Some("navigate") {
        return Verdict::No("another web site asked for this");
    }
    match &config.access {
        Rule::Open => {
            let host = text("host").unwrap_or_default();
            if is_ours(host, &config.hosts) {
                return Verdict::Welcome;
            }
            Verdict::No("this host name is not known here: add it to http.hosts, or set access.mode")
        }
        Rule::Token(token) => {
            let bearer = text("authorization").and_then(|value| value.strip_prefix("Bearer "));
            let cookies = headers.get_all(header::COOKIE).into_iter().filter_map(|value| value.to_str().ok());
            let cookies = cookies.flat_map(|line| line.split(';')).map(str::trim);
            let mut cookies = cookies.filter_map(|pair| pair.strip_prefix(COOKIE)?.strip_prefix('='));
            let known = bearer.is_some_and(|found| same(found, token)) || cookies.any(|it| same(it, token));
            if known { Verdict::Welcome } else { Verdict::Token }
        }
        Rule::Header { name, proxies } => {
            // A v4 address that reached a v6 socket is still that address.
            if !proxies.contains(&peer.to_canonical()) {
                return Verdict::No("only the reverse proxies in access.proxies may ask");
            }
            match headers.get(name) {
                Some(user) if !user.is_empty() => Verdict::Welcome,
                _ => Verdict::No("the reverse proxy names no user (access.header)"),
            }
        }
    }
}

/// Addresses and localhost cannot be pointed at us by a stranger's name server.
fn is_ours(host: &str, known: &[String]) -> bool {
    let host = host.to_ascii_lowercase();
    let name = match host.rsplit_once(':') {
        Some((name, port)) if port.bytes().all(|byte| byte.is_ascii_digit()) => name,
        _ => host.as_str(),
    };
    let bare = name.trim_start_matches('[').trim_end_matches(']');
    bare.parse::<IpAddr>().is_ok()
        || name == "localhost"
        || name.ends_with(".localhost")
        || known.iter().any(|known| known == name || *known == host)
}

/// Takes as long for a near guess as for a far one.
pub(crate) fn same(found: &str, token: &str) -> bool {
    let differ = |all: u8, (a, b): (u8, u8)| all | (a ^ b);
    found.len() == token.len() && found.bytes().zip(token.bytes()).fold(0, differ) == 0
}

#[cfg(test)]
mod tests {
    use hyper::header::{HeaderName, HeaderValue};

    use super::*;
    use crate::Config;

    fn judged(access: Rule, peer: &str, headers: &[(&'static str, &'static str)]) -> Verdict {
        let mut config = Config::default().checked().unwrap();
        config.access = access;
        config.hosts = vec!["sentinel.corp".into()];
        let mut map = HeaderMap::new();
        for (name, value) in headers {
            map.insert(HeaderName::from_static(name), HeaderValue::from_static(value));
        }
        judge(&config, peer.parse().unwrap(), &map)
    }

    #[test]
    fn only_names_that_cannot_be_rebound_are_open() {
        for host in ["localhost:8080", "127.0.0.1:8080", "[::1]:8080", "10.1.2.3", "Sentinel.corp:8080"] {
            assert_eq!(judged(Rule::Open, "127.0.0.1", &[("host", host)]), Verdict::Welcome, "{host}");
        }
        for host in ["evil.example:8080", "", "localhost.evil.example", "127.0.0.1.evil.example"] {
            let verdict = judged(Rule::Open, "127.0.0.1", &[("host", host)]);
            assert!(matches!(verdict, Verdict::No(_)), "{host}");
        }
    }

    #[test]
    fn other_sites_may_link_here_but_not_load_from_here() {
        let request =
            |mode| [("host", "localhost"), ("sec-fetch-site", "cross-site"), ("sec-fetch-mode", mode)];
        assert_eq!(judged(Rule::Open, "::1", &request("navigate")), Verdict::Welcome);
        assert!(matches!(judged(Rule::Open, "::1", &request("no-cors")), Verdict::No(_)));
    }

    #[test]
    fn the_token_opens_as_bearer_and_as_cookie() {
        let rule = || Rule::Token("correct-horse-battery".into());
        for (name, value, expected) in [
            ("authorization", "Bearer correct-horse-battery", Verdict::Welcome),
            ("cookie", "a=b; sentinel_token=correct-horse-battery", Verdict::Welcome),
            ("authorization", "Bearer correct-horse-batterx", Verdict::Token),
            ("cookie", "sentinel_token=", Verdict::Token),
            ("cookie", "xsentinel_token=correct-horse-battery", Verdict::Token),
            ("host", "localhost", Verdict::Token),
        ] {
            assert_eq!(judged(rule(), "10.0.0.1", &[(name, value)]), expected, "{name}: {value}");
        }
    }

    #[test]
    fn a_header_counts_only_from_a_known_proxy() {
        let rule = || Rule::Header {
            name: HeaderName::from_static("x-forwarded-user"),
            proxies: vec!["127.0.0.1".parse().unwrap()],
        };
        let user = [("x-forwarded-user", "ada")];
        assert_eq!(judged(rule(), "127.0.0.1", &user), Verdict::Welcome);
        assert_eq!(judged(rule(), "::ffff:127.0.0.1", &user), Verdict::Welcome);
        assert!(matches!(judged(rule(), "10.0.0.1", &user), Verdict::No(_)));
        assert!(matches!(judged(rule(), "127.0.0.1", &[]), Verdict::No(_)));
        assert!(matches!(judged(rule(), "127.0.0.1", &[("x-forwarded-user", "")]), Verdict::No(_)));
    }
}
