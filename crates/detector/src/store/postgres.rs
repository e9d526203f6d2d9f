//! History in PostgreSQL: several detectors share it.
//!
//! Who appends holds a lock of the database until the commit. So sequences are visible in their order, whoever gave
//! them away, and a reader of the feed that has seen one has missed none before it. All is in a schema of its own,
//! `sentinel`.

mod connect;
mod follow;
mod read;
mod schema;
mod trim;
mod write;

pub(crate) use connect::Server;
pub(crate) use follow::{Follower, newest};
pub(crate) use read::PostgresReader;
pub(crate) use write::PostgresWriter;

use super::StoreError;

/// "SNTL": of the database's advisory locks, ours.
const LOCK: i64 = 0x534e_544c;

/// Takes the lock for this transaction.
async fn lock(transaction: &tokio_postgres::Transaction<'_>) -> Result<(), tokio_postgres::Error> {
    transaction.execute("SELECT pg_advisory_xact_lock($1)", &[&LOCK]).await.map(drop)
}

/// Text as the database can hold it: all but the character 0, which only an attacker sends.
fn clean(text: &str) -> String {
    text.replace('\0', "\u{fffd}")
}

/// A number as the database has them.
fn signed(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests;
