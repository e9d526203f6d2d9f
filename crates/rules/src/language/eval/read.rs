//! Values of terms, outside of rules: for tools and tests.

use std::net::IpAddr;

use sentinel_event::{Observation, Text};

use super::{
    Node, Witness,
    compile::Builder,
    engine::aside,
    names,
    value::{self, Several, Value},
    view::View,
};
use crate::language::Term;

/// A single value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Scalar {
    /// Bytes.
    Text(Text),
    /// A signed number.
    Signed(i64),
    /// An unsigned number.
    Unsigned(u64),
    /// True or false.
    Bool(bool),
    /// An address.
    Address(IpAddr),
}

/// What a term is worth on an event.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Reading {
    /// Nothing.
    Missing,
    /// One value.
    One(Scalar),
    /// Ancestors: a comparison holds when it does for one of them.
    Any(Vec<Scalar>),
    /// Client and server: as `Any`, but both must differ for `!=`.
    Ends(Vec<Scalar>),
    /// A list.
    List(Vec<Scalar>),
}

/// What `term` is worth on an event, as one witness of its file or address has it. It compiles the term each
/// time: evaluate rules with an engine.
pub fn read(term: &Term, observation: &Observation, witness: Witness) -> Reading {
    let Some(call) = names::call_of(&observation.event) else { return Reading::Missing };
    let mut builder = Builder::new(true);
    let id = builder.term(term, false);
    let program = builder.finish();
    let node = Node::default();
    let view = View { observation, witness, call, node: &node, number: 1, relative_ns: 0, delta_ns: 0 };
    aside(&program, view, |program, pass| {
        let value = program.term(id, pass);
        let Value::Several(how, span) = value else {
            return pass.scratch.scalar(value).map_or(Reading::Missing, |scalar| Reading::One(owned(scalar)));
        };
        let items = pass.scratch.items(span).iter().map(|item| owned(pass.scratch.item(*item))).collect();
        match how {
            Several::Any => Reading::Any(items),
            Several::Ends => Reading::Ends(items),
            Several::List => Reading::List(items),
        }
    })
}

/// `evt.type` of an event: Falco's name for the call. None for an event without a name.
pub fn call_name(observation: &Observation) -> Option<&'static str> {
    names::call_of(&observation.event).map(|call| call.name)
}

fn owned(scalar: value::Scalar<'_>) -> Scalar {
    match scalar {
        value::Scalar::Text(text) => Scalar::Text(text.into()),
        value::Scalar::Signed(number) => Scalar::Signed(number),
        value::Scalar::Unsigned(number) => Scalar::Unsigned(number),
        value::Scalar::Bool(truth) => Scalar::Bool(truth),
        value::Scalar::Address(ip) => Scalar::Address(ip),
    }
}
