// ALL_HEADERS: before a request, from 7.2 on. [MS-TDS] 2.2.5.3.
import { Violation } from '../../base/assert.ts';
import { concat, u16le, u32le } from '../../base/bytes.ts';
import { int16, int32, int64 } from './build.ts';
import { isWide } from './versions.ts';

export const headerType = { queryNotifications: 1, transaction: 2, traceActivity: 3 } as const;

/** The length of all, which counts itself. */
const TOTAL_BYTES = 4;
/** A header's own length, which counts itself, and its type. */
const HEAD_BYTES = 6;
/** A transaction's descriptor, and the number of requests under way. */
const TRANSACTION_BYTES = 8 + 4;
/** No request has more: what is to notify has the longest header, of two texts of up to 65,535 bytes each. */
const MOST_BYTES = 4 * 65_536;

/** @param transaction its descriptor, 0n for none */
export function writeHeaders(transaction: bigint, outstanding = 1): Uint8Array {
  const header = HEAD_BYTES + TRANSACTION_BYTES;
  return concat([
    int32(TOTAL_BYTES + header),
    int32(header),
    int16(headerType.transaction),
    int64(transaction),
    int32(outstanding),
  ]);
}

/**
 * How long the headers are that a request begins with, all of which need not have come; undefined: too little has.
 * @param bytes `[start, end)` is the payload as far as it is there
 */
export function headersBytes(bytes: Uint8Array, start: number, end: number): number | undefined {
  if (end - start < TOTAL_BYTES) return undefined;
  const total = u32le(bytes, start);
  if (total < TOTAL_BYTES || total > MOST_BYTES) throw new Violation(`headers of ${total} bytes`);
  return total;
}

/** Where what a request is about begins, headers skipped where the version has them; undefined: too little has come. */
export function bodyAt(
  bytes: Uint8Array,
  start: number,
  end: number,
  version: number,
): number | undefined {
  if (!isWide(version)) return start;
  const headers = headersBytes(bytes, start, end);
  return headers === undefined || headers > end - start ? undefined : start + headers;
}

/** Where the 8 bytes of the transaction's descriptor are (trap TD-18); undefined: there are none, or not all of them yet. */
export function transactionAt(bytes: Uint8Array, start: number, end: number): number | undefined {
  const total = headersBytes(bytes, start, end);
  if (total === undefined) return undefined;
  const last = start + total;
  const until = Math.min(end, last);
  let at = start + TOTAL_BYTES;
  while (until - at >= HEAD_BYTES) {
    const length = u32le(bytes, at);
    if (length < HEAD_BYTES || length > last - at) {
      throw new Violation(`a header of ${length} bytes`);
    }
    if (u16le(bytes, at + 4) === headerType.transaction) {
      if (length !== HEAD_BYTES + TRANSACTION_BYTES) {
        throw new Violation(`a header of a transaction of ${length} bytes`);
      }
      return at + length <= until ? at + HEAD_BYTES : undefined;
    }
    at += length;
  }
  return undefined;
}
