//! Values of fields, and the room in which computed ones are built.

use std::{net::IpAddr, ops::Range};

/// Where a text or a list is in [`Scratch`].
#[derive(Debug, Clone, Copy)]
pub(super) struct Span {
    start: usize,
    end: usize,
}

impl Span {
    pub(super) fn range(self) -> Range<usize> {
        self.start..self.end
    }
}

/// What a term is worth on one event. Small, so that it is passed around freely.
#[derive(Debug, Clone, Copy)]
pub(super) enum Value<'a> {
    /// There is none.
    Missing,
    /// Bytes of the observation or of the rule.
    Text(&'a [u8]),
    /// Bytes that were put together.
    Built(Span),
    Signed(i64),
    Unsigned(u64),
    Bool(bool),
    Address(IpAddr),
    /// Items of [`Scratch`].
    Several(Several, Span),
}

/// How several values are meant.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Several {
    /// Ancestors: a comparison holds when it does for one of them.
    Any,
    /// Client and server: as `Any`, but both must differ for `!=`.
    Ends,
    /// The value is a list.
    List,
}

/// One of several values.
#[derive(Debug, Clone, Copy)]
pub(super) enum Item {
    Text(Span),
    Signed(i64),
    Unsigned(u64),
    Address(IpAddr),
}

/// A single value that can be looked at.
#[derive(Debug, Clone, Copy)]
pub(super) enum Scalar<'a> {
    Text(&'a [u8]),
    Signed(i64),
    Unsigned(u64),
    Bool(bool),
    Address(IpAddr),
}

/// Room for values of one event; used again, so that no event allocates once it has grown.
#[derive(Debug, Default)]
pub(super) struct Scratch {
    pub(super) bytes: Vec<u8>,
    items: Vec<Item>,
}

impl Scratch {
    pub(super) fn clear(&mut self) {
        self.bytes.clear();
        self.items.clear();
    }

    /// The text that `write` appends.
    pub(super) fn build<'a>(&mut self, write: impl FnOnce(&mut Vec<u8>)) -> Value<'a> {
        Value::Built(self.span(write))
    }

    pub(super) fn span(&mut self, write: impl FnOnce(&mut Vec<u8>)) -> Span {
        let start = self.bytes.len();
        write(&mut self.bytes);
        Span { start, end: self.bytes.len().max(start) }
    }

    /// The text from `start` on.
    pub(super) fn tail<'a>(&self, start: usize) -> Value<'a> {
        Value::Built(Span { start, end: self.bytes.len().max(start) })
    }

    /// A part of a built text.
    pub(super) fn part<'a>(&self, span: Span, from: usize) -> Value<'a> {
        Value::Built(Span { start: (span.start + from).min(span.end), end: span.end })
    }

    /// The list that `push` makes.
    pub(super) fn several<'a>(&mut self, how: Several, items: impl IntoIterator<Item = Item>) -> Value<'a> {
        let start = self.items.len();
        self.items.extend(items);
        Value::Several(how, Span { start, end: self.items.len() })
    }

    /// A list of texts, which are copied.
    pub(super) fn texts<'a, 't>(
        &mut self,
        how: Several,
        texts: impl IntoIterator<Item = &'t [u8]>,
    ) -> Value<'a> {
        let start = self.items.len();
        for text in texts {
            let span = self.span(|bytes| bytes.extend_from_slice(text));
            self.items.push(Item::Text(span));
        }
        Value::Several(how, Span { start, end: self.items.len() })
    }

    /// Number of items so far; with [`Scratch::since`] a list that is made step by step.
    pub(super) fn mark(&self) -> usize {
        self.items.len()
    }

    pub(super) fn push(&mut self, item: Item) {
        self.items.push(item);
    }

    pub(super) fn since<'a>(&self, mark: usize) -> Value<'a> {
        Value::Several(Several::List, Span { start: mark, end: self.items.len().max(mark) })
    }

    pub(super) fn text(&self, span: Span) -> &[u8] {
        self.bytes.get(span.range()).unwrap_or_default()
    }

    pub(super) fn items(&self, span: Span) -> &[Item] {
        self.items.get(span.range()).unwrap_or_default()
    }

    pub(super) fn item(&self, item: Item) -> Scalar<'_> {
        match item {
            Item::Text(span) => Scalar::Text(self.text(span)),
            Item::Signed(number) => Scalar::Signed(number),
            Item::Unsigned(number) => Scalar::Unsigned(number),
            Item::Address(ip) => Scalar::Address(ip),
        }
    }

    /// The single value; none when there is none or when there are several.
    pub(super) fn scalar<'s>(&'s self, value: Value<'s>) -> Option<Scalar<'s>> {
        Some(match value {
            Value::Missing | Value::Several(..) => return None,
            Value::Text(text) => Scalar::Text(text),
            Value::Built(span) => Scalar::Text(self.text(span)),
            Value::Signed(number) => Scalar::Signed(number),
            Value::Unsigned(number) => Scalar::Unsigned(number),
            Value::Bool(truth) => Scalar::Bool(truth),
            Value::Address(ip) => Scalar::Address(ip),
        })
    }

    /// Copies a text to the end; false when the value is none.
    pub(super) fn append(&mut self, value: Value<'_>) -> bool {
        match value {
            Value::Text(text) => self.bytes.extend_from_slice(text),
            Value::Built(span) if span.end <= self.bytes.len() => self.bytes.extend_from_within(span.range()),
            _ => return false,
        }
        true
    }
}
