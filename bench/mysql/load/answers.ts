import { END, ERROR, HEAD_BYTES, OK, Refusal } from './packets.ts';

/** A packet's head and the first byte of what is in it. */
const GLANCE_BYTES = HEAD_BYTES + 1;
const LONGEST = 0xffffff;

/**
 * Tells from a server's bytes when it has answered, and looks at no more of them than that needs. An answer is an OK, or rows
 * with their description; texts and binary rows alike, by connections that have asked for no EOF packets.
 */
export class Answers {
  /** Of the packet that is passing. */
  #left = 0;
  /** Of the glance at a packet whose head arrives in pieces. */
  readonly #glance = Buffer.alloc(GLANCE_BYTES);
  #glanced = 0;
  /** Of the description, still to come. */
  #columns = 0;
  #inRows = false;

  /** How many answers have ended in these bytes. Throws what the server says in an error, as far as it has arrived. */
  feed(bytes: Uint8Array): number {
    let answers = 0;
    for (let at = 0; at < bytes.length;) {
      if (this.#left > 0) {
        const passing = Math.min(this.#left, bytes.length - at);
        this.#left -= passing;
        at += passing;
        continue;
      }
      const taken = Math.min(GLANCE_BYTES - this.#glanced, bytes.length - at);
      this.#glance.set(bytes.subarray(at, at + taken), this.#glanced);
      this.#glanced += taken;
      at += taken;
      if (this.#glanced < GLANCE_BYTES) break;
      this.#glanced = 0;
      const length = this.#glance.readUIntLE(0, 3);
      const first = this.#glance[HEAD_BYTES] ?? 0;
      if (first === ERROR && this.#columns === 0)
        throw new Refusal(Buffer.concat([Uint8Array.of(first), bytes.subarray(at)]));
      this.#left = length - 1;
      if (this.#ends(first, length)) answers += 1;
    }
    return answers;
  }

  /** Whether this packet ends an answer. */
  #ends(first: number, length: number): boolean {
    if (this.#columns > 0) {
      this.#columns -= 1;
      return false;
    }
    if (this.#inRows) {
      if (first !== END || length === LONGEST) return false;
      this.#inRows = false;
      return true;
    }
    if (first === OK) return true;
    this.#columns = first;
    this.#inRows = true;
    return false;
  }
}
