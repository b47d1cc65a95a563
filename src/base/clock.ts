/** Where time comes from: an argument everywhere, so that a test can hold it still. */
export interface Clock {
  /** Monotonic milliseconds, with fractions: for durations and deadlines. */
  nowMs(): number;
  /** Milliseconds since 1970: for log lines, tokens and certificates. */
  wallMs(): number;
  /** Calls `work` about every `periodMs` until the returned function is called. */
  every(periodMs: number, work: () => void): () => void;
  /** Calls `work` once after `delayMs` unless the returned function is called first. */
  after(delayMs: number, work: () => void): () => void;
}

export const systemClock: Clock = {
  nowMs: () => performance.now(),
  wallMs: () => Date.now(),
  every(periodMs, work) {
    const timer = setInterval(work, periodMs);
    return () => clearInterval(timer);
  },
  after(delayMs, work) {
    const timer = setTimeout(work, delayMs);
    return () => clearTimeout(timer);
  },
};

interface Deadline {
  readonly atMs: number;
  readonly work: () => void;
}

/** A clock whose deadlines hang on a tick that there is anyway. Most are called off in time: they have cost no timer. */
export class TickingClock implements Clock {
  readonly #clock: Clock;
  readonly #deadlines = new Set<Deadline>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  nowMs(): number {
    return this.#clock.nowMs();
  }

  wallMs(): number {
    return this.#clock.wallMs();
  }

  every(periodMs: number, work: () => void): () => void {
    return this.#clock.every(periodMs, work);
  }

  after(delayMs: number, work: () => void): () => void {
    const deadline = { atMs: this.#clock.nowMs() + delayMs, work };
    this.#deadlines.add(deadline);
    return () => {
      this.#deadlines.delete(deadline);
    };
  }

  /** Does what has fallen due. */
  tick(): void {
    const nowMs = this.#clock.nowMs();
    for (const deadline of this.#deadlines) {
      if (nowMs < deadline.atMs) continue;
      this.#deadlines.delete(deadline);
      deadline.work();
    }
  }
}

/** Calls `work` once when all that has arrived by now has been dealt with, before anything is waited for. */
export function atTurnsEnd(work: () => void): void {
  setImmediate(work);
}

/** Stops the whole process for a moment: only where it is about to end. */
export function standStill(ms: number): void {
  Bun.sleepSync(ms);
}

interface Appointment {
  atMs: number;
  readonly periodMs: number | undefined;
  readonly work: () => void;
}

/** A clock that a test moves by hand. */
export class ManualClock implements Clock {
  #nowMs = 0;
  readonly #startedAtMs: number;
  readonly #appointments = new Set<Appointment>();

  constructor(startedAtMs = Date.UTC(2026, 0, 1)) {
    this.#startedAtMs = startedAtMs;
  }

  nowMs(): number {
    return this.#nowMs;
  }

  wallMs(): number {
    return this.#startedAtMs + this.#nowMs;
  }

  every(periodMs: number, work: () => void): () => void {
    return this.#add({ atMs: this.#nowMs + periodMs, periodMs, work });
  }

  after(delayMs: number, work: () => void): () => void {
    return this.#add({ atMs: this.#nowMs + delayMs, periodMs: undefined, work });
  }

  /** Moves time forward and runs, in order, all that falls due. */
  advance(byMs: number): void {
    const untilMs = this.#nowMs + byMs;
    for (;;) {
      let next: Appointment | undefined;
      for (const one of this.#appointments) {
        if (one.atMs <= untilMs && (next === undefined || one.atMs < next.atMs)) next = one;
      }
      if (next === undefined) break;
      this.#nowMs = Math.max(this.#nowMs, next.atMs);
      if (next.periodMs === undefined) this.#appointments.delete(next);
      else next.atMs += next.periodMs;
      next.work();
    }
    this.#nowMs = untilMs;
  }

  #add(appointment: Appointment): () => void {
    this.#appointments.add(appointment);
    return () => {
      this.#appointments.delete(appointment);
    };
  }
}
