import { Violation } from '../../base/assert.ts';
import { u16le, u24le, u32le, u8 } from '../../base/bytes.ts';

// Length-encoded integers and strings, in place: where rows and results pass, nothing is made of them.

/**
 * The first byte of a length-encoded integer tells how many follow; below these it is the number itself. `null` is not a
 * number but stands for a NULL in a row of text.
 */
export const lenenc = { null: 0xfb, two: 0xfc, three: 0xfd, eight: 0xfe } as const;

const TWO_TO_THE_32 = 2 ** 32;

/** Where the length-encoded integer at `at` ends. */
export function lenencEnd(bytes: Uint8Array, at: number, end: number): number {
  if (at >= end) throw tooShort();
  const after = at + sizeFrom(u8(bytes, at));
  if (after > end) throw tooShort();
  return after;
}

/** The length-encoded integer at `at`, where `lenencEnd` has said that it is all there. Imprecise beyond 2^53. */
export function lenencAt(bytes: Uint8Array, at: number): number {
  const first = u8(bytes, at);
  if (first < lenenc.null) return first;
  if (first === lenenc.two) return u16le(bytes, at + 1);
  if (first === lenenc.three) return u24le(bytes, at + 1);
  return u32le(bytes, at + 1) + u32le(bytes, at + 5) * TWO_TO_THE_32;
}

/** Where the length-encoded string at `at` ends. */
export function lenencStringEnd(bytes: Uint8Array, at: number, end: number): number {
  const start = lenencEnd(bytes, at, end);
  const after = start + lenencAt(bytes, at);
  if (after > end) throw tooShort();
  return after;
}

function sizeFrom(first: number): number {
  if (first < lenenc.null) return 1;
  if (first === lenenc.two) return 3;
  if (first === lenenc.three) return 4;
  if (first === lenenc.eight) return 9;
  throw new Violation('a length-encoded number that is none');
}

function tooShort(): Violation {
  return new Violation('a length-encoded value is shorter than it says');
}
