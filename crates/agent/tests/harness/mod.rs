//! A running agent, as the tests on the real kernel start it. It ends with the test, however that ends.
#![allow(dead_code, clippy::unwrap_used, clippy::panic, clippy::indexing_slicing)] // each test uses its part

use std::{
    fs::{self, File},
    io::{BufRead as _, BufReader, Read as _, Write as _},
    net::TcpStream,
    path::{Path, PathBuf},
    process::{Child, ChildStdout, Command, Stdio},
    sync::mpsc::{self, Receiver},
    thread,
    time::{Duration, Instant},
};

use nix::{
    sys::signal::{Signal, kill},
    unistd::{Pid, Uid},
};

/// How long anything may take on a machine under load.
pub(crate) const DEADLINE: Duration = Duration::from_secs(60);

/// Asks until there is an answer. It asks seldom: a test that reads files as fast as it can would be the load that
/// it waits for the end of.
pub(crate) fn poll<T>(mut ask: impl FnMut() -> Option<T>, otherwise: impl FnOnce() -> String) -> T {
    let started = Instant::now();
    while started.elapsed() < DEADLINE {
        if let Some(answer) = ask() {
            return answer;
        }
        thread::sleep(Duration::from_millis(20));
    }
    panic!("{}", otherwise());
}

/// An agent with ports of its own choice.
pub(crate) struct Agent {
    child: Child,
    log: PathBuf,
}

impl Agent {
    /// Begins it with this configuration (beside its ports) and, where given, these forward rules. Files are in `dir`.
    pub(crate) fn spawn(dir: &Path, config: &str, forward: Option<&str>, output: impl Into<Stdio>) -> Self {
        Self::spawn_with(dir, config, forward, output, &[])
    }

    /// The same, and these variables are set.
    fn spawn_with(
        dir: &Path,
        config: &str,
        forward: Option<&str>,
        output: impl Into<Stdio>,
        variables: &[(&str, &str)],
    ) -> Self {
        assert!(Uid::effective().is_root(), "this test needs root: run it by `make test`");
        let (path, log) = (dir.join("c.yaml"), dir.join("log"));
        fs::write(&path, format!("health: {{port: 0}}\nmetrics: {{port: 0}}\n{config}\n")).unwrap();
        let mut command = Command::new(env!("CARGO_BIN_EXE_sentinel-agent"));
        command.arg("--config").arg(&path).envs(variables.iter().copied());
        if let Some(rules) = forward {
            fs::write(dir.join("f.yaml"), rules).unwrap();
            command.arg("--rules").arg(dir.join("f.yaml"));
        }
        let child = command.stdout(output).stderr(File::create(&log).unwrap()).spawn().unwrap();
        Self { child, log }
    }

    /// One that has started, and its lines.
    pub(crate) fn start(dir: &Path, config: &str, forward: &str) -> (Self, Receiver<String>) {
        Self::start_with(dir, config, forward, &[])
    }

    /// The same, and these variables are set.
    pub(crate) fn start_with(
        dir: &Path,
        config: &str,
        forward: &str,
        variables: &[(&str, &str)],
    ) -> (Self, Receiver<String>) {
        let mut agent = Self::spawn_with(dir, config, Some(forward), Stdio::piped(), variables);
        let output = BufReader::new(agent.output()).lines();
        let (sender, lines) = mpsc::channel();
        thread::spawn(move || output.map_while(Result::ok).try_for_each(|line| sender.send(line)));
        agent.logged("Started.");
        (agent, lines)
    }

    pub(crate) fn output(&mut self) -> ChildStdout {
        self.child.stdout.take().unwrap()
    }

    pub(crate) fn id(&self) -> u32 {
        self.child.id()
    }

    pub(crate) fn log(&self) -> String {
        fs::read_to_string(&self.log).unwrap()
    }

    /// Waits until the log has these words.
    pub(crate) fn logged(&self, words: &str) {
        let there = || self.log().contains(words).then_some(());
        poll(there, || format!("{words:?} is not in: {}", self.log()));
    }

    /// What `GET path` answers on the port that the log calls `what`.
    pub(crate) fn get(&self, what: &str, path: &str) -> String {
        let log = self.log();
        let address = log.split(&format!("{what}=[")).nth(1).unwrap().split([',', ']']).next().unwrap();
        let mut stream = TcpStream::connect(address).unwrap();
        write!(stream, "GET {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n").unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        answer
    }

    pub(crate) fn signal(&self, signal: Signal) {
        kill(Pid::from_raw(self.id().cast_signed()), signal).unwrap();
    }

    /// Ends it in order and returns its log.
    pub(crate) fn stop(mut self) -> String {
        self.signal(Signal::SIGTERM);
        let status = self.child.wait().unwrap();
        assert_eq!(status.code(), Some(0), "{}", self.log());
        self.log()
    }
}

impl Drop for Agent {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
