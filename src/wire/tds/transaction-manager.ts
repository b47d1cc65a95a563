// Requests to the transaction manager. [MS-TDS] 2.2.6.9.
import { Violation } from '../../base/assert.ts';
import { concat, EMPTY } from '../../base/bytes.ts';
import { BodyReader } from '../../base/body-reader.ts';
import { byte, int16, shortBytes } from './build.ts';
import { bodyAt, writeHeaders } from './headers.ts';
import { isWide } from './versions.ts';

export const tmRequest = {
  getDtcAddress: 0,
  propagate: 1,
  begin: 5,
  promote: 6,
  commit: 7,
  rollback: 8,
  save: 9,
} as const;

/** Levels as `begin` names them; 0 keeps the session's. */
export const isolationLevel = {
  current: 0,
  readUncommitted: 1,
  readCommitted: 2,
  repeatableRead: 3,
  serializable: 4,
  snapshot: 5,
} as const;

export interface TransactionRequest {
  readonly request: number;
  /** Of the transaction that begins, with `begin` or behind what ends the one before; undefined: none begins. */
  readonly isolation: number | undefined;
}

/** Of what ends a transaction: another one begins at once. */
const BEGINS_ANOTHER = 1;

/** @param bytes `[start, end)` is the whole payload */
export function readTransactionRequest(
  bytes: Uint8Array,
  start: number,
  end: number,
  version: number,
): TransactionRequest {
  const at = bodyAt(bytes, start, end, version);
  if (at === undefined)
    throw new Violation('transaction-manager request: shorter than its headers');
  const reader = new BodyReader('transaction-manager request', bytes, at, end);
  const request = reader.u16le();
  switch (request) {
    case tmRequest.begin:
      return { request, isolation: reader.u8() };
    case tmRequest.commit:
    case tmRequest.rollback: {
      // The transaction's name.
      reader.skip(reader.u8());
      const begins = (reader.u8() & BEGINS_ANOTHER) !== 0;
      return { request, isolation: begins ? reader.u8() : undefined };
    }
    default:
      return { request, isolation: undefined };
  }
}

/**
 * The payload of a request to begin, commit or roll back.
 * @param transaction the descriptor of the one it is about, 0n for none
 * @param isolation of the one that begins; undefined: none does
 */
export function transactionRequest(
  { request, isolation }: TransactionRequest,
  transaction: bigint,
  version: number,
): Uint8Array {
  const begins = isolation === undefined ? EMPTY : concat([byte(isolation), shortBytes(EMPTY)]);
  const ends = concat([shortBytes(EMPTY), byte(isolation === undefined ? 0 : BEGINS_ANOTHER)]);
  return concat([
    isWide(version) ? writeHeaders(transaction) : EMPTY,
    int16(request),
    request === tmRequest.begin ? EMPTY : ends,
    begins,
  ]);
}
