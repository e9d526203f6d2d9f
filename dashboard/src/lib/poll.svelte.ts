// An answer of the server that is asked for again and again.

export class Poll<T> {
  value = $state.raw<T | undefined>(undefined);
  error = $state("");
  /** When `value` came; 0: never. */
  at = $state(0);
  #ask: (signal: AbortSignal) => Promise<T>;
  #running: AbortController | undefined;

  constructor(ask: (signal: AbortSignal) => Promise<T>) {
    this.#ask = ask;
  }

  /** Asks now; an answer that is still under way is not waited for. */
  async again(): Promise<void> {
    this.#running?.abort();
    const running = new AbortController();
    this.#running = running;
    try {
      const value = await this.#ask(running.signal);
      if (running.signal.aborted) return;
      this.value = value;
      this.error = "";
      this.at = Date.now();
    } catch (error) {
      if (!running.signal.aborted) this.error = error instanceof Error ? error.message : String(error);
    }
  }

  /** Asks every `ms`, except while nobody looks; returns how to end it. */
  every(ms: number): () => void {
    void this.again();
    const timer = setInterval(() => {
      if (!document.hidden) void this.again();
    }, ms);
    return () => {
      clearInterval(timer);
      this.#running?.abort();
    };
  }
}
