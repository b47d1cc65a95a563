import { concat, EMPTY } from '../../base/bytes.ts';
import { limits } from '../../base/limits.ts';
import { isError, readError } from '../../wire/mysql/err.ts';
import { HEADER_BYTES, packetBytes } from '../../wire/mysql/framing.ts';
import type { MysqlMemory } from './memory.ts';

/**
 * An idle MySQL server says nothing, unless it closes the connection: it may say why then (a shutdown, a time-out, KILL). Whatever
 * it is, nobody must get the connection any more.
 */
export function overhear(memory: MysqlMemory, arrived: Uint8Array): string | undefined {
  const bytes = memory.held.length === 0 ? arrived : concat([memory.held, arrived]);
  const length = bytes.length < HEADER_BYTES ? 0 : packetBytes(bytes, 0);
  if (length > limits.inspectedMessageBytes.value) return UNASKED;
  const end = HEADER_BYTES + length;
  if (bytes.length < end) {
    memory.held = bytes.slice();
    return undefined;
  }
  memory.held = EMPTY;
  if (!isError(bytes, HEADER_BYTES, end)) return UNASKED;
  const { code, message } = readError(bytes, HEADER_BYTES, end);
  return `${message} (${code})`;
}

const UNASKED = 'a packet on an idle connection';
