import { describe, expect, test } from 'bun:test';
import * as say from '../../../test/transcripts/mysql-conversations.ts';
import {
  another,
  clientWith,
  commandLines,
  memoryFor,
  MODERN,
  MysqlRig,
  preparedNumber,
  usualOptions,
} from '../../../test/transcripts/mysql-rig.ts';
import { packetsIn } from '../../../test/transcripts/mysql-visit.ts';
import { EMPTY, u16le, u32le, u8, utf8 } from '../../base/bytes.ts';
import { limits } from '../../base/limits.ts';
import { byte, int16, int32 } from '../../wire/mysql/build.ts';
import { extension } from '../../wire/mysql/capabilities.ts';
import { command } from '../../wire/mysql/commands.ts';
import { packet } from '../../wire/mysql/framing.ts';
import { serverStatus } from '../../wire/mysql/status-flags.ts';
import type { MysqlMemory } from './memory.ts';

const { done, execute, failed, longData, oneRow, prepare, preparedAs, query, reply } = say;

/** A session that has prepared this text, on a connection that calls it 77. */
function prepared(sql = 'select ?', parameters = 1, rig = new MysqlRig(), id = 77): MysqlRig {
  rig.client(prepare(sql)).server(reply(...preparedAs(id, { parameters, columns: 1 })));
  rig.passed();
  return rig;
}

/** The same session's next command, on another connection. */
function elsewhere(rig: MysqlRig, sent: Uint8Array, memory = another(rig.memory)): MysqlRig {
  rig.passed();
  rig.takeHeard();
  rig.free = false;
  return rig.client(sent).grant(memory);
}

/** What the database has been sent, command by command, and of which of its statements. */
function sent(rig: MysqlRig): readonly string[] {
  const bytes = rig.takePassed();
  return packetsIn(bytes).map(({ payload }, at) => {
    const line = commandLines(bytes, rig.memory.capabilities)[at] ?? '';
    const [, name = ''] = line.split(' ');
    const isAbout = name.startsWith('stmt') && name !== 'stmtPrepare';
    return isAbout ? `${name} ${u32le(payload, 1)}` : line.slice(2);
  });
}

describe('a prepared statement', () => {
  test('MY-60: has a number of ours, and the database’s on each connection', () => {
    const rig = prepared();
    expect(preparedNumber(rig.takeHeard())).toBe(1);
    rig.client(prepare('select 2')).server(reply(...preparedAs(78)));
    expect(preparedNumber(rig.takeHeard())).toBe(2);
    rig.passed();
    rig.client(execute(1, { values: ['x'] }));
    expect(sent(rig)).toEqual(['stmtExecute 77']);
    rig.server(oneRow());
    expect([rig.boundaries, rig.requests, rig.pins]).toEqual([3, 1, []]);
  });

  test('MY-60: of a number that there is not is an error in the words of the database, and no more', () => {
    for (const isMariaDb of [false, true]) {
      const rig = new MysqlRig({ isMariaDb }).client(
        execute(9),
        say.fetchRows(9, 1),
        say.resetStatement(9),
        say.closeStatement(9),
        longData(9, 0, 'x'),
        packet(0, byte(command.stmtExecute)),
      );
      const asked = ['execute', 'fetch', 'reset', 'execute'] as const;
      const words = asked.map((what, at) => {
        const by = isMariaDb ? `mysqld_stmt_${what}` : 'mysql_stmt_precheck';
        const number = at < 3 ? 9 : 0;
        return `1 ERR 1243 HY000 Unknown prepared statement handler (${number}) given to ${by}`;
      });
      expect([rig.attached, rig.heard()]).toEqual([false, words]);
    }
  });

  test('is reset by the database where what has failed may have begun a transaction', () => {
    const rig = prepared()
      .client(query('set autocommit = 0'))
      .server(done({ status: 0 }));
    rig
      .server(say.answer(['0'], MODERN, 0))
      .client(query('insert into t values (1)'))
      .server(failed(1062));
    sent(rig);
    rig.client(say.resetStatement(1)).server(done({ status: serverStatus.inTransaction }));
    expect([sent(rig), rig.heard().at(-1)]).toEqual([['stmtReset 77'], '1 OK 1']);
  });

  test('is reset by the database where an error may have ended the transaction: it tells', () => {
    const rig = prepared()
      .client(query('begin'))
      .server(done({ status: say.IN_TRANSACTION }));
    rig.client(say.resetStatement(1)).client(query('drop table nowhere')).server(failed(1051));
    expect([rig.heard().at(-2), sent(rig).length]).toEqual(['1 OK 3', 2]);
    rig.client(say.resetStatement(1)).server(done());
    expect([sent(rig), rig.heard()]).toEqual([['stmtReset 77'], ['1 OK 2']]);
    expect(rig.attached).toBe(false);
  });

  test('that is answered by a mere OK is none', () => {
    const rig = new MysqlRig().client(prepare('set global a = 1'), execute(1)).server(done());
    expect([rig.boundaries, rig.heard()]).toEqual([1, ['1 OK 2', expect.stringContaining('1243')]]);
  });

  test('MY-65: is prepared again where it is missing, in the settings that it was prepared in', () => {
    const rig = prepared();
    rig.client(query("set sql_mode = 'ANSI_QUOTES'")).server(done());
    rig.server(say.answer(['ANSI_QUOTES']));
    elsewhere(rig, execute(1, { values: ['x'] }));
    expect(sent(rig)).toEqual(["query SET @@session.`sql_mode` = 'ANSI_QUOTES'"]);
    rig.server(done());
    expect(sent(rig)).toEqual(["query SET @@session.`sql_mode` = 'STRICT_TRANS_TABLES'"]);
    rig.server(done());
    expect(sent(rig)).toEqual(['stmtPrepare select ?']);
    rig.server(reply(...preparedAs(5, { parameters: 1, columns: 1 })));
    expect(sent(rig)).toEqual(["query SET @@session.`sql_mode` = 'ANSI_QUOTES'"]);
    rig.server(done());
    expect([sent(rig), rig.heard()]).toEqual([['stmtExecute 5'], []]);
  });

  test('that cannot be prepared there is an error of the next execution, and the session goes on (MY-71)', () => {
    const rig = elsewhere(prepared(), execute(1, { values: ['x'] }));
    rig.server(failed(1146, "Table 'app.t' doesn't exist"));
    expect(rig.heard()).toEqual(["1 ERR 1146 42000 Table 'app.t' doesn't exist"]);
    expect([rig.relay.quiet, rig.pendingBytes]).toEqual([true, 0]);
  });

  test('MY-63: that has other parameters there must be prepared anew by the client', () => {
    const rig = elsewhere(prepared(), execute(1, { values: ['x'] }));
    rig.server(reply(...preparedAs(5, { parameters: 2 })));
    expect(rig.heard()).toEqual(['1 ERR 1615 HY000 Prepared statement needs to be re-prepared']);
  });

  test('of one session is there for others', () => {
    const rig = prepared();
    const other = prepared('select ?', 1, new MysqlRig({ memory: another(rig.memory) }), 5);
    other.free = false;
    other.client(execute(1, { values: ['x'] })).grant(rig.memory);
    expect(sent(other)).toEqual(['stmtExecute 77']);
  });

  test('MY-62: has its types put in where the connection has not heard them', () => {
    const rig = prepared()
      .client(execute(1, { values: ['x'] }))
      .server(oneRow());
    const memory = another(rig.memory);
    elsewhere(rig, execute(1, { values: ['y'], hasTypes: false }), memory);
    rig.server(reply(...preparedAs(5, { parameters: 1 })));
    const whole = packetsIn(rig.takePassed()).at(-1)?.payload ?? EMPTY;
    expect(whole).toEqual(packetsIn(execute(5, { values: ['y'] }))[0]?.payload ?? EMPTY);
    rig.server(oneRow());
    // From then on it has.
    elsewhere(rig, execute(1, { values: ['z'], hasTypes: false }), memory);
    expect(u8(packetsIn(rig.takePassed())[0]?.payload ?? EMPTY, 11)).toBe(0);
  });

  test('MY-62: nor where somebody else has said other types in the meantime', () => {
    const memory = memoryFor();
    const one = prepared('select ?', 1, new MysqlRig({ memory }));
    one.client(execute(1, { values: ['x'] })).server(oneRow());
    const two = prepared('select ?', 1, new MysqlRig({ memory }), 78);
    two.client(execute(1, { values: ['x'] })).server(oneRow());
    one.passed();
    one.client(execute(1, { values: ['y'], hasTypes: false }));
    expect(u8(packetsIn(one.takePassed())[0]?.payload ?? EMPTY, 11)).toBe(1);
  });

  test('MY-66: there are no more on a connection than there may be; the one used least goes', () => {
    const rig = new MysqlRig({ options: { ...usualOptions, maxPreparedStatements: 2 } });
    for (const id of [11, 12]) prepared(`select ${id}`, 0, rig, id);
    rig.client(execute(1)).server(oneRow());
    sent(rig);
    rig.client(prepare('select 13')).server(reply(...preparedAs(13)));
    expect(sent(rig)).toEqual(['stmtPrepare select 13', 'stmtClose 12']);
    rig.client(execute(2));
    expect(sent(rig)).toEqual(['stmtPrepare select 12']);
  });

  test('MY-66: where the server has no more room, those that are kept in case of need make it', () => {
    const rig = prepared('select 11', 0, new MysqlRig(), 11);
    const memory = another(rig.memory);
    const other = new MysqlRig({ memory });
    prepared('select 21', 0, other, 21);
    elsewhere(rig, execute(1), memory);
    expect(sent(rig)).toEqual(['stmtPrepare select 11']);
    rig.server(failed(1461));
    expect(sent(rig)).toEqual(['stmtClose 21', 'stmtPrepare select 11']);
    rig.server(reply(...preparedAs(12)));
    expect(sent(rig)).toEqual(['stmtExecute 12']);
  });

  test('MY-70: is closed without a reply, whether or not there is a connection', () => {
    const rig = prepared();
    rig.free = false;
    rig.client(say.closeStatement(1), say.closeStatement(1));
    expect([rig.waiting, rig.attached, sent(rig)]).toEqual([false, false, []]);
    rig.takeHeard();
    rig.client(execute(1));
    expect(rig.heard()).toEqual([expect.stringContaining('1243')]);
  });

  test('beyond the most that a client may have ends its session', () => {
    const rig = new MysqlRig();
    rig.keeps = false;
    const { limit } = { limit: limits.sessionStatements.value };
    for (let count = 0; count < limit; count += 1)
      rig.client(prepare('select 1')).server(reply(...preparedAs(7)));
    expect(rig.faults).toEqual([]);
    rig.client(prepare('select 1')).server(reply(...preparedAs(7)));
    expect(rig.faults).toEqual([{ name: 'tooManyStatements', limit }]);
  });

  test('keeps its number after a reset, which means nothing from then on: another one is not run in its place', () => {
    const rig = prepared();
    rig.client(say.resetConnection());
    const other = another(rig.memory);
    rig.takeHeard();
    rig.free = false;
    rig
      .client(prepare('delete from t'))
      .grant(other)
      .server(reply(...preparedAs(77)));
    expect(preparedNumber(rig.takeHeard())).toBe(2);
    sent(rig);
    rig.client(execute(1, { values: ['x'] }));
    expect([sent(rig), rig.heard()]).toEqual([[], [expect.stringContaining('handler (1)')]]);
  });

  test('that assigns @x gives that another collation when MariaDB prepares it: what it is by then goes along', () => {
    const rig = new MysqlRig({ isMariaDb: true }).client(prepare('select @x := ?'));
    rig.server(reply(...preparedAs(77, { parameters: 1, columns: 1 })));
    expect(sent(rig)).toEqual(['stmtPrepare select @x := ?', expect.stringContaining('HEX(@`x`)')]);
    rig.server(say.answer(['abc', '616263', 'binary', 'binary']));
    expect([rig.memory.state.values.get('@x'), rig.attached]).toEqual(["_binary X'616263'", false]);
    // MySQL does no such thing.
    const mysql = new MysqlRig().client(prepare('select @x := ?'));
    mysql.server(reply(...preparedAs(77, { parameters: 1, columns: 1 })));
    expect([sent(mysql), mysql.attached]).toEqual([['stmtPrepare select @x := ?'], false]);
  });

  test('that assigns @x does not spoil that where MariaDB prepares it again on another connection', () => {
    const rig = new MysqlRig({ isMariaDb: true });
    prepared('select @x := ?', 1, rig).server(say.answer([null, null, 'binary', 'binary']));
    rig.client(query("set @x = _latin2'abc'")).server(done());
    rig.server(say.answer(['abc', '616263', 'latin2', 'latin2_general_ci']));
    const memory = another(rig.memory);
    memory.state = rig.memory.state;
    elsewhere(rig, execute(1, { values: ['x'] }), memory);
    expect(sent(rig)).toEqual(['stmtPrepare select @x := ?']);
    rig.server(reply(...preparedAs(5, { parameters: 1, columns: 1 })));
    expect(sent(rig)).toEqual(["query SET @`x` = _latin2 X'616263' COLLATE latin2_general_ci"]);
    rig.server(done());
    expect(sent(rig)).toEqual(['stmtExecute 5']);
  });

  test('too long to be looked at stays on its connection', () => {
    const text = `select '${'x'.repeat(limits.inspectedMessageBytes.value)}'`;
    const bytes = prepare(text);
    const rig = new MysqlRig().client(bytes.subarray(0, -1), bytes.subarray(-1));
    expect(rig.reasons).toEqual([]);
    const pieces = new MysqlRig().client(bytes.subarray(0, -1)).client(bytes.subarray(-1));
    pieces.server(reply(...preparedAs(77)));
    expect([pieces.reasons, pieces.attached]).toEqual([['preparedStatement'], true]);
  });
});

describe('parts of a parameter (MY-61)', () => {
  test('keep the connection up to the execution', () => {
    const rig = prepared().client(longData(1, 0, 'some '), longData(1, 0, 'text'));
    expect([sent(rig), rig.attached, rig.relay.quiet, rig.relay.inTransaction]).toEqual([
      ['stmtSendLongData 77', 'stmtSendLongData 77'],
      ...[true, true, true],
    ]);
    rig.client(execute(1, { values: [''], isLong: true })).server(oneRow());
    expect([rig.attached, rig.heard().length]).toEqual([false, 3 + 4]);
  });

  test('are given up by COM_STMT_RESET, which means nothing without them', () => {
    const rig = prepared().client(longData(1, 0, 'text'), say.resetStatement(1));
    expect(sent(rig)).toEqual(['stmtSendLongData 77', 'stmtReset 77']);
    rig.server(done());
    expect(rig.attached).toBe(false);
    rig.takeHeard();
    rig.client(say.resetStatement(1));
    expect([rig.attached, rig.heard()]).toEqual([false, ['1 OK 2']]);
  });

  test('are given up by closing, and the database’s statement with them', () => {
    const rig = prepared().client(longData(1, 0, 'text'), say.closeStatement(1));
    expect([sent(rig), rig.attached]).toEqual([['stmtSendLongData 77', 'stmtClose 77'], false]);
  });

  test('wait for a connection, and are prepared for there', () => {
    const rig = elsewhere(prepared(), longData(1, 0, 'text'));
    expect(sent(rig)).toEqual(['stmtPrepare select ?']);
    rig.server(reply(...preparedAs(5, { parameters: 1 })));
    expect(sent(rig)).toEqual(['stmtSendLongData 5']);
  });

  test('may be long, and are not held', () => {
    const rig = prepared();
    rig.keeps = false;
    const before = rig.upBytes;
    const long = packet(
      0,
      byte(command.stmtSendLongData),
      int32(1),
      int16(0),
      new Uint8Array(17 << 20),
    );
    for (let at = 0; at < long.length; at += 65_536) {
      const chunk = long.subarray(at, at + 65_536);
      rig.client(chunk);
      expect(rig.upBytes - before).toBeGreaterThanOrEqual(at + chunk.length - 16);
    }
    expect([rig.upBytes - before, rig.attached]).toEqual([long.length, true]);
  });
});

describe('a cursor (MY-64)', () => {
  const { cursorExists, lastRowSent } = serverStatus;

  /** Executes statement `number`, and has a cursor. */
  function open(rig: MysqlRig, number = 1): MysqlRig {
    rig.client(execute(number, { cursor: true })).server(reply(...say.cursor()));
    return rig;
  }
  const opened = (): MysqlRig => open(prepared('select a from t', 0));

  test('keeps the connection up to the last row', () => {
    const rig = opened();
    expect([rig.boundaries, rig.attached, rig.relay.inTransaction]).toEqual([1, true, true]);
    rig.client(say.fetchRows(1, 1));
    rig.server(reply(say.binaryRow('one'), say.endOfRows(2 | cursorExists)));
    expect(rig.attached).toBe(true);
    // Something else in between.
    rig.client(query('select 1')).server(oneRow());
    expect(rig.attached).toBe(true);
    rig.client(say.fetchRows(1, 9));
    rig.server(reply(say.binaryRow('two'), say.endOfRows(2 | cursorExists | lastRowSent)));
    expect([rig.attached, rig.boundaries]).toEqual([false, 2]);
  });

  test('is over with an error, or with its statement', () => {
    const rig = opened().client(say.fetchRows(1, 1)).server(failed(1317));
    expect(rig.attached).toBe(false);
    const closed = opened();
    sent(closed);
    closed.client(say.closeStatement(1));
    expect([sent(closed), closed.attached]).toEqual([['stmtClose 77'], false]);
  });

  test('is not lost to another execution of the same text', () => {
    const rig = prepared('select a from t', 0);
    rig.client(prepare('select a from t')).server(reply(...preparedAs(78, { columns: 1 })));
    open(rig);
    sent(rig);
    rig.client(execute(2, { cursor: true }));
    expect(sent(rig)).toEqual(['stmtPrepare select a from t']);
    rig.server(reply(...preparedAs(79, { columns: 1 })));
    expect(sent(rig)).toEqual(['stmtExecute 79']);
    rig.server(reply(...say.cursor()));
    rig.client(say.fetchRows(1, 1));
    expect(sent(rig)).toEqual(['stmtFetch 78']);
  });

  test('is not lost to another preparation of the same text, nor to many of others', () => {
    const options = { ...usualOptions, maxPreparedStatements: 1 };
    const rig = open(prepared('select a from t', 0, new MysqlRig({ options })));
    sent(rig);
    rig.client(prepare('select a from t')).server(reply(...preparedAs(78, { columns: 1 })));
    rig.client(prepare('select b from t')).server(reply(...preparedAs(79, { columns: 1 })));
    expect(sent(rig).filter((line) => line === 'stmtClose 77')).toEqual([]);
    rig.client(say.fetchRows(1, 1));
    expect(sent(rig)).toEqual(['stmtFetch 77']);
  });
});

describe('MariaDB’s own (MY-68)', () => {
  const LAST = 0xffffffff;

  test('an execution of the last statement, before its number is known', () => {
    const rig = new MysqlRig({ isMariaDb: true });
    rig.client(prepare('select ?'), execute(LAST, { values: ['x'] }));
    rig.server(reply(...preparedAs(77, { parameters: 1 })));
    expect(sent(rig)).toEqual(['stmtPrepare select ?', 'stmtExecute 77']);
    rig.server(oneRow());
    expect([rig.boundaries, rig.attached]).toEqual([2, false]);
    // Where that could not be prepared there is none.
    rig.client(prepare('nonsense'), execute(LAST));
    rig.takeHeard();
    rig.server(failed());
    expect(rig.heard()).toEqual(['1 ERR 1064 42000 nonsense', expect.stringContaining('1243')]);
  });

  test('a bulk execution has its types put in as well', () => {
    const who = clientWith(MODERN, extension.stmtBulkOperations);
    const parts = { who, isMariaDb: true };
    const bulk = (id: number, flags: number, types: Uint8Array = EMPTY): Uint8Array =>
      packet(
        0,
        byte(command.stmtBulkExecute),
        ...[int32(id), int16(flags), types, byte(0), byte(1), utf8('x')],
      );
    const rig = prepared('insert into t values (?)', 1, new MysqlRig(parts));
    rig.client(bulk(1, 0x80, int16(253))).server(done({ rows: 1 }));
    const memory: MysqlMemory = another(rig.memory);
    elsewhere(rig, bulk(1, 0), memory).server(reply(...preparedAs(5, { parameters: 1 })));
    const payload = packetsIn(rig.takePassed()).at(-1)?.payload ?? EMPTY;
    expect([u32le(payload, 1), u16le(payload, 5), u16le(payload, 7)]).toEqual([5, 0x80, 253]);
    rig.server(done({ rows: 1 }));
    expect(rig.attached).toBe(false);
  });
});
