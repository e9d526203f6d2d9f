//! Control of the loaded programs.

mod compat;
mod guard;
mod lists;
mod programs;
mod skipped;

use std::{collections::BTreeMap, fmt, sync::Arc, thread, time::Duration};

use libbpf_rs::{MapCore, MapFlags, MapHandle, Object, ProgramInput};
use sentinel_event::{CallInterest, FileInterest, KindSet};
use zerocopy::IntoBytes as _;

use crate::{
    CgroupBook, Counters, HookFault, HookStatus, Options, ProbeError, Reader, Support, abi,
    attach::{self, Attached},
    calls::{self, Calls},
    counters::Shared,
    filter::{self, Filter},
    load, plan,
    reader::Maps,
    selftest,
    skel::SentinelSkel,
    support::{Facts, Name},
};

/// Control of the loaded programs. Dropping it detaches them.
pub struct Probe {
    /// Maps, and the programs that are run.
    skel: SentinelSkel<'static>,
    /// Programs that are to be attached. Those that are belong to their links, and what libbpf knows of them, some
    /// megabytes, is given back.
    loaded: Vec<Object>,
    /// The kernel's number of the newest of each name.
    ids: BTreeMap<String, u32>,
    jobs: Vec<Attached>,
    facts: Facts,
    shared: Arc<Shared>,
    config: abi::sentinel_config,
    ring_bytes: u32,
    /// Calls that are events of kind `syscall`, by name.
    syscalls: Vec<String>,
    /// The job that the canary asked last.
    pub(crate) asked: usize,
    guard: guard::Guard,
    skipped: skipped::Skipped,
    /// None: 32-bit calls are not looked at.
    compat: Option<compat::Compat>,
}

impl fmt::Debug for Probe {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Probe").field("facts", &self.facts).finish_non_exhaustive()
    }
}

impl Probe {
    /// Loads the programs that `options.kinds` need and attaches nothing: [`Probe::set_kinds`] does, and
    /// [`Probe::verify`] tests it, once somebody polls the reader.
    ///
    /// # Errors
    /// [`ProbeError`] when the kernel or the privileges refuse what no program can do without.
    pub fn open(options: &Options) -> Result<(Self, Reader), ProbeError> {
        load::quiet_libbpf();
        attach::remove_abandoned();
        let mut phase = load::Phase::begin();
        let facts = Facts::detect(options.compat);
        phase.end("facts");
        let skel = load::load(options, &facts).map_err(explain)?;
        phase.end("maps");
        let shared = Arc::new(Shared::default());
        let config = abi::sentinel_config {
            aggregate: options.aggregate.into(),
            environment: options.environment.into(),
            buffers: options.buffers.into(),
            ..Default::default()
        };
        let mut probe = Self {
            skel,
            loaded: Vec::new(),
            ids: BTreeMap::new(),
            jobs: attach::jobs(&facts),
            facts,
            shared,
            config,
            ring_bytes: options.ring_bytes,
            syscalls: Vec::new(),
            asked: 0,
            guard: guard::Guard::default(),
            skipped: skipped::Skipped::default(),
            compat: None,
        };
        probe.note_skeleton();
        probe.own(&options.own_fds)?;
        probe.guard_maps()?;
        probe.see_compat()?;
        probe.syscalls.clone_from(&options.syscalls);
        phase.end("own files");
        probe.retarget();
        probe.need(options.kinds.union(state())).map_err(explain)?;
        phase.end("programs");
        // The ring is mapped when what loading takes has been given back: the two are the largest there is.
        let handle = |map| MapHandle::try_from(map).map_err(ProbeError::refused("a map's descriptor"));
        let maps = Maps {
            asleep: handle(&probe.skel.maps.asleep)?,
            open_files: handle(&probe.skel.maps.open_files)?,
            counts: handle(&probe.skel.maps.counts)?,
            places: handle(&probe.skel.maps.open_places)?,
        };
        let reader = Reader::new(&probe.skel.maps.events, maps, Arc::clone(&probe.shared), options.sweep)?;
        Ok((probe, reader))
    }

    /// As [`Probe::open`]; attaches too, and tests that what is attached fires. Events of other processes
    /// during the test are delivered by the reader.
    ///
    /// # Errors
    /// As [`Probe::open`] and [`Reader::poll`].
    pub fn load(options: &Options) -> Result<(Self, Reader), ProbeError> {
        let (mut probe, mut reader) = Self::open(options)?;
        probe.set_kinds(options.kinds)?;
        let mut events = Vec::new();
        selftest::run_all(&mut probe, || reader.poll(&mut events))?;
        reader.put_back(events);
        Ok((probe, reader))
    }

    /// Tests that what is attached fires, half a second at most; [`Probe::hooks`] shows what came of it. Another
    /// thread must be polling the reader, which keeps the events of the test to itself.
    pub fn verify(&mut self) {
        let nap = || {
            thread::sleep(Duration::from_millis(1));
            Ok(())
        };
        if let Err(error) = selftest::run_all(self, nap) {
            tracing::debug!(%error, "The test of the programs ended early.");
        }
    }

    /// No event from now on; at once, and for good. The programs go when this is dropped.
    ///
    /// # Errors
    /// When the kernel's configuration map cannot be written.
    pub fn stop(&mut self) -> Result<(), ProbeError> {
        self.config.kinds = 0;
        self.write_config()
    }

    /// The calls that are events of kind `syscall` from now on, by the name the manual gives them; a call that
    /// this kernel does not have is reported as absent by [`Probe::hooks`]. A call that has a kind of its own
    /// would be told twice: the caller leaves it out. Takes effect with the next [`Probe::set_kinds`].
    pub fn set_syscalls(&mut self, names: Vec<String>) {
        self.syscalls = names;
    }

    /// Whether exec events carry the environment. Takes effect with the next [`Probe::set_kinds`].
    pub fn set_environment(&mut self, wanted: bool) {
        self.config.environment = wanted.into();
    }

    /// Whether reads, writes and messages carry data. Takes effect with the next [`Probe::set_kinds`].
    pub fn set_buffers(&mut self, wanted: bool) {
        self.config.buffers = wanted.into();
    }

    /// Calls that do not matter leave no record from now on, but our own; they are counted as `filtered`. Until this
    /// is called every call matters. What comes through io_uring is always told.
    ///
    /// # Errors
    /// When a map cannot be written: every call is told then.
    pub fn set_calls(&mut self, calls: &CallInterest) -> Result<(), ProbeError> {
        let calls = Calls::new(calls);
        // In this order: whoever is judging a call meanwhile sees that it judges by half of two plans.
        self.config.selective = 0;
        self.write_config()?;
        self.config.calls_epoch += 1;
        self.write_config()?;
        calls::Maps { comms: &self.skel.maps.call_comms, ports: &self.skel.maps.call_ports }.fill(&calls)?;
        calls.tell(&mut self.config);
        self.write_config().inspect_err(|_| self.config.selective = 0)
    }

    /// Opens that do not matter leave no record from now on: the kernel's side drops what it can judge, the reader
    /// the rest, and all of it is counted as `filtered`. Until this is called every open matters.
    ///
    /// # Errors
    /// When a map cannot be written. Nothing is lost then: what the kernel's side does not drop, the reader does.
    pub fn set_file_interest(&mut self, interest: &FileInterest) -> Result<(), ProbeError> {
        let filter = (*interest != FileInterest::all()).then(|| Arc::new(Filter::new(interest.clone())));
        self.filter(filter)
    }

    /// Puts a filter into force, or none.
    pub(crate) fn filter(&mut self, filter: Option<Arc<Filter>>) -> Result<(), ProbeError> {
        let maps = filter::Maps {
            filter: &self.skel.maps.open_filter,
            names: &self.skel.maps.open_names,
            suffixes: &self.skel.maps.open_suffixes,
            prefixes: &self.skel.maps.open_prefixes,
        };
        maps.pass_all()?;
        self.shared.set_filter(filter.clone());
        filter.map_or(Ok(()), |filter| maps.install(&filter))
    }

    /// Every hook there is and its state.
    pub fn hooks(&self) -> Vec<HookStatus> {
        self.jobs.iter().flat_map(Attached::status).collect()
    }

    /// The cgroups that are made and go from now on.
    ///
    /// # Errors
    /// When there is no descriptor left.
    pub fn cgroups(&self) -> Result<CgroupBook, ProbeError> {
        let handle = |map| MapHandle::try_from(map).map_err(ProbeError::refused("a map's descriptor"));
        let maps = &self.skel.maps;
        Ok(CgroupBook {
            paths: handle(&maps.cgroup_paths)?,
            places: handle(&maps.cgroup_places)?,
            deaths: handle(&maps.cgroup_deaths)?,
        })
    }

    /// Whether everything that is wanted works.
    pub fn degraded(&self) -> bool {
        let wanted = self.shared.wanted();
        self.jobs.iter().any(|job| {
            job.job.kind_set().intersects(wanted) && (job.is_degraded() || job.program().is_none())
        })
    }

    /// Counters of the kernel side.
    ///
    /// # Errors
    /// When the kernel's map cannot be read.
    pub fn counters(&self) -> Result<Counters, ProbeError> {
        let mut counters = self.shared.counters(&self.skel.maps.counts)?;
        counters.ring_size = self.ring_bytes.into();
        if self.facts.has(Name::Syscall) {
            let used = self.skel.progs.ring_used.test_run(ProgramInput::default());
            counters.ring_used = used.ok().map(|output| output.return_value.into());
        }
        Ok(counters)
    }

    /// Processes whose reads and writes are always summed, aggregation or not: those that store our
    /// output. Replaces the ones named before.
    ///
    /// # Errors
    /// When the map cannot be written.
    pub fn set_consumers(&mut self, tgids: &[u32]) -> Result<(), ProbeError> {
        let map = &self.skel.maps.consumers;
        let old: Vec<Vec<u8>> = map.keys().collect();
        for key in old.iter().filter(|key| !tgids.iter().any(|tgid| tgid.as_bytes() == key.as_slice())) {
            map.delete(key).map_err(ProbeError::refused("the map consumers"))?;
        }
        for tgid in tgids {
            map.update(tgid.as_bytes(), 1u32.as_bytes(), MapFlags::ANY)
                .map_err(ProbeError::refused("the map consumers"))?;
        }
        Ok(())
    }

    fn write_config(&self) -> Result<(), ProbeError> {
        self.skel
            .maps
            .settings
            .update(0u32.as_bytes(), self.config.as_bytes(), MapFlags::ANY)
            .map_err(ProbeError::refused("the map settings"))
    }

    /// Whether the kernel's maps still say what we have written there; puts them right.
    pub(crate) fn compare(&mut self) -> Option<HookFault> {
        let filter = self.shared.filter();
        let maps = &self.skel.maps;
        let is = |map: &dyn MapCore, wanted: &[u8]| {
            // Not to know is not a fault.
            map.lookup(0u32.as_bytes(), MapFlags::ANY).map_or(true, |found| found.as_deref() == Some(wanted))
        };
        let wire = filter.as_ref().map(|filter| *filter.wire()).unwrap_or_default();
        if is(&maps.settings, self.config.as_bytes()) && is(&maps.open_filter, wire.as_bytes()) {
            return None;
        }
        let righted = self.write_config().and_then(|()| self.filter(filter));
        let reason = match righted {
            Ok(()) => String::from("somebody has changed what the programs are told; it is right again"),
            Err(error) => format!("somebody has changed what the programs are told, and {error}"),
        };
        Some(HookFault { program: "", hook: None, reason })
    }

    pub(crate) fn shared(&self) -> &Shared {
        &self.shared
    }

    pub(crate) fn jobs(&self) -> &[Attached] {
        &self.jobs
    }

    /// The jobs, for the self-test.
    pub(crate) fn jobs_mut(&mut self) -> &mut [Attached] {
        &mut self.jobs
    }

    /// Our own tgid, initial pid namespace.
    pub(crate) fn own_tgid(&self) -> u32 {
        self.config.self_tgid
    }
}

impl Drop for Probe {
    fn drop(&mut self) {
        // They may fire for some seconds yet: to no end.
        let _ = self.stop();
        attach::abandon(self.jobs.iter_mut().flat_map(Attached::detach).collect());
    }
}

/// Kinds that are always captured.
fn state() -> KindSet {
    plan::STATE.iter().copied().collect()
}

/// Puts the missing fact in place of libbpf's errno, when there is one.
fn explain(error: ProbeError) -> ProbeError {
    if matches!(error, ProbeError::RingSize(_)) {
        return error;
    }
    let missing = Support::detect().facts.into_iter().find(|fact| fact.required && !fact.available);
    missing.map_or(error, |fact| ProbeError::Missing {
        fact: fact.name,
        detail: fact.detail,
        remedy: fact.remedy,
    })
}
