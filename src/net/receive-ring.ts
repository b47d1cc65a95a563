import { assert } from '../base/assert.ts';
import { EMPTY } from '../base/bytes.ts';
import { IoUring, setLong, SQE, whereAllowed } from './io-uring.ts';

/** What one completion brings at most. */
export const PIECE_BYTES = 8192;
/** So many pieces wait to be read at most; what comes then stays in the sockets. A power of two. */
const PIECES = 256;
const ENTRIES = 256;
const COMPLETIONS = 1024;

/** What a call waits for at most. */
const WAIT_NANOSECONDS = 2_000_000;

// io_uring_setup(2), io_uring_enter(2), io_uring_register(2), <linux/io_uring.h>.
const IORING_SETUP_SINGLE_ISSUER = 0x1000;
/** Nothing happens but in our calls: the kernel does not interrupt us. */
const IORING_SETUP_DEFER_TASKRUN = 0x2000;
const IORING_ENTER_GETEVENTS = 1;
const IORING_ENTER_EXT_ARG = 8;
const IORING_REGISTER_PBUF_RING = 22;
const IORING_OP_POLL_ADD = 6;
const IORING_OP_ASYNC_CANCEL = 14;
const IORING_OP_RECV = 27;
const IOSQE_BUFFER_SELECT = 0x20;
const IORING_RECV_MULTISHOT = 2;
const IORING_CQE_F_BUFFER = 1;
const IORING_CQE_F_MORE = 2;
const IORING_CQE_BUFFER_SHIFT = 16;
const POLLIN = 1;
const ENOBUFS = -105;

/** A multishot receive into whichever piece is free, as the first word of an entry. */
const RECEIVE = IORING_OP_RECV | (IOSQE_BUFFER_SELECT << 8) | (IORING_RECV_MULTISHOT << 16);

// <linux/io_uring.h>: io_uring_buf, and where in the first of them the tail stands, as indices of words and of half words.
const BUFFER = { words: 4, address: 0, length: 2, id: 6 } as const;
const BUFFER_TAIL = 7;
/** io_uring_buf_reg, as indices of words. */
const REGISTRATION = { address: 0, entries: 2 } as const;
/** io_uring_getevents_arg and, behind it, what it points to: a time, in seconds and nanoseconds. */
const ARGUMENT = { bytes: 24, time: 4, nanoseconds: 8 } as const;
const TIME_AT = 6;

/** Whose a completion is that tells of the watched descriptor. */
export const WATCHED = -1;
/** That of a cancellation is this, less whose receive was to be ended. */
const A_CANCELLATION = -2;

/** What has happened: bytes have come, or a receive has ended; or the descriptor that is watched can be read. */
export interface Completion {
  /** Whose: what `receive` was told. `WATCHED` is the descriptor's that is watched. */
  id: number;
  /** Not ours to keep: a copy. */
  bytes: Uint8Array;
  /** Nothing comes by this `receive` any more. */
  isLast: boolean;
  /** It was to be cancelled, and could not be at that moment, if it has not ended before. */
  isMissed: boolean;
  /** Only the room for bytes was lacking: it may be asked for again. */
  isStarved: boolean;
  /** Negative: the error by which it has ended. */
  result: number;
}

/**
 * Receives from many sockets, and waits for all of them in one system call. A `receive` goes on until it is cancelled or the socket
 * has no more; as long as it does the kernel has hold of the socket.
 */
export class ReceiveRing {
  /** What `next` has found. */
  readonly found: Completion = {
    id: 0,
    bytes: EMPTY,
    isLast: false,
    isMissed: false,
    isStarved: false,
    result: 0,
  };
  readonly #ring = new IoUring({
    entries: ENTRIES,
    completions: COMPLETIONS,
    flags: IORING_SETUP_SINGLE_ISSUER | IORING_SETUP_DEFER_TASKRUN,
  });
  readonly #pieces: Uint8Array;
  readonly #piecesAt: number;
  /** The queue in which the kernel finds free pieces: words, and the same in halves. */
  readonly #free: Int32Array;
  readonly #freeHalves: Uint16Array;
  readonly #argument: number;
  #freeTail = 0;
  #entry = 0;

  /** Undefined where the system does not let us, or cannot do this: before Linux 6.1. */
  static open(): ReceiveRing | undefined {
    return whereAllowed(() => new ReceiveRing());
  }

  private constructor() {
    const pieces = this.#ring.memory(PIECES * PIECE_BYTES);
    this.#pieces = new Uint8Array(pieces.buffer);
    this.#piecesAt = pieces.address;
    const free = this.#ring.memory(PIECES * BUFFER.words * 4);
    this.#free = new Int32Array(free.buffer);
    this.#freeHalves = new Uint16Array(free.buffer);
    for (let piece = 0; piece < PIECES; piece += 1) this.#give(piece);
    // For what the kernel reads in calls: it lies where it is, too.
    const words = this.#ring.memory(4096);
    const registration = new Int32Array(words.buffer);
    setLong(registration, REGISTRATION.address, free.address);
    registration[REGISTRATION.entries] = PIECES;
    if (!this.#ring.register(IORING_REGISTER_PBUF_RING, words.address, 1))
      throw new Error('io_uring takes no buffers');
    registration.fill(0);
    setLong(registration, ARGUMENT.time, words.address + TIME_AT * 4);
    registration[ARGUMENT.nanoseconds] = WAIT_NANOSECONDS;
    this.#argument = words.address;
  }

  /** Has the socket read from the next call on. No two that go on have the same `id`, which is positive. */
  receive(id: number, fd: number): void {
    this.#push(RECEIVE, fd, id);
  }

  /** Ends a `receive` with the next call; its last completion tells when. */
  cancel(id: number): void {
    const entry = this.#push(IORING_OP_ASYNC_CANCEL, -1, A_CANCELLATION - id);
    this.#ring.entries[entry + SQE.address] = id;
  }

  /** Has it told once, when the descriptor can be read. */
  watch(fd: number): void {
    const entry = this.#push(IORING_OP_POLL_ADD, fd, WATCHED);
    this.#ring.entries[entry + SQE.flags] = POLLIN;
  }

  /** The one call: hands over what was asked for, and waits until something has happened, or for two milliseconds. */
  wait(): void {
    const flags = IORING_ENTER_GETEVENTS | IORING_ENTER_EXT_ARG;
    this.#ring.enter(1, flags, this.#argument, ARGUMENT.bytes);
  }

  /** Takes the next thing that has happened; false: there is nothing. */
  next(): boolean {
    const { found } = this;
    while (this.#ring.completed > 0) {
      const { userData, result, flags } = this.#ring;
      this.#ring.shift();
      const isCancellation = userData < A_CANCELLATION;
      if (isCancellation && result >= 0) continue;
      found.isMissed = isCancellation;
      found.id = isCancellation ? A_CANCELLATION - userData : userData;
      found.result = result;
      found.isLast = (flags & IORING_CQE_F_MORE) === 0;
      found.isStarved = result === ENOBUFS;
      found.bytes = (flags & IORING_CQE_F_BUFFER) === 0 ? EMPTY : this.#take(flags, result);
      return true;
    }
    return false;
  }

  /** Returns the place of the entry. */
  #push(operation: number, fd: number, userData: number): number {
    if (this.#ring.queued === this.#ring.size) {
      this.#ring.enter(0, 0);
      assert(this.#ring.queued < this.#ring.size, 'the system takes no requests');
    }
    const { entries, size } = this.#ring;
    const index = this.#entry;
    this.#entry = (index + 1) % size;
    const entry = index * SQE.words;
    entries.fill(0, entry, entry + SQE.words);
    entries[entry + SQE.opcode] = operation;
    entries[entry + SQE.fd] = fd;
    entries[entry + SQE.userData] = userData;
    this.#ring.push(index);
    return entry;
  }

  #take(flags: number, length: number): Uint8Array {
    const piece = flags >>> IORING_CQE_BUFFER_SHIFT;
    const start = piece * PIECE_BYTES;
    const bytes = this.#pieces.slice(start, start + Math.max(0, length));
    this.#give(piece);
    return bytes;
  }

  /** The kernel may put what comes into this piece. */
  #give(piece: number): void {
    const at = (this.#freeTail & (PIECES - 1)) * BUFFER.words;
    setLong(this.#free, at + BUFFER.address, this.#piecesAt + piece * PIECE_BYTES);
    this.#free[at + BUFFER.length] = PIECE_BYTES;
    this.#freeHalves[at * 2 + BUFFER.id] = piece;
    this.#freeTail = (this.#freeTail + 1) & 0xffff;
    Atomics.store(this.#freeHalves, BUFFER_TAIL, this.#freeTail);
  }
}
