import { readFileSync, readdirSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { svelte } from "@sveltejs/vite-plugin-svelte";
import { defineConfig } from "vitest/config";

// What `npm run dev` shows: the alerts of this detector.
const events = new URL(process.env["VITE_EVENTS_URL"] ?? "http://localhost:8090/events");

/** Leaves a packed form beside every built file: the server sends it as it is. */
function packed() {
  return {
    name: "packed",
    apply: "build" as const,
    writeBundle({ dir }: { dir?: string | undefined }) {
      const walk = (folder: string): void => {
        for (const name of readdirSync(folder)) {
          const path = join(folder, name);
          if (statSync(path).isDirectory()) walk(path);
          else if (!name.endsWith(".gz")) writeFileSync(`${path}.gz`, gzipSync(readFileSync(path), { level: 9 }));
        }
      };
      if (dir) walk(dir);
    },
  };
}

export default defineConfig({
  base: "./", // every address is relative: the app works below any path
  plugins: [svelte(), packed()],
  worker: { format: "es" },
  build: { target: "es2022", assetsInlineLimit: 0, modulePreload: { polyfill: false } },
  server: {
    proxy: {
      "/events": { target: events.origin, rewrite: () => events.pathname + events.search },
      "/api": { target: events.origin },
    },
  },
  test: { include: ["test/**/*.test.ts"], environment: "node", testTimeout: 60_000 },
});
