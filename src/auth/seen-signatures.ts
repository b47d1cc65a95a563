import { limits } from '../base/limits.ts';

/**
 * How much later than the first one another request with the same signature is still taken for one of the same second. It has to be
 * as long as a client may keep a request that it has signed: behind others, in a handshake, before it tries again.
 */
const GRACE_MS = 15_000;

/** No signature is good for longer: it may be dated five minutes ahead, and is good for five minutes. */
const REMEMBERED_MS = 10 * 60_000;

/**
 * Tells a replay from what honest clients do. A signature holds a date to the second, so a client that asks the same thing twice
 * within a second, or tries again, sends the same signature; nobody else may be refused for it. Hence:
 *
 * - a signature that holds what is unique to the attempt (SDKs number them: `once`) is good for one time;
 * - any other one is good as often as it comes within `GRACE_MS` of its first arrival, by our clock, which does not depend on
 *   whether the client's is right. AWS itself takes both for as long as the signature is good.
 *
 * Only signatures that have been found right are remembered, so that nobody without a key can push others out. When the limit is
 * reached, or the process ends, what is forgotten is good again for as long as it would be with AWS.
 */
export class SeenSignatures {
  /** When each came first, oldest first. */
  readonly #firstMs = new Map<string, number>();

  /** Whether this one has been used up. Remembers it otherwise. */
  isReplay(signature: string, { once, nowMs }: { once: boolean; nowMs: number }): boolean {
    const firstMs = this.#firstMs.get(signature);
    if (firstMs !== undefined) return once || nowMs - firstMs > GRACE_MS;
    this.#forget(nowMs);
    this.#firstMs.set(signature, nowMs);
    return false;
  }

  #forget(nowMs: number): void {
    for (const [signature, firstMs] of this.#firstMs) {
      const isFull = this.#firstMs.size >= limits.seenSignatures.value;
      if (!isFull && nowMs - firstMs <= REMEMBERED_MS) return;
      this.#firstMs.delete(signature);
    }
  }
}
