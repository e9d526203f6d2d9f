//! Every kind of event is declared once, and shown to come out of a real kernel.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic)] // a test program: helpers may fail it

use sentinel_event::Kind;
use sentinel_tidy::files_where;

/// Names of the kinds that the kernel programs send: the list SENTINEL_EVENTS of the header.
fn sent_by_the_kernel() -> Vec<String> {
    let header = files_where(|path| path == "bpf/include/sentinel_abi.h").unwrap();
    let list = header[0].text.split("#define SENTINEL_EVENTS(EVENT)").nth(1).unwrap();
    let lines = list.lines().skip(1).map_while(|line| line.trim().strip_prefix("EVENT("));
    lines
        .map(|line| {
            let arguments = line.split(')').next().unwrap();
            arguments.rsplit(',').next().unwrap().trim().to_owned()
        })
        .collect()
}

#[test]
fn the_kernel_and_the_vocabulary_have_the_same_kinds() {
    // A loss is counted, not observed.
    let vocabulary: Vec<_> =
        Kind::ALL.iter().filter(|kind| **kind != Kind::Loss).map(|kind| kind.name()).collect();
    assert_eq!(sent_by_the_kernel(), vocabulary);
}

#[test]
fn every_kind_has_a_root_test() {
    let tests = files_where(|path| path.starts_with("crates/probe/tests/") && path.ends_with(".rs")).unwrap();
    for name in sent_by_the_kernel() {
        let kind: Kind = name.parse().unwrap();
        let said = [format!("Kind::{kind:?}"), format!("Body::{kind:?}"), format!("\"{name}\"")];
        let tested = |text: &str| {
            said.iter().any(|said| {
                text.match_indices(said).any(|(at, _)| {
                    // `Kind::Exec` must not be found in a longer name.
                    !text[at + said.len()..].starts_with(|next: char| next.is_alphanumeric())
                })
            })
        };
        assert!(
            tests.iter().any(|file| tested(&file.text)),
            "{name}: no test in crates/probe/tests/ triggers it and expects {}",
            said.join(" or ")
        );
    }
}
