//! What it costs a kernel to verify each program: `bpf/verified.tsv` has what it was, by kernel. Programs that grow
//! unnoticed are one day refused by an older kernel. Needs root.
//!
//! The table's rows of this kernel are written by `UPDATE=1 cargo test -p sentinel-probe --test root_budget`, those of
//! the guests' kernels by `make vm-test DOCS=1`.

#![allow(missing_docs, clippy::unwrap_used, clippy::print_stdout, reason = "a test")]

use std::{collections::BTreeMap, env, fs, path::Path};

use sentinel_probe::{Options, Probe};

/// Kernel, program, instructions.
const TABLE: &str = include_str!("../../../bpf/verified.tsv");
/// What no kernel takes.
const LIMIT: u32 = 1_000_000;

/// `6.18` of `6.18.5-amd64`.
fn kernel() -> String {
    let release = fs::read_to_string("/proc/sys/kernel/osrelease").unwrap();
    release.split(['.', '-', '\n']).take(2).collect::<Vec<_>>().join(".")
}

fn row<'a>(line: &'a str, kernel: &str) -> Option<(&'a str, u32)> {
    let mut fields = line.split('\t');
    if fields.next()? != kernel {
        return None;
    }
    Some((fields.next()?, fields.next()?.parse().ok()?))
}

#[test]
fn no_program_costs_the_verifier_more_than_it_did() {
    // What is not attached in the end, for want of a call or of a tracepoint, counts too: nothing is attached here.
    let options = Options { syscalls: vec!["uname".into()], ..Options::default() };
    let (probe, _reader) = Probe::open(&options).unwrap();
    let kernel = kernel();
    let now: BTreeMap<String, u32> = probe.verified().into_iter().filter(|(_, cost)| *cost > 0).collect();
    for (program, cost) in &now {
        println!("\n## verified {kernel}\t{program}\t{cost}");
        assert!(*cost < LIMIT / 2, "{program}: {cost}");
    }
    if env::var_os("UPDATE").is_some() {
        let mut lines: Vec<String> =
            TABLE.lines().filter(|line| row(line, &kernel).is_none()).map(str::to_owned).collect();
        lines.extend(now.iter().map(|(program, cost)| format!("{kernel}\t{program}\t{cost}")));
        lines.sort();
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../bpf/verified.tsv");
        return fs::write(path, lines.join("\n") + "\n").unwrap();
    }
    let table: BTreeMap<&str, u32> = TABLE.lines().filter_map(|line| row(line, &kernel)).collect();
    if table.is_empty() {
        return; // nobody has run the tests on such a kernel yet
    }
    for (program, cost) in &now {
        let was = table.get(program.as_str()).copied();
        let most = was.map(|was| was + was / 5 + 50);
        assert!(
            most.is_some_and(|most| *cost <= most),
            "{program} costs {cost}, the table says {was:?}: make it cheaper, or update the table as this file says"
        );
    }
    let gone: Vec<&&str> = table.keys().filter(|program| !now.contains_key(**program)).collect();
    assert!(gone.is_empty(), "no longer there: {gone:?}; update the table as this file says");
}
