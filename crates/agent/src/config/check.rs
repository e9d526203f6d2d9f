//! What types cannot say about a configuration.

use std::net::IpAddr;

use serde_yaml::Value;

use super::{Config, StreamMode};

/// Key and problem.
type Problem = (String, String);

const LATER: &str = "arrives with a later version";

impl Config {
    pub(super) fn check(&self) -> Result<(), Problem> {
        self.check_unfinished()?;
        within("stream.batchSize", self.stream.batch_size as u64, 1, 4096)?;
        within("stream.queueLength", self.stream.queue_length as u64, 1, 65_536)?;
        within("capture.ringBytes", self.capture.ring_bytes.into(), 64 << 10, 1 << 30)?;
        if !self.capture.ring_bytes.is_power_of_two() {
            let problem = format!("expected a power of two, found {}", self.capture.ring_bytes);
            return Err(("capture.ringBytes".into(), problem));
        }
        address("health.address", &self.health.address)?;
        address("metrics.address", &self.metrics.address)?;
        let same = self.metrics.enabled
            && self.metrics.port != 0
            && (&self.metrics.address, self.metrics.port) == (&self.health.address, self.health.port);
        if same {
            let problem = format!("{} is the health port already; choose another", self.metrics.port);
            return Err(("metrics.port".into(), problem));
        }
        Ok(())
    }

    /// Settings that nothing obeys yet are refused: a silent promise would be worse.
    fn check_unfinished(&self) -> Result<(), Problem> {
        if self.stream.mode.0.is_empty() {
            return Err(("stream.mode".into(), "expected a mode, found an empty list; write stdout".into()));
        }
        for mode in &self.stream.mode.0 {
            let name = match mode {
                StreamMode::Stdout => continue,
                StreamMode::Grpc => "grpc",
                StreamMode::File => "file",
            };
            return Err((
                "stream.mode".into(),
                format!("{name} {LATER}; until then set stdout and pipe the events"),
            ));
        }
        let detection = &self.detection;
        for (key, value) in [
            ("rules", &detection.rules),
            ("matching", &detection.matching),
            ("minimumPriority", &detection.minimum_priority),
            ("dedup", &detection.dedup),
            ("rateLimit", &detection.rate_limit),
            ("outputs", &detection.outputs),
        ] {
            if *value != Value::Null {
                return Err((
                    format!("detection.{key}"),
                    format!("detection on the node {LATER}; remove the key"),
                ));
            }
        }
        for (key, on) in [
            ("capture.buffers", self.capture.buffers),
            ("capture.compat", self.capture.compat),
            ("grpc.tls.enabled", self.grpc.tls.enabled),
        ] {
            if on {
                return Err((key.into(), format!("{LATER}; remove the key or set it to false")));
            }
        }
        Ok(())
    }
}

fn within(key: &str, value: u64, least: u64, most: u64) -> Result<(), Problem> {
    if (least..=most).contains(&value) {
        return Ok(());
    }
    Err((key.into(), format!("expected {least} to {most}, found {value}")))
}

fn address(key: &str, text: &str) -> Result<(), Problem> {
    match text.parse::<IpAddr>() {
        Ok(_) => Ok(()),
        Err(_) => Err((
            key.into(),
            format!(
                "expected an IP address (127.0.0.1 for this host only, 0.0.0.0 or :: for all), found {text:?}"
            ),
        )),
    }
}
