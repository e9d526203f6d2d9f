//! Which calls a rule needs, and so what the kernel may leave out.

use std::collections::BTreeMap;

use sentinel_event::{CallInterest, Comms, Kind, Named, Outcome, Setting};
use serde::Serialize;

/// Of the calls of one kind, those that are needed. Absent: whoever, or whatever.
#[derive(Debug, PartialEq, Eq, Serialize)]
pub(super) struct Calls {
    /// How they may end.
    outcomes: Vec<&'static str>,
    /// `root`, `others`.
    users: Vec<&'static str>,
    /// `host`, `container`.
    places: Vec<&'static str>,
    /// What their process may be called.
    #[serde(skip_serializing_if = "Option::is_none")]
    comms: Option<Names>,
    /// A port that will do as well.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    ports: Vec<u16>,
}

#[derive(Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
enum Names {
    Only(Vec<String>),
    Except(Vec<String>),
}

/// By kind, those of which not every call is needed.
pub(super) fn narrowed(interest: &CallInterest) -> BTreeMap<&'static str, Calls> {
    let looked_at = interest.some().iter().filter(|kind| CallInterest::looks_at(*kind, Outcome::Failed));
    let each = looked_at.map(|kind| (kind.name(), Calls::of(interest, kind)));
    each.filter(|(_, calls)| !calls.is_every()).collect()
}

/// A line for each way to choose: `succeeded, not by root: connect, bind`.
pub(super) fn text(interest: &CallInterest) -> String {
    let mut lines: BTreeMap<String, Vec<&str>> = BTreeMap::new();
    for (kind, calls) in narrowed(interest) {
        lines.entry(calls.text()).or_default().push(kind);
    }
    let lines = lines.into_iter().map(|(calls, kinds)| format!("{calls}: {}", kinds.join(", ")));
    lines.collect::<Vec<_>>().join("\n")
}

impl Calls {
    fn of(interest: &CallInterest, kind: Kind) -> Self {
        let is_needed = |setting: &Setting| {
            !CallInterest::looks_at(kind, setting.outcome) || interest.kinds(*setting).contains(kind)
        };
        let needed: Vec<_> = Setting::all().filter(is_needed).collect();
        let some = |of: &dyn Fn(&Setting) -> bool| needed.iter().any(of);
        let outcomes = Outcome::ALL.into_iter().filter(|outcome| some(&|one| one.outcome == *outcome));
        let pair = |of: &dyn Fn(&Setting) -> bool, [yes, no]: [&'static str; 2]| {
            let yes = some(of).then_some(yes);
            yes.into_iter().chain(some(&|one| !of(one)).then_some(no)).collect()
        };
        // Starts of programs are told whatever the program is called.
        let named = interest.named(kind).filter(|_| kind != Kind::Exec);
        Self {
            outcomes: outcomes.map(Outcome::name).collect(),
            users: pair(&|one| one.root, ["root", "others"]),
            places: pair(&|one| !one.contained, ["host", "container"]),
            comms: named.map(names),
            ports: named.into_iter().flat_map(|named| named.ports.iter().copied()).collect(),
        }
    }

    fn is_every(&self) -> bool {
        self.outcomes.len() == Outcome::ALL.len()
            && self.users.len() == 2
            && self.places.len() == 2
            && self.comms.is_none()
    }

    fn text(&self) -> String {
        let mut parts = Vec::new();
        if self.outcomes.len() < Outcome::ALL.len() {
            parts.push(self.outcomes.join(" or "));
        }
        match self.users[..] {
            ["root"] => parts.push("by root".to_owned()),
            ["others"] => parts.push("not by root".to_owned()),
            _ => {}
        }
        match self.places[..] {
            ["host"] => parts.push("on the host".to_owned()),
            ["container"] => parts.push("in containers".to_owned()),
            _ => {}
        }
        let ports: Vec<_> = self.ports.iter().map(u16::to_string).collect();
        let ports = (!ports.is_empty()).then(|| format!("port {}", ports.join(" ")));
        let comms = match &self.comms {
            Some(Names::Only(names)) if names.is_empty() => None,
            Some(Names::Only(names)) => Some(format!("of {}", names.join(" "))),
            Some(Names::Except(names)) => Some(format!("not of {}", names.join(" "))),
            None => None,
        };
        let named: Vec<_> = comms.into_iter().chain(ports).collect();
        if !named.is_empty() {
            parts.push(named.join(" or "));
        }
        parts.join(", ")
    }
}

fn names(named: &Named) -> Names {
    let shown = |names: &std::collections::BTreeSet<sentinel_event::Comm>| {
        names
            .iter()
            .map(|name| if name.as_bstr().is_empty() { "\"\"".to_owned() } else { name.to_string() })
            .collect()
    };
    match &named.comms {
        Comms::Only(names) => Names::Only(shown(names)),
        Comms::Except(names) => Names::Except(shown(names)),
    }
}
