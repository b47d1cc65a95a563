import { assert, Violation } from '../../base/assert.ts';
import { concat, u24le, u8 } from '../../base/bytes.ts';
import { limits } from '../../base/limits.ts';

/** The length of what follows (three bytes, little-endian) and a sequence number. */
export const HEADER_BYTES = 4;

/** A packet as long as this is not the last of its payload: another one follows, be it an empty one (trap MY-01). */
export const MAX_PACKET_BYTES = 0xffffff;

/** How many bytes follow the packet header at `at`. */
export function packetBytes(bytes: Uint8Array, at: number): number {
  return u24le(bytes, at);
}

export function sequenceNumber(bytes: Uint8Array, at: number): number {
  return u8(bytes, at + 3);
}

/** Sequence numbers are counted modulo 256. */
export function following(sequence: number, packets = 1): number {
  return (sequence + packets) & 0xff;
}

/** How many packets a payload takes. */
export function packetCount(payloadBytes: number): number {
  return Math.floor(payloadBytes / MAX_PACKET_BYTES) + 1;
}

/** A payload of any length as packets, the first of which has the number `sequence`. */
export function packet(sequence: number, ...parts: readonly Uint8Array[]): Uint8Array {
  let payloadBytes = 0;
  for (const part of parts) payloadBytes += part.length;
  if (payloadBytes >= MAX_PACKET_BYTES) return longPayload(sequence, concat(parts));
  const out = new Uint8Array(HEADER_BYTES + payloadBytes);
  writeHeader(out, 0, payloadBytes, sequence);
  let at = HEADER_BYTES;
  for (const part of parts) {
    out.set(part, at);
    at += part.length;
  }
  return out;
}

function longPayload(sequence: number, payload: Uint8Array): Uint8Array {
  const count = packetCount(payload.length);
  const out = new Uint8Array(payload.length + count * HEADER_BYTES);
  let at = 0;
  for (let index = 0; index < count; index += 1) {
    const start = index * MAX_PACKET_BYTES;
    const piece = payload.subarray(start, start + MAX_PACKET_BYTES);
    writeHeader(out, at, piece.length, following(sequence, index));
    out.set(piece, at + HEADER_BYTES);
    at += HEADER_BYTES + piece.length;
  }
  return out;
}

export function writeHeader(out: Uint8Array, at: number, length: number, sequence: number): void {
  assert(length <= MAX_PACKET_BYTES, 'a packet is longer than its header can say');
  out[at] = length;
  out[at + 1] = length >>> 8;
  out[at + 2] = length >>> 16;
  out[at + 3] = sequence;
}

/** Checks the length of a packet of somebody who has not signed in yet, on either side, and returns it. */
export function checkSignInLength(length: number): number {
  if (length > limits.signInPacketBytes.value) {
    throw new Violation(`a packet of ${length} bytes before the sign-in is over`);
  }
  return length;
}
