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

test("what comes in numbers is counted everywhere, and each kind has a row", () => {
  const feed = new Feed();
  push(feed, 1);
  feed.update(NOW);
  feed.show(EVERYTHING, true, NOW);
  feed.update(NOW);
  const alert = (rule_id: string, severity: string): unknown => JSON.parse(json({ rule_id, severity, node: rule_id }));
  feed.fold(
    {
      kinds: [{ count: 9000, alert: alert("reverse_shell", "critical") }, { count: 1, alert: alert("rare", "info") }],
      others: [{ rule_id: "flood", severity: "low", count: 500 }],
    },
    NOW,
  );
  const update = feed.update(NOW);
  expect(update).toMatchObject({ total: 9502, matching: 9502, unlisted: 8999 + 500, unknown: 0 });
  expect(update?.added.map((row) => row.ruleId)).toEqual(["rare", "reverse_shell"]);
  expect([update?.seconds.critical.at(-1), update?.seconds.info.at(-1), update?.seconds.low.at(-1)]).toEqual([9000, 1, 501]);
  expect(update?.panels.shell.count).toBe(9000);
  expect(update?.groups?.map(({ count, newest }) => [newest.ruleId, count])).toEqual([["rare", 1], ["reverse_shell", 9000], ["r", 1]]);
  expect(update?.rules.map(([rule]) => rule)).toEqual(["reverse_shell", "rare", "flood"]);
});

test("a filter applies to what came in numbers, and what it cannot apply to is said", () => {
  const feed = new Feed();
  feed.show({ ...EVERYTHING, node: "a" }, false, NOW);
  feed.update(NOW);
  const fold = (): void =>
    feed.fold({
      kinds: [{ count: 10, alert: JSON.parse(json({ node: "a" })) }, { count: 20, alert: JSON.parse(json({ node: "b" })) }],
      others: [{ rule_id: "r", severity: "low", count: 5 }, { rule_id: "s", severity: "high", count: 7 }],
    }, NOW);
  fold();
  expect(feed.update(NOW)).toMatchObject({ total: 42, matching: 10, unlisted: 9, unknown: 12 });
  feed.show({ ...EVERYTHING, severities: ["high"] }, false, NOW);
  expect(feed.update(NOW)).toMatchObject({ matching: 0, reset: true });
  fold();
  expect(feed.update(NOW)).toMatchObject({ total: 84, matching: 7, unlisted: 7, unknown: 0 });
  feed.show(EVERYTHING, false, NOW);
  expect(feed.update(NOW)).toMatchObject({ matching: 84, unlisted: 56, reset: true });
  feed.pause(true);
  fold();
  expect(feed.update(NOW)).toMatchObject({ waiting: 42, unlisted: 0 });
});

test("numbers that make no sense cost nothing", () => {
  const feed = new Feed();
  feed.fold({}, NOW);
  feed.fold({ kinds: [{}, { alert: 7, count: 3 }], others: [{ count: Number.NaN }, { severity: "x" }] }, NOW);
  expect(feed.update(NOW)).toMatchObject({ total: 2, added: [] });
});

test("during a flood it is said what comes most", () => {
  const feed = new Feed();
  const flood = (second: number, rule: string, count: number): void =>
    feed.fold({ others: [{ rule_id: rule, severity: "high", count }] }, NOW + second * 1000);
  feed.push(json(), NOW);
  expect(feed.update(NOW)?.busy).toBeUndefined();
  for (let second = 1; second <= 4; second += 1) {
    flood(second, "much", 8000);
    flood(second, "little", 2000);
    feed.update(NOW + second * 1000 + 900);
  }
  const busy = feed.update(NOW + 5000)?.busy;
  // The first second had one alert.
  expect(busy?.rate).toBe(Math.round(40_001 / 5));
  expect(busy?.rules.slice(0, 2)).toEqual([
    { rule: "much", severity: "high", rate: 6400 },
    { rule: "little", severity: "high", rate: 1600 },
  ]);
  expect(feed.update(NOW + 60_000)?.busy).toBeUndefined();
});

test("no alert is forgotten in the counts when the list is made anew", () => {
  const feed = new Feed();
  feed.update(NOW);
  push(feed, KEPT_MOST + 500);
  feed.show(EVERYTHING, true, NOW);
  expect(feed.update(NOW)).toMatchObject({ matching: KEPT_MOST + 500, reset: false, groups: [{ count: KEPT_MOST + 500 }] });
  feed.pause(true);
  push(feed, 5);
  feed.pause(false);
  expect(feed.update(NOW)).toMatchObject({ matching: KEPT_MOST + 505, groups: [{ count: KEPT_MOST + 505 }] });
  feed.show({ ...EVERYTHING, node: "x" }, false, NOW);
  feed.update(NOW);
  feed.show(EVERYTHING, false, NOW);
  expect(feed.update(NOW)).toMatchObject({ matching: KEPT_MOST + 505, reset: true });
});
