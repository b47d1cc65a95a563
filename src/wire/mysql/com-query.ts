import { concat, EMPTY } from '../../base/bytes.ts';
import { limits } from '../../base/limits.ts';
import { binaryValueEnd, bitAt } from './binary-values.ts';
import { BodyReader } from '../../base/body-reader.ts';
import { readLenenc } from './lenenc-reader.ts';
import { byte } from './build.ts';
import { capability } from './capabilities.ts';
import { command } from './commands.ts';
import { skipTypes } from './stmt-execute.ts';

/** No attributes, in one set. */
const NO_ATTRIBUTES = Uint8Array.of(0, 1);
/** Only the lower byte of a type is one: the upper says whether it is unsigned. */
const TYPE = 0xff;

/**
 * Where the text of a COM_QUERY, whose payload is `bytes[start, end)`, begins: behind its attributes, where both sides know
 * them (trap MY-11). MySQL documentation, "COM_QUERY".
 * @param flags what both sides can do
 */
export function sqlStart(bytes: Uint8Array, start: number, end: number, flags: number): number {
  const textAt = start + 1;
  if ((flags & capability.queryAttributes) === 0) return textAt;
  const reader = new BodyReader('COM_QUERY', bytes, textAt, end);
  const count = readLenenc(reader);
  if (readLenenc(reader) !== 1) throw reader.violation('several sets of attributes');
  return count === 0 ? reader.at : behindAttributes(reader, bytes, end, count);
}

function behindAttributes(
  reader: BodyReader,
  bytes: Uint8Array,
  end: number,
  count: number,
): number {
  if (count > limits.requestParameters.value) throw reader.violation(`${count} attributes`);
  const nullsAt = reader.at;
  reader.skip((count + 7) >> 3);
  if (reader.u8() !== 1) throw reader.violation('attributes without types');
  const types = new BodyReader('COM_QUERY', bytes, reader.at, end);
  skipTypes(reader, count, true);
  let { at } = reader;
  for (let index = 0; index < count; index += 1) {
    const type = types.u16le() & TYPE;
    types.skip(readLenenc(types));
    if (!bitAt(bytes, nullsAt, index)) at = binaryValueEnd(bytes, at, end, type);
  }
  return at;
}

/** Without attributes. @param flags what both sides can do */
export function comQuery(sql: Uint8Array, flags: number): Uint8Array {
  const knowsAttributes = (flags & capability.queryAttributes) !== 0;
  return concat([byte(command.query), knowsAttributes ? NO_ATTRIBUTES : EMPTY, sql]);
}
