//! `GET /events`: the feed as Server-Sent Events.

use std::{
    convert::Infallible,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
    time::Duration,
};

use axum::{
    Extension,
    body::{Body, Bytes},
    extract::{Query, State, rejection::QueryRejection},
    http::{HeaderMap, HeaderValue, StatusCode, header},
    response::Response,
};
use http_body_util::StreamBody;
use hyper::body::Frame;
use serde::Deserialize;
use tokio::{
    sync::{
        broadcast::{Receiver, error::RecvError},
        mpsc,
    },
    time::{sleep, timeout},
};
use tokio_stream::Stream;

use super::{Cut, Facts, answer};
use crate::{
    piece::{Piece, pieces},
    store::Library,
};

/// A comment goes out after so much silence, so that proxies keep the connection and its end is noticed.
const KEEPALIVE: Duration = Duration::from_secs(15);
/// How long a piece may wait for its reader.
const PATIENCE: Duration = Duration::from_secs(10);
/// Pieces between us and the connection.
const WAITING: usize = 4;
/// How often who asked for the past may be behind before that counts as slow: the past may be long.
const CHANCES: u32 = 8;
/// Alerts that are read from the store at a time.
const PAGE: usize = 256;

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Since {
    since: Option<u64>,
}

pub(super) async fn events(
    State(facts): State<Facts>,
    Extension(cut): Extension<Cut>,
    query: Result<Query<Since>, QueryRejection>,
    headers: HeaderMap,
) -> Response {
    let since = match query {
        Ok(Query(query)) => query.since,
        Err(error) => return answer::bad_request(&error.body_text()),
    };
    // What a browser sends by itself when it comes back knows better than the address.
    let since = match headers.get("last-event-id").map(|id| id.to_str().ok().and_then(|id| id.parse().ok())) {
        None => since,
        Some(Some(id)) => Some(id),
        Some(None) => return answer::bad_request("Last-Event-ID: expected the id of a message of this feed"),
    };
    let (sender, receiver) = mpsc::channel(WAITING);
    tokio::spawn(feed(facts, since, Client { sender, cut }));
    let mut response = answer::of(StatusCode::OK, "text/event-stream", String::new());
    *response.body_mut() = Body::new(StreamBody::new(Frames(receiver)));
    // nginx would hold messages back.
    response.headers_mut().insert("x-accel-buffering", HeaderValue::from_static("no"));
    response.headers_mut().insert(header::CONNECTION, HeaderValue::from_static("close"));
    response
}

/// Why a feed ends.
enum End {
    /// The reader has gone, or we stop.
    Gone,
    /// The reader does not read.
    Slow,
    /// The reader does not read fast enough.
    Behind,
}

struct Client {
    sender: mpsc::Sender<Bytes>,
    cut: Cut,
}

impl Client {
    async fn send(&self, text: Bytes) -> Result<(), End> {
        match timeout(PATIENCE, self.sender.send(text)).await {
            Ok(Ok(())) => Ok(()),
            Ok(Err(_)) => Err(End::Gone),
            Err(_) => Err(End::Slow),
        }
    }

    /// Sends of a piece what this reader does not have yet.
    async fn piece(&self, piece: &Piece, last: &mut u64) -> Result<(), End> {
        let text = piece.after(*last);
        *last = piece.last().max(*last);
        if text.is_empty() { Ok(()) } else { self.send(text).await }
    }
}

async fn feed(mut facts: Facts, since: Option<u64>, client: Client) {
    let meters = Arc::clone(&facts.intake.meters);
    meters.clients.add(1);
    let mut stop = facts.stop.clone();
    let end = tokio::select! {
        end = follow(&mut facts, since, &client) => end,
        _ = stop.wait_for(|stop| *stop) => End::Gone,
    };
    meters.clients.leave(1);
    match end {
        End::Gone => {}
        End::Slow | End::Behind => {
            meters.clients_dropped.add(1);
            // Its socket may be full: the connection would wait for it for as long as it pleases.
            client.cut.0.notify_one();
        }
    }
}

/// Sends what was since `since`, then what comes.
async fn follow(facts: &mut Facts, since: Option<u64>, client: &Client) -> End {
    // Before the store is read, so that nothing falls in between.
    let mut live = facts.intake.hub.subscribe();
    if let Err(end) = client.send(Bytes::from_static(b": sentinel\nretry: 2000\n\n")).await {
        return end;
    }
    let (mut last, past) = (since.unwrap_or(0), since.is_some());
    let mut chances = CHANCES;
    loop {
        if past && let Err(end) = replay(&facts.intake.hub.library, &mut last, client).await {
            return end;
        }
        match follow_live(&mut live, &mut last, client).await {
            // While the past was sent the present ran away; by now it is past too.
            End::Behind if past && chances > 0 => chances -= 1,
            end => return end,
        }
    }
}

/// Sends what the store has after `last`.
async fn replay(library: &Library, last: &mut u64, client: &Client) -> Result<(), End> {
    let known = library.ask(|reader| reader.size()).await.map_err(|_| End::Gone)?.last_seq;
    if *last > known {
        // The id is of another history, which this one replaced.
        *last = 0;
    }
    loop {
        let from = *last;
        let page = library.ask(move |reader| reader.after(from, PAGE)).await.map_err(|_| End::Gone)?;
        if page.is_empty() {
            return Ok(());
        }
        for piece in pieces(page.into_iter().map(|alert| (alert.seq, alert.json))) {
            client.piece(&piece, last).await?;
        }
    }
}

/// Sends what comes.
async fn follow_live(live: &mut Receiver<Arc<Piece>>, last: &mut u64, client: &Client) -> End {
    loop {
        let sent = tokio::select! {
            piece = live.recv() => match piece {
                // Some of it may have been sent from the store already.
                Ok(piece) => client.piece(&piece, last).await,
                Err(RecvError::Closed) => Err(End::Gone),
                Err(RecvError::Lagged(_)) => Err(End::Behind),
            },
            () = sleep(KEEPALIVE) => client.send(Bytes::from_static(b":\n\n")).await,
        };
        if let Err(end) = sent {
            return end;
        }
    }
}

/// Messages as they come.
struct Frames(mpsc::Receiver<Bytes>);

impl Stream for Frames {
    type Item = Result<Frame<Bytes>, Infallible>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        self.0.poll_recv(context).map(|bytes| bytes.map(|bytes| Ok(Frame::data(bytes))))
    }
}
