//! Shell patterns over whole values, and prefixes of paths.

/// Whether the whole of `text` matches: `*` and `?` match `/` and leading dots too, as fnmatch does without flags.
pub(super) fn glob(pattern: &[u8], text: &[u8], fold: bool) -> bool {
    let (mut at, mut left) = (pattern, text);
    let mut star: Option<(&[u8], &[u8])> = None;
    loop {
        if let [b'*', rest @ ..] = at {
            star = Some((rest, left));
            at = rest;
            continue;
        }
        let advanced = match left.split_first() {
            None if at.is_empty() => return true,
            None => return false, // no star behind: those are taken above
            Some((byte, after)) => one(at, *byte, fold).map(|rest| (rest, after)),
        };
        if let Some((rest, after)) = advanced {
            (at, left) = (rest, after);
            continue;
        }
        // The last star takes one byte more; earlier ones need not be tried again.
        let Some((behind, from)) = star else { return false };
        let Some((_, from)) = from.split_first() else { return false };
        star = Some((behind, from));
        (at, left) = (behind, from);
    }
}

/// Matches one byte; what is left of the pattern when it does.
fn one(pattern: &[u8], byte: u8, fold: bool) -> Option<&[u8]> {
    let same = |wanted: u8| wanted == byte || (fold && wanted.eq_ignore_ascii_case(&byte));
    match pattern {
        [] => None,
        [b'?', rest @ ..] => Some(rest),
        // At the end it makes nothing literal, and nothing matches.
        [b'\\'] => None,
        [b'\\', wanted, rest @ ..] => same(*wanted).then_some(rest),
        [b'[', rest @ ..] => match class(rest, byte, fold) {
            Some((matches, rest)) => matches.then_some(rest),
            None => same(b'[').then_some(rest), // no end: an ordinary bracket
        },
        [wanted, rest @ ..] => same(*wanted).then_some(rest),
    }
}

/// What stands behind `[`: whether `byte` is in the class, and the pattern behind it.
fn class(pattern: &[u8], byte: u8, fold: bool) -> Option<(bool, &[u8])> {
    let (negated, mut at) = match pattern {
        [b'!' | b'^', rest @ ..] => (true, rest),
        rest => (false, rest),
    };
    let folded = |byte: u8| if fold { byte.to_ascii_lowercase() } else { byte };
    let (mut found, mut first) = (false, true);
    loop {
        match at {
            [] => return None,
            [b']', rest @ ..] if !first => return Some((found != negated, rest)),
            [b'[', b':', rest @ ..] => {
                let end = rest.windows(2).position(|pair| pair == b":]")?;
                // Classes have names for both cases: here they stay apart, as in the C library.
                found |= named(rest.get(..end)?, byte);
                at = rest.get(end + 2..)?;
            }
            _ => {
                let (low, rest) = literal(at)?;
                at = rest;
                let mut high = low;
                if let [b'-', end @ ..] = rest
                    && !matches!(end, [] | [b']', ..])
                {
                    (high, at) = literal(end)?;
                }
                found |= (folded(low)..=folded(high)).contains(&folded(byte));
            }
        }
        first = false;
    }
}

fn literal(pattern: &[u8]) -> Option<(u8, &[u8])> {
    match pattern {
        [b'\\', byte, rest @ ..] | [byte, rest @ ..] => Some((*byte, rest)),
        [] => None,
    }
}

fn named(class: &[u8], byte: u8) -> bool {
    match class {
        b"alpha" => byte.is_ascii_alphabetic(),
        b"digit" => byte.is_ascii_digit(),
        b"alnum" => byte.is_ascii_alphanumeric(),
        b"upper" => byte.is_ascii_uppercase(),
        b"lower" => byte.is_ascii_lowercase(),
        b"space" => byte.is_ascii_whitespace() || byte == 0x0b,
        b"blank" => matches!(byte, b' ' | b'\t'),
        b"punct" => byte.is_ascii_punctuation(),
        b"print" => byte.is_ascii_graphic() || byte == b' ',
        b"graph" => byte.is_ascii_graphic(),
        b"cntrl" => byte.is_ascii_control(),
        b"xdigit" => byte.is_ascii_hexdigit(),
        _ => false,
    }
}

/// The components of a path that `pmatch` looks for: at the beginning of a value.
#[derive(Debug)]
pub(super) struct PathPrefix(Vec<(Box<[u8]>, bool)>);

fn components(path: &[u8]) -> impl Iterator<Item = &[u8]> {
    path.split(|byte| *byte == b'/').filter(|part| !part.is_empty())
}

impl PathPrefix {
    /// What every path that it covers begins with, when it is written in the usual way. None for nothing but `/`.
    pub(super) fn literal(&self) -> Option<Vec<u8>> {
        let mut text = Vec::new();
        for (part, is_glob) in &self.0 {
            text.push(b'/');
            let end = part.iter().position(|byte| b"*?[\\".contains(byte)).filter(|_| *is_glob);
            text.extend_from_slice(part.get(..end.unwrap_or(part.len())).unwrap_or_default());
            if *is_glob {
                break;
            }
        }
        (text.len() > 1).then_some(text)
    }

    pub(super) fn new(path: &[u8]) -> Self {
        let pattern = |part: &[u8]| part.iter().any(|byte| matches!(byte, b'?' | b'*' | b'['));
        Self(components(path).map(|part| (part.into(), pattern(part))).collect())
    }

    /// Whether `path` is the path or lies below it.
    pub(super) fn covers(&self, path: &[u8]) -> bool {
        let mut parts = components(path);
        self.0.iter().all(|(wanted, pattern)| match parts.next() {
            Some(part) if *pattern => glob(wanted, part, false),
            Some(part) => part == &**wanted,
            None => false,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_cover_whole_values() {
        for (pattern, text, expected) in [
            ("", "", true),
            ("", "a", false),
            ("*", "", true),
            ("*", "/a/.b", true),
            ("a*c", "abbc", true),
            ("a*c", "abb", false),
            ("a*b*c", "aXbXbXc", true),
            ("?", "/", true),
            ("?", "", false),
            ("??", "a", false),
            ("[a-c]x", "bx", true),
            ("[!a-c]x", "bx", false),
            ("[^a-c]x", "dx", true),
            ("[]]", "]", true),
            ("[a-]", "-", true),
            ("[", "[", true),
            ("a[b", "a[b", true),
            ("[[:digit:]]*", "7up", true),
            ("[[:alpha:]]*", "7up", false),
            (r"\*", "*", true),
            (r"\*", "a", false),
            (r"[\]]", "]", true),
            (r"a\", r"a\", false),
            ("*../*../*", "/srv/../../etc", true),
            ("A*", "abc", false),
        ] {
            assert_eq!(glob(pattern.as_bytes(), text.as_bytes(), false), expected, "{pattern} {text}");
        }
        assert!(glob(b"A[B-D]*", b"acx", true));
        assert!(glob(b"[[:upper:]]", b"B", true) && !glob(b"[[:upper:]]", b"b", true));
    }

    #[test]
    fn a_pattern_of_stars_takes_no_exponential_time() {
        let pattern = "*a".repeat(60) + "b";
        assert!(!glob(pattern.as_bytes(), "a".repeat(4000).as_bytes(), false));
    }

    #[test]
    fn paths_are_compared_by_components() {
        for (prefix, path, expected) in [
            ("/var/run", "/var/run", true),
            ("/var/run", "/var/run/x", true),
            ("/var/run", "/var/running", false),
            ("/var/run", "/var", false),
            ("/", "/anything", true),
            ("/a//b/", "a/b", true),
            ("/home/*/.ssh", "/home/x/.ssh/id", true),
            ("/home/*/.ssh", "/home/x/y/.ssh", false),
        ] {
            assert_eq!(
                PathPrefix::new(prefix.as_bytes()).covers(path.as_bytes()),
                expected,
                "{prefix} {path}"
            );
        }
    }
}
