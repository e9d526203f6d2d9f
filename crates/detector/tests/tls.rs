//! Encryption of the gRPC port: who is served, and who is not.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)] // a test program

mod common;

use std::fs;

use common::{Running, alert, push};
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};
use sentinel_wire::v1::detector_service_client::DetectorServiceClient;
use tempfile::TempDir;
use tonic::transport::{Certificate, Channel, ClientTlsConfig, Endpoint, Identity};

struct Authority(CertifiedIssuer<'static, KeyPair>);

impl Authority {
    fn new() -> Self {
        let mut params = CertificateParams::new(Vec::new()).unwrap();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        Self(CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap())
    }

    fn pem(&self) -> String {
        self.0.pem()
    }

    /// Certificate and key.
    fn issue(&self) -> (String, String) {
        let key = KeyPair::generate().unwrap();
        let params = CertificateParams::new(vec!["localhost".to_owned()]).unwrap();
        (params.signed_by(&key, &self.0).unwrap().pem(), key.serialize_pem())
    }
}

async fn start(authority: &Authority, more: &str) -> Running {
    let directory = TempDir::new().unwrap();
    let (cert, key) = authority.issue();
    for (name, text) in [("cert.pem", cert), ("key.pem", key), ("ca.pem", authority.pem())] {
        fs::write(directory.path().join(name), text).unwrap();
    }
    let yaml = format!("grpc: {{tls: {{cert: DIR/cert.pem, key: DIR/key.pem{more}}}}}");
    common::start_in(directory, &yaml).await
}

async fn client(
    detector: &Running,
    tls: ClientTlsConfig,
) -> Result<DetectorServiceClient<Channel>, tonic::transport::Error> {
    let endpoint = Endpoint::from_shared(format!("https://localhost:{}", detector.grpc.port())).unwrap();
    Ok(DetectorServiceClient::new(endpoint.tls_config(tls).unwrap().connect().await?))
}

fn trusting(authority: &Authority) -> ClientTlsConfig {
    ClientTlsConfig::new().ca_certificate(Certificate::from_pem(authority.pem()))
}

/// Whether an alert of this client is taken.
async fn served(detector: &Running, tls: ClientTlsConfig) -> bool {
    match client(detector, tls).await {
        // A refusal of the client's certificate may come with the first call only.
        Ok(mut client) => {
            let alerts = vec![alert("a", "r", "low", "n", 1)];
            client.push_alerts(sentinel_wire::v1::AlertBatch { alerts }).await.is_ok()
        }
        Err(_) => false,
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn clients_and_servers_must_show_what_was_agreed() {
    let (ours, theirs) = (Authority::new(), Authority::new());
    let open = start(&ours, "").await;
    push(&mut client(&open, trusting(&ours)).await.unwrap(), vec![alert("a", "r", "low", "n", 1)]).await;
    assert!(!served(&open, trusting(&theirs)).await, "a server of another authority is not trusted");

    let mutual = start(&ours, ", clientCa: DIR/ca.pem").await;
    let with = |authority: &Authority| {
        let (cert, key) = authority.issue();
        trusting(&ours).identity(Identity::from_pem(cert, key))
    };
    assert!(served(&mutual, with(&ours)).await);
    assert!(!served(&mutual, with(&theirs)).await, "a client of another authority is refused");
    assert!(!served(&mutual, trusting(&ours)).await, "a client without a certificate is refused");
    // Refusals cost nobody else.
    assert!(served(&mutual, with(&ours)).await);
}
