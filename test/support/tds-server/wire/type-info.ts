import { errors } from '../types/errors.ts';
import type { SqlType } from '../types/sql-type.ts';
import {
  MAX,
  bigint,
  bit,
  datetime,
  float,
  int,
  isWide,
  nvarchar,
  smallint,
  sqlType,
  tinyint,
  variant,
} from '../types/sql-type.ts';
import type { Sink } from './sink.ts';
import type { Source } from './source.ts';

/** LCID 1033, sort order 52: SQL_Latin1_General_CP1_CI_AS. */
export const COLLATION = Uint8Array.of(0x09, 0x04, 0xd0, 0x00, 0x34);

/** Where a protocol's version matters; LOGIN7 holds them so. */
export const since = {
  tds71: 0x71000001,
  tds72: 0x72090002,
  tds73: 0x730a0003,
  nbc: 0x730b0003,
  tds74: 0x74000004,
};

/** How long a value says to be: by its type alone, in one byte, two, four, or in chunks. */
export type Lengths = 'fixed' | 'byte' | 'short' | 'long' | 'chunks' | 'none' | 'table';

/** A type as a request describes it. */
export interface WireType {
  readonly token: number;
  readonly lengths: Lengths;
  readonly type: SqlType;
}

/** How a type goes over the wire in a version that may not know it. */
export function typeFor(type: SqlType, version: number): SqlType {
  if (version < since.tds72) {
    if (type.name === 'xml') return sqlType('ntext', MAX);
    if (type.length === MAX && /^nvarchar|^varchar|^varbinary/.test(type.name))
      return sqlType(
        type.name === 'nvarchar' ? 'ntext' : type.name === 'varchar' ? 'text' : 'image',
        MAX,
      );
  }
  if (version < since.tds73) {
    if (type.name === 'date') return nvarchar(10);
    if (type.name === 'time') return nvarchar(16);
    if (type.name === 'datetime2') return nvarchar(27);
    if (type.name === 'datetimeoffset') return nvarchar(34);
  }
  return type;
}

const sizes: Readonly<Record<string, readonly [token: number, bytes: number]>> = {
  bit: [0x68, 1],
  tinyint: [0x26, 1],
  smallint: [0x26, 2],
  int: [0x26, 4],
  bigint: [0x26, 8],
  real: [0x6d, 4],
  float: [0x6d, 8],
  money: [0x6e, 8],
  smallmoney: [0x6e, 4],
  datetime: [0x6f, 8],
  smalldatetime: [0x6f, 4],
  uniqueidentifier: [0x24, 16],
};

const sized: Readonly<Record<string, number>> = {
  nvarchar: 0xe7,
  nchar: 0xef,
  varchar: 0xa7,
  char: 0xaf,
  varbinary: 0xa5,
  binary: 0xad,
};

/** TYPE_INFO. Types without NULL go as their nullable ones, which SQL Server does for whatever is computed. */
export function writeTypeInfo(sink: Sink, type: SqlType): void {
  const [token, bytes] = sizes[type.name] ?? [];
  if (token !== undefined && bytes !== undefined) {
    sink.u8(token).u8(bytes);
    return;
  }
  const charged = sized[type.name];
  if (charged !== undefined) {
    const unit = isWide(type) ? 2 : 1;
    sink.u8(charged).u16(type.length === MAX ? 0xff_ff : Math.max(type.length, 1) * unit);
    if (/char/.test(type.name)) sink.bytes(COLLATION);
    return;
  }
  switch (type.name) {
    case 'decimal':
    case 'numeric':
      sink
        .u8(type.name === 'decimal' ? 0x6a : 0x6c)
        .u8(decimalBytes(type.precision))
        .u8(type.precision)
        .u8(type.scale);
      return;
    case 'date':
      sink.u8(0x28);
      return;
    case 'time':
      sink.u8(0x29).u8(type.scale);
      return;
    case 'datetime2':
      sink.u8(0x2a).u8(type.scale);
      return;
    case 'datetimeoffset':
      sink.u8(0x2b).u8(type.scale);
      return;
    case 'xml':
      sink.u8(0xf1).u8(0);
      return;
    case 'sql_variant':
      sink.u8(0x62).i32(8009);
      return;
    default:
      sink.u8(type.name === 'ntext' ? 0x63 : type.name === 'text' ? 0x23 : 0x22).i32(0x7f_ff_ff_ff);
      if (type.name !== 'image') sink.bytes(COLLATION);
  }
}

/** Of a value with so many digits, its sign included. */
export function decimalBytes(precision: number): number {
  if (precision <= 9) return 5;
  if (precision <= 19) return 9;
  return precision <= 28 ? 13 : 17;
}

const fixed: Readonly<Record<number, SqlType>> = {
  0x30: tinyint,
  0x32: bit,
  0x34: smallint,
  0x38: int,
  0x3a: sqlType('smalldatetime'),
  0x3b: sqlType('real', 0, 24),
  0x3c: sqlType('money', 0, 19, 4),
  0x3d: datetime,
  0x3e: float,
  0x7a: sqlType('smallmoney', 0, 10, 4),
  0x7f: bigint,
};

/** By token and size. */
const nullable: Readonly<Record<number, Readonly<Record<number, SqlType>>>> = {
  0x26: { 1: tinyint, 2: smallint, 4: int, 8: bigint },
  0x68: { 1: bit },
  0x6d: { 4: sqlType('real', 0, 24), 8: float },
  0x6e: { 4: sqlType('smallmoney', 0, 10, 4), 8: sqlType('money', 0, 19, 4) },
  0x6f: { 4: sqlType('smalldatetime'), 8: datetime },
  0x24: { 16: sqlType('uniqueidentifier') },
};

/** TYPE_INFO as a request has it. */
export function readTypeInfo(source: Source, version: number): WireType {
  const token = source.u8();
  const known = fixed[token];
  if (known !== undefined) return { token, lengths: 'fixed', type: known };
  const family = nullable[token];
  if (family !== undefined) {
    const type = family[source.u8()];
    if (type === undefined) throw errors.protocol('A type has an impossible length.');
    return { token, lengths: 'byte', type };
  }
  switch (token) {
    case 0x1f:
      return { token, lengths: 'none', type: int };
    case 0x28:
      return { token, lengths: 'byte', type: sqlType('date') };
    case 0x29:
      return { token, lengths: 'byte', type: sqlType('time', 0, 0, source.u8()) };
    case 0x2a:
      return { token, lengths: 'byte', type: sqlType('datetime2', 0, 0, source.u8()) };
    case 0x2b:
      return { token, lengths: 'byte', type: sqlType('datetimeoffset', 0, 0, source.u8()) };
    case 0x37:
    case 0x3f:
    case 0x6a:
    case 0x6c: {
      source.u8();
      const precision = source.u8();
      return { token, lengths: 'byte', type: sqlType('decimal', 0, precision, source.u8()) };
    }
    case 0x25:
    case 0x2d:
      return { token, lengths: 'byte', type: sqlType('varbinary', source.u8()) };
    case 0x27:
    case 0x2f:
      return { token, lengths: 'byte', type: sqlType('varchar', source.u8()) };
    case 0xa5:
    case 0xad:
    case 0xa7:
    case 0xaf:
    case 0xe7:
    case 0xef:
      return readSized(source, token, version);
    case 0x22:
    case 0x23:
    case 0x63: {
      source.u32();
      if (token !== 0x22 && version >= 0x71000000) source.bytes(5);
      const name = token === 0x22 ? 'image' : token === 0x23 ? 'text' : 'ntext';
      return { token, lengths: 'long', type: sqlType(name, MAX) };
    }
    case 0xf1:
      if (source.u8() !== 0) {
        source.bVarchar();
        source.bVarchar();
        source.usVarchar();
      }
      return { token, lengths: 'chunks', type: sqlType('xml', MAX) };
    case 0x62:
      source.u32();
      return { token, lengths: 'long', type: variant };
    case 0xf3:
      return { token, lengths: 'table', type: int };
    default:
      throw errors.protocol(`A type 0x${token.toString(16)} is unknown.`);
  }
}

function readSized(source: Source, token: number, version: number): WireType {
  const name = Object.entries(sized).find(([, one]) => one === token)?.[0] as 'nvarchar';
  const bytes = source.u16();
  const isCharacter = /char/.test(name);
  if (isCharacter && version >= 0x71000000) source.bytes(5);
  if (bytes === 0xff_ff) {
    if (version < since.tds72) throw errors.protocol('Types without a limit come with TDS 7.2.');
    return { token, lengths: 'chunks', type: sqlType(name, MAX) };
  }
  if (bytes > 8000) throw errors.protocol('A type is longer than 8000 bytes.');
  return { token, lengths: 'short', type: sqlType(name, name.startsWith('n') ? bytes / 2 : bytes) };
}
