import { assert } from '../../base/assert.ts';
import { concat, utf8 } from '../../base/bytes.ts';

/** A whole message: type, length (which counts itself), body. */
export function message(type: number, ...parts: readonly Uint8Array[]): Uint8Array {
  return concat([byte(type), untyped(...parts)]);
}

/** A message without a type byte: only what comes before the login looks like this. */
export function untyped(...parts: readonly Uint8Array[]): Uint8Array {
  let length = 4;
  for (const part of parts) length += part.length;
  return concat([int32(length), ...parts]);
}

export function byte(value: number): Uint8Array {
  return Uint8Array.of(value);
}

/** Signed or unsigned, 16 bits, big-endian. */
export function int16(value: number): Uint8Array {
  return Uint8Array.of(value >>> 8, value);
}

/** Signed or unsigned, 32 bits, big-endian. */
export function int32(value: number): Uint8Array {
  return Uint8Array.of(value >>> 24, value >>> 16, value >>> 8, value);
}

/** UTF-8 and a NUL. A NUL inside would smuggle bytes into the next field: that is a Bug of the caller. */
export function cstring(value: string): Uint8Array {
  assert(!value.includes('\0'), 'a protocol string must not contain a NUL');
  return utf8(`${value}\0`);
}
