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
/** A word, a literal or a mark of a text. */
export interface Token {
  /**
   * Bare words may be keywords; a `name` is in brackets. What is in double quotes is a name or a text, as QUOTED_IDENTIFIER has it; it ends at
   * the same place either way. A `variable` has its @, a `system` function both of its own.
   */
  readonly kind: 'word' | 'name' | 'quoted' | 'string' | 'number' | 'variable' | 'system' | 'mark';
  /** Of words in ASCII and of what begins with an @ in lower case; what strings and names say, without their quotes. */
  readonly text: string;
  /** As it is written; of strings and names what they say. */
  readonly raw: string;
  /** Whitespace or a comment comes before it. */
  readonly isSpaced: boolean;
}

const DOT = 0x2e;
const AT = 0x40;

/** Letters of Unicode, digits and marks on letters: whatever else is beyond ASCII counts as whitespace, as some of it is. */
const letter = /[\p{L}\p{N}\p{M}]/u;
const number = /0x[0-9a-f]*|(?:\d+\.?\d*|\.\d+)(?:e[-+]?\d+)?/iy;
/** What may stand right behind a number: `THEN 1ELSE`. With an `e` it could be a part of it as well: `1e LSE`. */
const harmlessTails: readonly string[] = ['else', 'end'];

const wordCodes = new Uint8Array(ASCII);
for (const character of 'abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_@#$')
  wordCodes[character.charCodeAt(0)] = 1;

/** Cuts a text of T-SQL into tokens, comments left out. Every text can be cut; what the server would refuse in some way. */
export class SqlWords {
  readonly #text: string;
  #at = 0;
  #isSpaced = false;
  #isDoubtful = false;
  /** The word that `#wordEnd` has seen is. */
  #isAscii = true;

  constructor(text: string) {
    this.#text = text;
  }

  /** There are places that another reader could see otherwise. */
  get isDoubtful(): boolean {
    return this.#isDoubtful;
  }

  /** How far it has been read. */
  get at(): number {
    return this.#at;
  }

  /** The next token; undefined at the end. */
  next(): Token | undefined {
    this.#skip();
    if (this.#at >= this.#text.length) return undefined;
    const code = this.#text.charCodeAt(this.#at);
    switch (code) {
      case QUOTE:
        return this.#delimited('string', "'", 1);
      case DOUBLE_QUOTE:
        return this.#delimited('quoted', '"', 1);
      case OPEN_BRACKET:
        return this.#delimited('name', ']', 1);
      default:
    }
    if (isDigit(code) || (code === DOT && isDigit(this.#text.charCodeAt(this.#at + 1))))
      return this.#number();
    if (isWordCode(code) || code >= ASCII) return this.#word(code);
    const mark = this.#text.charAt(this.#at);
    return this.#told('mark', mark, mark, this.#at + 1);
  }

  #told(kind: Token['kind'], text: string, raw: string, end: number): Token {
    const isSpaced = this.#isSpaced;
    this.#isSpaced = false;
    this.#at = end;
    return { kind, text, raw, isSpaced };
  }

  /** Whitespace and comments. */
  #skip(): void {
    const text = this.#text;
    for (;;) {
      const code = text.charCodeAt(this.#at);
      if (code === DASH && text.charCodeAt(this.#at + 1) === DASH) this.#skipLine();
      else if (code === SLASH && text.charCodeAt(this.#at + 1) === STAR) this.#skipBlock();
      else if (isSpace(code)) {
        // Nobody knows where a server stops reading.
        if (code === 0) this.#isDoubtful = true;
        this.#at += 1;
      } else return;
      this.#isSpaced = true;
    }
  }

  /** Whether a carriage return alone ends a comment depends on the server. */
  #skipLine(): void {
    const text = this.#text;
    let at = this.#at + 2;
    for (; at < text.length; at += 1) {
      const code = text.charCodeAt(at);
      if (code === NEWLINE) break;
      if (code !== RETURN || text.charCodeAt(at + 1) === NEWLINE) continue;
      this.#isDoubtful = true;
      break;
    }
    this.#at = at;
  }

  /** Comments of this kind may hold others. */
  #skipBlock(): void {
    const text = this.#text;
    let depth = 1;
    let at = this.#at + 2;
    while (depth > 0 && at < text.length) {
      const code = text.charCodeAt(at);
      const next = text.charCodeAt(at + 1);
      const isOpening = code === SLASH && next === STAR;
      if (isOpening || (code === STAR && next === SLASH)) {
        depth += isOpening ? 1 : -1;
        at += 2;
      } else at += 1;
    }
    this.#at = Math.min(at, text.length);
  }

  /** @param from how far behind the token's beginning its content begins */
  #delimited(kind: Token['kind'], close: string, from: number): Token {
    const text = this.#text;
    const start = this.#at + from;
    let isDoubled = false;
    let end = text.indexOf(close, start);
    while (end >= 0 && text.charAt(end + 1) === close) {
      isDoubled = true;
      end = text.indexOf(close, end + 2);
    }
    if (end < 0) end = text.length;
    const content = text.slice(start, end);
    const single = isDoubled ? content.replaceAll(close + close, close) : content;
    // A backslash at the end of a line is none, and nor is the line's end.
    const said = single.includes('\\') ? single.replaceAll(/\\\r?\n/g, '') : single;
    return this.#told(kind, said, said, Math.min(text.length, end + 1));
  }

  #number(): Token {
    number.lastIndex = this.#at;
    const raw = number.exec(this.#text)?.[0] ?? this.#text.charAt(this.#at);
    const end = this.#at + raw.length;
    if ((this.#text.charCodeAt(end) | SPACE) === 0x65) this.#mindTail(end);
    return this.#told('number', raw.toLowerCase(), raw, end);
  }

  #mindTail(at: number): void {
    const tail = this.#text.slice(at, this.#wordEnd(at)).toLowerCase();
    if (tail !== 'e' && !harmlessTails.includes(tail)) this.#isDoubtful = true;
  }

  #word(first: number): Token {
    const text = this.#text;
    const end = this.#wordEnd(this.#at);
    const isNational = first === 0x4e || first === 0x6e;
    if (isNational && end === this.#at + 1 && text.charCodeAt(end) === QUOTE)
      return this.#delimited('string', "'", 2);
    const raw = text.slice(this.#at, end);
    // Letters beyond ASCII are in no keyword, even where they look like it.
    const shown = this.#isAscii ? raw.toLowerCase() : raw;
    if (first !== AT) return this.#told('word', shown, raw, end);
    const isSystem = text.charCodeAt(this.#at + 1) === AT;
    return this.#told(isSystem ? 'system' : 'variable', shown, raw, end);
  }

  #wordEnd(start: number): number {
    const text = this.#text;
    this.#isAscii = true;
    let at = start;
    for (; at < text.length; at += 1) {
      const code = text.charCodeAt(at);
      if (isWordCode(code)) continue;
      if (code < ASCII || !isLetter(code)) break;
      this.#isAscii = false;
    }
    return at;
  }
}

function isDigit(code: number): boolean {
  return code >= ZERO && code <= NINE;
}

/** A character of words, in ASCII. */
export function isWordCode(code: number): boolean {
  return code < ASCII && wordCodes[code] === 1;
}

function isLetter(code: number): boolean {
  return letter.test(String.fromCharCode(code));
}

/** Not of NaN, the end. */
function isSpace(code: number): boolean {
  return code <= SPACE || code === 0x7f || (code >= ASCII && !isLetter(code));
}
