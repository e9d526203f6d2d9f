// How long the page's main thread is busy in one go, as the browser itself records it.
import assert from "node:assert/strict";

const PIECE_MS = 15_000; // a record of minutes is more than the browser can hand over

/** Records from now on, in pieces: call `step` now and then; `stop` returns the longest task of all. */
export async function longRecorder(view) {
  let [one, began] = [await recorder(view), Date.now()];
  const longest = { processor: 0, clock: 0 };
  const keep = (found) => {
    for (const key of ["processor", "clock"]) longest[key] = Math.max(longest[key], found[key]);
    return longest;
  };
  return {
    async step() {
      if (Date.now() - began < PIECE_MS) return;
      keep(await one.stop());
      [one, began] = [await recorder(view), Date.now()];
    },
    stop: async () => keep(await one.stop()),
  };
}

/** Records from now on; `stop` returns the longest task: milliseconds of processor time, and on the clock. */
export async function recorder(view) {
  const chromium = view.context().browser();
  // A test that failed may have left it on.
  await chromium.stopTracing().catch(() => undefined);
  await chromium.startTracing(view, { categories: ["toplevel", "__metadata"] });
  return {
    async stop() {
      const { traceEvents } = JSON.parse(await chromium.stopTracing());
      const mains = new Set(traceEvents.filter(({ name, args }) => name === "thread_name" && args.name === "CrRendererMain").map(({ pid, tid }) => `${pid} ${tid}`));
      const tasks = traceEvents.filter(({ name, pid, tid }) => /RunTask/.test(name) && mains.has(`${pid} ${tid}`));
      assert.ok(tasks.some(({ tdur }) => tdur > 0), "the browser recorded processor times");
      const longest = (of) => Math.round(tasks.reduce((most, task) => Math.max(most, task[of] ?? 0), 0) / 1000);
      return { processor: longest("tdur"), clock: longest("dur") };
    },
  };
}

/** Megabytes of the page's heap, garbage included. */
export const heap = (view) => view.evaluate(() => Math.round(performance.memory.usedJSHeapSize / 1e6));

/** Alerts that the page has counted since it was opened; rounded when there are many. */
export async function counted(view) {
  const [, number, unit] = /^([\d.]+)( [kM])?/.exec(await view.locator(".numbers").innerText());
  return Number(number) * ({ " k": 1000, " M": 1e6 }[unit] ?? 1);
}
