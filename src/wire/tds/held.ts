/** From here on what has grown is given up when it has served. */
const KEPT_BYTES = 65_536;
const FIRST_BYTES = 256;

/** Bytes that are put together until there are enough. */
export class Held {
  #bytes = new Uint8Array(FIRST_BYTES);
  #length = 0;

  /** The bytes: `length` of them count. Another array after each `add`, perhaps. */
  get bytes(): Uint8Array {
    return this.#bytes;
  }

  get length(): number {
    return this.#length;
  }

  add(bytes: Uint8Array, start: number, end: number): void {
    const length = this.#length + end - start;
    if (length > this.#bytes.length) {
      const wider = new Uint8Array(Math.max(length, 2 * this.#bytes.length));
      wider.set(this.#bytes.subarray(0, this.#length));
      this.#bytes = wider;
    }
    this.#bytes.set(bytes.subarray(start, end), this.#length);
    this.#length = length;
  }

  clear(): void {
    this.#length = 0;
    if (this.#bytes.length > KEPT_BYTES) this.#bytes = new Uint8Array(FIRST_BYTES);
  }
}
