import { Violation } from '../../base/assert.ts';
import { concat, u8, utf8 } from '../../base/bytes.ts';
import { limits } from '../../base/limits.ts';
import type { Conversation } from '../../core/conversation.ts';
import { send } from '../../core/conversation.ts';
import { BodyReader } from '../../wire/mysql/body-reader.ts';
import { byte } from '../../wire/mysql/build.ts';
import type { Capabilities } from '../../wire/mysql/capabilities.ts';
import { capability, extension } from '../../wire/mysql/capabilities.ts';
import { columnType } from '../../wire/mysql/column-types.ts';
import { command } from '../../wire/mysql/commands.ts';
import { isEof, isFinalOk, readEof } from '../../wire/mysql/eof.ts';
import { isError, isProgress } from '../../wire/mysql/err.ts';
import { packet } from '../../wire/mysql/framing.ts';
import { OK_HEADER, readOk } from '../../wire/mysql/ok.ts';
import type { SessionChange } from '../../wire/mysql/session-track.ts';
import { readSessionChanges } from '../../wire/mysql/session-track.ts';
import { serverStatus } from '../../wire/mysql/status-flags.ts';
import { lenenc } from '../../wire/mysql/values.ts';
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
  const attributes = (flags & capability.queryAttributes) === 0 ? [] : [byte(0), byte(1)];
  return concat([byte(command.query), ...attributes, utf8(text)]);
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
  const reader = new BodyReader('column count', first);
  const columns = reader.lenenc();
  // A byte behind it says whether definitions follow, where the two sides have agreed that they may not.
  const definitions = reader.remaining > 0 && reader.u8() === 0 ? 0 : columns;
  answer.resultSets += 1;
  const facts: Facts[] = [];
  while (facts.length < definitions) {
    facts.push(readFacts(yield* hear(dialogue), listener.capabilities));
  }
  answer.numeric = facts.map(({ isNumeric }) => isNumeric);
  answer.collations = facts.map(({ collation }) => collation);
  if ((listener.capabilities.flags & capability.deprecateEof) === 0) {
    if (!takeEnd(listener, yield* hear(dialogue), answer))
      throw new Violation('column definitions without an end');
  }
  for (;;) {
    const row = yield* hear(dialogue);
    if (takeEnd(listener, row, answer)) return;
    if (answer.rows.length >= limits.ownAnswerRows.value) throw new Violation('too many rows');
    answer.rows.push(readRow(row, columns));
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
  if (u8(payload, 0) === LOCAL_FILE) throw new Violation('the database asks us for a file');
  if (u8(payload, 0) !== OK_HEADER) return false;
  noteOk(listener, payload, answer);
  return true;
}

/** The first byte of a reply that asks the client for a file. */
const LOCAL_FILE = 0xfb;

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

function readRow(payload: Uint8Array, columns: number): Row {
  const reader = new BodyReader('row', payload);
  const row = Array.from({ length: columns }, () => {
    if (reader.remaining === 0 || u8(payload, reader.at) !== lenenc.null)
      return reader.lenencText();
    reader.skip(1);
    return null;
  });
  reader.end();
  return row;
}

const numbers: ReadonlySet<number> = new Set([
  columnType.decimal,
  columnType.tiny,
  columnType.short,
  columnType.long,
  columnType.float,
  columnType.double,
  columnType.longlong,
  columnType.int24,
  columnType.year,
  columnType.newDecimal,
]);

interface Facts {
  readonly isNumeric: boolean;
  readonly collation: number;
}

/** What a column's definition says. */
function readFacts(definition: Uint8Array, { extensions }: Capabilities): Facts {
  const reader = new BodyReader('column definition', definition);
  const strings = (extensions & extension.extendedMetadata) === 0 ? 6 : 7;
  for (let left = strings; left > 0; left -= 1) reader.lenencBytes();
  reader.skip(1);
  const collation = reader.u16();
  reader.skip(4);
  return { isNumeric: numbers.has(reader.u8()), collation };
}
