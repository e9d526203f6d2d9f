// What came most within the last seconds: what there is to say of alerts that are too many to be listed.

import type { Row, Severity } from "./alert";

/** Whole seconds that are summed up, and for how many more it is said that there was too much. */
export const RECENT = 10;
/** Rules of a second; more are counted as one without a name. */
const RULES_MOST = 500;
/** Rules that are told. */
const TOLD_MOST = 5;

/** What came most. */
export interface Busy {
  /** Alerts a second. */
  rate: number;
  /** The rules with most alerts a second, the one with most first. */
  rules: { rule: string; severity: Severity; rate: number }[];
}

interface Counted {
  rule: string;
  severity: Severity;
  count: number;
}

/** Alerts of the last seconds by rule. */
export class Recent {
  #seconds = new Map<number, Map<string, Counted>>();
  #flooded = -Infinity;
  #asked = -Infinity;
  #busy: Busy | undefined;

  add(second: number, { rule, ruleId, severity }: Row, times: number): void {
    let rules = this.#seconds.get(second);
    if (!rules) {
      rules = new Map();
      this.#seconds.set(second, rules);
      for (const old of this.#seconds.keys()) if (old < second - RECENT) this.#seconds.delete(old);
    }
    const name = rules.has(ruleId) || rules.size < RULES_MOST ? ruleId : "";
    const known = rules.get(name);
    if (known) known.count += times;
    else rules.set(name, { rule: name && rule, severity, count: times });
  }

  /** Not all alerts of this second were listed. */
  flooded(second: number): void {
    this.#flooded = second;
  }

  /** What came most in the seconds before this one; none while everything is listed. */
  busy(second: number): Busy | undefined {
    if (second - this.#flooded > RECENT) return undefined;
    if (second !== this.#asked) {
      this.#asked = second;
      this.#busy = this.#sum(second);
    }
    return this.#busy;
  }

  #sum(second: number): Busy {
    const sums = new Map<string, Counted>();
    let [all, seconds] = [0, 0];
    for (let at = second - RECENT; at < second; at += 1) {
      // A flood that has just begun is not spread over the time before it.
      if (this.#seconds.has(at) || seconds) seconds += 1;
      for (const [name, counted] of this.#seconds.get(at) ?? []) {
        all += counted.count;
        sums.set(name, { ...counted, count: counted.count + (sums.get(name)?.count ?? 0) });
      }
    }
    const most = [...sums.values()].filter(({ rule }) => rule).sort((one, two) => two.count - one.count);
    const rate = (count: number): number => Math.round(count / Math.max(1, seconds));
    const rules = most.slice(0, TOLD_MOST).map(({ rule, severity, count }) => ({ rule, severity, rate: rate(count) }));
    return { rate: rate(all), rules };
  }
}
