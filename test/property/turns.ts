import type { Chance } from '../support/chance.ts';

/** Who has not finished a step by then waits for a connection that another one has: the others go on. */
const PATIENCE_MS = 25;

/** Lets sessions do their steps one after the other, in the order of a seed. */
export class Turns {
  readonly #chance: Chance;
  readonly #ready = new Map<number, () => void>();
  /** Who was last given a turn, and has not asked for the next one. */
  #busy: number | undefined;
  #patience: Timer | undefined;

  constructor(chance: Chance) {
    this.#chance = chance;
  }

  /** Resolves when it is this session's turn; its last one is over. */
  async next(session: number): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#ready.set(session, resolve);
    this.#rest(session);
    await promise;
  }

  /** The session takes no more turns. */
  over(session: number): void {
    this.#ready.get(session)?.();
    this.#ready.delete(session);
    this.#rest(session);
  }

  #rest(session: number): void {
    if (this.#busy === session) this.#busy = undefined;
    if (this.#busy === undefined) this.#choose();
  }

  #choose(): void {
    clearTimeout(this.#patience);
    const ready = [...this.#ready].sort(([a], [b]) => a - b);
    const chosen = this.#chance.any(ready);
    this.#busy = chosen?.[0];
    if (chosen === undefined) return;
    const [session, begin] = chosen;
    this.#ready.delete(session);
    this.#patience = setTimeout(() => this.#choose(), PATIENCE_MS);
    begin();
  }
}
