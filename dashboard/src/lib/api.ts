// What the server answers. Addresses are relative: the page may live below any path.

import type { Alert } from "./alert";

export interface Unreachable {
  name: string;
  error: string;
}

export interface Page {
  alerts: Alert[];
  next: string | number | null;
  unreachable?: Unreachable[];
}

export interface Stats {
  total: number;
  by_severity: Record<string, number>;
  by_rule: { rule_id: string; rule: string; severity: string; count: number }[];
  by_node: { node: string; count: number }[];
  by_pod: { pod: string; namespace: string; count: number }[];
  buckets: { t: number; count: number; by_severity: Record<string, number> }[];
  heatmap: { workload: string; t: number; count: number }[];
  unreachable?: Unreachable[];
}

export interface Hook {
  name: string;
  healthy: boolean;
  reason: string;
}

export interface RuleHits {
  rule_id: string;
  rule: string;
  hits: number;
  suppressed: number;
  last_ms: number;
}

/** What a pod, container, unit or, with the path `/`, the node used since the report before. */
export interface Cgroup {
  path: string;
  /** Empty or absent: not known. */
  name?: string;
  container_id: string;
  cpu_ns: number;
  received_bytes: number;
  sent_bytes: number;
}

export interface Node {
  node: string;
  version: string;
  kernel: string;
  last_seen_ms: number;
  started_ms: number;
  connected: boolean;
  counters: Record<string, number>;
  hooks: Hook[];
  rules?: { generation: number; hash: string; hits: RuleHits[] };
  cgroups?: Cgroup[];
  /** The time that `cgroups` tells of. */
  cgroups_ms?: number;
  cpus?: number;
  detector?: string;
}

export interface Nodes {
  nodes: Node[];
  unreachable?: Unreachable[];
}

export interface Process {
  pid: number;
  ppid: number;
  name: string;
  exe: string;
  cmdline: string;
  start_ns: number;
  self: boolean;
}

export interface Touched {
  ts_ms: number;
  event_type: string;
  pid: number;
  what: string;
}

export interface Lineage {
  alert: Alert;
  processes: Process[];
  touched: Touched[];
}

/** What went wrong, in words that say what to do. */
export class Refused extends Error {}

/** A proxy before us sends elsewhere whoever is not, or no longer, signed in. */
export const SIGN_IN = "You are not signed in any more. Load the page again to sign in.";

/** Asks the server, e.g. for `api/nodes`. */
export async function ask<T>(path: string, query?: URLSearchParams, signal?: AbortSignal): Promise<T> {
  const address = new URL(path, document.baseURI);
  if (query) address.search = query.toString();
  let answer: Response;
  try {
    answer = await fetch(address, { redirect: "manual", ...(signal ? { signal } : {}) });
  } catch (error) {
    if (signal?.aborted) throw error;
    throw new Refused("The dashboard's server does not answer. Is it running, and is the network up?");
  }
  if (answer.type === "opaqueredirect") throw new Refused(SIGN_IN);
  if (answer.status === 401) throw new Refused("The token is missing or was changed. Load the page again to enter it.");
  const body: unknown = await answer.json().catch(() => undefined);
  if (!answer.ok || typeof body !== "object" || body === null) {
    const said = (body as { error?: string } | undefined)?.error;
    throw new Refused(said ?? `The server answered ${answer.status}.`);
  }
  return body as T;
}

/** A rule, over all nodes. */
export interface Rule {
  rule_id: string;
  rule: string;
  hits: number;
  suppressed: number;
  /** 0: never. */
  last_ms: number;
  /** After lists, macros, overrides and exceptions; empty or absent when nobody told. */
  condition?: string;
  events?: string;
  loaded: Loaded[];
}

/** A rule at a node; without a node at a detector. */
export interface Loaded {
  node: string;
  detector?: string;
  generation: number;
  hash: string;
  hits: number;
  suppressed: number;
  last_ms: number;
}

export interface Rules {
  rules: Rule[];
  unreachable?: Unreachable[];
}
