//! A real NATS server with JetStream.

use std::{
    net::{TcpListener, TcpStream},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

/// Bytes that streams may promise. Unset it is a share of the free disk: nothing that tests should depend on.
pub(crate) const ROOM: u64 = 2 << 30;

pub(crate) struct Server {
    child: Child,
    store: PathBuf,
    port: u16,
}

impl Server {
    pub(crate) fn start(dir: &Path) -> Self {
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let store = dir.join("jetstream");
        Self { child: Self::spawn(port, &store), store, port }
    }

    /// Started, and answering.
    fn spawn(port: u16, store: &Path) -> Child {
        let config = store.with_extension("conf");
        std::fs::write(&config, format!("jetstream: {{store_dir: {store:?}, max_file_store: {ROOM}}}\n"))
            .unwrap();
        let child = Command::new("/usr/sbin/nats-server")
            .args(["--addr", "127.0.0.1", "--port", &port.to_string(), "--config"])
            .arg(config)
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("nats-server is there: scripts/setup.sh test installs it");
        let begun = Instant::now();
        while TcpStream::connect(("127.0.0.1", port)).is_err() {
            assert!(begun.elapsed() < Duration::from_secs(30), "nats-server does not listen");
            std::thread::sleep(Duration::from_millis(20));
        }
        child
    }

    pub(crate) fn url(&self) -> String {
        format!("nats://127.0.0.1:{}", self.port)
    }

    /// As by `kill -9`.
    #[allow(dead_code)] // not every test does
    pub(crate) fn kill(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    #[allow(dead_code)] // not every test does
    pub(crate) fn again(&mut self) {
        self.child = Self::spawn(self.port, &self.store);
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
