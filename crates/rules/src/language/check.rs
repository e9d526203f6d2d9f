//! Looks up what a comparison names and checks that its sides fit together.

mod term;

use bstr::ByteSlice;

use super::{
    ast::{Check, Operator, Right, Value},
    condition::{Comparand, FieldRef, Literal, Term, Test},
    diagnostic::Code,
    evttypes::EventSet,
    field::{Field, Usage},
    literal,
    types::Type,
};

pub(super) use term::{field, operand};

/// Why a comparison cannot be used.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Problem {
    /// Byte offset into the condition.
    pub(super) offset: usize,
    /// What is wrong and what would do.
    pub(super) message: String,
    /// It names a field or an event that does not exist: `skip-if-unknown-filter` makes that a warning.
    pub(super) unknown: bool,
}

impl Problem {
    pub(super) fn new(offset: usize, message: impl Into<String>) -> Self {
        Self { offset, message: message.into(), unknown: false }
    }

    fn unknown(offset: usize, message: impl Into<String>) -> Self {
        Self { unknown: true, ..Self::new(offset, message) }
    }
}

/// Something in a condition that is allowed and probably not meant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Remark {
    pub(super) code: Code,
    pub(super) offset: usize,
    pub(super) message: String,
}

/// Checks one comparison whose lists are in place.
pub(super) fn check(source: &Check, remarks: &mut Vec<Remark>) -> Result<Test, Problem> {
    unsafe_na(source, remarks);
    let left = operand(&source.left)?;
    let operator = source.operator.meaning();
    let at = source.at.0;
    let (ty, list) = left.ty();
    if !ty.allows(operator, list) {
        let many = if list { "list of " } else { "" };
        let message = format!("'{}' operator not supported for {many}{} filters", operator.word(), ty.name());
        return Err(Problem::new(at, message));
    }
    if let (Right::List(Some(modifier), _) | Right::Word(Some(modifier), _), true) = (&source.right, list) {
        return Err(Problem::new(at, format!("'{}' not supported for list filters", modifier.word())));
    }
    let right = match &source.right {
        Right::Nothing => Comparand::Nothing,
        Right::Value(value) if operator == Operator::Exists => {
            return Err(Problem::new(value.at.0, "'exists' takes no right-hand side"));
        }
        Right::Value(value) => Comparand::One(constant(value, &left, operator)?),
        Right::List(modifier, values) => Comparand::Many(*modifier, constants(values, &left, operator)?),
        Right::Word(modifier, word) => {
            Comparand::Many(*modifier, constants(std::slice::from_ref(word), &left, operator)?)
        }
        Right::Field(name) => {
            Comparand::Term(right_side(Term::Field(field(name)?), &left, operator, name.at.0)?)
        }
        Right::Transform(call) => {
            let term = operand(&super::ast::Operand::Transform(call.clone()))?;
            Comparand::Term(right_side(term, &left, operator, call.at.0)?)
        }
    };
    remark(source, &left, operator, remarks);
    Ok(Test { source: source.clone(), left, operator, right })
}

/// `<NA>` is no value of the fields of audit logs: a missing field is compared with nothing.
fn unsafe_na(source: &Check, remarks: &mut Vec<Remark>) {
    use Operator::{DoubleEqual, Equal, In, Intersects, NotEqual, PMatch};
    let super::ast::Operand::Field(name) = &source.left else { return };
    let audit = name.name.starts_with("ka.") || name.name.starts_with("jevt.");
    let compares = matches!(source.operator, Equal | DoubleEqual | NotEqual | In | Intersects | PMatch);
    if audit && compares && source.right.constants().iter().any(|value| value.text == "<NA>") {
        let message = format!("comparing '{}' with <NA> is unsafe: use 'exists'", name.name);
        remarks.push(Remark { code: Code::UnsafeNaCheck, offset: source.at.0, message });
    }
}

fn constants(values: &[Value], left: &Term, operator: Operator) -> Result<Vec<Literal>, Problem> {
    values.iter().map(|value| constant(value, left, operator)).collect()
}

fn constant(value: &Value, left: &Term, operator: Operator) -> Result<Literal, Problem> {
    let (ty, _) = left.ty();
    let literal = literal::parse(&value.text, ty, operator);
    let literal = literal.map_err(|message| Problem::new(value.at.0, message))?;
    if names_event_type(left) {
        let name = value.text.to_str_lossy();
        let exact =
            matches!(operator, Operator::Equal | Operator::NotEqual | Operator::In | Operator::Intersects);
        if exact && !EventSet::is_known(&name) {
            let events = super::evtnames::EVENTS.iter().map(|event| event.name);
            let hint = super::suggest::hint(super::suggest::nearest(&name, events));
            return Err(Problem::unknown(value.at.0, format!("unknown event type {name}{hint}")));
        }
    }
    Ok(literal)
}

fn names_event_type(term: &Term) -> bool {
    matches!(term, Term::Field(field) if field.id.field().name == "evt.type")
}

fn field_of(term: &Term) -> Option<&FieldRef> {
    match term {
        Term::Field(field) => Some(field),
        _ => None,
    }
}

/// Checks that `term` may stand on the right side of `left`.
fn right_side(term: Term, left: &Term, operator: Operator, at: usize) -> Result<Term, Problem> {
    let fail = |message: String| Err(Problem::new(at, message));
    if matches!(operator, Operator::PMatch | Operator::Regex) {
        return fail(format!("'{}' operator does not support right-hand side fields", operator.word()));
    }
    let (left_type, left_list) = left.ty();
    if left_type == Type::Network {
        return fail("IP network filters do not support right-hand side fields".into());
    }
    if let Some(field) = field_of(left)
        && (field.id.field().usage != Usage::Any || field.id.field().name == "evt.type")
    {
        return fail(format!("field '{}' doesn't support right-hand side fields", field.text));
    }
    if let Some(field) = field_of(&term)
        && field.id.field().usage != Usage::Any
    {
        return fail(format!("field '{}' can't be used as a right-hand side field", field.text));
    }
    let (ty, list) = term.ty();
    if !ty.compares_with(left_type) || list != left_list {
        let shown =
            |ty: Type, list: bool| if list { format!("list of {}", ty.name()) } else { ty.name().to_owned() };
        let (right, left) = (shown(ty, list), shown(left_type, left_list));
        return fail(format!("right-hand side has incompatible type {right}: the left-hand side has {left}"));
    }
    Ok(term)
}

/// Notes what is allowed and probably not meant.
fn remark(source: &Check, left: &Term, operator: Operator, remarks: &mut Vec<Remark>) {
    const REMARKS_MAX: usize = 16; // of one condition; the next run shows the rest
    let mut note = |code, offset, message: String| {
        if remarks.len() < REMARKS_MAX {
            remarks.push(Remark { code, offset, message });
        }
    };
    if let Some(field) = field_of(left)
        && let Some(why) = field.id.field().deprecated
    {
        note(Code::DeprecatedItem, source.at.0, format!("field '{}' is deprecated: {why}", field.text));
    }
    for value in source.right.constants() {
        let Ok(text) = value.text.to_str() else { continue };
        if text.contains('.') && Field::find(text).is_some() {
            let message = format!(
                "'{text}' may be a valid field misused as a const string value: write val({text}) for its value"
            );
            note(Code::CompileCondition, value.at.0, message);
        } else if term::looks_like_call(text) {
            let message = format!("'{text}' may be a valid transformer misused as a const string value");
            note(Code::CompileCondition, value.at.0, message);
        } else if operator == Operator::Regex
            && let Some(simpler) = simpler(text)
        {
            note(
                Code::CompileCondition,
                value.at.0,
                format!("the regular expression '{text}' can be {simpler}"),
            );
        }
    }
}

/// What does the same as a regular expression, and faster.
fn simpler(pattern: &str) -> Option<String> {
    let body = pattern.strip_prefix('^').unwrap_or(pattern);
    let body = body.strip_suffix('$').unwrap_or(body);
    let (open_start, body) = match body.strip_prefix(".*") {
        Some(rest) => (true, rest),
        None => (false, body),
    };
    let (open_end, body) = match body.strip_suffix(".*") {
        Some(rest) => (true, rest),
        None => (false, body),
    };
    if body.is_empty() || body.contains(|letter| r"\.+*?()[]{}|^$".contains(letter)) {
        return None;
    }
    let operator = match (open_start, open_end) {
        (false, false) => "=",
        (false, true) => "startswith",
        (true, false) => "endswith",
        (true, true) => "contains",
    };
    Some(format!("{operator} {body}"))
}
