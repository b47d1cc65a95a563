import type { Clock } from '../base/clock.ts';
import type { LogLevel } from '../base/log.ts';

/** So many lines of one kind are written in each window; the rest is counted. */
export const LINES_PER_WINDOW = 20;
export const WINDOW_MS = 10_000;

/** Lines of the same event and reason are of one kind: never anything that a peer can choose. */
export interface Kind {
  readonly level: LogLevel;
  readonly event: string;
  readonly reason: string | undefined;
}

export interface LeftOut extends Kind {
  readonly lines: number;
  readonly seconds: number;
}

/** Keeps a storm of one kind of event from drowning all others in the log, and tells how many lines it held back. */
export class Throttle {
  readonly #clock: Clock;
  readonly #tell: (leftOut: LeftOut) => void;
  readonly #seen = new Map<string, { readonly kind: Kind; lines: number }>();
  #cancelEnd: (() => void) | undefined;

  constructor(clock: Clock, tell: (leftOut: LeftOut) => void) {
    this.#clock = clock;
    this.#tell = tell;
  }

  /** May one more line of this kind be written? */
  allows(kind: Kind): boolean {
    this.#cancelEnd ??= this.#clock.after(WINDOW_MS, () => this.settle());
    const key = `${kind.level} ${kind.event} ${kind.reason}`;
    const seen = this.#seen.get(key) ?? { kind, lines: 0 };
    this.#seen.set(key, seen);
    seen.lines += 1;
    return seen.lines <= LINES_PER_WINDOW;
  }

  /** Ends the window: tells what was left out in it. */
  settle(): void {
    this.#cancelEnd?.();
    this.#cancelEnd = undefined;
    for (const { kind, lines } of this.#seen.values()) {
      if (lines <= LINES_PER_WINDOW) continue;
      this.#tell({ ...kind, lines: lines - LINES_PER_WINDOW, seconds: WINDOW_MS / 1000 });
    }
    this.#seen.clear();
  }
}
