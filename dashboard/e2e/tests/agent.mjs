// The real agent, the real detector and every simulated attack.
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { dashboard, until } from "../browser.mjs";
import { agent, attacks, detector, folder, hostname } from "../node.mjs";

const SOON = 1000 * Number(process.env.SLOWNESS ?? 1); // milliseconds from the event to the eye

/** Notes from now on when each text was first to be seen in elements of this kind. */
const record = (view, selector) =>
  view.evaluate((selector) => {
    clearInterval(window.recorder);
    window.recorded = {};
    window.recorder = setInterval(() => {
      for (const { innerText } of document.querySelectorAll(selector)) window.recorded[innerText] ??= Date.now();
    }, 10);
  }, selector);

/** Attacks, and returns how long after the event its alert was to be seen. None when it cannot be done here. */
async function seen({ server, view, attack, name, rule }) {
  const began = Date.now();
  const { done, text } = await attack(name);
  if (!done) return undefined;
  const about = `${name} (${text.trim()})`;
  // Other programs of this machine may do the like meanwhile: any alert of the rule is good that the page shows.
  return until(
    `${about}: an alert of ${rule} on the page`,
    async () => {
      const { alerts } = await (await fetch(`${server.url}/api/alerts?limit=200`)).json();
      const recorded = Object.entries(await view.evaluate(() => window.recorded));
      for (const alert of alerts) {
        const ms = Date.parse(alert.timestamp);
        const shown = recorded.find(([text]) => text.includes(`${alert.event.Comm}[${alert.event.PID}]`));
        if (alert.rule === rule && ms > began - 1000 && shown) return Math.max(1, shown[1] - ms);
      }
      return undefined;
    },
    30_000,
  );
}

export const tests = {
  async "every simulated attack is on the page within a second"({ page, after }) {
    const at = folder(after);
    const { all, attack } = await attacks(after);
    const { grpc, http } = await detector(after, at);
    await agent(after, at, grpc);
    const server = await dashboard([`http://127.0.0.1:${http}`]);
    after(() => server.stop());
    const view = await page(server.url);
    await view.getByText("Live", { exact: true }).waitFor();
    const taken = [];
    let skipped = 0;

    // The panels first: they show the newest of what has happened since the page was opened.
    await view.evaluate(() => (location.hash = "#/panels"));
    for (const [name, title] of [
      ["reverse-shell-port", "Reverse shells"],
      ["injection-anonymous", "Process injection"],
      ["exec-memory", "Suspicious programs"],
    ]) {
      await record(view, `article[aria-label="${title}"] button`);
      const delay = await seen({ server, view, attack, ...all.find((one) => one.name === name) });
      assert.ok(delay !== undefined, `${name} cannot be done here`);
      taken.push({ name: `${name} in ${title}`, delay });
    }
    for (const { name, rule } of all) {
      await view.evaluate((hash) => (location.hash = hash), `#/alerts?rule=${encodeURIComponent(rule)}`);
      await record(view, "[role=option]");
      const delay = await seen({ server, view, attack, name, rule });
      if (delay === undefined) skipped += 1;
      else taken.push({ name, delay });
    }
    // The history keeps up as well.
    await view.evaluate(() => (location.hash = "#/history?last=1h"));
    await view.getByText(/\d+ listed/).waitFor();
    await record(view, "[role=option]");
    const port = all.find((one) => one.name === "reverse-shell-port");
    taken.push({ name: "reverse-shell-port in the history", delay: await seen({ server, view, attack, ...port }) });
    assert.ok(all.length > 40 && skipped < 5, `${skipped} of ${all.length} attacks were skipped`);

    // A process that is called like an attack on the page.
    const evil = "<img src=x onerror=window.pwned=1>\u202e\u001b[31m";
    spawn("/bin/bash", ["-c", "exec 5<>/dev/tcp/127.0.0.1/4444", evil], { argv0: evil, stdio: "ignore" });
    await view.evaluate(() => (location.hash = "#/alerts?reason=onerror"));
    await view.locator("[role=option]", { hasText: "onerror" }).first().click();
    await view.getByRole("dialog", { name: "Alert" }).getByText("‹202E›␛[31m").first().waitFor();
    assert.equal(await view.evaluate(() => window.pwned), undefined);
    await view.keyboard.press("Escape");

    // The node tells what it uses of the machine, from the second report on.
    await view.evaluate(() => (location.hash = "#/nodes"));
    await view.getByRole("article").getByText(/% of \d+ processors?/).waitFor();
    const { nodes } = await (await fetch(`${server.url}/api/nodes`)).json();
    assert.ok(nodes[0].cpus > 0 && nodes[0].cgroups_ms >= 1000 && nodes[0].cgroups[0].cpu_ns > 0, JSON.stringify(nodes[0].cgroups));

    // Every other view has them too.
    for (const [path, text] of [
      ["#/heatmap?last=1h", hostname()],
      ["#/history?last=1h&q=sentinel-simulate", "listed"],
      ["#/nodes", hostname()],
      ["#/rules", "Executable memory not from a program file"],
    ]) {
      await view.evaluate((hash) => (location.hash = hash), path);
      await view.locator("main").getByText(text).first().waitFor();
    }
    // What rules mean is told by the node.
    await view.evaluate(() => (location.hash = "#/rules?q=port of reverse shells"));
    await view.getByText("Connection to a port of reverse shells", { exact: true }).click();
    await view.getByText(/fd\.sport in \(4444, 8081, 9001\)/).waitFor();
    // From an alert to the tree: from the simulation to the process, with what else it started beside it.
    const { alerts } = await (await fetch(`${server.url}/api/alerts?limit=500`)).json();
    let found;
    // One of ours: what else goes on here may change while we look.
    for (const { alert_id, event } of alerts.filter(({ lineage }) => lineage.some(({ name }) => name.startsWith("sentinel-simu")))) {
      const { processes } = await (await fetch(`${server.url}/api/lineage/${alert_id}`)).json();
      const sibling = processes.find(({ pid, ppid, name }) => ppid === event.PPID && pid !== event.PID && name);
      if (sibling) {
        found = { alert_id, sibling };
        break;
      }
    }
    assert.ok(found, "no process has a sibling");
    await view.evaluate((hash) => (location.hash = hash), `#/lineage?alert=${found.alert_id}`);
    const lineage = view.getByRole("region", { name: "Lineage" });
    await lineage.getByText("this alert").waitFor();
    await lineage.getByText(`[${found.sibling.pid}]`).first().waitFor();
    assert.deepEqual(view.problems, []);
    taken.sort((one, two) => one.delay - two.delay);
    const [median, slowest] = [taken[taken.length >> 1], taken.at(-1)];
    const note = `${taken.length} alerts, median ${median.delay} ms, slowest ${slowest.delay} ms (${slowest.name}), ${skipped} attacks skipped`;
    assert.ok(slowest.delay < SOON, note);
    return note;
  },
};
