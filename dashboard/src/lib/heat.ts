// How many alerts each workload had when.

import type { Stats } from "./api";

export interface HeatRow {
  workload: string;
  total: number;
  /** One count for each of `times`. */
  counts: number[];
}

export interface Heat {
  times: number[];
  rows: HeatRow[];
  most: number;
  /** Workloads that are not among `rows`. */
  more: number;
}

const ROWS_MOST = 60;

export function heat(cells: Stats["heatmap"], from: number, to: number, bucket: number): Heat {
  const first = Math.floor(from / bucket) * bucket;
  const times = Array.from({ length: Math.max(1, Math.ceil((to - first) / bucket)) }, (_, at) => first + at * bucket);
  const rows = new Map<string, HeatRow>();
  for (const { workload, t, count } of cells) {
    const at = Math.floor((t - first) / bucket);
    if (at < 0 || at >= times.length) continue;
    const row = rows.get(workload) ?? { workload, total: 0, counts: times.map(() => 0) };
    row.counts[at] = (row.counts[at] ?? 0) + count;
    row.total += count;
    rows.set(workload, row);
  }
  const sorted = [...rows.values()].sort((a, b) => b.total - a.total || a.workload.localeCompare(b.workload));
  const shown = sorted.slice(0, ROWS_MOST);
  const most = shown.reduce((all, row) => row.counts.reduce((max, n) => Math.max(max, n), all), 0);
  return { times, rows: shown, most, more: sorted.length - shown.length };
}

/** 0 for nothing, else 1 to 5: steps of equal ratio, since counts of attacks differ by orders of magnitude. */
export function level(count: number, most: number): number {
  if (count <= 0) return 0;
  if (most <= 1) return 5;
  return 1 + Math.min(4, Math.floor((Math.log(count) / Math.log(most)) * 5));
}
