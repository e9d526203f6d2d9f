//! What every source file keeps to.

use sentinel_tidy::{files, files_where, top};

const LINES_MAX: usize = 400;

/// Files that may be longer, each with the reason.
const LONG: &[(&str, &str)] = &[
    ("bpf/include/sentinel_abi.h", "a table: one struct per kind of event, and bindgen reads one file"),
    ("crates/rules/src/language/evtnames.rs", "a table: one line per name of an event"),
];

#[test]
fn files_are_short_enough_to_read() {
    let source =
        |path: &str| [".rs", ".c", ".h", ".sh", ".py", ".nix", ".ts"].iter().any(|end| path.ends_with(end));
    for file in files_where(source).unwrap() {
        let lines = file.text.lines().count();
        let exempt = LONG.iter().any(|(path, _)| *path == file.path);
        assert!(lines <= LINES_MAX || exempt, "{}: {lines} lines: split it, or say why in LONG", file.path);
        assert!(lines > LINES_MAX || !exempt, "{}: no longer long: take it out of LONG", file.path);
    }
}

#[test]
fn every_kernel_source_names_its_licence() {
    let sources =
        files_where(|path| path.starts_with("bpf/") && (path.ends_with(".c") || path.ends_with(".h")))
            .unwrap();
    assert!(!sources.is_empty());
    for file in sources {
        let first = file.text.lines().next().unwrap_or_default();
        assert!(
            first.contains("SPDX-License-Identifier: GPL-2.0"),
            "{}: the first line must be its SPDX-License-Identifier",
            file.path
        );
    }
}

/// Hosts that a file may link to. Packages come from wherever the machine's own tools are set up to find them,
/// so no file names a place to fetch them from.
const HOSTS: &[&str] = &["rustup.rs", "www.apache.org", "semver.org", "keepachangelog.com", "github.com"];

#[test]
fn no_file_names_the_machine_it_was_written_on() {
    let here = top().display().to_string();
    for file in files().unwrap() {
        // Lock files say where packages come from: that is what they are for.
        if file.path.ends_with(".lock") {
            continue;
        }
        for (_, rest) in
            file.text.match_indices("https://").map(|(at, scheme)| file.text.split_at(at + scheme.len()))
        {
            let host: String =
                rest.chars().take_while(|c| c.is_ascii_alphanumeric() || ".-".contains(*c)).collect();
            let known = !host.contains('.') || HOSTS.contains(&host.as_str());
            assert!(known, "{}: links to {host}, which is not in HOSTS", file.path);
        }
        // A checkout directly below the root has a path too short to mean anything.
        let telling = here.matches('/').count() > 1;
        assert!(!telling || !file.text.contains(&here), "{}: names {here}, this checkout", file.path);
    }
}
