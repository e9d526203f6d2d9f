// What goes wrong outside.
import assert from "node:assert/strict";
import { counted, heap, longRecorder } from "../blocking.mjs";
import { dashboard, until } from "../browser.mjs";
import { Detector } from "../detector.mjs";

export const minutes = 1 + Number(process.env.BURST_SECONDS ?? 8) / 60;

const rows = (view) => view.locator("[role=option]");

export const tests = {
  async "after the server was away the stream goes on without a gap"({ page, after }) {
    const detector = await new Detector().start();
    after(() => detector.stop());
    detector.fill(5, 60_000);
    let server = await dashboard([detector]);
    after(() => server.stop());
    const view = await page(server.url);
    await until("five rows", async () => (await rows(view).count()) === 5);
    await server.stop();
    await view.getByText(/Connecting|No connection/).first().waitFor();
    for (let at = 0; at < 3; at += 1) detector.push();
    server = await dashboard([detector], ["--port", new URL(server.url).port]);
    await until("eight rows", async () => (await rows(view).count()) === 8, 20_000);
    await view.getByText("Live", { exact: true }).waitFor();
  },

  async "a detector that went away is named, and the other one goes on"({ page, after }) {
    const [one, two] = [await new Detector({ node: "node-a" }).start(), await new Detector({ node: "node-b" }).start()];
    after(() => one.stop());
    const server = await dashboard([one, `two=http://127.0.0.1:${two.port}`]);
    after(() => server.stop());
    const view = await page(server.url);
    await view.getByText("Live", { exact: true }).waitFor();
    await two.stop();
    const unseen = view.getByRole("region", { name: "What cannot be seen right now" });
    await unseen.getByText("Detector two:").waitFor();
    one.push();
    await rows(view).first().waitFor();
    await view.evaluate(() => (location.hash = "#/history"));
    await view.getByText("Incomplete: two:").waitFor();
  },

  async "without any detector the page says what to do"({ page, after }) {
    const server = await dashboard(["http://127.0.0.1:9"]);
    after(() => server.stop());
    const view = await page(server.url);
    await view.getByText("is it running?").first().waitFor();
    await view.getByText("Connection refused").first().waitFor();
  },

  async "it works below a path"({ page, after }) {
    const detector = await new Detector().start();
    after(() => detector.stop());
    detector.fill(20, 60_000);
    const server = await dashboard([detector], ["--path-prefix", "/deep/below"]);
    after(() => server.stop());
    const view = await page(`${server.url}/deep/below`, { path: "" });
    await until("rows", async () => (await rows(view).count()) === 20);
    await view.evaluate(() => (location.hash = "#/history?last=1h"));
    await view.getByText("20 alerts").waitFor();
    assert.deepEqual(view.problems, []);
  },

  async "ten thousand alerts a second leave the page responsive"({ page, after }) {
    const seconds = Number(process.env.BURST_SECONDS ?? 8);
    const detector = await new Detector().start();
    after(() => detector.stop());
    const server = await dashboard([detector]);
    after(() => server.stop());
    const view = await page(server.url);
    await view.getByText("No alerts yet").waitFor();
    const blocked = await longRecorder(view);
    const began = Date.now();
    let sent = 0;
    const timer = setInterval(() => {
      const due = Math.floor(Math.min((Date.now() - began) / 1000, seconds) * 10_000) - sent;
      detector.burst(due);
      sent += due;
    }, 20);
    after(() => clearInterval(timer));
    let early = 0;
    let presses = 0;
    let behind = 0;
    while (Date.now() - began < seconds * 1000) {
      // A person uses it meanwhile.
      await view.keyboard.press(["j", "g", "g"][presses++ % 3]);
      await blocked.step();
      if (!early && Date.now() - began > seconds * 500) early = await heap(view);
      const before = sent;
      behind = Math.max(behind, before - (await counted(view)));
      await new Promise((resolve) => setTimeout(resolve, 200));
    }
    await until("every alert is counted", async () => (await blocked.step(), sent === seconds * 10_000 && (await counted(view)) === sent), 40_000 * Number(process.env.SLOWNESS ?? 1)).catch(async (error) => {
      throw new Error(`${error.message}: ${sent} sent, ${await counted(view)} shown`);
    });
    clearInterval(timer);
    const late = await heap(view);
    // Processor time: how long it blocks, whatever else this machine does.
    const { processor, clock } = await blocked.stop();
    const note = `${sent} alerts, at most ${behind / 10_000} s behind, longest task ${processor} ms of processor time (${clock} ms on the clock), heap ${early} → ${late} MB`;
    assert.ok(processor < 100, note);
    assert.ok(late < 100, note);
    // However long it goes on, the page shows what is now.
    assert.ok(behind < 30_000 * Number(process.env.SLOWNESS ?? 1), note);
    assert.match(await view.locator(".unlisted").first().innerText(), /came too fast to list/);
    return note;
  },
};
