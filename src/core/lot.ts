import { assert } from '../base/assert.ts';
import type { Principal, Relay } from './engine.ts';
import type { Fault } from './fault.ts';
import { Queue } from './queue.ts';
import type { ServerConnection } from './server-connection.ts';

/** Bounds of the pause after a failed attempt to connect. */
const RETRY_MS = { first: 50, last: 5_000 } as const;
/** A database that refused credentials for good is not asked again for a while (trap PG-108). */
const REFUSED_RETRY_MS = 1_000;

/** A session that waits for a connection. */
export interface Waiter<Memory, Who extends Principal> {
  readonly sinceMs: number;
  /** A client that has not signed in yet: it may need a connection even where nobody is meant to wait for one. */
  readonly isLogin?: boolean;
  grant(connection: ServerConnection<Memory, Who>): void;
  refuse(fault: Fault): void;
}

/** All who come to a pool. */
export interface Crowd {
  sessions: number;
}

/** A client in mid-login that waits to learn what its connections look like. */
export interface Newcomer<Memory> {
  readonly sinceMs: number;
  welcome(memory: Memory): void;
  refuse(fault: Fault): void;
}

/** The connections of one principal, and those who wait for one: a pool keeps one lot for each `poolKey`. */
export class Lot<Memory, Who extends Principal> {
  readonly who: Who;
  /** Ready connections, the most recently used last: it is taken first, so that the others can age. */
  readonly idle: ServerConnection<Memory, Who>[] = [];
  /** Strictly first come, first served; who left is forgotten at once (trap GX-04). */
  readonly waiters = new Queue<Waiter<Memory, Who>>();
  readonly newcomers = new Set<Newcomer<Memory>>();
  /** Somebody waits here, as `Lots` was told last. */
  isHungry = false;
  /** Open connections, whatever they do. */
  open = 0;
  connecting = 0;
  /** Counts changes of credentials and target: a connection that was begun before one must not outlive it. */
  era = 0;
  /** What a fresh connection looked like; told to clients when they sign in. */
  welcome: Memory | undefined;
  /** After a failed attempt: no other before this time. */
  retryAtMs = 0;
  failures = 0;
  lastFault: Fault | undefined;
  usedAtMs = 0;
  /** Sessions that will come here for connections, and those that will come to any lot of the pool. */
  #sessions = 0;
  readonly #crowd: Crowd;

  constructor(who: Who, crowd: Crowd) {
    this.who = who;
    this.#crowd = crowd;
  }

  /** A session will come here for connections. */
  join(): void {
    this.#sessions += 1;
    this.#crowd.sessions += 1;
  }

  /** It will not come any more. */
  part(): void {
    this.#sessions -= 1;
    this.#crowd.sessions -= 1;
  }

  /** An attempt to connect has led to a connection. */
  opened(): void {
    this.open += 1;
    this.failures = 0;
    this.retryAtMs = 0;
    this.lastFault = undefined;
  }

  /** An attempt to connect has failed: none is made for a while, the longer the more have failed in a row. */
  pause(fault: Fault, final: boolean, nowMs: number, fraction: number): void {
    const pauseMs = final
      ? REFUSED_RETRY_MS
      : Math.min(RETRY_MS.last, RETRY_MS.first * 2 ** this.failures);
    this.failures = Math.min(this.failures + 1, 16);
    this.retryAtMs = nowMs + pauseMs * (0.75 + 0.25 * fraction);
    this.lastFault = final ? { ...fault, refusal: 'final' } : fault;
  }

  /** Takes the idle connection that suits best, of those the one used last; undefined where there is none. */
  take(relay: Pick<Relay<Memory>, 'fit'>): ServerConnection<Memory, Who> | undefined {
    const { idle } = this;
    const last = idle.length - 1;
    let best = last;
    let isFresh = false;
    for (let at = last; at >= 0; at -= 1) {
      const connection = idle[at];
      const fit = connection === undefined ? 'other' : relay.fit(connection.memory);
      if (fit === 'as wanted') {
        best = at;
        break;
      }
      if (fit !== 'fresh' || isFresh) continue;
      isFresh = true;
      best = at;
    }
    if (best === last) return idle.pop();
    return idle.splice(best, 1)[0];
  }

  /** Takes a connection out of the idle ones, wherever it stands. */
  remove(connection: ServerConnection<Memory, Who>): void {
    const at = this.idle.indexOf(connection);
    assert(at >= 0, 'an idle connection is not in its list');
    this.idle.splice(at, 1);
  }

  /** Takes out those who have waited for too long. */
  takeOverdue(
    nowMs: number,
    borrowTimeoutMs: number,
    connectTimeoutMs: number,
  ): readonly (Waiter<Memory, Who> | Newcomer<Memory>)[] {
    const overdue: (Waiter<Memory, Who> | Newcomer<Memory>)[] = [];
    // A login may need a connection even where nobody is meant to wait for one; where attempts fail, it waits no longer.
    const fails = this.failures > 0 && this.connecting === 0;
    const patienceMs = fails ? borrowTimeoutMs : Math.max(borrowTimeoutMs, connectTimeoutMs);
    for (const waiter of this.waiters.all()) {
      const waitedMs = nowMs - waiter.sinceMs;
      if (waitedMs < borrowTimeoutMs) break;
      if (waiter.isLogin === true && waitedMs < patienceMs) continue;
      overdue.push(waiter);
      this.waiters.delete(waiter);
    }
    for (const newcomer of this.newcomers) {
      if (nowMs - newcomer.sinceMs < patienceMs) break;
      overdue.push(newcomer);
      this.newcomers.delete(newcomer);
    }
    return overdue;
  }

  /** How many more connections those who wait could use at once. */
  get demand(): number {
    const logins = this.newcomers.size > 0 && this.welcome === undefined ? 1 : 0;
    return Math.max(this.waiters.size, logins);
  }

  /** Since when the longest waiter waits; undefined where none does. */
  get waitingSinceMs(): number | undefined {
    const waiter = this.waiters.first?.sinceMs;
    const newcomer = first(this.newcomers)?.sinceMs;
    if (waiter === undefined || newcomer === undefined) return waiter ?? newcomer;
    return Math.min(waiter, newcomer);
  }

  get isUnused(): boolean {
    const { open, connecting, newcomers } = this;
    return open === 0 && connecting === 0 && this.#sessions === 0 && newcomers.size === 0;
  }
}

export function first<T>(set: ReadonlySet<T>): T | undefined {
  for (const one of set) return one;
  return undefined;
}
