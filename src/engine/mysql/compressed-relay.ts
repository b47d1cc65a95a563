import { Violation } from '../../base/assert.ts';
import { concat, EMPTY } from '../../base/bytes.ts';
import type { Conversation, Step } from '../../core/conversation.ts';
import { read, send } from '../../core/conversation.ts';
import type { Fit, Relay, RelaySink } from '../../core/engine.ts';
import type { Fault } from '../../core/fault.ts';
import { FaultError } from '../../core/fault.ts';
import type { Compression } from '../../wire/mysql/compression.ts';
import { Compressor, Decompressor } from '../../wire/mysql/compression.ts';
import { following } from '../../wire/mysql/framing.ts';
import type { MysqlMemory } from './memory.ts';
import type { MysqlPrincipal } from './principal.ts';
import type { MysqlRelay } from './relay.ts';

type Sink = RelaySink<MysqlMemory, MysqlPrincipal>;

/** In a conversation, so much is read at a time. */
const PIECE_BYTES = 16_384;

/**
 * A relay whose client compresses what it says, and is answered likewise (trap MY-13). The relay inside hears and says plain
 * bytes, and so does the database. Of what the client sends, one compressed packet is opened at a time, and the next one when
 * all of that has been dealt with: the rest waits, and is held back, where the plain bytes of others would.
 */
export class CompressedRelay implements Relay<MysqlMemory> {
  readonly #sink: Sink;
  readonly #inner: MysqlRelay;
  readonly #decompressor: Decompressor;
  readonly #compressor: Compressor;
  /** What has been opened and not been dealt with. */
  #plain: Uint8Array = EMPTY;
  /** The relay inside has left that where it is, and will say when it can be dealt with. */
  #isHeld = false;
  #isOver = false;
  /** The client is talked to apart from the relay inside. */
  #isTalking = false;

  constructor(
    sink: Sink,
    compression: Compression,
    zstdLevel: number | undefined,
    make: (sink: Sink) => MysqlRelay,
  ) {
    this.#sink = sink;
    this.#decompressor = new Decompressor(compression);
    this.#compressor = new Compressor(compression, zstdLevel);
    this.#inner = make(this.#innerSink());
  }

  get quiet(): boolean {
    return this.#inner.quiet;
  }

  get inTransaction(): boolean {
    return this.#inner.inTransaction;
  }

  get tidy(): boolean {
    return this.#inner.tidy;
  }

  fit(memory: MysqlMemory): Fit {
    return this.#inner.fit(memory);
  }

  attached(memory: MysqlMemory): void {
    this.#isHeld = false;
    this.#inner.attached(memory);
  }

  fromClient(bytes: Uint8Array): number {
    this.#serve();
    let at = 0;
    while (at < bytes.length && this.#plain.length === 0) {
      const piece = bytes.subarray(at, at + this.#decompressor.missingBytes);
      at += piece.length;
      const [opened = EMPTY] = this.#decompressor.feed(piece);
      this.#plain = opened;
      this.#serve();
      if (this.#isOver) return bytes.length;
    }
    return at;
  }

  fromServer(bytes: Uint8Array): void {
    this.#inner.fromServer(bytes);
  }

  refuse(fault: Fault): void {
    this.#isHeld = false;
    this.#inner.refuse(fault);
  }

  lost(fault: Fault): Uint8Array {
    // What nobody has asked for is counted from the beginning.
    if (this.#inner.nextNumber === 0) this.#compressor.restart(0);
    return this.#compressor.wrap(this.#inner.lost(fault));
  }

  cancel(): boolean {
    return this.#inner.cancel();
  }

  relax(): void {
    this.#inner.relax();
  }

  /** Gives the relay inside what has been opened. */
  #serve(): void {
    if (this.#plain.length === 0 || this.#isHeld) return;
    // A command's reply goes on with the numbers of its last packet, and not with those of a command that has to wait.
    if (!this.#inner.owesReply) this.#answer();
    const plain = this.#plain;
    this.#plain = EMPTY; // a conversation that begins in the meantime has its own
    const taken = this.#inner.fromClient(plain);
    if (taken > 0 && this.#inner.owesReply) this.#answer();
    if (taken === plain.length) return;
    if (this.#isTalking) throw tooMuch();
    this.#plain = plain.subarray(taken);
    this.#isHeld = true;
  }

  /** What is said next answers the compressed packet that has been opened last. */
  #answer(): void {
    this.#compressor.restart(following(this.#decompressor.sequence));
  }

  #innerSink(): Sink {
    const sink = this.#sink;
    return {
      toServer: (bytes) => sink.toServer(bytes),
      toClient: (bytes) => sink.toClient(this.#compressor.wrap(bytes)),
      wantServer: () => sink.wantServer(),
      boundary: () => sink.boundary(),
      rest: () => sink.rest(),
      again: () => this.#again(),
      cancelNow: () => sink.cancelNow(),
      request: () => sink.request(),
      finish: () => {
        this.#isOver = true;
        sink.finish();
      },
      pin: (reason, digest) => sink.pin(reason, digest),
      unpin: (reason) => sink.unpin(reason),
      converse: (talk) => {
        this.#isTalking = true;
        sink.converse((door) => this.#compressed(talk(door)));
      },
      surrender: () => sink.surrender(),
      become: (who) => sink.become(who),
      stop: (whose, what) => sink.stop(whose, what),
      fail: (fault) => sink.fail(fault),
    };
  }

  #again(): void {
    this.#isHeld = false;
    this.#serve();
    if (this.#plain.length === 0) this.#sink.again();
  }

  /** The same conversation, compressed. */
  *#compressed(talk: Conversation<void>): Conversation<void> {
    try {
      let next = talk.next(EMPTY);
      while (next.done !== true) next = yield* this.#follow(talk, next.value);
    } catch (error) {
      throw this.#inWords(error);
    }
    this.#isTalking = false;
    if (this.#plain.length > 0) throw tooMuch();
  }

  *#follow(talk: Conversation<void>, step: Step): Conversation<IteratorResult<Step, void>> {
    let heard: Uint8Array;
    try {
      heard = yield* this.#perform(step);
    } catch (error) {
      return talk.throw(error);
    }
    return talk.next(heard);
  }

  *#perform(step: Step): Conversation<Uint8Array> {
    switch (step.kind) {
      case 'send':
        yield* send(this.#compressor.wrap(step.bytes));
        return EMPTY;
      case 'read':
        return (yield* this.#open(step.bytes)).subarray(0, this.#skip(step.bytes));
      case 'peek':
        return yield* this.#open(step.bytes);
      default:
        return yield step;
    }
  }

  /** At least so many plain bytes, left where they are. */
  *#open(plainBytes: number): Conversation<Uint8Array> {
    while (this.#plain.length < plainBytes) {
      const bytes = Math.min(this.#decompressor.missingBytes, PIECE_BYTES);
      const opened = this.#decompressor.feed(yield* read(bytes));
      this.#plain = concat([this.#plain, ...opened]);
      this.#answer();
    }
    return this.#plain;
  }

  #skip(bytes: number): number {
    this.#plain = this.#plain.subarray(bytes);
    return bytes;
  }

  #inWords(error: unknown): unknown {
    if (!(error instanceof FaultError) || error.words === undefined) return error;
    return new FaultError(error.fault, this.#compressor.wrap(error.words));
  }
}

/** Nobody would come back to it. */
function tooMuch(): Violation {
  return new Violation('a command before the answer to COM_CHANGE_USER');
}
