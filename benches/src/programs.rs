//! What each BPF program of the agent costs inside the kernel, as the kernel itself counts it (`bpf_stats`).

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::Path,
};

use anyhow::{Context, Result};
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
    /// Where it is attached, as the kernel calls these places; else its number.
    pub(crate) name: String,
    /// Runs.
    pub(crate) runs: f64,
    /// Nanoseconds of a run, on average.
    pub(crate) ns_per_run: f64,
}

/// The programs that the process `pid` has loaded and that ran, by the time they took in all.
pub(crate) fn of(pid: u32) -> Result<Vec<Program>> {
    let dir = Path::new("/proc").join(pid.to_string()).join("fdinfo");
    let files = fs::read_dir(&dir).with_context(|| dir.display().to_string())?;
    // Descriptors come and go while we look.
    let infos = files.flatten().filter_map(|file| fs::read_to_string(file.path()).ok());
    Ok(programs(infos.map(|info| fields(&info)).collect()))
}

type Fields = BTreeMap<String, String>;

fn fields(info: &str) -> Fields {
    let pairs = info.lines().filter_map(|line| line.split_once(':'));
    pairs.map(|(key, value)| (key.trim().to_owned(), value.trim().to_owned())).collect()
}

fn programs(infos: Vec<Fields>) -> Vec<Program> {
    // A link knows where; the name is under another key for each type of link.
    let mut names: BTreeMap<String, BTreeSet<&str>> = BTreeMap::new();
    for info in infos.iter().filter(|info| info.contains_key("link_type")) {
        let name = ["tp_name", "name", "func", "target_name"].iter().find_map(|key| info.get(*key));
        if let (Some(program), Some(name)) = (info.get("prog_id"), name) {
            names.entry(program.clone()).or_default().insert(name);
        }
    }
    let number = |info: &Fields, key: &str| info.get(key).and_then(|text| text.parse::<f64>().ok());
    let mut found = BTreeMap::new();
    for info in &infos {
        let runs = number(info, "run_cnt").filter(|runs| *runs > 0.0);
        let (Some(id), Some(runs), Some(ns)) = (info.get("prog_id"), runs, number(info, "run_time_ns"))
        else {
            continue;
        };
        let places = names.get(id).map(|names| names.iter().copied().collect::<Vec<_>>().join(", "));
        let name = places.unwrap_or_else(|| format!("program {id}"));
        found.insert(id.clone(), Program { name, runs, ns_per_run: ns / runs });
    }
    let mut found: Vec<_> = found.into_values().collect();
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
        let program = "prog_type:\t5\nprog_id:\t7\nrun_time_ns:\t3000\nrun_cnt:\t10\n";
        let idle = "prog_type:\t5\nprog_id:\t8\nrun_time_ns:\t0\nrun_cnt:\t0\n";
        let nameless = "prog_type:\t5\nprog_id:\t9\nrun_time_ns:\t9000\nrun_cnt:\t3\n";
        let found = programs([also, link, program, idle, nameless, "pos:\t0\n"].map(fields).into());
        let of = |name: &str, runs, ns_per_run| Program { name: name.into(), runs, ns_per_run };
        assert_eq!(
            found,
            [of("program 9", 3.0, 3000.0), of("sched_process_exec, sys_exit_execve", 10.0, 300.0)]
        );
    }
}
