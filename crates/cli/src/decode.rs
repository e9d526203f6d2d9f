//! `sentinel decode`: a log of EVT1 records as JSON lines.

use std::{
    fs::{self, File},
    io::{self, BufWriter, ErrorKind, IsTerminal as _, Read, Write},
    path::{Path, PathBuf},
    process::ExitCode,
};

use anyhow::Context as _;
use clap::ValueHint;
use sentinel_wire::{
    evt1::{Item, Reader},
    read_object,
};

use crate::{
    choice::{Filter, Only, Span},
    progress::Progress,
};

/// Turn a log of events (EVT1, gzip or not) into JSON, one object a line.
///
/// Damage costs the records it hit: what is passed over is told on standard error, and the exit code is 1. A log
/// that ends inside a record, as one that is being written may, is told, too.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:\n  \
    sentinel decode /var/log/sentinel-ebpf/events.bin | jq 'select(.event_type == \"exec\")'\n  \
    sentinel decode events.bin.1 events.ndjson\n  \
    sentinel decode --filter 'proc.name = sshd and fd.name startswith /etc' events.bin\n  \
    ssh node cat /var/log/sentinel-ebpf/events.bin | sentinel decode -")]
pub(crate) struct Decode {
    /// The log; `-` is standard input.
    #[arg(value_hint = ValueHint::FilePath)]
    file: PathBuf,
    /// Where the lines go, in place of standard output; a file that is there is replaced.
    #[arg(value_hint = ValueHint::FilePath)]
    out: Option<PathBuf>,
    #[command(flatten)]
    only: Only,
    #[command(flatten)]
    span: Span,
}

/// Damage is told one by one so many times; the rest is counted.
const TOLD: u64 = 20;

pub(crate) fn decode(args: &Decode) -> anyhow::Result<ExitCode> {
    let choice = Choice { filter: args.only.filter()?, span: &args.span };
    let (input, size) = open(&args.file)?;
    let named = || args.out.as_deref().map_or("standard output".into(), |path| path.display().to_string());
    let output: Box<dyn Write> = match &args.out {
        None => Box::new(io::stdout().lock()),
        Some(path) => Box::new(File::create(path).with_context(named)?),
    };
    let progress = (args.out.is_some() || !io::stdout().is_terminal()).then(|| Progress::new(size)).flatten();
    let copied = copy(input, BufWriter::with_capacity(1 << 20, output), choice, progress);
    match copied {
        Ok(damaged) => Ok(ExitCode::from(u8::from(damaged > 0))),
        Err(Failed::Read(error)) => Err(error).with_context(|| args.file.display().to_string()),
        // Whoever read the lines has seen enough.
        Err(Failed::Write(error)) if error.kind() == ErrorKind::BrokenPipe => Ok(ExitCode::SUCCESS),
        Err(Failed::Write(error)) => Err(error).with_context(named),
    }
}

/// A log, and its size where it has one.
pub(crate) fn open(path: &Path) -> anyhow::Result<(Box<dyn Read>, Option<u64>)> {
    if path == Path::new("-") {
        return Ok((Box::new(io::stdin().lock()), None));
    }
    let file = File::open(path)
        .map_err(|error| anyhow::anyhow!("{}: {error}; {}", path.display(), remedy(&error)))?;
    let size = file.metadata().ok().filter(fs::Metadata::is_file).map(|file| file.len());
    Ok((Box::new(file), size))
}

/// What would do, by what went wrong.
fn remedy(error: &io::Error) -> &'static str {
    match error.kind() {
        ErrorKind::NotFound => {
            "name a log of events, as `stream: {mode: file}` of sentinel-agent writes it: usually \
             /var/log/sentinel-ebpf/events.bin"
        }
        ErrorKind::PermissionDenied => "logs are for root and their group: try again with sudo",
        _ => "name a file that can be read, or - for standard input",
    }
}

/// Which payloads become lines.
struct Choice<'a> {
    filter: Option<Filter>,
    span: &'a Span,
}

impl Choice<'_> {
    /// What is no event holds no condition, and has no time.
    fn wants(&mut self, payload: &[u8]) -> bool {
        if self.filter.is_none() && self.span.is_all() {
            return true;
        }
        read_object(payload).is_ok_and(|event| {
            self.span.holds(event.ts_unix_nano)
                && self.filter.as_mut().is_none_or(|filter| filter.holds(&event))
        })
    }
}

enum Failed {
    Read(io::Error),
    Write(io::Error),
}

/// Payloads become lines. How often there was damage.
fn copy(
    input: impl Read,
    mut output: impl Write,
    mut choice: Choice<'_>,
    mut progress: Option<Progress>,
) -> Result<u64, Failed> {
    let mut reader = Reader::new(input).map_err(Failed::Read)?;
    let mut damaged = Damaged::default();
    loop {
        let bytes = reader.bytes_read();
        match reader.next_payload().map_err(Failed::Read)? {
            None => break,
            Some(Item::Record(payload)) => {
                if choice.wants(payload) {
                    line(payload, &mut output).map_err(Failed::Write)?;
                }
                if let Some(progress) = &mut progress {
                    progress.event(bytes);
                }
            }
            Some(Item::Damage(damage)) => damaged.tell(&damage),
        }
    }
    output.flush().map_err(Failed::Write)?;
    damaged.sum();
    Ok(damaged.count)
}

/// One object, one line: another writer may have broken it into several.
fn line(payload: &[u8], output: &mut impl Write) -> io::Result<()> {
    if payload.contains(&b'\n') {
        let value: serde_json::Value = serde_json::from_slice(payload)?;
        serde_json::to_writer(&mut *output, &value)?;
    } else {
        output.write_all(payload)?;
    }
    output.write_all(b"\n")
}

/// Tells damage, up to a point.
#[derive(Debug, Default)]
pub(crate) struct Damaged {
    pub(crate) count: u64,
}

impl Damaged {
    pub(crate) fn tell(&mut self, damage: &sentinel_wire::evt1::Damage) {
        self.count += 1;
        if self.count <= TOLD {
            eprintln!("warning: {damage}");
        }
    }

    pub(crate) fn sum(&self) {
        if self.count > TOLD {
            eprintln!("warning: damaged in {} places in all", self.count);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_record_is_a_line_whoever_wrote_it() {
        let mut log = Vec::new();
        for payload in ["{\"b\":1,\"a\":\"\\n\"}", "{\n \"a\": [1,\n 2]}"] {
            sentinel_wire::evt1::write_record(&mut log, |out| out.extend(payload.bytes())).unwrap();
        }
        log.extend_from_slice(b"EVT1\x05");
        let mut lines = Vec::new();
        let (filter, span) = (None, &Span::default());
        let Ok(damaged) = copy(&log[..], &mut lines, Choice { filter, span }, None) else {
            panic!("not readable")
        };
        assert_eq!(String::from_utf8(lines).unwrap(), "{\"b\":1,\"a\":\"\\n\"}\n{\"a\":[1,2]}\n");
        assert_eq!(damaged, 1);
    }
}
