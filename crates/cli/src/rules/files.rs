//! Rule files: found, read and loaded.

use std::path::{Path, PathBuf};

use sentinel_rules::builtin;
use sentinel_rules::language::{LoadReport, RuleSet};
use sentinel_service::SettingsError;

/// What stands for the shipped set, as in the agent's configuration.
pub(super) const BUILTIN: &str = "builtin";

/// Names and texts, in the order in which they are loaded.
pub(super) type Texts = Vec<(String, String)>;

/// Reads and loads as one set what `paths` name. Files that cannot be read are errors of the report, and then nothing is
/// loaded: what they define is missed by the others.
pub(super) fn load(paths: &[PathBuf]) -> Loaded {
    let (mut texts, mut unread) = (Texts::new(), LoadReport { successful: true, ..LoadReport::default() });
    for path in paths {
        match named(path) {
            Ok(found) => texts.extend(found),
            Err(report) => {
                unread.successful = false;
                unread.errors.extend(report.errors);
            }
        }
    }
    let files = texts.len() + unread.errors.len();
    if !unread.successful {
        return Loaded { report: unread, set: None, files };
    }
    let texts: Vec<_> = texts.iter().map(|(name, text)| (name.as_str(), text.as_str())).collect();
    let (report, set) = RuleSet::load(&texts);
    Loaded { report, set, files }
}

/// What became of rule files.
pub(super) struct Loaded {
    /// What is wrong with them.
    pub(super) report: LoadReport,
    /// Their rules; none when there are errors.
    pub(super) set: Option<RuleSet>,
    /// How many they are.
    pub(super) files: usize,
}

/// What a name stands for: the shipped set, a file, or the files of a directory that are called `*.yaml` or `*.yml`, in the
/// order of their names.
fn named(path: &Path) -> Result<Texts, LoadReport> {
    if path == Path::new(BUILTIN) {
        return Ok(builtin::texts(BUILTIN).collect());
    }
    let texts = sentinel_service::texts(path).map_err(|error| unreadable(path, error))?;
    if texts.is_empty() {
        let problem = "the directory has no *.yaml and no *.yml".to_owned();
        return Err(LoadReport::unreadable(&path.display().to_string(), problem));
    }
    Ok(texts)
}

/// The text of a file.
pub(super) fn read(path: &Path) -> Result<String, LoadReport> {
    sentinel_service::text(path).map_err(|error| unreadable(path, error))
}

/// A report that says that, and why, a file was not read.
fn unreadable(path: &Path, error: SettingsError) -> LoadReport {
    match error {
        SettingsError::Unreadable { file, source } => {
            LoadReport::unreadable(&file.display().to_string(), format!("the file cannot be read: {source}"))
        }
        other => LoadReport::unreadable(&path.display().to_string(), other.to_string()),
    }
}
