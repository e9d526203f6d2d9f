//! What types cannot say about a configuration.

use sentinel_service::{Problem, address, within};
use sentinel_sink::{Bus, SinkError};

use super::{Config, EngineName};

/// Characters of a token: shorter ones can be guessed.
const TOKEN_MIN: usize = 16;

impl Config {
    pub(super) fn check(&self) -> Result<(), Problem> {
        address("grpc.address", &self.grpc.address)?;
        address("http.address", &self.http.address)?;
        within("grpc.maxMessageBytes", self.grpc.max_message_bytes as u64, 64 << 10, 64 << 20)?;
        within("grpc.maxConnections", self.grpc.max_connections as u64, 1, 65_536)?;
        within("http.maxConnections", self.http.max_connections as u64, 1, 65_536)?;
        self.check_tls()?;
        self.check_nats()?;
        let threshold = self.baseline.threshold;
        if !(threshold > 0.0 && threshold <= 1.0) {
            return Err((
                "baseline.threshold".into(),
                format!("expected above 0 and up to 1, found {threshold}"),
            ));
        }
        within("external.timeoutMs", self.external.timeout_ms, 1, 60_000)?;
        if self.external.tls.cert.is_some() != self.external.tls.key.is_some() {
            return Err(("external.tls".into(), "cert and key belong together; set both or none".into()));
        }
        let same = self.http.port != 0
            && (&self.http.address, self.http.port) == (&self.grpc.address, self.grpc.port);
        if same {
            let problem = format!("{} is the gRPC port already; choose another", self.http.port);
            return Err(("http.port".into(), problem));
        }
        if let Some(token) = &self.http.token {
            let sendable = token.bytes().all(|byte| byte.is_ascii_graphic());
            if token.len() < TOKEN_MIN || !sendable {
                let problem =
                    "expected at least 16 visible ASCII characters; make one with: openssl rand -hex 32";
                return Err(("http.token".into(), problem.into()));
            }
        }
        for origin in &self.http.cors_origins {
            let host = origin.strip_prefix("http://").or_else(|| origin.strip_prefix("https://"));
            if !host.is_some_and(|host| !host.is_empty() && !host.contains(['/', '*', ' '])) {
                let problem = format!(
                    "expected http:// or https:// with a host and nothing behind it, found {origin:?}"
                );
                return Err(("http.corsOrigins".into(), problem));
            }
        }
        let tls = &self.history.postgres_tls;
        if tls.cert.is_some() != tls.key.is_some() {
            return Err((
                "history.postgresTls".into(),
                "cert and key belong together; set both or none".into(),
            ));
        }
        let retention = &self.history.retention;
        within("history.retention.bytes", retention.bytes, 16 << 20, 1 << 50)?;
        within("history.retention.eventsPercent", retention.events_percent.into(), 1, 90)?;
        self.outputs.check().map_err(below)?;
        for (number, engine) in self.engines.iter().enumerate() {
            if self.engines.iter().take(number).any(|before| before == engine) {
                return Err(("engines".into(), format!("{engine:?} is there twice; remove one")));
            }
        }
        Ok(())
    }

    fn check_nats(&self) -> Result<(), Problem> {
        let nats = &self.nats;
        if nats.servers.iter().any(|server| !server.contains("://")) {
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
        if nats.tls.cert.is_some() != nats.tls.key.is_some() {
            return Err(("nats.tls".into(), "cert and key belong together; set both or none".into()));
        }
        within("nats.maxBytes", nats.max_bytes, 1 << 20, 1 << 50)
    }

    fn check_tls(&self) -> Result<(), Problem> {
        let tls = &self.grpc.tls;
        let lonely = match (&tls.cert, &tls.key, &tls.client_ca) {
            (Some(_), None, _) => Some(("grpc.tls.cert", "grpc.tls.key")),
            (None, Some(_), _) => Some(("grpc.tls.key", "grpc.tls.cert")),
            (None, None, Some(_)) => Some(("grpc.tls.clientCa", "grpc.tls.cert and grpc.tls.key")),
            (Some(_), Some(_), _) | (None, None, None) => None,
        };
        match lonely {
            Some((key, other)) => Err((key.into(), format!("needs {other} too; set it"))),
            None => Ok(()),
        }
    }

    /// What an operator should be told at the start.
    pub fn warnings(&self) -> Vec<String> {
        let open = sentinel_service::is_remote;
        let mut warnings = Vec::new();
        if open(&self.grpc.address) && self.grpc.tls.client_ca.is_none() {
            let what = match self.grpc.tls.cert {
                Some(_) => "anybody who reaches it can send events and alerts; set grpc.tls.clientCa",
                None => "it is neither encrypted nor authenticated; set grpc.tls",
            };
            warnings.push(format!("grpc.address is {}: {what}", self.grpc.address));
        }
        if open(&self.http.address) && self.http.token.is_none() {
            let what = "anybody who reaches it can read all alerts; set http.token";
            warnings.push(format!("http.address is {}: {what}", self.http.address));
        }
        if let Some(url) = self.history.postgres_url.as_ref().filter(|url| url.is_open()) {
            let what = "what is said could be read and changed on the way; set sslmode=require";
            warnings.push(format!("history.postgresUrl is {url}: {what}"));
        }
        let plain = |server: &&String| open(server) && !server.starts_with("tls://");
        if let Some(server) = self.nats.servers.iter().find(plain).filter(|_| !self.nats.tls.enabled) {
            let host = server.rsplit(['@', '/']).find(|part| !part.is_empty()).unwrap_or_default();
            let what = "events could be read, changed and made up on the way; set nats.tls";
            warnings.push(format!("nats.servers has {host}: {what}"));
        }
        let external = &self.external;
        let used = self.engines.contains(&EngineName::External);
        if used && external.endpoint.starts_with("http://") && open(&external.endpoint) {
            let what = "events pass unencrypted, and whoever answers is believed; use https";
            warnings.push(format!("external.endpoint is {}: {what}", external.endpoint));
        }
        warnings
    }
}

/// A problem of the outputs, as a problem of this configuration.
fn below(error: SinkError) -> Problem {
    match error {
        SinkError::Invalid { key, problem } => (format!("outputs.{key}"), problem),
        other => ("outputs".into(), other.to_string()),
    }
}
