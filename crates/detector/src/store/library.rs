//! Readers for those who are async: a few, each on a thread of its own while it reads.

use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::Semaphore;

use super::{Reader, StoreError};

/// Questions that are answered at a time.
const READERS: usize = 4;

/// Where readers come from.
type Open = dyn Fn() -> Result<Box<dyn Reader>, StoreError> + Send + Sync;

/// Lends out readers.
#[derive(Clone)]
pub(crate) struct Library(Arc<Inner>);

struct Inner {
    open: Box<Open>,
    idle: Mutex<Vec<Box<dyn Reader>>>,
    permits: Semaphore,
}

impl Library {
    pub(crate) fn new(
        open: impl Fn() -> Result<Box<dyn Reader>, StoreError> + Send + Sync + 'static,
    ) -> Self {
        let (idle, permits) = (Mutex::new(Vec::new()), Semaphore::new(READERS));
        Self(Arc::new(Inner { open: Box::new(open), idle, permits }))
    }

    /// Asks, and waits without blocking.
    pub(crate) async fn ask<T: Send + 'static>(
        &self,
        question: impl FnOnce(&mut dyn Reader) -> Result<T, StoreError> + Send + 'static,
    ) -> Result<T, StoreError> {
        let Ok(_permit) = self.0.permits.acquire().await else { return Err(StoreError::Stopping) };
        let inner = Arc::clone(&self.0);
        let answer = tokio::task::spawn_blocking(move || {
            let idle = inner.idle.lock().unwrap_or_else(PoisonError::into_inner).pop();
            let mut reader = match idle {
                Some(reader) => reader,
                None => (inner.open)()?,
            };
            let answer = question(&mut *reader);
            if matches!(answer, Ok(_) | Err(StoreError::TooLong)) {
                inner.idle.lock().unwrap_or_else(PoisonError::into_inner).push(reader);
            }
            answer
        });
        answer.await.unwrap_or(Err(StoreError::Stopping))
    }
}
