import type { Decimal } from './decimal.ts';
import type { Moment } from './moment.ts';

export type Value = null | boolean | number | bigint | string | Uint8Array | Decimal | Moment;

/** In the order of precedence: what stands first gives the type of `a + b`. */
const names = [
  'sql_variant',
  'xml',
  'datetimeoffset',
  'datetime2',
  'datetime',
  'smalldatetime',
  'date',
  'time',
  'float',
  'real',
  'decimal',
  'numeric',
  'money',
  'smallmoney',
  'bigint',
  'int',
  'smallint',
  'tinyint',
  'bit',
  'ntext',
  'text',
  'image',
  'uniqueidentifier',
  'nvarchar',
  'nchar',
  'varchar',
  'char',
  'varbinary',
  'binary',
] as const;

export type TypeName = (typeof names)[number];

export interface SqlType {
  readonly name: TypeName;
  /** Characters or bytes; `MAX`; 0 where the type has no length. */
  readonly length: number;
  readonly precision: number;
  readonly scale: number;
}

export const MAX = -1;

export function sqlType(name: TypeName, length = 0, precision = 0, scale = 0): SqlType {
  return { name, length, precision, scale };
}

export const bit = sqlType('bit');
export const int = sqlType('int', 0, 10);
export const smallint = sqlType('smallint', 0, 5);
export const tinyint = sqlType('tinyint', 0, 3);
export const bigint = sqlType('bigint', 0, 19);
export const float = sqlType('float', 0, 53);
export const datetime = sqlType('datetime', 0, 23, 3);
export const datetime2 = sqlType('datetime2', 0, 27, 7);
export const sysname = sqlType('nvarchar', 128);
export const variant = sqlType('sql_variant');
export const nvarchar = (length: number): SqlType => sqlType('nvarchar', length);
export const varchar = (length: number): SqlType => sqlType('varchar', length);
export const varbinary = (length: number): SqlType => sqlType('varbinary', length);
export const decimal = (precision: number, scale: number): SqlType =>
  sqlType('decimal', 0, precision, scale);

/** Other names of types. */
const synonyms: Readonly<Record<string, SqlType>> = {
  sysname,
  integer: int,
  'double precision': float,
  dec: decimal(18, 0),
  timestamp: sqlType('binary', 8),
  rowversion: sqlType('binary', 8),
  'character varying': varchar(1),
  'national character varying': nvarchar(1),
  character: sqlType('char', 1),
};

const isSized = new Set(['nvarchar', 'nchar', 'varchar', 'char', 'varbinary', 'binary']);

/**
 * What `name(a, b)` means; `MAX` as an argument is -1. Undefined for an unknown name.
 * `unsized` is the length where none is written: 1 in declarations, 30 in CAST.
 */
export function namedType(name: string, args: readonly number[], unsized = 1): SqlType | undefined {
  const lower = name.toLowerCase();
  const synonym = synonyms[lower];
  const known = names.find((one) => one === lower) ?? synonym?.name;
  if (known === undefined) return undefined;
  const [first, second] = args;
  if (isSized.has(known) && lower !== 'timestamp' && lower !== 'rowversion')
    return sqlType(known, first ?? (lower === 'sysname' ? 128 : unsized));
  switch (known) {
    case 'decimal':
    case 'numeric':
      return sqlType(known, 0, first ?? 18, second ?? 0);
    case 'time':
    case 'datetime2':
    case 'datetimeoffset':
      return sqlType(known, 0, 0, first ?? 7);
    case 'float':
      return first !== undefined && first <= 24 ? sqlType('real', 0, 24) : float;
    case 'text':
    case 'ntext':
    case 'image':
    case 'xml':
      return sqlType(known, MAX);
    case 'bit':
      return bit;
    case 'int':
      return int;
    case 'bigint':
      return bigint;
    case 'smallint':
      return smallint;
    case 'tinyint':
      return tinyint;
    case 'money':
      return sqlType(known, 0, 19, 4);
    case 'smallmoney':
      return sqlType(known, 0, 10, 4);
    default:
      return synonym ?? sqlType(known);
  }
}

export function isText({ name }: SqlType): boolean {
  return /char|text|^xml/.test(name);
}

export function isWide({ name }: SqlType): boolean {
  return /^n(?:var)?char|^ntext|^xml/.test(name);
}

export function isBinary({ name }: SqlType): boolean {
  return /binary|^image/.test(name);
}

export function isTime({ name }: SqlType): boolean {
  return /date|time/.test(name);
}

export function isDecimal({ name }: SqlType): boolean {
  return /^decimal|^numeric|money/.test(name);
}

/** The type of what is either of the two: of CASE, UNION, COALESCE, comparisons. */
export function common(a: SqlType, b: SqlType): SqlType {
  const [first, second] = names.indexOf(a.name) <= names.indexOf(b.name) ? [a, b] : [b, a];
  if (isDecimal(first)) {
    const other = digitsOf(second);
    const own = digitsOf(first);
    const scale = Math.max(own.scale, other.scale);
    const whole = Math.max(own.precision - own.scale, other.precision - other.scale);
    if (first.name.endsWith('money') && !isDecimal(second)) return first;
    return decimal(Math.min(38, whole + scale), scale);
  }
  if (isSized.has(first.name) && (isText(second) || isBinary(second))) {
    const length =
      first.length === MAX || second.length === MAX ? MAX : Math.max(first.length, second.length);
    return sqlType(first.name, length);
  }
  return first;
}

/** As decimal digits. */
export function digitsOf(type: SqlType): { precision: number; scale: number } {
  if (isDecimal(type)) return type;
  if (type.name === 'int' && type.precision > 0) return { precision: type.precision, scale: 0 };
  const precision = { bigint: 19, int: 10, smallint: 5, tinyint: 3, bit: 1 }[type.name as 'int'];
  return { precision: precision ?? 18, scale: 0 };
}
