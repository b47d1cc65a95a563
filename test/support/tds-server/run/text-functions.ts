import { createHash } from 'node:crypto';
import { toText } from '../types/convert.ts';
import type { SqlType, Value } from '../types/sql-type.ts';
import {
  MAX,
  int,
  isBinary,
  isText,
  isWide,
  nvarchar,
  sqlType,
  varbinary,
  varchar,
} from '../types/sql-type.ts';
import type { Compiled } from './frame.ts';
import type { Scalar } from './functions.ts';
import { likePattern } from './like.ts';

/** As wide and long as the first argument. */
const like = ([first]: readonly Compiled[]): SqlType =>
  first === undefined
    ? varchar(8000)
    : isText(first.type) || isBinary(first.type)
      ? first.type
      : varchar(8000);
const longest = ([first]: readonly Compiled[]): SqlType => {
  if (first !== undefined && first.type.length === MAX)
    return sqlType(isWide(first.type) ? 'nvarchar' : 'varchar', MAX);
  return first !== undefined && isWide(first.type) ? nvarchar(4000) : varchar(8000);
};

const strict = (type: Scalar['type'], value: (...texts: string[]) => Value): Scalar => ({
  ...{ type, isStrict: true },
  value: (args, _, types) => value(...args.map((one, n) => toText(one, types[n] ?? int))),
});

export const textFunctions: Readonly<Record<string, Scalar>> = {
  LEN: strict(int, (text = '') => text.replace(/ +$/, '').length),
  DATALENGTH: {
    ...{ type: int, isStrict: true },
    value: ([value = null], _, [type = int]) => {
      if (value instanceof Uint8Array) return value.length;
      if (typeof value === 'string') return value.length * (isWide(type) ? 2 : 1);
      return (
        { bigint: 8, int: 4, smallint: 2, tinyint: 1, bit: 1, float: 8, datetime: 8 }[
          type.name as 'int'
        ] ?? 8
      );
    },
  },
  UPPER: strict(like, (text = '') => text.toUpperCase()),
  LOWER: strict(like, (text = '') => text.toLowerCase()),
  LTRIM: strict(like, (text = '') => text.replace(/^ +/, '')),
  RTRIM: strict(like, (text = '') => text.replace(/ +$/, '')),
  TRIM: strict(like, (text = '') => text.replace(/^ +| +$/g, '')),
  REVERSE: strict(like, (text = '') => Array.from(text).toReversed().join('')),
  LEFT: strict(like, (text = '', count = '0') => text.slice(0, Number(count))),
  RIGHT: strict(like, (text = '', count = '0') =>
    Number(count) === 0 ? '' : text.slice(-Number(count)),
  ),
  SUBSTRING: {
    ...{ type: like, isStrict: true },
    value: ([value = null, start, length]) => {
      const from = Number(start) - 1;
      const to = from + Number(length);
      if (value instanceof Uint8Array) return value.slice(Math.max(from, 0), Math.max(to, 0));
      return String(value).slice(Math.max(from, 0), Math.max(to, 0));
    },
  },
  REPLACE: strict(longest, (text = '', what = '', by = '') =>
    what === ''
      ? text
      : text.replace(new RegExp(what.replace(/[$()*+.?[\\\]^{|}]/g, '\\$&'), 'gi'), () => by),
  ),
  REPLICATE: strict(longest, (text = '', count = '0') =>
    Number(count) < 0 ? null : text.repeat(Number(count)),
  ),
  SPACE: strict(varchar(8000), (count = '0') => ' '.repeat(Number(count))),
  CHARINDEX: strict(
    int,
    (what = '', text = '', from = '1') =>
      text.toLowerCase().indexOf(what.toLowerCase(), Number(from) - 1) + 1,
  ),
  PATINDEX: strict(int, (pattern = '', text = '') => {
    const open = pattern.replace(/^%/, '');
    for (let at = 0; at <= text.length; at += 1)
      if (likePattern(open, '').test(text.slice(at))) return at + 1;
    return 0;
  }),
  STUFF: {
    ...{ type: longest, isStrict: false },
    value: ([value = null, start, length, by]) => {
      if (value === null) return null;
      const from = Number(start) - 1;
      const text = String(value);
      return text.slice(0, from) + String(by ?? '') + text.slice(from + Number(length));
    },
  },
  CONCAT: {
    type: (args) => {
      const isAnyWide = args.some(({ type }) => isWide(type));
      const isMax = args.some(({ type }) => type.length === MAX);
      return sqlType(isAnyWide ? 'nvarchar' : 'varchar', isMax ? MAX : isAnyWide ? 4000 : 8000);
    },
    value: (args, _, types) => args.map((one, n) => toText(one, types[n] ?? int)).join(''),
  },
  CONCAT_WS: {
    type: nvarchar(4000),
    value: ([separator, ...rest], _, [, ...types]) =>
      rest
        .map((one, n) => (one === null ? undefined : toText(one, types[n] ?? int)))
        .filter((one) => one !== undefined)
        .join(String(separator)),
  },
  QUOTENAME: strict(nvarchar(258), (text = '', quote = '[') =>
    quote === '[' || quote === ']'
      ? `[${text.replaceAll(']', ']]')}]`
      : `${quote}${text.replaceAll(quote, quote + quote)}${quote}`,
  ),
  PARSENAME: strict(nvarchar(128), (text = '', part = '1') => {
    const parts = text.split('.').map((one) => one.replace(/^\[|\]$/g, ''));
    return parts.at(-Number(part)) ?? null;
  }),
  ASCII: strict(int, (text = '') => (text === '' ? null : text.charCodeAt(0) & 0xff)),
  UNICODE: strict(int, (text = '') => (text === '' ? null : text.charCodeAt(0))),
  CHAR: strict(sqlType('char', 1), (code = '0') => String.fromCharCode(Number(code))),
  NCHAR: strict(sqlType('nchar', 1), (code = '0') => String.fromCharCode(Number(code))),
  STR: strict(varchar(8000), (value = '0', length = '10', digits = '0') =>
    Number(value).toFixed(Number(digits)).padStart(Number(length)),
  ),
  FORMAT: strict(nvarchar(4000), (value = '') => value),
  ISNUMERIC: strict(int, (text = '') =>
    text.trim() !== '' && !Number.isNaN(Number(text)) ? 1 : 0,
  ),
  ISJSON: strict(int, (text = '') => {
    try {
      return typeof JSON.parse(text) === 'object' ? 1 : 0;
    } catch {
      return 0;
    }
  }),
  JSON_VALUE: strict(nvarchar(4000), (text = '', path = '$') => {
    let found: unknown = JSON.parse(text);
    for (const part of path.replace(/^(?:lax |strict )?\$\.?/, '').split('.'))
      if (part !== '') found = (found as Record<string, unknown> | undefined)?.[part];
    return found === undefined || found === null || typeof found === 'object'
      ? null
      : `${found as string | number | boolean}`;
  }),
  HASHBYTES: {
    ...{ type: varbinary(8000), isStrict: true },
    value: ([algorithm, value = null], _, [, type = int]) => {
      const name = String(algorithm).toLowerCase().replace('sha2_', 'sha');
      const bytes =
        value instanceof Uint8Array
          ? value
          : Buffer.from(String(value), isWide(type) ? 'utf16le' : 'latin1');
      return new Uint8Array(createHash(name).update(bytes).digest());
    },
  },
};
