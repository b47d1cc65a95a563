import { latin1 } from '../../../base/bytes.ts';
import type { Dialect } from './dialect.ts';
import type { Leftover } from './effects.ts';
import type { Findings } from './findings.ts';
import { isKnownWord } from './known-words.ts';
import { lockName } from './names.ts';
import type { Token } from './tokens.ts';
import { words } from './word-list.ts';

/** Functions that ask for what the statement before has left behind. */
const askingFunctions: ReadonlyMap<string, Leftover> = new Map<string, Leftover>([
  ['row_count', 'rowCount'],
  ['found_rows', 'foundRows'],
]);
const askingVariables: ReadonlyMap<string, Leftover> = new Map<string, Leftover>([
  ['last_insert_id', 'lastInsertId'],
  ['identity', 'lastInsertId'],
  ['warning_count', 'diagnostics'],
  ['error_count', 'diagnostics'],
]);
/** Functions whose locks have names that only the server keeps: the locking service's, and those of version tokens. */
const serviceLocks = words(
  'service_get_read_locks service_get_write_locks version_tokens_lock_shared version_tokens_lock_exclusive',
);
const lockFunctions = words('get_lock release_lock release_all_locks');

/** The words of a statement that runs each of its functions once, whatever happens. */
const plainWords: ReadonlySet<string> = words(
  'select do set as from dual sql_no_cache true false null is_free_lock is_used_lock get_lock ' +
    'release_lock release_all_locks',
);
/** What may stand between INSERT and its table, and between INTO and one. */
const insertWords = words('insert replace into ignore low_priority high_priority delayed table');
/** In these, user variables get values wherever they stand. */
const assigning = words('load call execute get fetch');
/** In these, names before parentheses are of columns, keys and types up to the first SELECT. */
const defining = words('create alter drop grant revoke');
/** In these, what is behind a name's `@` may be a host. */
const administering = words('grant revoke create alter drop rename show set kill');

/** Of a statement. */
const MAX_LOCKS = 256;

interface Call {
  readonly name: string;
  /** A part of what is selected or set, not of an expression. */
  readonly isTop: boolean;
  readonly first: Token | undefined;
}

/** Hears the tokens of one statement, and finds what matters wherever it stands. */
export class Mentions {
  readonly #findings: Findings;
  readonly #dialect: Dialect;
  #opening = '';
  #previous: Token | undefined;
  #beforePrevious: Token | undefined;
  #depth = 0;
  #isPlain = true;
  /** Behind INTO: variables get values. */
  #isInto = false;
  /** A table's name comes, or has come; what is in parentheses behind it are columns. */
  #table: 'none' | 'expected' | 'named' = 'none';
  #isDefining = false;
  #call: Call | undefined;
  readonly #locks: { readonly call: Call; readonly second: Token | undefined }[] = [];

  constructor(findings: Findings, dialect: Dialect) {
    this.#findings = findings;
    this.#dialect = dialect;
  }

  hear(token: Token): void {
    if (this.#call !== undefined) this.#argue(this.#call, token);
    switch (token.kind) {
      case 'word':
        this.#word(token.text);
        break;
      case 'name':
        if (!this.#isAlias()) this.#isPlain = false;
        if (this.#previous?.text === '.') this.#askForVariable(token.text);
        this.#passTable();
        break;
      case 'variable':
        this.#variable(token.text);
        break;
      case 'system':
        this.#askForVariable(token.text);
        break;
      case 'mark':
        this.#mark(token.text);
        break;
      default:
    }
    this.#beforePrevious = this.#previous;
    this.#previous = token;
  }

  /** The statement is over. */
  end(): void {
    if (this.#call !== undefined) this.#argue(this.#call, undefined);
    if (this.#call !== undefined) this.#argue(this.#call, undefined);
    for (const { call, second } of this.#locks) this.#lock(call, second);
  }

  #word(word: string): void {
    if (this.#previous === undefined) this.#begin(word);
    if (this.#isInto && word !== 'into') this.#isInto = false;
    if (word === 'into') this.#isInto = true;
    if (word === 'select' || word === 'values') this.#isDefining = false;
    if (word === 'sql_calc_found_rows') this.#findings.calculatesFoundRows = true;
    if (!plainWords.has(word) && !this.#isAlias()) this.#isPlain = false;
    if (word === 'into') this.#table = 'expected';
    else if (!insertWords.has(word)) this.#passTable();
    if (this.#dialect.isMariadb && word === 'value' && this.#previous?.text === 'next')
      this.#findings.pin('sequence');
  }

  #begin(word: string): void {
    this.#opening = word;
    this.#isDefining = defining.has(word);
    if (word === 'insert' || word === 'replace') this.#table = 'expected';
  }

  /** A name that is given to what is selected. */
  #isAlias(): boolean {
    return this.#previous?.kind === 'word' && this.#previous.text === 'as';
  }

  #passTable(): void {
    this.#table = this.#table === 'expected' ? 'named' : 'none';
  }

  #variable(name: string): void {
    const before = this.#previous;
    const isUser =
      before?.kind === 'string' ||
      before?.kind === 'name' ||
      (before?.kind === 'word' && !isKnownWord(before.text, this.#dialect));
    if (isUser && administering.has(this.#opening)) return;
    this.#findings.usesUserVariables = true;
    if (this.#isInto || assigning.has(this.#opening)) this.#assign(name);
  }

  #assign(name: string): void {
    this.#findings.assign(name);
    this.#findings.awsPin('userVariable');
  }

  #askForVariable(name: string): void {
    const leftover = askingVariables.get(name.toLowerCase());
    if (leftover !== undefined) this.#findings.askFor(leftover);
  }

  #mark(mark: string): void {
    const [before, last] = [this.#beforePrevious, this.#previous];
    if (mark === '=' && last?.text === ':' && before?.kind === 'variable')
      this.#assign(before.text);
    if (mark === '&' || mark === '|') this.#isPlain = false;
    if (mark === '(') this.#openParenthesis();
    if (mark === ')') this.#depth -= 1;
    if (mark === '.' && this.#table === 'named') this.#table = 'expected';
    else this.#table = 'none';
    if (mark !== ',' && mark !== '(') this.#isInto = false;
  }

  #openParenthesis(): void {
    const name = this.#previous;
    if (
      (name?.kind === 'word' || name?.kind === 'name') &&
      this.#table !== 'named' &&
      !this.#isDefining
    ) {
      const isTop = this.#depth === 0 && this.#beforePrevious?.text !== '.';
      this.#called(name, isTop);
    }
    this.#depth += 1;
  }

  #called(token: Token, isTop: boolean): void {
    const name = token.raw.toLowerCase();
    const isQualified = this.#beforePrevious?.text === '.';
    if (token.kind === 'name' || isQualified || !isKnownWord(name, this.#dialect))
      this.#findings.mayRunRoutines = true;
    const leftover = askingFunctions.get(name);
    if (leftover !== undefined) {
      this.#findings.askFor(leftover);
      this.#findings.awsPin('previousStatement');
    }
    if (serviceLocks.has(name)) this.#findings.pin('hiddenState');
    if (name === 'nextval' && this.#dialect.isMariadb) this.#findings.pin('sequence');
    if (lockFunctions.has(name) || name === 'last_insert_id')
      this.#call = { name, isTop, first: undefined };
  }

  /** The first two tokens behind a function's parenthesis tell what there is to know. */
  #argue(call: Call, token: Token | undefined): void {
    const isFirst = call.first === undefined;
    if (call.name === 'last_insert_id') {
      if (token?.text === ')') this.#findings.askFor('lastInsertId');
      else this.#findings.setsLastInsertId = true;
      this.#call = undefined;
    } else if (isFirst && token !== undefined && call.name !== 'release_all_locks') {
      this.#call = { ...call, first: token };
    } else {
      this.#call = undefined;
      if (this.#locks.length === MAX_LOCKS) this.#findings.doubt();
      else this.#locks.push({ call, second: token });
    }
  }

  #lock({ name, isTop, first }: Call, second: Token | undefined): void {
    const closing = name === 'get_lock' ? ',' : ')';
    const said = first?.kind === 'string' && second?.text === closing ? first.said : undefined;
    const lock = lockName(said && latin1(said), this.#dialect);
    // Once for each row, or not at all.
    const isOnce = this.#isPlain && ['select', 'do', 'set'].includes(this.#opening);
    if (name === 'get_lock') {
      this.#findings.tie({
        does: 'takes',
        reason: 'sessionLock',
        name: isOnce ? lock : undefined,
      });
    } else if (isOnce && isTop && name === 'release_all_locks') {
      this.#findings.tie({ does: 'dropsAll', reason: 'sessionLock' });
    } else if (isOnce && isTop && lock !== undefined && name === 'release_lock') {
      this.#findings.tie({ does: 'drops', reason: 'sessionLock', name: lock });
    }
  }
}
