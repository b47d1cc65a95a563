import { describe, expect, test } from 'bun:test';
import fc from 'fast-check';
import { recording } from '../../../test/support/mysql-recordings.ts';
import { Violation } from '../../base/assert.ts';
import { concat, text, utf8 } from '../../base/bytes.ts';
import { limits } from '../../base/limits.ts';
import { byte, int16, int32, lenencInt, lenencString } from './build.ts';
import { capability } from './capabilities.ts';
import { columnType } from './column-types.ts';
import { comQuery, sqlStart } from './com-query.ts';
import { command } from './commands.ts';
import {
  LAST_PREPARED,
  packetsBehind,
  prepared,
  readPrepared,
  readStatementId,
  readStmtFetch,
  readStmtSendLongData,
  stmtClose,
  stmtPrepare,
  stmtReset,
  writeStatementId,
} from './stmt.ts';
import {
  bulkFlag,
  bulkWithTypes,
  executeFlag,
  readStmtBulkExecute,
  readStmtExecute,
  saysAgain,
  withTypes,
} from './stmt-execute.ts';

const ATTRIBUTES = capability.queryAttributes;

describe('a prepared statement', () => {
  const said = { statementId: 1, columns: 2, parameters: 2, warnings: 0, described: true };

  test('is read as it was said', () => {
    for (const name of ['mysqlPrepared', 'mariadbPrepared'] as const) {
      const bytes = recording(name);
      expect(readPrepared(bytes, 0, bytes.length, 0)).toEqual(said);
      expect(prepared(said, 0)).toEqual(bytes);
      // Warnings may be missing.
      for (let cut = 0; cut < 10; cut += 1) {
        expect(() => readPrepared(bytes, 0, cut, 0)).toThrow(Violation);
      }
      expect(readPrepared(bytes, 0, 10, 0)).toEqual(said);
      expect(() => readPrepared(bytes, 0, 11, 0)).toThrow(Violation);
    }
    expect(() => readPrepared(recording('mysqlError'), 0, 12, 0)).toThrow('neither');
  });

  test('says how many packets follow', () => {
    const without = capability.deprecateEof;
    expect(packetsBehind(said, 0)).toBe(6);
    expect(packetsBehind(said, without)).toBe(4);
    expect(packetsBehind({ ...said, columns: 0 }, 0)).toBe(3);
    expect(packetsBehind({ ...said, columns: 0, parameters: 0 }, 0)).toBe(0);
    expect(packetsBehind({ ...said, described: false }, 0)).toBe(0);
  });

  test('may leave its columns undescribed, where both sides have agreed to that', () => {
    const flags = capability.optionalResultsetMetadata;
    for (const described of [true, false]) {
      const bytes = prepared({ ...said, described }, flags);
      expect(readPrepared(bytes, 0, bytes.length, flags)).toEqual({ ...said, described });
      expect(() => readPrepared(bytes, 0, bytes.length, 0)).toThrow('too many');
    }
  });
});

describe('commands that name a statement', () => {
  test('do so in one place', () => {
    const bytes = stmtClose(0xfffffffe);
    expect(bytes[0]).toBe(command.stmtClose);
    expect(readStatementId(bytes, 0, bytes.length)).toBe(0xfffffffe);
    writeStatementId(bytes, 0, 7);
    expect(bytes).toEqual(stmtClose(7));
    expect(stmtReset(7)).toEqual(bytes.with(0, command.stmtReset));
    for (let cut = 0; cut < bytes.length; cut += 1) {
      expect(() => readStatementId(bytes, 0, cut)).toThrow(Violation);
    }
    const last = recording('mariadbExecuteLast');
    expect(readStatementId(last, 0, last.length)).toBe(LAST_PREPARED);
    expect(text(stmtPrepare(utf8('do 1')))).toBe('\u0016do 1');
  });

  test('MY-64: fetch rows', () => {
    const bytes = concat([byte(command.stmtFetch), int32(7), int32(0xffffffff)]);
    expect(readStmtFetch(bytes, 0, bytes.length)).toEqual({ statementId: 7, rows: 0xffffffff });
    for (let cut = 0; cut < bytes.length; cut += 1) {
      expect(() => readStmtFetch(bytes, 0, cut)).toThrow(Violation);
    }
  });

  test('MY-61: send long data, of any length', () => {
    const head = concat([byte(command.stmtSendLongData), int32(7), int16(9)]);
    const read = { statementId: 7, parameter: 9, dataStart: 7 };
    expect(readStmtSendLongData(head, 0, head.length)).toEqual(read);
    const bytes = concat([head, utf8('data')]);
    expect(readStmtSendLongData(bytes, 0, bytes.length)).toEqual(read);
    for (let cut = 0; cut < head.length; cut += 1) {
      expect(() => readStmtSendLongData(bytes, 0, cut)).toThrow(Violation);
    }
  });
});

describe('an execute', () => {
  test("mysql2's, with attributes", () => {
    const bytes = recording('mysqlExecute');
    const execute = readStmtExecute(bytes, 0, bytes.length, 2, ATTRIBUTES);
    expect(execute).toEqual({
      ...{ statementId: 1, flags: executeFlag.parameterCountAvailable, parameters: 2 },
      ...{ typesStart: 13, typesEnd: 19, hasTypes: true },
    });
    expect(bytes.subarray(execute.typesStart, execute.typesEnd)).toEqual(
      Uint8Array.of(columnType.double, 0, 0, columnType.varString, 0, 0),
    );
  });

  test('with parameters says how many, whatever its flags', () => {
    const bytes = recording('mysqlExecute').with(5, 0);
    const execute = readStmtExecute(bytes, 0, bytes.length, 2, ATTRIBUTES);
    expect(execute).toMatchObject({ flags: 0, parameters: 2, typesStart: 13, typesEnd: 19 });
  });

  test("MariaDB's, without", () => {
    const bytes = recording('mariadbExecute');
    expect(readStmtExecute(bytes, 0, bytes.length, 2, 0)).toEqual({
      ...{ statementId: 1, flags: 0, parameters: 2 },
      ...{ typesStart: 12, typesEnd: 16, hasTypes: true },
    });
    const last = recording('mariadbExecuteLast');
    expect(readStmtExecute(last, 0, last.length, 1, 0).statementId).toBe(LAST_PREPARED);
  });

  test('its values need not have arrived, but all before them must have', () => {
    for (const [name, flags] of [
      ['mysqlExecute', ATTRIBUTES],
      ['mysqlExecuteNull', ATTRIBUTES],
      ['mariadbExecute', 0],
    ] as const) {
      const bytes = recording(name);
      const { typesEnd } = readStmtExecute(bytes, 0, bytes.length, 2, flags);
      for (let cut = 0; cut < bytes.length; cut += 1) {
        const read = () => readStmtExecute(bytes, 0, cut, 2, flags);
        if (cut < typesEnd) expect(read).toThrow(Violation);
        else expect(read().typesEnd).toBe(typesEnd);
      }
    }
  });

  test('MY-62: without types gets those of an earlier one', () => {
    const whole = recording('mariadbExecute');
    const { typesStart, typesEnd } = readStmtExecute(whole, 0, whole.length, 2, 0);
    const types = whole.slice(typesStart, typesEnd);
    const bare = concat([whole.subarray(0, typesStart - 1), byte(0), whole.subarray(typesEnd)]);
    const surrounded = concat([utf8('xx'), bare, utf8('yy')]);
    const end = surrounded.length - 2;
    const execute = readStmtExecute(surrounded, 2, end, 2, 0);
    expect(execute).toMatchObject({ hasTypes: false, typesStart: 14, typesEnd: 14 });
    expect(withTypes(surrounded, 2, end, execute, types)).toEqual(whole);
    const again = readStmtExecute(whole, 0, whole.length, 2, 0);
    expect(() => withTypes(whole, 0, whole.length, again, types)).toThrow('no place');
  });

  test('says the types of an earlier one again where a full look at it finds the same, and nowhere else', () => {
    const whole = recording('mariadbExecute');
    const { typesStart, typesEnd } = readStmtExecute(whole, 0, whole.length, 2, 0);
    const types = whole.slice(typesStart, typesEnd);
    expect(saysAgain(whole, 0, whole.length, 2, types)).toBe(true);
    const change = fc.tuple(fc.nat(whole.length - 1), fc.nat(255));
    fc.assert(
      fc.property(fc.array(change, { maxLength: 3 }), fc.nat(whole.length), (changes, end) => {
        const bytes = whole.slice();
        for (const [at, value] of changes) bytes[at] = value;
        let isSame = false;
        try {
          const found = readStmtExecute(bytes, 0, end, 2, 0);
          const said = bytes.subarray(found.typesStart, found.typesEnd);
          isSame = found.hasTypes && Buffer.compare(said, types) === 0;
        } catch (problem) {
          if (!(problem instanceof Violation)) throw problem;
        }
        expect(saysAgain(bytes, 0, end, 2, types)).toBe(isSame);
      }),
    );
  });

  test('without parameters has nothing more to say, and more may stand there', () => {
    const bytes = concat([byte(command.stmtExecute), int32(3), byte(1), int32(1)]);
    const execute = readStmtExecute(bytes, 0, bytes.length, 0, ATTRIBUTES);
    expect(execute).toEqual({
      ...{ statementId: 3, flags: executeFlag.cursorReadOnly, parameters: 0 },
      ...{ typesStart: 10, typesEnd: 10, hasTypes: false },
    });
    expect(() => withTypes(bytes, 0, bytes.length, execute, byte(0))).toThrow('no place');
    const more = concat([bytes, byte(0)]);
    expect(readStmtExecute(more, 0, more.length, 0, 0).parameters).toBe(0);
  });

  test('may have attributes where its statement has no parameters', () => {
    const bytes = concat([
      ...[byte(command.stmtExecute), int32(3), byte(executeFlag.parameterCountAvailable)],
      ...[int32(1), lenencInt(1), byte(0), byte(1)],
      ...[int16(columnType.varString), lenencString('trace'), lenencString('abc')],
    ]);
    const execute = readStmtExecute(bytes, 0, bytes.length, 0, ATTRIBUTES);
    expect(execute).toMatchObject({ parameters: 1, hasTypes: true, typesEnd: bytes.length - 4 });
    expect(readStmtExecute(bytes, 0, bytes.length, 0, 0).parameters).toBe(0);
  });

  test('may not have more parameters than there can be', () => {
    const bytes = concat([
      ...[byte(command.stmtExecute), int32(3), byte(executeFlag.parameterCountAvailable)],
      ...[int32(1), lenencInt(limits.requestParameters.value + 1), new Uint8Array(70_000)],
    ]);
    expect(() => readStmtExecute(bytes, 0, bytes.length, 0, ATTRIBUTES)).toThrow('65536');
  });
});

describe('MY-68: a bulk execute', () => {
  const whole = recording('mariadbBulkExecute');

  test('is read as far as its types', () => {
    expect(readStmtBulkExecute(whole, 0, whole.length, 2)).toEqual({
      ...{ statementId: 2, flags: bulkFlag.sendTypesToServer | bulkFlag.sendUnitResults },
      ...{ typesStart: 7, typesEnd: 11, hasTypes: true },
    });
    for (let cut = 0; cut < 11; cut += 1) {
      expect(() => readStmtBulkExecute(whole, 0, cut, 2)).toThrow(Violation);
    }
  });

  test('without types gets those of an earlier one', () => {
    const types = whole.slice(7, 11);
    const bare = concat([
      whole.subarray(0, 5),
      int16(bulkFlag.sendUnitResults),
      whole.subarray(11),
    ]);
    const execute = readStmtBulkExecute(bare, 0, bare.length, 2);
    expect(execute).toMatchObject({ hasTypes: false, typesStart: 7, typesEnd: 7 });
    expect(bulkWithTypes(bare, 0, bare.length, execute, types)).toEqual(whole);
    const again = readStmtBulkExecute(whole, 0, whole.length, 2);
    expect(() => bulkWithTypes(whole, 0, whole.length, again, types)).toThrow('no place');
  });
});

describe('MY-11: the text of a query', () => {
  const sqlOf = (bytes: Uint8Array, flags = ATTRIBUTES) =>
    text(bytes, sqlStart(bytes, 0, bytes.length, flags));

  test('begins behind its attributes, where there may be any', () => {
    expect(sqlOf(recording('mysqlQuery'))).toBe('begin');
    expect(comQuery(utf8('begin'), ATTRIBUTES)).toEqual(recording('mysqlQuery'));
    expect(sqlOf(comQuery(utf8('begin'), 0), 0)).toBe('begin');
    expect(sqlOf(comQuery(utf8(''), 0), 0)).toBe('');
  });

  const types = [
    [columnType.null, 0, new Uint8Array(0)],
    [columnType.tiny, 0, new Uint8Array(1)],
    [columnType.short, 0x80, new Uint8Array(2)],
    [columnType.long, 0x80, new Uint8Array(4)],
    [columnType.longlong, 0x80, new Uint8Array(8)],
    [columnType.float, 0, new Uint8Array(4)],
    [columnType.double, 0, new Uint8Array(8)],
    [columnType.datetime, 0, concat([byte(11), new Uint8Array(11)])],
    [columnType.time, 0, byte(0)],
    [columnType.varString, 0, lenencString('x'.repeat(300))],
    [columnType.newDecimal, 0, lenencString('1.5')],
  ] as const;

  test('whatever they are, and cut anywhere before it', () => {
    const one = fc.record({
      type: fc.constantFrom(...types),
      name: fc.string({ maxLength: 5 }),
      isNull: fc.boolean(),
    });
    fc.assert(
      fc.property(fc.array(one, { minLength: 1, maxLength: 20 }), fc.string(), (all, sql) => {
        const nulls = new Uint8Array((all.length + 7) >> 3);
        for (const [index, { isNull }] of all.entries()) {
          if (isNull) nulls[index >> 3]! |= 1 << (index & 7);
        }
        const head = concat([
          ...[byte(command.query), lenencInt(all.length), byte(1), nulls, byte(1)],
          ...all.flatMap(({ type, name }) => [byte(type[0]), byte(type[1]), lenencString(name)]),
          ...all.filter(({ isNull }) => !isNull).map(({ type }) => type[2]),
        ]);
        const bytes = concat([head, utf8(sql)]);
        expect(sqlStart(bytes, 0, bytes.length, ATTRIBUTES)).toBe(head.length);
        for (let cut = 1; cut < head.length; cut += 1) {
          expect(() => sqlStart(bytes, 0, cut, ATTRIBUTES)).toThrow(Violation);
        }
      }),
      { numRuns: 50 },
    );
  });

  test('attributes that make no sense are violations', () => {
    const query = (...parts: Uint8Array[]) => concat([byte(command.query), ...parts]);
    expect(() => sqlOf(query(byte(0), byte(2)))).toThrow('several sets');
    expect(() => sqlOf(query(byte(1), byte(1), byte(0), byte(0)))).toThrow('without types');
    const many = query(lenencInt(65_536), byte(1), new Uint8Array(9000));
    expect(() => sqlOf(many)).toThrow('65536 attributes');
    expect(() => sqlOf(query())).toThrow(Violation);
  });
});
