import { concat, EMPTY } from '../../src/base/bytes.ts';
import type { RelayOptions, RelaySink } from '../../src/core/engine.ts';
import type { Fault } from '../../src/core/fault.ts';
import type { PinReason } from '../../src/core/pin.ts';
import { PostgresMemory } from '../../src/engine/postgres/memory.ts';
import { overhear } from '../../src/engine/postgres/overhear.ts';
import type { PostgresPrincipal } from '../../src/engine/postgres/principal.ts';
import { makePrincipal } from '../../src/engine/postgres/principal.ts';
import { Realm, Realms } from '../../src/engine/postgres/realm.ts';
import { PostgresRelay } from '../../src/engine/postgres/relay.ts';
import { parseMessages } from '../support/messages.ts';
import { transcript } from '../support/transcript.ts';

export interface Pin {
  readonly reason: PinReason;
  readonly digest: string;
}

export const usualParameters = new Map([
  ['client_encoding', 'UTF8'],
  ['standard_conforming_strings', 'on'],
  ['TimeZone', 'UTC'],
]);

export function freshMemory(
  parameters: ReadonlyMap<string, string> = usualParameters,
  realm = new Realm(),
): PostgresMemory {
  return new PostgresMemory({ parameters, realm, pid: 4711, secret: Uint8Array.of(1, 2, 3, 4) });
}

export const usualOptions: RelayOptions = {
  pinning: 'minimal',
  maxPreparedStatements: 200,
  ignoreSetsForPinning: false,
};

export const anybody: PostgresPrincipal = makePrincipal('app', 'app', {
  parameters: new Map(),
  wishes: new Map(),
  realms: new Realms(),
});

export interface RigParts {
  readonly welcome?: PostgresMemory;
  readonly who?: PostgresPrincipal;
  readonly options?: RelayOptions;
}

/** A PostgreSQL relay between a client and a database in memory. Keeps and repeats what must wait as a session does. */
export class Rig implements RelaySink {
  readonly relay: PostgresRelay;
  readonly memory: PostgresMemory;
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
  #pending: Uint8Array = EMPTY;
  #passed = 0;
  #heard = 0;

  constructor(
    memory = freshMemory(),
    { welcome = memory, who = anybody, options = usualOptions }: RigParts = {},
  ) {
    this.memory = memory;
    this.relay = new PostgresRelay(this, who, welcome, options);
  }

  /** Bytes from the client: whole messages, or any part of them. */
  client(...parts: readonly Uint8Array[]): this {
    this.#pending = concat([this.#pending, ...parts]);
    if (!this.waiting) this.again();
    return this;
  }

  /** Bytes from the connection, whoever has borrowed it at the moment. */
  server(...parts: readonly Uint8Array[]): this {
    const bytes = concat(parts);
    if (this.attached) {
      this.relay.fromServer(bytes);
    } else {
      const objection = overhear(this.memory, bytes);
      if (objection !== undefined) throw new Error(objection);
    }
    return this;
  }

  grant(memory = this.memory): this {
    this.waiting = false;
    this.#attach(memory);
    this.again();
    return this;
  }

  refuse(fault: Fault): this {
    this.waiting = false;
    this.relay.refuse(fault);
    this.again();
    return this;
  }

  /** The types of the messages that the database has received since this was last asked. */
  passed(): string {
    const messages = parseMessages(concat(this.toServerBytes.slice(this.#passed)));
    this.#passed = this.toServerBytes.length;
    return messages.map(({ type }) => type).join('');
  }

  /** What the client has received since this was last asked, in lines. */
  heard(): readonly string[] {
    const messages = parseMessages(concat(this.toClientBytes.slice(this.#heard)));
    this.#heard = this.toClientBytes.length;
    return transcript(messages);
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
    if (this.waiting) return;
    const bytes = this.#pending;
    this.#pending = EMPTY;
    const taken = this.relay.fromClient(bytes);
    // What came in the meantime comes after what was left.
    this.#pending = concat([bytes.subarray(taken), this.#pending]);
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

  converse(): void {
    throw new Error('a PostgreSQL session signs in once');
  }

  rest(): void {
    throw new Error('a PostgreSQL session rests without its connection');
  }

  surrender(): void {
    throw new Error('a PostgreSQL session goes on as it is');
  }

  become(): void {
    throw new Error('a PostgreSQL session stays what it is');
  }

  stop(): boolean {
    throw new Error('a PostgreSQL session stops no other');
  }

  fail(fault: Fault): void {
    throw new Error(`a fault: ${fault.name}`);
  }

  #attach(memory: PostgresMemory): void {
    this.attached = true;
    this.relay.attached(memory);
  }
}

/** A client that has sent this, and a database that has answered so. */
export function after(sent: Uint8Array, ...answers: readonly Uint8Array[]): Rig {
  return new Rig().client(sent).server(...answers);
}
