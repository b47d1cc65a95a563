/** Bytes from a peer, waiting to be read by a test that says how many it wants and for how long it is willing to wait. */
export class ByteQueue {
  #chunks: Uint8Array[] = [];
  #length = 0;
  #end: { readonly problem: string | undefined } | undefined;
  #wake: (() => void) | undefined;
  readonly #deadlineMs: number;

  constructor(deadlineMs: number) {
    this.#deadlineMs = deadlineMs;
  }

  get length(): number {
    return this.#length;
  }

  get ended(): boolean {
    return this.#end !== undefined;
  }

  push(bytes: Uint8Array): void {
    this.#chunks.push(bytes.slice());
    this.#length += bytes.length;
    this.#wake?.();
  }

  end(problem?: string): void {
    this.#end ??= { problem };
    this.#wake?.();
  }

  /** Exactly `count` bytes; rejects where the peer closes first or takes too long. */
  async take(count: number): Promise<Buffer> {
    const all = await this.peek(count);
    this.#chunks = all.length > count ? [all.subarray(count)] : [];
    this.#length = all.length - count;
    return all.subarray(0, count);
  }

  /** At least `count` bytes, which stay. */
  async peek(count: number): Promise<Buffer> {
    await this.#until(() => this.#length >= count, `${count} bytes`);
    const [first, ...rest] = this.#chunks;
    const isOne = first !== undefined && rest.length === 0;
    const all = isOne
      ? Buffer.from(first.buffer, first.byteOffset, first.length)
      : Buffer.concat(this.#chunks);
    this.#chunks = [all];
    return all;
  }

  /** Everything up to the peer's end. */
  async rest(): Promise<Buffer> {
    await this.#until(() => this.ended, 'the end of the connection');
    return await this.take(this.#length);
  }

  async #until(condition: () => boolean, what: string): Promise<void> {
    if (condition()) return;
    if (this.#wake !== undefined) throw new Error('two readers on one connection');
    let timer: Timer | undefined;
    try {
      await new Promise<void>((resolve, reject) => {
        timer = setTimeout(() => {
          reject(
            new Error(`waited ${this.#deadlineMs} ms for ${what}; ${this.#length} bytes came`),
          );
        }, this.#deadlineMs);
        this.#wake = () => {
          if (condition()) resolve();
          else if (this.#end !== undefined) reject(new PeerGone(this.#end.problem, this.#length));
        };
        this.#wake();
      });
    } finally {
      clearTimeout(timer);
      this.#wake = undefined;
    }
  }
}

/** The peer closed its side before it had sent what the test waits for. */
export class PeerGone extends Error {
  override readonly name = 'PeerGone';

  constructor(problem: string | undefined, unread: number) {
    super(`the peer closed the connection (${problem ?? 'orderly'}), ${unread} bytes unread`);
  }
}
