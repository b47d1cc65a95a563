import { EMPTY } from './bytes.ts';

/** A message that arrives in pieces and must be looked at as a whole. Owns nothing while there is none. */
export class Assembly {
  #buffer: Uint8Array = EMPTY;
  #length = 0;

  get length(): number {
    return this.#length;
  }

  /** What has been kept, and this behind it. */
  join(bytes: Uint8Array): Uint8Array {
    if (this.#length === 0) return bytes;
    this.#append(bytes);
    return this.#buffer.subarray(0, this.#length);
  }

  /** `joined`, which came from `join`, is kept from `at` on. Its bytes up to there belong to whoever has taken them. */
  keep(joined: Uint8Array, at: number): void {
    const isOurs = this.#length > 0;
    this.#length = joined.length - at;
    if (!isOurs || at > 0) this.#buffer = joined.slice(at);
  }

  drop(): void {
    this.#buffer = EMPTY;
    this.#length = 0;
  }

  #append(bytes: Uint8Array): void {
    const needed = this.#length + bytes.length;
    if (needed > this.#buffer.length) {
      const bigger = new Uint8Array(Math.max(needed, this.#buffer.length * 2));
      bigger.set(this.#buffer.subarray(0, this.#length));
      this.#buffer = bigger;
    }
    this.#buffer.set(bytes, this.#length);
    this.#length = needed;
  }
}
