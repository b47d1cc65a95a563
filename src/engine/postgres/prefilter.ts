import { u8 } from '../../base/bytes.ts';

/**
 * Looks at a text once, without making a string of it, and says whether it may have effects beyond its transaction. Nearly all
 * texts do not, and every one is looked at: this is the relay's innermost loop. What it lets through must be harmless for sure;
 * what it stops may turn out to be.
 *
 * Two things are looked for: the first word, and four letters in a row that stand in the name of everything that matters
 * wherever it is. A text with a second statement or a comment is not judged here.
 */

/** First words of statements that matter, as far as their first four letters tell. */
const openings = [
  'set',
  'reset',
  'discard',
  'prepare',
  'execute',
  'deallocate',
  'listen',
  'unlisten',
  'load',
  'do',
  'call',
  'declare',
  'close',
  'drop',
] as const;

/** In lower case; at least one stands in the name of everything that `judge` knows to matter outside of a first word. */
const tellTales = [
  'et_c', // set_config
  'et_l', // set_limit
  'tval', // nextval, setval, lastval
  'urrv', // currval
  '_adv', // pg_advisory_lock and its kin
  'etse', // setseed
  'blin', // dblink_connect
  '_bac', // pg_backup_start, pg_start_backup
  'epli', // replication origins and slots
  'o_xm', // query_to_xml
  'ts_s', // ts_stat
  'ts_r', // ts_rewrite
  'temp', // TEMP, TEMPORARY, pg_temp
  'hold',
  'exec', // EXPLAIN EXECUTE, CREATE TABLE … AS EXECUTE
  'repa', // pg_prepared_statements
  'g_se', // UPDATE pg_settings
] as const;

const DOUBLE_QUOTE = 0x22;
const AMPERSAND = 0x26;
const STAR = 0x2a;
const DASH = 0x2d;
const SLASH = 0x2f;
const SEMICOLON = 0x3b;
/** Makes letters lower case. What it makes of other bytes does not matter, as it makes it of both sides. */
const LOWER = 0x20;

/** A first word's letters, each in lower case, the earliest highest; two letters make `do`. */
const openingWords = new Set(openings.map((word) => pack(word.slice(0, 4))));

const TABLE_BITS = 16;
/** Of the golden ratio: spreads what is close together. */
const SPREAD = 0x9e3779b1;
const stops = new Uint8Array(1 << TABLE_BITS);
for (const word of tellTales) stops[slot(pack(word))] = 1;

/** Whether `bytes[start, end)` may do more than its transaction shows. */
export function mayMatter(bytes: Uint8Array, start: number, end: number): boolean {
  let at = start;
  while (at < end && isSpace(u8(bytes, at))) at += 1;
  let last = at;
  while (last < end && last < at + 4 && isLetter(u8(bytes, last))) last += 1;
  let word = 0;
  for (let i = at; i < last; i += 1) word = (word << 8) | u8(bytes, i) | LOWER;
  if (openingWords.has(word)) return true;
  let four = 0;
  let previous = 0;
  for (; at < end; at += 1) {
    const byte = u8(bytes, at);
    four = (four << 8) | byte | LOWER;
    if (stops[slot(four)] === 1) return true;
    if (byte < 0x40) {
      if (byte === SEMICOLON) return !isRestBlank(bytes, at + 1, end);
      if (byte === DASH && previous === DASH) return true;
      if (byte === STAR && previous === SLASH) return true;
      if (byte === DOUBLE_QUOTE && previous === AMPERSAND) return true;
    }
    previous = byte;
  }
  return false;
}

function slot(four: number): number {
  return Math.imul(four, SPREAD) >>> (32 - TABLE_BITS);
}

function pack(letters: string): number {
  let packed = 0;
  for (let i = 0; i < letters.length; i += 1)
    packed = (packed << 8) | letters.charCodeAt(i) | LOWER;
  return packed;
}

function isRestBlank(bytes: Uint8Array, from: number, end: number): boolean {
  for (let at = from; at < end; at += 1) {
    const byte = u8(bytes, at);
    if (!isSpace(byte) && byte !== SEMICOLON) return false;
  }
  return true;
}

function isSpace(byte: number): boolean {
  return byte === 0x20 || (byte >= 0x09 && byte <= 0x0d);
}

function isLetter(byte: number): boolean {
  const lower = byte | LOWER;
  return lower >= 0x61 && lower <= 0x7a;
}
