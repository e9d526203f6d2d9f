//! What is normal, learned as events come; what is rare is told, with the reason.
//!
//! No training phase: every event is first weighed and then learned. The model counts what each program (in an
//! image, if it has one) does, where, with whom and who starts it; and of each deed and each place, who does it.
//! How surprising an item is follows from how often it was seen among all of its context: log2(context / item), in
//! bits. For one that was never seen the chance of something new stands in its place, so that what always brings new
//! things does not alarm. Of paths each component is an item in the context of those before it: a new file in `/tmp` is
//! nothing, a new one in `/etc` is something.
//!
//! Counted are processes, not events: who reads a thousand files does it once. Programs that are hardly known count as one
//! program, of which much is known: what new programs usually do is no surprise, and the rest is.
//!
//! The counts are in a count-min sketch of fixed size, with decay: old habits fade.

mod act;
mod checkpoint;
mod class;
mod evaluate;
mod habit;
mod model;
mod recent;
mod sketch;

use std::{
    path::PathBuf,
    sync::{Mutex, MutexGuard, PoisonError},
};

use sentinel_wire::Events;
use tracing::{info, warn};

pub(crate) use self::evaluate::evaluate;
use self::{model::Model, sketch::Sketch};
use super::{Engine, Finding, Findings};
use crate::config;

/// Bits that are certain: score 1.
const CERTAIN: f64 = 20.0;

/// The engine `baseline`.
pub(crate) struct Baseline {
    model: Mutex<Model>,
    threshold: f64,
    path: Option<PathBuf>,
}

impl Baseline {
    /// Goes on from the checkpoint, or begins anew.
    pub(crate) fn new(config: &config::Baseline) -> Self {
        let path = Some(config.path.clone()).filter(|path| !path.as_os_str().is_empty());
        let sketch = match path.as_deref().map(checkpoint::read) {
            Some(Ok(Some(sketch))) => sketch,
            None | Some(Ok(None)) => Sketch::new(),
            Some(Err(error)) => {
                warn!(error, "The baseline's checkpoint cannot be used; it learns anew.");
                Sketch::new()
            }
        };
        Self { model: Mutex::new(Model::new(sketch)), threshold: config.threshold, path }
    }

    fn lock(&self) -> MutexGuard<'_, Model> {
        self.model.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Engine for Baseline {
    fn name(&self) -> &'static str {
        "baseline"
    }

    fn judge<'a>(&'a self, events: &'a Events) -> Findings<'a> {
        let mut model = self.lock();
        let mut findings = Vec::new();
        for (place, event) in events.iter().enumerate() {
            let opinion = model.see(event, self.threshold * CERTAIN);
            if opinion.bits < self.threshold * CERTAIN || !model.is_news(opinion.key, event.ts_unix_nano()) {
                continue;
            }
            let score = (opinion.bits / CERTAIN).min(1.0);
            findings.push(Finding { event: place, reason: opinion.reasons.join("; "), score, alert: None });
        }
        drop(model);
        Box::pin(std::future::ready(findings))
    }

    fn save(&self) {
        let Some(path) = &self.path else { return };
        let bytes = checkpoint::bytes(&self.lock().sketch);
        match checkpoint::write(path, &bytes) {
            Ok(()) => info!(path = %path.display(), "Saved what the baseline has learned."),
            Err(error) => warn!(%error, path = %path.display(), "Cannot save what the baseline has learned."),
        }
    }
}

#[cfg(test)]
mod tests;
