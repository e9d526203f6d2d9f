// How long the page's main thread is busy in one go, as the browser itself records it.
import assert from "node:assert/strict";

/** Records from now on; `stop` returns the longest task: milliseconds of processor time, and on the clock. */
export async function recorder(view) {
  const chromium = view.context().browser();
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
