//! Attacks that are safe to try: each trips one shipped rule, and has a benign twin that trips none.
//!
//! Everything happens on this machine. What an attack makes (files, processes) is announced to a `guard` process
//! before it is made; the guard undoes it at the end, however that comes: also when this program is killed. Outside
//! of virtual machines and containers nothing is done unless asked for.
//!
//! An attack is one file in `attacks/`. What it does in a process of its own is an *act*, one function in `act.rs`
//! or `act/`: this program starts itself with the hidden command `act`.

mod act;
mod args;
mod attack;
mod attacks;
mod guard;
mod place;
mod report;
mod stage;

use std::process::ExitCode;

use clap::Parser as _;

use self::args::{Args, Command};
pub use self::attack::{Attack, UNSIMULATED};
pub use self::attacks::ALL;

/// Runs the program: 0 when everything was done, 1 when something was not, 2 for a misuse or a refusal.
pub fn main() -> ExitCode {
    let outcome = match Args::parse().command {
        Command::List { json } => report::list(json),
        Command::Run(run) => report::run(&run),
        Command::All(how) => report::all(&how),
        Command::Guard => guard::guard().map(|()| ExitCode::SUCCESS),
        Command::Act { name, arguments } => act::act(&name, &arguments).map(|()| ExitCode::SUCCESS),
    };
    outcome.unwrap_or_else(|error| {
        eprintln!("error: {error:#}");
        ExitCode::from(1)
    })
}
