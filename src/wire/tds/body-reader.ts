import { Violation } from '../../base/assert.ts';
import { i32le, u16be, u16le, u32be, u32le, u64le, u8, ucs2 } from '../../base/bytes.ts';

/**
 * Walks the body of one message or token, `bytes[start, end)`, and cannot see past it: whatever is missing or left over is a
 * `Violation` that names it.
 */
export class BodyReader {
  readonly #what: string;
  readonly #bytes: Uint8Array;
  readonly #end: number;
  #at: number;

  constructor(what: string, bytes: Uint8Array, start = 0, end = bytes.length) {
    this.#what = what;
    this.#bytes = bytes;
    this.#at = start;
    this.#end = end;
  }

  /** The offset of the next byte in `bytes`. */
  get at(): number {
    return this.#at;
  }

  get remaining(): number {
    return this.#end - this.#at;
  }

  u8(): number {
    return u8(this.#bytes, this.#advance(1));
  }

  u16(): number {
    return u16le(this.#bytes, this.#advance(2));
  }

  u16be(): number {
    return u16be(this.#bytes, this.#advance(2));
  }

  u32(): number {
    return u32le(this.#bytes, this.#advance(4));
  }

  u32be(): number {
    return u32be(this.#bytes, this.#advance(4));
  }

  /** Signed. */
  i32(): number {
    return i32le(this.#bytes, this.#advance(4));
  }

  u64(): bigint {
    return u64le(this.#bytes, this.#advance(8));
  }

  /** A view of the next `count` bytes: copy it to keep it. */
  take(count: number): Uint8Array {
    const at = this.#advance(count);
    return this.#bytes.subarray(at, at + count);
  }

  skip(count: number): void {
    this.#advance(count);
  }

  /** A view of bytes behind their number in one byte, a B_VARBYTE: copy it to keep it. */
  shortBytes(): Uint8Array {
    return this.take(this.u8());
  }

  /** Text of `count` UTF-16 units. */
  takeText(count: number): string {
    const at = this.#advance(2 * count);
    return ucs2(this.#bytes, at, at + 2 * count);
  }

  /** All that is left, as text. */
  restText(): string {
    return this.takeText(this.remaining >> 1);
  }

  /** Text behind its length in one byte, a B_VARCHAR. */
  shortText(): string {
    return this.takeText(this.u8());
  }

  /** Text behind its length in two bytes, a US_VARCHAR. */
  longText(): string {
    return this.takeText(this.u16());
  }

  /** Nothing may be left. */
  end(): void {
    if (this.remaining !== 0) throw this.violation(`${this.remaining} bytes too many`);
  }

  violation(problem: string): Violation {
    return new Violation(`${this.#what}: ${problem}`);
  }

  #advance(count: number): number {
    const at = this.#at;
    if (count > this.#end - at) throw this.violation('shorter than it says');
    this.#at = at + count;
    return at;
  }
}
