import { Violation } from '../../base/assert.ts';
import { concat, EMPTY, i32be, u8 } from '../../base/bytes.ts';
import { limits } from '../../base/limits.ts';
import type { RelaySink } from '../../core/engine.ts';
import type { TransactionStatus } from '../../wire/postgres/backend.ts';
import { errorResponse } from '../../wire/postgres/backend.ts';
import {
  readCommandComplete,
  readReadyForQuery,
  readReport,
} from '../../wire/postgres/backend-read.ts';
import { checkMessageLength, HEADER_BYTES } from '../../wire/postgres/framing.ts';
import { backend } from '../../wire/postgres/message-types.ts';
import { ChangedResult, Describing } from './description.ts';
import { translated } from './error-names.ts';
import type { Ledger } from './ledger.ts';
import { owed } from './ledger.ts';
import type { PostgresMemory } from './memory.ts';
import type { OwnReplies } from './own-replies.ts';
import type { Parameters } from './parameters.ts';
import { NameChanges } from './sql-names.ts';
import type { SequenceGuard } from './sequence-guard.ts';
import type { Statements } from './statements.ts';
import type { Tracker } from './tracker.ts';

/** `I`, the transaction status outside a transaction. */
const IDLE = 0x49;
const PARSE_COMPLETE = Uint8Array.of(backend.parseComplete, 0, 0, 0, 4);

interface Parts {
  readonly sink: RelaySink;
  readonly ledger: Ledger;
  readonly tracker: Tracker;
  readonly statements: Statements;
  readonly parameters: Parameters;
  readonly own: OwnReplies;
  readonly sequences: SequenceGuard;
}

/**
 * The way back: a scanner over the database's messages that passes runs of them on in one write and strikes each reply
 * off the ledger. A reply that was not owed means that the two have lost each other, and ends the connection.
 */
export class Replies {
  readonly #parts: Parts;
  /** What we say to the client ourselves: before the message at hand, and what of it has not been sent yet. */
  #words: Uint8Array = EMPTY;
  #ahead: Uint8Array = EMPTY;
  /** Something of ours has failed, and no Sync of the client's ends what the database skips now. */
  needsSync = false;
  /** The database skips to a Sync that has not been sent yet. */
  isSkipping = false;
  #copyingIn = false;
  /** A copy has swallowed the Sync that was to end its request: another one must come (trap PG-09). */
  #awaitsSync = false;
  /** A copy failed, and Syncs are owed of which nobody knows whether the copy has swallowed them. */
  #doubt: 'none' | 'open' | 'barrier due' | 'barrier sent' = 'none';
  #fatalSaid = false;
  /** The client has received the first part of a message and not yet the rest. */
  #inMessage = false;
  /** What made the client's messages wait is known now. */
  resolved = false;
  /** The client's batch from its first Bind on, which can be sent again if that fails for a reason of ours. */
  #batchIn: Uint8Array | undefined;
  #batchFrom = 0;
  #batchTo = 0;
  /** Something in the batch at hand has been bound. */
  #hasBound = false;
  #isRetrying = false;

  constructor(parts: Parts) {
    this.#parts = parts;
  }

  /** As at the beginning. */
  get isClear(): boolean {
    return (
      this.#words.length === 0 &&
      this.#ahead.length === 0 &&
      !this.needsSync &&
      !this.isSkipping &&
      !this.#copyingIn &&
      !this.#awaitsSync &&
      this.#doubt === 'none' &&
      !this.#fatalSaid &&
      !this.#inMessage &&
      this.#batchIn === undefined &&
      !this.#hasBound &&
      !this.#isRetrying
    );
  }

  get nothingOwed(): boolean {
    return this.#parts.ledger.onlyOurs && !this.isSkipping && !this.#awaitsSync;
  }

  /** A barrier is due or under way: until it is answered nothing more may be sent. */
  get isDoubtful(): boolean {
    return this.#doubt === 'barrier due' || this.#doubt === 'barrier sent';
  }

  /** The database has said its last: the connection is at no boundary any more, and is about to close. */
  get farewell(): boolean {
    return this.#fatalSaid;
  }

  /** An error message of ours would be understood: none has been passed on, and no message is cut in two. */
  get canSpeak(): boolean {
    return !this.#fatalSaid && !this.#inMessage;
  }

  /** A Sync or a query is on its way to the database. */
  synced(): void {
    this.isSkipping = false;
    this.needsSync = false;
    this.#awaitsSync = false;
  }

  /** A whole batch is on its way: `bytes[from, to)` is what came from its first Bind on. */
  sent(bytes: Uint8Array, from: number, to: number): void {
    this.#batchIn = bytes;
    this.#batchFrom = from;
    this.#batchTo = to;
  }

  /** What must be sent again, once. */
  takeRetry(): Uint8Array | undefined {
    if (!this.#isRetrying || !this.#parts.ledger.isEmpty) return undefined;
    this.#isRetrying = false;
    return this.#batchIn?.subarray(this.#batchFrom, this.#batchTo);
  }

  /** What is under way is not sent again, whatever becomes of it. */
  forgetBatch(): void {
    this.#batchIn = undefined;
  }

  /** The end of a copy is on its way. */
  endsCopy(): void {
    const { ledger } = this.#parts;
    if (!ledger.isEmpty && !this.isSkipping) ledger.push(owed.copyEnd);
  }

  /** Whether the barrier is to be sent now, between two messages of the client's. */
  takeBarrier(): boolean {
    if (this.#doubt !== 'barrier due') return false;
    this.#doubt = 'barrier sent';
    return true;
  }

  /** The client asks for what is there: what we answer ourselves must not wait for what the database may say later. */
  flush(): void {
    this.#answerElided();
    this.#ahead = joined(this.#ahead, this.#words);
    this.#words = EMPTY;
    if (this.#parts.ledger.isEmpty) this.#sayAhead();
  }

  /** Passes on what the database sent. */
  relay(memory: PostgresMemory, arrived: Uint8Array): void {
    if (this.#fatalSaid) return; // whatever follows a farewell, the client hears one (trap PG-15)
    const bytes = memory.held.length === 0 ? arrived : concat([memory.held, arrived]);
    memory.held = EMPTY;
    this.resolved = false;
    const end = bytes.length;
    let at = Math.min(memory.remaining, end);
    // The rest of a message goes where its beginning went.
    let from = this.#inMessage ? 0 : at;
    memory.remaining -= at;
    if (memory.remaining === 0) this.#inMessage = false;
    while (end - at >= HEADER_BYTES && !this.#fatalSaid) {
      const type = u8(bytes, at);
      const bodyBytes = checkMessageLength(i32be(bytes, at + 1));
      const start = at + HEADER_BYTES;
      if (start + bodyBytes > end && this.#mustBeWhole(type, bodyBytes)) break;
      const bodyEnd = Math.min(start + bodyBytes, end);
      if (this.#parts.ledger.head === owed.elidedParse) this.#answerElided();
      const isPassed = this.#reply(
        memory,
        type,
        bytes,
        start,
        bodyEnd,
        start + bodyBytes === bodyEnd,
      );
      if (!isPassed || this.#words.length > 0) {
        this.#passOn(bytes, from, at);
        this.#ahead = joined(this.#ahead, this.#words);
        this.#words = EMPTY;
        from = isPassed ? at : bodyEnd;
      }
      memory.remaining = start + bodyBytes - bodyEnd;
      this.#inMessage = isPassed && memory.remaining > 0;
      at = bodyEnd;
    }
    this.#passOn(bytes, from, at);
    // The client may have flushed, and wait for this.
    if (memory.remaining === 0 && !this.#fatalSaid) this.#answerElided();
    this.#ahead = joined(this.#ahead, this.#words);
    this.#words = EMPTY;
    this.#sayAhead();
    if (at < end && !this.#fatalSaid) memory.held = bytes.slice(at);
  }

  #passOn(bytes: Uint8Array, from: number, to: number): void {
    if (to <= from) return;
    const run = from === 0 && to === bytes.length ? bytes : bytes.subarray(from, to);
    this.#parts.sink.toClient(this.#ahead.length === 0 ? run : concat([this.#ahead, run]));
    this.#ahead = EMPTY;
  }

  #sayAhead(): void {
    if (this.#ahead.length === 0) return;
    this.#parts.sink.toClient(this.#ahead);
    this.#ahead = EMPTY;
  }

  /** Statements that were there already when the client parsed them: their turn has come. */
  #answerElided(): void {
    const { ledger } = this.#parts;
    while (ledger.head === owed.elidedParse) {
      ledger.settle(owed.elidedParse);
      this.#words = joined(this.#words, PARSE_COMPLETE);
    }
  }

  /** Small messages that are read, and so must have arrived as a whole. */
  #mustBeWhole(type: number, bodyBytes: number): boolean {
    const isRead =
      type === backend.readyForQuery ||
      type === backend.errorResponse ||
      type === backend.parameterStatus ||
      (type === backend.noticeResponse && this.#parts.ledger.headAssumption?.moves !== undefined) ||
      this.#parts.ledger.headIsOurs ||
      (type === backend.commandComplete && this.#parts.ledger.headAssumption !== undefined) ||
      this.#isDescribing(type);
    if (!isRead || bodyBytes <= limits.inspectedMessageBytes.value) return isRead;
    if (type === backend.errorResponse || type === backend.noticeResponse || isDescription(type))
      return false;
    throw new Violation(`a message of type ${type} with ${bodyBytes} bytes`);
  }

  #isDescribing(type: number): boolean {
    return isDescription(type) && this.#parts.ledger.headAssumption instanceof Describing;
  }

  /** Strikes one message off; false where it is not the client's. */
  #reply(
    memory: PostgresMemory,
    type: number,
    bytes: Uint8Array,
    start: number,
    end: number,
    isWhole: boolean,
  ): boolean {
    const { ledger, parameters, own } = this.#parts;
    switch (type) {
      case backend.readyForQuery:
        memory.status = readStatus(bytes, start, end);
        return this.#ready(memory);
      case backend.errorResponse:
        return this.#error(memory, bytes, start, end, isWhole);
      case backend.parameterStatus:
        return parameters.hear(memory, bytes.subarray(start, end));
      case backend.notificationResponse:
        return true;
      default:
    }
    if (type === backend.emptyQueryResponse && this.#doubt === 'barrier sent') {
      ledger.reachBarrier();
      return false;
    }
    if (ledger.headIsOurs) {
      own.reply(type, bytes, start, end, isWhole);
      return false;
    }
    if (type === backend.noticeResponse) return this.#notice(bytes, start, end, isWhole);
    this.#result(type, bytes, start, end, isWhole);
    return true;
  }

  /** A reply to what the client has sent, other than those that come with anything. */
  #result(type: number, bytes: Uint8Array, start: number, end: number, isWhole: boolean): void {
    const { ledger } = this.#parts;
    switch (type) {
      case backend.dataRow:
      case backend.copyData:
      case backend.copyDone:
      case backend.copyOutResponse:
      case backend.functionCallResponse:
        if (ledger.isEmpty) throw new Violation(`message type ${type} where nothing was owed`);
        return;
      case backend.parseComplete:
        ledger.settle(owed.parse);
        return;
      case backend.bindComplete:
        ledger.settle(owed.bind);
        this.#hasBound = true;
        return;
      case backend.closeComplete:
        ledger.settle(owed.close);
        return;
      case backend.parameterDescription:
      case backend.noData:
      case backend.rowDescription:
        this.#describe(type, bytes, start, end, isWhole);
        return;
      case backend.commandComplete:
        this.#complete(bytes, start, end);
        return;
      case backend.portalSuspended:
        ledger.settle(owed.execute);
        return;
      case backend.emptyQueryResponse:
        ledger.settleUnlessQuery(owed.execute);
        return;
      case backend.copyInResponse:
        if (ledger.isEmpty) throw new Violation('a copy where nothing was owed');
        this.#copyingIn = true;
        return;
      default:
        throw new Violation(`message type ${type} from the database`);
    }
  }

  /** A notice about a text that was sent otherwise than the client has it. */
  #notice(bytes: Uint8Array, start: number, end: number, isWhole: boolean): boolean {
    const { ledger, statements } = this.#parts;
    const moves = ledger.headAssumption?.moves;
    if (moves === undefined || !isWhole) return true;
    const nameOf = (name: string): string | undefined => statements.clientsNameOf(name);
    const said = translated(backend.noticeResponse, bytes.subarray(start, end), nameOf, moves);
    if (said === undefined) return true;
    this.#words = joined(this.#words, said);
    return false;
  }

  #describe(type: number, bytes: Uint8Array, start: number, end: number, isWhole: boolean): void {
    const { ledger } = this.#parts;
    const assumption = ledger.headAssumption;
    if (assumption instanceof Describing)
      assumption.hear(type, isWhole ? bytes.subarray(start, end) : undefined);
    if (type === backend.rowDescription) ledger.settleUnlessQuery(owed.describe);
    else if (type === backend.noData) ledger.settle(owed.describe);
    else if (ledger.isEmpty) throw new Violation(`message type ${type} where nothing was owed`);
  }

  #complete(bytes: Uint8Array, start: number, end: number): void {
    const { ledger } = this.#parts;
    if (this.#copyingIn) this.#copyEnded();
    if (end - start > 2) this.#parts.sequences.completed(bytes, start);
    const assumption = ledger.headAssumption;
    if (assumption instanceof NameChanges)
      assumption.completed(readCommandComplete(bytes.subarray(start, end)));
    ledger.settleUnlessQuery(owed.execute);
  }

  #copyEnded(): void {
    const { ledger } = this.#parts;
    this.#copyingIn = false;
    ledger.endCopy();
    this.#awaitsSync = ledger.head === owed.execute && !ledger.hasEnd;
  }

  #ready(memory: PostgresMemory): boolean {
    const { ledger, own, tracker, parameters } = this.#parts;
    const ended = ledger.settleReady();
    if (ended < owed.barrier) {
      if (this.#isRetrying) return false;
      this.#hasBound = false;
      this.#batchIn = undefined;
      if (memory.status !== 'I') tracker.isDisturbed = true;
      if (memory.status === 'E') tracker.undoResets();
      if (this.#doubt === 'open') this.#settleDoubt();
      this.#words = joined(this.#words, parameters.newsOfRequest(memory));
      return true;
    }
    this.resolved = true;
    memory.ownReadies -= 1;
    if (ended === owed.barrier) this.#doubt = 'none';
    else {
      own.ready(memory, ended);
      if (ended === owed.ownSync) this.#words = joined(this.#words, parameters.news(memory));
    }
    return false;
  }

  /** The extended protocol skips to the next Sync after an error; a simple query just ends (traps PG-02, PG-06). */
  #error(
    memory: PostgresMemory,
    bytes: Uint8Array,
    start: number,
    end: number,
    isWhole: boolean,
  ): boolean {
    const { ledger, own, tracker, statements } = this.#parts;
    const { code, severity } = isWhole ? readReport(bytes.subarray(start, end)) : UNREAD;
    if (severity === 'FATAL' || severity === 'PANIC') {
      this.#fatalSaid = true;
      return true;
    }
    tracker.isDisturbed = true;
    const { head } = ledger;
    const isOurs = ledger.headIsOurs;
    if (isOurs && !own.error(bytes, start, end)) return false;
    if (code === CHANGED_RESULT && head === owed.bind) {
      statements.renew();
      this.#isRetrying = this.#canRetry(memory);
      if (this.#isRetrying) {
        this.#fail();
        return false;
      }
    }
    const about = ledger.headAssumption;
    const nameOf = (name: string): string | undefined =>
      about?.calls ?? statements.clientsNameOf(name);
    const words =
      about instanceof ChangedResult
        ? CHANGED
        : isWhole
          ? translated(backend.errorResponse, bytes.subarray(start, end), nameOf, about?.moves)
          : undefined;
    this.#fail();
    if (isOurs && this.isSkipping) this.needsSync = true;
    if (words === undefined) return true;
    this.#words = joined(this.#words, words);
    return false;
  }

  /**
   * A table has changed under a statement that may be another session's as well (trap PG-83). Where nothing of the batch has
   * been run, no transaction is open and nothing has been sent behind it, it is as if it had not been sent.
   */
  #canRetry(memory: PostgresMemory): boolean {
    const { ledger } = this.#parts;
    return (
      this.#batchIn !== undefined && !this.#hasBound && memory.status === 'I' && ledger.hasOneEnd
    );
  }

  #fail(): void {
    const { ledger } = this.#parts;
    if (this.#copyingIn) {
      this.#copyingIn = false;
      if (ledger.failCopy()) this.#doubt = 'open';
    }
    switch (ledger.head) {
      case owed.query:
      case owed.functionCall:
      case owed.sync:
        ledger.failHead();
        return;
      case owed.nothing:
        throw new Violation('an error where nothing was owed');
      default:
        this.isSkipping = !ledger.skipToSync();
    }
  }

  /**
   * A failed copy may or may not have swallowed Syncs that were sent ahead of its end. Once the first has been answered, an
   * empty query of our own tells: what has not been answered before it never will be.
   */
  #settleDoubt(): void {
    const { ledger } = this.#parts;
    if (ledger.isEmpty) {
      this.#doubt = 'none';
      return;
    }
    if (!ledger.onlySyncs)
      throw new Violation(
        'requests were sent behind a copy that failed: their replies cannot be told apart',
      );
    ledger.push(owed.barrier);
    this.#doubt = 'barrier due';
  }
}

function joined(a: Uint8Array, b: Uint8Array): Uint8Array {
  if (a.length === 0) return b;
  return b.length === 0 ? a : concat([a, b]);
}

function isDescription(type: number): boolean {
  return (
    type === backend.rowDescription ||
    type === backend.parameterDescription ||
    type === backend.noData
  );
}

const UNREAD = { code: undefined, severity: '' } as const;
/** As PostgreSQL says it. Drivers know it by its routine and prepare the statement anew: Postgres.js, pgjdbc. */
const CHANGED = errorResponse({
  severity: 'ERROR',
  code: '0A000',
  message: 'cached plan must not change result type',
  file: 'plancache.c',
  routine: 'RevalidateCachedQuery',
});
/** feature_not_supported: among others, "cached plan must not change result type". */
const CHANGED_RESULT = '0A000';

/** ReadyForQuery comes with every request: the usual one is read without a look aside. */
function readStatus(bytes: Uint8Array, start: number, end: number): TransactionStatus {
  if (end - start === 1 && u8(bytes, start) === IDLE) return 'I';
  return readReadyForQuery(bytes.subarray(start, end));
}
