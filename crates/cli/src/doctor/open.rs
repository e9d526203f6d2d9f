//! What others can reach or read, by the configuration of each service on this host.

use std::path::Path;

use sentinel_agent::Config;

use super::{Check, Section};

/// A check for everything that is open; one that says so when nothing is.
pub(super) fn checks(agent: &Config) -> Vec<Check> {
    // Without a file defaults apply, and they open nothing.
    let there = |path: &str| Path::new(path).exists();
    let detector = there(sentinel_detector::DEFAULT_PATH).then(|| {
        let config = sentinel_detector::Config::load(None);
        config.map_or_else(|error| vec![error.to_string()], |config| config.warnings())
    });
    let dashboard = there(sentinel_dashboard::DEFAULT_PATH).then(|| {
        let config = sentinel_dashboard::Config::load(None);
        config.map_or_else(|error| vec![error.to_string()], |config| config.warnings())
    });
    judged([("agent", Some(agent.warnings())), ("detector", detector), ("dashboard", dashboard)])
}

fn judged<const N: usize>(services: [(&str, Option<Vec<String>>); N]) -> Vec<Check> {
    let told = services.into_iter().flat_map(|(service, warnings)| {
        warnings.unwrap_or_default().into_iter().map(move |warning| format!("{service}: {warning}"))
    });
    let check = |available, detail| Check {
        section: Section::Configuration,
        name: "open to others".to_owned(),
        available,
        required: false,
        detail,
        remedy: "leave it when a firewall or the network keeps others away".to_owned(),
    };
    let found: Vec<Check> = told.map(|warning| check(false, warning)).collect();
    if found.is_empty() {
        return vec![check(
            true,
            "nothing is reached from other hosts or sent to them in the clear".to_owned(),
        )];
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_warning_is_a_finding_that_keeps_nobody_from_working() {
        let quiet = judged([("agent", Some(Vec::new())), ("detector", None)]);
        assert!(quiet.len() == 1 && quiet[0].available, "{quiet:?}");
        let two = vec!["http.address is 0.0.0.0: …".to_owned(), "grpc.address is ::: …".to_owned()];
        let found = judged([("agent", Some(Vec::new())), ("detector", Some(two))]);
        assert_eq!(found.len(), 2);
        assert!(found.iter().all(|check| !check.available && !check.required), "{found:?}");
        assert_eq!(found[0].detail, "detector: http.address is 0.0.0.0: …");
    }
}
