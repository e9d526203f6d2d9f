//! Which rules are worth a look: most name a program, a port or the beginning of a path that the event must have.
//!
//! A guard is a part of a rule's `and`, or one part of each branch of an `or`. It leaves out rules that cannot match
//! and decides nothing else: what it lets through is evaluated as a whole. Parts that several rules need are looked
//! at first: when one is false, all these rules are done.

mod group;

use rustc_hash::FxHashMap;

use super::{
    actor::{self, OpenRules},
    compile::{Node, NodeId, Program, Right, TermId, TermNode},
    engine::Root,
    machine::Pass,
    pred::Pred,
};
use crate::language::Literal;

use group::{Group, literal, set};

/// The guards of the rules of one event's name, by their places in the list.
#[derive(Debug, Default)]
pub(super) struct Guards {
    /// A bit for each rule without a guard.
    always: Vec<u64>,
    groups: Vec<Group>,
    /// Of the parts that several rules need, those that cost next to nothing.
    first: Vec<(NodeId, Box<[u64]>)>,
    /// Parts that several rules need, with a bit for each of these. The most telling first.
    shared: Vec<(NodeId, Box<[u64]>)>,
}

/// One way in which a condition can hold: a test that must hold then.
type Trigger<'p> = (TermId, &'p Pred);

/// The tests one of which must hold when the part does, and how many events will pass them: the fewer the better.
/// None when there is no such set.
///
/// What depends on the actor alone is the last choice where answers about it are kept (`remembers`).
fn triggers(program: &Program, node: NodeId, remembers: bool) -> Option<(usize, Vec<Trigger<'_>>)> {
    /// More ways than this are not worth it.
    const WAYS_MAX: usize = 64;
    /// What holds more often than this tells nothing.
    const ODDS_MAX: f32 = 0.5;
    /// Ways that any other choice is better than.
    const LAST: usize = 1000;
    match program.nodes.get(node as usize)? {
        Node::Test(test) => {
            let Right::Constant(pred) = &test.right else { return None };
            if program.weights.get(node as usize)?.odds() > ODDS_MAX {
                return None;
            }
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
                Pred::Paths(paths) if paths.iter().all(|path| path.literal().is_some()) => 4 + paths.len(),
                _ => return None,
            };
            let last = if remembers && actor::bit(program, node).is_some() { LAST } else { 0 };
            Some((passes + last, vec![(test.left, pred)]))
        }
        Node::And(parts) => {
            let parts = parts.iter().filter_map(|part| triggers(program, *part, remembers));
            parts.min_by_key(|(passes, _)| *passes)
        }
        Node::Or(parts) => {
            let mut all = (0, Vec::new());
            for part in parts {
                let (passes, ways) = triggers(program, *part, remembers)?;
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

/// Parts that are looked at before anything else.
const FIRST_MAX: usize = 3;

impl Guards {
    /// `remembers`: for these events answers about the actor are kept.
    pub(super) fn new(program: &Program, roots: &[Root], remembers: bool) -> Self {
        let mut guards = Self { always: vec![0; roots.len().div_ceil(64)], ..Self::default() };
        for (place, root) in (0..).zip(roots) {
            match triggers(program, root.node, remembers) {
                Some((_, ways)) => ways.into_iter().for_each(|(term, pred)| guards.add(term, pred, place)),
                None => set(&mut guards.always, place),
            }
        }
        // To compute a costly term for one rule saves nothing.
        let worth = |group: &Group| group.several() || is_cheap(program, group.term);
        let (groups, single): (Vec<_>, Vec<_>) =
            std::mem::take(&mut guards.groups).into_iter().partition(worth);
        single.iter().flat_map(|group| &group.all).for_each(|place| set(&mut guards.always, *place));
        guards.groups = groups;
        guards.groups.iter_mut().for_each(Group::sort);
        guards.shared = shared(program, roots);
        let telling = guards.shared.iter().filter(|(node, _)| {
            program.weights.get(*node as usize).is_some_and(|weight| weight.is_bargain())
        });
        guards.first = telling.take(FIRST_MAX).cloned().collect();
        guards
    }

    fn add(&mut self, term: TermId, pred: &Pred, place: u32) {
        if let Some(group) = self.groups.iter_mut().find(|group| group.term == term) {
            return group.add(pred, place);
        }
        let mut group = Group::new(term, self.always.len());
        group.add(pred, place);
        self.groups.push(group);
    }

    /// Sets the bit of every rule that may match in `all`; of those that are `open` to the actor. `bits` and `left`
    /// are room.
    pub(super) fn candidates<'a>(
        &'a self,
        program: &'a Program,
        pass: &mut Pass<'a, '_>,
        open: &mut OpenRules<'_>,
        (bits, left): (&mut Vec<u64>, &mut Vec<u64>),
        all: &mut Vec<u64>,
    ) {
        all.resize(self.always.len(), 0);
        left.clear();
        left.extend_from_slice(open.0);
        for (node, rules) in &self.first {
            if meet(left, rules) && !program.node(*node, pass) {
                left.iter_mut().zip(rules).for_each(|(left, rules)| *left &= !rules);
            }
        }
        bits.clear();
        bits.extend_from_slice(&self.always);
        for group in &self.groups {
            if meet(left, &group.bits) {
                let value = program.term(group.term, pass);
                group.pick(value, pass, left, bits);
            }
        }
        let mut any = 0;
        for (bits, left) in bits.iter_mut().zip(&*left) {
            *bits &= *left;
            any |= *bits;
        }
        if any == 0 {
            return;
        }
        for (node, rules) in &self.shared {
            // For one rule it is looked at with the rule, if at all.
            if several(bits, rules) && !program.node(*node, pass) {
                let of_actor = actor::bit(program, *node).is_some();
                for ((bits, open), rules) in bits.iter_mut().zip(&mut *open.0).zip(rules) {
                    *bits &= !rules;
                    if of_actor {
                        *open &= !rules;
                    }
                }
            }
        }
        for (all, bits) in all.iter_mut().zip(bits) {
            *all |= *bits;
        }
    }
}

/// Whether some bit is set in both.
fn meet(left: &[u64], right: &[u64]) -> bool {
    left.iter().zip(right).any(|(left, right)| left & right != 0)
}

/// Whether more than one bit is set in both.
fn several(left: &[u64], right: &[u64]) -> bool {
    let mut one = false;
    left.iter().zip(right).any(|(left, right)| {
        // Not counted: processors without an instruction for it take a dozen others.
        let both = left & right;
        let more = both & both.wrapping_sub(1) != 0 || one && both != 0;
        one |= both != 0;
        more
    })
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
