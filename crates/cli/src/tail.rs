//! `sentinel tail`: what a log holds and a detector finds, as it comes.

mod feed;
mod follow;
mod view;

use std::{
    cell::RefCell,
    io::{self, BufRead, BufReader, ErrorKind, Read},
    path::Path,
    process::ExitCode,
    rc::Rc,
};

use anyhow::Context as _;
use clap::{ValueEnum, ValueHint};
use sentinel_wire::evt1::{Item, PAYLOAD_MAX, Reader};

use self::{
    follow::{Follow, Piped},
    view::{Gone, View},
};
use crate::{
    args::Color,
    choice::Only,
    decode::{Damaged, open},
};

/// Show the last of a feed or log, then what comes.
///
/// SOURCE is a detector (http://HOST:PORT), whose alerts are shown; or a log of events (EVT1, gzip or not, or JSON
/// lines), which is followed through its rotations; or `-`, standard input. Of an alert a condition sees what the
/// alert tells: its event's main facts, and the fields that its rule's output names. A detector with a token is
/// told that of the environment variable SENTINEL_HTTP_TOKEN.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:\n  \
    sentinel tail\n  \
    sentinel tail /var/log/sentinel-ebpf/events.bin --filter 'evt.type = execve and proc.pname = sshd'\n  \
    sentinel tail http://detector:8090 --lines 100 --no-follow --format json | jq .rule")]
pub(crate) struct Tail {
    /// Where from.
    #[arg(value_name = "SOURCE", default_value = "http://127.0.0.1:8090", value_hint = ValueHint::AnyPath)]
    source: String,
    #[command(flatten)]
    only: Only,
    /// How many of those that are there already.
    #[arg(short = 'n', long, value_name = "N", default_value_t = 10)]
    lines: usize,
    /// All that are there already.
    #[arg(long, conflicts_with = "lines")]
    from_start: bool,
    /// End when everything that is there already is shown.
    #[arg(long)]
    no_follow: bool,
    /// How.
    #[arg(long, value_enum, default_value_t = Format::Auto)]
    format: Format,
    /// Colours; auto: on a terminal, unless NO_COLOR is set.
    #[arg(long, value_enum, default_value_t = Color::Auto)]
    color: Color,
}

/// How events and alerts are shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Format {
    /// Lines for people on a terminal, JSON elsewhere.
    Auto,
    /// Lines for people.
    Text,
    /// One JSON object a line, as it came.
    Json,
}

pub(crate) fn tail(args: &Tail) -> anyhow::Result<ExitCode> {
    let view = View::new(args)?;
    let ended = if args.source.starts_with("http://") {
        feed::show(args, view)
    } else if args.source.starts_with("https://") {
        anyhow::bail!("{}: a detector speaks http only; reach it through a tunnel", args.source)
    } else {
        log(args, view)
    };
    match ended {
        // Whoever read the lines has seen enough.
        Err(error) if error.is::<Gone>() => Ok(ExitCode::SUCCESS),
        ended => ended,
    }
}

/// A log, or standard input.
fn log(args: &Tail, view: View) -> anyhow::Result<ExitCode> {
    let named = || args.source.clone();
    let view = Rc::new(RefCell::new(view));
    // When there is nothing more to read for now, everything that is there is shown.
    let shown = Rc::clone(&view);
    let caught_up = move || shown.borrow_mut().release();
    let path = Path::new(&args.source);
    let (input, _) = open(path)?;
    let input: Box<dyn Read> = if args.no_follow {
        input
    } else if args.source == "-" {
        // Of a pipe nothing is there already.
        view.borrow_mut().release()?;
        Box::new(Piped::new(input, caught_up))
    } else {
        Box::new(Follow::new(path, caught_up).with_context(named)?)
    };
    let read = read(BufReader::with_capacity(128 << 10, input), &view);
    let damaged = match read {
        Ok(damaged) => damaged,
        Err(Ended::View(gone)) => return Err(gone.into()),
        Err(Ended::File(error)) if error.kind() == ErrorKind::BrokenPipe => return Err(Gone.into()),
        Err(Ended::File(error)) => return Err(error).with_context(named),
    };
    damaged.sum();
    view.borrow_mut().release()?;
    Ok(ExitCode::from(u8::from(damaged.count > 0)))
}

/// Why a log is not read on.
#[derive(Debug)]
enum Ended {
    File(io::Error),
    View(Gone),
}

impl From<io::Error> for Ended {
    fn from(error: io::Error) -> Self {
        Self::File(error)
    }
}

impl From<Gone> for Ended {
    fn from(gone: Gone) -> Self {
        Self::View(gone)
    }
}

/// Shows everything until the end.
fn read(mut input: impl BufRead, view: &RefCell<View>) -> Result<Damaged, Ended> {
    let mut damaged = Damaged::default();
    if !input.fill_buf()?.starts_with(b"{") {
        let mut reader = Reader::new(input)?;
        while let Some(item) = reader.next_payload()? {
            match item {
                Item::Record(payload) => view.borrow_mut().object(payload)?,
                Item::Damage(damage) => damaged.tell(&damage),
            }
        }
        return Ok(damaged);
    }
    let mut line = Vec::new();
    loop {
        line.clear();
        let most = u64::try_from(PAYLOAD_MAX).unwrap_or(u64::MAX);
        if input.by_ref().take(most).read_until(b'\n', &mut line)? == 0 {
            return Ok(damaged);
        }
        if !line.ends_with(b"\n") && line.len() >= PAYLOAD_MAX {
            input.skip_until(b'\n')?;
            eprintln!("warning: a line of more than {PAYLOAD_MAX} bytes is passed over");
            damaged.count += 1;
            continue;
        }
        view.borrow_mut().object(line.trim_ascii())?;
    }
}
