//! Names that attackers chose, made fit for a terminal.

use unicode_width::UnicodeWidthChar as _;

/// The text with everything visible that a terminal would obey, hide or reorder: control characters,
/// escape sequences, bidirectional controls, characters without width, bytes that are not UTF-8. A
/// backslash of the text itself is doubled, so no name can look like an escape.
pub(crate) fn visible(text: &[u8]) -> String {
    let mut out = String::with_capacity(text.len());
    for chunk in text.utf8_chunks() {
        chunk.valid().chars().for_each(|c| push(&mut out, c));
        chunk.invalid().iter().for_each(|byte| out.push_str(&format!("\\x{byte:02x}")));
    }
    out
}

/// As [`visible`], in double quotes where the name could be taken for more than one, or for a part of
/// the line that is ours.
pub(crate) fn quoted(text: &[u8]) -> String {
    let shown = visible(text);
    let ours = |c: char| c.is_whitespace() || matches!(c, '"' | '[' | ']' | '←' | '→' | '…');
    if text.is_empty() || shown.contains(ours) {
        format!("\"{}\"", shown.replace('"', "\\\""))
    } else {
        shown
    }
}

/// Columns that escaped text takes.
pub(crate) fn columns(text: &str) -> usize {
    text.chars().map(|c| c.width().unwrap_or(0)).sum()
}

/// The beginning of escaped text that fits into `columns`, with an ellipsis when something is missing.
pub(crate) fn cut(text: &str, columns: usize) -> String {
    if self::columns(text) <= columns {
        return text.to_owned();
    }
    let (mut out, mut left) = (String::new(), columns.saturating_sub(1));
    for c in text.chars() {
        let width = c.width().unwrap_or(0);
        if width > left {
            break;
        }
        left -= width;
        out.push(c);
    }
    if columns > 0 {
        out.push('…');
    }
    out
}

fn push(out: &mut String, c: char) {
    match c {
        '\\' => out.push_str("\\\\"),
        '\n' => out.push_str("\\n"),
        '\r' => out.push_str("\\r"),
        '\t' => out.push_str("\\t"),
        c if c.is_ascii_control() => out.push_str(&format!("\\x{:02x}", u32::from(c))),
        // Format characters (joiners, marks that change direction, tags) and combining ones have no width.
        c if c.is_control() || c.width().unwrap_or(0) == 0 || unseen(c) => {
            out.push_str(&format!("\\u{{{:x}}}", u32::from(c)));
        }
        c => out.push(c),
    }
}

/// Characters with a width that still show nothing or end a line, and those that reorder: terminals and
/// Unicode versions do not agree on their width.
fn unseen(c: char) -> bool {
    matches!(c,
        '\u{ad}' | '\u{61c}' | '\u{180e}' | '\u{115f}' | '\u{1160}' | '\u{3164}' | '\u{ffa0}' | '\u{2800}'
        | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}'
        | '\u{fff9}'..='\u{fffb}' | '\u{e000}'..='\u{f8ff}' | '\u{e0000}'..='\u{10ffff}')
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn hostile_names_are_shown_for_what_they_are() {
        let cases: &[(&[u8], &str)] = &[
            (b"/etc/passwd", "/etc/passwd"),
            ("/home/zoë/文書".as_bytes(), "/home/zoë/文書"),
            (b"a\nb", r"a\nb"),
            (b"a\r\tb", r"a\r\tb"),
            (b"\x1b[2J\x1b]0;x\x07", r"\x1b[2J\x1b]0;x\x07"),
            (b"\x7f\x00", r"\x7f\x00"),
            (b"\xc2\x9b31m", r"\u{9b}31m"),
            (b"\xff\xfe/x\xc3", r"\xff\xfe/x\xc3"),
            ("a\u{202e}txt.exe".as_bytes(), r"a\u{202e}txt.exe"),
            ("\u{2066}\u{2069}\u{200f}".as_bytes(), r"\u{2066}\u{2069}\u{200f}"),
            ("a\u{200b}b\u{feff}\u{ad}".as_bytes(), r"a\u{200b}b\u{feff}\u{ad}"),
            ("e\u{301}".as_bytes(), r"e\u{301}"),
            ("\u{e0041}\u{2028}".as_bytes(), r"\u{e0041}\u{2028}"),
            (br"\n", r"\\n"),
        ];
        for (name, shown) in cases {
            assert_eq!(visible(name), *shown);
        }
    }

    #[test]
    fn names_that_could_be_more_than_one_are_quoted() {
        let cases = [
            ("ls", "ls"),
            ("", r#""""#),
            ("a b", r#""a b""#),
            ("a\u{a0}b", "\"a\u{a0}b\""),
            ("x\" \"y", r#""x\" \"y""#),
            ("sh[1] ← init", r#""sh[1] ← init""#),
            (r#"\""#, r#""\\\"""#),
        ];
        for (name, shown) in cases {
            assert_eq!(quoted(name.as_bytes()), shown);
        }
    }

    #[test]
    fn a_cut_counts_columns() {
        let cases = [
            ("abc", 3, "abc"),
            ("abcd", 3, "ab…"),
            ("文書文", 6, "文書文"),
            ("文書文", 5, "文書…"),
            ("ab", 1, "…"),
            ("ab", 0, ""),
        ];
        for (text, width, shown) in cases {
            assert_eq!(cut(text, width), shown);
        }
    }

    proptest! {
        #[test]
        fn no_bytes_reach_the_terminal_that_it_would_obey(bytes: Vec<u8>, text: String) {
            for shown in [quoted(&bytes), quoted(text.as_bytes())] {
                prop_assert!(!shown.chars().any(char::is_control));
                prop_assert!(shown.chars().all(|c| c.width() > Some(0)));
                let reordering = ['\u{202e}', '\u{2066}', '\u{2028}', '\u{200f}'];
                prop_assert!(!shown.contains(reordering));
            }
        }

        #[test]
        fn no_two_names_look_the_same(a: Vec<u8>, b: Vec<u8>) {
            prop_assert_eq!(visible(&a) == visible(&b), a == b);
        }
    }
}
