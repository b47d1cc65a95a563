import { u8 } from '../../base/bytes.ts';
import { frontend } from '../../wire/postgres/message-types.ts';
import type { Effects } from './effects.ts';
import type { Ledger } from './ledger.ts';
import type { PostgresMemory } from './memory.ts';
import type { Outbox } from './outbox.ts';
import type { Place } from './place.ts';
import { inside, wayOf } from './state.ts';
import type { Tracker } from './tracker.ts';
import { NOBODYS } from './unnamed.ts';

const FORGET = ['DISCARD SEQUENCES'];
/** The first two letters of INSERT, MERGE and COPY: what a command calls itself when it is complete. */
const changing = ['IN', 'ME', 'CO'].map((tag) => (tag.charCodeAt(0) << 8) | tag.charCodeAt(1));

/**
 * Keeps apart what sessions see by `currval` and `lastval`. `nextval` and `setval` show in a statement, but a column's default
 * uses a sequence without a word of it. So once somebody who has inserted asks for the last value, everybody who inserts keeps
 * the connection for a moment, as the question mostly comes next; and who has inserted nothing on a connection is told that
 * there is no last value, as on a connection of its own.
 */
export class SequenceGuard {
  readonly #tracker: Tracker;
  readonly #expects: boolean;
  /** This session was the last to use the connection before. */
  #isHome = false;
  /** Rows have been inserted: since the connection was borrowed, in this request, by this session at any time. */
  #insertedHere = false;
  #insertedNow = false;
  #insertedEver = false;
  /** The request at hand asks for a last value. */
  #isAsked = false;
  /** The connection is kept because the question may come. */
  #isExpecting = false;

  /** `expects`: connections are kept for a question that may come. */
  constructor(tracker: Tracker, expects: boolean) {
    this.#tracker = tracker;
    this.#expects = expects;
  }

  attached(memory: PostgresMemory): void {
    this.#isHome = memory.user === this;
    memory.user = this;
    this.#insertedHere = false;
  }

  /** A command is complete; `bytes` has what it calls itself from `start` on. */
  completed(bytes: Uint8Array, start: number): void {
    if (!changing.includes((u8(bytes, start) << 8) | u8(bytes, start + 1))) return;
    this.#insertedHere = true;
    this.#insertedNow = true;
    this.#insertedEver = true;
  }

  /**
   * A statement that asks for a last value is about to be run, by the message at `place`. If that is a query, it is known
   * whether a transaction is open.
   */
  asks(
    memory: PostgresMemory,
    { digest }: Effects,
    { type, at }: Place,
    { ledger, outbox }: { readonly ledger: Ledger; readonly outbox: Outbox },
  ): void {
    this.#isAsked = true;
    if (this.#insertedEver) memory.realm.readsSequences = true;
    if (this.#tracker.isPinnedBy('sequence') || memory.status === 'E') return;
    if (this.#isHome || this.#insertedHere) {
      this.#tracker.pin('sequence', digest);
      this.#isExpecting = true;
      return;
    }
    const isQuery = type === frontend.query;
    const way = isQuery && memory.status === 'I' ? wayOf(FORGET) : inside(FORGET);
    outbox.upTo(at);
    outbox.put(way.bytes);
    for (const code of way.owed) ledger.push(code);
    memory.unnamed = NOBODYS;
  }

  /** A statement has used a sequence by name: the connection is kept for more than a question that may come. */
  used(): void {
    this.#isExpecting = false;
  }

  /** The request is over. */
  settle(memory: PostgresMemory): void {
    const mayBeAsked = this.#expects && this.#insertedNow && memory.realm.readsSequences;
    if (mayBeAsked && !this.#tracker.isPinnedBy('sequence')) {
      this.#tracker.pin('sequence', 'rows were inserted, whose numbers may be asked for');
      this.#isExpecting = true;
    } else if (this.#isExpecting && !this.#isAsked && !mayBeAsked) this.relax();
    this.#insertedNow = false;
    this.#isAsked = false;
  }

  /** The question has not come. Returns whether the connection was kept for it. */
  relax(): boolean {
    const wasExpecting = this.#isExpecting;
    this.#isExpecting = false;
    if (wasExpecting) this.#tracker.unpin('sequence');
    return wasExpecting;
  }
}
