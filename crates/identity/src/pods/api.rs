//! One request to the API server: where it is, who we are, a connection.

use std::{
    fs::File,
    io::{self, Read as _},
    path::Path,
    sync::Arc,
    time::Duration,
};

use bytes::Bytes;
use http_body_util::{BodyExt as _, Empty, LengthLimitError, Limited};
use hyper::{
    Request, Response, StatusCode,
    body::Incoming,
    client::conn::http1::{self, SendRequest},
    header::{ACCEPT, AUTHORIZATION, HOST, HeaderValue, RETRY_AFTER, USER_AGENT},
};
use hyper_util::rt::TokioIo;
use rustix::net::sockopt;
use rustls::{
    ClientConfig, RootCertStore,
    crypto::ring,
    pki_types::{CertificateDer, ServerName, pem::PemObject as _},
};
use thiserror::Error;
use tokio::{net::TcpStream, task::JoinSet, time::timeout};
use tokio_rustls::TlsConnector;

use super::PodOptions;

/// Bytes of a list. A node's pods are some hundred kilobytes, with long annotations some megabytes.
const LIST_MAX: usize = 16 << 20;
/// Bytes of a file with credentials.
const FILE_MAX: u64 = 1 << 20;
/// When a connection is quiet it is asked whether it is still there: after so long, this often, so many times.
const QUIET: Duration = Duration::from_secs(30);
const PROBE: Duration = Duration::from_secs(10);
const PROBES: u32 = 3;
/// Longest pause that a server may ask for.
const PAUSE_MAX: u64 = 60;

/// Why there is no answer.
#[derive(Debug, Error)]
pub(super) enum Trouble {
    #[error("{0}")]
    Credentials(String),
    #[error("no answer in time")]
    Slow,
    /// What was asked for is older than what the server remembers.
    #[error("the version is too old")]
    Gone,
    #[error("it does not accept our token: the file is read again with the next request")]
    Unauthorized,
    #[error(
        "our service account may not: it needs a ClusterRole with get, list and watch on pods, which the chart makes \
         (rbac.create); or set enrichment.kubernetes: off"
    )]
    Forbidden,
    #[error("it answers {0}")]
    Refused(StatusCode, Option<Duration>),
    #[error("it answers {0}")]
    Malformed(&'static str),
    #[error("{0}")]
    Failed(String),
}

impl Trouble {
    fn failed(error: &(dyn std::error::Error + 'static)) -> Self {
        let mut text = error.to_string();
        let mut next = error.source();
        while let Some(cause) = next {
            // A server that dies says no good-bye; what the TLS library says of that helps nobody.
            let kind = cause.downcast_ref::<io::Error>().map(io::Error::kind);
            if kind == Some(io::ErrorKind::UnexpectedEof) {
                return Self::Failed("the connection broke off".into());
            }
            text = format!("{text}: {cause}");
            next = cause.source();
        }
        Self::Failed(text)
    }
}

/// An answer that is still coming. Dropping it closes the connection.
pub(super) struct Answer {
    body: Incoming,
    _sender: SendRequest<Empty<Bytes>>,
    _driver: JoinSet<hyper::Result<()>>,
}

impl Answer {
    /// All of it.
    pub(super) async fn whole(self, patience: Duration) -> Result<Bytes, Trouble> {
        let Self { body, _sender, _driver } = self;
        let body = timeout(patience, Limited::new(body, LIST_MAX).collect()).await;
        let body =
            body.map_err(|_| Trouble::Slow)?.map_err(|error| match error.is::<LengthLimitError>() {
                true => Trouble::Malformed("too many bytes"),
                false => Trouble::failed(&*error),
            })?;
        Ok(body.to_bytes())
    }

    /// The next piece; none at the end.
    pub(super) async fn piece(&mut self, patience: Duration) -> Result<Option<Bytes>, Trouble> {
        loop {
            let frame = timeout(patience, self.body.frame()).await.map_err(|_| Trouble::Slow)?;
            let Some(frame) = frame else { return Ok(None) };
            if let Ok(data) = frame.map_err(|error| Trouble::failed(&error))?.into_data() {
                return Ok(Some(data));
            }
        }
    }
}

/// Asks for what is at `path`, with a connection and credentials of its own.
pub(super) async fn get(options: &PodOptions, path: &str) -> Result<Answer, Trouble> {
    timeout(options.timeout, send(options, path)).await.map_err(|_| Trouble::Slow)?
}

async fn send(options: &PodOptions, path: &str) -> Result<Answer, Trouble> {
    let token = token(&options.credentials.join("token"))?;
    let tls = TlsConnector::from(Arc::new(trust(&options.credentials.join("ca.crt"))?));
    let name = ServerName::try_from(options.host.clone())
        .map_err(|_| Trouble::Failed(format!("{:?} is no name or address of a host", options.host)))?;
    let stream = TcpStream::connect((options.host.as_str(), options.port)).await;
    let stream = stream.map_err(|error| Trouble::failed(&error))?;
    keep_alive(&stream).map_err(|error| Trouble::failed(&error))?;
    let stream = tls.connect(name, stream).await.map_err(|error| Trouble::failed(&error))?;
    let (mut sender, connection) =
        http1::handshake(TokioIo::new(stream)).await.map_err(|error| Trouble::failed(&error))?;
    let mut driver = JoinSet::new();
    driver.spawn(connection);
    let host = if options.host.contains(':') { format!("[{}]", options.host) } else { options.host.clone() };
    let request = Request::get(path)
        .header(HOST, format!("{host}:{}", options.port))
        .header(ACCEPT, "application/json")
        .header(USER_AGENT, concat!("sentinel/", env!("CARGO_PKG_VERSION")))
        .header(AUTHORIZATION, token)
        .body(Empty::new());
    let request = request.map_err(|error| Trouble::failed(&error))?;
    let response = sender.send_request(request).await.map_err(|error| Trouble::failed(&error))?;
    judge(&response)?;
    Ok(Answer { body: response.into_body(), _sender: sender, _driver: driver })
}

fn judge(response: &Response<Incoming>) -> Result<(), Trouble> {
    match response.status() {
        StatusCode::OK => Ok(()),
        StatusCode::GONE => Err(Trouble::Gone),
        StatusCode::UNAUTHORIZED => Err(Trouble::Unauthorized),
        StatusCode::FORBIDDEN => Err(Trouble::Forbidden),
        status => {
            let seconds =
                response.headers().get(RETRY_AFTER).and_then(|value| value.to_str().ok()?.parse().ok());
            Err(Trouble::Refused(
                status,
                seconds.map(|seconds: u64| Duration::from_secs(seconds.min(PAUSE_MAX))),
            ))
        }
    }
}

/// A server that went without a word is noticed.
fn keep_alive(stream: &TcpStream) -> rustix::io::Result<()> {
    sockopt::set_socket_keepalive(stream, true)?;
    sockopt::set_tcp_keepidle(stream, QUIET)?;
    sockopt::set_tcp_keepintvl(stream, PROBE)?;
    sockopt::set_tcp_keepcnt(stream, PROBES)
}

fn token(path: &Path) -> Result<HeaderValue, Trouble> {
    let text = read(path)?;
    let token = text.trim_ascii();
    let mut value = HeaderValue::from_bytes(&[b"Bearer ", token].concat()).map_err(|_| {
        Trouble::Credentials(format!("{}: expected a token, found other bytes", path.display()))
    })?;
    value.set_sensitive(true);
    match token.is_empty() {
        true => Err(Trouble::Credentials(format!("{}: expected a token, found nothing", path.display()))),
        false => Ok(value),
    }
}

fn trust(path: &Path) -> Result<ClientConfig, Trouble> {
    let wrong = |problem: String| Trouble::Credentials(format!("{}: {problem}", path.display()));
    let mut roots = RootCertStore::empty();
    for certificate in CertificateDer::pem_slice_iter(&read(path)?) {
        let certificate = certificate.map_err(|error| wrong(error.to_string()))?;
        roots.add(certificate).map_err(|error| wrong(error.to_string()))?;
    }
    if roots.is_empty() {
        return Err(wrong("expected certificates in PEM, found none".into()));
    }
    let builder = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()));
    let builder = builder.with_safe_default_protocol_versions().map_err(|error| wrong(error.to_string()))?;
    Ok(builder.with_root_certificates(roots).with_no_client_auth())
}

fn read(path: &Path) -> Result<Vec<u8>, Trouble> {
    let mut bytes = Vec::new();
    File::open(path)
        .and_then(|file| file.take(FILE_MAX).read_to_end(&mut bytes))
        .map_err(|error| Trouble::Credentials(format!("{}: {error}", path.display())))?;
    Ok(bytes)
}

/// For a query: what is no letter, digit or one of `-._` is written as its number.
pub(super) fn encoded(text: &str) -> String {
    text.bytes().fold(String::with_capacity(text.len()), |mut out, byte| {
        match byte {
            b'-' | b'.' | b'_' => out.push(char::from(byte)),
            byte if byte.is_ascii_alphanumeric() => out.push(char::from(byte)),
            byte => out.push_str(&format!("%{byte:02X}")),
        }
        out
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_cannot_add_to_a_query() {
        assert_eq!(encoded("node-1.example"), "node-1.example");
        assert_eq!(encoded("a&b=c d/é"), "a%26b%3Dc%20d%2F%C3%A9");
    }

    #[derive(Debug, Error)]
    #[error("error reading a body from connection")]
    struct Outer(#[source] io::Error);

    #[test]
    fn a_server_that_dies_is_told_in_plain_words() {
        let says = |kind, text: &str| Trouble::failed(&Outer(io::Error::new(kind, text))).to_string();
        assert_eq!(
            says(io::ErrorKind::UnexpectedEof, "peer closed connection without sending TLS close_notify"),
            "the connection broke off"
        );
        assert_eq!(
            says(io::ErrorKind::ConnectionReset, "reset by peer"),
            "error reading a body from connection: reset by peer"
        );
    }

    #[test]
    fn credentials_that_are_none_are_named() {
        let dir = tempfile::tempdir().unwrap();
        let says = |file: &str, text: &str| {
            let path = dir.path().join(file);
            std::fs::write(&path, text).unwrap();
            let trouble = if file == "token" { token(&path).err() } else { trust(&path).err() };
            trouble.unwrap().to_string()
        };
        assert!(says("token", " \n").ends_with("token: expected a token, found nothing"));
        assert!(says("token", "a\u{1}b").ends_with("token: expected a token, found other bytes"));
        assert!(says("ca.crt", "nothing").ends_with("ca.crt: expected certificates in PEM, found none"));
        let absent = token(&dir.path().join("absent")).unwrap_err().to_string();
        assert!(absent.contains("absent: No such file"), "{absent}");
    }
}
