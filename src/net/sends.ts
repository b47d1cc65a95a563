import { atTurnsEnd } from '../base/clock.ts';
import { PLACE_BYTES, PLACES, SendRing } from './send-ring.ts';

/** What hands over the bytes of many places at once: a `SendRing`, or memory in tests. */
export interface Ring {
  readonly bytes: Uint8Array;
  queue(place: number, fd: number, length: number): void;
  submit(): void;
  taken(place: number): number;
}

/** Whose bytes wait for the end of the turn. */
export interface Sender {
  /** Of the socket; negative once it is closed. */
  readonly fd: number;
  /** Which place its bytes are in: `Sends` keeps it here. */
  place: number;
  /** Sends at once; what the system does not take is the sender's own to queue. */
  send(bytes: Uint8Array, from: number, length: number): void;
}

/** The place of who has no bytes here. */
export const NOWHERE = -1;

/** After so many turns in a row with one sender each, nobody else is likely to speak: most send at once then. */
const LONELY_TURNS = 8;
/** Of those, each so-manieth waits for others all the same, to see whether there are any by now. */
const PROBE = 16;

/**
 * What is said to many sockets in one turn of the event loop goes out at its end in one system call: half of what a small
 * message costs is the call by which it is sent, and whom that wakes in the middle of our work.
 */
export class Sends {
  /** Whoever has set this will `flush` at the turn's end. */
  isTended = false;
  readonly #open: () => Ring | undefined;
  #ring: Ring | undefined;
  #isOpened = false;
  #isAllowed = true;
  readonly #senders: (Sender | undefined)[] = Array.from({ length: PLACES }, () => undefined);
  readonly #lengths = new Int32Array(PLACES);
  #count = 0;
  #isDue = false;
  #lonelyTurns = 0;
  #sentAtOnce = 0;
  readonly #end = (): void => {
    this.#isDue = false;
    this.flush();
  };

  constructor(open: () => Ring | undefined) {
    this.#open = open;
  }

  /** Whether the system lets us send for many at once. */
  get isBatching(): boolean {
    return this.#theRing() !== undefined;
  }

  /** Where it is not allowed, everybody sends for themselves. */
  allow(isAllowed: boolean): void {
    this.flush();
    this.#isAllowed = isAllowed;
  }

  /** Takes the bytes, which may be reused at once. False: the sender sends them itself, now that what it had here is sent. */
  post(sender: Sender, bytes: Uint8Array): boolean {
    const ring = this.#theRing();
    if (ring === undefined) return false;
    const { place } = sender;
    const { length } = bytes;
    if (place !== NOWHERE) {
      const before = this.#lengths[place] ?? 0;
      if (before + length <= PLACE_BYTES) {
        ring.bytes.set(bytes, place * PLACE_BYTES + before);
        this.#lengths[place] = before + length;
        return true;
      }
      this.flush();
      return false;
    }
    if (length > PLACE_BYTES || this.#isLikelyAlone()) return false;
    if (this.#count === PLACES) this.flush();
    this.#take(sender, this.#count, length);
    ring.bytes.set(bytes, sender.place * PLACE_BYTES);
    return true;
  }

  /** Sends what has been taken so far. */
  flush(): void {
    const count = this.#count;
    const ring = this.#ring;
    if (count === 0 || ring === undefined) return;
    this.#count = 0;
    this.#lonelyTurns = count === 1 ? this.#lonelyTurns + 1 : 0;
    if (count === 1) {
      const sender = this.#leave(0);
      sender?.send(ring.bytes, 0, this.#lengths[0] ?? 0);
      return;
    }
    for (let place = 0; place < count; place += 1) {
      const fd = this.#senders[place]?.fd ?? -1;
      // The system gives the number of a socket that is closed to the next one.
      if (fd >= 0) ring.queue(place, fd, this.#lengths[place] ?? 0);
      else this.#leave(place);
    }
    ring.submit();
    this.#settle(ring, count);
  }

  /** Takes leave of all, and has those send the rest themselves for whom the system did not take everything. */
  #settle(ring: Ring, count: number): void {
    let rests: Rest[] | undefined;
    for (let place = 0; place < count; place += 1) {
      const sender = this.#leave(place);
      if (sender === undefined) continue;
      const length = this.#lengths[place] ?? 0;
      const taken = Math.max(0, ring.taken(place));
      if (taken === length) continue;
      const start = place * PLACE_BYTES;
      rests ??= [];
      rests.push({ sender, bytes: ring.bytes.slice(start + taken, start + length) });
    }
    // Not before: whoever sends may find the peer gone, and others have something to say then.
    if (rests === undefined) return;
    for (const { sender, bytes } of rests) sender.send(bytes, 0, bytes.length);
  }

  #isLikelyAlone(): boolean {
    if (this.isTended || this.#lonelyTurns < LONELY_TURNS || this.#count > 0) return false;
    this.#sentAtOnce = (this.#sentAtOnce + 1) % PROBE;
    return this.#sentAtOnce !== 0;
  }

  #take(sender: Sender, place: number, length: number): void {
    this.#count = place + 1;
    this.#senders[place] = sender;
    this.#lengths[place] = length;
    sender.place = place;
    if (this.#isDue || this.isTended) return;
    this.#isDue = true;
    atTurnsEnd(this.#end);
  }

  #leave(place: number): Sender | undefined {
    const sender = this.#senders[place];
    if (sender === undefined) return undefined;
    this.#senders[place] = undefined;
    sender.place = NOWHERE;
    return sender;
  }

  #theRing(): Ring | undefined {
    if (!this.#isAllowed) return undefined;
    if (!this.#isOpened) {
      this.#isOpened = true;
      this.#ring = this.#open();
    }
    return this.#ring;
  }
}

/** What the system did not take. */
interface Rest {
  readonly sender: Sender;
  readonly bytes: Uint8Array;
}

/** The process has one event loop, and so one of these. */
export const sends = new Sends(() => SendRing.open());
