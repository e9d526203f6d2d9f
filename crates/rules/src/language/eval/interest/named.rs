//! By which names of processes and which ports conditions can hold.

use std::collections::BTreeSet;

use sentinel_event::{Comm, Comms, Named};

use crate::language::{
    Argument, Comparand, Condition, Literal, Modifier, Operator, Term, Test,
    eval::{compile::decided, fields},
};

/// By what all these conditions together can hold on a call of this name.
pub(super) fn all_of(parts: &[&Condition], call: &str) -> Named {
    narrowest(parts.iter().map(|part| may(part, false, call)))
}

/// The one that holds least, as far as can be guessed. Each holds at least what is in all.
fn narrowest(each: impl Iterator<Item = Named>) -> Named {
    each.min_by_key(breadth).unwrap_or_else(Named::all)
}

/// How many calls it will let through; only the order counts.
fn breadth(named: &Named) -> usize {
    match &named.comms {
        Comms::Except(names) => usize::MAX - names.len().min(1),
        // A port is as good as two names: it is looked at later.
        Comms::Only(names) => names.len() + 2 * named.ports.len(),
    }
}

/// By what a condition, or its negation, may hold.
fn may(condition: &Condition, negated: bool, call: &str) -> Named {
    match condition {
        Condition::Not(part) => may(part, !negated, call),
        Condition::Test(test) => match decided(test, call) {
            Some(truth) if truth == negated => Named::default(),
            Some(_) => Named::all(),
            None => of_test(test, negated),
        },
        Condition::And(parts) if !negated => narrowest(parts.iter().map(|part| may(part, false, call))),
        Condition::Or(parts) if negated => narrowest(parts.iter().map(|part| may(part, true, call))),
        Condition::And(parts) | Condition::Or(parts) => {
            let mut joined = Named::default();
            for part in parts {
                joined = joined.or(may(part, negated, call));
                if joined.is_all() {
                    break;
                }
            }
            joined
        }
    }
}

fn of_test(test: &Test, negated: bool) -> Named {
    let Term::Field(field) = &test.left else { return Named::all() };
    if fields::find(field).is_none() {
        return if negated { Named::all() } else { Named::default() };
    }
    let (name, bare) = (field.id.field().name, field.argument == Argument::None);
    let found = match name {
        "proc.name" if bare => comms(test, negated).map(|comms| Named { comms, ports: BTreeSet::new() }),
        "fd.port" | "fd.sport" | "fd.cport" | "fd.lport" | "fd.rport" if bare && !negated => {
            ports(test).map(|ports| Named { ports, ..Named::default() })
        }
        _ => None,
    };
    found.unwrap_or_else(Named::all)
}

/// What stands on the right, and how many of it must be met; none when it is no constant.
fn literals(test: &Test) -> Option<(&[Literal], Option<Modifier>)> {
    match &test.right {
        Comparand::One(literal) => Some((std::slice::from_ref(literal), None)),
        Comparand::Many(modifier, literals) => Some((literals, *modifier)),
        Comparand::Nothing | Comparand::Term(_) => None,
    }
}

/// The names of processes on which the test, or its negation, may hold; none when they do not decide.
fn comms(test: &Test, negated: bool) -> Option<Comms> {
    let (literals, modifier) = literals(test)?;
    let mut names = BTreeSet::new();
    for literal in literals {
        let Literal::Text(text) = literal else { return None };
        // The kernel calls nobody by a longer name; and without a name, nothing is equal to it.
        names.extend(Comm::exactly(text).filter(|_| !text.is_empty()));
    }
    let (one, many) = (literals.len() == 1, modifier.is_none() || modifier == Some(Modifier::AnyOf));
    match test.operator {
        // Whatever the modifier: one of them it must be.
        Operator::Equal | Operator::DoubleEqual | Operator::In if !negated => Some(Comms::Only(names)),
        Operator::Equal | Operator::DoubleEqual | Operator::In if one || many => Some(Comms::Except(names)),
        Operator::NotEqual if !negated && (one || modifier == Some(Modifier::AllOf)) => {
            Some(Comms::Except(names))
        }
        Operator::NotEqual if negated && one => {
            // A process without a name is not another one.
            names.insert(Comm::default());
            Some(Comms::Only(names))
        }
        _ => None,
    }
}

/// The ports one of which there must be; none when they do not decide.
fn ports(test: &Test) -> Option<BTreeSet<u16>> {
    let equal = matches!(
        test.operator,
        Operator::Equal | Operator::DoubleEqual | Operator::In | Operator::Intersects
    );
    let (literals, _) = literals(test).filter(|_| equal)?;
    let mut ports = BTreeSet::new();
    for literal in literals {
        match literal {
            // No port is larger.
            Literal::Unsigned(number) => ports.extend(u16::try_from(*number)),
            Literal::Signed(number) => ports.extend(u16::try_from(*number)),
            _ => return None,
        }
    }
    Some(ports)
}
