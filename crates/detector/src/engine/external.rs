//! Asks another detector: anything that speaks `StreamEvents`.

use std::{
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant},
};

use sentinel_wire::{Event, Events, rpc::converse, v1::DetectionResponse};
use tokio::time::timeout;
use tokio_stream::iter;
use tonic::{
    Status,
    transport::{Certificate, Channel, ClientTlsConfig, Endpoint, Identity},
};
use tracing::warn;

use super::{Engine, Finding, Findings};
use crate::{DetectorError, config::External as Config, meters::Meters};

/// Failures in a row after which nobody waits for it for a while.
const FAILURES: u32 = 3;
/// That while.
const PAUSE: Duration = Duration::from_secs(10);
/// How often it is complained about.
const COMPLAIN: Duration = Duration::from_secs(30);
/// Bytes of a reason that are kept.
const REASON: usize = 4096;

/// The engine `external`.
pub(crate) struct External {
    channel: Channel,
    patience: Duration,
    health: Mutex<Health>,
    meters: Arc<Meters>,
}

#[derive(Debug, Default)]
struct Health {
    failures: u32,
    paused: Option<Instant>,
    complained: Option<Instant>,
}

impl External {
    /// Connects when the first events come, and again whenever it must.
    pub(crate) fn new(config: &Config, meters: Arc<Meters>) -> Result<Self, DetectorError> {
        let wrong = |error: tonic::transport::Error| {
            DetectorError::External(format!(
                "{}: {error}; expected http://HOST:PORT or https://HOST:PORT",
                config.endpoint
            ))
        };
        let mut endpoint = Endpoint::from_shared(config.endpoint.clone())
            .map_err(wrong)?
            .connect_timeout(Duration::from_secs(5))
            .http2_keep_alive_interval(Duration::from_secs(20))
            .keep_alive_timeout(Duration::from_secs(10));
        if config.endpoint.starts_with("https:") {
            endpoint = endpoint.tls_config(encryption(config)?).map_err(wrong)?;
        }
        let channel = endpoint.connect_lazy();
        let patience = Duration::from_millis(config.timeout_ms);
        Ok(Self { channel, patience, health: Mutex::default(), meters })
    }

    fn paused(&self) -> bool {
        let health = self.health.lock().unwrap_or_else(PoisonError::into_inner);
        health.paused.is_some_and(|since| since.elapsed() < PAUSE)
    }

    fn failed(&self, error: &Status) {
        let mut health = self.health.lock().unwrap_or_else(PoisonError::into_inner);
        health.failures = health.failures.saturating_add(1);
        if health.failures >= FAILURES {
            health.paused = Some(Instant::now());
        }
        if health.complained.is_none_or(|at| at.elapsed() >= COMPLAIN) {
            health.complained = Some(Instant::now());
            warn!(%error, "The external detector does not answer; events pass without its opinion.");
        }
    }

    /// A call for each batch: when it fails, its events are known, and the next one starts anew.
    async fn ask(&self, events: &Events) -> Result<Vec<Finding>, Status> {
        let sent: Vec<_> = events.iter().map(|event| event.message().clone()).collect();
        let mut answers = converse::<DetectionResponse, _, _, _>(self.channel.clone(), iter(sent)).await?;
        let mut findings = Vec::new();
        // One answer for each event; more are nobody's.
        for place in 0..events.len() {
            let Some(answer) = answers.message().await? else { break };
            if !answer.anomaly {
                continue;
            }
            // Answers may come in any order; most come in ours.
            let same = |event: Event<'_>| event.event_id() == answer.event_id;
            let event =
                if events.get(place).is_some_and(same) { Some(place) } else { events.iter().position(same) };
            let Some(event) = event else { continue };
            let mut reason = answer.reason;
            while reason.len() > REASON {
                reason.pop();
            }
            findings.push(Finding { event, reason, score: answer.score, alert: None });
        }
        Ok(findings)
    }
}

impl Engine for External {
    fn name(&self) -> &'static str {
        "external"
    }

    fn judge<'a>(&'a self, events: &'a Events) -> Findings<'a> {
        Box::pin(async move {
            if self.paused() {
                self.meters.unasked.add(events.len());
                return Vec::new();
            }
            let late = |_| Status::deadline_exceeded("it took too long");
            match timeout(self.patience, self.ask(events)).await.map_err(late).flatten() {
                Ok(findings) => {
                    *self.health.lock().unwrap_or_else(PoisonError::into_inner) = Health::default();
                    findings
                }
                Err(error) => {
                    self.meters.unasked.add(events.len());
                    self.failed(&error);
                    Vec::new()
                }
            }
        })
    }
}

fn encryption(config: &Config) -> Result<ClientTlsConfig, DetectorError> {
    let read = super::super::grpc::read;
    let mut tls = ClientTlsConfig::new();
    if let Some(ca) = &config.tls.ca {
        tls = tls.ca_certificate(Certificate::from_pem(read("external.tls.ca", ca)?));
    }
    if let (Some(cert), Some(key)) = (&config.tls.cert, &config.tls.key) {
        let identity = Identity::from_pem(read("external.tls.cert", cert)?, read("external.tls.key", key)?);
        tls = tls.identity(identity);
    }
    Ok(tls)
}
