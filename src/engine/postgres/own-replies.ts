import { Violation } from '../../base/assert.ts';
import type { RelaySink } from '../../core/engine.ts';
import { message } from '../../wire/postgres/build.ts';
import { readDataRow, readReport } from '../../wire/postgres/backend-read.ts';
import { backend } from '../../wire/postgres/message-types.ts';
import { Describing } from './description.ts';
import type { Ledger } from './ledger.ts';
import { owed } from './ledger.ts';
import type { PostgresMemory } from './memory.ts';
import type { Tracker } from './tracker.ts';

/** A statement was cancelled: by a request that came too late for the client's own. */
const CANCELLED = '57014';

interface Parts {
  readonly sink: RelaySink;
  readonly ledger: Ledger;
  readonly tracker: Tracker;
}

/** Replies to what we have asked the database ourselves: none of them reaches the client. */
export class OwnReplies {
  readonly #parts: Parts;
  #row: readonly (string | null)[] | undefined;
  /** The question that waits for its answer, or must be asked again. */
  #question = '';
  mustAskAgain = false;

  constructor(parts: Parts) {
    this.#parts = parts;
  }

  /** Nothing is left of what was asked. */
  get isClear(): boolean {
    return this.#row === undefined && !this.mustAskAgain;
  }

  /** Notes what is about to be asked. */
  asks(question: string): void {
    this.#question = question;
    this.mustAskAgain = false;
  }

  get question(): string {
    return this.#question;
  }

  /**
   * A reply to the entry at the ledger's head, which is ours; `bytes[start, end)` is its body, or as much of a very long
   * description as there is. ReadyForQuery is not among them.
   */
  reply(type: number, bytes: Uint8Array, start: number, end: number, isWhole: boolean): void {
    const ledger = this.#parts.ledger;
    switch (type) {
      case backend.parseComplete:
        if (ledger.head === owed.ownParse) ledger.settle(owed.ownParse);
        return;
      case backend.closeComplete:
        ledger.settle(owed.ownClose);
        return;
      case backend.commandComplete:
        if (ledger.head === owed.ownStep || ledger.head === owed.ownMake)
          ledger.settle(ledger.head);
        return;
      case backend.dataRow:
        if (ledger.head === owed.ownQuery) this.#row = readDataRow(bytes.subarray(start, end));
        return;
      case backend.parameterDescription:
      case backend.rowDescription:
      case backend.noData:
        this.#describe(type, isWhole ? bytes.subarray(start, end) : undefined);
        return;
      case backend.bindComplete:
      case backend.noticeResponse:
        return;
      default:
        throw new Violation(`message type ${type} in answer to our own request`);
    }
  }

  #describe(type: number, body: Uint8Array | undefined): void {
    const ledger = this.#parts.ledger;
    if (ledger.head !== owed.ownDescribe) return;
    const assumption = ledger.headAssumption;
    if (assumption instanceof Describing) assumption.hear(type, body);
    if (type !== backend.parameterDescription) ledger.settle(owed.ownDescribe);
  }

  /** The database refuses something of ours. Returns whether that is the client's affair. */
  error(bytes: Uint8Array, start: number, end: number): boolean {
    const { head } = this.#parts.ledger;
    switch (head) {
      case owed.ownParse:
      case owed.ownMake:
      case owed.ownDescribe:
        // It was made for the client's statement, which could not have been run either.
        return true;
      case owed.ownQuery: {
        this.#row = undefined;
        const { code } = readReport(bytes.subarray(start, end));
        this.mustAskAgain = code === CANCELLED;
        return false;
      }
      case owed.ownStep: {
        const original = message(backend.errorResponse, bytes.slice(start, end));
        this.#parts.sink.fail({ name: 'restoreFailed', original });
        return false;
      }
      default:
        throw new Violation('an error in answer to our own request');
    }
  }

  /** A request of ours is over. */
  ready(memory: PostgresMemory, ended: number): void {
    if (ended !== owed.ownQuery || this.mustAskAgain) return;
    const row = this.#row;
    this.#row = undefined;
    this.#parts.tracker.answered(memory, row);
  }
}
