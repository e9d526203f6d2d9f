//! What judges events. An engine is one file; several work side by side, and each sees every event.

mod baseline;
mod external;
mod pass_through;
mod rules;

use std::{future::Future, pin::Pin, sync::Arc};

pub(crate) use self::baseline::evaluate;
use sentinel_wire::Events;

use crate::{
    DetectorError,
    config::{Config, EngineName},
    meters::Meters,
};

/// What an engine found in an event. What is harmless has none.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Finding {
    /// Place of the event in the batch.
    pub(crate) event: usize,
    /// Why, for people.
    pub(crate) reason: String,
    /// 0 (harmless) to 1 (certain).
    pub(crate) score: f64,
    /// The alert, when the engine has more to say than that it is an anomaly.
    pub(crate) alert: Option<sentinel_event::Alert>,
}

/// A rule of an engine.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Loaded {
    pub(crate) rule_id: String,
    pub(crate) rule: String,
    /// Of the texts of all rules.
    pub(crate) hash: String,
    pub(crate) hits: u64,
    /// Last match, milliseconds since the Unix epoch; 0: never.
    pub(crate) last_ms: i64,
}

/// Findings to come.
pub(crate) type Findings<'a> = Pin<Box<dyn Future<Output = Vec<Finding>> + Send + 'a>>;

/// Judges events. What it cannot judge it counts and lets pass: an engine never holds up what is delivered.
pub(crate) trait Engine: Send + Sync {
    /// Its name in the configuration and in alerts.
    fn name(&self) -> &'static str;

    /// The anomalies of a batch.
    fn judge<'a>(&'a self, events: &'a Events) -> Findings<'a>;

    /// Puts on the disk what it has learned; may take a while.
    fn save(&self) {}

    /// Its rules, if it has any.
    fn loaded(&self) -> Vec<Loaded> {
        Vec::new()
    }
}

/// The engines that the configuration names, in its order.
pub(crate) fn build(config: &Config, meters: &Arc<Meters>) -> Result<Vec<Arc<dyn Engine>>, DetectorError> {
    let one = |name: &EngineName| -> Result<Arc<dyn Engine>, DetectorError> {
        Ok(match name {
            EngineName::PassThrough => Arc::new(pass_through::PassThrough),
            EngineName::Rules => Arc::new(rules::Rules::load(&config.rules)?),
            EngineName::Baseline => Arc::new(baseline::Baseline::new(&config.baseline)),
            EngineName::External => Arc::new(external::External::new(&config.external, Arc::clone(meters))?),
        })
    };
    config.engines.iter().map(one).collect()
}

/// Whether the engines could be built: for `--check-config`. Connects to nobody.
pub(crate) fn check(config: &Config) -> Result<(), DetectorError> {
    if config.engines.contains(&EngineName::Rules) {
        rules::Rules::load(&config.rules)?;
    }
    Ok(())
}
