//! Runs a [`Program`] on one event.

use super::{
    actor::{self, Actor},
    compile::{Comparison, Node, NodeId, Program, Right, TermId, TermNode},
    pred, transform,
    value::{Item, Scalar, Scratch, Several, Span, Value},
    view::View,
};
use crate::language::Operator;

/// A value that outlives the look at the event.
#[derive(Debug, Clone, Copy, Default)]
enum Kept {
    #[default]
    Missing,
    Built(Span),
    /// Where in a text of the event or of the rules it would be: computed again.
    Again,
    Unsigned(u64),
    Several(Several, Span),
}

/// Results of the event at hand. A result counts only with the stamp of the event, so nothing is cleared.
#[derive(Debug, Default)]
pub(super) struct Results {
    /// Stamp and truth of each node.
    nodes: Vec<u32>,
    terms: Vec<(u32, Kept)>,
}

impl Results {
    pub(super) fn fit(&mut self, program: &Program) {
        if self.nodes.len() < program.nodes.len() {
            self.nodes.resize(program.nodes.len(), 0);
        }
        if self.terms.len() < program.terms.len() {
            self.terms.resize(program.terms.len(), (0, Kept::Missing));
        }
    }

    pub(super) fn forget(&mut self) {
        self.nodes.fill(0);
        self.terms.fill((0, Kept::Missing));
    }
}

/// One look at one event.
#[derive(Debug)]
pub(super) struct Pass<'a, 'm> {
    pub(super) view: View<'a>,
    pub(super) stamp: u32,
    /// Whoever acts.
    pub(super) actor: &'m Actor,
    pub(super) results: &'m mut Results,
    pub(super) scratch: &'m mut Scratch,
    pub(super) spare: &'m mut Vec<u8>,
}

impl Program {
    /// Whether a part of a condition is true.
    pub(super) fn node<'a>(&'a self, id: NodeId, pass: &mut Pass<'a, '_>) -> bool {
        let known = pass.results.nodes.get(id as usize).copied().unwrap_or_default();
        if known >> 1 == pass.stamp {
            return known & 1 == 1;
        }
        let bit = actor::bit(self, id);
        if let Some(truth) = bit.and_then(|bit| pass.actor.answer(bit)) {
            return truth;
        }
        let truth = match self.nodes.get(id as usize) {
            Some(Node::True) => true,
            Some(Node::False) | None => false,
            Some(Node::Not(part)) => !self.node(*part, pass),
            Some(Node::And(parts)) => parts.iter().all(|part| self.node(*part, pass)),
            Some(Node::Or(parts)) => parts.iter().any(|part| self.node(*part, pass)),
            Some(Node::Test(test)) => self.test(test, pass),
        };
        if let Some(bit) = bit {
            pass.actor.learn(bit, truth);
        }
        if let Some(slot) = pass.results.nodes.get_mut(id as usize) {
            *slot = pass.stamp << 1 | u32::from(truth);
        }
        truth
    }

    /// What a term is worth.
    pub(super) fn term<'a>(&'a self, id: TermId, pass: &mut Pass<'a, '_>) -> Value<'a> {
        match self.terms.get(id as usize) {
            None | Some(TermNode::Missing) => return Value::Missing,
            Some(TermNode::Text(text)) => return Value::Text(text),
            Some(TermNode::Field { get, argument, built: false, .. }) => {
                return get(&pass.view, argument, pass.scratch);
            }
            Some(_) => {}
        }
        let again = match pass.results.terms.get(id as usize) {
            Some((stamp, kept)) if *stamp == pass.stamp => match *kept {
                Kept::Missing => return Value::Missing,
                Kept::Built(span) => return Value::Built(span),
                Kept::Unsigned(number) => return Value::Unsigned(number),
                Kept::Several(how, span) => return Value::Several(how, span),
                Kept::Again => true,
            },
            _ => false,
        };
        let value = match self.terms.get(id as usize) {
            Some(TermNode::Field { get, argument, .. }) => get(&pass.view, argument, pass.scratch),
            Some(TermNode::ArgumentList) => transform::argument_list(pass),
            Some(TermNode::Call(call)) => call.apply(self, pass),
            Some(TermNode::List(terms)) => self.list(terms, pass),
            _ => Value::Missing,
        };
        if !again && let Some(slot) = pass.results.terms.get_mut(id as usize) {
            let kept = match value {
                Value::Missing => Kept::Missing,
                Value::Built(span) => Kept::Built(span),
                Value::Several(how, span) => Kept::Several(how, span),
                Value::Unsigned(number) => Kept::Unsigned(number),
                Value::Text(_) | Value::Signed(_) | Value::Bool(_) | Value::Address(_) => Kept::Again,
            };
            *slot = (pass.stamp, kept);
        }
        value
    }

    /// Texts as a list; missing when one is.
    fn list<'a>(&'a self, terms: &'a [TermId], pass: &mut Pass<'a, '_>) -> Value<'a> {
        for term in terms {
            if matches!(self.term(*term, pass), Value::Missing) {
                return Value::Missing;
            }
        }
        let mark = pass.scratch.mark();
        for term in terms {
            let value = self.term(*term, pass);
            let start = pass.scratch.bytes.len();
            pass.scratch.append(value);
            if let Value::Built(span) = pass.scratch.tail(start) {
                pass.scratch.push(Item::Text(span));
            }
        }
        pass.scratch.since(mark)
    }

    fn test<'a>(&'a self, test: &'a Comparison, pass: &mut Pass<'a, '_>) -> bool {
        let left = self.term(test.left, pass);
        if matches!(left, Value::Missing) {
            return false;
        }
        let pred = match &test.right {
            Right::Nothing => return true,
            Right::Term(right) => {
                let right = self.term(*right, pass);
                return computed(test.operator, left, right, pass.scratch);
            }
            Right::Constant(pred) => pred,
        };
        let (scratch, spare) = (&*pass.scratch, &mut *pass.spare);
        let Value::Several(how, span) = left else {
            return scratch.scalar(left).is_some_and(|value| pred.holds(value, spare));
        };
        let mut items = scratch.items(span).iter().map(|item| scratch.item(*item));
        let every = match how {
            Several::Any => false,
            Several::Ends => test.operator == Operator::NotEqual,
            Several::List => test.operator == Operator::In,
        };
        if every {
            items.all(|item| pred.holds(item, spare))
        } else {
            items.any(|item| pred.holds(item, spare))
        }
    }
}

/// Compares two values of one event.
fn computed(operator: Operator, left: Value<'_>, right: Value<'_>, scratch: &Scratch) -> bool {
    if let (Value::Several(_, left), Value::Several(_, right)) = (left, right) {
        let found = |item: &Item| {
            let item = scratch.item(*item);
            let mut others = scratch.items(right).iter();
            others.any(|other| pred::compare(Operator::Equal, item, scratch.item(*other)))
        };
        let mut items = scratch.items(left).iter();
        return if operator == Operator::In { items.all(found) } else { items.any(found) };
    }
    let pair: Option<(Scalar<'_>, Scalar<'_>)> = scratch.scalar(left).zip(scratch.scalar(right));
    pair.is_some_and(|(left, right)| pred::compare(operator, left, right))
}
