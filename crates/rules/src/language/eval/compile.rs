//! Conditions as a flat graph in which equal parts are one.

mod merged;

use rustc_hash::FxHashMap;

use super::{
    actor,
    fields::{self, Get},
    pred::Pred,
    transform::Compiled,
    value::Scalar,
    weigh::{Weight, sort, weigh},
};
use crate::language::{
    Argument, Comparand, Condition, FieldRef, Literal, Modifier, Operator, Term, Test, Transformer,
};
use merged::{Group, Merged};

/// Number of a part of a condition.
pub(super) type NodeId = u32;
/// Number of a term.
pub(super) type TermId = u32;

/// A part of conditions.
#[derive(Debug)]
pub(super) enum Node {
    True,
    False,
    Not(NodeId),
    And(Box<[NodeId]>),
    Or(Box<[NodeId]>),
    Test(Box<Comparison>),
}

impl Node {
    /// Whether it depends on the actor alone, and is no constant.
    fn is_about_actor(&self, bits: &[u32], terms: &[TermNode]) -> bool {
        let part = |id: &NodeId| bits.get(*id as usize).is_some_and(|bit| *bit != actor::NO_BIT);
        match self {
            Self::True | Self::False => false,
            Self::Not(id) => part(id),
            Self::And(parts) | Self::Or(parts) => parts.iter().all(part),
            Self::Test(test) => {
                let right = match &test.right {
                    Right::Nothing | Right::Constant(_) => true,
                    Right::Term(term) => is_about_actor(*term, terms),
                };
                right && is_about_actor(test.left, terms)
            }
        }
    }
}

fn is_about_actor(term: TermId, terms: &[TermNode]) -> bool {
    match terms.get(term as usize) {
        Some(TermNode::Missing | TermNode::Text(_) | TermNode::ArgumentList) => true,
        Some(TermNode::Field { name, .. }) => actor::is_about(name),
        Some(TermNode::Call(call)) => call.arguments.iter().all(|term| is_about_actor(*term, terms)),
        Some(TermNode::List(list)) => list.iter().all(|term| is_about_actor(*term, terms)),
        None => false,
    }
}

/// A test of a term.
#[derive(Debug)]
pub(super) struct Comparison {
    pub(super) left: TermId,
    pub(super) operator: Operator,
    pub(super) right: Right,
}

#[derive(Debug)]
pub(super) enum Right {
    Nothing,
    Constant(Pred),
    Term(TermId),
}

/// A term, ready to be computed.
#[derive(Debug)]
pub(super) enum TermNode {
    /// No event fills it yet.
    Missing,
    Text(Box<[u8]>),
    Field {
        get: Get,
        name: &'static str,
        argument: Argument,
        /// It is put together, and so is remembered for the rest of the event.
        built: bool,
    },
    /// `proc.args` as the list it is.
    ArgumentList,
    Call(Compiled),
    List(Box<[TermId]>),
}

#[derive(Debug, PartialEq, Eq, Hash)]
enum Key {
    Not(NodeId),
    And(Vec<NodeId>),
    Or(Vec<NodeId>),
    Test(String),
}

/// Everything that rules compute, each part once.
#[derive(Debug, Default)]
pub(super) struct Program {
    pub(super) nodes: Vec<Node>,
    /// By node.
    pub(super) weights: Vec<Weight>,
    pub(super) terms: Vec<TermNode>,
    /// By node: its number among those that are about the actor alone, or [`actor::NO_BIT`].
    pub(super) actor_bits: Vec<u32>,
    /// How many have a number.
    pub(super) about_actor: u32,
}

pub(super) const FALSE: NodeId = 0;
pub(super) const TRUE: NodeId = 1;

/// Makes a [`Program`].
#[derive(Debug)]
pub(super) struct Builder {
    program: Program,
    nodes: FxHashMap<Key, NodeId>,
    terms: FxHashMap<(Term, bool), TermId>,
    /// By address: macros share their tests.
    tests: FxHashMap<usize, NodeId>,
    /// Events carry data: see [`super::Selection::buffers`].
    buffers: bool,
}

impl Builder {
    pub(super) fn new(buffers: bool) -> Self {
        let nodes = vec![Node::False, Node::True];
        let weights = nodes.iter().map(|node| weigh(node, &[], &[])).collect();
        let actor_bits = vec![actor::NO_BIT; nodes.len()];
        let program = Program { nodes, weights, terms: Vec::new(), actor_bits, about_actor: 0 };
        Self {
            program,
            nodes: FxHashMap::default(),
            terms: FxHashMap::default(),
            tests: FxHashMap::default(),
            buffers,
        }
    }

    pub(super) fn finish(self) -> Program {
        self.program
    }

    /// The condition on events called `call`, with what that name decides decided. The rules that `condition` is
    /// part of must outlive the builder: tests are known by their address.
    pub(super) fn condition(&mut self, condition: &Condition, call: &str) -> NodeId {
        match condition {
            Condition::Not(part) => match self.condition(part, call) {
                FALSE => TRUE,
                TRUE => FALSE,
                part => self.node(Key::Not(part), || Node::Not(part)),
            },
            Condition::Test(test) => match decided(test, call) {
                Some(truth) => NodeId::from(truth),
                None => self.test(test),
            },
            Condition::And(parts) => {
                let mut ids = Vec::with_capacity(parts.len());
                for part in parts {
                    match self.condition(part, call) {
                        FALSE => return FALSE,
                        TRUE => {}
                        id if ids.contains(&id) => {}
                        id => ids.push(id),
                    }
                }
                self.all(ids)
            }
            Condition::Or(parts) => self.any(parts, call),
        }
    }

    /// Both of two parts.
    pub(super) fn both(&mut self, left: NodeId, right: NodeId) -> NodeId {
        match (left, right) {
            (FALSE, _) | (_, FALSE) => FALSE,
            (TRUE, other) | (other, TRUE) => other,
            _ if left == right => left,
            _ => {
                let parts = |id: NodeId| match self.program.nodes.get(id as usize) {
                    Some(Node::And(parts)) => parts.to_vec(),
                    _ => vec![id],
                };
                let mut ids = parts(left);
                ids.extend(parts(right));
                self.all(ids)
            }
        }
    }

    fn all(&mut self, mut ids: Vec<NodeId>) -> NodeId {
        match ids.as_slice() {
            [] => TRUE,
            [one] => *one,
            _ => {
                sort(&mut ids, true, &self.program.weights);
                let boxed = ids.clone().into_boxed_slice();
                self.node(Key::And(ids), || Node::And(boxed))
            }
        }
    }

    fn any(&mut self, parts: &[Condition], call: &str) -> NodeId {
        let mut ids = Vec::with_capacity(parts.len());
        let mut merged = Merged::default();
        for part in parts {
            if let Condition::Test(test) = part
                && decided(test, call).is_none()
                && merged.take(test, ids.len())
            {
                continue;
            }
            match self.condition(part, call) {
                TRUE => return TRUE,
                FALSE => {}
                id if ids.contains(&id) => {}
                id => ids.push(id),
            }
        }
        for Group { left, operator, literals, place } in merged.0 {
            let right = Comparand::Many(Some(Modifier::AnyOf), literals);
            let id = self.comparison(left, operator, &right);
            if id != FALSE && !ids.contains(&id) {
                ids.insert(place.min(ids.len()), id);
            }
        }
        match ids.as_slice() {
            [] => FALSE,
            [one] => *one,
            _ => {
                sort(&mut ids, false, &self.program.weights);
                let boxed = ids.clone().into_boxed_slice();
                self.node(Key::Or(ids), || Node::Or(boxed))
            }
        }
    }

    fn test(&mut self, test: &std::sync::Arc<Test>) -> NodeId {
        let address = std::sync::Arc::as_ptr(test) as usize;
        if let Some(id) = self.tests.get(&address) {
            return *id;
        }
        let id = self.comparison(&test.left, test.operator, &test.right);
        self.tests.insert(address, id);
        id
    }

    fn comparison(&mut self, left: &Term, operator: Operator, right: &Comparand) -> NodeId {
        let operator = meant(left, operator);
        let left = self.term(left, false);
        if matches!(self.program.terms.get(left as usize), Some(TermNode::Missing)) {
            return FALSE; // a missing value makes every comparison false
        }
        let key = Key::Test(format!("{left} {operator:?} {right:?}"));
        let compiled = match right {
            Comparand::Nothing => Right::Nothing,
            Comparand::Term(term) => Right::Term(self.term(term, false)),
            constant => Right::Constant(Pred::new(operator, constant)),
        };
        self.node(key, || Node::Test(Comparison { left, operator, right: compiled }.into()))
    }

    fn node(&mut self, key: Key, make: impl FnOnce() -> Node) -> NodeId {
        let Program { nodes, weights, terms, actor_bits, about_actor } = &mut self.program;
        *self.nodes.entry(key).or_insert_with(|| {
            let id = NodeId::try_from(nodes.len()).unwrap_or(FALSE);
            let node = make();
            weights.push(weigh(&node, weights, terms));
            actor_bits.push(if node.is_about_actor(actor_bits, terms) {
                *about_actor += 1;
                *about_actor - 1
            } else {
                actor::NO_BIT
            });
            nodes.push(node);
            id
        })
    }

    /// What a part needs of the actor: true whenever the part is.
    pub(super) fn of_actor(&mut self, node: NodeId) -> NodeId {
        if actor::bit(&self.program, node).is_some() {
            return node;
        }
        let Some(Node::And(parts)) = self.program.nodes.get(node as usize) else { return TRUE };
        let parts = parts.iter().filter(|part| actor::bit(&self.program, **part).is_some());
        let parts = parts.copied().collect();
        self.all(parts)
    }

    /// The number of a term; `list` where `proc.args` is meant as a list.
    pub(super) fn term(&mut self, term: &Term, list: bool) -> TermId {
        let key = (term.clone(), list);
        if let Some(id) = self.terms.get(&key) {
            return *id;
        }
        let made = match term {
            Term::Field(field) if list && is_arguments(field) => TermNode::ArgumentList,
            Term::Field(field) if !self.buffers && is_buffer(field) => TermNode::Missing,
            Term::Field(field) => field_node(field),
            Term::Text(text) => TermNode::Text(text.as_slice().into()),
            Term::List(terms) => TermNode::List(terms.iter().map(|term| self.term(term, false)).collect()),
            Term::Call(call) => {
                let takes_list = |place: usize| {
                    matches!((call.transformer, place), (Transformer::GetOpt, 0) | (Transformer::Join, 1))
                };
                let arguments = call.arguments.iter().enumerate();
                TermNode::Call(Compiled {
                    transformer: call.transformer,
                    arguments: arguments.map(|(place, term)| self.term(term, takes_list(place))).collect(),
                    option: call.option,
                })
            }
        };
        let id = TermId::try_from(self.program.terms.len()).unwrap_or(TermId::MAX);
        self.program.terms.push(made);
        self.terms.insert(key, id);
        id
    }
}

fn is_arguments(field: &FieldRef) -> bool {
    field.id.field().name == "proc.args" && field.argument == Argument::None
}

/// The data that an event moves.
pub(super) fn is_buffer(field: &FieldRef) -> bool {
    field.id.field().name == "evt.buffer"
}

fn field_node(field: &FieldRef) -> TermNode {
    match fields::find(field) {
        Some(row) => {
            let name = field.id.field().name;
            TermNode::Field { get: row.get, name, argument: field.argument.clone(), built: row.built }
        }
        None => TermNode::Missing,
    }
}

/// `evt.around[T] = D` means a distance from T of at most D.
fn meant(left: &Term, operator: Operator) -> Operator {
    match (left, operator) {
        (Term::Field(field), _) if field.id.field().name != "evt.around" => operator,
        (Term::Field(_), Operator::Equal | Operator::DoubleEqual) => Operator::LessEqual,
        (Term::Field(_), Operator::NotEqual) => Operator::Greater,
        _ => operator,
    }
}

/// What the name of the event decides. The number of an event is 1 or more.
pub(super) fn decided(test: &std::sync::Arc<Test>, call: &str) -> Option<bool> {
    let Term::Field(field) = &test.left else { return None };
    match field.id.field().name {
        "evt.type" => match (&test.right, test.operator) {
            (_, Operator::Exists) => Some(true),
            (Comparand::Term(_) | Comparand::Nothing, _) => None,
            (constant, operator) => {
                let pred = Pred::new(operator, constant);
                Some(pred.holds(Scalar::Text(call.as_bytes()), &mut Vec::new()))
            }
        },
        "evt.num" => {
            let always = matches!(
                (test.operator, &test.right),
                (Operator::GreaterEqual, Comparand::One(Literal::Unsigned(0 | 1)))
                    | (Operator::Greater | Operator::NotEqual, Comparand::One(Literal::Unsigned(0)))
                    | (Operator::Exists, _)
            );
            let never = Condition::Test(test.clone()).event_types().is_empty();
            if never { Some(false) } else { always.then_some(true) }
        }
        _ => None,
    }
}
