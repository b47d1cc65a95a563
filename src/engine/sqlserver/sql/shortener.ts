import {
  ASCII,
  DASH,
  DOUBLE_QUOTE,
  NEWLINE,
  NINE,
  OPEN_BRACKET,
  QUOTE,
  RETURN,
  SLASH,
  SPACE,
  STAR,
  ZERO,
} from './characters.ts';
import { isWordCode } from './sql-words.ts';

/** Ends what has been shortened in quotes. It is no character, and no client's text needs it: one that has it is doubted. */
export const SHORTENED = '\uffff';

export interface Lengths {
  /** So much of what is in quotes or brackets is kept. */
  readonly quoted: number;
  /** So many blanks, or digits, in one run. */
  readonly alike: number;
}

/** Texts that are run by EXEC, names and settings are seldom longer. */
const USUAL: Lengths = { quoted: 8_192, alike: 1_024 };

const TAB = 0x09;
const LOWER = 0x20;
const A = 0x61;
const F = 0x66;
const X = 0x78;

type Where = 'plain' | 'line' | 'block' | "'" | '"' | ']';
/** What the characters of a word so far may be: of a number in tens or sixteens the digits are alike. */
type Run = 'none' | 'zero' | 'tens' | 'sixteens' | 'word';

/**
 * Makes a text of T-SQL shorter that comes in pieces, so that `SqlWords` finds the same tokens in it, but for what is very long: texts
 * and names in quotes, numbers, blanks. Comments go.
 */
export class Shortener {
  #where: Where = 'plain';
  /** What cannot be told yet: the last character, which may be half of something. */
  #rest = '';
  /** Of the comment: others are in it. */
  #depth = 0;
  /** Of what is in quotes, how much has been kept. */
  #kept = 0;
  /** How many of the last characters are blanks, or digits of one number. */
  #alike = 0;
  #run: Run = 'none';
  readonly #lengths: Lengths;

  constructor(lengths = USUAL) {
    this.#lengths = lengths;
  }

  /** What becomes of the next piece. */
  add(piece: string): string {
    return this.#go(this.#rest + piece, false);
  }

  /** What becomes of the rest. */
  end(): string {
    return this.#go(this.#rest, true);
  }

  #go(text: string, isLast: boolean): string {
    const out: string[] = [];
    // One ahead can be seen from each.
    const end = isLast ? text.length : text.length - 1;
    let at = 0;
    while (at < end) {
      switch (this.#where) {
        case 'plain':
          at = this.#plain(text, at, end, out);
          break;
        case 'line':
          at = this.#line(text, at, end, out);
          break;
        case 'block':
          at = this.#block(text, at, end, out);
          break;
        default:
          at = this.#quoted(text, at, end, out, this.#where);
      }
    }
    this.#rest = text.slice(at);
    return out.join('');
  }

  #plain(text: string, from: number, end: number, out: string[]): number {
    let start = from;
    let at = from;
    for (; at < end; at += 1) {
      const code = text.charCodeAt(at);
      if (this.#isAlike(code)) {
        if (at > start) out.push(text.slice(start, at));
        start = at + 1;
        continue;
      }
      const opened = openedBy(code, text.charCodeAt(at + 1));
      if (opened === undefined) continue;
      this.#where = opened;
      this.#run = 'none';
      this.#alike = 0;
      this.#depth = 1;
      this.#kept = 0;
      if (opened === 'block') {
        // It stands between tokens as a blank does.
        out.push(text.slice(start, at), ' ');
        return at + 2;
      }
      const width = opened === 'line' ? 2 : 1;
      out.push(text.slice(start, at + width));
      return at + width;
    }
    out.push(text.slice(start, at));
    return at;
  }

  /** Whether it is one of many of its kind: one more or less changes nothing. */
  #isAlike(code: number): boolean {
    const before = this.#run;
    this.#run = runBehind(before, code);
    const isBlank = code === SPACE || code === NEWLINE || code === RETURN || code === TAB;
    const isCounted = isBlank || this.#run === 'tens' || this.#run === 'sixteens';
    this.#alike = isCounted && this.#run === before ? this.#alike + 1 : 0;
    return this.#alike > this.#lengths.alike;
  }

  /** Where it ends depends on the server if there is a carriage return alone: these are kept. */
  #line(text: string, from: number, end: number, out: string[]): number {
    for (let at = from; at < end; at += 1) {
      const code = text.charCodeAt(at);
      if (code !== NEWLINE && code !== RETURN) continue;
      out.push(text.charAt(at));
      const isOver = code === NEWLINE || text.charCodeAt(at + 1) !== NEWLINE;
      if (isOver) {
        this.#where = 'plain';
        return at + 1;
      }
    }
    return end;
  }

  #block(text: string, from: number, end: number, out: string[]): number {
    let at = from;
    while (at < end) {
      const code = text.charCodeAt(at);
      const next = text.charCodeAt(at + 1);
      const isOpening = code === SLASH && next === STAR;
      if (!isOpening && (code !== STAR || next !== SLASH)) {
        at += 1;
        continue;
      }
      at += 2;
      this.#depth += isOpening ? 1 : -1;
      if (this.#depth > 0) continue;
      this.#where = 'plain';
      out.push(' ');
      return at;
    }
    return at;
  }

  #quoted(text: string, from: number, end: number, out: string[], close: string): number {
    const found = text.indexOf(close, from);
    if (found < 0 || found >= end) {
      this.#keep(text, from, end, out);
      return end;
    }
    const isDoubled = text.charAt(found + 1) === close;
    this.#keep(text, from, isDoubled ? found + 2 : found, out);
    if (isDoubled) return found + 2;
    out.push(close);
    this.#where = 'plain';
    return found + 1;
  }

  /** Nothing of what is in quotes is cut in half that stands for one character. */
  #keep(text: string, from: number, to: number, out: string[]): void {
    const room = this.#lengths.quoted - this.#kept;
    if (room < 0) return;
    this.#kept += to - from;
    if (to - from <= room) out.push(text.slice(from, to));
    else {
      // A pair of quotes comes last, and is never kept in half.
      out.push(text.slice(from, from + Math.max(0, Math.min(room, to - from - 2))), SHORTENED);
      this.#kept = Infinity;
    }
  }
}

/** As `SqlWords` has it: a number ends before the first character that can be none of its digits. */
function runBehind(run: Run, code: number): Run {
  if (!isWordCode(code) && code < ASCII) return 'none';
  const isDigit = code >= ZERO && code <= NINE;
  const lower = code | LOWER;
  switch (run) {
    case 'none':
      return code === ZERO ? 'zero' : isDigit ? 'tens' : 'word';
    case 'zero':
      return lower === X ? 'sixteens' : isDigit ? 'tens' : 'word';
    case 'tens':
      return isDigit ? 'tens' : 'word';
    case 'sixteens':
      return isDigit || (lower >= A && lower <= F) ? 'sixteens' : 'word';
    case 'word':
      return 'word';
  }
}

function openedBy(code: number, next: number): Exclude<Where, 'plain'> | undefined {
  switch (code) {
    case QUOTE:
      return "'";
    case DOUBLE_QUOTE:
      return '"';
    case OPEN_BRACKET:
      return ']';
    case DASH:
      return next === DASH ? 'line' : undefined;
    case SLASH:
      return next === STAR ? 'block' : undefined;
    default:
      return undefined;
  }
}
