//! What types cannot say about a configuration.

use sentinel_service::{Problem, address, within};
use sentinel_sink::{Bus, SinkError};

use super::Config;
use crate::identity::speaks;

impl Config {
    pub(super) fn check(&self) -> Result<(), Problem> {
        self.check_unfinished()?;
        self.check_detection()?;
        within("stream.batchSize", self.stream.batch_size as u64, 1, 4096)?;
        within("stream.queueLength", self.stream.queue_length as u64, 1, 65_536)?;
        within("capture.ringBytes", self.capture.ring_bytes.into(), 64 << 10, 1 << 30)?;
        if !self.capture.ring_bytes.is_power_of_two() {
            let problem = format!("expected a power of two, found {}", self.capture.ring_bytes);
            return Err(("capture.ringBytes".into(), problem));
        }
        self.check_enrichment()?;
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

    fn check_enrichment(&self) -> Result<(), Problem> {
        within("enrichment.waitMilliseconds", self.enrichment.wait_milliseconds, 0, 10_000)?;
        for (at, path) in self.enrichment.sockets.iter().flatten().enumerate() {
            if !path.is_absolute() || !speaks(path) {
                let problem = format!(
                    "expected the absolute path of a socket with docker, podman, containerd or crio in it, found {:?}",
                    path.display().to_string()
                );
                return Err((format!("enrichment.sockets[{at}]"), problem));
            }
        }
        Ok(())
    }

    fn check_detection(&self) -> Result<(), Problem> {
        let detection = &self.detection;
        for (at, source) in detection.rules.iter().enumerate() {
            if source.is_empty() {
                let problem = "expected a file, a directory or builtin, found nothing".to_owned();
                return Err((format!("detection.rules[{at}]"), problem));
            }
        }
        for (at, select) in detection.select.iter().enumerate() {
            if select.choice().is_none() {
                let problem = "expected one of enable and disable with one of rule and tag, e.g. {disable: {rule: \"Read *\"}}";
                return Err((format!("detection.select[{at}]"), problem.to_owned()));
            }
        }
        for (at, append) in detection.append_output.iter().enumerate() {
            if append.extra_output.is_empty() && append.extra_fields.is_empty() && !append.suggested_output {
                let problem = "missing; write what is to be appended, e.g. \"cwd=%proc.cwd\", or extraFields"
                    .to_owned();
                return Err((format!("detection.appendOutput[{at}].extraOutput"), problem));
            }
        }
        detection.outputs.check().map_err(below("detection.outputs"))?;
        detection.suppression().check().map_err(below("detection"))
    }

    /// Settings that nothing obeys yet are refused: a silent promise would be worse.
    fn check_unfinished(&self) -> Result<(), Problem> {
        if self.stream.mode.0.is_empty() {
            return Err(("stream.mode".into(), "expected a mode, found an empty list; write stdout".into()));
        }
        let (host, port) = self.grpc.endpoint.rsplit_once(':').unwrap_or_default();
        if host.is_empty() || !port.parse::<u16>().is_ok_and(|port| port > 0) {
            let problem = format!("expected HOST:PORT, found {:?}", self.grpc.endpoint);
            return Err(("grpc.endpoint".into(), problem));
        }
        if self.grpc.tls.cert.is_some() != self.grpc.tls.key.is_some() {
            let missing = if self.grpc.tls.cert.is_some() { "key" } else { "cert" };
            return Err((format!("grpc.tls.{missing}"), "missing; cert and key go together".into()));
        }
        if self.grpc.spool.max_bytes > 0 && !self.grpc.spool.path.starts_with('/') {
            let problem = format!("expected an absolute path, found {:?}", self.grpc.spool.path);
            return Err(("grpc.spool.path".into(), problem));
        }
        self.check_nats()?;
        if !self.stream.file.path.is_absolute() {
            let problem =
                format!("expected an absolute path, found {:?}", self.stream.file.path.display().to_string());
            return Err(("stream.file.path".into(), problem));
        }
        within("stream.file.rotateMaxBytes", self.stream.file.rotate_max_bytes, 1, u64::MAX)?;
        within("stream.file.rotateMaxFiles", self.stream.file.rotate_max_files.into(), 1, 10_000)?;
        Ok(())
    }
}

impl Config {
    fn check_nats(&self) -> Result<(), Problem> {
        let nats = &self.nats;
        if nats.servers.is_empty() || nats.servers.iter().any(|server| !server.contains("://")) {
            let problem = format!("expected nats://HOST:PORT, one or more, found {:?}", nats.servers);
            return Err(("nats.servers".into(), problem));
        }
        if !Bus::is_name(&nats.stream) {
            let problem = format!("expected 1 to 64 letters, digits, - and _, found {:?}", nats.stream);
            return Err(("nats.stream".into(), problem));
        }
        if ![1, 3, 5].contains(&nats.replicas) {
            return Err(("nats.replicas".into(), format!("expected 1, 3 or 5, found {}", nats.replicas)));
        }
        within("nats.maxBytes", nats.max_bytes, 1 << 20, 1 << 50)?;
        if nats.tls.cert.is_some() != nats.tls.key.is_some() {
            let missing = if nats.tls.cert.is_some() { "key" } else { "cert" };
            return Err((format!("nats.tls.{missing}"), "missing; cert and key go together".into()));
        }
        if nats.spool.max_bytes > 0 && !nats.spool.path.starts_with('/') {
            let problem = format!("expected an absolute path, found {:?}", nats.spool.path);
            return Err(("nats.spool.path".into(), problem));
        }
        if nats.spool.max_bytes > 0 && nats.spool.path == self.grpc.spool.path {
            let problem = format!("{} is grpc.spool.path already; name another", nats.spool.path);
            return Err(("nats.spool.path".into(), problem));
        }
        Ok(())
    }
}

/// A problem of the outputs, as a problem of this configuration.
fn below(place: &str) -> impl FnOnce(SinkError) -> Problem {
    let place = place.to_owned();
    move |error| match error {
        SinkError::Invalid { key, problem } => (format!("{place}.{key}"), problem),
        other => (place, other.to_string()),
    }
}
