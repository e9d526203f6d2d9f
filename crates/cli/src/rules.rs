//! `sentinel rules`: look into rules of the Falco language. Nothing here touches the kernel.

mod args;
mod check;
mod explain;
mod fields;
mod files;
mod list;
mod parse;
mod test;

pub(crate) use self::args::Rules;

use std::io::{self, Write as _};
use std::process::ExitCode;

use anyhow::Context as _;

use self::args::Command;

/// Runs the command.
pub(crate) fn rules(args: &Rules) -> anyhow::Result<ExitCode> {
    match &args.command {
        Command::Check(args) => check::check(args),
        Command::List(args) => list::list(args),
        Command::Explain(args) => explain::explain(args),
        Command::Test(args) => test::test(args),
        Command::Parse { format } => parse::parse(*format),
        Command::Fields { format } => fields::fields(*format),
    }
}

/// Writes to standard output; a reader that has seen enough is no error.
fn print(text: &str) -> anyhow::Result<()> {
    let mut out = io::stdout().lock();
    match out.write_all(text.as_bytes()).and_then(|()| out.flush()) {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => Err(error).context("standard output"),
        _ => Ok(()),
    }
}

/// Text of a rule file without what would steer a terminal.
fn shown(text: &str) -> String {
    text.replace(|letter: char| letter.is_control() && letter != '\n', " ")
}

/// `1 rule`, `2 rules`.
fn count(number: usize, noun: &str) -> String {
    format!("{number} {noun}{}", if number == 1 { "" } else { "s" })
}
