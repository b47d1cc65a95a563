import { concat, EMPTY } from '../../base/bytes.ts';
import { BodyReader } from '../../base/body-reader.ts';
import { readLenenc, readLenencBytes, readLenencText, readNullableText } from './lenenc-reader.ts';
import { byte, int16, int32, lenencInt, lenencString } from './build.ts';
import { extension } from './capabilities.ts';
import { lenenc } from './values.ts';

const CATALOG = lenencString('def');
/** What follows the names: collation, length, type, flags, decimals and two bytes of nothing. */
const FACTS_BYTES = 2 + 4 + 1 + 2 + 1 + 2;

/** A column of a result, or a parameter. MySQL documentation, "Column Definition". */
export interface Column {
  readonly schema: string;
  /** Its table as the statement calls it, and by its own name. */
  readonly table: string;
  readonly originalTable: string;
  readonly name: string;
  readonly originalName: string;
  /** MariaDB's extended metadata, undecoded: what the type is more exactly. Empty for none. */
  readonly extended: Uint8Array;
  readonly collation: number;
  /** The most bytes of a value. */
  readonly length: number;
  readonly type: number;
  readonly flags: number;
  readonly decimals: number;
  /** In answers to COM_FIELD_LIST alone (trap MY-15): null where there is no default. */
  readonly defaultValue: string | null | undefined;
}

/** @param extensions what both sides can do */
export function readColumn(
  bytes: Uint8Array,
  start: number,
  end: number,
  extensions: number,
): Column {
  const reader = new BodyReader('column definition', bytes, start, end);
  readLenencBytes(reader);
  const schema = readLenencText(reader);
  const table = readLenencText(reader);
  const originalTable = readLenencText(reader);
  const name = readLenencText(reader);
  const originalName = readLenencText(reader);
  const extended = tellsMore(extensions) ? readLenencBytes(reader).slice() : EMPTY;
  if (readLenenc(reader) !== FACTS_BYTES) throw reader.violation('of another length');
  const collation = reader.u16le();
  const length = reader.u32le();
  const type = reader.u8();
  const flags = reader.u16le();
  const decimals = reader.u8();
  reader.skip(2);
  const defaultValue = reader.remaining === 0 ? undefined : readNullableText(reader);
  reader.end();
  const names = { schema, table, originalTable, name, originalName };
  return { ...names, extended, collation, length, type, flags, decimals, defaultValue };
}

function tellsMore(extensions: number): boolean {
  return (extensions & extension.extendedMetadata) !== 0;
}

/** @param extensions what both sides can do */
export function columnDefinition(column: Column, extensions: number): Uint8Array {
  const { defaultValue } = column;
  return concat([
    CATALOG,
    lenencString(column.schema),
    lenencString(column.table),
    lenencString(column.originalTable),
    lenencString(column.name),
    lenencString(column.originalName),
    tellsMore(extensions) ? lenencString(column.extended) : EMPTY,
    lenencInt(FACTS_BYTES),
    int16(column.collation),
    int32(column.length),
    byte(column.type),
    int16(column.flags),
    byte(column.decimals),
    int16(0),
    defaultValue === undefined ? EMPTY : nullable(defaultValue),
  ]);
}

/** A value in a row of text, or a default. */
export function nullable(value: string | Uint8Array | null): Uint8Array {
  return value === null ? byte(lenenc.null) : lenencString(value);
}

/** A column of our own results: of no table, and of no type beyond its type. */
export function ownColumn(
  facts: Pick<Column, 'name' | 'collation' | 'length' | 'type' | 'flags' | 'decimals'>,
): Column {
  const nowhere = { schema: '', table: '', originalTable: '', originalName: '' };
  return { ...nowhere, ...facts, extended: EMPTY, defaultValue: undefined };
}
