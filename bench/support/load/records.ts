import type { Finish } from '../finishes.ts';

/** Of each transaction: whose it was, how long it took, and when it ended. */
const FIELDS = 3;

/** Notes down transactions without an object for each. */
export class Records {
  #values = new Float64Array(FIELDS * 65_536);
  #length = 0;

  add(client: number, latencyMicros: number, atMicros: number): void {
    if (this.#length === this.#values.length) {
      const values = new Float64Array(2 * this.#values.length);
      values.set(this.#values);
      this.#values = values;
    }
    this.#values[this.#length] = client;
    this.#values[this.#length + 1] = latencyMicros;
    this.#values[this.#length + 2] = atMicros;
    this.#length += FIELDS;
  }

  /** For `readRecords`. */
  bytes(): Uint8Array {
    return new Uint8Array(this.#values.buffer, 0, this.#length * Float64Array.BYTES_PER_ELEMENT);
  }
}

/** In the order in which they ended. */
export function readRecords(bytes: Uint8Array): readonly Finish[] {
  const values = new Float64Array(new Uint8Array(bytes).buffer);
  return Array.from({ length: values.length / FIELDS }, (_, row) => {
    const [client = Number.NaN, latencyMicros = Number.NaN, atMicros = Number.NaN] =
      values.subarray(row * FIELDS);
    return { client, latencyMicros, atMicros };
  });
}
