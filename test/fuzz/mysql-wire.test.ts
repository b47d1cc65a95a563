import { describe, expect, test } from 'bun:test';
import fc from 'fast-check';
import { Violation } from '../../src/base/assert.ts';
import * as auth from '../../src/wire/mysql/auth-packets.ts';
import { readColumn } from '../../src/wire/mysql/column-definition.ts';
import { sqlStart } from '../../src/wire/mysql/com-query.ts';
import { readEof } from '../../src/wire/mysql/eof.ts';
import { errorCode, readError, readProgress } from '../../src/wire/mysql/err.ts';
import { readHandshakeResponse } from '../../src/wire/mysql/handshake-response.ts';
import { readHandshake } from '../../src/wire/mysql/handshake.ts';
import { okOffsets, readOk, scanOk } from '../../src/wire/mysql/ok.ts';
import { readColumnCount, readTextRow } from '../../src/wire/mysql/result-set.ts';
import { readSessionChanges } from '../../src/wire/mysql/session-track.ts';
import { readStmtBulkExecute, readStmtExecute } from '../../src/wire/mysql/stmt-execute.ts';
import {
  readPrepared,
  readStatementId,
  readStmtFetch,
  readStmtSendLongData,
} from '../../src/wire/mysql/stmt.ts';
import { recordings } from '../support/mysql-recordings.ts';

type Range = (bytes: Uint8Array, start: number, end: number) => unknown;

/** The same offsets, whatever is read there. */
function scanned(bytes: Uint8Array, start: number, end: number): unknown {
  const offsets = okOffsets();
  scanOk(offsets, bytes, start, end, ~0);
  return offsets;
}

const all = { flags: ~0, extensions: ~0 };
const ranged: readonly Range[] = [
  (bytes, start, end) => readOk(bytes, start, end, ~0),
  (bytes, start, end) => readOk(bytes, start, end, 0),
  scanned,
  readSessionChanges,
  readError,
  errorCode,
  readProgress,
  readEof,
  (bytes, start, end) => readColumn(bytes, start, end, ~0),
  (bytes, start, end) => readColumn(bytes, start, end, 0),
  (bytes, start, end) => readColumnCount(bytes, start, end, all),
  (bytes, start, end) => readPrepared(bytes, start, end, ~0),
  (bytes, start, end) => readStmtExecute(bytes, start, end, 2, ~0),
  (bytes, start, end) => readStmtExecute(bytes, start, end, 2, 0),
  (bytes, start, end) => readStmtBulkExecute(bytes, start, end, 2),
  (bytes, start, end) => sqlStart(bytes, start, end, ~0),
  readTextRow,
  readStatementId,
  readStmtFetch,
  readStmtSendLongData,
];
const bodies: readonly ((body: Uint8Array) => unknown)[] = [
  readHandshake,
  (body) => readHandshakeResponse(body, all),
  auth.readAuthRequest,
  auth.readClearPassword,
  (body) => auth.readChangeUser(body, ~0),
  (body) => auth.readChangeUser(body, 0),
];
const readers: readonly Range[] = [
  ...ranged,
  ...bodies.map(
    (read): Range =>
      (bytes, start, end) =>
        read(bytes.subarray(start, end)),
  ),
];

/** What a reader made of the bytes: its result or the text of its violation; anything else it throws fails the test. */
function outcome(reader: Range, bytes: Uint8Array, start: number, end: number): unknown {
  try {
    return reader(bytes, start, end);
  } catch (error) {
    if (error instanceof Violation) return error.message;
    throw error;
  }
}

/** Real packets with a few bytes changed and an end somewhere get further than chance does. */
const damaged = fc
  .tuple(
    fc.constantFrom(...recordings.map(([, payload]) => payload)),
    fc.array(fc.tuple(fc.nat(400), fc.constantFrom(0, 1, 8, 0x40, 0xfb, 0xfc, 0xfe, 0xff)), {
      maxLength: 3,
    }),
    fc.nat(400),
  )
  .map(([payload, changes, end]) => {
    const bytes = payload.slice(0, Math.max(1, end));
    for (const [at, value] of changes) bytes[at % bytes.length] = value;
    return bytes;
  });
const body = fc.oneof(fc.uint8Array({ maxLength: 64 }), damaged);

describe('MySQL wire', () => {
  test('arbitrary bytes give a result or a violation, and never look outside', () => {
    fc.assert(
      fc.property(
        fc.constantFrom(...readers),
        body,
        fc.uint8Array({ maxLength: 8 }),
        (reader, bytes, other) => {
          // The same offsets, so that results can be compared; only what lies outside differs.
          const alone = new Uint8Array(8 + bytes.length);
          alone.set(bytes, 8);
          const surrounded = new Uint8Array(16 + bytes.length).fill(0x41);
          surrounded.set(other);
          surrounded.set(bytes, 8);
          surrounded.set(other, 8 + bytes.length);
          const expected = outcome(reader, alone, 8, 8 + bytes.length);
          expect(outcome(reader, surrounded, 8, 8 + bytes.length)).toEqual(expected);
        },
      ),
      { numRuns: 20_000 },
    );
  });
});
