//! The part of an address behind `?`.

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};

/// What a value may hold as it is.
const KEPT: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'_').remove(b'.').remove(b'~');

/// Names and values, both still encoded: what a detector is asked is passed on as it came.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Query<'a>(&'a str);

impl<'a> Query<'a> {
    pub(crate) fn new(text: Option<&'a str>) -> Self {
        Self(text.unwrap_or_default())
    }

    fn pairs(self) -> impl Iterator<Item = (&'a str, &'a str)> {
        let parts = self.0.split('&').filter(|part| !part.is_empty());
        parts.map(|part| part.split_once('=').unwrap_or((part, "")))
    }

    /// The decoded value of the first pair of that name that has one.
    pub(crate) fn get(self, name: &str) -> Option<String> {
        let (_, value) = self.pairs().find(|(found, value)| *found == name && !value.is_empty())?;
        Some(percent_decode_str(&value.replace('+', " ")).decode_utf8_lossy().into_owned())
    }

    /// The pairs of these names, and further ones, for a detector.
    pub(crate) fn only(self, names: &[&str], more: &[(&str, &str)]) -> String {
        let kept = self.pairs().filter(|(name, value)| names.contains(name) && !value.is_empty());
        let kept = kept.map(|(name, value)| format!("{name}={value}"));
        let more = more.iter().map(|(name, value)| format!("{name}={}", encode(value)));
        kept.chain(more).collect::<Vec<_>>().join("&")
    }
}

/// A value as it stands in an address.
pub(crate) fn encode(value: &str) -> String {
    utf8_percent_encode(value, KEPT).to_string()
}

#[test]
fn only_known_names_reach_a_detector() {
    let query = Query::new(Some("rule=a%26b&evil=1&q=x+y&before=n%3D1&node="));
    assert_eq!(query.only(&["rule", "q", "node"], &[("before", "a b")]), "rule=a%26b&q=x+y&before=a%20b");
    assert_eq!(query.get("before").as_deref(), Some("n=1"));
    assert_eq!(query.get("q").as_deref(), Some("x y"));
    assert_eq!(query.get("node"), None);
}
