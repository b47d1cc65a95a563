import { EMPTY, utf8 } from '../../base/bytes.ts';
import { BodyReader } from '../../base/body-reader.ts';
import { readNullableBytes } from '../../wire/mysql/lenenc-reader.ts';
import type { Capabilities } from '../../wire/mysql/capabilities.ts';
import { capability } from '../../wire/mysql/capabilities.ts';
import { charsetOf } from '../../wire/mysql/charsets.ts';
import { readColumn } from '../../wire/mysql/column-definition.ts';
import { columnFlag, columnType, isNumber } from '../../wire/mysql/column-types.ts';
import { isEof, isFinalOk } from '../../wire/mysql/eof.ts';
import { metadataFollows, readColumnCount } from '../../wire/mysql/result-set.ts';
import type { SessionChange } from '../../wire/mysql/session-track.ts';
import type { Shape } from './reply.ts';

/** Something of ours that the database is asked between two commands of the client's. */
export interface Step {
  readonly shape: Shape;
  /** The payloads of the packets of the reply. */
  readonly packets: Uint8Array[];
  /** What the reply tells of changes in the session. */
  reported?(changes: readonly SessionChange[]): void;
  /** The reply is there: `error` is the payload of the ERR packet, if that is what it is. */
  done(error: Uint8Array | undefined): void;
}

/** A value of a row of text: `isNumber` tells how SQL writes it. */
export interface Field {
  readonly text: Uint8Array | undefined;
  readonly isNumber: boolean;
  readonly isDouble: boolean;
  readonly isUnsigned: boolean;
  /** The number of the collation that the column is told with. */
  readonly collation: number;
}

/** Whether the values of a result set of ours come without a word of what they are. */
export function lacksMetadata([first]: readonly Uint8Array[], capabilities: Capabilities): boolean {
  return first !== undefined && !metadataFollows(first, first.length, capabilities);
}

/** The only row of a result set of ours, if it has one: column definitions, perhaps an EOF, the row. */
export function readOnlyRow(
  [first = EMPTY, ...rest]: readonly Uint8Array[],
  capabilities: Capabilities,
): Field[] | undefined {
  const count = readColumnCount(first, 0, first.length, capabilities);
  const columns = rest
    .slice(0, count)
    .map((packet) => readColumn(packet, 0, packet.length, capabilities.extensions));
  const withoutEof = (capabilities.flags & capability.deprecateEof) !== 0;
  const isEnd = withoutEof ? isFinalOk : isEof;
  const row = rest.slice(withoutEof ? count : count + 1)[0];
  if (row === undefined || isEnd(row, 0, row.length)) return undefined;
  const reader = new BodyReader('row', row);
  return columns.map(({ type, flags, collation }) => ({
    text: inUtf8(readNullableBytes(reader), collation),
    isNumber: isNumber(type),
    isDouble: type === columnType.double,
    isUnsigned: type === columnType.longlong && (flags & columnFlag.unsigned) !== 0,
    collation,
  }));
}

const wide: Readonly<Partial<Record<string, 'utf-16be' | 'utf-16le'>>> = {
  ucs2: 'utf-16be',
  utf16: 'utf-16be',
  utf16le: 'utf-16le',
};

/** A session may want its results in characters of which none is a byte. What is read of them here is ASCII, or is given up. */
function inUtf8(value: Uint8Array | null, collation: number): Uint8Array | undefined {
  const charset = charsetOf(collation)?.name ?? '';
  if (value === null) return undefined;
  if (charset === 'utf32') return value.filter((_, at) => at % 4 === 3);
  const encoding = wide[charset];
  return encoding === undefined ? value : utf8(new TextDecoder(encoding).decode(value));
}
