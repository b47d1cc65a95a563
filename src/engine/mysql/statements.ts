import { Violation } from '../../base/assert.ts';
import { u16le, u32le, u8 } from '../../base/bytes.ts';
import { limits } from '../../base/limits.ts';
import { capability } from '../../wire/mysql/capabilities.ts';
import { command } from '../../wire/mysql/commands.ts';
import { error, errorCode, isError } from '../../wire/mysql/err.ts';
import { MAX_PACKET_BYTES, packet } from '../../wire/mysql/framing.ts';
import {
  readStatementId,
  STATEMENT_ID_END,
  stmtClose,
  stmtPrepare,
  writeStatementId,
} from '../../wire/mysql/stmt.ts';
import {
  bulkWithTypes,
  readStmtBulkExecute,
  readStmtExecute,
  saysAgain,
  withTypes,
} from '../../wire/mysql/stmt-execute.ts';
import { serverStatus } from '../../wire/mysql/status-flags.ts';
import { ClientStatements } from './client-statements.ts';
import type { ClientStatement } from './client-statements.ts';
import type { Errands } from './errands.ts';
import type { MysqlMemory } from './memory.ts';
import type { Place } from './place.ts';
import type { Party } from './party.ts';
import type { Replies } from './replies.ts';
import type { Reply } from './reply.ts';
import { shape, tellsPrepared } from './reply.ts';
import type { Tracker } from './tracker.ts';
import type { OnServer } from './template.ts';
import { Template } from './template.ts';
import type { Effects } from './sql/effects.ts';

interface Parts {
  readonly tracker: Tracker;
  readonly replies: Replies;
  readonly errands: Errands;
  readonly party: Party;
}

/**
 * A session's prepared statements. The client has numbers of ours; on connections they have the database's, and are prepared
 * again where they are missing (traps MY-60, MY-62).
 */
export class Statements {
  readonly #parts: Parts;
  /** The one whose execution or fetching is under way. */
  #running: ClientStatement | undefined;
  /** Those whose rest is on the connection. */
  #held: Set<ClientStatement> | undefined;

  constructor(parts: Parts) {
    this.#parts = parts;
  }

  /** Something of a statement is on the connection, and nowhere else. */
  get isHeld(): boolean {
    return this.#held !== undefined && this.#held.size > 0;
  }

  /** Nothing is under way, or left on the connection. */
  get isClear(): boolean {
    return this.#running === undefined && !this.isHeld;
  }

  /** One with this template has something of it on the connection, which another execution would take away. */
  #isHolding(template: Template): boolean {
    if (this.#held === undefined) return false;
    for (const statement of this.#held) if (statement.template === template) return true;
    return false;
  }

  /** The statement that a command is about; undefined where there is none of this number. */
  at({ bytes, start, end, length }: Place): ClientStatement | undefined {
    if (length < STATEMENT_ID_END) return undefined;
    return this.#parts.party.statements?.at(readStatementId(bytes, start, end));
  }

  /** The client prepares a statement: it is prepared here and now, since the client wants to know its columns. */
  prepare(
    memory: MysqlMemory,
    { bytes, start, end, length }: Place,
    effects: Effects | undefined,
  ): void {
    const { tracker, replies } = this.#parts;
    const isWhole = end === start + length && length < MAX_PACKET_BYTES;
    const text = bytes.slice(start + 1, end);
    const shared = Template.of(text, tracker.wanted.parsing, effects);
    const template = this.#isHolding(shared) ? shared.apart() : shared;
    // What has not been seen as a whole cannot be prepared anywhere else.
    if (!isWhole) tracker.pin('preparedStatement', effects?.digest ?? '');
    replies.expect(shape.prepared, (reply, at, replyEnd) => {
      this.#parts.party.statements?.forgetLast();
      if (tellsPrepared(reply, at, replyEnd)) this.#prepared(memory, template, reply, at);
      else if (isError(reply, at, replyEnd) && isTooMany(reply, at)) this.#makeRoom(memory);
    });
  }

  /** The database has answered: the client gets a number of ours, in the place of the database's. */
  #prepared(memory: MysqlMemory, template: Template, bytes: Uint8Array, start: number): void {
    const { party } = this.#parts;
    const statements = (party.statements ??= new ClientStatements());
    if (statements.count >= limits.sessionStatements.value) {
      party.sink.fail({ name: 'tooManyStatements', limit: limits.sessionStatements.value });
      return;
    }
    this.#register(memory, template, u32le(bytes, start + 1));
    const { number } = statements.add(template, u16le(bytes, start + 7));
    writeStatementId(bytes, start, number);
  }

  /** A statement is on the connection now. What it takes the place of is closed. */
  #register(memory: MysqlMemory, template: Template, id: number): void {
    const before = memory.prepared.add(template, id);
    if (before !== undefined) this.#forget(before);
    if (memory.prepared.size <= this.#parts.party.options.maxPreparedStatements) return;
    const oldest = memory.prepared.shift((template) => this.#isHolding(template));
    if (oldest !== undefined) this.#forget(oldest);
  }

  /** The server, of all its connections, has no room for another one (trap MY-66): those kept in case of need go. */
  #makeRoom(memory: MysqlMemory): boolean {
    let hasRoom = false;
    for (;;) {
      const id = memory.prepared.shift((template) => this.#isHolding(template));
      if (id === undefined) return hasRoom;
      this.#forget(id);
      hasRoom = true;
    }
  }

  /** To be called between two commands. Has no reply. */
  #forget(id: number): void {
    this.#parts.party.sink.toServer(packet(0, stmtClose(id)));
  }

  /**
   * Makes the command one about the connection's own statement, and returns that. Undefined where it is not there yet, and is being
   * prepared: the command must wait.
   */
  settleOn(
    memory: MysqlMemory,
    statement: ClientStatement,
    { bytes, start }: Place,
  ): OnServer | undefined {
    if (this.#held?.has(statement) !== true && this.#isHolding(statement.template))
      statement.template = statement.template.apart();
    const onServer = memory.prepared.use(statement.template);
    if (onServer === undefined) this.#prepareAgain(memory, statement);
    else writeStatementId(bytes, start, onServer.id);
    return onServer;
  }

  /** Under the schema and the settings that it was prepared under first, which may not be the session's any more. */
  #prepareAgain(memory: MysqlMemory, statement: ClientStatement): void {
    const { errands, tracker } = this.#parts;
    // In a transaction it may not be known yet what the session has set, to which the connection is to come back.
    const question = tracker.question();
    if (question !== undefined) {
      errands.ask(memory, question);
      return;
    }
    const { template } = statement;
    const refused = (refusal: Uint8Array): void => {
      statement.refusal = refusal;
    };
    const prepare = (): void => {
      const payload = packet(0, stmtPrepare(template.text));
      errands.send(payload, shape.prepared, (failure, [first]) => {
        if (template.effects !== undefined) tracker.spoils(memory, template.effects);
        if (failure !== undefined) {
          if (isTooMany(failure) && this.#makeRoom(memory)) {
            prepare();
            return;
          }
          refused(failure);
        } else if (first !== undefined) {
          this.#register(memory, template, u32le(first, 1));
          if (u16le(first, 7) !== statement.parameters) refused(needsReprepare);
        }
        errands.go(memory, tracker.wanted, () => {});
      });
    };
    errands.go(memory, memory.state.parsingAs(template.context), prepare, refused);
  }

  /**
   * The client executes a statement that is on the connection. Returns the payload to send in place of its own, where the
   * database does not know how the parameters are bound: the client has said so on another connection (trap MY-62).
   */
  execute(statement: ClientStatement, onServer: OnServer, place: Place): Uint8Array | undefined {
    this.#parts.replies.expect(shape.results);
    this.#running = statement;
    try {
      return this.#bind(statement, onServer, place);
    } catch (problem) {
      if (!(problem instanceof Violation)) throw problem;
      // What is wrong with it, the database says, and goes on.
      return undefined;
    }
  }

  #bind(
    statement: ClientStatement,
    onServer: OnServer,
    { bytes, start, end }: Place,
  ): Uint8Array | undefined {
    const isBulk = u8(bytes, start) === command.stmtBulkExecute;
    const { parameters, types } = statement;
    if (parameters === 0 && !isBulk) return undefined;
    const { flags } = this.#parts.party.who.capabilities;
    const isSimple = !isBulk && types !== undefined && (flags & capability.queryAttributes) === 0;
    if (isSimple && saysAgain(bytes, start, end, parameters, types)) {
      onServer.boundBy = statement;
      return undefined;
    }
    const knowsTypes = onServer.boundBy === statement;
    onServer.boundBy = undefined;
    if (isBulk) {
      const said = readStmtBulkExecute(bytes, start, end, parameters);
      onServer.boundBy = statement;
      if (said.hasTypes) statement.remember(bytes, said);
      else if (!knowsTypes && types !== undefined)
        return bulkWithTypes(bytes, start, end, said, types);
      return undefined;
    }
    const said = readStmtExecute(bytes, start, end, parameters, flags);
    onServer.boundBy = statement;
    if (said.hasTypes) statement.remember(bytes, said);
    else if (!knowsTypes && types !== undefined && said.parameters > 0)
      return withTypes(bytes, start, end, said, types);
    return undefined;
  }

  /** Whether an execution must be there as a whole: types may have to be put into it. */
  mustBeWhole(memory: MysqlMemory | undefined, place: Place): boolean {
    const statement = this.at(place);
    if (statement?.types === undefined || place.length >= MAX_PACKET_BYTES) return false;
    const onServer = memory?.prepared.use(statement.template);
    return onServer === undefined || onServer.boundBy !== statement;
  }

  /** A part of a parameter's value. Has no reply. */
  addLongData(statement: ClientStatement): void {
    statement.hasLongData = true;
    this.#hold(statement);
  }

  fetch(statement: ClientStatement): void {
    this.#parts.replies.expect(shape.rows);
    this.#running = statement;
  }

  reset(statement: ClientStatement): void {
    this.#letGo(statement);
    this.#parts.replies.expect(shape.ok);
  }

  /** Has no reply. Where something of it is on the connection, that goes as well. */
  close(memory: MysqlMemory | undefined, statement: ClientStatement): void {
    this.#parts.party.statements?.remove(statement);
    if (this.#held?.has(statement) !== true) return;
    this.#letGo(statement);
    if (memory !== undefined) this.#drop(memory, statement);
  }

  /** Takes a statement from its connection. Has no reply. */
  #drop(memory: MysqlMemory, { template }: ClientStatement): void {
    const onServer = memory.prepared.use(template);
    if (onServer === undefined) return;
    memory.prepared.remove(template);
    this.#forget(onServer.id);
  }

  #hold(statement: ClientStatement): void {
    (this.#held ??= new Set()).add(statement);
  }

  #letGo(statement: ClientStatement): void {
    statement.hasLongData = false;
    statement.hasCursor = false;
    this.#held?.delete(statement);
  }

  /** The reply to an execution or a fetch is over. */
  ended(memory: MysqlMemory, { error: code, status }: Reply): void {
    const running = this.#running;
    if (running === undefined) return;
    this.#running = undefined;
    // A part of a parameter that there is not spoils the statement for good, and others have it, too.
    if (running.hasLongData && code !== 0) this.#drop(memory, running);
    running.hasLongData = false;
    const isOpen = code === 0 && (status & serverStatus.cursorExists) !== 0;
    running.hasCursor = isOpen && (status & serverStatus.lastRowSent) === 0;
    if (running.hasCursor) this.#hold(running);
    else this.#held?.delete(running);
  }
}

/** ER_MAX_PREPARED_STMT_COUNT_REACHED */
function isTooMany(error: Uint8Array, start = 0): boolean {
  return errorCode(error, start, error.length) === 1461;
}

/** It returns something else on this connection than where the client prepared it. */
const needsReprepare = error(
  { code: 1615, sqlState: 'HY000', message: 'Prepared statement needs to be re-prepared' },
  capability.protocol41,
);
