//! Alerts counted beforehand, in whiles of two lengths: who looks at a month need not read a million alerts. The
//! counts change in the transaction that adds or forgets alerts, so they are exact.

use std::collections::BTreeMap;

use rusqlite::{Connection, Row, Transaction, params};

use crate::store::{Brief, Count, Name, Seen, Sort};

/// Lengths of whiles, the longest first, milliseconds; each holds a whole number of the next.
const LENGTHS: [i64; 2] = [300_000, 10_000];
const SHORTEST: i64 = 10_000;
/// Times beyond are none.
const LATEST: i64 = 1 << 53;

/// What becomes more or less.
#[derive(Debug, Default)]
pub(super) struct Changes<'a>(BTreeMap<(i64, Name<'a>), i64>);

impl<'a> Changes<'a> {
    /// Notes one alert more.
    pub(super) fn more(&mut self, alert: &Brief<'a>) {
        for name in alert.names() {
            *self.0.entry((begin(alert.ts_ms, SHORTEST), name)).or_default() += 1;
        }
    }

    /// Notes one alert less, of which nobody knows in a moment.
    pub(super) fn less(&mut self, alert: &Brief<'_>) {
        for name in alert.names() {
            *self.0.entry((begin(alert.ts_ms, SHORTEST), name.owned())).or_default() -= 1;
        }
    }

    /// Writes it down.
    pub(super) fn write(&self, transaction: &Transaction<'_>) -> rusqlite::Result<()> {
        let mut change = transaction.prepare_cached(
            "INSERT INTO counts (length, begin_ms, sort, name, more, severity, n) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)
             ON CONFLICT DO UPDATE SET n = n + excluded.n",
        )?;
        let mut clean = transaction.prepare_cached(
            "DELETE FROM counts WHERE length = ?1 AND begin_ms = ?2 AND sort = ?3 AND name = ?4 AND more = ?5
             AND severity = ?6 AND n <= 0",
        )?;
        for length in LENGTHS {
            let mut changes = BTreeMap::<(i64, &Name<'_>), i64>::new();
            for ((at, name), by) in &self.0 {
                *changes.entry((begin(*at, length), name)).or_default() += by;
            }
            for ((at, Name { sort, name, more, severity }), by) in changes {
                change.execute(params![length, at, *sort as u8, name, more, severity, by])?;
                if by < 0 {
                    clean.execute(params![length, at, *sort as u8, name, more, severity])?;
                }
            }
        }
        Ok(())
    }
}

/// Hands over the alerts from `from_ms` up to and without `to_ms`: one by one where it must be, else counted in whiles
/// of which each lies in one bucket.
pub(super) fn read(
    connection: &Connection,
    (from_ms, to_ms): (i64, i64),
    bucket_ms: i64,
    take: &mut dyn FnMut(Seen<'_>),
) -> rusqlite::Result<()> {
    let fit: Vec<i64> = LENGTHS.into_iter().filter(|length| bucket_ms % length == 0).collect();
    between(connection, from_ms.clamp(0, LATEST), to_ms.clamp(0, LATEST), &fit, take)
}

fn between(
    connection: &Connection,
    from: i64,
    to: i64,
    lengths: &[i64],
    take: &mut dyn FnMut(Seen<'_>),
) -> rusqlite::Result<()> {
    if from >= to {
        return Ok(());
    }
    let Some((length, shorter)) = lengths.split_first() else {
        return one_by_one(connection, from, to, take);
    };
    let length = *length;
    let (mut first, mut last) = (begin(from + length - 1, length), begin(to, length));
    // A while of which the rest is empty counts whole: the one that goes on now, above all.
    if first > from && is_empty(connection, first - length, from)? {
        first -= length;
    }
    if last < to && is_empty(connection, to, last + length)? {
        last += length;
    }
    if first >= last {
        return between(connection, from, to, shorter, take);
    }
    whiles(connection, length, first, last, take)?;
    between(connection, from, first, shorter, take)?;
    between(connection, last, to, shorter, take)
}

/// Where the while of a time begins.
fn begin(ms: i64, length: i64) -> i64 {
    ms - ms.rem_euclid(length)
}

fn is_empty(connection: &Connection, from: i64, to: i64) -> rusqlite::Result<bool> {
    let mut query =
        connection.prepare_cached("SELECT 1 FROM alerts WHERE ts_ms >= ?1 AND ts_ms < ?2 LIMIT 1")?;
    Ok(!query.exists([from, to])?)
}

fn whiles(
    connection: &Connection,
    length: i64,
    from: i64,
    to: i64,
    take: &mut dyn FnMut(Seen<'_>),
) -> rusqlite::Result<()> {
    let mut query = connection.prepare_cached(
        "SELECT begin_ms, sort, name, more, severity, n FROM counts
         WHERE length = ?1 AND begin_ms >= ?2 AND begin_ms < ?3",
    )?;
    let mut rows = query.query([length, from, to])?;
    while let Some(row) = rows.next()? {
        let Some(sort) = Sort::of(row.get(1)?) else { continue };
        take(Seen::Many(Count {
            ts_ms: row.get(0)?,
            sort,
            name: text(row, 2)?,
            more: text(row, 3)?,
            severity: row.get(4)?,
            count: row.get::<_, i64>(5)?.unsigned_abs(),
        }));
    }
    Ok(())
}

fn one_by_one(
    connection: &Connection,
    from: i64,
    to: i64,
    take: &mut dyn FnMut(Seen<'_>),
) -> rusqlite::Result<()> {
    let mut query = connection.prepare_cached(
        "SELECT ts_ms, severity, rule_id, rule, node, pod, namespace, workload FROM alerts
         WHERE ts_ms >= ?1 AND ts_ms < ?2",
    )?;
    let mut rows = query.query([from, to])?;
    while let Some(row) = rows.next()? {
        take(Seen::One(brief(row)?));
    }
    Ok(())
}

/// From a row that begins with the columns of [`one_by_one`].
pub(super) fn brief<'a>(row: &'a Row<'_>) -> rusqlite::Result<Brief<'a>> {
    Ok(Brief {
        ts_ms: row.get(0)?,
        severity: row.get(1)?,
        rule_id: text(row, 2)?,
        rule: text(row, 3)?,
        node: text(row, 4)?,
        pod: text(row, 5)?,
        namespace: text(row, 6)?,
        workload: text(row, 7)?,
    })
}

fn text<'a>(row: &'a Row<'_>, column: usize) -> rusqlite::Result<&'a str> {
    Ok(row.get_ref(column)?.as_str()?)
}
