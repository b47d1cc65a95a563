import { EMPTY, u8 } from '../../../base/bytes.ts';
import { BACKSLASH, UNDERSCORE } from './sql-bytes.ts';
import type { Verdict } from './sql-comments.ts';

export const MAX_STRING_BYTES = 4_096;

const PERCENT = 0x25;
/** What a letter behind a backslash stands for; any other for itself. */
const escapes = new Map(
  [
    ['0', '\0'],
    ['b', '\b'],
    ['n', '\n'],
    ['r', '\r'],
    ['t', '\t'],
    ['Z', '\x1a'],
  ].map(([letter = '', meant = '']) => [letter.charCodeAt(0), meant.charCodeAt(0)]),
);

/** What is inside of a string's quotes. */
export class SqlStrings {
  readonly #hasEscapes: boolean;
  #state: 'inside' | 'escaped' | 'quote' = 'inside';
  #quote = 0;
  #said = EMPTY;
  #bytes = 0;

  constructor(hasEscapes: boolean) {
    this.#hasEscapes = hasEscapes;
  }

  /** What the string says, escapes undone, as far as `MAX_STRING_BYTES`. */
  get said(): Uint8Array {
    return this.#said.slice(0, this.#bytes);
  }

  get isCut(): boolean {
    return this.#bytes > MAX_STRING_BYTES;
  }

  begin(quote: number): void {
    this.#quote = quote;
    this.#bytes = 0;
    this.#state = 'inside';
  }

  step(byte: number): Verdict {
    if (this.#state === 'escaped') {
      // These keep their backslash, as patterns want it.
      if (byte === PERCENT || byte === UNDERSCORE) this.#say(BACKSLASH);
      this.#say(escapes.get(byte) ?? byte);
      this.#state = 'inside';
    } else if (byte === this.#quote) {
      // The end, or the first of two that stand for one.
      if (this.#state === 'quote') this.#say(byte);
      this.#state = this.#state === 'quote' ? 'inside' : 'quote';
    } else if (this.#state === 'quote') return 'again';
    else if (byte === BACKSLASH && this.#hasEscapes) this.#state = 'escaped';
    else this.#say(byte);
    return 'more';
  }

  /** Takes what is neither a quote nor a backslash, as far as there is nothing else, and tells where it ends. */
  skip(bytes: Uint8Array, start: number, end: number): number {
    if (this.#state !== 'inside') return start;
    const quote = this.#quote;
    let at = start;
    while (at < end && u8(bytes, at) !== quote && u8(bytes, at) !== BACKSLASH) at += 1;
    for (let next = start; next < at && this.#bytes <= MAX_STRING_BYTES; next += 1)
      this.#say(u8(bytes, next));
    return at;
  }

  #say(byte: number): void {
    this.#bytes += 1;
    if (this.#bytes > MAX_STRING_BYTES) return;
    if (this.#said.length === 0) this.#said = new Uint8Array(MAX_STRING_BYTES);
    this.#said[this.#bytes - 1] = byte;
  }
}
