//! The command line.

use clap::{Parser, Subcommand};

/// Safe attacks on this machine, to see whether the rules see them.
#[derive(Debug, Parser)]
#[command(
    name = "sentinel-simulate",
    version,
    arg_required_else_help = true,
    after_help = "Examples:\n  \
        sentinel-simulate list\n  \
        sudo sentinel-simulate run reverse-shell-dev-tcp\n  \
        sudo sentinel-simulate all --json | jq 'select(.outcome != \"done\")'"
)]
pub(crate) struct Args {
    #[command(subcommand)]
    pub(crate) command: Command,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// List the attacks, the rule that each must trip, and what its benign twin does.
    List {
        /// A JSON array.
        #[arg(long)]
        json: bool,
    },
    /// Run an attack, or its benign twin.
    ///
    /// Refused outside of virtual machines and containers. Most attacks need root. Everything is undone at the
    /// end, also when this program is killed.
    Run(Run),
    /// Run every attack, one after the other.
    All(How),
    /// Undo what is announced on standard input, once that ends.
    #[command(hide = true)]
    Guard,
    /// Do one thing in this process.
    #[command(hide = true)]
    Act {
        name: String,
        #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
        arguments: Vec<String>,
    },
}

#[derive(Debug, clap::Args)]
pub(crate) struct Run {
    /// Name of the attack: see `list`.
    pub(crate) name: String,
    #[command(flatten)]
    pub(crate) how: How,
}

#[derive(Debug, clap::Args)]
pub(crate) struct How {
    /// The benign twin instead: something alike that must trip no rule.
    #[arg(long)]
    pub(crate) benign: bool,

    /// One JSON object a line.
    #[arg(long)]
    pub(crate) json: bool,

    /// Leave the files in place, and say where they are. Processes are ended all the same.
    #[arg(long)]
    pub(crate) keep: bool,

    /// Run also where this machine is neither virtual nor a container.
    #[arg(long)]
    pub(crate) yes_on_this_host: bool,
}
