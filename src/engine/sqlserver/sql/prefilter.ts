import { u16le, u8, ucs2 } from '../../../base/bytes.ts';
import { openings } from './openings.ts';
import { isWordCode } from './sql-words.ts';

/** At least one of these stands in every text that does something of concern, or there is a `#` in it. */
const telltales = (
  'set use exec execute call begin commit rollback save insert merge into cursor deallocate open close dbcc ' +
  'revert setuser set_config scope_identity rowcount_big @@identity @@rowcount @@error'
).split(' ');

const HASH = 0x23;
const OPEN = 0x28;
const DOT = 0x2e;
const ZERO = 0x30;
const NINE = 0x39;
const SEMICOLON = 0x3b;
const EQUALS = 0x3d;
const OPEN_BRACKET = 0x5b;
const CLOSE_BRACKET = 0x5d;
const SPACE = 0x20;
const NEWLINE = 0x0a;
const RETURN = 0x0d;
/** Makes a letter small; `@` becomes a mark that is in no word. */
const LOWER = 0x20;
/** The same for three letters, and a length. */
const LOWER_ALL = 0x202020;
const LAST_ASCII = 0x7f;
const LAST_BYTE = 0xff;
/** In place of a character, where there is none. */
const NO_UNIT = 0;
/** Of a character. */
const UNIT_BYTES = 2;
/** Of a telltale. */
const SHORTEST_BYTES = 3 * UNIT_BYTES;

/** Kinds of characters: those that stand for themselves, those that nobody may overlook, a return, and those of words. */
const PLAIN = 0;
const STOP = 1;
const BREAK = 2;
const DIGIT = 3;
const LETTER = 4;
const kinds = Uint8Array.from({ length: LAST_BYTE + 1 }, (_, code) => kindOf(code));

const TABLE_BITS = 12;
/** Of the golden ratio: spreads what is close together. */
const SPREAD = 0x9e3779b1;
/** Whether a word of this length and with these letters may be a telltale. */
const table = new Uint8Array(1 << TABLE_BITS);
for (const word of telltales) {
  const [first, third, last] = [0, 2, word.length - 1].map((at) => word.charCodeAt(at));
  table[slot(UNIT_BYTES * word.length, first ?? 0, third ?? 0, last ?? 0)] = 1;
}
const known: ReadonlySet<string> = new Set(telltales);
/** The words that statements begin with which are none of these, by their hashes. */
const harmless: ReadonlyMap<number, string> = new Map(
  [...openings].filter((word) => !known.has(word)).map((word) => [hashOf(word), word]),
);
const INSERT = hashOf('insert');
const INTO = 'into';
const NOWHERE = -1;
/** What may stand behind a digit without being a word of its own. */
const numeral = /^(?:\d+(?:e\d+)?|0x[0-9a-f]*)$/i;

/** What a text turns out to be at a glance: INSERTs of which nothing else is to be known, too, are told apart. */
export type Glance = 'nothing' | 'inserts' | 'anything';

/**
 * Whether `bytes[start, end)`, a text in UTF-16, may do something of concern; nearly all texts that only read do not. No string is made
 * of it: every text is looked at, and texts that differ in their literals only are not known from before. What it lets through is
 * harmless for sure, what it stops may turn out to be: it looks at words in comments and in strings as well.
 */
export function glance(bytes: Uint8Array, start: number, end: number): Glance {
  const last = end - ((end - start) & 1);
  let at = start;
  while (at < last && isBlank(u16le(bytes, at))) at += UNIT_BYTES;
  if (at === last) return 'nothing';
  if (u16le(bytes, at) === OPEN)
    return hasTelltale(bytes, at, last, false) ? 'anything' : 'nothing';
  const first = at;
  let hash = 0;
  while (at < last) {
    const code = u16le(bytes, at);
    if (!isWordCode(code)) break;
    hash = step(hash, code);
    at += UNIT_BYTES;
  }
  if (hash === INSERT) {
    const rest = isWord(bytes, first, at, 'insert') ? behindInto(bytes, at, last) : NOWHERE;
    return rest === NOWHERE || hasTelltale(bytes, rest, last, false) ? 'anything' : 'inserts';
  }
  const word = harmless.get(hash);
  if (word === undefined || !isWord(bytes, first, at, word)) return 'anything';
  if (unitAt(bytes, at, last) > LAST_ASCII) return 'anything';
  return hasTelltale(bytes, at, last, word === 'update') ? 'anything' : 'nothing';
}

/** Behind INSERT: where INTO ends, if that is what comes next. */
function behindInto(bytes: Uint8Array, from: number, end: number): number {
  let at = from;
  while (at < end && isSpace(u16le(bytes, at))) at += UNIT_BYTES;
  const next = at + UNIT_BYTES * INTO.length;
  const isThere = at > from && next <= end && isWord(bytes, at, next, INTO);
  if (!isThere) return NOWHERE;
  const code = unitAt(bytes, next, end);
  return isWordCode(code) || code > LAST_ASCII ? NOWHERE : next;
}

/** @param isUpdate the first `set` belongs to an UPDATE, unless that is one of statistics */
function hasTelltale(bytes: Uint8Array, from: number, end: number, isUpdate: boolean): boolean {
  let at = from;
  let setsLeft = isUpdate ? 1 : 0;
  while (at < end) {
    const kind = u8(bytes, at + 1) === 0 ? u8(kinds, u8(bytes, at)) : PLAIN;
    if (kind < DIGIT) {
      at += UNIT_BYTES;
      if (kind === PLAIN) continue;
      if (kind === STOP || unitAt(bytes, at, end) !== NEWLINE) return true;
      continue;
    }
    const start = at;
    at = wordEnd(bytes, at, end);
    if (kind === DIGIT) {
      if (isOddNumber(bytes, start, at, end)) return true;
      continue;
    }
    const length = at - start;
    if (length < SHORTEST_BYTES) continue;
    if (isUpdate && isWord(bytes, start, at, 'statistics')) return true;
    const third = u8(bytes, start + 2 * UNIT_BYTES);
    if (u8(table, slot(length, u8(bytes, start), third, u8(bytes, at - UNIT_BYTES))) === 0)
      continue;
    if (setsLeft > 0 && isWord(bytes, start, at, 'set')) {
      if (!isAssignment(bytes, at, end)) return true;
      setsLeft -= 1;
    } else if (known.has(ucs2(bytes, start, at).toLowerCase())) return true;
  }
  return false;
}

function wordEnd(bytes: Uint8Array, from: number, end: number): number {
  let at = from + UNIT_BYTES;
  while (at < end && u8(bytes, at + 1) === 0 && u8(kinds, u8(bytes, at)) >= DIGIT) at += UNIT_BYTES;
  return at;
}

/** `bytes[start, at)` begins with a digit, and may not be a number alone. */
function isOddNumber(bytes: Uint8Array, start: number, at: number, end: number): boolean {
  if (unitAt(bytes, at, end) === DOT && isLetterAt(bytes, at + UNIT_BYTES, end)) return true;
  for (let next = start; next < at; next += UNIT_BYTES)
    if (u8(kinds, u8(bytes, next)) !== DIGIT) return !numeral.test(ucs2(bytes, start, at));
  return false;
}

/** What ends a number may be a part of the word behind its point: `1.eset`. */
function isLetterAt(bytes: Uint8Array, at: number, end: number): boolean {
  const code = unitAt(bytes, at, end);
  return isWordCode(code) && (code < ZERO || code > NINE);
}

/** Whether one name and an `=` come next. */
function isAssignment(bytes: Uint8Array, from: number, end: number): boolean {
  const nameAt = skipSpaces(bytes, from, end);
  const isBracketed = unitAt(bytes, nameAt, end) === OPEN_BRACKET;
  let at = isBracketed ? nameAt + UNIT_BYTES : nameAt;
  while (isWordCode(unitAt(bytes, at, end))) at += UNIT_BYTES;
  if (at === nameAt) return false;
  if (isBracketed && unitAt(bytes, at, end) !== CLOSE_BRACKET) return false;
  const next = isBracketed ? at + UNIT_BYTES : at;
  return unitAt(bytes, skipSpaces(bytes, next, end), end) === EQUALS;
}

function skipSpaces(bytes: Uint8Array, from: number, end: number): number {
  let at = from;
  while (unitAt(bytes, at, end) === SPACE) at += UNIT_BYTES;
  return at;
}

/** The character there; behind the end, none. */
function unitAt(bytes: Uint8Array, at: number, end: number): number {
  return at < end ? u16le(bytes, at) : NO_UNIT;
}

function isBlank(code: number): boolean {
  return code === SEMICOLON || isSpace(code);
}

/** Of those that all readers take for one. */
function isSpace(code: number): boolean {
  return code <= SPACE && code !== 0 && code !== RETURN;
}

function hashOf(word: string): number {
  let hash = 0;
  for (let at = 0; at < word.length; at += 1) hash = step(hash, word.charCodeAt(at));
  return hash;
}

/** Whether these letters, of either case, are the word. */
function isWord(bytes: Uint8Array, start: number, end: number, word: string): boolean {
  if (end - start !== UNIT_BYTES * word.length) return false;
  for (let at = 0; at < word.length; at += 1) {
    if ((u16le(bytes, start + UNIT_BYTES * at) | LOWER) !== word.charCodeAt(at)) return false;
  }
  return true;
}

function step(hash: number, code: number): number {
  return (Math.imul(hash, 31) + (code | LOWER)) | 0;
}

/** @param length in bytes; of the letters the case does not count */
function slot(length: number, first: number, third: number, last: number): number {
  const key = (length << 24) ^ (first << 16) ^ (third << 8) ^ last;
  return Math.imul(key | LOWER_ALL, SPREAD) >>> (32 - TABLE_BITS);
}

function kindOf(code: number): number {
  if (code === 0 || code === HASH) return STOP;
  if (code === RETURN) return BREAK;
  if (code >= ZERO && code <= NINE) return DIGIT;
  return isWordCode(code) ? LETTER : PLAIN;
}
