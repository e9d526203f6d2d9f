import { expect, test } from "vitest";
import { ADDED_MOST, Feed, KEPT_BYTES, KEPT_MOST, LISTED_MOST, SECONDS } from "../src/lib/feed";
import { EVERYTHING } from "../src/lib/filter";

const NOW = Date.parse("2026-01-01T00:10:00Z");
let made = 0;
function json(part: object = {}): string {
  made += 1;
  return JSON.stringify({ alert_id: `id-${made}`, rule_id: "r", severity: "low", timestamp: new Date(NOW).toISOString(), ...part });
}

function push(feed: Feed, count: number, part: object = {}): void {
  for (let at = 0; at < count; at += 1) feed.push(json(part), NOW);
}

test("rows come newest first, and nothing comes twice", () => {
  const feed = new Feed();
  const same = json({ reason: "same" });
  feed.push(json({ reason: "first" }), NOW);
  feed.push(same, NOW);
  feed.push(same, NOW);
  const update = feed.update(NOW);
  expect(update?.added.map((row) => row.reason)).toEqual(["same", "first"]);
  expect(update).toMatchObject({ reset: true, total: 2, matching: 2, unlisted: 0 });
  expect(feed.update(NOW)).toBeUndefined();
  expect(feed.update(NOW + 1000)?.added).toEqual([]);
});

test("what is no alert costs nothing", () => {
  const feed = new Feed();
  for (const text of ["", "null", "[1]", "{", "7", '"x"']) feed.push(text, NOW);
  expect(feed.update(NOW)?.total).toBe(0);
  feed.push('{"severity":7,"event":{"Comm":{},"PID":"x"},"timestamp":[],"tags":3}', NOW);
  expect(feed.update(NOW)?.added[0]).toMatchObject({ severity: "info", process: "", pid: 0, ms: 0, workload: "host" });
});

test("a burst brings the newest rows and exact counts", () => {
  const feed = new Feed();
  feed.update(NOW);
  push(feed, 1000);
  const update = feed.update(NOW);
  expect(update?.added).toHaveLength(ADDED_MOST);
  expect(update?.unlisted).toBe(1000 - ADDED_MOST);
  expect(update?.total).toBe(1000);
  expect(update?.seconds.low.at(-1)).toBe(1000);
});

test("memory is bounded by number and by size", () => {
  const feed = new Feed();
  const first = json();
  feed.push(first, NOW);
  push(feed, KEPT_MOST);
  expect(feed.json(JSON.parse(first).alert_id)).toBeUndefined();
  expect(feed.json(`id-${made}`)).toBeDefined();
  const big = new Feed();
  const long = "x".repeat(1 << 20);
  push(big, (KEPT_BYTES >> 20) + 5, { reason: long });
  expect(big.json(`id-${made}`)).toBeDefined();
  expect(big.json(`id-${made - (KEPT_BYTES >> 20) - 2}`)).toBeUndefined();
  expect(big.update(NOW)?.added[0]?.reason.length).toBeLessThan(400);
});

test("a filter lists anew what it matches", () => {
  const feed = new Feed();
  push(feed, 3, { node: "a" });
  push(feed, 2, { node: "b" });
  feed.update(NOW);
  feed.show({ ...EVERYTHING, node: "B" }, false, 0);
  const update = feed.update(NOW);
  expect(update).toMatchObject({ reset: true, matching: 2, total: 5 });
  expect(update?.added.map((row) => row.node)).toEqual(["b", "b"]);
  push(feed, 1, { node: "a" });
  expect(feed.update(NOW)).toMatchObject({ reset: false, matching: 2, total: 6, added: [] });
});

test("a list of the last minutes loses what is too old", () => {
  const feed = new Feed();
  feed.push(json({ timestamp: new Date(NOW - 890_000).toISOString() }), NOW);
  push(feed, 1);
  feed.show({ ...EVERYTHING, last: "15m" }, false, NOW);
  expect(feed.update(NOW)?.added).toHaveLength(2);
  expect(feed.update(NOW + 9000)).toMatchObject({ reset: false });
  const later = feed.update(NOW + 11_000);
  expect([later?.reset, later?.added.length, later?.matching]).toEqual([true, 1, 1]);
});

test("each update says which rules had alerts", () => {
  const feed = new Feed();
  push(feed, 2, { rule_id: "a" });
  feed.push(json({ rule_id: "b", timestamp: new Date(NOW - 5).toISOString() }), NOW);
  expect(feed.update(NOW)?.rules).toEqual([["a", NOW], ["b", NOW - 5]]);
  expect(feed.update(NOW + 1000)?.rules).toEqual([]);
});

test("repeated alerts are one group with their number", () => {
  const feed = new Feed();
  feed.show(EVERYTHING, true, 0);
  push(feed, 3, { rule_id: "a" });
  push(feed, 2, { rule_id: "b", reason: "newest" });
  const groups = feed.update(NOW)?.groups;
  expect(groups?.map(({ count, newest }) => [newest.ruleId, count])).toEqual([["b", 2], ["a", 3]]);
});

test("what comes while paused waits and is counted", () => {
  const feed = new Feed();
  push(feed, 1);
  feed.update(NOW);
  feed.pause(true);
  push(feed, 4);
  expect(feed.update(NOW)).toMatchObject({ added: [], waiting: 4, total: 5, reset: false });
  feed.pause(false);
  const update = feed.update(NOW);
  expect(update).toMatchObject({ reset: true, waiting: 0 });
  expect(update?.added).toHaveLength(5);
});

test("a list that begins anew is bounded", () => {
  const feed = new Feed();
  push(feed, LISTED_MOST + 10);
  expect(feed.update(NOW)?.added).toHaveLength(LISTED_MOST);
});

test("only live alerts of the last minutes are in the chart", () => {
  const feed = new Feed();
  feed.push(json({ timestamp: new Date(NOW - 3000).toISOString() }), NOW, false);
  feed.push(json({ timestamp: new Date(NOW - 86_400_000).toISOString() }), NOW, false);
  const low = feed.update(NOW)?.seconds.low ?? [];
  expect(low).toHaveLength(SECONDS);
  expect(low.at(-4)).toBe(1);
  expect(low.reduce((sum, n) => sum + n, 0)).toBe(1);
});

test("the panels hold the newest alerts of their rules", () => {
  const feed = new Feed();
  push(feed, 7, { rule_id: "reverse_shell" });
  push(feed, 1, { rule_id: "PTRACE attached to process" });
  push(feed, 1, { rule_id: "suspicious_exec" });
  push(feed, 1, { rule_id: "something_else" });
  const panels = feed.update(NOW)?.panels;
  expect([panels?.shell.count, panels?.shell.newest.length, panels?.injection.count, panels?.exec.count]).toEqual([7, 5, 1, 1]);
});
