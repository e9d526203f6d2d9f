//! The writer.

use std::{collections::HashMap, time::Duration};

use tokio_postgres::{Client, Error, Transaction};

use super::{
    Server, StoreError, clean,
    connect::Session,
    lock, schema, signed,
    trim::{self, Limits},
};
use crate::{
    config::Retention,
    store::{Entry, Traces, Writer, entry::rank},
};

/// How long a statement of the writer may take.
const PATIENCE: Duration = Duration::from_secs(10);
/// How long the server is waited for at the start: programs of one fleet start together.
const START: Duration = Duration::from_secs(15);
/// Bytes of an alert beside its body, and of a process: rows and indexes, typically.
pub(super) const ALERT: i64 = 500;
pub(super) const PROCESS: i64 = 500;

/// The connection that writes; made anew when it has ended.
pub(crate) struct PostgresWriter {
    server: Server,
    session: Option<Session>,
    limits: Limits,
}

impl PostgresWriter {
    /// Connects, and brings the database up to date. Blocks.
    pub(crate) fn open(server: &Server, retention: &Retention) -> Result<Self, StoreError> {
        let begun = std::time::Instant::now();
        let mut session = loop {
            match server.connect(PATIENCE) {
                Ok(session) => break session,
                Err(StoreError::Unreachable { problem, .. })
                    if begun.elapsed() < START && !is_final(&problem) =>
                {
                    std::thread::sleep(Duration::from_millis(500));
                }
                Err(error) => return Err(error),
            }
        };
        schema::migrate(&mut session, &server.to_string())?;
        Ok(Self { server: server.clone(), session: Some(session), limits: Limits::new(retention) })
    }

    /// Does it over the connection that there is, else over a new one. One that fails is not used again.
    fn on_session<T>(
        &mut self,
        work: impl AsyncFnOnce(&mut Client) -> Result<T, Error>,
    ) -> Result<T, StoreError> {
        let mut session = match self.session.take() {
            Some(session) => session,
            None => self.server.connect(PATIENCE)?,
        };
        let done = session.wait(work)?;
        self.session = Some(session);
        Ok(done)
    }
}

/// What waiting does not change.
fn is_final(problem: &str) -> bool {
    !(problem.contains("refused") || problem.contains("starting up") || problem.contains("no answer"))
}

impl Writer for PostgresWriter {
    fn append(
        &mut self,
        alerts: &[Entry],
        traces: &[Traces],
        now_ms: i64,
    ) -> Result<Vec<Option<u64>>, StoreError> {
        self.on_session(async |client: &mut Client| {
            let transaction = client.transaction().await?;
            lock(&transaction).await?;
            let (sequences, alert_bytes) = insert_alerts(&transaction, alerts, now_ms).await?;
            let mut event_bytes = 0;
            for traces in traces {
                event_bytes += insert_traces(&transaction, traces, now_ms).await?;
            }
            trim::count(&transaction, alert_bytes, event_bytes).await?;
            transaction.commit().await?;
            Ok(sequences)
        })
    }

    fn trim(&mut self, now_ms: i64) -> Result<bool, StoreError> {
        let limits = self.limits;
        self.on_session(async |client: &mut Client| trim::forget(client, limits, now_ms).await)
    }
}

/// Their sequences; none for those that were there. And how many bytes more there are now.
async fn insert_alerts(
    transaction: &Transaction<'_>,
    alerts: &[Entry],
    now_ms: i64,
) -> Result<(Vec<Option<u64>>, i64), Error> {
    if alerts.is_empty() {
        return Ok((Vec::new(), 0));
    }
    let texts =
        |get: fn(&Entry) -> &str| -> Vec<String> { alerts.iter().map(|entry| clean(get(entry))).collect() };
    let ids = texts(|entry| &entry.alert.id);
    let times: Vec<i64> = alerts.iter().map(|entry| entry.ts_ms).collect();
    let ranks: Vec<i16> = alerts.iter().map(|entry| rank(entry.alert.severity).into()).collect();
    let rows = transaction
        .query(
            "INSERT INTO alerts (alert_id, ts_ms, severity, rule_id, rule, node, pod, namespace, workload, came_ms)
             SELECT alert_id, ts_ms, severity, rule_id, rule, node, pod, namespace, workload, $10::int8
             FROM unnest($1::text[], $2::int8[], $3::int2[], $4::text[], $5::text[], $6::text[], $7::text[], $8::text[],
                 $9::text[])
                 WITH ORDINALITY AS a (alert_id, ts_ms, severity, rule_id, rule, node, pod, namespace, workload, place)
             ORDER BY place
             ON CONFLICT (alert_id) DO NOTHING RETURNING alert_id, seq",
            &[
                &ids,
                &times,
                &ranks,
                &texts(|entry| &entry.alert.rule_id),
                &texts(|entry| &entry.alert.rule),
                &texts(|entry| &entry.node),
                &texts(|entry| &entry.pod),
                &texts(|entry| &entry.namespace),
                &texts(|entry| &entry.workload),
                &now_ms,
            ],
        )
        .await?;
    let mut new = HashMap::with_capacity(rows.len());
    for row in &rows {
        new.insert(row.try_get::<_, &str>(0)?, row.try_get::<_, i64>(1)?);
    }
    let (mut seqs, mut tails, mut bytes) = (Vec::new(), Vec::new(), 0);
    let mut sequences = Vec::with_capacity(alerts.len());
    for (entry, id) in alerts.iter().zip(&ids) {
        // The second of two with the same name was there already.
        let seq = new.remove(id.as_str());
        if let Some(seq) = seq {
            seqs.push(seq);
            tails.push(clean(&entry.tail));
            bytes += ALERT + signed(entry.tail.len() as u64);
        }
        sequences.push(seq.map(i64::unsigned_abs));
    }
    transaction
        .execute(
            "INSERT INTO bodies (seq, tail) SELECT * FROM unnest($1::int8[], $2::text[])",
            &[&seqs, &tails],
        )
        .await?;
    Ok((sequences, bytes))
}

/// How many bytes more there are now.
async fn insert_traces(transaction: &Transaction<'_>, traces: &Traces, now_ms: i64) -> Result<i64, Error> {
    let node = clean(&traces.node);
    let processes = &traces.processes;
    let numbers =
        |get: fn(&crate::store::Process) -> i64| -> Vec<i64> { processes.iter().map(get).collect() };
    let texts = |get: fn(&crate::store::Process) -> &str| -> Vec<String> {
        processes.iter().map(|process| clean(get(process))).collect()
    };
    let mut bytes = 0;
    if !processes.is_empty() {
        let new = transaction
            .execute(
                "INSERT INTO processes (node, pid, start_ns, ts_ms, ppid, name, exe, cmdline, came_ms)
                 SELECT $1::text, p.*, $9::int8 FROM unnest($2::int8[], $3::int8[], $4::int8[], $5::int8[], $6::text[],
                     $7::text[], $8::text[]) p ON CONFLICT DO NOTHING",
                &[
                    &node,
                    &numbers(|process| process.pid.into()),
                    &numbers(|process| signed(process.start_ns)),
                    &numbers(|process| process.ts_ms),
                    &numbers(|process| process.ppid.into()),
                    &texts(|process| &process.name),
                    &texts(|process| &process.exe),
                    &texts(|process| &process.cmdline),
                    &now_ms,
                ],
            )
            .await?;
        bytes += PROCESS * signed(new);
    }
    if !traces.leaves.is_empty() {
        let leaves = || traces.leaves.iter();
        let from: Vec<i64> = leaves().map(|leaf| leaf.from_ms).collect();
        let to: Vec<i64> = leaves().map(|leaf| leaf.to_ms).collect();
        let pages: Vec<&[u8]> = leaves().map(|leaf| leaf.page.as_slice()).collect();
        bytes += pages.iter().map(|page| signed(page.len() as u64)).sum::<i64>();
        transaction
            .execute(
                "INSERT INTO touches (node, from_ms, to_ms, came_ms, page)
                 SELECT $1::text, t.from_ms, t.to_ms, $5::int8, t.page
                 FROM unnest($2::int8[], $3::int8[], $4::bytea[]) t (from_ms, to_ms, page)",
                &[&node, &from, &to, &pages, &now_ms],
            )
            .await?;
    }
    Ok(bytes)
}
