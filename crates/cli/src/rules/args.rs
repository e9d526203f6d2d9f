//! The command line of `sentinel rules`.

use std::path::PathBuf;

use clap::{Subcommand, ValueEnum, ValueHint};

/// Look into detection rules: the Falco rule language.
#[derive(Debug, clap::Args)]
#[command(
    arg_required_else_help = true,
    after_help = "Examples:\n  \
        sentinel rules check rules.yaml local.yaml\n  \
        sentinel rules explain rules.yaml --rule 'Terminal shell in container'"
)]
pub(crate) struct Rules {
    #[command(subcommand)]
    pub(super) command: Command,
}

/// What to do with rules.
#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Check rule files: syntax, names, types, exceptions, outputs.
    ///
    /// Files are loaded in this order, as one set: later ones may change what earlier ones define. Exit code
    /// 0 when they load, also with warnings, 1 when they do not.
    #[command(after_help = "Examples:\n  \
        sentinel rules check rules.yaml local.yaml\n  \
        sentinel rules check builtin mine.yaml\n  \
        sentinel rules check rules.yaml --format json | jq '.errors[].message'")]
    Check(Files),

    /// List rules in the order of their definition, also those that are switched off.
    #[command(after_help = "Examples:\n  \
        sentinel rules list builtin\n  \
        sentinel rules list rules.yaml --format json | jq -r '.[] | select(.enabled | not).name'")]
    List(Files),

    /// Show what rules have become: lists, macros, overrides and exceptions in place.
    #[command(after_help = "Examples:\n  \
        sentinel rules explain rules.yaml local.yaml\n  \
        sentinel rules explain rules.yaml --rule 'Terminal shell in container'")]
    Explain(Explain),

    /// Read conditions from standard input, one a line, and say of each whether it is in the language.
    ///
    /// Syntax only: no field, macro, list or type is looked up. Each line, also a blank one, is answered with
    /// one line before the next is waited for: {"ok":true,"canonical":…}, or {"ok":false,"error":…,"line":…,
    /// "column":…} with the place in the condition, columns in bytes. Exit code 0 when every line was
    /// answered, whatever the answers.
    #[command(after_help = "Example:\n  \
        echo 'evt.type=open and not fd.name startswith /tmp' | sentinel rules parse")]
    Parse {
        /// How to answer.
        #[arg(long, value_enum, default_value_t = Format::Json)]
        format: Format,
    },

    /// Run samples through the rules: events, with the rules that they must and must not raise.
    ///
    /// Files of rules and of samples, in any order; what a file holds tells which it is. Samples are YAML, NDJSON
    /// or an EVT1 log. Exit code 1 when a sample raises something else than it says, or when a rule has no sample
    /// that fires or none that stays silent.
    #[command(after_help = "Examples:\n  \
        sentinel rules test rules.yaml samples.yaml\n  \
        sentinel rules test rules.yaml samples.yaml --format json | jq '.findings'")]
    Test(Files),

    /// Show the fields that conditions and outputs can name.
    #[command(after_help = "Examples:\n  \
        sentinel rules fields | grep ^proc\n  \
        sentinel rules fields --format json | jq -r '.[] | select(.list).name'")]
    Fields {
        /// How to show them.
        #[arg(long, value_enum, default_value_t = FieldsFormat::Text)]
        format: FieldsFormat,
    },
}

/// Rule files.
#[derive(Debug, clap::Args)]
pub(super) struct Files {
    /// Rule files and directories, in the order in which they are loaded; `builtin` is the shipped set.
    #[arg(required = true, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub(super) files: Vec<PathBuf>,

    /// How to report.
    #[arg(long, value_enum, default_value_t = Format::Text)]
    pub(super) format: Format,
}

/// Rule files and one of their rules.
#[derive(Debug, clap::Args)]
pub(super) struct Explain {
    #[command(flatten)]
    pub(super) files: Files,

    /// Only the rule of this name.
    #[arg(long, value_name = "NAME")]
    pub(super) rule: Option<String>,
}

/// How to report.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum Format {
    /// For people.
    Text,
    /// For programs.
    Json,
}

/// How to show fields.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum FieldsFormat {
    /// A line each.
    Text,
    /// One JSON array.
    Json,
    /// The reference.
    Markdown,
}
