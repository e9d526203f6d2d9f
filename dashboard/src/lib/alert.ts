// An alert as detectors send it, and the part of it that lists show.

export const SEVERITIES = ["critical", "high", "medium", "low", "info"] as const;
export type Severity = (typeof SEVERITIES)[number];

/** Sentinel's JSON object. Any part may be missing: other versions and other detectors write it too. */
export interface Alert {
  seq?: number;
  alert_id?: string;
  node?: string;
  rule_id?: string;
  rule?: string;
  severity?: string;
  risk_score?: number;
  reason?: string;
  recommendation?: string;
  timestamp?: string;
  addr?: string;
  tags?: string[];
  event?: Record<string, unknown>;
  container?: { id?: string; name?: string; runtime?: string; image?: string };
  pod?: { name?: string; namespace?: string; node?: string };
  /** Of the host's systemd. */
  unit?: string;
  lineage?: { pid?: number; name?: string; exe?: string }[];
  output_fields?: Record<string, unknown>;
}

/** What a row shows; every text is bounded. */
export interface Row {
  key: string;
  ms: number;
  severity: Severity;
  risk: number;
  ruleId: string;
  rule: string;
  reason: string;
  process: string;
  pid: number;
  workload: string;
  node: string;
  kind: string;
  /** How many alerts the row stands for, when it is a group. */
  times?: number;
}

const TEXT_MOST = 300;

function text(value: unknown, most = TEXT_MOST): string {
  if (typeof value !== "string") return typeof value === "number" ? String(value) : "";
  return value.length > most ? `${value.slice(0, most)}…` : value;
}

export function severity(word: unknown): Severity {
  return SEVERITIES.find((known) => known === word) ?? "info";
}

/** Pod, else container, else unit, else the node's own processes. */
export function workload(alert: Alert): string {
  const { name, namespace } = alert.pod ?? {};
  if (name) return text(namespace ? `${namespace}/${name}` : name);
  const { id, name: container } = alert.container ?? {};
  if (container) return text(container);
  return (id ? text(id.slice(0, 12)) : text(alert.unit)) || "host";
}

/** The row of an alert. `fallback` is its key when it has no id. */
export function row(alert: Alert, fallback: string): Row {
  const event = alert.event ?? {};
  const ms = Date.parse(alert.timestamp ?? "");
  return {
    key: text(alert.alert_id) || fallback,
    ms: Number.isFinite(ms) ? ms : 0,
    severity: severity(alert.severity),
    risk: Number(alert.risk_score ?? 0) || 0,
    ruleId: text(alert.rule_id),
    rule: text(alert.rule) || text(alert.rule_id),
    reason: text(alert.reason),
    process: text(event["Comm"]),
    pid: Number(event["PID"] ?? 0) || 0,
    workload: workload(alert),
    node: text(alert.node) || text(alert.pod?.node),
    kind: text(event["EventType"]),
  };
}

/** An alert from its JSON; none when it is not an object. */
export function parse(json: string): Alert | undefined {
  try {
    const value: unknown = JSON.parse(json);
    return typeof value === "object" && value !== null && !Array.isArray(value) ? (value as Alert) : undefined;
  } catch {
    return undefined;
  }
}

/** Panels of system B: which rules belong to which. Ids are ours or slugs of Falco's names. */
export const PANELS = [
  { id: "shell", title: "Reverse shells", rules: /reverse_shell|shell_network|redirect_std|netcat|remote_shell/ },
  { id: "injection", title: "Process injection", rules: /inject|ptrace|memfd|process_vm|mprotect/ },
  { id: "exec", title: "Suspicious programs", rules: /suspicious_exec|fileless|drop_and_execute|from_dev_shm|from_tmp|executing_binary/ },
] as const;
export type PanelId = (typeof PANELS)[number]["id"];

export function panelOf(ruleId: string): PanelId | undefined {
  const id = ruleId.toLowerCase().replace(/[^a-z0-9]+/g, "_");
  return PANELS.find((panel) => panel.rules.test(id))?.id;
}
