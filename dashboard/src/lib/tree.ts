// Processes of an alert as a tree.

import type { Process } from "./api";

export interface Branch {
  process: Process;
  /** On the way from the first ancestor to the alert's process. */
  onPath: boolean;
  children: Branch[];
}

const DEEPEST = 64;

/** Trees of these processes: the way to the alert's process first, then what began before others. Every process stands in it once, whatever its parents say. */
export function tree(processes: Process[]): Branch[] {
  const byPid = new Map<number, Process>();
  for (const process of processes) if (!byPid.has(process.pid) || process.self) byPid.set(process.pid, process);
  const path = new Set<number>();
  for (let at = [...byPid.values()].find((one) => one.self); at && !path.has(at.pid); at = byPid.get(at.ppid)) {
    path.add(at.pid);
  }
  const byParent = new Map<number, Process[]>();
  for (const process of byPid.values()) byParent.set(process.ppid, [...(byParent.get(process.ppid) ?? []), process]);
  const used = new Set<number>();
  const branch = (process: Process, depth: number): Branch => {
    used.add(process.pid);
    const children = depth < DEEPEST ? (byParent.get(process.pid) ?? []).slice() : [];
    children.sort((a, b) => Number(path.has(b.pid)) - Number(path.has(a.pid)) || a.start_ns - b.start_ns || a.pid - b.pid);
    return {
      process,
      onPath: path.has(process.pid),
      children: children.filter((one) => !used.has(one.pid)).map((one) => branch(one, depth + 1)),
    };
  };
  const roots = [...byPid.values()].filter((one) => !byPid.has(one.ppid) || one.ppid === one.pid);
  const trees = roots.map((root) => branch(root, 0));
  // Parents in a circle have no root; whoever was left out begins one.
  for (const process of byPid.values()) if (!used.has(process.pid)) trees.push(branch(process, 0));
  return trees;
}
