/**
 * Gathers what goes to the database for one chunk of the client's: runs of the chunk as they are, and what is put between
 * them. A chunk that nothing was put into is passed on itself, without a copy.
 */
export class Outbox {
  readonly #send: (bytes: Uint8Array) => void;
  #chunk: Uint8Array = new Uint8Array(0);
  /** Where the run at hand begins in the chunk. */
  #from = 0;
  #scratch: Uint8Array | undefined;
  #used = 0;

  constructor(send: (bytes: Uint8Array) => void) {
    this.#send = send;
  }

  open(chunk: Uint8Array): void {
    this.#chunk = chunk;
    this.#from = 0;
  }

  /** What comes up to `at` goes on as it is; from there on comes what is put. */
  upTo(at: number): void {
    if (at > this.#from) this.put(this.#chunk.subarray(this.#from, at));
    this.#from = at;
  }

  /** What has not gone on up to `at` never will. */
  resumeAt(at: number): void {
    this.#from = at;
  }

  /** Something of ours; or the beginning of a message of the client's that goes on otherwise than it came. */
  put(bytes: Uint8Array): void {
    const scratch = this.#room(bytes.length);
    if (scratch === undefined) this.#send(bytes);
    else {
      scratch.set(bytes, this.#used);
      this.#used += bytes.length;
    }
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

  /** Room for so many bytes; undefined where there can be none. */
  #room(bytes: number): Uint8Array | undefined {
    if (this.#used + bytes > SCRATCH_BYTES) this.#flush();
    if (bytes > SCRATCH_BYTES) return undefined;
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

const NOTHING = new Uint8Array(0);
const SCRATCH_BYTES = 65_536;
/** Shared by all: no session owns one while it is idle. */
let spare: Uint8Array | undefined;
