import { u8 } from '../../../base/bytes.ts';
import type { DialectCharset } from './dialect.ts';

// What bytes are to the lexer, and to the filter before it.

export const NEWLINE = 0x0a;
export const SPACE = 0x20;
export const BANG = 0x21;
export const DOUBLE_QUOTE = 0x22;
export const HASH = 0x23;
export const DOLLAR = 0x24;
export const QUOTE = 0x27;
export const OPEN = 0x28;
export const STAR = 0x2a;
export const PLUS = 0x2b;
export const DASH = 0x2d;
export const DOT = 0x2e;
export const SLASH = 0x2f;
export const COLON = 0x3a;
export const SEMICOLON = 0x3b;
export const AT = 0x40;
export const BACKSLASH = 0x5c;
export const UNDERSCORE = 0x5f;
export const BACKQUOTE = 0x60;
/** From here on bytes are not ASCII. */
export const HIGH = 0x80;
/** Makes letters lower case. */
export const LOWER = 0x20;
const DELETE = 0x7f;

const is = { mark: 0, space: 1, letter: 2, digit: 3 } as const;

/** The kinds of bytes outside of quotes and comments, under a character set of the client. */
export class ByteKinds {
  readonly #kinds = new Uint8Array(256);

  constructor(charset: DialectCharset) {
    for (const byte of ' \t\n\v\f\r') this.#kinds[byte.charCodeAt(0)] = is.space;
    for (let byte = 0x30; byte <= 0x39; byte += 1) this.#kinds[byte] = is.digit;
    for (let byte = 0x41; byte <= 0x5a; byte += 1)
      this.#kinds[byte] = this.#kinds[byte | LOWER] = is.letter;
    // Of latin1, some are no letters; then the server knows no such token either.
    for (let byte = HIGH; byte <= 0xff; byte += 1) this.#kinds[byte] = is.letter;
    if (charset === 'latin1') this.#kinds[0xa0] = is.space;
    this.#kinds[DOLLAR] = this.#kinds[UNDERSCORE] = is.letter;
  }

  isSpace(byte: number): boolean {
    return u8(this.#kinds, byte) === is.space;
  }

  isDigit(byte: number): boolean {
    return u8(this.#kinds, byte) === is.digit;
  }

  isLetter(byte: number): boolean {
    return u8(this.#kinds, byte) === is.letter;
  }

  /** What a word goes on with. */
  isLetterOrDigit(byte: number): boolean {
    return u8(this.#kinds, byte) >= is.letter;
  }

  isBlankOrControl(byte: number): boolean {
    return byte < SPACE || byte === DELETE || this.isSpace(byte);
  }
}

export const byteKinds: Readonly<Record<DialectCharset, ByteKinds>> = {
  utf8: new ByteKinds('utf8'),
  latin1: new ByteKinds('latin1'),
  other: new ByteKinds('other'),
  treacherous: new ByteKinds('treacherous'),
};
