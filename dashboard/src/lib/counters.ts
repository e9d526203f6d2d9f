// Counters of a node, named as on its metrics page: `name{label="value",…}`.

export interface Loss {
  stage: string;
  cause: string;
  kind: string;
  count: number;
}

type Counters = Record<string, number>;

/** Name and labels of a series. */
export function series(text: string): { name: string; labels: Record<string, string> } {
  const [name = "", rest = ""] = text.split("{", 2);
  const labels: Record<string, string> = {};
  for (const [, label = "", value = ""] of rest.matchAll(/([a-z_]+)="((?:[^"\\]|\\.)*)"/g)) labels[label] = value;
  return { name, labels };
}

/** The sum over all labels of a counter. */
export function sum(counters: Counters, name: string): number {
  return Object.entries(counters).reduce((all, [text, value]) => (series(text).name === name ? all + value : all), 0);
}

/** What a node lost, by cause, the most first. */
export function losses(counters: Counters): Loss[] {
  const all: Loss[] = [];
  for (const [text, count] of Object.entries(counters)) {
    const { name, labels } = series(text);
    if (!/_lost_total$/.test(name) || count <= 0) continue;
    all.push({ stage: labels["stage"] ?? name, cause: labels["cause"] ?? "", kind: labels["kind"] ?? "", count });
  }
  return all.sort((a, b) => b.count - a.count);
}

/** Losses that grew since an earlier look. */
export function growth(before: Counters, now: Counters): Loss[] {
  const key = (loss: Loss): string => `${loss.stage}\n${loss.cause}\n${loss.kind}`;
  const old = new Map(losses(before).map((loss) => [key(loss), loss.count]));
  return losses(now)
    .map((loss) => ({ ...loss, count: loss.count - (old.get(key(loss)) ?? 0) }))
    .filter((loss) => loss.count > 0);
}
