//! The forward rules' file.

use std::{fs, io, path::Path};

use sentinel_event::{CallInterest, FileInterest, Kind, KindSet};
use sentinel_rules::forward::ForwardRules;
use sentinel_service::SettingsError;

use crate::{ConfigError, Rules, detect::Rulebook};

impl Rules {
    /// The file they are in.
    pub(crate) fn path(&self) -> Option<&Path> {
        match self {
            Self::Fixed(_) => None,
            Self::File { path, .. } => Some(path),
        }
    }

    /// Reads them.
    ///
    /// # Errors
    /// [`ConfigError`]: the file is missing and must not be, cannot be read, or is wrong.
    pub fn load(&self) -> Result<ForwardRules, ConfigError> {
        let (path, required) = match self {
            Self::Fixed(rules) => return Ok(rules.clone()),
            Self::File { path, required } => (path, *required),
        };
        match fs::read_to_string(path) {
            Ok(text) => Ok(ForwardRules::parse(&path.display().to_string(), &text)?),
            Err(error) if error.kind() == io::ErrorKind::NotFound && !required => Ok(ForwardRules::default()),
            Err(source) => Err(SettingsError::Unreadable { file: path.clone(), source }.into()),
        }
    }
}

/// What must be captured for these rules: what is forwarded, what is judged, and what keeps the process table.
/// `dns`: whether answers about names may be looked at.
pub(crate) fn captured(rules: &ForwardRules, book: &Rulebook, dns: bool) -> KindSet {
    let all = rules.kinds().union(book.kinds).union(table()).union(book.engine.state_kinds());
    all.iter().filter(|kind| dns || *kind != Kind::Dns).collect()
}

/// What the table of processes is made from.
fn table() -> KindSet {
    [Kind::Exec, Kind::Fork, Kind::Exit].into_iter().collect()
}

/// Which calls these rules can match, or somebody else wants. What the table of processes is made from the kernel's
/// side tells whatever this says.
pub(crate) fn calls(rules: &ForwardRules, book: &Rulebook) -> CallInterest {
    book.engine.calls().or(rules.calls()).and_all_of(book.engine.state_kinds())
}

/// Which opens of files these rules can match.
pub(crate) fn file_interest(rules: &ForwardRules, book: &Rulebook) -> FileInterest {
    if rules.kinds().contains(Kind::FileOpen) {
        // They choose by more than paths, and who forwards opens wants most of them.
        return FileInterest::all();
    }
    book.engine.file_interest()
}

/// The calls without a kind of their own that these rules name.
pub(crate) fn named_calls(book: &Rulebook) -> Vec<String> {
    book.engine.syscalls().into_iter().map(str::to_owned).collect()
}
