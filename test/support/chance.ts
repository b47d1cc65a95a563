/** mulberry32: a small generator whose seed says all that it will ever say. */
export class Chance {
  readonly seed: number;
  #state: number;

  constructor(seed: number) {
    this.seed = seed;
    this.#state = seed;
  }

  /** From 0 to below 1. */
  fraction(): number {
    this.#state = (this.#state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(this.#state ^ (this.#state >>> 15), 1 | this.#state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  }

  /** A whole number from 0 to below the limit. */
  below(limit: number): number {
    return Math.floor(this.fraction() * limit);
  }

  /** A whole number in between, both ends included. */
  between(least: number, most: number): number {
    return least + this.below(most - least + 1);
  }

  /** True in so many of a hundred cases. */
  percent(percent: number): boolean {
    return this.fraction() * 100 < percent;
  }

  pick<T>(from: readonly [T, ...T[]]): T {
    return from[this.below(from.length)] ?? from[0];
  }

  /** One of the list's entries; undefined where it has none. */
  any<T>(from: readonly T[]): T | undefined {
    return from[this.below(from.length)];
  }

  /** One of the entries, each as often as its weight says; at least one weighs something. */
  weighted<T>(entries: readonly (readonly [weight: number, entry: T])[]): T {
    let left = this.fraction() * entries.reduce((sum, [weight]) => sum + weight, 0);
    for (const [weight, entry] of entries) {
      left -= weight;
      if (left < 0) return entry;
    }
    throw new Error('nothing to choose from');
  }

  /** Another generator, whose numbers do not depend on how many were taken from this one. */
  fork(branch: number): Chance {
    const mixed = new Chance(Math.imul(this.seed ^ 0x9e3779b9, 2 * branch + 1) ^ branch);
    return new Chance(mixed.below(2 ** 31));
  }
}
