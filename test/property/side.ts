import { PeerGone } from '../support/byte-queue.ts';
import type { Message } from '../support/messages.ts';
import type { RawClient } from '../support/raw-client.ts';
import { Dues } from './dues.ts';
import { foreignTo, Leak } from './outcome.ts';

export interface Answer {
  readonly messages: readonly Message[];
  /** The other side has closed. */
  readonly ended: boolean;
}

/** A client of one of the two databases, which knows when an answer is whole. */
export class Side {
  readonly client: RawClient;
  readonly dues = new Dues();
  /** What must never be met. */
  readonly #foreign: RegExp;

  constructor(client: RawClient, name: string) {
    this.client = client;
    this.#foreign = foreignTo(name);
  }

  /** Sends in pieces, cut at these offsets, and reads all that is owed. */
  async exchange(send: readonly Uint8Array[], cuts: readonly number[] = []): Promise<Answer> {
    this.note(send);
    const bytes = Buffer.concat(send);
    const reading = this.read();
    let at = 0;
    for (const cut of [...cuts, bytes.length]) {
      if (at > 0) await new Promise(setImmediate);
      this.client.send(bytes.subarray(at, cut));
      at = cut;
    }
    return await reading;
  }

  note(send: readonly Uint8Array[]): void {
    for (const message of send) this.dues.say(String.fromCharCode(message[0] ?? 0));
  }

  /** All that is owed, and up to a message of this type where one is given. */
  async read(upTo?: string): Promise<Answer> {
    const messages: Message[] = [];
    let met = upTo === undefined;
    try {
      while (!this.dues.settled || !met) {
        const message = await this.client.read();
        this.watch(message.body);
        messages.push(message);
        this.dues.hear(message);
        met ||= message.type === upTo;
      }
      return { messages, ended: false };
    } catch (problem) {
      if (!(problem instanceof PeerGone)) throw problem;
      return { messages, ended: true };
    }
  }

  /** Throws where the bytes hold what is somebody else's. */
  watch(bytes: Uint8Array): void {
    const [foreign] = this.#foreign.exec(Buffer.from(bytes).toString('latin1')) ?? [];
    if (foreign !== undefined) throw new Leak(`was shown ${foreign}`);
  }
}
