import { Bug, unreachable, Violation } from '../base/assert.ts';
import { free } from '../base/bytes.ts';
import type { DiscardReason } from './discard.ts';
import type { Principal } from './engine.ts';
import type { Link, LinkHandler } from './link.ts';
import type { Lot } from './lot.ts';

/**
 * talking: just logged in, or being pinged or reset · idle: in the pool, ready · borrowed: a session's · held: given back,
 * but a cancel request for it is still under way · closing: told to close, still counted · closed
 */
export type ServerState = 'idle' | 'borrowed' | 'held' | 'talking' | 'closing' | 'closed';

/** What a connection needs of the session that borrowed it. */
export interface Borrower {
  readonly number: number;
  readonly inTransaction: boolean;
  fromServer(bytes: Uint8Array): void;
  serverDrained(): void;
  serverLost(): void;
  /** Others wait: what it has kept the connection for on mere suspicion, and for so long, may go. */
  makeWay(restMs: number): void;
}

/** What a connection tells its pool. */
export interface ConnectionOwner<Memory, Who extends Principal> {
  overhear(memory: Memory, bytes: Uint8Array): string | undefined;
  discard(connection: ServerConnection<Memory, Who>, reason: DiscardReason, detail?: string): void;
  closed(connection: ServerConnection<Memory, Who>, problem: string | undefined): void;
}

const legalMoves: Readonly<Record<ServerState, Readonly<Partial<Record<ServerState, true>>>>> = {
  idle: { borrowed: true, talking: true, closing: true, closed: true },
  // To `borrowed`: handed on to the next in line.
  borrowed: { idle: true, borrowed: true, held: true, talking: true, closing: true, closed: true },
  held: { idle: true, borrowed: true, talking: true, closing: true, closed: true },
  talking: { idle: true, borrowed: true, closing: true, closed: true },
  closing: { closed: true },
  closed: {},
};

/** One open connection to a database. */
export class ServerConnection<Memory, Who extends Principal> implements LinkHandler {
  readonly number: number;
  readonly link: Link;
  readonly memory: Memory;
  /** Those who share it. */
  #lot: Lot<Memory, Who>;
  /** Monotonic times at which it was made, and at which its lifetime is over. */
  readonly bornAtMs: number;
  readonly diesAtMs: number;
  readonly #owner: ConnectionOwner<Memory, Who>;
  #state: ServerState = 'talking';
  borrower: Borrower | undefined;
  /** Cancel requests under way for it: it must not change hands before the database has dealt with them (trap PG-41). */
  cancels = 0;
  /** Made with credentials or towards a target that have changed since: from this time on it closes at its next boundary. */
  retiresAtMs = Infinity;
  /** When it was last given back. */
  idleSinceMs: number;
  pingedAtMs = 0;
  /** Its session is pinned to it. */
  pinned = false;

  constructor(
    owner: ConnectionOwner<Memory, Who>,
    parts: {
      number: number;
      link: Link;
      memory: Memory;
      lot: Lot<Memory, Who>;
      diesAtMs: number;
      nowMs: number;
    },
  ) {
    this.#owner = owner;
    this.number = parts.number;
    this.link = parts.link;
    this.memory = parts.memory;
    this.#lot = parts.lot;
    this.bornAtMs = parts.nowMs;
    this.diesAtMs = parts.diesAtMs;
    this.idleSinceMs = parts.nowMs;
    this.link.handler = this;
  }

  get isRelaying(): boolean {
    return true;
  }

  get lot(): Lot<Memory, Who> {
    return this.#lot;
  }

  /** Others share it from here on. */
  joins(lot: Lot<Memory, Who>): void {
    this.#lot.open -= 1;
    this.#lot = lot;
    lot.open += 1;
  }

  get state(): ServerState {
    return this.#state;
  }

  /** The one place where the state changes; an impossible move is a bug. */
  become(state: ServerState): void {
    if (legalMoves[this.#state][state] !== true)
      throw new Bug(`a server connection cannot go from ${this.#state} to ${state}`);
    this.#state = state;
  }

  /** When, idle as it is, it should be pinged. */
  pingAtMs(intervalMs: number): number {
    return Math.max(this.idleSinceMs, this.pingedAtMs) + intervalMs;
  }

  data(bytes: Uint8Array): void {
    switch (this.#state) {
      case 'borrowed':
        this.#toBorrower(bytes);
        free(bytes);
        return;
      case 'idle':
      case 'held':
        this.#overhear(bytes);
        return;
      case 'talking': // the conversation listens itself
      case 'closing':
      case 'closed':
        return;
      default:
        unreachable(this.#state);
    }
  }

  drained(): void {
    this.borrower?.serverDrained();
  }

  closed(problem: string | undefined): void {
    this.#owner.closed(this, problem);
  }

  #toBorrower(bytes: Uint8Array): void {
    try {
      this.borrower?.fromServer(bytes);
    } catch (error) {
      if (!(error instanceof Violation)) throw error;
      const { borrower } = this;
      this.#owner.discard(this, 'violation', error.message);
      borrower?.serverLost();
    }
  }

  #overhear(bytes: Uint8Array): void {
    let objection: string | undefined;
    try {
      objection = this.#owner.overhear(this.memory, bytes);
    } catch (error) {
      if (!(error instanceof Violation)) throw error;
      objection = error.message;
    }
    if (objection !== undefined) this.#owner.discard(this, 'bytesWhileIdle', objection);
  }
}
