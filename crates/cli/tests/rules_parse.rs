//! `sentinel rules parse` as a program meets it: one answer a line, whatever comes.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "helpers of a test are part of it")]

use std::io::{BufRead as _, BufReader, Write as _};
use std::process::{Child, Command, Stdio};

use serde_json::{Value, json};

fn start(args: &[&str]) -> Child {
    let mut command = Command::new(env!("CARGO_BIN_EXE_sentinel"));
    command.args(["rules", "parse"]).args(args).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap()
}

/// The answers to `input`, written from a thread of its own: answers may fill the pipe before the end.
fn answers(args: &[&str], input: Vec<u8>) -> Vec<String> {
    let mut child = start(args);
    let mut stdin = child.stdin.take().unwrap();
    let writer = std::thread::spawn(move || stdin.write_all(&input).unwrap());
    let output = child.wait_with_output().unwrap();
    writer.join().unwrap();
    assert_eq!(output.status.code(), Some(0));
    String::from_utf8(output.stdout).unwrap().lines().map(str::to_owned).collect()
}

#[test]
fn each_line_has_one_answer_of_fixed_shape() {
    let found = answers(&[], b"a.b==x and no_such_macro\n\nproc.name =\nlast".to_vec());
    assert_eq!(found[0], r#"{"ok":true,"canonical":"(a.b == x and no_such_macro)"}"#);
    assert_eq!(found[3], r#"{"ok":true,"canonical":"last"}"#);
    assert_eq!(found.len(), 4);
    for (line, column) in [(1, 1), (2, 12)] {
        let answer: Value = serde_json::from_str(&found[line]).unwrap();
        let mut keys: Vec<_> = answer.as_object().unwrap().keys().map(String::as_str).collect();
        keys.sort_unstable();
        assert_eq!(keys, ["column", "error", "line", "ok"]);
        assert_eq!(
            (&answer["ok"], &answer["line"], &answer["column"]),
            (&json!(false), &json!(1), &json!(column))
        );
        assert!(!answer["error"].as_str().unwrap().is_empty());
    }
    assert!(answers(&[], Vec::new()).is_empty());
    let text = answers(&["--format", "text"], b"a  and b\n(\n".to_vec());
    assert_eq!(text[0], "ok: (a and b)");
    assert!(text[1].starts_with("error: column 2: expected"), "{text:?}");
}

#[test]
fn an_answer_comes_before_the_next_line_is_written() {
    let mut child = start(&[]);
    let (mut stdin, mut stdout) = (child.stdin.take().unwrap(), BufReader::new(child.stdout.take().unwrap()));
    let mut answer = String::new();
    for input in ["m1\n", "m2\nm3 an", "d m4\n"] {
        // The second leaves half a line behind: the answer to the first half must not wait for the rest.
        stdin.write_all(input.as_bytes()).unwrap();
        answer.clear();
        stdout.read_line(&mut answer).unwrap();
        assert!(answer.starts_with("{\"ok\":true,"), "{answer}");
    }
    assert!(answer.contains("(m3 and m4)"));
    drop(stdin);
    assert!(child.wait().unwrap().success());
}

#[test]
fn canonical_forms_are_those_of_the_specification() {
    let cases = [
        ("not (not a)", "not not a"),
        (r#"a.b[""] = """#, r#"a.b[""] = "#),
        (r#"a.b in ("x y", '"', "it's", "p(q)")"#, r#"a.b in ("x y", "\"", "it's", p(q))"#),
        (r"a.b = C:\dir", r#"a.b = "C:\\dir""#),
        (r#"concat( a.b , "x" )=y"#, r#"concat(a.b,"x") = y"#),
    ];
    let input = cases.map(|(condition, _)| format!("{condition}\n")).concat();
    for ((condition, canonical), answer) in cases.iter().zip(answers(&[], input.into())) {
        let answer: Value = serde_json::from_str(&answer).unwrap();
        assert_eq!(answer, json!({"ok": true, "canonical": canonical}), "{condition}");
    }
}

#[test]
fn hostile_input_is_answered_line_by_line() {
    let mut lines: Vec<Vec<u8>> = vec![
        b"\xff\xfe\x00".to_vec(),
        b"a.b = \xff".to_vec(),
        b"a.b = \"\x00\"".to_vec(),
        b"\r".to_vec(),
        "(".repeat(100_000).into(),
        "not ".repeat(100_000).into(),
        "not(".repeat(100_000).into(),
        "tolower(".repeat(100_000).into(),
        "\"".repeat(4 << 20).into(),
        format!("a.b in ({})", "x,".repeat(1 << 20)).into(),
        format!("a.b in ({}x)", "x,".repeat(1 << 20)).into(),
        vec![b'a'; (16 << 20) + 1],
    ];
    // Bytes from a fixed generator, so that a failure can be repeated.
    let mut state = 7_u64;
    for length in 0..2_000 {
        let line = (0..length % 61).map(|_| {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            let byte = state.to_be_bytes()[0];
            if byte == b'\n' { b' ' } else { byte }
        });
        lines.push(line.collect());
    }
    let found = answers(&[], lines.join(&b'\n'));
    // A last line that is empty and has no end is no line.
    assert_eq!(found.len(), lines.len() - usize::from(lines.last().unwrap().is_empty()));
    for answer in &found {
        let answer: Value = serde_json::from_str(answer).unwrap();
        assert_eq!(answer.as_object().unwrap().len(), if answer["ok"] == true { 2 } else { 4 });
    }
    assert_eq!(found[1], r#"{"ok":true,"canonical":"a.b = \"\\xff\""}"#);
    assert!(found[10].starts_with("{\"ok\":true"));
    assert!(found[11].contains("longer than"));
}

#[test]
fn a_reader_that_leaves_is_no_error() {
    let mut child = start(&[]);
    drop(child.stdout.take());
    let mut stdin = child.stdin.take().unwrap();
    while stdin.write_all(&b"m\n".repeat(1_000)).is_ok() {}
    drop(stdin);
    assert_eq!(child.wait().unwrap().code(), Some(0));
}
