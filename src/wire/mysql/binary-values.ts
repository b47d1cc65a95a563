import { assert, Violation } from '../../base/assert.ts';
import { u8 } from '../../base/bytes.ts';
import { byte, int16, int32, int64, lenencString } from './build.ts';
import { columnType } from './column-types.ts';
import { lenencStringEnd } from './values.ts';

// Values as the binary protocol has them. MySQL documentation, "Binary Protocol Value".

/** How long values of a type are; those that are not here have a length before them. */
const fixedBytes = new Map<number, number>([
  [columnType.null, 0],
  [columnType.tiny, 1],
  [columnType.bool, 1],
  [columnType.short, 2],
  [columnType.year, 2],
  [columnType.long, 4],
  [columnType.int24, 4],
  [columnType.float, 4],
  [columnType.longlong, 8],
  [columnType.double, 8],
]);

/** Where the value at `at`, which is not NULL, ends. */
export function binaryValueEnd(bytes: Uint8Array, at: number, end: number, type: number): number {
  const fixed = fixedBytes.get(type);
  // Dates and times have a length too, of one byte.
  if (fixed === undefined) return lenencStringEnd(bytes, at, end);
  if (fixed > end - at) throw new Violation('a value is shorter than its type');
  return at + fixed;
}

/** Whole numbers for types of them, and text or bytes for types of those. */
export type BinaryValue = number | bigint | string | Uint8Array;

export function binaryValue(type: number, value: BinaryValue): Uint8Array {
  if (typeof value === 'string' || value instanceof Uint8Array) {
    assert(!fixedBytes.has(type), 'text is no value of this type');
    return lenencString(value);
  }
  switch (fixedBytes.get(type)) {
    case 1:
      return byte(Number(value));
    case 2:
      return int16(Number(value));
    case 4:
      assert(type !== columnType.float, 'no whole number is a value of this type');
      return int32(Number(value));
    case 8:
      assert(type !== columnType.double, 'no whole number is a value of this type');
      return int64(BigInt(value));
    default:
      throw new TypeError('no whole number is a value of this type');
  }
}

/** Whether the bit of `index` is set in the bitmap at `at`. */
export function bitAt(bytes: Uint8Array, at: number, index: number): boolean {
  return ((u8(bytes, at + (index >> 3)) >> (index & 7)) & 1) === 1;
}
