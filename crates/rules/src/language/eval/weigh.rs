//! What parts of conditions cost, and how often they hold: guesses that put the most telling part first.
//!
//! The order of parts changes no result. Guesses need not be true; better ones make evaluation faster.

use super::{
    compile::{Comparison, Node, NodeId, Right, TermNode},
    pred::Pred,
};
use crate::language::{Literal, Operator};

/// A guess about a part.
#[derive(Debug, Clone, Copy)]
pub(super) struct Weight {
    /// Nanoseconds.
    cost: f32,
    /// How often it holds, from 0 to 1.
    odds: f32,
}

const FIXED: Weight = Weight { cost: 0.0, odds: 0.5 };
/// To look at a part at all.
const STEP: f32 = 2.0;

impl Weight {
    /// How often it holds, from 0 to 1.
    pub(super) fn odds(self) -> f32 {
        self.odds
    }

    /// Whether it costs next to nothing and is false more often than not.
    pub(super) fn is_bargain(self) -> bool {
        self.cost <= 6.0 && self.odds <= 0.5
    }

    /// How much is saved when this is looked at before `rules` rules that need it; the more the better.
    pub(super) fn saves(self, rules: usize) -> f32 {
        f32::from(u16::try_from(rules).unwrap_or(u16::MAX)) * (1.0 - self.odds) / self.cost.max(1.0)
    }
}

/// The weight of a part whose own parts have been weighed.
pub(super) fn weigh(node: &Node, weights: &[Weight], terms: &[TermNode]) -> Weight {
    let of = |id: &NodeId| weights.get(*id as usize).copied().unwrap_or(FIXED);
    match node {
        Node::True | Node::False => FIXED,
        Node::Not(part) => {
            let part = of(part);
            Weight { cost: part.cost + STEP, odds: 1.0 - part.odds }
        }
        // Parts that come later are looked at only when those before leave it open.
        Node::And(parts) => parts.iter().map(of).fold(Weight { cost: STEP, odds: 1.0 }, |all, part| Weight {
            cost: all.cost + all.odds * part.cost,
            odds: all.odds * part.odds,
        }),
        Node::Or(parts) => {
            let none = parts.iter().map(of).fold(Weight { cost: STEP, odds: 1.0 }, |all, part| Weight {
                cost: all.cost + all.odds * part.cost,
                odds: all.odds * (1.0 - part.odds),
            });
            Weight { cost: none.cost, odds: 1.0 - none.odds }
        }
        Node::Test(test) => comparison(test, terms),
    }
}

/// Puts first what most cheaply makes an `and` false, or an `or` true.
pub(super) fn sort(ids: &mut [NodeId], all: bool, weights: &[Weight]) {
    let price = |id: &NodeId| {
        let weight = weights.get(*id as usize).copied().unwrap_or(FIXED);
        let decides = if all { 1.0 - weight.odds } else { weight.odds };
        weight.cost / decides.max(0.001)
    };
    ids.sort_by(|left, right| price(left).total_cmp(&price(right)));
}

fn comparison(test: &Comparison, terms: &[TermNode]) -> Weight {
    let (term, field) = match terms.get(test.left as usize) {
        Some(TermNode::Field { built: false, name, .. }) => (2.0, *name),
        Some(TermNode::Field { name, .. }) => (15.0, *name),
        Some(TermNode::Call(_) | TermNode::List(_) | TermNode::ArgumentList) => (30.0, ""),
        Some(TermNode::Missing | TermNode::Text(_)) | None => (1.0, ""),
    };
    let (cost, odds) = match &test.right {
        Right::Nothing => (0.0, 0.9),
        Right::Term(_) => (20.0, if test.operator == Operator::NotEqual { 0.9 } else { 0.1 }),
        Right::Constant(pred) => constant(pred, field),
    };
    Weight { cost: STEP + term + cost, odds }
}

fn constant(pred: &Pred, field: &str) -> (f32, f32) {
    let among = |preds: &[Pred]| preds.iter().map(|pred| constant(pred, field).0).sum::<f32>();
    match pred {
        Pred::Never => (0.0, 0.0),
        Pred::Is(Literal::Text(_)) => match field {
            "fd.typechar" | "fd.type" | "fd.l4proto" => (2.0, 0.9),
            "container.id" => (2.0, 0.6),
            _ => (2.0, 0.05),
        },
        Pred::Is(Literal::Bool(_)) => (1.0, 0.3),
        Pred::Is(_) => (1.0, 0.1),
        Pred::Order(..) => (1.0, 0.8),
        Pred::Texts(_) if matches!(field, "fd.typechar" | "fd.type" | "fd.l4proto") => (8.0, 0.9),
        Pred::Texts(texts) => (8.0, if texts.len() > 100 { 0.2 } else { 0.1 }),
        Pred::Prefixes(prefixes) => {
            (6.0 + f32::from(u8::try_from(prefixes.len()).unwrap_or(u8::MAX)) / 8.0, 0.1)
        }
        Pred::EndsWith(_) => (3.0, 0.05),
        Pred::Contains(_) => (15.0, 0.05),
        Pred::IContains(_) => (60.0, 0.05),
        Pred::Glob(..) => (40.0, 0.05),
        Pred::Paths(paths) => (20.0 * f32::from(u8::try_from(paths.len()).unwrap_or(u8::MAX)), 0.1),
        Pred::Regex(_) => (100.0, 0.05),
        Pred::Not(pred) => {
            let (cost, odds) = constant(pred, field);
            (cost, 1.0 - odds)
        }
        Pred::AnyOf(preds) => (among(preds), 0.15),
        Pred::AllOf(preds) | Pred::OneOf(preds) => (among(preds), 0.05),
    }
}
