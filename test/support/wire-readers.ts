import { Violation } from '../../src/base/assert.ts';

/** Reads one message, `bytes[start, end)`. */
export type RangeReader = (bytes: Uint8Array, start: number, end: number) => unknown;

export function ranged(read: (body: Uint8Array) => unknown): RangeReader {
  return (bytes, start, end) => read(bytes.subarray(start, end));
}

/**
 * What a reader makes of a message where nothing lies around it, and where other bytes do. The offsets are the same, so that
 * results can be compared.
 */
export function outcomes(
  reader: RangeReader,
  message: Uint8Array,
  other: Uint8Array,
): { readonly alone: unknown; readonly surrounded: unknown } {
  const start = 8;
  const end = start + message.length;
  const alone = new Uint8Array(end);
  alone.set(message, start);
  const surrounded = new Uint8Array(end + 8).fill(0x41);
  surrounded.set(other);
  surrounded.set(message, start);
  surrounded.set(other, end);
  return {
    alone: outcome(reader, alone, start, end),
    surrounded: outcome(reader, surrounded, start, end),
  };
}

/** Its result, or the text of its violation; anything else that it throws fails the test. */
function outcome(reader: RangeReader, bytes: Uint8Array, start: number, end: number): unknown {
  try {
    return reader(bytes, start, end);
  } catch (error) {
    if (error instanceof Violation) return error.message;
    throw error;
  }
}
