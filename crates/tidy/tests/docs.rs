//! The documentation tells the truth where a program can tell.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic)] // a test program: helpers may fail it

use sentinel_tidy::{File, files_where, top};

fn documents() -> Vec<File> {
    files_where(|path| path.ends_with(".md")).unwrap()
}

/// `[text](target)` of a document, images included; code blocks left out.
fn links(markdown: &str) -> Vec<(String, String)> {
    let mut in_code = false;
    let mut links = Vec::new();
    for line in markdown.lines() {
        in_code ^= line.trim_start().starts_with("```");
        if in_code {
            continue;
        }
        for (at, _) in line.match_indices("](") {
            let text = line[..at].rsplit('[').next().unwrap_or_default();
            let target = line[at + 2..].split(')').next().unwrap_or_default();
            links.push((text.to_owned(), target.to_owned()));
        }
    }
    links
}

/// A heading as an anchor: lower case, words joined by hyphens.
fn anchors(markdown: &str) -> Vec<String> {
    let headings = markdown.lines().filter(|line| line.starts_with('#'));
    headings
        .map(|heading| {
            let words = heading.trim_start_matches('#').trim().to_lowercase();
            let kept = words.chars().filter(|c| c.is_alphanumeric() || matches!(c, ' ' | '-' | '_'));
            kept.map(|c| if c == ' ' { '-' } else { c }).collect()
        })
        .collect()
}

#[test]
fn links_lead_somewhere() {
    let documents = documents();
    assert!(documents.iter().any(|file| file.path == "README.md"));
    for file in &documents {
        for (_, target) in links(&file.text) {
            if target.contains("://") || target.starts_with("mailto:") {
                continue;
            }
            let (path, anchor) = target.split_once('#').unwrap_or((&target, ""));
            let from = top().join(&file.path);
            let to = if path.is_empty() { from } else { from.parent().unwrap().join(path) };
            assert!(to.exists(), "{}: the link to {target} leads nowhere", file.path);
            if !anchor.is_empty() {
                let text = std::fs::read_to_string(&to).unwrap();
                assert!(
                    anchors(&text).iter().any(|found| found == anchor),
                    "{}: no heading is #{anchor}",
                    file.path
                );
            }
        }
    }
}

#[test]
fn tests_that_documents_name_exist() {
    let mut named = 0;
    for file in documents() {
        for (text, target) in links(&file.text) {
            // [`a_test`](path/to/file.rs) promises a function of that name there.
            let Some(test) = text.strip_prefix('`').and_then(|text| text.strip_suffix('`')) else { continue };
            let is_name = test.contains('_')
                && test.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_');
            if !target.ends_with(".rs") || !is_name {
                continue;
            }
            named += 1;
            let source = top().join(&file.path).parent().unwrap().join(&target);
            let source = std::fs::read_to_string(&source).unwrap();
            assert!(source.contains(&format!("fn {test}(")), "{}: no test {test} in {target}", file.path);
        }
    }
    assert!(named > 0, "docs/architecture.md names a test for each invariant");
}

#[test]
fn the_readme_shows_the_two_commands() {
    let readme = std::fs::read_to_string(top().join("README.md")).unwrap();
    let makefile = std::fs::read_to_string(top().join("Makefile")).unwrap();
    for name in ["run", "test"] {
        assert!(readme.contains(&format!("make {name}")), "README.md does not say make {name}");
        assert!(makefile.contains(&format!("\n{name}:")), "the Makefile has no {name}");
    }
}

#[test]
fn crates_and_kernel_sources_have_their_row() {
    let read = |path: &str| std::fs::read_to_string(top().join(path)).unwrap();
    let (readme, map, bpf) = (read("README.md"), read("docs/architecture.md"), read("bpf/README.md"));
    let crates = std::fs::read_dir(top().join("crates")).unwrap();
    for name in crates.map(|entry| entry.unwrap().file_name().into_string().unwrap()) {
        assert!(readme.contains(&format!("| `crates/{name}` |")), "README.md: no row for crates/{name}");
        assert!(map.contains(&format!("\n| `{name}` |")), "docs/architecture.md: no row for {name}");
    }
    for file in files_where(|path| path.starts_with("bpf/") && path.ends_with(".bpf.c")).unwrap() {
        let name = file.path.strip_prefix("bpf/").unwrap();
        assert!(
            name.contains('/') || bpf.contains(&format!("\n| `{name}` |")),
            "bpf/README.md: no row for {name}"
        );
    }
}
