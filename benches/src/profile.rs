//! Where the agent's time goes: `perf` samples it, and what it found becomes a flame graph.

use std::{
    fs::File,
    io::{BufReader, BufWriter},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
};

use anyhow::{Context, Result, ensure};
use inferno::{
    collapse::{Collapse as _, perf},
    flamegraph,
};
use nix::{
    sys::signal::{Signal, kill},
    unistd::Pid,
};

/// Samples per second of each thread's own time; no round number, so that it falls in with no timer.
const HERTZ: &str = "997";

/// A running `perf record`; dropping it kills it.
pub(crate) struct Perf {
    child: Child,
    samples: PathBuf,
}

impl Perf {
    /// Begins to sample the process `pid`. What it finds goes to a file in `dir`.
    pub(crate) fn start(pid: u32, dir: &Path) -> Result<Self> {
        let samples = dir.join("perf.data");
        let child = Command::new("perf")
            .args([
                "record",
                "--quiet",
                "--event",
                "cpu-clock",
                "--freq",
                HERTZ,
                "--call-graph",
                "dwarf,16384",
            ])
            .arg("--output")
            .arg(&samples)
            .args(["--pid", &pid.to_string()])
            .stdin(Stdio::null())
            .spawn()
            .context("perf: it is in Debian's package linux-perf")?;
        Ok(Self { child, samples })
    }

    /// Ends it and draws what was found.
    pub(crate) fn draw(mut self, file: &Path) -> Result<()> {
        kill(Pid::from_raw(i32::try_from(self.child.id())?), Signal::SIGINT)?;
        self.child.wait()?;
        let stacks = self.samples.with_extension("stacks");
        let status = Command::new("perf")
            .args(["script", "--input"])
            .arg(&self.samples)
            .stdout(File::create(&stacks)?)
            .stderr(Stdio::null())
            .status()?;
        ensure!(status.success(), "perf script: {status}");
        let mut folded = Vec::new();
        perf::Folder::from(perf::Options::default())
            .collapse(BufReader::new(File::open(&stacks)?), &mut folded)?;
        ensure!(!folded.is_empty(), "perf found no samples");
        let mut options = flamegraph::Options::default();
        options.title = "sentinel-agent".into();
        flamegraph::from_reader(&mut options, &*folded, BufWriter::new(File::create(file)?))
            .with_context(|| file.display().to_string())?;
        Ok(())
    }
}

impl Drop for Perf {
    fn drop(&mut self) {
        // It may have gone already; then there is nothing to end.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
