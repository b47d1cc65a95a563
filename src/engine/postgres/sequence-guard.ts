import { u8 } from '../../base/bytes.ts';
import { frontend } from '../../wire/postgres/message-types.ts';
import type { Effects } from './effects.ts';
import type { PostgresMemory } from './memory.ts';
import type { Place } from './place.ts';
import type { Way } from './state.ts';
import { inside, wayOf } from './state.ts';
import type { Tracker } from './tracker.ts';
import type { Traffic } from './traffic.ts';

const FORGET = ['DISCARD SEQUENCES'];
const FORGET_APART = wayOf(FORGET);
const FORGET_INSIDE = inside(FORGET);
/** More than one session has used the connection since what it knows of sequences was forgotten. */
const SEVERAL = {};
/** The first letters of INSERT, MERGE and COPY: what a command calls itself when it is complete. COMMIT is another. */
const [INSERT, MERGE, COPY] = [0x49_4e_53, 0x4d_45_52, 0x43_4f_50];

/**
 * Keeps apart what sessions see by `currval` and `lastval`. `nextval` and `setval` show in a statement, but a column's default
 * uses a sequence without a word of it. So once somebody who has inserted asks for the last value, everybody who inserts keeps
 * the connection for a moment, as the question mostly comes next; and what a connection knows of somebody else's sequences is
 * forgotten before this session can ask for it: once somebody has asked, whenever it gets such a connection; the first time,
 * ahead of the question.
 */
export class SequenceGuard {
  readonly #tracker: Tracker;
  readonly #expects: boolean;
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

  /** Returns what must come ahead of the session's next request, if anything must. */
  attached(memory: PostgresMemory): Way | undefined {
    this.#insertedHere = false;
    const { sequencesOf, realm } = memory;
    const mustForget =
      this.#expects && realm.asksForLast && sequencesOf !== undefined && sequencesOf !== this;
    memory.sequencesOf = mustForget || sequencesOf === undefined ? this : sequencesOf;
    if (memory.sequencesOf !== this) memory.sequencesOf = SEVERAL;
    return mustForget ? FORGET_APART : undefined;
  }

  /** A command is complete; `bytes` has what it calls itself from `start` on. */
  completed(bytes: Uint8Array, start: number): void {
    const tag = (u8(bytes, start) << 16) | (u8(bytes, start + 1) << 8) | u8(bytes, start + 2);
    if (tag !== INSERT && tag !== MERGE && tag !== COPY) return;
    this.#insertedHere = true;
    this.#insertedNow = true;
    this.#insertedEver = true;
  }

  /**
   * A statement that asks for a last value is about to be run, by the message at `place`. If that is a query, it is known
   * whether a transaction is open.
   */
  asks(memory: PostgresMemory, { digest }: Effects, { type, at }: Place, traffic: Traffic): void {
    this.#isAsked = true;
    memory.realm.asksForLast = true;
    if (this.#insertedEver) memory.realm.readsSequences = true;
    if (this.#tracker.isPinnedBy('sequence') || memory.status === 'E') return;
    if (memory.sequencesOf === this || this.#insertedHere) {
      this.#tracker.pin('sequence', digest);
      this.#isExpecting = true;
      return;
    }
    const isQuery = type === frontend.query;
    traffic.ahead(isQuery && memory.status === 'I' ? FORGET_APART : FORGET_INSIDE, at, memory);
    memory.sequencesOf = this;
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

  /** The connection is kept for a question that may come, whatever else it is kept for. */
  get isExpecting(): boolean {
    return this.#isExpecting;
  }

  /** The question has not come. Returns whether the connection was kept for it. */
  relax(): boolean {
    const wasExpecting = this.#isExpecting;
    this.#isExpecting = false;
    if (wasExpecting) this.#tracker.unpin('sequence');
    return wasExpecting;
  }
}
