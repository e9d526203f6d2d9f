// What the page knows of the stream. Lives in a worker: however fast alerts come, the page gets a bounded
// update ten times a second, with exact counts and the newest rows.

import { PANELS, SEVERITIES, panelOf, parse, row, type PanelId, type Row, type Severity } from "./alert";
import { EVERYTHING, matcher, type Filter } from "./filter";

/** Alerts that are kept, and bytes of their JSON. */
export const KEPT_MOST = 20_000;
export const KEPT_BYTES = 48 << 20;
/** Rows that one update brings; more would be read by nobody and cost the page its time. */
export const ADDED_MOST = 200;
/** Rows after a change of the filter. */
export const LISTED_MOST = 2_000;
const GROUPS_MOST = 1_000;
const GROUPS_SHOWN = 300;
export const SECONDS = 300;
const PANEL_ROWS = 5;
/** Rules whose last alerts are remembered between two updates. */
const RULES_MOST = 1_000;
/** A list of the last minutes is made anew so often. */
const AGE_MS = 10_000;

export interface Group {
  key: string;
  count: number;
  first: number;
  newest: Row;
}

export interface Panel {
  count: number;
  newest: Row[];
}

export interface Update {
  /** Rows to put on top, newest first. */
  added: Row[];
  /** The list begins anew with `added`. */
  reset: boolean;
  /** Matching alerts that came, but are not among `added`. */
  unlisted: number;
  /** Alerts that came while paused. */
  waiting: number;
  groups: Group[] | undefined;
  /** Since the page was opened. */
  total: number;
  matching: number;
  /** Alerts of the last minutes by second, the newest last. */
  seconds: Record<Severity, number[]>;
  until: number;
  panels: Record<PanelId, Panel>;
  /** Rule ids that had alerts since the update before, with the time of the newest. */
  rules: [string, number][];
}

interface Kept {
  row: Row;
  json: string;
}

export class Feed {
  #kept: (Kept | undefined)[] = [];
  #first = 0;
  #bytes = 0;
  #keys = new Map<string, Kept>();
  #filter: Filter = EVERYTHING;
  #matches = matcher(EVERYTHING, 0);
  #listed = 0;
  #rules = new Map<string, number>();
  #grouped = false;
  #paused = false;
  #groups = new Map<string, Group>();
  #added: Row[] = [];
  #unlisted = 0;
  #waiting = 0;
  #reset = true;
  #dirty = true;
  #total = 0;
  #matching = 0;
  #unnamed = 0;
  #counts = new Map<number, Record<Severity, number>>();
  #second = 0;
  #panels = new Map<PanelId, Panel>(PANELS.map(({ id }) => [id, { count: 0, newest: [] }]));

  /** Takes one alert. `live` ones are counted by the second in which they came. */
  push(json: string, now: number, live = true): void {
    const alert = parse(json);
    if (!alert) return;
    const fresh = row(alert, `unnamed ${this.#unnamed++}`);
    if (this.#keys.has(fresh.key)) return;
    const kept = { row: fresh, json };
    this.#keys.set(fresh.key, kept);
    this.#kept.push(kept);
    this.#bytes += json.length;
    this.#shrink();
    this.#total += 1;
    this.#dirty = true;
    const second = Math.floor((live ? now : fresh.ms) / 1000);
    if (second > now / 1000 - SECONDS) this.#count(second, fresh.severity);
    const panel = this.#panels.get(panelOf(fresh.ruleId) ?? ("" as PanelId));
    if (panel) {
      panel.count += 1;
      panel.newest = [fresh, ...panel.newest].slice(0, PANEL_ROWS);
    }
    const last = this.#rules.get(fresh.ruleId);
    if (last !== undefined || this.#rules.size < RULES_MOST) this.#rules.set(fresh.ruleId, Math.max(last ?? 0, fresh.ms));
    if (this.#matches(fresh)) this.#show(fresh);
  }

  #show(fresh: Row): void {
    this.#matching += 1;
    this.#group(fresh);
    if (this.#paused) this.#waiting += 1;
    else {
      this.#added.push(fresh);
      if (this.#added.length >= 2 * LISTED_MOST) {
        this.#unlisted += LISTED_MOST;
        this.#added.splice(0, LISTED_MOST);
      }
    }
  }

  #group(fresh: Row): void {
    const key = [fresh.ruleId, fresh.node, fresh.workload, fresh.process].join("\n");
    const known = this.#groups.get(key);
    this.#groups.delete(key); // the newest stand last, so that the first is the one to forget
    this.#groups.set(key, {
      key,
      count: (known?.count ?? 0) + 1,
      first: known?.first ?? fresh.ms,
      newest: fresh,
    });
    if (this.#groups.size > GROUPS_MOST) {
      const oldest = this.#groups.keys().next().value;
      if (oldest !== undefined) this.#groups.delete(oldest);
    }
  }

  #count(second: number, severity: Severity): void {
    let counts = this.#counts.get(second);
    if (!counts) {
      counts = { critical: 0, high: 0, medium: 0, low: 0, info: 0 };
      this.#counts.set(second, counts);
      if (this.#counts.size > SECONDS) {
        for (const old of this.#counts.keys()) if (old < second - SECONDS) this.#counts.delete(old);
      }
    }
    counts[severity] += 1;
  }

  #shrink(): void {
    while (this.#kept.length - this.#first > KEPT_MOST || this.#bytes > KEPT_BYTES) {
      const gone = this.#kept[this.#first];
      if (!gone) break;
      this.#kept[this.#first] = undefined;
      this.#first += 1;
      this.#bytes -= gone.json.length;
      this.#keys.delete(gone.row.key);
    }
    if (this.#first > KEPT_MOST) {
      this.#kept.splice(0, this.#first);
      this.#first = 0;
    }
  }

  show(filter: Filter, grouped: boolean, now: number): void {
    this.#filter = filter;
    this.#grouped = grouped;
    this.#renew(now);
  }

  #renew(now: number): void {
    this.#listed = now;
    this.#matches = matcher(this.#filter, now);
    this.again();
  }

  pause(paused: boolean): void {
    this.#paused = paused;
    if (!paused) this.again();
    this.#dirty = true;
  }

  /** Lists and groups anew from what is kept. */
  again(): void {
    this.#groups.clear();
    this.#added = [];
    this.#unlisted = 0;
    this.#waiting = 0;
    this.#matching = 0;
    const paused = this.#paused;
    this.#paused = false;
    for (const kept of this.#kept.slice(this.#first)) if (kept && this.#matches(kept.row)) this.#show(kept.row);
    this.#paused = paused;
    this.#reset = true;
    this.#dirty = true;
  }

  /** The JSON of an alert, while it is kept. */
  json(key: string): string | undefined {
    return this.#keys.get(key)?.json;
  }

  get filter(): Filter {
    return this.#filter;
  }

  /** What changed since the last call; none when nothing did. */
  update(now: number): Update | undefined {
    const second = Math.floor(now / 1000);
    if (this.#filter.last && !this.#paused && now - this.#listed >= AGE_MS) this.#renew(now);
    if (!this.#dirty && second === this.#second) return undefined;
    this.#second = second;
    this.#dirty = false;
    const most = this.#reset ? LISTED_MOST : ADDED_MOST;
    const added = this.#added.slice(-most).reverse();
    // Those from before the page was opened are in the history; only live ones count as not listed.
    const unlisted = this.#reset ? 0 : this.#unlisted + this.#added.length - added.length;
    const seconds = Object.fromEntries(
      SEVERITIES.map((one) => [
        one,
        Array.from({ length: SECONDS }, (_, at) => this.#counts.get(second - SECONDS + 1 + at)?.[one] ?? 0),
      ]),
    ) as Record<Severity, number[]>;
    const update: Update = {
      added,
      reset: this.#reset,
      unlisted,
      waiting: this.#waiting,
      groups: this.#grouped ? [...this.#groups.values()].reverse().slice(0, GROUPS_SHOWN) : undefined,
      total: this.#total,
      matching: this.#matching,
      seconds,
      until: second,
      panels: Object.fromEntries(this.#panels) as Record<PanelId, Panel>,
      rules: [...this.#rules],
    };
    this.#rules.clear();
    this.#added = [];
    this.#unlisted = 0;
    this.#reset = false;
    return update;
  }
}
