import { u8 } from '../../../base/bytes.ts';
import type { Dialect } from './dialect.ts';
import { isKnownHash, wordHash } from './known-words.ts';
import type { ByteKinds } from './sql-bytes.ts';
import {
  AT,
  BACKQUOTE,
  BACKSLASH,
  BANG,
  byteKinds,
  COLON,
  DASH,
  DOT,
  DOUBLE_QUOTE,
  HASH,
  HIGH,
  LOWER,
  NEWLINE,
  OPEN,
  PLUS,
  QUOTE,
  SEMICOLON,
  SLASH,
  STAR,
} from './sql-bytes.ts';
import { words } from './word-list.ts';

/** First words of statements that matter, as far as their first four letters tell. */
const openings = words(
  'set lock unlock flush backup handler xa binlog kill load prepare execute deallocate create drop ' +
    // MariaDB runs the last ones without a routine around them.
    'alter rename call get if case while loop repeat for declare',
);

/**
 * Four letters in lower case; at least one of these stands in the name of everything that `Mentions` knows to matter wherever it is.
 * They are looked for where their rarest letter is.
 */
const tellTales = [
  'et_l', // get_lock
  'rele', // release_lock, release_all_locks, COMMIT RELEASE
  'e_ge', // service_get_read_locks, service_get_write_locks
  'ns_l', // version_tokens_lock_shared, version_tokens_lock_exclusive
  'ow_c', // row_count
  'nd_r', // found_rows, sql_calc_found_rows
  'ert_', // last_insert_id
];
const mariadbTellTales = [...tellTales, 'next']; // nextval, NEXT VALUE FOR
const rare = '_lx';

const IN_LOWER_CASE = 0x20202020;
const LETTER_E = 0x65;
const LETTER_M = 0x4d;
/** A first word's letters, each in lower case, the earliest highest; two letters make `if`. */
const openingWords = new Set([...openings].map((word) => pack(word.slice(0, 4))));
const BEGIN = pack('begi');
const SHOW = pack('show');
const INTO = pack('into');
/** SHOW WARNINGS, ERRORS, COUNT(*); SHOW and something odd. */
const shown = new Set(['w', 'e', 'c'].map((letter) => letter.charCodeAt(0)));

/** What a byte is here: nothing of interest, looked at by itself, outside of ASCII, or from `RARE` on the rarest letter of a tell-tale. */
const [PLAIN, SPECIAL, FOREIGN, RARE] = [0, 1, 2, 3];
const kinds = new Uint8Array(256).fill(FOREIGN, HIGH);
for (const [at, letter] of Array.from(rare).entries())
  for (const one of [letter, letter.toUpperCase()]) kinds[one.charCodeAt(0)] = RARE + at;
for (const byte of '\'"`@;#-/:(') kinds[byte.charCodeAt(0)] = SPECIAL;

/** A tell-tale, and how many of its letters come before its rarest one. */
interface TellTale {
  readonly letters: number;
  readonly before: number;
}

/** For each of the rare letters, those whose rarest it is. */
type Signs = readonly (readonly TellTale[])[];
const mysqlSigns = signsFor(tellTales);
const mariadbSigns = signsFor(mariadbTellTales);

/**
 * Looks at a text once, without making a string of it, and says whether it may have effects beyond its transaction. Nearly all
 * texts do not, and every one is looked at: this is the relay's innermost loop. What it lets through must be harmless for sure;
 * what it stops may turn out to be.
 *
 * It looks for the first word, for four letters in a row that stand in the name of what matters wherever it is, and for calls
 * of functions that it does not know. Strings and comments are passed over; where comments may be executed, a text is stopped.
 */
export class Prefilter {
  readonly #kinds: ByteKinds;
  readonly #isTrusted: boolean;
  readonly #hasEscapes: boolean;
  readonly #ansiQuotes: boolean;
  /** Whether bytes outside of ASCII are letters. */
  readonly #hasHighLetters: boolean;
  readonly #signs: Signs;
  readonly #dialect: Dialect;
  /** Where the last comment ended. */
  #commentEnd = 0;

  constructor(dialect: Dialect) {
    this.#dialect = dialect;
    this.#kinds = byteKinds[dialect.charset];
    this.#isTrusted = dialect.isKnown && dialect.charset !== 'treacherous';
    this.#hasEscapes = !dialect.noBackslashEscapes;
    this.#ansiQuotes = dialect.ansiQuotes;
    this.#hasHighLetters = dialect.charset !== 'other';
    this.#signs = dialect.isMariadb ? mariadbSigns : mysqlSigns;
  }

  /** Whether `bytes[start, end)` may do more than its transaction shows. */
  mayMatter(bytes: Uint8Array, start: number, end: number): boolean {
    if (!this.#isTrusted) return true;
    this.#commentEnd = start;
    let at = this.#skipBlanks(bytes, start, end);
    if (at < 0 || this.#opens(bytes, at, end)) return true;
    while (at < end) {
      const kind = u8(kinds, u8(bytes, at));
      if (kind === PLAIN) {
        at += 1;
      } else if (kind === SPECIAL) {
        at = this.#pass(bytes, at, start, end);
        if (at < 0) return true;
      } else if (kind === FOREIGN) {
        if (!this.#hasHighLetters) return true;
        at += 1;
      } else {
        if (isPartOf(this.#signs[kind - RARE], bytes, at, start, end)) return true;
        at += 1;
      }
    }
    return false;
  }

  /** Where to go on behind a byte that is looked at by itself; below 0 where the text may matter. */
  #pass(bytes: Uint8Array, at: number, start: number, end: number): number {
    const byte = u8(bytes, at);
    switch (byte) {
      case QUOTE:
        return this.#skipString(bytes, at, end);
      case DOUBLE_QUOTE:
        return this.#ansiQuotes ? skipName(bytes, at, end) : this.#skipString(bytes, at, end);
      case BACKQUOTE:
        return skipName(bytes, at, end);
      case AT:
      case COLON:
        return -1;
      case SEMICOLON:
        return this.#skipEnd(bytes, at, end);
      case OPEN:
        return this.#callsUnknown(bytes, at, start) ? -1 : at + 1;
      default:
        // Behind `1.5e`, MySQL takes two dashes for what they are.
        if (byte === DASH && at > start && (u8(bytes, at - 1) | LOWER) === LETTER_E) return -1;
        return this.#skipComment(bytes, at, end);
    }
  }

  #opens(bytes: Uint8Array, start: number, end: number): boolean {
    let at = start;
    let word = 0;
    for (; at < end && at < start + 4 && isLetter(u8(bytes, at)); at += 1)
      word = (word << 8) | u8(bytes, at) | LOWER;
    if (openingWords.has(word)) return true;
    if (word !== BEGIN && word !== SHOW) return false;
    while (at < end && isLetter(u8(bytes, at))) at += 1;
    while (at < end && this.#kinds.isSpace(u8(bytes, at))) at += 1;
    const next = at < end ? u8(bytes, at) | LOWER : 0;
    // BEGIN WORK; whatever else is behind it is a block of statements.
    if (word === BEGIN) return at < end && next !== 0x77 && u8(bytes, at) !== SEMICOLON;
    return !isLetter(next) || shown.has(next);
  }

  #skipString(bytes: Uint8Array, start: number, end: number): number {
    const quote = u8(bytes, start);
    for (let at = start + 1; at < end; at += 1) {
      const byte = u8(bytes, at);
      if (byte === quote) return at + 1;
      if (byte === BACKSLASH && this.#hasEscapes) at += 1;
    }
    return end;
  }

  /** Nothing but blanks may be behind a semicolon. */
  #skipEnd(bytes: Uint8Array, start: number, end: number): number {
    for (let at = start + 1; at < end; at += 1) {
      const byte = u8(bytes, at);
      if (!this.#kinds.isSpace(byte) && byte !== SEMICOLON) return -1;
    }
    return end;
  }

  #skipComment(bytes: Uint8Array, at: number, end: number): number {
    const byte = u8(bytes, at);
    const next = at + 1 < end ? u8(bytes, at + 1) : 0;
    if (byte === HASH) return this.#skipLine(bytes, at, end);
    if (byte === DASH) {
      const isComment =
        next === DASH && (at + 2 >= end || this.#kinds.isBlankOrControl(u8(bytes, at + 2)));
      return isComment ? this.#skipLine(bytes, at, end) : at + 1;
    }
    if (byte !== SLASH || next !== STAR) return at + 1;
    const third = at + 2 < end ? u8(bytes, at + 2) : 0;
    if (third === BANG || third === LETTER_M || third === PLUS) return -1;
    this.#commentEnd = skipBlock(bytes, at + 2, end);
    return this.#commentEnd;
  }

  #skipLine(bytes: Uint8Array, from: number, end: number): number {
    let at = from;
    while (at < end && u8(bytes, at) !== NEWLINE && u8(bytes, at) !== 0) at += 1;
    this.#commentEnd = at;
    return at;
  }

  /** Blanks and comments before the first word. */
  #skipBlanks(bytes: Uint8Array, start: number, end: number): number {
    let at = start;
    while (at >= 0 && at < end) {
      const byte = u8(bytes, at);
      if (this.#kinds.isSpace(byte)) at += 1;
      else if (byte === SLASH || byte === DASH || byte === HASH) {
        const to = this.#skipComment(bytes, at, end);
        if (byte !== HASH && to === at + 1) return at;
        at = to;
      } else break;
    }
    return at;
  }

  /** What is before the parenthesis is neither a known word nor a table behind INTO; or it is behind a comment. */
  #callsUnknown(bytes: Uint8Array, at: number, start: number): boolean {
    const last = this.#skipBack(bytes, at - 1, start);
    if (last < this.#commentEnd) return this.#commentEnd > start;
    const byte = u8(bytes, last);
    let first = this.#nameBefore(bytes, last, start);
    if (first > last) return false;
    const beforeAt = this.#skipBack(bytes, first - 1, start);
    if (beforeAt < this.#commentEnd && this.#commentEnd > start) return true;
    const isQualified = beforeAt >= start && u8(bytes, beforeAt) === DOT;
    const isQuoted = byte === BACKQUOTE || byte === DOUBLE_QUOTE;
    const isBare = !isQuoted && !isQualified;
    if (isBare && isKnownHash(wordHash(bytes, first, last + 1), this.#dialect)) return false;
    for (;;) {
      const dot = this.#skipBack(bytes, first - 1, start);
      if (dot < start || u8(bytes, dot) !== DOT) return !isInto(bytes, dot, start);
      const schema = this.#skipBack(bytes, dot - 1, start);
      first = this.#nameBefore(bytes, schema, start);
      if (first > schema) return true;
    }
  }

  /** Where a name that ends at `last` begins; behind it if there is none. */
  #nameBefore(bytes: Uint8Array, last: number, start: number): number {
    if (last < start) return last + 1;
    const quote = u8(bytes, last);
    let at = last;
    if (quote === BACKQUOTE || (quote === DOUBLE_QUOTE && this.#ansiQuotes)) {
      at -= 1;
      while (at > start && u8(bytes, at) !== quote) at -= 1;
      return at;
    }
    while (at >= start && this.#kinds.isLetterOrDigit(u8(bytes, at))) at -= 1;
    return at + 1;
  }

  #skipBack(bytes: Uint8Array, from: number, start: number): number {
    let at = from;
    while (at >= start && this.#kinds.isSpace(u8(bytes, at))) at -= 1;
    return at;
  }
}

/** What is called by a name in quotes is not known, whatever it is: parentheses tell. */
function skipName(bytes: Uint8Array, start: number, end: number): number {
  const quote = u8(bytes, start);
  let at = start + 1;
  while (at < end && u8(bytes, at) !== quote) at += 1;
  return at + 1;
}

function skipBlock(bytes: Uint8Array, from: number, end: number): number {
  for (let at = from; at + 1 < end; at += 1) {
    if (u8(bytes, at) === STAR && u8(bytes, at + 1) === SLASH) return at + 2;
  }
  return end;
}

/** INTO ends at `last`. */
function isInto(bytes: Uint8Array, last: number, start: number): boolean {
  if (last - 3 < start) return false;
  return fourAt(bytes, last - 3) === INTO && (last - 4 < start || u8(bytes, last - 4) <= OPEN);
}

/** Four letters, in lower case, the first one highest. */
function fourAt(bytes: Uint8Array, at: number): number {
  const four =
    (u8(bytes, at) << 24) |
    (u8(bytes, at + 1) << 16) |
    (u8(bytes, at + 2) << 8) |
    u8(bytes, at + 3);
  return four | IN_LOWER_CASE;
}

/** Whether the letter at `at` is the rarest of one of these. */
function isPartOf(
  signs: readonly TellTale[] = [],
  bytes: Uint8Array,
  at: number,
  start: number,
  end: number,
): boolean {
  for (const { letters, before } of signs) {
    const first = at - before;
    if (first >= start && first + 4 <= end && fourAt(bytes, first) === letters) return true;
  }
  return false;
}

function signsFor(words: readonly string[]): Signs {
  const rarestOf = (word: string): string =>
    Array.from(rare).find((one) => word.includes(one)) ?? '';
  return Array.from(rare).map((letter) =>
    words
      .filter((word) => rarestOf(word) === letter)
      .map((word) => ({ letters: pack(word), before: word.indexOf(letter) })),
  );
}

function pack(letters: string): number {
  let packed = 0;
  for (let i = 0; i < letters.length; i += 1)
    packed = (packed << 8) | letters.charCodeAt(i) | LOWER;
  return packed;
}

function isLetter(byte: number): boolean {
  const lower = byte | LOWER;
  return lower >= 0x61 && lower <= 0x7a;
}
