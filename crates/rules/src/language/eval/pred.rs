//! Comparisons with constants, prepared.

use std::net::IpAddr;

use bstr::Finder;
use regex::bytes::Regex;
use rustc_hash::FxHashSet;

use super::{
    glob::{PathPrefix, glob},
    value::Scalar,
};
use crate::language::{Comparand, Literal, Modifier, Operator, literal};

/// What must be true of a value.
#[derive(Debug)]
pub(super) enum Pred {
    Never,
    Is(Literal),
    Order(Operator, Literal),
    Texts(FxHashSet<Box<[u8]>>),
    Contains(Box<Finder<'static>>),
    /// In lower case.
    IContains(Box<[u8]>),
    /// Sorted; none begins with another.
    Prefixes(Box<[Box<[u8]>]>),
    EndsWith(Box<[u8]>),
    Glob(Box<[u8]>, bool),
    Regex(Box<Regex>),
    Paths(Box<[PathPrefix]>),
    Not(Box<Pred>),
    AnyOf(Box<[Pred]>),
    AllOf(Box<[Pred]>),
    OneOf(Box<[Pred]>),
}

impl Pred {
    /// `operator` with a constant or a list of them.
    pub(super) fn new(operator: Operator, right: &Comparand) -> Self {
        match right {
            Comparand::Nothing | Comparand::Term(_) => Self::Never,
            Comparand::One(literal) => Self::set(operator, std::slice::from_ref(literal)),
            Comparand::Many(None | Some(Modifier::AnyOf), literals) => Self::set(operator, literals),
            Comparand::Many(Some(modifier), literals) => {
                let each = literals.iter().map(|literal| Self::set(operator, std::slice::from_ref(literal)));
                let each: Box<[_]> = each.collect();
                match modifier {
                    _ if each.is_empty() => Self::Never,
                    Modifier::OneOf => Self::OneOf(each),
                    Modifier::AllOf | Modifier::AnyOf => Self::AllOf(each),
                }
            }
        }
    }

    /// `operator` holds for one of the constants at least.
    fn set(operator: Operator, literals: &[Literal]) -> Self {
        if literals.is_empty() {
            return Self::Never;
        }
        let texts = || literals.iter().filter_map(bytes);
        match operator {
            Operator::StartsWith | Operator::BStartsWith => return Self::prefixes(texts()),
            Operator::PMatch => return Self::Paths(texts().map(PathPrefix::new).collect()),
            Operator::Equal | Operator::In | Operator::Intersects
                if literals.len() > 1 && literals.iter().all(|literal| bytes(literal).is_some()) =>
            {
                return Self::Texts(texts().map(Into::into).collect());
            }
            _ => {}
        }
        match literals {
            [literal] => Self::one(operator, literal),
            many => Self::AnyOf(many.iter().map(|literal| Self::one(operator, literal)).collect()),
        }
    }

    fn one(operator: Operator, literal: &Literal) -> Self {
        let text = bytes(literal).unwrap_or_default();
        match operator {
            Operator::Equal | Operator::DoubleEqual | Operator::In | Operator::Intersects => {
                Self::Is(literal.clone())
            }
            Operator::NotEqual => Self::Not(Self::Is(literal.clone()).into()),
            Operator::Less | Operator::LessEqual | Operator::Greater | Operator::GreaterEqual => {
                Self::Order(operator, literal.clone())
            }
            Operator::Contains | Operator::BContains => Self::Contains(Finder::new(text).into_owned().into()),
            Operator::IContains => Self::IContains(text.to_ascii_lowercase().into()),
            Operator::StartsWith | Operator::BStartsWith => Self::prefixes([text]),
            Operator::EndsWith => Self::EndsWith(text.into()),
            Operator::Glob => Self::Glob(text.into(), false),
            Operator::IGlob => Self::Glob(text.into(), true),
            // It compiled when the rules were loaded.
            Operator::Regex => match literal::regex(&String::from_utf8_lossy(text)) {
                Ok(regex) => Self::Regex(regex.into()),
                Err(_) => Self::Never,
            },
            Operator::PMatch => Self::Paths([PathPrefix::new(text)].into()),
            Operator::Exists => Self::Never,
        }
    }

    fn prefixes<'a>(texts: impl IntoIterator<Item = &'a [u8]>) -> Self {
        let mut sorted: Vec<&[u8]> = texts.into_iter().collect();
        sorted.sort_unstable();
        // What begins with a shorter one stands right behind it.
        sorted.dedup_by(|longer, shorter| longer.starts_with(shorter));
        Self::Prefixes(sorted.into_iter().map(Into::into).collect())
    }

    /// Whether it holds. `spare` is room that is used for texts that are no UTF-8.
    pub(super) fn holds(&self, value: Scalar<'_>, spare: &mut Vec<u8>) -> bool {
        match (self, value) {
            (Self::Is(literal), value) => equal(value, literal),
            (Self::Not(pred), value) => !pred.holds(value, spare),
            (Self::AnyOf(preds), value) => preds.iter().any(|pred| pred.holds(value, spare)),
            (Self::AllOf(preds), value) => preds.iter().all(|pred| pred.holds(value, spare)),
            (Self::OneOf(preds), value) => {
                preds.iter().filter(|pred| pred.holds(value, spare)).take(2).count() == 1
            }
            (Self::Order(operator, literal), value) => {
                constant(literal).is_some_and(|literal| ordered(*operator, value, literal))
            }
            (Self::Texts(set), Scalar::Text(text)) => set.contains(text),
            (Self::Contains(finder), Scalar::Text(text)) => finder.find(text).is_some(),
            (Self::IContains(needle), Scalar::Text(text)) => contains_folded(text, needle),
            (Self::Prefixes(sorted), Scalar::Text(text)) => {
                let at = sorted.partition_point(|prefix| **prefix <= *text);
                let before = at.checked_sub(1).and_then(|at| sorted.get(at));
                before.is_some_and(|prefix| text.starts_with(prefix))
            }
            (Self::EndsWith(end), Scalar::Text(text)) => text.ends_with(end),
            (Self::Glob(pattern, fold), Scalar::Text(text)) => glob(pattern, text, *fold),
            (Self::Paths(paths), Scalar::Text(text)) => paths.iter().any(|path| path.covers(text)),
            (Self::Regex(regex), Scalar::Text(text)) => {
                if std::str::from_utf8(text).is_ok() {
                    return regex.is_match(text);
                }
                spare.clear();
                for chunk in text.utf8_chunks() {
                    spare.extend_from_slice(chunk.valid().as_bytes());
                    if !chunk.invalid().is_empty() {
                        spare.extend_from_slice("\u{fffd}".as_bytes());
                    }
                }
                regex.is_match(spare)
            }
            _ => false,
        }
    }
}

fn bytes(literal: &Literal) -> Option<&[u8]> {
    match literal {
        Literal::Text(text) => Some(text),
        Literal::Bytes(bytes) => Some(bytes),
        _ => None,
    }
}

fn constant(literal: &Literal) -> Option<Scalar<'_>> {
    Some(match literal {
        Literal::Text(text) => Scalar::Text(text),
        Literal::Bytes(bytes) => Scalar::Text(bytes),
        Literal::Signed(number) => Scalar::Signed(*number),
        Literal::Unsigned(number) => Scalar::Unsigned(*number),
        Literal::Bool(truth) => Scalar::Bool(*truth),
        Literal::Address(ip) => Scalar::Address(*ip),
        Literal::Network(..) => return None,
    })
}

fn equal(value: Scalar<'_>, literal: &Literal) -> bool {
    match (value, literal) {
        // The usual ones first.
        (Scalar::Text(value), Literal::Text(text)) => value == text.as_slice(),
        (Scalar::Bool(value), Literal::Bool(truth)) => value == *truth,
        (Scalar::Signed(value), Literal::Signed(number)) => value == *number,
        (Scalar::Unsigned(value), Literal::Unsigned(number)) => value == *number,
        (Scalar::Address(ip), Literal::Network(base, prefix)) => within(ip, *base, *prefix),
        _ => constant(literal).is_some_and(|literal| same(value, literal)),
    }
}

fn number(value: Scalar<'_>) -> Option<i128> {
    match value {
        Scalar::Signed(number) => Some(number.into()),
        Scalar::Unsigned(number) => Some(number.into()),
        _ => None,
    }
}

fn same(left: Scalar<'_>, right: Scalar<'_>) -> bool {
    match (left, right) {
        (Scalar::Text(left), Scalar::Text(right)) => left == right,
        (Scalar::Bool(left), Scalar::Bool(right)) => left == right,
        (Scalar::Address(left), Scalar::Address(right)) => left == right,
        _ => number(left).is_some_and(|left| Some(left) == number(right)),
    }
}

fn ordered(operator: Operator, left: Scalar<'_>, right: Scalar<'_>) -> bool {
    let order = match (left, right) {
        (Scalar::Text(left), Scalar::Text(right)) => left.cmp(right),
        (Scalar::Signed(left), Scalar::Signed(right)) => left.cmp(&right),
        (Scalar::Unsigned(left), Scalar::Unsigned(right)) => left.cmp(&right),
        _ => match (number(left), number(right)) {
            (Some(left), Some(right)) => left.cmp(&right),
            _ => return false,
        },
    };
    match operator {
        Operator::Less => order.is_lt(),
        Operator::LessEqual => order.is_le(),
        Operator::Greater => order.is_gt(),
        Operator::GreaterEqual => order.is_ge(),
        _ => false,
    }
}

/// Compares two values that were both computed from the event.
pub(super) fn compare(operator: Operator, left: Scalar<'_>, right: Scalar<'_>) -> bool {
    let texts = match (left, right) {
        (Scalar::Text(left), Scalar::Text(right)) => Some((left, right)),
        _ => None,
    };
    let text = |holds: fn(&[u8], &[u8]) -> bool| texts.is_some_and(|(left, right)| holds(left, right));
    match operator {
        Operator::Equal | Operator::DoubleEqual | Operator::In | Operator::Intersects => same(left, right),
        Operator::NotEqual => !same(left, right),
        Operator::Less | Operator::LessEqual | Operator::Greater | Operator::GreaterEqual => {
            ordered(operator, left, right)
        }
        Operator::Contains | Operator::BContains => {
            text(|left, right| bstr::ByteSlice::find(left, right).is_some())
        }
        Operator::IContains => text(contains_folded),
        Operator::StartsWith | Operator::BStartsWith => text(|left, right| left.starts_with(right)),
        Operator::EndsWith => text(|left, right| left.ends_with(right)),
        Operator::Glob => text(|left, right| glob(right, left, false)),
        Operator::IGlob => text(|left, right| glob(right, left, true)),
        // The loader refuses these.
        Operator::Regex | Operator::PMatch | Operator::Exists => false,
    }
}

fn contains_folded(text: &[u8], needle: &[u8]) -> bool {
    needle.is_empty() || text.windows(needle.len()).any(|part| part.eq_ignore_ascii_case(needle))
}

fn within(ip: IpAddr, base: IpAddr, prefix: u8) -> bool {
    let prefix = u32::from(prefix);
    match (ip, base) {
        (IpAddr::V4(ip), IpAddr::V4(base)) => {
            (ip.to_bits() ^ base.to_bits()).checked_shr(32 - prefix.min(32)).unwrap_or(0) == 0
        }
        (IpAddr::V6(ip), IpAddr::V6(base)) => {
            (ip.to_bits() ^ base.to_bits()).checked_shr(128 - prefix.min(128)).unwrap_or(0) == 0
        }
        _ => false,
    }
}
