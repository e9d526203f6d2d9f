//! `sentinel rules test`: samples through the evaluator that the agent uses.

mod input;
mod judge;
mod report;
mod sample;

use std::io::{self, IsTerminal as _};
use std::path::Path;
use std::process::ExitCode;

use anyhow::Context as _;
use sentinel_rules::builtin;
use sentinel_rules::language::RuleSet;

use self::input::Input;
use self::judge::{Judge, Origin};
use super::args::{Files, Format};
use super::{check, files, print};
use crate::args::Color;

/// Loads the rules among the files, judges the samples among them, and reports what did not come as it should.
pub(super) fn test(args: &Files) -> anyhow::Result<ExitCode> {
    let (mut rules, mut samples) = (Vec::new(), Vec::new());
    for path in &args.files {
        if path == Path::new(files::BUILTIN) {
            rules.extend(builtin::texts(files::BUILTIN));
            continue;
        }
        let name = path.display().to_string();
        match input::read(path) {
            Ok(Input::Rules(text)) => rules.push((name, text)),
            Ok(Input::Samples(items)) => {
                samples.extend(items.into_iter().map(|item| Origin { file: name.clone(), item }));
            }
            Err(report) => {
                eprint!("{}", check::problems(&report, false));
                return Ok(ExitCode::from(1));
            }
        }
    }
    let texts: Vec<_> = rules.iter().map(|(name, text)| (name.as_str(), text.as_str())).collect();
    let (report, set) = RuleSet::load(&texts);
    let Some(set) = set else {
        eprint!("{}", check::problems(&report, false));
        return Ok(ExitCode::from(1));
    };
    if set.rules.is_empty() {
        anyhow::bail!("the files hold no rules; name the rules that the samples are for, too");
    }
    let report = Judge::new(set).report(&samples);
    let text = match args.format {
        Format::Json => format!("{}\n", serde_json::to_string(&report).context("writing the report")?),
        Format::Text => report.text(Color::Auto.wanted(io::stdout().is_terminal())),
    };
    print(&text)?;
    Ok(ExitCode::from(u8::from(!report.ok)))
}
