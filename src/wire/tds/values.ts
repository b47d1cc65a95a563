// Values, by their type. [MS-TDS] 2.2.5.5.
import { concat, i32le, latin1, text, u16le, u32le, u8, ucs2 } from '../../base/bytes.ts';
import { int32, int64 } from './build.ts';
import type { Scanner } from './scanner.ts';
import { dataType, measure, NO_LENGTH, NO_LONG_LENGTH } from './types.ts';
import type { TypeShape } from './types.ts';

/** Where a value is, its length not included, or its chunks with their lengths. */
export interface Span {
  at: number;
  end: number;
  isNull: boolean;
}

export function span(): Span {
  return { at: 0, end: 0, isNull: false };
}

/** A text pointer is followed by a timestamp. */
const TIMESTAMP_BYTES = 8;

/** Steps over a value, of which there may be too little. */
export function scanValue(scanner: Scanner, shape: TypeShape, into: Span): void {
  switch (shape.measure) {
    case measure.fixed:
      return place(scanner, shape.bytes, shape.type === dataType.null, into);
    case measure.byte: {
      const length = scanner.u8();
      return place(scanner, length, length === 0, into);
    }
    case measure.short: {
      const length = scanner.u16();
      return place(scanner, length === NO_LENGTH ? 0 : length, length === NO_LENGTH, into);
    }
    case measure.chunks:
      return scanChunks(scanner, into);
    case measure.pointer: {
      const pointer = scanner.u8();
      if (pointer === 0) return place(scanner, 0, true, into);
      scanner.skip(pointer + TIMESTAMP_BYTES);
      return scanLong(scanner, shape, into);
    }
    default:
      return scanLong(scanner, shape, into);
  }
}

function scanLong(scanner: Scanner, shape: TypeShape, into: Span): void {
  const length = scanner.u32();
  const isNull = length === NO_LONG_LENGTH || (length === 0 && shape.type === dataType.variant);
  place(scanner, isNull ? 0 : length, isNull, into);
}

function scanChunks(scanner: Scanner, into: Span): void {
  const low = scanner.u32();
  const high = scanner.u32();
  place(scanner, 0, low === NO_LONG_LENGTH && high === NO_LONG_LENGTH, into);
  if (into.isNull) return;
  for (let length = scanner.u32(); length > 0; length = scanner.u32()) scanner.skip(length);
  into.end = scanner.at;
}

function place(scanner: Scanner, length: number, isNull: boolean, into: Span): void {
  into.at = scanner.at;
  scanner.skip(length);
  into.end = scanner.at;
  into.isNull = isNull;
}

/** What a value's chunks hold, put together. @param bytes `[at, end)` are the chunks, with the empty one at the end */
export function unchunked(bytes: Uint8Array, at: number, end: number): Uint8Array {
  const parts: Uint8Array[] = [];
  for (let from = at; end - from > 4;) {
    const until = from + 4 + u32le(bytes, from);
    parts.push(bytes.subarray(from + 4, until));
    from = until;
  }
  return concat(parts);
}

/** A value as one chunk, its length before it. */
export function chunked(value: Uint8Array): Uint8Array {
  const length = int64(BigInt(value.length));
  if (value.length === 0) return concat([length, int32(0)]);
  return concat([length, int32(value.length), value, int32(0)]);
}

/** An integer of 1 byte, unsigned, or of 2 or 4, signed; undefined: of another length. */
export function smallInteger(bytes: Uint8Array, at: number, end: number): number | undefined {
  switch (end - at) {
    case 1:
      return u8(bytes, at);
    case 2:
      return (u16le(bytes, at) << 16) >> 16;
    case 4:
      return i32le(bytes, at);
    default:
      return undefined;
  }
}

/** Of a collation: text is in UTF-8. */
const UTF8 = 0x04000000;

/** The text of a value of a type of text; undefined: of another type. */
export function textOf(bytes: Uint8Array, shape: TypeShape, value: Uint8Array): string | undefined {
  switch (shape.type) {
    case dataType.nVarChar:
    case dataType.nChar:
    case dataType.nText:
    case dataType.xml:
      return ucs2(value);
    case dataType.json:
      return text(value);
    case dataType.varChar:
    case dataType.char:
    case dataType.text:
    case dataType.oldVarChar:
    case dataType.oldChar: {
      const { collationAt } = shape;
      const isUtf8 = collationAt >= 0 && (u32le(bytes, collationAt) & UTF8) !== 0;
      return isUtf8 ? text(value) : latin1(value);
    }
    default:
      return undefined;
  }
}
