//! From a byte of a condition back to the file it was written in.

use super::yaml::{Mark, Node, Style};

/// The files of one load.
#[derive(Debug)]
pub(super) struct Files<'a> {
    files: Vec<File<'a>>,
}

#[derive(Debug)]
struct File<'a> {
    name: &'a str,
    text: &'a str,
    /// Byte offset at which each line begins.
    lines: Vec<usize>,
}

impl<'a> Files<'a> {
    pub(super) fn new(files: &[(&'a str, &'a str)]) -> Self {
        let file = |&(name, text): &(&'a str, &'a str)| {
            let ends = text.bytes().enumerate().filter(|(_, byte)| *byte == b'\n').map(|(at, _)| at + 1);
            File { name, text, lines: std::iter::once(0).chain(ends).collect() }
        };
        Self { files: files.iter().map(file).collect() }
    }

    pub(super) fn name(&self, at: Mark) -> &'a str {
        self.files.get(at.file).map_or("", |file| file.name)
    }

    /// The text from the beginning of the line at `at`.
    fn line_onward(&self, at: Mark) -> Option<&'a str> {
        let file = self.files.get(at.file)?;
        file.text.get(*file.lines.get(at.line.checked_sub(1)?)?..)
    }

    /// The line at `at`.
    pub(super) fn line(&self, at: Mark) -> &'a str {
        self.line_onward(at).and_then(|rest| rest.lines().next()).unwrap_or_default()
    }
}

/// A scalar of a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Scalar {
    pub(super) text: String,
    pub(super) at: Mark,
    pub(super) style: Style,
}

impl Scalar {
    pub(super) fn of(node: &Node) -> Option<Self> {
        match &node.content {
            super::yaml::Content::Scalar(text, style) => {
                Some(Self { text: text.clone(), at: node.at, style: *style })
            }
            _ => None,
        }
    }

    /// The same without blanks at its ends.
    pub(super) fn trimmed(self) -> Self {
        Self { text: self.text.trim().to_owned(), ..self }
    }

    /// Where the byte at `offset` of the value stands in the file: YAML folds lines and unescapes, but keeps
    /// the order of what is not blank.
    fn locate(&self, offset: usize, files: &Files<'_>) -> Mark {
        let before = self.text.get(..offset).unwrap_or(&self.text);
        let count = before.chars().filter(|letter| !letter.is_whitespace()).count();
        let on_blank =
            self.text.get(offset..).and_then(|rest| rest.chars().next()).is_none_or(char::is_whitespace);
        let Some(rest) = files.line_onward(self.at) else { return self.at };
        let mut letters = Letters { rest: rest.chars(), at: Mark { column: 1, ..self.at } };
        while letters.at.column < self.at.column && letters.next().is_some() {}
        match self.style {
            // The place of a block is that of its content.
            Style::Plain | Style::Block => {}
            Style::Single | Style::Double => {
                letters.next();
            }
        }
        let mut written = std::iter::from_fn(|| letters.written(self.style));
        if on_blank {
            let last = count.checked_sub(1).and_then(|last| written.nth(last));
            return last.map_or(self.at, |(at, len)| Mark { column: at.column + len, ..at });
        }
        written.nth(count).map_or(self.at, |(at, _)| at)
    }
}

struct Letters<'a> {
    rest: std::str::Chars<'a>,
    at: Mark,
}

impl Letters<'_> {
    fn next(&mut self) -> Option<(Mark, char)> {
        let letter = self.rest.next()?;
        let at = self.at;
        if letter == '\n' {
            self.at = Mark { line: at.line + 1, column: 1, ..at };
        } else {
            self.at.column += 1;
        }
        Some((at, letter))
    }

    /// The next letter of the value that is not blank: where it is written and in how many characters.
    fn written(&mut self, style: Style) -> Option<(Mark, usize)> {
        loop {
            let (at, letter) = self.next()?;
            if letter.is_whitespace() {
                continue;
            }
            if style == Style::Single && letter == '\'' {
                self.next()?;
                return Some((at, 2));
            }
            if style != Style::Double || letter != '\\' {
                return Some((at, 1));
            }
            let (_, escape) = self.next()?;
            let digits = match escape {
                'x' => 2,
                'u' => 4,
                'U' => 8,
                _ => 0,
            };
            for _ in 0..digits {
                self.next()?;
            }
            let blank = escape.is_whitespace()
                || matches!(escape, 't' | 'n' | 'v' | 'f' | 'r' | 'N' | '_' | 'L' | 'P');
            if !blank {
                return Some((at, 2 + digits));
            }
        }
    }
}

/// A text put together from scalars, with a blank between them.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Source {
    text: String,
    /// Each part and where in the text it begins.
    parts: Vec<(usize, Scalar)>,
}

impl Source {
    pub(super) fn new(scalar: Scalar) -> Self {
        let mut source = Self::default();
        source.append(scalar);
        source
    }

    pub(super) fn append(&mut self, scalar: Scalar) {
        if !self.parts.is_empty() {
            self.text.push(' ');
        }
        self.parts.push((self.text.len(), scalar.clone()));
        self.text.push_str(&scalar.text);
    }

    pub(super) fn text(&self) -> &str {
        &self.text
    }

    pub(super) fn locate(&self, offset: usize, files: &Files<'_>) -> Mark {
        let part = self.parts.iter().rev().find(|(begin, _)| *begin <= offset);
        part.or(self.parts.first())
            .map(|(begin, scalar)| scalar.locate(offset.saturating_sub(*begin), files))
            .unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::language::yaml;

    /// Line and column of `word` in the value of the only key of `text`.
    fn place(text: &str, word: &str) -> (usize, usize) {
        let documents = yaml::read(0, text).unwrap();
        let scalar = Scalar::of(&documents[0].mapping().unwrap()[0].1).unwrap();
        let offset = scalar.text.find(word).unwrap_or(scalar.text.len());
        let at = scalar.locate(offset, &Files::new(&[("f", text)]));
        (at.line, at.column)
    }

    #[test]
    fn every_style_finds_its_way_back() {
        assert_eq!(place("c: aa bb cc\n", "bb"), (1, 7));
        assert_eq!(place("c: aa\n   bb\n   cc\n", "cc"), (3, 4));
        assert_eq!(place("c: >\n  aa bb\n\n  cc dd\n", "dd"), (4, 6));
        assert_eq!(place("c: | # note\n  aa\n    bb\n", "bb"), (3, 5));
        assert_eq!(place("c: >-\n\n\n  aa > bb\n", "bb"), (4, 8));
        assert_eq!(place("c: >2-\n   # aa\n   > bb\n", "aa"), (2, 6));
        assert_eq!(place("c: >-\n  é aa\n", "aa"), (2, 5));
        assert_eq!(place("c: 'it''s bb'\n", "bb"), (1, 11));
        assert_eq!(
            place(
                r#"c: "a\"\t\x41\
          bb""#,
                "bb"
            ),
            (2, 11)
        );
        assert_eq!(place("c: aa  \n", "nowhere"), (1, 6));
    }

    #[test]
    fn parts_are_found_in_their_own_files() {
        let texts = ["c: aa bb", "# note\nc: >\n  or cc\n"];
        let scalar = |file: usize| {
            Scalar::of(&yaml::read(file, texts[file]).unwrap()[0].mapping().unwrap()[0].1).unwrap()
        };
        let mut source = Source::new(scalar(0));
        source.append(scalar(1));
        let files = Files::new(&[("a", texts[0]), ("b", texts[1])]);
        assert_eq!(source.text(), "aa bb or cc\n");
        assert_eq!(source.locate(3, &files), Mark { file: 0, line: 1, column: 7 });
        assert_eq!(source.locate(9, &files), Mark { file: 1, line: 3, column: 6 });
    }
}
