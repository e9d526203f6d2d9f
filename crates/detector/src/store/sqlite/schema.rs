//! Tables, and how older files get them.

use rusqlite::{Connection, TransactionBehavior};

/// "SNTL": what `file` and other programs know a history by.
const APPLICATION: i32 = 0x534e_544c;

/// Step N leads from version N to N + 1. A step that was released never changes.
const STEPS: &[&str] = &[
    "
    -- What is searched and counted.
    CREATE TABLE alerts (
        seq       INTEGER PRIMARY KEY AUTOINCREMENT, -- never used twice, also when the last were forgotten
        alert_id  TEXT NOT NULL UNIQUE,
        ts_ms     INTEGER NOT NULL,
        severity  INTEGER NOT NULL, -- 0 info to 4 critical
        rule_id   TEXT NOT NULL,
        rule      TEXT NOT NULL,
        node      TEXT NOT NULL,
        pod       TEXT NOT NULL,
        namespace TEXT NOT NULL,
        came_ms   INTEGER NOT NULL -- when we took it; the other time is the sender's
    ) STRICT;
    CREATE INDEX alerts_by_time ON alerts (ts_ms);

    -- What is served. Apart, so that counting does not read it.
    CREATE TABLE bodies (
        seq  INTEGER PRIMARY KEY,
        tail TEXT NOT NULL
    ) STRICT;

    CREATE TABLE processes (
        node     TEXT NOT NULL,
        pid      INTEGER NOT NULL,
        start_ns INTEGER NOT NULL,
        ts_ms    INTEGER NOT NULL,
        ppid     INTEGER NOT NULL,
        name     TEXT NOT NULL,
        exe      TEXT NOT NULL,
        cmdline  TEXT NOT NULL,
        came_ms  INTEGER NOT NULL,
        PRIMARY KEY (node, pid, start_ns, ts_ms)
    ) STRICT, WITHOUT ROWID;
    CREATE INDEX processes_by_coming ON processes (came_ms);

    -- Many touches in a row: half the bytes, a tenth of the work.
    CREATE TABLE touches (
        id      INTEGER PRIMARY KEY,
        node    TEXT NOT NULL,
        from_ms INTEGER NOT NULL,
        to_ms   INTEGER NOT NULL,
        came_ms INTEGER NOT NULL,
        page    BLOB NOT NULL -- protobuf
    ) STRICT;
    CREATE INDEX touches_by_time ON touches (node, to_ms);
",
    "
    CREATE INDEX processes_by_parent ON processes (node, ppid, ts_ms);
",
    "
    -- Pod, container, unit or node; empty in what came before this step.
    ALTER TABLE alerts ADD COLUMN workload TEXT NOT NULL DEFAULT '';
",
    "
    -- Alerts by the while they are of, and by one of their names: whoever counts a month reads this.
    CREATE TABLE counts (
        length   INTEGER NOT NULL, -- of the while, milliseconds
        begin_ms INTEGER NOT NULL,
        sort     INTEGER NOT NULL, -- 0 rule, 1 node, 2 pod, 3 workload
        name     TEXT NOT NULL,
        more     TEXT NOT NULL, -- name of the rule, namespace of the pod
        severity INTEGER NOT NULL, -- of the rule
        n        INTEGER NOT NULL,
        PRIMARY KEY (length, begin_ms, sort, name, more, severity)
    ) STRICT, WITHOUT ROWID;
    WITH lengths (length) AS (VALUES (300000), (10000)),
         names (ts_ms, sort, name, more, severity) AS (
             SELECT ts_ms, 0, rule_id, rule, severity FROM alerts
             UNION ALL SELECT ts_ms, 1, node, '', 0 FROM alerts
             UNION ALL SELECT ts_ms, 2, pod, namespace, 0 FROM alerts WHERE pod <> ''
             UNION ALL SELECT ts_ms, 3, iif(workload <> '', workload, iif(pod <> '', namespace || '/' || pod, node)), '', 0
                       FROM alerts)
    INSERT INTO counts SELECT length, ts_ms - ts_ms % length, sort, name, more, severity, count(*)
        FROM lengths, names GROUP BY 1, 2, 3, 4, 5, 6;
",
];

/// Brings the file up to date.
///
/// # Errors
/// It is another program's, was made by a newer version of ours, or cannot be written.
pub(super) fn migrate(connection: &mut Connection) -> Result<(), String> {
    let said = |error: rusqlite::Error| error.to_string();
    let pragma = |connection: &Connection, name: &str| {
        connection.pragma_query_value(None, name, |row| row.get::<_, i32>(0)).map_err(said)
    };
    let application = pragma(connection, "application_id")?;
    let version = pragma(connection, "user_version")?;
    let tables: i64 =
        connection.query_row("SELECT count(*) FROM sqlite_schema", [], |row| row.get(0)).map_err(said)?;
    if application != APPLICATION && (version != 0 || tables != 0) {
        return Err("is the database of another program; set history.path to another file".into());
    }
    let done = usize::try_from(version).unwrap_or(usize::MAX);
    if done > STEPS.len() {
        return Err(format!(
            "has version {version}, made by a newer sentinel-detector than this one, which knows up to {}; \
             use the newer program, or set history.path to another file",
            STEPS.len()
        ));
    }
    for (number, step) in (1i32..).zip(STEPS).skip(done) {
        let transaction =
            connection.transaction_with_behavior(TransactionBehavior::Immediate).map_err(said)?;
        transaction.execute_batch(step).map_err(said)?;
        transaction.pragma_update(None, "application_id", APPLICATION).map_err(said)?;
        transaction.pragma_update(None, "user_version", number).map_err(said)?;
        transaction.commit().map_err(said)?;
    }
    Ok(())
}
