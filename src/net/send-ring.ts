import { dlopen, ptr, toArrayBuffer } from 'bun:ffi';
import { assert } from '../base/assert.ts';

/** So many sends go out together. */
export const PLACES = 64;

/** What one send carries at most. */
export const PLACE_BYTES = 4096;

/** What a send came to that the system has not even looked at. */
const NOT_TRIED = -1;

// Linux, the same on every processor that Bun runs on: io_uring(7), <linux/io_uring.h>.
const SYS_IO_URING_SETUP = 425;
const SYS_IO_URING_ENTER = 426;
const IORING_FEAT_SINGLE_MMAP = 1;
const IORING_OFF_SQES = 0x1000_0000;
const IORING_ENTER_GETEVENTS = 1;
const IORING_OP_SEND = 26;
const MSG_DONTWAIT = 0x40;
const MSG_NOSIGNAL = 0x4000;
const PROT_READ_WRITE = 1 | 2;
const MAP_SHARED = 1;
const MAP_PRIVATE_ANONYMOUS = 2 | 0x20;
const MAP_FAILED = 2 ** 64 - 1;

/** A call that waits may be interrupted, but not for ever. */
const MOST_TRIES = 1000;

const LIBC = 'libc.so.6';

// The fields of its structures, as indices of 32-bit words.
const PARAMS = { words: 30, sqEntries: 0, cqEntries: 1, features: 5, sqOffsets: 10, cqOffsets: 20 };
const SQ_OFFSETS = { tail: 1, array: 6 } as const;
const CQ_OFFSETS = { head: 0, tail: 1, entries: 5 } as const;
const SQE = { words: 16, opcode: 0, fd: 1, address: 4, length: 6, flags: 7, userData: 8 } as const;
const CQE = { words: 4, userData: 0, result: 2 } as const;
const WORD_BYTES = 4;
const TWO_TO_32 = 2 ** 32;

/**
 * Sends what lies in its places, to a socket each, in one system call. No send waits, so none is under way any more when
 * `submit` returns: in between, the kernel holds neither memory nor a descriptor of ours.
 */
export class SendRing {
  /** The places, one behind the other. */
  readonly bytes: Uint8Array;
  readonly #enter: Enter;
  /** What is shared with the kernel: the rings, and the entries that the first of them names. */
  readonly #rings: Int32Array;
  readonly #entries: Int32Array;
  readonly #at: Layout;
  readonly #results = new Int32Array(PLACES);
  #tail = 0;
  #queued = 0;

  /** Undefined where the system has no io_uring or does not let us have it, as in many containers. */
  static open(): SendRing | undefined {
    if (process.platform !== 'linux') return undefined;
    try {
      return new SendRing();
    } catch {
      return undefined;
    }
  }

  private constructor() {
    const { setup, enter, mmap } = library();
    // A buffer of its own stays where it is; the bytes of a small array may move.
    const params = new Int32Array(new ArrayBuffer(PARAMS.words * WORD_BYTES));
    const fd = setup(SYS_IO_URING_SETUP, PLACES, ptr(params));
    if (fd < 0) throw new Error('it is not allowed');
    const memory = (bytes: number, flags: number, of: number, offset: number): ArrayBuffer => {
      const address = mmap(null, bytes, PROT_READ_WRITE, flags, of, offset);
      if (address === null || Number(address) === MAP_FAILED) throw new Error('it has no memory');
      return toArrayBuffer(address, 0, bytes);
    };
    this.#at = layoutOf(params);
    this.#rings = new Int32Array(memory(this.#at.bytes, MAP_SHARED, fd, 0));
    const entriesBytes = this.#at.sqEntries * SQE.words * WORD_BYTES;
    this.#entries = new Int32Array(memory(entriesBytes, MAP_SHARED, fd, IORING_OFF_SQES));
    this.bytes = new Uint8Array(memory(PLACES * PLACE_BYTES, MAP_PRIVATE_ANONYMOUS, -1, 0));
    const start = ptr(this.bytes);
    for (let place = 0; place < PLACES; place += 1) {
      const entry = place * SQE.words;
      const address = start + place * PLACE_BYTES;
      this.#entries[entry + SQE.opcode] = IORING_OP_SEND;
      this.#entries[entry + SQE.address] = address % TWO_TO_32;
      this.#entries[entry + SQE.address + 1] = address / TWO_TO_32;
      this.#entries[entry + SQE.flags] = MSG_DONTWAIT | MSG_NOSIGNAL;
      this.#entries[entry + SQE.userData] = place;
    }
    this.#enter = (submitted, awaited, flags) =>
      enter(SYS_IO_URING_ENTER, fd, submitted, awaited, flags, null, 0);
  }

  /** Has the first `length` bytes of a place sent to the socket `fd` with the next `submit`. */
  queue(place: number, fd: number, length: number): void {
    const entry = place * SQE.words;
    this.#entries[entry + SQE.fd] = fd;
    this.#entries[entry + SQE.length] = length;
    const { sqMask, sqArray } = this.#at;
    this.#rings[sqArray + (this.#tail & sqMask)] = place;
    this.#tail = (this.#tail + 1) | 0;
    this.#results[place] = NOT_TRIED;
    this.#queued += 1;
  }

  /** Sends what is queued. */
  submit(): void {
    Atomics.store(this.#rings, this.#at.sqTail, this.#tail);
    let owed = 0;
    while (this.#queued > 0) {
      const submitted = this.#enter(this.#queued, 0, 0);
      if (submitted <= 0) this.#takeBack();
      else {
        this.#queued -= submitted;
        owed += submitted;
      }
    }
    owed -= this.#collect();
    for (let tries = 0; owed > 0; tries += 1) {
      assert(tries < MOST_TRIES, 'the system keeps what it was given to send');
      this.#enter(0, owed, IORING_ENTER_GETEVENTS);
      owed -= this.#collect();
    }
  }

  /** How many bytes of a place the system has taken with the last `submit`; negative where it has refused. */
  taken(place: number): number {
    return this.#results[place] ?? NOT_TRIED;
  }

  /** The system looks at the ring when it is called, and only then. */
  #takeBack(): void {
    this.#tail = (this.#tail - this.#queued) | 0;
    this.#queued = 0;
    Atomics.store(this.#rings, this.#at.sqTail, this.#tail);
  }

  /** Returns how many sends have come to their end. */
  #collect(): number {
    const { cqHead, cqTail, cqMask, cqEntries } = this.#at;
    const head = this.#rings[cqHead] ?? 0;
    const count = (Atomics.load(this.#rings, cqTail) - head) | 0;
    for (let nth = 0; nth < count; nth += 1) {
      const entry = cqEntries + ((head + nth) & cqMask) * CQE.words;
      const place = this.#rings[entry + CQE.userData] ?? 0;
      this.#results[place] = this.#rings[entry + CQE.result] ?? NOT_TRIED;
    }
    Atomics.store(this.#rings, cqHead, (head + count) | 0);
    return count;
  }
}

type Enter = (submitted: number, awaited: number, flags: number) => number;

/** Where in the rings what stands, as indices of words; and how large they are. */
interface Layout {
  readonly bytes: number;
  readonly sqEntries: number;
  readonly sqTail: number;
  readonly sqMask: number;
  readonly sqArray: number;
  readonly cqHead: number;
  readonly cqTail: number;
  readonly cqMask: number;
  readonly cqEntries: number;
}

function layoutOf(params: Int32Array): Layout {
  const word = (at: number): number => params[at] ?? 0;
  if ((word(PARAMS.features) & IORING_FEAT_SINGLE_MMAP) === 0) throw new Error('it is too old');
  const sq = (field: number): number => word(PARAMS.sqOffsets + field);
  const cq = (field: number): number => word(PARAMS.cqOffsets + field);
  const sqEntries = word(PARAMS.sqEntries);
  const cqEntries = word(PARAMS.cqEntries);
  return {
    bytes: Math.max(
      sq(SQ_OFFSETS.array) + sqEntries * WORD_BYTES,
      cq(CQ_OFFSETS.entries) + cqEntries * CQE.words * WORD_BYTES,
    ),
    sqEntries,
    sqTail: sq(SQ_OFFSETS.tail) / WORD_BYTES,
    sqMask: sqEntries - 1,
    sqArray: sq(SQ_OFFSETS.array) / WORD_BYTES,
    cqHead: cq(CQ_OFFSETS.head) / WORD_BYTES,
    cqTail: cq(CQ_OFFSETS.tail) / WORD_BYTES,
    cqMask: cqEntries - 1,
    cqEntries: cq(CQ_OFFSETS.entries) / WORD_BYTES,
  };
}

/** The C library's functions that are needed. `syscall` takes what the system call takes: it has two shapes here. */
function library() {
  const { syscall: setup } = dlopen(LIBC, {
    syscall: { args: ['i64', 'u32', 'ptr'], returns: 'i32' },
  }).symbols;
  const { syscall: enter, mmap } = dlopen(LIBC, {
    syscall: { args: ['i64', 'i32', 'u32', 'u32', 'u32', 'ptr', 'u64'], returns: 'i32' },
    mmap: { args: ['ptr', 'u64', 'i32', 'i32', 'i32', 'i64'], returns: 'ptr' },
  }).symbols;
  return { setup, enter, mmap };
}
