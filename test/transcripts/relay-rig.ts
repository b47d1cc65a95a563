import { concat, EMPTY } from '../../src/base/bytes.ts';
import type { Conversation } from '../../src/core/conversation.ts';
import type { Door, Principal, Relay, RelaySink } from '../../src/core/engine.ts';
import type { Fault } from '../../src/core/fault.ts';
import type { PinReason } from '../../src/core/pin.ts';

export interface Pin {
  readonly reason: PinReason;
  readonly digest: string;
}

/** What a rig must know of an engine. */
interface Engine<Memory, Who extends Principal, OneRelay> {
  /** Makes the relay under test. */
  relay(sink: RelaySink<Memory, Who>): OneRelay;
  overhear(memory: Memory, bytes: Uint8Array): string | undefined;
}

/** A relay between a client and a database in memory. Keeps and repeats what must wait as a session does. */
export class RelayRig<
  Memory,
  Who extends Principal,
  OneRelay extends Relay<Memory>,
> implements RelaySink<Memory, Who> {
  readonly relay: OneRelay;
  readonly memory: Memory;
  readonly #engine: Engine<Memory, Who, OneRelay>;
  /** Is a connection there at once when one is wanted? */
  free = true;
  /** Are the bytes themselves kept, beside their count? */
  keeps = true;
  upBytes = 0;
  downBytes = 0;
  attached = false;
  waiting = false;
  finished = false;
  boundaries = 0;
  requests = 0;
  readonly pins: Pin[] = [];
  readonly pinned = new Set<PinReason>();
  cancels = 0;
  readonly toServerBytes: Uint8Array[] = [];
  readonly toClientBytes: Uint8Array[] = [];
  /** How often the session has kept its connection for the moment, and has begun anew. */
  rests = 0;
  surrenders = 0;
  /** What the client is to be told apart from the relay, which hears nothing before that is over. */
  talk: ((door: Door<Memory, Who>) => Conversation<void>) | undefined;
  readonly became: Who[] = [];
  readonly faults: Fault[] = [];
  /** Other sessions, and which of them, or of their requests, this one has stopped. */
  others: readonly { readonly number: number; readonly who: Who; readonly memory?: Memory }[] = [];
  readonly stopped: string[] = [];
  #pending: Uint8Array = EMPTY;
  #passed = 0;
  #heard = 0;

  constructor(memory: Memory, engine: Engine<Memory, Who, OneRelay>) {
    this.memory = memory;
    this.#engine = engine;
    this.relay = engine.relay(this);
  }

  /** Bytes from the client: whole messages, or any part of them. */
  client(...parts: readonly Uint8Array[]): this {
    if (this.isOver) return this;
    const waits = this.#pending.length > 0;
    this.#pending = concat([this.#pending, ...parts]);
    if (!waits) this.#serve();
    return this;
  }

  /** Bytes from the connection, whoever has borrowed it at the moment. */
  server(...parts: readonly Uint8Array[]): this {
    if (this.isOver) return this;
    const bytes = concat(parts);
    if (this.attached) {
      this.relay.fromServer(bytes);
    } else {
      const objection = this.#engine.overhear(this.memory, bytes);
      if (objection !== undefined) throw new Error(objection);
    }
    return this;
  }

  grant(memory: Memory = this.memory): this {
    this.waiting = false;
    this.#attach(memory);
    this.#serve();
    return this;
  }

  refuse(fault: Fault): this {
    this.waiting = false;
    this.relay.refuse(fault);
    this.#serve();
    return this;
  }

  /** The talk is over, and so much of what the client has sent was not for it. */
  goOn(leftover: Uint8Array = EMPTY): this {
    this.talk = undefined;
    this.#pending = concat([this.#pending, leftover]);
    this.again();
    return this;
  }

  get isOver(): boolean {
    return this.finished || this.faults.length > 0;
  }

  /** How much of the client's has not been dealt with. */
  get pendingBytes(): number {
    return this.#pending.length;
  }

  /** What the database has received since this was last asked. */
  takePassed(): Uint8Array {
    const bytes = concat(this.toServerBytes.slice(this.#passed));
    this.#passed = this.toServerBytes.length;
    return bytes;
  }

  /** What the client has received since this was last asked. */
  takeHeard(): Uint8Array {
    const bytes = concat(this.toClientBytes.slice(this.#heard));
    this.#heard = this.toClientBytes.length;
    return bytes;
  }

  get reasons(): readonly PinReason[] {
    return [...new Set(this.pins.map(({ reason }) => reason))];
  }

  // What the relay tells.

  toServer(bytes: Uint8Array): void {
    if (!this.attached) throw new Error('bytes for a database without a connection');
    this.upBytes += bytes.length;
    if (this.keeps) this.toServerBytes.push(bytes.slice());
  }

  toClient(bytes: Uint8Array): void {
    this.downBytes += bytes.length;
    if (this.keeps) this.toClientBytes.push(bytes.slice());
  }

  wantServer(): boolean {
    if (this.attached) return true;
    if (this.free) this.#attach(this.memory);
    else this.waiting = true;
    return this.attached;
  }

  boundary(): void {
    if (!this.attached) throw new Error('a boundary without a connection');
    this.boundaries += 1;
    this.attached = this.pinned.size > 0;
  }

  again(): void {
    if (this.#pending.length > 0 && !this.waiting && this.talk === undefined) this.#serve();
  }

  request(): void {
    this.requests += 1;
  }

  finish(): void {
    this.finished = true;
  }

  pin(reason: PinReason, digest: string): void {
    this.pins.push({ reason, digest });
    this.pinned.add(reason);
  }

  unpin(reason: PinReason): void {
    this.pinned.delete(reason);
  }

  cancelNow(): void {
    this.cancels += 1;
  }

  rest(): void {
    this.rests += 1;
  }

  surrender(): void {
    this.surrenders += 1;
    this.pinned.clear();
    this.attached = false;
  }

  converse(talk: (door: Door<Memory, Who>) => Conversation<void>): void {
    this.talk = talk;
  }

  become(who: Who): void {
    this.became.push(who);
  }

  stop(
    whose: (number: number, who: Who, memory: Memory | undefined) => boolean,
    what: 'request' | 'session',
  ): boolean {
    const found = this.others.find(({ number, who, memory }) => whose(number, who, memory));
    if (found !== undefined) this.stopped.push(`${what} ${found.number}`);
    return found !== undefined;
  }

  fail(fault: Fault): void {
    this.faults.push(fault);
  }

  #serve(): void {
    const bytes = this.#pending;
    this.#pending = EMPTY;
    const taken = this.relay.fromClient(bytes);
    // What came in the meantime comes after what was left.
    this.#pending = concat([bytes.subarray(taken), this.#pending]);
  }

  #attach(memory: Memory): void {
    this.attached = true;
    this.relay.attached(memory);
  }
}
