//! What is counted.

use std::sync::atomic::{AtomicU64, Ordering};

macro_rules! counters {
    ($($(#[doc = $doc:literal])* $name:ident,)*) => {
        /// What was asked and what came of it, since the start.
        #[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
        pub struct Counters { $($(#[doc = $doc])* pub $name: u64,)* }

        /// The same, counted by several threads.
        #[derive(Debug, Default)]
        pub(crate) struct Meter { $(pub(crate) $name: AtomicU64,)* }

        impl Meter {
            pub(crate) fn read(&self) -> Counters {
                Counters { $($name: self.$name.load(Ordering::Relaxed),)* }
            }
        }
    };
}

counters! {
    /// Containers that somebody asked for.
    containers_asked,
    /// Containers that a runtime described.
    containers_found,
    /// Containers that no runtime knew.
    containers_unknown,
    /// Requests to runtimes.
    requests,
    /// Requests that took too long.
    timeouts,
    /// Requests whose answer made no sense, or was too large.
    malformed,
    /// Requests that failed otherwise: no connection, a refusal.
    failures,
    /// Sockets that were not asked because of their owner.
    untrusted,
    /// Questions that found too many before them.
    refused,
    /// Events of containers that runtimes told by themselves.
    runtime_events,
    /// Containers told by such events that made room for newer ones.
    runtime_events_evicted,
    /// User databases that were read.
    users_read,
    /// User databases that could not be read.
    users_failed,
    /// Readers of user databases that hang, in a file system that does not answer.
    users_stuck,
    /// Pods in the book now, those that were deleted of late included.
    pods_known,
    /// Pages of lists of pods that were asked for.
    pod_lists,
    /// Watches of pods that were asked for.
    pod_watches,
    /// Changes of pods that were told.
    pod_changes,
    /// Requests for pods that failed.
    pods_failed,
    /// Watches that had to begin anew, because the server had forgotten where we were.
    pods_gone,
    /// Answers about pods, or pods, that made no sense or were too large.
    pods_malformed,
    /// Pods for which there was no room.
    pods_refused,
}

/// One more.
pub(crate) fn count(counter: &AtomicU64) {
    counter.fetch_add(1, Ordering::Relaxed);
}
