//! Items of all files, merged by name.

mod rule;

use std::collections::HashMap;

pub(super) use rule::RawRule;

use super::{
    diagnostic::{Code, ItemType},
    item::Fragment,
    journal::{About, Journal},
    source::{Scalar, Source},
    yaml::Mark,
};

/// What items there are, by name, in the order of their first definition.
#[derive(Debug, Default)]
pub(super) struct Collection {
    pub(super) lists: Named<Defined<Vec<Scalar>>>,
    pub(super) macros: Named<Defined<Source>>,
    pub(super) rules: Named<RawRule>,
    /// Items seen so far: who can see whom depends on it.
    clock: usize,
}

/// Values with names, in the order of their first appearance.
#[derive(Debug)]
pub(super) struct Named<T> {
    pub(super) values: Vec<T>,
    index: HashMap<String, usize>,
}

impl<T> Default for Named<T> {
    fn default() -> Self {
        Self { values: Vec::new(), index: HashMap::new() }
    }
}

impl<T> Named<T> {
    pub(super) fn find(&self, name: &str) -> Option<usize> {
        self.index.get(name).copied()
    }

    fn get_mut(&mut self, name: &str) -> Option<&mut T> {
        self.values.get_mut(*self.index.get(name)?)
    }

    pub(super) fn names(&self) -> impl Iterator<Item = &str> {
        self.index.keys().map(String::as_str)
    }

    fn add(&mut self, name: &str, value: T) {
        self.index.insert(name.to_owned(), self.values.len());
        self.values.push(value);
    }
}

/// A list or a macro.
#[derive(Debug)]
pub(super) struct Defined<T> {
    pub(super) name: String,
    /// Where it was last defined.
    pub(super) at: Mark,
    pub(super) body: T,
    /// When it was first defined: whoever is last defined later sees it.
    pub(super) first: usize,
    /// When it was last defined or added to.
    pub(super) last: usize,
}

impl<T> Defined<T> {
    /// Whether it may name `other`.
    pub(super) const fn sees(&self, other: &Self) -> bool {
        other.first < self.last
    }
}

impl Collection {
    pub(super) fn add_list(&mut self, item: Fragment<Vec<Scalar>>, journal: &mut Journal<'_>) {
        let missing =
            "List uses 'append' or 'override.items: append' but no list by that name already exists";
        let about = About { item: ItemType::List, name: &item.name };
        self.clock += 1;
        let now = self.clock;
        match self.lists.get_mut(&item.name) {
            Some(list) if item.append => {
                list.body.extend(item.body);
                list.last = now;
            }
            Some(list) => {
                list.body = item.body;
                list.at = item.at;
                list.last = now;
            }
            None if item.append => journal.note(Code::Validate, about, item.at, missing),
            None => {
                let Fragment { name, at, body, .. } = item;
                self.lists.add(&name.clone(), Defined { name, at, body, first: now, last: now });
            }
        }
    }

    pub(super) fn add_macro(&mut self, item: Fragment<Scalar>, journal: &mut Journal<'_>) {
        let missing =
            "Macro uses 'append' or 'override.condition: append' but no macro by that name already exists";
        let about = About { item: ItemType::Macro, name: &item.name };
        self.clock += 1;
        let now = self.clock;
        match self.macros.get_mut(&item.name) {
            Some(known) if item.append => {
                known.body.append(item.body);
                known.last = now;
            }
            Some(known) => {
                known.body = Source::new(item.body);
                known.at = item.at;
                known.last = now;
            }
            None if item.append => journal.note(Code::Validate, about, item.at, missing),
            None => {
                let Fragment { name, at, body, .. } = item;
                let body = Source::new(body);
                self.macros.add(&name.clone(), Defined { name, at, body, first: now, last: now });
            }
        }
    }
}
