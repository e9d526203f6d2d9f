use std::fs;

use serde_yaml::Value;

use super::*;

fn refused(text: &str) -> String {
    Config::parse("d.yaml", text).unwrap_err().to_string()
}

#[test]
fn nothing_means_defaults() {
    for text in ["", "# comment\n", "{}", "grpc:\nhttp: {}\n", "logLevel:\n", "grpc: {tls: {cert: }}"] {
        assert_eq!(Config::parse("d.yaml", text).unwrap(), Config::default(), "{text:?}");
    }
}

#[test]
fn errors_name_file_key_value_and_remedy() {
    for (text, parts) in [
        ("logLevl: info", &["d.yaml: logLevl: unknown field `logLevl`", "did you mean \"logLevel\"?"][..]),
        ("http: {prot: 1}", &["d.yaml: http.prot: unknown field `prot`", "did you mean \"port\"?"]),
        ("http: {port: 70000}", &["d.yaml: http.port: ", "70000", "u16"]),
        ("http: {address: localhost}", &["d.yaml: http.address: expected an IP address", "\"localhost\""]),
        ("http: {port: 50051}", &["d.yaml: http.port: 50051 is the gRPC port already; choose another"]),
        ("http: {token: short}", &["d.yaml: http.token: expected at least 16", "openssl rand -hex 32"]),
        ("http: {token: 'has a blank in the middle'}", &["d.yaml: http.token: "]),
        ("http: {corsOrigins: ['*']}", &["d.yaml: http.corsOrigins: expected http://", "\"*\""]),
        ("grpc: {tls: {cert: /c}}", &["d.yaml: grpc.tls.cert: needs grpc.tls.key too"]),
        ("grpc: {tls: {clientCa: /c}}", &["d.yaml: grpc.tls.clientCa: needs grpc.tls.cert"]),
        (
            "grpc: {maxMessageBytes: 1}",
            &["d.yaml: grpc.maxMessageBytes: expected 65536 to 67108864, found 1"],
        ),
        ("engines: [pass-trough]", &["d.yaml: engines[0]: ", "did you mean \"pass-through\"?"]),
        ("baseline: {threshold: 0}", &["d.yaml: baseline.threshold: expected above 0 and up to 1, found 0"]),
        ("outputs: {stdot: {}}", &["d.yaml: outputs.stdot: unknown field", "did you mean \"stdout\"?"]),
        ("outputs: {file: {path: a}}", &["d.yaml: outputs.file.path: expected an absolute path"]),
        ("external: {timeoutMs: 0}", &["d.yaml: external.timeoutMs: expected 1 to 60000, found 0"]),
        ("engines: [pass-through, pass-through]", &["d.yaml: engines: ", "twice; remove one"]),
        ("history: {retention: {age: 30}}", &["d.yaml: history.retention.age: "]),
        ("history: {retention: {age: 3 weeks}}", &["expected a number with s, m, h or d", "\"3 weeks\""]),
        ("history: {retention: {bytes: 1}}", &["d.yaml: history.retention.bytes: expected 16777216 to"]),
        ("[1]", &["d.yaml: top level: "]),
        ("a: [", &["d.yaml: ", "line 2"]),
    ] {
        let message = refused(text);
        for part in parts {
            assert!(message.contains(part), "{text}: {message}");
        }
    }
}

#[test]
fn listening_for_everybody_without_protection_warns() {
    let warnings = |text: &str| Config::parse("d.yaml", text).unwrap().warnings();
    assert_eq!(warnings(""), Vec::<String>::new());
    assert_eq!(warnings("grpc: {address: '::1'}\nhttp: {address: 127.0.0.1}"), Vec::<String>::new());
    let open = warnings("grpc: {address: 0.0.0.0}\nhttp: {address: '::'}");
    assert!(open[0].contains("neither encrypted nor authenticated; set grpc.tls"), "{open:?}");
    assert!(open[1].contains("anybody who reaches it can read all alerts; set http.token"), "{open:?}");
    let bus = warnings(
        "nats: {servers: ['nats://u:secret@bus:4222/']}\nengines: [external]\nexternal: {endpoint: 'http://ai:1'}",
    );
    assert!(bus[0].starts_with("nats.servers has bus:4222: ") && bus[1].contains("http://ai:1"), "{bus:?}");
    let safe =
        "nats: {servers: ['tls://bus:4222', 'nats://localhost:4222']}\nexternal: {endpoint: 'http://ai:1'}";
    assert_eq!(warnings(safe), Vec::<String>::new());
    let guarded = "grpc: {address: 0.0.0.0, tls: {cert: /c, key: /k, clientCa: /a}}\n\
                   http: {address: '::', token: 0123456789abcdef}";
    assert_eq!(warnings(guarded), Vec::<String>::new());
}

#[test]
fn the_environment_overrides_the_token() {
    let secret = "fedcba9876543210";
    let read = |text, token: &str| {
        sentinel_service::parse::<Config>("d.yaml", text).unwrap().checked("d.yaml", Some(token.to_owned()))
    };
    let config = read("http: {token: 0123456789abcdef}", secret).unwrap();
    assert_eq!(config.http.token.as_deref(), Some(secret));
    assert!(read("", "short").is_err());
}

#[test]
fn ages_are_written_as_they_are_read() {
    for (text, seconds) in [("45s", 45), ("90m", 5400), ("12h", 43_200), ("30d", 2_592_000)] {
        let age: Age = serde_yaml::from_str(text).unwrap();
        assert_eq!((age.duration().as_secs(), age.to_string().as_str()), (seconds, text));
    }
    for text in ["", "d", "-1d", "1w", "1.5h", "99999999999d", "é"] {
        assert!(serde_yaml::from_str::<Age>(&format!("{text:?}")).is_err(), "{text:?}");
    }
}

#[test]
fn a_missing_file_is_an_error_only_when_it_was_named() {
    let message = Config::load(Some(Path::new("/nonexistent/d.yaml"))).unwrap_err().to_string();
    assert!(message.starts_with("/nonexistent/d.yaml: ") && message.contains("create it"), "{message}");
}

#[test]
fn every_key_is_documented() {
    let text = reference().unwrap();
    fn leaves(value: &Value) -> usize {
        value.as_mapping().map_or(0, |keys| keys.iter().map(|(_, value)| 1 + leaves(value)).sum())
    }
    let mut values = serde_yaml::to_value(Config::default()).unwrap();
    values["outputs"] = Value::Null;
    let keys = leaves(&values) + sentinel_sink::documented().len();
    assert_eq!(text.lines().filter(|line| line.starts_with("| `")).count(), keys);
}

#[test]
fn the_reference_is_fresh() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/reference/detector-config.md");
    let text = reference().unwrap();
    if std::env::var_os("UPDATE").is_some() {
        fs::write(&path, &text).unwrap();
    }
    assert!(
        fs::read_to_string(&path).unwrap_or_default() == text,
        "stale: run UPDATE=1 cargo test -p sentinel-detector"
    );
}

proptest::proptest! {
    #[test]
    fn no_text_panics(text in proptest::prelude::any::<String>()) {
        let _ = Config::parse("d", &text);
    }
}

#[test]
fn an_address_with_a_password_is_checked_and_never_shown() {
    let of = |url: &str| Config::parse("c", &format!("history: {{postgresUrl: '{url}'}}"));
    let config = of("postgresql://us:secret@db.example:5433/fleet").unwrap();
    assert!(!format!("{config:?}").contains("secret"));
    let shown = config.history.postgres_url.as_ref().unwrap().to_string();
    assert_eq!(shown, "postgresql://db.example:5433/fleet");
    let warned = config.warnings().join("\n");
    assert!(warned.contains("db.example") && warned.contains("sslmode=require"), "{warned}");
    for quiet in ["postgresql://us@db.example/fleet?sslmode=require", "postgresql://us@localhost/fleet"] {
        assert_eq!(of(quiet).unwrap().warnings(), [""; 0], "{quiet}");
    }
    for (url, expected) in [
        ("postgresql://us:secret@db/fleet?sslmode=sometimes", "sslmode"),
        ("mysql://us:secret@db/fleet", "expected postgresql://"),
        ("host=db user=us password=secret", "expected postgresql://"),
        ("postgresql://db/fleet", "a user is missing"),
        ("postgresql://us:secret@/fleet", "a host"),
    ] {
        let said = of(url).unwrap_err().to_string();
        assert!(said.contains("history.postgresUrl") && said.contains(expected), "{url}: {said}");
        assert!(!said.contains("secret"), "{said}");
    }
}
