//! Reads the keys of one item and reports what is wrong with them.

use std::{collections::HashSet, sync::Arc};

use crate::language::{
    diagnostic::{Code, ItemType},
    journal::{About, Journal},
    source::Scalar,
    suggest,
    yaml::{Mark, Node},
};

/// The keys of one item.
pub(in crate::language) struct Reader<'n, 'j, 'f> {
    keys: &'n [(Arc<Node>, Arc<Node>)],
    at: Mark,
    item: ItemType,
    name: String,
    journal: &'j mut Journal<'f>,
}

/// None when something was wrong; it has been reported then.
type Checked<T> = Option<T>;

impl<'n, 'j, 'f> Reader<'n, 'j, 'f> {
    /// Begins with an item and reports the keys that are not `known`.
    pub(in crate::language) fn new(
        node: &'n Node,
        item: ItemType,
        known: &[&str],
        journal: &'j mut Journal<'f>,
    ) -> Checked<Self> {
        let Some(keys) = node.mapping() else {
            let about = About { item, name: "" };
            journal.note(Code::YamlValidate, about, node.at, "Value is not a mapping of keys to values");
            return None;
        };
        let named = matches!(item, ItemType::List | ItemType::Macro | ItemType::Rule);
        let name = keys
            .iter()
            .find(|(key, _)| named && key.scalar() == Some(item.word()))
            .and_then(|(_, name)| name.scalar());
        let mut reader = Self { keys, at: node.at, item, name: name.unwrap_or_default().to_owned(), journal };
        let mut seen = HashSet::new();
        for (key, _) in keys {
            match key.scalar() {
                Some(name) if known.contains(&name) => {
                    if !seen.insert(name) {
                        reader.note(
                            Code::UnknownKey,
                            key.at,
                            format!("Key '{name}' is given twice. The first is used."),
                        );
                    }
                }
                name => {
                    let name = name.unwrap_or("?");
                    let hint = suggest::nearest(name, known.iter().copied());
                    let hint = hint.map(|name| format!(" Did you mean '{name}'?")).unwrap_or_default();
                    let message = format!("Unknown key '{name}'. The key will be ignored.{hint}");
                    reader.note(Code::UnknownKey, key.at, message);
                }
            }
        }
        Some(reader)
    }

    pub(in crate::language) fn note(&mut self, code: Code, at: Mark, message: impl Into<String>) {
        self.journal.note(code, About { item: self.item, name: &self.name }, at, message);
    }

    /// Reports something that is wrong with the structure.
    pub(in crate::language) fn error(&mut self, at: Mark, message: impl Into<String>) {
        self.note(Code::YamlValidate, at, message);
    }

    pub(in crate::language) fn get(&self, key: &str) -> Option<&'n Arc<Node>> {
        self.keys.iter().find(|(name, _)| name.scalar() == Some(key)).map(|(_, value)| value)
    }

    /// The names of all keys, with their places.
    pub(in crate::language) fn names(&self) -> impl Iterator<Item = (&'n str, Mark)> + use<'n> {
        self.keys.iter().filter_map(|(key, _)| key.scalar().map(|name| (name, key.at)))
    }

    pub(in crate::language) const fn at(&self) -> Mark {
        self.at
    }

    /// The name of the item.
    pub(in crate::language) fn name(&mut self) -> Checked<String> {
        self.required(self.item.word()).map(|scalar| scalar.text)
    }

    /// The text of a key that must be there.
    pub(in crate::language) fn required(&mut self, key: &str) -> Checked<Scalar> {
        match self.optional(key)? {
            Some(scalar) => Some(scalar),
            None => {
                self.error(self.at, format!("Item has no mapping for key '{key}'"));
                None
            }
        }
    }

    /// The text of a key that may be missing, but not be empty.
    pub(in crate::language) fn optional(&mut self, key: &str) -> Checked<Option<Scalar>> {
        let Some(node) = self.get(key) else { return Some(None) };
        let problem = if node.is_null() {
            format!("Mapping for key '{key}' is empty")
        } else {
            match Scalar::of(node) {
                None => format!("Value is not a scalar value for key '{key}'"),
                Some(scalar) if scalar.text.trim().is_empty() => {
                    format!("Value must be non-empty for key '{key}'")
                }
                Some(scalar) => return Some(Some(scalar)),
            }
        };
        self.error(node.at, problem);
        None
    }

    /// A text that is turned into something else; `what` says what it must be.
    pub(in crate::language) fn decoded<T>(
        &mut self,
        key: &str,
        what: &str,
        decode: impl FnOnce(&str) -> Option<T>,
    ) -> Checked<Option<T>> {
        let Some(scalar) = self.optional(key)? else { return Some(None) };
        if let Some(value) = decode(&scalar.text) {
            return Some(Some(value));
        }
        let message =
            format!("Can't decode YAML scalar value '{}' for key '{key}': it must be {what}", scalar.text);
        self.error(scalar.at, message);
        None
    }

    pub(in crate::language) fn boolean(&mut self, key: &str) -> Checked<Option<bool>> {
        self.decoded(key, "true or false", |text| match text.to_ascii_lowercase().as_str() {
            "true" | "yes" | "on" | "y" => Some(true),
            "false" | "no" | "off" | "n" => Some(false),
            _ => None,
        })
    }

    /// The elements of a sequence that must be there.
    pub(in crate::language) fn sequence(&mut self, key: &str) -> Checked<Vec<Arc<Node>>> {
        let Some(node) = self.get(key) else {
            self.error(self.at, format!("Item has no mapping for key '{key}'"));
            return None;
        };
        let problem = match node.sequence() {
            Some(items) => return Some(items.to_vec()),
            None if node.is_null() => format!("Mapping for key '{key}' is empty"),
            None => format!("Value is not a sequence for key '{key}'"),
        };
        self.error(node.at, problem);
        None
    }

    /// The texts of a sequence that may be missing.
    pub(in crate::language) fn scalars(&mut self, key: &str) -> Checked<Option<Vec<Scalar>>> {
        if self.get(key).is_none() {
            return Some(None);
        }
        let mut scalars = Vec::new();
        for node in self.sequence(key)? {
            match Scalar::of(&node) {
                Some(scalar) => scalars.push(scalar),
                None => {
                    self.error(node.at, format!("sequence value is not scalar for key '{key}'"));
                    return None;
                }
            }
        }
        Some(Some(scalars))
    }

    /// Whether an item adds to what has its name: by `append` or by `override` of its one body `key`.
    pub(super) fn append_of(&mut self, key: &'static str) -> Checked<bool> {
        let append = self.append()?;
        let Some(overrides) = self.overrides()? else { return Some(append) };
        for (name, at, operation) in &overrides {
            if *name != key {
                let message = match operation {
                    Operation::Append => format!("Key '{name}' cannot be appended to"),
                    Operation::Replace => format!("Key '{name}' cannot be replaced"),
                };
                self.error(*at, message);
                return None;
            }
        }
        if let (Some((name, at, operation)), None) = (overrides.first(), self.get(key)) {
            self.error(*at, operation.undefined(name));
            return None;
        }
        if let (None, Some((_, at))) = (overrides.first(), self.names().find(|(name, _)| *name == key)) {
            self.error(
                at,
                format!("Unexpected key '{key}': no corresponding entry under 'override' is defined."),
            );
            return None;
        }
        Some(overrides.iter().any(|(_, _, operation)| *operation == Operation::Append))
    }

    /// The key `append`, which is deprecated.
    pub(super) fn append(&mut self) -> Checked<bool> {
        let append = self.boolean("append")?.unwrap_or(false);
        if let Some(node) = self.get("append") {
            if append && self.get("override").is_some() {
                let message =
                    "Keys 'override' and 'append: true' cannot be used together: use 'override' alone";
                self.error(node.at, message);
                return None;
            }
            self.note(Code::DeprecatedItem, node.at, "'append' key is deprecated: use 'override'");
        }
        Some(append)
    }

    /// The entries of `override`: key, place and operation.
    pub(super) fn overrides(&mut self) -> Checked<Option<Vec<Override<'n>>>> {
        let Some(node) = self.get("override") else { return Some(None) };
        let Some(pairs) = node.mapping() else {
            let empty = node.is_null();
            let message = if empty {
                "Mapping for key 'override' is empty"
            } else {
                "Value is not a mapping for key 'override'"
            };
            self.error(node.at, message);
            return None;
        };
        let mut entries: Vec<Override<'n>> = Vec::new();
        let mut seen = HashSet::new();
        for (key, value) in pairs {
            let name = key.scalar().unwrap_or("?");
            let operation = match value.scalar() {
                Some("append") => Operation::Append,
                Some("replace") => Operation::Replace,
                other => {
                    let other = other.unwrap_or("?");
                    let message = format!(
                        "Invalid override operation for key '{name}': '{other}'. Allowed values are: append replace"
                    );
                    self.error(value.at, message);
                    return None;
                }
            };
            if !seen.insert(name) {
                self.error(key.at, format!("Key '{name}' stands twice under 'override'"));
                return None;
            }
            entries.push((name, key.at, operation));
        }
        Some(Some(entries))
    }
}

/// An entry of `override`: the key, its place, what is done with it.
pub(super) type Override<'n> = (&'n str, Mark, Operation);

/// What `override` does with a key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Operation {
    Append,
    Replace,
}

impl Operation {
    /// The message for an operation on a key that the item does not give.
    pub(super) fn undefined(self, key: &str) -> String {
        let article = match self {
            Self::Append => "An append",
            Self::Replace => "A replace",
        };
        format!("{article} override for '{key}' was specified but '{key}' is not defined")
    }
}
