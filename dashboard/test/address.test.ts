import { expect, test } from "vitest";
import { row } from "../src/lib/alert";
import { EVERYTHING, fromQuery, intoQuery, isEverything, matcher, type Filter } from "../src/lib/filter";
import { bucket, range } from "../src/lib/range";

const full: Filter = { severities: ["critical", "low"], rule: "a&b", process: "x y", workload: "n/p", node: "ü", reason: "/etc", text: "<q>", last: "", from: 5, to: 9 };
const NOW = 10_000_000;

test("a filter survives its address", () => {
  const query = new URLSearchParams("alert=1");
  intoQuery(full, query);
  expect(fromQuery(new URLSearchParams(query.toString()))).toEqual(full);
  expect(query.get("alert")).toBe("1");
  intoQuery(EVERYTHING, query);
  expect(query.toString()).toBe("alert=1");
  expect(isEverything(fromQuery(query))).toBe(true);
});

test("an address that makes no sense filters nothing", () => {
  expect(fromQuery(new URLSearchParams("severity=worst,&__proto__=x"))).toEqual(EVERYTHING);
});

test("each part of a filter narrows", () => {
  const one = row({ rule: "Reverse shell", rule_id: "reverse_shell", severity: "high", reason: "to 203.0.113.7", node: "n1", event: { Comm: "bash", PID: 42 }, pod: { name: "p", namespace: "ns" }, timestamp: new Date(NOW - 2_000_000).toISOString() }, "k");
  for (const [part, expected] of [
    [{ severities: ["high"] }, true],
    [{ severities: ["low", "info"] }, false],
    [{ rule: "reverse_s" }, true],
    [{ rule: "REVERSE SH" }, true],
    [{ rule: "x" }, false],
    [{ process: "ash" }, true],
    [{ workload: "ns/p" }, true],
    [{ workload: "host" }, false],
    [{ node: "n2" }, false],
    [{ text: "203.0" }, true],
    [{ text: "42" }, true],
    [{ text: "bash", node: "n2" }, false],
    [{ reason: "TO 203" }, true],
    [{ reason: "bash" }, false],
    [{ last: "1h" }, true],
    [{ last: "15m" }, false],
    [{ from: NOW - 2_000_000 }, true],
    [{ from: NOW - 1_999_999 }, false],
    [{ from: 1, to: NOW - 2_000_000 }, false],
  ] as const)
    expect(matcher({ ...EVERYTHING, ...(part as Partial<Filter>) }, NOW)(one), JSON.stringify(part)).toBe(expected);
});

test("the workload is the pod, else the container, else the unit, else the host", () => {
  expect(row({ pod: { name: "p" }, container: { name: "c" } }, "").workload).toBe("p");
  expect(row({ container: { name: "c", id: "1234" } }, "").workload).toBe("c");
  expect(row({ container: { id: "0123456789abcdef" } }, "").workload).toBe("0123456789ab");
  expect(row({ container: { id: "" }, unit: "ssh.service" }, "").workload).toBe("ssh.service");
  expect(row({}, "k")).toMatchObject({ workload: "host", key: "k" });
});

test("a range is what the address says, or the usual", () => {
  const now = 1_000_000_000;
  expect(range(new URLSearchParams("last=1h"), now)).toEqual({ from: now - 3_600_000, to: now + 1, last: "1h" });
  expect(range(new URLSearchParams("last=nonsense"), now).last).toBe("24h");
  expect(range(new URLSearchParams("from=5&to=9"), now)).toEqual({ from: 5, to: 9, last: "" });
  expect(range(new URLSearchParams("from=9&to=5"), now).last).toBe("24h");
});

test("buckets are round and not too many", () => {
  for (const [length, most, expected] of [
    [3_600_000, 120, 30_000],
    [86_400_000, 48, 1_800_000],
    [30 * 86_400_000, 120, 21_600_000],
    [60_000, 120, 1000],
    [3_650 * 86_400_000, 100, 37 * 86_400_000],
  ] as const)
    expect(bucket({ from: 0, to: length, last: "" }, most)).toBe(expected);
});
