//! A reader.

use std::{pin::pin, time::Duration};

use prost::Message as _;
use tokio_postgres::{
    Client, Error, Row,
    types::{ToSql, Type},
};
use tokio_stream::StreamExt as _;

use super::{Server, clean, connect::Session, signed};
use crate::store::{
    Brief, Filter, Reader, Seen, Size, StoreError, Stored,
    entry::served,
    trace::{Page, Process, Touch},
};

/// How long a query may take: one that reads everything must not hold a reader for minutes.
const PATIENCE: Duration = Duration::from_secs(5);
/// Pages of touches that are read for one answer.
const PAGES: i64 = 2000;

/// A connection that reads.
pub(crate) struct PostgresReader(Session);

impl PostgresReader {
    /// Connects to a database that a [`super::PostgresWriter`] has brought up to date.
    pub(crate) fn open(server: &Server) -> Result<Self, StoreError> {
        Ok(Self(server.connect(PATIENCE)?))
    }
}

/// A value of a query and its type: so that the server need not be asked for it first.
type Value = (Box<dyn ToSql + Sync + Send>, Type);

fn number(number: i64) -> Value {
    (Box::new(number), Type::INT8)
}

fn text(text: &str) -> Value {
    (Box::new(clean(text)), Type::TEXT)
}

async fn rows(client: &Client, sql: &str, values: &[Value]) -> Result<Vec<Row>, Error> {
    let values: Vec<(&(dyn ToSql + Sync), Type)> =
        values.iter().map(|(value, kind)| (&**value as &(dyn ToSql + Sync), kind.clone())).collect();
    client.query_typed(sql, &values).await
}

const ALERTS: &str = "SELECT a.seq, a.ts_ms, a.node, b.tail FROM alerts a JOIN bodies b USING (seq)";

impl PostgresReader {
    fn ask(&mut self, sql: &str, values: &[Value]) -> Result<Vec<Row>, StoreError> {
        self.0.wait(async |client: &mut Client| rows(client, sql, values).await)
    }

    fn stored(&mut self, sql: &str, values: &[Value]) -> Result<Vec<Stored>, StoreError> {
        self.ask(sql, values)?.iter().map(|row| stored(row).map_err(unreadable)).collect()
    }
}

impl Reader for PostgresReader {
    fn alerts(&mut self, filter: &Filter) -> Result<Vec<Stored>, StoreError> {
        let mut sql = format!("{ALERTS} WHERE true");
        let mut values = Vec::new();
        let mut narrow = |condition: &str, value: Value| {
            values.push(value);
            sql.push_str(" AND ");
            sql.push_str(&condition.replace('?', &format!("${}", values.len())));
        };
        if let Some(from) = filter.from_ms {
            narrow("a.ts_ms >= ?", number(from));
        }
        if let Some(to) = filter.to_ms {
            narrow("a.ts_ms < ?", number(to));
        }
        if let Some(before) = filter.before {
            narrow("a.seq < ?", number(signed(before)));
        }
        let texts = [
            ("(a.rule_id = ? OR a.rule = ?)", &filter.rule),
            ("a.node = ?", &filter.node),
            ("a.pod = ?", &filter.pod),
            ("a.workload = ?", &filter.workload),
            // As everywhere: letters of ASCII only, whatever the database's language is.
            ("strpos(lower(b.tail COLLATE \"C\"), lower(? COLLATE \"C\")) > 0", &filter.text),
        ];
        for (condition, wanted) in texts {
            if let Some(wanted) = wanted {
                narrow(condition, text(wanted));
            }
        }
        if !filter.severities.is_empty() {
            // Numbers of ours, not text of somebody's.
            let ranks: Vec<String> = filter.severities.iter().map(u8::to_string).collect();
            sql.push_str(&format!(" AND a.severity IN ({})", ranks.join(",")));
        }
        sql.push_str(&format!(" ORDER BY a.seq DESC LIMIT {}", filter.limit));
        self.stored(&sql, &values)
    }

    fn after(&mut self, seq: u64, limit: usize) -> Result<Vec<Stored>, StoreError> {
        let sql = format!("{ALERTS} WHERE a.seq > $1 ORDER BY a.seq LIMIT $2");
        self.stored(&sql, &[number(signed(seq)), number(signed(limit as u64))])
    }

    fn alert(&mut self, alert_id: &str) -> Result<Option<Stored>, StoreError> {
        let found = self.stored(&format!("{ALERTS} WHERE a.alert_id = $1"), &[text(alert_id)]);
        found.map(|mut found| found.pop())
    }

    fn each(
        &mut self,
        from_ms: i64,
        to_ms: i64,
        _bucket_ms: i64,
        take: &mut dyn FnMut(Seen<'_>),
    ) -> Result<(), StoreError> {
        self.0.wait(async |client: &mut Client| {
            let sql = "SELECT ts_ms, severity, rule_id, rule, node, pod, namespace, workload FROM alerts
                       WHERE ts_ms >= $1 AND ts_ms < $2";
            let values = [(&from_ms, Type::INT8), (&to_ms, Type::INT8)];
            // Not all at once in memory: they may be millions.
            let mut rows = pin!(client.query_typed_raw(sql, values).await?);
            while let Some(row) = rows.next().await {
                let row = row?;
                take(Seen::One(Brief {
                    ts_ms: row.try_get(0)?,
                    severity: u8::try_from(row.try_get::<_, i16>(1)?).unwrap_or_default(),
                    rule_id: row.try_get(2)?,
                    rule: row.try_get(3)?,
                    node: row.try_get(4)?,
                    pod: row.try_get(5)?,
                    namespace: row.try_get(6)?,
                    workload: row.try_get(7)?,
                }));
            }
            Ok(())
        })
    }

    fn process(&mut self, node: &str, pid: u32, at_ms: i64) -> Result<Option<Process>, StoreError> {
        let sql = "SELECT pid, ppid, start_ns, ts_ms, name, exe, cmdline FROM processes
                   WHERE node = $1 AND pid = $2 AND ts_ms <= $3 ORDER BY start_ns DESC, ts_ms DESC LIMIT 1";
        let found = self.ask(sql, &[text(node), number(pid.into()), number(at_ms)])?;
        found.first().map(process).transpose().map_err(unreadable)
    }

    fn children(
        &mut self,
        node: &str,
        ppid: u32,
        from_ms: i64,
        to_ms: i64,
        limit: usize,
    ) -> Result<Vec<Process>, StoreError> {
        let sql = "SELECT pid, ppid, start_ns, ts_ms, name, exe, cmdline FROM processes
                   WHERE node = $1 AND ppid = $2 AND ts_ms BETWEEN $3 AND $4 ORDER BY ts_ms DESC LIMIT $5";
        // One that starts a program is heard of as what it was before, too.
        let most = signed(limit.saturating_mul(4) as u64);
        let values = [text(node), number(ppid.into()), number(from_ms), number(to_ms), number(most)];
        let mut found: Vec<Process> = Vec::new();
        for row in self.ask(sql, &values)? {
            let next = process(&row).map_err(unreadable)?;
            if found.iter().all(|process| process.pid != next.pid) && found.len() < limit {
                found.push(next);
            }
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
        let sql = "SELECT page FROM touches WHERE node = $1 AND to_ms >= $2 AND from_ms <= $3
                   ORDER BY to_ms DESC LIMIT $4";
        let values = [text(node), number(from_ms), number(to_ms), number(PAGES)];
        let mut found: Vec<Touch> = Vec::new();
        for row in self.ask(sql, &values)? {
            // A row that cannot be read costs itself.
            let Ok(page) = Page::decode(row.try_get::<_, &[u8]>(0).unwrap_or_default()) else { continue };
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
        // The last that was given away, also when it was forgotten since.
        let sql = "SELECT alerts + events, coalesce(pg_sequence_last_value('alerts_seq_seq'), 0) FROM stock";
        let found = self.ask(sql, &[])?;
        let row = found.first().ok_or_else(|| StoreError::Server("the table stock is empty".into()))?;
        let read = || -> Result<Size, Error> {
            let (bytes, last_seq): (i64, i64) = (row.try_get(0)?, row.try_get(1)?);
            Ok(Size { bytes: bytes.unsigned_abs(), last_seq: last_seq.unsigned_abs() })
        };
        read().map_err(unreadable)
    }
}

fn stored(row: &Row) -> Result<Stored, Error> {
    let seq = row.try_get::<_, i64>(0)?.unsigned_abs();
    let json = served(seq, row.try_get(3)?);
    Ok(Stored { seq, ts_ms: row.try_get(1)?, node: row.try_get(2)?, json })
}

fn process(row: &Row) -> Result<Process, Error> {
    let pid = |column| row.try_get::<_, i64>(column).map(|pid| u32::try_from(pid).unwrap_or_default());
    Ok(Process {
        pid: pid(0)?,
        ppid: pid(1)?,
        start_ns: row.try_get::<_, i64>(2)?.unsigned_abs(),
        ts_ms: row.try_get(3)?,
        name: row.try_get(4)?,
        exe: row.try_get(5)?,
        cmdline: row.try_get(6)?,
    })
}

/// A column is not what we made it.
fn unreadable(error: Error) -> StoreError {
    StoreError::Server(super::connect::described(&error))
}
