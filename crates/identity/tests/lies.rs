//! Runtimes that lie, hang, come late or do not exist: each costs itself, is counted, and is asked again.

#![allow(clippy::unwrap_used, clippy::panic)] // a test program: helpers may fail it

use std::{
    io::{Read as _, Write as _},
    os::unix::net::{UnixListener, UnixStream},
    path::{Path, PathBuf},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    thread,
    time::{Duration, Instant},
};

use sentinel_event::{Place, Runtime};
use sentinel_identity::{Options, Runtimes, Socket, Told};

/// Long enough for a loaded machine, short enough for a hanging socket.
const TIMEOUT: Duration = Duration::from_millis(500);

/// A Docker that answers each request with what `answer` makes of its path; closes when told.
struct Fake {
    path: PathBuf,
    stop: Arc<AtomicBool>,
}

impl Fake {
    fn start(path: &Path, answer: impl Fn(&str) -> Option<Vec<u8>> + Send + Sync + 'static) -> Self {
        let listener = UnixListener::bind(path).unwrap();
        let stop = Arc::new(AtomicBool::new(false));
        let (stopped, answer) = (Arc::clone(&stop), Arc::new(answer));
        thread::spawn(move || {
            for stream in listener.incoming() {
                if stopped.load(Ordering::Relaxed) {
                    return;
                }
                let answer = Arc::clone(&answer);
                thread::spawn(move || serve(stream.unwrap(), &*answer));
            }
        });
        Self { path: path.into(), stop }
    }
}

impl Drop for Fake {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
        let _ = UnixStream::connect(&self.path);
        let _ = std::fs::remove_file(&self.path);
    }
}

fn serve(mut stream: UnixStream, answer: &dyn Fn(&str) -> Option<Vec<u8>>) {
    let mut request = Vec::new();
    let mut byte = [0];
    while !request.ends_with(b"\r\n\r\n") && stream.read(&mut byte).is_ok_and(|n| n == 1) {
        request.push(byte[0]);
    }
    let request = String::from_utf8(request).unwrap();
    match answer(request.split(' ').nth(1).unwrap_or_default()) {
        // Whoever asked may have hung up.
        Some(bytes) => drop(stream.write_all(&bytes)),
        // Hangs until the other side gives up.
        None => drop(stream.read(&mut byte)),
    }
}

fn http(status: &str, body: &str) -> Vec<u8> {
    format!("HTTP/1.1 {status}\r\ncontent-length: {}\r\n\r\n{body}", body.len()).into_bytes()
}

fn id(number: u64) -> String {
    format!("{number:064x}")
}

/// The container of a path of the API, as Docker tells it.
fn web(path: &str) -> Option<Vec<u8>> {
    let id = path.strip_prefix("/containers/")?.strip_suffix("/json")?;
    Some(http("200 OK", &format!(r#"{{"Id":"{id}","Name":"/web","Config":{{"Image":"localhost/web:1"}}}}"#)))
}

fn ask(runtimes: &Runtimes, number: u64) -> bool {
    let place =
        Place { container: Some(id(number).into()), runtime: Some(Runtime::Docker), ..Place::default() };
    runtimes.ask(&place)
}

fn start(path: &Path) -> Runtimes {
    let sockets = vec![Socket::chosen(path).unwrap()];
    Runtimes::start(Options { sockets, timeout: TIMEOUT }).unwrap()
}

fn until<T>(what: &str, mut condition: impl FnMut() -> Option<T>) -> T {
    let deadline = Instant::now() + Duration::from_secs(20);
    loop {
        if let Some(found) = condition() {
            return found;
        }
        assert!(Instant::now() < deadline, "{what}");
        thread::sleep(Duration::from_millis(2));
    }
}

fn answer(runtimes: &Runtimes) -> Told {
    until("no answer", || runtimes.answer())
}

fn name(told: &Told) -> Option<&str> {
    told.found.as_ref().map(|found| &*found.name)
}

#[test]
fn a_runtime_that_tells_is_believed_and_one_that_knows_nothing_is_asked_a_few_times() {
    let dir = tempfile::tempdir().unwrap();
    let late = AtomicBool::new(false);
    let _docker = Fake::start(&dir.path().join("docker.sock"), move |path| {
        // The first request for 2 comes before its container is in the book.
        let unknown = path.contains(&id(3)) || path.contains(&id(2)) && !late.swap(true, Ordering::Relaxed);
        if unknown { Some(http("404 Not Found", "{}")) } else { web(path) }
    });
    let runtimes = start(&dir.path().join("docker.sock"));
    for (number, expected) in [(1, Some("web")), (2, Some("web")), (3, None)] {
        assert!(ask(&runtimes, number));
        let told = answer(&runtimes);
        assert_eq!((&*told.id, name(&told)), (&*id(number), expected));
    }
    let counters = runtimes.counters();
    assert_eq!((counters.containers_found, counters.containers_unknown), (2, 1));
    assert_eq!((counters.malformed, counters.failures, counters.timeouts), (0, 0, 0));
}

/// What it answers, and the counter that goes up.
fn is_counted_and_recovers(lie: Option<Vec<u8>>, counter: fn(&sentinel_identity::Counters) -> u64) {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("docker.sock");
    let _docker = Fake::start(&path, move |path| if path.contains(&id(1)) { lie.clone() } else { web(path) });
    let runtimes = start(&path);
    assert!(ask(&runtimes, 1));
    assert_eq!(name(&answer(&runtimes)), None);
    assert_eq!(counter(&runtimes.counters()), 1);
    // For a while nobody asks there, and nobody waits.
    assert!(!ask(&runtimes, 2));
    until("it is not asked again", || ask(&runtimes, 2).then_some(()));
    assert_eq!(name(&answer(&runtimes)), Some("web"));
}

#[test]
fn ten_megabytes_are_not_read() {
    let body = format!(r#"{{"Id":"{}","Name":"{}"}}"#, id(1), "x".repeat(10 << 20));
    is_counted_and_recovers(Some(http("200 OK", &body)), |counters| counters.malformed);
}

#[test]
fn wrong_types_are_refused() {
    let body = format!(r#"{{"Id":"{}","Name":["web"],"Mounts":7}}"#, id(1));
    is_counted_and_recovers(Some(http("200 OK", &body)), |counters| counters.malformed);
}

#[test]
fn another_container_than_the_one_asked_for_is_refused() {
    let body = format!(r#"{{"Id":"{}","Name":"/other"}}"#, id(9));
    is_counted_and_recovers(Some(http("200 OK", &body)), |counters| counters.malformed);
}

#[test]
fn what_is_not_http_is_a_failure() {
    is_counted_and_recovers(Some(b"SSH-2.0-OpenSSH\r\n\r\n".to_vec()), |counters| counters.failures);
}

#[test]
fn a_refusal_is_a_failure() {
    is_counted_and_recovers(Some(http("500 Internal Server Error", "")), |counters| counters.failures);
}

#[test]
fn a_socket_that_hangs_is_given_up() {
    is_counted_and_recovers(None, |counters| counters.timeouts);
}

#[test]
fn a_runtime_that_comes_later_is_noticed_and_its_going_too() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("docker.sock");
    let runtimes = start(&path);
    assert!(!ask(&runtimes, 1), "nobody is there");
    let docker = Fake::start(&path, web);
    until("nobody notices", || ask(&runtimes, 1).then_some(()));
    assert_eq!(name(&answer(&runtimes)), Some("web"));
    drop(docker);
    until("nobody notices that it went", || (!ask(&runtimes, 2)).then_some(()));
}

#[test]
fn containers_of_other_runtimes_are_none_of_its_business() {
    let dir = tempfile::tempdir().unwrap();
    let _docker = Fake::start(&dir.path().join("docker.sock"), web);
    let runtimes = start(&dir.path().join("docker.sock"));
    for (runtime, expected) in [(Some(Runtime::Podman), false), (Some(Runtime::Lxc), false), (None, true)] {
        let place = Place { container: Some(id(1).into()), runtime, ..Place::default() };
        assert_eq!(runtimes.ask(&place), expected, "{runtime:?}");
    }
}
