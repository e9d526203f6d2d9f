//! Tables, and how older databases get them.

use tokio_postgres::Client;

use super::{StoreError, connect::Session, lock};

/// Step N leads from version N to N + 1. A step that was released never changes.
const STEPS: &[&str] = &["
    -- What is searched and counted.
    CREATE TABLE alerts (
        seq       bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, -- never used twice, also when the last were forgotten
        alert_id  text NOT NULL UNIQUE,
        ts_ms     bigint NOT NULL,
        severity  smallint NOT NULL, -- 0 info to 4 critical
        rule_id   text NOT NULL,
        rule      text NOT NULL,
        node      text NOT NULL,
        pod       text NOT NULL,
        namespace text NOT NULL,
        came_ms   bigint NOT NULL -- when we took it; the other time is the sender's
    );
    CREATE INDEX alerts_by_time ON alerts (ts_ms);

    -- What is served. Apart, so that counting does not read it.
    CREATE TABLE bodies (
        seq  bigint PRIMARY KEY,
        tail text NOT NULL
    );

    CREATE TABLE processes (
        node     text NOT NULL,
        pid      bigint NOT NULL,
        start_ns bigint NOT NULL,
        ts_ms    bigint NOT NULL,
        ppid     bigint NOT NULL,
        name     text NOT NULL,
        exe      text NOT NULL,
        cmdline  text NOT NULL,
        came_ms  bigint NOT NULL,
        PRIMARY KEY (node, pid, start_ns, ts_ms)
    );
    CREATE INDEX processes_by_coming ON processes (came_ms);
    CREATE INDEX processes_by_parent ON processes (node, ppid, ts_ms);

    -- Many touches in a row: half the bytes, a tenth of the work.
    CREATE TABLE touches (
        id      bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
        node    text NOT NULL,
        from_ms bigint NOT NULL,
        to_ms   bigint NOT NULL,
        came_ms bigint NOT NULL,
        page    bytea NOT NULL -- protobuf
    );
    CREATE INDEX touches_by_time ON touches (node, to_ms);

    -- Bytes of what is kept, about: files of the server do not shrink when something is forgotten.
    CREATE TABLE stock (
        alerts bigint NOT NULL,
        events bigint NOT NULL
    );
    INSERT INTO stock VALUES (0, 0);
",
    "
    -- Pod, container, unit or node; empty in what came before this step.
    ALTER TABLE alerts ADD COLUMN workload text NOT NULL DEFAULT '';
",
];

/// Brings the database up to date; of several detectors that start, one does.
///
/// # Errors
/// It was made by a newer version of ours, or cannot be written.
pub(super) fn migrate(session: &mut Session, server: &str) -> Result<(), StoreError> {
    let failed = |problem: String| StoreError::Unreachable { server: server.to_owned(), problem };
    let newer = session.wait(async |client: &mut Client| {
        let transaction = client.transaction().await?;
        lock(&transaction).await?;
        let there = transaction.query_one("SELECT to_regclass('sentinel.version') IS NOT NULL", &[]).await?;
        if !there.get::<_, bool>(0) {
            transaction
                .batch_execute(
                    "CREATE SCHEMA IF NOT EXISTS sentinel;
                     CREATE TABLE sentinel.version (version integer NOT NULL);
                     INSERT INTO sentinel.version VALUES (0)",
                )
                .await?;
        }
        let row = transaction.query_one("SELECT version FROM sentinel.version", &[]).await?;
        let version: i32 = row.try_get(0)?;
        let done = usize::try_from(version).unwrap_or(usize::MAX);
        if done > STEPS.len() {
            return Ok(Some(version));
        }
        for step in STEPS.iter().skip(done) {
            transaction.batch_execute(step).await?;
            transaction.execute("UPDATE sentinel.version SET version = version + 1", &[]).await?;
        }
        transaction.commit().await.map(|()| None)
    });
    match newer {
        Ok(None) => Ok(()),
        Ok(Some(version)) => Err(failed(format!(
            "has version {version}, made by a newer sentinel-detector than this one, which knows up to {}; \
             use the newer program, or name another database in history.postgresUrl",
            STEPS.len()
        ))),
        Err(StoreError::Server(problem)) => Err(failed(format!(
            "{problem}; the user needs the right to create a schema, or the schema sentinel to be its own"
        ))),
        Err(error) => Err(error),
    }
}
