//! The findings, as text and as JSON.

use std::fmt::Write as _;

use sentinel_probe::{HookState, HookStatus};
use serde_json::{Value, json};

use super::{Check, Hooks, Section};
use crate::live::visible;

/// What was found.
pub(super) struct Report {
    pub(super) checks: Vec<Check>,
    /// None when they were not asked for.
    pub(super) hooks: Option<Hooks>,
}

/// Columns of the word before each line.
const MARK_WIDTH: usize = 9;

impl Report {
    /// 0 when Sentinel works, 2 when only its configuration is in the way, 3 when something is missing.
    pub(super) fn exit_code(&self) -> u8 {
        let lacks = |configuration| {
            self.lacking().any(|check| (check.section == Section::Configuration) == configuration)
        };
        if lacks(false) || matches!(self.hooks, Some(Err(_))) {
            3
        } else if lacks(true) {
            2
        } else {
            0
        }
    }

    fn lacking(&self) -> impl Iterator<Item = &Check> {
        self.checks.iter().filter(|check| check.required && !check.available)
    }

    pub(super) fn json(&self) -> String {
        let checks: Vec<Value> = self.checks.iter().map(check_json).collect();
        let mut report = json!({"works": self.exit_code() == 0, "checks": checks});
        let more = match &self.hooks {
            None => None,
            Some(Ok(hooks)) => Some(("hooks", hooks.iter().map(hook_json).collect::<Vec<_>>().into())),
            Some(Err(error)) => Some(("hooks_error", Value::from(error.as_str()))),
        };
        if let (Some((key, value)), Some(object)) = (more, report.as_object_mut()) {
            object.insert(key.to_owned(), value);
        }
        format!("{report:#}\n")
    }

    pub(super) fn text(&self, color: bool) -> String {
        let mut out = String::new();
        let paint = |mark: &str, sgr: &str| {
            let padded = format!("{mark:MARK_WIDTH$}");
            if color { format!("\x1b[{sgr}m{padded}\x1b[0m") } else { padded }
        };
        let name_width = self.checks.iter().map(|check| check.name.len()).max().unwrap_or_default();
        for section in Section::ALL {
            let _ = writeln!(out, "{}", section.name());
            for check in self.checks.iter().filter(|check| check.section == section) {
                let mark = match (check.available, check.required) {
                    (true, _) => paint("ok", "32"),
                    (false, true) => paint("missing", "1;31"),
                    (false, false) if section == Section::Configuration => paint("warning", "33"),
                    (false, false) => paint("optional", "33"),
                };
                let _ = writeln!(
                    out,
                    "{}",
                    format!("  {mark} {:name_width$}  {}", check.name, shown(&check.detail)).trim_end()
                );
                if !check.available {
                    let _ =
                        writeln!(out, "  {:MARK_WIDTH$} {:name_width$}  → {}", "", "", shown(&check.remedy));
                }
            }
        }
        match &self.hooks {
            None => {}
            Some(Ok(hooks)) => hooks_text(hooks, &paint, &mut out),
            Some(Err(error)) => drop(writeln!(out, "hooks\n  {} {}", paint("missing", "1;31"), shown(error))),
        }
        out.push_str(&self.verdict());
        out
    }

    fn verdict(&self) -> String {
        let lacking: Vec<&str> = self.lacking().map(|check| check.name.as_str()).collect();
        match (self.exit_code(), lacking.is_empty()) {
            (0, _) => "Sentinel works here.\n".to_owned(),
            (_, true) => "Sentinel does not work here: the kernel refuses its programs.\n".to_owned(),
            _ => format!("Sentinel does not work here: {}. See → above.\n", lacking.join(", ")),
        }
    }
}

fn hooks_text(hooks: &[HookStatus], paint: &impl Fn(&str, &str) -> String, out: &mut String) {
    let width = hooks.iter().map(|hook| hook.program.len()).max().unwrap_or_default();
    let _ = writeln!(out, "hooks");
    for hook in hooks {
        let (mark, reason) = match &hook.state {
            HookState::Attached { verified: true } => (paint("verified", "32"), String::new()),
            HookState::Attached { verified: false } => (paint("attached", "32"), String::new()),
            HookState::Idle => (paint("idle", "2"), "nothing needs it".to_owned()),
            HookState::Absent => {
                (paint("absent", "2"), "this kernel has no such hook, so there is nothing to see".to_owned())
            }
            HookState::Degraded(reason) => (paint("degraded", "33"), shown(reason)),
        };
        let kinds: Vec<&str> = hook.kinds.iter().map(|kind| kind.name()).collect();
        let _ = writeln!(out, "  {mark} {:width$}  {}  {}", hook.program, hook.hook, kinds.join(","));
        if !reason.is_empty() {
            let _ = writeln!(out, "  {:MARK_WIDTH$} {:width$}  → {reason}", "", "");
        }
    }
}

fn check_json(check: &Check) -> Value {
    json!({
        "section": check.section.name(),
        "name": check.name,
        "available": check.available,
        "required": check.required,
        "detail": check.detail,
        "remedy": if check.available { Value::Null } else { Value::from(check.remedy.as_str()) },
    })
}

fn hook_json(hook: &HookStatus) -> Value {
    let (state, reason) = match &hook.state {
        HookState::Attached { verified: true } => ("verified", None),
        HookState::Attached { verified: false } => ("attached", None),
        HookState::Idle => ("idle", None),
        HookState::Absent => ("absent", None),
        HookState::Degraded(reason) => ("degraded", Some(reason.as_str())),
    };
    let kinds: Vec<&str> = hook.kinds.iter().map(|kind| kind.name()).collect();
    json!({"program": hook.program, "hook": hook.hook, "kinds": kinds, "state": state, "reason": reason})
}

/// Paths and messages of the host, fit for a terminal.
fn shown(text: &str) -> String {
    visible(text.as_bytes())
}

#[cfg(test)]
mod tests;
