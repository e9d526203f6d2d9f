//! `docs/reference/envelope-fields.md`, written from the rows.

use std::fmt::{self, Write as _};

use sentinel_event::Kind;

use super::{Row, Section, rows};

const INTRODUCTION: &str = "# Rule fields of envelopes

Generated from `crates/rules/src/language/envelope` by `UPDATE=1 cargo test -p sentinel-rules`; do not edit.

The detector's rules judge events that come as `sentinel.v1.EventEnvelope` or as its JSON form. This says which key of
`data` and `attributes` fills which rule fields. `ts_unix_nano` is the event's time, `container_id` the container
(`container.id` has its first 12 digits), `event_type` decides which keys of `data` are read. A key that is absent, or
whose value makes no sense, leaves its fields missing, and a comparison with a missing field is false. Other keys are
left alone.

An envelope says less than the event on the node:

* there is no ancestor but the parent: `proc.aname[2]` and its like are missing, and `proc.aname` is the parent's name;
* arguments have blanks between them, so one that holds a blank counts as several;
* bytes that are no UTF-8 have become U+FFFD;
* `proc.exe` and `proc.pexe` are the path of the program, except on `exec`, where they are the first argument;
* `proc.cwd` is there on `exec` alone, and the parent's `proc.pvpid` is not;
* without `user.uid` and `group.gid` the real ids, `data`'s `uid` and `gid`, stand in for the effective ones; without
  these too the fields are missing;
* a read or write without `evt.rawres` or `evt.res` has succeeded, with `bytes` as its result.
";

/// The text of the reference, Markdown.
///
/// # Errors
/// None in practice: a `String` takes any text.
pub fn reference() -> Result<String, fmt::Error> {
    let mut text = String::from(INTRODUCTION);
    writeln!(text, "\n## Every kind but `loss`\n")?;
    table(&mut text, rows().filter(|row| row.kinds.is_empty()))?;
    for kind in Kind::ALL {
        let own: Vec<_> = rows().filter(|row| row.kinds.contains(kind)).collect();
        if !own.is_empty() {
            writeln!(text, "\n## {kind}\n")?;
            table(&mut text, own.into_iter())?;
        }
    }
    Ok(text)
}

fn table(text: &mut String, rows: impl Iterator<Item = &'static Row>) -> fmt::Result {
    writeln!(text, "| key | in | such as | fields |\n|---|---|---|---|")?;
    for Row { section, key, fields, example, .. } in rows {
        let section = match section {
            Section::Data => "data",
            Section::Attributes => "attributes",
        };
        let fields: Vec<_> = fields.split_ascii_whitespace().map(|name| format!("`{name}`")).collect();
        let example = example.replace('|', "\\|");
        writeln!(text, "| `{key}` | {section} | `{example}` | {} |", fields.join(", "))?;
    }
    Ok(())
}
