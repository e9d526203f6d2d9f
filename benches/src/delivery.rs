//! `delivery`: how fast events leave, arrive and are kept. The built programs are driven from outside, over the
//! loopback, with their histories and spools on a disk (`TMPDIR`, else /tmp).

mod history;
mod log;
mod node;
mod program;
mod replay;
mod told;

use std::{fs, path::PathBuf};

use anyhow::{Context, Result, ensure};
use clap::Args;

use self::told::Figures;
use crate::{beside_us, put};

/// What to measure.
#[derive(Debug, Args)]
pub(crate) struct Job {
    /// A first look in half a minute: fewer events, one run of each. Its figures are not claims.
    #[arg(long)]
    quick: bool,
    /// Directory with sentinel, sentinel-agent and sentinel-detector [default: that of this program].
    #[arg(long, value_name = "DIR")]
    programs: Option<PathBuf>,
    /// Leave out what needs root: the agent.
    #[arg(long)]
    no_agent: bool,
    /// Print one JSON object instead of Markdown.
    #[arg(long)]
    json: bool,
    /// Put the report into this Markdown file, between its two marks.
    #[arg(long, value_name = "FILE", conflicts_with = "json")]
    write: Option<PathBuf>,
}

const MARKS: (&str, &str) = ("<!-- delivery: begin -->\n", "<!-- delivery: end -->");

/// How much of everything.
#[derive(Debug, Clone, Copy)]
struct Size {
    /// Events of the log.
    events: u32,
    /// Events that become alerts.
    alerts: u32,
    /// Events of the log in real time.
    paced: u32,
    /// Times that everything is done; of the figures, the middle ones are told.
    runs: usize,
    /// Opens of files while the detector is away, and for so many seconds while it is there.
    opens: u32,
    seconds: u32,
}

const WHOLE: Size =
    Size { events: 1_000_000, alerts: 100_000, paced: 4000, runs: 3, opens: 500_000, seconds: 10 };
const QUICK: Size =
    Size { events: 100_000, alerts: 20_000, paced: 1000, runs: 1, opens: 100_000, seconds: 3 };

/// The programs, and a directory on a disk.
struct Bench {
    sentinel: PathBuf,
    agent: PathBuf,
    detector: PathBuf,
    dir: tempfile::TempDir,
}

/// Measures, and tells.
pub(crate) fn run(job: &Job) -> Result<()> {
    let root = nix::unistd::geteuid().is_root();
    ensure!(root || job.no_agent, "the agent needs root: use sudo, or --no-agent for the rest");
    let program = |name: &str| -> Result<PathBuf> {
        let path = match &job.programs {
            Some(directory) => directory.join(name),
            None => beside_us(name)?,
        };
        ensure!(path.is_file(), "{}: no such program; `make build` makes it", path.display());
        Ok(path)
    };
    let bench = Bench {
        sentinel: program("sentinel")?,
        agent: program("sentinel-agent")?,
        detector: program("sentinel-detector")?,
        dir: tempfile::Builder::new().prefix("sentinel-delivery-").tempdir()?,
    };
    let size = if job.quick { QUICK } else { WHOLE };
    let path = bench.dir.path().join("events.bin");
    let bytes = log::write(&path, log::Kind::Usual, size.events)?;
    let mut figures = Figures::new(job.quick, size.events, bytes)?;
    for run in 1..=size.runs {
        eprintln!("run {run} of {}: decode, replay", size.runs);
        figures.decode.push(replay::decode(&bench, &path, bytes)?);
        figures.replay.push(replay::fast(&bench, &path, size.events)?);
    }
    fs::remove_file(&path).context("the log")?;
    eprintln!("replay in real time");
    let paced = bench.dir.path().join("paced.bin");
    log::write(&paced, log::Kind::Paced, size.paced)?;
    figures.late_ms = Some(replay::realtime(&bench, &paced)?);
    eprintln!("alerts into the history, beside questions");
    let alerts = bench.dir.path().join("alerts.bin");
    log::write(&alerts, log::Kind::Strange, size.alerts)?;
    figures.history = Some(history::run(&bench, &alerts, size.alerts)?);
    if !job.no_agent {
        eprintln!("agent to detector: what waited");
        figures.drained = Some(node::drain(&bench, size.opens)?);
        eprintln!("agent to detector: {} events/s for {} s", node::RATE, size.seconds);
        figures.live = Some(node::live(&bench, size.seconds)?);
    }
    if job.json {
        println!("{}", serde_json::to_string_pretty(&figures)?);
    } else if let Some(file) = &job.write {
        put(file, MARKS, &figures.markdown())?;
    } else {
        print!("{}", figures.markdown());
    }
    Ok(())
}
