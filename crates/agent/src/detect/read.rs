//! Rule files: found and read.

use std::{
    fs::{self, File},
    io::{self, Read as _},
    path::{Path, PathBuf},
};

use sentinel_rules::builtin;
use sha2::{Digest as _, Sha256};

use crate::{ConfigError, config::BUILTIN};

/// The largest file that is read. A limit, because a file can be `/dev/zero`.
const FILE_MAX: u64 = 64 << 20; // bytes
/// Files of one directory that are read.
const FILES_MAX: usize = 4096;

/// Names and texts, in the order in which they are loaded.
pub(super) type Texts = Vec<(String, String)>;

/// Reads the files that `detection.rules` names.
pub(super) fn texts(sources: &[String]) -> Result<Texts, ConfigError> {
    let mut texts = Texts::new();
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

/// What the files say now, or why they cannot be read, as one word: when it is another, something has changed.
pub(crate) fn seen(forward: Option<&Path>, sources: &[String]) -> String {
    let mut hash = Sha256::new();
    if let Some(path) = forward {
        hash.update(text(path).unwrap_or_else(|error| error.to_string()));
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

#[cfg(test)]
mod tests {
    use super::*;

    fn names(sources: &[&Path]) -> Result<Vec<String>, String> {
        let sources: Vec<_> = sources.iter().map(|source| source.display().to_string()).collect();
        let texts = texts(&sources).map_err(|error| error.to_string())?;
        let name = |name: &str| name.rsplit('/').next().unwrap_or_default().to_owned();
        Ok(texts.iter().map(|(path, _)| name(path)).collect())
    }

    #[test]
    fn a_directory_is_its_rule_files_by_name() {
        let dir = tempfile::tempdir().unwrap();
        for name in ["b.yml", "a.yaml", "c.txt", ".yaml", "d.yaml~"] {
            fs::write(dir.path().join(name), "").unwrap();
        }
        fs::create_dir(dir.path().join("sub.yaml")).unwrap();
        let one = dir.path().join("c.txt");
        assert_eq!(names(&[&one, dir.path()]).unwrap(), ["c.txt", "a.yaml", "b.yml"]);
    }

    #[test]
    fn what_cannot_be_read_is_named_with_a_remedy() {
        let dir = tempfile::tempdir().unwrap();
        let bytes = dir.path().join("bytes.yaml");
        fs::write(&bytes, b"- rule: \xff").unwrap();
        for (path, words) in
            [(bytes.as_path(), "no UTF-8 from byte 8"), (Path::new("/nonexistent/r"), "create it")]
        {
            let message = names(&[path]).unwrap_err();
            assert!(message.contains(words) && message.contains(&path.display().to_string()), "{message}");
        }
        assert!(names(&[Path::new("/dev/zero")]).unwrap_err().contains("larger than"));
    }

    #[test]
    fn the_shipped_set_is_compiled_in() {
        let found = names(&[Path::new(BUILTIN)]).unwrap();
        assert_eq!(found.len(), builtin::FILES.len());
    }
}
