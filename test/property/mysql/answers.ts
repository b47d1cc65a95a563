import { Violation } from '../../../src/base/assert.ts';
import { capability } from '../../../src/wire/mysql/capabilities.ts';
import type { Capabilities } from '../../../src/wire/mysql/capabilities.ts';
import { readError } from '../../../src/wire/mysql/err.ts';
import { okOffsets, readOk, scanOk } from '../../../src/wire/mysql/ok.ts';
import { readSessionChanges } from '../../../src/wire/mysql/session-track.ts';
import type { SessionChange } from '../../../src/wire/mysql/session-track.ts';
import { serverStatus } from '../../../src/wire/mysql/status-flags.ts';
import type { Heard, ReplyShape } from '../../support/mysql-client.ts';

export interface Answer {
  /** One for each payload, as `tell` of the differential tests has them. */
  readonly lines: readonly string[];
  readonly payloads: readonly Uint8Array[];
  /** The other side has closed. */
  readonly ended: boolean;
}

const ERR = 0xff;
const OK = 0x00;
const EOF = 0xfe;
const EOF_BYTES = 5;

/** Undefined where the payload is no error. */
export function codeOf(payload: Uint8Array | undefined): number | undefined {
  return payload?.[0] === ERR ? readError(payload).code : undefined;
}

export function codesIn({ payloads }: Answer): readonly number[] {
  return payloads.flatMap((payload) => codeOf(payload) ?? []);
}

/** The status flags that the last packet tells; undefined where it tells none. */
export function lastStatus(
  heard: readonly Heard[],
  reply: ReplyShape,
  { flags }: Capabilities,
): number | undefined {
  const payload = heard.at(-1)?.payload;
  if (payload === undefined || reply === 'prepared') return undefined;
  const [first] = payload;
  const isEof = first === EOF && (flags & capability.deprecateEof) === 0;
  if (isEof && payload.length === 5) return Buffer.from(payload).readUInt16LE(3);
  if (first !== OK && first !== EOF) return undefined;
  const offsets = okOffsets();
  scanOk(offsets, payload, 0, payload.length, flags);
  return offsets.status;
}

/**
 * An OK that tells what has changed in the session, as a line: in any order, and with the flag only where there is something to
 * tell (docs/differences.md). Undefined for any other payload.
 * @param isExecution of a prepared statement
 */
export function changesIn(
  payload: Uint8Array,
  { flags }: Capabilities,
  isMariadb: boolean,
  isExecution: boolean,
): string | undefined {
  const isOk = payload[0] === OK || (payload[0] === EOF && payload.length > EOF_BYTES);
  if (!isOk || (flags & capability.sessionTrack) === 0) return undefined;
  const { sessionStateChanged } = serverStatus;
  try {
    const said = readOk(payload, 0, payload.length, flags);
    const { affectedRows, lastInsertId, status, warnings, info, sessionState } = said;
    const counts = [affectedRows, lastInsertId, status & ~sessionStateChanged, warnings].join(' ');
    const endsRows = payload[0] === EOF;
    const changes = readSessionChanges(sessionState).filter((change) =>
      isMariadb ? !isMistold(change, endsRows) : !isExecution || change.kind !== 'schema',
    );
    const told = changes.map((change) => JSON.stringify(change)).toSorted();
    return `ok ${counts} ${JSON.stringify(info)} ${told.join(' ')}`.trimEnd();
  } catch (problem) {
    if (problem instanceof Violation) return undefined; // a row that begins like one
    throw problem;
  }
}

/** By these names MariaDB tells of others, too, where it is to tell of some variables and not of all. */
const MISNAMED: readonly string[] = ['autocommit', 'character_set_connection'];

/** Behind rows MariaDB tells of the schema of a prepared statement that was left again at once. */
function isMistold(change: SessionChange, endsRows: boolean): boolean {
  if (change.kind === 'systemVariable') return MISNAMED.includes(change.name);
  return change.kind === 'schema' && endsRows;
}

const SUMMED_UP = 5;

/** In one short line. */
export function summary({ payloads, lines, ended }: Answer): string {
  const told = payloads.map((payload, at) => {
    if (payload[0] !== ERR) return (lines[at] ?? '').slice(0, 60);
    const { code, message } = readError(payload);
    return `${code} ${message}`;
  });
  const middle = told.length > 2 * SUMMED_UP ? [`… ${told.length} packets …`] : [];
  const first = told.slice(0, middle.length === 0 ? 2 * SUMMED_UP : SUMMED_UP);
  const last = middle.length === 0 ? [] : told.slice(-SUMMED_UP);
  return [...first, ...middle, ...last, ...(ended ? ['closed'] : [])].join(' · ');
}

/** The first value of the first row of a text result with one column. */
export function valueIn({ payloads }: Answer, { flags }: Capabilities): string | null | undefined {
  const row = payloads[(flags & capability.deprecateEof) === 0 ? 3 : 2];
  if (row === undefined || codeOf(payloads.at(-1)) !== undefined) return undefined;
  if (row[0] === NULL) return null;
  return Buffer.from(row).toString('latin1', 1, 1 + (row[0] ?? 0));
}

const NULL = 0xfb;
