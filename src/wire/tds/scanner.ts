import { i32le, u16le, u32le, u8, ucs2 } from '../../base/bytes.ts';

/**
 * Walks over bytes of which more may come: whoever reads past the end is told zeros, and `isShort` from then on. So what is read must
 * not be believed, and nothing be called a violation, before that has been asked.
 */
export class Scanner {
  #bytes: Uint8Array;
  #at: number;
  #end: number;

  constructor(bytes: Uint8Array, start: number, end: number) {
    this.#bytes = bytes;
    this.#at = start;
    this.#end = end;
  }

  /** Begins anew, with other bytes: one scanner may serve for many tokens. */
  set(bytes: Uint8Array, start: number, end: number): void {
    this.#bytes = bytes;
    this.#at = start;
    this.#end = end;
  }

  get bytes(): Uint8Array {
    return this.#bytes;
  }

  /** The offset of the next byte in `bytes`; beyond the end where it is short. */
  get at(): number {
    return this.#at;
  }

  get isShort(): boolean {
    return this.#at > this.#end;
  }

  /** The next byte, which stays the next. */
  peek(): number {
    return this.#at < this.#end ? u8(this.#bytes, this.#at) : 0;
  }

  u8(): number {
    const at = this.#at;
    this.#at = at + 1;
    return at < this.#end ? u8(this.#bytes, at) : 0;
  }

  u16(): number {
    const at = this.#at;
    this.#at = at + 2;
    return this.#at <= this.#end ? u16le(this.#bytes, at) : 0;
  }

  u32(): number {
    const at = this.#at;
    this.#at = at + 4;
    return this.#at <= this.#end ? u32le(this.#bytes, at) : 0;
  }

  /** Signed. */
  i32(): number {
    const at = this.#at;
    this.#at = at + 4;
    return this.#at <= this.#end ? i32le(this.#bytes, at) : 0;
  }

  skip(count: number): void {
    this.#at += count;
  }

  /** Bytes behind their number in one byte. */
  skipShortBytes(): void {
    this.skip(this.u8());
  }

  /** Text behind its length in one byte. */
  skipShortText(): void {
    this.skip(2 * this.u8());
  }

  /** Text behind its length in two bytes. */
  skipLongText(): void {
    this.skip(2 * this.u16());
  }

  /** Text behind its length in one byte. */
  shortText(): string {
    const bytes = 2 * this.u8();
    const at = this.#at;
    this.#at = at + bytes;
    return this.isShort ? '' : ucs2(this.#bytes, at, at + bytes);
  }
}
