import { expect, test } from "vitest";
import type { Cgroup, Node } from "../src/lib/api";
import { Trends, busiest, nameOf, percent, use, whole } from "../src/lib/use";

function cgroup(path: string, cpu: number, bytes = 0, name = ""): Cgroup {
  return { path, name, container_id: "", cpu_ns: cpu, received_bytes: bytes, sent_bytes: bytes / 2 };
}

function node(cgroups: Cgroup[], part: Partial<Node> = {}): Node {
  return {
    node: "n", version: "", kernel: "", last_seen_ms: 0, started_ms: 0, connected: true, counters: {}, hooks: [],
    cgroups, cgroups_ms: 5000, cpus: 4, ...part,
  };
}

test("use is a share of the whole node and a rate", () => {
  const one = node([cgroup("/", 10e9, 1000), cgroup("/a", 1e9)]);
  expect(use(one, whole(one))).toEqual({ cpu: 50, received: 200, sent: 100 });
  expect(use(one, one.cgroups?.[1])?.cpu).toBe(5);
  expect(use(node([cgroup("/", 99e9)]), cgroup("/", 99e9))?.cpu).toBe(100);
});

test("before the second report nothing is known", () => {
  const first = node([], { cgroups_ms: 0 });
  expect(whole(first)).toBeUndefined();
  expect(use(first, cgroup("/", 1))).toBeUndefined();
  expect(use({ ...first, cgroups_ms: undefined } as unknown as Node, cgroup("/", 1))).toBeUndefined();
});

test("the loudest is among the busiest, and the node is not", () => {
  const one = node([cgroup("/", 99), cgroup("/a", 5), cgroup("/b", 9), cgroup("/c", 7), cgroup("/loud", 0, 80)]);
  expect(busiest(one, 3).map(({ path }) => path)).toEqual(["/b", "/c", "/loud"]);
  expect(busiest(node([]), 3)).toEqual([]);
});

test("a workload is called by its name, else by its id, else by its path", () => {
  expect(nameOf(cgroup("/x/y", 1, 0, "shop/web"))).toBe("shop/web");
  expect(nameOf({ ...cgroup("/x/y", 1), container_id: "0123456789abcdef" })).toBe("0123456789ab");
  expect(nameOf(cgroup("/x/y", 1))).toBe("y");
});

test("percents are short", () => {
  expect([0, 0.04, 0.44, 9.96, 37.4, 100].map(percent)).toEqual(["0 %", "<0.1 %", "0.4 %", "10.0 %", "37 %", "100 %"]);
});

test("a trend has each report once, and is bounded", () => {
  const trends = new Trends();
  for (let at = 0; at < 40; at += 1) {
    trends.look([node([cgroup("/", at * 1e9)])]);
    trends.look([node([cgroup("/", at * 1e9)])]);
  }
  expect(trends.of("n")).toHaveLength(24);
  expect(trends.of("n").at(-1)?.cpu).toBe(100);
  trends.look([]);
  expect(trends.of("n")).toEqual([]);
});
