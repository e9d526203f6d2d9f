//! Forgetting: by age, then by size. Whichever detector comes to it does it for all.

use tokio_postgres::{Client, Error, Transaction};

use super::{
    lock, signed,
    write::{ALERT, PROCESS},
};
use crate::config::{Age, Retention};

/// Rows that one piece of work removes: whoever appends waits that long.
const PIECE: i64 = 2000;
/// The same of rows with many touches.
const ROWS: i64 = 64;

/// When something is forgotten.
#[derive(Debug, Clone, Copy)]
pub(super) struct Limits {
    age_ms: i64,
    events_age_ms: i64,
    bytes: i64,
    events_bytes: i64,
}

impl Limits {
    pub(super) fn new(retention: &Retention) -> Self {
        let millis = |age: Age| i64::try_from(age.duration().as_millis()).unwrap_or(i64::MAX);
        Self {
            age_ms: millis(retention.age),
            events_age_ms: millis(retention.events_age),
            bytes: signed(retention.bytes),
            events_bytes: signed(retention.bytes / 100 * u64::from(retention.events_percent)),
        }
    }
}

// What removes the oldest rows that came before a time; rows and bytes of what is removed. `$1`: that time, `$2`: most
// rows. Rows are in the order in which they came, so only the first are looked at.
const TOUCHES: &str = "WITH gone AS (DELETE FROM touches WHERE id IN
        (SELECT id FROM (SELECT id, came_ms FROM touches ORDER BY id LIMIT $2) o WHERE came_ms < $1)
        RETURNING octet_length(page) AS size)
    SELECT count(*), coalesce(sum(size), 0)::int8 FROM gone";
const PROCESSES: &str = "DELETE FROM processes WHERE ctid = ANY (ARRAY
    (SELECT ctid FROM processes WHERE came_ms < $1 ORDER BY came_ms LIMIT $2))";
const ALERTS: &str = "WITH gone AS (DELETE FROM alerts WHERE seq IN
        (SELECT seq FROM (SELECT seq, came_ms FROM alerts ORDER BY seq LIMIT $2) o WHERE came_ms < $1)
        RETURNING seq),
    bodies AS (DELETE FROM bodies USING gone WHERE bodies.seq = gone.seq RETURNING octet_length(tail) AS size)
    SELECT count(*), coalesce(sum(size), 0)::int8 FROM bodies";

/// One piece of forgetting; true when there is more to do.
pub(super) async fn forget(client: &mut Client, limits: Limits, now_ms: i64) -> Result<bool, Error> {
    let transaction = client.transaction().await?;
    lock(&transaction).await?;
    let (old, ancient) = (now_ms.saturating_sub(limits.events_age_ms), now_ms.saturating_sub(limits.age_ms));
    let mut removed = forget_touches(&transaction, old, PIECE).await?;
    removed += forget_processes(&transaction, old).await?;
    removed += forget_alerts(&transaction, ancient).await?;
    if removed == 0 {
        let row = transaction.query_one("SELECT alerts, events FROM stock", &[]).await?;
        let (alerts, events): (i64, i64) = (row.try_get(0)?, row.try_get(1)?);
        let used = alerts.saturating_add(events);
        // Events are many and their time is short: they go first.
        if events > limits.events_bytes || (used > limits.bytes && events > 0) {
            removed += forget_touches(&transaction, i64::MAX, ROWS).await?;
            removed += forget_processes(&transaction, i64::MAX).await?;
        } else if used > limits.bytes {
            removed += forget_alerts(&transaction, i64::MAX).await?;
        }
    }
    transaction.commit().await?;
    Ok(removed > 0)
}

async fn forget_touches(transaction: &Transaction<'_>, before_ms: i64, most: i64) -> Result<i64, Error> {
    let row = transaction.query_one(TOUCHES, &[&before_ms, &most]).await?;
    let (rows, bytes): (i64, i64) = (row.try_get(0)?, row.try_get(1)?);
    count(transaction, 0, -bytes).await?;
    Ok(rows)
}

async fn forget_processes(transaction: &Transaction<'_>, before_ms: i64) -> Result<i64, Error> {
    let rows = signed(transaction.execute(PROCESSES, &[&before_ms, &PIECE]).await?);
    count(transaction, 0, -rows * PROCESS).await?;
    Ok(rows)
}

async fn forget_alerts(transaction: &Transaction<'_>, before_ms: i64) -> Result<i64, Error> {
    let row = transaction.query_one(ALERTS, &[&before_ms, &PIECE]).await?;
    let (rows, bytes): (i64, i64) = (row.try_get(0)?, row.try_get(1)?);
    count(transaction, -bytes - rows * ALERT, 0).await?;
    Ok(rows)
}

/// So many bytes more, or less, are kept.
pub(super) async fn count(transaction: &Transaction<'_>, alerts: i64, events: i64) -> Result<(), Error> {
    if alerts == 0 && events == 0 {
        return Ok(());
    }
    let sql = "UPDATE stock SET alerts = greatest(alerts + $1, 0), events = greatest(events + $2, 0)";
    transaction.execute(sql, &[&alerts, &events]).await.map(drop)
}
