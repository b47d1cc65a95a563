import { Violation } from '../../base/assert.ts';
import { concat, u8, utf8 } from '../../base/bytes.ts';
import { limits } from '../../base/limits.ts';
import type { Conversation } from '../../core/conversation.ts';
import { send } from '../../core/conversation.ts';
import type { Capabilities } from '../../wire/mysql/capabilities.ts';
import { capability } from '../../wire/mysql/capabilities.ts';
import type { Column } from '../../wire/mysql/column-definition.ts';
import { readColumn } from '../../wire/mysql/column-definition.ts';
import { isNumber } from '../../wire/mysql/column-types.ts';
import { comQuery } from '../../wire/mysql/com-query.ts';
import { isEof, isFinalOk, readEof } from '../../wire/mysql/eof.ts';
import { isError, isProgress } from '../../wire/mysql/err.ts';
import { packet } from '../../wire/mysql/framing.ts';
import { OK_HEADER, readOk } from '../../wire/mysql/ok.ts';
import {
  LOCAL_INFILE_HEADER,
  metadataFollows,
  readColumnCount,
  readTextRow,
} from '../../wire/mysql/result-set.ts';
import type { SessionChange } from '../../wire/mysql/session-track.ts';
import { readSessionChanges } from '../../wire/mysql/session-track.ts';
import { serverStatus } from '../../wire/mysql/status-flags.ts';
import { Dialogue } from './dialogue.ts';
import type { MysqlMemory } from './memory.ts';

/** Values of a row of text; null is NULL. */
export type Row = readonly (string | null)[];

/** What a command of our own came to. */
export class Answer {
  /** Of all its result sets. */
  readonly rows: Row[] = [];
  /** How many result sets there were. */
  resultSets = 0;
  /** Of the columns of the last one, which hold numbers. */
  numeric: readonly boolean[] = [];
  /** The numbers of the collations that they are told with. */
  collations: readonly number[] = [];
  readonly changes: SessionChange[] = [];
  /** The payload of the ERR packet that ended it. */
  error: Uint8Array | undefined;
}

/** What is known of a connection to which commands can be said. */
export type Listener = Pick<MysqlMemory, 'capabilities' | 'status'>;

/** COM_QUERY, without query attributes. */
export function query(text: string, { flags }: Capabilities): Uint8Array {
  return comQuery(utf8(text), flags);
}

/** Sends commands of our own, payloads each, in one write and reads all their answers. */
export function* ask(
  listener: Listener,
  ...commands: readonly Uint8Array[]
): Conversation<readonly Answer[]> {
  yield* send(concat(commands.map((payload) => packet(0, payload))));
  const answers: Answer[] = [];
  for (const _ of commands) answers.push(yield* readAnswer(listener));
  return answers;
}

function* readAnswer(listener: Listener): Conversation<Answer> {
  const dialogue = new Dialogue(1);
  const answer = new Answer();
  do yield* readResult(listener, dialogue, answer);
  while (answer.error === undefined && (listener.status & serverStatus.moreResultsExist) !== 0);
  return answer;
}

/** One OK, EOF, ERR or result set. */
function* readResult(listener: Listener, dialogue: Dialogue, answer: Answer): Conversation<void> {
  const first = yield* hear(dialogue);
  if (takeEnd(listener, first, answer) || takeOk(listener, first, answer)) return;
  const { capabilities } = listener;
  const count = readColumnCount(first, 0, first.length, capabilities);
  const definitions = metadataFollows(first, first.length, capabilities) ? count : 0;
  answer.resultSets += 1;
  const columns: Column[] = [];
  while (columns.length < definitions) {
    const definition = yield* hear(dialogue);
    columns.push(readColumn(definition, 0, definition.length, capabilities.extensions));
  }
  answer.numeric = columns.map(({ type }) => isNumber(type));
  answer.collations = columns.map(({ collation }) => collation);
  if ((capabilities.flags & capability.deprecateEof) === 0) {
    if (!takeEnd(listener, yield* hear(dialogue), answer))
      throw new Violation('column definitions without an end');
  }
  for (;;) {
    const payload = yield* hear(dialogue);
    if (takeEnd(listener, payload, answer)) return;
    if (answer.rows.length >= limits.ownAnswerRows.value) throw new Violation('too many rows');
    const row = readTextRow(payload);
    if (row.length !== count) throw new Violation(`a row of ${row.length} values, not ${count}`);
    answer.rows.push(row);
  }
}

/** Reports of progress are nothing to us. */
function* hear(dialogue: Dialogue): Conversation<Uint8Array> {
  for (;;) {
    const payload = yield* dialogue.hear(limits.inspectedMessageBytes.value);
    const { length } = payload;
    if (length === 0) throw new Violation('an empty packet in answer to a command of ours');
    if (!isError(payload, 0, length) || !isProgress(payload, 0, length)) return payload;
  }
}

function takeOk(listener: Listener, payload: Uint8Array, answer: Answer): boolean {
  if (u8(payload, 0) === LOCAL_INFILE_HEADER)
    throw new Violation('the database asks us for a file');
  if (u8(payload, 0) !== OK_HEADER) return false;
  noteOk(listener, payload, answer);
  return true;
}

function noteOk(listener: Listener, payload: Uint8Array, answer: Answer): void {
  const { status, sessionState } = readOk(payload, 0, payload.length, listener.capabilities.flags);
  listener.status = status;
  answer.changes.push(...readSessionChanges(sessionState));
}

/** An error, or what ends rows. */
function takeEnd(listener: Listener, payload: Uint8Array, answer: Answer): boolean {
  const { length } = payload;
  if (isError(payload, 0, length)) {
    answer.error = payload;
    return true;
  }
  const hasOk = (listener.capabilities.flags & capability.deprecateEof) !== 0;
  if (hasOk && isFinalOk(payload, 0, length)) {
    noteOk(listener, payload, answer);
    return true;
  }
  if (hasOk || !isEof(payload, 0, length)) return false;
  listener.status = readEof(payload).status;
  return true;
}
