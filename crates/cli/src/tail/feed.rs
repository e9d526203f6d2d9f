//! The alerts of a detector: its history, then its feed.

use std::{process::ExitCode, time::Duration};

use anyhow::Context as _;
use http_body_util::{BodyExt as _, Empty, Limited};
use hyper::{
    Request, Response, StatusCode, Uri,
    body::{Bytes, Incoming},
    client::conn::http1,
    header,
};
use hyper_util::rt::TokioIo;
use serde::Deserialize;
use serde_json::value::RawValue;
use tokio::{
    net::TcpStream,
    time::{sleep, timeout},
};

use super::{Tail, view::View};

/// What the token is read from.
const TOKEN: &str = "SENTINEL_HTTP_TOKEN";
/// Most alerts that a detector tells at once.
const PAGE: usize = 1000;
/// Bytes of an answer that are read.
const ANSWER_MOST: usize = 256 << 20;
/// Bytes of one message of the feed.
const MESSAGE_MOST: usize = 1 << 20;
/// For connecting and for the head of an answer.
const PATIENCE: Duration = Duration::from_secs(10);
/// A feed that says nothing for so long, not even a comment, is taken for gone.
const SILENT: Duration = Duration::from_secs(60);
/// Shortest and longest wait before connecting anew.
const WAITS: (Duration, Duration) = (Duration::from_millis(250), Duration::from_secs(5));

pub(super) fn show(args: &Tail, view: View) -> anyhow::Result<ExitCode> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let place = Place::parse(&args.source)?;
    runtime.block_on(Feed { place, view, last: 0 }.run(args))?;
    Ok(ExitCode::SUCCESS)
}

/// Where the detector is.
struct Place {
    host: String,
    port: u16,
}

impl Place {
    fn parse(source: &str) -> anyhow::Result<Self> {
        let uri: Uri = source.parse().with_context(|| format!("{source}: expected http://HOST:PORT"))?;
        let host =
            uri.host().with_context(|| format!("{source}: no host in it; expected http://HOST:PORT"))?;
        let host = host.trim_start_matches('[').trim_end_matches(']').to_owned();
        Ok(Self { host, port: uri.port_u16().unwrap_or(8090) })
    }
}

/// A page of the history, newest first.
#[derive(Deserialize)]
struct Page<'a> {
    #[serde(borrow)]
    alerts: Vec<&'a RawValue>,
    next: Option<u64>,
}

#[derive(Deserialize)]
struct Numbered {
    seq: u64,
}

struct Feed {
    place: Place,
    view: View,
    /// Sequence of the last alert that was shown.
    last: u64,
}

impl Feed {
    async fn run(mut self, args: &Tail) -> anyhow::Result<()> {
        let most = if args.from_start { usize::MAX } else { args.lines };
        self.history(most).await?;
        self.view.release()?;
        if args.no_follow {
            return Ok(());
        }
        let mut wait = WAITS.0;
        loop {
            let before = self.last;
            let why = self.follow().await?;
            eprintln!("warning: {why}; trying again");
            wait = if self.last > before { WAITS.0 } else { (wait * 2).min(WAITS.1) };
            sleep(wait).await;
        }
    }

    /// Shows the last so many alerts of the history, the oldest first.
    async fn history(&mut self, most: usize) -> anyhow::Result<()> {
        let mut found: Vec<Box<RawValue>> = Vec::new();
        let mut before = None;
        // Also with none wanted: the feed goes on behind the newest.
        loop {
            let limit = most.saturating_sub(found.len()).clamp(1, PAGE);
            let before_that = before.map(|seq: u64| format!("&before={seq}")).unwrap_or_default();
            let body = self.open(&format!("/api/alerts?limit={limit}{before_that}"), None).await?;
            let text = Limited::new(body, ANSWER_MOST).collect().await;
            let text = text.map_err(|error| anyhow::anyhow!("{}: {error}", self.named()))?.to_bytes();
            let page: Page<'_> = serde_json::from_slice(&text).with_context(|| self.named())?;
            found.extend(page.alerts.into_iter().map(ToOwned::to_owned));
            before = page.next;
            if found.len() >= most || before.is_none() {
                break;
            }
        }
        let newest = found.first().map(|alert| serde_json::from_str::<Numbered>(alert.get()));
        self.last = newest.transpose().with_context(|| self.named())?.map_or(0, |alert| alert.seq);
        found.truncate(most);
        for alert in found.iter().rev() {
            self.view.object(alert.get().as_bytes())?;
        }
        Ok(())
    }

    /// Shows the feed until it breaks; why it did.
    async fn follow(&mut self) -> anyhow::Result<String> {
        let mut body = match self.open(&format!("/events?since={}", self.last), Some(self.last)).await {
            Ok(body) => body,
            Err(error) => return Ok(format!("{error:#}")),
        };
        let mut text = Vec::new();
        loop {
            let frame = match timeout(SILENT, body.frame()).await {
                Err(_) => return Ok(format!("{}: the feed is silent", self.named())),
                Ok(None) => return Ok(format!("{}: the feed has ended", self.named())),
                Ok(Some(Err(error))) => return Ok(format!("{}: {error}", self.named())),
                Ok(Some(Ok(frame))) => frame,
            };
            let Ok(data) = frame.into_data() else { continue };
            text.extend_from_slice(&data);
            let mut read = 0;
            while let Some(length) = memchr::memmem::find(text.get(read..).unwrap_or_default(), b"\n\n") {
                let message = text.get(read..read + length).unwrap_or_default().to_owned();
                read += length + 2;
                self.message(&message)?;
            }
            text.drain(..read);
            if text.len() > MESSAGE_MOST {
                anyhow::bail!(
                    "{}: a message of more than {MESSAGE_MOST} bytes; is this a detector?",
                    self.named()
                );
            }
            self.view.release()?;
        }
    }

    /// One message of the feed: lines of `id: …` and `data: …`.
    fn message(&mut self, message: &[u8]) -> anyhow::Result<()> {
        let fields = || message.split(|byte| *byte == b'\n');
        let of = |name: &[u8]| fields().find_map(|line| line.strip_prefix(name));
        let Some(alert) = of(b"data: ") else { return Ok(()) };
        if let Some(id) = of(b"id: ") {
            self.last = std::str::from_utf8(id).ok().and_then(|id| id.parse().ok()).unwrap_or(self.last);
        }
        Ok(self.view.object(alert)?)
    }

    fn named(&self) -> String {
        format!("http://{}:{}", self.place.host, self.place.port)
    }

    /// Asks for a path and waits for the head of the answer.
    async fn open(&self, path: &str, last: Option<u64>) -> anyhow::Result<Incoming> {
        let Place { host, port } = &self.place;
        let asked = async {
            let stream = TcpStream::connect((host.as_str(), *port)).await?;
            let (mut sender, connection) = http1::handshake(TokioIo::new(stream)).await?;
            tokio::spawn(connection);
            let mut request = Request::get(path).header(header::HOST, format!("{host}:{port}"));
            if let Ok(token) = std::env::var(TOKEN) {
                request = request.header(header::AUTHORIZATION, format!("Bearer {token}"));
            }
            if let Some(last) = last {
                request = request.header("last-event-id", last);
            }
            let response: Response<Incoming> =
                sender.send_request(request.body(Empty::<Bytes>::new())?).await?;
            anyhow::Ok(response)
        };
        let response = match timeout(PATIENCE, asked).await {
            Err(_) => anyhow::bail!("{}: no answer within {} s", self.named(), PATIENCE.as_secs()),
            Ok(Err(error)) => {
                anyhow::bail!("{}: {error:#}; is sentinel-detector running there?", self.named())
            }
            Ok(Ok(response)) => response,
        };
        match response.status() {
            StatusCode::OK => Ok(response.into_body()),
            StatusCode::UNAUTHORIZED => {
                anyhow::bail!("{}: it wants another token: set {TOKEN}", self.named())
            }
            status => anyhow::bail!("{}: it answers {status}; is this a detector?", self.named()),
        }
    }
}
