import { Violation } from '../../base/assert.ts';
import { concat, EMPTY, i32be, u8 } from '../../base/bytes.ts';
import { limits } from '../../base/limits.ts';
import type { RelaySink } from '../../core/engine.ts';
import type { TransactionStatus } from '../../wire/postgres/backend.ts';
import {
  readParameterStatus,
  readReadyForQuery,
  readReport,
} from '../../wire/postgres/backend-read.ts';
import { checkMessageLength, HEADER_BYTES } from '../../wire/postgres/framing.ts';
import { query } from '../../wire/postgres/frontend.ts';
import { backend } from '../../wire/postgres/message-types.ts';
import { Ledger, owed } from './ledger.ts';
import type { PostgresMemory } from './memory.ts';

/** `I`, the transaction status outside a transaction. */
const IDLE = 0x49;

/**
 * The way back: a scanner over the database's messages that passes runs of them on in one write and strikes each reply
 * off the ledger. A reply that was not owed means that the two have lost each other, and ends the connection.
 */
export class Replies {
  readonly #sink: RelaySink;
  readonly #ledger = new Ledger();
  /** The database skips to a Sync that the client has not sent yet. */
  #skipping = false;
  #copyingIn = false;
  /** A copy has swallowed the Sync that was to end its request: another one must come (trap PG-09). */
  #awaitsSync = false;
  /** A copy failed, and Syncs are owed of which nobody knows whether the copy has swallowed them. */
  #doubt: 'none' | 'open' | 'barrier due' | 'barrier sent' = 'none';
  #fatalSaid = false;
  /** The client has received the first part of a message and not yet the rest. */
  #inMessage = false;
  resolved = false;
  /** The database took the last Parse that it answered. */
  parsed = false;
  /** Since the connection was borrowed its statement without a name has been replaced or dropped: no other session's is left. */
  cleared = false;

  constructor(sink: RelaySink) {
    this.#sink = sink;
  }

  get nothingOwed(): boolean {
    return this.#ledger.isEmpty && !this.#skipping && !this.#awaitsSync;
  }

  /** A barrier is due or under way: until it is answered nothing more may be sent. */
  get doubtful(): boolean {
    return this.#doubt === 'barrier due' || this.#doubt === 'barrier sent';
  }

  /** The database passes over all that is sent, up to a Sync. */
  get skipping(): boolean {
    return this.#skipping;
  }

  /** The database has said its last: the connection is at no boundary any more, and is about to close. */
  get farewell(): boolean {
    return this.#fatalSaid;
  }

  /** An error message of ours would be understood: none has been passed on, and no message is cut in two. */
  get canSpeak(): boolean {
    return !this.#fatalSaid && !this.#inMessage;
  }

  attached(memory: PostgresMemory): void {
    memory.status = 'I';
    this.cleared = false;
  }

  /** A message is on its way to the database: notes what is owed for it. */
  expect(code: number): void {
    if (this.#skipping) {
      if (code !== owed.sync) return;
      this.#skipping = false;
    }
    if (code === owed.sync || code === owed.query) this.#awaitsSync = false;
    if (code === owed.copyEnd && this.#ledger.isEmpty) return;
    if (code === owed.parse || code === owed.parseUnnamed) this.parsed = false;
    this.#ledger.push(code);
  }

  /** To be called between two messages of the client's: sends the barrier if one is due. */
  sendBarrier(): void {
    if (this.#doubt !== 'barrier due') return;
    this.#doubt = 'barrier sent';
    this.#sink.toServer(query(''));
  }

  /** Passes on what the database sent. */
  relay(memory: PostgresMemory, arrived: Uint8Array): void {
    if (this.#fatalSaid) return; // whatever follows a farewell, the client hears one (trap PG-15)
    const bytes = memory.held.length === 0 ? arrived : concat([memory.held, arrived]);
    memory.held = EMPTY;
    this.resolved = false;
    const end = bytes.length;
    let from = 0;
    let at = Math.min(memory.remaining, end);
    memory.remaining -= at;
    while (at < end && !this.#fatalSaid) {
      if (end - at < HEADER_BYTES) break;
      const type = u8(bytes, at);
      const bodyBytes = checkMessageLength(i32be(bytes, at + 1));
      const start = at + HEADER_BYTES;
      if (start + bodyBytes > end && mustBeWhole(type, bodyBytes)) break;
      const bodyEnd = Math.min(start + bodyBytes, end);
      const isWhole = start + bodyBytes === bodyEnd;
      if (!this.#reply(memory, type, bytes, start, bodyEnd, isWhole)) {
        this.#passOn(bytes, from, at);
        from = bodyEnd;
      }
      memory.remaining = start + bodyBytes - bodyEnd;
      at = bodyEnd;
    }
    this.#inMessage = memory.remaining > 0;
    this.#passOn(bytes, from, at);
    if (at < end) memory.held = bytes.slice(at);
  }

  #passOn(bytes: Uint8Array, from: number, to: number): void {
    if (to > from)
      this.#sink.toClient(from === 0 && to === bytes.length ? bytes : bytes.subarray(from, to));
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
    const ledger = this.#ledger;
    switch (type) {
      case backend.dataRow:
      case backend.copyData:
      case backend.copyDone:
      case backend.copyOutResponse:
      case backend.functionCallResponse:
      case backend.parameterDescription:
        if (ledger.isEmpty) throw new Violation(`message type ${type} where nothing was owed`);
        return true;
      case backend.noticeResponse:
      case backend.notificationResponse:
        return true;
      case backend.parseComplete:
        this.cleared ||= ledger.head === owed.parseUnnamed;
        ledger.settle(this.#parseDue());
        this.parsed = true;
        return true;
      case backend.bindComplete:
        ledger.settle(owed.bind);
        return true;
      case backend.closeComplete:
        ledger.settle(owed.close);
        return true;
      case backend.noData:
        ledger.settle(owed.describe);
        return true;
      case backend.rowDescription:
        ledger.settleUnlessQuery(owed.describe);
        return true;
      case backend.commandComplete:
        if (this.#copyingIn) this.#copyEnded();
        ledger.settleUnlessQuery(owed.execute);
        return true;
      case backend.portalSuspended:
        ledger.settle(owed.execute);
        return true;
      case backend.emptyQueryResponse:
        return this.#emptyQuery();
      case backend.copyInResponse:
        if (ledger.isEmpty) throw new Violation('a copy where nothing was owed');
        this.#copyingIn = true;
        return true;
      case backend.readyForQuery:
        memory.status = readStatus(bytes, start, end);
        return this.#ready();
      case backend.errorResponse:
        this.#error(isWhole && isFarewell(bytes.subarray(start, end)));
        return true;
      case backend.parameterStatus:
        hearParameter(memory, bytes.subarray(start, end));
        return true;
      default:
        throw new Violation(`message type ${type} from the database`);
    }
  }

  #parseDue(): number {
    return this.#ledger.head === owed.parseUnnamed ? owed.parseUnnamed : owed.parse;
  }

  #copyEnded(): void {
    this.#copyingIn = false;
    this.#ledger.endCopy();
    this.#awaitsSync = this.#ledger.head === owed.execute && !this.#ledger.hasEnd;
  }

  #emptyQuery(): boolean {
    if (this.#doubt === 'barrier sent') {
      this.#ledger.reachBarrier();
      return false;
    }
    this.#ledger.settleUnlessQuery(owed.execute);
    return true;
  }

  #ready(): boolean {
    const ended = this.#ledger.settleReady();
    this.cleared ||= ended === owed.query; // a simple query drops it
    if (ended === owed.barrier) {
      this.#doubt = 'none';
      this.resolved = true;
      return false;
    }
    if (this.#doubt === 'open') this.#settleDoubt();
    return true;
  }

  /** The extended protocol skips to the next Sync after an error; a simple query just ends (traps PG-02, PG-06). */
  #error(isFatal: boolean): void {
    this.#fatalSaid ||= isFatal;
    if (isFatal) return;
    const ledger = this.#ledger;
    if (this.#copyingIn) {
      this.#copyingIn = false;
      if (ledger.failCopy()) this.#doubt = 'open';
    }
    const { head } = ledger;
    if (
      head === owed.query ||
      head === owed.functionCall ||
      head === owed.sync ||
      head === owed.barrier
    )
      return;
    if (head === owed.nothing) throw new Violation('an error where nothing was owed');
    this.#skipping = !ledger.skipToSync();
  }

  /**
   * A failed copy may or may not have swallowed Syncs that were sent ahead of its end. Once the first has been answered, an
   * empty query of our own tells: what has not been answered before it never will be.
   */
  #settleDoubt(): void {
    if (this.#ledger.isEmpty) {
      this.#doubt = 'none';
      return;
    }
    if (!this.#ledger.onlySyncs)
      throw new Violation(
        'requests were sent behind a copy that failed: their replies cannot be told apart',
      );
    this.#ledger.push(owed.barrier);
    this.#doubt = 'barrier due';
  }
}

/** Small messages that are read, and so must have arrived as a whole. */
function mustBeWhole(type: number, bodyBytes: number): boolean {
  if (bodyBytes > limits.inspectedMessageBytes.value) {
    if (type === backend.errorResponse) return false;
    if (type === backend.readyForQuery || type === backend.parameterStatus) {
      throw new Violation(`a message of type ${type} with ${bodyBytes} bytes`);
    }
  }
  return (
    type === backend.readyForQuery ||
    type === backend.errorResponse ||
    type === backend.parameterStatus
  );
}

/** ReadyForQuery comes with every request: the usual one is read without a look aside. */
function readStatus(bytes: Uint8Array, start: number, end: number): TransactionStatus {
  if (end - start === 1 && u8(bytes, start) === IDLE) return 'I';
  return readReadyForQuery(bytes.subarray(start, end));
}

function hearParameter(memory: PostgresMemory, body: Uint8Array): void {
  const { name, value } = readParameterStatus(body);
  memory.report(name, value);
}

function isFarewell(body: Uint8Array): boolean {
  const { severity } = readReport(body);
  return severity === 'FATAL' || severity === 'PANIC';
}
