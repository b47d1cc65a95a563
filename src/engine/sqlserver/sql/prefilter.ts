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

const TABLE_SIZE = 4_096;
/** Whether a word with this hash may be a telltale. */
const table = new Uint8Array(TABLE_SIZE);
for (const word of telltales) table[slot(hashOf(word))] = 1;
const known: ReadonlySet<string> = new Set(telltales);
/** The words that statements begin with which are none of these, by their hashes. */
const harmless: ReadonlyMap<number, string> = new Map(
  [...openings].filter((word) => !known.has(word)).map((word) => [hashOf(word), word]),
);
const SET = hashOf('set');
const STATISTICS = hashOf('statistics');
/** What may stand behind a digit without being a word of its own. */
const numeral = /^(?:\d+(?:e\d+)?|0x[0-9a-f]*)$/i;

/**
 * Whether a text may do something of concern; nearly all texts that only read do not. What this lets through is harmless for sure, what
 * it stops may turn out to be: it looks at words in comments and in strings as well.
 */
export function mayMatter(text: string): boolean {
  let at = 0;
  while (at < text.length && isBlank(text.charCodeAt(at))) at += 1;
  if (at === text.length) return false;
  let isUpdate = false;
  if (text.charCodeAt(at) !== OPEN) {
    const start = at;
    let hash = 0;
    for (let code = text.charCodeAt(at); isWordCode(code); code = text.charCodeAt(at)) {
      hash = step(hash, code);
      at += 1;
    }
    const word = harmless.get(hash);
    if (word === undefined || !isWord(text, start, at, word) || text.charCodeAt(at) > 0x7f)
      return true;
    isUpdate = word === 'update';
  }
  return hasTelltale(text, at, isUpdate);
}

/** @param isUpdate the first `set` belongs to an UPDATE, unless that is one of statistics */
function hasTelltale(text: string, from: number, isUpdate: boolean): boolean {
  let at = from;
  let setsLeft = isUpdate ? 1 : 0;
  while (at < text.length) {
    const code = text.charCodeAt(at);
    if (isWordCode(code)) {
      const start = at;
      let hash = 0;
      let hasLetters = false;
      for (let next = code; isWordCode(next); next = text.charCodeAt(at)) {
        if (next === HASH) return true;
        if (next > NINE || next < ZERO) hasLetters = true;
        hash = step(hash, next);
        at += 1;
      }
      const isNumber = code >= ZERO && code <= NINE;
      if (isNumber && text.charCodeAt(at) === DOT && isLetterAt(text, at + 1)) return true;
      if (isNumber && !hasLetters) continue;
      if (isNumber && !numeral.test(text.slice(start, at))) return true;
      if (hash === SET && isWord(text, start, at, 'set') && setsLeft > 0) {
        if (!isAssignment(text, at)) return true;
        setsLeft -= 1;
      } else if (isUpdate && hash === STATISTICS) return true;
      else if (table[slot(hash)] === 1 && known.has(text.slice(start, at).toLowerCase()))
        return true;
    } else {
      if (code === 0 || (code === RETURN && text.charCodeAt(at + 1) !== NEWLINE)) return true;
      at += 1;
    }
  }
  return false;
}

/** What ends a number may be a part of the word behind its point: `1.eset`. */
function isLetterAt(text: string, at: number): boolean {
  const code = text.charCodeAt(at);
  return isWordCode(code) && (code < ZERO || code > NINE);
}

/** Whether one name and an `=` come next. */
function isAssignment(text: string, from: number): boolean {
  const nameAt = skipSpaces(text, from);
  const isBracketed = text.charCodeAt(nameAt) === OPEN_BRACKET;
  let at = isBracketed ? nameAt + 1 : nameAt;
  while (at < text.length && isWordCode(text.charCodeAt(at))) at += 1;
  if (at === nameAt) return false;
  if (isBracketed && text.charCodeAt(at) !== CLOSE_BRACKET) return false;
  return text.charCodeAt(skipSpaces(text, isBracketed ? at + 1 : at)) === EQUALS;
}

function skipSpaces(text: string, from: number): number {
  let at = from;
  while (text.charCodeAt(at) === SPACE) at += 1;
  return at;
}

function isBlank(code: number): boolean {
  return code === SEMICOLON || (code <= SPACE && code !== 0 && code !== RETURN);
}

function hashOf(word: string): number {
  let hash = 0;
  for (let at = 0; at < word.length; at += 1) hash = step(hash, word.charCodeAt(at));
  return hash;
}

/** Whether these letters, of either case, are the word. */
function isWord(text: string, start: number, end: number, word: string): boolean {
  if (end - start !== word.length) return false;
  for (let at = start; at < end; at += 1)
    if ((text.charCodeAt(at) | LOWER) !== word.charCodeAt(at - start)) return false;
  return true;
}

function step(hash: number, code: number): number {
  return (Math.imul(hash, 31) + (code | LOWER)) | 0;
}

function slot(hash: number): number {
  return (hash ^ (hash >>> 12) ^ (hash >>> 24)) & (TABLE_SIZE - 1);
}
