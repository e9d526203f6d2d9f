//! The port, as strangers see it.
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing)] // helpers of tests are tests

mod common;

use std::{
    io::Write as _,
    net::{SocketAddr, TcpListener, TcpStream},
};

use common::{Upstream, config, get, start, talk};
use sentinel_dashboard::{AccessMode, Server, app_is_built};

#[test]
fn the_real_app_is_compiled_in() {
    assert!(app_is_built(), "run `make web`, then test again");
    let server = start(&[&Upstream::start()]);
    let page = String::from_utf8(get(&server, "/").body).unwrap();
    assert!(page.contains("<div id=\"app\">"), "{page}");
    // Nothing in the page is a script of its own, and every file is asked for by a relative name.
    assert!(!page.contains("<script>") && !page.contains("=\"/") && !page.contains("http"), "{page}");
    let mut bytes = page.len();
    let names = page.split('"').filter_map(|part| part.strip_prefix("./"));
    for name in names.collect::<Vec<_>>() {
        let request = format!("GET /{name} HTTP/1.1\r\nHost: localhost\r\nAccept-Encoding: br, gzip\r\n");
        let file = talk(&server, &request);
        assert_eq!(file.status, 200, "{name}");
        assert_eq!(file.header("content-encoding"), Some("gzip"), "{name}");
        if name.starts_with("assets/") {
            assert!(file.header("cache-control").unwrap().contains("immutable"), "{name}");
        }
        bytes += file.body.len();
        let plain = get(&server, &format!("/{name}"));
        assert!(plain.header("content-encoding").is_none() && plain.body.len() >= file.body.len(), "{name}");
    }
    assert!(bytes < 300_000, "{bytes} bytes are loaded first; 300 000 are the most");
}

#[test]
fn every_answer_keeps_attackers_words_harmless() {
    let server = start(&[&Upstream::start()]);
    for path in ["/", "/api/alerts", "/api/nodes", "/nothing", "/api/lineage/x"] {
        let answer = get(&server, path);
        let policy = answer.header("content-security-policy").unwrap();
        for part in
            ["default-src 'none'", "script-src 'self'", "frame-ancestors 'none'", "require-trusted-types-for"]
        {
            assert!(policy.contains(part), "{path}: {policy}");
        }
        assert!(!policy.contains("unsafe") && !policy.contains('*'), "{policy}");
        assert_eq!(answer.header("x-content-type-options"), Some("nosniff"), "{path}");
        assert_eq!(answer.header("access-control-allow-origin"), None, "{path}");
    }
}

#[test]
fn nothing_can_be_changed() {
    let detector = Upstream::start();
    let server = start(&[&detector]);
    for method in ["POST", "PUT", "DELETE", "PATCH", "OPTIONS"] {
        for path in ["/api/alerts", "/events", "/", "/login"] {
            let request = format!("{method} {path} HTTP/1.1\r\nHost: localhost\r\nContent-Length: 0\r\n");
            assert_eq!(talk(&server, &request).status, 405, "{method} {path}");
        }
    }
    assert!(detector.asked().is_empty());
    let head = talk(&server, "HEAD / HTTP/1.1\r\nHost: localhost\r\n");
    assert_eq!((head.status, head.body.len()), (200, 0));
}

#[test]
fn it_lives_below_a_prefix_whoever_takes_it_away() {
    let detector = Upstream::start();
    let mut config = config(&[&detector]);
    config.http.path_prefix = "/sentinel/".into();
    let server = Server::start(&config).unwrap();
    let redirect = get(&server, "/sentinel");
    assert_eq!((redirect.status, redirect.header("location")), (303, Some("/sentinel/")));
    for path in ["/sentinel/", "/sentinel/api/alerts", "/sentinel/healthz", "/", "/api/alerts", "/healthz"] {
        assert_eq!(get(&server, path).status, 200, "{path}");
    }
    assert_eq!(get(&server, "/sentinelapi/alerts").status, 404);
}

#[test]
fn without_access_control_a_strange_host_name_is_refused() {
    let server = start(&[&Upstream::start()]);
    let answer = talk(&server, "GET /api/alerts HTTP/1.1\r\nHost: rebound.example\r\n");
    assert_eq!(answer.status, 403);
    assert!(answer.json()["error"].as_str().unwrap().contains("add it to http.hosts"));
}

#[test]
fn the_token_is_asked_for_and_remembered_by_the_browser() {
    let (dir, detector) = (tempfile::tempdir().unwrap(), Upstream::start());
    let file = dir.path().join("token");
    std::fs::write(&file, "correct-horse-battery\n").unwrap();
    let mut config = config(&[&detector]);
    config.access.mode = AccessMode::Token;
    config.access.token_file = Some(file);
    let server = Server::start(&config).unwrap();
    let page = get(&server, "/");
    assert_eq!(page.status, 401);
    assert!(String::from_utf8(page.body).unwrap().contains("type=password"));
    for path in ["/api/alerts", "/events", "/icon.svg"] {
        assert_eq!(get(&server, path).status, 401, "{path}");
    }
    assert!(detector.asked().is_empty());
    assert_eq!(get(&server, "/healthz").status, 200);
    let login = |token: &str| {
        let form = format!("token={token}");
        let head = format!("POST /login HTTP/1.1\r\nHost: x\r\nContent-Length: {}\r\n", form.len());
        // The form comes after the head, which `talk` ends.
        let mut stream = TcpStream::connect(server.addresses()[0]).unwrap();
        stream.write_all(format!("{head}Connection: close\r\n\r\n{form}").as_bytes()).unwrap();
        let mut text = String::new();
        std::io::Read::read_to_string(&mut stream, &mut text).unwrap();
        text
    };
    assert!(login("wrong-horse-battery-x").starts_with("HTTP/1.1 401"));
    let answer = login("correct-horse-battery");
    assert!(answer.starts_with("HTTP/1.1 303"), "{answer}");
    let cookie = answer.lines().find_map(|line| line.strip_prefix("set-cookie: ")).unwrap();
    assert!(cookie.contains("HttpOnly") && cookie.contains("SameSite=Strict"), "{cookie}");
    let cookie = cookie.split(';').next().unwrap();
    for header in [format!("Cookie: {cookie}"), "Authorization: Bearer correct-horse-battery".into()] {
        let answer = talk(&server, &format!("GET /api/alerts HTTP/1.1\r\nHost: x\r\n{header}\r\n"));
        assert_eq!(answer.status, 200, "{header}");
    }
}

#[test]
fn a_reverse_proxy_vouches_by_its_header() {
    let mut config = config(&[&Upstream::start()]);
    config.access.mode = AccessMode::Header;
    let server = Server::start(&config).unwrap();
    assert_eq!(get(&server, "/").status, 403);
    assert_eq!(talk(&server, "GET / HTTP/1.1\r\nHost: x\r\nX-Forwarded-User: ada\r\n").status, 200);
    config.access.proxies = vec!["10.0.0.1".into()];
    let server = Server::start(&config).unwrap();
    assert_eq!(talk(&server, "GET / HTTP/1.1\r\nHost: x\r\nX-Forwarded-User: ada\r\n").status, 403);
}

#[test]
fn bad_requests_cost_themselves() {
    let server = start(&[&Upstream::start()]);
    // Slow ones that never finish.
    let slow: Vec<_> = (0..50)
        .map(|_| {
            let mut stream = TcpStream::connect(server.addresses()[0]).unwrap();
            stream.write_all(b"GET / HT").unwrap();
            stream
        })
        .collect();
    for bad in ["\0\u{1}", "GET / HTTP/9.9\r\n", "GET"] {
        assert!(talk(&server, &format!("{bad}\r\n")).status >= 400, "{bad:?}");
    }
    let long = format!("GET / HTTP/1.1\r\nHost: localhost\r\nX: {}\r\n", "a".repeat(60_000));
    assert!(talk(&server, &long).status >= 400);
    for path in
        ["/api/alerts?limit=0", "/api/alerts?limit=x", "/api/alerts?before=x%3Dy", "/events?since=%3F"]
    {
        assert_eq!(get(&server, path).status, 400, "{path}");
    }
    assert_eq!(get(&server, "/").status, 200);
    drop(slow);
}

#[test]
fn both_loopbacks_are_served() {
    let server = start(&[&Upstream::start()]);
    assert!(server.addresses().iter().all(|address| address.ip().is_loopback()));
    assert!(server.addresses().iter().any(SocketAddr::is_ipv4));
}

#[test]
fn a_port_in_use_is_named_with_its_key() {
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let mut config = config(&[&Upstream::start()]);
    config.http.port = taken.local_addr().unwrap().port();
    let error = Server::start(&config).unwrap_err();
    assert_eq!(error.exit_code(), 2);
    assert!(error.to_string().contains("set another http.port (--port)"), "{error}");
}
