//! Loading rule files, and what comes of it.

use std::collections::BTreeSet;

use sentinel_event::{Priority, Severity};
use serde::{Serialize, Serializer};

use super::{
    additions::Extra,
    compile::{Compiler, compile_rules},
    condition::Condition,
    diagnostic::{Code, ItemType, LoadReport},
    evttypes::EventSet,
    item,
    journal::{About, Journal},
    merge::Collection,
    output::Template,
    source::Files,
    stateful::{Sequence, Threshold},
    yaml::{self, Mark, Node},
};

/// A checked rule, ready to be compiled for evaluation.
///
/// Its JSON form is what `sentinel rules list` and `explain` print: everything but the parts that only the
/// engine reads.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Rule {
    /// Stable name for programs; the name as a slug unless the file says.
    pub id: String,
    /// Unique name.
    pub name: String,
    /// What it detects.
    pub desc: String,
    /// Falco's priority.
    #[serde(serialize_with = "priority_name")]
    pub priority: Priority,
    /// Sentinel's severity; from the priority unless the file says.
    #[serde(serialize_with = "severity_name")]
    pub severity: Severity,
    /// 0 to 100; from the priority unless the file says.
    pub risk_score: u8,
    /// What to do about an alert.
    pub recommendation: Option<String>,
    /// Where its events come from: `syscall`.
    pub source: String,
    /// Labels.
    pub tags: BTreeSet<String>,
    /// Whether the file has it switched on.
    pub enabled: bool,
    /// Asks for a capture of events when it fires.
    pub capture: bool,
    /// How long that capture lasts.
    pub capture_duration_ms: u64,
    /// The events that it can match.
    pub event_types: EventSet,
    /// The file that defines it.
    pub file: String,
    /// Line of the definition, from 1.
    pub line: usize,
    /// Column of the definition, from 1.
    pub column: usize,
    /// With lists, macros and exceptions in place. In JSON its canonical form.
    #[serde(serialize_with = "canonical")]
    pub condition: Condition,
    /// What an alert says.
    #[serde(skip)]
    pub output: Template,
    /// What configuration adds to `output_fields`: see [`RuleSet::add`].
    #[serde(skip)]
    pub extras: Vec<Extra>,
    /// How often the condition must hold before the rule fires. In JSON one line.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub threshold: Option<Threshold>,
    /// What must happen in which order before it fires. In JSON one line.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sequence: Option<Sequence>,
}

fn canonical<S: Serializer>(condition: &Condition, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(&condition.canonical())
}

/// The rules of some files, in the order of their first definition.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct RuleSet {
    /// The rules, also those that are switched off.
    pub rules: Vec<Rule>,
}

impl RuleSet {
    /// Loads files, each a name for messages and a text, in this order: later ones may change what earlier ones
    /// define. There is a rule set only when the report has no errors.
    pub fn load(files: &[(&str, &str)]) -> (LoadReport, Option<Self>) {
        let mut journal = Journal::new(Files::new(files));
        let mut collection = Collection::default();
        for (number, (_, text)) in files.iter().enumerate() {
            read_file(number, text, &mut collection, &mut journal);
        }
        let mut compiler = Compiler::new(&collection, &mut journal);
        let rules = compile_rules(&mut compiler);
        compiler.finish();
        let report = journal.finish();
        let set = report.successful.then_some(Self { rules });
        (report, set)
    }

    /// The rule of this name.
    pub fn find(&self, name: &str) -> Option<&Rule> {
        self.rules.iter().find(|rule| rule.name == name)
    }
}

/// Reads the items of a file. What is wrong with one item costs only that; what is wrong with the structure of
/// the file ends it.
fn read_file(number: usize, text: &str, collection: &mut Collection, journal: &mut Journal<'_>) {
    let about = About { item: ItemType::File, name: "" };
    let documents = match yaml::read(number, text) {
        Ok(documents) => documents,
        Err(error) => {
            let remedy = "close every bracket and quote before it, and indent with blanks, not tabs";
            journal.note(Code::YamlParse, about, error.at, format!("no YAML: {}; {remedy}", error.message));
            return;
        }
    };
    for document in documents.iter().filter(|document| !document.is_null()) {
        let Some(items) = document.sequence() else {
            let scalar = document.scalar().is_some();
            let message = if scalar {
                "Rules content is not yaml"
            } else {
                "Rules content is not yaml array of objects"
            };
            journal.note(Code::YamlValidate, about, document.at, message);
            return;
        };
        for item in items.iter().filter(|item| !item.is_null()) {
            if item.mapping().is_none() {
                let message = "Unexpected element type. Each element should be a yaml associative array.";
                journal.note(Code::YamlValidate, about, item.at, message);
                return;
            }
            if !read_item(item, collection, journal) {
                return;
            }
        }
    }
}

/// Whether the rest of the file is to be read.
fn read_item(node: &Node, collection: &mut Collection, journal: &mut Journal<'_>) -> bool {
    match item::kind(node) {
        Some(ItemType::RequiredEngineVersion) => return item::check_engine(node, journal),
        Some(ItemType::RequiredPluginVersions) => item::check_plugins(node, journal),
        Some(ItemType::List) => {
            if let Some(list) = item::read_list(node, journal) {
                collection.add_list(list, journal);
            }
        }
        Some(ItemType::Macro) => {
            if let Some(fragment) = item::read_macro(node, journal) {
                collection.add_macro(fragment, journal);
            }
        }
        Some(ItemType::Rule) => {
            if let Some(rule) = item::read_rule(node, journal) {
                collection.add_rule(rule, journal);
            }
        }
        Some(ItemType::File | ItemType::Item) | None => unknown_item(node, node.at, journal),
    }
    true
}

fn unknown_item(node: &Node, at: Mark, journal: &mut Journal<'_>) {
    let first = node.mapping().and_then(|pairs| pairs.first()).and_then(|(key, _)| key.scalar());
    let message = format!("Unknown top level item '{}'", first.unwrap_or("?"));
    journal.note(Code::UnknownItem, About { item: ItemType::Item, name: "" }, at, message);
}

fn priority_name<S: Serializer>(priority: &Priority, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(priority.name())
}

fn severity_name<S: Serializer>(severity: &Severity, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(severity.name())
}
