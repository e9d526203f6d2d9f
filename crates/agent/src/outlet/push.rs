//! Alerts and reports for the detector's hub: `PushAlerts` and `ReportStatus`, over a connection of their own, so that
//! neither waits behind events.
//!
//! An alert is ours until the call has returned, and is pushed again until then; the hub knows it by its id. A
//! detector of the old contract is told by `ReportAnomaly`, which it has.

use std::{
    collections::VecDeque,
    future::{Future as _, poll_fn},
    pin::pin,
    sync::{Arc, atomic::Ordering},
    task::Poll,
    time::{Duration, Instant},
};

use sentinel_event::Alert;
use sentinel_sink::Backoff;
use sentinel_wire::v1::{self, AlertBatch, AnomalyReport, detector_service_client::DetectorServiceClient};
use tokio::{runtime, time::sleep};
use tonic::{Code, Request, Status, transport::Channel};
use tracing::{error, info, warn};

use super::courier::endpoint;
use crate::{
    config::Grpc,
    meters::Meters,
    queue::{Received, Receiver},
    status::Board,
};

/// How often alerts and reports are looked for: the hub has an alert this much later at most.
const TICK: Duration = Duration::from_millis(25);
/// Alerts in a call.
const BATCH: usize = 256;
/// How long a call may take.
const CALL: Duration = Duration::from_secs(5);
/// How long the last alerts are tried at the end: less than the agent has for all of it.
const LAST: Duration = Duration::from_millis(500);
/// Shortest and longest wait after a failure.
const WAITS: (Duration, Duration) = (Duration::from_millis(100), Duration::from_secs(5));

/// The work of the thread.
pub(crate) struct Push {
    pub(crate) config: Grpc,
    pub(crate) hostname: String,
    pub(crate) input: Receiver<Alert>,
    pub(crate) board: Arc<Board>,
    pub(crate) meters: Arc<Meters>,
}

/// What is still to be said.
#[derive(Default)]
struct Owed {
    alerts: VecDeque<v1::Alert>,
    /// Generation of the report that the detector has.
    told: u64,
    client: Option<DetectorServiceClient<Channel>>,
    away: bool,
}

impl Push {
    /// Runs until the pipeline has gone and every alert is pushed, or could not be in time.
    pub(crate) fn run(self) {
        match runtime::Builder::new_current_thread().enable_all().build() {
            Ok(runtime) => {
                runtime.block_on(self.speak());
                // A name that is being looked up must not hold up the end.
                runtime.shutdown_background();
            }
            Err(error) => error!(%error, "Cannot push alerts to the detector; the other outputs have them."),
        }
    }

    async fn speak(self) {
        let (mut owed, mut backoff) = (Owed::default(), Backoff::new(WAITS.0, WAITS.1));
        let (mut next_try, mut ends) = (Instant::now(), None);
        loop {
            if self.collect(&mut owed) {
                ends.get_or_insert_with(|| Instant::now() + LAST);
            }
            let now = Instant::now();
            if now >= next_try {
                match self.tell_in_time(&mut owed).await {
                    Ok(()) if owed.away => {
                        owed.away = false;
                        backoff.reset();
                        info!("The detector takes alerts again.");
                    }
                    Ok(()) => {}
                    Err(status) => {
                        owed.client = None;
                        next_try = now + backoff.wait();
                        if !owed.away {
                            owed.away = true;
                            warn!(
                                code = ?status.code(),
                                reason = status.message(),
                                "The detector does not take alerts; they wait for it."
                            );
                        }
                    }
                }
            }
            if ends.is_some_and(|ends| owed.alerts.is_empty() || Instant::now() >= ends) {
                let left = u64::try_from(owed.alerts.len()).unwrap_or(u64::MAX);
                self.meters.alerts.hub.lost_closed.fetch_add(left, Ordering::Relaxed);
                return;
            }
            if owed.alerts.len() < BATCH || owed.away {
                sleep(TICK).await;
            }
        }
    }

    /// As [`Self::tell`]; a detector that does not answer does not hold up the end.
    async fn tell_in_time(&self, owed: &mut Owed) -> Result<(), Status> {
        let (mut tell, mut over) = (pin!(self.tell(owed)), pin!(self.over()));
        poll_fn(|context| match tell.as_mut().poll(context) {
            Poll::Pending => over.as_mut().poll(context).map(|()| Err(Status::cancelled("stopped"))),
            told => told,
        })
        .await
    }

    /// Returns when nothing comes any more and the time for the last of it is over.
    async fn over(&self) {
        while !self.input.is_closed() {
            sleep(TICK).await;
        }
        sleep(LAST).await;
    }

    /// Takes what one call can carry; the rest waits in the queue, whose bound counts. True: nothing comes any more.
    fn collect(&self, owed: &mut Owed) -> bool {
        while owed.alerts.len() < BATCH {
            match self.input.receive(Duration::ZERO) {
                Received::Item(alert) => owed.alerts.push_back(self.message(alert)),
                Received::Nothing => return false,
                Received::Closed => return true,
            }
        }
        false
    }

    async fn tell(&self, owed: &mut Owed) -> Result<(), Status> {
        let generation = self.board.generation();
        if owed.alerts.is_empty() && owed.told == generation {
            return Ok(());
        }
        let mut client = match owed.client.take() {
            Some(client) => client,
            None => {
                let endpoint = endpoint(&self.config).map_err(Status::unavailable)?;
                let connected = endpoint.connect().await;
                DetectorServiceClient::new(connected.map_err(|error| Status::from_error(error.into()))?)
            }
        };
        if !owed.alerts.is_empty() {
            let batch = AlertBatch { alerts: owed.alerts.iter().cloned().collect() };
            match client.push_alerts(in_time(batch)).await {
                Ok(_) => {}
                Err(status) if status.code() == Code::Unimplemented => {
                    for alert in &owed.alerts {
                        client.report_anomaly(in_time(anomaly(alert))).await?;
                    }
                }
                Err(status) => return Err(status),
            }
            let count = u64::try_from(owed.alerts.len()).unwrap_or(u64::MAX);
            self.meters.alerts.hub.delivered.fetch_add(count, Ordering::Relaxed);
            owed.alerts.clear();
        }
        if owed.told != generation {
            match client.report_status(in_time((*self.board.get()).clone())).await {
                Err(status) if status.code() != Code::Unimplemented => return Err(status),
                _ => owed.told = generation,
            }
        }
        owed.client = Some(client);
        Ok(())
    }

    fn message(&self, alert: Alert) -> v1::Alert {
        let text = |bytes: Vec<u8>| String::from_utf8_lossy(&bytes).into_owned();
        v1::Alert {
            alert_id: alert.id,
            ts_unix_nano: alert.time_ns,
            rule_id: alert.rule_id.to_string(),
            rule: alert.rule.to_string(),
            priority: alert.priority.name().into(),
            severity: alert.severity.name().into(),
            risk_score: alert.risk_score.into(),
            reason: alert.reason.into(),
            sentinel_json: text(alert.sentinel_json),
            falco_json: text(alert.falco_json),
            text: text(alert.text),
            hostname: self.hostname.clone(),
        }
    }
}

fn in_time<T>(message: T) -> Request<T> {
    let mut request = Request::new(message);
    request.set_timeout(CALL);
    request
}

/// The alert as far as the old contract can say it.
fn anomaly(alert: &v1::Alert) -> AnomalyReport {
    let labels = [("rule_id", &alert.rule_id), ("severity", &alert.severity), ("hostname", &alert.hostname)];
    AnomalyReport {
        event_id: alert.alert_id.clone(),
        reason: String::from_utf8_lossy(&alert.reason).into_owned(),
        score: f64::from(alert.risk_score) / 100.0,
        labels: labels.into_iter().map(|(name, value)| (name.to_owned(), value.clone())).collect(),
    }
}

#[cfg(test)]
mod tests {
    use std::{net::TcpListener, thread};

    use super::*;
    use crate::queue::bounded;

    #[test]
    fn a_detector_that_does_not_answer_does_not_hold_up_the_end() {
        let silent = TcpListener::bind("127.0.0.1:0").unwrap();
        let (sender, input) = bounded(1, 1);
        let board = Arc::new(Board::new(v1::NodeStatus::default()));
        let push = Push {
            config: Grpc { endpoint: silent.local_addr().unwrap().to_string(), ..Grpc::default() },
            hostname: "node".into(),
            input,
            board,
            meters: Arc::default(),
        };
        let pushing = thread::spawn(move || push.run());
        let connection = silent.accept().unwrap();
        drop(sender);
        let begun = Instant::now();
        pushing.join().unwrap();
        assert!(begun.elapsed() < CALL / 2, "{:?}", begun.elapsed());
        drop(connection);
    }
}
