//! The commands, and what they say.

use std::{io::Write as _, path::Path, process::ExitCode};

use serde::Serialize;

use crate::{
    args::{How, Run},
    attack::{Attack, Missing},
    attacks::ALL,
    place,
    stage::Stage,
};

/// An attack, as `list` shows it.
#[derive(Debug, Serialize)]
struct Listed {
    name: &'static str,
    rule: &'static str,
    about: &'static str,
    twin: &'static str,
}

/// What came of an attack.
#[derive(Debug, Serialize)]
struct Outcome {
    name: &'static str,
    rule: &'static str,
    benign: bool,
    /// `done`, `skipped` or `failed`.
    outcome: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<String>,
    /// What was left in place.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    kept: Vec<String>,
}

/// Shows all attacks.
pub(crate) fn list(json: bool) -> anyhow::Result<ExitCode> {
    let listed: Vec<_> =
        ALL.iter().map(|Attack { name, rule, about, twin, .. }| Listed { name, rule, about, twin }).collect();
    if json {
        say(&serde_json::to_string(&listed)?);
    } else {
        for Listed { name, rule, about, twin } in listed {
            say(&format!("{name}\n  trips  {rule}\n  does   {about}\n  twin   {twin}"));
        }
    }
    Ok(ExitCode::SUCCESS)
}

/// Runs one.
pub(crate) fn run(args: &Run) -> anyhow::Result<ExitCode> {
    let Some(attack) = ALL.iter().find(|attack| attack.name == args.name) else {
        eprintln!("error: no attack is called {:?}; 'sentinel-simulate list' lists them", args.name);
        return Ok(ExitCode::from(2));
    };
    if let Some(code) = refused(&args.how) {
        return Ok(code);
    }
    let outcome = one(attack, &args.how);
    show(&outcome, args.how.json)?;
    Ok(ExitCode::from(u8::from(outcome.outcome != "done")))
}

/// Runs all. What needs something that is not here is skipped.
pub(crate) fn all(how: &How) -> anyhow::Result<ExitCode> {
    if let Some(code) = refused(how) {
        return Ok(code);
    }
    let mut failed = false;
    for attack in ALL {
        let outcome = one(attack, how);
        show(&outcome, how.json)?;
        failed |= outcome.outcome == "failed";
    }
    Ok(ExitCode::from(u8::from(failed)))
}

/// Why nothing is done here; none when it is.
fn refused(how: &How) -> Option<ExitCode> {
    if how.yes_on_this_host || place::expendable(Path::new("/")).is_some() {
        return None;
    }
    eprintln!(
        "error: this machine is neither virtual nor a container; attacks are safe and undone, but alarms will \
         ring: --yes-on-this-host runs them here"
    );
    Some(ExitCode::from(2))
}

/// Runs an attack and has it undone.
fn one(attack: &Attack, how: &How) -> Outcome {
    let (outcome, reason, kept) = match perform(attack, how) {
        Ok(kept) => ("done", None, kept),
        Err(error) if error.is::<Missing>() => ("skipped", Some(format!("{error:#}")), Vec::new()),
        Err(error) => ("failed", Some(format!("{error:#}")), Vec::new()),
    };
    Outcome { name: attack.name, rule: attack.rule, benign: how.benign, outcome, reason, kept }
}

fn perform(attack: &Attack, how: &How) -> anyhow::Result<Vec<String>> {
    let stage = Stage::new(how.keep)?;
    let done = if how.benign { (attack.benign)(&stage) } else { (attack.attack)(&stage) };
    let made = stage.strike();
    done?;
    let made = if how.keep { made? } else { made.map(|_| Vec::new())? };
    Ok(made.iter().filter(|path| path.exists()).map(|path| path.display().to_string()).collect())
}

fn show(outcome: &Outcome, json: bool) -> anyhow::Result<()> {
    if json {
        say(&serde_json::to_string(outcome)?);
        return Ok(());
    }
    let Outcome { name, rule, benign, outcome, reason, kept } = outcome;
    let meant = if *benign { "trips nothing".to_owned() } else { format!("trips {rule:?}") };
    let reason = reason.as_deref().map(|reason| format!(": {reason}")).unwrap_or_default();
    say(&format!("{outcome:<7}  {name}, {meant}{reason}"));
    kept.iter().for_each(|path| say(&format!("         kept {path}")));
    Ok(())
}

/// A line; a reader that has seen enough is no error.
fn say(line: &str) {
    let _ = writeln!(std::io::stdout().lock(), "{line}");
}
