// Which alerts are shown, as it stands in the address: a link shows a colleague the same.

import { SEVERITIES, type Row, type Severity } from "./alert";
import { SPANS } from "./range";

export interface Filter {
  severities: Severity[];
  rule: string;
  process: string;
  workload: string;
  node: string;
  reason: string;
  text: string;
  /** The name of a span up to now, see [`SPANS`]; empty: from `from` to `to`. */
  last: string;
  /** Milliseconds; 0: no bound. */
  from: number;
  to: number;
}

export const EVERYTHING: Filter = {
  severities: [], rule: "", process: "", workload: "", node: "", reason: "", text: "", last: "", from: 0, to: 0,
};

/** Names in the address, and what people read. */
export const FIELDS = [
  ["rule", "Rule"],
  ["process", "Process"],
  ["workload", "Workload"],
  ["node", "Node"],
  ["reason", "Reason"],
] as const;

export function fromQuery(query: URLSearchParams): Filter {
  const wanted = (query.get("severity") ?? "").split(",");
  const get = (name: string): string => query.get(name) ?? "";
  return {
    severities: SEVERITIES.filter((one) => wanted.includes(one)),
    rule: get("rule"),
    process: get("process"),
    workload: get("workload"),
    node: get("node"),
    reason: get("reason"),
    text: get("q"),
    last: SPANS.find(([name]) => name === get("last"))?.[0] ?? "",
    from: Math.max(0, Number(get("from")) || 0),
    to: Math.max(0, Number(get("to")) || 0),
  };
}

/** Puts a filter into a query; what is empty is left out. */
export function intoQuery(filter: Filter, query: URLSearchParams): void {
  const put = (name: string, value: string): void => {
    if (value) query.set(name, value);
    else query.delete(name);
  };
  put("severity", filter.severities.join(","));
  for (const [name] of FIELDS) put(name, filter[name]);
  put("q", filter.text);
  put("last", filter.last);
  put("from", filter.last || !filter.from ? "" : String(filter.from));
  put("to", filter.last || !filter.to ? "" : String(filter.to));
}

export function isEverything(filter: Filter): boolean {
  return !filter.severities.length && !filter.text && !isTimed(filter) && FIELDS.every(([name]) => !filter[name]);
}

/** Whether rule, severity and time are all that it asks for. */
export function isOnlyCoarse({ process, workload, node, reason, text }: Filter): boolean {
  return ![process, workload, node, reason, text].some(Boolean);
}

export function isTimed(filter: Filter): boolean {
  return Boolean(filter.last || filter.from || filter.to);
}

/** A test for rows at a time, prepared once for many. Texts are found anywhere, in any case. */
export function matcher(filter: Filter, now: number): (row: Row) => boolean {
  if (isEverything(filter)) return () => true;
  const span = SPANS.find(([name]) => name === filter.last)?.[2];
  const [from, to] = span ? [now - span, Infinity] : [filter.from, filter.to || Infinity];
  const [rule, process, workload, node, reason, text] = [
    filter.rule,
    filter.process,
    filter.workload,
    filter.node,
    filter.reason,
    filter.text,
  ].map((word) => word.toLowerCase()) as [string, string, string, string, string, string];
  const has = (where: string, what: string): boolean => !what || where.toLowerCase().includes(what);
  return (row) =>
    row.ms >= from &&
    row.ms < to &&
    (!filter.severities.length || filter.severities.includes(row.severity)) &&
    (has(row.rule, rule) || has(row.ruleId, rule)) &&
    has(row.process, process) &&
    has(row.workload, workload) &&
    has(row.node, node) &&
    has(row.reason, reason) &&
    (!text ||
      [row.reason, row.rule, row.ruleId, row.process, row.workload, row.node, String(row.pid)].some((where) =>
        has(where, text),
      ));
}
