//! HTTP: alerts by POST, one a request or several.

use std::{io, time::Duration};

use http_body_util::{BodyExt as _, Full, Limited};
use hyper::{
    HeaderMap, Request, StatusCode, Uri,
    body::Bytes,
    header::{CONTENT_TYPE, HeaderName, HeaderValue, USER_AGENT},
};
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use hyper_util::{
    client::legacy::{Client, connect::HttpConnector},
    rt::TokioExecutor,
};
use sentinel_event::Alert;
use tokio::{runtime, time::timeout};
use tracing::warn;

use crate::{
    Format, HttpOutput, SinkError,
    form::Extra,
    tls::Stamp,
    worker::{Output, Verdict},
};

/// Bytes of an answer that are read; nothing in it matters.
const ANSWER_MAX: usize = 64 << 10;
const PLACE: &str = "http.tls";

type Sender = Client<HttpsConnector<HttpConnector>, Full<Bytes>>;

pub(crate) struct Http {
    config: HttpOutput,
    uri: Uri,
    headers: HeaderMap,
    extra: Extra,
    runtime: runtime::Runtime,
    client: Sender,
    /// Of the files that the client was made from.
    stamp: Stamp,
}

/// Looks for what types cannot say.
pub(crate) fn check(config: &HttpOutput) -> Result<(), SinkError> {
    uri(config)?;
    headers(config)?;
    let (cert, key) = (config.tls.cert.is_some(), config.tls.key.is_some());
    if cert != key {
        let (missing, there) = if cert { ("key", "cert") } else { ("cert", "key") };
        let problem = format!("missing; {there} is set, and the two go together");
        return Err(SinkError::Invalid { key: format!("{PLACE}.{missing}"), problem });
    }
    Ok(())
}

fn uri(config: &HttpOutput) -> Result<Uri, SinkError> {
    let uri = config.url.parse::<Uri>().ok();
    let good = |uri: &Uri| matches!(uri.scheme_str(), Some("http" | "https")) && uri.host().is_some();
    uri.filter(good).ok_or_else(|| SinkError::Invalid {
        key: "http.url".into(),
        problem: format!("expected http://HOST… or https://HOST…, found {:?}", config.url),
    })
}

fn headers(config: &HttpOutput) -> Result<HeaderMap, SinkError> {
    let mut headers = HeaderMap::new();
    headers.insert(USER_AGENT, HeaderValue::from_static(concat!("sentinel/", env!("CARGO_PKG_VERSION"))));
    let lines = config.format == Format::Text && config.batch.alerts > 1;
    let media_type = if lines { "text/plain; charset=utf-8" } else { config.format.media_type() };
    headers.insert(CONTENT_TYPE, HeaderValue::from_static(media_type));
    for (name, value) in &config.headers {
        let parsed = (HeaderName::try_from(name), HeaderValue::try_from(value));
        let (Ok(header), Ok(mut value)) = parsed else {
            // The value may be a secret.
            let problem = "not a header: a name is a word, and a value has no line's end".to_owned();
            return Err(SinkError::Invalid { key: format!("http.headers.{name}"), problem });
        };
        value.set_sensitive(true);
        headers.insert(header, value);
    }
    Ok(headers)
}

fn client(config: &HttpOutput) -> Result<Sender, SinkError> {
    let connector = HttpsConnectorBuilder::new().with_tls_config(config.tls.client(PLACE)?);
    Ok(Client::builder(TokioExecutor::new())
        .pool_max_idle_per_host(1)
        .build(connector.https_or_http().enable_http1().build()))
}

impl Http {
    pub(crate) fn new(config: &HttpOutput) -> Result<Self, SinkError> {
        let runtime = runtime::Builder::new_current_thread().enable_all().build();
        let runtime = runtime.map_err(|source| SinkError::System { what: "starting a runtime", source })?;
        let stamp = config.tls.stamp();
        Ok(Self {
            uri: uri(config)?,
            headers: headers(config)?,
            extra: Extra::new(&config.extra_fields),
            client: client(config)?,
            runtime,
            stamp,
            config: config.clone(),
        })
    }

    /// Certificates that were renewed are used from the next request on; those that are not right, are not.
    fn refresh(&mut self) {
        let stamp = self.config.tls.stamp();
        if stamp == self.stamp {
            return;
        }
        self.stamp = stamp;
        match client(&self.config) {
            Ok(client) => self.client = client,
            Err(error) => warn!(%error, "The new certificates are refused; the old ones stay."),
        }
    }

    fn body(&self, rendered: &[Vec<u8>]) -> Vec<u8> {
        match (rendered, self.config.batch.alerts, self.config.format) {
            ([one], 1, _) => one.clone(),
            (many, _, Format::Text) => many.join(&b'\n'),
            (many, _, _) => [b"[", many.join(&b',').as_slice(), b"]"].concat(),
        }
    }
}

impl Output for Http {
    fn render(&self, alert: &Alert) -> Vec<u8> {
        self.extra.render(alert, self.config.format)
    }

    fn batch(&self) -> usize {
        usize::try_from(self.config.batch.alerts).unwrap_or(usize::MAX)
    }

    fn deliver(&mut self, rendered: &[Vec<u8>]) -> Verdict {
        self.refresh();
        let mut request = Request::new(Full::new(Bytes::from(self.body(rendered))));
        *request.method_mut() = hyper::Method::POST;
        *request.uri_mut() = self.uri.clone();
        *request.headers_mut() = self.headers.clone();
        let patience = Duration::from_secs(self.config.timeout_seconds);
        let answer =
            self.runtime.block_on(async { timeout(patience, exchange(&self.client, request)).await });
        match answer {
            Err(_) => Verdict::Away(format!("no answer within {} s", patience.as_secs())),
            Ok(Err(reason)) => Verdict::Away(reason),
            Ok(Ok(status)) => judge(status),
        }
    }
}

/// What an answer means: try again what time may mend.
fn judge(status: StatusCode) -> Verdict {
    let again = matches!(status, StatusCode::REQUEST_TIMEOUT | StatusCode::TOO_MANY_REQUESTS);
    let reason = || format!("the server answers {status}");
    match () {
        () if status.is_success() => Verdict::Delivered,
        () if status.is_server_error() || again => Verdict::Away(reason()),
        () => Verdict::Refused(reason()),
    }
}

async fn exchange(client: &Sender, request: Request<Full<Bytes>>) -> Result<StatusCode, String> {
    let answer = client.request(request).await.map_err(|error| chain(&error))?;
    let status = answer.status();
    // Read to its end, so that the connection can serve again.
    let _ = Limited::new(answer.into_body(), ANSWER_MAX).collect().await;
    Ok(status)
}

/// An error with its causes: hyper's own words say little.
fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut next = error.source();
    while let Some(cause) = next {
        // A certificate that is refused is wrapped in an error of the connection, which says it again.
        let said = cause.to_string();
        if !text.ends_with(&said) {
            text.push_str(": ");
            text.push_str(&said);
        }
        next = cause
            .downcast_ref::<io::Error>()
            .and_then(io::Error::get_ref)
            .map_or(cause.source(), |inner| inner.source());
    }
    text
}
