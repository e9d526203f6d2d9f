//! What alerts say beyond the outputs of their rules: Falco's `append_output` and `static_fields`.

use std::collections::{BTreeMap, BTreeSet};

use super::{
    condition::{FieldRef, Term},
    eval,
    output::{self, Part, Template},
    ruleset::{Rule, RuleSet},
};

/// What is added to alerts by configuration, not by rules.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Additions {
    /// Added to the rules that match, in this order.
    pub append_output: Vec<AppendOutput>,
    /// Constants: each becomes `static.<key>` in `output_fields` of every alert.
    pub static_fields: BTreeMap<String, String>,
}

/// An addition to the alerts of some rules.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct AppendOutput {
    /// Only rules whose whole name matches; `*` stands for anything.
    pub rule: Option<String>,
    /// Only rules of this source.
    pub source: Option<String>,
    /// Only rules that have all of these tags.
    pub tags: BTreeSet<String>,
    /// Template behind the rule's own output, with a blank in between.
    pub extra_output: Option<String>,
    /// Further entries of `output_fields`.
    pub extra_fields: Vec<ExtraField>,
    /// Adds container and pod to the output, as Falco's container plugin does by default.
    pub suggested_output: bool,
}

/// A further entry of `output_fields`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ExtraField {
    /// A field under its own name, with its type: `proc.pid`.
    Field(String),
    /// A template under a name, always a text.
    Template {
        /// The key.
        name: String,
        /// Text with fields in it.
        template: String,
    },
}

/// An addition that names something that does not exist.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{at}: {text:?}: {problem}")]
pub struct AdditionError {
    /// Which: `append_output[0].extra_fields[1]`.
    pub at: String,
    /// What was written.
    pub text: String,
    /// What is wrong with it.
    pub problem: String,
}

/// An addition to one rule, checked.
#[derive(Debug, Clone, PartialEq)]
pub enum Extra {
    /// A field with its type.
    Field(FieldRef),
    /// A text with fields in it, under a name.
    Template(String, Template),
    /// A constant under a name.
    Constant(String, String),
}

impl Extra {
    /// The field that is shown with its type.
    pub(super) fn field(&self) -> Option<&FieldRef> {
        match self {
            Self::Field(field) => Some(field),
            Self::Template(..) | Self::Constant(..) => None,
        }
    }
}

const SUGGESTED: &str = "container_id=%container.id container_name=%container.name \
    container_image_repository=%container.image.repository container_image_tag=%container.image.tag \
    k8s_pod_name=%k8s.pod.name k8s_ns_name=%k8s.ns.name";

impl RuleSet {
    /// Adds to what alerts say. To be done before an engine takes the rules.
    ///
    /// # Errors
    /// [`AdditionError`] for the first template or field that makes no sense; the rules are unchanged then.
    pub fn add(&mut self, additions: &Additions) -> Result<(), AdditionError> {
        let checked: Vec<_> = (0..)
            .zip(&additions.append_output)
            .map(|(number, one)| check(number, one))
            .collect::<Result<_, _>>()?;
        for rule in &mut self.rules {
            for (one, (parts, extras)) in additions.append_output.iter().zip(&checked) {
                if one.concerns(rule) {
                    rule.output.parts.extend_from_slice(parts);
                    rule.extras.extend_from_slice(extras);
                }
            }
            let constants = additions.static_fields.iter();
            rule.extras.extend(
                constants.map(|(key, value)| Extra::Constant(format!("static.{key}"), value.clone())),
            );
        }
        Ok(())
    }
}

impl AppendOutput {
    fn concerns(&self, rule: &Rule) -> bool {
        self.rule.as_ref().is_none_or(|pattern| eval::named(pattern, &rule.name))
            && self.source.as_ref().is_none_or(|source| *source == rule.source)
            && self.tags.is_subset(&rule.tags)
    }
}

/// What an addition puts behind an output, and what it puts beside it.
fn check(number: usize, one: &AppendOutput) -> Result<(Vec<Part>, Vec<Extra>), AdditionError> {
    let template = |at: String, text: &str| {
        output::parse(text, &mut Vec::new()).map_err(|problem| AdditionError {
            at,
            text: text.to_owned(),
            problem: problem.message,
        })
    };
    let mut parts = Vec::new();
    let suggested = one.suggested_output.then_some(SUGGESTED);
    for text in one.extra_output.as_deref().into_iter().chain(suggested) {
        parts.push(Part::Text(" ".to_owned()));
        parts.extend(template(format!("append_output[{number}].extra_output"), text)?.parts);
    }
    let mut extras = Vec::new();
    for (place, extra) in one.extra_fields.iter().enumerate() {
        let at = format!("append_output[{number}].extra_fields[{place}]");
        extras.push(match extra {
            ExtraField::Template { name, template: text } => {
                Extra::Template(name.clone(), template(at, text)?)
            }
            ExtraField::Field(name) => {
                let read = template(at.clone(), &format!("%{name}"))?;
                match read.parts.as_slice() {
                    [Part::Value { term: Term::Field(field), text, width: None }] if **text == **name => {
                        Extra::Field(field.clone())
                    }
                    _ => {
                        let problem = "this is not one field; a template needs a name".to_owned();
                        return Err(AdditionError { at, text: name.clone(), problem });
                    }
                }
            }
        });
    }
    Ok((parts, extras))
}
