use super::*;

const KEY: u64 = 0x1234;

fn head(tgid: u32) -> Head {
    Head { process: ProcessKey { tgid, start_ns: 7 }, ..Head::default() }
}

fn file(opened_ns: u64) -> OpenFile {
    OpenFile { key: KEY, opened_ns, ino: 5, dev: 6, fd: 3 }
}

fn io(opened_ns: u64, write: bool, calls: u64, bytes: u64) -> Io {
    Io {
        write,
        file: file(opened_ns),
        single: opened_ns == 0,
        calls,
        bytes,
        path: "/f".into(),
        data: "".into(),
    }
}

fn close(opened_ns: u64, calls: [u64; 2], bytes: [u64; 2]) -> Close {
    Close { file: file(opened_ns), single: false, calls, bytes }
}

fn entry(opened_ns: u64, calls: [u64; 2], bytes: [u64; 2]) -> Entry {
    Entry {
        key: Key { file: KEY, tgid: 1 },
        start_ns: 7,
        file: file(opened_ns),
        calls,
        bytes,
        closed: false,
        untold: false,
        single: false,
        own: false,
    }
}

/// Kind, calls and bytes of each event.
fn told(events: &[Event]) -> Vec<(&'static str, u64, u64)> {
    events
        .iter()
        .map(|event| match &event.body {
            Body::FileRead(io) | Body::FileWrite(io) => (event.kind().name(), io.calls, io.bytes),
            Body::FileClose(close) => (event.kind().name(), close.calls, close.bytes),
            other => panic!("{other:?}"),
        })
        .collect()
}

#[test]
fn the_close_tells_what_the_first_record_did_not() {
    let (mut ledger, mut out) = (Ledger::default(), Vec::new());
    ledger.io(head(1), io(10, false, 1, 100), &mut out);
    ledger.io(head(1), io(10, true, 1, 5), &mut out);
    ledger.close(head(1), &close(10, [4, 2], [130, 9]), KindSet::all(), &mut out);
    assert_eq!(
        told(&out),
        [
            ("file_read", 1, 100),
            ("file_write", 1, 5),
            ("file_read", 3, 30),
            ("file_write", 1, 4),
            ("file_close", 2, 9)
        ]
    );
    assert_eq!(ledger.folded, [2, 0]);
}

#[test]
fn a_lost_first_record_is_made_good_by_the_close() {
    let (mut ledger, mut out) = (Ledger::default(), Vec::new());
    ledger.close(head(1), &close(10, [3, 0], [30, 0]), KindSet::all(), &mut out);
    assert_eq!(told(&out), [("file_read", 3, 30)]);
}

#[test]
fn two_first_records_tell_nothing_twice() {
    let (mut ledger, mut out) = (Ledger::default(), Vec::new());
    ledger.io(head(1), io(10, false, 2, 20), &mut out);
    ledger.io(head(1), io(10, false, 1, 10), &mut out);
    assert_eq!(told(&out), [("file_read", 2, 20)]);
}

#[test]
fn single_calls_are_told_as_they_are() {
    let (mut ledger, mut out) = (Ledger::default(), Vec::new());
    for _ in 0..3 {
        ledger.io(head(1), io(0, true, 1, 8), &mut out);
    }
    let single = Close { single: true, ..close(11, [0, 3], [0, 24]) };
    ledger.close(head(1), &single, KindSet::all(), &mut out);
    assert_eq!(
        told(&out),
        [("file_write", 1, 8), ("file_write", 1, 8), ("file_write", 1, 8), ("file_close", 3, 24)]
    );
}

#[test]
fn an_address_used_again_starts_anew() {
    let (mut ledger, mut out) = (Ledger::default(), Vec::new());
    ledger.io(head(1), io(10, false, 1, 100), &mut out);
    ledger.io(head(1), io(20, false, 1, 100), &mut out);
    // The other process's use of the same file is its own.
    ledger.io(head(2), io(10, false, 1, 1), &mut out);
    assert_eq!(told(&out), [("file_read", 1, 100), ("file_read", 1, 100), ("file_read", 1, 1)]);
}

#[test]
fn the_sweep_tells_files_that_stay_open() {
    let (mut ledger, mut out) = (Ledger::default(), Vec::new());
    ledger.io(head(1), io(10, true, 1, 1), &mut out);
    out.clear();
    for (calls, want) in
        [(1, vec![]), (6, vec![("file_write", 5, 5)]), (6, vec![]), (7, vec![("file_write", 1, 1)])]
    {
        let table = [entry(10, [0, calls], [0, calls])];
        let delete = ledger.sweep(table.into_iter(), (5_000_000_000, 0), KindSet::all(), &mut out);
        assert!(delete.is_empty());
        assert_eq!(told(&out), want);
        out.clear();
    }
}

#[test]
fn the_sweep_closes_what_a_dead_process_left_open() {
    let (mut ledger, mut out) = (Ledger::default(), Vec::new());
    ledger.io(head(1), io(10, true, 1, 1), &mut out);
    ledger.exit(ProcessKey { tgid: 1, start_ns: 7 });
    out.clear();
    let delete = ledger.sweep([entry(10, [0, 3], [0, 9])].into_iter(), (11, 0), KindSet::all(), &mut out);
    assert_eq!(told(&out), [("file_write", 2, 8), ("file_close", 3, 9)]);
    assert_eq!(delete, [Key { file: KEY, tgid: 1 }]);
    // The pid's next owner is another process.
    let next = Entry { start_ns: 8, ..entry(12, [0, 1], [0, 1]) };
    assert!(ledger.sweep([next].into_iter(), (13, 0), KindSet::all(), &mut out).is_empty());
}

#[test]
fn the_sweep_waits_for_a_record_that_may_be_on_its_way() {
    let (mut ledger, mut out) = (Ledger::default(), Vec::new());
    let young = || [entry(10, [2, 0], [20, 0])].into_iter();
    ledger.sweep(young(), (1_000_000_000, 0), KindSet::all(), &mut out);
    assert_eq!(told(&out), []);
    ledger.sweep(young(), (3_000_000_000, 0), KindSet::all(), &mut out);
    assert_eq!(told(&out), [("file_read", 2, 20)]);
}

#[test]
fn a_close_that_found_no_room_is_told_by_the_sweep_once() {
    let (mut ledger, mut out) = (Ledger::default(), Vec::new());
    ledger.io(head(1), io(10, true, 1, 1), &mut out);
    out.clear();
    let table = || [Entry { closed: true, untold: true, ..entry(10, [0, 2], [0, 2]) }].into_iter();
    ledger.sweep(table(), (11, 0), KindSet::all(), &mut out);
    assert_eq!(told(&out), [("file_write", 1, 1), ("file_close", 2, 2)]);
    out.clear();
    ledger.sweep(table(), (12, 0), KindSet::all(), &mut out);
    ledger.close(head(1), &close(10, [0, 2], [0, 2]), KindSet::all(), &mut out);
    assert_eq!(told(&out), []);
}

#[test]
fn what_nobody_wants_is_not_told() {
    let (mut ledger, mut out) = (Ledger::default(), Vec::new());
    let reads = [Kind::FileRead].into_iter().collect();
    ledger.close(head(1), &close(10, [2, 2], [2, 2]), reads, &mut out);
    assert_eq!(told(&out), [("file_read", 2, 2)]);
}

#[test]
fn our_own_output_is_silent() {
    let (mut ledger, mut out) = (Ledger::default(), Vec::new());
    let own = Entry { own: true, ..entry(10, [0, 9], [0, 9]) };
    ledger.sweep([own].into_iter(), (9_000_000_000, 0), KindSet::all(), &mut out);
    assert_eq!(told(&out), []);
}

#[test]
fn the_ledger_forgets_what_is_closed() {
    let (mut ledger, mut out) = (Ledger::default(), Vec::new());
    for key in 0..1000 {
        let file = OpenFile { key, ..file(10) };
        ledger.io(head(1), Io { file, ..io(10, false, 1, 1) }, &mut out);
    }
    ledger.sweep(std::iter::empty(), (9_000_000_000, 0), KindSet::all(), &mut out);
    assert_eq!(ledger.len(), 0);
}
