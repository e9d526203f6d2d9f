use std::sync::Arc;

use chrono::FixedOffset;
use proptest::prelude::*;
use sentinel_event::{
    Comm, Event, Exec, FileIo, FileOpen, Head, Kind, Loss, LossCause, Process, ProcessKey, Stage, Text,
};

use super::*;

const SECOND_NS: u64 = 1_000_000_000;
/// 2026-01-02 03:04:05.678 UTC.
const NOW_NS: u64 = 1_767_323_045_678_000_000;

fn live(color: bool) -> Live<Vec<u8>, FixedOffset> {
    let zone = FixedOffset::east_opt(3600).unwrap();
    Live::new(Vec::new(), Look { color, fold: true, zone })
}

fn event(comm: &str, pid: u32, real_ns: u64, body: Body) -> Observation {
    let head = Head {
        real_ns,
        process: ProcessKey { tgid: pid, start_ns: 9 },
        parent: ProcessKey { tgid: 1, start_ns: 1 },
        comm: Comm::from(comm),
        ..Head::default()
    };
    Observation {
        event: Event { head, body },
        process: None,
        ancestors: Arc::default(),
        container_id: None,
        workload: None,
    }
}

fn child_of(mut observation: Observation, comm: &str, pid: u32) -> Observation {
    let key = ProcessKey { tgid: pid, start_ns: 2 };
    observation.ancestors = [Arc::new(Process { key, comm: comm.into(), ..Process::default() })].into();
    observation
}

fn exec(exe: &str) -> Body {
    Body::Exec(Exec { exe: exe.into(), argv: vec![exe.into()], ..Exec::default() })
}

fn io(kind: Kind, ino: u64, bytes: u64, calls: u64) -> Body {
    let io = FileIo { path: format!("/f{ino}").as_str().into(), ino, bytes, calls, ..FileIo::default() };
    if kind == Kind::FileWrite { Body::FileWrite(io) } else { Body::FileRead(io) }
}

fn text(live: Live<Vec<u8>, FixedOffset>) -> String {
    String::from_utf8(live.out).unwrap()
}

fn drawn(batch: &[Observation], width: Option<usize>) -> String {
    let mut live = live(false);
    live.draw(batch, NOW_NS, width).unwrap();
    text(live)
}

#[test]
fn a_line_tells_when_what_who_and_where() {
    let mut observation = child_of(event("id", 20, NOW_NS, exec("/usr/bin/id")), "bash", 10);
    observation.container_id = Some(format!("{:064x}", 0xabc).into());
    let mut failed = event("cat", 21, NOW_NS, Body::FileOpen(FileOpen::default()));
    failed.event.head.result = -13;
    if let Body::FileOpen(open) = &mut failed.event.body {
        open.asked.path = "/etc/shadow".into();
    }
    assert_eq!(
        drawn(&[observation, failed], None),
        "04:04:05.678 exec          id[20] ← bash[10]                /usr/bin/id 000000000000\n\
         04:04:05.678 file_open     cat[21] ← [1]                    /etc/shadow EACCES\n"
    );
}

#[test]
fn no_name_forges_a_line_or_a_field() {
    let names =
        ["\n04:04:05.678 exec", "\x1b[2K\x1b[1A", "a\r", "sh[1] ← init", "\u{202e}gpj", "x\u{85}y", "…"];
    for name in names {
        let hostile = child_of(event(name, 20, NOW_NS, exec(name)), name, 10);
        let shown = drawn(&[hostile], Some(80));
        assert_eq!(shown.matches('\n').count(), 1, "{shown}");
        assert!(!shown.trim_end_matches('\n').chars().any(char::is_control), "{shown}");
        let unquoted: String = shown.split('"').step_by(2).collect();
        assert_eq!(unquoted.matches('←').count(), 1, "{shown}");
        assert!(shown.contains("[20]") && shown.contains("[10]"), "{shown}");
    }
}

#[test]
fn lines_fit_the_terminal() {
    let long = event(&"\u{ff}".repeat(15), 4_000_000, NOW_NS, exec(&"/文書".repeat(100)));
    for width in [0, 1, 20, 40, 80, 120] {
        let shown = drawn(&[child_of(long.clone(), "\x01\x02\x03\x04\x05\x06\x07\x08", 10)], Some(width));
        assert!(visible::columns(shown.trim_end()) <= width, "{width}: {shown}");
    }
}

#[test]
fn a_loss_stands_out() {
    let loss = Loss { stage: Stage::Ring, cause: LossCause::Full, kind: Some(Kind::Exec), count: 1234 };
    let mut live = live(true);
    live.draw(&[event("", 0, NOW_NS, Body::Loss(loss))], NOW_NS, Some(80)).unwrap();
    live.finish(Duration::from_millis(1500), Some(80)).unwrap();
    assert_eq!(
        text(live),
        "\x1b[2m04:04:05.678\x1b[0m \x1b[1;37;41mloss         \x1b[0m \
         \x1b[1;37;41m1234 exec lost at ring: full\x1b[0m\n1.5 s: 0 events, 0 alerts, 1234 lost\n"
    );
}

#[test]
fn reads_and_writes_of_a_second_are_one_line() {
    let mut live = live(false);
    let second = NOW_NS / SECOND_NS * SECOND_NS;
    let batch = [
        event("cat", 20, second, io(Kind::FileRead, 1, 100, 1)),
        event("cat", 20, second + 1, io(Kind::FileRead, 1, 4000, 9)),
        event("dd", 21, second + 2, io(Kind::FileRead, 1, 1, 1)),
        event("dd", 21, second + 3, io(Kind::FileWrite, 2, 2, 1)),
        event("tee", 22, second + 4, io(Kind::FileWrite, 3, 3 << 20, 7)),
    ];
    live.draw(&batch, second + 5, None).unwrap();
    assert_eq!(live.out, b"");
    live.draw(&[], second + SECOND_NS, None).unwrap();
    live.draw(&[event("cat", 20, second + SECOND_NS, io(Kind::FileRead, 1, 5, 1))], second + SECOND_NS, None)
        .unwrap();
    live.finish(Duration::from_secs(2), None).unwrap();
    assert_eq!(
        text(live),
        "04:04:05.000 file_read     cat[20] ← [1]                    /f1 read 4.0 KiB in 10 calls\n\
         04:04:05.000 read+write    dd[21] ← [1]                     2 files read 1 B in 1 call, wrote 2 B in 1 call\n\
         04:04:05.000 file_write    tee[22] ← [1]                    /f3 wrote 3.0 MiB in 7 calls\n\
         04:04:06.000 file_read     cat[20] ← [1]                    /f1 read 5 B in 1 call\n\
         2.0 s: 6 events (file_read 4, file_write 2), 0 alerts, 0 lost\n"
    );
}

#[test]
fn sums_that_the_kernel_reports_late_make_no_lines_of_their_own() {
    let mut live = live(false);
    for n in 0..50 {
        let late = NOW_NS - (n % 2) * SECOND_NS;
        live.draw(&[event("cat", 20, late, io(Kind::FileRead, n, 1, 1))], NOW_NS, None).unwrap();
    }
    live.finish(Duration::ZERO, None).unwrap();
    let shown = text(live);
    assert_eq!(shown.lines().count(), 2, "{shown}");
    assert!(shown.contains("50 files read 50 B in 50 calls"), "{shown}");
}

#[test]
fn a_flood_of_processes_does_not_grow_the_sums_without_bound() {
    let mut live = live(false);
    let batch: Vec<_> = (1..10_000).map(|pid| event("p", pid, NOW_NS, io(Kind::FileRead, 1, 1, 1))).collect();
    live.draw(&batch, NOW_NS, None).unwrap();
    live.finish(Duration::ZERO, None).unwrap();
    let shown = text(live);
    assert_eq!((shown.lines().count(), sums(&shown)), (10_000, (9_999, 9_999)));
}

/// Bytes and calls of all lines.
fn sums(shown: &str) -> (u64, u64) {
    let words: Vec<&str> = shown.split_whitespace().collect();
    let told = words.windows(5).filter(|w| w[1] == "B" && w[2] == "in" && w[4].starts_with("call"));
    told.fold((0, 0), |(bytes, calls), w| {
        (bytes + w[0].parse::<u64>().unwrap(), calls + w[3].parse::<u64>().unwrap())
    })
}

proptest! {
    #[test]
    fn folding_loses_nothing(
        steps in prop::collection::vec((0u32..6, 0u64..4, 0u64..3, any::<bool>(), 0u64..3_000), 0..200),
    ) {
        let (mut live, mut now_ns, mut expected) = (live(false), NOW_NS, (0, 0));
        for (pid, bytes, calls, write, wait_ms) in steps {
            now_ns += wait_ms * 1_000_000;
            let kind = if write { Kind::FileWrite } else { Kind::FileRead };
            // Some arrive late, some from the future.
            let at = now_ns + 500_000_000 - u64::from(pid) * 300_000_000;
            live.draw(&[event("p", pid + 10, at, io(kind, bytes, bytes, calls + 1))], now_ns, None).unwrap();
            expected = (expected.0 + bytes, expected.1 + calls + 1);
        }
        live.finish(Duration::ZERO, None).unwrap();
        prop_assert_eq!(sums(&text(live)), expected);
    }

    #[test]
    fn whatever_the_bytes_a_line_is_a_line(comm: [u8; 16], path: Vec<u8>, width in 0usize..200) {
        let mut hostile = event("", 20, NOW_NS, Body::Exec(Exec {
            exe: sentinel_event::Path { bytes: Text::from(path.clone()), ..Default::default() },
            argv: vec![path.into()],
            ..Exec::default()
        }));
        hostile.event.head.comm = Comm::new(comm);
        let shown = drawn(&[hostile], Some(width));
        prop_assert!(visible::columns(shown.trim_end()) <= width);
        prop_assert_eq!(shown.chars().filter(|c| c.is_control()).count(), 1);
    }
}
