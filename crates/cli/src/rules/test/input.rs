//! Files of rules and of samples, told apart by what is in them.

use std::fs::File;
use std::io::BufReader;
use std::path::Path;

use sentinel_rules::language::LoadReport;
use sentinel_wire::evt1::{Item as Logged, Reader};
use serde::de::DeserializeOwned;

use super::sample::{Item, Sample};
use crate::rules::files;

/// What a file holds.
#[derive(Debug)]
pub(super) enum Input {
    /// Rules, to be loaded.
    Rules(String),
    /// Samples.
    Samples(Vec<Item>),
}

/// Reads a file, or says what is wrong with it.
pub(super) fn read(path: &Path) -> Result<Input, LoadReport> {
    let wrong = |message| LoadReport::unreadable(&path.display().to_string(), message);
    if is_log(path).map_err(wrong)? {
        return log(path).map(Input::Samples).map_err(wrong);
    }
    files::read(path).and_then(|text| of_text(text).map_err(wrong))
}

fn of_text(text: String) -> Result<Input, String> {
    if text.trim_start().starts_with('{') {
        return lines(&text).map(Input::Samples);
    }
    match holds_samples(&text) {
        true => from_yaml(&text).map(Input::Samples),
        false => Ok(Input::Rules(text)),
    }
}

/// Whether the file is a log of EVT1 records, compressed or not.
fn is_log(path: &Path) -> Result<bool, String> {
    use std::io::Read as _;
    let mut first = Vec::new();
    let read = File::open(path).and_then(|file| file.take(4).read_to_end(&mut first));
    read.map_err(|error| format!("the file cannot be read: {error}"))?;
    Ok(first == b"EVT1" || first.starts_with(&[0x1f, 0x8b]))
}

/// The samples of a log: its records' objects, with the keys of samples in them.
fn log(path: &Path) -> Result<Vec<Item>, String> {
    let broken = |error: std::io::Error| format!("the log cannot be read: {error}");
    let file = File::open(path).map_err(broken)?;
    let mut reader = Reader::new(BufReader::new(file)).map_err(broken)?;
    let mut items = Vec::new();
    while let Some(item) = reader.next_payload().map_err(broken)? {
        match item {
            Logged::Record(payload) => {
                let sample: Sample = serde_json::from_slice(payload)
                    .map_err(|error| format!("record {}: {error}", items.len() + 1))?;
                items.push(Item::Sample(Box::new(sample)));
            }
            Logged::Damage(damage) => return Err(format!("record {}: {damage}", items.len() + 1)),
        }
    }
    Ok(items)
}

/// An object a line.
fn lines(text: &str) -> Result<Vec<Item>, String> {
    let filled = text.lines().enumerate().filter(|(_, line)| !line.trim().is_empty());
    let read = |(at, line): (usize, &str)| {
        let sample: Sample =
            serde_json::from_str(line).map_err(|error| format!("line {}: {error}", at + 1))?;
        Ok(Item::Sample(Box::new(sample)))
    };
    filled.map(read).collect()
}

/// Whether a YAML file holds samples: its first item says so.
fn holds_samples(text: &str) -> bool {
    let first = text.lines().find_map(|line| line.strip_prefix("- "));
    first.is_some_and(|item| item.starts_with("sample:") || item.starts_with("unsampled:"))
}

fn from_yaml(text: &str) -> Result<Vec<Item>, String> {
    let items: Vec<serde_yaml::Value> = serde_yaml::from_str(text).map_err(|error| error.to_string())?;
    let read = |(at, item): (usize, serde_yaml::Value)| {
        let name = item.get("sample").or(item.get("unsampled")).and_then(|name| name.as_str());
        let name = name.map_or_else(|| format!("item {}", at + 1), |name| format!("{name:?}"));
        let problem = |error: serde_yaml::Error| format!("{name}: {error}");
        // Read as what it is, for errors that say more than that it is neither.
        match item.get("unsampled").is_some() {
            true => typed(item).map(Item::Unsampled).map_err(problem),
            false => typed(item).map(|sample| Item::Sample(Box::new(sample))).map_err(problem),
        }
    };
    items.into_iter().enumerate().map(read).collect()
}

fn typed<T: DeserializeOwned>(item: serde_yaml::Value) -> Result<T, serde_yaml::Error> {
    serde_yaml::from_value(item)
}
