//! Configuration and rules, read as the agent reads them.

use std::path::Path;

use sentinel_agent::{Config, DEFAULT_PATH, ForwardRules, Rules, check_detection};
use sentinel_event::KindSet;

use super::{Check, Section};
use crate::args::Doctor;

/// What the agent would be told.
pub(super) struct Wanted {
    pub(super) config: Config,
    /// What it would capture.
    pub(super) kinds: KindSet,
}

/// Reads all files. What is wrong with one is a failed check; defaults take its place.
pub(super) fn checks(args: &Doctor) -> (Wanted, Vec<Check>) {
    let (mut config, first) = configuration(args.config.as_deref());
    if !args.rules.is_empty() {
        config.detection.rules = args.rules.iter().map(|path| path.display().to_string()).collect();
    }
    let path = args.forward.as_deref().unwrap_or(&config.rules_file);
    let may_miss = args.forward.is_none() && config.rules_file_is_default();
    let (forward, second) = rules(path, may_miss);
    let (kinds, third) = detection(&config, &forward);
    (Wanted { config, kinds }, vec![first, second, third])
}

fn configuration(path: Option<&Path>) -> (Config, Check) {
    let found = |available, detail| check("agent configuration", available, detail);
    let file = path.unwrap_or(Path::new(DEFAULT_PATH));
    let missing = if path.is_none() && !file.exists() { "not there, so the defaults apply" } else { "valid" };
    match Config::load(path) {
        Ok(config) => (config, found(true, format!("{}: {missing}", file.display()))),
        Err(error) => (Config::default(), found(false, error.to_string())),
    }
}

fn rules(path: &Path, may_miss: bool) -> (ForwardRules, Check) {
    let found = |available, detail| check("forward rules", available, detail);
    let missing = if may_miss && !path.exists() { "not there, so the default rules apply" } else { "valid" };
    match (Rules::File { path: path.to_owned(), required: !may_miss }).load() {
        Ok(rules) => (rules, found(true, format!("{}: {missing}", path.display()))),
        Err(error) => (ForwardRules::every_kind(), found(false, error.to_string())),
    }
}

fn detection(config: &Config, forward: &ForwardRules) -> (KindSet, Check) {
    let found = |available, detail| check("detection rules", available, detail);
    match check_detection(config, forward) {
        Ok(detected) => {
            let (from, rules) = (config.detection.rules.join(", "), detected.rules);
            (detected.captured, found(true, format!("valid: {rules} in use, from {from}")))
        }
        Err(error) => (KindSet::all(), found(false, error.to_string())),
    }
}

fn check(name: &str, available: bool, detail: String) -> Check {
    Check {
        section: Section::Configuration,
        name: name.to_owned(),
        available,
        required: true,
        detail,
        remedy: "correct the file where the message points, then run sentinel doctor again".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn looked(config: Option<&str>, rules: Option<&str>) -> Vec<(bool, String)> {
        let dir = tempfile::tempdir().unwrap();
        let file = |name: &str, text: Option<&str>| {
            let path = dir.path().join(name);
            if let Some(text) = text {
                std::fs::write(&path, text).unwrap();
            }
            Some(path)
        };
        let args = Doctor {
            attached: false,
            config: file("config.yaml", config),
            forward: file("rules.yaml", rules),
            rules: Vec::new(),
            format: crate::args::ReportFormat::Text,
        };
        checks(&args).1.into_iter().map(|check| (check.available, check.detail)).collect()
    }

    #[test]
    fn files_are_judged_as_the_agent_judges_them() {
        let good = looked(Some("logLevel: debug\n"), Some("rules: []\n"));
        assert!(good.iter().all(|(available, detail)| *available && detail.contains("valid")), "{good:?}");
        let wrong = looked(Some("logLevl: debug\n"), Some("rules: [{name: a, event: exce}]\n"));
        assert!(!wrong[0].0 && wrong[0].1.contains("logLevel"), "{wrong:?}");
        assert!(!wrong[1].0 && wrong[1].1.contains("exec"), "{wrong:?}");
        let missing = looked(None, None);
        assert!(missing.iter().take(2).all(|(available, _)| !available), "{missing:?}");
        assert!(missing[2].0 && missing[2].1.contains("builtin"), "{missing:?}");
    }
}
