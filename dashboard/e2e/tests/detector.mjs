// With the real sentinel-detector, built beside sentinel-dashboard, and its rules engine.
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { existsSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { dashboard, until } from "../browser.mjs";

const RULES = `
- rule: Shell started
  id: reverse_shell
  desc: A shell.
  condition: evt.type = execve and proc.name = bash
  output: shell %proc.name started (command=%proc.cmdline)
  priority: CRITICAL
  recommendation: Look who started it.
  tags: [T1059.004]
`;

/** A log of the agent's: EVT1, length, JSON. */
function evt1(events) {
  return Buffer.concat(
    events.map((event) => {
      const json = Buffer.from(JSON.stringify(event));
      const head = Buffer.from("EVT1\0\0\0\0");
      head.writeUInt32LE(json.length, 4);
      return Buffer.concat([head, json]);
    }),
  );
}

function event(number, event_type, data, attributes = {}) {
  return {
    event_id: `00000000-0000-7000-8000-${String(number).padStart(12, "0")}`,
    ts_unix_nano: (Date.now() + number) * 1e6,
    hostname: "e2e-node", pod: "shop-1", namespace: "shop", container_id: "c".repeat(64),
    event_type, data: { comm: "bash", pid: "4242", tid: "4242", ...data }, attributes,
  };
}

export const tests = {
  async "what the real detector finds is in every view"({ page, after }) {
    const program = process.env.SENTINEL_DETECTOR ?? join(dirname(process.env.SENTINEL_DASHBOARD ?? ""), "sentinel-detector");
    assert.ok(existsSync(program), `${program} is missing: build it, or set SENTINEL_DETECTOR`);
    const folder = mkdtempSync(join(tmpdir(), "sentinel-e2e-"));
    after(() => rmSync(folder, { recursive: true }));
    const at = (name) => join(folder, name);
    writeFileSync(at("rules.yaml"), RULES);
    writeFileSync(
      at("config.yaml"),
      `grpc: {port: 0}\nhttp: {port: 0}\nengines: [rules]\nrules: [${at("rules.yaml")}]\nhistory: {path: ${at("history")}}\n`,
    );
    const exec = { "proc.name": "bash", "proc.exepath": "/usr/bin/bash", "proc.cmdline": "bash -i", "proc.ppid": "4000", "proc.pname": "nginx", "proc.pexepath": "/usr/sbin/nginx", "evt.type": "execve" };
    writeFileSync(
      at("events.bin"),
      evt1([
        event(1, "exec", { filename: "/usr/bin/bash", exe: "/usr/bin/bash", argv: "bash -i" }, exec),
        event(2, "file_write", { filename: "/tmp/dropped", bytes: "7" }, { ...exec, "evt.type": "write" }),
      ]),
    );
    const child = spawn(program, ["--config", at("config.yaml"), "--replay-log", at("events.bin"), "--replay-pace", "fast"], { stdio: ["ignore", "ignore", "pipe"] });
    after(() => new Promise((resolve) => (child.exitCode === null ? (child.on("exit", resolve), child.kill("SIGTERM")) : resolve())));
    let log = "";
    child.stderr.on("data", (text) => (log += text));
    const port = await until("the detector listens", () => /http=\[127\.0\.0\.1:(\d+)/.exec(log)?.[1], 20_000).catch((error) => {
      throw new Error(`${error.message}: ${log}`);
    });
    const server = await dashboard([`real=http://127.0.0.1:${port}`]);
    after(() => server.stop());
    const view = await page(server.url);
    await view.locator("[role=option]").first().click();
    const drawer = view.getByRole("dialog", { name: "Alert" });
    await drawer.getByText("Look who started it.").first().waitFor();
    await drawer.getByText("attack.mitre.org/techniques/T1059/004").first().waitFor();
    await drawer.getByRole("link", { name: "Lineage" }).click();
    await view.getByText("this alert").waitFor();
    await view.getByText("/tmp/dropped").waitFor();
    for (const [path, text] of [
      ["#/panels", "shell bash started"],
      ["#/heatmap?last=1h", "shop"],
      ["#/history?last=1h", "1 alert"],
      ["#/history?last=1h&severity=critical&q=bash", "1 listed"],
      ["#/nodes", "e2e-node"],
      ["#/rules", "Shell started"],
    ]) {
      await view.evaluate((hash) => (location.hash = hash), path);
      await view.locator("main").getByText(text).first().waitFor();
    }
    for (const format of ["ndjson", "csv"]) {
      const answer = await fetch(`${server.url}/api/export?format=${format}`);
      assert.equal(answer.status, 200);
      assert.ok((await answer.text()).includes("reverse_shell"));
    }
    assert.deepEqual(view.problems, []);
  },
};
