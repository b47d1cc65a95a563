import { guidBytes, guidText, typeOfValue } from '../types/convert.ts';
import { Decimal } from '../types/decimal.ts';
import { errors } from '../types/errors.ts';
import { Moment } from '../types/moment.ts';
import type { SqlType, Value } from '../types/sql-type.ts';
import { MAX, isWide, sqlType } from '../types/sql-type.ts';
import type { Sink } from './sink.ts';
import { Source } from './source.ts';
import type { WireType } from './type-info.ts';
import { COLLATION, decimalBytes, readTypeInfo } from './type-info.ts';

/** 1900-01-01 in days since 0001-01-01. */
const BASE_1900 = 693_595;

/** A value as ROW and RETURNVALUE hold it, with its length. `isColumn`: text, ntext and image come with a pointer. */
export function writeValue(sink: Sink, type: SqlType, value: Value, isColumn: boolean): void {
  if (value === null) {
    if (type.length === MAX && !/text|image/.test(type.name)) sink.i64(-1n);
    else if (/^(?:n?(?:var)?char|(?:var)?binary)$/.test(type.name)) sink.u16(0xff_ff);
    else if (/text|image/.test(type.name) && !isColumn) sink.i32(-1);
    else if (type.name === 'sql_variant') sink.i32(0);
    else sink.u8(0);
    return;
  }
  switch (type.name) {
    case 'bit':
      sink.u8(1).u8(value === true ? 1 : 0);
      return;
    case 'tinyint':
      sink.u8(1).u8(Number(value));
      return;
    case 'smallint':
      sink.u8(2).u16(Number(value));
      return;
    case 'int':
      sink.u8(4).i32(Number(value));
      return;
    case 'bigint':
      sink.u8(8).i64(value as bigint);
      return;
    case 'real':
      sink.u8(4).f32(Number(value));
      return;
    case 'float':
      sink.u8(8).f64(Number(value));
      return;
    case 'decimal':
    case 'numeric': {
      const { unscaled } = (value as Decimal).withScale(type.scale);
      const size = decimalBytes(type.precision);
      sink.u8(size).u8(unscaled < 0n ? 0 : 1);
      let rest = unscaled < 0n ? -unscaled : unscaled;
      for (let n = 1; n < size; n += 1, rest >>= 8n) sink.u8(Number(rest & 0xffn));
      return;
    }
    case 'money': {
      const { unscaled } = (value as Decimal).withScale(4);
      sink
        .u8(8)
        .i32(Number(unscaled >> 32n))
        .i32(Number(BigInt.asIntN(32, unscaled)));
      return;
    }
    case 'smallmoney':
      sink.u8(4).i32(Number((value as Decimal).withScale(4).unscaled));
      return;
    case 'uniqueidentifier':
      sink.u8(16).bytes(guidBytes(value as string));
      return;
    case 'date':
    case 'time':
    case 'datetime':
    case 'smalldatetime':
    case 'datetime2':
    case 'datetimeoffset':
      writeMoment(sink, type, value as Moment);
      return;
    case 'sql_variant':
      writeVariant(sink, value);
      return;
    default:
      writeLong(sink, type, value as string | Uint8Array, isColumn);
  }
}

function writeLong(sink: Sink, type: SqlType, value: string | Uint8Array, isColumn: boolean): void {
  const bytes = typeof value === 'string' ? encode(value, isWide(type)) : value;
  if (/text|image/.test(type.name)) {
    if (isColumn)
      sink.u8(16).bytes(Buffer.from('dummy textptr\0\0\0')).bytes(Buffer.from('dummyTS\0'));
    sink.i32(bytes.length).bytes(bytes);
  } else if (type.length === MAX) {
    sink.i64(BigInt(bytes.length));
    if (bytes.length > 0) sink.i32(bytes.length).bytes(bytes);
    sink.i32(0);
  } else sink.u16(bytes.length).bytes(bytes);
}

function timeBytes(scale: number): number {
  return scale <= 2 ? 3 : scale <= 4 ? 4 : 5;
}

function writeMoment(sink: Sink, type: SqlType, value: Moment): void {
  const size = timeBytes(type.scale);
  const time = ({ tick }: Moment): unknown =>
    sink.uint(Math.floor(tick / 10 ** (7 - type.scale)), size);
  switch (type.name) {
    case 'date':
      sink.u8(3).uint(value.day, 3);
      return;
    case 'time':
      sink.u8(size);
      time(value);
      return;
    case 'datetime2':
      sink.u8(size + 3);
      time(value);
      sink.uint(value.day, 3);
      return;
    case 'datetimeoffset': {
      const utc = Moment.fromInstant(value.instant, 0);
      sink.u8(size + 5);
      time(utc);
      sink.uint(utc.day, 3).u16(value.offset);
      return;
    }
    case 'smalldatetime':
      sink
        .u8(4)
        .u16(value.day - BASE_1900)
        .u16(Math.round(value.tick / 600_000_000));
      return;
    default:
      sink
        .u8(8)
        .i32(value.day - BASE_1900)
        .i32(Math.round((value.tick * 3) / 100_000));
  }
}

/** What is in a sql_variant goes as one of a few types. */
function writeVariant(sink: Sink, value: Value): void {
  const found = typeOfValue(value);
  if (value instanceof Decimal) {
    const bytes = decimalBytes(38);
    sink
      .i32(2 + 2 + bytes)
      .u8(0x6c)
      .u8(2)
      .u8(38)
      .u8(value.scale);
    return writeBare(sink, sqlType('numeric', 0, 38, value.scale), value);
  }
  if (value instanceof Moment) {
    sink
      .i32(2 + 1 + 8)
      .u8(0x2a)
      .u8(1)
      .u8(7);
    return writeBare(sink, found, value);
  }
  if (typeof value === 'string') {
    const bytes = encode(value, true);
    sink
      .i32(2 + 7 + bytes.length)
      .u8(0xe7)
      .u8(7)
      .bytes(COLLATION)
      .u16(8000)
      .bytes(bytes);
  } else if (value instanceof Uint8Array) {
    sink
      .i32(2 + 2 + value.length)
      .u8(0xa5)
      .u8(2)
      .u16(8000)
      .bytes(value);
  } else if (typeof value === 'boolean')
    sink
      .i32(3)
      .u8(0x32)
      .u8(0)
      .u8(value ? 1 : 0);
  else if (typeof value === 'bigint') sink.i32(10).u8(0x7f).u8(0).i64(value);
  else if (Number.isInteger(value)) sink.i32(6).u8(0x38).u8(0).i32(Number(value));
  else sink.i32(10).u8(0x3e).u8(0).f64(Number(value));
}

/** Without its length. */
function writeBare(sink: Sink, type: SqlType, value: Value): void {
  const before = sink.length;
  writeValue(sink, type, value, false);
  const bytes = new Uint8Array(sink.written.subarray(before + 1));
  sink.retreat(sink.length - before).bytes(bytes);
}

/** A table that comes as a parameter. */
export interface TableValue {
  readonly typeName: string;
  readonly columns: readonly { readonly name: string; readonly type: SqlType }[];
  readonly rows: readonly (readonly Value[])[];
}

export function readValue(source: Source, { type, lengths, token }: WireType): Value {
  switch (lengths) {
    case 'none':
      return null;
    case 'fixed':
      return decode(
        source,
        type,
        { 0x30: 1, 0x32: 1, 0x34: 2, 0x38: 4, 0x3a: 4, 0x3b: 4, 0x7a: 4 }[token] ?? 8,
      );
    case 'byte': {
      const size = source.u8();
      const isText = token === 0x27 || token === 0x2f || token === 0x25 || token === 0x2d;
      return size === 0 && !isText ? null : decode(source, type, size);
    }
    case 'short': {
      const size = source.u16();
      return size === 0xff_ff ? null : decode(source, type, size);
    }
    case 'long': {
      const size = source.i32();
      if (size === -1 || (size === 0 && type.name === 'sql_variant')) return null;
      return type.name === 'sql_variant' ? readVariant(source, size) : decode(source, type, size);
    }
    case 'chunks':
      return readChunks(source, type);
    case 'table':
      throw errors.protocol('A table stands where none can be.');
  }
}

function readChunks(source: Source, type: SqlType): Value {
  const total = source.u64();
  if (total === 0xff_ff_ff_ff_ff_ff_ff_ffn) return null;
  const pieces: Uint8Array[] = [];
  for (let size = source.u32(); size !== 0; size = source.u32()) pieces.push(source.bytes(size));
  const bytes = Buffer.concat(pieces);
  if (total !== 0xff_ff_ff_ff_ff_ff_ff_fen && total !== BigInt(bytes.length))
    throw errors.protocol('The chunks of a value are not as long as it.');
  return textOrBytes(type, bytes);
}

function textOrBytes(type: SqlType, bytes: Uint8Array): Value {
  if (/binary|image/.test(type.name)) return new Uint8Array(bytes);
  return decodeText(bytes, isWide(type));
}

function decode(source: Source, type: SqlType, size: number): Value {
  switch (type.name) {
    case 'bit':
      return source.u8() !== 0;
    case 'tinyint':
    case 'smallint':
    case 'int':
    case 'bigint':
      if (size === 8) return source.i64();
      return size === 1 ? source.u8() : size === 2 ? source.i16() : source.i32();
    case 'real':
    case 'float':
      return size === 4 ? source.f32() : source.f64();
    case 'money':
    case 'smallmoney': {
      if (size === 4) return new Decimal(BigInt(source.i32()), 4);
      const high = BigInt(source.i32());
      return new Decimal((high << 32n) | BigInt(source.u32()), 4);
    }
    case 'decimal': {
      const isPositive = source.u8() !== 0;
      let found = 0n;
      for (const [at, byte] of source.bytes(size - 1).entries())
        found |= BigInt(byte) << BigInt(8 * at);
      return new Decimal(isPositive ? found : -found, type.scale);
    }
    case 'uniqueidentifier':
      return guidText(source.bytes(16));
    case 'date':
    case 'time':
    case 'datetime':
    case 'smalldatetime':
    case 'datetime2':
    case 'datetimeoffset':
      return readMoment(source, type, size);
    default:
      return textOrBytes(type, source.bytes(size));
  }
}

function readMoment(source: Source, type: SqlType, size: number): Moment {
  const time = (bytes: number): number => source.uint(bytes) * 10 ** (7 - type.scale);
  switch (type.name) {
    case 'date':
      return new Moment(source.uint(3), 0);
    case 'time':
      return new Moment(BASE_1900, time(size));
    case 'datetime2': {
      const tick = time(size - 3);
      return new Moment(source.uint(3), tick);
    }
    case 'datetimeoffset': {
      const tick = time(size - 5);
      const utc = new Moment(source.uint(3), tick);
      return Moment.fromInstant(utc.instant, source.i16());
    }
    case 'smalldatetime': {
      const day = source.u16();
      return new Moment(day + BASE_1900, source.u16() * 600_000_000);
    }
    default: {
      const day = source.i32();
      return new Moment(day + BASE_1900, Math.round((source.u32() * 10) / 3) * 10_000);
    }
  }
}

function readVariant(source: Source, size: number): Value {
  const start = source.at;
  const token = source.u8();
  const properties = source.bytes(source.u8());
  const left = size - (source.at - start);
  const bytes = (name: 'nvarchar' | 'varchar' | 'varbinary'): Value =>
    decode(source, sqlType(name, left), left);
  switch (token) {
    case 0xe7:
    case 0xef:
      return bytes('nvarchar');
    case 0xa7:
    case 0xaf:
      return bytes('varchar');
    case 0xa5:
    case 0xad:
      return bytes('varbinary');
    case 0x6a:
    case 0x6c:
      return decode(source, sqlType('decimal', 0, properties[0], properties[1]), left);
    case 0x29:
    case 0x2a:
    case 0x2b: {
      const name = token === 0x29 ? 'time' : token === 0x2a ? 'datetime2' : 'datetimeoffset';
      return readMoment(source, sqlType(name, 0, 0, properties[0]), left);
    }
    case 0x28:
      return readMoment(source, sqlType('date'), left);
    case 0x24:
      return guidText(source.bytes(16));
    default: {
      const known: WireType = { token, lengths: 'fixed', type: sqlType('int') };
      return readFixed(source, known, left);
    }
  }
}

function readFixed(source: Source, { token }: WireType, size: number): Value {
  const bytes = source.bytes(size);
  const { type } = readTypeInfo(new Source(Uint8Array.of(token)), 0x74000004);
  return decode(new Source(bytes), type, size);
}

/** The table itself, behind its type's token. */
export function readTable(source: Source, version: number): TableValue | null {
  source.bVarchar();
  source.bVarchar();
  const typeName = source.bVarchar();
  const count = source.u16();
  if (count === 0xff_ff) {
    while (source.u8() !== 0);
    return { typeName, columns: [], rows: [] };
  }
  const columns = Array.from({ length: count }, () => {
    source.u32();
    const flags = source.u16();
    const wire = readTypeInfo(source, version);
    return { wire, type: wire.type, name: source.bVarchar(), isDefault: (flags & 0x200) !== 0 };
  });
  // Ordering and uniqueness, which say nothing of the rows here.
  for (let token = source.u8(); token !== 0; token = source.u8()) {
    const entries = source.u16();
    source.bytes(entries * (token === 0x10 ? 3 : 2));
  }
  const rows: Value[][] = [];
  for (let token = source.u8(); token !== 0; token = source.u8()) {
    if (token !== 1) throw errors.protocol('A table has something else than rows.');
    rows.push(columns.map(({ wire, isDefault }) => (isDefault ? null : readValue(source, wire))));
  }
  return { typeName, columns, rows };
}

const windows1252 = new TextDecoder('windows-1252');
const above = new Map(
  Array.from({ length: 32 }, (_, n) => [windows1252.decode(Uint8Array.of(0x80 + n)), 0x80 + n]),
);

function encode(text: string, isWideText: boolean): Uint8Array {
  if (isWideText) return Buffer.from(text, 'utf16le');
  return Uint8Array.from(text, (character) => {
    const code = character.codePointAt(0) ?? 63;
    return above.get(character) ?? (code < 256 ? code : 63);
  });
}

function decodeText(bytes: Uint8Array, isWideText: boolean): string {
  if (isWideText) return Buffer.from(bytes).toString('utf16le');
  return windows1252.decode(bytes);
}
