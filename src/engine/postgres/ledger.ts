import { Violation } from '../../base/assert.ts';
import { limits } from '../../base/limits.ts';
import type { Move } from './positions.ts';

/** A message sent to the database whose reply is still owed. Those from `barrier` on are ours, and so are their replies. */
export const owed = {
  nothing: 0,
  query: 1,
  functionCall: 2,
  sync: 3,
  parse: 4,
  bind: 5,
  close: 6,
  describe: 7,
  execute: 8,
  /** CopyDone or CopyFail: has no reply of its own, but tells which Syncs the copy has swallowed. */
  copyEnd: 9,
  /** A Parse that was not sent, as the statement is there already: we answer it when its turn comes. */
  elidedParse: 10,
  /** An empty query, sent to find out which Syncs are still owed an answer. */
  barrier: 16,
  /** Parse, Bind and Execute of one statement that brings the connection to the session's state. */
  ownStep: 17,
  ownParse: 18,
  ownClose: 19,
  ownSync: 20,
  /** A question about what a session has left behind. */
  ownQuery: 21,
  /** A question about what a statement of the client's returns on this connection. */
  ownDescribe: 23,
  /** Parse, Bind and Execute of a PREPARE that the client's next statement needs. */
  ownMake: 22,
} as const;

const FIRST_OF_OURS = owed.barrier;

/** Ended by ReadyForQuery. */
function endsInReady(code: number): boolean {
  switch (code) {
    case owed.query:
    case owed.functionCall:
    case owed.sync:
    case owed.barrier:
    case owed.ownSync:
    case owed.ownQuery:
      return true;
    default:
      return false;
  }
}

/** What was taken for done when a message was sent. */
export interface Assumption {
  /** The message has been answered well. */
  hold?(): void;
  /** It was skipped, or failed. `failed`: the error is this message's own. */
  undo(failed: boolean): void;
  /** What the client calls the statement that the message means. */
  readonly calls?: string | undefined;
  /** How the text that was sent differs from the client's. */
  readonly moves?: readonly Move[] | undefined;
}

interface Attached {
  /** Counted from the first entry ever. */
  at: number;
  readonly assumption: Assumption;
}

/**
 * What a session is owed by the database, in order: one entry for each message sent, taken off as its reply comes. Only
 * with every reply accounted for does a connection change hands (traps PG-01, PG-02, PG-06, PG-07, PG-09).
 */
export class Ledger {
  #ring = new Uint8Array(16);
  #head = 0;
  #size = 0;
  /** How many entries have been taken off. */
  #dropped = 0;
  /** How many entries are ours. */
  #ours = 0;
  /** How many ends of requests have been pushed. */
  #ends = 0;
  readonly #attached: Attached[] = [];

  get size(): number {
    return this.#size;
  }

  get isEmpty(): boolean {
    return this.#size === 0;
  }

  /** Nothing that the client has sent is among what is owed. */
  get onlyOurs(): boolean {
    return this.#size === this.#ours;
  }

  /** How many requests have been sent to their end so far. */
  get ends(): number {
    return this.#ends;
  }

  /** The entry whose reply comes next, `owed.nothing` where none is due. */
  get head(): number {
    return this.#size === 0 ? owed.nothing : this.#at(0);
  }

  get headIsOurs(): boolean {
    return this.#size > 0 && this.#at(0) >= FIRST_OF_OURS;
  }

  /** What was assumed when the entry at the head was sent. */
  get headAssumption(): Assumption | undefined {
    const first = this.#attached[0];
    return first !== undefined && first.at === this.#dropped ? first.assumption : undefined;
  }

  push(code: number, assumption?: Assumption): void {
    if (this.#size === this.#ring.length) this.#grow();
    this.#ring[(this.#head + this.#size) & (this.#ring.length - 1)] = code;
    if (assumption !== undefined)
      this.#attached.push({ at: this.#dropped + this.#size, assumption });
    this.#size += 1;
    if (code >= FIRST_OF_OURS) this.#ours += 1;
    if (endsInReady(code)) this.#ends += 1;
  }

  /** Takes the head off; it must be `code`. */
  settle(code: number): void {
    if (this.head !== code)
      throw new Violation(
        `the database answered ${nameOf(code)} where ${nameOf(this.head)} was due`,
      );
    this.#drop();
  }

  /** Within a simple query such replies are not its end; otherwise as `settle`. */
  settleUnlessQuery(code: number): void {
    if (this.head !== owed.query) this.settle(code);
  }

  /** ReadyForQuery: takes off what it ends, and says which that is. */
  settleReady(): number {
    const { head } = this;
    if (!endsInReady(head))
      throw new Violation(`the database was ready where ${nameOf(head)} was due`);
    this.#drop();
    return head;
  }

  /** The entry at the head failed, whatever comes of those behind it. */
  failHead(): void {
    const first = this.#attached[0];
    if (first?.at !== this.#dropped) return;
    this.#attached.shift();
    first.assumption.undo(true);
  }

  /**
   * An error in the extended protocol: the database skips to the next Sync. False where that has not been sent yet. What was
   * assumed is taken back, the latest first.
   */
  skipToSync(): boolean {
    const failed = this.#dropped;
    while (this.#size > 0 && this.#at(0) !== owed.sync && this.#at(0) !== owed.ownSync)
      this.#dropOne();
    let count = 0;
    while ((this.#attached[count]?.at ?? Infinity) < this.#dropped) count += 1;
    const undone = this.#attached.splice(0, count);
    for (const { at, assumption } of undone.toReversed()) assumption.undo(at === failed);
    return this.#size > 0;
  }

  /** A copy ended well: the Syncs that were sent ahead of its end have been swallowed (trap PG-09). */
  endCopy(): void {
    const { head } = this;
    const first = this.#attached[0];
    const isHeads = first?.at === this.#dropped;
    this.#dropOne();
    while (this.#size > 0) {
      const code = this.#at(0);
      if (code !== owed.sync && code !== owed.copyEnd) break;
      this.#dropOne();
      if (code === owed.copyEnd) break;
    }
    // The copy's own entry goes on: its CommandComplete is being read.
    this.#unshift(head);
    if (isHeads) first.at = this.#dropped;
  }

  /** A copy failed: forgets its end, and says whether Syncs are owed of which nobody knows if it swallowed them. */
  failCopy(): boolean {
    let doubtful = false;
    for (let index = 0; index < this.#size; index += 1) {
      const code = this.#at(index);
      if (code === owed.copyEnd) {
        this.#remove(index);
        return doubtful;
      }
      if (code === owed.sync) doubtful = true;
    }
    return doubtful;
  }

  /** A Sync or a query, which ends what the extended protocol began, is among what is owed. */
  get hasEnd(): boolean {
    for (let i = 0; i < this.#size; i += 1) {
      const code = this.#at(i);
      if (code === owed.sync || code === owed.query) return true;
    }
    return false;
  }

  /** A Sync is owed, and nothing behind it. */
  get hasOneEnd(): boolean {
    for (let i = 0; i < this.#size; i += 1) {
      if (endsInReady(this.#at(i))) return this.#at(i) === owed.sync && i === this.#size - 1;
    }
    return false;
  }

  /** What is owed can change whether a transaction is open. */
  get hasAnyEnd(): boolean {
    for (let i = 0; i < this.#size; i += 1) if (endsInReady(this.#at(i))) return true;
    return false;
  }

  /** Nothing but Syncs is owed. */
  get onlySyncs(): boolean {
    for (let i = 0; i < this.#size; i += 1) {
      const code = this.#at(i);
      if (code !== owed.sync && code !== owed.copyEnd) return false;
    }
    return true;
  }

  /** The barrier was answered: the Syncs before it will not be. */
  reachBarrier(): void {
    while (this.#size > 0 && this.#at(0) !== owed.barrier) this.#dropOne();
  }

  #at(index: number): number {
    return this.#ring[(this.#head + index) & (this.#ring.length - 1)] ?? owed.nothing;
  }

  /** The head has been answered well. */
  #drop(): void {
    const first = this.#attached[0];
    if (first !== undefined && first.at === this.#dropped) {
      this.#attached.shift();
      first.assumption.hold?.();
    }
    this.#dropOne();
    // The end of a copy that never was, or has been dealt with, is owed nothing.
    while (this.#size > 0 && this.#at(0) === owed.copyEnd) this.#dropOne();
  }

  #dropOne(): void {
    if (this.#at(0) >= FIRST_OF_OURS) this.#ours -= 1;
    this.#head = (this.#head + 1) & (this.#ring.length - 1);
    this.#size -= 1;
    this.#dropped += 1;
  }

  #unshift(code: number): void {
    this.#head = (this.#head + this.#ring.length - 1) & (this.#ring.length - 1);
    this.#ring[this.#head] = code;
    this.#size += 1;
    this.#dropped -= 1;
    if (code >= FIRST_OF_OURS) this.#ours += 1;
  }

  /** Takes an entry out that is not the head's: a Sync or the end of a copy, on which nothing is attached. */
  #remove(index: number): void {
    for (let i = index; i + 1 < this.#size; i += 1) {
      this.#ring[(this.#head + i) & (this.#ring.length - 1)] = this.#at(i + 1);
    }
    this.#size -= 1;
    for (const one of this.#attached) if (one.at > this.#dropped + index) one.at -= 1;
  }

  #grow(): void {
    if (this.#size >= limits.owedReplies.value)
      throw new Violation(`more than ${limits.owedReplies.value} replies are owed`);
    const bigger = new Uint8Array(this.#ring.length * 2);
    for (let i = 0; i < this.#size; i += 1) bigger[i] = this.#at(i);
    this.#ring = bigger;
    this.#head = 0;
  }
}

function nameOf(code: number): string {
  for (const [name, value] of Object.entries(owed)) if (value === code) return name;
  return String(code);
}
