import { Shortener, SHORTENED } from './shortener.ts';
import type { Token } from './sql-words.ts';
import { SqlWords } from './sql-words.ts';

/** A token that ends so close to where the text ends for now may be a part of another one. */
const MARGIN = 256;
/** What the server would not take for a token either. */
const LONGEST_TOKEN = 65_536;

/**
 * The tokens of a text that comes in pieces, each as soon as it is whole. What is long in it is shortened, so that little is kept of
 * it: the values of an INSERT may be of any length.
 */
export class LongWords {
  readonly #shortener = new Shortener();
  #words = new SqlWords('');
  /** What `#words` reads, and how far that has come. */
  #text = '';
  #at = 0;
  readonly #ready: Token[] = [];
  /** There is more to come before anything can be read. */
  #isDry = false;
  #isOver = false;
  #isDoubtful = false;

  get isDoubtful(): boolean {
    return this.#isDoubtful;
  }

  add(piece: string): void {
    this.#readOn(this.#shortener.add(piece));
  }

  end(): void {
    this.#readOn(this.#shortener.end());
    this.#isOver = true;
  }

  #readOn(more: string): void {
    const text = this.#text.slice(this.#at) + more;
    const isTooLong = text.length > more.length + LONGEST_TOKEN;
    if (isTooLong) this.#isDoubtful = true;
    this.#text = isTooLong ? '' : text;
    this.#at = 0;
    this.#isDry = false;
    this.#words = new SqlWords(this.#text);
  }

  /** Whether so many more are there. */
  has(count: number): boolean {
    while (this.#ready.length < count) {
      const token = this.#read();
      if (token === undefined) return false;
      this.#ready.push(token);
    }
    return true;
  }

  /** Who asks for more than `has` has told of loses the thread: nobody knows what the text does. */
  next(): Token | undefined {
    const token = this.#ready.shift() ?? this.#read();
    if (token === undefined && !this.#isOver) this.#isDoubtful = true;
    return token;
  }

  #read(): Token | undefined {
    if (this.#isDry) return undefined;
    const words = this.#words;
    const token = words.next();
    const { at } = words;
    if (!this.#isOver && (token === undefined || at + MARGIN > this.#text.length)) {
      // It is read again, when there is more.
      this.#isDry = true;
      return undefined;
    }
    this.#at = at;
    this.#isDoubtful ||= words.isDoubtful;
    return token;
  }
}

/** Not all that it says is there. */
export function isShortened({ raw }: Token): boolean {
  return raw.includes(SHORTENED);
}
