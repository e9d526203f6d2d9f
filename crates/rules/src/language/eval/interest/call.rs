//! Which calls rules can match, by how they ended, who made them and where: the kernel need not tell of the others.

use sentinel_event::{CallInterest, Kind, Named, Outcome, Setting};

use super::{
    conditions,
    known::{Known, NEVER, Truth, judge},
    named,
};
use crate::language::{
    Condition, Rule, Term, Test,
    eval::{Engine, compile::decided, fields, names, value::Scalar},
};

impl Engine {
    /// Which calls some rule in use can match: a call that is not in it matches none, and may be left out by the
    /// kernel on the rules' account. Of kinds that rules do not look at nothing is in it.
    pub fn calls(&self) -> CallInterest {
        let mut interest = CallInterest::default();
        self.rules().iter().for_each(|rule| add(&mut interest, rule));
        interest
    }
}

/// Which calls the rule can match.
pub fn calls(rule: &Rule) -> CallInterest {
    let mut interest = CallInterest::default();
    add(&mut interest, rule);
    interest
}

fn add(interest: &mut CallInterest, rule: &Rule) {
    let conditions = conditions(rule);
    // Where no test is decided by the name of the call, one name is as good as another.
    let enough = if names_decide(&conditions) { usize::MAX } else { 1 };
    for kind in Kind::ALL.iter().copied() {
        let named = names::slots_of(kind).filter_map(|slot| names::call_names().get(slot).copied());
        for call in named.filter(|call| rule.event_types.contains(call)).take(enough) {
            for parts in &conditions {
                let mut by: Option<Named> = None;
                for setting in Setting::all() {
                    if interest.has_all(kind, setting) {
                        continue;
                    }
                    let made = Made { kind, call, setting };
                    if parts.iter().all(|part| made.truth(part).can_hold) {
                        let by = by.get_or_insert_with(|| named::all_of(parts, call));
                        interest.insert(kind, setting, by.clone());
                    }
                }
            }
        }
    }
}

fn names_decide(conditions: &[Vec<&Condition>]) -> bool {
    let mut some = false;
    for condition in conditions.iter().flatten() {
        condition.tests(&mut |test| {
            some |= matches!(&test.left, Term::Field(field) if field.id.field().name == "evt.type");
        });
    }
    some
}

/// Calls of a kind and a name that were made so.
#[derive(Clone, Copy)]
struct Made<'a> {
    kind: Kind,
    call: &'a str,
    setting: Setting,
}

impl Made<'_> {
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

    /// None when the setting decides nothing.
    fn test(self, test: &Test) -> Option<Truth> {
        let Term::Field(field) = &test.left else { return None };
        if fields::find(field).is_none() {
            return Some(NEVER);
        }
        let name = field.id.field().name;
        let (known, may_be_missing) = self.around(name).or_else(|| self.ended(name))?;
        let mut truth = judge(test, known)?;
        truth.can_fail |= may_be_missing;
        Some(truth)
    }

    /// What a field can be worth by who made the call and where, and whether it may be missing all the same.
    fn around(self, field: &str) -> Option<(Known, bool)> {
        let Setting { root, contained, .. } = self.setting;
        let host = || Known::One(vec![Scalar::Text(b"host")]);
        match field {
            // The header of these has the user of before.
            "user.uid" if matches!(self.kind, Kind::Setuid | Kind::Capset) => None,
            "user.uid" if root => Some((Known::One(vec![Scalar::Unsigned(0)]), false)),
            "user.uid" => Some((Known::Between(1, i64::MAX), true)),
            "container.id" | "container.full_id" if contained => Some((Known::NoneOf(&[b"host"]), false)),
            "container.id" | "container.full_id" => Some((host(), false)),
            _ => None,
        }
    }

    /// The same by how it ended.
    fn ended(self, field: &str) -> Option<(Known, bool)> {
        let outcome = self.setting.outcome;
        let succeeded = outcome == Outcome::Succeeded;
        let truth = |truth: bool| Known::One(vec![Scalar::Bool(truth)]);
        let text = |text: &'static str| Known::One(vec![Scalar::Text(text.as_bytes())]);
        let makes_descriptor =
            matches!(self.kind, Kind::Socket | Kind::Accept | Kind::MemfdCreate | Kind::Bpf);
        if matches!(self.kind, Kind::Exit | Kind::Fork | Kind::Loss | Kind::FileOpen) {
            // They have no result, another one, or a plan of their own.
            return None;
        }
        Some(match (field, outcome) {
            ("evt.failed", _) => (truth(!succeeded), false),
            ("evt.rawres", Outcome::Succeeded) => (Known::Between(0, i64::MAX), false),
            ("evt.rawres", Outcome::UnderWay) => {
                (Known::One(vec![Scalar::Signed(-i64::from(libc::EINPROGRESS))]), false)
            }
            ("evt.rawres", Outcome::Failed) => (Known::Between(i64::MIN, -1), false),
            ("evt.res", Outcome::Succeeded) => (text("SUCCESS"), false),
            ("evt.res", Outcome::UnderWay) => (text("EINPROGRESS"), false),
            ("evt.res", Outcome::Failed) => (Known::NoneOf(&[b"SUCCESS", b"EINPROGRESS"]), false),
            ("fd.num", _) if makes_descriptor && succeeded => (Known::Between(0, i64::MAX), false),
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
