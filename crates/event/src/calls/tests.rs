use super::*;
use crate::{Connect, FileMkdir, Head, ProcessKey};

fn only(names: &[&str]) -> Comms {
    Comms::Only(names.iter().map(|name| Comm::from(*name)).collect())
}

fn except(names: &[&str]) -> Comms {
    Comms::Except(names.iter().map(|name| Comm::from(*name)).collect())
}

fn by(comms: Comms) -> Named {
    Named { comms, ports: BTreeSet::new() }
}

fn mkdir(comm: &str, euid: u32, result: i64) -> Event {
    let process = ProcessKey { tgid: 7, start_ns: 1 };
    let head = Head { process, tid: 7, comm: comm.into(), euid, result, ..Head::default() };
    Event { head, body: Body::FileMkdir(FileMkdir::default()) }
}

const ROOT: Setting = Setting { outcome: Outcome::Succeeded, root: true, contained: false };

#[test]
fn settings_are_numbered_in_their_order() {
    let numbers: Vec<_> = Setting::all().map(Setting::number).collect();
    assert_eq!(numbers, (0..SETTINGS).collect::<Vec<_>>());
}

#[test]
fn names_are_joined_as_sets_are() {
    assert_eq!(only(&["a"]).or(only(&["b"])), only(&["a", "b"]));
    assert_eq!(only(&["a"]).or(except(&["a", "b"])), except(&["b"]));
    assert_eq!(except(&["a", "b"]).or(except(&["b", "c"])), except(&["b"]));
    assert!(by(except(&["a"])).or(by(only(&["a"]))).is_all());
}

#[test]
fn a_call_is_in_by_its_setting_and_its_name() {
    let mut plan = CallInterest::default();
    plan.insert(Kind::FileMkdir, ROOT, by(only(&["sh"])));
    assert!(plan.holds(&mkdir("sh", 0, 0), Some(false)));
    assert!(plan.holds(&mkdir("sh", 0, 0), None), "it may be on the host");
    assert!(!plan.holds(&mkdir("sh", 0, 0), Some(true)), "in a container");
    assert!(!plan.holds(&mkdir("sh", 1000, 0), Some(false)), "another user");
    assert!(!plan.holds(&mkdir("sh", 0, -1), Some(false)), "it failed");
    assert!(!plan.holds(&mkdir("cp", 0, 0), Some(false)), "another name");
    let mut thread = mkdir("cp", 0, 0);
    thread.head.tid = 8;
    assert!(plan.holds(&thread, Some(false)), "its process may be called sh");
}

#[test]
fn either_plan_is_in_their_union() {
    let mut one = CallInterest::default();
    one.insert(Kind::FileMkdir, ROOT, by(only(&["sh"])));
    let mut other = CallInterest::default();
    other.insert(Kind::FileMkdir, Setting { root: false, ..ROOT }, by(only(&["cp"])));
    let both = one.clone().or(other);
    assert!(both.holds(&mkdir("sh", 0, 0), Some(false)) && both.holds(&mkdir("cp", 1, 0), Some(false)));
    assert_eq!(both.named(Kind::FileMkdir), Some(&by(only(&["cp", "sh"]))));
    assert_eq!(one.clone().or(CallInterest::default()), one);
    assert_eq!(one.clone().or(CallInterest::all()), CallInterest::all());
    let all = one.and_all_of([Kind::FileMkdir].into_iter().collect());
    assert!(all.holds(&mkdir("x", 9, -1), Some(true)) && all.has_all(Kind::FileMkdir, ROOT));
}

#[test]
fn ports_count_where_they_are_looked_at() {
    let ports = Named { ports: [22].into(), ..Named::default() };
    let mut plan = CallInterest::default();
    plan.insert(Kind::Connect, ROOT, ports.clone());
    plan.insert(Kind::Send, ROOT, ports);
    assert!(plan.has_all(Kind::Send, ROOT));
    let connect = |port| {
        let end = Endpoint { ip: Some([10, 0, 0, 1].into()), port, ..Endpoint::default() };
        let socket = Socket { peer: end, ..Socket::default() };
        Event { body: Body::Connect(Connect { socket }), ..mkdir("x", 0, 0) }
    };
    assert!(plan.holds(&connect(22), Some(false)) && !plan.holds(&connect(23), Some(false)));
}

#[test]
fn what_keeps_a_table_right_is_always_in() {
    let plan = CallInterest::default();
    for kind in
        [Kind::Fork, Kind::Exit, Kind::Setuid, Kind::Capset, Kind::Dns, Kind::FileRead, Kind::FileClose]
    {
        assert!(!CallInterest::looks_at(kind, Outcome::Failed), "{kind}");
    }
    assert!(!CallInterest::looks_at(Kind::Exec, Outcome::Succeeded));
    assert!(CallInterest::looks_at(Kind::Exec, Outcome::Failed));
    assert!(!plan.holds(&mkdir("x", 0, 0), None));
}
