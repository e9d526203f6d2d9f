//! History in an SQLite file.

mod counts;
mod open;
mod read;
mod schema;
mod trim;
mod write;

pub(crate) use read::SqliteReader;
pub(crate) use write::SqliteWriter;
