// The time that a view looks at, as it stands in the address: `last=24h`, or `from` and `to` in milliseconds.

export const SPANS = [
  ["15m", "15 minutes", 15 * 60_000],
  ["1h", "1 hour", 3_600_000],
  ["6h", "6 hours", 6 * 3_600_000],
  ["24h", "24 hours", 86_400_000],
  ["7d", "7 days", 7 * 86_400_000],
  ["30d", "30 days", 30 * 86_400_000],
] as const;

export interface Range {
  from: number;
  to: number;
  /** The name in [`SPANS`]; empty for a range between two times. */
  last: string;
}

export function range(query: URLSearchParams, now: number, usual = "24h"): Range {
  const from = Number(query.get("from") ?? NaN);
  const to = Number(query.get("to") ?? NaN);
  if (Number.isFinite(from) && Number.isFinite(to) && from < to) return { from, to, last: "" };
  const wanted = query.get("last") ?? usual;
  const [name, , ms] = SPANS.find(([known]) => known === wanted) ?? SPANS[3];
  return { from: now - ms, to: now + 1, last: name };
}

const STEPS = [1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 10_800, 21_600, 43_200, 86_400, 172_800];

/** A round length of buckets, so that a range has at most `most`. Milliseconds. */
export function bucket({ from, to }: Range, most: number): number {
  const least = (to - from) / most / 1000;
  return (STEPS.find((step) => step >= least) ?? Math.ceil(least / 86_400) * 86_400) * 1000;
}
