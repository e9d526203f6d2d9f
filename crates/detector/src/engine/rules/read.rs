//! Rule files: found and read.

use std::{
    fs::{self, File},
    hash::{BuildHasher as _, BuildHasherDefault},
    io::{self, Read as _},
    path::{Path, PathBuf},
};

use rustc_hash::FxHasher;
use sentinel_rules::builtin;

use crate::{ConfigError, config::BUILTIN};

/// The largest file that is read. A limit, because a file can be `/dev/zero`.
const FILE_MAX: u64 = 64 << 20; // bytes
/// Files of one directory that are read.
const FILES_MAX: usize = 4096;

/// Names and texts of the sources, in the order in which they are loaded.
pub(super) fn texts(sources: &[String]) -> Result<Vec<(String, String)>, ConfigError> {
    let mut texts = Vec::new();
    for source in sources {
        if source == BUILTIN {
            let named = |(name, text): &(&str, &str)| (format!("{BUILTIN}/{name}"), (*text).to_owned());
            texts.extend(builtin::FILES.iter().map(named));
            continue;
        }
        for path in files(Path::new(source))? {
            let text = text(&path)?;
            texts.push((path.display().to_string(), text));
        }
    }
    Ok(texts)
}

/// A word for what the texts say: another when they are others. It tells versions apart and proves nothing.
pub(super) fn hash(texts: &[(String, String)]) -> String {
    format!("{:016x}", BuildHasherDefault::<FxHasher>::default().hash_one(texts))
}

/// The file itself, or the rule files of a directory in the order of names.
fn files(path: &Path) -> Result<Vec<PathBuf>, ConfigError> {
    let unreadable = |source| ConfigError::Unreadable { file: path.to_owned(), source };
    if !fs::metadata(path).map_err(unreadable)?.is_dir() {
        return Ok(vec![path.to_owned()]);
    }
    let mut files = Vec::new();
    for entry in fs::read_dir(path).map_err(unreadable)? {
        let file = entry.map_err(unreadable)?.path();
        let named = file.extension().is_some_and(|extension| extension == "yaml" || extension == "yml");
        if named && file.is_file() {
            files.push(file);
        }
        if files.len() > FILES_MAX {
            let problem = format!("more than {FILES_MAX} rule files; is it the right directory?");
            return Err(unreadable(io::Error::other(problem)));
        }
    }
    files.sort();
    Ok(files)
}

fn text(path: &Path) -> Result<String, ConfigError> {
    let unreadable = |source| ConfigError::Unreadable { file: path.to_owned(), source };
    let mut bytes = Vec::new();
    let read = File::open(path).and_then(|file| file.take(FILE_MAX + 1).read_to_end(&mut bytes));
    read.map_err(unreadable)?;
    if bytes.len() as u64 > FILE_MAX {
        return Err(unreadable(io::Error::other(format!("larger than {FILE_MAX} bytes; split it"))));
    }
    String::from_utf8(bytes).map_err(|error| {
        let at = error.utf8_error().valid_up_to();
        unreadable(io::Error::other(format!("no UTF-8 from byte {at} on; save it as UTF-8")))
    })
}
