//! Values of the section `detection`.

use std::collections::BTreeMap;

use sentinel_event::Priority;
use sentinel_rules::language::eval::{Choice, Chosen};
use sentinel_sink::Suppression;
use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error as _};

use super::Detection;

impl Detection {
    /// What is held back before the outputs.
    pub(crate) fn suppression(&self) -> Suppression {
        Suppression { dedup: self.dedup, rate_limit: self.rate_limit }
    }
}

/// How many rules may match one event.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Matching {
    /// The first in the order of definition.
    First,
    /// All.
    All,
}

/// A priority by its name, in any case.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PriorityName(pub Priority);

impl Serialize for PriorityName {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.0.name().to_lowercase())
    }
}

impl<'de> Deserialize<'de> for PriorityName {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let name = String::deserialize(deserializer)?;
        Priority::parse(&name).map(Self).ok_or_else(|| {
            let known: Vec<_> = Priority::ALL.iter().map(|priority| priority.name().to_lowercase()).collect();
            D::Error::custom(format!("unknown priority {name:?}, expected one of {}", known.join(", ")))
        })
    }
}

/// One step of `detection.select`: exactly one of the two.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct Select {
    /// Switches these on.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub enable: Option<Which>,
    /// Switches these off.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub disable: Option<Which>,
}

/// Some rules: exactly one of the two.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct Which {
    /// Those of this name; `*` stands for anything.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rule: Option<String>,
    /// Those that have this tag.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tag: Option<String>,
}

impl Select {
    /// The choice it makes; none when it says too much or too little.
    pub(crate) fn choice(&self) -> Option<Choice> {
        let (enable, which) = match (&self.enable, &self.disable) {
            (Some(which), None) => (true, which),
            (None, Some(which)) => (false, which),
            _ => return None,
        };
        let rules = match (&which.rule, &which.tag) {
            (Some(name), None) => Chosen::Name(name.clone()),
            (None, Some(tag)) => Chosen::Tag(tag.clone()),
            _ => return None,
        };
        Some(Choice { enable, rules })
    }
}

/// One entry of `detection.appendOutput`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields, rename_all = "camelCase")]
pub struct AppendOutput {
    /// Which rules; without it, all.
    #[serde(rename = "match", skip_serializing_if = "Option::is_none")]
    pub matches: Option<AppendMatch>,
    /// Text and fields that follow the rule's output.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub extra_output: String,
    /// Further entries of `output_fields`.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub extra_fields: Vec<ExtraField>,
    /// Container and pod follow the rule's output.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub suggested_output: bool,
}

/// Further entries of `output_fields`: `proc.cwd`, or `{where: "%proc.name in %proc.cwd"}`.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, Serialize)]
#[serde(untagged)]
pub enum ExtraField {
    /// A field under its own name, with its type.
    Field(String),
    /// Texts with fields in them, by name.
    Templates(BTreeMap<String, String>),
}

/// Which rules an output is appended to: all that is named must hold.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct AppendMatch {
    /// The rule of this name; `*` stands for anything.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rule: Option<String>,
    /// Rules for events of this source.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub source: Option<String>,
    /// Rules that have all of these tags.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub tags: Vec<String>,
}
