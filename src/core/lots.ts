import type { Principal } from './engine.ts';
import type { Crowd } from './lot.ts';
import { Lot } from './lot.ts';
import type { ServerConnection } from './server-connection.ts';

/** A principal whose last connection has gone is forgotten after this long. */
const FORGET_MS = 300_000;
/** Those who wait longer than this for want of room get the next connection that another principal gives back. */
const STARVING_MS = 250;
/**
 * A connection that is younger than this stays with its principal as long as somebody waits there: where several wait for long
 * all the time, one would be made for each request otherwise.
 */
const SETTLING_MS = 250;

/** All lots of a pool, by the key of their principal, and which of them somebody waits in. */
export class Lots<Memory, Who extends Principal> {
  readonly #lots = new Map<string, Lot<Memory, Who>>();
  readonly #hungry = new Set<Lot<Memory, Who>>();
  readonly #crowd: Crowd = { sessions: 0 };

  of(who: Who, nowMs: number): Lot<Memory, Who> {
    let lot = this.#lots.get(who.poolKey);
    if (lot === undefined) {
      lot = new Lot(who, this.#crowd);
      this.#lots.set(who.poolKey, lot);
    }
    lot.usedAtMs = nowMs;
    return lot;
  }

  all(): Iterable<Lot<Memory, Who>> {
    return this.#lots.values();
  }

  /** How many sessions come to any of them for connections. */
  get sessions(): number {
    return this.#crowd.sessions;
  }

  /** The lots in which somebody waits. */
  get hungry(): ReadonlySet<Lot<Memory, Who>> {
    return this.#hungry;
  }

  /** To be told whenever somebody begins or ceases to wait; says whether anybody waits there still. */
  update(lot: Lot<Memory, Who>): boolean {
    const hungry = lot.waiters.size > 0 || lot.newcomers.size > 0;
    if (hungry === lot.isHungry) return hungry;
    lot.isHungry = hungry;
    if (hungry) this.#hungry.add(lot);
    else this.#hungry.delete(lot);
    return hungry;
  }

  /** Those in which somebody waits, the longest wait first. */
  byWaitingTime(): Lot<Memory, Who>[] {
    return [...this.#hungry].sort((a, b) => (a.waitingSinceMs ?? 0) - (b.waitingSinceMs ?? 0));
  }

  /**
   * Another lot that has a better claim to the place of a connection that is given back: of those who wait there, so many
   * get a place anyhow as connections are `closing`.
   */
  claimant(
    { lot, bornAtMs }: ServerConnection<Memory, Who>,
    nowMs: number,
    closing: number,
  ): Lot<Memory, Who> | undefined {
    if (this.#hungry.size === 1 && this.#hungry.has(lot)) return undefined;
    const here = lot.waitingSinceMs;
    if (here !== undefined && nowMs - bornAtMs < SETTLING_MS) return undefined;
    for (const other of this.byWaitingTime()) {
      if (other === lot || nowMs < other.retryAtMs) continue;
      if (other.demand <= other.connecting + closing) continue;
      const since = other.waitingSinceMs ?? nowMs;
      if (here === undefined || (since < here && nowMs - since > STARVING_MS)) return other;
    }
    return undefined;
  }

  /** Whether another lot has a connection to spare. */
  hasIdleBeside(lot: Lot<Memory, Who>): boolean {
    for (const other of this.#lots.values())
      if (other !== lot && other.idle.length > 0) return true;
    return false;
  }

  /** All idle connections, the longest idle first. */
  oldestIdle(): ServerConnection<Memory, Who>[] {
    const idle = [...this.#lots.values()].flatMap((lot) => lot.idle);
    return idle.sort((a, b) => a.idleSinceMs - b.idleSinceMs);
  }

  /** Drops what has been of no use for a while. */
  forgetUnused(nowMs: number): void {
    for (const [key, lot] of this.#lots) {
      if (lot.isUnused && nowMs - lot.usedAtMs > FORGET_MS) this.#lots.delete(key);
    }
  }
}
