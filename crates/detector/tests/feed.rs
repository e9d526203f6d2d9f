//! The feed: order, replay, and readers that do not read.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)] // a test program

mod common;

use common::{Feed, PATIENCE, alert, get, push, start, start_in};
use tokio::{io::AsyncWriteExt as _, net::TcpStream, time::timeout};

#[tokio::test(flavor = "multi_thread")]
async fn alerts_arrive_in_the_order_of_the_store() {
    let detector = start("").await;
    let mut feed = Feed::open(detector.http, "/events", &[]).await;
    let mut client = detector.client().await;
    for number in 0..50 {
        push(&mut client, vec![alert(&format!("a{number}"), "r", "low", "n1", number)]).await;
    }
    for number in 0..50u64 {
        let (id, alert) = feed.next().await.unwrap();
        assert_eq!((id, alert["seq"].as_u64()), (number + 1, Some(number + 1)));
        assert_eq!((&alert["alert_id"], &alert["node"]), (&format!("a{number}").into(), &"n1".into()));
        assert_eq!(alert["reason"], format!("reason of a{number}"));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_reader_goes_on_across_a_restart() {
    let detector = start("").await;
    let mut client = detector.client().await;
    push(&mut client, (0..5).map(|n| alert(&format!("a{n}"), "r", "low", "n", n)).collect()).await;
    let mut feed = Feed::open(detector.http, "/events?since=0", &[]).await;
    for seq in 1..=3 {
        assert_eq!(feed.next().await.unwrap().0, seq);
    }
    drop((feed, client));
    let detector = start_in(detector.stop().await, "").await;
    push(&mut detector.client().await, vec![alert("a5", "r", "low", "n", 5)]).await;
    let mut feed = Feed::open(detector.http, "/events", &[("Last-Event-ID", "3")]).await;
    for (seq, id) in [(4, "a3"), (5, "a4"), (6, "a5")] {
        let (found, alert) = feed.next().await.unwrap();
        assert_eq!((found, alert["alert_id"].as_str()), (seq, Some(id)));
    }
    push(&mut detector.client().await, vec![alert("a6", "r", "low", "n", 6)]).await;
    assert_eq!(feed.next().await.unwrap().0, 7);

    // An id that this history has not given away is of another one: everything is new.
    let mut other = Feed::open(detector.http, "/events?since=1000", &[]).await;
    assert_eq!(other.next().await.unwrap().0, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_comes_while_the_past_is_told_is_neither_lost_nor_doubled() {
    let detector = start("").await;
    let mut client = detector.client().await;
    let many = |from: u64, to: u64| (from..to).map(|n| alert(&format!("a{n}"), "r", "low", "n", n)).collect();
    push(&mut client, many(0, 2000)).await;
    let mut feed = Feed::open(detector.http, "/events?since=0", &[]).await;
    let pushing = tokio::spawn(async move {
        for round in 0..50 {
            push(&mut client, many(2000 + round * 200, 2200 + round * 200)).await;
        }
    });
    for seq in 1..=12_000 {
        assert_eq!(feed.next().await.expect("a reader that reads is served").0, seq);
    }
    pushing.await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_reader_that_does_not_read_is_cut_off_and_others_are_not() {
    let detector = start("").await;
    let mut idle = TcpStream::connect(detector.http).await.unwrap();
    idle.write_all(b"GET /events HTTP/1.1\r\nHost: d\r\n\r\n").await.unwrap();
    detector.metric_reaches("sentinel_detector_feed_clients", 1).await;
    let mut feed = Feed::open(detector.http, "/events", &[]).await;
    let mut client = detector.client().await;
    let mut seq = 0;
    let flood = async {
        while detector.metric("sentinel_detector_feed_clients_dropped_total").await == 0 {
            let batch = (0..200).map(|n| {
                let mut alert = alert(&format!("{seq}-{n}"), "r", "low", "n", 1);
                let mut object: serde_json::Value = serde_json::from_str(&alert.sentinel_json).unwrap();
                object["reason"] = "x".repeat(4000).into();
                alert.sentinel_json = object.to_string();
                alert
            });
            push(&mut client, batch.collect()).await;
            for _ in 0..200 {
                seq += 1;
                assert_eq!(feed.next().await.unwrap().0, seq);
            }
        }
    };
    timeout(3 * PATIENCE, flood).await.expect("who does not read is cut off");
    assert_eq!(detector.metric("sentinel_detector_feed_clients").await, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn nonsense_is_refused_in_words() {
    let detector = start("").await;
    for (path, headers, part) in [
        ("/events?since=x", &[][..], "since"),
        ("/events?sinse=1", &[][..], "sinse"),
        ("/events", &[("Last-Event-ID", "x")][..], "Last-Event-ID"),
    ] {
        let answer = get(detector.http, path, headers).await;
        assert!(answer.status == 400 && answer.body.contains(part), "{path}: {answer:?}");
    }
}
