/** Bytes that grow: what is written little-endian, as TDS has it. */
export class Sink {
  #bytes = Buffer.allocUnsafe(1024);
  #at = 0;

  get length(): number {
    return this.#at;
  }

  /** A view, up to the next write. */
  get written(): Buffer {
    return this.#bytes.subarray(0, this.#at);
  }

  clear(): void {
    this.#at = 0;
    if (this.#bytes.length > 1_000_000) this.#bytes = Buffer.allocUnsafe(1024);
  }

  /** Forgets the first `count` bytes. */
  drop(count: number): void {
    this.#bytes.copyWithin(0, count, this.#at);
    this.#at -= count;
  }

  /** Takes the last `count` bytes back. */
  retreat(count: number): this {
    this.#at -= count;
    return this;
  }

  u8(value: number): this {
    const at = this.#take(1);
    this.#bytes[at] = value;
    return this;
  }

  u16(value: number): this {
    const at = this.#take(2);
    this.#bytes.writeUInt16LE(value & 0xff_ff, at);
    return this;
  }

  u16be(value: number): this {
    const at = this.#take(2);
    this.#bytes.writeUInt16BE(value, at);
    return this;
  }

  i32(value: number): this {
    const at = this.#take(4);
    this.#bytes.writeInt32LE(value | 0, at);
    return this;
  }

  i64(value: bigint): this {
    const at = this.#take(8);
    this.#bytes.writeBigInt64LE(BigInt.asIntN(64, value), at);
    return this;
  }

  /** The lowest `size` bytes of a number up to 2^53. */
  uint(value: number, size: number): this {
    let rest = value;
    for (let n = 0; n < size; n += 1) {
      this.u8(rest & 0xff);
      rest = Math.floor(rest / 256);
    }
    return this;
  }

  f32(value: number): this {
    const at = this.#take(4);
    this.#bytes.writeFloatLE(value, at);
    return this;
  }

  f64(value: number): this {
    const at = this.#take(8);
    this.#bytes.writeDoubleLE(value, at);
    return this;
  }

  bytes(value: Uint8Array): this {
    const at = this.#take(value.length);
    this.#bytes.set(value, at);
    return this;
  }

  ucs2(text: string): this {
    const at = this.#take(text.length * 2);
    this.#bytes.write(text, at, 'utf16le');
    return this;
  }

  /** Text behind its length in characters: a byte. */
  bVarchar(text: string): this {
    return this.u8(text.length).ucs2(text);
  }

  /** Text behind its length in characters: two bytes. */
  usVarchar(text: string): this {
    return this.u16(text.length).ucs2(text);
  }

  /** Two bytes whose value is what `write` writes behind them, in bytes. */
  sized(write: () => void): this {
    const at = this.#take(2);
    write();
    this.#bytes.writeUInt16LE(this.#at - at - 2, at);
    return this;
  }

  #take(count: number): number {
    const at = this.#at;
    this.#at += count;
    if (this.#at > this.#bytes.length) {
      const grown = Buffer.allocUnsafe(Math.max(this.#at, this.#bytes.length * 2));
      this.#bytes.copy(grown, 0, 0, at);
      this.#bytes = grown;
    }
    return at;
  }
}
