//! Tokens of a condition. Each function takes the longest match at the cursor, or nothing.

use sentinel_event::Text;

use super::place::line_and_column;

/// A condition that is not in the language.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SyntaxError {
    /// Byte offset into the condition.
    pub offset: usize,
    /// Line, from 1.
    pub line: usize,
    /// Column in bytes, from 1.
    pub column: usize,
    /// What was expected.
    pub message: String,
}

impl std::fmt::Display for SyntaxError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "line {}, column {}: {}", self.line, self.column, self.message)
    }
}

impl std::error::Error for SyntaxError {}

/// Whether `byte` is a blank of the language.
pub(super) const fn is_blank(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t' | 0x08 | b'\n' | b'\r')
}

/// Whether `byte` may stand in a bare string.
pub(super) const fn is_bare(byte: u8) -> bool {
    !is_blank(byte) && !matches!(byte, b'(' | b')' | b',' | b'=' | b'"' | b'\'')
}

/// Whether `byte` may stand in a bare field argument.
pub(super) const fn is_bare_argument(byte: u8) -> bool {
    !is_blank(byte) && !matches!(byte, b'[' | b']' | b'"' | b'\'')
}

/// A place in a condition, moving forward.
#[derive(Debug, Clone)]
pub(super) struct Cursor<'a> {
    text: &'a [u8],
    position: usize,
    /// The last token, for messages: start and end.
    last: (usize, usize),
}

impl<'a> Cursor<'a> {
    pub(super) const fn new(text: &'a [u8]) -> Self {
        Self { text, position: 0, last: (0, 0) }
    }

    pub(super) const fn position(&self) -> usize {
        self.position
    }

    /// What is left.
    pub(super) fn rest(&self) -> &'a [u8] {
        self.text.get(self.position..).unwrap_or_default()
    }

    pub(super) fn at_end(&self) -> bool {
        self.rest().is_empty()
    }

    fn peek(&self) -> Option<u8> {
        self.rest().first().copied()
    }

    /// Goes back to a place where the cursor has been.
    pub(super) fn back_to(&mut self, position: usize) {
        self.position = position.min(self.position);
    }

    pub(super) fn last_token(&self) -> String {
        String::from_utf8_lossy(self.text.get(self.last.0..self.last.1).unwrap_or_default()).into_owned()
    }

    pub(super) fn error<T>(&self, message: impl Into<String>) -> Result<T, SyntaxError> {
        Err(self.error_at(self.position, message))
    }

    pub(super) fn error_at(&self, offset: usize, message: impl Into<String>) -> SyntaxError {
        let (line, column) = line_and_column(self.text, offset);
        SyntaxError { offset, line, column, message: message.into() }
    }

    fn take(&mut self, len: usize) -> &'a [u8] {
        let token = self.rest().get(..len).unwrap_or_default();
        self.last = (self.position, self.position + token.len());
        self.position += token.len();
        token
    }

    fn count(&self, from: usize, accept: impl Fn(u8) -> bool) -> usize {
        self.rest().iter().skip(from).take_while(|byte| accept(**byte)).count()
    }

    /// Skips blanks; whether there was one.
    pub(super) fn blanks(&mut self) -> bool {
        let len = self.count(0, is_blank);
        self.position += len;
        len > 0
    }

    /// Takes exactly `word`, whatever follows.
    pub(super) fn eat(&mut self, word: &str) -> bool {
        let found = self.rest().starts_with(word.as_bytes());
        if found {
            self.take(word.len());
        }
        found
    }

    /// Takes `word` and the blanks that must follow.
    pub(super) fn eat_spaced(&mut self, word: &str) -> bool {
        let spaced = self.rest().get(word.len()).is_some_and(|next| is_blank(*next));
        if spaced && self.eat(word) { self.blanks() } else { false }
    }

    fn identifier_len(&self, from: usize) -> usize {
        match self.rest().get(from) {
            Some(first) if first.is_ascii_alphabetic() => {
                self.count(from, |byte| byte.is_ascii_alphanumeric() || byte == b'_')
            }
            _ => 0,
        }
    }

    pub(super) fn identifier(&mut self) -> Option<String> {
        match self.identifier_len(0) {
            0 => None,
            len => Some(String::from_utf8_lossy(self.take(len)).into_owned()),
        }
    }

    pub(super) fn field_name(&mut self) -> Option<String> {
        let mut len = self.identifier_len(0);
        let mut dots = 0;
        while len > 0 && self.rest().get(len) == Some(&b'.') {
            match self.identifier_len(len + 1) {
                0 => break,
                segment => len += 1 + segment,
            }
            dots += 1;
        }
        (dots > 0).then(|| String::from_utf8_lossy(self.take(len)).into_owned())
    }

    pub(super) fn hex_number(&mut self) -> Option<String> {
        let prefixed = matches!(self.rest(), [b'0', b'x' | b'X', ..]);
        let digits = self.count(2, |byte| byte.is_ascii_hexdigit());
        (prefixed && digits > 0).then(|| String::from_utf8_lossy(self.take(2 + digits)).into_owned())
    }

    pub(super) fn number(&mut self) -> Option<String> {
        let sign = usize::from(matches!(self.peek(), Some(b'+' | b'-')));
        let digits = |from| self.count(from, |byte| byte.is_ascii_digit());
        let mut len = sign + digits(sign);
        if len == sign {
            return None;
        }
        if self.rest().get(len) == Some(&b'.') {
            len += 1 + digits(len + 1);
        }
        if let (Some(b'e' | b'E'), Some(b'+' | b'-')) = (self.rest().get(len), self.rest().get(len + 1)) {
            len += match digits(len + 2) {
                0 => 0,
                exponent => 2 + exponent,
            };
        }
        Some(String::from_utf8_lossy(self.take(len)).into_owned())
    }

    pub(super) fn bare_string(&mut self) -> Option<Text> {
        self.bytes_of(is_bare)
    }

    pub(super) fn bare_argument(&mut self) -> Option<Text> {
        self.bytes_of(is_bare_argument)
    }

    fn bytes_of(&mut self, accept: impl Fn(u8) -> bool) -> Option<Text> {
        match self.count(0, accept) {
            0 => None,
            len => Some(Text::from(self.take(len))),
        }
    }

    /// Takes `word` as a bare string when a delimiter of bare strings follows. Names of lists may hold blanks.
    pub(super) fn eat_delimited(&mut self, word: &str) -> bool {
        let end = self.rest().get(word.len()).copied();
        end.is_none_or(|next| !is_bare(next)) && self.eat(word)
    }

    /// A quoted string without its quotes and escapes. It ends at the first quote of its kind that no
    /// backslash precedes, even an escaped one: Falco's rule, so `"a\\"` is not ended.
    pub(super) fn quoted_string(&mut self) -> Result<Option<Text>, SyntaxError> {
        let Some(quote @ (b'"' | b'\'')) = self.peek() else { return Ok(None) };
        let start = self.position;
        let rest = self.rest();
        let ends = rest
            .windows(2)
            .position(|pair| matches!(pair, [before, end] if *before != b'\\' && *end == quote));
        let Some(end) = ends else { return self.error("expected the end of the quoted string") };
        self.take(end + 2);
        let body = rest.get(1..=end).unwrap_or_default();
        self.unescape(body, start + 1, quote).map(Some)
    }

    fn unescape(&self, body: &[u8], start: usize, quote: u8) -> Result<Text, SyntaxError> {
        let mut text = Vec::with_capacity(body.len());
        let mut at = 0;
        while let Some(&byte) = body.get(at) {
            let offset = start + at;
            at += 1;
            if byte != b'\\' {
                text.push(byte);
                continue;
            }
            let escaped = body.get(at).copied();
            at += 1;
            text.push(match escaped {
                Some(b'b') => 0x08,
                Some(b'f') => 0x0c,
                Some(b'n') => b'\n',
                Some(b'r') => b'\r',
                Some(b't') => b'\t',
                Some(b' ' | b'\\') => b'\\',
                Some(b'/') => b'/',
                Some(same) if same == quote => quote,
                Some(b'x') => {
                    let digits = body.get(at..at + 2).and_then(|pair| std::str::from_utf8(pair).ok());
                    let all_hex = digits.filter(|pair| pair.bytes().all(|digit| digit.is_ascii_hexdigit()));
                    at += 2;
                    match all_hex.and_then(|pair| u8::from_str_radix(pair, 16).ok()) {
                        Some(value) => value,
                        None => return Err(self.error_at(offset, "expected two hex digits after '\\x'")),
                    }
                }
                _ => return Err(self.error_at(offset, "unsupported string escape sequence")),
            });
        }
        Ok(Text::from(text))
    }
}
