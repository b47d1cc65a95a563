import { u8 } from '../../base/bytes.ts';
import { HEADER_BYTES } from '../../wire/postgres/framing.ts';

const NOTHING = new Uint8Array(0);

/**
 * Gathers what goes to the database for one chunk of the client's: runs of the chunk as they are, and what is put between
 * them. A chunk that nothing was put into is passed on itself, without a copy.
 */
export class Outbox {
  readonly #send: (bytes: Uint8Array) => void;
  #chunk: Uint8Array = NOTHING;
  /** Where the run at hand begins in the chunk. */
  #from = 0;
  #scratch: Uint8Array | undefined;
  #used = 0;

  constructor(send: (bytes: Uint8Array) => void) {
    this.#send = send;
  }

  /** Nothing has been gathered. */
  get isEmpty(): boolean {
    return this.#chunk === NOTHING && this.#used === 0 && this.#scratch === undefined;
  }

  open(chunk: Uint8Array): void {
    this.#chunk = chunk;
    this.#from = 0;
  }

  /** What comes up to `at` goes on as it is; from there on comes what is put. */
  upTo(at: number): void {
    if (at > this.#from) this.#copy(this.#chunk, this.#from, at);
    this.#from = at;
  }

  /** What has not gone on up to `at` never will. */
  resumeAt(at: number): void {
    this.#from = at;
  }

  /** Something of ours; or the beginning of a message of the client's that goes on otherwise than it came. */
  put(bytes: Uint8Array): void {
    this.#copy(bytes, 0, bytes.length);
  }

  /** The first five bytes of a message: its type, and its length, which counts itself. */
  putHeader(type: number, length: number): void {
    const scratch = this.#room(HEADER_BYTES);
    const at = this.#used;
    scratch[at] = type;
    scratch[at + 1] = length >>> 24;
    scratch[at + 2] = length >>> 16;
    scratch[at + 3] = length >>> 8;
    scratch[at + 4] = length;
    this.#used += HEADER_BYTES;
  }

  /** Sends what has been gathered, and of the chunk all up to `to`. */
  close(to: number): void {
    if (this.#used === 0) {
      if (to > this.#from) {
        const isWhole = this.#from === 0 && to === this.#chunk.length;
        this.#send(isWhole ? this.#chunk : this.#chunk.subarray(this.#from, to));
      }
    } else {
      this.upTo(to);
      this.#flush();
    }
    this.#from = to;
    this.#chunk = NOTHING;
    if (this.#scratch !== undefined) spare = this.#scratch;
    this.#scratch = undefined;
  }

  #copy(bytes: Uint8Array, from: number, to: number): void {
    const count = to - from;
    if (count > SCRATCH_BYTES) {
      this.#flush();
      this.#send(from === 0 && to === bytes.length ? bytes : bytes.subarray(from, to));
      return;
    }
    const scratch = this.#room(count);
    if (count > COPIED_BYTES) scratch.set(bytes.subarray(from, to), this.#used);
    else for (let i = 0; i < count; i += 1) scratch[this.#used + i] = u8(bytes, from + i);
    this.#used += count;
  }

  /** Room for so many bytes, which must not be more than there is in an empty scratch. */
  #room(bytes: number): Uint8Array {
    if (this.#used + bytes > SCRATCH_BYTES) this.#flush();
    if (this.#scratch === undefined) {
      this.#scratch = spare ?? new Uint8Array(SCRATCH_BYTES);
      spare = undefined; // one outbox may be opened while another one is
    }
    return this.#scratch;
  }

  #flush(): void {
    if (this.#used > 0 && this.#scratch !== undefined)
      this.#send(this.#scratch.subarray(0, this.#used));
    this.#used = 0;
  }
}

const SCRATCH_BYTES = 65_536;
/** Up to here bytes are copied one by one: a view of a chunk that nobody has looked at by one costs more. */
const COPIED_BYTES = 192;
/** Shared by all: no session owns one while it is idle. */
let spare: Uint8Array | undefined;
