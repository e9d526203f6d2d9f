//! Items of a rule file: YAML nodes to typed keys.

mod reader;
mod rule;

use std::sync::Arc;

pub(super) use reader::Reader;
pub(super) use rule::{Mode, RuleKeys, read as read_rule};

use super::{
    diagnostic::{Code, ItemType},
    journal::{About, Journal},
    lexer::is_bare,
    source::Scalar,
    version::{ENGINE_VERSION, PLUGINS, Version},
    yaml::{Mark, Node},
};

/// What the first known key of an item says it is.
pub(super) fn kind(item: &Node) -> Option<ItemType> {
    let known = [
        ("required_engine_version", ItemType::RequiredEngineVersion),
        ("required_plugin_versions", ItemType::RequiredPluginVersions),
        ("list", ItemType::List),
        ("macro", ItemType::Macro),
        ("rule", ItemType::Rule),
    ];
    let keys = item.mapping()?;
    let has = |name: &str| keys.iter().any(|(key, _)| key.scalar() == Some(name));
    known.into_iter().find(|(key, _)| has(key)).map(|(_, kind)| kind)
}

/// A list or a macro as written: what `body` is added to, or replaces, what has the name.
#[derive(Debug)]
pub(super) struct Fragment<T> {
    pub(super) name: String,
    pub(super) at: Mark,
    pub(super) append: bool,
    pub(super) body: T,
}

/// Reads a list. None when it was refused.
pub(super) fn read_list(item: &Node, journal: &mut Journal<'_>) -> Option<Fragment<Vec<Scalar>>> {
    let mut reader = Reader::new(item, ItemType::List, &["list", "items", "append", "override"], journal)?;
    let name = reader.name()?;
    if name.is_empty() || !name.bytes().all(is_bare) {
        let message = "the name of a list should hold no blanks, quotes, parentheses, commas and equal signs";
        reader.note(Code::InvalidListName, item.at, message);
    }
    let append = reader.append_of("items")?;
    let body = reader.scalars("items")?;
    let Some(body) = body else {
        reader.error(item.at, "Item has no mapping for key 'items'");
        return None;
    };
    Some(Fragment { name, at: item.at, append, body })
}

/// Reads a macro. None when it was refused.
pub(super) fn read_macro(item: &Node, journal: &mut Journal<'_>) -> Option<Fragment<Scalar>> {
    let mut reader =
        Reader::new(item, ItemType::Macro, &["macro", "condition", "append", "override"], journal)?;
    let name = reader.name()?;
    let mut letters = name.bytes();
    let valid = letters.next().is_some_and(|first| first.is_ascii_alphabetic())
        && letters.all(|letter| letter.is_ascii_alphanumeric() || letter == b'_');
    if !valid {
        let message = "the name of a macro should be a letter, then letters, digits and underscores";
        reader.note(Code::InvalidMacroName, item.at, message);
    }
    let append = reader.append_of("condition")?;
    let body = reader.required("condition")?;
    Some(Fragment { name, at: item.at, append, body })
}

/// Checks the version of the engine that a file asks for; false when the file is not for this one.
pub(super) fn check_engine(item: &Node, journal: &mut Journal<'_>) -> bool {
    let key = "required_engine_version";
    let Some(mut reader) = Reader::new(item, ItemType::RequiredEngineVersion, &[key], journal) else {
        return false;
    };
    let Some(scalar) = reader.required(key) else { return false };
    let Some(required) = Version::parse_engine(&scalar.text) else {
        let message = format!("Unable to parse engine version '{}': write a number or 'x.y.z'", scalar.text);
        reader.note(Code::Validate, scalar.at, message);
        return false;
    };
    let fits = ENGINE_VERSION.satisfies(required);
    if !fits {
        let message =
            format!("Rules require engine version {required}, but engine version is {ENGINE_VERSION}");
        reader.note(Code::Validate, scalar.at, message);
    }
    fits
}

/// Checks the plugins that a file asks for.
pub(super) fn check_plugins(item: &Node, journal: &mut Journal<'_>) {
    let key = "required_plugin_versions";
    let about = About { item: ItemType::RequiredPluginVersions, name: "" };
    let Some(mut reader) = Reader::new(item, about.item, &[key], journal) else { return };
    let Some(entries) = reader.sequence(key) else { return };
    for entry in entries {
        let wanted = plugin(&entry, true, journal);
        let Some(wanted) = wanted else { continue };
        let met = wanted.iter().any(|(name, required)| {
            PLUGINS.iter().any(|(known, version)| known == name && version.satisfies(*required))
        });
        if !met {
            let list: Vec<_> =
                wanted.iter().map(|(name, version)| format!("{name} (>= {version})")).collect();
            let message = format!("Plugin requirement not satisfied, must load one of: {}", list.join(", "));
            journal.note(Code::Validate, about, entry.at, message);
        }
    }
}

/// A plugin and its alternatives. None when the entry was refused.
fn plugin(entry: &Node, alternatives: bool, journal: &mut Journal<'_>) -> Option<Vec<(String, Version)>> {
    let keys: &[&str] =
        if alternatives { &["name", "version", "alternatives"] } else { &["name", "version"] };
    let mut reader = Reader::new(entry, ItemType::RequiredPluginVersions, keys, journal)?;
    let name = reader.required("name")?;
    let version = reader.required("version")?;
    let Some(parsed) = Version::parse(&version.text) else {
        let message = format!("Invalid plugin version '{}': write 'x.y.z'", version.text);
        reader.note(Code::Validate, version.at, message);
        return None;
    };
    let others: Vec<Arc<Node>> = match reader.get("alternatives") {
        Some(_) => reader.sequence("alternatives")?,
        None => Vec::new(),
    };
    let mut wanted = vec![(name.text, parsed)];
    for other in others {
        wanted.extend(plugin(&other, false, journal)?);
    }
    Some(wanted)
}
