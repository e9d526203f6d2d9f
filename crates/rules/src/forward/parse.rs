//! YAML to rules, with errors that name the key.

use std::collections::HashSet;

use sentinel_event::{Comm, Kind};
use serde_yaml::{Mapping, Value};

use super::{ForwardError, ForwardRules, Rule};
use crate::nearest::suggestion;

const TOP_KEYS: &[&str] = &["rules"];
const RULE_KEYS: &[&str] = &["name", "enabled", "event", "match"];
const MATCH_KEYS: &[&str] = &["pathPrefixes", "comms"];

pub(super) fn parse(file: &str, text: &str) -> Result<ForwardRules, ForwardError> {
    let value: Value = serde_yaml::from_str(text)
        .map_err(|error| ForwardError::Syntax { file: file.to_owned(), message: error.to_string() })?;
    if value.is_null() {
        return Ok(ForwardRules::default());
    }
    rules(&value).map_err(|(at, problem)| ForwardError::Invalid { file: file.to_owned(), at, problem })
}

/// Key and problem.
type Problem = (String, String);

fn rules(value: &Value) -> Result<ForwardRules, Problem> {
    let top = mapping("top level", value, TOP_KEYS)?;
    let Some(list) = top.get("rules") else { return Ok(ForwardRules::default()) };
    let Value::Sequence(list) = list else {
        return Err(problem(
            "rules",
            format!("expected a list of rules, found {}; `[]` forwards nothing", shown(list)),
        ));
    };
    let mut names = HashSet::new();
    let mut rules = Vec::new();
    for (index, value) in list.iter().enumerate() {
        let at = format!("rules[{index}]");
        let keys = mapping(&at, value, RULE_KEYS)?;
        let name = match keys.get("name") {
            Some(Value::String(name)) if !name.is_empty() => name.as_str(),
            Some(other) => {
                return Err(problem(
                    &format!("{at}.name"),
                    format!("expected a name, found {}", shown(other)),
                ));
            }
            None => {
                return Err(problem(
                    &format!("{at}.name"),
                    "missing; give the rule a name of its own".into(),
                ));
            }
        };
        if !names.insert(name) {
            return Err(problem(
                &format!("{at}.name"),
                format!("{name:?} is already the name of another rule"),
            ));
        }
        let enabled = match keys.get("enabled") {
            None => true,
            Some(Value::Bool(enabled)) => *enabled,
            Some(other) => {
                return Err(problem(
                    &format!("{at}.enabled"),
                    format!("expected true or false, found {}", shown(other)),
                ));
            }
        };
        let rule = rule(&at, keys)?;
        if enabled {
            rules.push(rule);
        }
    }
    Ok(ForwardRules::new(rules))
}

fn rule(at: &str, keys: &Mapping) -> Result<Rule, Problem> {
    let key = format!("{at}.event");
    let kind = match keys.get("event") {
        Some(Value::String(name)) => name.parse::<Kind>().map_err(|_| {
            let known = || Kind::ALL.iter().map(|kind| kind.name());
            let hint = suggestion(name, known());
            let hint = if hint.is_empty() {
                format!("; kinds are {}", known().collect::<Vec<_>>().join(", "))
            } else {
                hint
            };
            problem(&key, format!("{name:?} is no event kind{hint}"))
        })?,
        Some(other) => return Err(problem(&key, format!("expected an event kind, found {}", shown(other)))),
        None => return Err(problem(&key, "missing; name an event kind, e.g. file_read".into())),
    };
    let (mut prefixes, mut comms) = (Vec::new(), Vec::new());
    match keys.get("match") {
        None | Some(Value::Null) => {}
        Some(value) => {
            let at = format!("{at}.match");
            let keys = mapping(&at, value, MATCH_KEYS)?;
            prefixes = strings(&format!("{at}.pathPrefixes"), keys.get("pathPrefixes"))?;
            comms = strings(&format!("{at}.comms"), keys.get("comms"))?;
        }
    }
    Ok(Rule {
        kind,
        prefixes: prefixes.into_iter().map(|prefix| prefix.as_bytes().to_vec()).collect(),
        comms: comms.into_iter().map(Comm::from).collect(),
    })
}

/// A list of strings that are not empty; absent is the empty list.
fn strings<'a>(at: &str, value: Option<&'a Value>) -> Result<Vec<&'a str>, Problem> {
    let list = match value {
        None | Some(Value::Null) => return Ok(Vec::new()),
        Some(Value::Sequence(list)) => list,
        Some(other) => {
            return Err(problem(
                at,
                format!("expected a list, found {}; write [{}]", shown(other), shown(other)),
            ));
        }
    };
    list.iter()
        .enumerate()
        .map(|(index, value)| match value {
            Value::String(text) if !text.is_empty() => Ok(text.as_str()),
            other => {
                Err(problem(&format!("{at}[{index}]"), format!("expected some text, found {}", shown(other))))
            }
        })
        .collect()
}

/// A mapping that has only these keys.
fn mapping<'a>(at: &str, value: &'a Value, known: &[&str]) -> Result<&'a Mapping, Problem> {
    let Value::Mapping(mapping) = value else {
        return Err(problem(at, format!("expected keys ({}), found {}", known.join(", "), shown(value))));
    };
    for key in mapping.keys() {
        let name = key.as_str().map_or_else(|| shown(key), str::to_owned);
        if name == "condition" && known == RULE_KEYS {
            let remedy =
                "conditions come with the rule engine in a later version; until then use `event` and `match`";
            return Err(problem(&format!("{at}.condition"), remedy.into()));
        }
        if !known.contains(&name.as_str()) {
            let hint = suggestion(&name, known.iter().copied());
            return Err(problem(at, format!("unknown key {name:?}{hint} (known: {})", known.join(", "))));
        }
    }
    Ok(mapping)
}

fn problem(at: &str, problem: String) -> Problem {
    (at.to_owned(), problem)
}

/// A value as an error shows it: short, on one line.
fn shown(value: &Value) -> String {
    match value {
        Value::Null => "nothing".into(),
        Value::Bool(truth) => truth.to_string(),
        Value::Number(number) => number.to_string(),
        Value::String(text) => {
            let start: String = text.chars().take(40).collect();
            format!("{start:?}{}", if start.len() < text.len() { "…" } else { "" })
        }
        Value::Sequence(_) => "a list".into(),
        Value::Mapping(_) => "a mapping".into(),
        Value::Tagged(_) => "a tagged value".into(),
    }
}
