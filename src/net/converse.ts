import { assert, Violation } from '../base/assert.ts';
import { concat, EMPTY } from '../base/bytes.ts';
import type { Clock } from '../base/clock.ts';
import { limits } from '../base/limits.ts';
import type { Conversation, Step } from '../core/conversation.ts';
import type { LinkHandler } from '../core/link.ts';
import type { Talked, TalkOptions } from '../core/network.ts';
import { PeerClosed, TalkTimeout } from '../core/network.ts';
import type { SocketLink } from './link.ts';
import type { TlsClient, TlsServer } from './tls.ts';

/** Ahead of what the conversation asks for, this much is taken in; then the peer must wait. */
const READ_AHEAD_BYTES = limits.passwordMessageBytes.value + 1024;

export interface TalkTls {
  readonly server?: TlsServer | undefined;
  readonly client?: TlsClient | undefined;
}

/** Drives a conversation over a socket. */
export function converse<Result>(
  link: SocketLink,
  conversation: Conversation<Result>,
  options: TalkOptions,
  tls: TalkTls,
  clock: Clock,
): Promise<Talked<Result>> {
  const talk = new Talk(link, conversation, { tls, clock });
  talk.begin(options.timeoutMs);
  return talk.over;
}

class Talk<Result> implements LinkHandler {
  readonly #link: SocketLink;
  readonly #conversation: Conversation<Result>;
  readonly #tls: TalkTls;
  readonly #outcome = Promise.withResolvers<Talked<Result>>();
  readonly #clock: Clock;
  /** When the peer's time is up; and what stops it. */
  #endsAtMs = 0;
  #callOff: (() => void) | undefined;
  #buffer: Uint8Array = EMPTY;
  #step: Step | undefined;
  #isOver = false;

  constructor(
    link: SocketLink,
    conversation: Conversation<Result>,
    { tls, clock }: { readonly tls: TalkTls; readonly clock: Clock },
  ) {
    this.#link = link;
    this.#conversation = conversation;
    this.#tls = tls;
    this.#clock = clock;
  }

  get over(): Promise<Talked<Result>> {
    return this.#outcome.promise;
  }

  begin(timeoutMs: number): void {
    this.#startClock(timeoutMs);
    this.#link.handler = this;
    if (!this.#link.isOpen) this.closed(undefined);
    else this.#resume(EMPTY);
  }

  data(bytes: Uint8Array): void {
    if (this.#isOver) return;
    this.#buffer = this.#buffer.length === 0 ? bytes : concat([this.#buffer, bytes]);
    if (this.#buffer.length > READ_AHEAD_BYTES) this.#link.pause();
    const answer = this.#step === undefined ? undefined : this.#answer(this.#step);
    if (answer !== undefined) this.#resume(answer);
  }

  drained(): void {}

  closed(problem: string | undefined): void {
    if (this.#isOver) return;
    if (this.#step?.kind === 'readEnd') this.#resume(EMPTY);
    else this.fail(new PeerClosed(problem ?? 'the peer closed the connection'));
  }

  fail(error: unknown): void {
    if (this.#isOver) return;
    this.#finish();
    try {
      // Lets the conversation clean up; what it would still say has no one to hear it.
      this.#conversation.throw(error);
      this.#outcome.reject(error);
    } catch (why) {
      this.#outcome.reject(why); // the same, or what it means at this point of the conversation
    }
  }

  #resume(answer: Uint8Array): void {
    this.#step = undefined;
    try {
      this.#follow(this.#conversation.next(answer));
    } catch (error) {
      this.fail(error);
    }
  }

  #throw(problem: unknown): void {
    this.#step = undefined;
    try {
      this.#follow(this.#conversation.throw(problem));
    } catch (error) {
      this.fail(error);
    }
  }

  /** Goes along with the conversation up to the next step that must wait for the peer or for work. */
  #follow(first: IteratorResult<Step, Result>): void {
    let next = first;
    while (!this.#isOver && next.done !== true) {
      const answer = this.#answer(next.value);
      if (answer === undefined) {
        this.#step = next.value;
        this.#pursue(next.value);
        return;
      }
      next = this.#conversation.next(answer);
    }
    if (this.#isOver || next.done !== true) return;
    this.#finish();
    this.#outcome.resolve({ result: next.value, leftover: this.#buffer });
  }

  /** What the step is resumed with, where that is known already. */
  #answer(step: Step): Uint8Array | undefined {
    switch (step.kind) {
      case 'send':
        this.#link.write(step.bytes);
        return EMPTY;
      case 'read':
      case 'peek':
        return this.#take(step);
      case 'readEnd':
      case 'startTls':
      case 'endTls':
      case 'wait':
        return undefined;
    }
  }

  #take({ kind, bytes }: Extract<Step, { kind: 'read' | 'peek' }>): Uint8Array | undefined {
    assert(bytes <= READ_AHEAD_BYTES, 'a conversation asked for more than may be read ahead');
    const buffer = this.#buffer;
    if (buffer.length < bytes) return undefined;
    if (kind === 'peek') return buffer;
    const isAll = buffer.length === bytes;
    this.#buffer = isAll ? EMPTY : buffer.subarray(bytes);
    if (this.#buffer.length <= READ_AHEAD_BYTES) this.#link.resume();
    return isAll ? buffer : buffer.subarray(0, bytes);
  }

  #pursue(step: Step): void {
    if (step.kind === 'wait') this.#wait(step.work);
    else if (step.kind === 'startTls') this.#await(this.#startTls(step));
    else if (step.kind === 'endTls') this.#await(this.#endTls());
    else if (!this.#link.isOpen) this.closed(undefined);
  }

  /** The time that our own work takes is not the peer's: that has bounds of its own. */
  #wait(work: () => Promise<void>): void {
    const leftMs = this.#stopClock();
    const timed = async (): Promise<Uint8Array> => {
      try {
        await work();
      } finally {
        if (!this.#isOver) this.#startClock(leftMs);
      }
      return EMPTY;
    };
    this.#await(timed());
  }

  #startClock(timeoutMs: number): void {
    this.#endsAtMs = this.#clock.nowMs() + timeoutMs;
    this.#callOff = this.#clock.after(timeoutMs, () =>
      this.fail(new TalkTimeout('the peer took too long')),
    );
  }

  /** Returns how much of the peer's time is left, in milliseconds. */
  #stopClock(): number {
    this.#callOff?.();
    return Math.max(0, this.#endsAtMs - this.#clock.nowMs());
  }

  #await(work: Promise<Uint8Array>): void {
    work.then(
      (answer) => {
        if (!this.#isOver) this.#resume(answer);
      },
      (error: unknown) => {
        if (!this.#isOver) this.#throw(error);
      },
    );
  }

  async #startTls(step: Extract<Step, { kind: 'startTls' }>): Promise<Uint8Array> {
    const early = this.#buffer;
    this.#buffer = EMPTY;
    this.#link.resume();
    if (early.length > 0 && !step.helloIsBuffered) {
      // Whoever sits between could have put these bytes there (CVE-2021-3935, trap PG-30).
      throw new Violation('plaintext was sent after TLS had been agreed');
    }
    const { envelope } = step;
    if (step.side === 'server') {
      const { server } = this.#tls;
      assert(server !== undefined, 'TLS was agreed without a certificate');
      step.agreed(
        await (envelope === undefined
          ? this.#link.startTlsAsServer(server, early)
          : this.#link.startTlsIn(envelope, server, early)),
      );
    } else {
      const { client } = this.#tls;
      assert(client !== undefined, 'TLS was agreed without client settings');
      step.agreed(
        await (envelope === undefined
          ? this.#link.startTlsAsClient(client)
          : this.#link.startTlsIn(envelope, client, EMPTY)),
      );
    }
    return EMPTY;
  }

  async #endTls(): Promise<Uint8Array> {
    await this.#link.endTls();
    return EMPTY;
  }

  #finish(): void {
    this.#isOver = true;
    this.#callOff?.();
    this.#link.resume();
  }
}
