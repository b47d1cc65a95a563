import { assert } from '../base/assert.ts';

/** How many database connections one proxy may have to one target, and how many it has: opening, open and closing ones. */
export class Budget {
  #limit: number;
  #used = 0;

  constructor(limit: number) {
    this.#limit = limit;
  }

  get limit(): number {
    return this.#limit;
  }

  get used(): number {
    return this.#used;
  }

  get free(): number {
    return Math.max(0, this.#limit - this.#used);
  }

  /** How many connections are open beyond a limit that was lowered. */
  get excess(): number {
    return Math.max(0, this.#used - this.#limit);
  }

  resize(limit: number): void {
    assert(limit >= 1, 'a budget allows at least one connection');
    this.#limit = limit;
  }

  /** Takes one place; false where all are taken. */
  take(): boolean {
    if (this.#used >= this.#limit) return false;
    this.#used += 1;
    return true;
  }

  giveBack(): void {
    assert(this.#used > 0, 'a place was given back twice');
    this.#used -= 1;
  }
}

/**
 * RDS's MaxConnectionsPercent of what the database grants to ordinary users, at least one.
 * Source: "1000 × 95 % = 950"; reserved connections are taken off first.
 */
export function allowedConnections(granted: number, percent: number): number {
  return Math.max(1, Math.floor((granted * percent) / 100));
}

/** Which of several processes that serve the same proxies this is. */
export interface Share {
  /** From 0. */
  readonly index: number;
  readonly count: number;
}

export const WHOLE: Share = { index: 0, count: 1 };

/** This process's part of `total`: all parts add up to it, unless it is less than one for each. */
export function shareOf(total: number, { index, count }: Share): number {
  return Math.max(1, Math.floor(total / count) + (index < total % count ? 1 : 0));
}
