import type { Token } from './tokens.ts';
import { words } from './word-list.ts';

/** What CREATE and ALTER are about; of these, a body follows. */
const withBody: ReadonlySet<string> = new Set([
  'procedure',
  'function',
  'trigger',
  'event',
  'package',
]);
const withoutBody: ReadonlySet<string> = words(
  'table view database schema index user role server sequence temporary tablespace logfile ' +
    'undo instance catalog spatial unique fulltext resource library online ignore offline',
);
/** END IF and the like end what no word that is counted has begun. */
const uncounted: ReadonlySet<string> = new Set(['if', 'loop', 'repeat', 'while', 'for']);

/**
 * Whether a statement is a routine's definition, and where that ends: what is in it happens when it is called. Semicolons
 * stand between BEGIN and END.
 */
export class RoutineWatch {
  #state: 'unknown' | 'no' | 'definition' = 'unknown';
  #depth = 0;
  #previous: Token | undefined;
  #hasInner = false;

  /** The statement is a routine's definition, as far as it has been heard. */
  get isDefinition(): boolean {
    return this.#state === 'definition';
  }

  /** A semicolon at this place ends the statement. */
  get isAtEnd(): boolean {
    this.#endWord(undefined);
    return this.#depth <= 0;
  }

  /** The text is over; nobody can say whether a statement was behind the definition. */
  get isDoubtful(): boolean {
    return this.isDefinition && this.#hasInner && !this.isAtEnd;
  }

  hear(token: Token): void {
    const word = token.kind === 'word' ? token.text : '';
    if (this.#state === 'unknown') this.#judge(word);
    if (this.#state === 'definition') {
      this.#endWord(word);
      const isCaseEnd = this.#previous?.kind === 'word' && this.#previous.text === 'end';
      if (word === 'begin' || (word === 'case' && !isCaseEnd)) this.#depth += 1;
      if (token.kind === 'mark' && token.text === ';') this.#hasInner = true;
    }
    this.#previous = token;
  }

  #judge(word: string): void {
    if (this.#previous === undefined) {
      if (word !== 'create' && word !== 'alter') this.#state = 'no';
    } else if (this.#previous.text === '=') return; // DEFINER = event@host
    else if (withBody.has(word)) this.#state = 'definition';
    else if (withoutBody.has(word)) this.#state = 'no';
  }

  /** An END has been before `word`. */
  #endWord(word: string | undefined): void {
    const isEnd = this.#previous?.kind === 'word' && this.#previous.text === 'end';
    if (!isEnd) return;
    if (word === undefined || !uncounted.has(word)) this.#depth -= 1;
    if (word === undefined) this.#previous = undefined;
  }
}
