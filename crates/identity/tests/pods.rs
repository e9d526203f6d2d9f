//! Pods are heard of from an API server, whatever happens to it.

#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, unreachable_pub, missing_docs)] // a test program: helpers may fail it

mod cluster;

use std::{
    sync::Arc,
    thread,
    time::{Duration, Instant},
};

use cluster::{Cluster, NODE, pod};
use sentinel_event::Pod;
use sentinel_identity::{PodOptions, Pods};
use serde_json::Value;

const WEB: &str = "0a1b2c3d-0000-4000-8000-000000000001";
const LATER: &str = "0a1b2c3d-0000-4000-8000-000000000002";

fn start(cluster: &Cluster) -> Pods {
    Pods::start(options(cluster)).unwrap()
}

fn options(cluster: &Cluster) -> PodOptions {
    PodOptions {
        host: cluster.address.ip().to_string(),
        port: cluster.address.port(),
        credentials: cluster.dir.path().into(),
        node: NODE.into(),
        timeout: Duration::from_secs(10),
        pause: Duration::from_millis(20),
    }
}

fn until<T>(what: &str, mut condition: impl FnMut() -> Option<T>) -> T {
    let deadline = Instant::now() + Duration::from_secs(20);
    loop {
        if let Some(found) = condition() {
            return found;
        }
        assert!(Instant::now() < deadline, "{what}");
        thread::sleep(Duration::from_millis(10));
    }
}

/// Asks until the pod is known and as it should be.
fn knows(pods: &Pods, uid: &str, like: impl Fn(&Pod) -> bool) -> Arc<Pod> {
    let uid: Arc<str> = uid.into();
    until(&format!("{uid} is not known"), || {
        pods.ask(&uid);
        let told = std::iter::from_fn(|| pods.answer()).filter(|told| told.uid == uid).last()?;
        told.found.filter(|pod| like(pod))
    })
}

fn known(pods: &Pods, uid: &str) -> Arc<Pod> {
    knows(pods, uid, |_| true)
}

fn web() -> Value {
    let labels = [("app", "web"), ("pod-template-hash", "7d4b9c6f5")];
    pod(WEB, "web-7d4b9c6f5-x2x9q", Some(("ReplicaSet", "web-7d4b9c6f5")), &labels)
}

fn later() -> Value {
    pod(LATER, "backup-29384720-k8x2p", Some(("Job", "backup-29384720")), &[("job-name", "backup-29384720")])
}

/// Waits for so many requests with this in them.
fn asked(cluster: &Cluster, what: &str, times: usize) -> Vec<String> {
    until(&format!("not {times} times {what}"), || {
        let all: Vec<_> =
            cluster.state().requests.iter().filter(|path| path.contains(what)).cloned().collect();
        (all.len() >= times).then_some(all)
    })
}

#[test]
fn a_pod_is_told_with_its_owner_labels_account_and_node() {
    let cluster = Cluster::start();
    cluster.put(web());
    let pods = start(&cluster);
    let pod = known(&pods, WEB);
    assert_eq!((&*pod.name, &*pod.namespace, &*pod.uid), ("web-7d4b9c6f5-x2x9q", "shop", WEB));
    assert_eq!((&*pod.service_account, &*pod.node, &*pod.ip), ("web", NODE, "10.1.0.7"));
    assert_eq!(pod.labels[0], ("app".to_owned(), "web".to_owned()));
    let (owner, controller) = (pod.owner.as_ref().unwrap(), pod.controller.as_ref().unwrap());
    assert_eq!((&*owner.kind, &*owner.name), ("Deployment", "web"));
    assert_eq!((&*controller.kind, &*controller.name), ("ReplicaSet", "web-7d4b9c6f5"));
    let first = &asked(&cluster, "/api/v1/pods?", 1)[0];
    assert!(first.contains("resourceVersion=0") && first.contains("limit=500"), "{first}");
    let watch = &asked(&cluster, "watch=1", 1)[0];
    assert!(watch.contains("allowWatchBookmarks=true") && watch.contains("resourceVersion=1001"), "{watch}");
}

#[test]
fn what_comes_changes_and_goes_is_told_to_who_asked_before() {
    let cluster = Cluster::start();
    let pods = start(&cluster);
    let uid: Arc<str> = LATER.into();
    until("it is not reached", || pods.ask(&uid).then_some(()));
    cluster.put(later());
    let told = until("nobody tells", || pods.answer().and_then(|told| told.found));
    assert_eq!(told.owner.as_ref().unwrap().kind, "Job");
    let mut changed = later();
    changed["metadata"]["labels"]["team"] = "red".into();
    cluster.put(changed.clone());
    let told = until("nobody tells of the change", || pods.answer().and_then(|told| told.found));
    assert!(told.labels.contains(&("team".into(), "red".into())));
    cluster.delete(&changed);
    until("the change does not come", || (pods.counters().pod_changes == 3).then_some(()));
    assert_eq!(known(&pods, LATER).name, told.name, "its last events are still to be told");
}

#[test]
fn a_watch_that_breaks_goes_on_where_it_was_and_bookmarks_count() {
    let cluster = Cluster::start();
    cluster.put(web());
    let pods = start(&cluster);
    known(&pods, WEB);
    asked(&cluster, "watch=1", 1);
    let version = cluster.bookmark();
    // What the bookmark says is known when what comes after it is.
    cluster.put(later());
    known(&pods, LATER);
    cluster.cut();
    let watch = &asked(&cluster, "watch=1", 2)[1];
    assert!(watch.contains(&format!("resourceVersion={}", version + 1)), "{watch}");
    let version = cluster.bookmark();
    until("no watch goes on from the bookmark", || {
        cluster.cut();
        let asked = asked(&cluster, "watch=1", 3);
        asked.last()?.contains(&format!("resourceVersion={version}")).then_some(())
    });
    assert_eq!(pods.counters().pod_lists, 1, "nothing was listed again");
}

fn forgotten(by_status: bool) {
    let cluster = Cluster::start();
    cluster.state().gone_by_status = by_status;
    cluster.put(web());
    let pods = start(&cluster);
    known(&pods, WEB);
    cluster.put(later());
    known(&pods, LATER);
    // While nobody looks one goes, one changes, and the server forgets how.
    cluster.state().status = Some(503);
    cluster.cut();
    until("the cut is not noticed", || (pods.counters().pods_failed > 0).then_some(()));
    cluster.delete(&later());
    let mut changed = web();
    changed["metadata"]["labels"]["team"] = "blue".into();
    cluster.put(changed);
    cluster.forget();
    cluster.state().status = None;
    knows(&pods, WEB, |pod| pod.labels.iter().any(|(key, _)| key == "team"));
    known(&pods, LATER);
    let counters = pods.counters();
    assert!(counters.pods_gone >= 1 && counters.pod_lists >= 2, "{counters:?}");
    let lists: Vec<_> = asked(&cluster, "limit=", 2);
    assert!(!lists.last().unwrap().contains("resourceVersion=0"), "the newest is wanted then: {lists:?}");
}

#[test]
fn a_version_that_is_forgotten_is_listed_again_by_event() {
    forgotten(false);
}

#[test]
fn a_version_that_is_forgotten_is_listed_again_by_status() {
    forgotten(true);
}

#[test]
fn a_token_that_ends_is_read_again() {
    let cluster = Cluster::start();
    cluster.put(web());
    let pods = start(&cluster);
    known(&pods, WEB);
    // The server wants another one, and the file is late.
    cluster.state().token = "two".into();
    cluster.cut();
    until("the old one is not refused", || (pods.counters().pods_failed >= 2).then_some(()));
    cluster.put(later());
    assert_eq!(known(&pods, WEB).namespace, "shop", "what is known stays");
    cluster.token("two");
    known(&pods, LATER);
}

#[test]
fn a_server_that_goes_is_survived_and_found_again() {
    let cluster = Cluster::start();
    cluster.put(web());
    let pods = start(&cluster);
    known(&pods, WEB);
    cluster.leave();
    until("it is not noticed", || (!pods.ask(&LATER.into())).then_some(()));
    assert_eq!(known(&pods, WEB).namespace, "shop", "what is known stays");
    cluster.put(later());
    cluster.come_back();
    known(&pods, LATER);
    assert_eq!(pods.counters().pod_lists, 1, "the watch goes on");
}

#[test]
fn ten_megabytes_are_read_and_thirty_are_not() {
    let cluster = Cluster::start();
    cluster.put(web());
    cluster.state().ballast = 30 << 20;
    let pods = start(&cluster);
    until("it is taken", || (pods.counters().pods_malformed > 0).then_some(()));
    assert_eq!(pods.counters().pods_known, 0);
    cluster.state().ballast = 10 << 20;
    known(&pods, WEB);
}

#[test]
fn what_makes_no_sense_costs_itself() {
    let cluster = Cluster::start();
    let mut wrong = web();
    wrong["metadata"]["labels"] = "a text".into();
    cluster.put(wrong);
    let mut elsewhere = pod("0a1b2c3d-0000-4000-8000-000000000003", "other", None, &[]);
    elsewhere["spec"]["nodeName"] = "node-2.example".into();
    cluster.put(elsewhere);
    cluster.put(later());
    let pods = start(&cluster);
    known(&pods, LATER);
    assert_eq!((pods.counters().pods_known, pods.counters().pods_malformed), (1, 2));
    // A line that is no event: nobody knows what was missed, so all is listed again.
    cluster.nonsense("{\"type\":");
    asked(&cluster, "limit=", 2);
    cluster.put(web());
    known(&pods, WEB);
}

#[test]
fn refusals_and_other_protocols_are_waited_out() {
    let cluster = Cluster::start();
    cluster.put(web());
    for (status, raw) in
        [(Some(403), None), (Some(429), None), (Some(500), None), (None, Some("SSH-2.0-x\r\n\r\n"))]
    {
        (cluster.state().status, cluster.state().raw) = (status, raw.map(Into::into));
        let pods = start(&cluster);
        until("nothing fails", || (pods.counters().pods_failed >= 2).then_some(()));
        assert!(!pods.ask(&WEB.into()), "nobody waits for it");
        (cluster.state().status, cluster.state().raw) = (None, None);
        known(&pods, WEB);
    }
}

#[test]
fn pages_are_put_together() {
    let cluster = Cluster::start();
    cluster.state().page = 2;
    for number in 0..5 {
        cluster.put(pod(&format!("uid-{number}"), "p", None, &[]));
    }
    let pods = start(&cluster);
    known(&pods, "uid-4");
    assert_eq!((pods.counters().pods_known, pods.counters().pod_lists), (5, 3));
}

#[test]
fn a_server_of_another_authority_is_told_nothing() {
    let (cluster, other) = (Cluster::start(), Cluster::start());
    std::fs::copy(other.path("ca.crt"), cluster.path("ca.crt")).unwrap();
    let pods = start(&cluster);
    until("it is believed", || (pods.counters().pods_failed >= 2).then_some(()));
    assert_eq!(cluster.state().requests, [""; 0], "it has not seen our token");
}
