import { describe, expect, test } from 'bun:test';
import * as say from '../../../test/transcripts/mysql-conversations.ts';
import {
  another,
  clientWith,
  memoryFor,
  MODERN,
  MysqlRig,
} from '../../../test/transcripts/mysql-rig.ts';
import { packetsIn, stage } from '../../../test/transcripts/mysql-visit.ts';
import { rehearse } from '../../../test/support/rehearse.ts';
import { Violation } from '../../base/assert.ts';
import { concat, EMPTY, utf8 } from '../../base/bytes.ts';
import type { Fault } from '../../core/fault.ts';
import { byte, int24, int32 } from '../../wire/mysql/build.ts';
import { capability } from '../../wire/mysql/capabilities.ts';
import { command } from '../../wire/mysql/commands.ts';
import { MAX_PACKET_BYTES, packet } from '../../wire/mysql/framing.ts';
import { CONNECTION_ID_BASE } from './greet.ts';
import { outcomeOf } from '../../../test/support/outcome.ts';

const { done, failed, oneRow, okay, ping, query, reply, replyFrom, rows } = say;

/** A client that has sent this, and a database that has answered so. */
function after(sent: Uint8Array, ...answers: readonly Uint8Array[]): MysqlRig {
  return new MysqlRig().client(sent).server(...answers);
}

/** A payload of two packets. */
const long = (code: number): readonly Uint8Array[] => [
  concat([
    int24(MAX_PACKET_BYTES),
    byte(0),
    byte(code),
    new Uint8Array(MAX_PACKET_BYTES - 1).fill(0x61),
  ]),
  packet(1, utf8('the rest')),
];

describe('a command', () => {
  test('borrows a connection, and gives it back with the end of its reply', () => {
    const rig = new MysqlRig().client(query('select 1'));
    expect([rig.passed(), rig.relay.quiet]).toEqual([['0 query select 1'], false]);
    const bytes = oneRow();
    rig.server(bytes.subarray(0, 40));
    expect([rig.boundaries, rig.relay.quiet]).toEqual([0, false]);
    rig.server(bytes.subarray(40));
    expect([rig.boundaries, rig.attached, rig.relay.quiet, rig.requests]).toEqual([
      ...[1, false, true],
      1,
    ]);
    expect(rig.heard().at(-1)).toBe('4 OK 2');
  });

  test('MY-69: waits for the reply to the one before, whatever has come already', () => {
    const rig = new MysqlRig().client(query('select 1'), ping(), query('select 2'));
    expect(rig.passed()).toEqual(['0 query select 1']);
    rig.server(oneRow());
    expect([rig.passed(), rig.boundaries]).toEqual([['0 ping'], 1]);
    rig.server(done());
    expect(rig.passed()).toEqual(['0 query select 2']);
    rig.server(failed());
    expect([rig.boundaries, rig.pendingBytes]).toEqual([3, 0]);
  });

  test('MY-40: in a transaction keeps its connection, an error within or not', () => {
    const rig = after(query('begin'), done({ status: say.IN_TRANSACTION }));
    expect([rig.boundaries, rig.attached, rig.relay.inTransaction]).toEqual([0, true, true]);
    rig.client(query('nonsense')).server(failed());
    expect([rig.boundaries, rig.relay.inTransaction]).toEqual([0, true]);
    rig.client(query('rollback')).server(done());
    expect([rig.boundaries, rig.relay.inTransaction]).toEqual([1, false]);
  });

  test('MY-40: an error that has ended the transaction is found out by the next reply', () => {
    const rig = after(query('begin'), done({ status: say.IN_TRANSACTION }));
    rig.client(query('update t set a = 1')).server(failed(1213, 'Deadlock found'));
    expect(rig.attached).toBe(true);
    rig.client(query('select 1')).server(oneRow());
    expect([rig.boundaries, rig.attached]).toEqual([1, false]);
  });

  test('that fails leaves the status as the session was told it last, whoever was on the connection before', () => {
    const rig = after(query('select 1'), oneRow());
    rig.memory.status = 0; // autocommit is off, as another session has had it
    rig.client(query('nonsense')).server(failed());
    rig.heard();
    rig.others = [{ number: 5, who: clientWith(MODERN) }];
    rig.client(query(`kill query ${CONNECTION_ID_BASE + 5}`));
    expect(rig.heard()).toEqual(['1 OK 2']);
  });

  test('of one session is nothing to the next one, which those who have served it serve', () => {
    const first = after(query("insert into t values ('x')"), done({ warnings: 3 }));
    first.client(query('nonsense')).server(failed());
    const second = new MysqlRig().client(ping()).server(done({ warnings: 1 }));
    expect(second.heard()).toEqual(['1 OK 2']);
    first.client(ping()).server(done());
    expect(first.heard().at(-1)).toBe('1 OK 2 warnings=1');
  });

  test('MY-41: with autocommit off keeps its connection from the first statement to COMMIT', () => {
    const off = 0;
    const rig = after(query('set autocommit = 0'), done({ status: off }));
    rig.server(say.answer(['0'], MODERN, off));
    rig.client(query('select 1')).server(reply(...rows(['one'], off)));
    expect([rig.attached, rig.relay.inTransaction]).toEqual([true, true]);
    for (const [sql, isHeld] of [
      ['select 2', true],
      ['commit', false],
      ['insert into t values (1)', true],
      ['ROLLBACK', false],
    ] as const) {
      rig.client(query(sql)).server(done({ status: off }));
      expect([sql, rig.attached]).toEqual([sql, isHeld]);
    }
  });

  test('MY-08, MY-09: of several statements is over with its last result, and never sent again', () => {
    const rig = new MysqlRig().client(query('select 1; update t set a = 1; select 2'));
    rig.server(reply(...rows(['one'], say.MORE)));
    expect([rig.boundaries, rig.relay.quiet]).toEqual([0, false]);
    rig.server(replyFrom(5, okay({ status: say.MORE, rows: 2 })));
    expect(rig.boundaries).toBe(0);
    rig.server(replyFrom(6, ...rows(['two'])));
    expect([rig.boundaries, rig.passed().length]).toEqual([1, 1]);
    expect(rig.heard()[4]).toBe('5 OK a rows=2');
  });

  test('MY-04: an error after the definitions of columns ends it', () => {
    const rig = new MysqlRig().client(query('select (select 1 union select 2)'));
    rig.server(reply(...rows([]).slice(0, -1), packetsIn(failed(1242))[0]?.payload ?? EMPTY));
    expect([rig.boundaries, rig.heard().at(-1)]).toEqual([1, '3 ERR 1242 42000 nonsense']);
  });

  test('MY-59: its own OK is passed on byte for byte', () => {
    const bytes = done({ rows: 7, id: 300, warnings: 2, info: 'Rows matched: 9' });
    const rig = after(query('update t set a = 1'), bytes);
    expect(rig.takeHeard()).toEqual(bytes);
  });

  test('MY-10: a file goes on to the database, up to an empty packet', () => {
    const rig = after(query('load data local infile "x" into table t'));
    rig.server(reply(say.wantsFile('x')));
    expect([rig.boundaries, rig.relay.quiet]).toEqual([0, false]);
    rig.passed();
    const file = [packet(2, utf8('1\n')), packet(3, utf8('2\n')), packet(4)];
    rig.client(...file);
    expect(rig.takePassed()).toEqual(concat(file));
    rig.server(replyFrom(5, okay({ rows: 2 })));
    expect([rig.boundaries, rig.relay.quiet]).toEqual([1, true]);
  });

  test('MY-10: the database may want a file for one of several statements', () => {
    const rig = new MysqlRig().client(query('do 1; load data local infile "x" into table t; do 2'));
    rig.server(reply(okay({ status: say.MORE }), say.wantsFile('x')));
    rig.client(packet(3, utf8('1\n')), packet(4));
    rig.server(replyFrom(5, okay({ status: say.MORE }), okay()));
    expect([rig.boundaries, rig.relay.quiet]).toEqual([1, true]);
  });

  test('MY-27: goodbye: what came before it is sent, what comes after it is not', () => {
    const rig = new MysqlRig().client(query('select 1'), say.quit(), query('select 2'));
    expect(rig.finished).toBe(false);
    rig.server(oneRow());
    expect([rig.finished, rig.passed()]).toEqual([true, ['0 query select 1']]);
    expect(new MysqlRig().client(say.quit(), say.quit()).finished).toBe(true);
  });

  test('that means nothing, and replication, are refused by us', () => {
    const rig = new MysqlRig().client(
      packet(0),
      packet(0, byte(99)),
      packet(0, byte(command.binlogDump), int32(4)),
      packet(0, byte(command.registerSlave)),
    );
    expect(rig.attached).toBe(false);
    expect(rig.heard()).toEqual([
      '1 ERR 1047 08S01 Unknown command',
      '1 ERR 1047 08S01 Unknown command',
      expect.stringMatching(/^1 ERR .*replication \(COM_BINLOG_DUMP\)/),
      expect.stringMatching(/^1 ERR .*replication \(COM_REGISTER_SLAVE\)/),
    ]);
  });

  test('MY-17, MY-18: what drivers ask first is answered by the database, as a text or prepared', () => {
    for (const sql of ['select @@version_comment limit 1', 'SELECT $$', 'select connection_id()']) {
      const rig = new MysqlRig().client(query(sql));
      expect(rig.passed()).toEqual([`0 query ${sql}`]);
      rig.server(oneRow()).client(say.prepare(sql));
      expect(rig.passed()).toEqual([`0 stmtPrepare ${sql}`]);
    }
  });

  test('MY-42, MY-44: COMMIT and SAVEPOINT outside a transaction go to the database, and hold nothing', () => {
    for (const sql of ['commit', 'rollback', 'savepoint a', 'release savepoint a']) {
      const rig = after(query(sql), done());
      expect([rig.passed(), rig.attached]).toEqual([[`0 query ${sql}`], false]);
    }
  });

  test('MY-44: with autocommit off SAVEPOINT is held like all else', () => {
    const rig = after(query('set autocommit = 0'), done({ status: 0 }));
    rig.server(say.answer(['0'], MODERN, 0));
    rig.client(query('savepoint a')).server(done({ status: 0 }));
    rig.client(query('rollback to a')).server(done({ status: 0 }));
    expect([rig.attached, rig.relay.inTransaction]).toEqual([true, true]);
    rig.client(query('rollback')).server(done({ status: 0 }));
    expect(rig.attached).toBe(false);
  });

  test('ends the session where it says so: COMMIT RELEASE', () => {
    const rig = after(query('commit release'), done());
    expect([rig.finished, rig.boundaries]).toEqual([true, 0]);
    expect(after(query('commit release'), failed()).finished).toBe(false);
  });
});

describe('a client without a connection', () => {
  const fault = { name: 'borrowTimeout' } as const;
  const timedOut = (number: number) =>
    expect.stringMatching(new RegExp(`^${number} ERR .*Timed-out waiting to acquire`));

  function waiting(...sent: readonly Uint8Array[]): MysqlRig {
    const rig = new MysqlRig();
    rig.free = false;
    return rig.client(...sent);
  }

  test('waits, and is served in order', () => {
    const rig = waiting(query('select 1'), query('select 2'));
    expect([rig.waiting, rig.toServerBytes, rig.relay.quiet]).toEqual([true, [], true]);
    rig.grant().server(oneRow());
    expect(rig.passed()).toEqual(['0 query select 1']);
    rig.grant().server(oneRow());
    expect([rig.passed(), rig.boundaries]).toEqual([['0 query select 2'], 2]);
  });

  test('is refused, one command after the other', () => {
    const rig = waiting(query('select 1'), ping()).refuse(fault);
    expect([rig.heard(), rig.waiting]).toEqual([[timedOut(1)], true]);
    rig.refuse(fault);
    expect([rig.heard(), rig.waiting, rig.relay.quiet]).toEqual([[timedOut(1)], false, true]);
    rig.free = true;
    rig.client(query('select 1')).server(oneRow());
    expect(rig.boundaries).toBe(1);
  });

  test('is refused when it has said all of a long command, by the number that it waits for (MY-01, MY-02)', () => {
    const [first = EMPTY, second = EMPTY] = long(command.query);
    const half = concat([int24(1 << 20), byte(0), byte(command.query), new Uint8Array(1 << 19)]);
    expect(waiting(half).refuse(fault).heard()).toEqual([timedOut(1)]);
    const longer = waiting(first).refuse(fault);
    expect(longer.heard()).toEqual([]);
    longer.client(second);
    expect([longer.heard(), longer.attached]).toEqual([[timedOut(2)], false]);
  });
});

describe('a peer that breaks the protocol', () => {
  test('MY-02: a command that does not begin with number 0', () => {
    for (const number of [1, 2, 255])
      expect(() => new MysqlRig().client(packet(number, byte(command.ping)))).toThrow(Violation);
  });

  test('MY-02: a long command that goes on with another number', () => {
    const [first = EMPTY] = long(command.query);
    for (const number of [0, 2])
      expect(() => new MysqlRig().client(first, packet(number, utf8('x')))).toThrow(Violation);
  });

  test('MY-02, MY-13: a file with other numbers is one, but under compression it gets the right ones', () => {
    const asking = (flags: number): MysqlRig =>
      new MysqlRig({ who: clientWith(flags) })
        .client(query('load data local infile "x" into table t'))
        .server(reply(say.wantsFile('x')));
    const file = [packet(7, utf8('1\n')), packet(8)];
    expect(() => asking(MODERN).client(...file)).toThrow(Violation);
    const rig = asking(MODERN | capability.compress);
    rig.passed();
    rig.client(...file);
    expect(packetsIn(rig.takePassed()).map(({ number }) => number)).toEqual([2, 3]);
  });

  test('MY-02: a reply with another number than it should have, wherever it begins', () => {
    const bytes = oneRow();
    const starts = packetsIn(bytes).map(({ payload }) => payload.byteOffset - bytes.byteOffset - 4);
    for (const start of starts) {
      for (const number of [0, 9]) {
        const wrong = bytes.slice();
        wrong[start + 3] = number;
        expect(() => after(query('select 1'), wrong)).toThrow(Violation);
      }
    }
    // And one to us.
    const rig = after(query('set @a = 1'), done());
    expect(() => rig.server(replyFrom(2, ...rows(['1'])))).toThrow(Violation);
  });

  test('numbers begin again after 255, in a reply as in a file', () => {
    const many = Array.from({ length: 600 }, () => 'x');
    const rig = after(query('select 1'), reply(...rows(many)));
    expect(rig.boundaries).toBe(1);
  });

  test('a reply that nobody has asked for', () => {
    const rig = after(query('begin'), done({ status: say.IN_TRANSACTION }));
    for (const bytes of [done(), failed(), oneRow()])
      expect(() => rig.server(bytes)).toThrow(Violation);
    expect(() => after(query('select 1'), oneRow(), done())).toThrow(Violation);
    expect(() => new MysqlRig().relay.fromServer(done())).toThrow('without a request');
  });

  test('a reply of another kind than was asked for', () => {
    expect(() => after(ping(), oneRow())).toThrow(Violation);
    expect(() => after(say.prepare('select 1'), oneRow())).toThrow(Violation);
    // It speaks though it is to be given a file.
    const file = after(query('load data local infile "x" into table t'));
    expect(() => file.server(reply(say.wantsFile('x'), okay()))).toThrow(Violation);
  });

  test('more columns than there can be', () => {
    const endless = concat([byte(0xfe), int32(0), int32(1)]);
    expect(() => after(query('select 1'), reply(endless))).toThrow(Violation);
  });
});

describe('a lost connection', () => {
  const lost = { name: 'databaseLost' } as const;
  const farewell = (rig: MysqlRig, fault: Fault = lost): readonly string[] => {
    rig.takeHeard();
    const words = rig.relay.lost(fault);
    if (words.length > 0) rig.toClient(words);
    return rig.heard().map((line) => line.replace(/ERR.*/, 'ERR'));
  };

  test('is told with the number that comes next, wherever the client is (MY-02)', () => {
    const [count = EMPTY, definition = EMPTY] = rows([]);
    const file = (): MysqlRig =>
      after(query('load data local infile "x" into table t'), reply(say.wantsFile('x')));
    const [first = EMPTY, second = EMPTY] = long(command.query);
    const where: readonly (readonly [MysqlRig, number])[] = [
      [new MysqlRig(), 0],
      [after(query('select 1')), 1],
      [after(query('select 1'), oneRow()), 0],
      [after(query('begin'), done({ status: say.IN_TRANSACTION })), 0],
      [after(query('select 1'), reply(count, definition)), 3],
      [after(query('do 1; do 2'), reply(okay({ status: say.MORE }))), 2],
      [file(), 2],
      [file().client(packet(2, utf8('1\n'))), 3],
      [file().client(packet(2), EMPTY), 3],
      [new MysqlRig().client(first, second), 2],
      [after(query('set @a = 1'), done()), 0],
      [after(query('set @a = 1'), done()).client(query('select 1')), 0],
    ];
    expect(where.map(([rig]) => farewell(rig))).toEqual(
      where.map(([, number]) => [`${number} ERR`]),
    );
  });

  test('is told behind what came before that made no sense (MY-02)', () => {
    const [count = EMPTY, definition = EMPTY] = rows([]);
    const rig = after(query('select 1'));
    const bad = [packet(3, byte(0xff)), packet(9, utf8('x')), packet(3, byte(0xfe))];
    for (const last of bad) {
      const broken = after(query('select 1'));
      expect(() => broken.server(reply(count, definition), last)).toThrow(Violation);
      expect([broken.heard().length, farewell(broken)]).toEqual([2, ['3 ERR']]);
    }
    expect(() => rig.server(oneRow(), packet(5, utf8('x')))).toThrow(Violation);
    expect([rig.heard().length, farewell(rig)]).toEqual([4, ['0 ERR']]);
  });

  test('is told to a client that has said what has no reply by number 0', () => {
    const rig = new MysqlRig().client(say.prepare('select ?'));
    rig.server(reply(...say.preparedAs(7, { parameters: 1 })));
    rig.client(say.longData(1, 0, 'some text'));
    expect(farewell(rig)).toEqual(['0 ERR']);
    rig.client(say.closeStatement(1));
    expect(farewell(rig)).toEqual(['0 ERR']);
  });

  test('is not told inside a packet, whatever its part', () => {
    const [count = EMPTY, definition = EMPTY, row = EMPTY] = rows(['a long value']);
    const bytes = replyFrom(3, row);
    for (let cut = 0; cut <= bytes.length; cut += 1) {
      const rig = after(query('select 1'), reply(count, definition), bytes.subarray(0, cut));
      // A header in pieces, or without the first byte behind it, has not been passed on.
      const isInside = cut > 4 && cut < bytes.length;
      expect([cut, rig.relay.lost(lost).length === 0]).toEqual([cut, isInside]);
    }
  });

  test('is told in words that the client can read', () => {
    const old = new MysqlRig({ who: clientWith(MODERN & ~capability.protocol41) });
    expect(Buffer.from(old.relay.lost(lost)).toString('latin1', 7, 8)).not.toBe('#');
    expect(Buffer.from(new MysqlRig().relay.lost(lost)).toString('latin1', 7, 8)).toBe('#');
  });
});

describe('a request to stop', () => {
  test('goes to the database while it is at what the client has asked', () => {
    const rig = new MysqlRig();
    expect(rig.relay.cancel()).toBe(false);
    rig.client(query('select sleep(9)'));
    expect(rig.relay.cancel()).toBe(true);
    rig.server(failed(1317, 'Query execution was interrupted'));
    expect([rig.relay.cancel(), rig.boundaries]).toEqual([false, 1]);
  });

  test('waits while the database is at something of ours, and then stops the command before it is sent', () => {
    const rig = new MysqlRig();
    rig.client(query('set @a = 1')).server(done());
    rig.client(query('select sleep(9)'));
    expect(rig.relay.cancel()).toBe(false);
    rig.heard();
    rig.server(say.answer(['1', '31', 'binary', 'binary']));
    expect(rig.passed().filter((line) => line.includes('sleep'))).toEqual([]);
    expect(rig.heard()).toEqual(['1 ERR 1317 70100 Query execution was interrupted']);
    rig.client(query('select 1')).server(oneRow());
    expect(rig.relay.quiet).toBe(true);
  });
});

describe('MY-30: KILL', () => {
  function among(sql: string | Uint8Array): MysqlRig {
    const rig = new MysqlRig();
    const own = clientWith(MODERN);
    const memory = another(memoryFor());
    rig.others = [
      { number: 5, who: own, memory },
      { number: 6, who: { ...own, user: 'somebody else' } },
    ];
    return rig.client(typeof sql === 'string' ? query(sql) : sql);
  }

  test('stops the session, or its request, whose number is ours', () => {
    for (const [sql, stopped] of [
      [`kill ${CONNECTION_ID_BASE + 5}`, 'session 5'],
      [`KILL CONNECTION ${CONNECTION_ID_BASE + 5}`, 'session 5'],
      [`kill query ${CONNECTION_ID_BASE + 5}`, 'request 5'],
      ['kill query 4712', 'request 5'],
    ] as const) {
      const rig = among(sql);
      expect([rig.stopped, rig.attached, rig.heard()]).toEqual([[stopped], false, ['1 OK 2']]);
    }
    const old = among(packet(0, byte(command.processKill), int32(CONNECTION_ID_BASE + 5)));
    expect([old.stopped, old.heard()]).toEqual([['session 5'], ['1 OK 2']]);
  });

  test('does not reach others, nor what there is not; and what is not ours goes to the database', () => {
    const id = CONNECTION_ID_BASE + 6;
    const rig = among(`kill ${id}`);
    expect([rig.stopped, rig.heard()]).toEqual([
      [],
      [`1 ERR 1095 HY000 You are not owner of thread ${id}`],
    ]);
    rig.client(query(`kill ${id + 1}`));
    expect(rig.heard()).toEqual([`1 ERR 1094 HY000 Unknown thread id: ${id + 1}`]);
    rig.client(query('kill 99'));
    expect(rig.passed()).toEqual(['0 query kill 99']);
  });

  test('of its own connection ends it', () => {
    expect(among('kill connection_id()').faults).toEqual([{ name: 'killed' }]);
  });
});

describe('MY-25: COM_RESET_CONNECTION', () => {
  test('is answered at once, and the session begins anew in its schema', () => {
    const rig = after(say.initDb('other'), done({ changes: [say.schema('other')] }));
    rig
      .client(query("set time_zone = '+01:00'"))
      .server(done())
      .server(say.answer(['+01:00']));
    rig.client(say.prepare('select 1')).server(reply(...say.preparedAs(7)));
    rig.heard();
    rig.client(say.resetConnection());
    expect([rig.heard(), rig.surrenders, rig.attached]).toEqual([['1 OK 2'], 1, false]);
    rig.client(say.execute(1));
    expect(rig.heard()).toEqual([expect.stringMatching(/^1 ERR 1243 HY000 Unknown prepared/)]);
    // On another connection: the schema is brought along, and nothing else.
    rig.passed();
    rig.free = false;
    rig.client(query('select 1')).grant(another(rig.memory));
    expect(rig.passed()).toEqual(['0 initDb other']);
  });

  test("leaves it with MySQL's own character set, as that is not the handshake's; with MariaDB's it is", () => {
    const resetBy = (isMariaDb: boolean): readonly string[] => {
      const rig = new MysqlRig({ isMariaDb, who: clientWith(MODERN, 0, 'app', 8) });
      rig.client(query('select 1')).server(oneRow());
      rig.client(say.resetConnection());
      rig.passed();
      return rig.client(query('select 1')).passed();
    };
    expect(resetBy(true)).toEqual(['0 query select 1']);
    expect(resetBy(false)).toEqual([
      expect.stringMatching(/^0 query SET .*`collation_connection` = DEFAULT$/),
    ]);
  });

  test('of one that went into a schema in its transaction has it share with those in schemas', () => {
    const who = clientWith(MODERN, 0, 'no schema');
    const rig = new MysqlRig({ who }).client(query('begin'));
    rig.server(done({ status: say.IN_TRANSACTION })).client(say.initDb('other'));
    rig.server(done({ status: say.IN_TRANSACTION, changes: [say.schema('other')] }));
    expect(rig.became).toEqual([]);
    rig.client(say.resetConnection());
    expect(rig.became.map(({ schema }) => schema)).toEqual(['other']);
  });

  test('takes a session out of its transaction, and off what has tied it', () => {
    const rig = after(query('create temporary table t (a int)'), done());
    expect([...rig.pinned]).toEqual(['temporaryObject']);
    rig.client(query('begin')).server(done({ status: say.IN_TRANSACTION }));
    rig.client(say.resetConnection());
    expect([rig.relay.inTransaction, rig.attached, rig.pinned.size]).toEqual([false, false, 0]);
    rig.client(query('select 1')).server(oneRow());
    expect(rig.boundaries).toBe(2);
  });

  test('of one that keeps its connection for a moment does not take the next command for a violation', () => {
    const rig = after(query('select row_count()'), oneRow());
    rig.client(query('delete from t')).server(done());
    expect([rig.rests > 0, rig.attached]).toEqual([true, true]);
    rig.client(say.resetConnection());
    expect([rig.heard().at(-1), rig.attached]).toEqual(['1 OK 2', false]);
    rig.client(query('select 1')).server(oneRow());
    expect(rig.faults).toEqual([]);
  });
});

describe('MY-24: COM_CHANGE_USER', () => {
  /** Talks to the client as the session does, and tells what it heard. */
  async function talked(rig: MysqlRig, ...answers: readonly Uint8Array[]): Promise<Uint8Array> {
    if (rig.talk === undefined) throw new Error('nobody talks');
    const { sent, leftover } = await rehearse(rig.talk(stage().door), answers);
    rig.goOn(leftover);
    return concat(sent);
  }

  test('the client is asked to prove itself anew, and begins anew as somebody else', async () => {
    const rig = after(query('begin'), done({ status: say.IN_TRANSACTION }));
    rig.client(say.changeUser('alice', 'other'));
    expect([rig.surrenders, rig.attached, rig.pendingBytes]).toEqual([1, false, 0]);
    const { door } = stage();
    const talk = rig.talk?.(door);
    expect(talk).toBeDefined();
  });

  test('what is sent behind it waits until the talk is over', async () => {
    const rig = new MysqlRig().client(say.changeUser('nobody'), query('select 1'));
    expect([rig.attached, rig.passed()]).toEqual([false, []]);
    expect(rig.pendingBytes).toBe(query('select 1').length);
  });

  test('that is longer than any is a violation', () => {
    const header = concat([int24(1 << 20), byte(0), byte(command.changeUser)]);
    expect(() => new MysqlRig().client(header, new Uint8Array(1 << 19))).toThrow(Violation);
  });

  test('what goes wrong is told with the next number', async () => {
    const rig = new MysqlRig().client(say.changeUser());
    // An answer with a number that is out of order.
    const failure = talked(rig, packet(0, utf8('proof')));
    const fault = expect.objectContaining({ name: 'protocolViolation' });
    expect(await outcomeOf(failure)).toThrow(expect.objectContaining({ fault }));
    const words = await failure.catch((error: { words: Uint8Array }) => error.words);
    expect(packetsIn(words)[0]?.number).toBe(2);
  });
});
