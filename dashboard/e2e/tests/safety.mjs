// What attackers write, and what everybody must be able to read.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dashboard, until } from "../browser.mjs";
import { Detector } from "../detector.mjs";

const AXE = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");
const VIEWS = ["alerts", "alerts?group=1", "panels", "heatmap?last=1h", "history?last=1h", "nodes", "rules"];

const EVIL = [
  "<script>window.pwned=1</script>",
  "<img src=x onerror=window.pwned=1>",
  "\"><svg onload=window.pwned=1>",
  "javascript:window.pwned=1",
  "{{constructor.constructor('window.pwned=1')()}}",
  "\u001b[2J\u001b[31m\u0007\u0000",
  "exe\u202egnp.txt\u2066\u200b",
  `${"\u0301".repeat(2000)}zalgo`,
  "W".repeat(65_536),
  "\u0645".repeat(3000),
  "line\nbreak\r\n\r\nid: 9\ndata: {}\n\n",
];

function evil(detector, text, rule) {
  const fields = Object.fromEntries(["Comm", "Filename", "EventType", "DstIP", text].map((name) => [name, text]));
  return detector.push(
    {
      reason: text, rule: text, recommendation: text, tags: [text, "T1059"], addr: text, node: text,
      event: { ...fields, PID: 1, PPID: 2 }, container: { id: text, name: text, image: text, runtime: text },
      pod: { name: text, namespace: text, node: text }, lineage: [{ pid: 1, name: text, exe: text }],
      output_fields: { [text]: text },
    },
    Date.now(),
    rule,
  );
}

async function wide(view) {
  const [content, window] = await view.evaluate(() => [document.documentElement.scrollWidth, innerWidth]);
  assert.ok(content <= window, `${view.url().slice(0, 120)}: ${content} px in a window of ${window}`);
}

export const tests = {
  async "attackers' words run nothing, hide nothing and break no layout"({ page, after }) {
    const detector = await new Detector().start();
    after(() => detector.stop());
    const server = await dashboard([detector]);
    after(() => server.stop());
    for (const width of [1280, 360]) {
      const view = await page(server.url, { viewport: { width, height: 700 } });
      const last = [];
      for (const text of EVIL) {
        for (const rule of ["reverse_shell", "injection_attempt"]) last.push(evil(detector, text, rule));
      }
      await view.locator("[role=option]").first().waitFor();
      for (const path of [...VIEWS, ...last.filter((_, at) => at % 2).flatMap(({ alert_id: id }) => [`alerts?alert=${id}`, `lineage?alert=${id}`])]) {
        await view.evaluate((hash) => (location.hash = hash), `#/${path}`);
        if (path.includes("alerts?alert")) {
          await view.getByText("Raw JSON").click();
          await view.locator("pre").waitFor();
        }
        if (path.includes("lineage")) await view.getByText("What they did").waitFor();
        await wide(view);
        // No row may grow beyond its place.
        const tall = await view.evaluate(() => Math.max(0, ...[...document.querySelectorAll("[role=option]")].map((row) => row.getBoundingClientRect().height)));
        assert.ok(tall <= 60, `a row is ${tall} px tall`);
      }
      const raw = await view.evaluate(() => /[\u202e\u2066\u200b\u001b\u0007]/.test(document.body.innerText));
      assert.ok(!raw, "a character that cannot be seen is in the page");
      assert.equal(await view.evaluate(() => window.pwned), undefined);
      assert.deepEqual(view.problems.map((text) => text.slice(0, 300)), []);
    }
  },

  async "the policy would stop what escaping missed"({ page, after }) {
    const detector = await new Detector().start();
    after(() => detector.stop());
    const server = await dashboard([detector]);
    after(() => server.stop());
    const view = await page(server.url);
    await view.getByText("No alerts yet").waitFor();
    const refused = await view.evaluate(() => {
      try {
        document.body.innerHTML = "<img src=x onerror=window.pwned=1>";
        return "";
      } catch (error) {
        return error.message;
      }
    });
    assert.match(refused, /TrustedHTML/);
  },

  async "every view is usable by all: axe finds nothing, in both themes"({ page, after }) {
    const detector = await new Detector().start();
    after(() => detector.stop());
    detector.fill(100, 3_600_000);
    const server = await dashboard([detector]);
    after(() => server.stop());
    const id = detector.alerts.at(-1).alert_id;
    for (const colorScheme of ["dark", "light"]) {
      const view = await page(server.url, { colorScheme, bypassCSP: true });
      await view.locator("[role=option]").first().waitFor();
      await view.addScriptTag({ content: AXE });
      for (const path of [...VIEWS, `alerts?alert=${id}`, `lineage?alert=${id}`]) {
        await view.evaluate((hash) => (location.hash = hash), `#/${path}`);
        await until("it is drawn", () => view.evaluate(() => !/Asking|Counting|Reading|Loading/.test(document.body.innerText)));
        const found = await view.evaluate(() => window.axe.run(document));
        const said = found.violations.map(({ id, nodes }) => `${id}: ${nodes.slice(0, 3).map(({ html }) => html.slice(0, 160)).join(" | ")}`);
        assert.deepEqual(said, [], `${colorScheme} ${path}`);
      }
    }
  },

  async "nothing sticks out from a phone to a 4k screen"({ page, after }) {
    const detector = await new Detector().start();
    after(() => detector.stop());
    detector.fill(300, 3_600_000);
    const server = await dashboard([detector]);
    after(() => server.stop());
    const id = detector.alerts.at(-1).alert_id;
    for (const [width, height] of [[360, 640], [768, 1024], [3840, 2160]]) {
      const view = await page(server.url, { viewport: { width, height } });
      await view.locator("[role=option]").first().waitFor();
      for (const path of [...VIEWS, `alerts?alert=${id}`, `lineage?alert=${id}`]) {
        await view.evaluate((hash) => (location.hash = hash), `#/${path}`);
        await until("it is drawn", () => view.evaluate(() => !/Asking|Counting|Reading|Loading/.test(document.body.innerText)));
        await wide(view);
      }
    }
  },
};
