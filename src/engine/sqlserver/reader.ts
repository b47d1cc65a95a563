import { Violation } from '../../base/assert.ts';
import { u8 } from '../../base/bytes.ts';
import { feature } from '../../wire/tds/features.ts';
import { HEADER_BYTES, packetStatus, packetType } from '../../wire/tds/packets.ts';
import { TokenWalker } from '../../wire/tds/token-walker.ts';
import type { TokenVisitor } from '../../wire/tds/token-walker.ts';
import { doneStatus, envChange, readTransaction, token } from '../../wire/tds/tokens.ts';
import type { SqlServerMemory } from './memory.ts';

/** Whoever is told what a connection says. */
export interface Listener {
  /** The token, `bytes[start, end)` with its header, acknowledges a reset. */
  resetDone(start: number, end: number): void;
  /** The database, language or collation is another one now: `bytes[start, end)` is the new and the old. */
  changed(type: number, bytes: Uint8Array, start: number, end: number): void;
  /** A call of a procedure is over. */
  callDone(): void;
  /** A statement has been prepared; undefined where there is no handle for it. */
  handle(original: number | undefined): void;
}

/** What kind of statement a DONE is behind. */
const INSERT = 0xc3;

/** An ENVCHANGE begins with its token, two bytes of length, and its type. */
const ENV_CHANGE_HEADER_BYTES = 4;

/**
 * Reads what one connection says, packet by packet, for whoever has asked; and notes what concerns the connection whoever has
 * it: above all whether a transaction is open (traps TD-19, TD-20).
 */
export class Reader implements TokenVisitor {
  readonly #memory: SqlServerMemory;
  readonly #walker: TokenWalker;
  #listener: Listener | undefined;
  #inReply = false;
  /** Those of the packet at hand. */
  #bytes: Uint8Array | undefined;
  /** In the reply at hand, or the last one. */
  lastDone = 0;
  hasError = false;
  /** An INSERT has been run. */
  hasInserted = false;

  constructor(memory: SqlServerMemory) {
    this.#memory = memory;
    const { tdsVersion, hasColumnEncryption: columnEncryption, welcome } = memory;
    const classified = welcome.features.find(({ id }) => id === feature.dataClassification);
    const dataClassification = classified?.data[0] ?? 0;
    this.#walker = new TokenWalker(tdsVersion, this, { columnEncryption, dataClassification });
  }

  /** The tokens so far are whole: another one could follow. */
  get isBetween(): boolean {
    return !this.#inReply || this.#walker.isBetween;
  }

  /** A reply has begun, and its last packet has not come. */
  get inReply(): boolean {
    return this.#inReply;
  }

  /** What the next handle of a prepared statement becomes on its way. */
  expectHandle(virtual: number | undefined): void {
    this.#walker.expectHandle(virtual);
  }

  /** A packet, which is all there: `bytes[at, at + length)`. Returns whether it is the last one of its reply. */
  read(bytes: Uint8Array, at: number, length: number, listener: Listener): boolean {
    const type = u8(bytes, at);
    if (type !== packetType.result) throw new Violation(`a packet of type ${type} in a reply`);
    this.#listener = listener;
    this.#bytes = bytes;
    if (!this.#inReply) this.#begin();
    this.#walker.feed(bytes, at + HEADER_BYTES, at + length);
    const isLast = (u8(bytes, at + 1) & packetStatus.endOfMessage) !== 0;
    if (isLast) this.#end();
    return isLast;
  }

  #begin(): void {
    this.#inReply = true;
    this.lastDone = 0;
    this.hasError = false;
    this.hasInserted = false;
    this.#walker.begin();
  }

  #end(): void {
    if (!this.#walker.isBetween) throw new Violation('a reply that ends within a token');
    this.#inReply = false;
    const memory = this.#memory;
    if (memory.target.tellsTransactions === false) return;
    memory.inTransaction =
      memory.transaction !== 0n || (this.lastDone & doneStatus.inTransaction) !== 0;
  }

  envChange(type: number, bytes: Uint8Array, start: number, end: number): void {
    if (type === envChange.resetDone) {
      this.#reset(this.#memory);
      // It stands at the beginning of a reply: in pieces it could only come from somewhere else.
      if (bytes === this.#bytes) this.#listener?.resetDone(start - ENV_CHANGE_HEADER_BYTES, end);
      return;
    }
    const descriptor = transactionAfter(type, bytes, start, end);
    if (descriptor === undefined) this.#listener?.changed(type, bytes, start, end);
    else this.#transaction(descriptor);
  }

  /** Babelfish does not count its transactions anew: it must be asked, as after anything that it may do to one. */
  #reset({ target, resetSkipsTransaction }: SqlServerMemory): void {
    if (target.tellsTransactions !== false && !resetSkipsTransaction) this.#transaction(0n);
  }

  #transaction(descriptor: bigint): void {
    this.#memory.transaction = descriptor;
    this.#memory.inTransaction = descriptor !== 0n;
  }

  done(kind: number, status: number, command: number): void {
    this.lastDone = status;
    if ((status & doneStatus.error) !== 0) this.hasError = true;
    else if (command === INSERT) this.hasInserted = true;
    if (kind === token.doneProc) this.#listener?.callDone();
  }

  error(): void {
    this.hasError = true;
  }

  handle(original: number | undefined): void {
    this.#listener?.handle(original);
  }
}

/**
 * The descriptor of the transaction that is open when this ENVCHANGE has been told, 0n for none; undefined where it is about something
 * else. `bytes[start, end)` is what is behind its type.
 */
export function transactionAfter(
  type: number,
  bytes: Uint8Array,
  start = 0,
  end = bytes.length,
): bigint | undefined {
  switch (type) {
    case envChange.beginTransaction:
    case envChange.enlistDtc:
      return readTransaction(bytes, start, end);
    case envChange.commitTransaction:
    case envChange.rollbackTransaction:
    case envChange.defectTransaction:
    case envChange.transactionEnded:
      return 0n;
    default:
      return undefined;
  }
}

/** The one reader of a connection. */
export function readerOf(memory: SqlServerMemory): Reader {
  memory.reader ??= new Reader(memory);
  return memory.reader;
}
