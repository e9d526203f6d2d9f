//! Exceptions: tuples of values that silence a rule.

mod text;

use std::{collections::HashSet, sync::Arc};

use super::{
    ast::{Modifier, Operand, Operator, OperatorClass},
    check,
    diagnostic::{Code, ItemType},
    item::Reader,
    journal::{About, Journal},
    parse::operand_prefix,
    source::Scalar,
    yaml::{Mark, Node},
};

/// How many exceptions a rule may have when some are appended: each is looked for among them.
const EXCEPTIONS_MAX: usize = 5000;

/// One text or several.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Shape {
    One(Scalar),
    Many(Vec<Scalar>),
}

/// An exception as written.
#[derive(Debug)]
pub(super) struct ExceptionItem {
    name: String,
    at: Mark,
    fields: Option<Shape>,
    comps: Option<Shape>,
    values: Option<Vec<Arc<Node>>>,
}

/// A checked exception.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Exception {
    pub(super) name: String,
    pub(super) at: Mark,
    /// Fields with their operators.
    columns: Columns,
    values: Vec<Arc<Node>>,
}

/// What the values of an exception are compared with, and how.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Columns {
    /// One field with a list of values.
    One(String, Comparison),
    /// Several fields with tuples of values.
    Many(Vec<(String, Comparison)>),
}

/// An operator, perhaps with a modifier.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Comparison {
    operator: Operator,
    modifier: Option<Modifier>,
}

impl Comparison {
    fn parse(text: &str) -> Option<Self> {
        let mut words = text.split_ascii_whitespace();
        let operator = Operator::from_word(words.next()?)?;
        let modifier = match words.next() {
            None => None,
            Some(word) if operator.class() == OperatorClass::Text => Some(Modifier::from_word(word)?),
            Some(_) => return None,
        };
        words.next().is_none().then_some(Self { operator, modifier })
    }

    /// Whether a list stands on its right side.
    fn takes_list(self) -> bool {
        self.modifier.is_some() || self.operator.class() == OperatorClass::List
    }
}

impl ExceptionItem {
    /// Reads the key `exceptions` of a rule. None when something was refused.
    pub(super) fn read_all(rule: &mut Reader<'_, '_, '_>) -> Option<Vec<Self>> {
        let nodes = rule.sequence("exceptions")?;
        let mut items: Vec<Self> = Vec::new();
        let mut seen = HashSet::new();
        for node in &nodes {
            let item = Self::read(node, rule)?;
            if !seen.insert(item.name.clone()) {
                let message = format!("Multiple definitions of exception '{}' in the same item", item.name);
                rule.note(Code::ExceptionNameNotUnique, item.at, message);
            }
            items.push(item);
        }
        Some(items)
    }

    fn read(node: &Node, rule: &mut Reader<'_, '_, '_>) -> Option<Self> {
        let Some(pairs) = node.mapping() else {
            rule.error(node.at, "an exception is a mapping with the keys name, fields, comps and values");
            return None;
        };
        for (key, _) in pairs {
            let name = key.scalar().unwrap_or("?");
            if !matches!(name, "name" | "fields" | "comps" | "values") {
                rule.note(
                    Code::UnknownKey,
                    key.at,
                    format!("Unknown key '{name}'. The key will be ignored."),
                );
            }
        }
        let get =
            |name: &str| pairs.iter().find(|(key, _)| key.scalar() == Some(name)).map(|(_, value)| value);
        let name = get("name").and_then(|name| name.scalar()).filter(|name| !name.trim().is_empty());
        let Some(name) = name else {
            rule.error(node.at, "Item has no mapping for key 'name'");
            return None;
        };
        let values = match get("values") {
            Some(values) if !values.is_null() => match values.sequence() {
                Some(values) => Some(values.to_vec()),
                None => {
                    rule.error(values.at, "Value is not a sequence for key 'values'");
                    return None;
                }
            },
            Some(_) => Some(Vec::new()),
            None => None,
        };
        let fields = Self::shape(get("fields"), rule)?;
        let comps = Self::shape(get("comps"), rule)?;
        Some(Self { name: name.to_owned(), at: node.at, fields, comps, values })
    }

    fn shape(node: Option<&Arc<Node>>, rule: &mut Reader<'_, '_, '_>) -> Option<Option<Shape>> {
        let Some(node) = node.filter(|node| !node.is_null()) else { return Some(None) };
        if let Some(one) = Scalar::of(node) {
            return Some(Some(Shape::One(one)));
        }
        let items = node.sequence().and_then(|items| items.iter().map(|item| Scalar::of(item)).collect());
        match items {
            Some(items) => Some(Some(Shape::Many(items))),
            None => {
                rule.error(node.at, "sequence value is not scalar");
                None
            }
        }
    }
}

/// What is wrong with an exception, and where.
type Fault = (Mark, String);

impl Exception {
    /// Checks a new exception.
    fn define(item: ExceptionItem) -> Result<Self, Fault> {
        let fail = |message: &str| Err((item.at, message.to_owned()));
        let columns = match (item.fields, item.comps) {
            (None, _) => return fail("Rule exception item must have fields property with a list of fields"),
            (Some(Shape::One(field)), comps) => {
                let comps = match comps {
                    None => Comparison { operator: Operator::In, modifier: None },
                    Some(Shape::One(comps)) => comparison(&comps)?,
                    Some(Shape::Many(_)) => return fail("Fields and comps must both be strings"),
                };
                if !comps.takes_list() {
                    return fail(
                        "When fields is a single value, comps must be one of (in, pmatch, intersects) or a modifier operator such as 'startswith anyof'",
                    );
                }
                Columns::One(known_field(field)?, comps)
            }
            (Some(Shape::Many(fields)), comps) => {
                let equal = Comparison { operator: Operator::Equal, modifier: None };
                let comps = match comps {
                    None => vec![equal; fields.len()],
                    Some(Shape::Many(comps)) => comps.iter().map(comparison).collect::<Result<_, _>>()?,
                    Some(Shape::One(_)) => return fail("Fields and comps must both be lists"),
                };
                if comps.len() != fields.len() {
                    return fail("Fields and comps lists must have equal length");
                }
                if fields.is_empty() {
                    return fail("Rule exception item must have fields property with a list of fields");
                }
                let fields = fields.into_iter().map(known_field).collect::<Result<Vec<_>, _>>()?;
                Columns::Many(fields.into_iter().zip(comps).collect())
            }
        };
        let mut exception = Self { name: item.name, at: item.at, columns, values: Vec::new() };
        exception.add(item.values.unwrap_or_default())?;
        Ok(exception)
    }

    fn add(&mut self, values: Vec<Arc<Node>>) -> Result<(), Fault> {
        for value in &values {
            match &self.columns {
                Columns::One(..) if value.scalar().is_none() => {
                    return Err((value.at, "Expected values array to contain a list of strings".into()));
                }
                Columns::One(..) => {}
                Columns::Many(columns) => {
                    let Some(tuple) = value.sequence() else {
                        return Err((value.at, "Expected values array to contain a list of tuples".into()));
                    };
                    if tuple.len() != columns.len() {
                        return Err((value.at, "Fields and values lists must have equal length".into()));
                    }
                    let flat = |node: &Arc<Node>| {
                        node.sequence().map_or(node.scalar().is_some(), |items| {
                            items.iter().all(|item| item.scalar().is_some())
                        })
                    };
                    if let Some(wrong) = tuple.iter().find(|node| !flat(node)) {
                        return Err((
                            wrong.at,
                            "a value of an exception is a text or a list of texts".into(),
                        ));
                    }
                }
            }
        }
        self.values.extend(values);
        Ok(())
    }
}

fn comparison(text: &Scalar) -> Result<Comparison, Fault> {
    let found = Comparison::parse(&text.text);
    found.ok_or_else(|| (text.at, format!("'{}' is not a supported comparison operator", text.text.trim())))
}

fn known_field(field: Scalar) -> Result<String, Fault> {
    let text = field.text.trim();
    let known = match operand_prefix(text.as_bytes()) {
        Some((Operand::Field(name), len)) => len == text.len() && check::field(&name).is_ok(),
        _ => false,
    };
    if known {
        Ok(text.to_owned())
    } else {
        Err((field.at, format!("'{text}' is not a supported filter field")))
    }
}

/// Defines the exceptions of a rule. None when one was refused.
pub(super) fn define(
    rule: &str,
    items: Vec<ExceptionItem>,
    journal: &mut Journal<'_>,
) -> Option<Vec<Exception>> {
    let mut exceptions: Vec<Exception> = Vec::new();
    for item in items {
        match Exception::define(item) {
            Ok(exception) => exceptions.push(exception),
            Err(fault) => return refuse(rule, fault, journal),
        }
    }
    Some(exceptions)
}

/// Adds to the exceptions of a rule. None when one was refused.
pub(super) fn append(
    rule: &str,
    exceptions: &mut Vec<Exception>,
    items: Vec<ExceptionItem>,
    journal: &mut Journal<'_>,
) -> Option<()> {
    for item in items {
        if exceptions.len() > EXCEPTIONS_MAX {
            let message = format!("a rule has at most {EXCEPTIONS_MAX} exceptions that are appended to");
            return refuse(rule, (item.at, message), journal);
        }
        let known = exceptions.iter_mut().find(|exception| exception.name == item.name);
        let at = item.at;
        let result = match (known, item.values.is_some()) {
            (Some(_), _) if item.fields.is_some() => {
                Err((at, "Can not append exception fields to existing exception, only values".to_owned()))
            }
            (Some(_), _) if item.comps.is_some() => {
                Err((at, "Can not append exception comps to existing exception, only values".to_owned()))
            }
            (Some(known), true) => known.add(item.values.unwrap_or_default()),
            (Some(known), false) => {
                let message = format!("Overriding/appending exception '{}' with no values", known.name);
                journal.note(Code::AppendNoValues, About { item: ItemType::Rule, name: rule }, at, message);
                Ok(())
            }
            (None, _) if item.fields.is_none() => {
                Err((at, "Rule exception item must have fields property with a list of fields".to_owned()))
            }
            (None, false) => {
                Err((at, "Rule exception must have values property with a list of values".to_owned()))
            }
            (None, true) => Exception::define(item).map(|exception| exceptions.push(exception)),
        };
        if let Err(fault) = result {
            return refuse(rule, fault, journal);
        }
    }
    Some(())
}

fn refuse<T>(rule: &str, (at, message): Fault, journal: &mut Journal<'_>) -> Option<T> {
    journal.note(Code::Validate, About { item: ItemType::Rule, name: rule }, at, message);
    None
}
