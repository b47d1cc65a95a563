import { Violation } from '../../base/assert.ts';
import { limits } from '../../base/limits.ts';

/** Type byte and length. */
export const HEADER_BYTES = 5;

/**
 * Checks the length field of a typed message (signed, counts itself but not the type byte) and returns how long the body is.
 * Negative, too small and beyond `limitBytes` (a limit on the body) are violations (trap PG-16).
 */
export function checkMessageLength(
  length: number,
  limitBytes: number = limits.messageBytes.value,
): number {
  const bodyBytes = length - 4;
  if (bodyBytes < 0) throw new Violation(`a message says that its length is ${length}`);
  if (bodyBytes > limitBytes) {
    throw new Violation(`a message of ${bodyBytes} bytes where ${limitBytes} are allowed`);
  }
  return bodyBytes;
}
