//! History: alerts for good, and for a while the processes, files and connections from which the past of an
//! alert is told.
//!
//! One writer, many readers, both blocking: who is async asks from a thread of its own ([`Library`]). The
//! database behind the two traits is SQLite in WAL mode: readers never wait for the writer, a commit is one
//! append and one fsync, an interrupted one never happened, and there is nothing to install or look after. Or it is
//! a PostgreSQL server, and several detectors share it.

mod count;
mod entry;
mod library;
mod postgres;
mod sqlite;
mod trace;

use std::path::PathBuf;

pub(crate) use count::{Brief, Count, Name, Seen, Sort};
pub(crate) use entry::{Entry, MALFORMED, Object, put, rank, severity_of};
pub(crate) use library::Library;
pub(crate) use postgres::{Follower, PostgresReader, PostgresWriter, Server, newest};
pub(crate) use sqlite::{SqliteReader, SqliteWriter};
pub(crate) use trace::{Process, Touch, Traces};

/// Why the store did not do it.
#[derive(Debug, thiserror::Error)]
pub(crate) enum StoreError {
    /// The file cannot be used at all.
    #[error("{}: {problem}", path.display())]
    Unusable { path: PathBuf, problem: String },
    /// The server cannot be used.
    #[error("{server}: {problem}")]
    Unreachable { server: String, problem: String },
    /// What the server says.
    #[error("history: {0}")]
    Server(String),
    /// The query took too long and was given up.
    #[error("the query took too long; ask for a shorter time or fewer alerts")]
    TooLong,
    /// What the database says.
    #[error("history: {0}")]
    Database(#[from] rusqlite::Error),
    /// Reading ended with the program.
    #[error("the program is stopping")]
    Stopping,
}

/// Takes what is new. There is one.
pub(crate) trait Writer: Send {
    /// Makes everything safe, or nothing: what is returned survives a crash of the machine. For each alert its
    /// sequence, rising; none for one that was there already.
    fn append(
        &mut self,
        alerts: &[Entry],
        traces: &[Traces],
        now_ms: i64,
    ) -> Result<Vec<Option<u64>>, StoreError>;

    /// Forgets what came too long before `now_ms` and what is too much. Does a bounded piece of work; true: call again.
    fn trim(&mut self, now_ms: i64) -> Result<bool, StoreError>;
}

/// Answers questions.
pub(crate) trait Reader: Send {
    /// Alerts that fit, the newest first.
    fn alerts(&mut self, filter: &Filter) -> Result<Vec<Stored>, StoreError>;
    /// Alerts with a sequence above `seq`, in order, at most `limit`.
    fn after(&mut self, seq: u64, limit: usize) -> Result<Vec<Stored>, StoreError>;
    /// One alert.
    fn alert(&mut self, alert_id: &str) -> Result<Option<Stored>, StoreError>;
    /// Hands over the alerts from `from_ms` up to and without `to_ms`, in no order, one by one or counted, so that each
    /// is to be told which bucket of this length it is in; buckets begin at multiples of it.
    fn each(
        &mut self,
        from_ms: i64,
        to_ms: i64,
        bucket_ms: i64,
        take: &mut dyn FnMut(Seen<'_>),
    ) -> Result<(), StoreError>;
    /// The last process that had this pid on the node at this time; none when nothing is known of it.
    fn process(&mut self, node: &str, pid: u32, at_ms: i64) -> Result<Option<Process>, StoreError>;
    /// Processes of this parent that were heard of from `from_ms` to `to_ms`, the last `limit`, oldest first. Each as
    /// it was heard of last.
    fn children(
        &mut self,
        node: &str,
        ppid: u32,
        from_ms: i64,
        to_ms: i64,
        limit: usize,
    ) -> Result<Vec<Process>, StoreError>;
    /// What these processes did from `from_ms` to `to_ms`, the last `limit`, in order of time.
    fn touches(
        &mut self,
        node: &str,
        pids: &[u32],
        from_ms: i64,
        to_ms: i64,
        limit: usize,
    ) -> Result<Vec<Touch>, StoreError>;
    /// How much there is.
    fn size(&mut self) -> Result<Size, StoreError>;
}

/// Which alerts are asked for. Absent parts let everything pass.
#[derive(Debug, Clone, Default)]
pub(crate) struct Filter {
    pub(crate) from_ms: Option<i64>,
    /// Exclusive.
    pub(crate) to_ms: Option<i64>,
    /// A rule's id or name.
    pub(crate) rule: Option<String>,
    /// Ranks, see [`rank`]; empty: all.
    pub(crate) severities: Vec<u8>,
    pub(crate) node: Option<String>,
    pub(crate) pod: Option<String>,
    /// As [`Entry`] has it.
    pub(crate) workload: Option<String>,
    /// Text that the alert's JSON holds, in any case of ASCII letters.
    pub(crate) text: Option<String>,
    /// Only sequences below.
    pub(crate) before: Option<u64>,
    pub(crate) limit: usize,
}

/// An alert as it is served.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Stored {
    pub(crate) seq: u64,
    pub(crate) ts_ms: i64,
    pub(crate) node: String,
    /// The whole object.
    pub(crate) json: String,
}

/// How much the store holds.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Size {
    pub(crate) bytes: u64,
    pub(crate) last_seq: u64,
}

#[cfg(test)]
mod tests;
