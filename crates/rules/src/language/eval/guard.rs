//! Which rules are worth a look: most name a program, a port or the beginning of a path that the event must have.
//!
//! A guard is a part of a rule's `and`, or one part of each branch of an `or`. It leaves out rules that cannot match
//! and decides nothing else: what it lets through is evaluated as a whole. Parts that several rules need are looked
//! at first: when one is false, all these rules are done.

use aho_corasick::AhoCorasick;
use rustc_hash::FxHashMap;

use super::{
    compile::{Node, NodeId, Program, Right, TermId, TermNode},
    engine::Root,
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
    /// Parts that several rules need, with a bit for each of these. The most telling first.
    shared: Vec<(NodeId, Box<[u64]>)>,
}

/// Guards that look at the same term.
#[derive(Debug)]
struct Group {
    term: TermId,
    texts: FxHashMap<Box<[u8]>, Vec<u32>>,
    numbers: FxHashMap<i128, Vec<u32>>,
    /// Sorted.
    prefixes: Vec<Prefix>,
    /// By their last byte.
    ends: FxHashMap<u8, Ends>,
    words: Words,
    /// Every rule of the group.
    all: Vec<u32>,
}

/// Ends, each with its rule.
type Ends = Vec<(Box<[u8]>, u32)>;

/// Words that may stand anywhere.
#[derive(Debug, Default)]
struct Words {
    words: Vec<Box<[u8]>>,
    /// By word.
    rules: Vec<u32>,
    /// None when there is none, or too many for it: then every word may be there.
    search: Option<AhoCorasick>,
}

#[derive(Debug)]
struct Prefix {
    text: Box<[u8]>,
    /// The longest other prefix that this one begins with.
    shorter: Option<usize>,
    rules: Vec<u32>,
}

/// One way in which a condition can hold: a test that must hold then.
type Trigger<'p> = (TermId, &'p Pred);

/// The tests one of which must hold when the part does, and how many events will pass them: the fewer the better.
/// None when there is no such set.
fn triggers(program: &Program, node: NodeId) -> Option<(usize, Vec<Trigger<'_>>)> {
    /// More ways than this are not worth it.
    const WAYS_MAX: usize = 64;
    match program.nodes.get(node as usize)? {
        Node::Test(test) => {
            let Right::Constant(pred) = &test.right else { return None };
            let passes = match pred {
                Pred::Is(Literal::Text(_)) => 1,
                Pred::Texts(texts) => 2 + texts.len() / 8,
                Pred::EndsWith(end) if !end.is_empty() && is_cheap(program, test.left) => 3,
                Pred::Is(Literal::Signed(_) | Literal::Unsigned(_)) => 4,
                Pred::Prefixes(prefixes) if prefixes.iter().all(|prefix| !prefix.is_empty()) => {
                    4 + prefixes.len()
                }
                Pred::Glob(pattern, false) if !literal(pattern).is_empty() => 5,
                Pred::Contains(word) if !word.needle().is_empty() && is_cheap(program, test.left) => 6,
                _ => return None,
            };
            Some((passes, vec![(test.left, pred)]))
        }
        Node::And(parts) => {
            let parts = parts.iter().filter_map(|part| triggers(program, *part));
            parts.min_by_key(|(passes, _)| *passes)
        }
        Node::Or(parts) => {
            let mut all = (0, Vec::new());
            for part in parts {
                let (passes, ways) = triggers(program, *part)?;
                all.0 += passes;
                all.1.extend(ways);
            }
            (all.1.len() <= WAYS_MAX).then_some(all)
        }
        Node::True | Node::False | Node::Not(_) => None,
    }
}

/// Whether the term costs little on files, so that it may be computed for rules that would not come to it.
fn is_cheap(program: &Program, term: TermId) -> bool {
    matches!(
        program.terms.get(term as usize),
        Some(TermNode::Field { built, name, .. }) if !built || *name == "fd.name"
    )
}

/// What every match of a glob begins with.
fn literal(pattern: &[u8]) -> &[u8] {
    let end = pattern.iter().position(|byte| b"*?[\\{".contains(byte));
    pattern.get(..end.unwrap_or(pattern.len())).unwrap_or_default()
}

impl Guards {
    pub(super) fn new(program: &Program, roots: &[Root]) -> Self {
        let mut guards = Self { always: vec![0; roots.len().div_ceil(64)], ..Self::default() };
        for (place, root) in (0..).zip(roots) {
            match triggers(program, root.node) {
                Some((_, ways)) => ways.into_iter().for_each(|(term, pred)| guards.add(term, pred, place)),
                None => set(&mut guards.always, place),
            }
        }
        // To compute a term for one rule saves nothing.
        let (groups, single): (Vec<_>, Vec<_>) =
            std::mem::take(&mut guards.groups).into_iter().partition(|group| group.several());
        single.iter().flat_map(|group| &group.all).for_each(|place| set(&mut guards.always, *place));
        guards.groups = groups;
        guards.groups.iter_mut().for_each(Group::sort);
        guards.shared = shared(program, roots);
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
            ends: FxHashMap::default(),
            words: Words::default(),
            all: Vec::new(),
        };
        group.add(pred, place);
        self.groups.push(group);
    }

    /// Sets the bit of every rule that may match in `all`. `bits` is room.
    pub(super) fn candidates<'a>(
        &'a self,
        program: &'a Program,
        pass: &mut Pass<'a, '_>,
        bits: &mut Vec<u64>,
        all: &mut Vec<u64>,
    ) {
        bits.clear();
        bits.extend_from_slice(&self.always);
        for group in &self.groups {
            let value = program.term(group.term, pass);
            group.pick(value, pass, bits);
        }
        for (node, rules) in &self.shared {
            // For one rule it is looked at with the rule, if at all.
            let left: u32 = bits.iter().zip(rules).map(|(bits, rules)| (bits & rules).count_ones()).sum();
            if left > 1 && !program.node(*node, pass) {
                bits.iter_mut().zip(rules).for_each(|(bits, rules)| *bits &= !rules);
            }
        }
        all.resize(self.always.len(), 0);
        all.iter_mut().zip(bits).for_each(|(all, bits)| *all |= *bits);
    }
}

/// The parts that several rules cannot do without.
fn shared(program: &Program, roots: &[Root]) -> Vec<(NodeId, Box<[u64]>)> {
    /// A part of fewer rules is looked at with the rules.
    const RULES_MIN: usize = 2;
    /// More are not worth their own time.
    const PARTS_MAX: usize = 8;
    fn needed(program: &Program, node: NodeId, each: &mut impl FnMut(NodeId)) {
        each(node);
        if let Some(Node::And(parts)) = program.nodes.get(node as usize) {
            parts.iter().for_each(|part| needed(program, *part, each));
        }
    }
    let mut rules: FxHashMap<NodeId, Vec<u32>> = FxHashMap::default();
    for (place, root) in (0..).zip(roots) {
        needed(program, root.node, &mut |node| {
            let places = rules.entry(node).or_default();
            if places.last() != Some(&place) {
                places.push(place);
            }
        });
    }
    let worth = |node: NodeId, rules: usize| {
        program.weights.get(node as usize).map_or(0.0, |weight| weight.saves(rules))
    };
    let mut parts: Vec<_> = rules.into_iter().filter(|(_, rules)| rules.len() >= RULES_MIN).collect();
    parts.sort_by(|(left, ours), (right, theirs)| {
        worth(*right, theirs.len()).total_cmp(&worth(*left, ours.len())).then(left.cmp(right))
    });
    parts.truncate(PARTS_MAX);
    let bits = |rules: Vec<u32>| {
        let mut bits = vec![0; roots.len().div_ceil(64)];
        rules.into_iter().for_each(|place| set(&mut bits, place));
        bits.into_boxed_slice()
    };
    parts.into_iter().map(|(node, rules)| (node, bits(rules))).collect()
}

impl Group {
    /// More than one rule is in it.
    fn several(&self) -> bool {
        self.all.iter().any(|place| self.all.first() != Some(place))
    }

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
            Pred::Glob(pattern, _) => {
                self.prefixes.push(Prefix {
                    text: literal(pattern).into(),
                    shorter: None,
                    rules: vec![place],
                });
            }
            Pred::EndsWith(end) => {
                if let Some(last) = end.last() {
                    self.ends.entry(*last).or_default().push((end.clone(), place));
                }
            }
            Pred::Contains(word) => {
                self.words.words.push(word.needle().into());
                self.words.rules.push(place);
            }
            _ => {}
        }
    }

    fn sort(&mut self) {
        if !self.words.words.is_empty() {
            self.words.search = AhoCorasick::new(&self.words.words).ok();
        }
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
                let ends = text.last().and_then(|last| self.ends.get(last));
                for (end, place) in ends.into_iter().flatten() {
                    if text.ends_with(end) {
                        set(bits, *place);
                    }
                }
                self.words.find(text, |place| set(bits, place));
            }
            Some(Scalar::Signed(number)) => add(self.numbers.get(&number.into())),
            Some(Scalar::Unsigned(number)) => add(self.numbers.get(&number.into())),
            // Several values, or what no guard looks at.
            Some(Scalar::Bool(_) | Scalar::Address(_)) | None => add(Some(&self.all)),
        }
    }
}

impl Words {
    fn find(&self, text: &[u8], mut found: impl FnMut(u32)) {
        let Some(search) = &self.search else { return self.rules.iter().for_each(|place| found(*place)) };
        for word in search.find_overlapping_iter(text) {
            if let Some(place) = self.rules.get(word.pattern().as_usize()) {
                found(*place);
            }
        }
    }
}

fn set(bits: &mut [u64], place: u32) {
    if let Some(word) = bits.get_mut(place as usize / 64) {
        *word |= 1 << (place % 64);
    }
}
