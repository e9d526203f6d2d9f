// What cannot be seen right now. The absence of alerts means something only when this is empty.

import type { Node, Unreachable } from "./api";
import { growth } from "./counters";
import { count, span } from "./time";

export interface Blind {
  key: string;
  what: string;
  remedy: string;
}

/** A look at all nodes, and the one before it. */
export interface Looks {
  before: Map<string, Node>;
  now: Node[];
  ms: number;
}

const SILENT_MS = 30_000;

/** What helps where events are lost; elsewhere it is an output that does not keep up. */
const LOSS_REMEDIES = new Map([
  [
    "hook",
    "The kernel passed over a probe that another process had interrupted: fewer real-time processes there, or a kernel that does not preempt itself.",
  ],
  ["ring", "Raise capture.ringBytes, or narrow the rules that want these events."],
]);

export function blind(looks: Looks | undefined, silent: Unreachable[]): Blind[] {
  const all: Blind[] = silent.map(({ name, error }) => ({
    key: `detector ${name}`,
    what: `Detector ${name}: ${error}`,
    remedy: "Alerts of its nodes are missing here until it answers; it keeps them meanwhile.",
  }));
  if (!looks) return all;
  for (const node of looks.now) {
    const quiet = looks.ms - node.last_seen_ms;
    if (!node.connected || quiet > SILENT_MS) {
      all.push({
        key: `node ${node.node}`,
        what: `Node ${node.node} has said nothing for ${span(quiet)}`,
        remedy: "Check sentinel-agent there: systemctl status sentinel-agent, or its pod. Is the detector reachable from it?",
      });
      continue;
    }
    const before = looks.before.get(node.node);
    for (const loss of before ? growth(before.counters, node.counters) : []) {
      all.push({
        key: `loss ${node.node} ${loss.stage} ${loss.cause} ${loss.kind}`,
        what: `Node ${node.node} is losing ${loss.kind || "events"}: ${count(loss.count)} since the last look (${loss.stage} ${loss.cause})`,
        remedy:
          LOSS_REMEDIES.get(loss.stage) ??
          "Its output does not keep up: check the detector and the network, or raise stream.queueLength.",
      });
    }
  }
  // The same hook fails for the same reason on many nodes.
  const hooks = new Map<string, { name: string; reason: string; nodes: string[] }>();
  for (const node of looks.now) {
    for (const hook of node.hooks.filter((one) => !one.healthy)) {
      const key = `${hook.name}\n${hook.reason}`;
      const known = hooks.get(key) ?? { name: hook.name, reason: hook.reason, nodes: [] };
      known.nodes.push(node.node);
      hooks.set(key, known);
    }
  }
  for (const [key, { name, reason, nodes }] of hooks) {
    const where = nodes.length === 1 ? `on ${nodes[0] ?? ""}` : `on ${nodes.length} nodes`;
    all.push({
      key: `hook ${key}`,
      what: `${name} does not work ${where}`,
      remedy: reason || "Run sentinel doctor there: it says what is missing.",
    });
  }
  return all;
}
