//! `docs/reference/events.md`, written from the description of the facts.

use std::fmt::{self, Write as _};

use sentinel_event::Kind;

use crate::{Fact, Section, facts_of};

const INTRODUCTION: &str = "# Events

Generated from `crates/wire/src/facts` by `UPDATE=1 cargo test -p sentinel-wire`; do not edit.

An event is one JSON object a line (`stream.mode: stdout`), or one `sentinel.v1.EventEnvelope`:
`event_id` (UUID version 7), `ts_unix_nano` (a number in JSON), `hostname` (the node), `pod` and `namespace`
(empty outside Kubernetes; `pod_name` in protobuf), `container_id` (full id, empty on the host), `event_type`,
`data` and `attributes`. All values of `data` and `attributes` are strings. Bytes that are not UTF-8 become
U+FFFD; control characters are escaped.

An event that the node's own detection rules have judged has the attribute `sentinel.rules`: the generation of these
rules, which rises with every reload.

*Source* says who could forge a fact: `kernel` – nobody; `caller's memory` – the caller, also between the call and
the look at it; `argument` – what the caller passed; `process table` – the kernel, at fork and exec, and `/proc` for
processes that ran before the agent.
";

/// The text of the reference, Markdown.
///
/// # Errors
/// None in practice: a `String` takes any text.
pub fn reference() -> Result<String, fmt::Error> {
    let mut text = String::from(INTRODUCTION);
    writeln!(text, "\n## Attributes of every kind but `loss`\n")?;
    table(&mut text, facts_of().filter(|fact| fact.section == Section::Attributes && common(fact)))?;
    writeln!(text, "\n## Data of every kind but `loss`\n")?;
    table(&mut text, facts_of().filter(|fact| fact.section == Section::Data && common(fact)))?;
    for kind in Kind::ALL {
        writeln!(text, "\n## {kind}\n\n{}\n", kind.describe())?;
        let own: Vec<_> = facts_of().filter(|fact| fact.kinds.contains(kind) && !common(fact)).collect();
        match own.is_empty() {
            true => writeln!(text, "No data of its own.")?,
            false => table(&mut text, own.into_iter())?,
        }
    }
    Ok(text)
}

fn common(fact: &Fact) -> bool {
    fact.kinds.len() + 1 == Kind::ALL.len()
}

fn table(text: &mut String, facts: impl Iterator<Item = &'static Fact>) -> fmt::Result {
    writeln!(text, "| key | meaning | unit | source |\n|---|---|---|---|")?;
    for Fact { key, meaning, unit, source, .. } in facts {
        writeln!(text, "| `{key}` | {} | {unit} | {source} |", meaning.replace('|', "\\|"))?;
    }
    Ok(())
}
