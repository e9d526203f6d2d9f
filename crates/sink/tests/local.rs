//! Files, syslog and the journal, each with a peer that is real but for its content.
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing)] // helpers of tests are tests

mod common;

use std::{
    io::BufReader,
    net::{TcpListener, TcpStream, UdpSocket},
    os::unix::net::{UnixDatagram, UnixListener},
    time::Duration,
};

use common::{LONG, alert, counters, outputs, parse, until};
use sentinel_sink::{Dedup, DropCause, OrOff, Outputs, RateLimit, Suppression};

#[test]
fn a_file_holds_a_line_an_alert_in_the_form_it_is_told() {
    let dir = tempfile::tempdir().unwrap();
    for (format, expected) in [
        (
            "sentinel",
            "{\"rule_id\":\"a_rule\",\"reason\":\"x\"}\n{\"rule_id\":\"a_rule\",\"reason\":\"y\"}\n",
        ),
        ("falco", "{\"output\":\"x\",\"output_fields\":{}}\n{\"output\":\"y\",\"output_fields\":{}}\n"),
        ("text", "22:13:20.123456789: Warning x\n22:13:20.123456789: Warning y\n"),
    ] {
        let path = dir.path().join(format);
        let outputs = outputs(&format!("file: {{path: {}, format: {format}}}", path.display()));
        outputs.send(&alert("x"));
        outputs.send(&alert("y"));
        outputs.stop(LONG);
        assert_eq!(std::fs::read_to_string(&path).unwrap(), expected);
        assert_eq!(counters(&outputs).delivered, 2);
    }
}

const HEAD: &str = "<28>1 2023-11-14T22:13:20.123456Z node sentinel ";
const DATA: &str = " alert [sentinel@32473 alert_id=\"0190b6f5-0000-7000-8000-000000000001\" rule_id=\"a_rule\" rule=\"A rule\" severity=\"medium\" risk_score=\"55\" pid=\"7\" filename=\"/tmp/a\\\\u{a}b\"] ";

fn message(text: &str) -> String {
    format!("{HEAD}{}{DATA}{text}", std::process::id())
}

/// One message of a stream with counted octets.
fn counted(from: &mut impl std::io::BufRead) -> String {
    let mut count = Vec::new();
    from.read_until(b' ', &mut count).unwrap();
    let count: usize = String::from_utf8(count).unwrap().trim().parse().unwrap();
    let mut message = vec![0; count];
    from.read_exact(&mut message).unwrap();
    String::from_utf8(message).unwrap()
}

fn accept(listener: &TcpListener) -> BufReader<TcpStream> {
    let (stream, _) = listener.accept().unwrap();
    stream.set_read_timeout(Some(LONG)).unwrap();
    BufReader::new(stream)
}

#[test]
fn syslog_goes_by_udp() {
    let server = UdpSocket::bind("127.0.0.1:0").unwrap();
    server.set_read_timeout(Some(LONG)).unwrap();
    let outputs = outputs(&format!("syslog: {{address: 'udp://{}'}}", server.local_addr().unwrap()));
    outputs.send(&alert("x"));
    let mut buffer = [0; 4096];
    let size = server.recv(&mut buffer).unwrap();
    assert_eq!(std::str::from_utf8(&buffer[..size]).unwrap(), message("x"));
    outputs.stop(LONG);
}

#[test]
fn syslog_goes_by_tcp_to_a_server_that_comes_back() {
    let server = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = server.local_addr().unwrap();
    let outputs = outputs(&format!("syslog: {{address: 'tcp://{address}'}}"));
    outputs.send(&alert("x"));
    outputs.send(&alert("y\nz"));
    let mut stream = accept(&server);
    assert_eq!([counted(&mut stream), counted(&mut stream)], [message("x"), message("y\\u{a}z")]);

    // The server restarts: what is sent meanwhile waits.
    drop((stream, server));
    outputs.send(&alert("1"));
    until("it is noticed", || counters(&outputs).retries > 0);
    assert!(!outputs.status()[0].counters.up);
    let server = TcpListener::bind(address).unwrap();
    outputs.send(&alert("2"));
    let mut stream = accept(&server);
    assert_eq!([counted(&mut stream), counted(&mut stream)], [message("1"), message("2")]);
    outputs.stop(LONG);
    let counters = counters(&outputs);
    assert_eq!((counters.delivered, counters.dropped_all(), counters.up), (4, 0, true));
}

#[test]
fn syslog_goes_by_local_sockets_of_both_types() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("log");
    let server = UnixDatagram::bind(&path).unwrap();
    server.set_read_timeout(Some(LONG)).unwrap();
    let datagram = outputs(&format!("syslog: {{address: {}, format: sentinel}}", path.display()));
    datagram.send(&alert("x"));
    let mut buffer = [0; 4096];
    let size = server.recv(&mut buffer).unwrap();
    let object = r#"{"rule_id":"a_rule","reason":"x"}"#;
    assert_eq!(std::str::from_utf8(&buffer[..size]).unwrap(), message(object));

    let path = dir.path().join("stream");
    let server = UnixListener::bind(&path).unwrap();
    let stream = outputs(&format!("syslog: {{address: {}}}", path.display()));
    stream.send(&alert("x"));
    let (peer, _) = server.accept().unwrap();
    peer.set_read_timeout(Some(LONG)).unwrap();
    assert_eq!(counted(&mut BufReader::new(peer)), message("x"));
}

#[test]
fn a_syslog_server_that_does_not_read_costs_itself() {
    let server = TcpListener::bind("127.0.0.1:0").unwrap();
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("alerts");
    let yaml = format!(
        "{{syslog: {{address: 'tcp://{}'}}, file: {{path: {}}}}}",
        server.local_addr().unwrap(),
        path.display()
    );
    let outputs = outputs(&yaml);
    let long = "x".repeat(100_000);
    let begun = std::time::Instant::now();
    for number in 0..100 {
        outputs.send(&alert(&format!("{number} {long}")));
    }
    assert!(begun.elapsed() < Duration::from_secs(2), "nobody waits: {:?}", begun.elapsed());
    until("the file has all", || outputs.status()[0].counters.delivered == 100);
    assert!(outputs.status()[1].counters.delivered < 100);
    outputs.stop(Duration::ZERO);
    let syslog = outputs.status()[1].counters;
    assert_eq!(syslog.taken, 100);
}

/// Fields of a datagram in the journal's own form.
fn fields(mut entry: &[u8]) -> Vec<(String, Vec<u8>)> {
    let mut fields = Vec::new();
    while !entry.is_empty() {
        let line = entry.iter().position(|byte| *byte == b'\n').unwrap();
        let (head, rest) = (&entry[..line], &entry[line + 1..]);
        match head.iter().position(|byte| *byte == b'=') {
            Some(at) => {
                fields.push((String::from_utf8(head[..at].to_vec()).unwrap(), head[at + 1..].to_vec()));
                entry = rest;
            }
            None => {
                let size = usize::try_from(u64::from_le_bytes(rest[..8].try_into().unwrap())).unwrap();
                fields.push((String::from_utf8(head.to_vec()).unwrap(), rest[8..8 + size].to_vec()));
                assert_eq!(rest[8 + size], b'\n');
                entry = &rest[9 + size..];
            }
        }
    }
    fields
}

#[test]
fn the_journal_gets_fields_of_its_own() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("socket");
    let yaml = format!("journald: {{socket: {}}}", path.display());
    let outputs = outputs(&yaml);
    outputs.send(&alert("x"));
    until("the journal is missed", || counters(&outputs).retries > 0);
    let journal = UnixDatagram::bind(&path).unwrap();
    journal.set_read_timeout(Some(LONG)).unwrap();
    let mut buffer = [0; 4096];
    let size = journal.recv(&mut buffer).unwrap();
    let found = fields(&buffer[..size]);
    for (name, value) in [
        ("MESSAGE", "x"),
        ("PRIORITY", "4"),
        ("SYSLOG_IDENTIFIER", "sentinel"),
        ("RULE_ID", "a_rule"),
        ("RULE", "A rule"),
        ("SEVERITY", "medium"),
        ("RISK_SCORE", "55"),
        ("PID", "7"),
        ("FILENAME", "/tmp/a\nb"),
    ] {
        assert!(found.contains(&(name.to_owned(), value.as_bytes().to_vec())), "{name} in {found:?}");
    }
}

#[test]
fn repetition_is_held_back_and_told() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("alerts");
    let config = parse(&format!("file: {{path: {}}}", path.display()));
    let suppression = Suppression {
        dedup: OrOff(Some(Dedup { window_seconds: 3600 })),
        rate_limit: OrOff(Some(RateLimit { alerts: 3, per_seconds: 3600 })),
    };
    let outputs = Outputs::start(&config, &suppression, "node").unwrap();
    for reason in ["a", "a", "a", "b", "c", "d", "e"] {
        outputs.send(&alert(reason));
    }
    assert_eq!(outputs.suppressed(), (2, 2));
    let by_rule = outputs.suppressed_by_rule();
    let [one] = &by_rule[..] else { panic!("{by_rule:?}") };
    assert_eq!((&*one.rule, one.dedup, one.rate_limit), (&*alert("a").rule, 2, 2));
    outputs.stop(LONG);
    let lines = std::fs::read_to_string(&path).unwrap();
    let lines: Vec<serde_json::Value> =
        lines.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let told: Vec<_> =
        lines.iter().map(|line| (line["reason"].as_str().unwrap(), &line["suppressed"]["count"])).collect();
    assert_eq!(told.len(), 5, "{told:?}");
    assert_eq!([told[0].0, told[1].0, told[2].0], ["a", "b", "c"]);
    assert_eq!([told[3].1, told[4].1], [2, 2]);
    assert!(told[3].0.contains("first=2023-11-14T22:13:20.123456789Z"), "{}", told[3].0);
}

#[test]
fn a_window_that_is_over_is_told_while_nothing_happens() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("alerts");
    let config = parse(&format!("file: {{path: {}}}", path.display()));
    let dedup = OrOff(Some(Dedup { window_seconds: 1 }));
    let outputs = Outputs::start(&config, &Suppression { dedup, ..Suppression::default() }, "node").unwrap();
    outputs.send(&alert("a"));
    outputs.send(&alert("a"));
    until("the summary is there", || outputs.status()[0].counters.delivered == 2);
}

#[test]
fn what_cannot_be_is_refused_with_its_key() {
    for (yaml, expected) in [
        (
            "syslog: {address: 'log:514'}",
            "outputs.syslog.address: expected udp://HOST:PORT, tcp://HOST:PORT or an absolute path, found \"log:514\"",
        ),
        ("file: {path: alerts}", "outputs.file.path: expected an absolute path, found \"alerts\""),
        ("file: {rotateMaxFiles: 0}", "outputs.file.rotateMaxFiles: expected 1 or more, found 0"),
        ("http: {}", "outputs.http.url: expected http://HOST… or https://HOST…, found \"\""),
        (
            "http: {url: 'ftp://x'}",
            "outputs.http.url: expected http://HOST… or https://HOST…, found \"ftp://x\"",
        ),
        (
            "http: {url: 'http://x', headers: {'a b': c}}",
            "outputs.http.headers.a b: not a header: a name is a word, and a value has no line's end",
        ),
        (
            "http: {url: 'https://x', tls: {cert: /x}}",
            "outputs.http.tls.key: missing; cert is set, and the two go together",
        ),
        (
            "http: {url: 'https://x', tls: {ca: /does/not/exist}}",
            "outputs.http.tls.ca: /does/not/exist: No such file or directory (os error 2); correct the path, or let this program read it",
        ),
        (
            "http: {url: 'http://x', batch: {alerts: 0}}",
            "outputs.http.batch.alerts: expected 1 or more, found 0",
        ),
    ] {
        let error = Outputs::start(&parse(yaml), &Suppression::default(), "node").unwrap_err();
        assert_eq!(error.to_string(), expected);
    }
    let dedup = OrOff(Some(Dedup { window_seconds: 0 }));
    let error = Suppression { dedup, ..Suppression::default() }.check().unwrap_err();
    assert_eq!(error.to_string(), "outputs.dedup.windowSeconds: expected 1 or more, found 0");
}

#[test]
fn a_configuration_is_read_as_it_is_documented() {
    let config = parse(
        "{stdout: {format: falco}, file: {path: /a, rotateMaxBytes: 5, rotateMaxFiles: 2}, journald: {},
          http: {url: 'https://x', tls: {ca: /c}, headers: {A: b}, extraFields: {env: prod}, batch: {alerts: 9}, spool: {path: /s, maxBytes: 7}},
          syslog: {facility: local3}}",
    );
    assert!(config.stdout.is_some() && config.journald.is_some());
    assert_eq!(config.syslog.unwrap().facility.number(), 19);
    let http = config.http.unwrap();
    assert_eq!((http.batch.alerts, http.spool.max_bytes, http.extra_fields["env"].as_str()), (9, 7, "prod"));
    assert!(serde_yaml::from_str::<sentinel_sink::OutputsConfig>("{files: {}}").is_err());
    assert!(serde_yaml::from_str::<sentinel_sink::OutputsConfig>("{syslog: {facility: kern}}").is_err());
    assert!(sentinel_sink::OutputsConfig::default().stdout.is_some());
    assert!(parse("{}").stdout.is_none(), "{{}} is none");

    for (yaml, expected) in
        [("off", None), ("false", None), ("{windowSeconds: 7}", Some(Dedup { window_seconds: 7 }))]
    {
        assert_eq!(serde_yaml::from_str::<OrOff<Dedup>>(yaml).unwrap().0, expected, "{yaml}");
    }
    for yaml in ["on", "true", "7", "{window: 7}"] {
        assert!(serde_yaml::from_str::<OrOff<Dedup>>(yaml).is_err(), "{yaml}");
    }
    assert_eq!(serde_yaml::to_string(&OrOff::<Dedup>(None)).unwrap(), "off\n");
}

#[test]
fn a_file_that_another_process_has_is_waited_for() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("alerts");
    let yaml = format!("file: {{path: {}}}", path.display());
    let (one, other) = (outputs(&yaml), outputs(&yaml));
    one.send(&alert("1"));
    until("the first has it", || counters(&one).delivered == 1);
    other.send(&alert("2"));
    until("the second waits", || counters(&other).retries > 0);
    one.stop(LONG);
    until("the second has it", || counters(&other).delivered == 1);
    other.stop(LONG);
    assert_eq!(counters(&other).dropped(DropCause::Stopped), 0);
    assert_eq!(std::fs::read_to_string(&path).unwrap().lines().count(), 2);
}
