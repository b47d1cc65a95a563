/** Who goes in and who closes it: nobody signs in while passwords change. */
export class Gate {
  #inside = 0;
  #closed: PromiseWithResolvers<void> | undefined;
  #empty: PromiseWithResolvers<void> | undefined;

  async through<T>(work: () => Promise<T>): Promise<T> {
    while (this.#closed !== undefined) await this.#closed.promise;
    this.#inside += 1;
    try {
      return await work();
    } finally {
      this.#inside -= 1;
      if (this.#inside === 0) this.#empty?.resolve();
    }
  }

  /** Waits until nobody is inside, and lets nobody in until the work is done. */
  async closed(work: () => Promise<void>): Promise<void> {
    this.#closed = Promise.withResolvers();
    this.#empty = Promise.withResolvers();
    if (this.#inside > 0) await this.#empty.promise;
    try {
      await work();
    } finally {
      const { resolve } = this.#closed;
      this.#closed = undefined;
      this.#empty = undefined;
      resolve();
    }
  }
}
