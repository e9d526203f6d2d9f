//! The forward rules' file.

use std::{fs, io};

use sentinel_event::{Kind, KindSet};
use sentinel_rules::forward::ForwardRules;

use crate::{ConfigError, Rules};

impl Rules {
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
            Err(source) => Err(ConfigError::Unreadable { file: path.clone(), source }),
        }
    }
}

/// What must be captured for these rules: what they forward, and what keeps the process table.
pub(crate) fn captured(rules: &ForwardRules) -> KindSet {
    rules.kinds().union([Kind::Exec, Kind::Fork, Kind::Exit].into_iter().collect())
}
