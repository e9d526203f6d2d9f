//! The agent under measurement: started, waited for, asked, stopped.

use std::{
    fs::{self, File},
    net::{Ipv4Addr, TcpListener},
    path::Path,
    process::{Child, ChildStdout, Command, Stdio},
    thread::sleep,
    time::{Duration, Instant},
};

use anyhow::{Context, Result, bail, ensure};
use nix::{
    sys::signal::{Signal, kill},
    unistd::{Pid, SysconfVar, sysconf},
};
use serde::Serialize;

use crate::metrics;

/// How long the agent may take until it is ready, and until it has stopped.
const DEADLINE: Duration = Duration::from_secs(60);
/// How often we look whether something has come true.
const LOOK: Duration = Duration::from_millis(20);
/// Without more than [`IDLE_EVENTS`] between two looks for so long, nothing waits any more.
const QUIET: Duration = Duration::from_millis(500);
/// An idle machine has so many events of its own between two looks.
const IDLE_EVENTS: f64 = 50.0;
/// Events that came out of the kernel's ring.
const EVENTS: &str = "sentinel_events_decoded_total";
/// Events lost, at any hop.
const LOST: &str = "sentinel_events_lost_total";

/// A running agent; dropping it kills it.
pub(crate) struct Agent {
    child: Child,
    metrics_port: u16,
}

/// What the agent has counted and used since its start.
#[derive(Debug, Clone, Copy, Serialize)]
pub(crate) struct Usage {
    /// Events taken from the ring.
    pub(crate) events: f64,
    /// Events lost, all hops together.
    pub(crate) lost: f64,
    /// Processor time of all its threads, user and system.
    pub(crate) cpu_seconds: f64,
    /// Most memory resident at once, in MiB (VmHWM).
    pub(crate) peak_rss_mib: f64,
}

/// What an agent is started with, besides defaults.
#[derive(Debug, Default)]
pub(crate) struct Setup<'a> {
    /// Forward rules.
    pub(crate) rules: Option<&'a Path>,
    /// Detection rules: files, or `builtin`, with commas between. None: the agent's defaults.
    pub(crate) detection: Option<String>,
    /// Standard output is for the harness to read.
    pub(crate) piped: bool,
}

impl Agent {
    /// Starts `program` and waits until it is ready. Its standard output goes to /dev/null, its messages and
    /// configuration to files in `dir`.
    pub(crate) fn start(program: &Path, setup: &Setup<'_>, dir: &Path) -> Result<Self> {
        Ok(Self::start_with(program, setup, dir)?.0)
    }

    /// As [`Self::start`]; returns its standard output too, when that is asked for.
    pub(crate) fn start_with(
        program: &Path,
        setup: &Setup<'_>,
        dir: &Path,
    ) -> Result<(Self, Option<ChildStdout>)> {
        let [health_port, metrics_port] = free_ports()?;
        let config = dir.join("agent-config.yaml");
        let detection = setup.detection.as_ref().map(|rules| format!("detection: {{rules: [{rules}]}}\n"));
        let detection = detection.unwrap_or_default();
        fs::write(
            &config,
            format!(
                "{detection}logLevel: warn\nstream: {{mode: stdout}}\n\
                 health: {{address: 127.0.0.1, port: {health_port}}}\n\
                 metrics: {{enabled: true, address: 127.0.0.1, port: {metrics_port}}}\n"
            ),
        )?;
        let messages = dir.join("agent.log");
        let mut command = Command::new(program);
        command.arg("--config").arg(&config);
        if let Some(rules) = setup.rules {
            command.arg("--rules").arg(rules);
        }
        let mut child = command
            .stdin(Stdio::null())
            .stdout(if setup.piped { Stdio::piped() } else { Stdio::null() })
            .stderr(File::create(&messages)?)
            .spawn()
            .with_context(|| program.display().to_string())?;
        let output = child.stdout.take();
        let mut agent = Self { child, metrics_port };
        agent.wait_ready(health_port).with_context(|| {
            let said = fs::read_to_string(&messages).unwrap_or_default();
            format!("{} did not become ready; it said:\n{said}", program.display())
        })?;
        Ok((agent, output))
    }

    fn wait_ready(&mut self, health_port: u16) -> Result<()> {
        let start = Instant::now();
        let mut last = String::from("no connection");
        while start.elapsed() < DEADLINE {
            if let Some(status) = self.child.try_wait()? {
                bail!("it ended with {status}");
            }
            match metrics::get(health_port, "/readyz") {
                Ok((200, _)) => return Ok(()),
                Ok((status, body)) => last = format!("{status} {body}"),
                Err(error) => last = error.to_string(),
            }
            sleep(LOOK);
        }
        bail!("/readyz after {} s: {last}", DEADLINE.as_secs())
    }

    /// What it has counted and used so far.
    pub(crate) fn usage(&self) -> Result<Usage> {
        let (status, text) = metrics::get(self.metrics_port, "/metrics")?;
        ensure!(status == 200, "/metrics answered {status}");
        let series = |name| metrics::sum(&text, name).with_context(|| format!("/metrics has no {name}"));
        let proc = Path::new("/proc").join(self.child.id().to_string());
        Ok(Usage {
            events: series(EVENTS)?,
            lost: series(LOST)?,
            cpu_seconds: cpu_seconds(self.child.id())?,
            peak_rss_mib: peak_rss_kib(&fs::read_to_string(proc.join("status"))?)? / 1024.0,
        })
    }

    /// How old events were when they were enriched, in seconds: upper bound, and how many were no older.
    pub(crate) fn ages(&self) -> Result<Vec<(f64, f64)>> {
        Ok(metrics::buckets(&metrics::get(self.metrics_port, "/metrics")?.1, "sentinel_event_age_seconds"))
    }

    /// [`Self::usage`] once the agent has caught up: its count of events has not changed for a while.
    pub(crate) fn settled(&self) -> Result<Usage> {
        let start = Instant::now();
        let mut last = self.usage()?;
        let mut since = Instant::now();
        while since.elapsed() < Duration::from_millis(500) && start.elapsed() < DEADLINE {
            sleep(LOOK);
            let now = self.usage()?;
            // An idle machine still has a few events of its own.
            if now.events - last.events > 20.0 {
                since = Instant::now();
            }
            last = now;
        }
        Ok(last)
    }

    /// Its process id.
    pub(crate) fn pid(&self) -> u32 {
        self.child.id()
    }

    /// How long it goes on with events that waited, from now on.
    pub(crate) fn catches_up(&self) -> Result<Duration> {
        let start = Instant::now();
        let mut last = self.usage()?;
        let mut busy = Duration::ZERO;
        while start.elapsed() - busy < QUIET && start.elapsed() < DEADLINE {
            sleep(LOOK);
            let now = self.usage()?;
            if now.events + now.lost - last.events - last.lost > IDLE_EVENTS {
                busy = start.elapsed();
            }
            last = now;
        }
        Ok(busy)
    }

    /// Stops it as an operator would, and says when that failed.
    pub(crate) fn stop(mut self) -> Result<()> {
        kill(Pid::from_raw(i32::try_from(self.child.id())?), Signal::SIGTERM)?;
        let start = Instant::now();
        while start.elapsed() < DEADLINE {
            if let Some(status) = self.child.try_wait()? {
                ensure!(status.success(), "the agent ended with {status}");
                return Ok(());
            }
            sleep(LOOK);
        }
        bail!("the agent did not stop within {} s", DEADLINE.as_secs())
    }
}

impl Drop for Agent {
    fn drop(&mut self) {
        // It may have gone already; then there is nothing to end.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Two ports that nobody has now. Somebody may take one before the agent does; then it says so.
pub(crate) fn free_ports() -> Result<[u16; 2]> {
    let any = (Ipv4Addr::LOCALHOST, 0);
    let listeners = [TcpListener::bind(any)?, TcpListener::bind(any)?];
    Ok([listeners[0].local_addr()?.port(), listeners[1].local_addr()?.port()])
}

/// Processor time of a process so far, all threads, user and system.
pub(crate) fn cpu_seconds(pid: u32) -> Result<f64> {
    let ticks = sysconf(SysconfVar::CLK_TCK)?.context("the kernel does not tell its clock ticks")?;
    Ok(cpu_ticks(&fs::read_to_string(format!("/proc/{pid}/stat"))?)? / ticks as f64)
}

/// User and system time in `/proc/PID/stat`, in clock ticks: fields 14 and 15, counted after the name.
fn cpu_ticks(stat: &str) -> Result<f64> {
    let (_, rest) = stat.rsplit_once(')').context("/proc/PID/stat: no name")?;
    let ticks = rest.split_whitespace().skip(11).take(2).map(str::parse::<f64>);
    ticks.sum::<Result<f64, _>>().context("/proc/PID/stat: no number")
}

/// Peak resident memory in `/proc/PID/status`, in KiB.
fn peak_rss_kib(status: &str) -> Result<f64> {
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    let number = line.and_then(|line| line.split_whitespace().next());
    number.context("/proc/PID/status: no VmHWM")?.parse().context("/proc/PID/status: VmHWM")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_with_spaces_and_brackets_does_not_shift_the_fields() {
        let stat = "7 (a) b (c) S 1 7 7 0 -1 4194560 100 0 0 0 11 22 33 44 20 0 1 0 5 6 7";
        assert_eq!(cpu_ticks(stat).unwrap(), 33.0);
    }

    #[test]
    fn the_peak_is_read_and_not_the_present_size() {
        assert_eq!(peak_rss_kib("Name:\tx\nVmHWM:\t  2048 kB\nVmRSS:\t 1 kB\n").unwrap(), 2048.0);
        assert!(peak_rss_kib("Name:\tx\n").is_err());
    }
}
