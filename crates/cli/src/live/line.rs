//! One line of the live view: pieces with a style, fitted to the width of the terminal.

use std::fmt::Write as _;

use crate::live::visible::{columns, cut};

/// How a piece looks where colour is on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Style {
    Plain,
    Dim,
    Bold,
    Process,
    File,
    Net,
    Memory,
    Warn,
    Bad,
    Alarm,
}

impl Style {
    /// Parameters of SGR, the sequence that sets colours.
    const fn sgr(self) -> &'static str {
        match self {
            Self::Plain => "",
            Self::Dim => "2",
            Self::Bold => "1",
            Self::Process => "32",
            Self::File => "34",
            Self::Net => "36",
            Self::Memory => "35",
            Self::Warn => "33",
            Self::Bad => "31",
            Self::Alarm => "1;37;41",
        }
    }
}

/// Escaped text and its style.
pub(crate) type Piece = (Style, String);

/// A line before it is fitted: the object gives way to the rest.
#[derive(Debug, Default)]
pub(crate) struct Line {
    /// Time, kind, process, parent.
    pub(crate) before: Vec<Piece>,
    /// What it was done to.
    pub(crate) object: String,
    /// Details, result, container.
    pub(crate) after: Vec<Piece>,
}

/// Columns of a piece and the blank after it.
pub(crate) fn taken(text: &str) -> usize {
    columns(text) + 1
}

/// Columns that an object keeps on a narrow terminal.
const OBJECT_MIN: usize = 16;

impl Line {
    /// Appends the line. `width` is that of the terminal; none for no limit.
    pub(crate) fn render(&self, width: Option<usize>, color: bool, out: &mut String) {
        let filled = |pieces: &[Piece]| -> Vec<Piece> {
            pieces.iter().filter(|(_, text)| !text.is_empty()).cloned().collect()
        };
        let (before, after) = (filled(&self.before), filled(&self.after));
        let taken: usize = before.iter().chain(&after).map(|(_, text)| columns(text) + 1).sum();
        let room = width.map_or(usize::MAX, |width| width.saturating_sub(taken).max(OBJECT_MIN));
        let object = Some((Style::Plain, cut(&self.object, room))).filter(|(_, text)| !text.is_empty());
        let mut left = width.unwrap_or(usize::MAX);
        for (at, (style, text)) in before.into_iter().chain(object).chain(after).enumerate() {
            let blank = usize::from(at > 0);
            if left <= blank {
                break;
            }
            let text = cut(&text, left - blank);
            left -= blank + columns(&text);
            out.push_str(if at > 0 { " " } else { "" });
            match style.sgr() {
                sgr if color && !sgr.is_empty() => drop(write!(out, "\x1b[{sgr}m{text}\x1b[0m")),
                _ => out.push_str(&text),
            }
        }
        out.truncate(out.trim_end().len());
        out.push('\n');
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line() -> Line {
        Line {
            before: vec![
                (Style::Dim, "12:00".into()),
                (Style::Plain, String::new()),
                (Style::File, "file_open".into()),
            ],
            object: "/a/very/long/path/to/a/file".into(),
            after: vec![(Style::Bad, "ENOENT".into())],
        }
    }

    fn rendered(width: Option<usize>, color: bool) -> String {
        let mut out = String::new();
        line().render(width, color, &mut out);
        out
    }

    #[test]
    fn the_object_gives_way_first() {
        let cases = [
            (None, "12:00 file_open /a/very/long/path/to/a/file ENOENT\n"),
            (Some(50), "12:00 file_open /a/very/long/path/to/a/file ENOENT\n"),
            (Some(49), "12:00 file_open /a/very/long/path/to/a/fi… ENOENT\n"),
            (Some(39), "12:00 file_open /a/very/long/pa… ENOENT\n"),
            (Some(34), "12:00 file_open /a/very/long/pa… …\n"),
            (Some(20), "12:00 file_open /a/…\n"),
            (Some(3), "12…\n"),
            (Some(0), "\n"),
        ];
        for (width, expected) in cases {
            assert_eq!(rendered(width, false), expected, "{width:?}");
        }
    }

    #[test]
    fn colours_take_no_columns() {
        let plain = rendered(Some(39), false);
        let mut coloured = rendered(Some(39), true);
        assert!(coloured.starts_with("\x1b[2m12:00\x1b[0m \x1b[34mfile_open\x1b[0m /a"));
        for sgr in ["\x1b[2m", "\x1b[34m", "\x1b[31m", "\x1b[0m"] {
            coloured = coloured.replace(sgr, "");
        }
        assert_eq!(coloured, plain);
    }
}
