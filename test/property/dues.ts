import { errorFields } from '../support/messages.ts';
import type { Message } from '../support/messages.ts';

/** Client messages that are answered, each in its way. */
const ANSWERED = 'QFPBDECS';

/**
 * What a database still owes a client for what it was told: by the protocol's rules alone, so that a client knows when an
 * answer is whole, whatever was pipelined, and whatever failed in the middle.
 */
export class Dues {
  #owed: string[] = [];
  /** After an error the database passes over everything up to a Sync. */
  #skipping = false;
  #unsynced = false;
  #executed = false;
  /** It has said its last words: what it still owes is the end of the connection. */
  #leaving = false;
  /** As the last ReadyForQuery said. */
  status = 'I';

  /** All that was asked for has been answered. */
  get settled(): boolean {
    return this.#owed.length === 0 && !this.#leaving;
  }

  /** A request of the extended protocol is open: a Sync is missing. */
  get unsynced(): boolean {
    return this.#unsynced || this.#skipping;
  }

  /**
   * A query here would be one too many: where an Execute and no Sync comes before it, PostgreSQL 18 leaves the transaction
   * of the two half ended, and lets whatever comes next fail (XX000, unexpected state STARTED).
   */
  get mustSync(): boolean {
    return this.#executed && this.unsynced;
  }

  /** The client says this. */
  say(type: string): void {
    if (type === 'S') {
      this.#skipping = false;
      this.#unsynced = false;
    }
    if (type === 'E') this.#executed = true;
    else if (type === 'S') this.#executed = false;
    if (this.#skipping || !ANSWERED.includes(type)) return;
    // A query ends what unsynced messages began, as a Sync would.
    if (type === 'Q') this.#unsynced = false;
    else if (type !== 'S' && type !== 'F') this.#unsynced = true;
    this.#owed.push(type);
  }

  /** The database says this. */
  hear({ type, body }: Message): void {
    const [head] = this.#owed;
    switch (type) {
      case 'Z':
        this.status = String.fromCharCode(body[0] ?? 0);
        this.#owed.shift();
        return;
      case 'E':
        this.#leaving = /^(?:FATAL|PANIC)$/.test(errorFields(body)['V'] ?? '');
        if (head !== undefined && 'PBDEC'.includes(head)) this.#skip();
        return;
      case '1':
        return this.#settle('P');
      case '2':
        return this.#settle('B');
      case '3':
        return this.#settle('C');
      case 'T':
      case 'n':
        return this.#settle('D');
      case 'C':
      case 'I':
      case 's':
        return this.#settle('E');
      default:
    }
  }

  /** Within a query such a message is a part of the answer. */
  #settle(type: string): void {
    if (this.#owed[0] === type) this.#owed.shift();
  }

  #skip(): void {
    const sync = this.#owed.indexOf('S');
    this.#skipping = sync < 0;
    this.#owed = sync < 0 ? [] : this.#owed.slice(sync);
    if (this.#skipping) this.#unsynced = false;
  }
}
