import type { Counters } from '../core/observer.ts';

/** Fewer clients than these leave little behind. */
export const CROWD = 500;

/**
 * Lets the memory go that a crowd of clients has needed for a moment as it came. The runtime looks for garbage when it makes
 * something new: where nothing happens any more, as with a thousand clients that connect and wait, it would keep it for good.
 * To look for it takes some milliseconds, in which nobody is served: so it is done when nobody has come or said anything, or
 * been answered, for a while.
 */
export class Tidying {
  readonly #collect: () => void;
  /** How many clients had come when this was done last. */
  #tidied = 0;
  #came = 0;
  #bytes = 0;

  constructor(collect: () => void) {
    this.#collect = collect;
  }

  /** Called about once a second with the counters of all proxies. */
  tick(all: Iterable<Counters>): void {
    let came = 0;
    let bytes = 0;
    for (const counters of all) {
      came += counters.clientConnectionsReceived;
      bytes += counters.bytesFromClients + counters.bytesToClients;
    }
    const isQuiet = came === this.#came && bytes === this.#bytes;
    this.#came = came;
    this.#bytes = bytes;
    this.#tidied = Math.min(this.#tidied, came); // a proxy that is gone counts no more
    if (!isQuiet || came - this.#tidied < CROWD) return;
    this.#tidied = came;
    this.#collect();
  }
}
