//! Opening, configuring and loading the BPF objects.

use std::{
    collections::hash_map::RandomState,
    ffi::OsStr,
    hash::BuildHasher as _,
    io,
    mem::MaybeUninit,
    num::NonZero,
    os::fd::{AsFd as _, BorrowedFd},
    sync::OnceLock,
    thread,
    time::Instant,
};

use libbpf_rs::{
    ErrorExt as _, MapCore as _, Object, ObjectBuilder, PrintLevel,
    skel::{OpenSkel as _, Skel as _, SkelBuilder as _},
};

use crate::{
    Options, ProbeError,
    skel::{SentinelSkel, SentinelSkelBuilder},
    support::{Facts, Name},
    verdict,
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

/// libbpf's messages, some 90,000 at a start, become trace records: what matters comes as an error as well.
pub(crate) fn quiet_libbpf() {
    libbpf_rs::set_print(Some((PrintLevel::Debug, |level, message| {
        verdict::hear(level, &message);
        tracing::trace!(target: "libbpf", "{}", message.trim_end());
    })));
}

/// Whether the kernel loads the empty program `fact_NAME`, and, where some load what they do not attach, attaches it.
pub(crate) fn try_fact(name: &str) -> Result<(), libbpf_rs::Error> {
    let program = format!("fact_{name}");
    let mut object = ObjectBuilder::default().open_memory(FACTS)?;
    for mut candidate in object.progs_mut() {
        let chosen = candidate.name().to_string_lossy() == program;
        candidate.set_autoload(chosen);
    }
    let object = object.load()?;
    let mut loaded = object.progs_mut();
    match loaded.find(|candidate| candidate.autoload()) {
        Some(program) if name == "fexit" => program.attach_trace().map(drop),
        Some(program) if name == "tracepoint" => program.attach().map(drop),
        _ => Ok(()),
    }
}

static FACTS: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/facts.o"));
/// All programs and maps, for every kernel.
static PLAIN: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/sentinel.bpf.o"));
/// The same, for kernels with `bpf_rdonly_cast`: see `bpf/include/access.h`.
static CAST: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/cast.bpf.o"));

/// The same for 32-bit calls: see `bpf/include/compat.h`. Empty where there are none.
static COMPAT: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/compat.bpf.o"));

/// What of [`PLAIN`] and [`CAST`] this kernel gets. The other one is never read, and takes no memory.
fn native(facts: &Facts) -> &'static [u8] {
    if facts.has(Name::RdonlyCast) && facts.has(Name::TaskPtRegs) { CAST } else { PLAIN }
}

/// The same for the generated skeleton, which takes no argument.
pub(crate) static CHOSEN: OnceLock<&[u8]> = OnceLock::new();

/// Makes the maps, and loads the programs that are run. Those that are attached come with [`programs`].
pub(crate) fn load(options: &Options, facts: &Facts) -> Result<SentinelSkel<'static>, ProbeError> {
    if !options.ring_bytes.is_power_of_two() || options.ring_bytes < 1 << 16 {
        return Err(ProbeError::RingSize(options.ring_bytes));
    }
    CHOSEN.get_or_init(|| native(facts));
    // The skeleton borrows its storage for as long as it lives; a process loads one, or a few in tests.
    let storage = Box::leak(Box::new(MaybeUninit::uninit()));
    let mut open =
        SentinelSkelBuilder::default().open(storage).map_err(ProbeError::refused("the BPF object"))?;
    if let Some(rodata) = open.maps.rodata_data.as_deref_mut() {
        rodata.has_pt_regs = facts.has(Name::TaskPtRegs).into();
        rodata.uring_style = (!facts.has(Name::UringEntry)).into();
        rodata.only_tgid = options.only_tgid.unwrap_or_default();
        rodata.scramble_secret = RandomState::new().hash_one(std::process::id());
        rodata.ring_common = options.ring_bytes - options.ring_bytes / 8;
    }
    open.maps.events.set_max_entries(options.ring_bytes).map_err(ProbeError::refused("the ring's size"))?;
    for mut program in open.open_object_mut().progs_mut() {
        program.set_autoload(is_run(&program.name().to_string_lossy(), facts));
        program.set_autoattach(false);
    }
    verdict::take();
    open.load().map_err(said).map_err(ProbeError::refused("the BPF programs"))
}

/// With the verifier's last words, if it had any.
fn said(error: libbpf_rs::Error) -> libbpf_rs::Error {
    match verdict::take() {
        Some(words) => error.context(format!("the verifier says: {words}")),
        None => error,
    }
}

/// Threads that load at most.
const LOADERS: usize = 4;
/// Fewer programs than this are not worth a thread of their own.
const WORTH: usize = 4;

/// Programs that are loaded, and those that the kernel refuses, with the reason.
pub(crate) type Loaded<'a> = (Vec<Object>, Vec<(&'a str, libbpf_rs::Error)>);

/// As [`programs`], of those for 32-bit calls.
///
/// # Errors
/// As there.
pub(crate) fn compat_programs<'a>(
    skel: &SentinelSkel<'_>,
    names: &[&'a str],
) -> Result<Loaded<'a>, ProbeError> {
    load_all(COMPAT, skel, names)
}

/// Loads programs that use the maps of `skel`. The kernel verifies one program at a time for each thread that asks,
/// which takes nearly all of a start: so there are as many threads as processors. What of a share is refused is found
/// by halves.
///
/// # Errors
/// When the kernel refuses them all.
pub(crate) fn programs<'a>(
    skel: &SentinelSkel<'_>,
    facts: &Facts,
    names: &[&'a str],
) -> Result<Loaded<'a>, ProbeError> {
    load_all(native(facts), skel, names)
}

fn load_all<'a>(data: &[u8], skel: &SentinelSkel<'_>, names: &[&'a str]) -> Result<Loaded<'a>, ProbeError> {
    let (mut loaded, mut refused) = (Vec::new(), Vec::new());
    if names.is_empty() {
        return Ok((loaded, refused));
    }
    let processors = thread::available_parallelism().map_or(1, NonZero::get);
    let groups = shares(skel, names, processors.min(LOADERS).min(names.len().div_ceil(WORTH)));
    let maps: Vec<_> = skel.object().maps().map(|map| (map.name().to_owned(), map)).collect();
    let maps: Vec<_> = maps.iter().map(|(name, map)| (name.as_os_str(), map.as_fd())).collect();
    let results: Vec<_> = thread::scope(|scope| {
        let loaders: Vec<_> =
            groups.iter().map(|group| scope.spawn(|| load_group(data, &maps, group))).collect();
        let died = |_| Err(libbpf_rs::Error::from(io::Error::other("the loader died")));
        loaders.into_iter().map(|loader| loader.join().unwrap_or_else(died)).collect()
    });
    // libbpf does not say which program it was: halves, until it is known.
    let mut left: Vec<_> = groups.iter().map(Vec::as_slice).zip(results).collect();
    while let Some((group, result)) = left.pop() {
        match (result, group) {
            (Ok(object), _) => loaded.push(object),
            (Err(error), [name]) => refused.push((*name, error)),
            (Err(_), group) => {
                let (one, other) = group.split_at(group.len() / 2);
                left.extend([one, other].map(|half| (half, load_group(data, &maps, half))));
            }
        }
    }
    match refused.pop() {
        Some((_, error)) if loaded.is_empty() => Err(ProbeError::refused("the BPF programs")(error)),
        last => {
            refused.extend(last);
            Ok((loaded, refused))
        }
    }
}

/// Shares of about the same size: the longest program first, each to who has least.
fn shares<'a>(skel: &SentinelSkel<'_>, names: &[&'a str], count: usize) -> Vec<Vec<&'a str>> {
    let mut sizes: Vec<(usize, &str)> = Vec::with_capacity(names.len());
    for program in skel.object().progs() {
        let name = program.name().to_string_lossy();
        sizes
            .extend(names.iter().find(|wanted| **wanted == name).map(|wanted| (program.insn_cnt(), *wanted)));
    }
    sizes.sort_unstable_by(|one, other| other.cmp(one));
    let mut shares = vec![(0, Vec::new()); count.max(1)];
    for (size, name) in sizes {
        if let Some((sum, share)) = shares.iter_mut().min_by_key(|(sum, _)| *sum) {
            *sum += size;
            share.push(name);
        }
    }
    shares.into_iter().map(|(_, share)| share).collect()
}

fn load_group(
    data: &[u8],
    maps: &[(&OsStr, BorrowedFd<'_>)],
    names: &[&str],
) -> Result<Object, libbpf_rs::Error> {
    let mut open = ObjectBuilder::default().name("sentinel_bpf")?.open_memory(data)?;
    for mut map in open.maps_mut() {
        if let Some((_, made)) = maps.iter().find(|(name, _)| *name == map.name()) {
            map.reuse_fd(*made)?;
        }
    }
    for mut program in open.progs_mut() {
        let chosen = names.contains(&&*program.name().to_string_lossy());
        program.set_autoload(chosen);
        program.set_autoattach(false);
    }
    verdict::take();
    open.load().map_err(said)
}

/// How long the parts of a start take: records of level debug.
pub(crate) struct Phase(Instant);

impl Phase {
    pub(crate) fn begin() -> Self {
        Self(Instant::now())
    }

    pub(crate) fn end(&mut self, what: &str) {
        let (before, now) = (self.0, Instant::now());
        self.0 = now;
        tracing::debug!(what, took = ?now.duration_since(before), "Loading the probe.");
    }
}
