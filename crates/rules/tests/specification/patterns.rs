//! `glob`, `iglob` and `pmatch`: patterns mean what the C library's `fnmatch` without flags says.

use std::ffi::CString;

use proptest::{prelude::*, sample::select};
use sentinel_rules::language::eval::{Engine, Matching, Selection};

use crate::build::{check, fired, load, open};

/// Letters, and what decides in a pattern. No `:`, `=` or `.`: behind two brackets these begin classes.
const LETTERS: &[char] = &['a', 'b', 'B', 'c', '/', '*', '?', '[', ']', '!', '^', '-', '\\', '_'];
/// What stands between brackets, in any order.
const MEMBERS: &[char] = &['a', 'b', 'B', 'c', '/', '*', '?', '!', '^', '-', '_'];

fn text() -> impl Strategy<Value = String> {
    prop::collection::vec(select(LETTERS), 0..8).prop_map(|letters| letters.into_iter().collect())
}

/// Every bracket has its end: of one without, C libraries think differently.
fn pattern() -> impl Strategy<Value = String> {
    let members = prop::collection::vec(select(MEMBERS), 1..4).prop_map(String::from_iter);
    let class = (select(vec!["[", "[!", "[^", "[]", "[!]"]), members)
        .prop_map(|(open, members)| format!("{open}{members}]"));
    let escaped = select(LETTERS).prop_map(|letter| format!("\\{letter}"));
    let plain =
        select(vec!["a", "b", "B", "c", "/", "*", "*", "?", "]", "!", "^", "-", "_"]).prop_map(str::to_owned);
    prop::collection::vec(prop_oneof![4 => plain, 2 => class, 1 => escaped], 0..7)
        .prop_map(|parts| parts.concat())
}

/// What the C library says.
#[allow(unsafe_code, reason = "the other opinion is a function of C")]
fn fnmatch(pattern: &str, text: &str, fold: bool) -> bool {
    const CASEFOLD: libc::c_int = 1 << 4; // of glibc and musl
    let end = |text: &str| CString::new(text).expect("no NUL in it");
    let (pattern, text) = (end(pattern), end(text));
    // SAFETY: both are texts with an end, and live until the call returns; it keeps nothing.
    unsafe { libc::fnmatch(pattern.as_ptr(), text.as_ptr(), if fold { CASEFOLD } else { 0 }) == 0 }
}

/// A rule for each pattern, with these operators.
fn engine(patterns: &[String]) -> Engine {
    let quoted = |pattern: &String| pattern.replace('\\', "\\x5c");
    let one = |(number, pattern): (usize, &String)| {
        ["glob", "iglob"].map(|operator| {
            format!(
                "- {{rule: {operator} {number}, desc: d, output: o, priority: INFO, \
                 condition: 'proc.name {operator} \"{}\"'}}\n",
                quoted(pattern)
            )
        })
    };
    let text: String = patterns.iter().enumerate().flat_map(one).collect();
    Engine::new(load(&text), &Selection { matching: Matching::All, ..Selection::default() })
}

fn agrees(patterns: &[String], texts: &[String]) {
    let engine = engine(patterns);
    for text in texts {
        let found = fired(&engine, &crate::build::called(open("/x", 0), text));
        for (number, pattern) in patterns.iter().enumerate() {
            for (operator, fold) in [("glob", false), ("iglob", true)] {
                // A name that is empty is missing.
                let expected = !text.is_empty() && fnmatch(pattern, text, fold);
                let told = found.contains(&format!("{operator} {number}"));
                assert_eq!(told, expected, "{text:?} {operator} {pattern:?}");
            }
        }
    }
}

#[test]
fn patterns_are_those_of_the_c_library() {
    let config = ProptestConfig {
        cases: 40,
        max_shrink_iters: 8,
        failure_persistence: None,
        ..ProptestConfig::default()
    };
    let (patterns, texts) = (prop::collection::vec(pattern(), 24), prop::collection::vec(text(), 24));
    proptest!(config, |(patterns in patterns, texts in texts)| agrees(&patterns, &texts));
    let known = [
        "[[:alpha:]]*",
        "[[:digit:][:upper:]]",
        "[![:space:]]",
        r"\",
        r"a\",
        r"[\",
        r"[a\]b]",
        "[]-a]",
        "[a-]",
    ];
    let texts = ["a", "B", "7", "7up", "_", "\\", "a\\", "[", "]", "-", "^", "[a\\]b]", "[\\"];
    agrees(&known.map(str::to_owned), &texts.map(str::to_owned));
}

#[test]
fn slashes_and_leading_dots_are_letters() {
    check(
        &open("/srv/.hidden/a\\b", 0),
        &[
            ("fd.name glob /srv/*", true),
            ("fd.name glob '*b'", true),
            ("fd.name glob /srv?.hidden/*", true),
            (r#"fd.name glob "*/a\\\\b""#, true),
            (r#"fd.name glob "*/a\\b""#, false),
            ("fd.name iglob /SRV/.H*", true),
            ("fd.name glob /SRV/.H*", false),
        ],
    );
}

#[test]
fn each_alternative_of_pmatch_is_tried() {
    check(
        &open("/home/ann/.ssh/id", 0),
        &[
            ("fd.name pmatch (/home/*/mail, /home/a*/.ssh)", true),
            ("fd.name pmatch (/home/a*/mail, /home/*/.ssh)", true),
            ("fd.name pmatch (/home/*/mail, /home/b*/.ssh)", false),
            ("fd.name pmatch (/home/b*, /home/?n?/.s[a-z]h/id)", true),
            ("fd.name pmatch (/home/ann/.ssh/id)", true),
            ("fd.name pmatch (//home//ann/)", true),
            ("fd.name pmatch (home/ann)", true),
            ("fd.name pmatch (/)", true),
            ("fd.name pmatch ()", false),
            ("fd.name pmatch (/home/ann/.ssh/id/x)", false),
            ("fd.name pmatch (/home/an, /hom, /home/annx)", false),
            // A pattern is for one component.
            ("fd.name pmatch (/home/*id)", false),
            ("fd.name pmatch (/*/*/*/*)", true),
            ("fd.name pmatch (/*/*/*/*/*)", false),
        ],
    );
}

#[test]
fn words_of_few_rules_and_of_many_are_found_alike() {
    for count in [1, 4, 5, 40] {
        let one = |number: usize| {
            let way = if number.is_multiple_of(2) { "read" } else { "write" };
            format!(
                "- {{rule: r{number}, desc: d, output: o, priority: INFO, \
                 condition: 'evt.is_open_{way} = true and fd.name contains w{number}x'}}\n"
            )
        };
        let text: String = (0..count).map(one).collect();
        let all = Selection { matching: Matching::All, ..Selection::default() };
        let engine = Engine::new(load(&text), &all);
        let path = "/w0x/w1x/w3xw4x-w0x/w39x.w38x/w2";
        let here = |numbers: &[usize]| -> Vec<String> {
            numbers.iter().filter(|number| **number < count).map(|number| format!("r{number}")).collect()
        };
        assert_eq!(fired(&engine, &open(path, libc::O_RDONLY)), here(&[0, 4, 38]), "{count}");
        assert_eq!(fired(&engine, &open(path, libc::O_WRONLY)), here(&[1, 3, 39]), "{count}");
        assert_eq!(fired(&engine, &open(path, libc::O_RDWR)), here(&[0, 1, 3, 4, 38, 39]), "{count}");
        assert_eq!(fired(&engine, &open("/w", libc::O_RDWR)), [""; 0], "{count}");
    }
}
