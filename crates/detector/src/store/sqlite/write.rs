//! The writer.

use std::path::Path;

use rusqlite::{Connection, Transaction, TransactionBehavior, params};

use super::{counts::Changes, open, trim::Limits};
use crate::{
    config::Retention,
    store::{
        Entry, StoreError, Traces, Writer,
        entry::rank,
        trace::{Leaf, Process},
    },
};

/// The connection that writes.
pub(crate) struct SqliteWriter {
    pub(super) connection: Connection,
    pub(super) limits: Limits,
}

impl SqliteWriter {
    /// Opens the history, or makes one.
    pub(crate) fn open(path: &Path, retention: &Retention) -> Result<Self, StoreError> {
        Ok(Self { connection: open::for_writing(path)?, limits: Limits::new(retention) })
    }
}

impl Writer for SqliteWriter {
    fn append(
        &mut self,
        alerts: &[Entry],
        traces: &[Traces],
        now_ms: i64,
    ) -> Result<Vec<Option<u64>>, StoreError> {
        let transaction = self.connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
        let sequences = insert_alerts(&transaction, alerts, now_ms)?;
        for traces in traces {
            insert_processes(&transaction, &traces.node, &traces.processes, now_ms)?;
            insert_leaves(&transaction, &traces.node, &traces.leaves, now_ms)?;
        }
        transaction.commit()?;
        Ok(sequences)
    }

    fn trim(&mut self, now_ms: i64) -> Result<bool, StoreError> {
        self.forget(now_ms)
    }
}

fn insert_alerts(
    transaction: &Transaction<'_>,
    alerts: &[Entry],
    now_ms: i64,
) -> rusqlite::Result<Vec<Option<u64>>> {
    let mut insert = transaction.prepare_cached(
        "INSERT INTO alerts (alert_id, ts_ms, severity, rule_id, rule, node, pod, namespace, workload, came_ms)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10) ON CONFLICT (alert_id) DO NOTHING",
    )?;
    let mut body = transaction.prepare_cached("INSERT INTO bodies (seq, tail) VALUES (?1, ?2)")?;
    let (mut sequences, mut changes) = (Vec::with_capacity(alerts.len()), Changes::default());
    for entry in alerts {
        let alert = &entry.alert;
        let new = insert.execute(params![
            alert.id,
            entry.ts_ms,
            rank(alert.severity),
            &*alert.rule_id,
            &*alert.rule,
            entry.node,
            entry.pod,
            entry.namespace,
            entry.workload,
            now_ms,
        ])?;
        if new == 0 {
            sequences.push(None);
            continue;
        }
        let seq = transaction.last_insert_rowid();
        body.execute(params![seq, entry.tail])?;
        changes.more(&entry.brief());
        sequences.push(u64::try_from(seq).ok());
    }
    changes.write(transaction)?;
    Ok(sequences)
}

fn insert_processes(
    transaction: &Transaction<'_>,
    node: &str,
    processes: &[Process],
    now_ms: i64,
) -> rusqlite::Result<()> {
    let mut insert = transaction.prepare_cached(
        "INSERT INTO processes (node, pid, start_ns, ts_ms, ppid, name, exe, cmdline, came_ms)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9) ON CONFLICT DO NOTHING",
    )?;
    for process in processes {
        insert.execute(params![
            node,
            process.pid,
            i64::try_from(process.start_ns).unwrap_or(i64::MAX),
            process.ts_ms,
            process.ppid,
            process.name,
            process.exe,
            process.cmdline,
            now_ms,
        ])?;
    }
    Ok(())
}

fn insert_leaves(
    transaction: &Transaction<'_>,
    node: &str,
    leaves: &[Leaf],
    now_ms: i64,
) -> rusqlite::Result<()> {
    let mut insert = transaction.prepare_cached(
        "INSERT INTO touches (node, from_ms, to_ms, came_ms, page) VALUES (?1, ?2, ?3, ?4, ?5)",
    )?;
    for leaf in leaves {
        insert.execute(params![node, leaf.from_ms, leaf.to_ms, now_ms, leaf.page])?;
    }
    Ok(())
}
