//! A reader.

use std::{
    path::Path,
    time::{Duration, Instant},
};

use prost::Message as _;
use rusqlite::{Connection, ErrorCode, OptionalExtension as _, Row, params, types::Value};

use super::{counts, open, trim::used_bytes};
use crate::store::{
    Filter, Reader, Seen, Size, StoreError, Stored,
    entry::served,
    trace::{Page, Process, Touch},
};

/// How long a query may take: one that reads everything must not hold a reader for minutes.
const PATIENCE: Duration = Duration::from_secs(5);
/// Instructions of SQLite's machine between two looks at the clock.
const STEPS: i32 = 10_000;
/// Alerts of a time that are found and put in order by the index of times; with more, reading from the newest on is
/// quicker by far.
const FEW: i64 = 5000;
/// Pages of touches that are read for one answer.
const PAGES: i64 = 2000;

/// A connection that reads.
pub(crate) struct SqliteReader(Connection);

impl SqliteReader {
    /// Opens a history that a [`super::SqliteWriter`] has opened before.
    pub(crate) fn open(path: &Path) -> Result<Self, StoreError> {
        Ok(Self(open::for_reading(path)?))
    }

    /// Whether few alerts are of this time.
    fn is_few(&mut self, from_ms: Option<i64>, to_ms: Option<i64>) -> Result<bool, StoreError> {
        if from_ms.is_none() && to_ms.is_none() {
            return Ok(false);
        }
        let mut query = self.ready()?.prepare_cached(
            "SELECT count(*) FROM (SELECT 1 FROM alerts WHERE ts_ms >= ?1 AND ts_ms < ?2 LIMIT ?3)",
        )?;
        let span = params![from_ms.unwrap_or(i64::MIN), to_ms.unwrap_or(i64::MAX), FEW];
        Ok(query.query_row(span, |row| row.get::<_, i64>(0)).map_err(explained)? < FEW)
    }

    /// The connection, with the clock set.
    fn ready(&mut self) -> Result<&Connection, StoreError> {
        let deadline = Instant::now() + PATIENCE;
        self.0.progress_handler(STEPS, Some(move || Instant::now() > deadline))?;
        Ok(&self.0)
    }
}

/// The pattern that finds a text anywhere.
fn containing(text: &str) -> String {
    let mut pattern = String::from("%");
    for c in text.chars() {
        if matches!(c, '%' | '_' | '\\') {
            pattern.push('\\');
        }
        pattern.push(c);
    }
    pattern + "%"
}

impl Reader for SqliteReader {
    fn alerts(&mut self, filter: &Filter) -> Result<Vec<Stored>, StoreError> {
        let few = self.is_few(filter.from_ms, filter.to_ms)?;
        let mut sql = String::from(
            "SELECT a.seq, a.ts_ms, a.node, b.tail FROM alerts a JOIN bodies b USING (seq) WHERE true",
        );
        let mut values: Vec<Value> = Vec::new();
        let mut narrow = |condition: &str, value: Value| {
            values.push(value);
            sql.push_str(" AND ");
            sql.push_str(&condition.replace('?', &format!("?{}", values.len())));
        };
        let number = |number: u64| Value::Integer(i64::try_from(number).unwrap_or(i64::MAX));
        // The plus keeps the index out of it.
        let (from, to) =
            if few { ("a.ts_ms >= ?", "a.ts_ms < ?") } else { ("+a.ts_ms >= ?", "+a.ts_ms < ?") };
        for (condition, time) in [(from, filter.from_ms), (to, filter.to_ms)] {
            if let Some(time) = time {
                narrow(condition, Value::Integer(time));
            }
        }
        if let Some(before) = filter.before {
            narrow("a.seq < ?", number(before));
        }
        let pattern = filter.text.as_deref().map(containing);
        let texts = [
            ("(a.rule_id = ? OR a.rule = ?)", &filter.rule),
            ("a.node = ?", &filter.node),
            ("a.pod = ?", &filter.pod),
            ("a.workload = ?", &filter.workload),
            // Letters of ASCII in any case; five times as quick as searching in lower(…).
            (r"b.tail LIKE ? ESCAPE '\'", &pattern),
        ];
        for (condition, text) in texts {
            if let Some(text) = text {
                narrow(condition, Value::Text(text.clone()));
            }
        }
        if !filter.severities.is_empty() {
            // Numbers of ours, not text of somebody's.
            let ranks: Vec<String> = filter.severities.iter().map(u8::to_string).collect();
            sql.push_str(&format!(" AND a.severity IN ({})", ranks.join(",")));
        }
        sql.push_str(&format!(" ORDER BY a.seq DESC LIMIT {}", filter.limit));
        let mut query = self.ready()?.prepare_cached(&sql).map_err(explained)?;
        let found = query.query_map(rusqlite::params_from_iter(values), stored).map_err(explained)?;
        found.collect::<Result<_, _>>().map_err(explained)
    }

    fn after(&mut self, seq: u64, limit: usize) -> Result<Vec<Stored>, StoreError> {
        let mut query = self.ready()?.prepare_cached(
            "SELECT a.seq, a.ts_ms, a.node, b.tail FROM alerts a JOIN bodies b USING (seq)
             WHERE a.seq > ?1 ORDER BY a.seq LIMIT ?2",
        )?;
        let place = |number: u64| i64::try_from(number).unwrap_or(i64::MAX);
        let found = query.query_map(params![place(seq), place(limit as u64)], stored).map_err(explained)?;
        found.collect::<Result<_, _>>().map_err(explained)
    }

    fn alert(&mut self, alert_id: &str) -> Result<Option<Stored>, StoreError> {
        let mut query = self.ready()?.prepare_cached(
            "SELECT a.seq, a.ts_ms, a.node, b.tail FROM alerts a JOIN bodies b USING (seq) WHERE a.alert_id = ?1",
        )?;
        query.query_row([alert_id], stored).optional().map_err(explained)
    }

    fn each(
        &mut self,
        from_ms: i64,
        to_ms: i64,
        bucket_ms: i64,
        take: &mut dyn FnMut(Seen<'_>),
    ) -> Result<(), StoreError> {
        // Several questions, about one state.
        let whole = self.ready()?.unchecked_transaction().map_err(explained)?;
        counts::read(&whole, (from_ms, to_ms), bucket_ms, take).map_err(explained)
    }

    fn process(&mut self, node: &str, pid: u32, at_ms: i64) -> Result<Option<Process>, StoreError> {
        let mut query = self.ready()?.prepare_cached(
            "SELECT ppid, start_ns, ts_ms, name, exe, cmdline FROM processes
             WHERE node = ?1 AND pid = ?2 AND ts_ms <= ?3 ORDER BY start_ns DESC, ts_ms DESC LIMIT 1",
        )?;
        let process = |row: &Row<'_>| {
            Ok(Process {
                pid,
                ppid: row.get(0)?,
                start_ns: row.get::<_, i64>(1)?.unsigned_abs(),
                ts_ms: row.get(2)?,
                name: row.get(3)?,
                exe: row.get(4)?,
                cmdline: row.get(5)?,
            })
        };
        query.query_row(params![node, pid, at_ms], process).optional().map_err(explained)
    }

    fn children(
        &mut self,
        node: &str,
        ppid: u32,
        from_ms: i64,
        to_ms: i64,
        limit: usize,
    ) -> Result<Vec<Process>, StoreError> {
        let mut query = self.ready()?.prepare_cached(
            "SELECT pid, start_ns, ts_ms, name, exe, cmdline FROM processes
             WHERE node = ?1 AND ppid = ?2 AND ts_ms BETWEEN ?3 AND ?4 ORDER BY ts_ms DESC LIMIT ?5",
        )?;
        // One that starts a program is heard of as what it was before, too.
        let most = i64::try_from(limit.saturating_mul(4)).unwrap_or(i64::MAX);
        let mut rows = query.query(params![node, ppid, from_ms, to_ms, most]).map_err(explained)?;
        let mut found: Vec<Process> = Vec::new();
        while let Some(row) = rows.next().map_err(explained)? {
            let pid = row.get(0)?;
            if found.iter().any(|process| process.pid == pid) || found.len() >= limit {
                continue;
            }
            found.push(Process {
                pid,
                ppid,
                start_ns: row.get::<_, i64>(1)?.unsigned_abs(),
                ts_ms: row.get(2)?,
                name: row.get(3)?,
                exe: row.get(4)?,
                cmdline: row.get(5)?,
            });
        }
        found.reverse();
        Ok(found)
    }

    fn touches(
        &mut self,
        node: &str,
        pids: &[u32],
        from_ms: i64,
        to_ms: i64,
        limit: usize,
    ) -> Result<Vec<Touch>, StoreError> {
        let mut query = self.ready()?.prepare_cached(
            "SELECT page FROM touches WHERE node = ?1 AND to_ms >= ?2 AND from_ms <= ?3
             ORDER BY to_ms DESC LIMIT ?4",
        )?;
        let mut rows = query.query(params![node, from_ms, to_ms, PAGES]).map_err(explained)?;
        let mut found: Vec<Touch> = Vec::new();
        while let Some(row) = rows.next().map_err(explained)? {
            // A row that cannot be read costs itself.
            let Ok(page) = Page::decode(row.get_ref(0)?.as_blob().unwrap_or_default()) else { continue };
            let wanted =
                |touch: &Touch| (from_ms..=to_ms).contains(&touch.ts_ms) && pids.contains(&touch.pid);
            found.extend(page.touches.into_iter().filter(wanted));
            if found.len() >= limit.saturating_mul(2) {
                break;
            }
        }
        Ok(Touch::last(found, limit))
    }

    fn size(&mut self) -> Result<Size, StoreError> {
        let connection = self.ready()?;
        // The last that was given away, also when it was forgotten since.
        let last = "SELECT coalesce(max(seq), 0) FROM sqlite_sequence WHERE name = 'alerts'";
        let last = connection.query_row(last, [], |row| row.get::<_, i64>(0));
        let last = last.map_err(explained)?;
        Ok(Size { bytes: used_bytes(connection)?, last_seq: last.unsigned_abs() })
    }
}

fn stored(row: &Row<'_>) -> rusqlite::Result<Stored> {
    let seq = row.get::<_, i64>(0)?.unsigned_abs();
    let json = served(seq, row.get_ref(3)?.as_str()?);
    Ok(Stored { seq, ts_ms: row.get(1)?, node: row.get(2)?, json })
}

fn explained(error: rusqlite::Error) -> StoreError {
    match error.sqlite_error_code() {
        Some(ErrorCode::OperationInterrupted) => StoreError::TooLong,
        _ => StoreError::Database(error),
    }
}
