//! Which rules are used.

use crate::language::{Priority, Rule};

use super::glob::glob;

/// Which of the loaded rules an engine uses, and how many of them may match one event.
#[derive(Debug, Clone)]
pub struct Selection {
    /// Whether the first match ends the search.
    pub matching: Matching,
    /// Rules less severe than this are not used.
    pub minimum_priority: Priority,
    /// Switches rules on and off in this order, on top of what the files say.
    pub choices: Vec<Choice>,
    /// Events carry the data that they move (`capture.buffers`). Else `evt.buffer` is always missing, and what only
    /// it could match is not looked at.
    pub buffers: bool,
}

impl Default for Selection {
    /// Every rule that the files have switched on, of any priority; the first match ends the search.
    fn default() -> Self {
        Self {
            matching: Matching::First,
            minimum_priority: Priority::Debug,
            choices: Vec::new(),
            buffers: false,
        }
    }
}

/// How many rules may match one event.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Matching {
    /// The first in the order of definition.
    First,
    /// All.
    All,
}

/// Switches some rules on or off.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Choice {
    /// On or off.
    pub enable: bool,
    /// Which.
    pub rules: Chosen,
}

/// Some rules.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Chosen {
    /// Those whose whole name matches; `*` stands for anything.
    Name(String),
    /// Those that have the tag.
    Tag(String),
}

impl Selection {
    /// Whether the rule is used.
    pub fn uses(&self, rule: &Rule) -> bool {
        let chosen = |choice: &&Choice| match &choice.rules {
            Chosen::Name(pattern) => named(pattern, &rule.name),
            Chosen::Tag(tag) => rule.tags.contains(tag),
        };
        let last = self.choices.iter().rev().find(chosen);
        rule.priority <= self.minimum_priority && last.map_or(rule.enabled, |choice| choice.enable)
    }
}

/// Only the star is special: names hold brackets and question marks.
pub(in crate::language) fn named(pattern: &str, name: &str) -> bool {
    let mut escaped = Vec::with_capacity(pattern.len());
    for byte in pattern.bytes() {
        if matches!(byte, b'?' | b'[' | b'\\') {
            escaped.push(b'\\');
        }
        escaped.push(byte);
    }
    glob(&escaped, name.as_bytes(), false)
}
