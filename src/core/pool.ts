import type { ConnectionLender, Leaver } from './acquaintance.ts';
import { Acquaintance } from './acquaintance.ts';
import { allowedConnections, Budget, shareOf, WHOLE } from './budget.ts';
import { Canceller } from './canceller.ts';
import type { Conversation } from './conversation.ts';
import type { DiscardReason } from './discard.ts';
import type { Principal, Relay } from './engine.ts';
import type { Entered } from './entrance.ts';
import type { Fault } from './fault.ts';
import { FaultError } from './fault.ts';
import type { Link } from './link.ts';
import type { Lot, Newcomer, Waiter } from './lot.ts';
import { Lots } from './lots.ts';
import { PeerClosed } from './network.ts';
import type { Counters, TargetGauges } from './observer.ts';
import type { PinReason } from './pin.ts';
import { gaugesOf } from './pool-gauges.ts';
import type { PoolParts, PoolSettings } from './pool-parts.ts';
import { Rests } from './rests.ts';
import type { ConnectionOwner } from './server-connection.ts';
import { ServerConnection } from './server-connection.ts';

/** What the database is taken to grant until it has been asked. */
const UNMEASURED_CONNECTIONS = 10;
/** How long an orderly goodbye, a ping or a reset may take. */
const HOUSEKEEPING_TIMEOUT_MS = 5_000;

/** The connections of one proxy to its target, shared among sessions of equal principals. Knows neither bytes nor protocols. */
export class Pool<Memory, Who extends Principal>
  implements ConnectionOwner<Memory, Who>, ConnectionLender<Memory, Who>
{
  readonly #parts: PoolParts<Memory, Who>;
  readonly #budget: Budget;
  readonly #canceller: Canceller<Memory, Who>;
  readonly #acquaintance: Acquaintance<Memory, Who>;
  readonly #lots = new Lots<Memory, Who>();
  readonly #connections = new Set<ServerConnection<Memory, Who>>();
  /** Of sessions that keep a connection though their request is over. */
  readonly rests: Rests;
  /** Told to close, and when patience ends. */
  readonly #closing = new Map<ServerConnection<Memory, Who>, number>();
  #settings: PoolSettings;
  /** Clients in mid-login whose sessions will come here for connections. */
  guests = 0;
  #granted = UNMEASURED_CONNECTIONS;
  #connecting = 0;
  /** As of the last tick: precise enough for what is idle or grows old, and free. */
  #tickMs: number;
  #nextNumber = 1;
  /** From here on nobody gets a connection. */
  draining = false;

  constructor(parts: PoolParts<Memory, Who>, settings: PoolSettings) {
    this.#parts = parts;
    this.#settings = settings;
    this.#tickMs = parts.clock.nowMs();
    this.#budget = new Budget(this.#partOf(settings.maxConnectionsPercent));
    this.rests = new Rests(parts.clock, this.#lots.hungry, this.#connections);
    this.#acquaintance = new Acquaintance(parts, this);
    this.#canceller = new Canceller(parts, (connection) => this.#cancelOver(connection));
  }

  get connections(): ReadonlySet<ServerConnection<Memory, Who>> {
    return this.#connections;
  }

  get allowed(): number {
    return this.#budget.limit;
  }

  get counters(): Counters {
    return this.#parts.counters;
  }

  /** How many come here, for each connection that there may be. */
  get load(): number {
    return (this.#lots.sessions + this.guests) / this.allowed;
  }

  gauges(): TargetGauges {
    return gaugesOf(this.#connections, this.allowed);
  }

  lotOf(who: Who): Lot<Memory, Who> {
    return this.#lots.of(who, this.#tickMs);
  }

  /**
   * What connections of this principal look like, at once where it is known; opens one where none has been yet. Throws
   * `FaultError`. Once the client has left, nobody waits for the answer any more (trap GX-04).
   */
  welcome(who: Who, client: Leaver): Memory | Promise<Memory> {
    const lot = this.lotOf(who);
    if (lot.welcome !== undefined) return this.#acquaintance.make(lot, lot.welcome, who, client);
    const now = this.#parts.clock.nowMs();
    if (lot.lastFault?.refusal === 'final' && now < lot.retryAtMs) {
      throw new FaultError(lot.lastFault);
    }
    return new Promise((resolve, reject) => {
      const newcomer: Newcomer<Memory> = {
        sinceMs: now,
        welcome: (memory) => resolve(this.#acquaintance.make(lot, memory, who, client)),
        refuse: (fault) => reject(new FaultError(fault)),
      };
      client.whenGone(() => {
        if (lot.newcomers.delete(newcomer)) this.#lots.update(lot);
      });
      lot.newcomers.add(newcomer);
      this.#feed(lot);
    });
  }

  /** A ready connection, now `borrowed`; or undefined, and the caller may queue. */
  borrow(
    lot: Lot<Memory, Who>,
    relay: Pick<Relay<Memory>, 'fit'>,
  ): ServerConnection<Memory, Who> | undefined {
    if (lot.waiters.size > 0) return undefined; // those who came before go first
    for (;;) {
      const connection = lot.take(relay);
      if (connection === undefined) return undefined;
      if (this.#inMessage(connection)) {
        lot.idle.push(connection);
        this.discard(connection, 'bytesWhileIdle', 'half a message');
        continue;
      }
      connection.become('borrowed');
      return connection;
    }
  }

  /** Queues for a connection; `waiter` hears one of `grant` and `refuse` unless it leaves before. */
  queue(lot: Lot<Memory, Who>, waiter: Waiter<Memory, Who>): void {
    lot.waiters.add(waiter);
    if (this.#settings.borrowTimeoutMs === 0) this.#parts.clock.after(0, () => this.#expire(lot));
    this.#feed(lot);
    this.rests.waited();
  }

  leave(lot: Lot<Memory, Who>, waiter: Waiter<Memory, Who>): void {
    lot.waiters.delete(waiter);
    this.#lots.update(lot);
  }

  /** A session's request is over and nothing ties it to the connection. */
  release(connection: ServerConnection<Memory, Who>): void {
    connection.borrower = undefined;
    connection.pinned = false;
    connection.link.resume();
    this.#canceller.forget(connection);
    if (connection.cancels > 0) connection.become('held');
    else this.#offer(connection);
  }

  /** A session is over and leaves a connection behind on which nothing is under way. */
  relinquish(
    connection: ServerConnection<Memory, Who>,
    pins: ReadonlySet<PinReason>,
    isTidy: boolean,
  ): void {
    if (isTidy) {
      this.release(connection);
      return;
    }
    this.#canceller.forget(connection);
    const reset =
      connection.cancels > 0 || this.#hasInitQuery
        ? undefined // a reset would undo what the init query has set
        : this.#parts.engine.reset(connection.memory, pins);
    connection.borrower = undefined;
    connection.pinned = false;
    if (reset === undefined) this.discard(connection, 'resetImpossible');
    else void this.talk(connection, reset, 'resetFailed');
  }

  /** Asks the database to stop what the connection is doing. */
  cancel(connection: ServerConnection<Memory, Who>): void {
    this.#canceller.cancel(connection);
  }

  /** What was to be stopped is over. */
  forgetCancel(connection: ServerConnection<Memory, Who>): void {
    this.#canceller.forget(connection);
  }

  /** A session left while its request was under way: the database is told to stop, and the connection is closed. */
  abandon(connection: ServerConnection<Memory, Who>, reason: DiscardReason): void {
    this.#canceller.cancel(connection);
    this.discard(connection, reason);
  }

  discard(connection: ServerConnection<Memory, Who>, reason: DiscardReason, detail = ''): void {
    if (connection.state === 'closing' || connection.state === 'closed') return;
    const { counters, observer, clock, engine } = this.#parts;
    const { state } = connection;
    if (state === 'idle') connection.lot.remove(connection);
    connection.become('closing');
    connection.borrower = undefined;
    counters.discards.set(reason, (counters.discards.get(reason) ?? 0) + 1);
    observer.serverDiscarded(connection.number, reason, detail);
    this.#closing.set(connection, clock.nowMs() + HOUSEKEEPING_TIMEOUT_MS);
    connection.link.resume();
    // A client may have left in the middle of a message, which a goodbye would complete.
    if (state !== 'borrowed') connection.link.write(engine.goodbye());
    connection.link.end();
  }

  overhear(memory: Memory, bytes: Uint8Array): string | undefined {
    return this.#parts.engine.overhear(memory, bytes);
  }

  closed(connection: ServerConnection<Memory, Who>, problem: string | undefined): void {
    if (connection.state === 'closed') return;
    if (connection.state !== 'closing') {
      const { counters, observer } = this.#parts;
      counters.discards.set('databaseClosed', (counters.discards.get('databaseClosed') ?? 0) + 1);
      observer.serverDiscarded(connection.number, 'databaseClosed', problem ?? '');
    }
    if (connection.state === 'idle') connection.lot.remove(connection);
    const { borrower, lot } = connection;
    connection.borrower = undefined;
    connection.become('closed');
    this.#closing.delete(connection);
    this.#connections.delete(connection);
    lot.open -= 1;
    this.#budget.giveBack();
    borrower?.serverLost();
    this.#feedAll();
  }

  /** The database grants this many connections to ordinary users, all in all. */
  resize(granted: number): void {
    this.#granted = granted;
    this.#budget.resize(this.#partOf(this.#settings.maxConnectionsPercent));
    for (const connection of this.#lots.oldestIdle()) {
      if (this.#budget.excess <= this.#closing.size) break;
      this.discard(connection, 'overBudget');
    }
    this.#feedAll();
  }

  reconfigure(settings: PoolSettings): void {
    this.#settings = settings;
    this.resize(this.#granted);
  }

  /** Connections made until now close at their next boundary; new ones are made afresh. `user` undefined: all. */
  retire(user: string | undefined): void {
    for (const lot of this.#lots.all()) {
      if (user !== undefined && lot.who.user !== user) continue;
      lot.era += 1;
      lot.welcome = undefined;
      lot.retryAtMs = 0;
    }
    for (const connection of this.#connections) {
      if (user !== undefined && connection.lot.who.user !== user) continue;
      connection.retiresAtMs = 0;
      if (connection.state === 'idle') this.discard(connection, 'retired');
    }
    this.#feedAll();
  }

  /** From here on connections close as they are given back, and those who wait are refused. */
  drain(): void {
    this.draining = true;
    for (const lot of this.#lots.hungry) this.#refuseAll(lot, { name: 'draining' });
    for (const connection of this.#lots.oldestIdle()) this.discard(connection, 'draining');
  }

  /** Ends what is left, politely or not. */
  destroy(): void {
    for (const connection of this.#connections) {
      this.discard(connection, 'draining');
      connection.link.destroy();
    }
  }

  /** All that depends on time: called a few times a second. */
  tick(): void {
    const now = this.#parts.clock.nowMs();
    this.#tickMs = now;
    for (const lot of this.#lots.hungry) this.#expire(lot);
    for (const [connection, atMs] of this.#closing) if (now >= atMs) connection.link.destroy();
    this.#sweepIdle(now);
    this.#feedAll();
    this.#lots.forgetUnused(now);
  }

  /** This process's part of a percentage of what the database grants. */
  #partOf(percent: number): number {
    return shareOf(allowedConnections(this.#granted, percent), this.#parts.share ?? WHOLE);
  }

  // ---- giving out -------------------------------------------------------------------------------------------------

  /** A connection is free: to whom does it go? */
  #offer(connection: ServerConnection<Memory, Who>): void {
    const { lot } = connection;
    const reason = this.#endOf(connection);
    if (reason !== undefined) {
      this.discard(connection, reason);
      return;
    }
    if (this.#lots.hungry.size > 0 && this.#budget.free <= 0) {
      const nowMs = this.#parts.clock.nowMs();
      if (this.#lots.claimant(connection, nowMs, this.#closing.size) !== undefined) {
        this.discard(connection, 'evicted');
        return;
      }
    }
    connection.idleSinceMs = this.#tickMs;
    lot.usedAtMs = this.#tickMs;
    const waiter = lot.waiters.shift();
    if (waiter === undefined) {
      connection.become('idle');
      lot.idle.push(connection);
      return;
    }
    this.#lots.update(lot);
    connection.become('borrowed');
    waiter.grant(connection);
  }

  #endOf(connection: ServerConnection<Memory, Who>): DiscardReason | undefined {
    if (this.draining) return 'draining';
    if (this.#tickMs >= connection.retiresAtMs) return 'retired';
    if (this.#budget.excess > this.#closing.size) return 'overBudget';
    if (this.#tickMs >= connection.diesAtMs) return 'lifetime';
    return undefined;
  }

  #feedAll(): void {
    if (this.#lots.hungry.size > 0) for (const lot of this.#lots.byWaitingTime()) this.#feed(lot);
  }

  /** Somebody waits: opens connections as far as budget, parallel attempts and pauses allow. */
  #feed(lot: Lot<Memory, Who>): void {
    if (!this.#lots.update(lot)) return;
    if (this.draining) {
      this.#refuseAll(lot, { name: 'draining' });
      return;
    }
    while (lot.demand > lot.connecting && !this.#isPaused(lot)) {
      if (this.#connecting >= this.#settings.maxConnecting) return;
      if (!this.#budget.take()) {
        this.#makeRoom(lot);
        return;
      }
      void this.#connect(lot);
    }
  }

  #isPaused({ retryAtMs }: Lot<Memory, Who>): boolean {
    return retryAtMs > 0 && this.#parts.clock.nowMs() < retryAtMs;
  }

  /** Closes idle connections of other principals so that `lot` can have theirs. */
  #makeRoom(lot: Lot<Memory, Who>): void {
    if (!this.#lots.hasIdleBeside(lot)) return;
    for (const connection of this.#lots.oldestIdle()) {
      if (lot.demand <= lot.connecting + this.#closing.size) return;
      if (connection.lot !== lot) this.discard(connection, 'evicted');
    }
  }

  // ---- opening ----------------------------------------------------------------------------------------------------

  async #connect(lot: Lot<Memory, Who>): Promise<void> {
    const { entrance, counters } = this.#parts;
    const { era } = lot;
    lot.connecting += 1;
    this.#connecting += 1;
    counters.databaseConnectionRequests += 1;
    let entered: Entered<Memory> | undefined;
    let problem: unknown = new PeerClosed('the database closed the connection after login');
    try {
      entered = await entrance.enter(lot.who, this.#settings.connectTimeoutMs);
    } catch (error) {
      problem = error;
    }
    lot.connecting -= 1;
    this.#connecting -= 1;
    if (entered?.link.isOpen !== true) {
      this.#failed(lot, problem);
      return;
    }
    counters.databaseConnectionsSetupSucceeded += 1;
    if (entered.link.tlsVersion !== undefined) counters.databaseConnectionRequestsWithTls += 1;
    this.#opened(lot, entered.link, entered.memory, era);
  }

  #opened(lot: Lot<Memory, Who>, link: Link, memory: Memory, era: number): void {
    const { clock, random, observer } = this.#parts;
    const nowMs = clock.nowMs();
    // Connections that were opened together must not die together.
    const diesAtMs = nowMs + this.#settings.lifetimeMs * (0.9 + 0.1 * random.fraction());
    const number = this.#nextNumber++;
    const connection = new ServerConnection(this, { number, link, memory, lot, diesAtMs, nowMs });
    this.#connections.add(connection);
    lot.opened();
    observer.serverConnected(
      number,
      lot.who.user,
      `${link.peer}${link.tlsVersion === undefined ? '' : ` ${link.tlsVersion}`}`,
    );
    if (era === lot.era) this.#welcomeAll(lot, memory);
    else connection.retiresAtMs = 0;
    this.#offer(connection);
    this.#feedAll();
  }

  #welcomeAll(lot: Lot<Memory, Who>, memory: Memory): void {
    lot.welcome = memory;
    for (const newcomer of lot.newcomers) newcomer.welcome(memory);
    lot.newcomers.clear();
    this.#lots.update(lot);
  }

  #failed(lot: Lot<Memory, Who>, error: unknown): void {
    const { clock, counters, observer, random } = this.#parts;
    const fault: Fault =
      error instanceof FaultError
        ? error.fault
        : {
            name: 'databaseLost',
            refusal: 'later',
            detail: error instanceof Error ? error.message : String(error),
          };
    this.#budget.giveBack();
    counters.databaseConnectionsSetupFailed += 1;
    observer.serverFailed(lot.who.user, fault.detail ?? fault.name);
    const final = fault.refusal === 'credentials' || fault.refusal === 'final';
    lot.pause(fault, final, clock.nowMs(), random.fraction());
    // Where others of the same principal are served, one refused attempt harms nobody (trap PG-119).
    if (final && lot.open === 0) this.#refuseAll(lot, fault);
    this.#feedAll();
  }

  // ---- time -------------------------------------------------------------------------------------------------------

  #expire(lot: Lot<Memory, Who>): void {
    const { clock } = this.#parts;
    const { borrowTimeoutMs, connectTimeoutMs } = this.#settings;
    const now = clock.nowMs();
    const why = lot.lastFault?.detail;
    const fault: Fault = { name: 'borrowTimeout', ...(why === undefined ? {} : { detail: why }) };
    const overdue = lot.takeOverdue(now, borrowTimeoutMs, connectTimeoutMs);
    this.#lots.update(lot);
    for (const one of overdue) one.refuse(fault);
  }

  #refuseAll(lot: Lot<Memory, Who>, fault: Fault): void {
    const all = [...lot.waiters.all(), ...lot.newcomers];
    lot.waiters.clear();
    lot.newcomers.clear();
    this.#lots.update(lot);
    for (const one of all) one.refuse(fault);
  }

  #sweepIdle(now: number): void {
    const { idleTimeoutMs, maxIdleConnectionsPercent, pingIntervalMs } = this.#settings;
    const maxIdle = maxIdleConnectionsPercent === 0 ? 0 : this.#partOf(maxIdleConnectionsPercent);
    const idle = this.#lots.oldestIdle();
    let surplus = idle.length - maxIdle;
    for (const connection of idle) {
      const quietMs = now - connection.idleSinceMs;
      if (now >= connection.retiresAtMs) this.discard(connection, 'retired');
      else if (now >= connection.diesAtMs) this.discard(connection, 'lifetime');
      else if (surplus > 0 && quietMs >= idleTimeoutMs) this.discard(connection, 'idleLimit');
      else if (pingIntervalMs > 0 && now >= connection.pingAtMs(pingIntervalMs))
        this.#ping(connection, now);
      surplus -= 1;
    }
  }

  get #hasInitQuery(): boolean {
    return this.#parts.entrance.settings.initQuery !== '';
  }

  #inMessage(connection: ServerConnection<Memory, Who>): boolean {
    return this.#parts.engine.inMessage?.(connection.memory) === true;
  }

  #ping(connection: ServerConnection<Memory, Who>, now: number): void {
    if (this.#inMessage(connection)) {
      this.discard(connection, 'bytesWhileIdle', 'half a message');
      return;
    }
    connection.lot.remove(connection);
    connection.pingedAtMs = now;
    const { idleSinceMs } = connection;
    void this.talk(connection, this.#parts.engine.ping(connection.memory), 'pingFailed').then(
      () => {
        connection.idleSinceMs = idleSinceMs; // a ping is not use
        if (connection.state !== 'idle') return;
        // Nor does it make the connection the next in turn: those that are not needed must age.
        connection.lot.remove(connection);
        connection.lot.idle.unshift(connection);
      },
    );
  }

  /** Runs a conversation of ours on a connection that nobody has borrowed, then offers it again. */
  async talk<Result>(
    connection: ServerConnection<Memory, Who>,
    conversation: Conversation<Result>,
    failure: DiscardReason,
  ): Promise<Result | undefined> {
    const { network } = this.#parts;
    connection.become('talking');
    connection.link.resume();
    try {
      const options = { timeoutMs: HOUSEKEEPING_TIMEOUT_MS };
      const { result, leftover } = await network.talk(connection.link, conversation, options);
      connection.link.handler = connection;
      if (connection.state !== 'talking') return undefined;
      if (!connection.link.isOpen) this.closed(connection, undefined);
      else if (leftover.length > 0)
        this.discard(connection, 'bytesWhileIdle', 'bytes after the answer to our own request');
      else {
        this.#offer(connection);
        return result;
      }
    } catch (error) {
      connection.link.handler = connection;
      const why = error instanceof Error ? error.message : String(error);
      if (connection.link.isOpen) this.discard(connection, failure, why);
      else this.closed(connection, String(error));
    }
    return undefined;
  }

  #cancelOver(connection: ServerConnection<Memory, Who>): void {
    if (connection.state === 'held' && connection.cancels === 0) this.#offer(connection);
  }
}
