import { describe, expect, test } from 'bun:test';
import * as say from '../../../test/transcripts/mysql-conversations.ts';
import {
  another,
  clientWith,
  houseOf,
  memoryFor,
  MODERN,
  MysqlRig,
  OLD,
  usualOptions,
} from '../../../test/transcripts/mysql-rig.ts';
import type { PinReason } from '../../core/pin.ts';
import { capability, extension } from '../../wire/mysql/capabilities.ts';
import type { MysqlMemory } from './memory.ts';
import { withSchema } from './principal.ts';
import { RESULTS_NUMBER, SessionState } from './state.ts';

const { answer, done, failed, oneRow, query, reply, replyFrom, rows, schema, variable } = say;

/** A client that has sent this, and a database that has answered so. */
function after(sent: Uint8Array, ...answers: readonly Uint8Array[]): MysqlRig {
  return new MysqlRig().client(sent).server(...answers);
}

/** The same session's next command, on another connection. */
function elsewhere(
  rig: MysqlRig,
  sent = query('select 1'),
  memory = another(rig.memory),
): MysqlRig {
  rig.passed();
  rig.heard();
  rig.free = false;
  return rig.client(sent).grant(memory);
}

function stateOf(values: Readonly<Record<string, string>>, inSchema = 'app'): SessionState {
  return SessionState.of(inSchema, new Map(Object.entries(values)));
}

const inZone = (zone = '+01:00'): MysqlRig =>
  after(query(`set time_zone = '${zone}', sql_mode = ''`), done()).server(answer([zone, '']));

describe('a session variable', () => {
  test('is asked for before the connection goes to anybody else (MY-46)', () => {
    const rig = after(query("set time_zone = '+1:00', wait_timeout = 9"), done());
    expect([rig.boundaries, rig.heard()]).toEqual([0, ['1 OK 2']]);
    expect(rig.passed()[1]).toBe(
      '0 query SELECT @@session.`time_zone`, @@session.`wait_timeout` LIMIT 1',
    );
    rig.server(answer(['+01:00', '9']));
    expect([rig.heard(), rig.boundaries, rig.pins]).toEqual([[], 1, []]);
    expect(rig.memory.state).toBe(stateOf({ time_zone: "'+01:00'", wait_timeout: '9' }));
  });

  test('is known by its text from then on, where that is plain', () => {
    const house = houseOf();
    const rig = new MysqlRig({ house }).client(query("set time_zone = '+1:00'"));
    rig.server(done()).server(answer(['+01:00']));
    const next = new MysqlRig({ house, memory: another(rig.memory) });
    next.client(query("set time_zone = '+1:00'")).server(done());
    expect([next.boundaries, next.passed().length]).toEqual([1, 1]);
    expect(next.memory.state).toBe(rig.memory.state);
  });

  test('that a text has set is not unlearnt by the answer to something else: it would be lost on the way', () => {
    const house = houseOf();
    const rig = new MysqlRig({ house }).client(query("set time_zone = '+1:00'"));
    rig.server(done()).server(answer(['+01:00']));
    // What is asked for next has nothing to do with the text, which was the last one.
    rig.client(say.initDb('app')).server(done({ changes: [variable('sql_mode', '')] }));
    rig.server(answer(['']));
    const next = new MysqlRig({ house, memory: another(rig.memory) });
    next.client(query("set time_zone = '+1:00'")).server(done());
    expect(next.memory.state).toBe(stateOf({ time_zone: "'+01:00'" }));
  });

  test('that ends a read-only transaction is asked for, though it is known: the next statement is read-only, too', () => {
    const house = houseOf();
    const learning = new MysqlRig({ house }).client(query('set autocommit = 1'));
    learning.server(done()).server(answer(['1']));
    const rig = new MysqlRig({ house, memory: another(learning.memory) });
    rig.client(query('start transaction read only')).server(done({ status: say.IN_TRANSACTION }));
    rig.client(query('set autocommit = 1')).server(done());
    expect(rig.boundaries).toBe(0);
    expect(rig.passed().at(-1)).toBe('0 query SELECT @@session.`autocommit` LIMIT 1');
  });

  test('goes with its session, and the command waits for it (MY-58, MY-59)', () => {
    const rig = elsewhere(inZone());
    expect(rig.passed()).toEqual([
      "0 query SET @@session.`time_zone` = '+01:00', @@session.`sql_mode` = ''",
    ]);
    rig.server(done({ warnings: 3, changes: [variable('time_zone', '+01:00')] }));
    expect([rig.passed(), rig.heard()]).toEqual([['0 query select 1'], []]);
    rig.server(done({ rows: 1 }));
    expect([rig.heard(), rig.boundaries]).toEqual([['1 OK 2 rows=1'], 2]);
  });

  test('costs nothing where the connection has it already', () => {
    const rig = inZone();
    const memory = another(rig.memory);
    memory.state = rig.memory.state;
    expect(elsewhere(rig, query('select 1'), memory).passed()).toEqual(['0 query select 1']);
  });

  test('that somebody else has set is what it was, and nobody hears of it (MY-46)', () => {
    const memory = another(memoryFor());
    memory.state = stateOf({ time_zone: "'+01:00'", sql_safe_updates: '1' });
    const rig = new MysqlRig({ memory }).client(query('select 1'));
    expect(rig.passed()).toEqual([
      "0 query SET @@session.`time_zone` = 'SYSTEM', @@session.`sql_safe_updates` = DEFAULT",
    ]);
    rig.server(done()).server(oneRow());
    expect([rig.heard().length, rig.boundaries]).toEqual([4, 1]);
  });

  test('that cannot be brought along ends the session, and its command is not sent (MY-58)', () => {
    const rig = elsewhere(inZone(), query('delete from t')).server(
      failed(1298, 'Unknown time zone'),
    );
    expect(rig.faults).toEqual([{ name: 'restoreFailed', original: expect.any(Uint8Array) }]);
    expect(rig.passed().filter((line) => line.includes('delete'))).toEqual([]);
  });

  test('that a report names is asked for, whatever the text says (MY-55)', () => {
    const rig = after(query('call p()'), done({ changes: [variable('sql_mode', 'ANSI')] }));
    expect(rig.passed()[1]).toBe('0 query SELECT @@session.`sql_mode` LIMIT 1');
    rig.server(answer(['REAL_AS_FLOAT,ANSI']));
    expect(rig.memory.state).toBe(stateOf({ sql_mode: "'REAL_AS_FLOAT,ANSI'" }));
  });

  test('of which only a report tells that it was for one statement leaves nothing behind', () => {
    const changes = ['timestamp', 'statement_id', 'insert_id', 'session_track_schema'];
    const told = done({ changes: changes.map((name) => variable(name, '1')) });
    expect(after(query('insert into t values (1)'), told).boundaries).toBe(1);
  });

  test('of MariaDB whose report is one of autocommit may be another flag (MY-50)', () => {
    const rig = new MysqlRig({ isMariaDb: true }).client(query('set foreign_key_checks = 0'));
    rig.server(done({ changes: [variable('autocommit', 'ON')] }));
    expect(rig.passed()[1]).toMatch(/@@session\.`autocommit`.*@@session\.`unique_checks`/);
  });

  test('that a text may not have come to is not asked for: the database reports those that it has', () => {
    const rig = after(query("set @@x.y = 1; set time_zone = '+01:00'"), failed(1193, 'Unknown'));
    expect([rig.passed().length, rig.boundaries]).toEqual([1, 1]);
    const names = query('set names latin1; set @@x.y = 1');
    const other = after(names, failed(1193, 'Unknown'));
    other.relay.relax();
    // Of these it does not report all.
    expect(other.passed()[1]).toContain('collation_connection');
    other.server(failed(1193, 'Unknown system variable'));
    for (const line of other.passed()) {
      const [, name = ''] = /@@session\.`(\w+)`/.exec(line) ?? [];
      other.server(name === 'collation_connection' ? answer(['latin1_bin']) : failed(1193));
    }
    expect(other.boundaries).toBe(1);
  });

  test('that is called otherwise by an older server is asked for by that name', () => {
    const memory = memoryFor({ isMariaDb: true, beginning: { tx_read_only: '0' } });
    const rig = new MysqlRig({ isMariaDb: true, memory });
    rig.client(query('set session transaction read only')).server(done());
    expect(rig.passed()[1]).toContain('@@session.`tx_read_only`');
  });

  test('of MariaDB whose collation for results does not show is found out where something else is unknown', () => {
    const rig = new MysqlRig({ isMariaDb: true });
    rig.client(query('set names latin1 collate latin1_german1_ci; set @@nothing = 1'));
    rig.server(done({ status: say.MORE }), replyFrom(2, say.okay())).server(failed(1193));
    const values = ['latin1', 'latin1', 'latin1', 'latin1_german1_ci'];
    for (const line of rig.passed().slice(2))
      rig.server(line.includes('nothing') ? failed(1193) : answer(values));
    expect(rig.memory.state.values.get('character_set_results')).toBe(
      "'latin1' COLLATE 'latin1_german1_ci'",
    );
  });

  test('of MariaDB whose collation for results does not show is its default, where it is set by its own name', () => {
    const rig = new MysqlRig({ isMariaDb: true });
    const results = (): string | undefined => rig.memory.state.values.get('character_set_results');
    rig.client(query('set names latin1 collate latin1_german1_ci')).server(done());
    rig.server(answer(['latin1', 'latin1', 'latin1', 'latin1_german1_ci']));
    expect(results()).toBe("'latin1' COLLATE 'latin1_german1_ci'");
    rig.client(query('set @@local.CHARACTER_SET_RESULTS=latin1')).server(done());
    rig.server(answer(['latin1']));
    expect(results()).toBe("'latin1'");
  });

  test('of MariaDB whose collation for results does not show is its default, too, where one of several statements sets it', () => {
    const beginning = { character_set_results: "'latin1' COLLATE 'latin1_german2_ci'" };
    const memory = memoryFor({ isMariaDb: true, beginning });
    const rig = new MysqlRig({ isMariaDb: true, memory });
    rig.client(query('set @nothing = 1; set @@character_set_results = latin1'));
    rig.server(done({ status: say.MORE }), replyFrom(2, say.okay()));
    rig.server(answer(['latin1', null, null, 'binary', 'binary']));
    expect(rig.memory.state.values.get('character_set_results')).toBe("'latin1'");
  });

  test('of MariaDB whose collation for results does not show keeps it where another character set was set', () => {
    const memory = memoryFor({
      isMariaDb: true,
      beginning: { character_set_results: "'utf8mb4' COLLATE 'utf8mb4_bin'" },
    });
    const rig = new MysqlRig({ isMariaDb: true, memory });
    const changes = [variable('character_set_results', 'utf8mb4')];
    rig.client(query("set character_set_client = 'cp1251'")).server(done({ changes }));
    const [, fields = ''] = /SELECT (.*) LIMIT 1/.exec(rig.passed().at(-1) ?? '') ?? [];
    const values: Readonly<Record<string, string>> = { character_set_client: 'cp1251' };
    const names = [...fields.matchAll(/`(\w+)`/g)].map(([, name = '']) => name);
    expect(names).toContain('character_set_results');
    rig.server(answer(names.map((name) => values[name] ?? 'utf8mb4')));
    expect(rig.memory.state.values.get('character_set_results')).toBeUndefined();
  });

  const latin1 = {
    character_set_results: "'latin1' COLLATE 'latin1_swedish_ci'",
    character_set_client: "'latin1' COLLATE 'latin1_swedish_ci'",
    [RESULTS_NUMBER]: '8',
  };

  test('of MariaDB whose collation for results does not show is that of SET NAMES, where the client’s was set later', () => {
    const memory = memoryFor({ isMariaDb: true, beginning: latin1 });
    const rig = new MysqlRig({ isMariaDb: true, memory });
    rig.client(query('begin')).server(done({ status: say.IN_TRANSACTION }));
    rig.client(query('set names latin1 collate latin1_german1_ci'));
    rig.server(done({ status: say.IN_TRANSACTION }));
    rig.client(query('set character_set_client = cp1251'));
    rig.server(done({ status: say.IN_TRANSACTION }));
    rig.client(query('commit')).server(done());
    rig.server(answer(['latin1', 'cp1251', 'latin1', 'latin1_german1_ci']));
    const { values } = rig.memory.state;
    expect(values.get('character_set_results')).toBe("'latin1' COLLATE 'latin1_german1_ci'");
    expect(values.get('character_set_client')).toBe("'cp1251'");
  });

  test('of MariaDB whose collation for results is another one by its number ties the session: nobody else gets it', () => {
    const rig = new MysqlRig({
      isMariaDb: true,
      memory: memoryFor({ isMariaDb: true, beginning: latin1 }),
    });
    rig.client(
      query('set names latin1 collate latin1_german1_ci; set collation_connection = utf8mb4_bin'),
    );
    rig.server(done({ status: say.MORE }), replyFrom(2, say.okay()));
    rig.server(answer(['latin1', 'latin1', 'utf8mb4', 'utf8mb4_bin']));
    expect([rig.reasons, rig.attached]).toEqual([['setting'], true]);
  });

  test('whose value cannot be written whatever sql_mode is ties the session', () => {
    const rig = after(query("set init_connect = 'a'"), done()).server(answer([String.raw`a\b`]));
    expect([rig.reasons, rig.attached]).toEqual([['setting'], true]);
  });

  test('MY-57: a character set is brought along in the order in which one sets the other', () => {
    const names = query('set names latin1 collate latin1_german1_ci');
    const rig = after(names, done()).server(
      answer(['latin1', 'latin1', 'latin1', 'latin1_german1_ci']),
    );
    expect(elsewhere(rig).passed()).toEqual([
      `0 query SET @@session.\`character_set_results\` = 63, @@session.\`character_set_client\` = 'latin1', @@session.\`character_set_connection\` = 'latin1', @@session.\`collation_connection\` = 'latin1_german1_ci'`,
    ]);
  });

  test('MY-57: and one that is taken back takes its collation back as well', () => {
    const memory = another(memoryFor());
    memory.state = stateOf({ character_set_connection: "'latin1'" });
    const [way = ''] = new MysqlRig({ memory }).client(query('select 1')).passed();
    expect(way).toMatch(/`character_set_connection` = 'utf8mb4', .*`collation_connection` =/);
  });
});

describe('a user variable (MY-47)', () => {
  const assigned = (sql: string, ...values: readonly (string | null)[]): MysqlRig =>
    after(query(sql), done()).server(answer(values));

  test('is carried along, as a number or as bytes', () => {
    const rig = assigned(
      "set @n = 7, @b = 'caf\u00e9'",
      ...['7', '37', 'utf8mb4', 'utf8mb4_bin', 'caf\u00e9', '636166C3A9', 'utf8mb4', 'utf8mb4_bin'],
    );
    expect([rig.pins, rig.boundaries]).toEqual([[], 1]);
    expect(elsewhere(rig).passed()).toEqual([
      "0 query SET @`n` = 7, @`b` = _utf8mb4 X'636166C3A9' COLLATE utf8mb4_bin",
    ]);
  });

  test('that is NULL is nothing, and one that is taken back is NULL again', () => {
    expect(assigned('set @a = null', null, null, 'binary', 'binary').memory.state.isFresh).toBe(
      true,
    );
    const memory = another(memoryFor());
    memory.state = stateOf({ '@a': '7' });
    const rig = new MysqlRig({ memory }).client(query('select 1'));
    expect(rig.passed()).toEqual(["0 query SET @`a` = X'', @`a` = NULLIF(X'', X'')"]);
  });

  test('that is long ties its session', () => {
    const hex = '61'.repeat(5_000);
    const rig = assigned("set @a = repeat('a', 5000)", 'a', hex, 'utf8mb4', 'utf8mb4_bin');
    expect([rig.reasons, rig.attached]).toEqual([['userVariable'], true]);
  });

  test('whose value is longer than an answer of ours may be is not asked for, and the session goes on', () => {
    const rig = after(query("set @a = repeat('a', 900000), @b = 7"), done());
    expect(rig.passed().at(-1)).toMatch(/WHERE COALESCE\(LENGTH\(@`a`\), 0\) <= \d+ AND/);
    rig.server(say.noRow(8)).server(say.noRow(4));
    rig.server(answer(['7', '37', 'utf8mb4', 'utf8mb4_bin']));
    expect([rig.reasons, rig.attached, rig.memory.state.values.get('@b')]).toEqual([
      ['userVariable'],
      true,
      '7',
    ]);
  });

  test('of which the text does not tell the name ties its session', () => {
    const rig = after(query('load data infile "x" into table t (@a, b) set c = @a'), done());
    expect(rig.attached || rig.passed().length > 1).toBe(true);
  });
});

describe('the schema', () => {
  test('MY-51: goes along by COM_INIT_DB, and all of it is awaited', () => {
    const rig = after(query('use other'), done({ changes: [schema('other')] }));
    expect([rig.boundaries, rig.memory.state]).toEqual([1, SessionState.fresh('other')]);
    rig
      .client(query("set time_zone = '+01:00'"))
      .server(done())
      .server(answer(['+01:00']));
    elsewhere(rig);
    expect(rig.passed()).toEqual([
      '0 initDb other',
      "0 query SET @@session.`time_zone` = '+01:00'",
    ]);
    rig.server(done());
    expect(rig.passed()).toEqual([]);
    rig.server(done());
    expect(rig.passed()).toEqual(['0 query select 1']);
  });

  test('MY-51: that is gone ends the session that wants it', () => {
    const rig = elsewhere(after(query('use other'), done({ changes: [schema('other')] })));
    rig.server(failed(1049, "Unknown database 'other'"));
    expect(rig.faults.length).toBe(1);
  });

  test('MY-51: whoever enters one from none, or drops the one that he is in, shares with others', () => {
    const who = clientWith(MODERN, 0, 'no schema');
    const rig = new MysqlRig({ who }).client(query('use app'));
    rig.server(done({ changes: [schema('app')] }));
    expect(rig.became.map(({ poolKey }) => poolKey)).toEqual([withSchema(who, 'app').poolKey]);
    rig.client(query('drop database app')).server(done({ changes: [schema('')] }));
    expect(rig.became.map(({ schema: name }) => name)).toEqual(['app', undefined]);
  });
});

describe('what the client hears of its session (MY-05, MY-49)', () => {
  const told = { changes: [variable('autocommit', 'ON'), variable('sql_mode', ''), schema('app')] };
  const heardBy = (flags: number): readonly string[] =>
    new MysqlRig({ who: clientWith(flags) }).client(query('set x')).server(done(told)).heard();

  test('is what it would directly: only what its database tells by default', () => {
    expect(heardBy(MODERN)).toEqual(['1 OK 4002 autocommit=ON schema=app']);
  });

  test('is nothing where it cannot hear, the flag included', () => {
    expect(heardBy(OLD)).toEqual(['1 OK 2']);
    expect(heardBy(MODERN & ~capability.sessionTrack)).toEqual(['1 OK 2']);
  });

  test('is what is said of a transaction, though the database was told not to', () => {
    const state = { kind: 'transactionState', state: 'T_______' } as const;
    const begun = { status: say.IN_TRANSACTION, rows: 2, info: 'words', changes: [state] };
    const heard = (flags: number): readonly string[] =>
      new MysqlRig({ who: clientWith(flags) }).client(query('begin')).server(done(begun)).heard();
    expect(heard(MODERN)).toEqual(['1 OK 4003 rows=2 (words) transactionState']);
    expect(heard(OLD)).toEqual(['1 OK 3 rows=2 (words)']);
  });

  test('leaves the rest as it was', () => {
    const rig = after(query('update t'), done({ ...told, rows: 3, warnings: 1, info: 'Rows: 3' }));
    expect(rig.heard()).toEqual(['1 OK 4002 rows=3 warnings=1 (Rows: 3) autocommit=ON schema=app']);
  });

  test('comes at the end of rows as well', () => {
    const [count, definition, row] = rows(['one']).map((payload) => payload.slice());
    if (count === undefined || definition === undefined || row === undefined) throw new Error();
    const end = say.okay(told);
    end[0] = 0xfe;
    const rig = after(query('select f()'), reply(count, definition, row, end));
    expect(rig.heard().at(-1)).toBe('4 OK 4002 autocommit=ON schema=app');
  });
});

describe('an error keeps reports back', () => {
  test('so that they are collected before somebody else gets the connection', () => {
    const rig = after(query('call p()'), failed());
    const next = new MysqlRig({ memory: rig.memory, welcome: rig.memory });
    next.client(query('select 1'));
    expect(next.passed()).toEqual(['0 query DO 0']);
    next.server(done({ changes: [variable('sql_mode', 'ANSI'), schema('other')] }));
    expect(next.passed()).toEqual([
      '0 initDb app',
      "0 query SET @@session.`sql_mode` = 'STRICT_TRANS_TABLES'",
    ]);
    next.server(done(), done()).server(oneRow());
    expect([next.heard().length, next.boundaries]).toEqual([4, 1]);
  });
});

describe('what ties a session to its connection (MY-47)', () => {
  const ties: readonly (readonly [PinReason, string, string])[] = [
    ['temporaryObject', 'create temporary table t (a int)', 'drop temporary table t'],
    ['tableLock', 'lock tables t read', 'unlock tables'],
    ['sessionLock', "select get_lock('a', 1)", "select release_lock('a')"],
    ['sessionLock', "select get_lock('a', 1)", 'select release_all_locks()'],
    ['handler', 'handler t open', 'handler t close'],
    ['preparedStatement', "prepare s from 'select 1'", 'deallocate prepare s'],
    ['tableLock', 'flush tables with read lock', 'unlock tables'],
  ];

  test.each(ties)('%s by %s, up to %s', (reason, takes, drops) => {
    const rig = after(query(takes), takes.startsWith('select') ? oneRow() : done());
    expect([rig.reasons, rig.attached]).toEqual([[reason], true]);
    rig.client(query('select 1')).server(oneRow());
    expect(rig.attached).toBe(true);
    rig.client(query(drops)).server(drops.startsWith('select') ? oneRow() : done());
    expect([rig.pinned.size, rig.attached]).toEqual([0, false]);
  });

  test('is not there where the statement has failed', () => {
    const rig = after(query('create temporary table t (a int)'), failed());
    expect([rig.pins, rig.attached]).toEqual([[], false]);
  });

  test('MY-54: may stand in a comment that is carried out', () => {
    const rig = after(query('/*!80000 create temporary table t (a int) */'), done());
    expect(rig.reasons).toEqual(['temporaryObject']);
    expect(after(query('/* create temporary table t (a int) */ do 1'), done()).pins).toEqual([]);
  });

  test('MY-52: depends on what a quotation mark is, which the session may have changed', () => {
    const sql = String.raw`select "a\", get_lock('b', 1), "`;
    expect(after(query(sql), oneRow()).reasons).toEqual([]);
    const rig = after(query("set sql_mode = 'NO_BACKSLASH_ESCAPES'"), done());
    rig.server(answer(['NO_BACKSLASH_ESCAPES']));
    rig.client(query(sql)).server(oneRow());
    expect(rig.reasons).toEqual(['sessionLock']);
  });

  test('MY-31: SET ROLE is not carried along, and ties', () => {
    const rig = after(query('set role all'), done());
    expect([rig.attached, rig.pinned.size]).toEqual([true, 1]);
  });

  test('MY-43: SET TRANSACTION holds the connection up to the end of the next transaction, and no longer', () => {
    const rig = after(query('set transaction isolation level serializable'), done());
    expect([rig.attached, rig.boundaries, rig.pins]).toEqual([true, 0, []]);
    // What opens no transaction leaves it as it is.
    rig.client(query('select 1')).server(oneRow());
    rig.client(query('nonsense')).server(failed());
    expect([rig.attached, rig.boundaries]).toEqual([true, 0]);
    rig.client(query('begin')).server(done({ status: say.IN_TRANSACTION }));
    rig.client(query('commit')).server(done());
    expect([rig.attached, rig.boundaries]).toEqual([false, 1]);
  });

  test('in pinning: aws is what pins in RDS Proxy, to the end', () => {
    const options = { ...usualOptions, pinning: 'aws' } as const;
    const rig = new MysqlRig({ options }).client(query('set sql_safe_updates = 1'));
    rig.server(done()).server(answer(['1']));
    expect([rig.reasons, rig.attached]).toEqual([['setting'], true]);
    const ignoring = new MysqlRig({ options: { ...options, ignoreSetsForPinning: true } });
    ignoring
      .client(query('set sql_safe_updates = 1'))
      .server(done())
      .server(answer(['1']));
    expect([ignoring.reasons, ignoring.attached]).toEqual([[], false]);
    ignoring.client(query('set transaction read only')).server(done());
    expect(ignoring.reasons).toEqual([]);
    const preparing = new MysqlRig({ options }).client(say.prepare('select 1'));
    preparing.server(reply(...say.preparedAs(7)));
    expect(preparing.pins).toEqual([{ reason: 'preparedStatement', digest: 'select ?' }]);
    const long = new MysqlRig({ options }).client(query(`select '${'x'.repeat(17_000)}'`));
    long.server(oneRow());
    expect(long.reasons).toEqual(['longStatement']);
  });
});

describe('what a statement leaves for the next one to ask for (MY-48)', () => {
  const on = (memory: MysqlMemory, who = clientWith(MODERN)): MysqlRig =>
    new MysqlRig({ memory, welcome: memory, who });

  test('LAST_INSERT_ID() is put right on another connection, before it is asked for', () => {
    const rig = after(query('insert into t values (null)'), done({ id: 42 }));
    elsewhere(rig, query('select last_insert_id()'));
    expect(rig.passed()).toEqual([expect.stringMatching(/SET.*last_insert_id = 42/i)]);
    rig.server(done());
    expect(rig.passed()).toEqual(['0 query select last_insert_id()']);
  });

  test('LAST_INSERT_ID() is put right where the session has been before, but was elsewhere since', () => {
    const rig = after(query('insert into t values (null)'), done({ id: 42 }));
    const there = rig.memory;
    elsewhere(rig, query('insert into t values (null)')).server(done({ id: 43 }));
    expect(rig.relay.fit(there)).toBe('as wanted');
    elsewhere(rig, query('select last_insert_id()'), there);
    expect(rig.passed()).toEqual([expect.stringMatching(/SET.*last_insert_id = 43/i)]);
  });

  test('LAST_INSERT_ID() is nothing of what the session had before it was reset', () => {
    const rig = after(query('insert into t values (null)'), done({ id: 42 }));
    rig.client(say.resetConnection());
    elsewhere(rig, query('select last_insert_id()'), rig.memory);
    expect(rig.passed()).toEqual([expect.stringMatching(/SET.*last_insert_id = 0/i)]);
  });

  test('warnings keep the connection where others have asked for them, until something else is said', () => {
    const who = clientWith(MODERN);
    const first = on(memoryFor({ who }), who).client(query('show warnings'));
    first.server(oneRow());
    const rig = on(memoryFor({ who }), who).client(query('select 1'));
    rig.server(done({ warnings: 1 }));
    expect([rig.rests, rig.attached, rig.boundaries]).toEqual([1, true, 0]);
    rig.relay.relax();
    expect([rig.attached, rig.boundaries]).toEqual([false, 1]);
  });

  test('whoever keeps it shares with others from where he has gone: those in no schema would find themselves in one', () => {
    const who = clientWith(MODERN, 0, 'no schema');
    who.habits.add('rowCount');
    const rig = on(memoryFor({ who }), who).client(query('use app'));
    rig.server(done({ changes: [schema('app')] }));
    expect([rig.rests, rig.attached]).toEqual([1, true]);
    expect(rig.became.map(({ schema: name }) => name)).toEqual(['app']);
  });

  test('SQL_CALC_FOUND_ROWS keeps it for FOUND_ROWS()', () => {
    const rig = after(query('select sql_calc_found_rows a from t limit 1'), oneRow());
    expect([rig.rests, rig.attached]).toEqual([1, true]);
    rig.client(query('select found_rows()')).server(oneRow());
    expect(rig.passed().length).toBe(2);
  });

  test('LAST_INSERT_ID() that was SET is no variable, whose default nobody knows', () => {
    const rig = after(query('set last_insert_id = 5'), done()).server(answer(['5']));
    expect([rig.memory.state.isFresh, rig.boundaries]).toEqual([true, 1]);
  });

  test('a connection that it had last is the one that it wants', () => {
    const rig = after(query('select 1'), oneRow());
    expect(rig.relay.fit(rig.memory)).toBe('as wanted');
    rig.free = false;
    rig.client(query('select row_count()'));
    expect(rig.relay.fit(another(rig.memory))).toBe('other');
    expect(rig.relay.fit(rig.memory)).toBe('as wanted');
  });

  test('a connection that it had before its last one, it does not want', () => {
    const rig = after(query('select 1'), oneRow());
    const earlier = rig.memory;
    elsewhere(rig).server(oneRow());
    rig.free = false;
    rig.client(query('select row_count()'));
    expect(rig.relay.fit(earlier)).toBe('other');
  });
});

describe('whom it shares with (MY-07)', () => {
  test('those to whom the database speaks in the same way, and no others', () => {
    const key = (flags: number, extensions = 0): string => clientWith(flags, extensions).poolKey;
    const apart = [
      ...['foundRows', 'ignoreSpace', 'interactive', 'localFiles', 'multiStatements'],
      ...['deprecateEof', 'optionalResultsetMetadata', 'queryAttributes', 'noSchema', 'odbc'],
    ] as const satisfies readonly (keyof typeof capability)[];
    for (const name of apart) expect(key(MODERN ^ capability[name])).not.toBe(key(MODERN));
    expect(key(MODERN, extension.extendedMetadata)).not.toBe(key(MODERN));
    const alike = [
      ...['sessionTrack', 'connectAttrs', 'ssl', 'compress', 'zstdCompression', 'pluginAuth'],
    ] as const satisfies readonly (keyof typeof capability)[];
    for (const name of alike) expect(key(MODERN ^ capability[name])).toBe(key(MODERN));
  });

  test('fits best what is as it wants, then what nobody has changed', () => {
    const rig = inZone();
    const [fresh, other] = [another(rig.memory), another(rig.memory)];
    other.state = stateOf({ time_zone: "'+09:00'" });
    expect([rig.memory, fresh, other].map((memory) => rig.relay.fit(memory))).toEqual([
      ...(['as wanted', 'fresh', 'other'] as const),
    ]);
  });
});
