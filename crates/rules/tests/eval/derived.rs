//! Fields that are made from others, and the data of buffers.

use std::sync::Arc;

use sentinel_event::{Body, Container, FileIo, Known, Message, Observation, Place, Workload};
use sentinel_rules::language::eval::{Engine, Selection};

use super::build::*;

/// Each template with the text it becomes.
fn shows(observation: &Observation, cases: &[(&str, &str)]) {
    for (template, expected) in cases {
        assert_eq!(rendered(template, observation), *expected, "{template}");
    }
}

#[test]
fn ports_have_names_and_devices_have_two_numbers() {
    let secure = connect("93.184.216.34", 443);
    shows(
        &secure,
        &[("%fd.sproto %fd.rproto %fd.cproto %fd.lproto", "https https 40000 40000"), ("%fd.uid", "3005")],
    );
    check(
        &secure,
        &[
            ("fd.proto = https", true),
            ("fd.proto in (ssh, 40000)", true),
            ("fd.proto != https", false),
            ("fd.proto = ssh or fd.proto = http", false),
        ],
    );
    let mut opened = open("/x", 0);
    let Body::FileOpen(body) = &mut opened.event.body else { panic!() };
    body.dev = 259 << 20 | 7;
    shows(&opened, &[("%fd.dev.major %fd.dev.minor %fd.uid %fd.sproto", "259 7 3003 <NA>")]);
    opened.event.head.result = -2;
    shows(&opened, &[("%fd.uid", "<NA>")]);
}

#[test]
fn around_is_a_distance_in_milliseconds() {
    let event = open("/x", 0);
    check(
        &event,
        &[
            (&format!("evt.around[{}]=0", NOW), true),
            (&format!("evt.around[{}]=2", NOW - 2_000_000), true),
            (&format!("evt.around[{}]=2", NOW - 2_000_001), false),
            (&format!("evt.around[{}]=1", NOW + 1_000_000), true),
            (&format!("evt.around[{}] != 1", NOW + 1_000_001), true),
            (&format!("evt.around[{}] < 2", NOW + 1_000_001), false),
        ],
    );
}

#[test]
fn a_process_keeps_the_directory_of_its_start() {
    let mut event = open("/x", 0);
    shows(&event, &[("%proc.cwd", "<NA>")]);
    Arc::make_mut(event.process.as_mut().expect("a process")).cwd = "/dev/shm".into();
    check(&event, &[("proc.cwd = /dev/shm/", true)]);
    let mut start = exec("tool", &["tool"]);
    Arc::make_mut(start.process.as_mut().expect("a process")).cwd = "/dev/shm".into();
    shows(&start, &[("%proc.cwd", "/home/u/")]);
}

#[test]
fn threads_and_parents_have_numbers_in_their_namespaces() {
    let mut event = contained(open("/x", 0));
    shows(&event, &[("%thread.vtid %proc.pvpid", "30 <NA>")]);
    event.event.head.tid = 301;
    shows(&event, &[("%thread.vtid", "<NA>")]);
    event.event.head.vpid = 300;
    shows(&event, &[("%thread.vtid", "301")]);
    let mut parents = event.ancestors.to_vec();
    Arc::make_mut(&mut parents[0]).vpid = 20;
    event.ancestors = parents.into();
    shows(&event, &[("%proc.pvpid", "20")]);
}

fn inside(event: Observation, healthcheck: &str, path: &str) -> Observation {
    let container =
        Known::Yes(Arc::new(Container { healthcheck: healthcheck.into(), ..Container::default() }));
    let place = Arc::new(Place { path: path.into(), ..Place::default() });
    let mut event = contained(event);
    event.workload = Some(Arc::new(Workload { container, place, ..Workload::default() }));
    event
}

#[test]
fn a_health_check_is_known_by_its_command_line() {
    let is = |event: &Observation| holds("proc.is_container_healthcheck = true", event);
    let check = "curl -f localhost";
    let run = |argv: &[&str]| inside(exec(argv[0], argv), check, "");
    assert!(is(&run(&["curl", "-f", "localhost"])), "as words");
    assert!(is(&run(&["/bin/sh", "-c", "curl -f localhost"])), "as a script");
    assert!(!is(&run(&["curl", "-f", "localhost", "-o", "/x"])));
    assert!(!is(&run(&["/bin/sh", "-c", "curl -f localhost; id"])));
    let mut below = run(&["cat", "/x"]);
    below.ancestors = [process(200, "sh", "/bin/sh", &["/bin/sh", "-c", check])].into();
    assert!(is(&below), "what the check starts");
    assert!(!is(&inside(exec("cat", &["cat"]), "", "")) && !is(&exec("curl", &["curl", "-f", "localhost"])));
    shows(&exec("cat", &["cat"]), &[("%proc.is_container_healthcheck", "<NA>")]);
}

#[test]
fn every_controller_has_the_one_cgroup() {
    let event = inside(open("/x", 0), "", "/system.slice/x.service");
    check(
        &event,
        &[
            ("thread.cgroup[cpuset] = /system.slice/x.service", true),
            ("thread.cgroups contains \"memory=/system.slice/\"", true),
        ],
    );
    shows(&open("/x", 0), &[("%thread.cgroup[cpu] %thread.cgroups", "<NA> <NA>")]);
}

/// The condition on an event, where buffers are captured or not.
fn with_buffers(condition: &str, buffers: bool, event: &Observation) -> bool {
    let engine = Engine::new(load(&rule(condition, "o")), &Selection { buffers, ..Selection::default() });
    assert_eq!(engine.asks_buffers(), buffers, "{condition}");
    assert_eq!(engine.rules_about_buffers().collect::<Vec<_>>(), ["r"]);
    !fired(&engine, event).is_empty()
}

#[test]
fn data_is_there_where_it_is_captured() {
    let data = || b"\xca\xfe\xba\xbe GET /".as_slice().into();
    let io = FileIo { path: "/a".into(), bytes: 500, data: data(), ..FileIo::default() };
    let message = Message { bytes: 500, data: data(), ..Message::default() };
    let all =
        [Body::FileRead(io.clone()), Body::FileWrite(io), Body::Send(message.clone()), Body::Recv(message)];
    for body in all {
        let event = observation(body);
        for condition in [
            "evt.buffer bcontains cafebabe",
            "evt.buffer bstartswith cafe and evt.buflen = 500",
            "evt.buffer contains 'GET /' and evt.is_io = true and evt.io_dir in (read, write)",
            "len(evt.buffer) = 10",
        ] {
            assert!(with_buffers(condition, true, &event), "{condition}: {event:?}");
            assert!(!with_buffers(condition, false, &event), "{condition}: {event:?}");
        }
        assert!(with_buffers("not evt.buffer exists", false, &event));
    }
    assert!(!with_buffers("evt.buffer exists", true, &open("/x", 0)));
}

#[test]
fn without_buffers_nothing_is_watched_for_a_rule_that_needs_them() {
    let condition = "evt.type in (read, write, sendto) and evt.buffer contains x";
    let engine =
        |buffers| Engine::new(load(&rule(condition, "o")), &Selection { buffers, ..Selection::default() });
    assert!(engine(false).kinds().is_empty());
    assert_eq!(engine(true).kinds().iter().count(), 3);
}
