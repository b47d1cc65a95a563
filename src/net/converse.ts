import { assert, must, Violation } from '../base/assert.ts';
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
  return new Promise((resolve, reject) => {
    new Talk(link, conversation, tls, resolve, reject).begin(clock, options.timeoutMs);
  });
}

class Talk<Result> implements LinkHandler {
  readonly #link: SocketLink;
  readonly #conversation: Conversation<Result>;
  readonly #tls: TalkTls;
  readonly #resolve: (talked: Talked<Result>) => void;
  readonly #reject: (error: unknown) => void;
  /** Stops the peer's time and tells how much of it is left, in milliseconds. */
  #stopClock: () => number = () => 0;
  #clock: Clock | undefined;
  #buffer: Uint8Array = EMPTY;
  #step: Step | undefined;
  #over = false;

  constructor(
    link: SocketLink,
    conversation: Conversation<Result>,
    tls: TalkTls,
    resolve: (talked: Talked<Result>) => void,
    reject: (error: unknown) => void,
  ) {
    this.#link = link;
    this.#conversation = conversation;
    this.#tls = tls;
    this.#resolve = resolve;
    this.#reject = reject;
  }

  begin(clock: Clock, timeoutMs: number): void {
    this.#clock = clock;
    this.#startClock(timeoutMs);
    this.#link.handler = this;
    if (!this.#link.isOpen) this.closed(undefined);
    else this.#run(() => this.#conversation.next(EMPTY));
  }

  data(bytes: Uint8Array): void {
    if (this.#over) return;
    this.#buffer = this.#buffer.length === 0 ? bytes : concat([this.#buffer, bytes]);
    if (this.#buffer.length > READ_AHEAD_BYTES) this.#link.pause();
    const answer = this.#step === undefined ? undefined : this.#answer(this.#step);
    if (answer !== undefined) this.#run(() => this.#conversation.next(answer));
  }

  drained(): void {}

  closed(problem: string | undefined): void {
    if (this.#over) return;
    if (this.#step?.kind === 'readEnd') this.#run(() => this.#conversation.next(EMPTY));
    else this.fail(new PeerClosed(problem ?? 'the peer closed the connection'));
  }

  fail(error: unknown): void {
    if (this.#over) return;
    this.#finish();
    try {
      // Lets the conversation clean up; what it would still say has no one to hear it.
      this.#conversation.throw(error);
      this.#reject(error);
    } catch (why) {
      this.#reject(why); // the same, or what it means at this point of the conversation
    }
  }

  /** Runs the conversation up to the next step that must wait for the peer or for work. */
  #run(resume: () => IteratorResult<Step, Result>): void {
    this.#step = undefined;
    try {
      let next = resume();
      while (!this.#over && next.done !== true) {
        const answer = this.#answer(next.value);
        if (answer === undefined) {
          this.#step = next.value;
          this.#pursue(next.value);
          return;
        }
        next = this.#conversation.next(answer);
      }
      if (this.#over || next.done !== true) return;
      this.#finish();
      this.#resolve({ result: next.value, leftover: this.#buffer });
    } catch (error) {
      this.fail(error);
    }
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
    else if (!this.#link.isOpen) this.closed(undefined);
  }

  /** The time that our own work takes is not the peer's: that has bounds of its own. */
  #wait(work: () => Promise<void>): void {
    const leftMs = this.#stopClock();
    const timed = async (): Promise<Uint8Array> => {
      try {
        await work();
      } finally {
        if (!this.#over) this.#startClock(leftMs);
      }
      return EMPTY;
    };
    this.#await(timed());
  }

  #startClock(timeoutMs: number): void {
    const clock = must(this.#clock, 'a conversation that has not begun');
    const endsAtMs = clock.nowMs() + timeoutMs;
    const cancel = clock.after(timeoutMs, () =>
      this.fail(new TalkTimeout('the peer took too long')),
    );
    this.#stopClock = () => {
      cancel();
      return Math.max(0, endsAtMs - clock.nowMs());
    };
  }

  #await(work: Promise<Uint8Array>): void {
    work.then(
      (answer) => {
        if (!this.#over) this.#run(() => this.#conversation.next(answer));
      },
      (error: unknown) => {
        if (!this.#over) this.#run(() => this.#conversation.throw(error));
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
    if (step.side === 'server') {
      assert(this.#tls.server !== undefined, 'TLS was agreed without a certificate');
      step.agreed(await this.#link.startTlsAsServer(this.#tls.server, early));
    } else {
      assert(this.#tls.client !== undefined, 'TLS was agreed without client settings');
      step.agreed(await this.#link.startTlsAsClient(this.#tls.client));
    }
    return EMPTY;
  }

  #finish(): void {
    this.#over = true;
    this.#stopClock();
    this.#link.resume();
  }
}
