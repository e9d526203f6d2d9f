//! Tests about the repository itself: what CONTRIBUTING.md asks for and no compiler checks. Everything is
//! in `tests/`; here is only what they share: the repository's files.

use std::{
    fs, io,
    path::{Path, PathBuf},
};

/// A text file of the repository.
#[derive(Debug)]
pub struct File {
    /// Its path from the top of the repository, with `/`.
    pub path: String,
    /// What is in it.
    pub text: String,
}

/// The top of the repository.
pub fn top() -> PathBuf {
    // crates/tidy → the top, by construction.
    Path::new(env!("CARGO_MANIFEST_DIR")).ancestors().nth(2).unwrap_or(Path::new(".")).to_owned()
}

/// Every text file of the repository in the order of the paths; what is built or belongs to tools is left out.
///
/// # Errors
/// When a directory or a file cannot be read.
pub fn files() -> io::Result<Vec<File>> {
    let mut files = Vec::new();
    let top = top();
    collect(&top, &top, &mut files)?;
    files.sort_by(|a, b| a.path.cmp(&b.path));
    Ok(files)
}

/// The files whose path passes `wanted`.
///
/// # Errors
/// As [`files`].
pub fn files_where(wanted: impl Fn(&str) -> bool) -> io::Result<Vec<File>> {
    Ok(files()?.into_iter().filter(|file| wanted(&file.path)).collect())
}

fn collect(top: &Path, dir: &Path, files: &mut Vec<File>) -> io::Result<()> {
    for entry in fs::read_dir(dir)? {
        let entry = entry?;
        let (path, name) = (entry.path(), entry.file_name());
        let name = name.to_string_lossy();
        let kind = entry.file_type()?;
        if kind.is_dir() {
            let foreign = name.starts_with('.') && name != ".ci" && name != ".github";
            let built = ["target", "node_modules"].contains(&&*name) || path.ends_with("dashboard/dist");
            if !foreign && !built {
                collect(top, &path, files)?;
            }
        } else if kind.is_file() {
            // Not text: seeds of fuzzing, pictures.
            let Ok(text) = String::from_utf8(fs::read(&path)?) else { continue };
            let path = path.strip_prefix(top).unwrap_or(&path).to_string_lossy().replace('\\', "/");
            files.push(File { path, text });
        }
    }
    Ok(())
}
