import { assert } from '../../base/assert.ts';
import { utf8 } from '../../base/bytes.ts';

/** A whole message: type, length (which counts itself), body. */
export function message(type: number, ...parts: readonly Uint8Array[]): Uint8Array {
  const bytes = framed(1, parts);
  bytes[0] = type;
  return bytes;
}

/** The same with a number, 32 bits, ahead of all else: made in one go, for what every sign-in takes. */
export function numbered(type: number, number: number, data: Uint8Array): Uint8Array {
  const length = 8 + data.length;
  const bytes = new Uint8Array(1 + length);
  bytes[0] = type;
  bytes[1] = length >>> 24;
  bytes[2] = length >>> 16;
  bytes[3] = length >>> 8;
  bytes[4] = length;
  bytes[5] = number >>> 24;
  bytes[6] = number >>> 16;
  bytes[7] = number >>> 8;
  bytes[8] = number;
  bytes.set(data, 9);
  return bytes;
}

/** A message without a type byte: only what comes before the login looks like this. */
export function untyped(...parts: readonly Uint8Array[]): Uint8Array {
  return framed(0, parts);
}

/** The parts with their length in front, and room for a type before that. */
function framed(lengthAt: number, parts: readonly Uint8Array[]): Uint8Array {
  let length = 4;
  for (const part of parts) length += part.length;
  const bytes = new Uint8Array(lengthAt + length);
  bytes[lengthAt] = length >>> 24;
  bytes[lengthAt + 1] = length >>> 16;
  bytes[lengthAt + 2] = length >>> 8;
  bytes[lengthAt + 3] = length;
  let at = lengthAt + 4;
  for (const part of parts) {
    bytes.set(part, at);
    at += part.length;
  }
  return bytes;
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
