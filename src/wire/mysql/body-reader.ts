import { Violation } from '../../base/assert.ts';
import { text, u16le, u24le, u32le, u64le, u8 } from '../../base/bytes.ts';
import { lenenc } from './values.ts';

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

  u16(): number {
    return u16le(this.#bytes, this.#advance(2));
  }

  u24(): number {
    return u24le(this.#bytes, this.#advance(3));
  }

  u32(): number {
    return u32le(this.#bytes, this.#advance(4));
  }

  u64(): bigint {
    return u64le(this.#bytes, this.#advance(8));
  }

  /** A length-encoded integer that counts something: beyond what a number can hold it is a violation. */
  lenenc(): number {
    const first = this.u8();
    if (first < lenenc.null) return first;
    if (first === lenenc.two) return this.u16();
    if (first === lenenc.three) return this.u24();
    if (first !== lenenc.eight) throw this.violation('a length-encoded number that is none');
    const value = this.u64();
    if (value > Number.MAX_SAFE_INTEGER) throw this.violation('a number beyond all measure');
    return Number(value);
  }

  /** A length-encoded integer of 64 bits. */
  lenencBig(): bigint {
    if (this.remaining === 0 || u8(this.#bytes, this.#at) !== lenenc.eight) {
      return BigInt(this.lenenc());
    }
    this.skip(1);
    return this.u64();
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

  /** All that is left, as text. */
  restText(): string {
    return this.takeText(this.remaining);
  }

  /** A length-encoded string, as text. */
  lenencText(): string {
    return this.takeText(this.lenenc());
  }

  /** A length-encoded string, as text, or the byte that stands for NULL. */
  nullableText(): string | null {
    return this.#skipsNull() ? null : this.lenencText();
  }

  /** A view of a length-encoded string, or the byte that stands for NULL: copy it to keep it. */
  nullableBytes(): Uint8Array | null {
    return this.#skipsNull() ? null : this.lenencBytes();
  }

  /** A view of a length-encoded string: copy it to keep it. */
  lenencBytes(): Uint8Array {
    return this.take(this.lenenc());
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

  #skipsNull(): boolean {
    if (this.remaining === 0 || u8(this.#bytes, this.#at) !== lenenc.null) return false;
    this.#at += 1;
    return true;
  }

  #advance(count: number): number {
    const at = this.#at;
    if (count > this.#end - at) throw this.violation('shorter than it says');
    this.#at = at + count;
    return at;
  }
}
