import { describe, expect, test } from 'bun:test';
import { utf8 } from '../../base/bytes.ts';
import { limits } from '../../base/limits.ts';
import type { PinReason } from '../../core/pin.ts';
import { Classifier, digestOf } from './classifier.ts';
import type { Effects } from './effects.ts';
import { NO_EFFECTS } from './effects.ts';

const classifier = new Classifier();

function classify(sql: string): Effects {
  const bytes = utf8(`xx${sql}\0`);
  return classifier.classify(bytes, 2, bytes.length - 1);
}

function stream(sql: string, pieceBytes: number): Effects {
  const bytes = utf8(sql);
  const streaming = classifier.beginStreaming();
  for (let at = 0; at < bytes.length; at += pieceBytes) {
    streaming.feed(bytes, at, Math.min(bytes.length, at + pieceBytes));
  }
  return streaming.finish();
}

/** Effects in words. */
function told(effects: Effects, withLiterals = true): readonly string[] {
  const literal = (value: string | undefined): string =>
    value === undefined || !withLiterals ? '' : ` to ${value}`;
  const { touches, resets, hidden, pins, releases, names } = effects;
  return [
    ...touches.map((touch) => `${touch.how} ${touch.name}${literal(touch.literal)}`),
    ...(resets === 'none' ? [] : [`resets ${resets}`]),
    ...(effects.isLocal ? ['local'] : []),
    ...(hidden === 'none' ? [] : [hidden]),
    ...pins.map((reason) => `pins ${reason}`),
    ...releases.map((reason) => `releases ${reason}`),
    ...names.map(({ verb, name }) => `${verb} ${name === '' ? 'all' : name}`),
    ...(effects.readsSequences ? ['reads sequences'] : []),
    ...(effects.listsStatements ? ['lists statements'] : []),
    ...(effects.isTransactional ? ['transactional'] : []),
  ];
}

type Row = readonly [sql: string, ...effects: string[]];

const table: Record<string, readonly Row[]> = {
  'ordinary statements': [
    ['SELECT abalance FROM pgbench_accounts WHERE aid = 12345;'],
    ['UPDATE pgbench_accounts SET abalance = abalance + 1 WHERE aid = $1'],
    ['UPDATE t\nSET a = 1'],
    ['UPDATE t -- why\n SET a = 1'],
    ['UPDATE t /* why */ SET a = 1'],
    ["INSERT INTO t (a) VALUES (1) ON CONFLICT (a) DO UPDATE SET a = 'x'"],
    ['INSERT INTO t VALUES (1) ON CONFLICT\nDO NOTHING'],
    ['INSERT INTO t DEFAULT VALUES RETURNING id'],
    ['DELETE FROM listen'],
    ['SELECT load, discard, prepare, reset, "set" FROM t'],
    ['SELECT 1; SELECT 2'],
    ['BEGIN'],
    ['START TRANSACTION ISOLATION LEVEL SERIALIZABLE'],
    ['COMMIT AND CHAIN'],
    ['ROLLBACK TO SAVEPOINT a'],
    ["COMMIT PREPARED 'a'"],
    ['SHOW search_path'],
    ["NOTIFY news, 'set x'"],
    ['LOCK TABLE t'],
    ['VACUUM t'],
    ['CHECKPOINT'],
    ['COPY t FROM STDIN'],
    ['TRUNCATE t RESTART IDENTITY'],
    ['MERGE INTO t USING s ON t.a = s.a WHEN MATCHED THEN UPDATE SET a = 1'],
    ['EXECUTE plan (1)', 'execute plan'],
    ['CLOSE ALL', 'releases heldCursor'],
    ['FETCH ALL FROM c'],
    [''],
    [';'],
    [';;  ; -- nothing\n'],
    ['/* only a comment */'],
  ],
  'SET and RESET, PG-58': [
    ['SET search_path TO a, b', 'set search_path to a, b'],
    ['set x = 1', 'set x to 1'],
    ['  \t\n SET x = 1', 'set x to 1'],
    ['SeT\nx\n=\n1', 'set x to 1'],
    ['SET"x"=1', 'set x to 1'],
    ['SET SESSION x = 1', 'set x to 1'],
    [
      'SET SESSION TRANSACTION READ ONLY',
      'set default_transaction_isolation',
      'set default_transaction_read_only',
      'set default_transaction_deferrable',
    ],
    ['SET ROLE ann', 'set role'],
    ['SET SESSION AUTHORIZATION ann', 'set session_authorization', 'set role'],
    ["SET TIME ZONE 'UTC'", 'set timezone'],
    ["SET NAMES 'utf8'", 'set client_encoding'],
    ["SET SCHEMA 'a'", 'set search_path'],
    ['SET XML OPTION DOCUMENT', 'set xmloption'],
    ['SET seed = 0.5', 'pins hiddenState'],
    ['SET my.thing = 1', 'set my.thing to 1'],
    ['RESET x', 'reset x'],
    ['RESET ALL', 'resets all', 'releases setting'],
    ['RESET ROLE', 'reset role'],
    ['reset session authorization', 'reset session_authorization', 'reset role'],
    [
      'DISCARD ALL',
      'resets everything',
      'releases setting',
      'releases temporaryObject',
      'releases listen',
      'releases sessionLock',
      'releases heldCursor',
      'releases sequence',
      'releases preparedStatement',
      'deallocate all',
    ],
    ['DISCARD TEMP', 'releases temporaryObject'],
    ['DISCARD SEQUENCES', 'releases sequence'],
  ],
  'PG-54: settings that end with their transaction': [
    ['SET LOCAL x = 1', 'local'],
    ["set local my.thing to 'on'", 'local'],
    ['SET LOCAL ROLE ann', 'local'],
    ['SET /**/ LOCAL -- here\n x = 1', 'local'],
    ['SET LOCAL SESSION CHARACTERISTICS AS TRANSACTION READ ONLY', 'local'],
    ['SET CONSTRAINTS ALL DEFERRED', 'local'],
    ['SET CONSTRAINTS "a", b IMMEDIATE', 'local'],
    ["SELECT set_config('x', 'y', true)", 'local'],
    ["SELECT pg_catalog . set_config ( 'x' , $1 , TRUE )", 'local'],
    ["SELECT set_config('x', f(1, 2, (3)), true), set_config($1, $2, true)", 'local'],
  ],
  'PG-55, PG-56: transactions': [
    ['SET TRANSACTION ISOLATION LEVEL SERIALIZABLE', 'local'],
    ["SET TRANSACTION SNAPSHOT '00000003-0000001B-1'", 'local'],
    [
      'SET SESSION CHARACTERISTICS AS TRANSACTION READ ONLY',
      'set default_transaction_isolation',
      'set default_transaction_read_only',
      'set default_transaction_deferrable',
    ],
  ],
  'settings whose names look like something else': [
    ['SET local.x = 1', 'set local.x to 1'],
    ['SET transaction.x = 1', 'set transaction.x to 1'],
    ['SET constraints . x = 1', 'set constraints.x to 1'],
    ['SET LOCAL TO 1', 'set local to 1'],
    ['SET LOCAL = 1', 'set local to 1'],
    ['SET "local" x', 'set local'],
    ['SET "transaction".x = 1', 'set transaction.x to 1'],
    ['SET LOCAL local.x = 1', 'local'],
  ],
  'not SET, though the word is there': [
    ['ALTER TABLE t ALTER a SET NOT NULL'],
    ['ALTER TABLE t SET (fillfactor = 70)'],
    ['ALTER TABLE t\nSET SCHEMA other'],
    ['ALTER ROLE ann SET search_path = a'],
    ['ALTER DATABASE d RESET ALL'],
    ["ALTER SYSTEM SET work_mem = '1MB'"],
    ['ALTER SYSTEM\nRESET ALL'],
    ["CREATE FUNCTION f() RETURNS int LANGUAGE sql\nSET search_path = a\nAS 'select 1'"],
    ['CREATE FUNCTION f() RETURNS void AS $$ BEGIN SET x = 1; END $$ LANGUAGE plpgsql'],
    ['CREATE FUNCTION f() RETURNS void AS $_$\nSET x = 1;\n$_$ LANGUAGE sql'],
    ['ALTER FUNCTION f()\nRESET ALL'],
    ['CREATE TABLE set_configs (a int)'],
  ],
  'PG-57, PG-64: set_config': [
    ["SELECT pg_catalog.set_config('search_path', '', false);", 'set search_path'],
    ["SELECT set_config('x', 'y', $1)", 'set x'],
    ['SELECT set_config($1, $2, $3)', 'any setting', 'pins setting'],
    ["SELECT set_config('x', 'y', 't')", 'set x'],
    ["SELECT set_config('x', 'y', not true)", 'set x'],
    ["SELECT set_config('x', 'y', true and false)", 'set x'],
    ["SELECT set_config('x', 'y', true = $1)", 'set x'],
    ["SELECT set_config('x', 'y', (true))", 'set x'],
    ["SELECT set_config('x', 'y', ! true)", 'set x'],
    ["SELECT set_config('x', 'y', \"true\")", 'set x'],
    [
      "SELECT set_config(setting_name => 'x', is_local => true, new_value => 'y')",
      'any setting',
      'pins setting',
    ],
    ["SELECT set_config('x', 'y')", 'any setting', 'pins setting'],
    [
      "SELECT set_config('x', set_config('y', 'z', false), true)",
      'set y',
      'any setting',
      'pins setting',
    ],
    [
      "SELECT set_config('x', set_config('y', 'z', true), true)",
      'local',
      'any setting',
      'pins setting',
    ],
    ["SELECT \"set_config\"('x', 'y', false)", 'set x'],
    ["SELECT \"set_config\"('x', 'y', true)", 'local'],
    ["SELECT \"SET_CONFIG\"('x', 'y', false)"],
    ['SELECT SET_CONFIG/* */(name, setting, false) FROM saved', 'any setting', 'pins setting'],
    ['SELECT set_config', 'any setting', 'pins setting'],
    ["COPY (SELECT set_config('x', 'y', false)) TO STDOUT", 'set x'],
    ["WITH c AS (SELECT set_config('x', 'y', false)) SELECT 1", 'set x'],
    ["INSERT INTO t SELECT set_config('x', 'y', false)", 'set x'],
    ["UPDATE t SET a = set_config('x', 'y', false)", 'set x'],
    ["EXPLAIN (ANALYZE, COSTS off) SELECT set_config('x', 'y', false)", 'set x'],
    ["EXPLAIN ANALYZE SELECT set_config('x', 'y', false)", 'set x'],
    ["CREATE TABLE t AS SELECT set_config('x', 'y', false)", 'set x'],
    ["CREATE RULE r AS ON INSERT TO t DO ALSO SELECT set_config('x', 'y', false)", 'set x'],
    ['SELECT set_limit(0.5)', 'set pg_trgm.similarity_threshold'],
  ],
  'PG-59: comments, several statements': [
    ['/* a */ SET x = 1', 'set x to 1'],
    ['/* a /* nested */ */SET x = 1', 'set x to 1'],
    ['-- a\nSET x = 1', 'set x to 1'],
    ['-- a\rSET x = 1', 'set x to 1'],
    ['SET/**/x = 1', 'set x to 1'],
    ['SELECT 1;SET x = 1', 'set x to 1'],
    ['SELECT 1 ; /* c */ SET x = 1; SELECT 2', 'set x to 1'],
    ['SET x = 1; SET y = 2', 'set x to 1', 'set y to 2'],
    ['SET LOCAL x = 1; SET y = 2', 'set y to 2', 'local'],
    ['BEGIN; SET LOCAL x = 1; COMMIT', 'local', 'transactional'],
    ['SET x = 1; LISTEN a; PREPARE p AS SELECT 1', 'set x to 1', 'pins listen', 'prepare p'],
    ["SELECT ';'; SELECT '; SET x = 1'"],
    ['SELECT 1 -- ; SET x = 1'],
    ['SELECT 1 /* ; SET x = 1 */'],
    ['SELECT 1 /* /* */ ; SET x = 1 */'],
    ['SELECT 1 --\n; SET x = 1', 'set x to 1'],
    ['SELECT $a$; SET x = 1; $a$'],
    ['SELECT $a$ $b$ $a$; SET x = 1; --$b$', 'set x to 1'],
    ["SELECT E'\\'; SET x = 1; --'"],
    ["SELECT '\\'; SET x = 1; --'", 'set x to 1'],
    ["SELECT E'a'\n'\\'; SET x = 1; --'"],
    ["SELECT E'a' -- b\n -- c\n'\\'; SET x = 1; --'"],
    ["SELECT 'a'\n'\\'; SET x = 1; --'", 'set x to 1'],
    ["SELECT ''''; SET x = 1", 'set x to 1'],
    ['SELECT "a""; SET x = 1; "'],
    ['SELECT "a"; SET x = 1; --"', 'set x to 1'],
    ['SELECT a$b$; SET x = 1; --$b$', 'set x to 1'],
    ["SELECT 1e'\\'; SET x = 1; --'"],
    ["SELECT 1-- '\n; SET x = 1; --'", 'set x to 1'],
    ["SELECT 1*/* ' */2; SET x = 1; --'", 'set x to 1'],
  ],
  'prepared statements': [
    ['PREPARE p AS SELECT 1', 'prepare p'],
    ['PREPARE p (int) AS UPDATE t SET a = $1', 'prepare p'],
    ['PREPARE "transaction" AS SELECT 1', 'prepare transaction'],
    ['PREPARE transaction AS SELECT 1', 'prepare transaction'],
    ['PREPARE transaction (int) AS SELECT 1', 'prepare transaction'],
    ["PREPARE TRANSACTION 'a'"],
    ['PREPARE TRANSACTION $$a$$'],
    ['DEALLOCATE p', 'deallocate p'],
    ['DEALLOCATE ALL', 'deallocate all'],
    ['DEALLOCATE PREPARE p', 'deallocate p'],
    ["PREPARE p AS SELECT set_config('x', 'y', false)", 'set x', 'prepare p'],
  ],
  'PG-66: temporary objects': [
    ['CREATE TEMP TABLE t (a int)', 'pins temporaryObject'],
    ['CREATE TEMPORARY TABLE IF NOT EXISTS t (a int)', 'pins temporaryObject'],
    ['CREATE LOCAL TEMP TABLE t (a int)', 'pins temporaryObject'],
    ['CREATE GLOBAL TEMPORARY TABLE t (a int) ON COMMIT DROP', 'pins temporaryObject'],
    ['create/**/temp/**/sequence s', 'pins temporaryObject'],
    ['CREATE TEMP VIEW v AS SELECT 1', 'pins temporaryObject'],
    ['CREATE OR REPLACE TEMP VIEW v AS SELECT 1', 'pins temporaryObject'],
    ['CREATE TEMP RECURSIVE VIEW v (a) AS SELECT 1', 'pins temporaryObject'],
    ['CREATE TEMP TABLE t AS SELECT 1', 'pins temporaryObject'],
    ['EXPLAIN ANALYZE CREATE TEMP TABLE t AS SELECT 1', 'pins temporaryObject'],
    ['SELECT 1 INTO TEMP t', 'pins temporaryObject'],
    ['SELECT * INTO TEMPORARY TABLE t FROM s', 'pins temporaryObject'],
    ['SELECT * INTO LOCAL TEMP t FROM s', 'pins temporaryObject'],
    ['SELECT insert INTO TEMP t FROM s', 'pins temporaryObject'],
    ['WITH c AS (SELECT 1) SELECT * INTO TEMP t FROM c', 'pins temporaryObject'],
    ['CREATE TABLE pg_temp.t (a int)', 'pins temporaryObject'],
    [
      'CREATE FUNCTION "pg_temp".f() RETURNS int LANGUAGE sql AS \'select 1\'',
      'pins temporaryObject',
    ],
    ['SELECT * FROM pg_temp_3.t', 'pins temporaryObject'],
    ['SELECT 1 INTO t'],
    ['CREATE TABLE temp (temp int, temporary int)'],
    ['INSERT INTO temp VALUES (1)'],
    ['INSERT INTO temp (a) SELECT 1'],
    ['SELECT temp, t.temporary FROM temp'],
    ['CREATE TABLE templates (a int)'],
    ['CREATE UNLOGGED TABLE t (a int)'],
    ['DROP TABLE temp', 'releases temporaryObject'],
    ["SELECT 'pg_temp.t'::regclass"],
  ],
  'PG-69: notifications': [
    ['LISTEN news', 'pins listen'],
    ['listen "News"', 'pins listen'],
    ['UNLISTEN news', 'releases listen'],
    ['UNLISTEN *', 'releases listen'],
    ['BEGIN; LISTEN news; ROLLBACK', 'pins listen', 'transactional'],
    ["SELECT pg_notify('a', 'b')"],
    ['SELECT listen FROM t'],
  ],
  'PG-67: locks': [
    ['SELECT pg_advisory_lock(1)', 'pins sessionLock'],
    ['SELECT pg_advisory_lock_shared(1, 2)', 'pins sessionLock'],
    ['SELECT pg_try_advisory_lock(1)', 'pins sessionLock'],
    ['SELECT pg_try_advisory_lock_shared(1)', 'pins sessionLock'],
    ['SELECT pg_advisory_unlock(1)', 'releases sessionLock'],
    ['SELECT pg_advisory_unlock_shared(1)', 'releases sessionLock'],
    ['SELECT PG_CATALOG.PG_ADVISORY_UNLOCK_ALL()', 'releases sessionLock'],
    ['SELECT id FROM t WHERE pg_try_advisory_lock(id) LIMIT 1', 'pins sessionLock'],
    ['SELECT pg_advisory_xact_lock(1)'],
    ['SELECT pg_advisory_xact_lock_shared(1)'],
    ['SELECT pg_try_advisory_xact_lock(1)'],
    ['SELECT pg_try_advisory_xact_lock_shared(1)'],
    ["SELECT 'pg_advisory_lock(1)'"],
  ],
  'PG-66: cursors': [
    ['DECLARE c CURSOR WITH HOLD FOR SELECT 1', 'pins heldCursor'],
    ['DECLARE c BINARY NO SCROLL CURSOR WITH/**/HOLD FOR SELECT 1', 'pins heldCursor'],
    ['BEGIN; DECLARE hold CURSOR WITH HOLD FOR SELECT 1', 'pins heldCursor', 'transactional'],
    ['DECLARE c CURSOR FOR SELECT 1'],
    ['EXPLAIN ANALYZE DECLARE c CURSOR WITH HOLD FOR SELECT 1'],
    ['DECLARE c CURSOR WITHOUT HOLD FOR SELECT 1'],
    ['DECLARE c CURSOR FOR WITH hold AS (SELECT 1) SELECT * FROM hold'],
    ['WITH hold AS (SELECT 1) SELECT * FROM hold'],
  ],
  'PG-66: sequences, libraries, seeds, snapshots': [
    ["SELECT nextval('s')", 'pins sequence'],
    ["SELECT setval('s', 1)", 'pins sequence'],
    ["SELECT currval('s')", 'reads sequences'],
    ['SELECT lastval()', 'reads sequences'],
    ["INSERT INTO t VALUES (nextval('s'))", 'pins sequence'],
    ['CREATE TABLE t (id serial)'],
    ["SELECT 'nextval'"],
    ["LOAD 'auto_explain'", 'pins library'],
    ['SELECT load FROM t'],
    ['SELECT a\nload FROM t'],
    ['SELECT setseed(0.5)', 'pins hiddenState'],
    ['SELECT pg_export_snapshot()'],
    ['SELECT set_bit(a, 1, 1) FROM t'],
    ["SELECT dblink_connect('a', 'b')", 'pins hiddenState'],
    ["SELECT query_to_xml('select 1', true, true, '')", 'pins hiddenState'],
    ["SELECT pg_backup_start('a')", 'pins hiddenState'],
  ],
  'spelled otherwise': [
    ["SELECT U&\"\\0073et_config\"('x', 'y', false)", 'pins hiddenState'],
    ["select u&\"!0073et_config\" uescape '!' ('x', 'y', false)", 'pins hiddenState'],
    ["SELECT U&'\\0073et_config'"],
    ['SELECT u & "set" FROM t'],
    ["SELECT 1set_config('x', 'y', false)", 'set x'],
    ["SELECT 1e5set_config('x', 'y', false)", 'set x'],
    ["SELECT 1.set_config('x', 'y', false)", 'set x'],
    ["SELECT $1set_config('x', 'y', false)", 'set x'],
    [`SELECT $${'t'.repeat(65)}$ nextval $${'t'.repeat(65)}$`, 'pins hiddenState'],
    [`SELECT $${'t'.repeat(64)}$ nextval $${'t'.repeat(64)}$`],
  ],
  'DO and CALL': [
    ["DO $$ BEGIN RAISE NOTICE 'hello'; END $$"],
    ['DO LANGUAGE plpgsql $$ BEGIN PERFORM 1; END $$'],
    ['DO $$ BEGIN SET x = 1; END $$', 'pins hiddenState'],
    ["DO 'BEGIN SET x = 1; END'", 'pins hiddenState'],
    ["DO $$ BEGIN PERFORM set_config('x', 'y', false); END $$", 'pins hiddenState'],
    ["DO $$ BEGIN EXECUTE 'se' || 't x = 1'; END $$", 'pins hiddenState'],
    ["DO E'BEGIN \\x73et x = 1; END'", 'pins hiddenState'],
    ["DO U&'BEGIN \\0073et x = 1; END'", 'pins hiddenState'],
    ['DO LANGUAGE plperl $$ anything $$', 'pins hiddenState'],
    ["DO LANGUAGE 'plperl' $$ anything $$", 'pins hiddenState'],
    ['DO $$ anything $$ LANGUAGE plpython3u', 'pins hiddenState'],
    ['-- now\nDO $$ BEGIN CREATE TEMP TABLE t (a int); END $$', 'pins hiddenState'],
    ['CALL p(1)'],
    ["CALL p('a', $1)"],
    ["CALL run('set x = 1')", 'pins hiddenState'],
    ["CALL p(nextval('s'))", 'pins sequence', 'pins hiddenState'],
  ],
};

const rows = Object.values(table).flat();

for (const [name, some] of Object.entries(table)) {
  describe(name, () => {
    for (const [sql, ...expected] of some) {
      test(JSON.stringify(sql), () => {
        expect(told(classify(sql))).toEqual(expected);
        expect(told(classify(` ${sql} `))).toEqual(expected);
        expect(told(classify(`select 1; ${sql}`))).toEqual(expected);
      });
    }
  });
}

describe('the classifier', () => {
  test('has a long table', () => {
    expect(rows.length).toBeGreaterThan(150);
  });

  test('streams to the same effects, wherever the pieces end, but for what only the whole text shows', () => {
    for (const [sql] of rows) {
      if (/^(-- now\n)?(do|call)/i.test(sql) || /set_config/i.test(sql)) continue;
      for (const pieceBytes of [1, 2, 7])
        expect(told(stream(sql, pieceBytes))).toEqual(told(classify(sql), false));
    }
  });

  test('does not trust a DO, a CALL or a set_config that is too long to be looked at as a whole', () => {
    expect(stream('DO $$ BEGIN END $$', 5).pins).toEqual(['hiddenState']);
    expect(stream('CALL p(1)', 5).pins).toEqual(['hiddenState']);
    expect(stream("SELECT set_config('x', 'y', false)", 5).hidden).toBe('any setting');
  });

  test('tells where names of prepared statements stand, and their statements', () => {
    const sql = 'select 1; PREPARE "größe" (int) AS select $1; EXPLAIN EXECUTE a(2) ; deallocate b';
    const bytes = utf8(sql);
    const part = (start: number, end: number): string =>
      Buffer.from(bytes.subarray(start, end)).toString();
    const { names } = classifier.classify(bytes, 0, bytes.length);
    expect(names.map(({ start, end }) => part(start, end))).toEqual(['"größe"', 'a', 'b']);
    expect(names.map((use) => part(use.statementStart, use.statementEnd))).toEqual([
      'PREPARE "größe" (int) AS select $1',
      'EXPLAIN EXECUTE a(2) ',
      'deallocate b',
    ]);
  });

  test('knows what Amazon RDS Proxy pins for', () => {
    const pinning: Readonly<Record<string, readonly PinReason[]>> = {
      'SET x = 1': ['setting'],
      'SET LOCAL x = 1': ['setting'],
      "SELECT set_config('x', 'y', true)": ['setting'],
      'RESET x': ['setting'],
      'PREPARE p AS SELECT 1': ['preparedStatement'],
      'EXECUTE p': ['preparedStatement'],
      'DEALLOCATE p': ['preparedStatement'],
      'DISCARD ALL': ['setting'],
      'DISCARD TEMP': ['setting'],
      'DECLARE c CURSOR FOR SELECT 1': ['cursor'],
      'CREATE TEMP TABLE t (a int)': ['temporaryObject'],
      'LISTEN a': ['listen'],
      "LOAD 'a'": ['library'],
      "SELECT nextval('s')": ['sequence'],
      'SELECT pg_advisory_lock(1)': ['sessionLock'],
      'SELECT pg_advisory_xact_lock(1)': [],
      'SELECT 1': [],
    };
    for (const [sql, reasons] of Object.entries(pinning))
      expect([sql, classify(sql).awsPins]).toEqual([sql, reasons]);
  });

  test('gives one shared object for what has no effects', () => {
    expect(classify('select 1')).toBe(NO_EFFECTS);
    expect(classify('update t\nset a = 1')).toBe(NO_EFFECTS);
  });

  test('remembers texts, but neither all of them nor long ones', () => {
    const first = classify('set a = 0');
    expect(classify('set a = 0')).toBe(first);
    const long = `set a = '${'x'.repeat(4_096)}'`;
    expect(classify(long)).toEqual(classify(long));
    expect(classify(long)).not.toBe(classify(long));
    for (let value = 1; value <= 2_048; value += 1) classify(`set a = ${value}`);
    expect(classify('set a = 0')).not.toBe(first);
    expect(classify('set a = 0')).toEqual(first);
  });

  test('looks at nothing beyond the text', () => {
    const bytes = utf8('select 1; set x = 1');
    expect(classifier.classify(bytes, 0, 9)).toBe(NO_EFFECTS);
    expect(told(classifier.classify(bytes, 9, bytes.length))).toEqual(['set x to 1']);
  });

  test('needs no more than a moment for hostile texts', () => {
    const hostile = [
      '\n',
      ' ',
      ';',
      '/',
      '/*',
      '$a',
      "'",
      'set ',
      'set_config(',
      'language ',
      '$$',
      'u&"',
      '1e',
    ];
    for (const piece of hostile) {
      const text = piece.repeat(limits.inspectedMessageBytes.value / piece.length);
      const startedMs = performance.now();
      classify(text);
      classify(`do ${text}`);
      expect(performance.now() - startedMs).toBeLessThan(2_000);
    }
  });
});

describe('digests', () => {
  const digests: readonly (readonly [sql: string, digest: string])[] = [
    ["SET  search_path\n=\t'a',b", 'set search_path = $1,$2'],
    ['SET app.token TO hunter2', 'set app.token to $1'],
    ['SET LOCAL x = on; SET ROLE ann', 'set local x = $1; set role ann'],
    ['LISTEN "a""b"', 'listen "a""b"'],
    [
      "select nextval('s'), -1.5e3, 0xfe, 1_000, $1, E'\\'x', x'ff', $$y$$",
      'select nextval($1), -$2, $3, $4, $5, $6, $7, $8',
    ],
    ['/* secret */ LISTEN -- secret\n a', 'listen a'],
    ['LISTEN größe', 'listen größe'],
    [
      "SET x = 'a'; ALTER ROLE ann SET my.secret = abc",
      'set x = $1; alter role ann set my.secret = $2',
    ],
  ];
  for (const [sql, digest] of digests) {
    test(digest, () => {
      expect(classify(sql).digest).toBe(digest);
      expect(stream(sql, 1).digest).toBe(digest);
      const bytes = utf8(sql);
      expect(digestOf(bytes, 0, bytes.length)).toBe(digest);
    });
  }

  test('are empty where there is nothing to report, unless asked for', () => {
    expect(classify("select 'a'").digest).toBe('');
    expect(digestOf(utf8("select 'a'"), 0, 10)).toBe('select $1');
  });

  test('are never longer than their limit', () => {
    const { digest } = classify(`listen a; select ${"größe, 'secret', ".repeat(1_000)} 1`);
    expect(Buffer.byteLength(digest)).toBeLessThanOrEqual(limits.statementDigestBytes.value);
    expect(Buffer.byteLength(digest)).toBeGreaterThan(limits.statementDigestBytes.value - 70);
    expect(digest).toEndWith('…');
    expect(digest).not.toContain('secret');
  });
});
