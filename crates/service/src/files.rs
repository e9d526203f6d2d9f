//! Files that a configuration names: texts of bounded size, alone or a directory of them.

use std::{
    fs::{self, File},
    io::{self, Read as _},
    path::{Path, PathBuf},
};

use crate::SettingsError;

/// The largest file that is read. A limit, because a file can be `/dev/zero`.
const FILE_MAX: u64 = 64 << 20; // bytes
/// Files of one directory that are read.
const FILES_MAX: usize = 4096;

/// Path and text of the file itself, or of the `.yaml` and `.yml` files of a directory in the order of names.
///
/// # Errors
/// [`SettingsError::Unreadable`]: missing, too large, too many, or no UTF-8.
pub fn texts(path: &Path) -> Result<Vec<(String, String)>, SettingsError> {
    files(path)?.iter().map(|file| Ok((file.display().to_string(), text(file)?))).collect()
}

/// The text of a file.
///
/// # Errors
/// As [`texts`].
pub fn text(path: &Path) -> Result<String, SettingsError> {
    let unreadable = |source| SettingsError::Unreadable { file: path.to_owned(), source };
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

fn files(path: &Path) -> Result<Vec<PathBuf>, SettingsError> {
    let unreadable = |source| SettingsError::Unreadable { file: path.to_owned(), source };
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

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    fn names(path: &Path) -> Result<Vec<String>, String> {
        let texts = texts(path).map_err(|error| error.to_string())?;
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
        assert_eq!(names(&dir.path().join("c.txt")).unwrap(), ["c.txt"]);
        assert_eq!(names(dir.path()).unwrap(), ["a.yaml", "b.yml"]);
    }

    #[test]
    fn what_cannot_be_read_is_named_with_a_remedy() {
        let dir = tempfile::tempdir().unwrap();
        let bytes = dir.path().join("bytes.yaml");
        fs::write(&bytes, b"- rule: \xff").unwrap();
        for (path, words) in
            [(bytes.as_path(), "no UTF-8 from byte 8"), (Path::new("/nonexistent/r"), "create it")]
        {
            let message = names(path).unwrap_err();
            assert!(message.contains(words) && message.contains(&path.display().to_string()), "{message}");
        }
        assert!(names(Path::new("/dev/zero")).unwrap_err().contains("larger than"));
    }
}
