//! The feed of a history that several detectors share: each tells what any of them has found, in one order.

use std::{sync::Arc, time::Duration};

use tokio::{
    sync::{Notify, broadcast},
    time::timeout,
};
use tracing::warn;

use crate::{
    piece::{Piece, pieces},
    store::{Filter, Library, StoreError},
};

/// How often it is looked what others have found; what we have found is told at once.
const LOOK: Duration = Duration::from_millis(500);
/// Alerts that are read at a time.
const PAGE: usize = 256;

/// Reads what is new in the history, and tells the feed.
pub(crate) struct Follower {
    pub(crate) library: Library,
    pub(crate) feed: broadcast::Sender<Arc<Piece>>,
    /// We have written something.
    pub(crate) written: Arc<Notify>,
    /// The last alert that was there before the feed began.
    pub(crate) last: u64,
}

impl Follower {
    /// Runs until nobody writes any more.
    pub(crate) async fn run(mut self) {
        let mut failing = false;
        while Arc::strong_count(&self.written) > 1 {
            match self.look().await {
                Ok(()) => failing = false,
                Err(error) if !failing => {
                    failing = true;
                    warn!(%error, "The feed cannot read the history; it goes on when it can.");
                }
                Err(_) => {}
            }
            // Sooner, if there is a reason.
            let _ = timeout(LOOK, self.written.notified()).await;
        }
    }

    async fn look(&mut self) -> Result<(), StoreError> {
        if self.feed.receiver_count() == 0 {
            let newest = newest(&self.library).await?;
            // Who has come meanwhile is owed what came meanwhile.
            if self.feed.receiver_count() == 0 {
                self.last = newest;
            }
        }
        while self.feed.receiver_count() > 0 {
            let from = self.last;
            let page = self.library.ask(move |reader| reader.after(from, PAGE)).await?;
            let Some(newest) = page.last() else { break };
            self.last = newest.seq;
            for piece in pieces(page.into_iter().map(|alert| (alert.seq, alert.json))) {
                // Nobody may have left in between; that is no loss.
                let _ = self.feed.send(Arc::new(piece));
            }
        }
        Ok(())
    }
}

/// The last sequence that can be seen.
pub(crate) async fn newest(library: &Library) -> Result<u64, StoreError> {
    let newest = Filter { limit: 1, ..Filter::default() };
    let found = library.ask(move |reader| reader.alerts(&newest)).await?;
    Ok(found.first().map_or(0, |alert| alert.seq))
}
