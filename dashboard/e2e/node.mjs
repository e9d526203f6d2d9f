// A node as it is in earnest: the built agent, detector and simulated attacks. Root, or sudo that asks nothing.
import { spawn } from "node:child_process";
import { copyFileSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { homedir, tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { until } from "./browser.mjs";

/** What the tree of an alert is made of: starts and ends of programs, and what they touched. */
const FORWARD = ["exec", "fork", "exit", "file_write", "file_rename", "file_unlink", "connect"];

export function program(name) {
  const path = join(dirname(process.env.SENTINEL_DASHBOARD ?? ""), name);
  if (!existsSync(path)) throw new Error(`${path} is missing: build it beside sentinel-dashboard`);
  return path;
}

const asRoot = (command) => (process.getuid() === 0 ? command : ["sudo", "-n", ...command]);

/** Starts a program and remembers what it says. */
function start(command, after) {
  const child = spawn(command[0], command.slice(1), { stdio: ["ignore", "ignore", "pipe"] });
  const said = { log: "" };
  child.stderr.on("data", (text) => (said.log += text));
  child.on("error", (error) => (said.log += error.message));
  after(
    () =>
      new Promise((resolve) => {
        if (child.exitCode !== null || child.pid === undefined) return resolve();
        child.on("exit", resolve);
        child.kill("SIGTERM");
      }),
  );
  return said;
}

const heard = (said, words, what) =>
  until(what, () => words.exec(said.log), 60_000).catch((error) => {
    throw new Error(`${error.message}: ${said.log}`);
  });

/** A folder that goes away with the test. */
export function folder(after) {
  const path = mkdtempSync(join(tmpdir(), "sentinel-e2e-"));
  after(() => rmSync(path, { recursive: true }));
  return (name) => join(path, name);
}

/** The detector; returns its ports. */
export async function detector(after, at, config = "", args = []) {
  writeFileSync(at("detector.yaml"), `grpc: {port: 0}\nhttp: {port: 0}\nhistory: {path: ${at("history")}}\n${config}`);
  const said = start([program("sentinel-detector"), "--config", at("detector.yaml"), ...args], after);
  const [, grpc, http] = await heard(said, /grpc=\[127\.0\.0\.1:(\d+).*http=\[127\.0\.0\.1:(\d+)/, "the detector listens");
  return { grpc, http };
}

/** The agent with its shipped rules, which tells that detector. */
export async function agent(after, at, grpc) {
  const rules = FORWARD.map((event) => `  - {name: ${event}, event: ${event}}\n`).join("");
  writeFileSync(at("forward.yaml"), `rules:\n${rules}`);
  writeFileSync(
    at("agent.yaml"),
    `health: {port: 0}\nmetrics: {port: 0}\nstream: {mode: grpc}\ngrpc: {endpoint: "127.0.0.1:${grpc}"}\n`,
  );
  const command = [program("sentinel-agent"), "--config", at("agent.yaml"), "--rules", at("forward.yaml")];
  const said = start(asRoot(command), after);
  await heard(said, /Started\./, "the agent watches");
}

/** The simulated attacks, from a place that no rule is about: the build may be in a temporary directory. */
export async function attacks(after) {
  const cache = join(homedir(), ".cache");
  mkdirSync(cache, { recursive: true });
  const place = mkdtempSync(join(cache, "sentinel-e2e-"));
  after(() => rmSync(place, { recursive: true }));
  const simulate = join(place, "sentinel-simulate");
  copyFileSync(program("sentinel-simulate"), simulate);
  const { text } = await run([simulate, "list"]);
  const all = [...text.matchAll(/^(\S+)\n +trips +(.*)$/gm)].map(([, name, rule]) => ({ name, rule }));
  /** Attacks. Resolves to whether it could be done here, and what was said. */
  async function attack(name) {
    const { code, text } = await run(asRoot([simulate, "run", name, "--json"]));
    if (code === 0) return { done: true, text };
    if (text.includes('"skipped"')) return { done: false, text };
    throw new Error(`${name} ended with ${code}: ${text}`);
  }
  return { all, attack };
}

function run(command) {
  return new Promise((resolve, reject) => {
    const child = spawn(command[0], command.slice(1), { stdio: ["ignore", "pipe", "pipe"] });
    let text = "";
    for (const stream of [child.stdout, child.stderr]) stream.on("data", (more) => (text += more));
    child.on("error", reject);
    child.on("close", (code) => resolve({ code, text }));
  });
}

/** The name of this machine, as the agent tells it. */
export const hostname = () => process.env.NODE_NAME ?? readFileSync("/proc/sys/kernel/hostname", "utf8").trim();
