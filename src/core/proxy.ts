import { timingSafeEqual } from 'node:crypto';
import { Bug, Violation } from '../base/assert.ts';
import type { Clock } from '../base/clock.ts';
import type { Random } from '../base/random.ts';
import type { Share } from './budget.ts';
import { shareOf, WHOLE } from './budget.ts';
import type { Conversation } from './conversation.ts';
import type { Leaver } from './acquaintance.ts';
import type { Door, Doorkeeper, Engine, Entry, Principal, RelayOptions } from './engine.ts';
import type { Fault } from './fault.ts';
import { FaultError } from './fault.ts';
import type { Link } from './link.ts';
import { PeerClosed, TalkTimeout } from './network.ts';
import type { Network } from './network.ts';
import type { ClientGauges, Counters, Observer } from './observer.ts';
import type { Pool } from './pool.ts';
import type { SessionHost } from './session.ts';
import { Session } from './session.ts';
import type { Targets } from './targets.ts';
import type { Host } from './visit.ts';
import { Visit } from './visit.ts';

export interface ClientSettings {
  readonly maxClientConnections: number;
  readonly idleClientTimeoutMs: number;
  readonly clientLoginTimeoutMs: number;
  readonly clientSendTimeoutMs: number;
  /** The database is to be shown each client's address. */
  readonly applicationNameAddHost: boolean;
  readonly relay: RelayOptions;
}

export interface ProxyParts<Memory, Who extends Principal> {
  readonly engine: Engine<Memory, Who>;
  readonly network: Pick<Network, 'talk'>;
  readonly counters: Counters;
  readonly observer: Observer;
  readonly clock: Clock;
  readonly random: Random;
  /** Where sessions go for connections. Others may go there, too: whoever has made them looks after them. */
  readonly targets: Targets<Memory, Who>;
  /** Of several processes that have clients of the same endpoint, which this is; by default the only one. */
  readonly share?: Share;
  /**
   * Comes before the engine's greeting, whichever side speaks first there: lets whoever has passed the connection on say
   * whose it is. Returns the client's address; undefined where it is the peer's own. A `Violation` ends the connection.
   * There is no such conversation where nobody passes connections on.
   */
  introduce?(link: Pick<Link, 'peer'>): Conversation<string | undefined> | undefined;
  /** A cancel request arrived here for a session of another process. */
  forwardCancel?(worker: number, number: number, secret: Uint8Array): void;
}

/** Session numbers, which are half of a cancel key, carry their process's number above this many bits (trap PG-45). */
const NUMBER_BITS = 24;

/** So many clients beyond the limit may be in mid-login at a time: as a cancel request, or to read why they are refused. */
const CROWD = { part: 0.1, most: 64 } as const;
const DEADLINES_EVERY_MS = 1_000;
/** How long a client may take to read what is queued for it when its session is over. */
const LAST_WORDS_TIMEOUT_MS = 20_000;

/** One endpoint of a proxy at work: lets clients in, keeps their sessions, and lets them go to its targets for connections. */
export class Proxy<Memory, Who extends Principal>
  implements SessionHost<Memory, Who>, Host<Memory, Who>
{
  readonly engine: Engine<Memory, Who>;
  readonly counters: Counters;
  readonly observer: Observer;
  readonly clock: Clock;
  tickMs: number;
  draining = false;
  readonly #parts: ProxyParts<Memory, Who>;
  #keeper: Doorkeeper;
  #settings: ClientSettings;
  readonly #sessions = new Map<number, Session<Memory, Who>>();
  /** Links of clients whose login is under way. */
  readonly #arriving = new Set<Link>();
  /** Links of sessions that are over, whose clients have not read their last words yet; and when patience ends. */
  readonly #leaving = new Map<Link, number>();
  /** Clients in mid-login that wait for the database, and since when. */
  readonly #hopeful = new Map<Leaver, number>();
  readonly #share: Share;
  #nextNumber = 0;
  #deadlinesAtMs = 0;
  #whenEmpty: (() => void) | undefined;

  constructor(
    parts: ProxyParts<Memory, Who>,
    settings: { clients: ClientSettings; keeper: Doorkeeper },
  ) {
    this.#parts = parts;
    this.engine = parts.engine;
    this.counters = parts.counters;
    this.observer = parts.observer;
    this.clock = parts.clock;
    this.tickMs = parts.clock.nowMs();
    this.#settings = settings.clients;
    this.#keeper = settings.keeper;
    this.#share = parts.share ?? WHOLE;
  }

  get sessions(): ReadonlyMap<number, Session<Memory, Who>> {
    return this.#sessions;
  }

  /** Takes over a client's fresh connection. Never throws. */
  accept(link: Link): void {
    const most = shareOf(this.#settings.maxClientConnections, this.#share);
    // A few more are let in to be told that there is no room; a crowd is shown the door at once (trap PG-118).
    if (
      this.#sessions.size + this.#arriving.size <
      most + Math.min(CROWD.most, Math.ceil(most * CROWD.part))
    ) {
      void this.#welcome(link);
      return;
    }
    this.counters.clientConnectionsReceived += 1;
    this.counters.clientConnectionsClosed += 1;
    link.destroy();
  }

  reconfigure(settings: { clients: ClientSettings; keeper: Doorkeeper }): void {
    this.#settings = settings.clients;
    this.#keeper = settings.keeper;
  }

  get keeper(): Doorkeeper {
    return this.#keeper;
  }

  get showsAddresses(): boolean {
    return this.#settings.applicationNameAddHost;
  }

  admit(): Fault | undefined {
    if (this.draining) return { name: 'draining' };
    const limit = this.#settings.maxClientConnections;
    return this.#sessions.size + this.#arriving.size > shareOf(limit, this.#share)
      ? { name: 'clientLimit', limit }
      : undefined;
  }

  async meet(): Promise<void> {
    await this.#parts.targets.met();
  }

  choosePool(): Pool<Memory, Who> {
    return this.#parts.targets.choose();
  }

  open(pool: Pool<Memory, Who>, who: Who, client: Leaver): Memory | Promise<Memory> {
    const opened = pool.welcome(who, client);
    if (!(opened instanceof Promise)) return opened;
    const sinceMs = this.clock.nowMs();
    this.#hopeful.set(client, sinceMs);
    client.whenGone(() => this.#hopeful.delete(client));
    return opened.finally(() => this.#hopeful.delete(client));
  }

  random(count: number): Uint8Array {
    return this.#parts.random.bytes(count);
  }

  /** All deadlines hang on this: called about ten times a second. */
  tick(): void {
    this.tickMs = this.clock.nowMs();
    if (this.tickMs < this.#deadlinesAtMs) return;
    this.#deadlinesAtMs = this.tickMs + DEADLINES_EVERY_MS;
    const { idleClientTimeoutMs, clientSendTimeoutMs } = this.#settings;
    this.moveAllOn();
    for (const session of this.#sessions.values()) {
      session.checkDeadlines(this.tickMs, idleClientTimeoutMs, clientSendTimeoutMs);
    }
    for (const [link, atMs] of this.#leaving) {
      if (link.queuedBytes > 0 && this.tickMs < atMs) continue;
      this.#leaving.delete(link);
      if (link.queuedBytes > 0) link.destroy();
    }
  }

  /** Lets requests and transactions under way end, for at most `limitMs`; then closes what is left. */
  async drain(limitMs: number): Promise<void> {
    this.draining = true;
    for (const link of this.#arriving) link.destroy();
    for (const session of this.#sessions.values()) session.drain();
    if (this.#sessions.size > 0) {
      await new Promise<void>((resolve) => {
        const stop = this.clock.after(limitMs, resolve);
        this.#whenEmpty = () => {
          stop();
          resolve();
        };
      });
    }
    for (const session of this.#sessions.values()) session.close({ name: 'draining' });
  }

  /** Sessions whose target is down, or none of theirs any more, go on at another one; where there is none at all, they end. */
  moveAllOn(): void {
    for (const session of this.#sessions.values()) this.moveOn(session);
  }

  moveOn(session: Session<Memory, Who>): void {
    try {
      const pool = this.#parts.targets.after(session.pool);
      if (pool !== session.pool) session.move(pool);
    } catch (error) {
      if (!(error instanceof FaultError)) throw error;
      session.close(error.fault);
    }
  }

  forget(session: Session<Memory, Who>): void {
    this.#sessions.delete(session.number);
    this.counters.clientConnectionsClosed += 1;
    if (session.link.queuedBytes > 0)
      this.#leaving.set(session.link, this.tickMs + LAST_WORDS_TIMEOUT_MS);
    if (this.#sessions.size === 0) this.#whenEmpty?.();
  }

  async talk(
    session: Session<Memory, Who>,
    talk: (door: Door<Memory, Who>) => Conversation<void>,
  ): Promise<Uint8Array> {
    const { link, number } = session;
    const visit = new Visit(this, link, number, session.pool);
    try {
      const timeoutMs = this.#settings.clientLoginTimeoutMs;
      return (await this.#parts.network.talk(link, talk(visit), { timeoutMs })).leftover;
    } catch (error) {
      visit.gone();
      throw error;
    }
  }

  /** What is true at this moment. Walks all sessions: for scrapes, not for the data path. */
  gauges(): ClientGauges {
    const gauges = {
      clientConnections: this.#sessions.size + this.#arriving.size,
      clientConnectionsInSetup: this.#arriving.size,
      clientConnectionsTls: 0,
      clientConnectionsNoTls: 0,
      clientsWaiting: this.#hopeful.size,
      longestWaitMs: 0,
    };
    const now = this.clock.nowMs();
    const waitedSince = (sinceMs: number): void => {
      gauges.longestWaitMs = Math.max(gauges.longestWaitMs, now - sinceMs);
    };
    for (const sinceMs of this.#hopeful.values()) waitedSince(sinceMs);
    for (const session of this.#sessions.values()) {
      if (session.link.tlsVersion === undefined) gauges.clientConnectionsNoTls += 1;
      else gauges.clientConnectionsTls += 1;
      if (!session.isWaiting) continue;
      gauges.clientsWaiting += 1;
      waitedSince(session.sinceMs);
    }
    return gauges;
  }

  async #welcome(link: Link): Promise<void> {
    const { counters, observer } = this;
    const visit = new Visit(this, link, this.#number());
    counters.clientConnectionsReceived += 1;
    this.#arriving.add(link);
    try {
      const timeoutMs = this.#settings.clientLoginTimeoutMs;
      const reception = this.#receive(visit);
      const { result, leftover } = await this.#parts.network.talk(link, reception, { timeoutMs });
      this.#arriving.delete(link);
      this.#admitted(visit, result, leftover);
    } catch (error) {
      visit.gone();
      this.#arriving.delete(link);
      counters.clientConnectionsClosed += 1;
      if (visit.isIntroduced) this.#turnedAway(link, visit.cancelNumber, error);
      else this.#notIntroduced(link, visit.cancelNumber, error);
      observer.clientClosed(
        visit.cancelNumber,
        error instanceof PeerClosed ? 'The client left before it signed in.' : String(error),
      );
    }
    visit.over();
  }

  #receive(visit: Visit<Memory, Who>): Conversation<Entry<Memory, Who>> {
    const introduction = this.#parts.introduce?.(visit.link);
    if (introduction !== undefined) return this.#receiveIntroduced(visit, introduction);
    visit.introduced();
    return this.engine.greet(visit);
  }

  /** Who it is, then what the engine has to say: one conversation, since what comes first may bring bytes of the next. */
  *#receiveIntroduced(
    visit: Visit<Memory, Who>,
    introduction: Conversation<string | undefined>,
  ): Conversation<Entry<Memory, Who>> {
    const client = yield* introduction;
    const { peer } = visit.link;
    if (client !== undefined) visit.link.peer = client;
    visit.introduced(client === undefined ? undefined : peer);
    return yield* this.engine.greet(visit);
  }

  #admitted(visit: Visit<Memory, Who>, entry: Entry<Memory, Who>, leftover: Uint8Array): void {
    const { link, cancelNumber: number } = visit;
    if (entry.kind !== 'session') {
      this.counters.clientConnectionsClosed += 1;
      if (entry.kind === 'cancel') {
        this.counters.cancelRequests += 1;
        this.cancel(entry.number, entry.secret);
      }
      link.end();
      this.observer.clientClosed(
        number,
        entry.kind === 'cancel' ? 'A cancel request.' : 'The client left before it signed in.',
      );
      return;
    }
    this.counters.clientConnectionsSetupSucceeded += 1;
    this.observer.clientSignedIn(number, entry.who.user, entry.method);
    const { who, welcome, secret } = entry;
    const options = this.#settings.relay;
    const { pool } = visit;
    const session = new Session(this, { link, who, number, secret, welcome, options, pool });
    this.#sessions.set(number, session);
    if (!link.isOpen) session.closed(undefined);
    else if (this.draining) session.drain();
    else if (leftover.length > 0) session.data(leftover);
  }

  #turnedAway(link: Link, number: number, error: unknown): void {
    const { observer, counters } = this;
    if (error instanceof FaultError) {
      counters.countFault(error.fault);
      if (error.fault.name !== 'loginTimeout') counters.clientConnectionsSetupFailedAuth += 1;
      observer.fault(number, error.fault);
      link.write(error.words ?? this.engine.sayFatal(error.fault));
      link.end();
    } else if (error instanceof TalkTimeout) {
      observer.fault(number, { name: 'loginTimeout' });
      link.write(this.engine.sayFatal({ name: 'loginTimeout' }));
      link.end();
    } else {
      if (error instanceof Violation) {
        observer.fault(number, { name: 'protocolViolation', detail: error.message });
      } else if (error instanceof Bug) {
        observer.bug(`login of client ${number}`, error);
      }
      link.destroy();
    }
  }

  /** Whoever is there hears nothing: it may not even be a client of the engine's kind. */
  #notIntroduced(link: Link, number: number, error: unknown): void {
    const { observer } = this;
    observer.clientConnected(number, link);
    if (error instanceof Violation) observer.introductionRefused(number, link.peer, error.message);
    else if (error instanceof TalkTimeout)
      observer.introductionRefused(number, link.peer, undefined);
    else if (error instanceof Bug) observer.bug(`introduction of client ${number}`, error);
    link.destroy();
  }

  /**
   * A client asks, with a session's key, that its request be stopped. A wrong key does nothing and says nothing, as in
   * PostgreSQL (trap PG-47).
   */
  cancel(number: number, secret: Uint8Array): void {
    const worker = number >>> NUMBER_BITS;
    if (worker !== this.#share.index) {
      if (worker < this.#share.count) this.#parts.forwardCancel?.(worker, number, secret);
      return;
    }
    // A stranger learns by no clock which numbers are taken: something is always compared, all of it.
    const session = this.#sessions.get(number);
    const own = session?.secret;
    const expected = own?.length === secret.length ? own : new Uint8Array(secret.length);
    if (timingSafeEqual(secret, expected) && expected === own) session?.cancel();
  }

  /** A number that no session has: sessions live for days while others come and go. */
  #number(): number {
    const first = this.#share.index << NUMBER_BITS;
    do {
      this.#nextNumber = (this.#nextNumber + 1) % (1 << NUMBER_BITS);
    } while (this.#sessions.has(first + this.#nextNumber));
    return first + this.#nextNumber;
  }
}
