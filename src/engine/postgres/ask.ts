import { Violation } from '../../base/assert.ts';
import { concat } from '../../base/bytes.ts';
import type { Conversation } from '../../core/conversation.ts';
import { send } from '../../core/conversation.ts';
import {
  readDataRow,
  readParameterStatus,
  readReadyForQuery,
  readReport,
  readRowDescription,
} from '../../wire/postgres/backend-read.ts';
import { query } from '../../wire/postgres/frontend.ts';
import { backend } from '../../wire/postgres/message-types.ts';
import { refusedBy } from './enter.ts';
import type { PostgresMemory } from './memory.ts';
import { readMessage } from './messages.ts';

/** Rows of one of our own small queries, by column name, as text. */
export type Rows = readonly ReadonlyMap<string, string | null>[];

/**
 * Sends simple queries of our own in one write and reads all their answers. Throws a `FaultError` with the database's first
 * error after the last of them is ready.
 */
export function* ask(memory: PostgresMemory, ...statements: readonly string[]): Conversation<Rows> {
  yield* send(concat(statements.map(query)));
  const rows: ReadonlyMap<string, string | null>[] = [];
  let columns: readonly string[] = [];
  let refusal: ReturnType<typeof refusedBy> | undefined;
  let ready = 0;
  while (ready < statements.length) {
    const { type, body } = yield* readMessage();
    switch (type) {
      case backend.rowDescription:
        columns = readRowDescription(body);
        break;
      case backend.dataRow: {
        const values = readDataRow(body);
        rows.push(new Map(columns.map((name, index) => [name, values[index] ?? null])));
        break;
      }
      case backend.parameterStatus: {
        const { name, value } = readParameterStatus(body);
        memory.report(name, value);
        break;
      }
      case backend.errorResponse:
        refusal ??= refusedBy(readReport(body));
        break;
      case backend.readyForQuery:
        memory.status = readReadyForQuery(body);
        ready += 1;
        break;
      case backend.commandComplete:
      case backend.emptyQueryResponse:
      case backend.noticeResponse:
      case backend.notificationResponse:
        break;
      default:
        throw new Violation(`message type ${type} in answer to our own query`);
    }
  }
  if (refusal !== undefined) throw refusal;
  return rows;
}
