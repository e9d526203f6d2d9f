//! A service under measurement: started, waited for, asked, stopped.

use std::{
    fs::{self, File},
    path::Path,
    process::{Child, Command, Stdio},
    thread::sleep,
    time::{Duration, Instant},
};

use anyhow::{Context, Result, bail, ensure};
use nix::{
    sys::signal::{Signal, kill},
    unistd::Pid,
};

use crate::{
    agent::{cpu_seconds, free_ports},
    metrics,
};

/// How long anything may take.
pub(super) const DEADLINE: Duration = Duration::from_secs(120);
/// How often we look whether something has come true.
pub(super) const LOOK: Duration = Duration::from_millis(20);

/// A running service; dropping it kills it.
pub(super) struct Program {
    child: Child,
    /// Where `/metrics` is.
    pub(super) port: u16,
}

/// The detector.
pub(super) struct Detector {
    pub(super) program: Program,
    /// Where it takes events.
    pub(super) grpc: u16,
}

impl Program {
    /// Starts `program` with this configuration, and waits until it is `ready`: a port and a path on it.
    pub(super) fn start(
        program: &Path,
        config: &str,
        ready: (u16, &str),
        metrics_port: u16,
        dir: &Path,
    ) -> Result<Self> {
        fs::create_dir_all(dir)?;
        let (file, log) = (dir.join("config.yaml"), dir.join("log"));
        fs::write(&file, config)?;
        let child = Command::new(program)
            .arg("--config")
            .arg(&file)
            .env_remove("JOURNAL_STREAM")
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(File::create(&log)?)
            .spawn()
            .with_context(|| program.display().to_string())?;
        let mut program = Self { child, port: metrics_port };
        let begun = Instant::now();
        while !matches!(metrics::get(ready.0, ready.1), Ok((200, _))) {
            let said = || fs::read_to_string(&log).unwrap_or_default();
            if let Some(status) = program.child.try_wait()? {
                bail!("it ended with {status} and said:\n{}", said());
            }
            ensure!(begun.elapsed() < DEADLINE, "it does not become ready; it said:\n{}", said());
            sleep(LOOK);
        }
        Ok(program)
    }

    /// The sum over all labels of a metric.
    pub(super) fn metric(&self, name: &str) -> Result<f64> {
        let (_, text) = metrics::get(self.port, "/metrics")?;
        metrics::sum(&text, name).with_context(|| format!("/metrics has no {name}"))
    }

    /// Waits until a metric is as it should be.
    pub(super) fn wait(&self, name: &str, holds: impl Fn(f64) -> bool) -> Result<()> {
        let begun = Instant::now();
        loop {
            let value = self.metric(name)?;
            if holds(value) {
                return Ok(());
            }
            ensure!(begun.elapsed() < DEADLINE, "{name} stays at {value}");
            sleep(LOOK);
        }
    }

    /// Processor time so far, all threads, user and system.
    pub(super) fn cpu_seconds(&self) -> Result<f64> {
        cpu_seconds(self.child.id())
    }

    /// Stops it as an operator would.
    pub(super) fn stop(mut self) -> Result<()> {
        kill(Pid::from_raw(i32::try_from(self.child.id())?), Signal::SIGTERM)?;
        let begun = Instant::now();
        while self.child.try_wait()?.is_none() {
            ensure!(begun.elapsed() < DEADLINE, "it does not stop");
            sleep(LOOK);
        }
        Ok(())
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        // It may have gone already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Detector {
    /// Starts the detector with its files in `dir`, and `more` in its configuration.
    pub(super) fn start(program: &Path, dir: &Path, more: &str) -> Result<Self> {
        let [grpc, http] = free_ports()?;
        Self::start_at(program, dir, more, (grpc, http))
    }

    /// The same, at these ports for gRPC and HTTP.
    pub(super) fn start_at(program: &Path, dir: &Path, more: &str, (grpc, http): (u16, u16)) -> Result<Self> {
        let config = format!(
            "logLevel: warn\ngrpc: {{port: {grpc}}}\nhttp: {{port: {http}}}\noutputs: {{}}\n\
             history: {{path: {}/history.db}}\n{more}\n",
            dir.display()
        );
        let program = Program::start(program, &config, (http, "/healthz"), http, dir)?;
        Ok(Self { program, grpc })
    }
}
