import { EMPTY, text } from '../../base/bytes.ts';
import { limits } from '../../base/limits.ts';
import type { PinReason } from '../../core/pin.ts';
import { capability } from '../../wire/mysql/capabilities.ts';
import type { SessionChange } from '../../wire/mysql/session-track.ts';
import type { Changes, Lessons } from './learned.ts';
import { settingLiteral, userLiteral } from './literal.ts';
import type { MysqlMemory } from './memory.ts';
import type { Field } from './own.ts';
import type { Party } from './party.ts';
import { FLAGS, MARIADB_FLAG, TRACKED_SCHEMA, TRACKED_VARIABLES } from './setup.ts';
import type { Question } from './question.ts';
import { ask, askSingly, FIELDS_OF_USER_VARIABLE } from './question.ts';
import type { Effects, TieReason } from './sql/effects.ts';
import { Ties } from './sql/ties.ts';
import { isLastInsertId } from './sql/variables.ts';
import type { Beginning, SessionState } from './state.ts';
import {
  charsetIn,
  CLIENT,
  NAMES,
  RESULTS,
  RESULTS_NUMBER,
  SEVERAL_STATEMENTS,
  UNKNOWN,
} from './state.ts';

interface Parts {
  readonly party: Pick<
    Party,
    'sink' | 'options' | 'house' | 'welcome' | 'wanted' | 'reports' | 'lastInsertId'
  >;
}

/** Reported whenever a statement sets what lives one statement long, with values that say nothing. */
const fleeting: readonly string[] = ['timestamp', 'statement_id', 'insert_id', 'last_insert_id'];
const AWS_TEXT_BYTES = 16_384;
/** What its filter EXCLUDE_VARIABLE_SETS is about. */
const awsSets: readonly PinReason[] = ['setting', 'userVariable', 'nextTransaction'];

/** What these set beside or instead of a variable of their name. */
const SET_TOGETHER: Readonly<Partial<Record<string, readonly string[]>>> = {
  names: NAMES,
  'character set': NAMES,
  character_set_connection: ['character_set_connection', 'collation_connection'],
  collation_connection: ['character_set_connection', 'collation_connection'],
  max_join_size: ['max_join_size', 'sql_big_selects'],
};

const tieReasons: readonly TieReason[] = [
  'temporaryObject',
  'tableLock',
  'sessionLock',
  'handler',
  'preparedStatement',
  'globalTransaction',
];

/**
 * Follows what one session leaves behind on its connection: variables and the schema, which are carried along to the next one,
 * and whatever ties it to this one. A statement's words and the database's own reports say what may have changed; what has, the
 * database is asked, between two commands.
 */
export class Tracker {
  readonly #parts: Parts;
  /** What the command under way does. */
  #running: Effects | undefined;
  #ties: Ties | undefined;
  #pins: Set<PinReason> | undefined;
  #touched: Set<string> | undefined;
  /** What it was before the command under way, where that may be learnt. */
  #touchedBefore: Set<string> | undefined;
  #assigned: Set<string> | undefined;
  /** The text of a plain SET whose outcome may be learnt, and what it sets. */
  #lesson: string | undefined;
  #said = NOTHING_SAID;
  /** The last statement to set these character sets has set their default collation with them. */
  #setsPlainResults = false;
  #setsPlainClient = false;
  /** The database is to be asked for LAST_INSERT_ID() before anybody else gets the connection. */
  isNumberDue = false;
  /** `SET TRANSACTION` was about the next transaction alone: it has not come yet, or it is under way. */
  #oneShot: 'due' | 'under way' | undefined;

  constructor(parts: Parts) {
    this.#parts = parts;
  }

  /** What the session has set. */
  get wanted(): SessionState {
    return this.#parts.party.wanted;
  }

  set wanted(state: SessionState) {
    this.#parts.party.wanted = state;
  }

  get #isAws(): boolean {
    return this.#parts.party.options.pinning === 'aws';
  }

  get #isMariaDb(): boolean {
    return this.#parts.party.welcome.target.isMariaDb;
  }

  get #lessons(): Lessons {
    return this.#parts.party.house.target.lessons;
  }

  /** Nothing ties the session to its connection, and nothing is to be found out. */
  get isClear(): boolean {
    return (
      !this.isPinned &&
      !this.hasWork &&
      this.#oneShot === undefined &&
      this.#running === undefined &&
      this.#ties?.isEmpty !== false
    );
  }

  /** What comes next is another session's. */
  forget(): void {
    this.#lesson = undefined;
    this.#said = NOTHING_SAID;
    this.#setsPlainResults = false;
    this.#setsPlainClient = false;
  }

  /** What only this connection knows: the properties of the next transaction. */
  get hasOneShot(): boolean {
    return this.#oneShot !== undefined;
  }

  /** Whether a transaction is open now. Statements that open none leave them as they are, and so do those that fail. */
  followTransaction(isOpen: boolean, isEnded: boolean): void {
    if (this.#oneShot === undefined) return;
    if (isOpen) this.#oneShot = 'under way';
    else if (isEnded || this.#oneShot === 'under way') this.#oneShot = undefined;
  }

  get isPinned(): boolean {
    return this.#pins !== undefined && this.#pins.size > 0;
  }

  /** Something is to be found out before the connection may go to somebody else. */
  get hasWork(): boolean {
    return this.#touched !== undefined || this.#assigned !== undefined || this.isNumberDue;
  }

  /** A command has been sent that does this; undefined for nothing of concern. `text` is its own, where it may be learnt. */
  sent(effects: Effects | undefined, text?: string): void {
    this.#running = effects;
    this.#lesson = text;
    this.#touchedBefore =
      text === undefined || this.#touched === undefined ? undefined : new Set(this.#touched);
    if (effects !== undefined && this.#isAws) this.#pinAsAws(effects);
  }

  /** The reply to it is over. `mustAsk`: the database is to be asked though the answer may be known. */
  ended(memory: MysqlMemory, isError: boolean, mustAsk: boolean): void {
    const effects = this.#running;
    if (effects === undefined) return;
    this.#running = undefined;
    this.#endedWith(effects, memory, isError, mustAsk);
  }

  #endedWith(effects: Effects, memory: MysqlMemory, isError: boolean, mustAsk: boolean): void {
    const isSingle = !effects.hasSeveralStatements;
    if (effects.setsLastInsertId && !isError) {
      memory.lastInsertId.set(this.#parts.party.lastInsertId);
      this.isNumberDue = true;
    }
    if (effects.shapesNextTransaction && !isError) this.#oneShot = 'due';
    const sets = isError ? this.#setsBefore(memory, effects) : effects.sets;
    this.#said = sets
      .filter((name) => !isLastInsertId(name))
      .flatMap((name) => SET_TOGETHER[name] ?? calledHere(name, memory.beginning));
    for (const name of this.#said) this.#touch(name);
    const isPlain = (isSingle || !isError) && !sets.includes('names');
    if (this.#said.includes(RESULTS)) this.#setsPlainResults = isPlain;
    if (this.#said.includes(CLIENT)) this.#setsPlainClient = isPlain;
    this.#assigns(effects);
    // None of it has been done, or not much.
    if (!isError || !isSingle) for (const reason of effects.pins) this.#pinFor(reason, effects);
    if (!isError && !mustAsk) this.#recall(memory);
    if (effects.ties.length === 0) return;
    this.#ties ??= new Ties();
    this.#ties.apply(effects.ties, { isError, isSingle, schema: this.wanted.schema });
    if (this.#isAws) return;
    for (const reason of this.#ties.reasons) this.pin(reason, effects.digest);
    for (const reason of tieReasons)
      if (!this.#ties.has(reason) && !effects.pins.includes(reason)) this.unpin(reason);
  }

  /**
   * What a text has set up to its error. One SET does all that it says, or nothing; of several MySQL has told which were
   * run, but for what it does not tell of all of them; MariaDB tells less. What was refused must not be carried along: it
   * would be refused again.
   */
  #setsBefore({ capabilities }: MysqlMemory, effects: Effects): readonly string[] {
    if (!effects.hasSeveralStatements) return [];
    const isTold = !this.#isMariaDb && (capabilities.flags & capability.sessionTrack) !== 0;
    return isTold ? effects.sets.filter((name) => SET_TOGETHER[name] !== undefined) : effects.sets;
  }

  /** What the text comes to may be known: then nobody has to be asked. */
  #recall(memory: MysqlMemory): void {
    if (this.#lesson === undefined) return;
    const changes = this.#lessons.recall(memory.beginning, this.#lesson);
    if (changes === undefined) return;
    this.#lesson = undefined;
    this.#touched = this.#touchedBefore;
    this.#apply(memory, changes);
  }

  /** The client has said what it wants to hear of. The connection is to report all the same, from its next request on. */
  #noteReports(settings: readonly string[], row: readonly Field[]): void {
    const valueOf = (name: string): string | undefined => {
      const field = row[settings.indexOf(name)];
      return field === undefined ? undefined : text(field.text ?? EMPTY);
    };
    const [variables, schema] = [valueOf(TRACKED_VARIABLES), valueOf(TRACKED_SCHEMA)];
    if (variables === undefined && schema === undefined) return;
    const { party } = this.#parts;
    party.reports = {
      variables: variables ?? party.reports.variables,
      schema: schema === undefined ? party.reports.schema : schema === '1',
    };
    this.wanted = this.wanted.with([
      [TRACKED_VARIABLES, undefined],
      [TRACKED_SCHEMA, undefined],
    ]);
  }

  #apply(memory: MysqlMemory, changes: Changes): void {
    memory.state = memory.state.with(changes);
    this.wanted = this.wanted.with(changes);
  }

  #pinFor(reason: PinReason, { digest }: Effects): void {
    if (!this.#isAws) this.pin(reason, digest);
  }

  #pinAsAws({ awsPins, digest }: Effects): void {
    for (const reason of awsPins) {
      if (!this.#parts.party.options.ignoreSetsForPinning || !awsSets.includes(reason))
        this.pin(reason, digest);
    }
  }

  /** A statement of the protocol's: Amazon RDS Proxy pins for it as for PREPARE. */
  prepares(digest: () => string): void {
    if (this.#isAws && this.#pins?.has('preparedStatement') !== true)
      this.pin('preparedStatement', digest());
  }

  /** A statement is prepared. In MariaDB the variables that it assigns have another collation by then. */
  assignsAlready(effects: Effects): void {
    if (this.#isMariaDb) this.#assigns(effects);
  }

  /** The same has been done by us, on a connection where the session has not prepared it: what is there now is nobody's. */
  spoils(memory: MysqlMemory, { assigns }: Effects): void {
    if (!this.#isMariaDb) return;
    const names =
      assigns === 'any'
        ? [...memory.state.values.keys()].filter((name) => name.startsWith('@'))
        : assigns.map((name) => `@${name}`);
    if (names.length > 0) memory.state = memory.state.with(names.map((name) => [name, UNKNOWN]));
  }

  #assigns(effects: Effects): void {
    if (effects.assigns === 'any') this.#pinFor('userVariable', effects);
    else for (const name of effects.assigns) (this.#assigned ??= new Set()).add(name);
  }

  /** Amazon RDS Proxy does not look into long texts. */
  measure(textBytes: number): void {
    if (this.#isAws && textBytes > AWS_TEXT_BYTES) this.pin('longStatement', '');
  }

  /** The client has said whether its texts may hold several statements; undefined for what it was at sign-in. */
  chose(memory: MysqlMemory, several: string | undefined): void {
    this.#apply(memory, [[SEVERAL_STATEMENTS, several]]);
  }

  /** The database tells what has changed in the session. */
  reported(memory: MysqlMemory, changes: readonly SessionChange[]): void {
    for (const change of changes) {
      if (change.kind === 'schema') {
        const schema = change.name === '' ? undefined : change.name;
        memory.state = memory.state.in(schema);
        this.wanted = this.wanted.in(schema);
      } else if (change.kind === 'systemVariable') {
        this.#reported(change.name);
      }
    }
  }

  #reported(name: string): void {
    if (name.startsWith('session_track') || fleeting.includes(name)) return;
    const isFlag = FLAGS.some((flag) => flag === name);
    if (this.#isMariaDb && isFlag) for (const flag of [...FLAGS, MARIADB_FLAG]) this.#touch(flag);
    else this.#touch(name);
  }

  #touch(name: string): void {
    (this.#touched ??= new Set()).add(name);
  }

  /**
   * What the database must be asked before the connection may go. The answer goes to `answered`. A connection that stays, as it is
   * pinned, need only be asked about what decides how texts are read, unless the client asks for it.
   */
  question(isAsked = false): Question | undefined {
    if (!this.hasWork) return undefined;
    const isUrgent = this.#touched !== undefined || !this.isPinned || isAsked;
    if (!isUrgent) return undefined;
    const settings = [...(this.#touched ?? [])];
    const userVariables = [...(this.#assigned ?? [])];
    this.#touched = undefined;
    this.#assigned = undefined;
    const question = ask(settings, userVariables, this.isNumberDue);
    this.isNumberDue = false;
    return question;
  }

  /** The answer; undefined where it is an error, and none where a value is too long to be carried. Returns what to ask instead. */
  answered(
    memory: MysqlMemory,
    question: Question,
    row: readonly Field[] | 'none' | undefined,
  ): Question[] {
    const { settings, userVariables } = question;
    if (row === undefined || row === 'none') {
      const instead = askSingly(question);
      const isTooLong = row === 'none' && instead.length === 0;
      if (isTooLong) for (const name of userVariables) this.pin('userVariable', name);
      return instead;
    }
    const changes = settings.map((name, at) => {
      const field = row[at];
      const literal =
        field === undefined
          ? undefined
          : this.#literal(name, field, memory.beginning, namedIn(name, settings, row));
      if (literal === undefined) this.pin('setting', name);
      const isInitial = literal === memory.beginning.get(name);
      return [name, isInitial ? undefined : literal] as const;
    });
    const assigned = userVariables.map((name, at) => {
      const first = settings.length + at * FIELDS_OF_USER_VARIABLE;
      return [`@${name}`, this.#userLiteral(name, row.slice(first))] as const;
    });
    const last = question.asksForLastInsertId ? row.at(-1)?.text : undefined;
    const { party } = this.#parts;
    if (last !== undefined)
      party.lastInsertId = memory.lastInsertId.told(party.lastInsertId, text(last));
    if (settings.includes(RESULTS)) this.#setsPlainResults = false;
    if (settings.includes(CLIENT)) this.#setsPlainClient = false;
    this.#apply(memory, [...changes, ...assigned]);
    this.#noteReports(settings, row);
    this.#learn(memory, settings, changes);
    return [];
  }

  /** The answer to what a text has set, and to nothing less, tells what it comes to. */
  #learn({ beginning }: MysqlMemory, settings: readonly string[], changes: Changes): void {
    const lesson = this.#lesson;
    const said = this.#said;
    this.#lesson = undefined;
    if (lesson === undefined || !said.every((name) => settings.includes(name))) return;
    if (said.some((name) => name.startsWith('session_track'))) return;
    const learnt = changes.filter(([name]) => said.includes(name));
    this.#lessons.learn(beginning, lesson, learnt);
  }

  /** @param named what SET NAMES would have set it to. Undefined for what is not known. */
  #literal(
    name: string,
    field: Field,
    beginning: Beginning,
    named: string | undefined,
  ): string | undefined {
    const shown = settingLiteral(field);
    if ((name !== RESULTS && name !== CLIENT) || field.text === undefined) return shown;
    if (!this.#isMariaDb) return name === RESULTS ? String(field.collation) : shown;
    const isPlain = name === RESULTS ? this.#setsPlainResults : this.#setsPlainClient;
    const before = this.wanted.values.get(name) ?? beginning.get(name);
    const likely = isPlain ? undefined : (named ?? before);
    const literal = likely?.startsWith(`${shown} COLLATE `) === true ? likely : shown;
    if (name === CLIENT) return literal;
    // What cannot be told by its name can be by its number.
    const first = beginning.get(RESULTS) ?? '';
    const number = beginning.get(RESULTS_NUMBER);
    const isFirst = number === undefined ? literal === first : String(field.collation) === number;
    if (isFirst && charsetIn(first) === shown) return first;
    return literal === first && !isFirst ? undefined : literal;
  }

  #userLiteral(
    name: string,
    [value, hex, charset, collation]: readonly Field[],
  ): string | undefined {
    if (
      value === undefined ||
      hex === undefined ||
      charset === undefined ||
      collation === undefined
    )
      return undefined;
    const literal = userLiteral(value, hex, charset, collation);
    const isKept = literal !== undefined && literal.length <= limits.carriedVariableBytes.value;
    if (!isKept) this.pin('userVariable', name);
    return !isKept || literal === 'NULL' ? undefined : literal;
  }

  pin(reason: PinReason, digest: string): void {
    if (this.#pins?.has(reason) === true) return;
    this.#pins ??= new Set();
    this.#pins.add(reason);
    this.#parts.party.sink.pin(reason, digest);
  }

  unpin(reason: PinReason): void {
    if (this.#pins?.delete(reason) === true) this.#parts.party.sink.unpin(reason);
  }
}

/** Older servers know what SET TRANSACTION sets by another name: it is among those that they begin with. */
function calledHere(name: string, beginning: Beginning): string {
  const older = name.replace(/^transaction_/, 'tx_');
  return !beginning.has(name) && beginning.has(older) ? older : name;
}

/** What MariaDB's SET NAMES has set, if that is what it was. Undefined where the character sets differ. */
function namedIn(
  name: string,
  settings: readonly string[],
  row: readonly Field[],
): string | undefined {
  const shownOf = (variable: string): string | undefined => {
    const field = row[settings.indexOf(variable)];
    return field === undefined ? undefined : settingLiteral(field);
  };
  const charset = shownOf(name);
  const isNamed = charset !== undefined && charset === shownOf('character_set_connection');
  return isNamed ? `${charset} COLLATE ${shownOf('collation_connection')}` : undefined;
}

const NOTHING_SAID: readonly string[] = [];
