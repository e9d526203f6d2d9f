import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import type { Process } from "../src/lib/api";
import { techniques } from "../src/lib/attack";
import { heat, level } from "../src/lib/heat";
import { clock, count, fromInput, full, rate, span, tick, toInput } from "../src/lib/time";
import { tree, type Branch } from "../src/lib/tree";

const process = (pid: number, ppid: number, self = false): Process => ({ pid, ppid, name: `p${pid}`, exe: "", cmdline: "", start_ns: pid, self });
const shape = (branches: Branch[]): unknown[] => branches.map(({ process: { pid }, onPath, children }) => [pid, onPath, ...shape(children)]);

test("the tree leads from the first ancestor to the process", () => {
  // As detectors send it: the process first, then its parents.
  expect(shape(tree([process(9, 5, true), process(5, 1), process(1, 0), process(7, 5), process(11, 9)]))).toEqual([
    [1, true, [5, true, [9, true, [11, false]], [7, false]]],
  ]);
});

test("processes without parents, twice, or in a circle each stand in it once", () => {
  expect(shape(tree([process(2, 3, true), process(3, 2), process(8, 100), process(2, 3), process(4, 4)]))).toEqual([
    [8, false], [4, false], [2, true, [3, true]],
  ]);
  expect(tree([])).toEqual([]);
  const deep = tree(Array.from({ length: 5000 }, (_, at) => process(at + 1, at)));
  const all = (branches: Branch[]): number => branches.reduce((sum, one) => sum + 1 + all(one.children), 0);
  expect(all(deep)).toBe(5000);
});

test("heat has a field for each time, the hottest workload first", () => {
  const found = heat([{ workload: "a", t: 0, count: 1 }, { workload: "b", t: 20, count: 5 }, { workload: "b", t: 29, count: 1 }, { workload: "c", t: 99, count: 9 }], 5, 30, 10);
  expect(found).toEqual({ times: [0, 10, 20], rows: [{ workload: "b", total: 6, counts: [0, 0, 6] }, { workload: "a", total: 1, counts: [1, 0, 0] }], most: 6, more: 0 });
  expect([0, 1, 9, 10, 99, 100, 1e6].map((n) => level(n, 1e6))).toEqual([0, 1, 1, 1, 2, 2, 5]);
  expect(level(1, 1)).toBe(5);
});

test("times are told in the zone that was asked for", () => {
  const ms = Date.parse("2026-11-22T14:03:07.123Z");
  expect(clock(ms, true, ms)).toBe("14:03:07");
  expect(clock(ms - 86_400_000, true, ms)).toBe("21 Nov 14:03:07");
  expect(clock(ms - 400 * 86_400_000, true, ms)).toBe("18 Oct 2025 14:03:07");
  expect(clock(0, true)).toBe("–");
  expect(full(ms, true)).toBe("2026-11-22 14:03:07.123 UTC");
  expect(full(ms, false)).toMatch(/local time$/);
  expect(tick(Date.parse("2026-11-22T00:00:00Z"), 3_600_000, true)).toBe("22 Nov");
  expect(tick(ms, 60_000, true)).toBe("14:03");
  for (const utc of [true, false]) expect(fromInput(toInput(ms, utc), utc)).toBe(Date.parse("2026-11-22T14:03:00Z"));
  expect([span(7000), span(180_000), span(7_200_000), span(864e6)]).toEqual(["7 s", "3 min", "2 h", "10 d"]);
});

test("numbers are short", () => {
  expect([0, 0.25, 12.4, 9999, 12_345, 4e6, 7.26e9].map(count)).toEqual(["0", "0.3", "12", "9999", "12.3 k", "4 M", "7.3 G"]);
  expect([12, 3400, 910_000, 1.2e9].map(rate)).toEqual(["12 B/s", "3.4 kB/s", "910 kB/s", "1.2 GB/s"]);
});

test("techniques are named by their place in the catalogue", () => {
  expect(techniques(["T1059.004", "mitre_credential_access", "shell", "T12", "T1055"]).map(({ text }) => text)).toEqual([
    "attack.mitre.org/techniques/T1059/004", "tactic: credential access", "attack.mitre.org/techniques/T1055",
  ]);
});

test("the lock file names no host", () => {
  const lock = readFileSync(new URL("../package-lock.json", import.meta.url), "utf8");
  expect(lock).not.toMatch(/https?:/);
  expect(lock).toContain('"integrity": "sha512-');
});
