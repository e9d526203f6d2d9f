//! What each BPF program of the agent costs inside the kernel, as the kernel itself counts it (`bpf_stats`).

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::Path,
};

use anyhow::{Context, Result};
use libbpf_rs::query::ProgInfoIter;
use serde::Serialize;

const SWITCH: &str = "/proc/sys/kernel/bpf_stats_enabled";

/// The kernel counts while this lives; before and after, as it did. Counting costs each run some 30 ns.
pub(crate) struct Counting(String);

impl Counting {
    /// Switches it on.
    pub(crate) fn start() -> Result<Self> {
        let before = fs::read_to_string(SWITCH).context(SWITCH)?;
        fs::write(SWITCH, "1").context(SWITCH)?;
        Ok(Self(before))
    }
}

impl Drop for Counting {
    fn drop(&mut self) {
        // Nothing can be done about it here; it costs a little and shows in the next figures.
        let _ = fs::write(SWITCH, self.0.trim());
    }
}

/// One program, all its runs together.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub(crate) struct Program {
    /// Where it is attached, as the kernel calls these places.
    pub(crate) name: String,
    /// Runs.
    pub(crate) runs: f64,
    /// Nanoseconds of a run, on average.
    pub(crate) ns_per_run: f64,
}

/// The programs that the process `pid` has attached and that ran, by the time they took in all. Its links say which
/// they are: it has closed the programs themselves.
pub(crate) fn of(pid: u32) -> Result<Vec<Program>> {
    let dir = Path::new("/proc").join(pid.to_string()).join("fdinfo");
    let files = fs::read_dir(&dir).with_context(|| dir.display().to_string())?;
    // Descriptors come and go while we look.
    let infos = files.flatten().filter_map(|file| fs::read_to_string(file.path()).ok());
    let infos: Vec<Fields> = infos.map(|info| fields(&info)).collect();
    let counts = ProgInfoIter::default().map(|program| (program.id, program.run_cnt, program.run_time_ns));
    Ok(programs(&infos, counts))
}

type Fields = BTreeMap<String, String>;

fn fields(info: &str) -> Fields {
    let pairs = info.lines().filter_map(|line| line.split_once(':'));
    pairs.map(|(key, value)| (key.trim().to_owned(), value.trim().to_owned())).collect()
}

/// `counts`: number, runs and nanoseconds of every program in the kernel.
fn programs(infos: &[Fields], counts: impl Iterator<Item = (u32, u64, u64)>) -> Vec<Program> {
    // A link knows where; the name is under another key for each type of link.
    let mut names: BTreeMap<u32, BTreeSet<&str>> = BTreeMap::new();
    for info in infos.iter().filter(|info| info.contains_key("link_type")) {
        let name = ["tp_name", "name", "func", "target_name"].iter().find_map(|key| info.get(*key));
        let program = info.get("prog_id").and_then(|id| id.parse().ok());
        if let (Some(program), Some(name)) = (program, name) {
            names.entry(program).or_default().insert(name);
        }
    }
    let ran = counts.filter(|(_, runs, _)| *runs > 0).filter_map(|(id, runs, ns)| {
        let name = names.get(&id)?.iter().copied().collect::<Vec<_>>().join(", ");
        let runs = runs as f64;
        Some(Program { name, runs, ns_per_run: ns as f64 / runs })
    });
    let mut found: Vec<_> = ran.collect();
    found.sort_by(|one, other| (other.runs * other.ns_per_run).total_cmp(&(one.runs * one.ns_per_run)));
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_program_has_the_names_of_its_links() {
        let link = "link_type:\traw_tracepoint\nprog_id:\t7\ntp_name:\tsched_process_exec\n";
        let also = "link_type:\tperf\nprog_id:\t7\nname:\tsys_exit_execve\n";
        let counts = [(7, 10, 3000), (8, 3, 9000), (9, 0, 0)];
        let idle = "link_type:\tperf\nprog_id:\t9\nname:\tsys_exit_mknod\n";
        let found = programs(&[also, link, idle, "pos:\t0\n"].map(fields), counts.into_iter());
        let name = "sched_process_exec, sys_exit_execve".into();
        assert_eq!(found, [Program { name, runs: 10.0, ns_per_run: 300.0 }]);
    }
}
