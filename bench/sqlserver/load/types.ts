/** A column's, or a parameter's, of those that are met here: [MS-TDS] 2.2.5.4. */
export interface Type {
  readonly kind: 'number' | 'number with length' | 'text';
  /** Of a number that has no length. */
  readonly bytes: number;
  /** Where its description ends. */
  readonly end: number;
}

const FIXED: ReadonlyMap<number, number> = new Map([
  [0x30, 1],
  [0x34, 2],
  [0x38, 4],
  [0x7f, 8],
]);
const INT_N = 0x26;
/** CHAR, VARCHAR, NCHAR, NVARCHAR. */
const TEXTS: readonly number[] = [0xaf, 0xa7, 0xef, 0xe7];
/** How long it may be, and its collation. */
const TEXT_HEAD_BYTES = 2 + 5;
/** A text that comes in pieces, and one that is NULL. */
const UNLIMITED = 0xffff;

/** Throws where it is none of these. */
export function readType(payload: Buffer, at: number): Type {
  const code = payload.readUInt8(at);
  const bytes = FIXED.get(code);
  if (bytes !== undefined) return { kind: 'number', bytes, end: at + 1 };
  if (code === INT_N) return { kind: 'number with length', bytes: 0, end: at + 2 };
  if (!TEXTS.includes(code) || payload.readUInt16LE(at + 1) === UNLIMITED)
    throw new Error(`a column of a type that is not expected: ${code}`);
  return { kind: 'text', bytes: 0, end: at + 1 + TEXT_HEAD_BYTES };
}

/** A number; undefined where it is NULL, or a text. */
export function readValue(
  payload: Buffer,
  at: number,
  { kind, bytes }: Type,
): { readonly value: number | undefined; readonly end: number } {
  if (kind === 'text') {
    const length = payload.readUInt16LE(at);
    return { value: undefined, end: at + 2 + (length === UNLIMITED ? 0 : length) };
  }
  const length = kind === 'number' ? bytes : payload.readUInt8(at);
  const from = kind === 'number' ? at : at + 1;
  const value = length === 0 ? undefined : numberAt(payload, from, length);
  return { value, end: from + length };
}

function numberAt(payload: Buffer, at: number, bytes: number): number {
  return bytes === 8 ? Number(payload.readBigInt64LE(at)) : payload.readIntLE(at, bytes);
}

/** Behind a name, whose length is in one byte. */
export function skipName(payload: Buffer, at: number): number {
  return at + 1 + 2 * payload.readUInt8(at);
}
