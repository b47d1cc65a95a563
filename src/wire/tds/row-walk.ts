import { EMPTY, u16le, u32le, u8 } from '../../base/bytes.ts';
import { Columns } from './columns.ts';
import { measure, NO_LENGTH, NO_LONG_LENGTH } from './types.ts';

/** What may come next within a row, besides the measures, each of which is also the first step of its value. */
const BEGIN = 6;
/** The length of a chunk, 0 for the end. */
const CHUNK = 7;

/** A text pointer is followed by a timestamp. */
const TIMESTAMP_BYTES = 8;

/** Steps over one row after another, in whatever pieces they come, by nothing but the lengths of their values. */
export class RowWalk {
  #columns = new Columns();
  #column = 0;
  #step = BEGIN;
  /** How many bytes of a value are still to come. */
  #skipBytes = 0;
  /** A length that has come in part, and how many bytes it will have; 0: none. */
  readonly #length = new Uint8Array(8);
  #lengthBytes = 0;
  #wantedBytes = 0;
  /** Which columns are NULL, a bit for each, where the row says so, and how many bytes of that are still to come. */
  #nulls = EMPTY;
  #hasNulls = false;
  #nullBytes = 0;
  #nullBytesMissing = 0;
  #isDone = true;

  /** No row is unfinished. */
  get isDone(): boolean {
    return this.#isDone;
  }

  /**
   * Goes over a ROW, `bytes[at, end)` being what is behind its token. Returns where it ends or, where more of it is to come, `end`.
   */
  row(columns: Columns, bytes: Uint8Array, at: number, end: number): number {
    this.#columns = columns;
    this.#column = 0;
    this.#step = BEGIN;
    this.#hasNulls = false;
    return this.#walk(bytes, at, end);
  }

  /** Goes over an NBCROW likewise. */
  nbcRow(columns: Columns, bytes: Uint8Array, at: number, end: number): number {
    this.#columns = columns;
    this.#column = 0;
    this.#step = BEGIN;
    this.#hasNulls = true;
    const length = (columns.count + 7) >> 3;
    if (this.#nulls.length < length) this.#nulls = new Uint8Array(2 * length);
    this.#nullBytes = length;
    this.#nullBytesMissing = length;
    return this.#walkNulls(bytes, at, end);
  }

  /** Goes on with an unfinished row. Returns where it ends or, where more of it is to come, `end`. */
  goOn(bytes: Uint8Array, from: number, end: number): number {
    if (this.#nullBytesMissing > 0) return this.#walkNulls(bytes, from, end);
    let at = from;
    if (this.#wantedBytes > 0) {
      while (this.#lengthBytes < this.#wantedBytes && at < end) {
        this.#length[this.#lengthBytes] = u8(bytes, at);
        this.#lengthBytes += 1;
        at += 1;
      }
      if (this.#lengthBytes < this.#wantedBytes) return end;
      this.#wantedBytes = 0;
      this.#walk(this.#length, 0, this.#lengthBytes);
      if (this.#isDone) return at;
      // It has found no more than the one length.
      this.#wantedBytes = 0;
    }
    if (this.#skipBytes > end - at) {
      this.#skipBytes -= end - at;
      return end;
    }
    at += this.#skipBytes;
    this.#skipBytes = 0;
    return this.#walk(bytes, at, end);
  }

  /** Forgets an unfinished row. */
  reset(): void {
    this.#isDone = true;
    this.#nullBytesMissing = 0;
    this.#wantedBytes = 0;
    this.#skipBytes = 0;
  }

  #walkNulls(bytes: Uint8Array, from: number, end: number): number {
    let at = from;
    let missing = this.#nullBytesMissing;
    const nulls = this.#nulls;
    const length = this.#nullBytes;
    while (missing > 0 && at < end) {
      nulls[length - missing] = u8(bytes, at);
      missing -= 1;
      at += 1;
    }
    this.#nullBytesMissing = missing;
    if (missing === 0) return this.#walk(bytes, at, end);
    this.#isDone = false;
    return end;
  }

  #walk(bytes: Uint8Array, from: number, end: number): number {
    const { count, measures, bytes: fixedBytes } = this.#columns;
    let at = from;
    let column = this.#column;
    let step = this.#step;
    while (column < count) {
      if (step === BEGIN) {
        if (this.#hasNulls && ((u8(this.#nulls, column >> 3) >> (column & 7)) & 1) !== 0) {
          column += 1;
          continue;
        }
        step = measures[column] ?? BEGIN;
      }
      switch (step) {
        case measure.fixed:
          at += fixedBytes[column] ?? 0;
          step = BEGIN;
          break;
        case measure.byte:
          if (at >= end) return this.#stop(bytes, at, end, column, step, 1);
          at += 1 + u8(bytes, at);
          step = BEGIN;
          break;
        case measure.short: {
          if (end - at < 2) return this.#stop(bytes, at, end, column, step, 2);
          const length = u16le(bytes, at);
          at += length === NO_LENGTH ? 2 : 2 + length;
          step = BEGIN;
          break;
        }
        case measure.long: {
          if (end - at < 4) return this.#stop(bytes, at, end, column, step, 4);
          const length = u32le(bytes, at);
          at += length === NO_LONG_LENGTH ? 4 : 4 + length;
          step = BEGIN;
          break;
        }
        case measure.chunks:
          if (end - at < 8) return this.#stop(bytes, at, end, column, step, 8);
          step = isNoTotal(bytes, at) ? BEGIN : CHUNK;
          at += 8;
          break;
        case measure.pointer: {
          if (at >= end) return this.#stop(bytes, at, end, column, step, 1);
          const length = u8(bytes, at);
          step = length === 0 ? BEGIN : measure.long;
          at += length === 0 ? 1 : 1 + length + TIMESTAMP_BYTES;
          break;
        }
        default: {
          if (end - at < 4) return this.#stop(bytes, at, end, column, step, 4);
          const length = u32le(bytes, at);
          if (length === 0) step = BEGIN;
          at += 4 + length;
        }
      }
      if (step === BEGIN) column += 1;
      if (at > end) return this.#pause(at, end, column, step);
    }
    this.#isDone = true;
    return at;
  }

  /** A length is cut. */
  #stop(
    bytes: Uint8Array,
    at: number,
    end: number,
    column: number,
    step: number,
    wanted: number,
  ): number {
    for (let index = at; index < end; index += 1) this.#length[index - at] = u8(bytes, index);
    this.#lengthBytes = end - at;
    this.#wantedBytes = wanted;
    this.#column = column;
    this.#step = step;
    this.#isDone = false;
    return end;
  }

  /** A value is cut. */
  #pause(at: number, end: number, column: number, step: number): number {
    this.#skipBytes = at - end;
    this.#column = column;
    this.#step = step;
    this.#isDone = false;
    return end;
  }
}

function isNoTotal(bytes: Uint8Array, at: number): boolean {
  return u32le(bytes, at) === NO_LONG_LENGTH && u32le(bytes, at + 4) === NO_LONG_LENGTH;
}
