// A million alerts come through the real detector while somebody looks, and stay in its history.
import assert from "node:assert/strict";
import { createWriteStream, writeFileSync } from "node:fs";
import { once } from "node:events";
import { createGzip } from "node:zlib";
import { counted, heap, longRecorder, recorder } from "../blocking.mjs";
import { dashboard, until } from "../browser.mjs";
import { detector, folder } from "../node.mjs";

export const minutes = 6;

const COUNT = Number(process.env.HISTORY ?? 1_000_000);
const SLOW = Number(process.env.SLOWNESS ?? 1);
const RULES = ["bash", "nc", "python3", "curl"]
  .map(
    (name) => `
- rule: Started ${name}
  desc: A program.
  condition: evt.type = execve and proc.name = ${name}
  output: ${name} started (command=%proc.cmdline parent=%proc.pname)
  priority: ${{ bash: "CRITICAL", nc: "ERROR", python3: "WARNING", curl: "NOTICE" }[name]}
`,
  )
  .join("");

/** A compressed log of program starts over the last `span` milliseconds; each of them is an alert. */
async function log(path, count, span) {
  const gzip = createGzip({ level: 1 });
  const file = createWriteStream(path);
  gzip.pipe(file);
  const begin = Date.now() - span;
  let batch = [];
  for (let at = 0; at < count; at += 1) {
    const name = ["curl", "curl", "curl", "python3", "python3", "nc", "bash"][at % 7];
    const json = Buffer.from(
      JSON.stringify({
        event_id: `00000000-0000-7000-8000-${String(at).padStart(12, "0")}`,
        ts_unix_nano: `T${Math.round((begin + (at / count) * span) * 1000)}000`,
        hostname: `node-${at % 9}`, pod: `shop-${at % 61}`, namespace: "shop", container_id: "c".repeat(64),
        event_type: "exec", data: { comm: name, pid: String(1000 + (at % 30_000)), tid: "1", filename: `/usr/bin/${name}`, argv: `${name} ${at}` },
        attributes: { "evt.type": "execve", "proc.name": name, "proc.cmdline": `${name} ${at}`, "proc.pname": "nginx" },
      }).replace(/"T(\d+)"/, "$1"), // too long for a number of JavaScript's
    );
    const head = Buffer.from("EVT1\0\0\0\0");
    head.writeUInt32LE(json.length, 4);
    batch.push(head, json);
    if (batch.length >= 4000) {
      if (!gzip.write(Buffer.concat(batch))) await once(gzip, "drain");
      batch = [];
    }
  }
  gzip.end(Buffer.concat(batch));
  await once(file, "close");
}

export const tests = {
  async "the real detector tells ten thousand alerts a second, and the page is responsive"({ page, after }) {
    const seconds = Number(process.env.BURST_SECONDS ?? 8);
    const count = seconds * 10_000;
    const at = folder(after);
    await log(at("events.bin"), count, seconds * 1000);
    writeFileSync(at("rules.yaml"), RULES);
    const config = `engines: [rules]\nrules: [${at("rules.yaml")}]\n`;
    // At the pace of the log, which is that of the name; who looks comes a moment later and sees it from the begin.
    const { http } = await detector(after, at, config, ["--replay-log", at("events.bin"), "--replay-pace", "realtime"]);
    const server = await dashboard([`http://127.0.0.1:${http}`]);
    after(() => server.stop());
    const began = Date.now();
    const view = await page(server.url);
    await view.getByText("Live", { exact: true }).waitFor();
    const blocked = await longRecorder(view);
    let [early, most, presses, told, fastest] = [0, 0, 0, 0, 0];
    let last = { ms: Date.now(), told: 0 };
    while (told < count && Date.now() - began < 2 * seconds * 1000 * SLOW + 20_000) {
      await view.keyboard.press(["j", "g", "g"][presses++ % 3]);
      await new Promise((resolve) => setTimeout(resolve, 200));
      await blocked.step();
      const used = await heap(view);
      if (Date.now() - began > seconds * 300) early ||= used;
      most = Math.max(most, used);
      told = (await (await fetch(`http://127.0.0.1:${http}/api/nodes`)).json()).detector.alerts_total;
      if (Date.now() - last.ms > 2000) {
        fastest = Math.max(fastest, Math.round(((told - last.told) / (Date.now() - last.ms)) * 1000));
        last = { ms: Date.now(), told };
      }
    }
    const took = (Date.now() - began) / 1000;
    assert.ok(told >= count, `${told} of ${count} after ${took} s`);
    const shown = () => counted(view);
    const before = await until("the page has counted what came since it was opened", async () => ((await shown()) > count / 2 ? shown() : 0), 20_000 * SLOW);
    const late = await heap(view);
    const { processor, clock } = await blocked.stop();
    const note =
      `${count} alerts in ${Math.round(took)} s (at most ${fastest} a second), ${before} of them counted on the page, longest task ${processor} ms of ` +
      `processor time (${clock} ms on the clock), heap ${early} → ${late} MB, at most ${most} MB`;
    assert.ok(processor < 100, note);
    assert.ok(late < 100 && most < 150, note);
    assert.match(await view.locator(".unlisted").first().innerText(), /came too fast to list/);
    assert.deepEqual(view.problems, [], note);
    return note;
  },

  async "a million alerts come, and stay, and the page is responsive"({ page, after }) {
    const at = folder(after);
    await log(at("events.bin"), COUNT, 86_000_000);
    writeFileSync(at("rules.yaml"), RULES);
    const config = `engines: [rules]\nrules: [${at("rules.yaml")}]\n`;
    const began = Date.now();
    const { http } = await detector(after, at, config, ["--replay-log", at("events.bin"), "--replay-pace", "fast"]);
    const server = await dashboard([`http://127.0.0.1:${http}`]);
    after(() => server.stop());
    const view = await page(server.url);
    await view.getByText("Live", { exact: true }).waitFor();
    const coming = await longRecorder(view);
    const stored = async () => (await (await fetch(`${server.url}/api/stats?from=${began - 90_000_000}`)).json()).total ?? 0;
    let [early, most, presses, total] = [0, 0, 0, 0];
    while (total < COUNT && Date.now() - began < 240_000 * SLOW) {
      // A person uses it meanwhile.
      for (let key = 0; key < 10; key += 1) {
        await view.keyboard.press(["j", "g", "g"][presses++ % 3]);
        await new Promise((resolve) => setTimeout(resolve, 200));
      }
      await coming.step();
      most = Math.max(most, await heap(view));
      early ||= presses > 30 ? await heap(view) : 0;
      total = await stored();
    }
    const seconds = Math.round((Date.now() - began) / 1000);
    assert.equal(total, COUNT, `${total} of ${COUNT} are in the history after ${seconds} s; ${await counted(view)} were shown`);
    const live = await coming.stop();
    const late = await heap(view);

    // Looking back at them.
    const back = { processor: 0, clock: 0 };
    const busy = [];
    let slowest = 0;
    for (const [path, text] of [
      ["#/history?last=7d", /1(\.0+)? ?M alerts|1,000,000 alerts|\d+ alerts/],
      ["#/history?last=7d&severity=critical", /alerts/],
      ["#/history?last=7d&q=bash", /listed/],
      ["#/heatmap?last=7d", /shop-1/],
      ["#/rules", /Started bash/],
      ["#/alerts", /Started/],
    ]) {
      const blocked = await recorder(view);
      const asked = Date.now();
      await view.evaluate((hash) => (location.hash = hash), path);
      await view.locator("main").getByText(text).first().waitFor({ timeout: 20_000 * SLOW });
      await view.waitForFunction(() => !/Asking|Counting|Reading|Loading/.test(document.body.innerText), undefined, { timeout: 20_000 * SLOW });
      slowest = Math.max(slowest, Date.now() - asked);
      for (let key = 0; key < 10; key += 1) await view.keyboard.press("PageDown");
      const one = await blocked.stop();
      back.processor = Math.max(back.processor, one.processor);
      back.clock = Math.max(back.clock, one.clock);
      busy.push(`${path} ${one.processor} ms`);
    }
    const note =
      `${COUNT} alerts in ${seconds} s: longest task ${live.processor} ms of processor time (${live.clock} ms on the clock) while they came, ` +
      `${back.processor} ms (${back.clock} ms) looking back (${busy.join(", ")}), slowest view ${slowest} ms, heap ${early} → ${late} MB, at most ${most} MB`;
    assert.ok(live.processor < 100 && back.processor < 100, note);
    assert.ok(most < 150 && late < 100, note);
    assert.ok(slowest < 5000 * SLOW, note);
    assert.deepEqual(view.problems, [], note);
    await until("the page still follows", async () => (await view.getByText("Live", { exact: true }).count()) === 1);
    return note;
  },
};
