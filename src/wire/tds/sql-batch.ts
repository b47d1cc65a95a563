// SQL batches. [MS-TDS] 2.2.6.7.
import { concat, EMPTY, utf16 } from '../../base/bytes.ts';
import { bodyAt, writeHeaders } from './headers.ts';
import { isWide } from './versions.ts';

/** The payload of a batch. @param transaction the descriptor of the one it runs in, 0n for none */
export function sqlBatch(sql: string, transaction: bigint, version: number): Uint8Array {
  return concat([isWide(version) ? writeHeaders(transaction) : EMPTY, utf16(sql)]);
}

/**
 * Where a batch's text begins, which goes on to its end; undefined: too little has come.
 * @param bytes `[start, end)` is the payload as far as it is there
 */
export function sqlAt(
  bytes: Uint8Array,
  start: number,
  end: number,
  version: number,
): number | undefined {
  return bodyAt(bytes, start, end, version);
}
