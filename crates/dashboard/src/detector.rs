//! Asking detectors: one connection a question, GET only, everything bounded.

use std::{sync::Arc, time::Duration};

use http_body_util::{BodyExt as _, Empty, LengthLimitError, Limited};
use hyper::{
    Request, Response, StatusCode,
    body::{Bytes, Incoming},
    client::conn::http1,
    header,
};
use hyper_util::rt::TokioIo;
use tokio::{net::TcpStream, task::JoinSet, time::timeout};
use tracing::debug;

use crate::config::Upstream;

const CONNECT: Duration = Duration::from_secs(3);
/// For the head of an answer; aggregates over a long time take a while.
const HEAD: Duration = Duration::from_secs(20);
const WHOLE: Duration = Duration::from_secs(30);
/// Bytes of an answer. A page of a thousand alerts, each with names of 64 KiB.
const ANSWER_MOST: usize = 64 << 20;

/// Why a detector did not answer.
#[derive(Debug, Clone, thiserror::Error)]
pub(crate) enum Silence {
    #[error("cannot connect to {0}: {1}; is it running?")]
    Connect(String, String),
    #[error("no answer within {} s", .0.as_secs())]
    Slow(Duration),
    #[error("it broke off: {0}")]
    Broken(String),
    #[error("it wants another token: set detectors[].tokenFile or SENTINEL_DETECTOR_TOKEN")]
    Token,
    #[error("it answered {0}")]
    Status(StatusCode),
    #[error("its answer is longer than {ANSWER_MOST} bytes; ask for less")]
    Long,
    #[error("its answer makes no sense: {0}")]
    Nonsense(String),
}

/// An open answer. The connection ends when it is dropped.
pub(crate) struct Opened {
    pub(crate) body: Incoming,
    _connection: JoinSet<()>,
}

/// Asks for `path` (with query) and waits for the head of the answer. `accept` is the wanted media type,
/// `last` the last event that is known.
pub(crate) async fn open(
    detector: &Upstream,
    path: &str,
    accept: &'static str,
    last: Option<u64>,
) -> Result<Opened, Silence> {
    let place = format!("{}:{}", detector.host, detector.port);
    let refused = |error: String| Silence::Connect(place.clone(), error);
    let host = detector.host.trim_start_matches('[').trim_end_matches(']');
    let stream = timeout(CONNECT, TcpStream::connect((host, detector.port))).await;
    let stream = stream.map_err(|_| Silence::Slow(CONNECT))?.map_err(|error| refused(error.to_string()))?;
    let broken = |error: hyper::Error| Silence::Broken(error.to_string());
    let (mut sender, connection) = http1::handshake(TokioIo::new(stream)).await.map_err(broken)?;
    let mut task = JoinSet::new();
    task.spawn(async move {
        if let Err(error) = connection.await {
            debug!(%error, "The connection to a detector broke.");
        }
    });
    let mut request = Request::get(path).header(header::HOST, &place).header(header::ACCEPT, accept);
    if let Some(token) = &detector.token {
        request = request.header(header::AUTHORIZATION, format!("Bearer {token}"));
    }
    if let Some(last) = last {
        request = request.header("last-event-id", last);
    }
    let request =
        request.body(Empty::<Bytes>::new()).map_err(|error| Silence::Nonsense(error.to_string()))?;
    let response: Response<Incoming> = timeout(HEAD, sender.send_request(request))
        .await
        .map_err(|_| Silence::Slow(HEAD))?
        .map_err(broken)?;
    match response.status() {
        StatusCode::OK => Ok(Opened { body: response.into_body(), _connection: task }),
        StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN => Err(Silence::Token),
        status => Err(Silence::Status(status)),
    }
}

/// The whole answer to a question.
pub(crate) async fn ask(detector: &Upstream, path: &str) -> Result<Bytes, Silence> {
    let answer = async {
        let opened = open(detector, path, "application/json", None).await?;
        let limited = Limited::new(opened.body, ANSWER_MOST);
        match limited.collect().await {
            Ok(body) => Ok(body.to_bytes()),
            Err(error) if error.is::<LengthLimitError>() => Err(Silence::Long),
            Err(error) => Err(Silence::Broken(error.to_string())),
        }
    };
    timeout(WHOLE, answer).await.unwrap_or(Err(Silence::Slow(WHOLE)))
}

/// Asks all at once; `path` is made for each, `None` for those that are not asked.
pub(crate) async fn ask_all(
    detectors: &Arc<[Upstream]>,
    path: impl Fn(usize) -> Option<String>,
) -> Vec<Option<Result<Bytes, Silence>>> {
    let mut asked = JoinSet::new();
    let mut answers: Vec<Option<Result<Bytes, Silence>>> = Vec::new();
    for at in 0..detectors.len() {
        let path = path(at);
        answers.push(path.as_ref().map(|_| Err(Silence::Broken("the question was not answered".into()))));
        if let Some(path) = path {
            let detectors = Arc::clone(detectors);
            asked.spawn(async move {
                let answer = match detectors.get(at) {
                    Some(detector) => ask(detector, &path).await,
                    None => Err(Silence::Broken("it left the list".into())),
                };
                (at, answer)
            });
        }
    }
    while let Some(done) = asked.join_next().await {
        let Ok((at, answer)) = done else { continue };
        if let Some(place) = answers.get_mut(at) {
            *place = Some(answer);
        }
    }
    answers
}
