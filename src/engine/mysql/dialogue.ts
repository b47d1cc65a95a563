import { Violation } from '../../base/assert.ts';
import { concat } from '../../base/bytes.ts';
import { limits } from '../../base/limits.ts';
import type { Conversation } from '../../core/conversation.ts';
import { read, send } from '../../core/conversation.ts';
import {
  following,
  HEADER_BYTES,
  packet,
  packetBytes,
  sequenceNumber,
} from '../../wire/mysql/framing.ts';

/** Large packets are taken in by pieces: a socket reads no further ahead than this. */
const PIECE_BYTES = 16_384;

/** Packets to and fro with one peer while we talk to it: each has the number after the last one, whoever sends it. */
export class Dialogue {
  #next: number;

  /** @param next the number of the first packet */
  constructor(next = 0) {
    this.#next = next;
  }

  /** The number of the next packet, be it ours or the peer's. */
  get next(): number {
    return this.#next;
  }

  /** The next packet of the peer: its payload. */
  *hear(mostBytes: number = limits.signInPacketBytes.value): Conversation<Uint8Array> {
    const header = yield* read(HEADER_BYTES);
    const length = packetBytes(header, 0);
    if (length > mostBytes) throw new Violation(`a packet of ${length} bytes`);
    const number = sequenceNumber(header, 0);
    if (number !== this.#next) {
      throw new Violation(`packets out of order: number ${number} instead of ${this.#next}`);
    }
    this.#next = following(number);
    return yield* readPieces(length);
  }

  *say(...payload: readonly Uint8Array[]): Conversation<void> {
    yield* send(this.packet(...payload));
  }

  /** Ours, to be sent by the caller. */
  packet(...payload: readonly Uint8Array[]): Uint8Array {
    const bytes = packet(this.#next, ...payload);
    this.#next = following(this.#next);
    return bytes;
  }
}

function* readPieces(length: number): Conversation<Uint8Array> {
  if (length <= PIECE_BYTES) return yield* read(length);
  const pieces: Uint8Array[] = [];
  for (let left = length; left > 0; left -= PIECE_BYTES) {
    pieces.push((yield* read(Math.min(left, PIECE_BYTES))).slice());
  }
  return concat(pieces);
}
