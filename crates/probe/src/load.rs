//! Opening, configuring and loading the BPF objects.

use std::{collections::hash_map::RandomState, hash::BuildHasher as _, mem::MaybeUninit};

use libbpf_rs::{
    ObjectBuilder, PrintLevel,
    skel::{OpenSkel as _, SkelBuilder as _},
};

use crate::{
    Options, ProbeError,
    plan::JOBS,
    skel::{SentinelSkel, SentinelSkelBuilder},
    support::{Facts, Name},
};

/// Programs that are run, not attached.
fn is_run(program: &str, facts: &Facts) -> bool {
    match program {
        "ring_used" => facts.has(Name::Syscall),
        "snapshot_files" => true,
        other => other == snapshot_tasks(facts),
    }
}

/// The iterator over processes for this kernel.
pub(crate) fn snapshot_tasks(facts: &Facts) -> &'static str {
    if facts.has(Name::BpfLoop) { "snapshot_tasks" } else { "snapshot_tasks_old" }
}

/// libbpf's messages become debug records: what matters comes as an error as well.
pub(crate) fn quiet_libbpf() {
    libbpf_rs::set_print(Some((PrintLevel::Debug, |_, message| {
        tracing::debug!(target: "libbpf", "{}", message.trim_end());
    })));
}

/// Whether the kernel loads the empty program `fact_NAME`.
pub(crate) fn try_fact(name: &str) -> Result<(), libbpf_rs::Error> {
    let program = format!("fact_{name}");
    let mut object = ObjectBuilder::default().open_memory(FACTS)?;
    for mut candidate in object.progs_mut() {
        let chosen = candidate.name().to_string_lossy() == program;
        candidate.set_autoload(chosen);
    }
    object.load().map(drop)
}

static FACTS: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/facts.o"));

/// Loads the programs that some job chose on this kernel; the others are not even verified.
pub(crate) fn load(options: &Options, facts: &Facts) -> Result<SentinelSkel<'static>, ProbeError> {
    if !options.ring_bytes.is_power_of_two() || options.ring_bytes < 1 << 16 {
        return Err(ProbeError::RingSize(options.ring_bytes));
    }
    // The skeleton borrows its storage for as long as it lives; a process loads one, or a few in tests.
    let storage = Box::leak(Box::new(MaybeUninit::uninit()));
    let mut open =
        SentinelSkelBuilder::default().open(storage).map_err(ProbeError::refused("the BPF object"))?;
    if let Some(rodata) = open.maps.rodata_data.as_deref_mut() {
        rodata.has_cast = facts.has(Name::RdonlyCast).into();
        rodata.has_pt_regs = facts.has(Name::TaskPtRegs).into();
        rodata.only_tgid = options.only_tgid.unwrap_or_default();
        rodata.scramble_secret = RandomState::new().hash_one(std::process::id());
    }
    open.maps.events.set_max_entries(options.ring_bytes).map_err(ProbeError::refused("the ring's size"))?;
    let chosen: Vec<&str> =
        JOBS.iter().filter_map(|job| job.choose(facts).ok()).map(|variant| variant.program).collect();
    for mut program in open.open_object_mut().progs_mut() {
        let name = program.name().to_string_lossy().into_owned();
        program.set_autoload(is_run(&name, facts) || chosen.contains(&name.as_str()));
        program.set_autoattach(false);
    }
    open.load().map_err(ProbeError::refused("the BPF programs"))
}
