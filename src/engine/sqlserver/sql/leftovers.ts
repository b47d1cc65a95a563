import type { Token } from './sql-words.ts';

type Verb = 'select' | 'insert' | 'update' | 'delete' | 'merge' | 'execute' | 'fetch';

/** Statements that leave a count of rows behind. */
const verbs: ReadonlyMap<string, Verb> = new Map<string, Verb>([
  ['select', 'select'],
  ['insert', 'insert'],
  ['update', 'update'],
  ['delete', 'delete'],
  ['merge', 'merge'],
  ['exec', 'execute'],
  ['execute', 'execute'],
  ['fetch', 'fetch'],
]);
/** Behind these, a verb goes on with its statement. */
const joints: Readonly<Record<Verb, readonly string[]>> = {
  select: ['union', 'all', 'except', 'intersect', 'for'],
  insert: ['then'],
  update: ['then', 'on', 'for'],
  delete: ['then', 'on'],
  merge: ['inner', 'left', 'right', 'full', 'outer'],
  execute: ['with'],
  fetch: [],
};
/** They begin a statement of another kind, and so end the one before. */
const others: ReadonlySet<string> = new Set(
  (
    'alter begin close commit create dbcc deallocate declare drop goto if open print raiserror return ' +
    'rollback save throw truncate use waitfor while'
  ).split(' '),
);

const functions: ReadonlyMap<string, 'identity' | 'rows'> = new Map([
  ['@@identity', 'identity'],
  ['@@rowcount', 'rows'],
  ['@@error', 'rows'],
  ['scope_identity', 'identity'],
  ['rowcount_big', 'rows'],
]);

/**
 * Whether a text asks for what another one has left behind: an identity before it has inserted anything, a count or an error before
 * it has run anything. Where its statements end is a guess: a session that asks only seems to is none the worse for it.
 */
export class Leftovers {
  /** Asked for. */
  areWanted = false;
  isIdentityWanted = false;
  readonly #seesIdentity: boolean;
  #verb: Verb | undefined;
  /** It is an INSERT whose SELECT or EXEC has not come. */
  #awaitsSource = false;
  #hasSet = false;
  /** It is a SET: what is behind its ON is another one. */
  #isSet = false;
  #hasRun = false;
  #hasInserted = false;
  #parentheses = 0;
  #cases = 0;
  #previous: Token | undefined;

  /** @param isBatch the text is a batch: SCOPE_IDENTITY() of other texts is their own */
  constructor(isBatch: boolean) {
    this.#seesIdentity = isBatch;
  }

  /** Of the statement at hand. */
  get verb(): Verb | undefined {
    return this.#verb;
  }

  hear(token: Token): void {
    if (token.kind === 'mark') this.#mark(token.text);
    else if (token.kind === 'system') this.#ask(functions.get(token.text));
    else if (token.kind === 'word') this.#word(token.text);
    this.#previous = token;
  }

  #mark(mark: string): void {
    const previous = this.#previous;
    if (mark === '(') {
      this.#parentheses += 1;
      if (previous?.kind !== 'word') return;
      const isIdentity = previous.text === 'scope_identity';
      if (!isIdentity || this.#seesIdentity) this.#ask(functions.get(previous.text));
    } else if (mark === ')') this.#parentheses = Math.max(0, this.#parentheses - 1);
    else if (mark === ';') this.#end();
  }

  #ask(what: 'identity' | 'rows' | undefined): void {
    if (what === 'identity' && !this.#hasInserted) {
      this.areWanted = true;
      this.isIdentityWanted = true;
    }
    if (what === 'rows' && !this.#hasRun) this.areWanted = true;
  }

  #word(word: string): void {
    if (word === 'case') this.#cases += 1;
    else if (word === 'end' && this.#cases > 0) this.#cases -= 1;
    else if (word === 'end' || (word === 'else' && this.#cases === 0)) this.#end();
    else if (word === 'values') this.#awaitsSource = false;
    else if (word === 'set') this.#set();
    else if (this.#parentheses > 0) return;
    else if (others.has(word)) this.#end();
    const verb = verbs.get(word);
    if (verb !== undefined && this.#parentheses === 0) this.#begin(verb);
  }

  #set(): void {
    const isPart = (this.#verb === 'update' || this.#verb === 'merge') && !this.#hasSet;
    if (!isPart) this.#end();
    this.#isSet = !isPart;
    this.#hasSet = true;
  }

  #begin(verb: Verb): void {
    const before = this.#previous;
    if (before?.kind === 'word' && !this.#isSet && joints[verb].includes(before.text)) return;
    if (this.#awaitsSource && (verb === 'select' || verb === 'execute')) {
      this.#awaitsSource = false;
      return;
    }
    this.#end();
    this.#verb = verb;
    this.#isSet = false;
    this.#awaitsSource = verb === 'insert';
  }

  #end(): void {
    const verb = this.#verb;
    if (verb === undefined) return;
    this.#hasRun = true;
    if (verb === 'insert' || verb === 'merge' || verb === 'execute') this.#hasInserted = true;
    this.#verb = undefined;
    this.#awaitsSource = false;
    this.#hasSet = false;
  }
}
