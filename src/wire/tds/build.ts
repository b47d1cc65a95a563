// The pieces of payloads, little-endian unless they say otherwise: `message` (packets.ts) cuts a payload into packets.
import { assert } from '../../base/assert.ts';
import { concat, utf16 } from '../../base/bytes.ts';

export function byte(value: number): Uint8Array {
  return Uint8Array.of(value);
}

export function int16(value: number): Uint8Array {
  return Uint8Array.of(value, value >>> 8);
}

export function int16be(value: number): Uint8Array {
  return Uint8Array.of(value >>> 8, value);
}

/** Signed or unsigned, 32 bits. */
export function int32(value: number): Uint8Array {
  return Uint8Array.of(value, value >>> 8, value >>> 16, value >>> 24);
}

export function int32be(value: number): Uint8Array {
  return Uint8Array.of(value >>> 24, value >>> 16, value >>> 8, value);
}

/** Signed or unsigned, 64 bits. */
export function int64(value: bigint): Uint8Array {
  return concat([
    int32(Number(BigInt.asUintN(32, value))),
    int32(Number((value >> 32n) & 0xffffffffn)),
  ]);
}

/** Bytes behind their number in one byte, a B_VARBYTE. */
export function shortBytes(value: Uint8Array): Uint8Array {
  assert(value.length <= 0xff, 'bytes too long for their length');
  return concat([byte(value.length), value]);
}

/** Text behind its length in one byte, a B_VARCHAR. */
export function shortText(value: string): Uint8Array {
  assert(value.length <= 0xff, 'a text too long for its length');
  return concat([byte(value.length), utf16(value)]);
}

/** Text behind its length in two bytes, a US_VARCHAR. */
export function longText(value: string): Uint8Array {
  assert(value.length <= 0xffff, 'a text too long for its length');
  return concat([int16(value.length), utf16(value)]);
}
