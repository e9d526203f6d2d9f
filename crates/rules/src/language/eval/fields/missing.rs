//! What never has a value, and why.

const PLUGINS: &str = "there are no plugins: what they tell of is built in";
const NO_PODS_OF_OTHERS: &str =
    "the agent asks the API server for the pods of its own node and for nothing else";
const NO_SPEC: &str = "runtimes do not tell the probes of a pod";
const NETWORK: &str = "runtimes tell the address of a pod, not how its network was set up";
const POLL: &str = "what poll and select wait for is not looked at";
const STREAMS: &str =
    "which files a process holds is not tracked; `dup` events tell of sockets put on 0, 1 and 2";
const USE: &str = "it is a reading of the moment, not part of what was done: ask a monitor of resources";
const LAYER: &str = "layers are told of programs only: `proc.is_exe_upper_layer`";
const THREADS: &str = "threads are no events, so nobody counts them";

/// Fields that rules may name and that no event fills: they are always missing. Each with the reason.
pub const MISSING: &[(&str, &str)] = &[
    ("container.cni.json", NETWORK),
    ("container.info", "deprecated: an output shows nothing in its place"),
    ("container.liveness_probe", NO_SPEC),
    ("container.readiness_probe", NO_SPEC),
    ("evt.asynctype", PLUGINS),
    ("evt.cpu", "on which CPU something happened says nothing of who did what, so records leave it out"),
    ("evt.plugininfo", PLUGINS),
    ("evt.pluginname", PLUGINS),
    ("fd.is_lower_layer", LAYER),
    ("fd.is_upper_layer", LAYER),
    ("fd.lip.name", "names are those that the host has looked up: of other ends"),
    ("fd.types", STREAMS),
    ("fdlist.cips", POLL),
    ("fdlist.cports", POLL),
    ("fdlist.names", POLL),
    ("fdlist.nums", POLL),
    ("fdlist.sips", POLL),
    ("fdlist.sports", POLL),
    ("k8s.deployment.id", "the owner of a pod's ReplicaSet is known by its name only"),
    ("k8s.deployment.label", NO_PODS_OF_OTHERS),
    ("k8s.deployment.labels", NO_PODS_OF_OTHERS),
    ("k8s.ns.id", NO_PODS_OF_OTHERS),
    ("k8s.ns.label", NO_PODS_OF_OTHERS),
    ("k8s.ns.labels", NO_PODS_OF_OTHERS),
    ("k8s.pod.cni.json", NETWORK),
    ("k8s.rc.label", NO_PODS_OF_OTHERS),
    ("k8s.rc.labels", NO_PODS_OF_OTHERS),
    ("k8s.rs.label", NO_PODS_OF_OTHERS),
    ("k8s.rs.labels", NO_PODS_OF_OTHERS),
    ("k8s.svc.id", NO_PODS_OF_OTHERS),
    ("k8s.svc.label", NO_PODS_OF_OTHERS),
    ("k8s.svc.labels", NO_PODS_OF_OTHERS),
    ("k8s.svc.name", NO_PODS_OF_OTHERS),
    ("proc.aenv", "environments hold secrets: they are read at a start, for that event, and not kept"),
    ("proc.fdlimit", USE),
    ("proc.fdopencount", USE),
    ("proc.fdusage", USE),
    ("proc.is_container_liveness_probe", NO_SPEC),
    ("proc.is_container_readiness_probe", NO_SPEC),
    ("proc.nchilds", THREADS),
    ("proc.nthreads", THREADS),
    ("proc.stderr.name", STREAMS),
    ("proc.stderr.type", STREAMS),
    ("proc.stdin.name", STREAMS),
    ("proc.stdin.type", STREAMS),
    ("proc.stdout.name", STREAMS),
    ("proc.stdout.type", STREAMS),
    ("proc.vmrss", USE),
    ("proc.vmsize", USE),
    ("proc.vmswap", USE),
    ("thread.cpu", USE),
    ("thread.cpu.system", USE),
    ("thread.cpu.user", USE),
    ("thread.exectime", USE),
    ("thread.pfmajor", USE),
    ("thread.pfminor", USE),
    ("thread.totexectime", USE),
    ("thread.vmrss", USE),
    ("thread.vmsize", USE),
];

/// Why the field of this name never has a value; none when it may have one.
pub fn why_missing(name: &str) -> Option<&'static str> {
    let at = MISSING.binary_search_by_key(&name, |(name, _)| *name).ok()?;
    MISSING.get(at).map(|(_, why)| *why)
}
