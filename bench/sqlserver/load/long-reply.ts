import { COLUMNS, DONE_BYTES, readAnswer, readDone } from './answer.ts';
import { endsReply, framing, HEAD_BYTES } from './packets.ts';

/** A DONE, its token included. */
const END_BYTES = 1 + DONE_BYTES;
const NOTHING = Buffer.alloc(0);

/**
 * Follows a reply that is too long to be kept, packet by packet: counts its payload, and looks at its beginning and its end. What is
 * between them is not looked at.
 */
export class LongReply {
  /** Of the payload. */
  bytes = 0;
  isOver = false;
  /** What its end says; undefined before. */
  rows: number | undefined;
  /** A packet's head that arrives in pieces, and what is still to come of the packet. */
  #head: Buffer = NOTHING;
  #left = 0;
  #isLast = false;
  /** The last bytes of the payload. */
  #tail: Buffer = NOTHING;

  /** Throws a `Refusal` where it is an error. */
  feed(bytes: Buffer): void {
    let at = 0;
    while (at < bytes.length && !this.isOver) {
      if (this.#left > 0) {
        const end = Math.min(bytes.length, at + this.#left);
        this.#left -= end - at;
        this.#payload(bytes.subarray(at, end));
        at = end;
      } else {
        const end = Math.min(bytes.length, at + HEAD_BYTES - this.#head.length);
        this.#head = Buffer.concat([this.#head, bytes.subarray(at, end)]);
        at = end;
        if (this.#head.length < HEAD_BYTES) return;
        this.#isLast = endsReply(this.#head);
        this.#left = framing.lengthOf(this.#head) - HEAD_BYTES;
        this.#head = NOTHING;
      }
      if (this.#left === 0 && this.#isLast && this.#head.length === 0) this.#end();
    }
  }

  #payload(bytes: Buffer): void {
    // An error is short, and as a whole in one packet.
    if (this.bytes === 0 && bytes[0] !== COLUMNS) readAnswer(bytes);
    this.bytes += bytes.length;
    const kept = bytes.length < END_BYTES ? Buffer.concat([this.#tail, bytes]) : bytes;
    this.#tail = Buffer.from(kept.subarray(-END_BYTES));
  }

  #end(): void {
    this.isOver = true;
    this.rows = readDone(this.#tail, 1).count;
  }
}
