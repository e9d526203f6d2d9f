//! How calls may end that rules can match: the kernel need not tell of the others.

use sentinel_event::{Kind, Outcome, Outcomes};

use super::{
    conditions,
    known::{Known, NEVER, Truth, judge},
};
use crate::language::{
    Condition, Rule, Term, Test,
    eval::{Engine, compile::decided, fields, names, value::Scalar},
};

impl Engine {
    /// Which outcomes of which kinds some rule in use can match: an event with another one matches none, and may be
    /// left out by the kernel on the rules' account. Of kinds that rules do not look at nothing is in it.
    pub fn outcomes(&self) -> Outcomes {
        let mut outcomes = Outcomes::default();
        self.rules().iter().for_each(|rule| add(&mut outcomes, rule));
        outcomes
    }
}

/// Which outcomes of which kinds the rule can match.
pub fn outcomes(rule: &Rule) -> Outcomes {
    let mut outcomes = Outcomes::default();
    add(&mut outcomes, rule);
    outcomes
}

fn add(outcomes: &mut Outcomes, rule: &Rule) {
    let conditions = conditions(rule);
    for kind in Kind::ALL.iter().copied() {
        for outcome in Outcome::ALL {
            if outcomes.kinds(outcome).contains(kind) {
                continue;
            }
            let named = names::slots_of(kind).filter_map(|slot| names::call_names().get(slot).copied());
            let mut calls = named.filter(|call| rule.event_types.contains(call));
            let may = calls.any(|call| {
                let event = Ended { kind, call, outcome };
                conditions.iter().any(|parts| parts.iter().all(|part| event.truth(part).can_hold))
            });
            if may {
                outcomes.insert(kind, outcome);
            }
        }
    }
}

/// Events of a kind and a name that ended so.
#[derive(Clone, Copy)]
struct Ended<'a> {
    kind: Kind,
    call: &'a str,
    outcome: Outcome,
}

impl Ended<'_> {
    /// How the condition can come out. Parts are looked at one by one, so this may say too much, never too little.
    fn truth(self, condition: &Condition) -> Truth {
        match condition {
            Condition::Not(part) => self.truth(part).turned(),
            Condition::And(parts) => self.all(parts.iter().map(|part| self.truth(part))),
            Condition::Or(parts) => self.all(parts.iter().map(|part| self.truth(part).turned())).turned(),
            Condition::Test(test) => match decided(test, self.call) {
                Some(truth) => Truth { can_hold: truth, can_fail: !truth },
                None => self.test(test).unwrap_or(Truth { can_hold: true, can_fail: true }),
            },
        }
    }

    fn all(self, parts: impl Iterator<Item = Truth>) -> Truth {
        let start = Truth { can_hold: true, can_fail: false };
        parts.fold(start, |all, part| Truth {
            can_hold: all.can_hold && part.can_hold,
            can_fail: all.can_fail || part.can_fail,
        })
    }

    /// None when the outcome decides nothing.
    fn test(self, test: &Test) -> Option<Truth> {
        let Term::Field(field) = &test.left else { return None };
        if fields::find(field).is_none() {
            return Some(NEVER);
        }
        let (known, may_be_missing) = self.known(field.id.field().name)?;
        let mut truth = judge(test, known)?;
        truth.can_fail |= may_be_missing;
        Some(truth)
    }

    /// What a field can be worth, and whether it may be missing all the same.
    fn known(self, field: &str) -> Option<(Known, bool)> {
        let succeeded = self.outcome == Outcome::Succeeded;
        let truth = |truth: bool| Known::One(vec![Scalar::Bool(truth)]);
        let text = |text: &'static str| Known::One(vec![Scalar::Text(text.as_bytes())]);
        let makes_descriptor =
            matches!(self.kind, Kind::Socket | Kind::Accept | Kind::MemfdCreate | Kind::Bpf);
        if matches!(self.kind, Kind::Exit | Kind::Fork | Kind::Loss | Kind::FileOpen) {
            // They have no result, another one, or a plan of their own.
            return None;
        }
        Some(match (field, self.outcome) {
            ("evt.failed", _) => (truth(!succeeded), false),
            ("evt.rawres", Outcome::Succeeded) => (Known::Natural, false),
            ("evt.rawres", Outcome::UnderWay) => {
                (Known::One(vec![Scalar::Signed(-i64::from(libc::EINPROGRESS))]), false)
            }
            ("evt.rawres", Outcome::Failed) => (Known::Negative, false),
            ("evt.res", Outcome::Succeeded) => (text("SUCCESS"), false),
            ("evt.res", Outcome::UnderWay) => (text("EINPROGRESS"), false),
            ("evt.res", Outcome::Failed) => (Known::NoneOf(&[b"SUCCESS", b"EINPROGRESS"]), false),
            ("fd.num", _) if makes_descriptor && succeeded => (Known::Natural, false),
            ("fd.num", _) if makes_descriptor => (Known::One(vec![Scalar::Signed(-1)]), false),
            ("fd.type", _) if makes_descriptor && !succeeded => (Known::Missing, true),
            ("fd.connected", _) if matches!(self.kind, Kind::Connect | Kind::Accept) => {
                (truth(succeeded), true)
            }
            ("fd.name_changed", outcome) if matches!(self.kind, Kind::Connect | Kind::Bind) => {
                (truth(outcome != Outcome::Failed), true)
            }
            _ => return None,
        })
    }
}
