import { Violation } from '../../base/assert.ts';
import { limits } from '../../base/limits.ts';

/** A message sent to the database whose reply is still owed. */
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
  /** An empty query of our own, sent to find out which Syncs are still owed an answer. */
  barrier: 10,
  /** A Parse without a name: it replaces whatever statement without a name there was. */
  parseUnnamed: 11,
} as const;

/** Ended by ReadyForQuery. */
function endsInReady(code: number): boolean {
  return (
    code === owed.query || code === owed.functionCall || code === owed.sync || code === owed.barrier
  );
}

/**
 * What a session is owed by the database, in order: one entry for each message sent, taken off as its reply comes. Only
 * with every reply accounted for does a connection change hands (traps PG-01, PG-02, PG-06, PG-07, PG-09).
 */
export class Ledger {
  #ring = new Uint8Array(16);
  #head = 0;
  #size = 0;

  get isEmpty(): boolean {
    return this.#size === 0;
  }

  /** The entry whose reply comes next, `owed.nothing` where none is due. */
  get head(): number {
    return this.#size === 0 ? owed.nothing : this.#at(0);
  }

  push(code: number): void {
    if (this.#size === this.#ring.length) this.#grow();
    this.#ring[(this.#head + this.#size) & (this.#ring.length - 1)] = code;
    this.#size += 1;
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

  /** ReadyForQuery: takes off the query, function call or Sync that it ends, and says which. */
  settleReady(): number {
    const { head } = this;
    if (!endsInReady(head))
      throw new Violation(`the database was ready where ${nameOf(head)} was due`);
    this.#drop();
    return head;
  }

  /** An error in the extended protocol: the database skips to the next Sync. False where that has not been sent yet. */
  skipToSync(): boolean {
    while (this.#size > 0 && this.#at(0) !== owed.sync) this.#dropOne();
    return this.#size > 0;
  }

  /** A copy ended well: the Syncs that were sent ahead of its end have been swallowed (trap PG-09). */
  endCopy(): void {
    const { head } = this;
    this.#dropOne();
    while (this.#size > 0) {
      const code = this.#at(0);
      if (code !== owed.sync && code !== owed.copyEnd) break;
      this.#dropOne();
      if (code === owed.copyEnd) break;
    }
    // The copy's own entry goes on: its CommandComplete is being read.
    this.#unshift(head);
  }

  /** A copy failed: forgets its end, and says whether Syncs are owed of which nobody knows if it swallowed them. */
  failCopy(): boolean {
    const rest: number[] = [];
    let ended = false;
    let doubtful = false;
    for (let i = 0; i < this.#size; i += 1) {
      const code = this.#at(i);
      if (code === owed.copyEnd && !ended) ended = true;
      else rest.push(code);
      if (code === owed.sync && !ended) doubtful = true;
    }
    this.#head = 0;
    this.#size = 0;
    for (const code of rest) this.push(code);
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

  #drop(): void {
    this.#dropOne();
    // The end of a copy that never was, or has been dealt with, is owed nothing.
    while (this.#size > 0 && this.#at(0) === owed.copyEnd) this.#dropOne();
  }

  #dropOne(): void {
    this.#head = (this.#head + 1) & (this.#ring.length - 1);
    this.#size -= 1;
  }

  #unshift(code: number): void {
    this.#head = (this.#head + this.#ring.length - 1) & (this.#ring.length - 1);
    this.#ring[this.#head] = code;
    this.#size += 1;
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
