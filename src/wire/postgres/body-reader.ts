import { Violation } from '../../base/assert.ts';
import { i32be, text, u16be, u32be, u8 } from '../../base/bytes.ts';

/**
 * Walks the body of one message, `bytes[start, end)`, and cannot see past it: whatever is missing, unterminated or left
 * over is a `Violation` that names the message.
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

  /** Unsigned, 16 bits. */
  u16(): number {
    return u16be(this.#bytes, this.#advance(2));
  }

  /** Signed, 32 bits. */
  i32(): number {
    return i32be(this.#bytes, this.#advance(4));
  }

  /** Unsigned, 32 bits. */
  u32(): number {
    return u32be(this.#bytes, this.#advance(4));
  }

  /** A view of the next `count` bytes: copy it to keep it. */
  take(count: number): Uint8Array {
    const at = this.#advance(count);
    return this.#bytes.subarray(at, at + count);
  }

  skip(count: number): void {
    this.#advance(count);
  }

  takeText(count: number): string {
    const at = this.#advance(count);
    return text(this.#bytes, at, at + count);
  }

  /** A string up to its NUL, as text. */
  cstring(): string {
    const start = this.#at;
    return text(this.#bytes, start, this.skipCstring());
  }

  /** Steps over a string and its NUL. Returns the offset of the NUL. */
  skipCstring(): number {
    const nul = this.#bytes.indexOf(0, this.#at);
    if (nul < 0 || nul >= this.#end) throw this.violation('a string does not end');
    this.#at = nul + 1;
    return nul;
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
    if (count < 0 || count > this.#end - at) throw this.violation('shorter than it says');
    this.#at = at + count;
    return at;
  }
}
