import { endsReply, framing, HEAD_BYTES } from './packets.ts';

const NOTHING = Buffer.alloc(0);

/** Puts replies together from the bytes of a connection, however they are cut. */
export class Answers {
  /** Of a packet, and of a reply, that has not arrived as a whole. */
  #rest: Buffer = NOTHING;
  #payloads: Buffer[] = [];

  /** The payloads of the replies that these bytes complete, which are to be looked at before the socket hands over others. */
  feed(bytes: Buffer): readonly Buffer[] {
    const all = this.#rest.length === 0 ? bytes : Buffer.concat([this.#rest, bytes]);
    const replies: Buffer[] = [];
    let at = 0;
    while (all.length - at >= HEAD_BYTES) {
      const length = framing.lengthOf(at === 0 ? all : all.subarray(at));
      if (all.length - at < length) break;
      const packet = all.subarray(at, at + length);
      at += length;
      this.#payloads.push(packet.subarray(HEAD_BYTES));
      if (!endsReply(packet)) continue;
      const [only] = this.#payloads;
      replies.push(
        this.#payloads.length === 1 && only !== undefined ? only : Buffer.concat(this.#payloads),
      );
      this.#payloads = [];
    }
    // Copies: the socket keeps what it has handed over.
    this.#rest = at === all.length ? NOTHING : Buffer.from(all.subarray(at));
    if (this.#payloads.length > 0) this.#payloads = [Buffer.concat(this.#payloads)];
    return replies;
  }
}
