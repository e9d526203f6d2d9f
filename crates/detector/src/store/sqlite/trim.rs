//! Forgetting: by age, then by size.

use rusqlite::{Connection, Transaction, params};

use super::{
    counts::{self, Changes},
    write::SqliteWriter,
};
use crate::{config::Retention, store::StoreError};

/// Rows that one piece of work removes: the writer's queue waits that long.
const PIECE: i64 = 2000;
/// The same of rows with many touches: some hundred kilobytes, so that no more goes than must.
const ROWS: i64 = 16;
/// Pages given back to the file system in one piece of work.
const PAGES: u32 = 4000;

/// When something is forgotten.
#[derive(Debug, Clone, Copy)]
pub(super) struct Limits {
    age_ms: i64,
    events_age_ms: i64,
    bytes: u64,
    events_bytes: u64,
}

impl Limits {
    pub(super) fn new(retention: &Retention) -> Self {
        let millis = |age: crate::config::Age| i64::try_from(age.duration().as_millis()).unwrap_or(i64::MAX);
        Self {
            age_ms: millis(retention.age),
            events_age_ms: millis(retention.events_age),
            bytes: retention.bytes,
            events_bytes: retention.bytes / 100 * u64::from(retention.events_percent),
        }
    }
}

// What removes the oldest rows of a table that came before a time. `?1`: that time, `?2`: most rows. Rows are in
// the order in which they came, so only the first are looked at.
const TOUCHES: &str = "DELETE FROM touches WHERE id IN
    (SELECT id FROM (SELECT id, came_ms FROM touches ORDER BY id LIMIT ?2) WHERE came_ms < ?1)";
const PROCESSES: &str = "DELETE FROM processes WHERE (node, pid, start_ns, ts_ms) IN
    (SELECT node, pid, start_ns, ts_ms FROM processes WHERE came_ms < ?1 ORDER BY came_ms LIMIT ?2)";
const OLDEST: &str = "SELECT ts_ms, severity, rule_id, rule, node, pod, namespace, workload FROM
    (SELECT * FROM alerts ORDER BY seq LIMIT ?2) WHERE came_ms < ?1";
const BODIES: &str = "DELETE FROM bodies WHERE seq IN
    (SELECT seq FROM (SELECT seq, came_ms FROM alerts ORDER BY seq LIMIT ?2) WHERE came_ms < ?1)";
const ALERTS: &str = "DELETE FROM alerts WHERE seq IN
    (SELECT seq FROM (SELECT seq, came_ms FROM alerts ORDER BY seq LIMIT ?2) WHERE came_ms < ?1)";

impl SqliteWriter {
    /// One piece of forgetting; true when there is more to do.
    pub(super) fn forget(&mut self, now_ms: i64) -> Result<bool, StoreError> {
        let limits = self.limits;
        let transaction = self.connection.transaction()?;
        let (old, ancient) =
            (now_ms.saturating_sub(limits.events_age_ms), now_ms.saturating_sub(limits.age_ms));
        let mut removed = 0;
        removed += transaction.execute(TOUCHES, params![old, PIECE])?;
        removed += transaction.execute(PROCESSES, params![old, PIECE])?;
        removed += forget_alerts(&transaction, ancient)?;
        if removed == 0 {
            let (used, events) = (used_bytes(&transaction)?, events_bytes(&transaction)?);
            // Events are many and their time is short: they go first.
            if events > limits.events_bytes || (used > limits.bytes && events > 0) {
                removed += transaction.execute(TOUCHES, params![i64::MAX, ROWS])?;
                removed += transaction.execute(PROCESSES, params![i64::MAX, PIECE])?;
            } else if used > limits.bytes {
                removed += forget_alerts(&transaction, i64::MAX)?;
            }
        }
        transaction.commit()?;
        // Steps of the vacuum are rows: they must be read to happen.
        let mut vacuum = self.connection.prepare(&format!("PRAGMA incremental_vacuum({PAGES})"))?;
        let mut steps = vacuum.query([])?;
        while steps.next()?.is_some() {}
        Ok(removed > 0)
    }
}

/// The oldest alerts that came before a time, of both tables, and in the counts.
fn forget_alerts(connection: &Transaction<'_>, before_ms: i64) -> rusqlite::Result<usize> {
    let mut oldest = connection.prepare_cached(OLDEST)?;
    let mut rows = oldest.query(params![before_ms, PIECE])?;
    let mut changes = Changes::default();
    while let Some(row) = rows.next()? {
        changes.less(&counts::brief(row)?);
    }
    changes.write(connection)?;
    connection.prepare_cached(BODIES)?.execute(params![before_ms, PIECE])?;
    connection.prepare_cached(ALERTS)?.execute(params![before_ms, PIECE])
}

/// Bytes in use; free pages are given back as we go and do not count.
pub(super) fn used_bytes(connection: &Connection) -> rusqlite::Result<u64> {
    let pragma = |name| connection.pragma_query_value(None, name, |row| row.get::<_, u32>(0));
    let pages = pragma("page_count")?.saturating_sub(pragma("freelist_count")?);
    Ok(u64::from(pages) * u64::from(pragma("page_size")?))
}

/// Bytes of events, nearly: the length of a page is in its row's head, so pages are not read.
fn events_bytes(connection: &Connection) -> rusqlite::Result<u64> {
    /// Row and index of a process, typically.
    const PROCESS: u64 = 300;
    let sum = |sql| connection.query_row(sql, [], |row| Ok(row.get::<_, i64>(0)?.unsigned_abs()));
    let touches = sum("SELECT coalesce(sum(length(page)), 0) FROM touches")?;
    Ok(touches + PROCESS * sum("SELECT count(*) FROM processes")?)
}
