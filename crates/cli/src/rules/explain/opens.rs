//! Which opens of files a rule needs, and so what the kernel may leave out.

use std::fmt::Write as _;

use sentinel_event::{FileInterest, PathClasses, PathSet};
use sentinel_rules::language::Rule;
use sentinel_rules::language::eval::{file_interest, widenings};
use serde::Serialize;

/// The needs of a rule, for programs.
#[derive(Debug, Serialize)]
pub(super) struct Opens {
    /// Opens that only read: `"all"`, or classes of paths.
    reading: Paths,
    /// Other opens.
    writing: Paths,
    /// Those of the others whose mode has one of these bits.
    modes: u32,
    /// Opens that failed.
    failed: bool,
    /// Opens of which the kernel's side is not sure what was opened.
    unsure: bool,
    /// Parts of the condition because of which paths do not matter.
    widened_by: Vec<WidenedBy>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "lowercase")]
enum Paths {
    All,
    #[serde(untagged)]
    Some {
        prefixes: Vec<String>,
        names: Vec<String>,
        suffixes: Vec<String>,
    },
}

#[derive(Debug, Serialize)]
struct WidenedBy {
    opens: &'static str,
    part: String,
}

impl Opens {
    /// None when the rule looks at no open.
    pub(super) fn of(rule: &Rule) -> Option<Self> {
        let interest = file_interest(rule);
        let widenings = widenings(rule).into_iter();
        (interest != FileInterest::default()).then(|| Self {
            reading: Paths::new(&interest.reading),
            writing: Paths::new(&interest.writing),
            modes: interest.modes,
            failed: interest.failed,
            unsure: interest.unsure,
            widened_by: widenings.map(|one| WidenedBy { opens: one.opens, part: one.part }).collect(),
        })
    }
}

impl Paths {
    fn new(set: &PathSet) -> Self {
        match set {
            PathSet::All => Self::All,
            PathSet::Some(PathClasses { prefixes, names, suffixes }) => {
                let [prefixes, names, suffixes] =
                    [prefixes, names, suffixes].map(|texts| texts.iter().map(ToString::to_string).collect());
                Self::Some { prefixes, names, suffixes }
            }
        }
    }
}

/// The needs of a rule, for people; empty when it looks at no open.
pub(super) fn text(rule: &Rule) -> String {
    let mut text = interest(&file_interest(rule));
    // Usually it is the same part for reading and for writing.
    let mut parts: Vec<String> = widenings(rule).into_iter().map(|one| one.part).collect();
    parts.dedup();
    for part in parts {
        let _ = write!(text, "\nevery path because of: {part}");
    }
    text
}

/// One line for each class of opens.
pub(super) fn interest(interest: &FileInterest) -> String {
    let mut text = String::new();
    let mut line = |what: &str| {
        let _ = write!(text, "{}{what}", if text.is_empty() { "" } else { "\n" });
    };
    for (opens, set) in [("for reading", &interest.reading), ("for writing", &interest.writing)] {
        let paths = paths(set);
        if !paths.is_empty() {
            line(&format!("{opens}: {paths}"));
        }
    }
    if interest.modes != 0 {
        line(&format!("for writing, with one of the mode bits {:#o}", interest.modes));
    }
    if interest.failed {
        line("that failed");
    }
    if interest.unsure {
        line("where another thread could have swapped the file");
    }
    text
}

/// `/etc/pam.d…`, `…/.ssh/…`, `….pem`.
fn paths(set: &PathSet) -> String {
    let PathSet::Some(classes) = set else { return "every path".to_owned() };
    let mut shown: Vec<String> = classes.prefixes.iter().map(|prefix| format!("{prefix}…")).collect();
    shown.extend(classes.names.iter().map(|name| format!("…/{name}/…")));
    shown.extend(classes.suffixes.iter().map(|suffix| format!("…{suffix}")));
    shown.join(" ")
}
