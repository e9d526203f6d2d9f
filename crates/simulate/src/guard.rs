//! A process that undoes what another has announced, once that one is gone.
//!
//! It reads orders from its standard input, a pipe that only the announcing process can write to. The kernel closes
//! the pipe whatever ends that process, so nothing is left behind even after SIGKILL.

use std::{
    collections::BTreeMap,
    fs,
    io::{self, BufRead as _, Write as _},
    os::unix::process::CommandExt as _,
    path::{Path, PathBuf},
    process::{Child, ChildStdin, Command, Stdio},
    str::FromStr,
    sync::{Mutex, PoisonError},
};

use anyhow::{Context as _, bail};
use nix::{
    sys::signal::{Signal, kill},
    unistd::Pid,
};

/// The mark in the names of all files that may be removed.
pub(crate) const MARK: &str = "sentinel-simulate";

/// The only files without the mark that may be removed, and only when they are empty.
const UNMARKED: &[&str] = &["/etc/ld.so.preload"];

/// What is to be undone.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Order {
    /// Remove this file or directory.
    Remove(PathBuf),
    /// End this process, which started then.
    Kill(i32, u64),
    /// That process has ended.
    Ended(i32),
    /// Leave the files.
    Keep,
}

impl FromStr for Order {
    type Err = anyhow::Error;

    fn from_str(line: &str) -> anyhow::Result<Self> {
        let words: Vec<&str> = line.splitn(3, ' ').collect();
        Ok(match words.as_slice() {
            ["keep"] => Self::Keep,
            ["ended", pid] => Self::Ended(pid.parse()?),
            ["kill", pid, start] => Self::Kill(pid.parse()?, start.parse()?),
            ["remove", ..] => Self::Remove(PathBuf::from(line.split_at("remove ".len()).1)),
            _ => bail!("no order: {line:?}"),
        })
    }
}

/// The announcing side.
#[derive(Debug)]
pub(crate) struct Guard {
    child: Child,
    pipe: Mutex<Option<ChildStdin>>,
}

impl Guard {
    /// Starts the guard, out of reach of the terminal's signals.
    pub(crate) fn start(program: &Path) -> anyhow::Result<Self> {
        let mut command = Command::new(program);
        command.arg("guard").stdin(Stdio::piped()).stdout(Stdio::null()).process_group(0);
        let mut child = command.spawn().context("the guard process")?;
        let pipe = Mutex::new(child.stdin.take());
        Ok(Self { child, pipe })
    }

    /// Announces a path that is about to be made.
    pub(crate) fn remove(&self, path: &Path) -> anyhow::Result<()> {
        let text = path.to_str().filter(|text| !text.contains('\n'));
        self.order(&format!("remove {}", text.context("a path that is not plain text")?))
    }

    /// Announces a process that was started.
    pub(crate) fn kill(&self, pid: u32) -> anyhow::Result<()> {
        let pid = i32::try_from(pid)?;
        self.order(&format!("kill {pid} {}", started(pid).unwrap_or(0)))
    }

    /// The process has ended, and its number may be another's.
    pub(crate) fn ended(&self, pid: u32) -> anyhow::Result<()> {
        self.order(&format!("ended {pid}"))
    }

    /// The files are to stay.
    pub(crate) fn keep(&self) -> anyhow::Result<()> {
        self.order("keep")
    }

    fn order(&self, line: &str) -> anyhow::Result<()> {
        let mut pipe = self.pipe.lock().unwrap_or_else(PoisonError::into_inner);
        let pipe = pipe.as_mut().context("the guard is gone")?;
        pipe.write_all(format!("{line}\n").as_bytes()).context("the guard is gone")
    }

    /// Has everything undone, and waits for it.
    pub(crate) fn finish(mut self) -> anyhow::Result<()> {
        drop(self.pipe.lock().unwrap_or_else(PoisonError::into_inner).take());
        let status = self.child.wait().context("the guard process")?;
        if !status.success() {
            bail!("not everything could be undone: see above");
        }
        Ok(())
    }
}

/// The guard itself: takes orders until its input ends, then undoes.
pub(crate) fn guard() -> anyhow::Result<()> {
    let (mut paths, mut processes, mut keep) = (Vec::new(), BTreeMap::new(), false);
    for line in io::stdin().lock().lines() {
        // A line that was cut when the other side died is no order; what came before it counts.
        match line.unwrap_or_default().parse() {
            Ok(Order::Remove(path)) => paths.push(path),
            Ok(Order::Kill(pid, start)) => {
                processes.insert(pid, start);
            }
            Ok(Order::Ended(pid)) => {
                processes.remove(&pid);
            }
            Ok(Order::Keep) => keep = true,
            Err(error) => eprintln!("guard: {error:#}"),
        }
    }
    for (pid, start) in processes {
        if start != 0 && started(pid) == Some(start) {
            let _ = kill(Pid::from_raw(pid), Signal::SIGKILL);
        }
    }
    let mut failed = 0;
    for path in paths.iter().rev().filter(|_| !keep) {
        if let Err(error) = remove(path) {
            eprintln!("guard: {}: {error:#}", path.display());
            failed += 1;
        }
    }
    if failed > 0 {
        bail!("{failed} files are left");
    }
    Ok(())
}

/// Removes what was made; what is already gone is gone. Directories without the mark go only when they are empty.
fn remove(path: &Path) -> anyhow::Result<()> {
    let Ok(about) = fs::symlink_metadata(path) else { return Ok(()) };
    let marked = path.components().any(|part| part.as_os_str().to_string_lossy().contains(MARK));
    let known = UNMARKED.iter().any(|known| Path::new(known) == path) && about.len() == 0;
    if !marked && about.is_dir() {
        return fs::remove_dir(path).context("a directory that is not empty any more");
    }
    if !marked && !known {
        bail!("not removed: its name is not one that this program gives");
    }
    if about.is_dir() {
        fs::remove_dir_all(path)?
    } else {
        fs::remove_file(path)?
    }
    Ok(())
}

/// When a process started, in ticks since boot; none when there is no such process.
fn started(pid: i32) -> Option<u64> {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    let (_, rest) = stat.rsplit_once(')')?;
    rest.split_whitespace().nth(19)?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn orders_are_read() {
        let cases = [
            ("remove /var/log/a b", Some(Order::Remove("/var/log/a b".into()))),
            ("kill 7 99", Some(Order::Kill(7, 99))),
            ("ended 7", Some(Order::Ended(7))),
            ("keep", Some(Order::Keep)),
            ("kill 7", None),
            ("remo", None),
            ("", None),
        ];
        for (line, order) in cases {
            assert_eq!(line.parse().ok(), order, "{line:?}");
        }
    }

    #[test]
    fn only_marked_files_are_removed() {
        let dir = tempfile::tempdir().unwrap();
        let [marked, other] = [format!("{MARK}.1"), "passwd".to_owned()].map(|name| dir.path().join(name));
        fs::write(&marked, "x").unwrap();
        fs::write(&other, "x").unwrap();
        assert!(remove(&marked).is_ok() && !marked.exists());
        assert!(remove(&marked).is_ok(), "what is gone is gone");
        assert!(remove(&other).is_err() && other.exists());
        assert!(remove(dir.path()).is_err() && other.exists(), "a directory goes when it is empty");
    }

    #[test]
    fn a_process_has_a_start() {
        assert!(started(std::process::id().try_into().unwrap()).unwrap() > 0);
        assert_eq!(started(-1), None);
    }
}
