import { Decimal } from './decimal.ts';
import { SqlError, errors } from './errors.ts';
import { Moment } from './moment.ts';
import type { SqlType, Value } from './sql-type.ts';
import {
  MAX,
  bigint,
  bit,
  common,
  datetime2,
  decimal,
  float,
  int,
  isBinary,
  isDecimal,
  isText,
  isTime,
  nvarchar,
  sqlType,
  varbinary,
} from './sql-type.ts';

const ranges: Readonly<Record<string, readonly [bigint, bigint]>> = {
  tinyint: [0n, 255n],
  smallint: [-32_768n, 32_767n],
  int: [-2_147_483_648n, 2_147_483_647n],
  bigint: [-(2n ** 63n), 2n ** 63n - 1n],
};

/** What a value that came without a type is: of sql_variant, of parameters. */
export function typeOfValue(value: Value): SqlType {
  if (value === null) return int;
  if (typeof value === 'boolean') return bit;
  if (typeof value === 'number') return Number.isInteger(value) ? int : float;
  if (typeof value === 'bigint') return bigint;
  if (typeof value === 'string') return nvarchar(value.length > 4000 ? MAX : 4000);
  if (value instanceof Decimal) return decimal(Math.max(value.digits, 18), value.scale);
  if (value instanceof Moment) return datetime2;
  return varbinary(value.length > 8000 ? MAX : 8000);
}

/** As CAST and CONVERT. `silent` cuts long texts off, as casts do; else they do not fit (2628 is told by the column). */
export function convert(value: Value, from: SqlType, to: SqlType, style = 0): Value {
  if (value === null) return null;
  if (from.name === 'sql_variant') return convert(value, typeOfValue(value), to, style);
  switch (to.name) {
    case 'sql_variant':
      return value;
    case 'bit':
      return toBit(value, from);
    case 'tinyint':
    case 'smallint':
    case 'int':
      return Number(toInteger(value, from, to));
    case 'bigint':
      return toInteger(value, from, to);
    case 'float':
      return toNumber(value, from, to);
    case 'real':
      return Math.fround(toNumber(value, from, to));
    case 'decimal':
    case 'numeric':
    case 'money':
    case 'smallmoney':
      return toDecimal(value, from, to);
    case 'date':
    case 'time':
    case 'datetime':
    case 'smalldatetime':
    case 'datetime2':
    case 'datetimeoffset':
      return toMoment(value, from, to);
    case 'uniqueidentifier':
      return toGuid(value, from);
    case 'binary':
    case 'varbinary':
    case 'image':
      return toBinary(value, from, to, style);
    default: {
      const text = toText(value, from, style);
      const cut = to.length > 0 ? text.slice(0, to.length) : text;
      return to.name === 'nchar' || to.name === 'char' ? cut.padEnd(to.length) : cut;
    }
  }
}

function toBit(value: Value, from: SqlType): boolean {
  if (typeof value === 'boolean') return value;
  if (typeof value === 'string') {
    if (/^\s*true\s*$/i.test(value)) return true;
    if (/^\s*false\s*$/i.test(value)) return false;
    return toInteger(value, from, bigint) !== 0n;
  }
  if (value instanceof Decimal) return value.unscaled !== 0n;
  return Boolean(toNumber(value, from, bit));
}

function toInteger(value: Value, from: SqlType, to: SqlType): bigint {
  const found = integerOf(value, from, to);
  const [low, high] = ranges[to.name] ?? [found, found];
  if (found < low || found > high) {
    if (typeof value === 'string' && to.name === 'int')
      throw new SqlError(
        248,
        `The conversion of the ${from.name} value '${value}' overflowed an int column.`,
        16,
        1,
        'batch',
      );
    throw errors.overflow(to.name);
  }
  return found;
}

function integerOf(value: Value, from: SqlType, to: SqlType): bigint {
  if (typeof value === 'bigint') return value;
  if (typeof value === 'boolean') return value ? 1n : 0n;
  if (value instanceof Decimal)
    return from.name.endsWith('money') ? value.withScale(0).unscaled : value.toBigInt();
  if (typeof value === 'number') return BigInt(Math.trunc(value));
  if (typeof value === 'string') {
    if (/^\s*[+-]?\d+\s*$/.test(value)) return BigInt(value.trim().replace(/^\+/, ''));
    if (value.trim() === '') return 0n;
    if (to.name === 'bigint')
      throw new SqlError(
        8114,
        `Error converting data type ${from.name} to bigint.`,
        16,
        5,
        'batch',
      );
    throw errors.conversion(from.name, value, to.name);
  }
  if (value instanceof Uint8Array) {
    let found = 0n;
    for (const byte of value.subarray(-8)) found = (found << 8n) | BigInt(byte);
    return BigInt.asIntN(to.name === 'bigint' ? 64 : 32, found);
  }
  if (value instanceof Moment && /^(?:small)?datetime$/.test(from.name))
    return BigInt(Math.round(value.day - 693_595 + value.tick / 864e9));
  throw errors.incompatible(from.name, to.name);
}

function toNumber(value: Value, from: SqlType, to: SqlType): number {
  if (typeof value === 'number') return value;
  if (typeof value === 'bigint' || typeof value === 'boolean') return Number(value);
  if (value instanceof Decimal) return value.toNumber();
  if (typeof value === 'string') {
    const found = Number(value);
    if (Number.isNaN(found))
      throw new SqlError(
        8114,
        `Error converting data type ${from.name} to ${to.name}.`,
        16,
        5,
        'batch',
      );
    return found;
  }
  if (value instanceof Moment) return value.day - 693_595 + value.tick / 864e9;
  return Number(integerOf(value, from, to));
}

function toDecimal(value: Value, from: SqlType, to: SqlType): Decimal {
  let found: Decimal | undefined;
  if (value instanceof Decimal) found = value;
  else if (typeof value === 'string')
    found = Decimal.parse(to.name.endsWith('money') ? value.replace(/[$,]/g, '') : value);
  else if (typeof value === 'number') found = Decimal.of(value);
  else found = Decimal.of(integerOf(value, from, bigint));
  if (found === undefined)
    throw new SqlError(8114, `Error converting data type ${from.name} to numeric.`, 16, 5, 'batch');
  const fitted = found.withScale(to.scale);
  if (fitted.digits > Math.max(to.precision, 1) && fitted.unscaled !== 0n)
    throw new SqlError(
      8115,
      `Arithmetic overflow error converting ${from.name} to data type numeric.`,
      16,
      8,
    );
  return fitted;
}

function toMoment(value: Value, from: SqlType, to: SqlType): Moment {
  let found: Moment | undefined;
  if (value instanceof Moment) found = value;
  else if (typeof value === 'string') found = Moment.parse(value);
  else if (typeof value === 'number' && /^(?:small)?datetime$/.test(to.name))
    found = new Moment(
      693_595 + Math.floor(value),
      Math.round((value - Math.floor(value)) * 864e9),
    );
  else throw errors.incompatible(from.name, to.name);
  if (found === undefined) throw errors.badDate();
  switch (to.name) {
    case 'date':
      return new Moment(found.day, 0);
    case 'time':
      return new Moment(693_595, found.rounded(to.scale).tick);
    case 'datetime': {
      if (found.day < 639_905)
        throw new SqlError(
          242,
          `The conversion of a ${from.name} data type to a datetime data type resulted in an out-of-range value.`,
          16,
          3,
          'batch',
        );
      // In three hundredths of a second.
      const ticks = Math.round((found.tick * 3) / 100_000);
      return new Moment(found.day, Math.round((ticks * 10) / 3) * 10_000);
    }
    case 'smalldatetime':
      return new Moment(found.day, Math.round(found.tick / 600_000_000) * 600_000_000);
    case 'datetimeoffset':
      return found.rounded(to.scale);
    default: {
      // A text's offset is thereby ignored, as that of a datetimeoffset is.
      const local = found.rounded(to.scale);
      return new Moment(local.day, local.tick);
    }
  }
}

function toGuid(value: Value, from: SqlType): string {
  if (typeof value === 'string') {
    const found = /^\{?([\da-f]{8}(?:-[\da-f]{4}){3}-[\da-f]{12})\}?/i.exec(value)?.[1];
    if (found === undefined)
      throw new SqlError(
        8169,
        'Conversion failed when converting from a character string to uniqueidentifier.',
        16,
        2,
        'batch',
      );
    return found.toUpperCase();
  }
  if (value instanceof Uint8Array) {
    const bytes = Buffer.alloc(16);
    bytes.set(value.subarray(0, 16));
    return guidText(bytes);
  }
  throw errors.incompatible(from.name, 'uniqueidentifier');
}

/** Sixteen bytes in the order of the wire. */
export function guidText(bytes: Uint8Array): string {
  const hex = Buffer.from(bytes).toString('hex').toUpperCase();
  const pairs = hex.match(/../g) ?? [];
  const pick = (...at: number[]): string => at.map((one) => pairs[one] ?? '').join('');
  return `${pick(3, 2, 1, 0)}-${pick(5, 4)}-${pick(7, 6)}-${pick(8, 9)}-${hex.slice(20)}`;
}

export function guidBytes(text: string): Uint8Array {
  const hex = Buffer.from(text.replaceAll('-', ''), 'hex');
  const order = [3, 2, 1, 0, 5, 4, 7, 6, 8, 9, 10, 11, 12, 13, 14, 15];
  return Uint8Array.from(order, (at) => hex[at] ?? 0);
}

function toBinary(value: Value, from: SqlType, to: SqlType, style: number): Uint8Array {
  const found = binaryOf(value, from, style);
  if (to.length === MAX) return found;
  if (to.name === 'binary' || typeof value === 'number') {
    const bytes = new Uint8Array(
      to.name === 'binary' ? to.length : Math.min(to.length, found.length),
    );
    // Numbers are cut and filled at their front, the rest behind.
    if (typeof value === 'number' || typeof value === 'bigint') {
      const part = found.subarray(-bytes.length);
      bytes.set(part, bytes.length - part.length);
    } else bytes.set(found.subarray(0, bytes.length));
    return bytes;
  }
  return found.subarray(0, to.length);
}

function binaryOf(value: Value, from: SqlType, style: number): Uint8Array {
  if (value instanceof Uint8Array) return value;
  if (typeof value === 'string') {
    if (style === 1 || style === 2)
      return new Uint8Array(Buffer.from(value.replace(/^0x/i, ''), 'hex'));
    if (from.name === 'uniqueidentifier') return guidBytes(value);
    return new Uint8Array(Buffer.from(value, from.name.startsWith('n') ? 'utf16le' : 'latin1'));
  }
  if (typeof value === 'boolean') return Uint8Array.of(value ? 1 : 0);
  const size = { tinyint: 1, smallint: 2, int: 4 }[from.name as 'int'] ?? 8;
  const bytes = Buffer.alloc(8);
  bytes.writeBigInt64BE(integerOf(value, from, bigint));
  return new Uint8Array(bytes.subarray(8 - size));
}

/** As CAST to nvarchar and CONVERT with the styles that are in use. */
export function toText(value: Value, from: SqlType, style = 0): string {
  if (value === null) return '';
  if (typeof value === 'string') return value;
  if (typeof value === 'boolean') return value ? '1' : '0';
  if (typeof value === 'bigint') return String(value);
  if (typeof value === 'number')
    return Number.isInteger(value) && Math.abs(value) < 1e15 ? String(value) : floatText(value);
  if (value instanceof Decimal)
    return from.name.endsWith('money') ? value.withScale(2).toString() : value.toString();
  if (value instanceof Moment) return momentText(value, from, style);
  if (style === 1) return `0x${Buffer.from(value).toString('hex').toUpperCase()}`;
  if (style === 2) return Buffer.from(value).toString('hex').toUpperCase();
  return Buffer.from(value).toString('latin1');
}

function floatText(value: number): string {
  return String(Number(value.toPrecision(6)))
    .replace(/e([+-])(\d)$/, 'e$10$2')
    .replace(/e([+-])(\d\d)$/, 'e$10$2');
}

const months = 'Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec'.split(' ');

function momentText(value: Moment, from: SqlType, style: number): string {
  const { year, month, day, seconds } = value.parts;
  const time = value.timeText(from.name === 'datetime' ? 3 : from.scale);
  const two = (n: number): string => String(n).padStart(2, '0');
  if (style === 112) return value.dateText().replaceAll('-', '');
  if (style === 101) return `${two(month)}/${two(day)}/${year}`;
  if (style === 103) return `${two(day)}/${two(month)}/${year}`;
  if (style === 108) return value.timeText(0);
  if (style === 23) return value.dateText();
  if (style === 120 || style === 20) return `${value.dateText()} ${value.timeText(0)}`;
  if (style === 121 || style === 21 || style === 25) return `${value.dateText()} ${time}`;
  if (style === 126 || style === 127) return `${value.dateText()}T${time.replace(/\.0+$/, '')}`;
  switch (from.name) {
    case 'date':
      return value.dateText();
    case 'time':
      return time;
    case 'datetime2':
      return `${value.dateText()} ${time}`;
    case 'datetimeoffset':
      return `${value.dateText()} ${time} ${value.offsetText()}`;
    default: {
      const hours = Math.floor(seconds / 3600);
      const clock = `${String(hours % 12 || 12).padStart(2)}:${two(Math.floor(seconds / 60) % 60)}`;
      return `${months[month - 1]} ${String(day).padStart(2)} ${year} ${clock}${hours < 12 ? 'AM' : 'PM'}`;
    }
  }
}

/** Below, equal or above zero, as the default collation has it: cases and spaces at the end are the same. Neither is null. */
export function compare(a: Value, b: Value): number {
  if (typeof a === 'string' && typeof b === 'string') {
    if (a === b) return 0;
    const [x, y] = [a.trimEnd().toLowerCase(), b.trimEnd().toLowerCase()];
    if (x === y) return 0;
    return x < y ? -1 : 1;
  }
  if (a instanceof Decimal && b instanceof Decimal) return a.compare(b);
  if (a instanceof Moment && b instanceof Moment) return Number(a.instant - b.instant);
  if (a instanceof Uint8Array && b instanceof Uint8Array) return Buffer.compare(a, b);
  const [x, y] = [Number(a), Number(b)];
  if (typeof a === 'bigint' || typeof b === 'bigint') {
    if (x === y && typeof a === typeof b)
      return a === b ? 0 : (a as bigint) < (b as bigint) ? -1 : 1;
  }
  return x === y ? 0 : x < y ? -1 : 1;
}

/** Values that compare as equal have the same key. */
export function keyOf(value: Value): string {
  if (value === null) return '\u0000';
  if (typeof value === 'string') return `s${value.trimEnd().toLowerCase()}`;
  if (value instanceof Moment) return `m${value.instant}`;
  if (value instanceof Uint8Array) return `b${Buffer.from(value).toString('hex')}`;
  if (value instanceof Decimal) return `n${value.toString().replace(/\.?0+$/, '')}`;
  return `n${Number(value)}`;
}

/** How two are made comparable: both to the common type. */
export function comparedAs(a: SqlType, b: SqlType): SqlType {
  const type = common(a, b);
  if (isText(type) || isBinary(type)) return sqlType(type.name, MAX);
  if (isDecimal(type)) return decimal(38, type.scale);
  if (isTime(type) && type.name === 'datetime') return datetime2;
  return type;
}
