import { EMPTY, u8, ucs2 } from '../../base/bytes.ts';
import type { Effects } from './sql/effects.ts';
import { LongJudge } from './sql/judge.ts';

/** Of a character of UTF-16. */
const UNIT_BYTES = 2;

/** A batch that is too long to be put together: what it does is told when all of it has passed. */
export class LongBatch {
  readonly #judge = new LongJudge();
  /** Half a character, whose other half is in the next packet. */
  #half: Uint8Array = EMPTY;

  #effects: Effects | undefined;

  /** What follows of its text. All of it can be passed on. */
  add(bytes: Uint8Array): Uint8Array {
    const end = bytes.length;
    if (end === 0) return bytes;
    let from = 0;
    if (this.#half.length > 0) {
      const whole = Uint8Array.of(u8(this.#half, 0), u8(bytes, 0));
      this.#judge.add(ucs2(whole, 0, UNIT_BYTES));
      this.#half = EMPTY;
      from += 1;
    }
    const to = end - ((end - from) % UNIT_BYTES);
    if (to > from) this.#judge.add(ucs2(bytes, from, to));
    if (to < end) this.#half = bytes.slice(to, end);
    return bytes;
  }

  /** There is no more of it. */
  end(): Uint8Array {
    this.#effects = this.#judge.end();
    return EMPTY;
  }

  get effects(): Effects | undefined {
    return this.#effects;
  }
}
