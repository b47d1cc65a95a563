import { assert } from '../base/assert.ts';
import { IoUring, setLong, SQE, whereAllowed } from './io-uring.ts';

/** So many sends go out together. */
export const PLACES = 64;

/** What one send carries at most. */
export const PLACE_BYTES = 4096;

/** What a send came to that the system has not even looked at. */
const NOT_TRIED = -1;

// io_uring_enter(2), <linux/io_uring.h>, <sys/socket.h>.
const IORING_ENTER_GETEVENTS = 1;
const IORING_OP_SEND = 26;
const MSG_DONTWAIT = 0x40;
const MSG_NOSIGNAL = 0x4000;

/** A call that waits may be interrupted, but not for ever. */
const MOST_TRIES = 1000;

/**
 * Sends what lies in its places, to a socket each, in one system call. No send waits, so none is under way any more when
 * `submit` returns: in between, the kernel holds neither memory nor a descriptor of ours.
 */
export class SendRing {
  /** The places, one behind the other. */
  readonly bytes: Uint8Array;
  readonly #ring = new IoUring({ entries: PLACES });
  readonly #results = new Int32Array(PLACES);

  /** Undefined where the system does not let us. */
  static open(): SendRing | undefined {
    return whereAllowed(() => new SendRing());
  }

  private constructor() {
    const { buffer, address } = this.#ring.memory(PLACES * PLACE_BYTES);
    this.bytes = new Uint8Array(buffer);
    const { entries } = this.#ring;
    for (let place = 0; place < PLACES; place += 1) {
      const entry = place * SQE.words;
      entries[entry + SQE.opcode] = IORING_OP_SEND;
      setLong(entries, entry + SQE.address, address + place * PLACE_BYTES);
      entries[entry + SQE.flags] = MSG_DONTWAIT | MSG_NOSIGNAL;
      entries[entry + SQE.userData] = place;
    }
  }

  /** Has the first `length` bytes of a place sent to the socket `fd` with the next `submit`. */
  queue(place: number, fd: number, length: number): void {
    const { entries } = this.#ring;
    const entry = place * SQE.words;
    entries[entry + SQE.fd] = fd;
    entries[entry + SQE.length] = length;
    this.#ring.push(place);
    this.#results[place] = NOT_TRIED;
  }

  /** Sends what is queued. */
  submit(): void {
    let owed = 0;
    while (this.#ring.queued > 0) {
      const submitted = this.#ring.enter(0, 0);
      if (submitted <= 0) this.#ring.takeBack();
      else owed += submitted;
    }
    owed -= this.#collect();
    for (let tries = 0; owed > 0; tries += 1) {
      assert(tries < MOST_TRIES, 'the system keeps what it was given to send');
      this.#ring.enter(owed, IORING_ENTER_GETEVENTS);
      owed -= this.#collect();
    }
  }

  /** How many bytes of a place the system has taken with the last `submit`; negative where it has refused. */
  taken(place: number): number {
    return this.#results[place] ?? NOT_TRIED;
  }

  /** Returns how many sends have come to their end. */
  #collect(): number {
    const count = this.#ring.completed;
    for (let nth = 0; nth < count; nth += 1) {
      this.#results[this.#ring.userData] = this.#ring.result;
      this.#ring.shift();
    }
    return count;
  }
}
