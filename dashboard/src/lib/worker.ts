// The thread that reads the stream, so that the page never waits for it.

import { SIGN_IN } from "./api";
import type { Filter } from "./filter";
import { Feed, type Folded, type Update } from "./feed";

export interface Reach {
  name: string;
  reachable: boolean;
  error?: string | null;
}

export type ToWorker =
  | { type: "open"; base: string }
  | { type: "show"; filter: Filter; grouped: boolean }
  | { type: "pause"; paused: boolean }
  | { type: "json"; key: string };

export type FromWorker =
  | { type: "update"; update: Update }
  | { type: "state"; state: State; error: string }
  | { type: "reach"; detectors: Reach[] }
  | { type: "skipped"; count: number; cause: string }
  | { type: "json"; key: string; json: string | undefined };

/** Of the connection to the server. */
export type State = "connecting" | "live" | "broken";

const scope = self as unknown as DedicatedWorkerGlobalScope;
const feed = new Feed();
const TICK_MS = 100;
const AGAIN_MS = 2000;
const FIRST_PAGE = 500;

const send = (message: FromWorker): void => scope.postMessage(message);

let source: EventSource | undefined;
let last = "";

interface FirstPage {
  alerts?: unknown[];
  position?: string;
  unreachable?: { name: string; error: string }[];
}

async function open(base: string): Promise<void> {
  send({ type: "state", state: "connecting", error: "" });
  try {
    const answer = await fetch(new URL(`api/alerts?limit=${FIRST_PAGE}`, base), { redirect: "manual" });
    if (answer.type === "opaqueredirect") throw new Error(SIGN_IN);
    const body = (await answer.json()) as FirstPage & { error?: string };
    if (!answer.ok) throw new Error(body.error ?? `the server answered ${answer.status}`);
    const alerts = body.alerts ?? [];
    for (const alert of alerts.slice().reverse()) feed.push(JSON.stringify(alert), Date.now(), false);
    feed.again();
    // A detector asked directly names no position: its newest number is one.
    const newest = (alerts[0] as { seq?: number } | undefined)?.seq;
    last ||= body.position ?? (newest === undefined ? "" : String(newest));
    follow(base);
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    send({ type: "state", state: "broken", error: why });
    setTimeout(() => void open(base), AGAIN_MS);
  }
}

function follow(base: string): void {
  const address = new URL("events", base);
  if (last) address.searchParams.set("since", last);
  // While the page is developed it may ask a detector, which tells everything one by one.
  if (!import.meta.env.DEV) address.searchParams.set("fold", "1");
  source = new EventSource(address);
  source.onopen = () => send({ type: "state", state: "live", error: "" });
  const alert = (event: MessageEvent<string>): void => {
    last = event.lastEventId || last;
    feed.push(event.data, Date.now());
  };
  source.onmessage = alert;
  source.addEventListener("alert", alert);
  source.addEventListener("folded", (event: MessageEvent<string>) => {
    last = event.lastEventId || last;
    feed.fold(JSON.parse(event.data) as Folded, Date.now());
  });
  source.addEventListener("detectors", (event: MessageEvent<string>) => {
    const said = JSON.parse(event.data) as { detectors?: Reach[] };
    send({ type: "reach", detectors: said.detectors ?? [] });
  });
  for (const kind of ["skipped", "lost", "lagged", "gap"]) {
    source.addEventListener(kind, (event: MessageEvent<string>) => {
      let said: { count?: number; skipped?: number; missed?: number; cause?: string } = {};
      try {
        said = JSON.parse(event.data) as typeof said;
      } catch {
        // A bare number or word says as much.
      }
      const count = said.count ?? said.skipped ?? said.missed ?? (Number(event.data) || 1);
      send({ type: "skipped", count, cause: said.cause ?? kind });
    });
  }
  source.onerror = () => {
    const closed = source?.readyState === EventSource.CLOSED;
    send({ type: "state", state: closed ? "broken" : "connecting", error: "the server does not answer" });
    // The browser tries again by itself unless it was refused.
    if (!closed) return;
    void why(base).then((error) => error && send({ type: "state", state: "broken", error }));
    setTimeout(() => follow(base), AGAIN_MS);
  };
}

/** Why the stream was refused; the browser does not tell. */
async function why(base: string): Promise<string> {
  try {
    const answer = await fetch(new URL("api/alerts?limit=1", base), { redirect: "manual" });
    if (answer.type === "opaqueredirect") return SIGN_IN;
    if (answer.ok) return "";
    if (answer.status === 401) return "the token is missing or was changed; load the page again";
    const body = (await answer.json()) as { error?: string };
    return body.error ?? `the server answered ${answer.status}`;
  } catch {
    return "";
  }
}

scope.onmessage = ({ data }: MessageEvent<ToWorker>) => {
  switch (data.type) {
    case "open":
      void open(data.base);
      return;
    case "show":
      feed.show(data.filter, data.grouped, Date.now());
      return;
    case "pause":
      feed.pause(data.paused);
      return;
    case "json":
      send({ type: "json", key: data.key, json: feed.json(data.key) });
  }
};

setInterval(() => {
  const update = feed.update(Date.now());
  if (update) send({ type: "update", update });
}, TICK_MS);
