import type { Transaction } from '../data/transaction.ts';

/** What a piece of work waits for; `begin` calls back once, and what it returns takes that back. */
export interface Wait {
  readonly why: 'delay' | 'lock' | 'room' | 'held' | 'turn';
  begin(resume: () => void): () => void;
}

/** Work that may have to wait. It is never gone on with while it waits, but it may be ended by an error thrown in. */
export type Work<T> = Generator<Wait, T, void>;

export function delay(ms: number): Wait {
  return {
    why: 'delay',
    begin(resume) {
      const timer = setTimeout(resume, ms);
      return () => clearTimeout(timer);
    },
  };
}

/** Up to `limitMs`, if that is not negative. */
export function ended(transaction: Transaction, limitMs: number): Wait {
  return {
    why: 'lock',
    begin(resume) {
      const timer = limitMs < 0 ? undefined : setTimeout(resume, limitMs);
      const stop = transaction.afterEnd(resume);
      return () => {
        clearTimeout(timer);
        stop();
      };
    },
  };
}

export function promised(promise: Promise<unknown>, why: Wait['why']): Wait {
  return {
    why,
    begin(resume) {
      let isOver = false;
      void promise.then(() => {
        if (!isOver) resume();
      });
      return () => {
        isOver = true;
      };
    },
  };
}

/** A client has asked for the work to end. Nothing in SQL catches it. */
export class Attention extends Error {}

/** The connection is gone. */
export class Gone extends Error {}

/** Something that goes on with a piece of work until its end, however often it waits. */
export class Runner {
  #work: Work<void> | undefined;
  #stop: (() => void) | undefined;
  #pending: Error | undefined;
  readonly #ended: (error: unknown) => void;

  /** `ended` hears of the end: undefined, or what was thrown. */
  constructor(ended: (error: unknown) => void) {
    this.#ended = ended;
  }

  get isBusy(): boolean {
    return this.#work !== undefined;
  }

  start(work: Work<void>): void {
    this.#work = work;
    this.#step(() => work.next());
  }

  /** Ends the work by an error: at once where it waits, else as soon as it does. */
  interrupt(error: Error): void {
    const work = this.#work;
    if (work === undefined) return;
    if (this.#stop === undefined) {
      this.#pending = error;
      return;
    }
    this.#stop();
    this.#stop = undefined;
    this.#step(() => work.throw(error));
  }

  #step(go: () => IteratorResult<Wait, void>): void {
    const work = this.#work;
    let advance = go;
    for (;;) {
      let result: IteratorResult<Wait, void>;
      try {
        result = advance();
      } catch (error) {
        this.#work = undefined;
        this.#ended(error);
        return;
      }
      if (result.done === true) {
        this.#work = undefined;
        this.#ended(undefined);
        return;
      }
      const pending = this.#pending;
      if (pending !== undefined && work !== undefined) {
        this.#pending = undefined;
        advance = () => work.throw(pending);
        continue;
      }
      const waiting = this.#wait(
        result.value,
        () => work?.next() ?? { done: true, value: undefined },
      );
      if (waiting) return;
      advance = () => work?.next() ?? { done: true, value: undefined };
    }
  }

  /** False where it need not wait: what it waits for is there already. */
  #wait(wait: Wait, go: () => IteratorResult<Wait, void>): boolean {
    let isHere = true;
    let wasResumed = false;
    let stop = (): void => {};
    const resume = (): void => {
      // Two things may end a wait, a time limit and what is waited for.
      if (wasResumed) return;
      wasResumed = true;
      if (isHere) return;
      stop();
      this.#stop = undefined;
      this.#step(go);
    };
    stop = wait.begin(resume);
    isHere = false;
    if (wasResumed) {
      stop();
      return false;
    }
    this.#stop = () => {
      wasResumed = true;
      stop();
    };
    return true;
  }
}
