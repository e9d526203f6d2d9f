//! What is missing makes every comparison false and every negation true, whatever the field, type and operator.

use std::collections::BTreeSet;

use sentinel_event::{Body, Exit, Observation};
use sentinel_rules::language::{
    ArgumentRule, Field, Operator, OperatorClass, Type, TypeClass,
    eval::{Engine, Matching, Selection},
};

use crate::build::{fired, load, observation};

/// The end of a process of which nothing is known.
fn nothing() -> Observation {
    let mut end = observation(Body::Exit(Exit::default()));
    (end.process, end.ancestors) = (None, [].into());
    let head = &mut end.event.head;
    (head.euid, head.egid, head.parent.tgid, head.session) = (u32::MAX, u32::MAX, 0, 0);
    end
}

fn engine(conditions: &[String]) -> Engine {
    let one = |(number, condition): (usize, &String)| {
        format!(
            "- {{rule: r{number}, desc: d, output: o, priority: INFO, condition: 'evt.type = procexit and {condition}'}}\n"
        )
    };
    let text: String = conditions.iter().enumerate().map(one).collect();
    Engine::new(load(&text), &Selection { matching: Matching::All, buffers: true, ..Selection::default() })
}

fn holding(conditions: &[String]) -> Vec<String> {
    fired(&engine(conditions), &nothing())
}

/// Every comparison that the type of a field allows.
fn comparisons(name: &str, field: &Field) -> Vec<String> {
    let constant = match (field.ty, field.ty.class()) {
        (Type::Network, _) => "10.0.0.0/8",
        (_, TypeClass::Network) => "10.0.0.1",
        (_, TypeClass::Number) => "1",
        (_, TypeClass::Bool) => "true",
        (_, TypeClass::Text) => "a",
        (_, TypeClass::Bytes) => "ab",
    };
    let allowed = Operator::ALL.iter().filter(|operator| field.ty.allows(**operator, field.list));
    let forms = allowed.flat_map(|operator| {
        let word = operator.word();
        match operator.class() {
            OperatorClass::Unary => vec![format!("{name} {word}")],
            OperatorClass::List => vec![format!("{name} {word} ({constant})")],
            // The order of texts is for numbers and fields.
            OperatorClass::Number => vec![format!("{name} {word} 1")],
            OperatorClass::Text => ["", "anyof", "allof", "oneof"]
                .map(|modifier| match modifier {
                    "" => format!("{name} {word} {constant}"),
                    _ => format!("{name} {word} {modifier} ({constant})"),
                })
                .into(),
        }
    });
    forms.collect()
}

#[test]
fn every_comparison_of_every_missing_field_is_false_and_its_negation_true() {
    let plain = Field::all().filter_map(|field| match field.argument {
        ArgumentRule::None | ArgumentRule::OptionalIndex | ArgumentRule::OptionalKey => {
            Some((field.name.to_owned(), field))
        }
        ArgumentRule::Label => Some((format!("{}.none", field.name), field)),
        ArgumentRule::Parameter => Some((format!("{}.name", field.name), field)),
        ArgumentRule::Key => None,
    });
    let plain: Vec<_> = plain.collect();
    let exist = holding(&plain.iter().map(|(name, _)| format!("{name} exists")).collect::<Vec<_>>());
    let missing: Vec<_> = plain
        .iter()
        .enumerate()
        .filter(|(number, _)| !exist.contains(&format!("r{number}")))
        .map(|(_, field)| field)
        .collect();
    let types: BTreeSet<_> = missing.iter().map(|(_, field)| field.ty.name()).collect();
    let all = [
        "IP address",
        "IP network",
        "bool",
        "bytes",
        "double",
        "duration",
        "int16",
        "int64",
        "path",
        "port",
        "string",
        "time",
        "uint32",
        "uint64",
    ];
    assert_eq!(types.into_iter().collect::<Vec<_>>(), all);
    assert!(missing.len() > 150, "{}", missing.len());

    let conditions: Vec<_> = missing.iter().flat_map(|(name, field)| comparisons(name, field)).collect();
    assert!(conditions.len() > 3000, "{}", conditions.len());
    for part in conditions.chunks(400) {
        let wrong: Vec<_> = holding(part).iter().map(|rule| rule[1..].parse().unwrap()).collect();
        let wrong: Vec<&String> = wrong.iter().map(|number: &usize| &part[*number]).collect();
        assert_eq!(wrong, [""; 0]);
        let negated: Vec<_> = part.iter().map(|condition| format!("not {condition}")).collect();
        assert_eq!(holding(&negated).len(), negated.len());
    }
}

#[test]
fn a_missing_right_side_makes_it_false_too() {
    let conditions = [
        "proc.vpid = val(fd.num)",
        "proc.vpid != val(fd.num)",
        "proc.vpid < val(fd.num)",
        "proc.name startswith val(proc.pname)",
        "proc.name != tolower(proc.pname)",
        "proc.name != concat(proc.name, proc.pname)",
        "proc.name in val(proc.pname)",
        "proc.name = b64(proc.name)",
    ];
    assert_eq!(holding(&conditions.map(str::to_owned)), [""; 0]);
    let negated = conditions.map(|condition| format!("not {condition}"));
    assert_eq!(holding(&negated).len(), negated.len());
}
