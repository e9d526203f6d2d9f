//! Objects as our own writers make them: no space, no escape, `data` and `attributes` of texts alone. Those are most,
//! and of them the text between two quotes is the text. Whatever looks different is for serde.

use memchr::memchr;

use super::message::Found;
use crate::message::{
    ATTRIBUTES, CONTAINER_ID, DATA, EVENT_ID, EVENT_TYPE, HOSTNAME, NAMESPACE, POD_NAME, entry, string,
};

/// Appends the fields of the object to `message`, all but the time. None: it is not plain; `message` is of no use
/// then.
pub(super) fn envelope(text: &[u8], message: &mut Vec<u8>) -> Option<Found> {
    // No early exit: so the compiler looks at many bytes at once. Control characters are for serde to refuse.
    let plain = text.iter().fold(true, |all, byte| all & (*byte >= b' ') & (*byte != b'\\'));
    if !plain || str::from_utf8(text).is_err() {
        return None;
    }
    let mut rest = Rest(text);
    let mut found = Found::default();
    rest.expect(b'{')?;
    loop {
        let key = rest.key()?;
        match key {
            b"ts_unix_nano" => found.time_ns = rest.number()?,
            b"data" => rest.texts(DATA, message)?,
            b"attributes" => rest.texts(ATTRIBUTES, message)?,
            b"event_type" => {
                let text = rest.text()?;
                found.typed = !text.is_empty();
                string(message, EVENT_TYPE, text);
            }
            _ => {
                let tag = TEXTS.iter().find(|(name, _)| *name == key)?.1;
                string(message, tag, rest.text()?);
            }
        }
        if rest.is_last()? {
            break;
        }
    }
    rest.0.is_empty().then_some(found)
}

/// Keys of texts.
const TEXTS: [(&[u8], u32); 5] = [
    (b"event_id", EVENT_ID),
    (b"hostname", HOSTNAME),
    (b"pod", POD_NAME),
    (b"namespace", NAMESPACE),
    (b"container_id", CONTAINER_ID),
];

/// What is still to be read.
struct Rest<'a>(&'a [u8]);

impl<'a> Rest<'a> {
    fn expect(&mut self, byte: u8) -> Option<()> {
        let (first, rest) = self.0.split_first()?;
        self.0 = rest;
        (*first == byte).then_some(())
    }

    /// A text and its quotes.
    fn text(&mut self) -> Option<&'a [u8]> {
        self.expect(b'"')?;
        let (text, rest) = self.0.split_at_checked(memchr(b'"', self.0)?)?;
        self.0 = rest.get(1..)?;
        Some(text)
    }

    fn key(&mut self) -> Option<&'a [u8]> {
        let key = self.text()?;
        self.expect(b':')?;
        Some(key)
    }

    /// Digits, as few as it takes.
    fn number(&mut self) -> Option<u64> {
        let length = self.0.iter().position(|byte| !byte.is_ascii_digit())?;
        let (digits, rest) = self.0.split_at_checked(length)?;
        self.0 = rest;
        if digits.len() > 1 && digits.starts_with(b"0") {
            return None;
        }
        str::from_utf8(digits).ok()?.parse().ok()
    }

    /// Whether the object ends here; if not, another key follows.
    fn is_last(&mut self) -> Option<bool> {
        let (first, rest) = self.0.split_first()?;
        self.0 = rest;
        match first {
            b',' => Some(false),
            b'}' => Some(true),
            _ => None,
        }
    }

    /// A map of texts.
    fn texts(&mut self, tag: u32, message: &mut Vec<u8>) -> Option<()> {
        self.expect(b'{')?;
        if self.0.starts_with(b"}") {
            return self.expect(b'}');
        }
        loop {
            let key = self.key()?;
            let value = self.text()?;
            entry(message, tag, key, value);
            if self.is_last()? {
                return Some(());
            }
        }
    }
}
