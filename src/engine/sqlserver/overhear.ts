import { concat, EMPTY, u8 } from '../../base/bytes.ts';
import { limits } from '../../base/limits.ts';
import { HEADER_BYTES, packetBytes, packetType } from '../../wire/tds/packets.ts';
import { readResults } from '../../wire/tds/results.ts';
import type { SqlServerMemory } from './memory.ts';

/**
 * An idle SQL Server says nothing, unless it closes the connection: it may say why then (a shutdown, KILL). Whatever it is, nobody must
 * get the connection any more (trap TD-30).
 */
export function overhear(memory: SqlServerMemory, arrived: Uint8Array): string | undefined {
  const bytes = memory.held.length === 0 ? arrived : concat([memory.held, arrived]);
  const length = bytes.length < HEADER_BYTES ? HEADER_BYTES : packetBytes(bytes, 0);
  if (length > limits.inspectedMessageBytes.value) return UNASKED;
  if (bytes.length < length) {
    memory.held = bytes.slice();
    return undefined;
  }
  memory.held = EMPTY;
  if (u8(bytes, 0) !== packetType.result) return UNASKED;
  const { errors } = readResults(bytes.slice(HEADER_BYTES, length), memory.tdsVersion);
  const [error] = errors;
  return error === undefined ? UNASKED : `${error.message} (${error.number})`;
}

const UNASKED = 'a message on an idle connection';
