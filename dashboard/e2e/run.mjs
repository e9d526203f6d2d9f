// End-to-end tests: the built sentinel-dashboard, headless Chromium, detectors for tests. `npm run e2e [-- NAME…]`.
import { readdirSync } from "node:fs";
import { browser } from "./browser.mjs";

const DEADLINE = 60_000 * Number(process.env.SLOWNESS ?? 1); // milliseconds, for one test; a file may ask for more
const wanted = process.argv.slice(2);
const folder = new URL("./tests/", import.meta.url);
const chromium = await browser();
let failed = 0;
let ran = 0;

/** A page that reports what a user would not see: errors, refused scripts, dialogs, requests elsewhere. */
async function page(url, options = {}) {
  const context = await chromium.newContext({ viewport: { width: 1280, height: 800 }, reducedMotion: "reduce", ...options });
  const page = await context.newPage();
  page.setDefaultTimeout(15_000);
  page.problems = [];
  page.on("console", (message) => message.type() === "error" && page.problems.push(`console: ${message.text()}`));
  page.on("pageerror", (error) => page.problems.push(`error: ${error.message}`));
  page.on("dialog", (dialog) => (page.problems.push(`dialog: ${dialog.message()}`), dialog.dismiss()));
  page.on("request", (request) => {
    if (url && !request.url().startsWith(url)) page.problems.push(`request to ${request.url()}`);
  });
  if (url) await page.goto(url + (options.path ?? "/"));
  return page;
}

for (const file of readdirSync(folder).sort()) {
  const { tests, minutes = 1 } = await import(new URL(file, folder));
  for (const [name, test] of Object.entries(tests)) {
    if (wanted.length && !wanted.some((part) => name.includes(part))) continue;
    const began = Date.now();
    const cleanups = [];
    const after = (cleanup) => cleanups.push(cleanup);
    let timer;
    const late = new Promise((_, reject) => {
      timer = setTimeout(() => reject(new Error(`not done within ${minutes * DEADLINE} ms`)), minutes * DEADLINE);
    });
    ran += 1;
    try {
      const note = await Promise.race([test({ page, after }), late]);
      console.log(`ok    ${name} (${Date.now() - began} ms)${note ? `: ${note}` : ""}`);
    } catch (error) {
      failed += 1;
      console.log(`FAILED ${name} (${Date.now() - began} ms)\n${error.stack}`);
    } finally {
      clearTimeout(timer);
      // A page that hangs was told about already.
      for (const context of chromium.contexts()) await context.close().catch(() => undefined);
      for (const cleanup of cleanups.reverse()) await cleanup();
    }
  }
}
await chromium.close();
console.log(`${ran - failed} of ${ran} end-to-end tests passed`);
process.exit(failed || !ran ? 1 : 0);
