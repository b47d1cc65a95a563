import type { BodyReader } from '../../base/body-reader.ts';
import { lenenc } from './values.ts';

/** A length-encoded integer that counts something: beyond what a number can hold it is a violation. */
export function readLenenc(reader: BodyReader): number {
  const first = reader.u8();
  if (first < lenenc.null) return first;
  if (first === lenenc.two) return reader.u16le();
  if (first === lenenc.three) return reader.u24le();
  if (first !== lenenc.eight) throw reader.violation('a length-encoded number that is none');
  const value = reader.u64le();
  if (value > Number.MAX_SAFE_INTEGER) throw reader.violation('a number beyond all measure');
  return Number(value);
}

/** A length-encoded integer of 64 bits. */
export function readLenencBig(reader: BodyReader): bigint {
  if (reader.next !== lenenc.eight) return BigInt(readLenenc(reader));
  reader.skip(1);
  return reader.u64le();
}

/** A length-encoded string, as text. */
export function readLenencText(reader: BodyReader): string {
  return reader.takeText(readLenenc(reader));
}

/** A view of a length-encoded string: copy it to keep it. */
export function readLenencBytes(reader: BodyReader): Uint8Array {
  return reader.take(readLenenc(reader));
}

/** A length-encoded string, as text, or the byte that stands for NULL. */
export function readNullableText(reader: BodyReader): string | null {
  return skipsNull(reader) ? null : readLenencText(reader);
}

/** A view of a length-encoded string, or the byte that stands for NULL: copy it to keep it. */
export function readNullableBytes(reader: BodyReader): Uint8Array | null {
  return skipsNull(reader) ? null : readLenencBytes(reader);
}

function skipsNull(reader: BodyReader): boolean {
  const isNull = reader.next === lenenc.null;
  if (isNull) reader.skip(1);
  return isNull;
}
