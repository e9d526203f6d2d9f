//! Events that come as maps of text are judged as on the node.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "the helpers of a test are part of it"
)]

#[path = "eval/build.rs"]
mod build;
#[path = "eval/random.rs"]
mod random;

use std::{collections::BTreeMap, env, fs, path::Path, sync::Arc};

use proptest::prelude::*;
use sentinel_event::{
    Accept, Bind, Body, Connect, Dns, FileChmod, FileChown, FileLink, FileMkdir, FileMknod, FileRename,
    FileRmdir, FileSymlink, FileTruncate, Kind, Listen, Message, Mount, Observation, ProcessKey, Text,
    Umount, UserPath,
};
use sentinel_rules::language::{
    ArgumentRule, Comparand, Condition, Field, RuleSet, Term,
    envelope::{self, Envelope, Told},
    eval::{Reading, Witness, filled, read},
};

type Map = BTreeMap<String, String>;

fn map(pairs: &[(&str, &str)]) -> Map {
    pairs.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect()
}

fn told(event_type: &str, data: &Map, attributes: &Map) -> Told {
    let ts_unix_nano = build::NOW;
    Envelope { event_type, ts_unix_nano, container_id: "", data, attributes }.read().expect("a kind")
}

/// Out and in again.
fn through(observation: &Observation) -> Told {
    let node = sentinel_wire::Node { hostname: "node".into() };
    let id = sentinel_wire::EventIds::default().next(1);
    let sent = sentinel_wire::envelope(observation, 0, &node, id);
    Envelope {
        event_type: &sent.event_type,
        ts_unix_nano: sent.ts_unix_nano,
        container_id: &sent.container_id,
        data: &sent.data,
        attributes: &sent.attributes,
    }
    .read()
    .expect("our own kind")
}

/// The term of a field by its name.
fn term(field: &str) -> Term {
    let set: RuleSet = build::load(&build::rule(&format!("{field} exists"), "o"));
    match &set.rules[0].condition {
        Condition::Test(test) => {
            assert_eq!(test.right, Comparand::Nothing);
            test.left.clone()
        }
        other => panic!("{other:?}"),
    }
}

#[test]
fn the_reference_is_fresh() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/reference/envelope-fields.md");
    let text = envelope::reference().unwrap();
    if env::var_os("UPDATE").is_some() {
        fs::write(&path, &text).unwrap();
    }
    let written = fs::read_to_string(&path).unwrap_or_default();
    assert!(written == text, "stale: run UPDATE=1 cargo test -p sentinel-rules");
}

#[test]
fn an_old_agents_envelope_is_judged() {
    let data =
        map(&[("filename", "/etc/hosts"), ("bytes", "12"), ("comm", "sh"), ("pid", "9"), ("tid", "9")]);
    let Told { observation, malformed } = told("file_write", &data, &Map::new());
    assert_eq!(malformed, [""; 0]);
    build::check(
        &observation,
        &[
            ("evt.type in (write, pwrite) and fd.name = /etc/hosts and fd.directory = /etc", true),
            ("evt.is_io_write = true and evt.rawres = 12 and evt.failed = false and proc.name = sh", true),
            ("fd.typechar = f and proc.pid = 9 and container.id = host and evt.buflen = 12", true),
            // What it does not say is missing: neither root nor not root.
            ("user.uid = 0 or user.uid != 0 or group.gid >= 0 or fd.num >= 0 or fd.num < 0", false),
            ("proc.pname exists or proc.cmdline exists or proc.ppid exists or proc.duration exists", false),
        ],
    );
}

#[test]
fn what_makes_no_sense_is_absent_and_told() {
    let data = map(&[("filename", "/x"), ("bytes", "many"), ("pid", "-1"), ("flags", "odd"), ("fd", "3")]);
    let told = told("file_read", &data, &map(&[("user.uid", "root"), ("unheard.of", "1")]));
    assert_eq!(told.malformed, ["pid", "user.uid", "bytes"]);
    build::check(&told.observation, &[("fd.num = 3 and fd.name = /x", true), ("user.uid exists", false)]);
    let nothing = Map::new();
    let unknown = Envelope {
        event_type: "file_frobbed",
        ts_unix_nano: 0,
        container_id: "",
        data: &nothing,
        attributes: &nothing,
    };
    assert!(unknown.read().is_err());
}

#[test]
fn raw_results_numbers_and_names_of_flags_are_read() {
    let data = map(&[("filename", "/x"), ("flags", "O_WRONLY|O_CREAT|0x8000"), ("mode", "420")]);
    let attributes = map(&[("evt.type", "openat2"), ("evt.res", "EACCES"), ("user.uid", "0"), ("uid", "5")]);
    let opened = told("file_open", &data, &attributes).observation;
    build::check(
        &opened,
        &[("evt.type = openat2 and evt.is_open_write = true and evt.res = EACCES and fd.num < 0", true)],
    );
    let data = map(&[("request", "16"), ("target_pid", "7")]);
    let traced = told("ptrace", &data, &Map::new()).observation;
    build::check(&traced, &[("evt.arg.request = PTRACE_ATTACH and evt.rawarg.pid = 7", true)]);
}

/// Every key's example fills every field that its row names, on one of its kinds at least.
#[test]
fn the_fields_of_the_reference_have_values() {
    let text = envelope::reference().unwrap();
    let mut kinds: Vec<&str> = Vec::new();
    let mut examples: BTreeMap<&str, [Map; 2]> = BTreeMap::new();
    let mut wanted: BTreeMap<(String, String), Vec<&str>> = BTreeMap::new();
    for line in text.lines() {
        if let Some(title) = line.strip_prefix("## ") {
            kinds = Kind::ALL.iter().map(|kind| kind.name()).filter(|name| title == *name).collect();
            if title.starts_with("Every") {
                kinds =
                    Kind::ALL.iter().filter(|kind| **kind != Kind::Loss).map(|kind| kind.name()).collect();
            }
        }
        let cells: Vec<_> = line.split(" | ").map(|cell| cell.trim_matches(['|', ' ', '`'])).collect();
        let [key, section @ ("data" | "attributes"), example, fields] = cells[..] else { continue };
        for kind in &kinds {
            let maps = examples.entry(kind).or_default();
            maps[usize::from(section == "attributes")].insert(key.to_owned(), example.replace("\\|", "|"));
        }
        for name in fields.split(", ").map(|name| name.trim_matches('`')).filter(|name| !name.is_empty()) {
            // A key of several kinds stands under each.
            wanted.entry((key.to_owned(), name.to_owned())).or_default().extend(kinds.iter().copied());
        }
    }
    assert!(wanted.len() > 100, "{}", wanted.len());
    for ((key, field), kinds) in wanted {
        let term = term(&field);
        let has = |kind: &&str| {
            let [data, attributes] = &examples[*kind];
            // An example of a path stands for all paths, one of an error for all errors.
            [true, false].into_iter().any(|whole| {
                let mut attributes = attributes.clone();
                if !whole {
                    attributes.retain(|name, _| name != "evt.rawres" && name != "evt.res");
                }
                let told = told(kind, data, &attributes);
                read(&term, &told.observation, Witness::Kernel) != Reading::Missing
            })
        };
        assert!(kinds.iter().any(has), "{field} by {key} of {kinds:?}");
    }
}

/// Leaves of an event what an envelope can say.
fn plain(mut observation: Observation) -> Observation {
    fn clean(text: &Text) -> Text {
        String::from_utf8_lossy(text).replace(' ', "_").as_str().into()
    }
    fn tidy_all<const N: usize>(texts: [&mut Text; N]) {
        texts.into_iter().for_each(|text| *text = clean(text));
    }
    fn tidy_names<const N: usize>(names: [&mut UserPath; N], used: bool, entered: bool) {
        for name in names {
            tidy_all([&mut name.path, &mut name.name]);
            let told = if name.shared { entered } else { used };
            name.second = name.second.take().filter(|_| told).map(|second| Box::new(clean(&second)));
        }
    }
    let head = &mut observation.event.head;
    head.boot_ns = (1 << 50) + (head.boot_ns >> 20);
    head.real_ns = (1 << 60) + (head.real_ns >> 10);
    head.process.start_ns %= head.boot_ns;
    head.parent.start_ns %= head.boot_ns;
    head.uid = 1;
    head.euid %= u32::MAX; // nobody's
    head.egid %= u32::MAX;
    head.syscall = head.syscall.or(Some(sentinel_event::Syscall(0)));
    match &mut observation.event.body {
        Body::Exec(exec) => {
            exec.argv = exec.argv.iter().map(clean).collect();
            tidy_all([&mut exec.filename, &mut exec.exe.bytes, &mut exec.cwd.bytes]);
        }
        Body::FileOpen(open) => tidy_all([&mut open.path.bytes, &mut open.asked.path, &mut open.asked.name]),
        Body::FileRead(io) | Body::FileWrite(io) => tidy_all([&mut io.path.bytes]),
        Body::FileClose(close) => tidy_all([&mut close.path.bytes]),
        Body::FileUnlink(unlink) => tidy_names([&mut unlink.target], true, true),
        Body::FileRename(FileRename { from, to, .. }) => {
            tidy_names([from, to], true, true);
        }
        Body::MemfdCreate(memfd) => tidy_all([&mut memfd.name]),
        Body::Bpf(bpf) => tidy_all([&mut bpf.name]),
        Body::ModuleLoad(module) => tidy_all([&mut module.path.bytes, &mut module.args]),
        Body::Mount(Mount { source, target, fstype, .. }) => {
            // Both lie in the same memory.
            source.shared = target.shared;
            tidy_names([source, target], false, true);
            tidy_all([fstype]);
        }
        Body::FileLink(FileLink { from, to, .. }) => {
            tidy_names([from, to], true, true);
        }
        Body::FileSymlink(FileSymlink { link, target, .. }) => {
            tidy_names([link], true, true);
            tidy_all([target]);
        }
        Body::FileMkdir(FileMkdir { target, .. })
        | Body::FileRmdir(FileRmdir { target })
        | Body::FileMknod(FileMknod { target, .. }) => tidy_names([target], true, true),
        Body::Umount(Umount { target, .. }) => tidy_names([target], false, true),
        Body::Chroot(chroot) => tidy_names([&mut chroot.asked], false, false),
        Body::FileChmod(FileChmod { file, .. })
        | Body::FileChown(FileChown { file, .. })
        | Body::FileTruncate(FileTruncate { file, .. }) => {
            tidy_all([&mut file.path.bytes]);
            tidy_names([&mut file.asked], true, true);
        }
        Body::Dup(dup) => {
            let socket = &mut dup.socket;
            tidy_all([
                &mut dup.path.bytes,
                &mut socket.local.path,
                &mut socket.peer.path,
                &mut socket.asked.path,
            ]);
        }
        Body::MmapExec(map) => tidy_all([&mut map.path.bytes]),
        Body::Connect(Connect { socket })
        | Body::Accept(Accept { socket })
        | Body::Bind(Bind { socket })
        | Body::Send(Message { socket, .. })
        | Body::Recv(Message { socket, .. })
        | Body::Dns(Dns { socket, .. })
        | Body::Listen(Listen { socket, .. }) => {
            tidy_all([&mut socket.local.path, &mut socket.peer.path, &mut socket.asked.path]);
        }
        _ => {}
    }
    observation.container_id = observation.container_id.filter(|id| !id.is_empty());
    let parent = observation.event.head.parent;
    // The kernel keeps fifteen bytes; a character that is cut there would be another one on the other side.
    let short = |comm: &Text| {
        let comm = comm.to_string();
        Text::from(&comm[..comm.floor_char_boundary(15)])
    };
    let argv =
        |argv: &[Text]| std::iter::once(Text::default()).chain(argv.iter().skip(1).map(clean)).collect();
    let tidy = |process: &mut Arc<sentinel_event::Process>, key: ProcessKey| {
        let process = Arc::make_mut(process);
        process.key = key;
        process.comm = if process.comm.is_empty() { "x".into() } else { short(&clean(&process.comm)) };
        process.exe = clean(&process.exe);
        process.argv = argv(&process.argv);
    };
    let key = observation.event.head.process;
    observation.process.iter_mut().for_each(|process| tidy(process, key));
    if let Some(process) = &observation.process {
        observation.event.head.comm = process.comm.to_string().as_str().into();
    }
    observation.ancestors = observation
        .ancestors
        .iter()
        .take(1)
        .cloned()
        .map(|mut process| {
            tidy(&mut process, parent);
            process
        })
        .collect();
    observation
}

#[test]
fn what_an_envelope_can_say_comes_through() {
    let fields = Field::all().filter(|field| filled(field.name));
    let bare = |field: &&Field| matches!(field.argument, ArgumentRule::None | ArgumentRule::OptionalIndex);
    let terms: Vec<_> = fields.filter(bare).map(|field| (field.name, term(field.name))).collect();
    assert!(terms.len() > 100);
    let config = ProptestConfig { cases: 512, failure_persistence: None, ..ProptestConfig::default() };
    proptest!(config, |(event in random::observation())| {
        prop_assume!(event.event.kind() != Kind::Loss); // nobody did it
        let event = plain(event);
        let told = through(&event);
        prop_assert_eq!(&told.malformed, &[""; 0]);
        for (name, term) in &terms {
            for witness in [Witness::Kernel, Witness::Caller] {
                let (here, there) = (read(term, &event, witness), read(term, &told.observation, witness));
                prop_assert_eq!(here, there, "{} of {:?}", name, event);
            }
        }
    });
}

#[test]
fn a_second_way_through_changes_nothing() {
    let config = ProptestConfig { cases: 512, failure_persistence: None, ..ProptestConfig::default() };
    proptest!(config, |(event in random::observation())| {
        // On the first way an exec without a call becomes an `execve`.
        let once = through(&through(&event).observation);
        prop_assert_eq!(&once.malformed, &[""; 0]);
        prop_assert_eq!(through(&once.observation), once);
    });
}
