import { expect, test } from "vitest";
import type { Node } from "../src/lib/api";
import { growth, losses, series, sum } from "../src/lib/counters";
import { blind } from "../src/lib/sight";

const LOST = 'sentinel_events_lost_total{stage="ring",cause="full",kind="exec"}';
const NOW = 1_000_000;

function node(name: string, part: Partial<Node> = {}): Node {
  return { node: name, version: "1", kernel: "6", last_seen_ms: NOW - 1000, started_ms: 0, connected: true, counters: {}, hooks: [], ...part };
}

const look = (before: Node[], now: Node[]) => ({ before: new Map(before.map((one) => [one.node, one])), now, ms: NOW });

test("a series is its name and labels", () => {
  expect(series(LOST)).toEqual({ name: "sentinel_events_lost_total", labels: { stage: "ring", cause: "full", kind: "exec" } });
  expect(series("up")).toEqual({ name: "up", labels: {} });
});

test("losses are told by cause and compared", () => {
  const counters = { [LOST]: 5, 'sentinel_events_lost_total{stage="queue",cause="full",kind=""}': 9, 'a_total{kind="x"}': 1, 'a_total{kind="y"}': 2 };
  expect(losses(counters).map(({ stage, count }) => [stage, count])).toEqual([["queue", 9], ["ring", 5]]);
  expect(growth({ [LOST]: 2 }, { [LOST]: 5 })).toEqual([{ stage: "ring", cause: "full", kind: "exec", count: 3 }]);
  expect(growth({ [LOST]: 5 }, { [LOST]: 5 })).toEqual([]);
  expect(sum(counters, "a_total")).toBe(3);
});

test("healthy nodes leave nothing unseen", () => {
  expect(blind(look([], [node("a", { counters: { [LOST]: 7 } })]), [])).toEqual([]);
  expect(blind(undefined, [])).toEqual([]);
});

test("everything that cannot be seen is said, with what to do", () => {
  const hook = { name: "lsm/x", healthy: false, reason: "no BPF LSM" };
  const found = blind(
    look(
      [node("losing", { counters: { [LOST]: 1 } })],
      [
        node("gone", { connected: false, last_seen_ms: NOW - 300_000 }),
        node("quiet", { last_seen_ms: NOW - 60_000 }),
        node("losing", { counters: { [LOST]: 4 }, hooks: [hook] }),
        node("ill", { hooks: [hook, { name: "tp/y", healthy: true, reason: "" }] }),
      ],
    ),
    [{ name: "hub", error: "cannot connect" }],
  );
  expect(found.map(({ what }) => what)).toEqual([
    "Detector hub: cannot connect",
    "Node gone has said nothing for 5 min",
    "Node quiet has said nothing for 60 s",
    "Node losing is losing exec: 3 since the last look (ring full)",
    "lsm/x does not work on 2 nodes",
  ]);
  expect(found.at(-1)?.remedy).toBe("no BPF LSM");
  expect(found.every(({ remedy }) => remedy.length > 0)).toBe(true);
  expect(new Set(found.map(({ key }) => key)).size).toBe(found.length);
});

test("each place where events are lost has its own remedy", () => {
  const at = (stage: string) => `sentinel_events_lost_total{stage="${stage}",cause="full",kind=""}`;
  const remedies = ["hook", "ring", "queue", "constructor"].map((stage) => {
    const [found] = blind(look([node("a", { counters: { [at(stage)]: 0 } })], [node("a", { counters: { [at(stage)]: 1 } })]), []);
    return found?.remedy.split(" ").slice(0, 3).join(" ");
  });
  expect(remedies).toEqual(["The kernel passed", "Raise capture.ringBytes, or", "Its output does", "Its output does"]);
});
