// An answer of the server that is asked for again and again.

/** Alerts come in groups. */
const MOMENT_MS = 150;
/** Least time from one question to the next. */
const REST_MS = 500;

export class Poll<T> {
  value = $state.raw<T | undefined>(undefined);
  error = $state("");
  /** When `value` came; 0: never. */
  at = $state(0);
  #ask: (signal: AbortSignal) => Promise<T>;
  #running: AbortController | undefined;
  #began = 0;
  #took = 0;
  #soon: ReturnType<typeof setTimeout> | undefined;

  constructor(ask: (signal: AbortSignal) => Promise<T>) {
    this.#ask = ask;
  }

  /** Asks now; an answer that is still under way is not waited for. */
  async again(): Promise<void> {
    this.#running?.abort();
    const running = new AbortController();
    this.#running = running;
    this.#began = Date.now();
    try {
      const value = await this.#ask(running.signal);
      if (running.signal.aborted) return;
      this.value = value;
      this.error = "";
      this.at = Date.now();
    } catch (error) {
      if (!running.signal.aborted) this.error = error instanceof Error ? error.message : String(error);
    } finally {
      if (this.#running === running) {
        this.#running = undefined;
        this.#took = Date.now() - this.#began;
      }
    }
  }

  /** Asks in a moment, since something came: rarer the longer answers take, so that asking is a tenth of the time. */
  soon(): void {
    if (this.#soon !== undefined || document.hidden) return;
    const wait = Math.max(MOMENT_MS, this.#began + Math.max(REST_MS, 10 * this.#took) - Date.now());
    this.#soon = setTimeout(() => {
      this.#soon = undefined;
      if (this.#running) this.soon();
      else void this.again();
    }, wait);
  }

  /** Asks every `ms`, except while nobody looks; returns how to end it. */
  every(ms: number): () => void {
    void this.again();
    const timer = setInterval(() => {
      if (!document.hidden) void this.again();
    }, ms);
    return () => {
      clearInterval(timer);
      clearTimeout(this.#soon);
      this.#soon = undefined;
      this.#running?.abort();
    };
  }
}
