const PERIOD_MS = 1_000;

/** Notes for how long this process could do nothing, as where a virtual machine is stopped for a while: then all deadlines are over at once. */
export class StallWatch {
  #longestMs = 0;
  #at = performance.now();
  readonly #timer = setInterval(() => {
    const now = performance.now();
    this.#longestMs = Math.max(this.#longestMs, now - this.#at - PERIOD_MS);
    this.#at = now;
  }, PERIOD_MS);

  /** Since this was last asked. */
  takeLongestMs(): number {
    const longestMs = Math.max(this.#longestMs, performance.now() - this.#at - PERIOD_MS);
    this.#longestMs = 0;
    return longestMs;
  }

  stop(): void {
    clearInterval(this.#timer);
  }
}
