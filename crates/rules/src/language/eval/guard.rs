//! Which rules are worth a look: most name a program, a port or the beginning of a path that the event must have.
//!
//! A guard is a part of a rule's top `and`. It leaves out rules that cannot match and decides nothing else: what
//! it lets through is evaluated as a whole.

use rustc_hash::FxHashMap;

use super::{
    compile::{Node, NodeId, Program, Right, TermId},
    machine::Pass,
    pred::Pred,
    value::{Scalar, Value},
};
use crate::language::Literal;

/// The guards of the rules of one event's name, by their places in the list.
#[derive(Debug, Default)]
pub(super) struct Guards {
    /// A bit for each rule without a guard.
    always: Vec<u64>,
    groups: Vec<Group>,
}

/// Guards that look at the same term.
#[derive(Debug)]
struct Group {
    term: TermId,
    texts: FxHashMap<Box<[u8]>, Vec<u32>>,
    numbers: FxHashMap<i128, Vec<u32>>,
    /// Sorted.
    prefixes: Vec<Prefix>,
    /// Every rule of the group.
    all: Vec<u32>,
}

#[derive(Debug)]
struct Prefix {
    text: Box<[u8]>,
    /// The longest other prefix that this one begins with.
    shorter: Option<usize>,
    rules: Vec<u32>,
}

/// The best guard is the one that the fewest events pass.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Rank {
    Text,
    Texts(usize),
    Number,
    Prefixes(usize),
}

fn guard(program: &Program, node: NodeId) -> Option<(Rank, TermId, &Pred)> {
    let Some(Node::Test(test)) = program.nodes.get(node as usize) else { return None };
    let Right::Constant(pred) = &test.right else { return None };
    let rank = match pred {
        Pred::Is(Literal::Text(_)) => Rank::Text,
        Pred::Texts(texts) => Rank::Texts(texts.len()),
        Pred::Is(Literal::Signed(_) | Literal::Unsigned(_)) => Rank::Number,
        Pred::Prefixes(prefixes) if prefixes.iter().all(|prefix| !prefix.is_empty()) => {
            Rank::Prefixes(prefixes.len())
        }
        _ => return None,
    };
    Some((rank, test.left, pred))
}

impl Guards {
    pub(super) fn new(program: &Program, roots: &[(u32, NodeId)]) -> Self {
        let mut guards = Self { always: vec![0; roots.len().div_ceil(64)], groups: Vec::new() };
        for (place, (_, root)) in (0..).zip(roots) {
            let parts = match program.nodes.get(*root as usize) {
                Some(Node::And(parts)) => &**parts,
                _ => std::slice::from_ref(root),
            };
            let best = parts.iter().filter_map(|part| guard(program, *part)).min_by(|a, b| a.0.cmp(&b.0));
            match best {
                Some((_, term, pred)) => guards.add(term, pred, place),
                None => set(&mut guards.always, place),
            }
        }
        // To compute a term for one rule saves nothing.
        let (groups, single): (Vec<_>, Vec<_>) =
            std::mem::take(&mut guards.groups).into_iter().partition(|group| group.all.len() > 1);
        single.iter().flat_map(|group| &group.all).for_each(|place| set(&mut guards.always, *place));
        guards.groups = groups;
        guards.groups.iter_mut().for_each(Group::sort);
        guards
    }

    fn add(&mut self, term: TermId, pred: &Pred, place: u32) {
        if let Some(group) = self.groups.iter_mut().find(|group| group.term == term) {
            return group.add(pred, place);
        }
        let mut group = Group {
            term,
            texts: FxHashMap::default(),
            numbers: FxHashMap::default(),
            prefixes: Vec::new(),
            all: Vec::new(),
        };
        group.add(pred, place);
        self.groups.push(group);
    }

    /// Sets the bit of every rule that may match.
    pub(super) fn candidates<'a>(
        &'a self,
        program: &'a Program,
        pass: &mut Pass<'a, '_>,
        bits: &mut Vec<u64>,
    ) {
        bits.resize(self.always.len(), 0);
        bits.iter_mut().zip(&self.always).for_each(|(bits, always)| *bits |= always);
        for group in &self.groups {
            let value = program.term(group.term, pass);
            group.pick(value, pass, bits);
        }
    }
}

impl Group {
    fn add(&mut self, pred: &Pred, place: u32) {
        self.all.push(place);
        match pred {
            Pred::Is(Literal::Text(text)) => {
                self.texts.entry(text.as_slice().into()).or_default().push(place)
            }
            Pred::Texts(texts) => {
                for text in texts {
                    self.texts.entry(text.clone()).or_default().push(place);
                }
            }
            Pred::Is(Literal::Signed(number)) => {
                self.numbers.entry((*number).into()).or_default().push(place)
            }
            Pred::Is(Literal::Unsigned(number)) => {
                self.numbers.entry((*number).into()).or_default().push(place);
            }
            Pred::Prefixes(prefixes) => {
                for prefix in prefixes {
                    self.prefixes.push(Prefix { text: prefix.clone(), shorter: None, rules: vec![place] });
                }
            }
            _ => {}
        }
    }

    fn sort(&mut self) {
        self.prefixes.sort_by(|left, right| left.text.cmp(&right.text));
        self.prefixes.dedup_by(|later, kept| {
            let same = later.text == kept.text;
            if same {
                kept.rules.append(&mut later.rules);
            }
            same
        });
        let mut chain: Vec<usize> = Vec::new();
        for at in 0..self.prefixes.len() {
            let begins = |shorter: &usize| match (self.prefixes.get(at), self.prefixes.get(*shorter)) {
                (Some(prefix), Some(shorter)) => prefix.text.starts_with(&shorter.text),
                _ => false,
            };
            while chain.last().is_some_and(|last| !begins(last)) {
                chain.pop();
            }
            let shorter = chain.last().copied();
            if let Some(prefix) = self.prefixes.get_mut(at) {
                prefix.shorter = shorter;
            }
            chain.push(at);
        }
    }

    fn pick(&self, value: Value<'_>, pass: &Pass<'_, '_>, bits: &mut [u64]) {
        let mut add = |rules: Option<&Vec<u32>>| {
            rules.into_iter().flatten().for_each(|place| set(bits, *place));
        };
        match pass.scratch.scalar(value) {
            None if matches!(value, Value::Missing) => {}
            Some(Scalar::Text(text)) => {
                if !self.texts.is_empty() {
                    add(self.texts.get(text));
                }
                // What the value begins with is what stands before it in the order, or begins that.
                let behind = self.prefixes.partition_point(|prefix| *prefix.text <= *text);
                let mut next = behind.checked_sub(1);
                while let Some(prefix) = next.and_then(|at| self.prefixes.get(at)) {
                    if text.starts_with(&prefix.text) {
                        add(Some(&prefix.rules));
                    }
                    next = prefix.shorter;
                }
            }
            Some(Scalar::Signed(number)) => add(self.numbers.get(&number.into())),
            Some(Scalar::Unsigned(number)) => add(self.numbers.get(&number.into())),
            // Several values, or what no guard looks at.
            Some(Scalar::Bool(_) | Scalar::Address(_)) | None => add(Some(&self.all)),
        }
    }
}

fn set(bits: &mut [u64], place: u32) {
    if let Some(word) = bits.get_mut(place as usize / 64) {
        *word |= 1 << (place % 64);
    }
}
