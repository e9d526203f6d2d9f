//! Lists: their final content, and where conditions name them.

use std::collections::HashSet;

use bstr::ByteSlice;
use sentinel_event::Text;

use super::{
    ast::{Check, Expr, Right, Value},
    diagnostic::{Code, ItemType},
    journal::{About, Journal},
    lexer::is_bare,
    merge::{Collection, Defined, Named},
    order,
    parse::unquoted,
    source::Scalar,
};

/// How many values the lists of a load, and the conditions they stand in, may have.
const VALUES_MAX: usize = 2_000_000;

/// How many lists with blanks in their names conditions can use: each is tried at each constant.
const SPACED_MAX: usize = 100;

/// The lists of a load with everything in them.
#[derive(Debug)]
pub(super) struct Lists<'a> {
    lists: &'a Named<Defined<Vec<Scalar>>>,
    values: Vec<Vec<Text>>,
    /// Names with blanks, which are no words of a condition; the longest first.
    pub(super) spaced: Vec<&'a str>,
    used: HashSet<usize>,
    /// How many more values there may be.
    left: usize,
}

/// The lists would have too many values.
pub(super) const TOO_MANY: &str = "lists expand to more than 2,000,000 values";

impl<'a> Lists<'a> {
    /// Replaces each item that names a visible list by that list.
    pub(super) fn new(collection: &'a Collection, journal: &mut Journal<'_>) -> Self {
        let lists = &collection.lists;
        let edges: Vec<Vec<usize>> = lists
            .values
            .iter()
            .map(|list| list.body.iter().filter_map(|item| named(lists, list, item)).collect())
            .collect();
        let ordered = order::order(&edges);
        for &index in &ordered.loops {
            let Some(list) = lists.values.get(index) else { continue };
            let message = format!("reference loop in list '{}'", list.name);
            journal.note(Code::Validate, About { item: ItemType::List, name: &list.name }, list.at, message);
        }
        let mut spaced: Vec<&str> =
            lists.names().filter(|name| name.contains(' ') && !name.bytes().all(is_bare)).collect();
        spaced.sort_by_key(|name| (std::cmp::Reverse(name.len()), *name));
        spaced.truncate(SPACED_MAX);
        let values = vec![Vec::new(); lists.values.len()];
        let mut resolved = Self { lists, values, spaced, used: HashSet::new(), left: VALUES_MAX };
        for index in ordered.order {
            resolved.resolve(index, journal);
        }
        resolved
    }

    fn resolve(&mut self, index: usize, journal: &mut Journal<'_>) {
        let Some(list) = self.lists.values.get(index) else { return };
        let about = About { item: ItemType::List, name: &list.name };
        let mut values = Vec::new();
        for item in &list.body {
            let before = values.len();
            match named(self.lists, list, item) {
                Some(other) => {
                    self.used.insert(other);
                    let others = self.values.get(other).map(Vec::as_slice).unwrap_or_default();
                    if others.len() > self.left {
                        journal.note(Code::Validate, about, item.at, TOO_MANY);
                        return;
                    }
                    values.extend_from_slice(others);
                }
                None => match unquoted(&item.text) {
                    Ok(text) => values.push(text.unwrap_or_else(|| item.text.as_str().into())),
                    Err(error) => {
                        let message = format!("item {} of the list: {}", item.text, error.message);
                        journal.note(Code::Validate, about, item.at, message);
                    }
                },
            }
            self.left = self.left.saturating_sub(values.len() - before);
        }
        if let Some(slot) = self.values.get_mut(index) {
            *slot = values;
        }
    }

    /// The lists that nothing names.
    pub(super) fn unused(&self) -> impl Iterator<Item = &'a Defined<Vec<Scalar>>> {
        self.lists
            .values
            .iter()
            .enumerate()
            .filter(|(index, _)| !self.used.contains(index))
            .map(|(_, list)| list)
    }

    /// Puts the lists in place. The error is where there was no room for one.
    pub(super) fn expand(&mut self, expr: &mut Expr) -> Result<(), usize> {
        match expr {
            Expr::And(parts) | Expr::Or(parts) => parts.iter_mut().try_for_each(|part| self.expand(part)),
            Expr::Not(part) => self.expand(part),
            Expr::Macro(..) => Ok(()),
            Expr::Check(check) => self.expand_check(check),
        }
    }

    fn expand_check(&mut self, check: &mut Check) -> Result<(), usize> {
        match &mut check.right {
            Right::List(_, values) => {
                if values.iter().any(|value| self.find(value).is_some()) {
                    let mut expanded = Vec::with_capacity(values.len());
                    for value in values.drain(..) {
                        self.take(value, &mut expanded)?;
                    }
                    *values = expanded;
                }
            }
            Right::Word(modifier, word) if self.find(word).is_some() => {
                let mut expanded = Vec::new();
                self.take(word.clone(), &mut expanded)?;
                check.right = Right::List(*modifier, expanded);
            }
            Right::Word(..) | Right::Nothing | Right::Value(_) | Right::Field(_) | Right::Transform(_) => {}
        }
        Ok(())
    }

    fn find(&self, value: &Value) -> Option<usize> {
        if value.bare { self.lists.find(value.text.to_str().ok()?) } else { None }
    }

    fn take(&mut self, value: Value, expanded: &mut Vec<Value>) -> Result<(), usize> {
        let Some(index) = self.find(&value) else {
            expanded.push(value);
            return Ok(());
        };
        self.used.insert(index);
        let items = self.values.get(index).map(Vec::as_slice).unwrap_or_default();
        self.left = self.left.checked_sub(items.len()).ok_or(value.at.0)?;
        expanded.extend(items.iter().map(|text| Value { text: text.clone(), bare: false, at: value.at }));
        Ok(())
    }
}

/// The list that an item names.
fn named(lists: &Named<Defined<Vec<Scalar>>>, list: &Defined<Vec<Scalar>>, item: &Scalar) -> Option<usize> {
    let index = lists.find(&item.text)?;
    let other = lists.values.get(index)?;
    (list.name != other.name && list.sees(other)).then_some(index)
}
