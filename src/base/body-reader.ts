import { Violation } from './assert.ts';
import { i32be, i32le, text, u16be, u16le, u24le, u32be, u32le, u64le, u8 } from './bytes.ts';

/**
 * Walks the body of one message or token, `bytes[start, end)`, and cannot see past it: whatever is missing, unterminated or left
 * over is a `Violation` that names it. What only one protocol has is read by functions beside that protocol's messages.
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

  /** The next byte, left where it is; undefined at the end. */
  get next(): number | undefined {
    return this.remaining === 0 ? undefined : u8(this.#bytes, this.#at);
  }

  u8(): number {
    return u8(this.#bytes, this.#advance(1));
  }

  u16be(): number {
    return u16be(this.#bytes, this.#advance(2));
  }

  u16le(): number {
    return u16le(this.#bytes, this.#advance(2));
  }

  u24le(): number {
    return u24le(this.#bytes, this.#advance(3));
  }

  u32be(): number {
    return u32be(this.#bytes, this.#advance(4));
  }

  u32le(): number {
    return u32le(this.#bytes, this.#advance(4));
  }

  /** Signed. */
  i32be(): number {
    return i32be(this.#bytes, this.#advance(4));
  }

  /** Signed. */
  i32le(): number {
    return i32le(this.#bytes, this.#advance(4));
  }

  u64le(): bigint {
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

  /** The next `count` bytes, as text in UTF-8. */
  takeText(count: number): string {
    const at = this.#advance(count);
    return text(this.#bytes, at, at + count);
  }

  /** All that is left, as text. */
  restText(): string {
    return this.takeText(this.remaining);
  }

  /** A string up to its NUL, as text. */
  cstring(): string {
    const start = this.#at;
    return text(this.#bytes, start, this.skipCstring());
  }

  /** A view of what comes before a NUL, over which it steps: copy it to keep it. */
  bytesToNul(): Uint8Array {
    const start = this.#at;
    return this.#bytes.subarray(start, this.skipCstring());
  }

  /** Steps over a string and its NUL. Returns the offset of the NUL. */
  skipCstring(): number {
    const nul = this.#bytes.indexOf(0, this.#at);
    if (nul < 0 || nul >= this.#end) throw this.violation('a string does not end');
    this.#at = nul + 1;
    return nul;
  }

  /** Reads up to a NUL, or to the end where there is none: some clients leave the last NUL out. */
  cstringOrRest(): string {
    const nul = this.#bytes.indexOf(0, this.#at);
    return nul < 0 || nul >= this.#end ? this.restText() : this.cstring();
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
