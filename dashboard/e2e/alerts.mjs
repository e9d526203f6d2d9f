// Alerts as detectors send them, made up but true to form. Deterministic: a seed in, the same alerts out.

/** A small generator of numbers from 0 to 1 (mulberry32). */
export function random(seed) {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4294967296;
  };
}

const KINDS = [
  {
    rule_id: "reverse_shell", rule: "Reverse shell", severity: "critical", risk_score: 95, event: "connect", comm: "bash",
    reason: "shell bash connects to 203.0.113.7:4444 with its standard streams (user=www-data parent=nginx)",
    recommendation: "Isolate the pod, keep its processes for forensics, and look for what started the shell.",
    tags: ["network", "shell", "mitre_execution", "T1059.004"], addr: "203.0.113.7:4444", weight: 1,
  },
  {
    rule_id: "injection_attempt", rule: "Process injection", severity: "critical", risk_score: 92, event: "ptrace", comm: "python3",
    reason: "python3 attaches to sshd[812] with ptrace (user=root)",
    recommendation: "Nothing but debuggers attaches to other processes: find out who runs one here.",
    tags: ["process", "mitre_defense_evasion", "T1055.008"], addr: "", weight: 1,
  },
  {
    rule_id: "suspicious_exec", rule: "Suspicious program", severity: "high", risk_score: 80, event: "exec", comm: "kworker",
    reason: "program started from /tmp/.x/kworker, removed right after (user=app)",
    recommendation: "Compare the program with the image; programs do not belong in temporary folders.",
    tags: ["process", "mitre_execution", "T1036.005"], addr: "", weight: 2,
  },
  {
    rule_id: "read_sensitive_file_untrusted", rule: "Read sensitive file untrusted", severity: "medium", risk_score: 55, event: "file_open",
    comm: "cat", reason: "sensitive file opened for reading (file=/etc/shadow user=root command=cat /etc/shadow)",
    recommendation: "Check that the program and its user may read this file.",
    tags: ["filesystem", "mitre_credential_access", "T1555"], addr: "", weight: 4,
  },
  {
    rule_id: "contact_k8s_api_server_from_container", rule: "Contact K8S API Server From Container", severity: "low", risk_score: 30,
    event: "connect", comm: "curl", reason: "unexpected connection to the API server (connection=10.2.0.4:51872->10.96.0.1:443)",
    recommendation: "Allow it in the rule's list when this workload talks to the API server.",
    tags: ["network", "k8s", "mitre_discovery", "T1565"], addr: "10.96.0.1:443", weight: 5,
  },
  {
    rule_id: "terminal_shell_in_container", rule: "Terminal shell in container", severity: "info", risk_score: 10, event: "exec", comm: "sh",
    reason: "a shell was spawned in a container with an attached terminal (user=root shell=sh)",
    recommendation: "Somebody used kubectl exec: ask who and why.",
    tags: ["container", "shell", "mitre_execution", "T1059"], addr: "", weight: 3,
  },
];

const WORKLOADS = [
  { node: "node-a", pod: "checkout-7d9f8-x2x4p", namespace: "shop", image: "shop/checkout:3.1" },
  { node: "node-a", pod: "payments-5c6b4-9wqzl", namespace: "shop", image: "shop/payments:1.9" },
  { node: "node-b", pod: "ingress-nginx-2m8kd", namespace: "edge", image: "edge/nginx:1.27" },
  { node: "node-b", pod: "batch-report-28812-kk2", namespace: "data", image: "data/report:0.4" },
  { node: "node-c", pod: "", namespace: "", image: "" },
  { node: "node-c", pod: "", namespace: "", image: "", unit: "ssh.service" },
];

/** The alert of number `seq`. The same numbers give the same alert; `rule` chooses what it is about. */
export function make(seq, ms, { node, rule, extra = {} } = {}) {
  const next = random(seq * 2654435761);
  let pick = next() * KINDS.reduce((sum, kind) => sum + kind.weight, 0);
  const kind = KINDS.find((one) => (rule ? one.rule_id === rule : (pick -= one.weight) < 0)) ?? KINDS[0];
  const places = node ? WORKLOADS.filter((one) => one.node === node) : WORKLOADS;
  const place = places[Math.floor(next() ** 2 * places.length)] ?? places[0];
  const pid = 1000 + Math.floor(next() * 30_000);
  const hex = (length) => Array.from({ length }, () => Math.floor(next() * 16).toString(16)).join("");
  const [ip, port] = kind.addr.split(":");
  return {
    rule_id: kind.rule_id,
    severity: kind.severity,
    risk_score: kind.risk_score,
    reason: kind.reason,
    recommendation: kind.recommendation,
    event: {
      PID: pid, TID: pid, PPID: pid - 7, UID: 33, GID: 33, EUID: 33, CgroupID: 4711, Comm: kind.comm,
      Filename: kind.event === "exec" ? "/tmp/.x/kworker" : kind.event === "file_open" ? "/etc/shadow" : "",
      EventType: kind.event, Syscall: kind.event === "exec" ? "execve" : kind.event, Result: 0,
      ...(ip ? { DstIP: ip, DstPort: Number(port), Proto: 6 } : {}),
    },
    container: place.pod
      ? { id: hex(64), name: place.pod.split("-")[0], runtime: "containerd", image: place.image }
      : { id: "", name: "", runtime: "", image: "" },
    pod: { name: place.pod, namespace: place.namespace, node: place.node },
    ...(place.unit ? { unit: place.unit } : {}),
    timestamp: new Date(ms).toISOString(),
    addr: kind.addr,
    lineage: [
      { pid: pid - 7, name: "nginx", exe: "/usr/sbin/nginx" },
      { pid: 1, name: "tini", exe: "/sbin/tini" },
    ],
    rule: kind.rule,
    tags: kind.tags,
    output_fields: { "proc.name": kind.comm, "user.name": "www-data", "evt.type": kind.event, "fd.name": kind.addr || null },
    seq,
    alert_id: `018f${hex(4)}-${hex(4)}-7${hex(3)}-8${hex(3)}-${hex(12)}`,
    node: place.node,
    ...extra,
  };
}
