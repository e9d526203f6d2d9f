//! Tests of one field in an `or`, which become one test with a set.

use crate::language::{Comparand, Literal, Modifier, Operator, Term, Test};

/// The tests of an `or`, by field and operator.
#[derive(Default)]
pub(super) struct Merged<'a>(pub(super) Vec<Group<'a>>);

/// Tests that become one.
pub(super) struct Group<'a> {
    pub(super) left: &'a Term,
    pub(super) operator: Operator,
    pub(super) literals: Vec<Literal>,
    /// Where the first of them stood.
    pub(super) place: usize,
}

impl<'a> Merged<'a> {
    /// Takes a test that can be merged: `f = a or f in (b, c)` is `f in (a, b, c)`.
    pub(super) fn take(&mut self, test: &'a Test, place: usize) -> bool {
        if test.left.ty().1 {
            return false;
        }
        let operator = match (test.operator, &test.right) {
            (Operator::Equal | Operator::In | Operator::Intersects, _) => Operator::Equal,
            (Operator::StartsWith | Operator::PMatch, _) => test.operator,
            _ => return false,
        };
        let literals = match &test.right {
            Comparand::One(literal) => std::slice::from_ref(literal),
            Comparand::Many(None | Some(Modifier::AnyOf), literals) => literals,
            _ => return false,
        };
        match self.0.iter_mut().find(|group| group.operator == operator && *group.left == test.left) {
            Some(group) => group.literals.extend_from_slice(literals),
            None => self.0.push(Group { left: &test.left, operator, literals: literals.to_vec(), place }),
        }
        true
    }
}
