import { limits } from '../base/limits.ts';
import type { Engine, Principal } from './engine.ts';
import type { Entrance } from './entrance.ts';
import { first } from './lot.ts';
import type { Network } from './network.ts';
import type { Observer } from './observer.ts';
import type { ServerConnection } from './server-connection.ts';

interface CancellerParts<Memory, Who extends Principal> {
  readonly engine: Engine<Memory, Who>;
  readonly network: Network;
  readonly entrance: Entrance<Memory, Who>;
  readonly observer: Observer;
}

const CANCEL_TIMEOUT_MS = 5_000;

/**
 * Sends cancel requests, each on a connection of its own, a bounded number at a time (trap PG-44). While one is under way
 * its connection is not handed to another session (traps PG-40, PG-41).
 */
export class Canceller<Memory, Who extends Principal> {
  readonly #parts: CancellerParts<Memory, Who>;
  readonly #over: (connection: ServerConnection<Memory, Who>) => void;
  readonly #queue = new Set<ServerConnection<Memory, Who>>();
  #inFlight = 0;

  constructor(
    parts: CancellerParts<Memory, Who>,
    over: (connection: ServerConnection<Memory, Who>) => void,
  ) {
    this.#parts = parts;
    this.#over = over;
  }

  /** Does nothing where the engine knows of no cancel requests. */
  cancel(connection: ServerConnection<Memory, Who>): void {
    if (this.#parts.engine.cancel === undefined || this.#queue.has(connection)) return;
    if (this.#inFlight >= limits.cancelsInFlight.value) this.#queue.add(connection);
    else void this.#send(connection);
  }

  /** What was to be stopped is over: a request that has not been sent yet must not hit what comes next. */
  forget(connection: ServerConnection<Memory, Who>): void {
    this.#queue.delete(connection);
  }

  async #send(connection: ServerConnection<Memory, Who>): Promise<void> {
    const { engine, network, entrance, observer } = this.#parts;
    this.#inFlight += 1;
    connection.cancels += 1;
    try {
      const link = await network.dial(CANCEL_TIMEOUT_MS);
      try {
        const request = engine.cancel?.(connection.memory, { tlsMode: entrance.settings.tlsMode });
        if (request !== undefined)
          await network.talk(link, request, { timeoutMs: CANCEL_TIMEOUT_MS });
      } finally {
        link.destroy();
      }
    } catch (error) {
      // It may yet arrive, and then stop somebody else's statement: the connection must not be used again.
      connection.retiresAtMs = 0;
      observer.serverFailed(connection.lot.who.user, `a cancel request failed: ${String(error)}`);
    }
    this.#inFlight -= 1;
    connection.cancels -= 1;
    this.#over(connection);
    this.#next();
  }

  #next(): void {
    const connection = first(this.#queue);
    if (connection === undefined) return;
    this.#queue.delete(connection);
    void this.#send(connection);
  }
}
