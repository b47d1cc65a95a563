import { dlopen, ptr, toArrayBuffer } from 'bun:ffi';

// Linux, the same on every processor that Bun runs on: io_uring(7), <linux/io_uring.h>.
const SYS_IO_URING_SETUP = 425;
const SYS_IO_URING_ENTER = 426;
const SYS_IO_URING_REGISTER = 427;
const IORING_FEAT_SINGLE_MMAP = 1;
const IORING_OFF_SQES = 0x1000_0000;
const IORING_SETUP_CQSIZE = 8;
const PROT_READ_WRITE = 1 | 2;
const MAP_SHARED = 1;
const MAP_PRIVATE_ANONYMOUS = 2 | 0x20;
const MAP_FAILED = 2 ** 64 - 1;

const LIBC = 'libc.so.6';

// The fields of its structures, as indices of 32-bit words.
const PARAMS = {
  words: 30,
  sqEntries: 0,
  cqEntries: 1,
  flags: 2,
  features: 5,
  sqOffsets: 10,
  cqOffsets: 20,
} as const;
const SQ_OFFSETS = { tail: 1, array: 6 } as const;
const CQ_OFFSETS = { head: 0, tail: 1, entries: 5 } as const;
const CQE = { words: 4, userData: 0, result: 2, flags: 3 } as const;
const WORD_BYTES = 4;
const TWO_TO_32 = 2 ** 32;

/** A submission queue entry: what the kernel is asked to do. The first word has the flags in its second byte, the priority above. */
export const SQE = {
  words: 16,
  opcode: 0,
  fd: 1,
  address: 4,
  length: 6,
  flags: 7,
  userData: 8,
} as const;

/** Memory that stays where it is, whole pages of zeros: no garbage collector's, so that the kernel may be told of it. */
export interface Memory {
  readonly buffer: ArrayBuffer;
  readonly address: number;
}

/** What a ring is asked for: how many entries; how many completions it keeps, if not twice as many; `IORING_SETUP_…`. */
interface Wishes {
  readonly entries: number;
  readonly completions?: number;
  readonly flags?: number;
}

/** One ring of io_uring: two queues in memory that is shared with the kernel, and the call at which it looks at them. */
export class IoUring {
  /** So many entries there are, a power of two. */
  readonly size: number;
  /** The entries, `SQE.words` each. */
  readonly entries: Int32Array;
  readonly #fd: number;
  readonly #calls: Calls;
  readonly #words: Int32Array;
  readonly #at: Layout;
  #tail = 0;
  #head = 0;
  #queued = 0;

  /** Throws where the system has no io_uring, does not let us have it, or knows none such. */
  constructor({ entries, completions = 0, flags = 0 }: Wishes) {
    this.#calls = calls();
    // A buffer of its own stays where it is; the bytes of a small array may move.
    const params = new Int32Array(new ArrayBuffer(PARAMS.words * WORD_BYTES));
    params[PARAMS.cqEntries] = completions;
    params[PARAMS.flags] = completions > 0 ? flags | IORING_SETUP_CQSIZE : flags;
    const fd = this.#calls.setup(SYS_IO_URING_SETUP, entries, ptr(params));
    if (fd < 0) throw new Error('io_uring is not allowed');
    this.#fd = fd;
    this.#at = layoutOf(params);
    this.size = this.#at.sqEntries;
    const shared = (bytes: number, offset: number): Int32Array =>
      new Int32Array(map(this.#calls, bytes, MAP_SHARED, fd, offset).buffer);
    this.#words = shared(this.#at.bytes, 0);
    this.entries = shared(this.size * SQE.words * WORD_BYTES, IORING_OFF_SQES);
  }

  memory(bytes: number): Memory {
    return map(this.#calls, bytes, MAP_PRIVATE_ANONYMOUS, -1, 0);
  }

  /** So many entries wait to be handed over. */
  get queued(): number {
    return this.#queued;
  }

  /** Has an entry handed over with the next `enter`. */
  push(entry: number): void {
    const { sqMask, sqArray } = this.#at;
    this.#words[sqArray + (this.#tail & sqMask)] = entry;
    this.#tail = (this.#tail + 1) | 0;
    this.#queued += 1;
  }

  /** Hands over what is queued, and waits for so many completions if the flags say so. Returns how many it took; negative: it failed. */
  enter(awaited: number, flags: number, argument: number | null = null, bytes = 0): number {
    Atomics.store(this.#words, this.#at.sqTail, this.#tail);
    const { enter } = this.#calls;
    const taken = enter(
      SYS_IO_URING_ENTER,
      this.#fd,
      this.#queued,
      awaited,
      flags,
      argument,
      bytes,
    );
    if (taken > 0) this.#queued -= taken;
    return taken;
  }

  /** What was not handed over is forgotten: the kernel looks at the queue when it is called, and only then. */
  takeBack(): void {
    this.#tail = (this.#tail - this.#queued) | 0;
    this.#queued = 0;
    Atomics.store(this.#words, this.#at.sqTail, this.#tail);
  }

  /** How many completions there are to be read. */
  get completed(): number {
    return (Atomics.load(this.#words, this.#at.cqTail) - this.#head) | 0;
  }

  /** Of the first completion: whose it is, as its entry said. */
  get userData(): number {
    return this.#completion(CQE.userData);
  }

  get result(): number {
    return this.#completion(CQE.result);
  }

  get flags(): number {
    return this.#completion(CQE.flags);
  }

  /** The first completion has been read. */
  shift(): void {
    this.#head = (this.#head + 1) | 0;
    Atomics.store(this.#words, this.#at.cqHead, this.#head);
  }

  /** Returns whether the kernel has done it. */
  register(opcode: number, argument: number, count: number): boolean {
    return this.#calls.register(SYS_IO_URING_REGISTER, this.#fd, opcode, argument, count) >= 0;
  }

  #completion(field: number): number {
    const { cqEntries, cqMask } = this.#at;
    return this.#words[cqEntries + (this.#head & cqMask) * CQE.words + field] ?? 0;
  }
}

/** Writes a 64-bit number, such as an address, into two words. */
export function setLong(words: Int32Array, at: number, value: number): void {
  words[at] = value % TWO_TO_32;
  words[at + 1] = value / TWO_TO_32;
}

/** What `make` makes; undefined where the system has no io_uring, none that can do it, or does not let us have it, as in many containers. */
export function whereAllowed<Made>(make: () => Made): Made | undefined {
  if (process.platform !== 'linux') return undefined;
  try {
    return make();
  } catch {
    return undefined;
  }
}

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

function map({ mmap }: Calls, bytes: number, flags: number, fd: number, offset: number): Memory {
  const address = mmap(null, bytes, PROT_READ_WRITE, flags, fd, offset);
  if (address === null || Number(address) === MAP_FAILED) throw new Error('there is no memory');
  return { buffer: toArrayBuffer(address, 0, bytes), address: Number(address) };
}

type Calls = ReturnType<typeof calls>;

/** The C library's functions that are needed. `syscall` takes what the system call takes: it has several shapes here. */
function calls() {
  const { syscall: setup } = dlopen(LIBC, {
    syscall: { args: ['i64', 'u32', 'ptr'], returns: 'i32' },
  }).symbols;
  const { syscall: register } = dlopen(LIBC, {
    syscall: { args: ['i64', 'i32', 'u32', 'ptr', 'u32'], returns: 'i32' },
  }).symbols;
  const { syscall: enter, mmap } = dlopen(LIBC, {
    syscall: { args: ['i64', 'i32', 'u32', 'u32', 'u32', 'ptr', 'u64'], returns: 'i32' },
    mmap: { args: ['ptr', 'u64', 'i32', 'i32', 'i32', 'i64'], returns: 'ptr' },
  }).symbols;
  return { setup, register, enter, mmap };
}
