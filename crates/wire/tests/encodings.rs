//! Both encodings of an event say the same, whatever bytes it holds.
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing)] // helpers of tests are tests

use std::{collections::BTreeMap, net::IpAddr, sync::Arc};

use proptest::prelude::*;
use sentinel_event::{
    Accept, Body, Comm, Connect, Endpoint, Event, Exec, Exit, FileClose, FileIo, FileOpen, FileRename,
    FileUnlink, Fork, Head, Kind, Listen, Loss, LossCause, MemfdCreate, MmapExec, MprotectExec, Observation,
    Path, PathFlags, Process, ProcessKey, Ptrace, Socket, Source, Stage, Syscall, Text, UserPath,
};
use sentinel_wire::{
    Encoder, EventIds, Node, envelope,
    v1::{EventBatch, EventEnvelope},
};
use serde_json::Value;

fn node() -> Node {
    Node { hostname: "a \"node\"".into() }
}

fn line(observation: &Observation, folded: u64) -> Value {
    let mut out = Vec::new();
    Encoder::new(&node()).line(observation, folded, &mut out);
    assert_eq!(out.pop(), Some(b'\n'));
    assert!(!out.iter().any(u8::is_ascii_control), "one line, no control characters");
    serde_json::from_slice(&out).unwrap()
}

fn map(value: &Value) -> BTreeMap<String, String> {
    serde_json::from_value(value.clone()).unwrap()
}

fn observation(body: Body) -> Observation {
    let head = Head {
        boot_ns: 5_000,
        real_ns: 1_700_000_000_000_005_000,
        process: ProcessKey { tgid: 42, start_ns: 1_000 },
        tid: 43,
        parent: ProcessKey { tgid: 7, start_ns: 500 },
        uid: 1000,
        euid: 0,
        loginuid: u32::MAX,
        comm: Comm::from("sh"),
        syscall: Some(Syscall(u16::try_from(libc::SYS_openat).unwrap())),
        result: -2,
        ..Head::default()
    };
    let process = |name: &str, argv: &[&str]| {
        Arc::new(Process {
            comm: name.into(),
            exe: format!("/bin/{name}").into(),
            argv: argv.iter().map(|arg| Text::from(*arg)).collect(),
            ..Process::default()
        })
    };
    Observation {
        event: Event { head, body },
        process: Some(process("sh", &["sh", "-c", "id"])),
        ancestors: vec![process("sshd", &["sshd: a"])].into(),
        container_id: Some("0123456789abcdef0123".into()),
        workload: None,
    }
}

#[test]
fn a_line_has_the_contract_names() {
    let io = FileIo { path: Path::from("/etc/passwd"), bytes: 7, calls: 2, ..FileIo::default() };
    let line = line(&observation(Body::FileRead(io)), 3);
    let keys: Vec<_> = line.as_object().unwrap().keys().map(String::as_str).collect();
    let mut expected = [
        "event_id",
        "ts_unix_nano",
        "hostname",
        "pod",
        "namespace",
        "container_id",
        "event_type",
        "data",
        "attributes",
    ];
    expected.sort_unstable();
    assert_eq!(keys, expected);
    assert_eq!(line["ts_unix_nano"], 1_700_000_000_000_005_000_u64);
    assert_eq!(line["hostname"], "a \"node\"");
    assert_eq!(line["container_id"], "0123456789abcdef0123");
    assert_eq!(line["event_type"], "file_read");
    for (key, value) in
        [("filename", "/etc/passwd"), ("bytes", "7"), ("comm", "sh"), ("pid", "42"), ("tid", "43")]
    {
        assert_eq!(line["data"][key], value, "{key}");
    }
    for (key, value) in [
        ("evt.type", "openat"),
        ("evt.res", "ENOENT"),
        ("proc.name", "sh"),
        ("proc.cmdline", "sh -c id"),
        ("proc.pid.ts", "1700000000000001000"),
        ("proc.pname", "sshd"),
        ("proc.ppid", "7"),
        ("user.uid", "0"),
        ("user.loginuid", "-1"),
        ("container.id", "0123456789ab"),
        ("sentinel.folded", "3"),
    ] {
        assert_eq!(line["attributes"][key], value, "{key}");
    }
}

#[test]
fn field_numbers_are_those_of_the_contract() {
    use prost::Message as _;
    use sentinel_wire::v1::{AnomalyReport, DetectionResponse, EventEnvelope};
    // Each field of a message as it goes over the wire starts with its number and type.
    let text =
        |number: u8, body: &[u8]| [&[number << 3 | 2, u8::try_from(body.len()).unwrap()], body].concat();
    let map = || std::collections::BTreeMap::from([("k".to_owned(), "v".to_owned())]);
    let entry = [text(1, b"k"), text(2, b"v")].concat();
    let event = EventEnvelope {
        event_id: "a".into(),
        hostname: "b".into(),
        pod_name: "c".into(),
        namespace: "d".into(),
        container_id: "e".into(),
        event_type: "f".into(),
        data: map(),
        attributes: map(),
        ts_unix_nano: 5,
    };
    let expected = [
        text(1, b"a"),
        text(2, b"b"),
        text(3, b"c"),
        text(4, b"d"),
        text(5, b"e"),
        text(9, b"f"),
        text(10, &entry),
        [&[0xa2, 0x01, 6][..], &entry].concat(), // 20: its number takes two bytes
        vec![0xf0, 0x01, 5],                     // 30, a number
    ];
    assert_eq!(event.encode_to_vec(), expected.concat());

    let ts = Some(prost_types::Timestamp { seconds: 7, nanos: 0 });
    let response =
        DetectionResponse { event_id: "a".into(), anomaly: true, reason: "b".into(), score: 1.0, ts };
    let score = |number: u8| [&[number << 3 | 1][..], &1.0_f64.to_le_bytes()].concat();
    let expected = [text(1, b"a"), vec![2 << 3, 1], text(3, b"b"), score(4), text(5, &[1 << 3, 7])];
    assert_eq!(response.encode_to_vec(), expected.concat());

    let report = AnomalyReport { event_id: "a".into(), reason: "b".into(), score: 1.0, labels: map() };
    let expected = [text(1, b"a"), text(2, b"b"), score(3), text(4, &entry)];
    assert_eq!(report.encode_to_vec(), expected.concat());
}

#[test]
fn hostile_names_stay_inside_their_string() {
    for (name, shown) in [
        (&b"/a\n{\"x\":1}"[..], "/a\n{\"x\":1}"),
        (b"/\xff\xfe", "/\u{fffd}\u{fffd}"),
        (b"/\x1b[31m\x7f\xc2\x9b", "/\x1b[31m\x7f\u{9b}"),
        ("/\u{1f600}\u{2028}".as_bytes(), "/\u{1f600}\u{2028}"),
    ] {
        let path = Path { bytes: name.into(), flags: PathFlags::default() };
        let line = line(&observation(Body::FileWrite(FileIo { path, ..FileIo::default() })), 0);
        assert_eq!(line["data"]["filename"], shown);
    }
}

#[test]
fn nobody_does_a_loss() {
    let loss = Loss { stage: Stage::Queue, cause: LossCause::Full, kind: Some(Kind::Exec), count: 9 };
    let event = Event { head: Head { real_ns: 1, ..Head::default() }, body: Body::Loss(loss) };
    let lost = Observation {
        event,
        process: None,
        ancestors: Default::default(),
        container_id: None,
        workload: None,
    };
    let expected = serde_json::json!({"stage": "queue", "cause": "full", "kind": "exec", "count": "9"});
    assert_eq!(line(&lost, 0)["data"], expected);
}

fn text() -> impl Strategy<Value = Text> {
    prop_oneof![
        prop::collection::vec(any::<u8>(), 0..40).prop_map(Text::from),
        any::<String>().prop_map(Text::from),
    ]
}

fn path() -> impl Strategy<Value = Path> {
    (text(), any::<u32>()).prop_map(|(bytes, flags)| Path { bytes, flags: PathFlags::from_bits(flags) })
}

fn user_path() -> impl Strategy<Value = UserPath> {
    let make = |(path, name, unreadable, shared, second)| UserPath { path, name, unreadable, shared, second };
    (text(), text(), any::<bool>(), any::<bool>(), proptest::option::of(text().prop_map(Box::new)))
        .prop_map(make)
}

fn socket() -> impl Strategy<Value = Socket> {
    let end = || {
        (any::<Option<IpAddr>>(), any::<u16>(), text()).prop_map(|(ip, port, path)| Endpoint {
            ip,
            port,
            path,
            source: Source::User,
        })
    };
    (0_u16..50, 0_u16..8, any::<u16>(), end(), end(), end()).prop_map(
        |(family, kind, protocol, local, peer, asked)| Socket {
            family,
            kind,
            protocol,
            fd: -1,
            local,
            peer,
            shared: true,
            asked,
            peer_names: Vec::new(),
        },
    )
}

fn body() -> impl Strategy<Value = Body> {
    let (u, n) = (any::<u32>, any::<u64>);
    prop_oneof![
        (text(), path(), prop::collection::vec(text(), 0..4), any::<bool>()).prop_map(
            |(filename, exe, argv, flag)| {
                Body::Exec(Exec { filename, exe, argv, argv_truncated: flag, ..Exec::default() })
            }
        ),
        (u(), n()).prop_map(|(tgid, start_ns)| {
            Body::Fork(Fork { child: ProcessKey { tgid, start_ns }, child_vpid: tgid })
        }),
        (u(), u()).prop_map(|(status, signal)| Body::Exit(Exit { status, signal, core_dumped: true })),
        (path(), user_path(), u(), n()).prop_map(|(path, asked, flags, ino)| {
            Body::FileOpen(FileOpen { path, asked, flags, ino, ..FileOpen::default() })
        }),
        (path(), n(), n(), any::<bool>()).prop_map(|(path, bytes, calls, read)| {
            let io = FileIo { path, bytes, calls, ..FileIo::default() };
            if read { Body::FileRead(io) } else { Body::FileWrite(io) }
        }),
        (path(), n()).prop_map(|(path, bytes)| Body::FileClose(FileClose {
            path,
            bytes,
            ..FileClose::default()
        })),
        user_path().prop_map(|target| Body::FileUnlink(FileUnlink { target })),
        (user_path(), user_path(), u()).prop_map(|(from, to, flags)| Body::FileRename(FileRename {
            from,
            to,
            flags
        })),
        socket().prop_map(|socket| Body::Connect(Connect { socket })),
        socket().prop_map(|socket| Body::Accept(Accept { socket })),
        socket().prop_map(|socket| Body::Bind(sentinel_event::Bind { socket })),
        (socket(), u()).prop_map(|(socket, backlog)| Body::Listen(Listen { socket, backlog })),
        (n(), u()).prop_map(|(request, target_pid)| Body::Ptrace(Ptrace { request, target_pid })),
        (text(), u()).prop_map(|(name, flags)| Body::MemfdCreate(MemfdCreate { name, flags })),
        (path(), n(), u(), u()).prop_map(|(path, len, prot, flags)| {
            Body::MmapExec(MmapExec { path, len, prot, flags, ..MmapExec::default() })
        }),
        (n(), n(), u()).prop_map(|(addr, len, prot)| Body::MprotectExec(MprotectExec { addr, len, prot })),
        n().prop_map(|count| {
            Body::Loss(Loss { stage: Stage::Ring, cause: LossCause::Full, kind: None, count })
        }),
    ]
}

#[test]
fn events_say_which_rules_have_judged_them() {
    use prost::Message as _;
    let mut encoder = Encoder::new(&node());
    let id = EventIds::default().next(1);
    for body in [
        Body::FileRead(FileIo::default()),
        Body::Loss(Loss { stage: Stage::Ring, cause: LossCause::Full, kind: None, count: 1 }),
    ] {
        for generation in [Some(3), None] {
            encoder.judged_by(generation);
            let (mut object, mut events) = (Vec::new(), Vec::new());
            encoder.object(id, &observation(body.clone()), 0, &mut object);
            encoder.batched(id, &observation(body.clone()), 0, &mut events);
            let object = sentinel_wire::read_object(&object).unwrap();
            assert_eq!(EventBatch::decode(&*events).unwrap().events, std::slice::from_ref(&object));
            assert_eq!(object.attributes.get("sentinel.rules").map(String::as_str), generation.map(|_| "3"));
        }
    }
}

#[test]
fn a_batch_that_is_not_right_ends_early() {
    assert_eq!(sentinel_wire::batch_events(b"\x12\x01a\x12\x05bc").collect::<Vec<_>>(), [b"a"]);
    for bytes in [&b"\x0a\x01a"[..], b"\x12", b"\x12\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01", b"\xff"] {
        assert_eq!(sentinel_wire::batch_events(bytes).count(), 0);
    }
}

proptest! {
    #[test]
    fn the_encodings_agree(body in body(), folded in any::<u64>(), comm in any::<[u8; 16]>(), result in any::<i64>()) {
        let mut observation = observation(body);
        observation.event.head.comm = Comm::new(comm);
        observation.event.head.result = result;
        let message = envelope(&observation, folded, &node(), EventIds::default().next(1));
        let line = line(&observation, folded);
        prop_assert_eq!(&message.data, &map(&line["data"]));
        prop_assert_eq!(&message.attributes, &map(&line["attributes"]));
        prop_assert_eq!(&message.event_type, line["event_type"].as_str().unwrap());
        prop_assert_eq!(&message.container_id, line["container_id"].as_str().unwrap());
        prop_assert_eq!(message.ts_unix_nano, line["ts_unix_nano"].as_u64().unwrap());

        // And the bytes that are written without a message in between.
        use prost::Message as _;
        let mut encoder = Encoder::new(&node());
        let mut events = Vec::new();
        let ids: Vec<_> = (0..2).map(|_| EventIds::default().next(1)).collect();
        for id in &ids {
            encoder.batched(*id, &observation, folded, &mut events);
        }
        let sent = sentinel_wire::Batch { sequence: 7, events: events.clone().into() };
        let batch = EventBatch::decode(&*[sent.head(), events.clone()].concat()).unwrap();
        let expected: Vec<_> = ids.iter().map(|id| envelope(&observation, folded, &node(), *id)).collect();
        prop_assert_eq!(batch.sequence, 7);
        prop_assert_eq!(&batch.events, &expected);
        let single: Vec<_> =
            sentinel_wire::batch_events(&events).map(|event| EventEnvelope::decode(event).unwrap()).collect();
        prop_assert_eq!(&single, &expected);
        let mut object = Vec::new();
        encoder.object(ids[0], &observation, folded, &mut object);
        prop_assert_eq!(&sentinel_wire::read_object(&object).unwrap(), &expected[0]);
    }
}

/// One encoder sees many events, and copies what it has told of their processes.
#[test]
fn what_is_told_of_a_process_is_told_of_it_alone() {
    let mut encoder = Encoder::new(&node());
    let first = observation(Body::FileRead(FileIo::default()));
    let changed: [fn(&mut Observation); 12] = [
        |_| {},
        |told| told.event.head.tid = 1,
        |told| told.event.head.comm = Comm::from("other"),
        |told| told.event.head.euid = 7,
        |told| told.event.head.loginuid = 7,
        |told| told.event.head.tty = 7,
        |told| told.event.head.parent.tgid = 9,
        |told| told.event.head.real_ns += 1,
        |told| told.event.head.process.start_ns += 1,
        |told| told.container_id = Some("0123456789abcdef".into()),
        |told| {
            told.process =
                told.process.as_deref().cloned().map(|process| Process { exe: "/x".into(), ..process }.into())
        },
        |told| told.ancestors = Vec::new().into(),
    ];
    for _ in 0..2 {
        for change in changed {
            let mut told = first.clone();
            change(&mut told);
            let id = EventIds::default().next(1);
            let expected = envelope(&told, 0, &node(), id);
            let (mut object, mut events) = (Vec::new(), Vec::new());
            encoder.object(id, &told, 0, &mut object);
            encoder.batched(id, &told, 0, &mut events);
            assert_eq!(sentinel_wire::read_object(&object).unwrap(), expected);
            let message = sentinel_wire::batch_events(&events).next().unwrap();
            assert_eq!(<EventEnvelope as prost::Message>::decode(message).unwrap(), expected);
        }
    }
}
