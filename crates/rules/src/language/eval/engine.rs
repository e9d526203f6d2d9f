//! Rules by event, and their evaluation.

use std::sync::atomic::{AtomicU64, Ordering};

use sentinel_event::{Kind, KindSet, Observation};

use super::{
    Matching, Selection, Witness,
    actor::{Actor, Actors},
    alert::{Alert, Output},
    compile::{Builder, FALSE, NodeId, Program, TRUE, TermNode},
    guard::Guards,
    machine::{Pass, Results},
    names,
    state::{Plan, Remembered, States},
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
    /// Of the rules that remember something: by their numbers in `roots`.
    plans: Vec<Plan>,
    /// By the slot of an event's name: what can match it, in the order of definition.
    index: Vec<Slot>,
    /// Tells engines apart.
    number: u64,
    matching: Matching,
    node: Node,
}

/// What is looked at for events of one name.
#[derive(Debug, Default)]
struct Slot {
    roots: Vec<Root>,
    guards: Guards,
    /// One of the roots is of a rule that remembers something.
    remembers: bool,
}

/// A condition of a rule.
#[derive(Debug, Clone, Copy)]
pub(super) struct Root {
    rule: u32,
    pub(super) node: NodeId,
    /// What it needs of the actor.
    pub(super) of_actor: NodeId,
    /// The plan that takes the event when the condition holds, and the step that it is.
    takes: Option<(u32, u8)>,
}

/// What an evaluation needs and keeps: room, the number of the event, times of earlier events. It may go on with
/// another engine when rules are loaded again.
#[derive(Debug, Default)]
pub struct Memory {
    kernel: Room,
    caller: Room,
    actors: Actors,
    /// A bit for each rule that may match.
    candidates: Vec<u64>,
    bits: Vec<u64>,
    left: Vec<u64>,
    stamp: u32,
    count: u64,
    first_ns: Option<u64>,
    last_ns: u64,
    states: States,
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

    fn pass<'a, 'm>(&'m mut self, view: View<'a>, stamp: u32, actor: &'m Actor) -> Pass<'a, 'm> {
        Pass {
            view,
            stamp,
            actor,
            results: &mut self.results,
            scratch: &mut self.scratch,
            spare: &mut self.spare,
        }
    }
}

impl Memory {
    /// How many events have been evaluated.
    pub fn events(&self) -> u64 {
        self.count
    }

    /// What stateful rules hold in this memory. It stays when another engine goes on with it, for rules that are
    /// the same in both: name, condition, and `threshold` or `sequence`.
    pub fn remembered(&self) -> Remembered {
        self.states.remembered()
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
        let mut builder = Builder::new(selection.buffers);
        let (mut plans, mut plan_of) = (Vec::new(), Vec::new());
        for rule in &rules {
            let plan = Plan::new(rule, &mut builder);
            plan_of.push(plan.is_some().then_some(plans.len()));
            plans.extend(plan);
        }
        let mut index: Vec<Slot> = Vec::new();
        for call in names::call_names() {
            let mut slot = Slot::default();
            let mut decided = false;
            for ((number, rule), plan) in (0..).zip(&rules).zip(&plan_of) {
                // Nothing behind a rule that always matches is reached, but by what remembers.
                if !rule.event_types.contains(call) || decided && plan.is_none() {
                    continue;
                }
                let main = builder.condition(&rule.condition, call);
                match (plan, &rule.sequence) {
                    (Some(plan), Some(sequence)) => {
                        for (step, one) in (0..).zip(&sequence.steps) {
                            let part = builder.condition(&one.condition, call);
                            let node = builder.both(main, part);
                            slot.add(&mut builder, number, node, Some((*plan, step)));
                        }
                    }
                    (plan, _) => slot.add(&mut builder, number, main, plan.map(|plan| (plan, 0))),
                }
                decided |= plan.is_none() && main == TRUE && selection.matching == Matching::First;
            }
            index.push(slot);
        }
        let outputs = rules.iter().map(|rule| Output::new(rule, &mut builder)).collect();
        let (program, matching) = (builder.finish(), selection.matching);
        let starts: Vec<_> = names::slots_of(Kind::Exec).collect();
        for (number, slot) in index.iter_mut().enumerate() {
            slot.guards = Guards::new(&program, &slot.roots, !starts.contains(&number));
        }
        static NUMBER: AtomicU64 = AtomicU64::new(1);
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        Self { rules, outputs, program, plans, index, number, matching, node: Node::default() }
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

    /// The kinds of events that some rule in use can match. An event of another kind never matches, so it need
    /// not be evaluated, nor seen by the kernel on the rules' account.
    ///
    /// Derived from the rules as they are compiled: every kind has the names that `evt.type` can be for it (see
    /// [`super::call_name`]); it is in the set when for one of these names some rule's condition is not false
    /// already by the name, or by fields that no event fills.
    pub fn kinds(&self) -> KindSet {
        let kinds = Kind::ALL.iter().copied();
        let some = |slot: usize| self.index.get(slot).is_some_and(|slot| !slot.roots.is_empty());
        kinds.filter(|kind| names::slots_of(*kind).any(some)).collect()
    }

    /// The kinds of events that keep right what rules in use ask of processes, beside those that make the table
    /// of processes: what changes capabilities, when some rule asks for these.
    pub fn state_kinds(&self) -> KindSet {
        let mut kinds = KindSet::NONE;
        if self.asks(|name| name.starts_with("thread.cap_")) {
            kinds.insert(Kind::Setuid);
            kinds.insert(Kind::Capset);
        }
        // Names of addresses are known by the answers that told them.
        if self.asks(|name| name.starts_with("fd.") && name.ends_with("ip.name")) {
            kinds.insert(Kind::Dns);
        }
        kinds
    }

    /// Whether a rule in use, its condition or its output, asks for the environment of programs (`proc.env`):
    /// environments hold secrets, so nobody else reads them.
    pub fn asks_environment(&self) -> bool {
        self.asks(|name| name == "proc.env")
    }

    pub(super) fn asks(&self, of: impl Fn(&str) -> bool) -> bool {
        let asks = |term: &TermNode| matches!(term, TermNode::Field { name, .. } if of(name));
        self.program.terms.iter().any(asks)
    }

    /// The calls without a kind of their own that some rule names: the probe must be told of them, then they
    /// are events of kind `syscall`. A rule that names no event at all asks for none.
    pub fn syscalls(&self) -> Vec<&'static str> {
        const NAMED: usize = 64; // more than anybody writes down; `not evt.type = x` is hundreds
        let naming = |name: &str| {
            self.rules.iter().any(|rule| rule.event_types.len() <= NAMED && rule.event_types.contains(name))
        };
        names::call_names().iter().copied().filter(|name| names::is_generic(name) && naming(name)).collect()
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
        self.evaluate_on(&self.node, observation, memory, each);
    }

    /// As [`Self::evaluate`], for an event of another host: `node` takes the place of what [`Self::with_node`]
    /// said.
    pub fn evaluate_on(
        &self,
        node: &Node,
        observation: &Observation,
        memory: &mut Memory,
        each: &mut dyn FnMut(Alert<'_>),
    ) {
        let now = observation.event.head.real_ns;
        let first = *memory.first_ns.get_or_insert(now);
        let before = if memory.count == 0 { now } else { memory.last_ns };
        memory.last_ns = now;
        memory.count += 1;
        let Some(call) = names::call_of(&observation.event) else { return };
        let Some(slot) = self.index.get(call.slot).filter(|slot| !slot.roots.is_empty()) else { return };
        memory.states.bind(self.number, &self.plans);
        let stamp = memory.fresh(&self.program);
        let kernel = View {
            observation,
            witness: Witness::Kernel,
            call,
            node,
            number: memory.count,
            relative_ns: now.saturating_sub(first),
            delta_ns: now.saturating_sub(before),
        };
        let asks = (self.number, &self.program);
        let (actor, mut open) = memory.actors.of(asks, observation, (call.slot, slot.roots.len()));
        let mut passes = [Some(memory.kernel.pass(kernel, stamp, actor)), None];
        if let ([_, second], true) = (&mut passes, has_two_witnesses(observation)) {
            *second = Some(memory.caller.pass(View { witness: Witness::Caller, ..kernel }, stamp, actor));
        }
        for pass in passes.iter_mut().flatten() {
            let all = &mut memory.candidates;
            let room = (&mut memory.bits, &mut memory.left);
            slot.guards.candidates(&self.program, pass, &mut open, room, all);
        }
        let mut found = false;
        for (word, bits) in memory.candidates.iter().enumerate() {
            let mut bits = *bits;
            while bits != 0 {
                let place = word * 64 + bits.trailing_zeros() as usize;
                bits &= bits - 1;
                let Some(root) = slot.roots.get(place) else { continue };
                if found && root.takes.is_none() {
                    continue;
                }
                if actor.is_known
                    && let Some(pass) = passes.iter_mut().flatten().next()
                    && !self.program.node(root.of_actor, pass)
                {
                    open.close(place);
                    continue;
                }
                let matched = passes.iter_mut().flatten().find_map(|pass| {
                    let truth = self.program.node(root.node, pass);
                    truth.then_some(pass)
                });
                let Some(pass) = matched else { continue };
                if let Some((plan, step)) = root.takes {
                    let number = plan as usize;
                    let Some(plan) = self.plans.get(number) else { continue };
                    if !memory.states.take((number, plan), step.into(), &self.program, pass) {
                        continue;
                    }
                }
                let (number, view) = (root.rule as usize, pass.view);
                if let (Some(rule), Some(output)) = (self.rules.get(number), self.outputs.get(number)) {
                    each(Alert { rule, witness: view.witness, output, view, program: &self.program });
                }
                if self.matching == Matching::First && root.takes.is_none() {
                    if !slot.remembers {
                        return;
                    }
                    found = true;
                }
            }
        }
    }
}

impl Slot {
    fn add(&mut self, builder: &mut Builder, rule: u32, node: NodeId, takes: Option<(usize, u8)>) {
        if node != FALSE {
            let of_actor = builder.of_actor(node);
            let takes = takes.and_then(|(plan, step)| Some((plan.try_into().ok()?, step)));
            self.remembers |= takes.is_some();
            self.roots.push(Root { rule, node, of_actor, takes });
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
    read(program, &mut memory.kernel.pass(view, stamp, &Actor::default()))
}
