import type { Principal } from './engine.ts';
import type { Fault } from './fault.ts';
import { FaultError } from './fault.ts';
import type { Pool } from './pool.ts';

/** One database that an endpoint leads to. */
export interface Target<Memory, Who extends Principal> {
  readonly pool: Pool<Memory, Who>;
  /** It was there when it was looked at last. */
  readonly isUp: boolean;
  /** Resolves when it has been seen; rejects with a `FaultError`. */
  met(): Promise<void>;
}

/**
 * The databases that the sessions of an endpoint are spread over: one, or the readers of a cluster. A session stays with the one
 * that it was given, so that what it reads does not jump back in time, and goes to another one only where that is down or gone.
 */
export class Targets<Memory, Who extends Principal> {
  #all: readonly Target<Memory, Who>[];
  readonly #nobody: Fault;

  /** @param nobody what a client is told where there is none */
  constructor(all: readonly Target<Memory, Who>[], nobody: string) {
    this.#all = all;
    this.#nobody = { name: 'databaseRefused', refusal: 'final', detail: nobody };
  }

  /** From here on they are these. Sessions of others move on when they are asked next. */
  replace(all: readonly Target<Memory, Who>[]): void {
    this.#all = all;
  }

  /**
   * Where a new session goes: to the target with the fewest sessions for each connection that it may have, of those that are up; where
   * none is, to any, to wait there. Throws a `FaultError` where there is none.
   */
  choose(): Pool<Memory, Who> {
    const pool = leastLoaded(this.#all, true) ?? leastLoaded(this.#all, false);
    if (pool === undefined) throw new FaultError(this.#nobody);
    return pool;
  }

  /** Where a session goes on that shares this pool: there, if nothing speaks against it or for another one. Throws as `choose`. */
  after(pool: Pool<Memory, Who>): Pool<Memory, Who> {
    const own = this.#all.find((target) => target.pool === pool);
    if (own?.isUp === true) return pool;
    const next = this.choose();
    const isBetter = own === undefined || this.#all.some((one) => one.pool === next && one.isUp);
    return isBetter ? next : pool;
  }

  /** Resolves when one of them has been seen; rejects with a `FaultError`. */
  async met(): Promise<void> {
    if (this.#all.length === 0) throw new FaultError(this.#nobody);
    try {
      await Promise.any(this.#all.map((target) => target.met()));
    } catch (error) {
      throw error instanceof AggregateError ? error.errors[0] : error;
    }
  }
}

/** The first of them where several have the same load; each sign-in asks. */
function leastLoaded<Memory, Who extends Principal>(
  targets: readonly Target<Memory, Who>[],
  mustBeUp: boolean,
): Pool<Memory, Who> | undefined {
  let best: Pool<Memory, Who> | undefined;
  for (const { pool, isUp } of targets)
    if ((isUp || !mustBeUp) && (best === undefined || pool.load < best.load)) best = pool;
  return best;
}
