import type { Principal } from './engine.ts';
import { Lot } from './lot.ts';
import type { ServerConnection } from './server-connection.ts';

/** A principal whose last connection has gone is forgotten after this long. */
const FORGET_MS = 300_000;

/** All lots of a pool, by the key of their principal, and which of them somebody waits in. */
export class Lots<Memory, Who extends Principal> {
  readonly #lots = new Map<string, Lot<Memory, Who>>();
  readonly #hungry = new Set<Lot<Memory, Who>>();

  of(who: Who, nowMs: number): Lot<Memory, Who> {
    let lot = this.#lots.get(who.poolKey);
    if (lot === undefined) {
      lot = new Lot(who);
      this.#lots.set(who.poolKey, lot);
    }
    lot.usedAtMs = nowMs;
    return lot;
  }

  all(): Iterable<Lot<Memory, Who>> {
    return this.#lots.values();
  }

  /** The lots in which somebody waits. */
  get hungry(): ReadonlySet<Lot<Memory, Who>> {
    return this.#hungry;
  }

  /** To be told whenever somebody begins or ceases to wait; says whether anybody waits there still. */
  update(lot: Lot<Memory, Who>): boolean {
    const hungry = lot.waiters.size > 0 || lot.newcomers.size > 0;
    if (hungry) this.#hungry.add(lot);
    else this.#hungry.delete(lot);
    return hungry;
  }

  /** Those in which somebody waits, the longest wait first. */
  byWaitingTime(): Lot<Memory, Who>[] {
    return [...this.#hungry].sort((a, b) => (a.waitingSinceMs ?? 0) - (b.waitingSinceMs ?? 0));
  }

  /** All idle connections, the longest idle first. */
  oldestIdle(): ServerConnection<Memory, Who>[] {
    const idle = [...this.#lots.values()].flatMap((lot) => lot.idle);
    return idle.sort((a, b) => a.idleSinceMs - b.idleSinceMs);
  }

  get waiting(): number {
    let count = 0;
    for (const lot of this.#hungry) count += lot.waiters.size + lot.newcomers.size;
    return count;
  }

  longestWaitMs(nowMs: number): number {
    let longest = 0;
    for (const lot of this.#hungry) {
      longest = Math.max(longest, nowMs - (lot.waitingSinceMs ?? nowMs));
    }
    return longest;
  }

  /** Drops what has been of no use for a while. */
  forgetUnused(nowMs: number): void {
    for (const [key, lot] of this.#lots) {
      if (lot.isUnused && nowMs - lot.usedAtMs > FORGET_MS) this.#lots.delete(key);
    }
  }
}
