// Replies as SQL Server makes them, with a column of every type there is.
import { concat, utf16, utf8 } from '../../src/base/bytes.ts';
import { byte, int16, int32, int64, longText, shortText } from '../../src/wire/tds/build.ts';
import { token } from '../../src/wire/tds/tokens.ts';
import type { TokenVisitor } from '../../src/wire/tds/token-walker.ts';
import { isAtLeast, isWide, tdsVersion } from '../../src/wire/tds/versions.ts';

export interface TestType {
  readonly name: string;
  /** As a column has it. */
  readonly info: Uint8Array;
  /** In a row. */
  readonly value: Uint8Array;
  /** What NULL is in a row; undefined: it is never NULL. */
  readonly none: Uint8Array | undefined;
  readonly meaning: unknown;
  /** As a parameter has it, where that is something else; undefined: it cannot be one. */
  readonly parameter?: { readonly info: Uint8Array; readonly value: Uint8Array } | undefined;
  readonly since?: number;
}

const COLLATION = Uint8Array.of(0x09, 0x04, 0xd0, 0x00, 0x34);
const UTF8_COLLATION = Uint8Array.of(0x09, 0x04, 0xd0, 0x04, 0x34);
const hex = (text: string): Uint8Array =>
  Uint8Array.from(Buffer.from(text.replaceAll(' ', ''), 'hex'));
const sized = (value: Uint8Array): Uint8Array => concat([byte(value.length), value]);
const short = (value: Uint8Array): Uint8Array => concat([int16(value.length), value]);
const long = (value: Uint8Array): Uint8Array => concat([int32(value.length), value]);
const NO_SHORT = hex('ffff');
const NO_CHUNKS = hex('ffffffffffffffff');
const POINTER = concat([byte(16), new Uint8Array(16).fill(7), new Uint8Array(8).fill(9)]);

/** A value in so many chunks, of a length that is not said where `isOpen`. */
function chunks(isOpen: boolean, ...parts: readonly Uint8Array[]): Uint8Array {
  const length = parts.reduce((sum, part) => sum + part.length, 0);
  const total = isOpen ? hex('feffffffffffffff') : int64(BigInt(length));
  return concat([total, ...parts.map(long), int32(0)]);
}

function fixed(name: string, code: number, value: Uint8Array, meaning: unknown): TestType {
  return { name, info: byte(code), value, none: undefined, meaning };
}

function variable(name: string, info: Uint8Array, value: Uint8Array, meaning: unknown): TestType {
  return { name, info, value: sized(value), none: byte(0), meaning };
}

function newer(type: TestType, since: number): TestType {
  return { ...type, since };
}

const chars = (code: number, most: number, collation = COLLATION): Uint8Array =>
  concat([byte(code), int16(most), collation]);

function shorter(name: string, info: Uint8Array, value: Uint8Array, meaning: unknown): TestType {
  return { name, info, value: short(value), none: NO_SHORT, meaning };
}

function chunky(name: string, info: Uint8Array, value: Uint8Array, meaning: unknown): TestType {
  return newer({ name, info, value, none: NO_CHUNKS, meaning }, tdsVersion.v72);
}

/** Behind a text pointer in a row, but not in a parameter. */
function pointed(
  name: string,
  code: number,
  collation: Uint8Array,
  value: Uint8Array,
  meaning: unknown,
): TestType {
  const info = concat([byte(code), int32(0x7fffffff), collation]);
  return {
    ...{ name, info, meaning, none: byte(0), value: concat([POINTER, long(value)]) },
    parameter: { info, value: long(value) },
  };
}

const UDT_NAMES = concat([shortText('db'), shortText('dbo'), shortText('Point')]);
const NOTHING = new Uint8Array(0);

/** A value of each type; of those without a collation before 7.1, as it is from then on. */
export const testTypes: readonly TestType[] = [
  fixed('int1', 0x30, hex('c8'), 200),
  fixed('bit', 0x32, hex('01'), true),
  fixed('int2', 0x34, hex('feff'), -2),
  fixed('int4', 0x38, hex('d6ffffff'), -42),
  fixed('int8', 0x7f, hex('feffffffffffffff'), -2n),
  fixed('datetime4', 0x3a, hex('0100 3d00'), '1900-01-02 01:01:00'),
  fixed('float4', 0x3b, hex('0000c03f'), 1.5),
  fixed('float8', 0x3e, hex('000000000000f83f'), 1.5),
  fixed('money', 0x3c, hex('ffffffff f0d8ffff'), '-1.0000'),
  fixed('money4', 0x7a, hex('a0860100'), '10.0000'),
  fixed('datetime', 0x3d, hex('01000000 2c010000'), '1900-01-02 00:00:01.000'),
  variable('intn(1)', hex('2601'), hex('07'), 7),
  variable('intn(4)', hex('2604'), hex('2a000000'), 42),
  variable('intn(8)', hex('2608'), hex('0100000000000080'), -(2n ** 63n) + 1n),
  variable('bitn', hex('6801'), hex('00'), false),
  variable('floatn', hex('6d08'), hex('000000000000f83f'), 1.5),
  variable('moneyn', hex('6e08'), hex('00000000 39300000'), '1.2345'),
  variable('datetimn', hex('6f04'), hex('0000 0000'), '1900-01-01 00:00:00'),
  variable(
    'guid',
    hex('2410'),
    hex('000102030405060708090a0b0c0d0e0f'),
    '03020100-0504-0706-0809-0A0B0C0D0E0F',
  ),
  variable('decimaln', hex('6a 09 0c 03'), hex('01 39300000 00000000'), '12.345'),
  variable('numericn', hex('6c 05 05 00'), hex('00 05000000'), '-5'),
  variable('decimal', hex('37 05 05 02'), hex('01 05000000'), '0.05'),
  variable('numeric', hex('3f 05 05 02'), hex('01 05000000'), '0.05'),
  newer(variable('date', hex('28'), hex('000000'), '0001-01-01'), tdsVersion.v73a),
  newer(variable('time', hex('2900'), hex('a04f01'), '23:52:00'), tdsVersion.v73a),
  newer(variable('time(7)', hex('2907'), hex('7f96980000'), '00:00:00.9999999'), tdsVersion.v73a),
  newer(
    variable('datetime2', hex('2a03'), hex('01000000 980a0b'), '1982-03-05 00:00:00.001'),
    tdsVersion.v73a,
  ),
  newer(
    variable(
      'datetimeoffset',
      hex('2b00'),
      hex('100e00 000000 3c00'),
      '0001-01-01 02:00:00 +01:00',
    ),
    tdsVersion.v73a,
  ),
  variable('old char', hex('2f10'), utf8('abc'), 'abc'),
  variable('old varchar', hex('2710'), utf8('ab'), 'ab'),
  variable('old binary', hex('2d10'), hex('0102'), hex('0102')),
  variable('old varbinary', hex('2510'), hex('03'), hex('03')),
  shorter('char', chars(0xaf, 5), hex('6e61ef7665'), 'naïve'),
  shorter('varchar', chars(0xa7, 50), NOTHING, ''),
  shorter('varchar in UTF-8', chars(0xa7, 50, UTF8_COLLATION), utf8('naïve'), 'naïve'),
  shorter('binary', hex('ad 0400'), hex('01020304'), hex('01020304')),
  shorter('varbinary', hex('a5 401f'), hex('0500'), hex('0500')),
  shorter('nchar', chars(0xef, 4), utf16('né'), 'né'),
  shorter('nvarchar', chars(0xe7, 8000), utf16('na\u{1f600}ve'), 'na\u{1f600}ve'),
  chunky(
    'varchar(max)',
    chars(0xa7, 0xffff),
    chunks(false, utf8('some '), utf8('text')),
    'some text',
  ),
  chunky('nvarchar(max)', chars(0xe7, 0xffff), chunks(true, hex('61'), hex('00 6200')), 'ab'),
  chunky('varbinary(max)', hex('a5 ffff'), chunks(true), NOTHING),
  chunky('xml', hex('f1 00'), chunks(true, utf16('<a/>')), '<a/>'),
  chunky(
    'xml with a schema',
    concat([hex('f1 01'), shortText('db'), shortText('dbo'), longText('things')]),
    chunks(false, utf16('<b/>')),
    '<b/>',
  ),
  chunky('json', hex('f4'), chunks(false, utf8('{"é":1}')), '{"é":1}'),
  {
    ...chunky(
      'udt',
      concat([hex('f0 1000'), UDT_NAMES, longText('Point, Assembly, Version=1.0.0.0')]),
      chunks(false, hex('0102')),
      hex('0102'),
    ),
    parameter: { info: concat([hex('f0'), UDT_NAMES]), value: chunks(false, hex('0102')) },
  },
  pointed('text', 0x23, COLLATION, utf8('long text'), 'long text'),
  pointed('ntext', 0x63, COLLATION, utf16('long'), 'long'),
  pointed('image', 0x22, NOTHING, hex('0badcafe'), hex('0badcafe')),
  {
    name: 'sql_variant',
    info: hex('62 491f0000'),
    value: long(hex('38 00 2a000000')),
    none: int32(0),
    meaning: 42,
  },
  shorter(
    'vector',
    hex('f5 1400 00'),
    hex('a901030000000000 0000803f 00000040 00004040'),
    hex('a901030000000000 0000803f 00000040 00004040'),
  ),
];

export function typesOf(version: number): readonly TestType[] {
  return testTypes.filter(({ since }) => since === undefined || isAtLeast(version, since));
}

/** What a column of the type is, in a version. */
export function infoIn(version: number, { info }: TestType): Uint8Array {
  if (isAtLeast(version, tdsVersion.v71)) return info;
  const hasCollation = [0xaf, 0xa7, 0xef, 0xe7, 0x23, 0x63].includes(info[0]!);
  return hasCollation ? info.subarray(0, -COLLATION.length) : info;
}

export interface EncryptedColumn {
  readonly ordinal: number;
  /** Empty: the algorithm is not a custom one. */
  readonly algorithm: string;
}

/** @param keys of encrypted columns: the table is there where encryption was agreed on @param encrypted which columns are */
export function colMetadata(
  version: number,
  columns: readonly TestType[],
  keys?: number,
  encrypted: ReadonlyMap<string, EncryptedColumn> = new Map(),
): Uint8Array {
  return concat([
    byte(token.colMetadata),
    int16(columns.length),
    keys === undefined ? NOTHING : concat([int16(keys), ...Array.from({ length: keys }, keyEntry)]),
    ...columns.map((column) => {
      const crypto = encrypted.get(column.name);
      return concat([
        userType(version),
        int16(crypto === undefined ? 9 : 0x0809),
        infoIn(version, column),
        tableName(version, column),
        crypto === undefined ? NOTHING : cryptoMetadata(version, crypto, true),
        shortText(column.name),
      ]);
    }),
  ]);
}

const userType = (version: number): Uint8Array => (isWide(version) ? int32(0) : int16(0));

function tableName(version: number, { info }: TestType): Uint8Array {
  if (![0x23, 0x63, 0x22].includes(info[0]!)) return NOTHING;
  return isWide(version)
    ? concat([byte(2), longText('dbo'), longText('pages')])
    : longText('dbo.pages');
}

function cryptoMetadata(
  version: number,
  { ordinal, algorithm }: EncryptedColumn,
  hasOrdinal: boolean,
): Uint8Array {
  return concat([
    hasOrdinal ? int16(ordinal) : NOTHING,
    userType(version),
    hex('26 04'),
    algorithm === '' ? byte(2) : concat([byte(0), shortText(algorithm)]),
    hex('01 01'),
  ]);
}

function keyEntry(): Uint8Array {
  const value = concat([
    short(hex('0102')),
    shortText('STORE'),
    longText('path/to/key'),
    shortText('RSA_OAEP'),
  ]);
  return concat([int32(1), int32(2), int32(3), new Uint8Array(8), byte(2), value, value]);
}

export function row(values: readonly Uint8Array[]): Uint8Array {
  return concat([byte(token.row), ...values]);
}

/** @param values undefined: NULL */
export function nbcRow(values: readonly (Uint8Array | undefined)[]): Uint8Array {
  const nulls = new Uint8Array((values.length + 7) >> 3);
  for (const [at, value] of values.entries()) {
    if (value === undefined) nulls[at >> 3]! |= 1 << (at & 7);
  }
  return concat([byte(token.nbcRow), nulls, ...values.map((value) => value ?? NOTHING)]);
}

export function returnValue(
  version: number,
  type: TestType,
  isNull = false,
  crypto?: EncryptedColumn,
): Uint8Array {
  return concat([
    byte(token.returnValue),
    int16(1),
    shortText(`@${type.name}`),
    byte(1),
    userType(version),
    int16(crypto === undefined ? 0 : 0x0800),
    infoIn(version, type),
    crypto === undefined ? NOTHING : cryptoMetadata(version, crypto, false),
    isNull ? (type.none ?? type.value) : type.value,
  ]);
}

/** The description of computed rows of an identifier, a SUM and a COUNT for each column. */
export function altMetadata(version: number, id: number, columns: readonly TestType[]): Uint8Array {
  return concat([
    hex('88'),
    int16(columns.length),
    int16(id),
    hex('02 0100 0200'),
    ...columns.map((column) =>
      concat([
        hex('4d 0100'),
        userType(version),
        int16(0),
        infoIn(version, column),
        tableName(version, column),
        shortText(''),
      ]),
    ),
  ]);
}

export function altRow(id: number, values: readonly Uint8Array[]): Uint8Array {
  return concat([hex('d3'), int16(id), ...values]);
}

/** A DATACLASSIFICATION's token. @param version of it: ranks came with the second */
export function dataClassification(version: number): Uint8Array {
  const rank = version > 1 ? int32(10) : NOTHING;
  const names = concat([int16(1), shortText('Confidential'), shortText('331F0B13')]);
  const property = concat([int16(0), int16(0), rank]);
  return concat([
    byte(token.dataClassification),
    ...[names, names, rank, int16(2)],
    ...[int16(2), property, property, int16(0)],
  ]);
}

/** Whatever a walker says, as lines. */
export class Heard implements TokenVisitor {
  readonly lines: string[] = [];

  envChange(type: number, bytes: Uint8Array, start: number, end: number): void {
    this.#add(`envChange ${type}`, bytes, start, end);
  }

  done(kind: number, status: number, command: number): void {
    this.lines.push(`done ${kind} ${status} ${command}`);
  }

  error(bytes: Uint8Array, start: number, end: number): void {
    this.#add('error', bytes, start, end);
  }

  info(bytes: Uint8Array, start: number, end: number): void {
    this.#add('info', bytes, start, end);
  }

  other(kind: number, bytes: Uint8Array, start: number, end: number): void {
    this.#add(`other ${kind}`, bytes, start, end);
  }

  handle(original: number | undefined): void {
    this.lines.push(`handle ${original}`);
  }

  #add(what: string, bytes: Uint8Array, start: number, end: number): void {
    this.lines.push(`${what} ${Buffer.from(bytes.subarray(start, end)).toString('hex')}`);
  }
}
