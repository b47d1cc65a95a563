import { describe, expect, test } from 'bun:test';
import fc from 'fast-check';
import { recording } from '../../../test/support/mysql-recordings.ts';
import { Violation } from '../../base/assert.ts';
import { concat, EMPTY, utf8 } from '../../base/bytes.ts';
import { byte, int16, lenencInt, lenencString } from './build.ts';
import { capability } from './capabilities.ts';
import { EOF_HEADER, eof, isEof, isFinalOk, readEof } from './eof.ts';
import { error, errorCode, isError, isProgress, readError, readProgress } from './err.ts';
import { ok, okOffsets, OK_HEADER, readOk, scanOk } from './ok.ts';
import type { Ok } from './ok.ts';
import { readSessionChanges, sessionState, tellsOfTransaction } from './session-track.ts';
import { serverStatus } from './status-flags.ts';

const TRACKS = capability.sessionTrack;
const nothing: Ok = {
  ...{ affectedRows: 0n, lastInsertId: 0n, status: 0, warnings: 0, info: '' },
  sessionState: EMPTY,
};

describe('an OK packet', () => {
  const recorded = [
    'mysqlLoginOk',
    'mysqlVariablesOk',
    'mysqlBeginOk',
    'mysqlUpdateOk',
    'mysqlRowsOk',
    'mariadbLoginOk',
    'mariadbVariablesOk',
    'mariadbBeginOk',
    'mariadbEd25519Ok',
  ] as const;

  test.each(recorded)('%s: read, and said again byte for byte', (name) => {
    const bytes = recording(name);
    const read = readOk(bytes, 0, bytes.length, TRACKS);
    expect(ok(read, TRACKS, bytes[0])).toEqual(bytes);
    expect(sessionState(readSessionChanges(read.sessionState))).toEqual(read.sessionState);
    const offsets = okOffsets();
    scanOk(offsets, bytes, 0, bytes.length, TRACKS);
    expect(offsets.status).toBe(read.status);
    expect(bytes.subarray(offsets.stateStart, offsets.stateEnd)).toEqual(read.sessionState);
  });

  test.each(recorded)('%s: every truncation and any surplus is a violation', (name) => {
    const bytes = recording(name);
    const state = readOk(bytes, 0, bytes.length, TRACKS).sessionState;
    const may = new Set([7, bytes.length - state.length - (state.length < 251 ? 1 : 3)]);
    for (let cut = 0; cut < bytes.length; cut += 1) {
      // Information, and the session's state behind it, may be missing as a whole.
      if (may.has(cut)) continue;
      const part = bytes.subarray(0, cut);
      expect(() => readOk(part, 0, cut, TRACKS)).toThrow(Violation);
      expect(() => scanOk(okOffsets(), bytes, 0, cut, TRACKS)).toThrow(Violation);
    }
    const more = concat([bytes, byte(0)]);
    expect(() => readOk(more, 0, more.length, TRACKS)).toThrow('too many');
  });

  test('says what has happened', () => {
    const bytes = recording('mysqlUpdateOk');
    expect(readOk(bytes, 0, bytes.length, TRACKS)).toMatchObject({
      ...{ affectedRows: 2n, lastInsertId: 0n, warnings: 0 },
      status: serverStatus.autocommit | serverStatus.noIndexUsed | serverStatus.sessionStateChanged,
      info: 'Rows matched: 2  Changed: 2  Warnings: 0',
    });
    const rows = recording('mysqlRowsOk');
    expect(rows[0]).toBe(EOF_HEADER);
    const status = serverStatus.inTransaction | serverStatus.autocommit;
    expect(readOk(rows, 0, rows.length, TRACKS).status & status).toBe(status);
  });

  test('holds numbers of 64 bits', () => {
    const most = 2n ** 64n - 1n;
    const bytes = ok({ ...nothing, affectedRows: most, lastInsertId: most, warnings: 9 }, TRACKS);
    const read = readOk(bytes, 0, bytes.length, TRACKS);
    expect(read).toMatchObject({ affectedRows: most, lastInsertId: most, warnings: 9 });
    expect(read.affectedRows).toBe(most);
    const offsets = okOffsets();
    scanOk(offsets, bytes, 0, bytes.length, TRACKS);
    expect(offsets).toMatchObject({ statusAt: 19, infoAt: 23, status: 0 });
  });

  test('MY-05: no state without session tracking, whatever the status says', () => {
    const status = serverStatus.sessionStateChanged;
    const said = { ...nothing, status, info: 'x', sessionState: utf8('never sent') };
    const bytes = ok(said, 0);
    expect(bytes).toEqual(
      concat([byte(OK_HEADER), byte(0), byte(0), int16(status), int16(0), lenencString('x')]),
    );
    expect(readOk(bytes, 0, bytes.length, 0)).toEqual({ ...said, sessionState: EMPTY });
    const offsets = okOffsets();
    scanOk(offsets, bytes, 0, bytes.length, 0);
    expect(offsets).toMatchObject({ stateStart: bytes.length, stateEnd: bytes.length });
    expect(ok({ ...said, info: '' }, 0)).toHaveLength(7);
  });

  test('the session state must end where the packet does', () => {
    const status = serverStatus.sessionStateChanged;
    const head = [byte(0), byte(0), byte(0), int16(status), int16(0), lenencString('')];
    for (const length of [0, 1, 3, 2n ** 64n - 1n]) {
      const bytes = concat([...head, lenencInt(length), utf8('ab')]);
      expect(() => scanOk(okOffsets(), bytes, 0, bytes.length, TRACKS)).toThrow(Violation);
      expect(() => readOk(bytes, 0, bytes.length, TRACKS)).toThrow(Violation);
    }
  });

  test('the scanner and the reader agree', () => {
    const arbitrary = fc.record({
      affectedRows: fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }),
      lastInsertId: fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }),
      status: fc.nat(0xffff),
      warnings: fc.nat(0xffff),
      info: fc.string({ unit: 'grapheme' }),
      sessionState: fc.uint8Array({ maxLength: 300 }),
    });
    fc.assert(
      fc.property(arbitrary, fc.constantFrom(0, TRACKS), (said, flags) => {
        const bytes = concat([utf8('xx'), ok(said, flags), utf8('yy')]);
        const end = bytes.length - 2;
        const read = readOk(bytes, 2, end, flags);
        const changed = (said.status & serverStatus.sessionStateChanged) !== 0 && flags !== 0;
        expect(read).toEqual({ ...said, sessionState: changed ? said.sessionState : EMPTY });
        const offsets = okOffsets();
        scanOk(offsets, bytes, 2, end, flags);
        expect(offsets.status).toBe(said.status);
        const state = bytes.subarray(offsets.stateStart, offsets.stateEnd);
        expect(Buffer.compare(state, read.sessionState)).toBe(0);
      }),
    );
  });
});

describe("the session's state", () => {
  const changes = (name: Parameters<typeof recording>[0]) => {
    const bytes = recording(name);
    return readSessionChanges(readOk(bytes, 0, bytes.length, TRACKS).sessionState);
  };

  test("MySQL's", () => {
    expect(changes('mysqlLoginOk')).toEqual([{ kind: 'schema', name: 'bench' }]);
    expect(changes('mysqlVariablesOk').map(({ kind }) => kind)).toEqual([
      'systemVariable',
      'systemVariable',
      'stateChange',
    ]);
    expect(changes('mysqlBeginOk').slice(1)).toEqual([
      { kind: 'transactionState', state: 'T_______' },
      { kind: 'transactionCharacteristics', statements: 'START TRANSACTION;' },
    ]);
  });

  test("MariaDB's", () => {
    expect(changes('mariadbLoginOk')).toEqual([
      { kind: 'systemVariable', name: 'autocommit', value: 'ON' },
      { kind: 'systemVariable', name: 'time_zone', value: 'SYSTEM' },
      { kind: 'systemVariable', name: 'character_set_client', value: 'utf8mb4' },
      { kind: 'systemVariable', name: 'character_set_connection', value: 'utf8mb4' },
      { kind: 'systemVariable', name: 'character_set_results', value: 'utf8mb4' },
      { kind: 'systemVariable', name: 'redirect_url', value: '' },
      { kind: 'schema', name: 'bench' },
    ]);
    expect(changes('mariadbVariablesOk')).toEqual([
      {
        kind: 'systemVariable',
        name: 'sql_mode',
        value: 'REAL_AS_FLOAT,PIPES_AS_CONCAT,ANSI_QUOTES,IGNORE_SPACE,ANSI',
      },
      { kind: 'stateChange', changed: true },
    ]);
  });

  test('of every kind is read as it was said', () => {
    const all = [
      { kind: 'systemVariable', name: 'a', value: 'x'.repeat(300) },
      { kind: 'schema', name: '' },
      { kind: 'stateChange', changed: false },
      { kind: 'gtids', encoding: 0, gtids: '3e11fa47:1-5' },
      { kind: 'transactionCharacteristics', statements: '' },
      { kind: 'transactionState', state: '________' },
      { kind: 'userVariable', name: 'x', value: '1' },
      { kind: 'unknown', type: 99, data: utf8('who knows') },
    ] as const;
    expect(readSessionChanges(sessionState(all))).toEqual([...all]);
  });

  test('several variables in one entry are several changes', () => {
    const two = ['a', '1', 'b', '2'].map(lenencString);
    expect(readSessionChanges(concat([byte(0), lenencString(concat(two))]))).toEqual([
      { kind: 'systemVariable', name: 'a', value: '1' },
      { kind: 'systemVariable', name: 'b', value: '2' },
    ]);
  });

  test('an entry cannot see past its end, nor leave anything over', () => {
    const entry =
      (...bytes: number[]) =>
      () =>
        readSessionChanges(Uint8Array.from(bytes));
    expect(entry(1, 2, 2, 0x61, 0x62)).toThrow(Violation);
    expect(entry(1, 3, 1, 0x61, 0x62)).toThrow('1 bytes too many');
    expect(entry(0, 2, 1, 0x61, 1, 0x62)).toThrow(Violation);
    expect(entry(1, 9, 0)).toThrow(Violation);
    expect(entry(1)).toThrow(Violation);
    expect(entry(2, 0)).toThrow(Violation);
  });

  test('that is of a transaction alone is told from all others', () => {
    const transaction = { kind: 'transactionState', state: 'T_______' } as const;
    const told = (...changes: Parameters<typeof sessionState>[0]): boolean => {
      const bytes = sessionState(changes);
      return tellsOfTransaction(bytes, 0, bytes.length);
    };
    expect(told(transaction)).toBe(true);
    expect(told(transaction, { kind: 'schema', name: 'app' })).toBe(false);
    expect(told({ kind: 'stateChange', changed: true })).toBe(false);
    expect(told()).toBe(false);
  });

  test('any bytes at all tell something or are a violation', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 20 }), (bytes) => {
        for (const read of [tellsOfTransaction, readSessionChanges]) {
          try {
            read(bytes, 0, bytes.length);
          } catch (problem) {
            if (!(problem instanceof Violation)) throw problem;
          }
        }
      }),
    );
  });
});

describe('an error', () => {
  test('is read as it was said', () => {
    const bytes = recording('mysqlError');
    const read = readError(bytes);
    expect(read).toEqual({
      ...{ code: 1146, sqlState: '42S02' },
      message: "Table 'bench.nosuch' doesn't exist",
    });
    expect(error(read, capability.protocol41)).toEqual(bytes);
    expect(errorCode(bytes, 0, bytes.length)).toBe(1146);
    expect(isError(bytes, 0, bytes.length)).toBe(true);
    expect(isError(bytes, 0, 0)).toBe(false);
  });

  test('before the handshake has no state, but may bring one', () => {
    const said = { code: 1040, sqlState: '', message: 'Too many connections' };
    const bytes = error(said, 0);
    expect(readError(bytes)).toEqual(said);
    const state = { ...said, sqlState: '08004' };
    expect(readError(error(state, capability.protocol41))).toEqual(state);
    expect(readError(error({ ...said, message: '#1' }, 0)).message).toBe('#1');
    for (let cut = 1; cut < 3; cut += 1) {
      expect(() => readError(bytes, 0, cut)).toThrow(Violation);
    }
  });

  test('that tells how far a statement has come is none', () => {
    const bytes = concat([
      ...[byte(0xff), int16(0xffff), byte(1), byte(1), byte(3)],
      ...[Uint8Array.of(0x50, 0xc3, 0), lenencString('copy to tmp table')],
    ]);
    expect(isProgress(bytes, 0, bytes.length)).toBe(true);
    expect(readProgress(bytes, 0, bytes.length)).toEqual({
      ...{ stage: 1, stages: 3, done: 50_000 },
      info: 'copy to tmp table',
    });
    for (let cut = 0; cut < bytes.length; cut += 1) {
      expect(() => readProgress(bytes, 0, cut)).toThrow(Violation);
    }
    const real = recording('mysqlError');
    expect(isProgress(real, 0, real.length)).toBe(false);
  });
});

describe('the end of rows', () => {
  test('is an EOF packet of five bytes', () => {
    const bytes = recording('mariadbEof');
    const read = readEof(bytes);
    expect(read.status & serverStatus.inTransaction).not.toBe(0);
    expect(eof(read)).toEqual(bytes);
    for (let cut = 0; cut < bytes.length; cut += 1) {
      expect(() => readEof(bytes, 0, cut)).toThrow(Violation);
    }
    expect(isEof(bytes, 0, 5)).toBe(true);
  });

  test('MY-03: is no row that begins with a value of more than 16 MB', () => {
    const row = byte(0xfe);
    expect(isEof(row, 0, 9)).toBe(false);
    expect(isFinalOk(row, 0, 0xffffff)).toBe(false);
    expect(isFinalOk(row, 0, 0xfffffe)).toBe(true);
    expect(isEof(row, 0, 0)).toBe(false);
    expect(isFinalOk(row, 0, 0)).toBe(false);
    expect(isEof(byte(0), 0, 5)).toBe(false);
  });
});
