//! The condition that an exception stands for, as text.

use std::sync::Arc;

use super::{Columns, Comparison, Exception};
use crate::language::{lexer::is_bare, print::quoted, yaml::Node};

impl Exception {
    /// The condition that is true for the exception's values; none without values.
    pub(in crate::language) fn condition(&self) -> Option<String> {
        if self.values.is_empty() {
            return None;
        }
        match &self.columns {
            Columns::One(field, comparison) => {
                let values: Vec<_> = self.values.iter().map(|value| element(value, true)).collect();
                Some(format!("({field} {} ({}))", comparison.words(), values.join(", ")))
            }
            Columns::Many(columns) => {
                let rows: Vec<_> = self.values.iter().map(|row| tuple(row, columns)).collect();
                Some(format!("({})", rows.join(" or ")))
            }
        }
    }
}

impl Comparison {
    fn words(self) -> String {
        match self.modifier {
            Some(modifier) => format!("{} {}", self.operator.word(), modifier.word()),
            None => self.operator.word().to_owned(),
        }
    }
}

fn tuple(row: &Node, columns: &[(String, Comparison)]) -> String {
    let values = row.sequence().unwrap_or_default();
    let parts = columns.iter().zip(values).map(|((field, comparison), value)| {
        format!("{field} {} {}", comparison.words(), right_side(value, *comparison))
    });
    format!("({})", parts.collect::<Vec<_>>().join(" and "))
}

fn right_side(value: &Arc<Node>, comparison: Comparison) -> String {
    if let Some(items) = value.sequence() {
        let items: Vec<_> = items.iter().map(|item| element(item, true)).collect();
        return format!("({})", items.join(", "));
    }
    let list = comparison.takes_list();
    let text = value.scalar().unwrap_or_default();
    match list {
        true if text.starts_with('(') => text.to_owned(),
        true => format!("({})", element(value, true)),
        false => element(value, false),
    }
}

/// A value that may be the name of a list, or is in quotes of its own. In a list it may also be several values
/// with commas between them.
fn element(value: &Node, in_list: bool) -> String {
    let text = value.scalar().unwrap_or_default();
    let bare = |byte: u8| is_bare(byte) || (in_list && byte == b',');
    if text.starts_with(['"', '\'']) || (!text.is_empty() && text.bytes().all(bare)) {
        return text.to_owned();
    }
    quoted(text.as_bytes())
}
