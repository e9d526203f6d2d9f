use std::fs;

use serde_yaml::Value;

use super::*;

fn refused(text: &str) -> String {
    Config::parse("c.yaml", text).unwrap_err().to_string()
}

#[test]
fn nothing_means_defaults() {
    for text in ["", "# comment\n", "{}", "stream:\nhealth: {}\n", "logLevel:\n"] {
        assert_eq!(Config::parse("c.yaml", text).unwrap(), Config::default(), "{text:?}");
    }
}

#[test]
fn the_documented_example_is_what_the_keys_mean() {
    let text = "
logLevel: debug
rulesFile: /r.yaml
stream: {mode: [stdout], batchSize: 10, queueLength: 20, file: {path: /e, rotateMaxBytes: 1, rotateMaxFiles: 2, compress: true}}
grpc: {endpoint: 'localhost:50051', tls: {enabled: false}}
detection: {rules: [builtin, /r.d], matching: all, minimumPriority: NOTICE, watch: false,
  dedup: {windowSeconds: 60}, rateLimit: 'off', outputs: {file: {format: falco}, syslog: {}},
  select: [{disable: {rule: '*'}}, {enable: {tag: t}}],
  appendOutput: [{match: {rule: 'a*', source: syscall, tags: [x]}, extraOutput: 'cwd=%proc.cwd',
    extraFields: [proc.cwd, {where: '%proc.name in %proc.cwd'}], suggestedOutput: true}], staticFields: {cluster: east}}
capture: {aggregate: false, buffers: false, dns: true, compat: true}
health: {address: '::', port: 0}
metrics: {enabled: false, address: 0.0.0.0, port: 1}
";
    let config = Config::parse("c.yaml", text).unwrap();
    assert_eq!(config.log_level, LogLevel::Debug);
    assert_eq!((config.stream.batch_size, config.stream.queue_length), (10, 20));
    assert_eq!((config.health.address.as_str(), config.health.port), ("::", 0));
    assert!(!config.capture.aggregate && config.capture.compat && !config.metrics.enabled);
    assert!(!config.rules_file_is_default());
    assert_eq!(config.detection.minimum_priority.0, sentinel_event::Priority::Notice);
    assert!(config.detection.select.iter().all(|select| select.choice().is_some()));
    let again = serde_yaml::to_string(&config).unwrap();
    assert_eq!(Config::parse("again", &again).unwrap(), config, "{again}");
}

#[test]
fn errors_name_file_key_value_and_remedy() {
    for (text, parts) in [
        ("logLevl: info", &["c.yaml: logLevl: unknown field `logLevl`", "did you mean \"logLevel\"?"][..]),
        ("health: {prot: 1}", &["c.yaml: health.prot: unknown field `prot`", "did you mean \"port\"?"]),
        ("health: {port: 70000}", &["c.yaml: health.port: ", "70000", "u16"]),
        ("health: {port: http}", &["c.yaml: health.port: ", "\"http\""]),
        (
            "health: {address: localhost}",
            &["c.yaml: health.address: expected an IP address", "\"localhost\""],
        ),
        ("metrics: {address: 127.0.0.1:9}", &["c.yaml: metrics.address: expected an IP address"]),
        ("metrics: {port: 9101}", &["c.yaml: metrics.port: 9101 is the health port already; choose another"]),
        ("logLevel: inof", &["c.yaml: logLevel: unknown variant `inof`", "did you mean \"info\"?"]),
        ("grpc: {endpoint: nowhere}", &["c.yaml: grpc.endpoint: expected HOST:PORT, found \"nowhere\""]),
        (
            "stream: {file: {path: events}}",
            &["c.yaml: stream.file.path: expected an absolute path, found \"events\""],
        ),
        ("stream: {mode: []}", &["c.yaml: stream.mode: ", "empty list"]),
        ("stream: {mode: sdtout}", &["c.yaml: stream.mode: ", "did you mean \"stdout\"?"]),
        ("stream: {mode: 5}", &["c.yaml: stream.mode: ", "a mode (stdout) or a list of modes"]),
        ("stream: {batchSize: 0}", &["c.yaml: stream.batchSize: expected 1 to 4096, found 0"]),
        ("stream: {queueLength: 70000}", &["c.yaml: stream.queueLength: expected 1 to 65536, found 70000"]),
        (
            "capture: {ringBytes: 100000}",
            &["c.yaml: capture.ringBytes: expected a power of two, found 100000"],
        ),
        (
            "capture: {ringBytes: 4096}",
            &["c.yaml: capture.ringBytes: expected 65536 to 1073741824, found 4096"],
        ),
        ("detection: {rules: builtin}", &["c.yaml: detection.rules: ", "expected a sequence"]),
        (
            "detection: {rules: ['']}",
            &["c.yaml: detection.rules[0]: expected a file, a directory or builtin"],
        ),
        ("detection: {matching: frist}", &["c.yaml: detection.matching: ", "did you mean \"first\"?"]),
        (
            "detection: {minimumPriority: high}",
            &["c.yaml: detection.minimumPriority: unknown priority \"high\"", "critical, error, warning"],
        ),
        (
            "detection: {select: [{enable: {rule: a}, disable: {}}]}",
            &["c.yaml: detection.select[0]: ", "one of"],
        ),
        (
            "detection: {select: [{disable: {name: a}}]}",
            &["c.yaml: detection.select[0].disable.name: unknown"],
        ),
        ("detection: {outputs: {stdot: {}}}", &["c.yaml: detection.outputs.stdot: unknown", "\"stdout\"?"]),
        (
            "detection: {outputs: {file: {path: a}}}",
            &["c.yaml: detection.outputs.file.path: expected an absolute"],
        ),
        (
            "detection: {dedup: {windowSeconds: 0}}",
            &["c.yaml: detection.dedup.windowSeconds: expected 1 or more"],
        ),
        ("detection: {rateLimit: sometimes}", &["c.yaml: detection.rateLimit: ", "off"]),
        ("detection: {appendOutput: [{match: {}}]}", &["detection.appendOutput[0].extraOutput: missing"]),
        ("[1]", &["c.yaml: top level: "]),
        ("a: [", &["c.yaml: ", "line 2"]),
    ] {
        let message = refused(text);
        for part in parts {
            assert!(message.contains(part), "{text}: {message}");
        }
    }
}

#[test]
fn a_missing_file_is_an_error_only_when_it_was_named() {
    let missing = Path::new("/nonexistent/agent.yaml");
    let message = Config::load(Some(missing)).unwrap_err().to_string();
    assert!(message.starts_with("/nonexistent/agent.yaml: ") && message.contains("create it"), "{message}");
}

#[test]
fn every_key_is_documented() {
    let text = reference().unwrap();
    fn leaves(value: &Value) -> usize {
        value.as_mapping().map_or(0, |keys| keys.iter().map(|(_, value)| 1 + leaves(value)).sum())
    }
    let mut values = serde_yaml::to_value(Config::default()).unwrap();
    values["detection"]["outputs"] = Value::Null;
    let keys = leaves(&values) + sentinel_sink::documented().len();
    assert_eq!(text.lines().filter(|line| line.starts_with("| `")).count(), keys);
}

#[test]
fn the_reference_is_fresh() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/reference/config.md");
    let text = reference().unwrap();
    if std::env::var_os("UPDATE").is_some() {
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, &text).unwrap();
    }
    assert!(
        fs::read_to_string(&path).unwrap_or_default() == text,
        "stale: run UPDATE=1 cargo test -p sentinel-agent"
    );
}

proptest::proptest! {
    #[test]
    fn no_text_panics(text in proptest::prelude::any::<String>()) {
        let _ = Config::parse("c", &text);
    }
}
