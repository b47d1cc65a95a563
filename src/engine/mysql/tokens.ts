/** A token of a statement. */
export interface Token {
  readonly kind: 'word' | 'name' | 'string' | 'number' | 'variable' | 'system' | 'mark';
  /** Of a bare word in lower case, of a name as it is written, of a string empty. */
  readonly text: string;
  /** As it is written. */
  readonly raw: string;
  /** What a string says, if it is not too long. */
  readonly said: Uint8Array | undefined;
}

/** Reads the tokens of one statement. What is no valid statement may be read in any way: nothing comes of it. */
export class Tokens {
  readonly #tokens: readonly Token[];
  #at: number;

  constructor(tokens: readonly Token[], at = 0) {
    this.#tokens = tokens;
    this.#at = at;
  }

  get isOver(): boolean {
    return this.#at >= this.#tokens.length;
  }

  peek(ahead = 0): Token | undefined {
    return this.#tokens[this.#at + ahead];
  }

  next(): Token | undefined {
    this.#at += 1;
    return this.#tokens[this.#at - 1];
  }

  isWord(...words: readonly string[]): boolean {
    const token = this.peek();
    return token?.kind === 'word' && words.includes(token.text);
  }

  isMark(mark: string, ahead = 0): boolean {
    const token = this.peek(ahead);
    return token?.kind === 'mark' && token.text === mark;
  }

  /** One of the words, if it is there. */
  take(...words: readonly string[]): boolean {
    const isThere = this.isWord(...words);
    if (isThere) this.#at += 1;
    return isThere;
  }

  /** These words in a row, if they are there. */
  takeAll(...words: readonly string[]): boolean {
    const areThere = words.every((word, index) => {
      const token = this.peek(index);
      return token?.kind === 'word' && token.text === word;
    });
    if (areThere) this.#at += words.length;
    return areThere;
  }

  takeMark(mark: string): boolean {
    const isThere = this.isMark(mark);
    if (isThere) this.#at += 1;
    return isThere;
  }

  /** `=` or `:=`. */
  takeAssignment(): boolean {
    if (this.isMark(':') && this.isMark('=', 1)) this.#at += 1;
    return this.takeMark('=');
  }

  /** A name, bare or not. */
  takeName(): string | undefined {
    const token = this.peek();
    if (token?.kind !== 'word' && token?.kind !== 'name') return undefined;
    this.#at += 1;
    return token.raw;
  }

  /** On to the next comma outside of parentheses, and behind it; false if there is none. */
  skipToComma(): boolean {
    let depth = 0;
    while (!this.isOver) {
      const token = this.next();
      if (token?.kind !== 'mark') continue;
      if (token.text === '(') depth += 1;
      else if (token.text === ')') depth -= 1;
      else if (token.text === ',' && depth === 0) return true;
    }
    return false;
  }
}
