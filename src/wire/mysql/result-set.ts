// Results: what is read of those that pass, and whole ones of our own. MySQL documentation, "Text Resultset" and "Binary Protocol
// Resultset"; MariaDB's "Result Set Packets".
import { assert, must } from '../../base/assert.ts';
import { concat, EMPTY, u8 } from '../../base/bytes.ts';
import { limits } from '../../base/limits.ts';
import { binaryValue } from './binary-values.ts';
import type { BinaryValue } from './binary-values.ts';
import { BodyReader } from '../../base/body-reader.ts';
import { readLenenc, readNullableText } from './lenenc-reader.ts';
import { byte, lenencInt } from './build.ts';
import { capability, extension } from './capabilities.ts';
import type { Capabilities } from './capabilities.ts';
import { columnDefinition, nullable } from './column-definition.ts';
import type { Column } from './column-definition.ts';
import { EOF_HEADER, eof } from './eof.ts';
import { following, packet } from './framing.ts';
import { ok } from './ok.ts';

/** A reply that begins so asks the client for a file (trap MY-10); its name is the rest. */
export const LOCAL_INFILE_HEADER = 0xfb;

/** How many columns a result has. @param bytes its first packet's payload, `bytes[start, end)` */
export function readColumnCount(
  bytes: Uint8Array,
  start: number,
  end: number,
  agreed: Capabilities,
): number {
  const reader = new BodyReader('column count', bytes, start, end);
  const count = readLenenc(reader);
  if (saysWhether(agreed)) reader.skip(1);
  reader.end();
  if (count > limits.resultColumns.value) throw reader.violation(`a result of ${count} columns`);
  return count;
}

/** Whether the columns that `readColumnCount` has counted are described; where not, the client knows them (trap MY-06). */
export function metadataFollows(bytes: Uint8Array, end: number, agreed: Capabilities): boolean {
  return !saysWhether(agreed) || u8(bytes, end - 1) !== 0;
}

/** One byte behind the count, in either family (MySQL documents it before the count, and sends it behind). */
function saysWhether({ flags, extensions }: Capabilities): boolean {
  return (
    (flags & capability.optionalResultsetMetadata) !== 0 ||
    (extensions & extension.cacheMetadata) !== 0
  );
}

/** Of columns that are described. */
export function columnCount(count: number, agreed: Capabilities): Uint8Array {
  return concat([lenencInt(count), saysWhether(agreed) ? byte(1) : EMPTY]);
}

export function readTextRow(
  bytes: Uint8Array,
  start = 0,
  end = bytes.length,
): readonly (string | null)[] {
  const reader = new BodyReader('row', bytes, start, end);
  const values: (string | null)[] = [];
  while (reader.remaining > 0) values.push(readNullableText(reader));
  return values;
}

export function textRow(values: readonly (string | Uint8Array | null)[]): Uint8Array {
  return concat(values.map(nullable));
}

/** NULLs are told in a bitmap whose first two bits are not used. */
const FIRST_BIT = 2;

export function binaryRow(
  types: readonly number[],
  values: readonly (BinaryValue | null)[],
): Uint8Array {
  assert(types.length === values.length, 'a row has a value for each column');
  const nulls = new Uint8Array((values.length + FIRST_BIT + 7) >> 3);
  const present = values.map((value, index) => {
    if (value !== null) return binaryValue(must(types[index], 'a column without a type'), value);
    const bit = index + FIRST_BIT;
    nulls[bit >> 3] = u8(nulls, bit >> 3) | (1 << (bit & 7));
    return EMPTY;
  });
  return concat([byte(0), nulls, ...present]);
}

/** A result of our own, its rows built by `textRow` or `binaryRow`. */
export interface OwnResult {
  readonly columns: readonly Column[];
  readonly rows: readonly Uint8Array[];
  readonly status: number;
  readonly warnings: number;
}

/** The whole reply in packets, the first of which has the number `sequence`. @param agreed what both sides can do */
export function resultSet(sequence: number, result: OwnResult, agreed: Capabilities): Uint8Array {
  const { columns, rows, status, warnings } = result;
  const payloads = [
    columnCount(columns.length, agreed),
    ...columns.map((column) => columnDefinition(column, agreed.extensions)),
  ];
  const withoutEof = (agreed.flags & capability.deprecateEof) !== 0;
  if (!withoutEof) payloads.push(eof({ status, warnings }));
  payloads.push(...rows, withoutEof ? finalOk(result, agreed) : eof({ status, warnings }));
  return concat(payloads.map((payload, index) => packet(following(sequence, index), payload)));
}

function finalOk({ status, warnings }: OwnResult, { flags }: Capabilities): Uint8Array {
  const nothing = { affectedRows: 0n, lastInsertId: 0n, info: '', sessionState: EMPTY };
  return ok({ ...nothing, status, warnings }, flags, EOF_HEADER);
}
