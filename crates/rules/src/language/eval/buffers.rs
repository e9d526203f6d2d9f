//! Which rules look at the data that events move.

use super::{Engine, compile::is_buffer};
use crate::language::{Comparand, Part, Rule, Term};

impl Engine {
    /// Whether a rule in use, its condition or its output, asks for the data that events move (`evt.buffer`), where
    /// [`super::Selection::buffers`] allows it: buffers hold secrets, so nobody else reads them.
    pub fn asks_buffers(&self) -> bool {
        self.asks(|name| name == "evt.buffer")
    }

    /// Names of the rules in use that ask for the data that events move.
    pub fn rules_about_buffers(&self) -> impl Iterator<Item = &str> {
        self.rules().iter().filter(|rule| is_about_buffers(rule)).map(|rule| rule.name.as_str())
    }
}

/// Whether the rule's condition, steps or output name `evt.buffer`.
fn is_about_buffers(rule: &Rule) -> bool {
    let steps = rule.sequence.iter().flat_map(|sequence| &sequence.steps).map(|step| &step.condition);
    let mut found = false;
    for condition in steps.chain([&rule.condition]) {
        condition.tests(&mut |test| {
            let right = match &test.right {
                Comparand::Term(term) => names_buffer(term),
                _ => false,
            };
            found |= right || names_buffer(&test.left);
        });
    }
    found
        || rule.output.parts.iter().any(|part| matches!(part, Part::Value { term, .. } if names_buffer(term)))
}

fn names_buffer(term: &Term) -> bool {
    match term {
        Term::Field(field) => is_buffer(field),
        Term::Call(call) => call.arguments.iter().any(names_buffer),
        Term::List(terms) => terms.iter().any(names_buffer),
        Term::Text(_) => false,
    }
}
