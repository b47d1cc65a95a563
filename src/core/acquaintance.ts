import type { Clock } from '../base/clock.ts';
import type { Conversation } from './conversation.ts';
import type { DiscardReason } from './discard.ts';
import type { Engine, Principal, Relay } from './engine.ts';
import type { Fault } from './fault.ts';
import { FaultError } from './fault.ts';
import type { Lot, Waiter } from './lot.ts';
import type { ServerConnection } from './server-connection.ts';

/** What is needed of the pool to ask the database something on behalf of a client that signs in. */
export interface ConnectionLender<Memory, Who extends Principal> {
  borrow(
    lot: Lot<Memory, Who>,
    relay: Pick<Relay<Memory>, 'fit'>,
  ): ServerConnection<Memory, Who> | undefined;
  queue(lot: Lot<Memory, Who>, waiter: Waiter<Memory, Who>): void;
  leave(lot: Lot<Memory, Who>, waiter: Waiter<Memory, Who>): void;
  release(connection: ServerConnection<Memory, Who>): void;
  /** Resolves with undefined where the connection is no more. */
  talk<Result>(
    connection: ServerConnection<Memory, Who>,
    conversation: Conversation<Result>,
    failure: DiscardReason,
  ): Promise<Result | undefined>;
}

/** Who waits for an answer, and may leave before it comes. */
export interface Leaver {
  /** Calls `work` when it leaves. */
  whenGone(work: () => void): void;
}

/** For whom any connection will do. */
const ANY: Pick<Relay<unknown>, 'fit'> = { fit: () => 'as wanted' };

/** Makes sure that it is known how sessions of a principal begin: the database may have to be asked what it makes of its wishes. */
export class Acquaintance<Memory, Who extends Principal> {
  readonly #engine: Engine<Memory, Who>;
  readonly #clock: Clock;
  readonly #lender: ConnectionLender<Memory, Who>;

  constructor(
    { engine, clock }: { engine: Engine<Memory, Who>; clock: Clock },
    lender: ConnectionLender<Memory, Who>,
  ) {
    this.#engine = engine;
    this.#clock = clock;
    this.#lender = lender;
  }

  /** Gives `welcome`, at once if that can be, or rejects with the database's refusal. */
  make(lot: Lot<Memory, Who>, welcome: Memory, who: Who, client: Leaver): Memory | Promise<Memory> {
    if (this.#engine.isAcquainted(welcome, who)) return welcome;
    return this.#begin(lot, welcome, who, client);
  }

  async #begin(lot: Lot<Memory, Who>, welcome: Memory, who: Who, client: Leaver): Promise<Memory> {
    const connection = this.#lender.borrow(lot, ANY) ?? (await this.#wait(lot, client));
    // Another one may have asked the same in the meantime.
    if (this.#engine.isAcquainted(welcome, who)) {
      this.#lender.release(connection);
      return welcome;
    }
    const answer = await this.#lender.talk(connection, this.#ask(connection, who), 'resetFailed');
    if (answer === undefined) throw new FaultError({ name: 'databaseLost' });
    if (answer.refusal !== undefined) throw new FaultError(answer.refusal);
    return welcome;
  }

  *#ask(
    { memory }: ServerConnection<Memory, Who>,
    who: Who,
  ): Conversation<{ readonly refusal: Fault | undefined }> {
    return { refusal: yield* this.#engine.acquaint(memory, who) };
  }

  #wait(lot: Lot<Memory, Who>, client: Leaver): Promise<ServerConnection<Memory, Who>> {
    return new Promise((resolve, reject) => {
      const login: Waiter<Memory, Who> = {
        sinceMs: this.#clock.nowMs(),
        isLogin: true,
        grant: resolve,
        refuse: (fault) => reject(new FaultError(fault)),
      };
      client.whenGone(() => this.#lender.leave(lot, login));
      this.#lender.queue(lot, login);
    });
  }
}
