import { u8 } from '../../base/bytes.ts';

/**
 * What is heard of a statement, in order. Comments are silence; the values of literals are never told. Places are in bytes from
 * the beginning of the text.
 */
export interface WordVisitor {
  /** Whitespace or a comment came before what is told next. */
  space(): void;
  /**
   * A keyword or an identifier. A bare word comes in lower case (ASCII), a `quoted` one as it is written. At most
   * `MAX_WORD_BYTES` of it are told: no name that PostgreSQL knows is longer.
   */
  word(word: string, quoted: boolean, start: number, end: number): void;
  /** A string, a number or a parameter. It ends before what is told next. */
  value(start: number): void;
  /** One byte of punctuation or of an operator. */
  mark(byte: number, at: number): void;
  /** Something that may spell any name, or hide any text: `U&"…"`, or a dollar quote whose tag is too long to remember. */
  riddle(): void;
}

export const MAX_WORD_BYTES = 64;

const state = {
  base: 0,
  word: 1,
  number: 2,
  /** After `1e`, `1e+` and `1e-`: an exponent, or, up to PostgreSQL 14, a word and perhaps an operator. */
  exponent: 3,
  exponentPlus: 4,
  exponentMinus: 5,
  /** After `$`. */
  dollar: 6,
  parameter: 7,
  tag: 8,
  dollarQuoted: 9,
  /** After `-` and `/`: an operator, or the start of a comment. */
  dash: 10,
  slash: 11,
  lineComment: 12,
  blockComment: 13,
  string: 14,
  /** After a quote inside of quotes: the end, or the first of two that stand for one. */
  stringQuote: 15,
  escapeString: 16,
  escaped: 17,
  escapeStringQuote: 18,
  identifier: 19,
  identifierQuote: 20,
  /** After `u&`. */
  unicode: 21,
} as const;

type State = (typeof state)[keyof typeof state];

const is = { mark: 0, space: 1, newline: 2, letter: 3, digit: 4 } as const;

const kinds = new Uint8Array(256);
for (const byte of ' \t\f\v') kinds[byte.charCodeAt(0)] = is.space;
for (const byte of '\n\r') kinds[byte.charCodeAt(0)] = is.newline;
for (let byte = 0x30; byte <= 0x39; byte += 1) kinds[byte] = is.digit;
for (let byte = 0x41; byte <= 0x5a; byte += 1) kinds[byte] = kinds[byte | 0x20] = is.letter;
for (let byte = 0x80; byte <= 0xff; byte += 1) kinds[byte] = is.letter;
kinds[0x5f] = is.letter;

const SPACE = 0x20;
const DOUBLE_QUOTE = 0x22;
const DOLLAR = 0x24;
const AMPERSAND = 0x26;
const QUOTE = 0x27;
const STAR = 0x2a;
const PLUS = 0x2b;
const DASH = 0x2d;
const DOT = 0x2e;
const SLASH = 0x2f;
const BACKSLASH = 0x5c;
const LETTER_E = 0x65;
const LETTER_U = 0x75;
/** b'…', n'…' and x'…' */
const STRING_PREFIXES = [0x62, 0x6e, 0x78];

/**
 * PostgreSQL's lexer (scan.l) as far as it decides what is a word and what is not: fed in pieces of any size, in flat memory.
 *
 * It assumes standard_conforming_strings = on, and a client encoding in which no byte of a longer character looks like
 * ASCII (not so: SJIS, BIG5, GBK, GB18030, UHC, JOHAB, SHIFT_JIS_2004). Whoever lets a session depart from either must not
 * trust what it tells. Where versions differ, it follows the one in which more is a word: up to 14, `1from` is two tokens;
 * from 15 on it is an error, and then nothing runs. What cannot be lexed is an error too, and may be told in any way.
 */
export class SqlWords {
  readonly #visitor: WordVisitor;
  #state: State = state.base;
  /** The word, quoted identifier or dollar tag at hand. */
  readonly #text = Buffer.alloc(MAX_WORD_BYTES);
  #textBytes = 0;
  /** How much of the closing dollar tag has been seen: 0 is nothing, 1 its `$`. */
  #matched = 0;
  #commentDepth = 0;
  #previousInComment = 0;
  #spaced = false;
  /** Where the byte at hand is in the text, and where the token at hand began. */
  #at = 0;
  #tokenAt = 0;
  /** An E'…' ended, and nothing but blanks and line comments came since: after a newline, a quote opens more of the same. */
  #mayContinue: 'no' | 'afterNewline' | 'now' = 'no';

  constructor(visitor: WordVisitor) {
    this.#visitor = visitor;
  }

  feed(bytes: Uint8Array, start: number, end: number): void {
    const before = this.#at - start;
    for (let at = start; at < end; at += 1) {
      if (this.#state === state.string) at = next(bytes, QUOTE, at, end);
      else if (this.#state === state.dollarQuoted && this.#matched === 0) {
        at = next(bytes, DOLLAR, at, end);
      }
      this.#at = before + at;
      if (at < end) this.#step(u8(bytes, at));
    }
    this.#at = before + end;
  }

  /** Tells what is still held back. The next `feed` begins another text. */
  finish(): void {
    this.#step(SPACE);
    this.#state = state.base;
    this.#at = 0;
    this.#spaced = false;
    this.#mayContinue = 'no';
  }

  #step(byte: number): void {
    switch (this.#state) {
      case state.base:
        return this.#begin(byte);
      case state.word:
        return this.#inWord(byte);
      case state.number:
      case state.exponent:
      case state.exponentPlus:
      case state.exponentMinus:
        return this.#inNumber(byte);
      case state.dollar:
      case state.parameter:
      case state.tag:
        return this.#afterDollar(byte);
      case state.dollarQuoted:
        return this.#inDollarQuotes(byte);
      case state.dash:
      case state.slash:
        return this.#perhapsComment(byte);
      case state.lineComment:
        if (u8(kinds, byte) === is.newline) this.#restart(byte);
        return;
      case state.blockComment:
        return this.#inBlockComment(byte);
      case state.unicode:
        return this.#afterUnicode(byte);
      default:
        return this.#inQuotes(byte);
    }
  }

  #begin(byte: number): void {
    this.#tokenAt = this.#at;
    switch (u8(kinds, byte)) {
      case is.newline:
        if (this.#mayContinue === 'afterNewline') this.#mayContinue = 'now';
        this.#spaced = true;
        return;
      case is.space:
        this.#spaced = true;
        return;
      case is.letter:
        return this.#beginWord(lower(byte));
      case is.digit:
        return this.#value(state.number);
      default:
        return this.#beginMark(byte);
    }
  }

  #beginMark(byte: number): void {
    switch (byte) {
      case QUOTE:
        return this.#value(this.#mayContinue === 'now' ? state.escapeString : state.string);
      case DOUBLE_QUOTE:
        this.#textBytes = 0;
        this.#state = state.identifier;
        return;
      case DOLLAR:
        this.#state = state.dollar;
        return;
      case DASH:
        this.#state = state.dash;
        return;
      case SLASH:
        this.#state = state.slash;
        return;
      default:
        return this.#mark(byte);
    }
  }

  #beginWord(byte: number): void {
    this.#textBytes = 0;
    this.#keep(byte);
    this.#state = state.word;
  }

  /** A token ended before `byte`. */
  #restart(byte: number): void {
    this.#state = state.base;
    this.#begin(byte);
  }

  #inWord(byte: number): void {
    if (isLetterOrDigit(byte) || byte === DOLLAR) return this.#keep(lower(byte));
    if (this.#textBytes === 1) {
      const letter = u8(this.#text, 0);
      if (byte === QUOTE && letter === LETTER_E) return this.#value(state.escapeString);
      if (byte === QUOTE && STRING_PREFIXES.includes(letter)) return this.#value(state.string);
      if (byte === AMPERSAND && letter === LETTER_U) {
        this.#state = state.unicode;
        return;
      }
    }
    this.#word(false);
    this.#restart(byte);
  }

  #inNumber(byte: number): void {
    if (u8(kinds, byte) === is.digit) this.#state = state.number;
    else if (this.#state === state.number) {
      if (byte === DOT) return;
      if (lower(byte) === LETTER_E) this.#state = state.exponent;
      else this.#restart(byte);
    } else if (this.#state === state.exponent && byte === PLUS) this.#state = state.exponentPlus;
    else if (this.#state === state.exponent && byte === DASH) this.#state = state.exponentMinus;
    else this.#noExponent(byte);
  }

  /** The `e` after a number was a word. */
  #noExponent(byte: number): void {
    const from = this.#state;
    this.#beginWord(LETTER_E);
    if (from === state.exponentPlus) this.#step(PLUS);
    if (from === state.exponentMinus) this.#step(DASH);
    this.#step(byte);
  }

  #afterDollar(byte: number): void {
    const kind = u8(kinds, byte);
    if (this.#state === state.dollar && kind === is.digit) return this.#value(state.parameter);
    if (this.#state === state.parameter) {
      if (kind !== is.digit) this.#restart(byte);
      return;
    }
    if (this.#state === state.dollar) this.#textBytes = 0;
    if (byte === DOLLAR) {
      this.#matched = 0;
      return this.#value(state.dollarQuoted);
    }
    if (!isLetterOrDigit(byte)) {
      // An error: no need to look again at what was taken for a tag.
      this.#mark(DOLLAR);
      return this.#restart(byte);
    }
    this.#state = state.tag;
    if (this.#textBytes === MAX_WORD_BYTES) this.#visitor.riddle();
    else this.#keep(byte);
  }

  /** A tag holds no `$`: after a mismatch only a `$` can be the start of another try. */
  #inDollarQuotes(byte: number): void {
    if (this.#matched > this.#textBytes && byte === DOLLAR) this.#state = state.base;
    else if (byte === DOLLAR) this.#matched = 1;
    else if (this.#matched === 0 || this.#matched > this.#textBytes) this.#matched = 0;
    else if (u8(this.#text, this.#matched - 1) === byte) this.#matched += 1;
    else this.#matched = 0;
  }

  #perhapsComment(byte: number): void {
    if (this.#state === state.dash && byte === DASH) this.#state = state.lineComment;
    else if (this.#state === state.slash && byte === STAR) {
      this.#state = state.blockComment;
      this.#commentDepth = 1;
      this.#previousInComment = 0;
    } else {
      this.#mark(this.#state === state.dash ? DASH : SLASH);
      this.#restart(byte);
    }
  }

  #inBlockComment(byte: number): void {
    const previous = this.#previousInComment;
    this.#previousInComment = 0;
    if (previous === SLASH && byte === STAR) this.#commentDepth += 1;
    else if (previous === STAR && byte === SLASH) {
      this.#commentDepth -= 1;
      if (this.#commentDepth > 0) return;
      this.#mayContinue = 'no';
      this.#restart(SPACE);
    } else this.#previousInComment = byte;
  }

  #inQuotes(byte: number): void {
    switch (this.#state) {
      case state.string:
        if (byte === QUOTE) this.#state = state.stringQuote;
        return;
      case state.stringQuote:
        if (byte === QUOTE) this.#state = state.string;
        else this.#restart(byte);
        return;
      case state.escapeString:
        if (byte === QUOTE) this.#state = state.escapeStringQuote;
        else if (byte === BACKSLASH) this.#state = state.escaped;
        return;
      case state.escaped:
        this.#state = state.escapeString;
        return;
      case state.escapeStringQuote:
        if (byte === QUOTE) this.#state = state.escapeString;
        else {
          this.#mayContinue = 'afterNewline';
          this.#restart(byte);
        }
        return;
      default:
        return this.#inIdentifier(byte);
    }
  }

  #inIdentifier(byte: number): void {
    if (this.#state === state.identifierQuote) {
      this.#state = state.identifier;
      if (byte === DOUBLE_QUOTE) return this.#keep(byte);
      this.#word(true);
      this.#restart(byte);
    } else if (byte === DOUBLE_QUOTE) this.#state = state.identifierQuote;
    else this.#keep(byte);
  }

  #afterUnicode(byte: number): void {
    if (byte === QUOTE) return this.#value(state.string);
    if (byte === DOUBLE_QUOTE) {
      this.#visitor.riddle();
      return this.#restart(byte);
    }
    this.#word(false);
    this.#mark(AMPERSAND);
    this.#restart(byte);
  }

  #keep(byte: number): void {
    if (this.#textBytes === MAX_WORD_BYTES) return;
    this.#text[this.#textBytes] = byte;
    this.#textBytes += 1;
  }

  #word(quoted: boolean): void {
    this.#token();
    this.#visitor.word(
      this.#text.toString('utf8', 0, this.#textBytes),
      quoted,
      this.#tokenAt,
      this.#at,
    );
  }

  /** A literal begins; `inside` is where the rest of it is skipped. */
  #value(inside: State): void {
    this.#token();
    this.#visitor.value(this.#tokenAt);
    this.#state = inside;
  }

  #mark(byte: number): void {
    this.#token();
    this.#visitor.mark(byte, this.#tokenAt);
  }

  #token(): void {
    this.#mayContinue = 'no';
    if (this.#spaced) this.#visitor.space();
    this.#spaced = false;
  }
}

/** Where `byte` is next: not `indexOf`, which would look beyond `end`. */
function next(bytes: Uint8Array, byte: number, start: number, end: number): number {
  let at = start;
  while (at < end && u8(bytes, at) !== byte) at += 1;
  return at;
}

function isLetterOrDigit(byte: number): boolean {
  return u8(kinds, byte) >= is.letter;
}

function lower(byte: number): number {
  return byte >= 0x41 && byte <= 0x5a ? byte | 0x20 : byte;
}
