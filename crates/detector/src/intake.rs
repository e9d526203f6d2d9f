//! Events and alerts on their way in: judged, made safe, counted.

use std::{collections::BTreeMap, sync::Arc};

use sentinel_sink::Outputs;
use sentinel_wire::{
    Events,
    v1::{Alert, AnomalyReport, DetectionResponse},
};
use tracing::warn;

use crate::{
    anomaly,
    engine::Engine,
    hub::{Hub, Receipt, Refused},
    meters::Meters,
    nodes::Nodes,
    store::{Entry, MALFORMED},
    time::now_ns,
    traces::{self, Known},
};

/// What every call needs.
pub(crate) struct Intake {
    pub(crate) engines: Vec<Arc<dyn Engine>>,
    pub(crate) hub: Hub,
    pub(crate) outputs: Arc<Outputs>,
    pub(crate) nodes: Nodes,
    pub(crate) meters: Arc<Meters>,
    pub(crate) known: Known,
}

/// What the engines think of an event, all together.
#[derive(Debug, Default)]
struct Opinion {
    reasons: Vec<String>,
    score: f64,
}

impl Intake {
    /// Judges events and hands over what is kept of them.
    ///
    /// # Errors
    /// The store takes nothing: the events are still the sender's.
    pub(crate) async fn events(self: &Arc<Self>, events: &Events) -> Result<Judged, Refused> {
        let count = events.len();
        self.meters.events_waiting.add(count);
        // From here on it counts them out again, whatever happens.
        let mut judged = Judged { intake: Arc::clone(self), count, answers: BTreeMap::new(), receipt: None };
        let malformed = events.iter().filter(|event| !anomaly::is_identity(event.event_id())).count();
        self.meters.events_malformed.add(malformed);
        let mut last = "";
        for event in events.iter() {
            if event.hostname() != last {
                last = event.hostname();
                self.nodes.heard(last);
            }
        }
        let (alerts, opinions) = self.judge(events).await;
        let receipt = self.hub.deliver(alerts, traces::of(events, &self.known)).await?;
        let answers = opinions.into_iter().filter_map(|(place, opinion)| {
            let reason = opinion.reasons.join("; ");
            Some((place, response(events.get(place)?.event_id(), Some((reason, opinion.score)))))
        });
        judged.answers = answers.collect();
        judged.receipt = Some(receipt);
        Ok(judged)
    }

    async fn judge(&self, events: &Events) -> (Vec<Entry>, BTreeMap<usize, Opinion>) {
        let (mut alerts, mut opinions) = (Vec::new(), BTreeMap::<usize, Opinion>::new());
        for engine in &self.engines {
            for finding in engine.judge(events).await {
                let Some(event) = events.get(finding.event).map(|event| event.envelope()) else { continue };
                let opinion = opinions.entry(finding.event).or_default();
                let rule_id = finding.alert.as_ref().map_or(engine.name(), |alert| &*alert.rule_id);
                let id = anomaly::identity(&event, rule_id, opinion.reasons.is_empty());
                let alert = match finding.alert {
                    Some(alert) => sentinel_event::Alert { id, ..alert },
                    None => anomaly::of_event(&event, engine.name(), &finding.reason, finding.score, id),
                };
                match Entry::new(alert, event.hostname.clone()) {
                    Some(entry) => alerts.push(entry),
                    None => self.meters.alerts_malformed.add(1),
                }
                opinion.reasons.push(finding.reason);
                opinion.score = opinion.score.max(finding.score);
            }
        }
        (alerts, opinions)
    }

    /// Takes the alerts of a node. One that makes no sense is counted and costs itself.
    ///
    /// # Errors
    /// The store took nothing: the alerts are still the sender's.
    pub(crate) async fn alerts(&self, alerts: Vec<Alert>) -> Result<(), Refused> {
        let came = alerts.len();
        let entries: Vec<Entry> = alerts.into_iter().filter_map(Entry::pushed).collect();
        if entries.len() < came {
            self.meters.alerts_malformed.add(came - entries.len());
            warn!(alerts = came - entries.len(), "Alerts came that make no sense: {MALFORMED}.");
        }
        for entry in &entries {
            self.nodes.heard(&entry.node);
        }
        self.hub.deliver(entries, Vec::new()).await?.safe().await
    }

    /// Takes a report of an anomaly.
    ///
    /// # Errors
    /// As [`Self::alerts`].
    pub(crate) async fn report(&self, report: &AnomalyReport) -> Result<(), Refused> {
        let (alert, node) = anomaly::of_report(report);
        let entry = Entry::new(alert, node);
        if entry.is_none() {
            self.meters.alerts_malformed.add(1);
        }
        self.hub.deliver(entry.into_iter().collect(), Vec::new()).await?.safe().await
    }
}

/// Events that were judged, and are on their way to the disk.
pub(crate) struct Judged {
    intake: Arc<Intake>,
    count: usize,
    /// The anomalies, by place in the batch.
    pub(crate) answers: BTreeMap<usize, DetectionResponse>,
    receipt: Option<Receipt>,
}

impl Judged {
    /// Waits until what is kept of them is safe.
    ///
    /// # Errors
    /// The store took nothing: the events are still the sender's.
    pub(crate) async fn safe(&mut self) -> Result<(), Refused> {
        if let Some(receipt) = self.receipt.take()
            && let Err(refused) = receipt.safe().await
        {
            self.intake.known.forget();
            return Err(refused);
        }
        self.intake.meters.events.add(self.count);
        self.intake.meters.anomalies.add(self.answers.len());
        Ok(())
    }
}

impl Drop for Judged {
    fn drop(&mut self) {
        self.intake.meters.events_waiting.leave(self.count);
    }
}

/// The answer for an event; none: harmless.
pub(crate) fn response(event_id: &str, anomaly: Option<(String, f64)>) -> DetectionResponse {
    let now = now_ns();
    let ts = prost_types::Timestamp {
        seconds: i64::try_from(now / 1_000_000_000).unwrap_or(i64::MAX),
        nanos: i32::try_from(now % 1_000_000_000).unwrap_or(0),
    };
    let found = anomaly.is_some();
    let (reason, score) = anomaly.unwrap_or_default();
    DetectionResponse { event_id: event_id.to_owned(), anomaly: found, reason, score, ts: Some(ts) }
}
