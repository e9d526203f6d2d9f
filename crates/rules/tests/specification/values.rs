//! Constants and operators on values that are there.

use crate::build::{check, connect, exec, observation, open};
use crate::common::{load, rule};

fn refused(condition: &str, message: &str) {
    let (report, _) = load(&rule(&format!("'{}'", condition.replace('\'', "''"))));
    let told = report.errors.first().map_or("nothing", |error| error.message.as_str());
    assert!(told.contains(message), "{condition}: {told}");
}

fn accepted(condition: &str) {
    assert!(load(&rule(&format!("'{condition}'"))).1.is_some(), "{condition}");
}

#[test]
fn constants_for_floating_point_are_whole_numbers_of_32_bits() {
    accepted("thread.cpu >= 50 and thread.cpu < 0x64 and thread.cpu > -2147483648");
    refused("thread.cpu > 1.5", "'1.5' is no signed number of 32 bits");
    refused("thread.cpu > 2147483648", "no signed number of 32 bits");
}

#[test]
fn times_are_nanoseconds_without_units() {
    accepted("proc.duration <= 5000000000 and evt.rawtime > 0x10");
    refused("proc.duration = 5s", "no unsigned number");
    refused("proc.duration = 1.5", "no unsigned number");
}

#[test]
fn what_a_transformer_makes_decides_about_constants_and_operators() {
    refused("len(proc.name) contains 1", "'contains' operator not supported for uint64 filters");
    refused("tolower(proc.name) bcontains ab", "'bcontains' operator not supported for string filters");
    refused("basename(proc.name) intersects anyof (x)", "");
    accepted("b64(evt.buffer) bcontains cafe and b64(proc.name) glob *x");
    accepted("len(proc.args) in (1, 0x2) and len(proc.name) <= val(evt.num)");
    refused("len(proc.name) = val(fd.num)", "incompatible type int64");
}

#[test]
fn ends_of_connections_are_for_conditions_only() {
    for field in ["fd.ip", "fd.port", "fd.net", "fd.proto"] {
        let output = rule("evt.type = open").replace("output: o", &format!("output: '%{field}'"));
        let report = load(&output).0;
        assert!(report.errors[0].message.contains("for conditions only"), "{field}: {report}");
    }
    refused("fd.ip = val(fd.cip)", "field 'fd.ip' doesn't support right-hand side fields");
    refused("fd.cip = val(fd.ip)", "field 'fd.ip' can't be used as a right-hand side field");
    refused("fd.cport = val(fd.port)", "can't be used as a right-hand side field");
    refused("len(fd.proto) = 1", "does not support transformers");
}

#[test]
fn a_listening_socket_has_a_server_only() {
    let local = crate::build::end("10.0.0.5", 80);
    let socket =
        sentinel_event::Socket { family: 2, kind: 1, protocol: 6, fd: 4, local, ..Default::default() };
    let listen = observation(sentinel_event::Body::Listen(sentinel_event::Listen { socket, backlog: 9 }));
    check(
        &listen,
        &[
            ("fd.ip = 10.0.0.5", true),
            ("fd.ip != 10.0.0.5", false),
            ("fd.ip != 10.0.0.6", true),
            ("fd.port = 80", true),
            ("fd.port != 80", false),
            ("fd.port in (1, 2)", false),
            ("fd.net != 192.168.0.0/16", true),
            ("fd.cip exists or fd.cport exists or fd.cnet = 0.0.0.0/0", false),
            ("fd.sip = 10.0.0.5 and fd.sport = 80 and fd.snet = 10.0.0.0/8", true),
        ],
    );
}

#[test]
fn networks_and_addresses_of_one_family_only_are_equal() {
    let event = connect("2001:db8::1", 53);
    check(
        &event,
        &[
            ("fd.net in (10.0.0.0/8, 2001:db8::/32)", true),
            ("fd.net in (10.0.0.0/8, 2001:db9::/32)", false),
            ("fd.rnet in (10.0.0.0/8, 2001:db8::/32)", true),
            ("fd.rnet != 0.0.0.0/0", true),
            ("fd.sip != 10.0.0.1", true),
            ("fd.sip in (10.0.0.1, 2001:db8:0:0::1)", true),
            // Both ends, one of them, none.
            ("fd.net = ::/0", true),
            ("fd.net != ::/0", false),
            ("fd.net = fd00::/8", true),
            ("fd.net != fd00::/8", false),
            ("fd.net = fe80::/10", false),
            ("fd.net != fe80::/10", true),
            ("fd.port <= 53", true),
            ("fd.port < 53", false),
        ],
    );
    // On what is no connection every operator is false.
    for condition in
        ["fd.ip = 10.0.0.1", "fd.ip != 10.0.0.1", "fd.ip in (10.0.0.1)", "fd.ip exists", "fd.proto != ssh"]
    {
        check(&open("/x", 0), &[(condition, false)]);
    }
}

#[test]
fn only_letters_of_ascii_have_two_cases() {
    check(
        &open("/ÄÉ/ab", 0),
        &[
            ("fd.name icontains AB", true),
            ("fd.name icontains äé", false),
            ("fd.name icontains ÄÉ", true),
            ("fd.name iglob /ÄÉ/A?", true),
            ("fd.name iglob /äé/*", false),
            ("tolower(fd.name) = /ÄÉ/ab", true),
            ("toupper(fd.name) = /ÄÉ/AB", true),
        ],
    );
}

#[test]
fn an_empty_text_is_a_text() {
    let start = exec("id", &["id"]);
    check(
        &start,
        &[
            ("proc.args exists and proc.args = ''", true),
            ("proc.args[9] exists and proc.args[9] = ''", true),
            ("proc.args contains '' and proc.args endswith ''", true),
            ("len(proc.args[9]) = 0", true),
            ("basename(proc.cwd) exists and basename(proc.cwd) = ''", true),
            ("basename(proc.name) = id", true),
        ],
    );
}

#[test]
fn an_empty_list_is_within_every_list_and_meets_none() {
    let start = exec("id", &["id"]);
    let options = r#"getopt(proc.args, "ab:")"#;
    for (rest, expected) in [
        ("exists", true),
        ("in (a)", true),
        ("in ()", true),
        ("intersects (a)", false),
        ("intersects ()", false),
    ] {
        check(&start, &[(&format!("{options} {rest}"), expected)]);
    }
    check(&start, &[(&format!("len({options}) = 0 and not {options}[a] exists"), true)]);
    let given = exec("x", &["x", "-b", "1", "-a", "-b2"]);
    check(
        &given,
        &[
            (&format!("{options} in (a, b, 1, 2)"), true),
            (&format!("{options} in (a, b, 1)"), false),
            (&format!("{options} intersects (z, 2)"), true),
            (&format!("{options}[b] = 2"), true), // the last of two
            (&format!("{options}[a] = a"), true),
        ],
    );
}

#[test]
fn what_is_always_the_same_says_so() {
    let event = open("/x", 0);
    check(
        &event,
        &[
            ("evt.dir = < and not evt.dir = > and evt.dir != >", true),
            ("evt.latency = 0 and evt.latency.s = 0 and evt.latency.ns = 0 and evt.wait_latency = 0", true),
            ("evt.latency > 0 or evt.wait_latency > 0", false),
            ("evt.num >= 1 and evt.num > 0 and evt.num != 0", true),
            ("evt.num in (0)", false),
        ],
    );
}
