//! `/events`: the streams of all detectors as one.
//!
//! Each reader has connections of its own to the detectors: a slow one slows nobody else, and resuming is
//! exact, since a message's id says how far each detector was read. Besides alerts there are messages of kind
//! `detectors` (who is reachable, whenever that changes) and whatever other kinds detectors send. Who asks for it
//! (`fold=1`, as our page does) gets messages of kind `folded` in place of more alerts than it can show.

use std::{
    io,
    sync::Arc,
    time::{Duration, Instant},
};

use http_body_util::BodyExt as _;
use hyper::body::Bytes;
use serde::Deserialize;
use serde_json::json;
use tokio::{
    sync::mpsc,
    task::JoinSet,
    time::{sleep, sleep_until, timeout},
};

use crate::{
    answer::Payload,
    config::Upstream,
    detector::{Silence, open},
    instant::nanos,
    merge::{Item, Merger},
    outgoing::Outgoing,
    position::{Mark, Position},
    query::encode,
    server::{Reading, stopped},
    sse::{self, Message, Read, Reader},
};

/// Messages between detectors and merger.
const QUEUE: usize = 64;
/// Pieces on their way to a browser: what is among them is late already.
const PIECES: usize = 4;
/// A comment is sent when nothing else was for so long, so that proxies keep the connection.
const PING: Duration = Duration::from_secs(15);
/// A detector that says nothing for so long, not even a comment, is taken for gone.
const SILENT: Duration = Duration::from_secs(60);
const BACKOFF: (Duration, Duration) = (Duration::from_millis(250), Duration::from_secs(5));

enum News {
    Connected(usize),
    Lost(usize, Silence),
    Alert(Item),
    /// A message of another kind.
    Other(Message),
    /// An alert was too long to pass on.
    TooLong(usize),
}

/// What the merger must know of an alert when there are several detectors.
#[derive(Deserialize, Default)]
struct Facts {
    #[serde(default)]
    alert_id: String,
    #[serde(default)]
    timestamp: String,
}

/// A body that goes on until the reader leaves. `folds`: see [`Outgoing`].
pub(crate) fn stream(detectors: Arc<[Upstream]>, from: Position, folds: bool, reader: Reading) -> Payload {
    let (out, pieces) = mpsc::channel(PIECES);
    tokio::spawn(async move {
        let stop = reader.stop.clone();
        tokio::select! {
            () = merged(detectors, from, folds, out) => {}
            () = stopped(stop) => {}
        }
        drop(reader);
    });
    Payload::Pieces(pieces)
}

async fn merged(
    detectors: Arc<[Upstream]>,
    position: Position,
    folds: bool,
    out: mpsc::Sender<io::Result<Bytes>>,
) {
    let (sender, mut news) = mpsc::channel(QUEUE);
    let mut followers = JoinSet::new();
    for at in 0..detectors.len() {
        followers.spawn(follow(Arc::clone(&detectors), at, position.of(at), sender.clone()));
    }
    drop(sender);
    let mut merger = Merger::new(detectors.len());
    let mut states: Vec<Option<String>> = vec![Some("not connected yet".into()); detectors.len()];
    // At once, so that the browser knows that it is connected.
    let mut ready = Outgoing::new(position, folds, b"retry: 1000\n: connected\n\n");
    loop {
        let due = [merger.due(), ready.due()].into_iter().flatten().min();
        let wake = tokio::time::Instant::from_std(due.unwrap_or_else(|| Instant::now() + PING));
        tokio::select! {
            biased;
            place = out.reserve(), if !ready.buffer.is_empty() => match place {
                Ok(place) => place.send(Ok(Bytes::from(std::mem::take(&mut ready.buffer)))),
                Err(_) => return,
            },
            heard = news.recv(), if ready.listens() => match heard {
                Some(heard) => {
                    hear(heard, &detectors, &mut merger, &mut states, &mut ready.buffer);
                    // Whatever is there already goes out in one piece.
                    while ready.has_room() && let Ok(heard) = news.try_recv() {
                        hear(heard, &detectors, &mut merger, &mut states, &mut ready.buffer);
                        release(&mut merger, &detectors, &mut ready);
                    }
                }
                None => return,
            },
            () = sleep_until(wake) => if due.is_none() && ready.buffer.is_empty() {
                ready.buffer.extend_from_slice(b": ping\n\n");
            },
            () = out.closed() => return,
        }
        release(&mut merger, &detectors, &mut ready);
        ready.unfold(&detectors, Instant::now());
    }
}

fn hear(
    news: News,
    detectors: &[Upstream],
    merger: &mut Merger,
    states: &mut [Option<String>],
    buffer: &mut Vec<u8>,
) {
    let (at, state) = match news {
        News::Alert(item) => return merger.push(item, Instant::now()),
        News::Other(message) => {
            buffer.extend_from_slice(&sse::write(&message.event, "", &message.data));
            return;
        }
        News::TooLong(at) => {
            let name = detectors.get(at).map(|detector| detector.name.as_str());
            let data = json!({ "detector": name, "count": 1, "cause": "alert too long" });
            buffer.extend_from_slice(&sse::write("skipped", "", data.to_string().as_bytes()));
            return;
        }
        News::Connected(at) => {
            merger.connect(at, true, Instant::now());
            (at, None)
        }
        News::Lost(at, why) => {
            merger.connect(at, false, Instant::now());
            (at, Some(why.to_string()))
        }
    };
    let Some(place) = states.get_mut(at) else { return };
    if *place != state {
        *place = state;
        let all = detectors.iter().zip(states.iter());
        let all: Vec<_> = all
            .map(|(one, error)| json!({ "name": one.name, "reachable": error.is_none(), "error": error }))
            .collect();
        let data = json!({ "detectors": all }).to_string();
        buffer.extend_from_slice(&sse::write("detectors", "", data.as_bytes()));
    }
}

fn release(merger: &mut Merger, detectors: &[Upstream], ready: &mut Outgoing) {
    let now = Instant::now();
    while let Some((item, first)) = merger.pop(now) {
        ready.position.set(item.detector, Mark::At(item.seq));
        if first {
            ready.alert(item.data, detectors, now);
        }
    }
}

/// Follows one detector for as long as somebody listens.
async fn follow(detectors: Arc<[Upstream]>, at: usize, from: Mark, news: mpsc::Sender<News>) {
    let Some(detector) = detectors.get(at) else { return };
    let mut last = match from {
        Mark::At(seq) => Some(seq),
        Mark::Start | Mark::End => None,
    };
    let mut wait = BACKOFF.0;
    loop {
        let started = Instant::now();
        let why = match listen(detector, (at, detectors.len() == 1), &mut last, &news).await {
            Ok(()) => return,
            Err(why) => why,
        };
        if news.send(News::Lost(at, why)).await.is_err() {
            return;
        }
        // A stream that worked for a while is tried again at once.
        wait = if started.elapsed() > BACKOFF.1 { BACKOFF.0 } else { (wait * 2).min(BACKOFF.1) };
        sleep(wait).await;
    }
}

/// Passes on what comes until it breaks; `Ok` when nobody listens any more.
async fn listen(
    detector: &Upstream,
    (at, alone): (usize, bool),
    last: &mut Option<u64>,
    news: &mpsc::Sender<News>,
) -> Result<(), Silence> {
    let path = match last {
        Some(seq) => format!("/events?since={}", encode(&seq.to_string())),
        None => "/events".into(),
    };
    let mut opened = open(detector, &path, "text/event-stream", *last).await?;
    if news.send(News::Connected(at)).await.is_err() {
        return Ok(());
    }
    let mut reader = Reader::default();
    loop {
        let frame = timeout(SILENT, opened.body.frame()).await.map_err(|_| Silence::Slow(SILENT))?;
        let frame = frame.ok_or_else(|| Silence::Broken("it ended the stream".into()))?;
        let frame = frame.map_err(|error| Silence::Broken(error.to_string()))?;
        let mut heard = Vec::new();
        if let Some(bytes) = frame.data_ref() {
            reader.take(bytes, |read| heard.push(read));
        }
        for read in heard {
            if news.send(judge(read, at, alone, last)).await.is_err() {
                return Ok(());
            }
        }
    }
}

fn judge(read: Read, at: usize, alone: bool, last: &mut Option<u64>) -> News {
    let message = match read {
        Read::Message(message) => message,
        Read::TooLong => return News::TooLong(at),
    };
    let (Ok(seq), true) = (message.id.parse(), matches!(message.event.as_str(), "" | "message" | "alert"))
    else {
        return News::Other(message);
    };
    *last = Some(seq);
    // With one detector nothing is put in order and nothing comes twice.
    let facts: Facts =
        if alone { Facts::default() } else { serde_json::from_slice(&message.data).unwrap_or_default() };
    let time_ns = nanos(&facts.timestamp);
    News::Alert(Item { detector: at, seq, alert_id: facts.alert_id, time_ns, data: message.data })
}
