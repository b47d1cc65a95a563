// Texts, in UTF-16, and bytes behind their lengths. [MS-TDS] 2.2.5.1.2.
import type { BodyReader } from '../../base/body-reader.ts';
import { ucs2 } from '../../base/bytes.ts';

/** Text of `count` UTF-16 units. */
export function readText(reader: BodyReader, count: number): string {
  return ucs2(reader.take(2 * count));
}

/** All that is left, as text. */
export function readRest(reader: BodyReader): string {
  return readText(reader, reader.remaining >> 1);
}

/** Text behind its length in one byte, a B_VARCHAR. */
export function readShortText(reader: BodyReader): string {
  return readText(reader, reader.u8());
}

/** Text behind its length in two bytes, a US_VARCHAR. */
export function readLongText(reader: BodyReader): string {
  return readText(reader, reader.u16le());
}
