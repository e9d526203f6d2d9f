//! Rule files: found and read.

use std::path::Path;

use sentinel_rules::builtin;
use sha2::{Digest as _, Sha256};

use crate::{ConfigError, config::BUILTIN};

/// Names and texts, in the order in which they are loaded.
pub(super) type Texts = Vec<(String, String)>;

/// Reads the files that `detection.rules` names.
pub(super) fn texts(sources: &[String]) -> Result<Texts, ConfigError> {
    let mut texts = Texts::new();
    for source in sources {
        if source == BUILTIN {
            texts.extend(builtin::texts(BUILTIN));
        } else {
            texts.extend(sentinel_service::texts(Path::new(source))?);
        }
    }
    Ok(texts)
}

/// What the files say now, or why they cannot be read, as one word: when it is another, something has changed.
pub(crate) fn seen(forward: Option<&Path>, sources: &[String]) -> String {
    let mut hash = Sha256::new();
    if let Some(path) = forward {
        hash.update(sentinel_service::text(path).unwrap_or_else(|error| error.to_string()));
    }
    match texts(sources) {
        Ok(texts) => texts.iter().for_each(|(name, text)| {
            hash.update(name);
            hash.update(text);
        }),
        Err(error) => hash.update(error.to_string()),
    }
    format!("{:x}", hash.finalize())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_shipped_set_is_compiled_in() {
        let found = texts(&[BUILTIN.to_owned()]).unwrap();
        assert_eq!(found.len(), builtin::FILES.len());
    }
}
