//! What is right, and yet not what everybody wants.

use sentinel_service::is_remote;

use super::{Config, StreamMode};

impl Config {
    /// What an operator should be told at the start, and by `sentinel doctor`: what others can reach, read or change.
    pub fn warnings(&self) -> Vec<String> {
        let mut warnings = Vec::new();
        let ports = [
            ("health", &self.health.address, true, "can see whether the agent works"),
            ("metrics", &self.metrics.address, self.metrics.enabled, "can read what this node counts"),
        ];
        for (key, address, used, what) in ports {
            if used && is_remote(address) {
                warnings.push(format!(
                    "{key}.address is {address}: anybody who reaches it {what}; let a firewall or a network \
                     policy decide who does, or set it to 127.0.0.1"
                ));
            }
        }
        let modes = &self.stream.mode.0;
        let (grpc, nats) = (modes.contains(&StreamMode::Grpc), modes.contains(&StreamMode::Nats));
        let what = "what is said can be read and changed on the way, and whoever answers is believed";
        // With NATS alerts and reports go over gRPC all the same.
        if (grpc || nats) && !self.grpc.tls.enabled && is_remote(&self.grpc.endpoint) {
            warnings.push(format!("grpc.endpoint is {}: {what}; set grpc.tls", self.grpc.endpoint));
        }
        if nats && !self.nats.tls.enabled {
            let open = |server: &&String| is_remote(server) && !server.starts_with("tls://");
            if let Some(server) = self.nats.servers.iter().find(open) {
                warnings.push(format!("nats.servers has {}: {what}; set nats.tls", bare(server)));
            }
        }
        warnings
    }
}

/// An address without a password that may be in it.
fn bare(server: &str) -> String {
    match server.split_once("://") {
        Some((scheme, rest)) => {
            format!("{scheme}://{}", rest.rsplit_once('@').map_or(rest, |(_, host)| host))
        }
        None => server.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn warnings(text: &str) -> Vec<String> {
        Config::parse("test", text).unwrap().warnings()
    }

    #[test]
    fn nothing_is_open_unless_somebody_says_so() {
        assert_eq!(Config::default().warnings(), Vec::<String>::new());
        let local = "stream: {mode: [grpc, nats]}\ngrpc: {endpoint: '[::1]:1'}\nnats: {servers: ['nats://127.0.0.1:4222']}\n";
        assert_eq!(warnings(local), Vec::<String>::new());
        let unused = "grpc: {endpoint: '10.0.0.7:1'}\nnats: {servers: ['nats://10.0.0.7:4222']}\nmetrics: {enabled: false, address: 0.0.0.0}\n";
        assert_eq!(warnings(unused), Vec::<String>::new());
    }

    #[test]
    fn what_others_can_reach_or_read_is_told() {
        let open = "health: {address: 0.0.0.0}\nmetrics: {address: '::'}\nstream: {mode: nats}\n\
            grpc: {endpoint: 'detector:50051'}\nnats: {servers: ['nats://u:secret@bus:4222']}\n";
        let told = warnings(open);
        assert_eq!(told.len(), 4, "{told:?}");
        for (warning, begin) in told.iter().zip([
            "health.address is 0.0.0.0: ",
            "metrics.address is ::: ",
            "grpc.endpoint is detector:50051: ",
            "nats.servers has nats://bus:4222: ",
        ]) {
            assert!(warning.starts_with(begin) && !warning.contains("secret"), "{warning}");
        }
        let safe = "stream: {mode: [grpc, nats]}\ngrpc: {endpoint: 'detector:1', tls: {enabled: true}}\n\
            nats: {servers: ['tls://bus:4222']}\n";
        assert_eq!(warnings(safe), Vec::<String>::new());
    }
}
