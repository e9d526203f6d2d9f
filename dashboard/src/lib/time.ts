// Times for people: local or UTC, always with the seconds that matter.

const two = (number: number): string => String(number).padStart(2, "0");

function parts(ms: number, utc: boolean): [number, number, number, number, number, number, number] {
  const at = new Date(ms);
  return utc
    ? [at.getUTCFullYear(), at.getUTCMonth(), at.getUTCDate(), at.getUTCHours(), at.getUTCMinutes(), at.getUTCSeconds(), at.getUTCMilliseconds()]
    : [at.getFullYear(), at.getMonth(), at.getDate(), at.getHours(), at.getMinutes(), at.getSeconds(), at.getMilliseconds()];
}

/** `14:03:07` today, `21 Nov 14:03:07` on other days. */
export function clock(ms: number, utc: boolean, now = Date.now()): string {
  if (!ms) return "–";
  const [year, month, day, hour, minute, second] = parts(ms, utc);
  const [thisYear, thisMonth, today] = parts(now, utc);
  const time = `${two(hour)}:${two(minute)}:${two(second)}`;
  if (year === thisYear && month === thisMonth && day === today) return time;
  return `${day} ${MONTHS[month] ?? ""}${year === thisYear ? "" : ` ${year}`} ${time}`;
}

const MONTHS = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];

/** For an axis: `14:00`, and `21 Nov` where a day begins or `step` is a day or more. */
export function tick(ms: number, step: number, utc: boolean): string {
  const [, month, day, hour, minute, second] = parts(ms, utc);
  if (step >= 86_400_000 || (hour === 0 && minute === 0)) return `${day} ${MONTHS[month] ?? ""}`;
  return step < 60_000 ? `${two(hour)}:${two(minute)}:${two(second)}` : `${two(hour)}:${two(minute)}`;
}

/** Everything: `2026-11-22 14:03:07.123 UTC`. */
export function full(ms: number, utc: boolean): string {
  if (!ms) return "unknown";
  const [year, month, day, hour, minute, second, milli] = parts(ms, utc);
  const zone = utc ? "UTC" : "local time";
  return `${year}-${two(month + 1)}-${two(day)} ${two(hour)}:${two(minute)}:${two(second)}.${String(milli).padStart(3, "0")} ${zone}`;
}

/** `7 s`, `3 min`, `2 h`, `5 d`. */
export function span(ms: number): string {
  const seconds = Math.max(0, Math.round(ms / 1000));
  if (seconds < 120) return `${seconds} s`;
  if (seconds < 7200) return `${Math.round(seconds / 60)} min`;
  if (seconds < 172_800) return `${Math.round(seconds / 3600)} h`;
  return `${Math.round(seconds / 86_400)} d`;
}

/** For `<input type="datetime-local">`. */
export function toInput(ms: number, utc: boolean): string {
  const [year, month, day, hour, minute] = parts(ms, utc);
  return `${year}-${two(month + 1)}-${two(day)}T${two(hour)}:${two(minute)}`;
}

/** Back from it; NaN when it says no time. */
export function fromInput(text: string, utc: boolean): number {
  return Date.parse(utc ? `${text}Z` : text);
}

/** `950`, `12.3 k`, `4 M`. */
export function count(number: number): string {
  if (number < 10_000) return Number.isInteger(number) ? String(number) : number.toFixed(number < 10 ? 1 : 0);
  if (number < 1e6) return `${+(number / 1e3).toFixed(1)} k`;
  if (number < 1e9) return `${+(number / 1e6).toFixed(1)} M`;
  return `${+(number / 1e9).toFixed(1)} G`;
}

/** Bytes a second: `3.4 kB/s`. */
export function rate(bytes: number): string {
  let unit = 0;
  for (; bytes >= 1000 && unit < 3; unit += 1) bytes /= 1000;
  return `${unit && bytes < 10 ? bytes.toFixed(1) : Math.round(bytes)} ${["B", "kB", "MB", "GB"][unit] ?? ""}/s`;
}
