//! Which events are an attack's.

use std::collections::HashMap;

use sentinel_wire::Event;

/// The program whose runs are attacks.
const SIMULATOR: &str = "sentinel-simulate";

/// The simulator's processes.
#[derive(Debug, Default)]
pub(super) struct Labels {
    /// Of a process, the attack it belongs to; none for those of benign twins.
    processes: HashMap<String, Option<String>>,
}

impl Labels {
    /// The attack that an event belongs to; the inner none is a benign twin. Events come in their order.
    pub(super) fn of(&mut self, event: Event<'_>) -> Option<Option<String>> {
        let data = |key: &str| event.data(key).unwrap_or_default();
        let around = |key: &str| event.attribute(key).unwrap_or_default();
        let process = data("pid");
        let begun = || begun(around("proc.exepath"), around("proc.cmdline"));
        let inherited =
            || self.processes.get(around("proc.ppid")).or_else(|| self.processes.get(process)).cloned();
        let label = begun().or_else(inherited);
        match &label {
            Some(label) => drop(self.processes.insert(process.to_owned(), label.clone())),
            None => drop(self.processes.remove(process)),
        }
        // Numbers of processes come again.
        if event.event_type() == "fork" {
            let child = data("child_pid").to_owned();
            match &label {
                Some(label) => drop(self.processes.insert(child, label.clone())),
                None => drop(self.processes.remove(&child)),
            }
        }
        label
    }
}

/// The attack that a command line runs; the inner none is a benign twin.
fn begun(program: &str, command: &str) -> Option<Option<String>> {
    let file = program.rsplit('/').next().unwrap_or_default();
    if !file.starts_with(SIMULATOR) {
        return None;
    }
    let Some((_, rest)) = command.split_once(" run ") else {
        // What it does for a run has the run's label already; to list the attacks is none.
        return command.contains(" list").then_some(None);
    };
    let name = rest.split(' ').find(|word| !word.starts_with('-'))?;
    Some(Some(name.to_owned()).filter(|_| !rest.split(' ').any(|word| word == "--benign")))
}
