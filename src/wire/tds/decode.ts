// What values mean: only those that we have asked for ourselves are decoded. [MS-TDS] 2.2.5.5.1.
import { Violation } from '../../base/assert.ts';
import { i32le, u16le, u24le, u32le, u64le, u8 } from '../../base/bytes.ts';
import { Scanner } from './scanner.ts';
import { dataType, measure, typeShape } from './types.ts';
import type { TypeShape } from './types.ts';
import { smallInteger, textOf, unchunked } from './values.ts';
import type { Span } from './values.ts';

/**
 * Integers of up to 32 bits and floating-point numbers are numbers, those of 64 bits bigints, exact decimals, money, dates, times and
 * identifiers text, bytes copies. undefined: NULL.
 */
export type Value = string | number | bigint | Uint8Array | boolean | undefined;

/** The value at a span. Throws `Violation` where its length is not one of its type's. */
export function decode(bytes: Uint8Array, shape: TypeShape, { at, end, isNull }: Span): Value {
  if (isNull) return undefined;
  if (shape.measure === measure.chunks) {
    const value = unchunked(bytes, at, end);
    return textOf(bytes, shape, value) ?? value;
  }
  const value = bytes.subarray(at, end);
  return textOf(bytes, shape, value) ?? decodePlain(shape, value);
}

function decodePlain(shape: TypeShape, value: Uint8Array): Value {
  switch (shape.type) {
    case dataType.int1:
    case dataType.int2:
    case dataType.int4:
    case dataType.int8:
    case dataType.intN:
      return value.length === 8
        ? BigInt.asIntN(64, u64le(value, 0))
        : (smallInteger(value, 0, value.length) ?? wrong(shape, value));
    case dataType.bit:
    case dataType.bitN:
      return value.length === 1 ? u8(value, 0) !== 0 : wrong(shape, value);
    case dataType.float4:
    case dataType.float8:
    case dataType.floatN:
      return float(shape, value);
    case dataType.money:
    case dataType.money4:
    case dataType.moneyN:
      return money(shape, value);
    case dataType.decimalN:
    case dataType.numericN:
    case dataType.oldDecimal:
    case dataType.oldNumeric:
      return decimal(shape, value);
    case dataType.guid:
      return value.length === 16 ? guid(value) : wrong(shape, value);
    case dataType.variant:
      return variant(value);
    default:
      return decodeTime(shape, value);
  }
}

function wrong(shape: TypeShape, value: Uint8Array): never {
  throw new Violation(`a value of type ${shape.type} of ${value.length} bytes`);
}

function view(value: Uint8Array): DataView {
  return new DataView(value.buffer, value.byteOffset, value.length);
}

function float(shape: TypeShape, value: Uint8Array): number {
  if (value.length === 4) return view(value).getFloat32(0, true);
  return value.length === 8 ? view(value).getFloat64(0, true) : wrong(shape, value);
}

const MONEY_SCALE = 4;

/** Ten-thousandths; of the longer one the upper half comes first. */
function money(shape: TypeShape, value: Uint8Array): string {
  if (value.length === 4) return scaled(BigInt(i32le(value, 0)), MONEY_SCALE);
  if (value.length !== 8) return wrong(shape, value);
  return scaled((BigInt(i32le(value, 0)) << 32n) | BigInt(u32le(value, 4)), MONEY_SCALE);
}

/** A byte for the sign, and an integer of up to 16 bytes. */
function decimal(shape: TypeShape, value: Uint8Array): string {
  if (value.length < 2 || value.length > 17) return wrong(shape, value);
  let number = 0n;
  for (let at = value.length - 1; at > 0; at -= 1) number = (number << 8n) | BigInt(u8(value, at));
  return scaled(u8(value, 0) === 0 ? -number : number, shape.scale);
}

function scaled(number: bigint, scale: number): string {
  const sign = number < 0n ? '-' : '';
  const digits = String(number < 0n ? -number : number).padStart(scale + 1, '0');
  if (scale === 0) return sign + digits;
  return `${sign}${digits.slice(0, -scale)}.${digits.slice(-scale)}`;
}

/** The first three parts are little-endian. */
function guid(value: Uint8Array): string {
  const hex = [3, 2, 1, 0, 5, 4, 7, 6, 8, 9, 10, 11, 12, 13, 14, 15]
    .map((at) => u8(value, at).toString(16).padStart(2, '0'))
    .join('')
    .toUpperCase();
  return hex.replace(/^(.{8})(.{4})(.{4})(.{4})/, '$1-$2-$3-$4-');
}

/** Its type, how much it says of that, and that; then the value. */
function variant(value: Uint8Array): Value {
  const scanner = new Scanner(value, 0, value.length);
  const type = scanner.u8();
  const propertiesBytes = scanner.u8();
  const start = 2 + propertiesBytes;
  if (start > value.length) throw new Violation('a variant that is shorter than it says');
  const shape = typeShape();
  shape.type = type;
  if (type === dataType.variant) throw new Violation('a variant in a variant');
  switch (type) {
    case dataType.decimalN:
    case dataType.numericN:
      shape.scale = propertiesBytes > 1 ? u8(value, 3) : 0;
      break;
    case dataType.time:
    case dataType.dateTime2:
    case dataType.dateTimeOffset:
      shape.scale = propertiesBytes > 0 ? u8(value, 2) : 0;
      break;
    case dataType.varChar:
    case dataType.char:
      if (propertiesBytes > 4) shape.collationAt = 2;
      break;
    default:
  }
  const body = value.subarray(start);
  return textOf(value, shape, body) ?? decodePlain(shape, body);
}

function decodeTime(shape: TypeShape, value: Uint8Array): Value {
  const { length } = value;
  switch (shape.type) {
    case dataType.date:
      return length === DATE_BYTES ? dayText(dayAt(value, 0)) : wrong(shape, value);
    case dataType.time:
      return timeText(ticks(shape, value), shape.scale);
    case dataType.dateTime2: {
      const time = ticks(shape, value.subarray(0, length - DATE_BYTES));
      return `${dayText(dayAt(value, length - DATE_BYTES))} ${timeText(time, shape.scale)}`;
    }
    case dataType.dateTimeOffset:
      return withOffset(shape, value);
    case dataType.dateTime:
    case dataType.dateTime4:
    case dataType.dateTimeN:
      return oldDateTime(shape, value);
    default:
      return value.slice();
  }
}

/** 0001-01-01 and 1900-01-01, in days from 1970-01-01. */
const FIRST_DAY = -719_162;
const BASE_DAY = -25_567;
const DAY_MS = 86_400_000;
const DAY_SECONDS = 86_400;
const DATE_BYTES = 3;
const OFFSET_BYTES = 2;

function dayAt(value: Uint8Array, at: number): number {
  return FIRST_DAY + u24le(value, at);
}

/** @param days from 1970-01-01 */
function dayText(days: number): string {
  return new Date(days * DAY_MS).toISOString().replace(/T.*$/, '');
}

/** The time of day, in units of 10 to the power of minus the scale of a second. */
function ticks(shape: TypeShape, value: Uint8Array): number {
  if (shape.scale > 7 || value.length < 3 || value.length > 5) return wrong(shape, value);
  let count = 0;
  for (let at = value.length - 1; at >= 0; at -= 1) count = count * 256 + u8(value, at);
  return count;
}

function timeText(count: number, scale: number): string {
  const perSecond = 10 ** scale;
  const seconds = Math.floor(count / perSecond);
  const clock = [Math.floor(seconds / 3_600), Math.floor(seconds / 60) % 60, seconds % 60];
  const fraction = scale === 0 ? '' : `.${two(count % perSecond, scale)}`;
  return clock.map((part) => two(part)).join(':') + fraction;
}

function two(value: number, digits = 2): string {
  return String(value).padStart(digits, '0');
}

/** It is said in UTC, and shown where it is. */
function withOffset(shape: TypeShape, value: Uint8Array): string {
  const timeBytes = value.length - DATE_BYTES - OFFSET_BYTES;
  const utc = ticks(shape, value.subarray(0, Math.max(0, timeBytes)));
  const minutes = (u16le(value, timeBytes + DATE_BYTES) << 16) >> 16;
  const perDay = DAY_SECONDS * 10 ** shape.scale;
  const local = utc + minutes * 60 * 10 ** shape.scale;
  const days = Math.floor(local / perDay);
  const [sign, distance] = [minutes < 0 ? '-' : '+', Math.abs(minutes)];
  const zone = `${sign}${two(Math.floor(distance / 60))}:${two(distance % 60)}`;
  const day = dayText(dayAt(value, timeBytes) + days);
  return `${day} ${timeText(local - days * perDay, shape.scale)} ${zone}`;
}

/** Days from 1900, and minutes or, in the longer one, 300ths of a second. */
function oldDateTime(shape: TypeShape, value: Uint8Array): string {
  if (value.length === 4) {
    const time = timeText(u16le(value, 2) * 60, 0);
    return `${dayText(BASE_DAY + u16le(value, 0))} ${time}`;
  }
  if (value.length !== 8) return wrong(shape, value);
  const days = i32le(value, 0);
  // Beyond these years there are no dates to say.
  if (Math.abs(days) > MOST_DAYS) return wrong(shape, value);
  const thousandths = Math.round((u32le(value, 4) * 10) / 3);
  return `${dayText(BASE_DAY + days)} ${timeText(thousandths, 3)}`;
}

const MOST_DAYS = 4_000_000;
