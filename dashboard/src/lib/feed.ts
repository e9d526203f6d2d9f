// What the page knows of the stream. Lives in a worker: however fast alerts come, the page gets a bounded
// update ten times a second, with exact counts and the newest rows.

import { PANELS, SEVERITIES, panelOf, parse, row, severity, type PanelId, type Row, type Severity } from "./alert";
import { EVERYTHING, isEverything, isOnlyCoarse, matcher, type Filter } from "./filter";
import { Recent, type Busy } from "./recent";

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
  /** Alerts of which only rule and severity came, so that nobody knows whether they match the rest of the filter. */
  unknown: number;
  /** What came most of late, when it is too much to be listed. */
  busy: Busy | undefined;
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
  /** Alerts that it stands for: itself, and those of its kind that came in one number with it. */
  times: number;
}

/** What a server sends in place of more alerts than can be shown. Any part may be missing. */
export interface Folded {
  kinds?: { count?: number; alert?: unknown }[];
  others?: { rule_id?: string; severity?: string; count?: number }[];
}

export class Feed {
  #kept: (Kept | undefined)[] = [];
  #first = 0;
  #bytes = 0;
  #keys = new Map<string, Kept>();
  #filter: Filter = EVERYTHING;
  #matches = matcher(EVERYTHING, 0);
  #coarse = matcher(EVERYTHING, 0);
  #recent = new Recent();
  #listed = 0;
  #rules = new Map<string, number>();
  #grouped = false;
  #paused = false;
  #groups = new Map<string, Group>();
  #added: Row[] = [];
  #unlisted = 0;
  /** Those that came only as numbers; they are not listed after a change of the filter either. */
  #folded = 0;
  #unknown = 0;
  #waiting = 0;
  #reset = true;
  #dirty = true;
  #total = 0;
  #matching = 0;
  #unnamed = 0;
  #counts = new Map<number, Record<Severity, number>>();
  #second = 0;
  #panels = new Map<PanelId, Panel>(PANELS.map(({ id }) => [id, { count: 0, newest: [] }]));

  /** Takes one alert, which stands for `times`. `live` ones are counted by the second in which they came. */
  push(json: string, now: number, live = true, times = 1): void {
    const alert = parse(json);
    if (!alert) return;
    const fresh = row(alert, `unnamed ${this.#unnamed++}`);
    if (this.#keys.has(fresh.key)) return;
    const kept = { row: fresh, json, times };
    this.#keys.set(fresh.key, kept);
    this.#kept.push(kept);
    this.#bytes += json.length;
    this.#shrink();
    const second = Math.floor((live ? now : fresh.ms) / 1000);
    const panel = this.#tally(fresh, second, now, times);
    if (panel) panel.newest = [fresh, ...panel.newest].slice(0, PANEL_ROWS);
    if (this.#matches(fresh)) this.#show(fresh, times);
  }

  /** Takes what came in numbers: of each kind one alert, of what was more than that only rule and severity. */
  fold({ kinds = [], others = [] }: Folded, now: number): void {
    for (const { alert, count } of kinds) this.push(JSON.stringify(alert), now, true, times(count));
    for (const { rule_id: rule = "", severity: word, count } of others) {
      const number = times(count);
      const all: Row = {
        key: "", ms: now, severity: severity(word), risk: 0, ruleId: rule, rule, reason: "", process: "", pid: 0,
        workload: "", node: "", kind: "",
      };
      this.#tally(all, Math.floor(now / 1000), now, number);
      if (!this.#coarse(all)) continue;
      if (!isOnlyCoarse(this.#filter)) this.#unknown += number;
      else {
        this.#matching += number;
        if (this.#paused) this.#waiting += number;
        else this.#folded += number;
      }
    }
  }

  /** Counts in everything that does not depend on the filter; the panel of the rule, if it has one. */
  #tally(of: Row, second: number, now: number, times: number): Panel | undefined {
    this.#total += times;
    this.#dirty = true;
    if (second > now / 1000 - SECONDS) {
      this.#count(second, of.severity, times);
      this.#recent.add(second, of, times);
    }
    const panel = this.#panels.get(panelOf(of.ruleId) ?? ("" as PanelId));
    if (panel) panel.count += times;
    const last = this.#rules.get(of.ruleId);
    if (last !== undefined || this.#rules.size < RULES_MOST) this.#rules.set(of.ruleId, Math.max(last ?? 0, of.ms));
    return panel;
  }

  #show(fresh: Row, times: number): void {
    this.#matching += times;
    this.#group(fresh, times);
    if (this.#paused) this.#waiting += times;
    else {
      this.#added.push(fresh);
      this.#folded += times - 1;
      if (this.#added.length >= 2 * LISTED_MOST) {
        this.#unlisted += LISTED_MOST;
        this.#added.splice(0, LISTED_MOST);
      }
    }
  }

  #group(fresh: Row, times: number): void {
    const key = [fresh.ruleId, fresh.node, fresh.workload, fresh.process].join("\n");
    const known = this.#groups.get(key);
    this.#groups.delete(key); // the newest stand last, so that the first is the one to forget
    this.#groups.set(key, {
      key,
      count: (known?.count ?? 0) + times,
      first: known?.first ?? fresh.ms,
      newest: fresh,
    });
    if (this.#groups.size > GROUPS_MOST) {
      const oldest = this.#groups.keys().next().value;
      if (oldest !== undefined) this.#groups.delete(oldest);
    }
  }

  #count(second: number, severity: Severity, times: number): void {
    let counts = this.#counts.get(second);
    if (!counts) {
      counts = { critical: 0, high: 0, medium: 0, low: 0, info: 0 };
      this.#counts.set(second, counts);
      if (this.#counts.size > SECONDS) {
        for (const old of this.#counts.keys()) if (old < second - SECONDS) this.#counts.delete(old);
      }
    }
    counts[severity] += times;
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
    const same = JSON.stringify(filter) === JSON.stringify(this.#filter);
    this.#filter = filter;
    this.#grouped = grouped;
    this.#dirty = true;
    // Groups are counted all the time: to show them changes no number.
    if (!same) this.#renew(now);
  }

  #renew(now: number): void {
    this.#listed = now;
    this.#matches = matcher(this.#filter, now);
    const { severities, rule, last, from, to } = this.#filter;
    this.#coarse = matcher({ ...EVERYTHING, severities, rule, last, from, to }, now);
    this.again();
  }

  pause(paused: boolean): void {
    this.#paused = paused;
    if (!paused) this.again(false);
    this.#dirty = true;
  }

  /** Lists anew from what is kept, and unless `recount` is false counts and groups anew. */
  again(recount = true): void {
    const [matching, groups] = [this.#matching, this.#groups];
    this.#groups = new Map();
    this.#added = [];
    this.#unlisted = 0;
    this.#folded = 0;
    this.#unknown = 0;
    this.#waiting = 0;
    this.#matching = 0;
    const paused = this.#paused;
    this.#paused = false;
    for (const kept of this.#kept.slice(this.#first)) if (kept && this.#matches(kept.row)) this.#show(kept.row, kept.times);
    this.#paused = paused;
    // What is no longer kept is counted all the same: if not by the filter, then by everything.
    if (isEverything(this.#filter)) this.#matching = this.#total;
    if (!recount) [this.#matching, this.#groups] = [matching, groups];
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
    const unlisted = this.#folded + (this.#reset ? 0 : this.#unlisted + this.#added.length - added.length);
    if (unlisted && !this.#reset) this.#recent.flooded(second);
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
      unknown: this.#unknown,
      busy: this.#recent.busy(second),
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
    this.#folded = 0;
    this.#unknown = 0;
    this.#reset = false;
    return update;
  }
}

/** A number of alerts that somebody sent: at least one. */
function times(count: unknown): number {
  return typeof count === "number" && count >= 1 ? Math.floor(count) : 1;
}
