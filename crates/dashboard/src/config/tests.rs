use std::fs;

use super::*;

fn refused(text: &str) -> String {
    match Config::parse("c.yaml", text) {
        Ok(config) => config.check().unwrap_err().to_string(),
        Err(error) => error.to_string(),
    }
}

#[test]
fn nothing_means_defaults() {
    for text in ["", "# comment\n", "{}", "http:\naccess: {}\n", "logLevel:\n"] {
        let config = Config::parse("c.yaml", text).unwrap();
        assert_eq!(config, Config::default(), "{text:?}");
        config.check().unwrap();
    }
}

#[test]
fn a_detector_is_called_by_its_place_unless_it_has_a_name() {
    let text = "detectors: [{url: 'http://[::1]:8090'}, {name: b, url: 'http://hub.local'}]";
    let checked = Config::parse("c.yaml", text).unwrap().checked().unwrap();
    let found: Vec<_> =
        checked.detectors.iter().map(|one| (one.name.as_str(), one.host.as_str(), one.port)).collect();
    assert_eq!(found, [("[::1]:8090", "[::1]", 8090), ("b", "hub.local", 80)]);
}

#[test]
fn errors_name_key_value_and_remedy() {
    for (text, parts) in [
        ("htpp: {}", &["c.yaml: htpp: unknown field `htpp`", "`http`"][..]),
        ("http: {port: 70000}", &["c.yaml: http.port: ", "70000", "u16"]),
        ("http: {address: localhost}", &["http.address: expected an IP address", "\"localhost\""]),
        ("http: {pathPrefix: sentinel}", &["http.pathPrefix: expected a path such as /sentinel"]),
        ("http: {pathPrefix: '/a b'}", &["http.pathPrefix: "]),
        ("detectors: []", &["detectors: expected 1 to 64 detectors, found 0"]),
        ("detectors: [{url: 'ftp://x'}]", &["detectors[0].url: expected http://HOST:PORT", "ftp://x"]),
        ("detectors: [{url: 'https://x'}]", &["detectors[0].url: https to a detector is not supported"]),
        ("detectors: [{url: 'http://x/y'}]", &["detectors[0].url: expected http://HOST:PORT"]),
        ("detectors: [{}, {}]", &["detectors[1].name: \"127.0.0.1:8090\" is there already"]),
        ("detectors: [{name: 'a=b'}]", &["detectors[0].name: expected up to 100 letters"]),
        ("detectors: [{tokenFile: /nonexistent}]", &["/nonexistent: ", "create it"]),
        (
            "access: {mode: token}",
            &["access.tokenFile: no token; name a file or set SENTINEL_DASHBOARD_TOKEN"],
        ),
        ("access: {mode: oidc}", &["c.yaml: access.mode: unknown variant `oidc`", "`header`"]),
        ("access: {mode: header, header: 'a b'}", &["access.header: \"a b\" is no name of a header"]),
        ("access: {mode: header, proxies: [x]}", &["access.proxies: expected an IP address"]),
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
fn a_short_token_is_refused() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("token");
    fs::write(&file, "secret\n").unwrap();
    let message = refused(&format!("access: {{mode: token, tokenFile: {}}}", file.display()));
    assert!(message.contains("the token has 6 characters; 16 are the least"), "{message}");
    fs::write(&file, "two words that are long\n").unwrap();
    let message = refused(&format!("access: {{mode: token, tokenFile: {}}}", file.display()));
    assert!(message.contains("expected one word of letters"), "{message}");
}

#[test]
fn the_reference_is_fresh() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/reference/dashboard-config.md");
    let text = reference().unwrap();
    if std::env::var_os("UPDATE").is_some() {
        fs::write(path, &text).unwrap();
    }
    let found = fs::read_to_string(path).unwrap_or_default();
    assert_eq!(found, text, "run UPDATE=1 cargo test -p sentinel-dashboard");
}

#[test]
fn what_others_can_reach_or_read_is_told() {
    let warnings = |text: &str| Config::parse("d.yaml", text).unwrap().warnings();
    assert_eq!(warnings(""), Vec::<String>::new());
    let open = warnings("http: {address: 0.0.0.0}\ndetectors: [{url: 'http://10.0.0.7:8090'}]\n");
    assert!(
        open[0].contains("set access.mode") && open[1].starts_with("detectors has http://10.0.0.7:8090"),
        "{open:?}"
    );
    assert!(warnings("http: {address: '::'}\naccess: {mode: token}\n")[0].contains("TLS"));
}
