// Which alerts are shown, as it stands in the address: a link shows a colleague the same.

import { SEVERITIES, type Row, type Severity } from "./alert";

export interface Filter {
  severities: Severity[];
  rule: string;
  process: string;
  workload: string;
  node: string;
  text: string;
}

export const EVERYTHING: Filter = { severities: [], rule: "", process: "", workload: "", node: "", text: "" };

/** Names in the address, and what people read. */
export const FIELDS = [
  ["rule", "Rule"],
  ["process", "Process"],
  ["workload", "Pod or container"],
  ["node", "Node"],
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
    text: get("q"),
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
}

export function isEverything(filter: Filter): boolean {
  return !filter.severities.length && !filter.text && FIELDS.every(([name]) => !filter[name]);
}

/** A test for rows, prepared once for many. Texts are found anywhere, in any case. */
export function matcher(filter: Filter): (row: Row) => boolean {
  if (isEverything(filter)) return () => true;
  const [rule, process, workload, node, text] = [
    filter.rule,
    filter.process,
    filter.workload,
    filter.node,
    filter.text,
  ].map((word) => word.toLowerCase()) as [string, string, string, string, string];
  const has = (where: string, what: string): boolean => !what || where.toLowerCase().includes(what);
  return (row) =>
    (!filter.severities.length || filter.severities.includes(row.severity)) &&
    (has(row.rule, rule) || has(row.ruleId, rule)) &&
    has(row.process, process) &&
    has(row.workload, workload) &&
    has(row.node, node) &&
    (!text ||
      [row.reason, row.rule, row.ruleId, row.process, row.workload, row.node, String(row.pid)].some((where) =>
        has(where, text),
      ));
}
