import { drainMicrotasks } from 'bun:jsc';
import { atTurnsEnd, systemClock } from '../base/clock.ts';
import { eventLoopOf } from './event-loop.ts';
import type { Completion } from './receive-ring.ts';
import { ReceiveRing, WATCHED } from './receive-ring.ts';
import type { ConnectionEnd, Receiver } from './reception.ts';
import { Reception } from './reception.ts';
import type { Sends } from './sends.ts';
import { sends } from './sends.ts';

/** What receives from many sockets at once: a `ReceiveRing`, or memory in tests. */
export interface Ring {
  readonly found: Completion;
  receive(id: number, fd: number): void;
  cancel(id: number): void;
  watch(fd: number): void;
  wait(): void;
  next(): boolean;
}

interface World {
  readonly open: () => Ring | undefined;
  /** Of the event loop that watches a socket. */
  readonly eventLoopOf: (socket: number) => number | undefined;
  readonly nowMs: () => number;
  /** Whose bytes go out at the end of each turn. */
  readonly sends: Sends;
}

/** So many reads within this time, 2 500 in a second: from then on the ring reads. */
const BUSY = { reads: 64, withinMs: 25 } as const;
/** Fewer than these, 1 000 in a second: from then on the runtime does again. */
const QUIET = { reads: 100, withinMs: 100 } as const;
/** Who has been given so many short pieces in a row is likely to go on so. */
const PATIENCE = 16;
/** After so many of these spans who has said nothing is let go. */
const SPANS_OF_SILENCE = 10;
/** For so long the runtime's own loop does not have its turn, if nothing calls for it. */
const TURN_MS = 1;

const ECONNRESET = -104;
const MOST_IDS = 0x7fff_ffff;

/**
 * Reads for the sockets of a process that has much to do: the ring is waited at instead of the runtime's event loop, which is watched
 * like a socket and has its turn when something is there for it, and each millisecond. So a turn is two system calls, one that sends
 * and one that waits and receives, for however many sockets.
 */
export class Receives {
  /** Whether there is so much to read that it pays. */
  isBusy = false;
  /** After how many short pieces a socket may be taken. */
  patience = PATIENCE;
  readonly #world: World;
  readonly #receptions = new Map<number, Reception>();
  /** Whose receive is to be asked for. */
  #due: Reception[] = [];
  #ring: Ring | undefined;
  #isOpened = false;
  #isAllowed = true;
  #insists = false;
  #eventLoop: number | undefined;
  #isWatched = false;
  #isTurning = false;
  #lastId = 0;
  #reads = 0;
  #sinceMs = 0;
  #spans = 0;
  readonly #leave = (reception: Reception): void => {
    if (reception.isUnderWay) this.#ring?.cancel(reception.id);
  };
  readonly #turn = (): void => this.#go();

  constructor(world: World) {
    this.#world = world;
  }

  /** Whether the system lets us. */
  get isAble(): boolean {
    if (!this.#isAllowed) return false;
    if (!this.#isOpened) {
      this.#isOpened = true;
      this.#ring = this.#world.open();
    }
    return this.#ring !== undefined;
  }

  /** Where it is not allowed, the runtime reads. */
  allow(isAllowed: boolean): void {
    this.#isAllowed = isAllowed;
    if (!isAllowed) this.#rest();
  }

  /** Reads for everybody at once and for good, however little there is to read: for tests. */
  insist(doesSo = true): void {
    this.patience = doesSo ? 1 : PATIENCE;
    this.#insists = doesSo;
    this.isBusy = doesSo && this.isAble;
    if (!doesSo) this.#rest();
  }

  /** The runtime has read from a socket. */
  count(): void {
    this.#reads += 1;
    if (this.#reads < BUSY.reads || this.isBusy) return;
    const nowMs = this.#world.nowMs();
    if (nowMs - this.#sinceMs < BUSY.withinMs && this.isAble) this.isBusy = true;
    this.#begin(nowMs);
  }

  /** Reads for a socket that the runtime watches, and has been told to leave alone. Undefined: that cannot be. */
  take(receiver: Receiver): Reception | undefined {
    if (!this.isAble) return undefined;
    this.#eventLoop ??= this.#world.eventLoopOf(receiver.fd);
    if (this.#eventLoop === undefined) {
      this.allow(false);
      return undefined;
    }
    do this.#lastId = (this.#lastId % MOST_IDS) + 1;
    while (this.#receptions.has(this.#lastId));
    const reception = new Reception(this.#lastId, receiver, this.#leave);
    this.#receptions.set(reception.id, reception);
    this.#due.push(reception);
    if (!this.#isTurning) {
      this.#isTurning = true;
      this.#begin(this.#world.nowMs());
      atTurnsEnd(this.#turn);
    }
    return reception;
  }

  /** Turns of ours, up to where the runtime's loop has to have its own. */
  #go(): void {
    const { sends, nowMs } = this.#world;
    const startMs = nowMs();
    let laterMs = startMs;
    sends.isTended = true;
    for (;;) {
      const isCalled = this.#step();
      laterMs = nowMs();
      if (isCalled || this.#receptions.size === 0 || laterMs - startMs > TURN_MS) break;
    }
    sends.flush();
    sends.isTended = false;
    if (laterMs - this.#sinceMs > QUIET.withinMs) this.#judge(laterMs);
    if (this.#receptions.size > 0) atTurnsEnd(this.#turn);
    else this.#isTurning = false;
  }

  /** One turn. Returns whether something is there for the runtime's loop. */
  #step(): boolean {
    const ring = this.#ring;
    const loop = this.#eventLoop;
    if (ring === undefined || loop === undefined) return true;
    this.#world.sends.flush();
    if (this.#due.length > 0) this.#ask(ring);
    if (!this.#isWatched) {
      this.#isWatched = true;
      ring.watch(loop);
    }
    ring.wait();
    let isCalled = false;
    while (ring.next()) {
      if (ring.found.id === WATCHED) {
        this.#isWatched = false;
        isCalled = true;
      } else this.#hear(ring.found);
    }
    drainMicrotasks();
    return isCalled;
  }

  #ask(ring: Ring): void {
    const due = this.#due;
    this.#due = [];
    for (const reception of due) {
      const { fd } = reception.receiver;
      // The system gives the number of a socket that is closed to the next one.
      if (fd < 0 || reception.isLeaving) this.#end(reception, undefined);
      else {
        reception.isUnderWay = true;
        ring.receive(reception.id, fd);
      }
    }
  }

  #hear({ id, bytes, isLast, isMissed, isStarved, result }: Completion): void {
    const reception = this.#receptions.get(id);
    if (reception === undefined) return;
    if (isMissed) {
      if (reception.isUnderWay) this.#ring?.cancel(id);
      return;
    }
    if (bytes.length > 0) {
      this.#reads += 1;
      reception.arrived(bytes);
    }
    if (!isLast) return;
    reception.isUnderWay = false;
    // It ends as well when there is no room, for the bytes or for telling.
    if ((isStarved || result > 0) && !reception.isLeaving) this.#due.push(reception);
    else this.#end(reception, endBy(result));
  }

  #end(reception: Reception, end: ConnectionEnd | undefined): void {
    this.#receptions.delete(reception.id);
    reception.over(end);
  }

  #begin(nowMs: number): void {
    this.#sinceMs = nowMs;
    this.#reads = 0;
  }

  #judge(nowMs: number): void {
    const share = (nowMs - this.#sinceMs) / QUIET.withinMs;
    if (this.#reads < QUIET.reads * share && !this.#insists) this.#rest();
    this.#spans += 1;
    if (this.#spans >= SPANS_OF_SILENCE) {
      this.#spans = 0;
      for (const reception of this.#receptions.values()) {
        if (!reception.isLively) reception.leave();
        reception.isLively = false;
      }
    }
    this.#begin(nowMs);
  }

  /** All sockets go back to the runtime. */
  #rest(): void {
    this.isBusy = false;
    for (const reception of this.#receptions.values()) reception.leave();
  }
}

/** What the last completion says of the connection: the runtime finds out about whatever else there may be. */
function endBy(result: number): ConnectionEnd | undefined {
  if (result === 0) return 'closed';
  return result === ECONNRESET ? 'reset' : undefined;
}

/** The process has one event loop, and so one of these. */
export const receives = new Receives({
  open: () => ReceiveRing.open(),
  eventLoopOf,
  nowMs: () => systemClock.nowMs(),
  sends,
});
