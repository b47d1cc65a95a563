// The packets that messages are cut into. [MS-TDS] 2.2.3.1.
import { assert, Violation } from '../../base/assert.ts';
import { EMPTY, u16be } from '../../base/bytes.ts';

/** Type, status, the length of all (two bytes, big-endian), the server's process (two), the packet's number, and a zero. */
export const HEADER_BYTES = 8;
export const MIN_PACKET_BYTES = 512;
export const MAX_PACKET_BYTES = 32_767;
/** What packets are until both sides have agreed on another size. */
export const DEFAULT_PACKET_BYTES = 4_096;

export const packetType = {
  sqlBatch: 1,
  oldLogin: 2,
  rpc: 3,
  result: 4,
  attention: 6,
  bulkLoad: 7,
  fedAuthToken: 8,
  transactionManager: 14,
  login: 16,
  sspi: 17,
  prelogin: 18,
} as const;

/** The reset ones count on the first packet of a message (trap TD-01), `ignore` on the last (trap TD-09). */
export const packetStatus = {
  endOfMessage: 1,
  ignore: 2,
  resetConnection: 8,
  resetConnectionSkipTran: 16,
} as const;

/** How long the packet at `at` is, its header, of which four bytes must be there, included. */
export function packetBytes(bytes: Uint8Array, at: number): number {
  const length = u16be(bytes, at + 2);
  if (length < HEADER_BYTES) throw new Violation(`a packet that says to have ${length} bytes`);
  return length;
}

export function writeHeader(
  out: Uint8Array,
  at: number,
  type: number,
  status: number,
  length: number,
  number: number,
): void {
  out[at] = type;
  out[at + 1] = status;
  out[at + 2] = length >>> 8;
  out[at + 3] = length;
  out[at + 6] = number;
}

/**
 * A payload of any length, none included, as packets, numbered from 1.
 * @param packetBytes how long one may be, header included
 * @param status of the first; the last one gets `endOfMessage` besides
 */
export function message(
  type: number,
  payload: Uint8Array,
  packetBytes: number,
  status = 0,
): Uint8Array {
  const room = roomOf(packetBytes);
  const count = Math.max(1, Math.ceil(payload.length / room));
  const out = new Uint8Array(payload.length + count * HEADER_BYTES);
  let at = 0;
  for (let index = 0; index < count; index += 1) {
    const start = index * room;
    const piece = payload.subarray(start, start + room);
    const last = index === count - 1 ? packetStatus.endOfMessage : 0;
    writeHeader(
      out,
      at,
      type,
      last | (index === 0 ? status : 0),
      HEADER_BYTES + piece.length,
      index + 1,
    );
    out.set(piece, at + HEADER_BYTES);
    at += HEADER_BYTES + piece.length;
  }
  return out;
}

function roomOf(packetBytes: number): number {
  assert(packetBytes > HEADER_BYTES && packetBytes <= 0xffff, 'no such packets');
  return packetBytes - HEADER_BYTES;
}

/**
 * Puts one message's payload, in whatever pieces it comes, into packets of one size (trap TD-16). Which packet is the last is told
 * by the end alone: a full one waits for what follows it.
 */
export class Repacker {
  readonly #type: number;
  readonly #waiting: Uint8Array;
  #waitingBytes = 0;
  #status: number;
  #number = 1;

  /** @param packetBytes of each, header included @param firstStatus of the first */
  constructor(type: number, packetBytes: number, firstStatus = 0) {
    this.#type = type;
    this.#waiting = new Uint8Array(roomOf(packetBytes));
    this.#status = firstStatus;
  }

  /** The payload goes on with `bytes[start, end)`. Returns the packets that are complete and not the last: a new array, or none. */
  add(bytes: Uint8Array, start: number, end: number): Uint8Array {
    const room = this.#waiting.length;
    const total = this.#waitingBytes + end - start;
    const count = Math.max(0, Math.ceil(total / room) - 1);
    const out = count === 0 ? EMPTY : new Uint8Array(count * (HEADER_BYTES + room));
    let from = start;
    for (let at = 0; at < out.length; at += HEADER_BYTES + room) {
      this.#header(out, at, 0, room);
      out.set(this.#waiting.subarray(0, this.#waitingBytes), at + HEADER_BYTES);
      const until = from + room - this.#waitingBytes;
      out.set(bytes.subarray(from, until), at + HEADER_BYTES + this.#waitingBytes);
      from = until;
      this.#waitingBytes = 0;
    }
    this.#waiting.set(bytes.subarray(from, end), this.#waitingBytes);
    this.#waitingBytes += end - from;
    return out;
  }

  /** The last packet. @param status besides `endOfMessage`, as `ignore` */
  finish(status = 0): Uint8Array {
    const out = new Uint8Array(HEADER_BYTES + this.#waitingBytes);
    this.#header(out, 0, status | packetStatus.endOfMessage, this.#waitingBytes);
    out.set(this.#waiting.subarray(0, this.#waitingBytes), HEADER_BYTES);
    this.#waitingBytes = 0;
    return out;
  }

  #header(out: Uint8Array, at: number, status: number, length: number): void {
    const number = this.#number & 0xff;
    writeHeader(out, at, this.#type, status | this.#status, HEADER_BYTES + length, number);
    this.#status = 0;
    this.#number += 1;
  }
}
