//! What samples raise, against what they must.

use sentinel_event::Observation;
use sentinel_rules::language::RuleSet;
use sentinel_rules::language::eval::{Choice, Chosen, Engine, Matching, Memory, Selection};

use super::report::{Finding, Report, Sampled};
use super::sample::{Item, Sample};

/// An item and the file that it is from.
#[derive(Debug)]
pub(super) struct Origin {
    pub(super) file: String,
    pub(super) item: Item,
}

/// Every rule of a set, ready to judge.
#[derive(Debug)]
pub(super) struct Judge {
    engine: Engine,
}

impl Judge {
    /// Uses all rules, also those that are switched off: they are to work when they are switched on.
    pub(super) fn new(set: RuleSet) -> Self {
        let every = Choice { enable: true, rules: Chosen::Name("*".to_owned()) };
        let selection = Selection { matching: Matching::All, choices: vec![every], ..Selection::default() };
        Self { engine: Engine::new(set, &selection) }
    }

    /// Judges all samples. Findings: samples that raise something else than they say, and rules without a
    /// sample that fires or without one that stays silent.
    pub(super) fn report(&self, origins: &[Origin]) -> Report {
        let rules = self.engine.rules().iter();
        let mut report =
            Report::new(rules.map(|rule| Sampled::new(&rule.name, &rule.id, rule.enabled)).collect());
        for Origin { file, item } in origins {
            match item {
                Item::Sample(sample) => self.sample(file, sample, &mut report),
                Item::Unsampled(without) => {
                    let found = self.named(&without.unsampled);
                    if found.is_empty() {
                        report.unknown(file, &without.unsampled, &without.unsampled);
                    }
                    for place in found {
                        if let Some(rule) = report.rules.get_mut(place) {
                            rule.reason = Some(without.reason.clone());
                        }
                    }
                }
            }
        }
        report.cover();
        report
    }

    fn sample(&self, file: &str, sample: &Sample, report: &mut Report) {
        report.samples += 1;
        let about = |message: String| Finding::of_sample(file, &sample.sample, message);
        if sample.fires.is_empty() && sample.silent.is_empty() {
            report.findings.push(about("says neither what fires nor what stays silent".to_owned()));
        }
        let before: Result<Vec<_>, _> = sample.before.iter().map(|event| event.observation()).collect();
        let (before, observation) = match (before, sample.observation()) {
            (Ok(before), Ok(observation)) => (before, observation),
            (Err(message), _) | (_, Err(message)) => return report.findings.push(about(message)),
        };
        let fired = self.fired(&before, &observation);
        for (list, must) in [(&sample.fires, true), (&sample.silent, false)] {
            for name in list {
                let named = self.named(name);
                if named.is_empty() {
                    report.unknown(file, &sample.sample, name);
                    continue;
                }
                // An id that others share does not mean those of them that are switched off.
                let meant = |place: &usize| {
                    let rule = self.engine.rules().get(*place);
                    must || rule.is_some_and(|rule| rule.enabled || rule.name == *name)
                };
                let named: Vec<_> = named.into_iter().filter(meant).collect();
                let hits: Vec<_> = named.iter().copied().filter(|place| fired.contains(place)).collect();
                match (must, hits.is_empty()) {
                    (true, true) => report.findings.push(about(format!("{name:?} did not fire"))),
                    (false, false) => report.findings.push(about(format!("{name:?} fired"))),
                    (true, false) => hits.into_iter().for_each(|place| report.count(place, true)),
                    (false, true) => named.into_iter().for_each(|place| report.count(place, false)),
                }
            }
        }
        for place in fired {
            let Some(rule) = self.engine.rules().get(place) else { continue };
            let known = |name: &String| *name == rule.name || *name == rule.id;
            if rule.enabled && !sample.fires.iter().chain(&sample.silent).any(known) {
                report.findings.push(about(format!("{:?} fired, too", rule.name)));
            }
        }
    }

    /// The places of the rules that match the event, when these come before.
    fn fired(&self, before: &[Observation], observation: &Observation) -> Vec<usize> {
        let mut memory = Memory::default();
        before.iter().for_each(|event| self.engine.evaluate(event, &mut memory, &mut |_| {}));
        let mut fired = Vec::new();
        self.engine.evaluate(observation, &mut memory, &mut |alert| {
            fired.extend(self.named(&alert.rule.name).first());
        });
        fired
    }

    /// The places of the rules of this name, or else of this id.
    fn named(&self, name: &str) -> Vec<usize> {
        let rules = || self.engine.rules().iter().enumerate();
        match rules().find(|(_, rule)| rule.name == name) {
            Some((place, _)) => vec![place],
            None => rules().filter(|(_, rule)| rule.id == name).map(|(place, _)| place).collect(),
        }
    }
}
