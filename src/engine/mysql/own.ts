import { utf8 } from '../../base/bytes.ts';
import { BodyReader } from '../../wire/mysql/body-reader.ts';
import type { Capabilities } from '../../wire/mysql/capabilities.ts';
import { capability, extension } from '../../wire/mysql/capabilities.ts';
import { charsetOf } from '../../wire/mysql/charsets.ts';
import { columnType } from '../../wire/mysql/column-types.ts';
import { lenenc } from '../../wire/mysql/values.ts';
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

const numbers: ReadonlySet<number> = new Set([
  columnType.decimal,
  columnType.tiny,
  columnType.short,
  columnType.long,
  columnType.float,
  columnType.double,
  columnType.longlong,
  columnType.int24,
  columnType.year,
  columnType.newDecimal,
]);

/** Whether the values of a result set of ours come without a word of what they are. */
export function lacksMetadata([first]: readonly Uint8Array[], { flags }: Capabilities): boolean {
  const isOptional = (flags & capability.optionalResultsetMetadata) !== 0;
  return isOptional && first?.at(-1) === 0;
}

/** The only row of a result set of ours, if it has one: column definitions, perhaps an EOF, the row. */
export function readOnlyRow(
  packets: readonly Uint8Array[],
  capabilities: Capabilities,
): Field[] | undefined {
  const [first, ...rest] = packets;
  const count = new BodyReader('column count', first ?? NOTHING).lenenc();
  const types = rest.slice(0, count).map((definition) => readType(definition, capabilities));
  // Without an EOF the row comes at once; what begins with 0xFE and is short is none.
  const behind = rest.slice(count);
  const row = behind.find((packet) => packet.length > 0 && !isShortEof(packet));
  if (row === undefined) return undefined;
  const reader = new BodyReader('row', row);
  return types.map(({ type, flags, collation }) => ({
    text: inUtf8(readField(reader, row), collation),
    isNumber: numbers.has(type),
    isDouble: type === columnType.double,
    isUnsigned: type === columnType.longlong && (flags & UNSIGNED) !== 0,
    collation,
  }));
}

/** UNSIGNED_FLAG of a column definition. */
const UNSIGNED = 0x20;
const NOTHING = new Uint8Array(0);

function isShortEof(packet: Uint8Array): boolean {
  return packet[0] === 0xfe && packet.length < 9;
}

function readField(reader: BodyReader, row: Uint8Array): Uint8Array | undefined {
  if (row[reader.at] !== lenenc.null) return reader.lenencBytes();
  reader.skip(1);
  return undefined;
}

/** Of a column definition. */
function readType(
  definition: Uint8Array,
  { extensions }: Capabilities,
): { readonly type: number; readonly flags: number; readonly collation: number } {
  const reader = new BodyReader('column definition', definition);
  for (let strings = 0; strings < 6; strings += 1) reader.lenencBytes();
  if ((extensions & extension.extendedMetadata) !== 0) reader.lenencBytes();
  reader.lenenc();
  const collation = reader.u16();
  reader.skip(4);
  return { type: reader.u8(), flags: reader.u16(), collation };
}

const wide: Readonly<Partial<Record<string, 'utf-16be' | 'utf-16le'>>> = {
  ucs2: 'utf-16be',
  utf16: 'utf-16be',
  utf16le: 'utf-16le',
};

/** A session may want its results in characters of which none is a byte. What is read of them here is ASCII, or is given up. */
function inUtf8(value: Uint8Array | undefined, collation: number): Uint8Array | undefined {
  const charset = charsetOf(collation)?.name ?? '';
  if (value === undefined) return undefined;
  if (charset === 'utf32') return value.filter((_, at) => at % 4 === 3);
  const encoding = wide[charset];
  return encoding === undefined ? value : utf8(new TextDecoder(encoding).decode(value));
}
