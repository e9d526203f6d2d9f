//! `sentinel doctor`: what is there, what is missing, and what to do about it.

mod config;
mod host;
mod open;
mod report;

use std::io::{self, IsTerminal as _, Write as _};
use std::process::ExitCode;

use anyhow::Context as _;
use sentinel_probe::{HookStatus, Options, Probe, Support};

use self::report::Report;
use crate::args::{Color, Doctor, ReportFormat};

/// The part of the world that a check looks at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Section {
    Kernel,
    Host,
    Configuration,
}

impl Section {
    const ALL: [Self; 3] = [Self::Kernel, Self::Host, Self::Configuration];

    const fn name(self) -> &'static str {
        match self {
            Self::Kernel => "kernel",
            Self::Host => "host",
            Self::Configuration => "configuration",
        }
    }
}

/// One thing that was looked at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Check {
    pub(crate) section: Section,
    pub(crate) name: String,
    pub(crate) available: bool,
    /// Without it Sentinel does not work.
    pub(crate) required: bool,
    /// What was found.
    pub(crate) detail: String,
    /// What to do when it is missing.
    pub(crate) remedy: String,
}

/// Looks, and reports on standard output.
pub(crate) fn doctor(args: &Doctor) -> anyhow::Result<ExitCode> {
    // As the agent does: what it would find is what matters.
    for mount in sentinel_probe::mount_missing() {
        match mount.result {
            Ok(()) => eprintln!("mounted {} on {}, which was missing", mount.kind, mount.target),
            Err(error) => eprintln!("cannot mount {} on {}: {error}", mount.kind, mount.target),
        }
    }
    let support = Support::detect();
    let facts = support.facts.into_iter().map(|fact| Check {
        section: Section::Kernel,
        name: fact.name.to_owned(),
        available: fact.available,
        required: fact.required,
        detail: fact.detail,
        remedy: fact.remedy.to_owned(),
    });
    let mut checks: Vec<Check> = facts.collect();
    let (wanted, found) = config::checks(args);
    checks.extend(host::checks(&wanted.config));
    checks.extend(found);
    checks.extend(open::checks(&wanted.config));
    let hooks = args.attached.then(|| {
        let options =
            Options { kinds: wanted.kinds, compat: wanted.config.capture.compat, ..Options::default() };
        let loaded = Probe::load(&options).context("loading the programs");
        loaded.map(|(probe, _reader)| probe.hooks()).map_err(|error| format!("{error:#}"))
    });
    let report = Report { checks, hooks };
    let text = match args.format {
        ReportFormat::Json => report.json(),
        ReportFormat::Text => report.text(Color::Auto.wanted(io::stdout().is_terminal())),
    };
    match io::stdout().write_all(text.as_bytes()) {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => {
            return Err(error).context("standard output");
        }
        _ => {}
    }
    Ok(ExitCode::from(report.exit_code()))
}

/// The hooks of the real programs, or why they do not load.
type Hooks = Result<Vec<HookStatus>, String>;
