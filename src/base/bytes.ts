// The one place where an index is trusted: callers have checked their bounds.

export const EMPTY = new Uint8Array(0);

const encoder = new TextEncoder();

export function utf8(text: string): Uint8Array {
  return encoder.encode(text);
}

declare global {
  interface Buffer {
    // Older than the rest of its class, and in every runtime that has it: the declarations leave it out.
    latin1Slice(this: Uint8Array, start: number, end: number): string;
    latin1Write(this: Uint8Array, text: string, offset: number, length: number): number;
    ucs2Slice(this: Uint8Array, start: number, end: number): string;
    utf8Slice(this: Uint8Array, start: number, end: number): string;
    ucs2Write(this: Uint8Array, text: string, offset: number, length: number): number;
  }
}

// A view of a small array costs as much as ten copies of it: its bytes must move to where they can be shared.
const { latin1Slice, latin1Write, ucs2Slice, ucs2Write, utf8Slice } = Buffer.alloc(0);
/** Up to here a string is made faster character by character than by the runtime. */
const SHORT_BYTES = 24;

/** Decodes leniently: a peer's bytes are never trusted to be UTF-8. */
export function text(bytes: Uint8Array, start = 0, end = bytes.length): string {
  return utf8Slice.call(bytes, start, end);
}

/** One character for each byte: cheap, lossless, and fine for ASCII protocols and for cache keys. */
export function latin1(bytes: Uint8Array, start = 0, end = bytes.length): string {
  if (end - start > SHORT_BYTES) return latin1Slice.call(bytes, start, end);
  let characters = '';
  for (let at = start; at < end; at += 1) characters += String.fromCharCode(u8(bytes, at));
  return characters;
}

/** What `latin1` reads: one byte for each character. */
export function fromLatin1(text: string): Uint8Array {
  const out = new Uint8Array(text.length);
  latin1Write.call(out, text, 0, out.length);
  return out;
}

/** UTF-16, little-endian: an odd byte at the end is left out. */
export function ucs2(bytes: Uint8Array, start = 0, end = bytes.length): string {
  return ucs2Slice.call(bytes, start, end);
}

/** In UTF-16, little-endian. */
export function utf16(text: string): Uint8Array {
  const out = new Uint8Array(2 * text.length);
  ucs2Write.call(out, text, 0, out.length);
  return out;
}

export function u8(bytes: Uint8Array, at: number): number {
  return bytes[at]!;
}

export function u16be(bytes: Uint8Array, at: number): number {
  return (bytes[at]! << 8) | bytes[at + 1]!;
}

/** A signed big-endian 32-bit integer. */
export function i32be(bytes: Uint8Array, at: number): number {
  return (bytes[at]! << 24) | (bytes[at + 1]! << 16) | (bytes[at + 2]! << 8) | bytes[at + 3]!;
}

/** An unsigned big-endian 32-bit integer. */
export function u32be(bytes: Uint8Array, at: number): number {
  return i32be(bytes, at) >>> 0;
}

/** An unsigned little-endian 16-bit integer, as all of the following: MySQL and SQL Server count from the small end. */
export function u16le(bytes: Uint8Array, at: number): number {
  return bytes[at]! | (bytes[at + 1]! << 8);
}

export function u24le(bytes: Uint8Array, at: number): number {
  return bytes[at]! | (bytes[at + 1]! << 8) | (bytes[at + 2]! << 16);
}

export function u32le(bytes: Uint8Array, at: number): number {
  return (u24le(bytes, at) | (bytes[at + 3]! << 24)) >>> 0;
}

/** A signed one, which all others here are not. */
export function i32le(bytes: Uint8Array, at: number): number {
  return u24le(bytes, at) | (bytes[at + 3]! << 24);
}

export function u64le(bytes: Uint8Array, at: number): bigint {
  return (BigInt(u32le(bytes, at + 4)) << 32n) | BigInt(u32le(bytes, at));
}

/** From here on it pays not to wait for the garbage collector. */
const LARGE_BYTES = 16_384;

/**
 * Gives the memory of large bytes back at once: results of any size pass through the same few pages, which stay in the
 * processor's caches. To be called by whoever owns the bytes, when nobody will look at them again: they are empty afterwards.
 */
export function free(bytes: Uint8Array): void {
  if (bytes.length < LARGE_BYTES) return;
  const { buffer, length } = bytes;
  if (buffer.byteLength === length && buffer instanceof ArrayBuffer) buffer.transfer(0);
}

export function concat(parts: readonly Uint8Array[]): Uint8Array {
  let length = 0;
  for (const part of parts) length += part.length;
  const out = new Uint8Array(length);
  let at = 0;
  for (const part of parts) {
    out.set(part, at);
    at += part.length;
  }
  return out;
}
