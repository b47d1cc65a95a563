import { concat, u8, utf8 } from '../../base/bytes.ts';
import { BodyReader } from '../../base/body-reader.ts';
import { readLenenc, readLenencText } from './lenenc-reader.ts';
import { byte, lenencString } from './build.ts';
import { lenencStringEnd } from './values.ts';

/** The kinds of what has changed. MySQL: enum_session_state_type; the last is MariaDB's, in builds that have it. */
export const trackType = {
  systemVariable: 0,
  schema: 1,
  stateChange: 2,
  gtids: 3,
  transactionCharacteristics: 4,
  transactionState: 5,
  userVariable: 12,
} as const;

/** What an OK packet says that has changed in the session. */
export type SessionChange =
  | { readonly kind: 'systemVariable'; readonly name: string; readonly value: string }
  /** The schema that is now in use: empty for none. */
  | { readonly kind: 'schema'; readonly name: string }
  /** Whether anything has changed at all. */
  | { readonly kind: 'stateChange'; readonly changed: boolean }
  | { readonly kind: 'gtids'; readonly encoding: number; readonly gtids: string }
  /** The statements that begin such a transaction again. */
  | { readonly kind: 'transactionCharacteristics'; readonly statements: string }
  /** Eight characters, one for each thing that may be said of a transaction; `________` where there is none. */
  | { readonly kind: 'transactionState'; readonly state: string }
  | { readonly kind: 'userVariable'; readonly name: string; readonly value: string }
  /** A kind that nobody has told us of. A copy. */
  | { readonly kind: 'unknown'; readonly type: number; readonly data: Uint8Array };

/** Whether all that an OK packet says in `bytes[start, end)` is in what state a transaction is. */
export function tellsOfTransaction(bytes: Uint8Array, start: number, end: number): boolean {
  if (start === end || u8(bytes, start) !== trackType.transactionState) return false;
  return lenencStringEnd(bytes, start + 1, end) === end;
}

/** Reads the session's state in an OK packet, `bytes[start, end)`. */
export function readSessionChanges(
  bytes: Uint8Array,
  start = 0,
  end = bytes.length,
): readonly SessionChange[] {
  const reader = new BodyReader('session state', bytes, start, end);
  const changes: SessionChange[] = [];
  while (reader.remaining > 0) {
    const type = reader.u8();
    const entryEnd = readLenenc(reader) + reader.at;
    const entry = new BodyReader('session state', bytes, reader.at, Math.min(entryEnd, end));
    reader.skip(entryEnd - reader.at);
    readEntry(changes, type, entry);
  }
  return changes;
}

function readEntry(changes: SessionChange[], type: number, entry: BodyReader): void {
  switch (type) {
    case trackType.systemVariable:
    case trackType.userVariable: {
      const kind = type === trackType.systemVariable ? 'systemVariable' : 'userVariable';
      // MySQL has an entry for each variable; MariaDB's documentation allows for several in one.
      do changes.push({ kind, name: readLenencText(entry), value: readLenencText(entry) });
      while (entry.remaining > 0);
      return;
    }
    case trackType.gtids:
      changes.push({ kind: 'gtids', encoding: entry.u8(), gtids: readLenencText(entry) });
      break;
    case trackType.schema:
      changes.push({ kind: 'schema', name: readLenencText(entry) });
      break;
    case trackType.stateChange:
      changes.push({ kind: 'stateChange', changed: entry.takeText(1) === '1' });
      break;
    case trackType.transactionCharacteristics:
      changes.push({ kind: 'transactionCharacteristics', statements: readLenencText(entry) });
      break;
    case trackType.transactionState:
      changes.push({ kind: 'transactionState', state: readLenencText(entry) });
      break;
    default:
      changes.push({ kind: 'unknown', type, data: entry.take(entry.remaining).slice() });
  }
  entry.end();
}

/** The session's state as an OK packet holds it. */
export function sessionState(changes: readonly SessionChange[]): Uint8Array {
  return concat(changes.map(entry));
}

function entry(change: SessionChange): Uint8Array {
  switch (change.kind) {
    case 'systemVariable':
    case 'userVariable':
      return typed(trackType[change.kind], lenencString(change.name), lenencString(change.value));
    case 'schema':
      return typed(trackType.schema, lenencString(change.name));
    case 'stateChange':
      return typed(trackType.stateChange, utf8(change.changed ? '1' : '0'));
    case 'gtids':
      return typed(trackType.gtids, byte(change.encoding), lenencString(change.gtids));
    case 'transactionCharacteristics':
      return typed(trackType.transactionCharacteristics, lenencString(change.statements));
    case 'transactionState':
      return typed(trackType.transactionState, lenencString(change.state));
    case 'unknown':
      return typed(change.type, change.data);
  }
}

function typed(type: number, ...parts: readonly Uint8Array[]): Uint8Array {
  return concat([byte(type), lenencString(concat(parts))]);
}
