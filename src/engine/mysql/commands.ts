import { Violation } from '../../base/assert.ts';
import { EMPTY, latin1, u16le, u32le, u8 } from '../../base/bytes.ts';
import { limits } from '../../base/limits.ts';
import type { Fault } from '../../core/fault.ts';
import { capability } from '../../wire/mysql/capabilities.ts';
import { command } from '../../wire/mysql/commands.ts';
import type { ServerError } from '../../wire/mysql/err.ts';
import { error } from '../../wire/mysql/err.ts';
import { MAX_PACKET_BYTES, packet } from '../../wire/mysql/framing.ts';
import { sqlStart } from '../../wire/mysql/com-query.ts';
import { ok } from '../../wire/mysql/ok.ts';
import { readStatementId, STATEMENT_ID_END } from '../../wire/mysql/stmt.ts';
import { serverStatus } from '../../wire/mysql/status-flags.ts';
import type { ClientStatement } from './client-statements.ts';
import type { Crew } from './crew.ts';
import { dialectIn } from './dialects.ts';
import { wordsOf } from './faults.ts';
import { isLearnable, LONGEST_LESSON_BYTES } from './learned.ts';
import { stopByNumber } from './kill.ts';
import type { MysqlMemory } from './memory.ts';
import { OwnWarnings } from './own-warnings.ts';
import type { Place } from './place.ts';
import type { Reply, Shape } from './reply.ts';
import { shape } from './reply.ts';
import type { StreamingClassifier } from './sql/classifier.ts';
import { beginStreaming, Classifier, digestOf } from './sql/classifier.ts';
import type { Dialect } from './sql/dialect.ts';
import type { Effects, Kill } from './sql/effects.ts';
import type { OnServer } from './template.ts';

/** What becomes of a command: it is sent, it has been dealt with, or it must wait; or the client is talked to. */
export type Verdict = 'pass' | 'drop' | 'hold' | 'talk';

const classifier = new Classifier();

/** Commands that mean nothing to us, and what the database answers. */
const shapes: ReadonlyMap<number, Shape> = new Map<number, Shape>([
  [command.initDb, shape.ok],
  [command.fieldList, shape.fields],
  [command.createDb, shape.ok],
  [command.dropDb, shape.ok],
  [command.refresh, shape.ok],
  [command.shutdown, shape.ok],
  [command.statistics, shape.text],
  [command.processInfo, shape.results],
  [command.debug, shape.ok],
  [command.ping, shape.ok],
]);

const refused: Readonly<Partial<Record<number, string>>> = {
  [command.binlogDump]: 'replication (COM_BINLOG_DUMP)',
  [command.binlogDumpGtid]: 'replication (COM_BINLOG_DUMP_GTID)',
  [command.registerSlave]: 'replication (COM_REGISTER_SLAVE)',
  [command.tableDump]: 'replication (COM_TABLE_DUMP)',
  [command.clone]: 'cloning (COM_CLONE)',
};

/** Who misses a statement, in MariaDB's words. */
const asker: Readonly<Partial<Record<number, string>>> = {
  [command.stmtExecute]: 'mysqld_stmt_execute',
  [command.stmtBulkExecute]: 'mysqld_stmt_bulk_execute',
  [command.stmtFetch]: 'mysqld_stmt_fetch',
  [command.stmtReset]: 'mysqld_stmt_reset',
};

const unknownCommand: ServerError = { code: 1047, sqlState: '08S01', message: 'Unknown command' };
const malformed: ServerError = {
  code: 1835,
  sqlState: 'HY000',
  message: 'Malformed communication packet.',
};
/** COM_SET_OPTION, with the option's number. */
const OPTION_BYTES = 3;
/** Enough to see which statement a command is about, and how its parameters are bound. */
const STATEMENT_HEADER_BYTES = 10;
/** Of a text, to see what kind of statement it is. */
const OPENING_BYTES = 32;
/** COM_PROCESS_KILL, with the connection's number. */
const KILL_BYTES = 5;

/** Text ahead of a statement is rare, and may be anything. */
const inserting = /^\s*(?:insert|replace|\/|-|#)/i;
const ending = /^\s*(?:commit|rollback(?!\s+(?:work\s+)?to\b))\b/i;
const setting = /^\s*set\s/i;
const ALL_LEFTOVERS = 4;

/** The client's commands, one by one: what each does to the session, and what the database will answer. */
export class Commands {
  readonly #parts: Crew;
  readonly #warnings: OwnWarnings;
  /** What the command at hand does, or the one before it where none is. */
  #effects: Effects | undefined;
  /** The prepared statement that the command at hand is about. */
  #statement: ClientStatement | undefined;
  /** The database closes the connection as it has been asked to. */
  endsSession = false;
  /** Looks at a text that comes in pieces. */
  #streaming: StreamingClassifier | undefined;
  /** With autocommit off: something has been run since the last transaction ended, which may have begun one (trap MY-41). */
  #hasBegun = false;
  /** Of a COM_SET_OPTION under way. */
  #option: number | undefined;
  /** The command at hand prepares a statement, which may ask for what it does not wipe out. */
  #isPreparing = false;
  /** The command is an INSERT or a REPLACE, where that matters. */
  #isInsert = false;
  /** The command is a COMMIT or a ROLLBACK. */
  #endsTransaction = false;

  constructor(parts: Crew) {
    this.#parts = parts;
    this.#warnings = new OwnWarnings(parts);
  }

  get #flags(): number {
    return this.#parts.party.who.capabilities.flags;
  }

  get isClear(): boolean {
    return this.#streaming === undefined && this.#option === undefined && !this.endsSession;
  }

  /** What comes next is another session's. */
  forget(): void {
    this.#effects = undefined;
    this.#statement = undefined;
    this.#hasBegun = false;
    this.#isPreparing = false;
    this.#isInsert = false;
    this.#endsTransaction = false;
  }

  /** Whether a transaction may be open though the database does not say so. */
  mayBeInTransaction(memory: MysqlMemory): boolean {
    return this.#hasBegun && (memory.status & serverStatus.autocommit) === 0;
  }

  /** How many bytes of this command must have arrived before it can be dealt with. */
  neededBytes(memory: MysqlMemory | undefined, type: number, place: Place): number {
    const { length } = place;
    switch (type) {
      case command.stmtSendLongData:
        return Math.min(length, STATEMENT_HEADER_BYTES);
      case command.stmtExecute:
      case command.stmtBulkExecute:
        if (
          place.end - place.start >= STATEMENT_ID_END &&
          this.#parts.statements.mustBeWhole(memory, place)
        )
          return length;
    }
    return Math.min(length, limits.inspectedMessageBytes.value);
  }

  /** The command asks for LAST_INSERT_ID(), which is another session's on this connection. Returns whether that takes something. */
  recall(memory: MysqlMemory, type: number): boolean {
    // What is prepared does not ask yet.
    if (type === command.stmtPrepare) return false;
    const effects = this.#effects;
    // What may set it may leave it as it is, too: that must be the session's own then.
    if (effects?.setsLastInsertId !== true && effects?.asksFor.has('lastInsertId') !== true)
      return false;
    const { errands, tracker } = this.#parts;
    const { lacking } = memory.lastInsertId;
    if (lacking === 'nothing') return false;
    if (lacking === 'question') {
      tracker.isNumberDue = true;
      const question = tracker.question(true);
      if (question !== undefined) errands.ask(memory, question);
      return question !== undefined;
    }
    errands.recallLastInsertId(memory);
    return true;
  }

  /** The connection that the session had last is the one that knows the answer. */
  get prefersLast(): boolean {
    return this.#effects !== undefined && this.#effects.asksFor.size > 0;
  }

  /** Others here have asked for what this statement leaves behind: the session may, too. */
  get lingers(): boolean {
    const effects = this.#effects;
    // Who has been shown the warnings may want to see them again.
    if (effects?.asksFor.has('diagnostics') === true) return true;
    if (this.#isPreparing && this.prefersLast) return true;
    if (effects?.calculatesFoundRows === true) return true;
    const { habits } = this.#parts.party.who;
    if (habits.size === 0) return false;
    if (habits.has('rowCount')) return true;
    return habits.has('foundRows') || (habits.has('diagnostics') && this.hasWarnings);
  }

  /** The last reply has left something behind that can be read. */
  get hasWarnings(): boolean {
    const { last } = this.#parts.replies;
    return last.warnings > 0 || last.error !== 0;
  }

  /** A command begins; or it comes again, after it has waited. */
  look(type: number, place: Place): void {
    this.#isPreparing = type === command.stmtPrepare;
    this.#statement = isAboutStatement(type) ? this.#parts.statements.at(place) : undefined;
    this.#effects = this.#effectsOf(type, place);
    if (this.#effects === undefined) return;
    const { asksFor } = this.#effects;
    // Of what may ask for anything, nobody can tell that it does.
    if (asksFor.size === 0 || asksFor.size === ALL_LEFTOVERS) return;
    for (const one of asksFor) this.#parts.party.who.habits.add(one);
  }

  #effectsOf(type: number, place: Place): Effects | undefined {
    const { bytes, start, end } = place;
    switch (type) {
      case command.query:
      case command.stmtPrepare:
        if (!isWhole(place)) return undefined;
        return classifier.classify(
          bytes,
          type === command.query ? sqlStart(bytes, start, end, this.#flags) : start + 1,
          end,
          this.#dialect,
        );
      case command.stmtExecute:
      case command.stmtBulkExecute:
        return this.#statement?.template.effects;
      default:
        return undefined;
    }
  }

  /** How the database reads the session's texts. */
  get #dialect(): Dialect {
    const { wanted, welcome } = this.#parts.party;
    return dialectIn(wanted, welcome);
  }

  /** What can be answered without a connection. Undefined where the command needs one. */
  early(memory: MysqlMemory | undefined, type: number, place: Place): Verdict | undefined {
    switch (type) {
      case command.query: {
        const kill = this.#effects?.hasSeveralStatements === true ? undefined : this.#effects?.kill;
        return kill === undefined ? undefined : this.#kill(kill);
      }
      case command.processKill:
        if (place.length < KILL_BYTES) return this.#answer(error(unknownCommand, this.#flags));
        return this.#kill({
          what: 'connection',
          isSoft: false,
          id: u32le(place.bytes, place.start + 1),
        });
      case command.stmtPrepare:
        return undefined;
      case command.setOption:
        return place.length < OPTION_BYTES
          ? this.#answer(error(malformed, this.#flags))
          : undefined;
      default: {
        if (isAboutStatement(type)) return this.#earlyOf(memory, type, place);
        const what = refused[type];
        if (what !== undefined) return this.refuse({ name: 'unsupported', detail: what });
        return shapes.has(type) ? undefined : this.#answer(error(unknownCommand, this.#flags));
      }
    }
  }

  #earlyOf(memory: MysqlMemory | undefined, type: number, place: Place): Verdict | undefined {
    const { statements } = this.#parts;
    const statement = this.#statement;
    const hasNoReply = type === command.stmtClose || type === command.stmtSendLongData;
    if (statement === undefined)
      return hasNoReply ? 'drop' : this.#answer(this.#unknownStatement(type, place));
    if (type === command.stmtClose) {
      statements.close(memory, statement);
      return 'drop';
    }
    const { refusal } = statement;
    if (refusal !== undefined && !hasNoReply) {
      statement.refusal = undefined;
      return this.#answer(refusal);
    }
    // Nothing of it is on any connection.
    const isIdle = !statement.hasCursor && !statement.hasLongData;
    return type === command.stmtReset && isIdle && this.#knowsStatus ? this.answerOk() : undefined;
  }

  /** What fails may have ended a transaction, or with autocommit off begun one, and an error does not tell. */
  get #knowsStatus(): boolean {
    const { party, replies } = this.#parts;
    const { autocommit, inTransaction } = serverStatus;
    return replies.last.error === 0 || (party.status & (autocommit | inTransaction)) === autocommit;
  }

  #unknownStatement(type: number, { bytes, start, end, length }: Place): Uint8Array {
    const number = length < STATEMENT_ID_END ? 0 : readStatementId(bytes, start, end);
    const what = this.#parts.party.welcome.target.isMariaDb
      ? (asker[type] ?? '')
      : 'mysql_stmt_precheck';
    const message = `Unknown prepared statement handler (${number}) given to ${what}`;
    return error({ code: 1243, sqlState: 'HY000', message }, this.#flags);
  }

  #kill(kill: Kill): Verdict | undefined {
    const outcome = stopByNumber(this.#parts.party, kill);
    switch (outcome) {
      case undefined:
        return undefined;
      case 'own':
        this.#parts.party.sink.fail({ name: 'killed' });
        return 'drop';
      case 'stopped':
        return this.answerOk();
      default:
        return this.#answer(error(outcome, this.#flags));
    }
  }

  /** Deals with a command on a connection that is as the session wants it. */
  begin(memory: MysqlMemory, type: number, place: Place): Verdict {
    const { replies, party } = this.#parts;
    switch (type) {
      case command.query:
        party.sink.request();
        this.#note(memory, place);
        if (!isWhole(place)) this.#beginStream(place);
        replies.expect(shape.results);
        return 'pass';
      case command.stmtPrepare:
        this.#notePrepared(place);
        this.#parts.statements.prepare(memory, place, this.#effects);
        return 'pass';
      case command.setOption:
        this.#option = u16le(place.bytes, place.start + 1);
        replies.expect(shape.ok, this.#warnings.tell);
        return 'pass';
      case command.stmtExecute:
      case command.stmtBulkExecute:
      case command.stmtFetch:
      case command.stmtReset:
      case command.stmtSendLongData:
        return this.#onStatement(memory, type, place);
      default: {
        const of = shapes.get(type) ?? shape.ok;
        replies.expect(of, of === shape.ok ? this.#warnings.tell : undefined);
        return 'pass';
      }
    }
  }

  #notePrepared({ bytes, start, end, length }: Place): void {
    const { tracker } = this.#parts;
    tracker.measure(length);
    tracker.prepares(() => digestOf(bytes, start + 1, end, this.#dialect));
    if (this.#effects !== undefined) tracker.assignsAlready(this.#effects);
  }

  #onStatement(memory: MysqlMemory, type: number, place: Place): Verdict {
    const { statements } = this.#parts;
    const statement = this.#statement;
    if (statement === undefined) throw new Violation('a command about no statement');
    const onServer = statements.settleOn(memory, statement, place);
    if (onServer === undefined) return 'hold';
    switch (type) {
      case command.stmtFetch:
        statements.fetch(statement);
        return 'pass';
      case command.stmtReset:
        statements.reset(statement);
        return 'pass';
      case command.stmtSendLongData:
        statements.addLongData(statement);
        return 'pass';
      default:
        this.#parts.party.sink.request();
        this.#note(memory, place);
        return this.#execute(statement, onServer, place);
    }
  }

  #beginStream({ bytes, start, end }: Place): void {
    this.#streaming = beginStreaming(this.#dialect);
    this.#streaming.feed(bytes, sqlStart(bytes, start, end, this.#flags), end);
  }

  /** The next part of a command that is too long to be looked at as a whole. */
  stream(bytes: Uint8Array, start: number, end: number, isLast: boolean): void {
    if (this.#streaming === undefined) return;
    this.#streaming.feed(bytes, start, end);
    if (!isLast) return;
    this.#effects = this.#streaming.finish();
    this.#streaming = undefined;
    this.#parts.tracker.sent(this.#effects);
  }

  #execute(statement: ClientStatement, onServer: OnServer, place: Place): Verdict {
    const instead = this.#parts.statements.execute(statement, onServer, place);
    if (instead === undefined) return 'pass';
    this.#parts.party.sink.toServer(packet(0, instead));
    return 'drop';
  }

  /** The command is sent: what it does is to be found out. */
  #note(memory: MysqlMemory, place: Place): void {
    const { bytes, start, end, length } = place;
    const { tracker } = this.#parts;
    const effects = this.#effects;
    tracker.measure(length);
    const isQuery = u8(bytes, start) === command.query;
    const from = isQuery ? sqlStart(bytes, start, end, this.#flags) : end;
    memory.lastInsertId.sent();
    tracker.sent(effects, (effects?.sets.length ?? 0) > 0 ? lessonIn(bytes, from, end) : undefined);
    const isAutocommit = (memory.status & serverStatus.autocommit) !== 0;
    this.#endsTransaction = false;
    this.#isInsert = false;
    if (isAutocommit) this.#hasBegun = false;
    const isPlain = isAutocommit && !tracker.hasOneShot;
    if (isPlain && !this.#parts.party.who.habits.has('lastInsertId')) return;
    const text = isQuery ? bytes : (this.#statement?.template.text ?? EMPTY);
    const at = isQuery ? from : 0;
    const opening = latin1(text, at, Math.min(text.length, at + OPENING_BYTES));
    this.#isInsert = inserting.test(opening);
    this.#endsTransaction = ending.test(opening);
    // A SET does not begin a transaction, unless it reads a table: that the database tells.
    if (this.#endsTransaction) this.#hasBegun = false;
    else this.#hasBegun ||= !isAutocommit && !setting.test(opening);
  }

  /** The reply to the client's command is over. */
  ended(memory: MysqlMemory, reply: Reply): void {
    this.#warnings.ended(reply);
    const { tracker, party } = this.#parts;
    const wasOpen = (party.status & serverStatus.inTransaction) !== 0;
    // An error tells none: what the connection had before may be another session's.
    if (reply.hasStatus) party.status = reply.status;
    const isError = reply.error !== 0;
    const isOpen = (reply.status & serverStatus.inTransaction) !== 0;
    // Of a transaction that `SET autocommit = 1` has ended, MySQL leaves to the next statement that it was read-only, and its
    // isolation level: that must be one of ours.
    tracker.ended(memory, isError, wasOpen && !isOpen);
    tracker.followTransaction(isOpen, this.#endsTransaction && !isError);
    if (reply.lastInsertId !== 0) {
      // It may be that of a row which came with it, which is none of LAST_INSERT_ID().
      party.lastInsertId = String(reply.lastInsertId);
      memory.lastInsertId.inserted(party.lastInsertId);
    }
    const { habits } = party.who;
    if (habits.size > 0 && habits.has('lastInsertId') && this.#mayHaveInserted(reply))
      tracker.isNumberDue = true;
    this.#parts.statements.ended(memory, reply);
    if (this.#option !== undefined && !isError) this.#choose(memory, this.#option);
    this.#option = undefined;
    this.endsSession = this.#effects?.endsSession === true && reply.error === 0;
  }

  /** COM_SET_OPTION has been obeyed: whether a text may hold several statements. */
  #choose(memory: MysqlMemory, option: number): void {
    const isOn = option === 0;
    const wasOn = (this.#flags & capability.multiStatements) !== 0;
    this.#parts.tracker.chose(memory, isOn === wasOn ? undefined : isOn ? 'ON' : 'OFF');
  }

  /** Whether LAST_INSERT_ID() may be another one than the reply tells, or does not tell: behind rows, and of routines. */
  #mayHaveInserted({ lastInsertId, hasColumns, error: code }: Reply): boolean {
    const { mayRunRoutines = false, givesNumbers = false } = this.#effects ?? {};
    if (lastInsertId !== 0 || mayRunRoutines || givesNumbers) return true;
    return hasColumns && code === 0 && this.#isInsert;
  }

  refuse(fault: Fault): Verdict {
    return this.#answer(error(wordsOf(fault), this.#flags));
  }

  answerOk(): Verdict {
    const said = {
      affectedRows: 0n,
      lastInsertId: 0n,
      status: this.#parts.party.status & LASTING,
      warnings: 0,
      info: '',
      sessionState: EMPTY,
    };
    return this.#answer(ok(said, this.#flags & ~capability.sessionTrack));
  }

  /** What the client has asked is answered by us. */
  #answer(payload: Uint8Array): Verdict {
    this.#parts.replies.answer(payload);
    return 'drop';
  }
}

function isAboutStatement(type: number): boolean {
  switch (type) {
    case command.stmtExecute:
    case command.stmtBulkExecute:
    case command.stmtFetch:
    case command.stmtReset:
    case command.stmtClose:
    case command.stmtSendLongData:
      return true;
    default:
      return false;
  }
}

/** It is all there, in one packet. */
function isWhole({ start, end, length }: Place): boolean {
  return end - start === length && length < MAX_PACKET_BYTES;
}

/** The text, where what it sets can be learnt from it. */
function lessonIn(bytes: Uint8Array, start: number, end: number): string | undefined {
  const text = end - start > LONGEST_LESSON_BYTES ? '' : latin1(bytes, start, end);
  return isLearnable(text) ? text : undefined;
}

/** What a status says of the session, and not of a statement. */
const LASTING =
  serverStatus.inTransaction |
  serverStatus.inReadOnlyTransaction |
  serverStatus.autocommit |
  serverStatus.noBackslashEscapes |
  serverStatus.ansiQuotes;
