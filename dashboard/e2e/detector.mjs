// A detector for tests: the alerts API on a port of its own, with made-up alerts. Its answers have the form
// of the real one's; crates/detector is what counts.
import { createServer } from "node:http";
import { make } from "./alerts.mjs";
import { lineage, nodes, rules, stats, workloadOf } from "./answers.mjs";

export class Detector {
  alerts = [];
  #seq = 0;
  #streams = new Set();
  #server;
  #templates;

  constructor({ node, name = "fixture" } = {}) {
    this.node = node;
    this.name = name;
  }

  async start(port = 0) {
    this.#server = createServer((request, response) => this.#answer(request, response));
    await new Promise((resolve) => this.#server.listen(port, "127.0.0.1", resolve));
    this.port = this.#server.address().port;
    return this;
  }

  async stop() {
    if (!this.#server.listening) return;
    for (const stream of this.#streams) stream.destroy();
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  /** Adds one alert and sends it to whoever listens. */
  push(extra = {}, ms = Date.now(), rule = undefined) {
    const alert = make(++this.#seq, ms, { node: this.node, rule, extra });
    this.alerts.push(alert);
    if (this.alerts.length > 50_000) this.alerts.splice(0, 10_000);
    const message = `id: ${alert.seq}\ndata: ${JSON.stringify(alert)}\n\n`;
    for (const stream of this.#streams) stream.write(message);
    return alert;
  }

  /** Sends `count` alerts at once that are kept nowhere: as fast as this program can. */
  burst(count) {
    this.#templates ??= Array.from({ length: 64 }, () => JSON.stringify({ ...make(++this.#seq, Date.now()), seq: 0, alert_id: "0000" }));
    let text = "";
    for (let at = 0; at < count; at += 1) {
      const seq = ++this.#seq;
      const alert = this.#templates[seq % 64].replace('"alert_id":"0000"', `"alert_id":"burst-${seq}"`);
      text += `id: ${seq}\ndata: ${alert}\n\n`;
    }
    for (const stream of this.#streams) stream.write(text);
  }

  /** Alerts of the past, spread over `span` milliseconds up to now. */
  fill(count, span) {
    const now = Date.now();
    for (let at = 0; at < count; at += 1) this.push({}, now - Math.round(span * (1 - (at + 1) / count) ** 1.4));
  }

  #matching(query) {
    const from = Number(query.get("from") ?? 0);
    const to = Number(query.get("to") || Infinity);
    const text = (query.get("q") ?? "").toLowerCase();
    const equal = (name, value) => !query.get(name) || query.get(name).split(",").includes(value);
    return this.alerts.filter((alert) => {
      const ms = Date.parse(alert.timestamp);
      return (
        ms >= from && ms <= to && equal("rule", alert.rule_id) && equal("severity", alert.severity) &&
        equal("node", alert.node) && equal("pod", alert.pod.name) &&
        equal("workload", workloadOf(alert)) &&
        (!text || JSON.stringify(alert).toLowerCase().includes(text))
      );
    });
  }

  #answer(request, response) {
    const { pathname, searchParams: query } = new URL(request.url, "http://x");
    const json = (body, status = 200) => {
      response.writeHead(status, { "content-type": "application/json" });
      response.end(JSON.stringify(body));
    };
    if (pathname === "/healthz") return response.end("ok\n");
    if (pathname === "/events") return this.#stream(request, response, query);
    if (pathname === "/api/alerts") {
      const limit = Number(query.get("limit") ?? 100);
      const before = Number(query.get("before") ?? Infinity);
      const all = this.#matching(query).filter((alert) => alert.seq < before).reverse();
      const page = all.slice(0, limit);
      return json({ alerts: page, next: all.length > limit ? page.at(-1).seq : null });
    }
    if (pathname === "/api/stats") return json(stats(this.#matching(query), query));
    if (pathname === "/api/nodes") return json(nodes(this));
    if (pathname === "/api/rules") return json(rules(this));
    if (pathname.startsWith("/api/lineage/")) {
      const alert = this.alerts.find((one) => one.alert_id === pathname.slice("/api/lineage/".length));
      return alert ? json(lineage(alert)) : json({ error: "unknown alert" }, 404);
    }
    return json({ error: "unknown path" }, 404);
  }

  #stream(request, response, query) {
    response.writeHead(200, { "content-type": "text/event-stream", "cache-control": "no-store" });
    response.write(": hello\n\n");
    const since = request.headers["last-event-id"] ?? query.get("since");
    if (since !== null && since !== undefined) {
      for (const alert of this.alerts) {
        if (alert.seq > Number(since)) response.write(`id: ${alert.seq}\ndata: ${JSON.stringify(alert)}\n\n`);
      }
    }
    this.#streams.add(response);
    response.on("close", () => this.#streams.delete(response));
  }
}
