//! Constants: text to typed value.

use std::net::IpAddr;

use bstr::ByteSlice;
use sentinel_event::Text;

use super::{ast::Operator, condition::Literal, types::Type};

/// Reads a constant that is compared by `operator` with something of type `ty`.
///
/// # Errors
/// What is wrong with it.
pub(super) fn parse(text: &Text, ty: Type, operator: Operator) -> Result<Literal, String> {
    if ty == Type::Bytes {
        return match operator {
            Operator::BContains | Operator::BStartsWith => hex_string(text).map(Literal::Bytes),
            _ => Ok(Literal::Bytes(text.to_vec())),
        };
    }
    if text.contains(&0) {
        return Err("a constant must not contain a NUL byte".into());
    }
    let shown = text.to_str_lossy();
    match ty {
        Type::Bytes | Type::Text | Type::Path => {
            if operator == Operator::Regex {
                regex(&shown)?;
            }
            Ok(Literal::Text(text.clone()))
        }
        Type::I16 => signed(&shown, 16),
        Type::I32 | Type::Double => signed(&shown, 32),
        Type::I64 => signed(&shown, 64),
        Type::U32 => unsigned(&shown, 32),
        Type::U64 => unsigned(&shown, 64),
        Type::Duration | Type::Time => unsigned(&shown, 64),
        Type::Bool => match &*shown {
            "true" => Ok(Literal::Bool(true)),
            "false" => Ok(Literal::Bool(false)),
            _ => Err(format!("unrecognized boolean value '{shown}': it must be 'true' or 'false'")),
        },
        Type::Port => port(&shown),
        Type::Address => address(&shown).map(Literal::Address),
        Type::Network => network(&shown),
    }
}

/// Compiles an expression that must match the whole of a value.
///
/// # Errors
/// It is no expression, or one that would need too much memory.
pub(super) fn regex(pattern: &str) -> Result<regex::bytes::Regex, String> {
    const SIZE_MAX: usize = 1 << 20; // bytes of the compiled expression
    // Alone first: "a)(b" must not become valid between the parentheses.
    let built = |pattern: &str| regex::bytes::RegexBuilder::new(pattern).size_limit(SIZE_MAX).build();
    let checked = built(pattern).and_then(|_| built(&format!(r"\A(?:{pattern})\z")));
    checked.map_err(|error| format!("invalid regular expression '{pattern}': {error}"))
}

fn hex_string(text: &[u8]) -> Result<Vec<u8>, String> {
    let wrong = || "the operators 'bcontains' and 'bstartswith' support hex strings only".to_owned();
    if !text.len().is_multiple_of(2) {
        return Err(wrong());
    }
    let digit = |byte: &u8| char::from(*byte).to_digit(16).and_then(|digit| u8::try_from(digit).ok());
    let pairs = text.chunks_exact(2).map(|pair| match pair {
        [high, low] => Some(digit(high)? << 4 | digit(low)?),
        _ => None,
    });
    pairs.collect::<Option<Vec<u8>>>().ok_or_else(wrong)
}

fn wide(text: &str) -> Option<i128> {
    let (negative, digits) = match text.strip_prefix(['-', '+']) {
        Some(digits) => (text.starts_with('-'), digits),
        None => (false, text),
    };
    let (digits, radix) = match digits.strip_prefix("0x").or_else(|| digits.strip_prefix("0X")) {
        Some(hex) if digits.len() == text.len() => (hex, 16),
        Some(_) => return None,
        None => (digits, 10),
    };
    if digits.is_empty() || !digits.bytes().all(|digit| digit.is_ascii_hexdigit()) {
        return None;
    }
    let number = i128::from_str_radix(digits, radix).ok()?;
    Some(if negative { -number } else { number })
}

fn signed(text: &str, bits: u32) -> Result<Literal, String> {
    let number = wide(text).and_then(|number| i64::try_from(number).ok());
    let limit = i64::MAX >> (64 - bits);
    let fits = number.filter(|number| (-limit - 1..=limit).contains(number));
    fits.map(Literal::Signed).ok_or_else(|| format!("'{text}' is no signed number of {bits} bits"))
}

/// A negative number of 64 bits wraps around, as in Falco.
fn unsigned(text: &str, bits: u32) -> Result<Literal, String> {
    let number = wide(text).and_then(|number| match i64::try_from(number) {
        Ok(negative @ ..0) if bits == 64 => Some(negative.cast_unsigned()),
        _ => u64::try_from(number).ok(),
    });
    let fits = number.filter(|number| *number <= u64::MAX >> (64 - bits));
    fits.map(Literal::Unsigned).ok_or_else(|| format!("'{text}' is no unsigned number of {bits} bits"))
}

fn port(text: &str) -> Result<Literal, String> {
    if text.is_empty() {
        return Ok(Literal::Unsigned(0));
    }
    if text.bytes().all(|byte| byte.is_ascii_digit()) {
        let number = text.parse::<u16>().map_err(|_| format!("'{text}' is no port: ports end at 65535"))?;
        return Ok(Literal::Unsigned(number.into()));
    }
    let found = SERVICES.iter().find(|(name, _)| *name == text);
    found
        .map(|(_, port)| Literal::Unsigned((*port).into()))
        .ok_or_else(|| format!("unknown service name '{text}'"))
}

fn address(text: &str) -> Result<IpAddr, String> {
    let version = if text.contains('.') && !text.contains(':') { "IPv4" } else { "IPv6" };
    text.parse().map_err(|_| format!("unrecognized {version} address {text}"))
}

fn network(text: &str) -> Result<Literal, String> {
    let Some((base, prefix)) = text.split_once('/') else {
        return Err(format!("unrecognized network '{text}': it must have the form address/prefix"));
    };
    let base = address(base)?;
    let limit = if base.is_ipv4() { 32 } else { 128 };
    let digits = !prefix.is_empty() && prefix.bytes().all(|byte| byte.is_ascii_digit());
    match prefix.parse::<u8>() {
        Ok(prefix) if digits && prefix <= limit => Ok(Literal::Network(base, prefix)),
        _ => Err(format!("unrecognized network '{text}': the prefix must be a number up to {limit}")),
    }
}

/// The first name of a port; none when we know none.
pub(super) fn service_name(port: u16) -> Option<&'static str> {
    SERVICES.iter().find(|(_, known)| *known == port).map(|(name, _)| *name)
}

/// Names of services that rules may use for ports: the crate reads no file, so not those of `/etc/services`.
const SERVICES: &[(&str, u16)] = &[
    ("ftp-data", 20),
    ("ftp", 21),
    ("ssh", 22),
    ("telnet", 23),
    ("smtp", 25),
    ("time", 37),
    ("whois", 43),
    ("tacacs", 49),
    ("domain", 53),
    ("bootps", 67),
    ("bootpc", 68),
    ("tftp", 69),
    ("gopher", 70),
    ("finger", 79),
    ("http", 80),
    ("kerberos", 88),
    ("pop3", 110),
    ("sunrpc", 111),
    ("auth", 113),
    ("nntp", 119),
    ("ntp", 123),
    ("epmap", 135),
    ("netbios-ns", 137),
    ("netbios-dgm", 138),
    ("netbios-ssn", 139),
    ("imap2", 143),
    ("snmp", 161),
    ("snmp-trap", 162),
    ("bgp", 179),
    ("irc", 194),
    ("ldap", 389),
    ("https", 443),
    ("microsoft-ds", 445),
    ("kpasswd", 464),
    ("submissions", 465),
    ("exec", 512),
    ("login", 513),
    ("shell", 514),
    ("syslog", 514),
    ("printer", 515),
    ("submission", 587),
    ("ipp", 631),
    ("ldaps", 636),
    ("domain-s", 853),
    ("rsync", 873),
    ("ftps", 990),
    ("telnets", 992),
    ("imaps", 993),
    ("pop3s", 995),
    ("socks", 1080),
    ("openvpn", 1194),
    ("ms-sql-s", 1433),
    ("ms-sql-m", 1434),
    ("radius", 1812),
    ("nfs", 2049),
    ("docker", 2375),
    ("docker-s", 2376),
    ("etcd-client", 2379),
    ("etcd-server", 2380),
    ("mysql", 3306),
    ("ms-wbt-server", 3389),
    ("svn", 3690),
    ("postgresql", 5432),
    ("amqp", 5672),
    ("x11", 6000),
    ("redis", 6379),
    ("ircd", 6667),
    ("http-alt", 8080),
    ("git", 9418),
]; // the registered names

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str, ty: Type) -> Option<Literal> {
        parse(&text.into(), ty, Operator::Equal).ok()
    }

    #[test]
    fn numbers_have_ranges() {
        assert_eq!(read("-32768", Type::I16), Some(Literal::Signed(-32768)));
        assert_eq!(read("32768", Type::I16), None);
        assert_eq!(read("0x7fff", Type::I16), Some(Literal::Signed(32767)));
        assert_eq!(read("-9223372036854775808", Type::I64), Some(Literal::Signed(i64::MIN)));
        assert_eq!(read("9223372036854775808", Type::I64), None);
        assert_eq!(read("4294967295", Type::U32), Some(Literal::Unsigned(u32::MAX.into())));
        assert_eq!(read("-1", Type::U32), None);
        assert_eq!(read("-1", Type::U64), Some(Literal::Unsigned(u64::MAX)));
        assert_eq!(read("18446744073709551616", Type::U64), None);
        assert_eq!(read("5000000000", Type::Duration), Some(Literal::Unsigned(5_000_000_000)));
        for wrong in ["", "-", "0x", "1.5", "12a", "--1", "-0x1", "1e+3"] {
            assert_eq!(read(wrong, Type::I64), None, "{wrong}");
        }
    }

    #[test]
    fn booleans_are_two_words() {
        assert_eq!(read("true", Type::Bool), Some(Literal::Bool(true)));
        assert_eq!(read("True", Type::Bool), None);
        assert_eq!(read("1", Type::Bool), None);
    }

    #[test]
    fn ports_may_be_services() {
        assert_eq!(read("ssh", Type::Port), Some(Literal::Unsigned(22)));
        assert_eq!(read("", Type::Port), Some(Literal::Unsigned(0)));
        assert_eq!(read("65536", Type::Port), None);
        assert_eq!(read("no-such", Type::Port), None);
    }

    #[test]
    fn networks_need_a_prefix() {
        assert_eq!(read("10.0.0.0/8", Type::Network), Some(Literal::Network([10, 0, 0, 0].into(), 8)));
        assert!(read("fe80::/10", Type::Network).is_some());
        for wrong in ["10.0.0.0", "10.0.0.0/33", "10.0.0.0/", "10.0.0/8", "::/129", "10.0.0.0/+8"] {
            assert_eq!(read(wrong, Type::Network), None, "{wrong}");
        }
        assert!(read("::ffff:10.0.0.1", Type::Address).is_some());
        assert_eq!(read("10.0.0.256", Type::Address), None);
    }

    #[test]
    fn hex_strings_are_whole_bytes() {
        let read = |text: &str| parse(&text.into(), Type::Bytes, Operator::BContains).ok();
        assert_eq!(read("cafebabe"), Some(Literal::Bytes(vec![0xca, 0xfe, 0xba, 0xbe])));
        assert_eq!(read("caf"), None);
        assert_eq!(read("zz"), None);
    }

    #[test]
    fn an_expression_matches_whole_values_only() {
        let expression = regex("a|bc").unwrap();
        assert!(expression.is_match(b"bc") && !expression.is_match(b"abc") && !expression.is_match(b"bc\n"));
        assert!(regex("a)(b").is_err());
        assert!(regex("(").is_err());
        assert!(regex("((a{500}){500}){500}").is_err());
    }
}
