//! Where alerts leave: the outputs of the configuration, and a piece of the program that watches.

use std::{
    sync::{Arc, atomic::Ordering},
    time::Duration,
};

use sentinel_event::Alert;
use sentinel_sink::Outputs;

use crate::{
    AlertObserver,
    meters::{AlertWayMeters, Meters},
    queue::{Received, Receiver, Refused, Sender},
};

/// How long the observer's thread sleeps when there is nothing; it wakes up for every alert.
const IDLE: Duration = Duration::from_secs(1);

/// All ways out. Sending never waits.
pub(crate) struct Alerts {
    /// Those of the configuration, each with a queue and counters of its own.
    pub(crate) outputs: Arc<Outputs>,
    /// The way to an observer.
    pub(crate) observer: Option<Sender<Alert>>,
    /// The way to the detector's hub.
    pub(crate) hub: Option<Sender<Alert>>,
    pub(crate) meters: Arc<Meters>,
}

impl Alerts {
    /// Gives an alert to everybody; whoever has no room loses it, and that is counted.
    pub(crate) fn send(&self, alert: Alert) {
        self.meters.alerts.raised.fetch_add(1, Ordering::Relaxed);
        self.outputs.send(&alert);
        if let Some(hub) = &self.hub {
            pass(hub, alert.clone(), &self.meters.alerts.hub);
        }
        if let Some(observer) = &self.observer {
            pass(observer, alert, &self.meters.alerts.view);
        }
    }
}

fn pass(to: &Sender<Alert>, alert: Alert, meters: &AlertWayMeters) {
    let weight = weight(&alert);
    if let Err((_, refused)) = to.send(alert, weight) {
        let lost = match refused {
            Refused::Full => &meters.lost_full,
            Refused::Closed => &meters.lost_closed,
        };
        lost.fetch_add(1, Ordering::Relaxed);
    }
}

/// The work of the observer's thread.
pub(crate) struct AlertHop {
    pub(crate) observer: Box<dyn AlertObserver>,
    pub(crate) input: Receiver<Alert>,
    pub(crate) meters: Arc<Meters>,
}

impl AlertHop {
    /// Runs until the pipeline has gone and every alert is shown.
    pub(crate) fn run(mut self) {
        crate::pipeline::prefer();
        loop {
            match self.input.receive(IDLE) {
                Received::Item(alert) => {
                    self.observer.alert(&alert);
                    self.meters.alerts.view.delivered.fetch_add(1, Ordering::Relaxed);
                }
                Received::Nothing => {}
                Received::Closed => return,
            }
        }
    }
}

/// Bytes of memory, about.
fn weight(alert: &Alert) -> usize {
    let fields: usize = alert.fields.iter().map(|(name, text)| name.len() + text.len()).sum();
    alert.sentinel_json.len() + alert.falco_json.len() + alert.text.len() + alert.reason.len() + fields
}
