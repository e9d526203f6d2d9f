//! An event that no rule matches allocates nothing.

#![allow(unsafe_code, reason = "an allocator that counts")]
#![allow(clippy::panic, clippy::expect_used, clippy::indexing_slicing, reason = "these are parts of tests")]

#[path = "eval/build.rs"]
mod build;
#[path = "eval/random.rs"]
mod random;

use std::{
    alloc::{GlobalAlloc, Layout, System},
    cell::Cell,
};

use proptest::{
    strategy::{Strategy as _, ValueTree as _},
    test_runner::TestRunner,
};
use sentinel_event::Observation;
use sentinel_rules::language::eval::{Engine, Matching, Memory, Selection};

struct Counting;

thread_local! {
    static COUNT: Cell<usize> = const { Cell::new(0) };
}

// SAFETY: every request goes to the system's allocator as it came; counting allocates nothing.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        COUNT.set(COUNT.get() + 1);
        // SAFETY: as the caller promised.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        // SAFETY: as the caller promised.
        unsafe { System.dealloc(pointer, layout) }
    }

    unsafe fn realloc(&self, pointer: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        COUNT.set(COUNT.get() + 1);
        // SAFETY: as the caller promised.
        unsafe { System.realloc(pointer, layout, size) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

/// Events of all kinds, the same in each run.
fn events() -> Vec<Observation> {
    const EVENTS: usize = 2000;
    let mut runner = TestRunner::deterministic();
    let one = random::observation();
    (0..EVENTS).map(|_| one.new_tree(&mut runner).expect("an event").current()).collect()
}

/// Allocations of the second look at every event; the first one lets the memory grow.
fn allocations(engine: &Engine) -> usize {
    let events = events();
    let mut memory = Memory::default();
    let mut matched = 0;
    for event in &events {
        engine.evaluate(event, &mut memory, &mut |_| matched += 1);
    }
    let before = COUNT.get();
    for event in &events {
        engine.evaluate(event, &mut memory, &mut |_| matched += 1);
    }
    COUNT.get() - before
}

#[test]
fn the_counter_counts() {
    let before = COUNT.get();
    drop(std::hint::black_box(vec![1_u8; 100]));
    assert_eq!(COUNT.get() - before, 1);
}

#[test]
fn stock_rules_allocate_nothing() {
    let Some(engine) = build::stock() else { return };
    assert_eq!(allocations(&engine), 0);
}

#[test]
fn no_operator_and_no_transformer_allocates() {
    let conditions = [
        "proc.cmdline contains x and evt.args contains x and fd.name icontains x",
        "fd.name regex '/etc/.*x' or fd.name glob '*a*b*c*' or fd.name pmatch (/a, /b/*)",
        "toupper(concat(proc.name, fd.name)) = X or b64(proc.args) = x or basename(proc.exepath) = q",
        "getopt(proc.args, \"e:c\") intersects (x) or join(\" \", (proc.name, proc.pname)) = x",
        "proc.aname startswith x or proc.acmdline contains x or fd.net in (1.0.0.0/8) or fd.port = 1",
        "evt.time contains x or evt.time.iso8601 contains x or evt.arg.flags contains X",
        "proc.name = val(proc.exepath) or fd.name startswith anyof (x, y) or fd.ip = 9.9.9.9",
    ];
    let rules: String = conditions
        .iter()
        .enumerate()
        .map(|(number, text)| build::rule(text, "o").replace("- rule: r", &format!("- rule: r{number}")))
        .collect();
    let all = Selection { matching: Matching::All, ..Selection::default() };
    assert_eq!(allocations(&Engine::new(build::load(&rules), &all)), 0);
}
