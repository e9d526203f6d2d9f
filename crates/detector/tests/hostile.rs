//! Peers that send nonsense, or do not read: they cost themselves.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)] // a test program

mod common;

use std::time::Duration;

use common::{PATIENCE, Running, alert, event, push, start};
use sentinel_wire::{
    rpc::converse,
    v1::{BatchAck, DetectionResponse, EventBatch},
};
use tokio::time::timeout;
use tokio_stream::{StreamExt as _, iter, wrappers::ReceiverStream};
use tonic::{
    codegen::Bytes,
    transport::{Channel, Endpoint},
};

/// A connection on which any bytes can be sent as messages.
async fn raw(detector: &Running) -> Channel {
    let endpoint = Endpoint::from_shared(format!("http://{}", detector.grpc)).unwrap();
    endpoint.connect().await.unwrap()
}

/// Whether somebody else is served, at once.
async fn others_are_served(detector: &Running) {
    let events = vec![event("other", "exec", "n", &[])];
    let served = async {
        let mut client = detector.client().await;
        let mut acks =
            client.push_events(iter([EventBatch { sequence: 1, events }])).await.unwrap().into_inner();
        assert_eq!(acks.next().await.unwrap().unwrap().sequence, 1);
    };
    timeout(PATIENCE, served).await.expect("others are served");
}

#[tokio::test(flavor = "multi_thread")]
async fn bytes_that_are_no_message_end_their_call_and_no_other() {
    let detector = start("engines: []").await;
    let nonsense: [&[u8]; 6] = [
        b"\xff",
        // A length beyond the end, and one of 4 GiB.
        b"\x12\x7f",
        b"\x12\xff\xff\xff\xff\x0f",
        // A number where a message is meant; text that is no UTF-8; a group that never ends.
        b"\x10\x01",
        b"\x12\x03\x0a\x01\xff",
        b"\x13",
    ];
    // Who came before them and who comes after is served.
    let mut before = detector.client().await;
    for message in nonsense {
        let channel = raw(&detector).await;
        let message = Bytes::from_static(message);
        let called = converse::<BatchAck, _, _, _>(channel, iter([message.clone()])).await;
        let refused = match called {
            Ok(mut acks) => timeout(PATIENCE, acks.message()).await.unwrap(),
            Err(status) => Err(status),
        };
        assert!(refused.is_err(), "{message:?}: {refused:?}");
    }
    push(&mut before, vec![alert("a", "r", "low", "n", 1)]).await;
    others_are_served(&detector).await;
    assert_eq!(detector.metric("sentinel_detector_batches_total").await, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn who_does_not_read_answers_is_read_no_more() {
    const MOST: usize = 500_000;
    let detector = start("engines: []").await;
    let channel = raw(&detector).await;
    let mut message = Vec::new();
    let large = "x".repeat(900);
    let object =
        format!("{{\"event_type\":\"exec\",\"event_id\":\"e\",\"data\":{{\"filename\":\"{large}\"}}}}");
    sentinel_wire::Transcoder::default().batched(object.as_bytes(), &mut message).unwrap();
    let message = Bytes::copy_from_slice(sentinel_wire::batch_events(&message).next().unwrap());
    let (sender, messages) = tokio::sync::mpsc::channel(1);
    let call = converse::<DetectionResponse, _, _, _>(channel, ReceiverStream::new(messages));
    sender.send(message.clone()).await.unwrap();
    let answers = call.await.unwrap();
    let mut sent = 1;
    while sent < MOST && timeout(Duration::from_secs(1), sender.send(message.clone())).await.is_ok() {
        sent += 1;
    }
    assert!(sent < MOST, "the detector takes what nobody reads the answers of");
    others_are_served(&detector).await;
    drop(answers);
}
