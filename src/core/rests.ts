import type { Clock } from '../base/clock.ts';
import type { Borrower } from './server-connection.ts';

/** Where others wait, this is the time to ask for what a connection is kept for. */
const CROWDED_REST_MS = 100;

type Connections = Iterable<{ readonly borrower: Borrower | undefined }>;

/**
 * Sessions rest: their request is over, but they keep their connection for the moment, as they may ask it for what only it knows.
 * While somebody waits for a connection they make way much sooner than otherwise.
 */
export class Rests {
  readonly #clock: Clock;
  readonly #hungry: ReadonlySet<unknown>;
  readonly #connections: Connections;
  /** Somebody has rested before. */
  #doOccur = false;
  #isDue = false;

  /** `hungry`: where somebody waits, at the moment. */
  constructor(clock: Clock, hungry: ReadonlySet<unknown>, connections: Connections) {
    this.#clock = clock;
    this.#hungry = hungry;
    this.#connections = connections;
  }

  /** A session rests. */
  began(): void {
    this.#doOccur = true;
    this.waited();
  }

  /** Somebody may wait. */
  waited(): void {
    if (!this.#doOccur || this.#isDue || this.#hungry.size === 0) return;
    this.#isDue = true;
    this.#clock.after(CROWDED_REST_MS, () => {
      this.#isDue = false;
      if (this.#hungry.size === 0) return;
      for (const { borrower } of this.#connections) borrower?.makeWay(CROWDED_REST_MS);
      this.waited();
    });
  }
}
