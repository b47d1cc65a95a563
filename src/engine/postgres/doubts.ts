import type { Assumption, Ledger } from './ledger.ts';

/** An assumption that hears of both outcomes. */
export interface Change extends Assumption {
  hold(): void;
}

interface Doubt {
  /** How many ends of requests had been sent before. */
  readonly ends: number;
  count: number;
}

/**
 * What has been taken for done and not been answered: names of the client's, and statements on the connection. Within its
 * request that harms nobody, as what fails takes all that follows with it. The next request must not build upon it.
 */
export class Doubts {
  readonly #ledger: Ledger;
  readonly #doubts = new Map<unknown, Doubt>();

  constructor(ledger: Ledger) {
    this.#ledger = ledger;
  }

  get areNone(): boolean {
    return this.#doubts.size === 0;
  }

  /** An earlier request has changed this, if it succeeds. */
  has(key: unknown): boolean {
    const doubt = this.#doubts.get(key);
    return doubt !== undefined && doubt.ends < this.#ledger.ends && this.#ledger.hasAnyEnd;
  }

  /** What is assumed of these, which are in doubt until it is answered. */
  until({ hold, undo, ...rest }: Assumption, ...keys: readonly unknown[]): Change {
    for (const key of keys) this.#begin(key);
    const end = (): void => {
      for (const key of keys) this.#end(key);
    };
    return {
      ...rest,
      hold() {
        end();
        hold?.();
      },
      undo(failed) {
        end();
        undo(failed);
      },
    };
  }

  /** Nothing is owed any more. */
  clear(): void {
    if (this.#doubts.size > 0) this.#doubts.clear();
  }

  #begin(key: unknown): void {
    const doubt = this.#doubts.get(key);
    if (doubt === undefined) this.#doubts.set(key, { ends: this.#ledger.ends, count: 1 });
    else doubt.count += 1;
  }

  #end(key: unknown): void {
    const doubt = this.#doubts.get(key);
    if (doubt === undefined) return;
    doubt.count -= 1;
    if (doubt.count === 0) this.#doubts.delete(key);
  }
}
