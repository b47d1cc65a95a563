import { assert } from '../../base/assert.ts';
import { concat, utf8 } from '../../base/bytes.ts';
import { lenenc } from './values.ts';

// The pieces of payloads: `packet` (framing.ts) puts the header before them.

export function byte(value: number): Uint8Array {
  return Uint8Array.of(value);
}

/** Little-endian, 16 bits. */
export function int16(value: number): Uint8Array {
  return Uint8Array.of(value, value >>> 8);
}

/** Little-endian, 24 bits. */
export function int24(value: number): Uint8Array {
  return Uint8Array.of(value, value >>> 8, value >>> 16);
}

/** Signed or unsigned, little-endian, 32 bits. */
export function int32(value: number): Uint8Array {
  return Uint8Array.of(value, value >>> 8, value >>> 16, value >>> 24);
}

/** Signed or unsigned, little-endian, 64 bits. */
export function int64(value: bigint): Uint8Array {
  return concat([
    int32(Number(BigInt.asUintN(32, value))),
    int32(Number((value >> 32n) & 0xffffffffn)),
  ]);
}

/** Puts 16 bits into bytes that are there, little-endian. */
export function writeInt16(bytes: Uint8Array, at: number, value: number): void {
  bytes[at] = value;
  bytes[at + 1] = value >>> 8;
}

/** Puts 32 bits into bytes that are there, little-endian. */
export function writeInt32(bytes: Uint8Array, at: number, value: number): void {
  writeInt16(bytes, at, value);
  writeInt16(bytes, at + 2, value >>> 16);
}

/** A length-encoded integer. */
export function lenencInt(value: number | bigint): Uint8Array {
  assert(value >= 0, 'a length-encoded integer must not be negative');
  const small = Number(value);
  if (small < lenenc.null) return byte(small);
  if (small <= 0xffff) return concat([byte(lenenc.two), int16(small)]);
  if (small <= 0xffffff) return concat([byte(lenenc.three), int24(small)]);
  return concat([byte(lenenc.eight), int64(BigInt(value))]);
}

/** A length-encoded string. */
export function lenencString(value: Uint8Array | string): Uint8Array {
  const bytes = typeof value === 'string' ? utf8(value) : value;
  return concat([lenencInt(bytes.length), bytes]);
}

/** UTF-8 and a NUL. A NUL inside would smuggle bytes into the next field: that is a Bug of the caller. */
export function cstring(value: string): Uint8Array {
  assert(!value.includes('\0'), 'a protocol string must not contain a NUL');
  return utf8(`${value}\0`);
}
