import { assert } from '../base/assert.ts';
import { sayProblem } from './wording.ts';

/** By whom a connection ends. */
export type ConnectionEnd = 'closed' | 'reset';

/** A socket that can be read for. */
export interface Receiver {
  /** Negative once it is closed. */
  readonly fd: number;
  /** Hears bytes, which are its own from here on. */
  arrived(bytes: Uint8Array): void;
  /** Nobody reads any more; where the connection has come to no end, the receiver must read for itself again. */
  released(end: ConnectionEnd | undefined): void;
  socketFailed(problem: string): void;
}

/** How `Receives` gives up a reception. */
type Leave = (reception: Reception) => void;

/**
 * A socket's time with the ring: from when it was taken over from the runtime up to when it goes back, which is not before the
 * kernel has let go of it and its receiver has had all that came.
 */
export class Reception {
  readonly id: number;
  readonly receiver: Receiver;
  /** Something has come since it was last asked. */
  isLively = true;
  /** The kernel has been told to receive. */
  isUnderWay = false;
  readonly #leave: Leave;
  #isLeaving = false;
  /** The kernel has let go. */
  #isOver = false;
  /** How the connection has ended. */
  #end: ConnectionEnd | undefined;
  #isPaused = false;
  #isReleased = false;
  /** What came when nothing was to be heard. */
  readonly #held: Uint8Array[] = [];

  constructor(id: number, receiver: Receiver, leave: Leave) {
    this.id = id;
    this.receiver = receiver;
    this.#leave = leave;
  }

  get isLeaving(): boolean {
    return this.#isLeaving;
  }

  /** The receiver hears nothing until `resume`. */
  pause(): void {
    this.#isPaused = true;
    this.leave();
  }

  resume(): void {
    this.#isPaused = false;
    // Not now: who resumes is in the middle of something.
    queueMicrotask(() => this.#settle());
  }

  /** The receiver goes back to reading for itself as soon as that can be. */
  leave(): void {
    if (this.#isLeaving) return;
    this.#isLeaving = true;
    this.#leave(this);
  }

  // What follows is called by `Receives` and by nobody else.

  arrived(bytes: Uint8Array): void {
    this.isLively = true;
    if (this.#isPaused || this.#held.length > 0) this.#held.push(bytes);
    else this.#hand(bytes);
  }

  over(end: ConnectionEnd | undefined): void {
    assert(!this.#isOver, 'a reception ends once');
    this.#isLeaving = true;
    this.#isOver = true;
    this.#end = end;
    this.#settle();
  }

  /** Hands over what may be handed over by now, and then the socket. */
  #settle(): void {
    while (!this.#isPaused) {
      const bytes = this.#held.shift();
      if (bytes === undefined) break;
      this.#hand(bytes);
    }
    if (!this.#isOver || this.#isPaused || this.#isReleased) return;
    this.#isReleased = true;
    this.receiver.released(this.#end);
  }

  #hand(bytes: Uint8Array): void {
    try {
      this.receiver.arrived(bytes);
    } catch (problem) {
      this.receiver.socketFailed(sayProblem(problem));
    }
  }
}
