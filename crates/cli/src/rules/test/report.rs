//! What a test run says.

use std::fmt::Write as _;

use serde::Serialize;

use crate::rules::{count, shown};

const RED: &str = "\x1b[31m";
const PLAIN: &str = "\x1b[0m";

/// The outcome of a test run.
#[derive(Debug, Serialize)]
pub(super) struct Report {
    /// Nothing was found.
    pub(super) ok: bool,
    /// Samples that were judged.
    pub(super) samples: usize,
    /// What did not come as it should.
    pub(super) findings: Vec<Finding>,
    /// Every rule, in the order of definition.
    pub(super) rules: Vec<Sampled>,
}

/// Something that did not come as it should.
#[derive(Debug, Serialize)]
pub(super) struct Finding {
    /// The file of the sample.
    #[serde(skip_serializing_if = "Option::is_none")]
    file: Option<String>,
    /// The sample.
    #[serde(skip_serializing_if = "Option::is_none")]
    sample: Option<String>,
    /// The rule that lacks samples.
    #[serde(skip_serializing_if = "Option::is_none")]
    rule: Option<String>,
    message: String,
}

/// How often a rule was shown to work.
#[derive(Debug, Serialize)]
pub(super) struct Sampled {
    name: String,
    id: String,
    enabled: bool,
    /// Samples that it fired for, as they said.
    fires: usize,
    /// Samples that it stayed silent for, as they said.
    silent: usize,
    /// Why it has no samples.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) reason: Option<String>,
}

impl Sampled {
    pub(super) fn new(name: &str, id: &str, enabled: bool) -> Self {
        Self { name: name.to_owned(), id: id.to_owned(), enabled, fires: 0, silent: 0, reason: None }
    }
}

impl Finding {
    pub(super) fn of_sample(file: &str, sample: &str, message: String) -> Self {
        Self { file: Some(file.to_owned()), sample: Some(sample.to_owned()), rule: None, message }
    }
}

impl Report {
    pub(super) fn new(rules: Vec<Sampled>) -> Self {
        Self { ok: true, samples: 0, findings: Vec::new(), rules }
    }

    /// A sample did with a rule what it said.
    pub(super) fn count(&mut self, place: usize, fired: bool) {
        if let Some(rule) = self.rules.get_mut(place) {
            *(if fired { &mut rule.fires } else { &mut rule.silent }) += 1;
        }
    }

    /// A sample names a rule that is not there.
    pub(super) fn unknown(&mut self, file: &str, sample: &str, name: &str) {
        let names = self.rules.iter().flat_map(|rule| [rule.name.as_str(), rule.id.as_str()]);
        let near = sentinel_rules::nearest::nearest(name, names);
        let hint = near.map(|near| format!("; did you mean {near:?}?")).unwrap_or_default();
        self.findings.push(Finding::of_sample(file, sample, format!("no rule is called {name:?}{hint}")));
    }

    /// Finds rules that no sample shows at work, and draws the sum.
    pub(super) fn cover(&mut self) {
        for rule in self.rules.iter().filter(|rule| rule.reason.is_none()) {
            let lacks = match (rule.fires, rule.silent) {
                (0, 0) => "no samples",
                (0, _) => "no sample that fires",
                (_, 0) => "no sample that stays silent",
                _ => continue,
            };
            let (rule, message) = (Some(rule.name.clone()), lacks.to_owned());
            self.findings.push(Finding { file: None, sample: None, rule, message });
        }
        self.ok = self.findings.is_empty();
    }

    /// The report for people.
    pub(super) fn text(&self, color: bool) -> String {
        let mut text = String::new();
        let (red, plain) = if color { (RED, PLAIN) } else { ("", "") };
        for Finding { file, sample, rule, message } in &self.findings {
            let file = file.as_deref().map(|file| format!("{}: ", file.escape_debug())).unwrap_or_default();
            let about = match (sample, rule) {
                (Some(sample), _) => format!("sample {sample:?}"),
                (None, Some(rule)) => format!("rule {rule:?}"),
                (None, None) => String::new(),
            };
            let _ = writeln!(text, "{file}{about}: {red}{}{plain}", shown(message).replace('\n', " "));
        }
        let verdict = if self.ok { "ok" } else { "failed" };
        let (rules, samples) = (count(self.rules.len(), "rule"), count(self.samples, "sample"));
        let _ = writeln!(text, "{verdict}: {rules}, {samples}, {}", count(self.findings.len(), "finding"));
        for rule in &self.rules {
            if let Some(reason) = &rule.reason {
                let _ =
                    writeln!(text, "without samples: {:?}: {}", rule.name, shown(reason).replace('\n', " "));
            }
        }
        text
    }
}
