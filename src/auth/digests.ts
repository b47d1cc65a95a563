import { createHash, timingSafeEqual } from 'node:crypto';
import { u8 } from '../base/bytes.ts';

/** The digest of all parts in one. */
export function digest(
  algorithm: 'sha1' | 'sha256' | 'sha512',
  ...parts: readonly (Uint8Array | string)[]
): Uint8Array {
  const hash = createHash(algorithm);
  for (const part of parts) hash.update(part);
  return hash.digest();
}

/** `pad` begins anew where it is shorter than `bytes`. */
export function xor(bytes: Uint8Array, pad: Uint8Array): Uint8Array {
  return bytes.map((byte, at) => byte ^ u8(pad, at % pad.length));
}

/** In a time that does not tell how close they come. */
export function sameBytes(one: Uint8Array, other: Uint8Array): boolean {
  return one.length === other.length && timingSafeEqual(one, other);
}
