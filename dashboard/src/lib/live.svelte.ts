// The page's side of the stream: what the worker says, as state that views show.

import { PANELS, SEVERITIES, parse, type Alert, type PanelId, type Row, type Severity } from "./alert";
import { LISTED_MOST, SECONDS, type Group, type Panel, type Update } from "./feed";
import type { Filter } from "./filter";
import type { Busy } from "./recent";
import type { FromWorker, Reach, State, ToWorker } from "./worker";
import workerUrl from "./worker?worker&url";

/** Rules whose last alert is remembered. */
const RULES_MOST = 5_000;

const nothing = <K extends string, V>(names: readonly K[], value: () => V): Record<K, V> =>
  Object.fromEntries(names.map((name) => [name, value()])) as Record<K, V>;

class Live {
  rows = $state.raw<Row[]>([]);
  groups = $state.raw<Group[]>([]);
  seconds = $state.raw<Record<Severity, number[]>>(nothing(SEVERITIES, () => new Array<number>(SECONDS).fill(0)));
  until = $state(Math.floor(Date.now() / 1000));
  panels = $state.raw<Record<PanelId, Panel>>(nothing(PANELS.map(({ id }) => id), () => ({ count: 0, newest: [] })));
  total = $state(0);
  matching = $state(0);
  waiting = $state(0);
  unlisted = $state(0);
  unknown = $state(0);
  busy = $state.raw<Busy | undefined>(undefined);
  skipped = $state(0);
  paused = $state(false);
  connection = $state<State>("connecting");
  error = $state("");
  detectors = $state.raw<Reach[]>([]);
  /** When rules had their last alert, by rule id, as far as this page has seen. */
  rules = $state.raw<Map<string, number>>(new Map());
  /** Rows that the last update put on top. */
  added = 0;

  #worker: Worker | undefined;
  #asked = new Map<string, (json: string | undefined) => void>();

  open(): void {
    const base = new URL(".", document.baseURI).href;
    this.#worker = new Worker(trusted(workerUrl), { type: "module" });
    this.#worker.onmessage = ({ data }: MessageEvent<FromWorker>) => this.#hear(data);
    this.#worker.onerror = () => {
      this.connection = "broken";
      this.error = "the page's own worker did not start; load the page again";
    };
    this.#tell({ type: "open", base });
  }

  show(filter: Filter, grouped: boolean): void {
    this.#tell({ type: "show", filter, grouped });
  }

  pause(paused: boolean): void {
    this.paused = paused;
    this.#tell({ type: "pause", paused });
  }

  /** The whole alert of a row, while the worker keeps it. */
  async alert(key: string): Promise<Alert | undefined> {
    const json = await new Promise<string | undefined>((resolve) => {
      this.#asked.set(key, resolve);
      this.#tell({ type: "json", key });
    });
    return json === undefined ? undefined : parse(json);
  }

  #tell(message: ToWorker): void {
    this.#worker?.postMessage(message);
  }

  #hear(message: FromWorker): void {
    switch (message.type) {
      case "update":
        this.#update(message.update);
        return;
      case "state":
        this.connection = message.state;
        this.error = message.error;
        return;
      case "reach":
        this.detectors = message.detectors;
        return;
      case "skipped":
        this.skipped += message.count;
        return;
      case "json":
        this.#asked.get(message.key)?.(message.json);
        this.#asked.delete(message.key);
    }
  }

  #update(update: Update): void {
    if (update.reset) {
      this.rows = update.added;
      this.unlisted = 0;
      this.unknown = 0;
      this.added = 0;
    } else if (update.added.length) {
      this.added = update.added.length;
      this.rows = [...update.added, ...this.rows].slice(0, LISTED_MOST);
    }
    this.unlisted += update.unlisted;
    this.unknown += update.unknown;
    this.busy = update.busy;
    this.groups = update.groups ?? [];
    this.seconds = update.seconds;
    this.until = update.until;
    this.panels = update.panels;
    this.total = update.total;
    this.matching = update.matching;
    this.waiting = update.waiting;
    if (update.rules.length) {
      const rules = new Map(this.rules);
      for (const [id, ms] of update.rules) rules.set(id, Math.max(ms, rules.get(id) ?? 0));
      this.rules = rules.size > RULES_MOST ? new Map(update.rules) : rules;
    }
  }
}

interface Policies {
  createPolicy(name: string, rules: { createScriptURL(url: string): string }): { createScriptURL(url: string): string };
}

/** The one script that the page starts by itself. The server's policy refuses any other. */
function trusted(url: string): string {
  const policies = (window as { trustedTypes?: Policies }).trustedTypes;
  return policies ? policies.createPolicy("sentinel-worker", { createScriptURL: () => url }).createScriptURL(url) : url;
}

export const live = new Live();
