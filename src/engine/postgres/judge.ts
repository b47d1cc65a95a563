import type { PinReason } from '../../core/pin.ts';
import { ConfigCall } from './config-call.ts';
import type { Effects, NameUse, Touch } from './effects.ts';
import type { SetToken } from './set-statement.ts';
import { readSet } from './set-statement.ts';
import { nameAsBytes } from './sql-names.ts';
import type { WordVisitor } from './sql-words.ts';

/** Functions that leave something behind, wherever they are called: a mention is taken for a call. */
export const functions: ReadonlyMap<string, PinReason> = new Map<string, PinReason>([
  ['nextval', 'sequence'],
  ['setval', 'sequence'],
  ['pg_advisory_lock', 'sessionLock'],
  ['pg_advisory_lock_shared', 'sessionLock'],
  ['pg_try_advisory_lock', 'sessionLock'],
  ['pg_try_advisory_lock_shared', 'sessionLock'],
  ['setseed', 'hiddenState'],
  // A named connection to another database, a base backup, a replication origin, a replication slot that may be temporary.
  ['dblink_connect', 'hiddenState'],
  ['dblink_connect_u', 'hiddenState'],
  ['pg_backup_start', 'hiddenState'],
  ['pg_start_backup', 'hiddenState'],
  ['pg_replication_origin_session_setup', 'hiddenState'],
  ['pg_create_physical_replication_slot', 'hiddenState'],
  ['pg_create_logical_replication_slot', 'hiddenState'],
  ['pg_copy_physical_replication_slot', 'hiddenState'],
  ['pg_copy_logical_replication_slot', 'hiddenState'],
  // These run a text that they are given.
  ['query_to_xml', 'hiddenState'],
  ['query_to_xml_and_xmlschema', 'hiddenState'],
  ['ts_stat', 'hiddenState'],
  ['ts_rewrite', 'hiddenState'],
]);

export const unlocks: readonly string[] = [
  'pg_advisory_unlock',
  'pg_advisory_unlock_shared',
  'pg_advisory_unlock_all',
];

export const sequenceReaders: readonly string[] = ['currval', 'lastval'];

/** The name of every session's own temporary schema begins so. */
export const TEMPORARY_SCHEMA = 'pg_temp';
/** And so do the names of the view and the functions that list prepared statements. */
export const STATEMENT_LIST = 'pg_prepared_statement';

/** What comes before TEMP and TEMPORARY where they make an object temporary. */
const temporaryAfter = new Set(['create', 'replace', 'global', 'local', 'into']);
/** What may come before EXECUTE where it does not begin its statement, yet names a prepared one. */
const executeAfter = new Set(['explain', 'analyze', 'verbose', 'as', ')']);
const transactionWords = new Set([
  'begin',
  'start',
  'commit',
  'end',
  'rollback',
  'abort',
  'savepoint',
  'release',
]);

/** Keywords that may stand where a name does, or be one. */
const maybeNot = { prepare: 'transaction', execute: '', deallocate: 'prepare' } as const;
const ASCII = /^[ -~]+$/;
const SEMICOLON = 0x3b;
const CLOSE_PARENTHESIS = 0x29;
/** So many tokens tell what a SET sets; more belong to its value. */
const SET_TOKENS = 16;

/** Hears a text's words and gathers its effects. */
export class Judge implements WordVisitor {
  readonly #textOf: ((start: number, end: number) => string) | undefined;
  readonly #config: ConfigCall;
  readonly #touches: Touch[] = [];
  readonly #pins = new Set<PinReason>();
  readonly #awsPins = new Set<PinReason>();
  readonly #releases = new Set<PinReason>();
  readonly #names: NameUse[] = [];
  /** Those of the statement at hand, whose end is not known yet. */
  #namesHere: Omit<NameUse, 'statementStart' | 'statementEnd'>[] = [];
  #resets: Effects['resets'] = 'none';
  #hidden: Effects['hidden'] = 'none';
  #isLocal = false;
  #readsSequences = false;
  #listsStatements = false;
  #isTransactional = false;
  /** DO or CALL: there is more to this text than its words. */
  #isOpaque = false;
  /** The first word of the statement at hand, its number of tokens, and the token just before. */
  #opening = '';
  #statementAt = 0;
  #tokens = 0;
  #previous = '';
  /** The next word names a prepared statement. */
  #naming: NameUse['verb'] | undefined;
  /** A word that is a name only if nothing else follows that would be. */
  #maybeName: Omit<NameUse, 'statementStart' | 'statementEnd'> | undefined;
  /** The options of DECLARE are over. */
  #pastOptions = false;
  /** The first tokens of a SET or RESET. */
  #setting: SetToken[] | undefined;

  /** `textOf` gives a part of the text; undefined where the text comes in pieces, and what it says exactly is not to be known. */
  constructor(textOf?: (start: number, end: number) => string) {
    this.#textOf = textOf;
    this.#config = new ConfigCall((verdict) => this.#configure(verdict));
  }

  /** To be asked once, at the end. `isSuspicious` is asked only where the words do not show all. */
  effects(textEnd: number, isSuspicious: () => boolean, digest: string): Effects | undefined {
    this.#endStatement(textEnd);
    if (this.#isOpaque && isSuspicious()) this.#pins.add('hiddenState');
    const isNothing =
      this.#touches.length === 0 &&
      this.#resets === 'none' &&
      this.#hidden === 'none' &&
      this.#pins.size + this.#releases.size + this.#awsPins.size + this.#names.length === 0 &&
      !this.#isLocal &&
      !this.#readsSequences &&
      !this.#listsStatements;
    if (isNothing) return undefined;
    return {
      touches: this.#touches,
      resets: this.#resets,
      isLocal: this.#isLocal,
      hidden: this.#hidden,
      pins: [...this.#pins],
      releases: [...this.#releases],
      names: this.#names,
      readsSequences: this.#readsSequences,
      listsStatements: this.#listsStatements,
      isTransactional: this.#isTransactional,
      awsPins: [...this.#awsPins],
      digest,
    };
  }

  space(): void {}

  word(word: string, quoted: boolean, start: number, end: number): void {
    this.#config.word(word, quoted);
    const bare = quoted ? '' : word;
    this.#tokens += 1;
    if (this.#tokens === 1) this.#open(bare, start);
    else this.#goOn(word, bare, start, end);
    this.#mention(word);
    if ((bare === 'temp' || bare === 'temporary') && this.#makesTemporary())
      this.#pin('temporaryObject');
    this.#previous = bare;
  }

  value(start: number): void {
    this.#config.value(start);
    this.#tokens += 1;
    this.#keep('', false, start);
    this.#maybeName = undefined; // PREPARE TRANSACTION 'x'
    this.#naming = undefined;
    this.#previous = '';
  }

  mark(byte: number, at: number): void {
    this.#config.mark(byte, at);
    if (byte === SEMICOLON) {
      this.#endStatement(at);
      return;
    }
    this.#tokens += 1;
    this.#keep(String.fromCharCode(byte), false, at);
    if (this.#naming !== undefined) this.#takeMaybe();
    this.#previous = byte === CLOSE_PARENTHESIS ? ')' : '';
  }

  riddle(): void {
    this.#pin('hiddenState');
  }

  #endStatement(at: number): void {
    this.#config.end();
    if (this.#setting !== undefined) this.#set(this.#setting, at);
    this.#setting = undefined;
    this.#takeMaybe();
    const place = { statementStart: this.#statementAt, statementEnd: at };
    for (const name of this.#namesHere) this.#names.push({ ...name, ...place });
    this.#namesHere = [];
    this.#opening = '';
    this.#tokens = 0;
    this.#previous = '';
    this.#pastOptions = false;
  }

  /** The first word of a statement. */
  #open(word: string, start: number): void {
    this.#opening = word;
    this.#statementAt = start;
    if (transactionWords.has(word)) this.#isTransactional = true;
    switch (word) {
      case 'set':
      case 'reset':
        this.#setting = [{ text: word, isBare: true, start: 0 }];
        return;
      case 'prepare':
      case 'execute':
      case 'deallocate':
        this.#naming = word;
        this.#awsPins.add('preparedStatement');
        return;
      case 'do':
      case 'call':
        this.#isOpaque = true;
        return;
      case 'discard':
        this.#awsPins.add('setting');
        return;
      case 'listen':
        this.#pin('listen');
        return;
      case 'unlisten':
        this.#releases.add('listen');
        return;
      case 'load':
        this.#pin('library');
        return;
      case 'drop':
        this.#releases.add('temporaryObject');
        return;
      case 'close':
        this.#releases.add('heldCursor');
        return;
      case 'declare':
        this.#awsPins.add('cursor');
        return;
      default:
    }
  }

  /** A further word of a statement; `bare` is empty where it is quoted. */
  #goOn(word: string, bare: string, start: number, end: number): void {
    if (this.#setting !== undefined) {
      this.#keep(word, bare !== '', start);
      return;
    }
    if (this.#naming !== undefined) {
      this.#name(this.#naming, word, bare, start, end);
      return;
    }
    switch (this.#opening) {
      case 'discard':
        if (this.#tokens === 2) this.#discard(bare, start, end);
        return;
      case 'declare':
        this.#pastOptions ||= bare === 'for';
        if (!this.#pastOptions && bare === 'hold' && this.#previous === 'with')
          this.#pin('heldCursor');
        return;
      case 'explain':
      case 'create':
        if (bare === 'execute' && executeAfter.has(this.#previous)) {
          this.#naming = 'execute';
          this.#awsPins.add('preparedStatement');
        }
        return;
      default:
    }
  }

  #keep(text: string, isBare: boolean, start: number): void {
    if (this.#setting !== undefined && this.#setting.length < SET_TOKENS)
      this.#setting.push({ text, isBare, start });
  }

  #set(tokens: readonly SetToken[], end: number): void {
    const textOf = this.#textOf;
    const outcome = readSet(tokens, textOf && ((start) => textOf(start, end).trim()));
    switch (outcome.kind) {
      case 'nothing':
        return;
      case 'local':
        this.#isLocal = true;
        this.#awsPins.add('setting');
        if (outcome.names.includes('seed')) this.#pin('hiddenState');
        return;
      case 'reset all':
        this.#reset('all');
        return;
      case 'touches':
        for (const touch of outcome.touches) {
          // The seed is no setting that could be read or set back.
          if (touch.name === 'seed') this.#pin('hiddenState');
          else this.#touch(touch);
        }
    }
  }

  #name(verb: NameUse['verb'], word: string, bare: string, start: number, end: number): void {
    const name = nameAsBytes(word);
    const maybe = this.#maybeName;
    this.#maybeName = undefined;
    if (maybe === undefined && maybeNot[verb] === bare && bare !== '') {
      this.#maybeName = { verb, name, start, end };
      return;
    }
    this.#naming = undefined;
    if (verb === 'deallocate' && bare === 'all') {
      this.#namesHere.push({ verb, name: '', start, end });
    } else if (verb === 'prepare' && maybe !== undefined) this.#namesHere.push(maybe);
    else this.#namesHere.push({ verb, name, start, end });
  }

  /** PREPARE TRANSACTION has a string behind it: without one, TRANSACTION was the name. */
  #takeMaybe(): void {
    if (this.#maybeName !== undefined) this.#namesHere.push(this.#maybeName);
    this.#maybeName = undefined;
    this.#naming = undefined;
  }

  #mention(word: string): void {
    if (word === 'set_config') this.#config.begin();
    else if (word === 'set_limit') {
      this.#touch({ name: 'pg_trgm.similarity_threshold', how: 'set', literal: undefined });
    } else if (unlocks.includes(word)) {
      this.#releases.add('sessionLock');
      this.#awsPins.add('sessionLock');
    } else if (sequenceReaders.includes(word)) {
      this.#readsSequences = true;
    } else if (word.startsWith(TEMPORARY_SCHEMA)) {
      this.#pin('temporaryObject');
    } else if (word.startsWith(STATEMENT_LIST)) {
      this.#listsStatements = true;
    } else if (word === 'pg_settings' && this.#opening === 'update') {
      this.#hide('known settings');
    } else {
      const reason = functions.get(word);
      if (reason !== undefined) this.#pin(reason);
    }
  }

  #discard(what: string, start: number, end: number): void {
    switch (what) {
      case 'all':
        this.#reset('everything');
        this.#namesHere.push({ verb: 'deallocate', name: '', start, end });
        for (const one of ['temporaryObject', 'listen', 'sessionLock', 'heldCursor'] as const)
          this.#releases.add(one);
        this.#releases.add('sequence');
        this.#releases.add('preparedStatement');
        return;
      case 'temp':
      case 'temporary':
        this.#releases.add('temporaryObject');
        return;
      case 'sequences':
        this.#releases.add('sequence');
        return;
      default:
    }
  }

  #configure(verdict: Parameters<ConstructorParameters<typeof ConfigCall>[0]>[0]): void {
    this.#awsPins.add('setting');
    if (verdict === 'for its transaction') {
      this.#isLocal = true;
      return;
    }
    const text = verdict === 'unknown' ? '' : this.#textOf?.(verdict.start, verdict.end).trim();
    const name = /^'([^'\\]+)'$/.exec(text ?? '')?.[1]?.toLowerCase();
    if (name === undefined) this.#hide('any setting');
    else this.#touch({ name, how: 'set', literal: undefined });
  }

  #touch(touch: Touch): void {
    if (!ASCII.test(touch.name)) {
      this.#hide('any setting'); // whose name may be spelled otherwise in another encoding
      return;
    }
    this.#touches.push(touch);
    this.#awsPins.add('setting');
  }

  #reset(what: 'all' | 'everything'): void {
    if (this.#resets !== 'everything') this.#resets = what;
    this.#releases.add('setting');
    this.#awsPins.add('setting');
  }

  #hide(what: 'known settings' | 'any setting'): void {
    if (this.#hidden !== 'any setting') this.#hidden = what;
    if (what === 'any setting') this.#pins.add('setting');
    this.#awsPins.add('setting');
  }

  #pin(reason: PinReason): void {
    this.#pins.add(reason);
    this.#awsPins.add(reason);
  }

  #makesTemporary(): boolean {
    if (this.#opening === 'insert' || this.#opening === 'merge') return false;
    return temporaryAfter.has(this.#previous);
  }
}
