//! Rule files: found and read.

use std::{
    hash::{BuildHasher as _, BuildHasherDefault},
    path::Path,
};

use rustc_hash::FxHasher;
use sentinel_rules::builtin;

use crate::{ConfigError, config::BUILTIN};

/// Names and texts of the sources, in the order in which they are loaded.
pub(super) fn texts(sources: &[String]) -> Result<Vec<(String, String)>, ConfigError> {
    let mut texts = Vec::new();
    for source in sources {
        if source == BUILTIN {
            texts.extend(builtin::texts(BUILTIN));
        } else {
            texts.extend(sentinel_service::texts(Path::new(source))?);
        }
    }
    Ok(texts)
}

/// A word for what the texts say: another when they are others. It tells versions apart and proves nothing.
pub(super) fn hash(texts: &[(String, String)]) -> String {
    format!("{:016x}", BuildHasherDefault::<FxHasher>::default().hash_one(texts))
}
