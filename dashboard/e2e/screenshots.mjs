// Pictures of every view in both themes: `npm run screenshots [-- DIRECTORY]`. Without a directory the three of
// the README are renewed.
import { mkdirSync, statSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { browser, dashboard } from "./browser.mjs";
import { Detector } from "./detector.mjs";

const README = [
  ["alerts", "dark", "dashboard-alerts.png"],
  ["lineage", "light", "dashboard-lineage.png"],
  ["history", "dark", "dashboard-history.png"],
];
const MOST = 200_000; // bytes of a picture in the repository
const wanted = process.argv[2];
const docs = fileURLToPath(new URL("../../docs/images", import.meta.url));
mkdirSync(wanted ?? docs, { recursive: true });

const detector = await new Detector().start();
detector.fill(3000, 86_400_000);
const server = await dashboard([detector]);
const chromium = await browser();
try {
  const shell = detector.push({}, Date.now(), "reverse_shell");
  const views = {
    alerts: "#/alerts",
    grouped: "#/alerts?group=1",
    drawer: `#/alerts?alert=${shell.alert_id}`,
    panels: "#/panels",
    heatmap: "#/heatmap?last=24h",
    history: "#/history?last=24h",
    nodes: "#/nodes",
    rules: "#/rules",
    flood: "#/alerts?group=",
    keys: "#/alerts?severity=critical,high&last=24h",
    lineage: `#/lineage?alert=${shell.alert_id}`,
  };
  const sizes = wanted ? [["wide", 1280, 800], ["phone", 360, 740], ["4k", 3840, 2160]] : [["wide", 1120, 560]];
  for (const theme of ["dark", "light"]) {
    for (const [size, width, height] of sizes) {
      const context = await chromium.newContext({ viewport: { width, height }, colorScheme: theme, timezoneId: "UTC", reducedMotion: "reduce" });
      const page = await context.newPage();
      for (const [name, address] of Object.entries(views)) {
        const kept = README.find(([view, colours]) => view === name && colours === theme);
        if (!wanted && !kept) continue;
        await page.goto(`${server.url}/${address}`);
        await page.reload();
        for (let at = 0; at < 3; at += 1) detector.push();
        for (let at = 0; name === "flood" && at < 20; at += 1) {
          detector.burst(600);
          await page.waitForTimeout(100);
        }
        if (name === "keys") await page.keyboard.press("?");
        if (name === "rules") await page.locator("summary").first().click();
        await page.waitForFunction(() => !/Asking|Counting|Reading|Loading/.test(document.body.innerText));
        await page.waitForTimeout(name === "nodes" ? 5600 : 700); // pictures only: charts have been drawn
        const path = wanted ? join(wanted, `${name}-${theme}-${size}.png`) : join(docs, kept[2]);
        await page.screenshot({ path });
        const bytes = statSync(path).size;
        if (!wanted && bytes > MOST) throw new Error(`${path}: ${bytes} bytes, ${MOST} are the most`);
        console.log(`${path} ${bytes} bytes`);
      }
      await context.close();
    }
  }
} finally {
  await chromium.close();
  await server.stop();
  await detector.stop();
}
