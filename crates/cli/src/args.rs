//! The command line. Help, completions and the manual are made from it.

use std::path::PathBuf;

use clap::builder::{PossibleValue, PossibleValuesParser, TypedValueParser};
use clap::{Parser, Subcommand, ValueEnum, ValueHint};
use clap_complete::Shell;
use sentinel_event::Kind;

use crate::{decode::Decode, replay::Replay, rules::Rules, tail::Tail};

/// See what the processes of this host do.
#[derive(Debug, Parser)]
#[command(
    name = "sentinel",
    version,
    propagate_version = true,
    arg_required_else_help = true,
    after_help = "Examples:\n  \
        sudo sentinel run                       watch everything\n  \
        sudo sentinel run --event exec,connect  watch program starts and connections\n  \
        sudo sentinel doctor                    what this host allows\n\n\
        Exit codes: 0 ok, 1 findings or a failure at run time, 2 usage or configuration, 3 the kernel or\n\
        the privileges refuse."
)]
pub(crate) struct Args {
    #[command(subcommand)]
    pub(crate) command: Command,
}

/// What to do.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    Run(Run),
    Doctor(Doctor),
    Decode(Decode),
    Replay(Replay),
    Tail(Tail),
    Rules(Rules),
    /// Print a completion script for a shell.
    #[command(after_help = "Example:\n  sentinel completions bash > /etc/bash_completion.d/sentinel")]
    Completions {
        /// Which shell.
        shell: Shell,
    },
    /// Print the manual page, or write one page per command into a directory.
    #[command(after_help = "Examples:\n  \
        sentinel man | man -l -\n  \
        sentinel man /usr/local/share/man/man1")]
    Man {
        /// Where the pages go; it must exist.
        #[arg(value_hint = ValueHint::DirPath)]
        dir: Option<PathBuf>,
    },
}

/// Watch this host: the agent and everything else in one process, no configuration needed.
///
/// On a terminal, one line per event: time, kind, process and parent, object, error, container. Reads and
/// writes of a process are folded into one line a second. The same in a browser: the dashboard of this run, whose
/// history ends with it, at http://127.0.0.1:8080. Into a pipe or file, every event and alert as one
/// JSON object a line: an alert has `rule_id`, an event `event_type`. Without --forward or --config, events of
/// every kind; without --rules or --config, the shipped detection rules. The files in /etc/sentinel-ebpf are not
/// read. Needs root. Stop it with ctrl-C.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:\n  \
    sudo sentinel run\n  \
    sudo sentinel run --event exec,connect,file_unlink\n  \
    sudo sentinel run --rules my_rules.yaml\n  \
    sudo sentinel run --dashboard on --port 9000 > events.ndjson\n  \
    sudo sentinel run --event exec | jq 'select(.rule_id)'")]
pub(crate) struct Run {
    /// Configuration of the agent; stream, health and metrics do not apply here.
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub(crate) config: Option<PathBuf>,

    /// Detection rules, files or directories, in place of the shipped ones; `builtin` is these. Read again when
    /// they change, and on SIGHUP.
    #[arg(long, value_name = "FILE", num_args = 1.., value_hint = ValueHint::AnyPath)]
    pub(crate) rules: Vec<PathBuf>,

    /// No detection: events only.
    #[arg(long, conflicts_with = "rules")]
    pub(crate) no_rules: bool,

    /// Forward rules: which events to show. Read again when they change, and on SIGHUP.
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub(crate) forward: Option<PathBuf>,

    /// Event kinds to show; losses and alerts always are.
    #[arg(
        long, value_name = "KIND", value_delimiter = ',', conflicts_with = "forward",
        value_parser = kinds(),
    )]
    pub(crate) event: Vec<Kind>,

    /// How to show events.
    #[arg(long, value_enum, default_value_t = RunFormat::Auto)]
    pub(crate) format: RunFormat,

    /// One event per read and write call, nothing summed and nothing folded.
    #[arg(long)]
    pub(crate) no_aggregate: bool,

    /// Serve the dashboard too, with the detector behind it; auto: beside the live view on a terminal.
    #[arg(long, value_enum, default_value_t = Switch::Auto)]
    pub(crate) dashboard: Switch,

    /// Port of the dashboard, at 127.0.0.1 [default: 8080, or any when that is taken].
    #[arg(long, value_name = "PORT")]
    pub(crate) port: Option<u16>,

    /// Colours in the live view; auto: on a terminal, unless NO_COLOR is set.
    #[arg(long, value_enum, default_value_t = Color::Auto)]
    pub(crate) color: Color,
}

/// Tell what this kernel, these privileges and mounts allow, and what to do about what is missing.
///
/// Loads a few empty programs and attaches nothing, unless --attached asks for the real ones. Exit code 0
/// when Sentinel works here, 2 when its configuration is wrong, 3 when something required is missing.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:\n  \
    sudo sentinel doctor\n  \
    sudo sentinel doctor --attached\n  \
    sudo sentinel doctor --format json | jq '.checks[] | select(.available | not)'")]
pub(crate) struct Doctor {
    /// Load and attach the programs and list every hook: attached, idle, or degraded and why.
    #[arg(long)]
    pub(crate) attached: bool,

    /// Configuration to check in place of the installed one.
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub(crate) config: Option<PathBuf>,

    /// Forward rules to check in place of the configured ones.
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub(crate) forward: Option<PathBuf>,

    /// Detection rules, files or directories, to check in place of the configured ones.
    #[arg(long, value_name = "FILE", num_args = 1.., value_hint = ValueHint::AnyPath)]
    pub(crate) rules: Vec<PathBuf>,

    /// How to report.
    #[arg(long, value_enum, default_value_t = ReportFormat::Text)]
    pub(crate) format: ReportFormat,
}

/// How `run` shows events.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum RunFormat {
    /// Live on a terminal, JSON elsewhere.
    Auto,
    /// Lines for people.
    Live,
    /// One JSON object a line.
    Json,
}

/// Whether to do something.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Switch {
    /// Where it makes sense.
    Auto,
    /// Yes, or fail.
    On,
    /// No.
    Off,
}

/// When to use colours.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Color {
    /// On a terminal, unless NO_COLOR is set.
    Auto,
    /// Always.
    Always,
    /// Never.
    Never,
}

/// How `doctor` reports.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum ReportFormat {
    /// A list for people.
    Text,
    /// One JSON object.
    Json,
}

impl Color {
    /// Whether to use colours on an output that is a terminal or not.
    pub(crate) fn wanted(self, terminal: bool) -> bool {
        let set = |name| std::env::var_os(name).filter(|value| !value.is_empty());
        match self {
            Self::Always => true,
            Self::Never => false,
            Self::Auto => {
                terminal && set("NO_COLOR").is_none() && set("TERM").is_none_or(|term| term != "dumb")
            }
        }
    }
}

/// Event kinds by name, each with its meaning in help and completions.
fn kinds() -> impl TypedValueParser<Value = Kind> {
    let values = Kind::ALL.iter().map(|kind| PossibleValue::new(kind.name()).help(kind.describe()));
    PossibleValuesParser::new(values).try_map(|name| name.parse::<Kind>())
}
