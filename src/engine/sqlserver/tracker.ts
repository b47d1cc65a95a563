import { u8, ucs2 } from '../../base/bytes.ts';
import type { RelayOptions, RelaySink } from '../../core/engine.ts';
import type { PinReason } from '../../core/pin.ts';
import { envChange } from '../../wire/tds/tokens.ts';
import type { SqlServerMemory } from './memory.ts';
import type { Asked, Question, Results } from './question.ts';
import { ask, askSingly, isTold, readAnswer } from './question.ts';
import type { Effects, Setting, SettingName, Tie } from './sql/effects.ts';
import type { Outcome } from './sql/ties.ts';
import { Ties } from './sql/ties.ts';
import type { SessionState } from './state.ts';
import { initialValue, ofLanguage } from './state.ts';
import type { Target } from './target.ts';

/** Whom the tracker follows. */
interface Followed {
  readonly sink: Pick<RelaySink, 'pin' | 'unpin'>;
  readonly options: Pick<RelayOptions, 'pinning' | 'ignoreSetsForPinning'>;
  /** What it began with. */
  readonly home: SessionState;
  /** What it has set: any connection that it gets is brought to this. */
  wanted: SessionState;
}

const AWS_TEXT_BYTES = 16_384;
/** What its filter EXCLUDE_VARIABLE_SETS is about. */
const awsSets: readonly PinReason[] = ['setting'];

/** While one of these is ON, statements are not run: what is asked is not answered. */
const blinding: readonly string[] = [
  'noexec',
  'parseonly',
  'fmtonly',
  'showplan_all',
  'showplan_text',
  'showplan_xml',
];

/** What a reset may leave: of the second, Babelfish's. */
const outlasting: readonly SettingName[] = ['isolation level', 'context_info'];

const NO_TEXT = (): string => '';
const DONE: Outcome = { isError: false, mayBeUndone: false };

/**
 * Follows what one session leaves behind on its connection: settings and the database in use, which are carried along to the next
 * one, and whatever ties it to this one. What a text shows for sure is known when it has ended; for the rest the database is asked,
 * between two requests.
 */
export class Tracker {
  readonly #parts: { readonly party: Followed };
  /** What the request under way does, and its text. */
  #running: Effects | undefined;
  #digest = NO_TEXT;
  readonly #ties = new Ties();
  /** What the last request to touch a tie was: what it may turn out to have made is logged with it. */
  #tyingDigest = '';
  /** Of these, `#forGood` do not end with a tie. */
  readonly #pins = new Set<PinReason>();
  readonly #forGood = new Set<PinReason>();
  /** What may have changed. */
  readonly #touched = new Set<Asked>();
  /** What the database has reported during the request under way. */
  #reportedLanguage: string | undefined;
  #hasReportedDatabase = false;
  /** The language of which it is not known yet what it brings along. */
  #lesson: string | undefined;
  #mustAskForTransaction = false;
  /** The isolation level was set, if in a transaction: there a rollback undoes it with Babelfish. */
  #mayLoseLevel = false;
  /** Parts of a question that could not be answered as a whole. */
  #again: Question[] = [];

  constructor(parts: { readonly party: Followed }) {
    this.#parts = parts;
  }

  /** What the session has set: any connection that it gets is brought to this. */
  get wanted(): SessionState {
    return this.#parts.party.wanted;
  }

  set wanted(state: SessionState) {
    this.#parts.party.wanted = state;
  }

  get #sink(): Followed['sink'] {
    return this.#parts.party.sink;
  }

  get #pinning(): RelayOptions['pinning'] {
    return this.#parts.party.options.pinning;
  }

  /** All that is known of the session is what it wants. */
  get isClear(): boolean {
    return !this.isPinned && !this.hasWork && this.#running === undefined && this.#ties.isEmpty;
  }

  /** What comes next is another session's. */
  forget(): void {
    this.#digest = NO_TEXT;
    this.#tyingDigest = '';
    this.#reportedLanguage = undefined;
    this.#hasReportedDatabase = false;
    this.#lesson = undefined;
    this.#mayLoseLevel = false;
    this.#forGood.clear();
  }

  get isPinned(): boolean {
    return this.#pins.size > 0;
  }

  /** Something is to be found out before the connection may go to somebody else. */
  get hasWork(): boolean {
    return (
      this.#mustAskForTransaction ||
      this.#touched.size > 0 ||
      this.#ties.hasSuspects ||
      this.#again.length > 0
    );
  }

  /** Whether a transaction is open must be asked, for the database does not tell; that cannot wait for its end. */
  get doubtsTransaction(): boolean {
    return this.#mustAskForTransaction && !this.isBlind;
  }

  /** The session has told the database to run nothing: nor would it what we ask. */
  get isBlind(): boolean {
    return this.#ties.has('setting') && blinding.some((name) => this.#ties.has('setting', name));
  }

  /** A request has been sent that does this; undefined for nothing of concern. */
  sent(effects: Effects | undefined, digest: () => string): void {
    this.#running = effects;
    this.#digest = digest;
    this.#reportedLanguage = undefined;
    this.#hasReportedDatabase = false;
    if (effects === undefined || this.#pinning !== 'aws') return;
    const { ignoreSetsForPinning } = this.#parts.party.options;
    for (const reason of effects.awsPins) {
      if (!ignoreSetsForPinning || !awsSets.includes(reason)) this.pin(reason, digest());
    }
  }

  /** The database tells of a change; `bytes[start, end)` is what follows the token's type. */
  envChanged(
    memory: SqlServerMemory,
    type: number,
    bytes: Uint8Array,
    start: number,
    end: number,
  ): void {
    if (type !== envChange.database && type !== envChange.language) return;
    const from = start + 1;
    const name = ucs2(bytes, from, Math.min(end, from + 2 * u8(bytes, start)));
    if (type === envChange.language) this.#reportedLanguage = name;
    else {
      this.#hasReportedDatabase = true;
      this.#moved(memory, name);
    }
  }

  #moved(memory: SqlServerMemory, database: string): void {
    if (database !== this.wanted.database) this.#ties.lose('sessionLock');
    memory.state = memory.state.in(database);
    this.wanted = this.wanted.in(database);
  }

  /** The reply to the request is over. `isError`: with an error, or it was stopped: not all of it may have been done. */
  ended(memory: SqlServerMemory, { isError }: { readonly isError: boolean }): void {
    const effects = this.#running;
    this.#running = undefined;
    if (effects === undefined && this.#hasNothingToNote(memory)) return;
    // Whether it has run at all.
    const isDoubtful = isError || this.isBlind;
    this.#noteTransaction(memory, effects);
    const usesDatabase = effects?.uses !== undefined;
    if (usesDatabase !== this.#hasReportedDatabase) this.#touched.add('database');
    const setsLanguage =
      effects?.sets.some((set) => set.name === 'language' && isKept(set, memory)) === true;
    if (this.#reportedLanguage !== undefined && !setsLanguage) this.#touchLanguage();
    if (effects !== undefined) this.#tie(memory, effects, isError);
    this.#noteTransactionEnd(memory);
    this.#noteTies(memory);
    if (effects === undefined) return;
    const isBlinding = this.isBlind || blindsForAWhile(effects);
    for (const set of effects.sets) {
      if (!isKept(set, memory)) continue;
      this.#set(memory, set, isDoubtful || isBlinding);
      if (set.name === 'isolation level' && this.#mustAskForTransaction) this.#mayLoseLevel = true;
    }
    for (const reason of effects.pins)
      if (this.#pinning === 'minimal') this.pin(reason, this.#digest());
  }

  /** Nothing has been reported, and nothing ties the session: after nearly all requests. */
  #hasNothingToNote({ target }: SqlServerMemory): boolean {
    return (
      !this.#hasReportedDatabase &&
      this.#reportedLanguage === undefined &&
      this.#pins.size === 0 &&
      this.#ties.isEmpty &&
      target.tellsTransactions !== false
    );
  }

  /** Babelfish, for one, does not tell of transactions that statements begin and end. */
  #noteTransaction(memory: SqlServerMemory, effects: Effects | undefined): void {
    if (memory.target.tellsTransactions !== false) return;
    this.#mustAskForTransaction ||=
      memory.inTransaction || effects?.mayChangeTransaction === true || this.#mayBeImplicit(memory);
  }

  #mayBeImplicit(memory: SqlServerMemory): boolean {
    const name: SettingName = 'implicit_transactions';
    const value = this.wanted.values.get(name) ?? memory.beginning.get(name);
    return value !== 'OFF' || this.#touched.has(name);
  }

  #tie(memory: SqlServerMemory, effects: Effects, isError: boolean): void {
    const mayBeUndone = memory.inTransaction || effects.mayChangeTransaction;
    for (const tie of effects.ties) {
      if (!isKept(tie, memory)) continue;
      // Locks are a database's: where that has changed they cannot be asked about.
      const isElsewhere = tie.reason === 'sessionLock' && effects.uses !== undefined;
      const known = isElsewhere ? { ...tie, name: undefined } : tie;
      this.#ties.apply(known, { isError, mayBeUndone });
    }
    if (effects.ties.length > 0) this.#tyingDigest = this.#digest();
  }

  /** With it a distributed one is over. */
  #noteTransactionEnd({ inTransaction }: SqlServerMemory): void {
    if (inTransaction || this.#mustAskForTransaction || this.#ties.isEmpty) return;
    const name = undefined;
    this.#ties.apply(
      { does: 'dropsAll', reason: 'globalTransaction', name, isCertain: true },
      DONE,
    );
  }

  #set(memory: SqlServerMemory, { name, value, isCertain }: Setting, isDoubtful: boolean): void {
    const isKnown = isCertain && !isDoubtful && value !== undefined;
    if (name === 'language') return this.#setLanguage(memory, isKnown);
    if (name === 'datefirst' || name === 'dateformat') this.#lesson = undefined;
    if (isKnown) this.#touched.delete(name);
    else if (isTold(name)) this.#touched.add(name);
    if (!isKnown && outlasting.includes(name)) memory.doubted.add(name);
    if (isKnown) this.#apply(memory, [[name, value]]);
    if (!isTold(name)) this.#tieUntold(name, isKnown ? 'drops' : 'takes');
  }

  /** Nobody can be asked what it is: until a text shows it, the connection has it. */
  #tieUntold(name: SettingName, does: 'takes' | 'drops'): void {
    this.#ties.apply({ does, reason: 'setting', name, isCertain: true }, DONE);
    if (does === 'takes') this.#tyingDigest = this.#digest();
    this.#pinAsTied();
  }

  #setLanguage(memory: SqlServerMemory, isKnown: boolean): void {
    const language = this.#reportedLanguage;
    if (!isKnown || language === undefined) return this.#touchLanguage();
    this.#touched.delete('language');
    this.#apply(memory, [['language', language]]);
    // Babelfish's languages bring nothing along.
    if (memory.target.tellsTransactions === false) return;
    const lesson = memory.target.lessons.recall(memory.beginning, language);
    this.#lesson = lesson === undefined ? language : undefined;
    for (const name of ofLanguage) {
      const value = lesson?.get(name);
      if (value === undefined) this.#touched.add(name);
      else {
        this.#touched.delete(name);
        this.#apply(memory, [[name, value]]);
      }
    }
  }

  #touchLanguage(): void {
    this.#lesson = undefined;
    for (const name of ['language', ...ofLanguage] as const) this.#touched.add(name);
  }

  #apply(
    memory: SqlServerMemory,
    settings: Iterable<readonly [name: SettingName, value: string | undefined]>,
  ): void {
    const changes = Array.from(settings, ([name, value]) => {
      memory.doubted.delete(name);
      const isInitial = value === initialValue(name, memory.beginning);
      return [name, isInitial ? undefined : value] as const;
    });
    memory.state = memory.state.with(changes);
    this.wanted = this.wanted.with(changes);
  }

  /** A statement of the protocol's: Amazon RDS Proxy pins for it. */
  prepares(digest: () => string): void {
    if (this.#pinning === 'aws') this.pin('preparedStatement', digest());
  }

  /** Amazon RDS Proxy does not look into long texts. */
  measure(textBytes: number): void {
    if (this.#pinning === 'aws' && textBytes > AWS_TEXT_BYTES) this.pin('longStatement', '');
  }

  /**
   * What the database must be asked before the connection may go; undefined where there is nothing, or nothing that it could
   * answer now. The answer goes to `answered`. In a transaction the connection stays anyhow. Where it is pinned it stays, too, but
   * may be brought to another state for a moment, to prepare a statement.
   */
  question(memory: SqlServerMemory): Question | undefined {
    if (!this.hasWork || this.isBlind) return undefined;
    if (this.#mustAskForTransaction) {
      this.#mustAskForTransaction = false;
      return ask({ asksForTransaction: true, isImplicit: false });
    }
    if (memory.inTransaction) return undefined;
    const next = this.#again.shift();
    if (next !== undefined) return next;
    // Nothing ends the pins of Amazon RDS Proxy.
    const probes = this.#pinning === 'aws' && this.isPinned ? [] : this.#ties.suspects;
    if (probes.length === 0 && this.#touched.size === 0) return undefined;
    return this.#ask(memory, probes);
  }

  /**
   * What the database must be asked before a statement is prepared: it is read as the settings are, and they are brought back
   * afterwards. In a transaction this has not been asked yet. Nor is it of Babelfish there: a part that it does not know would
   * end the transaction.
   */
  unsettled(memory: SqlServerMemory): Question | undefined {
    if (this.#touched.size === 0 || this.isBlind) return undefined;
    return memory.target.tellsTransactions === false ? undefined : this.#ask(memory, []);
  }

  #ask(memory: SqlServerMemory, probes: Question['probes']): Question {
    const settings = [...this.#touched];
    this.#touched.clear();
    const isImplicit = this.#mayBeImplicit(memory);
    const isBabelfish = memory.target.tellsTransactions === false;
    return ask({ settings, probes, isImplicit, isBabelfish });
  }

  /** The answer. Returns what to ask instead, where it was an error. */
  answered(memory: SqlServerMemory, question: Question, results: Results): Question | undefined {
    const answer = readAnswer(question, results);
    if (answer === undefined) return this.#unanswered(memory, question);
    if (answer.transactions !== undefined) {
      memory.inTransaction = answer.transactions > 0;
      if (!memory.inTransaction) memory.transaction = 0n;
      else if (this.#mayLoseLevel) this.#touched.add('isolation level');
      this.#mayLoseLevel = false;
      this.#noteTransactionEnd(memory);
    }
    for (const [name, value] of answer.settings) {
      if (name === 'database') {
        if (value !== undefined) this.#moved(memory, value);
      } else if (value !== undefined || name === 'context_info')
        this.#apply(memory, [[name, value]]);
      else this.pin('setting', name);
    }
    this.#learn(memory, new Map(answer.settings));
    for (const { isThere, ...suspect } of answer.probes) this.#ties.found(suspect, isThere);
    this.#noteTies(memory);
    return undefined;
  }

  /** What the server does not answer it cannot: what was set stays where it is, and what may be there is there. */
  #unanswered(memory: SqlServerMemory, question: Question): Question | undefined {
    const singly = askSingly(question, this.#mayBeImplicit(memory));
    if (singly.length > 0) {
      this.#again.push(...singly);
      return this.#again.shift();
    }
    for (const name of question.settings) this.pin('setting', name);
    for (const suspect of question.probes) this.#ties.found(suspect, true);
    this.#noteTies(memory);
    return undefined;
  }

  /** What is there pins. What may be there the connection is told: in a transaction nobody is asked, and the client may leave. */
  #noteTies(memory: SqlServerMemory): void {
    this.#pinAsTied();
    memory.suspected = this.#ties.suspects.map(({ reason }) => reason);
  }

  #learn(memory: SqlServerMemory, answers: ReadonlyMap<Asked, string | undefined>): void {
    const language = this.#lesson;
    if (language === undefined) return;
    const lesson = new Map<SettingName, string>();
    for (const name of ofLanguage) {
      const value = answers.get(name);
      if (value === undefined) return;
      lesson.set(name, value);
    }
    this.#lesson = undefined;
    memory.target.lessons.learn(memory.beginning, language, lesson);
  }

  /**
   * The session begins anew: its connection, if it has one, is reset. Babelfish's resets leave the context of the session, which is
   * asked about, and CONTEXT_INFO, which goes along with it as before.
   */
  begin({ tellsTransactions }: Pick<Target, 'tellsTransactions'>): void {
    const { home } = this.#parts.party;
    const isBabelfish = tellsTransactions === false;
    const keeps = isBabelfish ? 'sessionContext' : undefined;
    const info = this.wanted.values.get('context_info');
    const doubtsInfo = this.#touched.has('context_info');
    this.wanted = isBabelfish ? home.with([['context_info', info]]) : home;
    this.#running = undefined;
    this.#ties.clear(keeps);
    this.#touched.clear();
    if (isBabelfish && doubtsInfo) this.#touched.add('context_info');
    this.#again = [];
    this.#lesson = undefined;
    this.#mustAskForTransaction = false;
    this.#mayLoseLevel = false;
    this.#forGood.clear();
    for (const reason of this.#pins)
      if (reason !== keeps || !this.#ties.has(reason)) this.#release(reason);
  }

  /** Up to the session's end, or a reset. */
  pin(reason: PinReason, digest: string): void {
    this.#forGood.add(reason);
    this.#hold(reason, digest);
  }

  /** What `pin` was called for is gone. */
  unpin(reason: PinReason): void {
    this.#forGood.delete(reason);
    this.#pinAsTied();
  }

  #pinAsTied(): void {
    if (this.#pins.size === 0 && this.#ties.isEmpty) return;
    for (const reason of this.#ties.reasons) {
      if (this.#pinning === 'aws') this.#forGood.add(reason);
      if (!this.#pins.has(reason)) this.#hold(reason, this.#tyingDigest);
    }
    const tying: readonly PinReason[] = this.#ties.reasons;
    for (const reason of this.#pins)
      if (!this.#forGood.has(reason) && !tying.includes(reason)) this.#release(reason);
  }

  #hold(reason: PinReason, digest: string): void {
    if (this.#pins.has(reason)) return;
    this.#pins.add(reason);
    this.#sink.pin(reason, digest);
  }

  #release(reason: PinReason): void {
    if (this.#pins.delete(reason)) this.#sink.unpin(reason);
  }
}

/** What ends with a text that is no batch is kept by Babelfish, which is known by what it does not tell. */
function isKept({ isWithin }: Setting | Tie, { target }: SqlServerMemory): boolean {
  return isWithin !== true || target.tellsTransactions === false;
}

/** It runs nothing for a part of its text. */
function blindsForAWhile({ ties }: Effects): boolean {
  return ties.some(
    ({ reason, name }) => reason === 'setting' && name !== undefined && blinding.includes(name),
  );
}
