//! The sockets of runtimes: whom they can be asked about, and whether they can be asked now.

use std::{
    fs,
    os::unix::fs::{FileTypeExt as _, MetadataExt as _},
    path::{Path, PathBuf},
    sync::atomic::{AtomicBool, Ordering},
    time::{Duration, Instant},
};

use sentinel_event::Runtime;

/// A runtime's socket.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Socket {
    /// Where it is.
    pub path: PathBuf,
    /// What it speaks.
    pub protocol: Protocol,
    /// Somebody chose it: it may belong to another user than root.
    pub chosen: bool,
}

/// What a socket speaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Protocol {
    /// The API of Docker.
    Docker,
    /// The same, as podman speaks it.
    Podman,
    /// The container runtime interface of Kubernetes, spoken by containerd.
    Containerd,
    /// The same, spoken by CRI-O.
    CriO,
}

impl Socket {
    /// A socket that somebody chose, by its path; what it speaks shows in its name. None when it does not.
    pub fn chosen(path: &Path) -> Option<Self> {
        let name = path.to_string_lossy();
        let protocol = [
            ("podman", Protocol::Podman),
            ("docker", Protocol::Docker),
            ("crio", Protocol::CriO),
            ("containerd", Protocol::Containerd),
        ];
        let protocol = protocol.iter().find(|(word, _)| name.contains(word))?.1;
        Some(Self { path: path.to_owned(), protocol, chosen: true })
    }

    /// Whether it may know containers of this runtime; none when the runtime is not known.
    pub(crate) fn knows(&self, runtime: Option<Runtime>) -> bool {
        match runtime {
            None => true,
            Some(Runtime::Docker) => self.protocol == Protocol::Docker,
            Some(Runtime::Podman) => self.protocol == Protocol::Podman,
            Some(Runtime::Containerd) => self.protocol == Protocol::Containerd,
            Some(Runtime::CriO) => self.protocol == Protocol::CriO,
            Some(Runtime::Lxc | Runtime::Nspawn) => false,
        }
    }
}

/// Where runtimes have their sockets when nobody says otherwise.
pub fn default_sockets() -> Vec<Socket> {
    let socket = |path: &str, protocol| Socket { path: path.into(), protocol, chosen: false };
    vec![
        socket("/run/docker.sock", Protocol::Docker),
        socket("/run/podman/podman.sock", Protocol::Podman),
        socket("/run/containerd/containerd.sock", Protocol::Containerd),
        socket("/run/k3s/containerd/containerd.sock", Protocol::Containerd),
        socket("/run/crio/crio.sock", Protocol::CriO),
    ]
}

/// First pause after a failure; each further one doubles it.
const PAUSE: Duration = Duration::from_secs(1);
/// Longest pause.
const PAUSE_MAX: Duration = Duration::from_secs(60);

/// Whether a socket can be asked. The pipeline reads `open`, the rest is the asking thread's.
#[derive(Debug)]
pub(crate) struct Door {
    pub(crate) socket: Socket,
    pub(crate) open: AtomicBool,
}

/// Why a socket cannot be asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Shut {
    Absent,
    Untrusted,
}

impl Door {
    pub(crate) fn new(socket: Socket) -> Self {
        let open = AtomicBool::new(look(&socket).is_ok());
        Self { socket, open }
    }

    pub(crate) fn is_open(&self) -> bool {
        self.open.load(Ordering::Relaxed)
    }
}

/// Whether there is a socket, and whose. A default path in a directory that somebody else may write to must not make
/// us believe his answers.
pub(crate) fn look(socket: &Socket) -> Result<(), Shut> {
    let meta = fs::metadata(&socket.path).map_err(|_| Shut::Absent)?;
    if !meta.file_type().is_socket() {
        return Err(Shut::Absent);
    }
    let ours = rustix::process::geteuid().as_raw();
    if socket.chosen || meta.uid() == 0 || meta.uid() == ours { Ok(()) } else { Err(Shut::Untrusted) }
}

/// When a socket that failed is asked again.
#[derive(Debug, Default)]
pub(crate) struct Pauses {
    failures: u32,
    until: Option<Instant>,
}

impl Pauses {
    pub(crate) fn succeeded(&mut self) {
        *self = Self::default();
    }

    /// Returns how long it is left alone.
    pub(crate) fn failed(&mut self, now: Instant) -> Duration {
        let pause = PAUSE.saturating_mul(1 << self.failures.min(6)).min(PAUSE_MAX);
        self.failures = self.failures.saturating_add(1);
        self.until = Some(now + pause);
        pause
    }

    pub(crate) fn over(&self, now: Instant) -> bool {
        self.until.is_none_or(|until| now >= until)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_chosen_socket_speaks_shows_in_its_path() {
        let protocol = |path: &str| Socket::chosen(Path::new(path)).map(|socket| socket.protocol);
        assert_eq!(protocol("/run/user/1000/podman/podman.sock"), Some(Protocol::Podman));
        assert_eq!(protocol("/host/run/k3s/containerd/containerd.sock"), Some(Protocol::Containerd));
        assert_eq!(protocol("/run/crio/crio.sock"), Some(Protocol::CriO));
        assert_eq!(protocol("/var/run/docker.sock"), Some(Protocol::Docker));
        assert_eq!(protocol("/run/x.sock"), None);
    }

    #[test]
    fn pauses_grow_to_a_minute_and_end_with_success() {
        let (mut pauses, now) = (Pauses::default(), Instant::now());
        assert!(pauses.over(now));
        let seconds: Vec<u64> = (0..9).map(|_| pauses.failed(now).as_secs()).collect();
        assert_eq!(seconds, [1, 2, 4, 8, 16, 32, 60, 60, 60]);
        assert!(!pauses.over(now + Duration::from_secs(59)));
        assert!(pauses.over(now + Duration::from_secs(60)));
        pauses.succeeded();
        assert!(pauses.over(now));
        assert_eq!(pauses.failed(now), PAUSE);
    }

    #[test]
    fn a_file_that_is_no_socket_is_as_good_as_none() {
        let file = tempfile::NamedTempFile::new().unwrap();
        let socket = |path: &Path| Socket { path: path.into(), protocol: Protocol::Docker, chosen: false };
        assert_eq!(look(&socket(file.path())), Err(Shut::Absent));
        assert_eq!(look(&socket(Path::new("/nowhere"))), Err(Shut::Absent));
    }
}
