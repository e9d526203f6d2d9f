//! Rules by event, and their evaluation.

use sentinel_event::{Kind, KindSet, Observation};

use super::{
    Matching, Selection, Witness,
    alert::{Alert, Output},
    compile::{Builder, FALSE, NodeId, Program, TRUE},
    guard::Guards,
    machine::{Pass, Results},
    names,
    value::Scratch,
    view::{View, has_two_witnesses},
};
use crate::language::{Rule, RuleSet};

/// What alerts say of the host, which the crate does not ask for itself.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Node {
    /// Name of the host; empty when it is not known, and then `evt.hostname` is missing.
    pub hostname: String,
    /// Seconds that local time is ahead of UTC, for `evt.time`.
    pub utc_offset_s: i32,
}

/// The rules in use, compiled. It does not change, so threads may share it; each brings its own [`Memory`].
#[derive(Debug)]
pub struct Engine {
    rules: Vec<Rule>,
    outputs: Vec<Output>,
    program: Program,
    /// By the slot of an event's name: rules that can match it, in the order of definition.
    index: Vec<Vec<(u32, NodeId)>>,
    /// By the same slot.
    guards: Vec<Guards>,
    matching: Matching,
    node: Node,
}

/// What an evaluation needs and keeps: room, the number of the event, times of earlier events. It may go on with
/// another engine when rules are loaded again.
#[derive(Debug, Default)]
pub struct Memory {
    kernel: Room,
    caller: Room,
    /// A bit for each rule that may match.
    candidates: Vec<u64>,
    stamp: u32,
    count: u64,
    first_ns: Option<u64>,
    last_ns: u64,
}

/// Room for one look at an event.
#[derive(Debug, Default)]
struct Room {
    results: Results,
    scratch: Scratch,
    spare: Vec<u8>,
}

impl Room {
    fn fit(&mut self, program: &Program) {
        self.results.fit(program);
        self.scratch.clear();
    }

    fn pass<'a>(&mut self, view: View<'a>, stamp: u32) -> Pass<'a, '_> {
        Pass { view, stamp, results: &mut self.results, scratch: &mut self.scratch, spare: &mut self.spare }
    }
}

impl Memory {
    /// How many events have been evaluated.
    pub fn events(&self) -> u64 {
        self.count
    }

    /// A stamp that no result has.
    fn fresh(&mut self, program: &Program) -> u32 {
        const LAST: u32 = u32::MAX >> 1;
        if self.stamp >= LAST {
            self.kernel.results.forget();
            self.caller.results.forget();
            self.stamp = 0;
        }
        self.stamp += 1;
        self.kernel.fit(program);
        self.caller.fit(program);
        self.candidates.clear();
        self.stamp
    }
}

impl Engine {
    /// Compiles the rules that `selection` uses.
    pub fn new(set: RuleSet, selection: &Selection) -> Self {
        let rules: Vec<Rule> = set.rules.into_iter().filter(|rule| selection.uses(rule)).collect();
        let mut builder = Builder::new();
        let mut index = Vec::new();
        for call in names::call_names() {
            let mut roots = Vec::new();
            for (number, rule) in (0..).zip(&rules) {
                if !rule.event_types.contains(call) {
                    continue;
                }
                let root = builder.condition(&rule.condition, call);
                if root != FALSE {
                    roots.push((number, root));
                }
                // Nothing behind a rule that always matches is reached.
                if root == TRUE && selection.matching == Matching::First {
                    break;
                }
            }
            index.push(roots);
        }
        let outputs = rules.iter().map(|rule| Output::new(&rule.output, &mut builder)).collect();
        let (program, matching) = (builder.finish(), selection.matching);
        let guards = index.iter().map(|roots| Guards::new(&program, roots)).collect();
        Self { rules, outputs, program, index, guards, matching, node: Node::default() }
    }

    /// Says what alerts tell of the host.
    #[must_use]
    pub fn with_node(mut self, node: Node) -> Self {
        self.node = node;
        self
    }

    /// The rules in use, in the order of definition.
    pub fn rules(&self) -> &[Rule] {
        &self.rules
    }

    /// The kinds of events that some rule can match: all others need not be evaluated.
    pub fn kinds(&self) -> KindSet {
        let kinds = Kind::ALL.iter().copied();
        kinds.filter(|kind| names::slots_of(*kind).any(|slot| !self.rules_at(slot).is_empty())).collect()
    }

    fn rules_at(&self, slot: usize) -> &[(u32, NodeId)] {
        self.index.get(slot).map(Vec::as_slice).unwrap_or_default()
    }

    /// Evaluates the rules on an event and hands over the alerts.
    ///
    /// A file or an address may have two witnesses: the kernel's object, which another thread may have swapped
    /// before the probe looked, and what the caller asked for ([`sentinel_event::PathFlags::SHARED`]). Then each
    /// rule is judged twice, each time with one of them in *all* its fields, and fires when one judgement says
    /// so; the alert shows the witness that it fired for. So no second name can silence a rule, neither by
    /// `fd.name = …` nor by `not fd.name startswith …`. Where no file was found, what was asked for is the only
    /// witness.
    pub fn evaluate(&self, observation: &Observation, memory: &mut Memory, each: &mut dyn FnMut(Alert<'_>)) {
        let now = observation.event.head.real_ns;
        let first = *memory.first_ns.get_or_insert(now);
        let before = if memory.count == 0 { now } else { memory.last_ns };
        memory.last_ns = now;
        memory.count += 1;
        let Some(call) = names::call_of(&observation.event) else { return };
        let rules = self.rules_at(call.slot);
        if rules.is_empty() {
            return;
        }
        let Some(guards) = self.guards.get(call.slot) else { return };
        let stamp = memory.fresh(&self.program);
        let kernel = View {
            observation,
            witness: Witness::Kernel,
            call,
            node: &self.node,
            number: memory.count,
            relative_ns: now.saturating_sub(first),
            delta_ns: now.saturating_sub(before),
        };
        let mut passes = [Some(memory.kernel.pass(kernel, stamp)), None];
        if let ([_, second], true) = (&mut passes, has_two_witnesses(observation)) {
            *second = Some(memory.caller.pass(View { witness: Witness::Caller, ..kernel }, stamp));
        }
        for pass in passes.iter_mut().flatten() {
            guards.candidates(&self.program, pass, &mut memory.candidates);
        }
        for (word, bits) in memory.candidates.iter().enumerate() {
            let mut bits = *bits;
            while bits != 0 {
                let place = word * 64 + bits.trailing_zeros() as usize;
                bits &= bits - 1;
                let Some((number, root)) = rules.get(place) else { continue };
                let matched = passes.iter_mut().flatten().find_map(|pass| {
                    let truth = self.program.node(*root, pass);
                    truth.then_some(pass.view)
                });
                let Some(view) = matched else { continue };
                let number = *number as usize;
                if let (Some(rule), Some(output)) = (self.rules.get(number), self.outputs.get(number)) {
                    each(Alert { rule, witness: view.witness, output, view, program: &self.program });
                }
                if self.matching == Matching::First {
                    return;
                }
            }
        }
    }
}

/// Runs `read` on a look at an event that is not part of an evaluation.
pub(super) fn aside<'a, T>(
    program: &'a Program,
    view: View<'a>,
    read: impl FnOnce(&'a Program, &mut Pass<'a, '_>) -> T,
) -> T {
    let mut memory = Memory::default();
    let stamp = memory.fresh(program);
    read(program, &mut memory.kernel.pass(view, stamp))
}
