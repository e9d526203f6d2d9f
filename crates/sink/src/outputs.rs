//! All outputs of a program.

use std::{
    sync::Arc,
    thread,
    time::{Duration, Instant},
};

use sentinel_event::Alert;

use crate::{
    Counters, OutputsConfig, SinkError, Spool, Suppression,
    output::{File, Http, Journald, Stdout, Syslog},
    suppress::{SuppressedRule, Suppressor},
    worker::{Output, Queue, Worker},
};

/// Running outputs.
#[derive(Debug)]
pub struct Outputs {
    outputs: Arc<[(&'static str, Arc<Queue>)]>,
    suppressor: Option<Suppressor>,
}

/// One output, for metrics.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct OutputStatus {
    /// Its key in the configuration: `stdout`, `file`, `http`, `syslog` or `journald`.
    pub name: &'static str,
    /// What it has counted.
    pub counters: Counters,
    /// Alerts in its queue.
    pub waiting: usize,
}

impl Outputs {
    /// Starts the outputs of a configuration. `hostname` is what syslog messages name.
    ///
    /// # Errors
    /// [`SinkError`]: something that cannot get better by itself. Receivers need not be there yet.
    pub fn start(
        config: &OutputsConfig,
        suppression: &Suppression,
        hostname: &str,
    ) -> Result<Self, SinkError> {
        config.check()?;
        suppression.check()?;
        let mut workers: Vec<(&'static str, Box<dyn Output>, Option<Spool>)> = Vec::new();
        if let Some(config) = &config.stdout {
            workers.push(("stdout", Box::new(Stdout::new(config)), None));
        }
        if let Some(config) = &config.file {
            workers.push(("file", Box::new(File::new(config)), None));
        }
        if let Some(config) = &config.http {
            let spool = config.spool.path.as_ref().map(|path| {
                Spool::open(path, config.spool.max_bytes).map_err(|source| SinkError::Spool {
                    key: "http.spool.path".into(),
                    path: path.clone(),
                    source,
                })
            });
            workers.push(("http", Box::new(Http::new(config)?), spool.transpose()?));
        }
        if let Some(config) = &config.syslog {
            workers.push(("syslog", Box::new(Syslog::new(config, hostname)?), None));
        }
        if let Some(config) = &config.journald {
            workers.push(("journald", Box::new(Journald::new(config)), None));
        }
        let outputs: Result<Vec<_>, _> =
            workers.into_iter().map(|(name, output, spool)| start(name, output, spool)).collect();
        let outputs: Arc<[_]> = outputs?.into();
        let suppressor = match suppression.dedup.0.is_some() || suppression.rate_limit.0.is_some() {
            true => Some(Suppressor::start(suppression, hostname, Arc::clone(&outputs))?),
            false => None,
        };
        Ok(Self { outputs, suppressor })
    }

    /// Gives an alert to every output. Never waits: an output without room counts the alert as dropped.
    pub fn send(&self, alert: &Alert) {
        if self.outputs.is_empty() {
            return;
        }
        match &self.suppressor {
            Some(suppressor) => suppressor.offer(alert),
            None => to_all(&self.outputs, alert),
        }
    }

    /// Every output with its counters, in the order of the configuration's keys.
    pub fn status(&self) -> Vec<OutputStatus> {
        let status = |(name, queue): &(&'static str, Arc<Queue>)| OutputStatus {
            name,
            counters: queue.tally.read(),
            waiting: queue.len(),
        };
        self.outputs.iter().map(status).collect()
    }

    /// Alerts that were held back so far: by `dedup`, and by `rateLimit`.
    pub fn suppressed(&self) -> (u64, u64) {
        self.suppressor.as_ref().map_or((0, 0), Suppressor::counts)
    }

    /// The same of each rule of which something was held back, sorted by name; of at most 4096 rules.
    pub fn suppressed_by_rule(&self) -> Vec<SuppressedRule> {
        self.suppressor.as_ref().map(Suppressor::by_rule).unwrap_or_default()
    }

    /// Lets everything out that was sent before, in order, for at most this long; what is left then is counted as
    /// [`DropCause::Stopped`](crate::DropCause), or stays in its spool. Alerts that are sent afterwards are dropped.
    pub fn stop(&self, patience: Duration) {
        let deadline = Instant::now() + patience;
        if let Some(suppressor) = &self.suppressor {
            suppressor.finish();
        }
        for (_, queue) in self.outputs.iter() {
            queue.stop(deadline);
        }
        for (_, queue) in self.outputs.iter() {
            // An output looks at its deadline itself; this is for one that hangs in the system.
            queue.join(deadline + GRACE);
        }
    }
}

/// How much later than its deadline an output may come to its end.
const GRACE: Duration = Duration::from_millis(200);

impl Drop for Outputs {
    fn drop(&mut self) {
        self.stop(Duration::ZERO);
    }
}

/// Gives an alert to every output.
pub(crate) fn to_all(outputs: &[(&'static str, Arc<Queue>)], alert: &Alert) {
    let alert = Arc::new(alert.clone());
    for (_, queue) in outputs {
        queue.send(Arc::clone(&alert));
    }
}

fn start(
    name: &'static str,
    output: Box<dyn Output>,
    spool: Option<Spool>,
) -> Result<(&'static str, Arc<Queue>), SinkError> {
    let queue = Arc::new(Queue::default());
    let worker = Worker { name, output, queue: Arc::clone(&queue), spool };
    let thread = thread::Builder::new().name(format!("alerts-{name}")).spawn(move || worker.run());
    thread.map_err(|source| SinkError::System { what: "starting a thread", source })?;
    Ok((name, queue))
}
