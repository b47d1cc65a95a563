// TYPE_INFO: what a column or a parameter is, and how its values are measured. [MS-TDS] 2.2.5.4 to 2.2.5.6.
import { Violation } from '../../base/assert.ts';
import { Scanner } from './scanner.ts';
import { isAtLeast, tdsVersion } from './versions.ts';

export const dataType = {
  null: 0x1f,
  image: 0x22,
  text: 0x23,
  guid: 0x24,
  oldVarBinary: 0x25,
  intN: 0x26,
  oldVarChar: 0x27,
  date: 0x28,
  time: 0x29,
  dateTime2: 0x2a,
  dateTimeOffset: 0x2b,
  oldBinary: 0x2d,
  oldChar: 0x2f,
  int1: 0x30,
  bit: 0x32,
  int2: 0x34,
  oldDecimal: 0x37,
  int4: 0x38,
  dateTime4: 0x3a,
  float4: 0x3b,
  money: 0x3c,
  dateTime: 0x3d,
  float8: 0x3e,
  oldNumeric: 0x3f,
  variant: 0x62,
  nText: 0x63,
  bitN: 0x68,
  decimalN: 0x6a,
  numericN: 0x6c,
  floatN: 0x6d,
  moneyN: 0x6e,
  dateTimeN: 0x6f,
  money4: 0x7a,
  int8: 0x7f,
  varBinary: 0xa5,
  varChar: 0xa7,
  binary: 0xad,
  char: 0xaf,
  nVarChar: 0xe7,
  nChar: 0xef,
  udt: 0xf0,
  xml: 0xf1,
  table: 0xf3,
  json: 0xf4,
  vector: 0xf5,
} as const;

/** What is described by names, at length, and what has a table's name besides. */
const notPlain: readonly number[] = [
  dataType.text,
  dataType.nText,
  dataType.image,
  dataType.udt,
  dataType.xml,
  dataType.table,
];

/** How a value is measured: by nothing, by a length before it in so many bytes, in chunks (PLP), or behind a text pointer. */
export const measure = { fixed: 0, byte: 1, short: 2, long: 3, chunks: 4, pointer: 5 } as const;

/** The length that announces chunks, in a type, and NULL, before a value. */
export const NO_LENGTH = 0xffff;
/** The length before a value that is NULL, where it has four bytes. */
export const NO_LONG_LENGTH = 0xffffffff;
export const COLLATION_BYTES = 5;

/** What has been read of a type: one of these serves for many. */
export interface TypeShape {
  type: number;
  /** One of `measure`. */
  measure: number;
  /** What a value has at most, or exactly where its measure is `fixed`. */
  bytes: number;
  precision: number;
  scale: number;
  /** Where the collation's five bytes are; -1: it has none. */
  collationAt: number;
  /** Where the description of one that is a user's begins: its names. -1: it is none. */
  namesAt: number;
}

export function typeShape(): TypeShape {
  return { type: 0, measure: 0, bytes: 0, precision: 0, scale: 0, collationAt: -1, namesAt: -1 };
}

/** Where a type is described: as a result's, or as a parameter's, where user-defined ones say less. */
export type Place = 'result' | 'parameter';

/**
 * Reads a TYPE_INFO, of which there may be too little (`scanner.isShort`). A table-valued one is not read: see `rpc.ts`.
 * @throws Violation for a type that there is not
 */
export function scanType(scanner: Scanner, version: number, place: Place, shape: TypeShape): void {
  const type = scanner.u8();
  shape.type = type;
  shape.precision = 0;
  shape.scale = 0;
  shape.collationAt = -1;
  shape.namesAt = -1;
  switch (type) {
    case dataType.null:
      return become(shape, measure.fixed, 0);
    case dataType.int1:
    case dataType.bit:
      return become(shape, measure.fixed, 1);
    case dataType.int2:
      return become(shape, measure.fixed, 2);
    case dataType.int4:
    case dataType.float4:
    case dataType.money4:
    case dataType.dateTime4:
      return become(shape, measure.fixed, 4);
    case dataType.int8:
    case dataType.float8:
    case dataType.money:
    case dataType.dateTime:
      return become(shape, measure.fixed, 8);
    case dataType.intN:
    case dataType.guid:
    case dataType.bitN:
    case dataType.floatN:
    case dataType.moneyN:
    case dataType.dateTimeN:
    case dataType.oldChar:
    case dataType.oldVarChar:
    case dataType.oldBinary:
    case dataType.oldVarBinary:
      return become(shape, measure.byte, scanner.u8());
    case dataType.date:
      return become(shape, measure.byte, DATE_BYTES);
    default:
      return scanLongerType(scanner, version, place, shape);
  }
}

const DATE_BYTES = 3;
/** The most that a time, and what a date and an offset add to it, may have. */
const TIME_BYTES = 10;

function scanLongerType(scanner: Scanner, version: number, place: Place, shape: TypeShape): void {
  switch (shape.type) {
    case dataType.time:
    case dataType.dateTime2:
    case dataType.dateTimeOffset:
      shape.scale = scanner.u8();
      return become(shape, measure.byte, TIME_BYTES);
    case dataType.decimalN:
    case dataType.numericN:
    case dataType.oldDecimal:
    case dataType.oldNumeric:
      become(shape, measure.byte, scanner.u8());
      shape.precision = scanner.u8();
      shape.scale = scanner.u8();
      return;
    case dataType.varChar:
    case dataType.nVarChar:
    case dataType.char:
    case dataType.nChar:
      becomeShort(shape, scanner.u16());
      return scanCollation(scanner, version, shape);
    case dataType.varBinary:
    case dataType.binary:
      return becomeShort(shape, scanner.u16());
    case dataType.text:
    case dataType.nText:
      become(shape, pointerMeasure(place), scanner.u32());
      return scanCollation(scanner, version, shape);
    case dataType.image:
      return become(shape, pointerMeasure(place), scanner.u32());
    case dataType.variant:
      return become(shape, measure.long, scanner.u32());
    default:
      return scanLatestType(scanner, place, shape);
  }
}

function scanLatestType(scanner: Scanner, place: Place, shape: TypeShape): void {
  switch (shape.type) {
    case dataType.xml:
      become(shape, measure.chunks, NO_LONG_LENGTH);
      shape.namesAt = scanner.at;
      if (scanner.u8() === 0) return;
      scanner.skipShortText();
      scanner.skipShortText();
      return scanner.skipLongText();
    case dataType.udt:
      become(shape, measure.chunks, place === 'result' ? scanner.u16() : NO_LENGTH);
      shape.namesAt = scanner.at;
      scanner.skipShortText();
      scanner.skipShortText();
      scanner.skipShortText();
      if (place === 'result') scanner.skipLongText();
      return;
    case dataType.json:
      return become(shape, measure.chunks, NO_LONG_LENGTH);
    case dataType.vector:
      become(shape, measure.short, scanner.u16());
      // What its elements are.
      shape.scale = scanner.u8();
      return;
    default:
      // A byte that is not there yet is a zero, which is no type either.
      if (!scanner.isShort)
        throw new Violation(`a value of type ${shape.type}, which there is not`);
  }
}

function become(shape: TypeShape, measure: number, bytes: number): void {
  shape.measure = measure;
  shape.bytes = bytes;
}

function becomeShort(shape: TypeShape, bytes: number): void {
  become(shape, bytes === NO_LENGTH ? measure.chunks : measure.short, bytes);
}

/** Only what comes from a table has a text pointer. */
function pointerMeasure(place: Place): number {
  return place === 'result' ? measure.pointer : measure.long;
}

/** There were none in 7.0. */
function scanCollation(scanner: Scanner, version: number, shape: TypeShape): void {
  if (!isAtLeast(version, tdsVersion.v71)) return;
  shape.collationAt = scanner.at;
  scanner.skip(COLLATION_BYTES);
}

/**
 * Of types that are described in a number of bytes that depends on nothing else, from 7.1 on: that number, 0 for the other types; what
 * `measure` is, unless there is `NO_LENGTH`; and the bytes where that is `fixed`.
 */
export const plainTypes = makePlainTypes();

function makePlainTypes(): {
  readonly infoBytes: Uint8Array;
  readonly measures: Uint8Array;
  readonly bytes: Uint8Array;
} {
  const [infoBytes, measures, bytes] = [
    new Uint8Array(256),
    new Uint8Array(256),
    new Uint8Array(256),
  ];
  const shape = typeShape();
  // Their descriptions are the same, whatever is in them.
  const description = new Uint8Array(16);
  for (const type of Object.values(dataType)) {
    if (notPlain.includes(type)) continue;
    description[0] = type;
    const scanner = new Scanner(description, 0, description.length);
    scanType(scanner, tdsVersion.v74, 'result', shape);
    infoBytes[type] = scanner.at;
    measures[type] = shape.measure;
    bytes[type] = shape.measure === measure.fixed ? shape.bytes : 0;
  }
  return { infoBytes, measures, bytes };
}

export function hasTableName(type: number): boolean {
  return type === dataType.text || type === dataType.nText || type === dataType.image;
}
