import { describe, expect, test } from 'bun:test';
import fc from 'fast-check';
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
import { outcomes, ranged } from '../support/wire-readers.ts';
import type { RangeReader } from '../support/wire-readers.ts';

/** The same offsets, whatever is read there. */
function scanned(bytes: Uint8Array, start: number, end: number): unknown {
  const offsets = okOffsets();
  scanOk(offsets, bytes, start, end, ~0);
  return offsets;
}

const all = { flags: ~0, extensions: ~0 };
const ranges: readonly RangeReader[] = [
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
const readers = [...ranges, ...bodies.map(ranged)];

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
          const { alone, surrounded } = outcomes(reader, bytes, other);
          expect(surrounded).toEqual(alone);
        },
      ),
      { numRuns: 20_000 },
    );
  });
});
