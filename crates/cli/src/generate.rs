//! Completions and manual pages, made from the command line's description.

use std::fs;
use std::io::{self, Write as _};
use std::path::Path;
use std::process::ExitCode;

use anyhow::Context as _;
use clap::CommandFactory as _;
use clap_complete::Shell;
use clap_mangen::Man;

use crate::args::Args;

/// Prints a completion script.
pub(crate) fn completions(shell: Shell) -> anyhow::Result<ExitCode> {
    let mut text = Vec::new();
    clap_complete::generate(shell, &mut Args::command(), "sentinel", &mut text);
    print(&text)
}

/// Prints the manual page of the program, or writes one per command into `dir`.
pub(crate) fn man(dir: Option<&Path>) -> anyhow::Result<ExitCode> {
    let mut program = Args::command();
    program.build();
    let Some(dir) = dir else { return print(&page(program)?) };
    pages_below(dir, "sentinel", &program)?;
    write(dir, "sentinel", &page(program)?)?;
    Ok(ExitCode::SUCCESS)
}

/// Writes a page for each command below `parent`, and for those below these.
fn pages_below(dir: &Path, parent: &str, command: &clap::Command) -> anyhow::Result<()> {
    for command in command.get_subcommands().filter(|command| command.get_name() != "help") {
        let name = format!("{parent}-{}", command.get_name());
        write(dir, &name, &page(command.clone())?)?;
        pages_below(dir, &name, command)?;
    }
    Ok(())
}

fn page(command: clap::Command) -> anyhow::Result<Vec<u8>> {
    let mut text = Vec::new();
    Man::new(command.disable_help_subcommand(true)).render(&mut text).context("rendering the manual")?;
    Ok(text)
}

fn write(dir: &Path, name: &str, page: &[u8]) -> anyhow::Result<()> {
    let file = dir.join(format!("{name}.1"));
    fs::write(&file, page)
        .with_context(|| format!("{}: create the directory, or choose another", file.display()))
}

/// Writes to standard output; a reader that has seen enough is no error.
fn print(text: &[u8]) -> anyhow::Result<ExitCode> {
    match io::stdout().write_all(text) {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => Err(error).context("standard output"),
        _ => Ok(ExitCode::SUCCESS),
    }
}
