//! `sentinel rules parse`: conditions in, one answer a line out.

use std::io::{self, BufRead, BufReader, BufWriter, Read as _, Write};
use std::process::ExitCode;

use anyhow::Context as _;
use sentinel_rules::language::parse_condition;
use serde::Serialize;

use super::args::Format;
use super::shown;

/// The longest line that is read; a longer one is answered with an error.
const LINE_MAX: usize = 16 << 20; // bytes

/// What a condition is.
#[derive(Debug, Serialize)]
#[serde(untagged)]
enum Answer {
    /// In the language.
    Accepted { ok: bool, canonical: String },
    /// Not in it.
    Refused { ok: bool, error: String, line: usize, column: usize },
}

/// Answers standard input on standard output.
pub(super) fn parse(format: Format) -> anyhow::Result<ExitCode> {
    match answer_all(BufReader::new(io::stdin().lock()), BufWriter::new(io::stdout().lock()), format) {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => {
            Err(error).context("standard input or output")
        }
        _ => Ok(ExitCode::SUCCESS),
    }
}

/// Answers each line. Whatever has been answered is written before more input is waited for: the one who
/// writes may wait for the answer first.
fn answer_all(mut input: BufReader<impl io::Read>, mut out: impl Write, format: Format) -> io::Result<()> {
    let mut line = Vec::new();
    loop {
        if !input.buffer().contains(&b'\n') {
            out.flush()?;
        }
        line.clear();
        let limit = u64::try_from(LINE_MAX + 1).unwrap_or(u64::MAX);
        if input.by_ref().take(limit).read_until(b'\n', &mut line)? == 0 {
            return out.flush();
        }
        let answer = if line.pop_if(|last| *last == b'\n').is_none() && line.len() > LINE_MAX {
            input.skip_until(b'\n')?;
            let error = format!("the line is longer than {LINE_MAX} bytes");
            Answer::Refused { ok: false, error, line: 1, column: LINE_MAX + 1 }
        } else {
            answer(&line)
        };
        write(&answer, &mut out, format)?;
    }
}

fn answer(condition: &[u8]) -> Answer {
    match parse_condition(condition) {
        Ok(expr) => Answer::Accepted { ok: true, canonical: expr.canonical() },
        Err(error) => {
            Answer::Refused { ok: false, error: error.message, line: error.line, column: error.column }
        }
    }
}

fn write(answer: &Answer, mut out: impl Write, format: Format) -> io::Result<()> {
    match (format, answer) {
        (Format::Json, answer) => {
            serde_json::to_writer(&mut out, answer)?;
            out.write_all(b"\n")
        }
        (Format::Text, Answer::Accepted { canonical, .. }) => {
            writeln!(out, "ok: {}", shown(canonical).replace('\n', " "))
        }
        (Format::Text, Answer::Refused { error, column, .. }) => {
            writeln!(out, "error: column {column}: {}", shown(error).replace('\n', " "))
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test may fail by panicking")]
mod tests {
    use super::*;

    #[test]
    fn a_line_of_the_longest_length_is_read_and_a_longer_one_is_skipped() {
        let mut input = vec![b'a'; LINE_MAX];
        input.push(b'\n');
        input.extend(vec![b'a'; LINE_MAX + 1]);
        input.extend(b"\nm\n");
        let mut out = Vec::new();
        answer_all(BufReader::new(&*input), &mut out, Format::Json).unwrap();
        let lines: Vec<&[u8]> = out.split(|byte| *byte == b'\n').collect();
        assert_eq!(lines.len(), 4);
        assert!(lines[0].starts_with(b"{\"ok\":true") && lines[0].len() > LINE_MAX);
        assert!(lines[1].starts_with(b"{\"ok\":false,\"error\":\"the line is longer"));
        assert_eq!(lines[2], br#"{"ok":true,"canonical":"m"}"#);
    }
}
