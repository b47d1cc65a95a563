import { concat, EMPTY, i32be, u8 } from '../../base/bytes.ts';
import { limits } from '../../base/limits.ts';
import { readParameterStatus, readReport } from '../../wire/postgres/backend-read.ts';
import { checkMessageLength, HEADER_BYTES } from '../../wire/postgres/framing.ts';
import { backend } from '../../wire/postgres/message-types.ts';
import type { PostgresMemory } from './memory.ts';

/** Admin and crash shutdown: the last words of a server process that dies at once are a warning, and no error. */
const LAST_WORDS: ReadonlySet<string | undefined> = new Set(['57P01', '57P02']);

/**
 * What an idle connection says belongs to no session: a changed configuration is noted, notices and notifications are
 * nobody's, and anything else is a reason to discard the connection (traps PG-12, PG-13, PG-14).
 */
export function overhear(memory: PostgresMemory, arrived: Uint8Array): string | undefined {
  const bytes = memory.held.length === 0 ? arrived : concat([memory.held, arrived]);
  memory.held = EMPTY;
  let at = 0;
  while (bytes.length - at >= HEADER_BYTES) {
    const type = u8(bytes, at);
    const bodyBytes = checkMessageLength(i32be(bytes, at + 1), limits.inspectedMessageBytes.value);
    const start = at + HEADER_BYTES;
    if (start + bodyBytes > bytes.length) break;
    const objection = hear(memory, type, bytes.subarray(start, start + bodyBytes));
    if (objection !== undefined) return objection;
    at = start + bodyBytes;
  }
  if (at < bytes.length) memory.held = bytes.slice(at);
  return undefined;
}

function hear(memory: PostgresMemory, type: number, body: Uint8Array): string | undefined {
  switch (type) {
    case backend.parameterStatus: {
      const { name, value } = readParameterStatus(body);
      memory.report(name, value);
      memory.rebase(name, value);
      return undefined;
    }
    case backend.notificationResponse:
      return undefined;
    case backend.noticeResponse:
      return LAST_WORDS.has(readReport(body).code) ? sayReport(body) : undefined;
    case backend.errorResponse:
      return sayReport(body);
    default:
      return `message type ${type} on an idle connection`;
  }
}

function sayReport(body: Uint8Array): string {
  const { code, message } = readReport(body);
  return `${message} (${code ?? 'no code'})`;
}
