// The real program, a real browser.
import { spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { chromium } from "playwright-core";

const ARGS = [
  "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
  "--disable-component-update", "--disable-sync",
];

export function browser() {
  const program = [process.env.CHROMIUM, "/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome"].find(
    (path) => path && existsSync(path),
  );
  if (!program) throw new Error("no Chromium: install it (Debian: chromium) or set CHROMIUM to its path");
  return chromium.launch({ executablePath: program, args: ARGS });
}

/** Starts sentinel-dashboard in front of these detectors; resolves once it listens. */
export async function dashboard(detectors, args = []) {
  const program = process.env.SENTINEL_DASHBOARD;
  if (!program) throw new Error("set SENTINEL_DASHBOARD to the built program (make test-web does)");
  const urls = detectors.flatMap((one) => ["--detector", typeof one === "string" ? one : `http://127.0.0.1:${one.port}`]);
  const port = args.includes("--port") ? [] : ["--port", "0"];
  const child = spawn(program, [...port, ...urls, ...args], { stdio: ["ignore", "ignore", "pipe"] });
  let log = "";
  const found = await new Promise((resolve, reject) => {
    child.stderr.on("data", (text) => {
      log += text;
      // Colours are off: it is no terminal.
      const said = /127\.0\.0\.1:(\d+)/.exec(log.split("Listening.")[1] ?? "");
      if (said) resolve(Number(said[1]));
    });
    child.on("exit", (code) => reject(new Error(`sentinel-dashboard ended with ${code}: ${log}`)));
    setTimeout(() => reject(new Error(`sentinel-dashboard does not listen: ${log}`)), 20_000).unref();
  });
  child.removeAllListeners("exit");
  return {
    url: `http://127.0.0.1:${found}`,
    pid: child.pid,
    stop: () =>
      new Promise((resolve) => {
        if (child.exitCode !== null) return resolve(child.exitCode);
        child.on("exit", (code) => resolve(code));
        child.kill("SIGTERM");
      }),
  };
}

/** Waits for a condition, with a deadline. */
export async function until(what, condition, ms = 10_000) {
  const end = Date.now() + ms;
  for (;;) {
    const found = await condition();
    if (found) return found;
    if (Date.now() > end) throw new Error(`not within ${ms} ms: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 25));
  }
}
