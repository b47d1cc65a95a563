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

/** A row of one of our own small queries, as text. */
export class Row {
  readonly #columns: readonly string[];
  readonly values: readonly (string | null)[];

  constructor(columns: readonly string[], values: readonly (string | null)[]) {
    this.#columns = columns;
    this.values = values;
  }

  get(column: string): string | null | undefined {
    return this.values[this.#columns.indexOf(column)];
  }
}

/** Reads, and forgets, the answers to what had been asked before. */
export function* hearOut(memory: PostgresMemory): Conversation<void> {
  while (memory.ownReadies > 0) {
    const { type, body } = yield* readMessage();
    if (type === backend.parameterStatus) {
      const { name, value } = readParameterStatus(body);
      memory.report(name, value);
    } else if (type === backend.readyForQuery) {
      memory.status = readReadyForQuery(body);
      memory.ownReadies -= 1;
    }
  }
}

/**
 * Sends simple queries of our own in one write and reads all their answers. Throws a `FaultError` with the database's first
 * error after the last of them is ready.
 */
export function* ask(
  memory: PostgresMemory,
  ...statements: readonly string[]
): Conversation<readonly Row[]> {
  yield* send(concat(statements.map(query)));
  const rows: Row[] = [];
  let columns: readonly string[] = [];
  let refusal: ReturnType<typeof refusedBy> | undefined;
  let ready = 0;
  while (ready < statements.length) {
    const { type, body } = yield* readMessage();
    switch (type) {
      case backend.rowDescription:
        columns = readRowDescription(body);
        break;
      case backend.dataRow:
        rows.push(new Row(columns, readDataRow(body)));
        break;
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
