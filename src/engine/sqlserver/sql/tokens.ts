import type { SqlWords, Token } from './sql-words.ts';

/** A name of several parts, the last one being what it names. */
export interface DottedName {
  readonly parts: readonly string[];
  readonly last: string;
}

/** The tokens of a text, with a look ahead. */
export class Tokens {
  readonly #words: Pick<SqlWords, 'next'>;
  readonly #heard: (token: Token) => void;
  readonly #ahead: (Token | undefined)[] = [];
  #current: Token | undefined;
  #before: Token | undefined;

  /** @param heard is told of each token that has been gone past */
  constructor(words: Pick<SqlWords, 'next'>, heard: (token: Token) => void) {
    this.#words = words;
    this.#heard = heard;
  }

  /** What comes next, or so many places behind it; undefined behind the end. */
  peek(offset = 0): Token | undefined {
    while (this.#ahead.length <= offset) this.#ahead.push(this.#words.next());
    return this.#ahead[offset];
  }

  next(): Token | undefined {
    const token = this.peek();
    this.#ahead.shift();
    if (token === undefined) return undefined;
    this.#before = this.#current;
    this.#current = token;
    this.#heard(token);
    return token;
  }

  /** The token before the one that was gone past last. */
  get before(): Token | undefined {
    return this.#before;
  }

  isWord(words: string | readonly string[], offset = 0): boolean {
    const token = this.peek(offset);
    if (token?.kind !== 'word') return false;
    return typeof words === 'string' ? token.text === words : words.includes(token.text);
  }

  isMark(mark: string, offset = 0): boolean {
    return isMark(this.peek(offset), mark);
  }

  /** Goes past one of these words, if it comes next. */
  take(...words: readonly string[]): boolean {
    if (!this.isWord(words)) return false;
    this.next();
    return true;
  }

  takeMark(mark: string): boolean {
    if (!this.isMark(mark)) return false;
    this.next();
    return true;
  }

  /** Goes past these words, if all of them come next. */
  takeAll(...words: readonly string[]): boolean {
    if (!words.every((word, at) => this.isWord(word, at))) return false;
    for (const _ of words) this.next();
    return true;
  }

  /** `a`, `[a].b`, `a..b`, `"a".b.c`; undefined where no name comes next. */
  takeName(): DottedName | undefined {
    const parts: string[] = [];
    while (this.isMark('.')) this.next();
    for (;;) {
      const token = this.peek();
      if (token === undefined || !isNaming(token)) break;
      parts.push(token.raw);
      this.next();
      if (!this.isMark('.')) break;
      while (this.isMark('.')) this.next();
    }
    const last = parts.at(-1);
    return last === undefined ? undefined : { parts, last };
  }
}

export function isMark(token: Token | undefined, mark: string): boolean {
  return token?.kind === 'mark' && token.text === mark;
}

/** It may be a name. */
export function isNaming({ kind }: Token): boolean {
  return kind === 'word' || kind === 'name' || kind === 'quoted';
}
