//! Rules: condition, exceptions, output.

use super::{Compiler, Fault, Macro};
use crate::language::{
    check::{Problem, Remark},
    condition::Condition,
    diagnostic::{Code, ItemType},
    evttypes::EventSet,
    journal::About,
    merge::RawRule,
    output,
    ruleset::Rule,
    source::Source,
    yaml::Mark,
};

/// More types of events than this in one rule are too many to be meant.
const EVTTYPES_MAX: usize = 100;

/// Compiles every rule that is to be used. Rules that were refused have been reported.
pub(in crate::language) fn compile_rules(compiler: &mut Compiler<'_, '_, '_>) -> Vec<Rule> {
    let rules = &compiler.collection.rules.values;
    rules.iter().filter(|rule| !rule.dropped).filter_map(|rule| compiler.rule(rule)).collect()
}

impl Compiler<'_, '_, '_> {
    fn rule(&mut self, raw: &RawRule) -> Option<Rule> {
        let about = About { item: ItemType::Rule, name: &raw.name };
        let mut remarks = Vec::new();
        let main = self.condition(&raw.condition, &mut remarks);
        self.tell(raw, &raw.condition, remarks);
        let main = match main {
            Ok(condition) => condition,
            Err(fault) => {
                let at = |offset, compiler: &Self| raw.condition.locate(offset, &compiler.journal.files);
                self.fail(raw, fault, at);
                return None;
            }
        };
        let condition = self.with_exceptions(raw, main)?;

        let mut remarks = Vec::new();
        let template = output::parse(raw.output.text(), &mut remarks);
        self.tell(raw, &raw.output, remarks);
        let output = match template {
            Ok(template) => template,
            Err(problem) => {
                let at = |offset, compiler: &Self| raw.output.locate(offset, &compiler.journal.files);
                self.fail(raw, Fault::Own(Code::ErrCompileOutput, problem), at);
                return None;
            }
        };

        let (threshold, sequence) = (self.threshold(raw)?, self.sequence(raw)?);
        let mut event_types = condition.event_types();
        if let Some(sequence) = &sequence {
            let steps = sequence.steps.iter().map(|step| step.condition.event_types());
            event_types = event_types.intersection(steps.fold(EventSet::NONE, EventSet::union));
        }
        if raw.warn_evttypes && event_types.len() > EVTTYPES_MAX {
            let message =
                "Rule matches too many evt.type values. This has a significant performance penalty.";
            self.journal.note(Code::NoEvtType, about, raw.at, message);
        }
        let file = self.journal.files.name(raw.at).to_owned();
        Some(Rule { threshold, sequence, ..Rule::new(raw, file, condition, output, event_types) })
    }

    pub(super) fn tell(&mut self, raw: &RawRule, source: &Source, remarks: Vec<Remark>) {
        for remark in remarks {
            let at = source.locate(remark.offset, &self.journal.files);
            self.journal.note(
                remark.code,
                About { item: ItemType::Rule, name: &raw.name },
                at,
                remark.message,
            );
        }
    }

    pub(super) fn condition(
        &mut self,
        source: &Source,
        remarks: &mut Vec<Remark>,
    ) -> Result<Condition, Fault> {
        let expr = self.read(source.text())?;
        Ok(self.build(&expr, None, remarks)?.condition)
    }

    /// `(condition) and not exception …`. None when an exception was refused.
    fn with_exceptions(&mut self, raw: &RawRule, main: Condition) -> Option<Condition> {
        let mut parts = vec![main];
        for exception in &raw.exceptions {
            let Some(text) = exception.condition() else { continue };
            let mut remarks = Vec::new();
            let expr = self.read(&text);
            let built = expr.and_then(|expr| self.build(&expr, None, &mut remarks));
            match built {
                Ok(built) => parts.push(built.condition.negated()),
                Err(Fault::Own(code, problem)) => {
                    let message = format!("exception '{}': {}", exception.name, problem.message);
                    let at = exception.at;
                    self.fail(raw, Fault::Own(code, Problem { message, ..problem }), |_, _| at);
                    return None;
                }
                Err(fault) => {
                    self.fail(raw, fault, |_, _| exception.at);
                    return None;
                }
            }
        }
        match (parts.pop(), parts.is_empty()) {
            (Some(only), true) => Some(only),
            (Some(last), false) => {
                parts.push(last);
                Some(Condition::And(parts))
            }
            (None, _) => None,
        }
    }

    /// Reports why a rule is not usable, or that it was dropped as its author allowed.
    pub(super) fn fail(&mut self, raw: &RawRule, fault: Fault, locate: impl Fn(usize, &Self) -> Mark) {
        let about = About { item: ItemType::Rule, name: &raw.name };
        match fault {
            Fault::Own(_, problem) if problem.unknown && raw.skip_if_unknown => {
                let at = locate(problem.offset, self);
                self.journal.note(Code::UnknownFilter, about, at, problem.message);
            }
            Fault::Own(code, problem) => {
                let at = locate(problem.offset, self);
                self.journal.note(code, about, at, problem.message);
            }
            Fault::Macro(index) => self.fail_by_macro(raw, index),
        }
    }

    fn fail_by_macro(&mut self, raw: &RawRule, index: usize) {
        let Some(Macro::Unusable { origin, problem }) = self.macros.get(index) else { return };
        let Some(known) = self.collection.macros.values.get(*origin) else { return };
        let at = known.body.locate(problem.offset, &self.journal.files);
        if problem.unknown && raw.skip_if_unknown {
            let message = format!("in macro '{}': {}", known.name, problem.message);
            self.journal.note(
                Code::UnknownFilter,
                About { item: ItemType::Rule, name: &raw.name },
                at,
                message,
            );
        } else if self.reported.insert(*origin) {
            let message = format!("{} (used by rule '{}')", problem.message, raw.name);
            let about = About { item: ItemType::Macro, name: &known.name };
            self.journal.note(Code::ErrCompileCondition, about, at, message);
        }
    }
}

impl Rule {
    fn new(
        raw: &RawRule,
        file: String,
        condition: Condition,
        output: output::Template,
        event_types: EventSet,
    ) -> Self {
        let (severity, risk_score) = raw.priority.defaults();
        Self {
            id: raw.id.clone().unwrap_or_else(|| slug(&raw.name)),
            name: raw.name.clone(),
            desc: raw.desc.clone(),
            priority: raw.priority,
            severity: raw.severity.unwrap_or(severity),
            risk_score: raw.risk_score.unwrap_or(risk_score),
            recommendation: raw.recommendation.clone(),
            source: raw.source.clone(),
            tags: raw.tags.clone(),
            enabled: raw.enabled,
            capture: raw.capture,
            capture_duration_ms: raw.capture_duration_ms,
            event_types,
            file,
            line: raw.at.line,
            column: raw.at.column,
            condition,
            output,
            extras: Vec::new(),
            threshold: None,
            sequence: None,
        }
    }
}

/// A name as an id: small letters and digits, everything else one underscore.
fn slug(name: &str) -> String {
    let mut slug = String::with_capacity(name.len());
    for letter in name.chars() {
        if letter.is_alphanumeric() {
            slug.extend(letter.to_lowercase());
        } else if !slug.is_empty() && !slug.ends_with('_') {
            slug.push('_');
        }
    }
    slug.truncate(slug.trim_end_matches('_').len());
    slug
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_names_made_plain() {
        assert_eq!(slug("Terminal shell in container"), "terminal_shell_in_container");
        assert_eq!(slug(" (A)  b/C! "), "a_b_c");
        assert_eq!(slug("!"), "");
    }
}
