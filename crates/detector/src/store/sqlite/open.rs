//! Opening the file.

use std::{
    fs,
    os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _},
    path::Path,
    time::Duration,
};

use rusqlite::{Connection, ErrorCode, OpenFlags};

use super::schema;
use crate::store::StoreError;

/// How long a connection waits for another one's lock.
const PATIENCE: Duration = Duration::from_secs(5);
/// Statements that a connection keeps prepared.
const STATEMENTS: usize = 64;

/// Opens the file for writing; makes it, and its directory, when missing, and brings its schema up to date.
pub(super) fn for_writing(path: &Path) -> Result<Connection, StoreError> {
    let failed = |problem: String| StoreError::Unusable { path: path.to_owned(), problem };
    if let Some(directory) = path.parent().filter(|directory| !directory.as_os_str().is_empty()) {
        fs::DirBuilder::new().recursive(true).mode(0o750).create(directory).map_err(|error| {
            failed(format!("{error}; create the directory {}, or set history.path", directory.display()))
        })?;
    }
    // SQLite would make it readable for everybody; its -wal and -shm get the mode of the file.
    fs::OpenOptions::new()
        .append(true)
        .create(true)
        .mode(0o640)
        .open(path)
        .map_err(|error| failed(format!("{error}; run as a user who may write it, or set history.path")))?;
    let open = || -> rusqlite::Result<Connection> {
        let connection = Connection::open_with_flags(path, OpenFlags::SQLITE_OPEN_READ_WRITE)?;
        common(&connection)?;
        // Only a new file takes it: what retention frees then goes back to the file system.
        connection.pragma_update(None, "auto_vacuum", "incremental")?;
        connection.pragma_update(None, "journal_mode", "wal")?;
        // A commit is on the disk before it is acknowledged.
        connection.pragma_update(None, "synchronous", "full")?;
        connection.pragma_update(None, "journal_size_limit", 64 << 20)?;
        connection.pragma_update(None, "wal_autocheckpoint", 4000)?;
        Ok(connection)
    };
    let mut connection = open().map_err(|error| failed(explained(&error)))?;
    schema::migrate(&mut connection).map_err(failed)?;
    Ok(connection)
}

/// Opens the file for reading; it is there and up to date.
pub(super) fn for_reading(path: &Path) -> Result<Connection, StoreError> {
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(path, flags)?;
    common(&connection)?;
    connection.pragma_update(None, "query_only", true)?;
    Ok(connection)
}

fn common(connection: &Connection) -> rusqlite::Result<()> {
    connection.busy_timeout(PATIENCE)?;
    connection.set_prepared_statement_cache_capacity(STATEMENTS);
    connection.pragma_update(None, "trusted_schema", false)?;
    connection.pragma_update(None, "cache_size", -8192) // KiB
}

fn explained(error: &rusqlite::Error) -> String {
    match error.sqlite_error_code() {
        Some(ErrorCode::NotADatabase | ErrorCode::DatabaseCorrupt) => {
            format!("{error}; move the file away, and a new history begins")
        }
        Some(ErrorCode::DatabaseBusy) => format!("{error}; another program has it open, stop that one"),
        _ => error.to_string(),
    }
}
