import { latin1 } from '../../base/bytes.ts';
import { HEADER_BYTES } from '../../wire/postgres/framing.ts';
import type { Assumption } from './ledger.ts';
import type { Outbox } from './outbox.ts';
import type { Edit, Exchange } from './sql-names.ts';
import { growth, NAME_BYTES } from './sql-names.ts';

/** A message of the client's in a chunk: it begins at `at`, its body is `[start, end)` as far as it has arrived. */
export interface Place {
  readonly bytes: Uint8Array;
  readonly type: number;
  readonly at: number;
  readonly start: number;
  readonly end: number;
  /** How long the body is in all. */
  readonly bodyBytes: number;
}

/** Passes the message on with some of its bytes exchanged, and its length accordingly. */
export function exchange(outbox: Outbox, place: Place, edits: readonly Edit[]): void {
  const { type, at, start, bodyBytes } = place;
  outbox.upTo(at);
  outbox.putHeader(type, bodyBytes + growth(edits) + HEADER_BYTES - 1);
  outbox.resumeAt(start);
  for (const edit of edits) {
    outbox.upTo(edit.start);
    outbox.put(edit.to);
    outbox.resumeAt(edit.end);
  }
}

/** A statement's name as PostgreSQL compares it, by its first 63 bytes: what comes behind them it does not keep. */
export function nameIn(bytes: Uint8Array, start: number, end: number): string {
  return latin1(bytes, start, Math.min(end, start + NAME_BYTES));
}

/** A message that means a statement by this name. */
export function called(
  bytes: Uint8Array,
  start: number,
  end: number,
  moves: Exchange['moves'],
): Assumption {
  return { undo() {}, calls: latin1(bytes, start, end), moves };
}
