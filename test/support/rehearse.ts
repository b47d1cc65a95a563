import { Violation } from '../../src/base/assert.ts';
import { EMPTY } from '../../src/base/bytes.ts';
import type { AgreedTls, Conversation, Step } from '../../src/core/conversation.ts';
import { PeerClosed } from '../../src/core/network.ts';

/**
 * The peer of a rehearsal: chunks in the order in which they arrive, or a function that is told all bytes that it has
 * not heard yet and answers with the next chunk, or with undefined to close. It is asked only when bytes are missing.
 */
export type Peer = readonly Uint8Array[] | ((heard: Uint8Array) => Uint8Array | undefined);

export interface Rehearsal<Result> {
  readonly result: Result;
  /** Each `send`, in order. */
  readonly sent: readonly Uint8Array[];
  /** What the peer sent beyond the last read. */
  readonly leftover: Uint8Array;
  /** The kinds of all steps in order, neighbours that are alike counted once; TLS with its side: `startTls server`. */
  readonly steps: readonly string[];
}

/** TLS without ALPN, and with a certificate that cannot be bound to. */
const PLAIN_TLS: AgreedTls = { protocol: '', certificate: () => EMPTY };

/**
 * Runs a conversation against a peer in memory, by the same rules as `net/converse`. Rejects with the conversation's own
 * error, or with `PeerClosed` where it wants more bytes than there are. `tls` is what comes of TLS where it is started.
 */
export async function rehearse<Result>(
  conversation: Conversation<Result>,
  peer: Peer,
  tls: Partial<AgreedTls> = {},
): Promise<Rehearsal<Result>> {
  const stage = new Stage(peer, { ...PLAIN_TLS, ...tls });
  let next = conversation.next(EMPTY);
  while (next.done !== true) {
    stage.note(next.value);
    let answer: Uint8Array;
    try {
      answer = await stage.perform(next.value);
    } catch (problem) {
      next = conversation.throw(problem);
      continue;
    }
    next = conversation.next(answer);
  }
  const { sent, buffer: leftover, steps } = stage;
  return { result: next.value, sent, leftover, steps };
}

class Stage {
  readonly sent: Uint8Array[] = [];
  readonly steps: string[] = [];
  buffer: Uint8Array = EMPTY;
  readonly #more: (heard: Uint8Array) => Uint8Array | undefined;
  readonly #tls: AgreedTls;
  #unheard: Uint8Array[] = [];

  constructor(peer: Peer, tls: AgreedTls) {
    this.#tls = tls;
    let at = 0;
    this.#more = typeof peer === 'function' ? peer : () => peer[at++];
  }

  note(step: Step): void {
    const name = step.kind === 'startTls' ? `startTls ${step.side}` : step.kind;
    if (this.steps.at(-1) !== name) this.steps.push(name);
  }

  async perform(step: Step): Promise<Uint8Array> {
    switch (step.kind) {
      case 'read': {
        this.#gather(step.bytes);
        const taken = this.buffer.slice(0, step.bytes);
        this.buffer = this.buffer.slice(step.bytes);
        return taken;
      }
      case 'peek':
        this.#gather(step.bytes);
        return this.buffer.slice();
      case 'readEnd':
        while (this.#listen());
        return EMPTY;
      case 'send':
        this.sent.push(step.bytes.slice());
        this.#unheard.push(step.bytes.slice());
        return EMPTY;
      case 'startTls':
        if (this.buffer.length > 0 && !step.helloIsBuffered) {
          throw new Violation('plaintext was sent after TLS had been agreed');
        }
        step.agreed(this.#tls);
        return EMPTY;
      case 'endTls':
        return EMPTY;
      case 'wait':
        await step.work();
        return EMPTY;
    }
  }

  #gather(bytes: number): void {
    while (this.buffer.length < bytes) {
      if (!this.#listen()) throw new PeerClosed('the peer closed the connection');
    }
  }

  #listen(): boolean {
    const chunk = this.#more(new Uint8Array(Buffer.concat(this.#unheard)));
    this.#unheard = [];
    if (chunk === undefined) return false;
    this.buffer = new Uint8Array(Buffer.concat([this.buffer, chunk]));
    return true;
  }
}

/** The chunks with each one cut in two at every offset, one cut at a time, and once byte by byte. */
export function* everySplit(chunks: readonly Uint8Array[]): Iterable<readonly Uint8Array[]> {
  for (const [at, chunk] of chunks.entries()) {
    for (let cut = 1; cut < chunk.length; cut += 1) {
      yield chunks.toSpliced(at, 1, chunk.subarray(0, cut), chunk.subarray(cut));
    }
  }
  yield chunks.flatMap((chunk) => Array.from(chunk, (byte) => Uint8Array.of(byte)));
}
