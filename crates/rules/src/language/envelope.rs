//! Events that come as two maps of text, from our agents or anybody's: made whole again, so that rules can judge
//! them.
//!
//! An envelope says less than the event it was made from: no ancestor but the parent, arguments joined by blanks,
//! bytes that are no UTF-8 replaced. What it does not say has no value, or the one that means "not known" in
//! [`Observation`]: user and group ids are `u32::MAX` then, and rules see `user.uid` and `group.gid` missing.
//!
//! The table of keys, and of the fields that each fills, is `docs/reference/envelope-fields.md`. It is generated
//! from `ROWS`; to read one more key, add a row.

mod attribute;
mod control;
mod credential;
mod draft;
mod file;
mod form;
mod memory;
mod name;
mod net;
mod place;
mod process;
mod reference;
mod system;
mod who;

use std::collections::BTreeMap;

use sentinel_event::{Kind, Observation, UnknownKind};

use draft::Draft;
pub use reference::reference;

/// An event as it travels: what `sentinel.v1.EventEnvelope` and the JSON form have in common.
#[derive(Debug, Clone, Copy)]
pub struct Envelope<'a> {
    /// Kind of event: `file_write`.
    pub event_type: &'a str,
    /// Time of the event, nanoseconds since the Unix epoch.
    pub ts_unix_nano: u64,
    /// Full id of the container; empty on the host.
    pub container_id: &'a str,
    /// The event's own facts.
    pub data: &'a BTreeMap<String, String>,
    /// What surrounds it.
    pub attributes: &'a BTreeMap<String, String>,
}

/// What an envelope says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Told {
    /// The event.
    pub observation: Observation,
    /// Keys whose values made no sense; they were taken as absent. To be counted, for they tell of a sender that
    /// speaks another dialect.
    pub malformed: Vec<&'static str>,
}

impl Envelope<'_> {
    /// Reads the envelope. Keys that are not known are left alone.
    ///
    /// # Errors
    /// [`UnknownKind`] when `event_type` is none of ours: no rule can judge such an event.
    pub fn read(&self) -> Result<Told, UnknownKind> {
        let kind: Kind = self.event_type.parse()?;
        let mut draft = Draft::new(kind, self.ts_unix_nano);
        let mut malformed = Vec::new();
        for row in rows().filter(|row| row.applies(kind)) {
            let map = match row.section {
                Section::Data => self.data,
                Section::Attributes => self.attributes,
            };
            if let Some(text) = map.get(row.key)
                && (row.set)(&mut draft, text).is_none()
            {
                malformed.push(row.key);
            }
        }
        if !self.container_id.is_empty() {
            draft.container = Some(self.container_id.into());
        }
        Ok(Told { observation: draft.finish(), malformed })
    }
}

/// The map of the envelope that a key is in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Section {
    Data,
    Attributes,
}

/// One key.
#[derive(Debug, Clone, Copy)]
struct Row {
    section: Section,
    key: &'static str,
    kinds: &'static [Kind],
    /// The rule fields that have it, a blank between them; empty when it only helps others.
    fields: &'static str,
    /// A value, as agents write it.
    example: &'static str,
    /// Takes the value; none when it makes no sense.
    set: fn(&mut Draft, &str) -> Option<()>,
}

impl Row {
    fn applies(&self, kind: Kind) -> bool {
        if self.kinds.is_empty() { kind != Kind::Loss } else { self.kinds.contains(&kind) }
    }
}

/// Rows of a table: `key, "fields", "example", how it is taken;`. No kinds are all but `loss`.
macro_rules! table {
    ($section:ident, $kinds:expr; $($key:literal, $fields:literal, $example:literal, $set:expr;)*) => {
        &[$(super::Row {
            section: super::Section::$section,
            key: $key,
            kinds: $kinds,
            fields: $fields,
            example: $example,
            set: $set,
        },)*]
    };
}
use table;

/// Every key that is read. What others build upon comes first.
const ROWS: [&[&[Row]]; 11] = [
    who::ROWS,
    place::ROWS,
    process::ROWS,
    file::ROWS,
    name::ROWS,
    attribute::ROWS,
    net::ROWS,
    memory::ROWS,
    credential::ROWS,
    control::ROWS,
    system::ROWS,
];

fn rows() -> impl Iterator<Item = &'static Row> {
    ROWS.into_iter().flatten().flat_map(|table| table.iter())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::language::Field;

    /// An envelope of `kind` with the example of `row`.
    fn with(kind: Kind, row: &Row) -> Told {
        let (mut data, mut attributes) = (BTreeMap::new(), BTreeMap::new());
        let map = if row.section == Section::Data { &mut data } else { &mut attributes };
        map.insert(row.key.to_owned(), row.example.to_owned());
        let (data, attributes) = (&data, &attributes);
        let ts_unix_nano = 1_700_000_000_000_000_000;
        let envelope = Envelope { event_type: kind.name(), ts_unix_nano, container_id: "", data, attributes };
        envelope.read().expect("a kind")
    }

    #[test]
    fn every_row_reads_its_example_and_refuses_no_text_by_panic() {
        for row in rows() {
            for kind in Kind::ALL.iter().filter(|kind| row.applies(**kind)) {
                assert_eq!(with(*kind, row).malformed, [""; 0], "{} of {kind}", row.key);
                for text in ["", " ", "-1", "99999999999999999999999", "|", "0x", "\u{fffd}"] {
                    let _ = (row.set)(&mut Draft::new(*kind, 1), text);
                }
            }
        }
    }

    #[test]
    fn fields_of_a_row_are_fields() {
        for row in rows() {
            for name in row.fields.split_ascii_whitespace() {
                assert!(Field::find(name).is_some(), "{name} of {}", row.key);
            }
        }
    }
}
