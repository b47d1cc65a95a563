import { Violation } from '../../base/assert.ts';
import { concat, EMPTY } from '../../base/bytes.ts';
import type { RelaySink } from '../../core/engine.ts';
import { HEADER_BYTES, message, packetBytes, packetType } from '../../wire/tds/packets.ts';
import type { Results } from '../../wire/tds/results.ts';
import { readResults } from '../../wire/tds/results.ts';
import { done, doneStatus, token } from '../../wire/tds/tokens.ts';
import type { SqlServerMemory } from './memory.ts';
import type { Listener, Reader } from './reader.ts';
import { readerOf } from './reader.ts';
import type { Range } from './recut.ts';
import { recut } from './recut.ts';

/**
 * What the client hears of a reset of the connection: of one that we have asked for, nothing; of one that it has asked for, what the
 * database says, or we where there was nothing to reset (trap TD-02).
 */
export type HeardReset = 'hide' | 'pass' | 'say';

/** What we wait for. */
interface OwnOwed {
  readonly memory: SqlServerMemory;
  readonly payloads: Uint8Array[];
  readonly done: (results: Results) => void;
}

/** The session, and what it does with what it hears. */
export interface Hearer {
  readonly party: {
    readonly sink: Pick<RelaySink, 'toClient'>;
    /** As agreed with the client. */
    readonly packetBytes: number;
    readonly tdsVersion: number;
  };
  /** The database, language or collation is another one now. */
  changed(type: number, bytes: Uint8Array, start: number, end: number): void;
  /** The client's call of this number is over. */
  called(call: number): void;
  /** What the client is given for the handle of the statement that its call of this number prepares, if it does. */
  handleOf(call: number): number | undefined;
  /** The statement of the client's call of this number has been prepared; undefined where it has not. */
  prepared(call: number, original: number | undefined): void;
}

/**
 * The way back: passes the packets of a reply on as they are, in runs of one write each, but for what the client must not see or
 * cannot take; and keeps the replies to our own requests.
 */
export class Replies implements Listener {
  readonly #hearer: Hearer;
  /** What the client hears of a reset in the reply that it waits for; undefined where it waits for none. */
  #client: HeardReset | undefined;
  #own: OwnOwed | undefined;
  #reader: Reader | undefined;
  /** The calls of the client's request whose replies are over. */
  #calls = 0;
  #hadError = false;
  /** The client wants its request stopped, and waits to hear that it was. */
  #awaitsStop = false;
  /** The client has received the beginning of a reply. */
  #isBegun = false;
  /** A token that the client does not get. */
  #without: Range | undefined;

  constructor(hearer: Hearer) {
    this.#hearer = hearer;
  }

  get nothingOwed(): boolean {
    return this.#client === undefined && this.#own === undefined;
  }

  /** Nothing that has been said, or is to be said, depends on what comes next. */
  get isClear(): boolean {
    return this.nothingOwed && !this.#awaitsStop && !this.#isBegun;
  }

  /** What comes next is another session's. */
  forget(): void {
    this.#reader = undefined;
    this.#hadError = false;
    this.#calls = 0;
  }

  get owesClient(): boolean {
    return this.#client !== undefined;
  }

  /** An error of ours would be understood: the client waits for a reply, and has not received half of a token. */
  get canSpeak(): boolean {
    return this.#client !== undefined && (!this.#isBegun || this.#reader?.isBetween === true);
  }

  /** Something in the last reply to the client was an error, or the client has stopped it: not all may have been done. */
  get hadError(): boolean {
    return this.#hadError;
  }

  /** The last reply tells of an INSERT. */
  get hasInserted(): boolean {
    return this.#reader?.hasInserted === true;
  }

  /** The client's request is sent on this connection. */
  expect(memory: SqlServerMemory, reset: HeardReset): void {
    this.#client = reset;
    this.#calls = 0;
    this.#hadError = false;
    this.#reader = readerOf(memory);
    this.#expectHandle();
  }

  /** A request of ours is sent. */
  expectOwn(memory: SqlServerMemory, whenDone: (results: Results) => void): void {
    this.#own = { memory, payloads: [], done: whenDone };
  }

  /** The client's attention has been sent. Its acknowledgement may come in the reply, or in one of its own behind it (trap TD-08). */
  stopping(): void {
    this.#awaitsStop = true;
  }

  /** Says something to the client ourselves: tokens that are all of a reply. */
  say(tokens: Uint8Array): void {
    const { sink, packetBytes } = this.#hearer.party;
    sink.toClient(message(packetType.result, tokens, packetBytes));
  }

  /** Nothing of the client's is under way, or not any more: its attention is answered by us (trap TD-10). */
  sayStopped(transactionBit: number): void {
    const status = doneStatus.attention | transactionBit;
    this.say(done(token.done, status, ATTENTION, 0n, this.#hearer.party.tdsVersion));
  }

  relay(memory: SqlServerMemory, arrived: Uint8Array): void {
    const bytes = memory.held.length === 0 ? arrived : concat([memory.held, arrived]);
    memory.held = EMPTY;
    const reader = readerOf(memory);
    this.#reader = reader;
    let at = 0;
    let from = 0;
    try {
      while (bytes.length - at >= HEADER_BYTES) {
        const length = packetBytes(bytes, at);
        if (bytes.length - at < length) break;
        if (this.nothingOwed) throw new Violation('a reply to no request');
        const isLast = reader.read(bytes, at, length, this);
        const instead = this.#instead(bytes, at, length);
        if (instead !== undefined) {
          this.#passOn(bytes, from, at);
          if (instead.length > 0) this.#hearer.party.sink.toClient(instead);
          from = at + length;
        }
        this.#isBegun = true;
        this.#without = undefined;
        at += length;
        if (isLast) {
          // What is done next may say something to the client.
          this.#passOn(bytes, from, at);
          from = at;
          this.#endReply(reader);
        }
      }
    } finally {
      this.#passOn(bytes, from, at);
    }
    if (at < bytes.length) memory.held = bytes.slice(at);
  }

  /** What the client gets in place of this packet; nothing where it is a reply to us. */
  #instead(bytes: Uint8Array, at: number, length: number): Uint8Array | undefined {
    if (this.#client === undefined) {
      this.#own?.payloads.push(bytes.slice(at + HEADER_BYTES, at + length));
      return EMPTY;
    }
    const { packetBytes: most } = this.#hearer.party;
    const saysReset = !this.#isBegun && this.#client === 'say';
    const isPassed = length <= most && this.#without === undefined;
    if (isPassed && !saysReset) return undefined;
    const said = isPassed
      ? bytes.slice(at, at + length)
      : recut(bytes, { at, length, packetBytes: most, without: this.#without });
    return saysReset ? concat([RESET_DONE, said]) : said;
  }

  #endReply(reader: Reader): void {
    this.#isBegun = false;
    // The handle of what has failed must not become another one's (trap TD-07).
    reader.expectHandle(undefined);
    const own = this.#own;
    if (this.#client !== undefined) {
      const isStopped = (reader.lastDone & doneStatus.attention) !== 0;
      this.#hadError ||= reader.hasError || isStopped;
      if (this.#awaitsStop && !isStopped) return;
      this.#awaitsStop = false;
      this.#client = undefined;
    } else if (own !== undefined) {
      this.#own = undefined;
      const { tdsVersion, hasColumnEncryption } = own.memory;
      own.done(readResults(concat(own.payloads), tdsVersion, hasColumnEncryption));
    }
  }

  #passOn(bytes: Uint8Array, from: number, to: number): void {
    if (to <= from) return;
    const isWhole = from === 0 && to === bytes.length;
    this.#hearer.party.sink.toClient(isWhole ? bytes : bytes.subarray(from, to));
  }

  // ---- what the reader tells ----------------------------------------------------------------------------------------

  resetDone(start: number, end: number): void {
    if (this.#client === 'hide') this.#without = { from: start, to: end };
  }

  changed(type: number, bytes: Uint8Array, start: number, end: number): void {
    // What our own requests change is the session's already.
    if (this.#client !== undefined) this.#hearer.changed(type, bytes, start, end);
  }

  callDone(): void {
    if (this.#client === undefined) return;
    this.#hearer.called(this.#calls);
    this.#calls += 1;
    this.#expectHandle();
  }

  handle(original: number | undefined): void {
    if (this.#client !== undefined) this.#hearer.prepared(this.#calls, original);
  }

  #expectHandle(): void {
    const handle = this.#client === undefined ? undefined : this.#hearer.handleOf(this.#calls);
    this.#reader?.expectHandle(handle);
  }
}

/** Of the DONE that answers an attention: SQL Server says this, as for a SELECT that has not come to its end. */
const ATTENTION = 0xfd;

/** A packet with the ENVCHANGE that acknowledges a reset, which is not the last of its reply. */
export const RESET_DONE = Uint8Array.of(4, 0, 0, 14, 0, 0, 1, 0, 0xe3, 3, 0, 18, 0, 0);
