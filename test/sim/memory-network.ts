import { concat, EMPTY } from '../../src/base/bytes.ts';
import type { Clock } from '../../src/base/clock.ts';
import type { Conversation, Step } from '../../src/core/conversation.ts';
import type { Link, LinkHandler } from '../../src/core/link.ts';
import type { Network, Talked, TalkOptions } from '../../src/core/network.ts';
import { PeerClosed, TalkTimeout } from '../../src/core/network.ts';

/** A call that the database has not taken yet. */
export interface Dial {
  take(link: Link): void;
  fail(problem: string): void;
}

/** Reaches a database that the test plays: each dial rings at `answer`. Conversations follow the rules of `net/converse`. */
export class MemoryNetwork implements Network {
  readonly #clock: Clock;
  readonly #answer: (dial: Dial) => void;

  constructor(clock: Clock, answer: (dial: Dial) => void) {
    this.#clock = clock;
    this.#answer = answer;
  }

  dial(timeoutMs: number): Promise<Link> {
    const { promise, resolve, reject } = Promise.withResolvers<Link>();
    const stop = this.#clock.after(timeoutMs, () => reject(new Error('no answer')));
    this.#answer({
      take: (link) => {
        stop();
        resolve(link);
      },
      fail: (problem) => {
        stop();
        reject(new Error(problem));
      },
    });
    return promise;
  }

  talk<Result>(
    link: Link,
    conversation: Conversation<Result>,
    { timeoutMs }: TalkOptions,
  ): Promise<Talked<Result>> {
    return new Promise((resolve, reject) => {
      new Talk(link, conversation, new Patience(this.#clock, timeoutMs), resolve, reject).begin();
    });
  }
}

/** How long a peer may still take: runs only while it is the peer's turn. */
class Patience {
  readonly #clock: Clock;
  #leftMs: number;
  #sinceMs = 0;
  #stop: () => void = () => {};

  constructor(clock: Clock, timeoutMs: number) {
    this.#clock = clock;
    this.#leftMs = timeoutMs;
  }

  start(late: () => void): void {
    this.#sinceMs = this.#clock.nowMs();
    this.#stop = this.#clock.after(this.#leftMs, late);
  }

  pause(): void {
    this.#stop();
    this.#leftMs -= this.#clock.nowMs() - this.#sinceMs;
  }
}

class Talk<Result> implements LinkHandler {
  readonly #link: Link;
  readonly #conversation: Conversation<Result>;
  readonly #resolve: (talked: Talked<Result>) => void;
  readonly #reject: (error: unknown) => void;
  readonly #patience: Patience;
  #buffer: Uint8Array = EMPTY;
  #step: Step | undefined;
  #over = false;

  constructor(
    link: Link,
    conversation: Conversation<Result>,
    patience: Patience,
    resolve: (talked: Talked<Result>) => void,
    reject: (error: unknown) => void,
  ) {
    this.#link = link;
    this.#conversation = conversation;
    this.#patience = patience;
    this.#resolve = resolve;
    this.#reject = reject;
  }

  begin(): void {
    this.#patience.start(() => this.#late());
    this.#link.handler = this;
    if (this.#link.isOpen) this.#advance(() => this.#conversation.next(EMPTY));
    else this.closed(undefined);
  }

  data(bytes: Uint8Array): void {
    this.#buffer = concat([this.#buffer, bytes]);
    this.#feed();
  }

  drained(): void {}

  closed(problem: string | undefined): void {
    if (this.#step?.kind === 'readEnd') this.#advance(() => this.#conversation.next(EMPTY));
    else this.fail(new PeerClosed(problem ?? 'the peer closed the connection'));
  }

  fail(error: unknown): void {
    if (this.#over) return;
    this.#finish();
    try {
      this.#conversation.throw(error);
      this.#reject(error);
    } catch (why) {
      this.#reject(why);
    }
  }

  #late(): void {
    this.fail(new TalkTimeout('the peer took too long'));
  }

  #feed(): void {
    const step = this.#step;
    if (step?.kind !== 'read' || this.#buffer.length < step.bytes) return;
    const taken = this.#buffer.subarray(0, step.bytes);
    this.#buffer = this.#buffer.subarray(step.bytes);
    this.#advance(() => this.#conversation.next(taken));
  }

  #advance(resume: () => IteratorResult<Step, Result>): void {
    if (this.#over) return;
    this.#step = undefined;
    try {
      let next = resume();
      while (next.done !== true && next.value.kind === 'send') {
        this.#link.write(next.value.bytes);
        next = this.#conversation.next(EMPTY);
      }
      if (next.done === true) {
        this.#finish();
        this.#resolve({ result: next.value, leftover: this.#buffer });
      } else {
        this.#attend(next.value);
      }
    } catch (error) {
      this.fail(error);
    }
  }

  #attend(step: Step): void {
    this.#step = step;
    if (step.kind === 'wait') {
      this.#patience.pause();
      step.work().then(
        () => this.#resume(() => this.#conversation.next(EMPTY)),
        (error: unknown) => this.#resume(() => this.#conversation.throw(error)),
      );
    } else {
      this.#feed();
    }
  }

  #resume(resume: () => IteratorResult<Step, Result>): void {
    if (this.#over) return;
    this.#patience.start(() => this.#late());
    this.#advance(resume);
  }

  #finish(): void {
    this.#over = true;
    this.#patience.pause();
    this.#link.resume();
  }
}
