//! Who is asked about containers and users, as enrichment sees it.

use std::{path::Path, sync::Arc, time::Duration};

use sentinel_enrich::{Answer, Births, Directory};
use sentinel_event::{Place, Text};
use sentinel_identity::{Counters, Options, Runtimes, Socket, UserBooks, default_sockets};
use sentinel_probe::CgroupBook;
use tracing::warn;

use crate::config::Enrichment;

/// How long a runtime may take for one answer.
const TIMEOUT: Duration = Duration::from_secs(2);

/// The threads that ask. Shared with the metrics port.
#[derive(Debug, Clone, Default)]
pub(crate) struct Registry {
    runtimes: Option<Arc<Runtimes>>,
    users: Option<Arc<UserBooks>>,
}

impl Registry {
    /// Starts what the configuration wants. What does not start is missing, and the log says so.
    pub(crate) fn start(wanted: &Enrichment) -> Self {
        let runtimes = wanted.runtimes.then(|| {
            let sockets = match &wanted.sockets {
                Some(paths) => paths.iter().filter_map(|path| Socket::chosen(path)).collect(),
                None => default_sockets(),
            };
            Runtimes::start(Options { sockets, timeout: TIMEOUT })
        });
        let users = wanted.users.then(UserBooks::start);
        let keep = |what, error| warn!(%error, "No thread to ask for {what}: they have no names.");
        Self {
            runtimes: runtimes
                .and_then(|started| started.map_err(|error| keep("containers", error)).ok())
                .map(Arc::new),
            users: users.and_then(|started| started.map_err(|error| keep("users", error)).ok()).map(Arc::new),
        }
    }

    /// What was asked so far.
    pub(crate) fn counters(&self) -> Counters {
        let mut counters = self.runtimes.as_ref().map(|runtimes| runtimes.counters()).unwrap_or_default();
        if let Some(users) = self.users.as_ref().map(|users| users.counters()) {
            counters.refused += users.refused;
            counters.users_read = users.users_read;
            counters.users_failed = users.users_failed;
            counters.users_stuck = users.users_stuck;
        }
        counters
    }
}

impl Directory for Registry {
    fn ask_container(&mut self, place: &Place) -> bool {
        self.runtimes.as_ref().is_some_and(|runtimes| runtimes.ask(place))
    }

    fn ask_users(&mut self, mnt: u32, tgid: u32, contained: bool) -> bool {
        self.users.as_ref().is_some_and(|users| users.ask(mnt, tgid, contained))
    }

    fn answer(&mut self) -> Option<Answer> {
        let users = || {
            let found = self.users.as_ref()?.answer()?;
            Some(Answer::Users { mnt: found.mnt, contained: found.contained, found: found.users })
        };
        let told = || {
            let told = self.runtimes.as_ref()?.answer()?;
            Some(Answer::Container { id: told.id, found: told.found })
        };
        users().or_else(told)
    }
}

/// The kernel's book of cgroups.
#[derive(Debug)]
pub(crate) struct Book(pub(crate) CgroupBook);

impl Births for Book {
    fn path(&mut self, id: u64) -> Option<Text> {
        self.0.path(id).map(Text::from)
    }
}

/// Whether the path of a socket tells what it speaks.
pub(crate) fn speaks(path: &Path) -> bool {
    Socket::chosen(path).is_some()
}
