//! Rule files: read and loaded.

use std::fs::File;
use std::io::{self, Read as _};
use std::path::{Path, PathBuf};

use sentinel_rules::language::{LoadReport, RuleSet};

/// The largest file that is read. A limit, because a file can be `/dev/zero`.
const FILE_MAX: u64 = 64 << 20; // bytes

/// Loads files as one set. Files that cannot be read are errors of the report, and then nothing is loaded:
/// what they define is missed by the others.
pub(super) fn load(paths: &[PathBuf]) -> (LoadReport, Option<RuleSet>) {
    let (mut texts, mut unread) = (Vec::new(), LoadReport { successful: true, ..LoadReport::default() });
    for path in paths {
        let name = path.display().to_string();
        match read(path) {
            Ok(text) => texts.push((name, text)),
            Err(message) => {
                unread.successful = false;
                unread.errors.extend(LoadReport::unreadable(&name, message).errors);
            }
        }
    }
    if !unread.successful {
        return (unread, None);
    }
    let files: Vec<_> = texts.iter().map(|(name, text)| (name.as_str(), text.as_str())).collect();
    RuleSet::load(&files)
}

/// The text of a file, or why there is none.
pub(super) fn read(path: &Path) -> Result<String, String> {
    let mut bytes = Vec::new();
    let read = |bytes: &mut Vec<u8>| -> io::Result<usize> {
        File::open(path)?.take(FILE_MAX + 1).read_to_end(bytes)
    };
    read(&mut bytes).map_err(|error| format!("the file cannot be read: {error}"))?;
    if u64::try_from(bytes.len()).is_ok_and(|len| len > FILE_MAX) {
        return Err(format!("the file is larger than {FILE_MAX} bytes; split it"));
    }
    String::from_utf8(bytes).map_err(|error| {
        let at = error.utf8_error().valid_up_to();
        format!("the file is no UTF-8 from byte {at} on; save it as UTF-8")
    })
}
