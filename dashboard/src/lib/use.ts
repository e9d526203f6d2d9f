// What nodes and their workloads use of the machine, as shares that bars can show.

import type { Cgroup, Node } from "./api";

export interface Use {
  /** Percent of all processors of the node. */
  cpu: number;
  /** Bytes a second. */
  received: number;
  sent: number;
}

/** Of the time that the node's last report tells of; none before its second report. */
export function use(node: Node, of: Cgroup | undefined): Use | undefined {
  const seconds = (node.cgroups_ms ?? 0) / 1000;
  if (!of || !seconds) return undefined;
  const cpu = of.cpu_ns / 1e9 / seconds / (node.cpus || 1);
  return { cpu: Math.min(100, cpu * 100), received: of.received_bytes / seconds, sent: of.sent_bytes / seconds };
}

/** The node itself. */
export const whole = (node: Node): Cgroup | undefined => node.cgroups?.find(({ path }) => path === "/");

/** Those that use most of it, by processor time or else by traffic. */
export function busiest(node: Node, most: number): Cgroup[] {
  const traffic = (one: Cgroup): number => one.received_bytes + one.sent_bytes;
  const all = (node.cgroups ?? []).filter(({ path }) => path !== "/");
  const byCpu = all.slice().sort((a, b) => b.cpu_ns - a.cpu_ns);
  const loudest = all.slice().sort((a, b) => traffic(b) - traffic(a))[0];
  const shown = byCpu.slice(0, most);
  if (loudest && traffic(loudest) && !shown.includes(loudest)) shown[shown.length - 1] = loudest;
  return shown;
}

/** `NAMESPACE/POD`, container or unit; else the end of its path. */
export function nameOf({ name, path, container_id: id }: Cgroup): string {
  return name || id.slice(0, 12) || path.split("/").filter(Boolean).at(-1) || "/";
}

/** `37 %`, `0.4 %`. */
export function percent(share: number): string {
  return `${share >= 10 || share === 0 ? Math.round(share) : share < 0.1 ? "<0.1" : share.toFixed(1)} %`;
}

const LOOKS = 24;

/** The last looks at each node, oldest first. A report is in it once. */
export class Trends {
  #all = new Map<string, { at: string; uses: Use[] }>();

  look(nodes: Node[]): void {
    const next = new Map<string, { at: string; uses: Use[] }>();
    for (const node of nodes) {
      const known = this.#all.get(node.node) ?? { at: "", uses: [] };
      const now = use(node, whole(node));
      // Counters of two reports are never all the same.
      const at = JSON.stringify([node.cgroups_ms, whole(node)]);
      if (now && at !== known.at) next.set(node.node, { at, uses: [...known.uses, now].slice(-LOOKS) });
      else next.set(node.node, known);
    }
    this.#all = next;
  }

  of(node: string): Use[] {
    return this.#all.get(node)?.uses ?? [];
  }
}
