//! The detector that the documentation shows, in Python.

use std::{
    fs,
    io::{BufRead as _, BufReader},
    path::Path,
    process::{Child, Command, Stdio},
};

/// The example of the documentation, started.
pub(crate) struct Python(Child);

impl Drop for Python {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

impl Python {
    /// Starts it; its port.
    pub(crate) fn start(directory: &Path) -> (Self, u16) {
        let descriptors = directory.join("descriptors.bin");
        fs::write(&descriptors, sentinel_wire::DESCRIPTORS).unwrap();
        let made = Command::new("protoc")
            .arg(format!("--descriptor_set_in={}", descriptors.display()))
            .arg(format!("--python_out={}", directory.display()))
            .arg(format!("--grpc_python_out={}", directory.display()))
            .arg("--plugin=protoc-gen-grpc_python=/usr/bin/grpc_python_plugin")
            .arg("sentinel/v1/events.proto")
            .output()
            .expect("protoc is there: scripts/setup.sh test installs it");
        assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
        let example = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/examples/detector.py");
        // Debian's own Python: the one that has Debian's grpc.
        let mut child = Command::new("/usr/bin/python3")
            .arg(example)
            .arg("127.0.0.1:0")
            .env("PYTHONPATH", directory)
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
        let started = Self(child);
        let port = line.trim().strip_prefix("listening at port ").expect("it listens").parse().unwrap();
        (started, port)
    }
}
