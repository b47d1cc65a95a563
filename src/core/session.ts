import { Violation } from '../base/assert.ts';
import { concat } from '../base/bytes.ts';
import type { Clock } from '../base/clock.ts';
import { limits } from '../base/limits.ts';
import type { Conversation } from './conversation.ts';
import type { Door, Engine, Principal, Relay, RelayOptions, RelaySink } from './engine.ts';
import type { Fault } from './fault.ts';
import { FaultError } from './fault.ts';
import type { Link, LinkHandler } from './link.ts';
import type { Lot, Waiter } from './lot.ts';
import type { Counters, Observer } from './observer.ts';
import { PeerClosed, TalkTimeout } from './network.ts';
import type { PinReason } from './pin.ts';
import type { Pool } from './pool.ts';
import type { Borrower, ServerConnection } from './server-connection.ts';

/** What a session needs of its proxy. */
export interface SessionHost<Memory, Who extends Principal> {
  readonly engine: Engine<Memory, Who>;
  readonly counters: Counters;
  readonly observer: Observer;
  readonly clock: Clock;
  /** Monotonic time of the last tick: precise enough for idleness, and free. */
  readonly tickMs: number;
  readonly draining: boolean;
  readonly sessions: ReadonlyMap<number, Session<Memory, Who>>;
  /** Runs a conversation with the session's client. Resolves with what it sent beyond that. */
  talk(
    session: Session<Memory, Who>,
    talk: (door: Door<Memory, Who>) => Conversation<void>,
  ): Promise<Uint8Array>;
  /** Has the session go on at another target, or end, where its own is down or none any more. */
  moveOn(session: Session<Memory, Who>): void;
  forget(session: Session<Memory, Who>): void;
}

/** How a session ends: the client is gone or refused, took its leave, does not read, or found no connection to go on with. */
type Manner = 'gone' | 'orderly' | 'tooSlow' | 'notRestored';

/** A session that has a connection and does nothing for so long is asked whether it must keep it. */
const RELAX_MS = 1_000;

const NO_PINS: ReadonlySet<PinReason> = new Set();

/** One signed-in client. Borrows a connection when a request begins and gives it back at the request's boundary. */
export class Session<Memory, Who extends Principal>
  implements LinkHandler, RelaySink<Memory, Who>, Borrower, Waiter<Memory, Who>
{
  readonly number: number;
  #who: Who;
  readonly link: Link;
  /** Who knows it may have this session's requests stopped. */
  readonly secret: Uint8Array;
  readonly #host: SessionHost<Memory, Who>;
  #pool: Pool<Memory, Who>;
  #lot: Lot<Memory, Who>;
  readonly #relay: Relay<Memory>;
  #connection: ServerConnection<Memory, Who> | undefined;
  #pins: Set<PinReason> | undefined;
  /** Bytes of the client's that nobody has dealt with yet: it waits for a connection, or must read its replies first. */
  #pending: Uint8Array[] | undefined;
  #pendingBytes = 0;
  #waiting = false;
  #over = false;
  /** The client is talked to apart from the relay. */
  #isTalking = false;
  /** When the current wait, and the current request, began; 0 where none is. */
  #waitingSinceMs = 0;
  #requestSinceMs = 0;
  #attachedAtMs = 0;
  #activeAtMs: number;
  /** When it last kept its connection for the moment. */
  #restsSinceMs = Infinity;
  /** Since when the client has not read what is queued for it; 0 where it keeps up. */
  #stalledSinceMs = 0;

  constructor(
    host: SessionHost<Memory, Who>,
    parts: {
      link: Link;
      who: Who;
      number: number;
      secret: Uint8Array;
      welcome: Memory;
      options: RelayOptions;
      pool: Pool<Memory, Who>;
    },
  ) {
    this.#host = host;
    this.number = parts.number;
    this.#who = parts.who;
    this.secret = parts.secret;
    this.link = parts.link;
    this.#pool = parts.pool;
    this.#lot = this.#pool.lotOf(parts.who);
    this.#lot.join();
    this.#relay = host.engine.relay(this, parts.who, parts.welcome, parts.options);
    this.#activeAtMs = host.tickMs;
    this.link.handler = this;
  }

  get isRelaying(): boolean {
    return true;
  }

  get who(): Who {
    return this.#who;
  }

  get pool(): Pool<Memory, Who> {
    return this.#pool;
  }

  get isWaiting(): boolean {
    return this.#waiting;
  }

  get isPinned(): boolean {
    return this.#pins !== undefined && this.#pins.size > 0;
  }

  get inTransaction(): boolean {
    return this.#relay.inTransaction;
  }

  get isOver(): boolean {
    return this.#over;
  }

  // ---- the client's side ------------------------------------------------------------------------------------------

  data(bytes: Uint8Array): void {
    if (this.#over) return; // it had not heard our last words yet
    this.#activeAtMs = this.#host.tickMs;
    this.#host.counters.bytesFromClients += bytes.length;
    if (
      this.#waiting ||
      this.#pendingBytes > 0 ||
      this.link.queuedBytes > limits.linkQueueBytes.value
    ) {
      this.#keep(bytes);
      if (this.#relay.givesUp?.(bytes) === true) this.cancel();
      return;
    }
    this.#relayFromClient(bytes);
  }

  drained(): void {
    this.#stalledSinceMs = 0;
    this.#connection?.link.resume();
    this.again();
  }

  closed(problem: string | undefined): void {
    this.#end(problem ?? 'The TCP channel was closed by either the client or the proxy.');
  }

  #relayFromClient(bytes: Uint8Array): void {
    let taken: number;
    try {
      taken = this.#relay.fromClient(bytes);
    } catch (error) {
      this.#broken(error);
      return;
    }
    if (this.#over) return;
    if (taken < bytes.length) this.#keep(taken === 0 ? bytes : bytes.slice(taken));
    const connection = this.#connection;
    if (connection !== undefined && connection.link.queuedBytes > limits.linkQueueBytes.value)
      this.link.pause();
  }

  #keep(bytes: Uint8Array): void {
    this.#pending ??= [];
    this.#pending.push(bytes);
    this.#pendingBytes += bytes.length;
    if (this.#pendingBytes > limits.pendingRequestBytes.value) this.link.pause();
  }

  #relayPending(): void {
    const pending = this.#pending ?? [];
    const bytes = pending.length === 1 ? pending[0] : concat(pending);
    this.#pending = undefined;
    this.#pendingBytes = 0;
    this.link.resume();
    if (bytes !== undefined) this.#relayFromClient(bytes);
  }

  // ---- the server's side ------------------------------------------------------------------------------------------

  fromServer(bytes: Uint8Array): void {
    this.#activeAtMs = this.#host.tickMs;
    try {
      this.#relay.fromServer(bytes);
    } catch (error) {
      if (error instanceof Violation) throw error; // the database's, not the client's: the connection deals with it
      this.#broken(error);
    }
  }

  serverDrained(): void {
    this.link.resume();
  }

  serverLost(): void {
    if (this.#over) return;
    this.#connection = undefined;
    const fault: Fault = { name: 'databaseLost' };
    this.#host.observer.fault(this.number, fault);
    this.#leave(fault, 'The database connection was lost.');
  }

  grant(connection: ServerConnection<Memory, Who>): void {
    this.#waiting = false;
    try {
      this.#attach(connection, this.#host.clock.nowMs());
    } catch (error) {
      // It is this session's trouble, not that of the one which has just given the connection back.
      this.#broken(error);
      return;
    }
    this.#relayPending();
  }

  refuse(fault: Fault): void {
    this.#waiting = false;
    this.#requestSinceMs = 0;
    if (fault.name === 'draining') {
      this.close(fault);
      return;
    }
    this.#host.counters.countFault(fault);
    this.#host.observer.fault(this.number, fault);
    this.#relay.refuse(fault);
    this.#relayPending();
  }

  #attach(connection: ServerConnection<Memory, Who>, nowMs: number): void {
    this.#host.counters.borrowLatency.observeMs(nowMs - this.#waitingSinceMs);
    this.#attachedAtMs = nowMs;
    this.#connection = connection;
    connection.borrower = this;
    if (this.link.queuedBytes > limits.linkQueueBytes.value) connection.link.pause();
    this.#relay.attached(connection.memory);
  }

  // ---- what the relay tells ---------------------------------------------------------------------------------------

  toServer(bytes: Uint8Array): void {
    this.#connection?.link.write(bytes);
  }

  toClient(bytes: Uint8Array): void {
    this.#host.counters.bytesToClients += bytes.length;
    this.link.write(bytes);
    if (this.link.queuedBytes <= limits.linkQueueBytes.value) return;
    this.#connection?.link.pause();
    if (this.#stalledSinceMs === 0) this.#stalledSinceMs = this.#host.tickMs;
  }

  wantServer(): boolean {
    if (this.#connection !== undefined) {
      if (this.#requestSinceMs === 0)
        this.#requestSinceMs = this.#attachedAtMs = this.#host.clock.nowMs();
      return true;
    }
    if (this.#waiting || this.#over) return false;
    if (this.#pool.draining) this.#host.moveOn(this);
    if (this.#over) return false;
    const pool = this.#pool;
    this.#waitingSinceMs = this.#host.clock.nowMs();
    this.#requestSinceMs = this.#waitingSinceMs;
    const connection = pool.borrow(this.#lot, this.#relay);
    if (connection !== undefined) {
      this.#attach(connection, this.#waitingSinceMs);
      return true;
    }
    this.#waiting = true;
    pool.queue(this.#lot, this);
    // Queueing can be answered at once, by a hand-over as by a refusal; then there is nothing to wait for here.
    return false;
  }

  /** Since when this session waits: asked by the pool. */
  get sinceMs(): number {
    return this.#waitingSinceMs;
  }

  boundary(): void {
    this.#measure();
    const connection = this.#connection;
    if (connection === undefined) return;
    if (this.#host.draining) {
      this.close({ name: 'draining' });
      return;
    }
    if (this.isPinned) {
      this.#pool.forgetCancel(connection);
      return;
    }
    this.#connection = undefined;
    // The database may answer before it has taken all: nobody would tell this session when it has.
    this.link.resume();
    this.#pool.release(connection);
  }

  rest(): void {
    this.#measure();
    if (this.#connection === undefined) return;
    this.#restsSinceMs = this.#host.clock.nowMs();
    this.#pool.forgetCancel(this.#connection);
    this.#pool.rests.began();
  }

  makeWay(restMs: number): void {
    if (this.#waiting || this.#isTalking || !this.#relay.quiet) return;
    if (this.#host.clock.nowMs() - this.#restsSinceMs >= restMs) this.#relay.relax();
  }

  again(): void {
    if (this.#pendingBytes > 0 && !this.#waiting && !this.#isTalking) this.#relayPending();
  }

  request(): void {
    const { counters } = this.#host;
    if (this.link.tlsVersion === undefined) counters.queryRequestsNoTls += 1;
    else counters.queryRequestsTls += 1;
  }

  finish(): void {
    // What was sent before the goodbye is still carried out, as it would be without us.
    this.#end('The client requested that the connection close.', 'orderly');
    this.link.end();
  }

  pin(reason: PinReason, digest: string): void {
    this.#pins ??= new Set();
    if (this.#pins.has(reason)) return;
    this.#pins.add(reason);
    const { observer } = this.#host;
    const { counters } = this.#pool;
    counters.pins.set(reason, (counters.pins.get(reason) ?? 0) + 1);
    if (this.#connection === undefined) return;
    this.#connection.pinned = true;
    observer.pinned(this.number, this.#connection.number, reason, digest);
  }

  unpin(reason: PinReason): void {
    if (this.#pins?.delete(reason) !== true || this.#connection === undefined) return;
    this.#connection.pinned = this.isPinned;
    this.#host.observer.unpinned(this.number, this.#connection.number, reason);
  }

  converse(talk: (door: Door<Memory, Who>) => Conversation<void>): void {
    this.#isTalking = true;
    this.#host.talk(this, talk).then(
      (leftover) => this.#goOn(leftover),
      (error: unknown) => this.#talkFailed(error),
    );
  }

  #goOn(leftover: Uint8Array): void {
    this.#isTalking = false;
    this.#activeAtMs = this.#host.tickMs;
    this.link.handler = this;
    if (this.#over) return;
    if (leftover.length > 0) this.#keep(leftover);
    if (this.link.isOpen) this.again();
    else this.closed(undefined);
  }

  #talkFailed(error: unknown): void {
    this.#isTalking = false;
    this.link.handler = this;
    if (this.#over) return;
    if (error instanceof PeerClosed) this.closed(undefined);
    else if (error instanceof TalkTimeout) this.close({ name: 'loginTimeout' });
    else if (error instanceof FaultError) {
      this.#host.counters.countFault(error.fault);
      this.#host.observer.fault(this.number, error.fault);
      this.link.write(error.words ?? this.#relay.lost(error.fault));
      this.#end(error.fault.name);
      this.link.end();
    } else this.#broken(error);
  }

  surrender(): void {
    const connection = this.#connection;
    const pins = this.#pins ?? NO_PINS;
    this.#pins = undefined;
    this.#requestSinceMs = 0;
    if (connection === undefined) return;
    for (const reason of pins) this.#host.observer.unpinned(this.number, connection.number, reason);
    this.#connection = undefined;
    this.link.resume();
    this.#pool.relinquish(connection, pins, false);
  }

  become(who: Who): void {
    this.#who = who;
    this.#lot.part();
    this.#lot = this.#pool.lotOf(who);
    this.#lot.join();
    this.#connection?.joins(this.#lot);
  }

  stop(
    whose: (number: number, who: Who, memory: Memory | undefined) => boolean,
    what: 'request' | 'session',
  ): boolean {
    for (const session of this.#host.sessions.values()) {
      if (!whose(session.number, session.who, session.#connection?.memory)) continue;
      if (what === 'request') session.cancel();
      else session.close({ name: 'killed' });
      return true;
    }
    return false;
  }

  fail(fault: Fault): void {
    this.close(fault, fault.name === 'restoreFailed' ? 'notRestored' : 'gone');
  }

  // ---- from outside -----------------------------------------------------------------------------------------------

  /** The client asked, on another connection, that its current request be stopped. */
  cancel(): void {
    if (this.#waiting) {
      this.#pool.leave(this.#lot, this);
      this.refuse({ name: 'cancelled' });
      this.#host.observer.cancelled(this.number, undefined);
    } else if (this.#connection !== undefined && this.#relay.cancel()) this.cancelNow();
  }

  cancelNow(): void {
    if (this.#connection === undefined) return;
    this.#pool.cancel(this.#connection);
    this.#host.observer.cancelled(this.number, this.#connection.number);
  }

  /** Tells the client why, then closes. */
  close(fault: Fault, manner: Manner = 'gone'): void {
    if (this.#over) return;
    this.#host.observer.fault(this.number, fault);
    this.#leave(fault, fault.name, manner);
  }

  /** Goes on at another target, as soon as nothing ties it to this one; what it waits for it waits for there. */
  move(pool: Pool<Memory, Who>): void {
    if (this.#over || this.#isTalking || this.#connection !== undefined) return;
    if (this.#waiting) this.#pool.leave(this.#lot, this);
    this.#lot.part();
    this.#pool = pool;
    this.#lot = pool.lotOf(this.#who);
    this.#lot.join();
    if (!this.#waiting) return;
    const connection = pool.borrow(this.#lot, this.#relay);
    if (connection === undefined) pool.queue(this.#lot, this);
    else this.grant(connection);
  }

  /** Called for every session about once a second. */
  checkDeadlines(nowMs: number, idleClientTimeoutMs: number, clientSendTimeoutMs: number): void {
    this.link.keepAlive(); // not at once: most who connect for each request are gone by now
    if (this.#stalledSinceMs > 0) {
      if (clientSendTimeoutMs > 0 && nowMs - this.#stalledSinceMs >= clientSendTimeoutMs) {
        this.#host.observer.fault(this.number, { name: 'clientTooSlow' });
        this.#end('clientTooSlow', 'tooSlow');
      }
      return;
    }
    if (this.#waiting || this.#isTalking || !this.#relay.quiet) return;
    if (this.#connection !== undefined && nowMs - this.#activeAtMs >= RELAX_MS) this.#relay.relax();
    if (nowMs - this.#activeAtMs >= idleClientTimeoutMs) this.close({ name: 'idleClient' });
  }

  /** The proxy stops: a session without a request leaves now, the others at their next boundary. */
  drain(): void {
    if (this.#waiting || (this.#relay.quiet && !this.#relay.inTransaction))
      this.close({ name: 'draining' });
  }

  // ---- the end ----------------------------------------------------------------------------------------------------

  #measure(): void {
    if (this.#requestSinceMs === 0) return;
    const now = this.#host.clock.nowMs();
    this.#host.counters.queryResponseLatency.observeMs(now - this.#requestSinceMs);
    this.#pool.counters.queryDatabaseResponseLatency.observeMs(now - this.#attachedAtMs);
    this.#requestSinceMs = 0;
  }

  /** Says the fault to the client where that can still be understood, and ends the session. */
  #leave(fault: Fault, why: string, manner: Manner = 'gone'): void {
    const lastWords = this.#relay.lost(fault);
    if (lastWords.length > 0) this.link.write(lastWords);
    this.#end(why, manner);
    this.link.end();
  }

  /** A client that broke the protocol, or a bug of ours: this session ends, and no other notices. */
  #broken(error: unknown): void {
    if (error instanceof Violation) {
      this.close({ name: 'protocolViolation', detail: error.message });
      return;
    }
    this.#host.observer.bug(`client ${this.number}`, error);
    this.close({ name: 'internal' });
  }

  #end(why: string, manner: Manner = 'gone'): void {
    if (this.#over) return;
    this.#over = true;
    if (this.#waiting) this.#pool.leave(this.#lot, this);
    this.#lot.part();
    this.#waiting = false;
    this.#pending = undefined;
    this.#pendingBytes = 0;
    this.link.resume(); // or its end would not be heard
    const connection = this.#connection;
    this.#connection = undefined;
    if (connection !== undefined) this.#giveUp(connection, manner);
    if (manner === 'tooSlow') this.link.destroy();
    this.#host.forget(this);
    this.#host.observer.clientClosed(this.number, why);
  }

  get #isTidy(): boolean {
    return !this.isPinned && !this.#relay.inTransaction && this.#relay.tidy;
  }

  #giveUp(connection: ServerConnection<Memory, Who>, manner: Manner): void {
    const pool = this.#pool;
    if (manner === 'tooSlow') pool.abandon(connection, 'clientTooSlow');
    else if (manner === 'notRestored') pool.discard(connection, 'restoreFailed');
    else if (manner === 'orderly' && !this.#relay.quiet)
      pool.discard(connection, 'clientGoneMidRequest');
    else if (this.#relay.quiet) pool.relinquish(connection, this.#pins ?? NO_PINS, this.#isTidy);
    else pool.abandon(connection, 'clientGoneMidRequest');
  }
}
