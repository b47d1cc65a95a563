import { describe, expect, test } from 'bun:test';
import { utf8 } from '../../base/bytes.ts';
import { limits } from '../../base/limits.ts';
import type { PinReason } from '../../core/pin.ts';
import { Classifier, CLEAN } from './pins.ts';
import type { Verdict } from './pins.ts';

const classifier = new Classifier();

function classify(sql: string): Verdict {
  const bytes = utf8(`xx${sql}\0`);
  return classifier.classify(bytes, 2, bytes.length - 1);
}

function stream(sql: string, pieceBytes: number): Verdict {
  const bytes = utf8(sql);
  const streaming = classifier.beginStreaming();
  for (let at = 0; at < bytes.length; at += pieceBytes) {
    streaming.feed(bytes, at, Math.min(bytes.length, at + pieceBytes));
  }
  return streaming.finish();
}

type Row = readonly [sql: string, ...reasons: PinReason[]];

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
    ['EXECUTE plan (1)'],
    ['CLOSE ALL'],
    ['FETCH ALL FROM c'],
    [''],
    [';'],
    [';;  ; -- nothing\n'],
    ['/* only a comment */'],
  ],
  'SET and RESET, PG-58': [
    ['SET search_path TO a, b', 'setting'],
    ['set x = 1', 'setting'],
    ['  \t\n SET x = 1', 'setting'],
    ['SeT\nx\n=\n1', 'setting'],
    ['SET"x"=1', 'setting'],
    ['SET SESSION x = 1', 'setting'],
    ['SET SESSION TRANSACTION READ ONLY', 'setting'],
    ['SET ROLE ann', 'setting'],
    ['SET SESSION AUTHORIZATION ann', 'setting'],
    ["SET TIME ZONE 'UTC'", 'setting'],
    ["SET NAMES 'utf8'", 'setting'],
    ["SET SCHEMA 'a'", 'setting'],
    ['SET XML OPTION DOCUMENT', 'setting'],
    ['SET seed = 0.5', 'setting'],
    ['SET my.thing = 1', 'setting'],
    ['RESET x', 'setting'],
    ['RESET ALL', 'setting'],
    ['RESET ROLE', 'setting'],
    ['reset session authorization', 'setting'],
    ['DISCARD ALL', 'setting'],
    ['DISCARD TEMP', 'setting'],
    ['DISCARD SEQUENCES', 'setting'],
  ],
  'PG-54: settings that end with their transaction': [
    ['SET LOCAL x = 1'],
    ["set local my.thing to 'on'"],
    ['SET LOCAL ROLE ann'],
    ['SET /**/ LOCAL -- here\n x = 1'],
    ['SET LOCAL SESSION CHARACTERISTICS AS TRANSACTION READ ONLY'],
    ['SET CONSTRAINTS ALL DEFERRED'],
    ['SET CONSTRAINTS "a", b IMMEDIATE'],
    ["SELECT set_config('x', 'y', true)"],
    ["SELECT pg_catalog . set_config ( 'x' , $1 , TRUE )"],
    ["SELECT set_config('x', f(1, 2, (3)), true), set_config($1, $2, true)"],
  ],
  'PG-55, PG-56: transactions': [
    ['SET TRANSACTION ISOLATION LEVEL SERIALIZABLE'],
    ["SET TRANSACTION SNAPSHOT '00000003-0000001B-1'"],
    ['SET SESSION CHARACTERISTICS AS TRANSACTION READ ONLY', 'setting'],
  ],
  'settings whose names look like something else': [
    ['SET local.x = 1', 'setting'],
    ['SET transaction.x = 1', 'setting'],
    ['SET constraints . x = 1', 'setting'],
    ['SET LOCAL TO 1', 'setting'],
    ['SET LOCAL = 1', 'setting'],
    ['SET "local" x', 'setting'],
    ['SET "transaction".x = 1', 'setting'],
    ['SET LOCAL local.x = 1'],
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
    ["SELECT pg_catalog.set_config('search_path', '', false);", 'setting'],
    ["SELECT set_config('x', 'y', $1)", 'setting'],
    ['SELECT set_config($1, $2, $3)', 'setting'],
    ["SELECT set_config('x', 'y', 't')", 'setting'],
    ["SELECT set_config('x', 'y', not true)", 'setting'],
    ["SELECT set_config('x', 'y', true and false)", 'setting'],
    ["SELECT set_config('x', 'y', true = $1)", 'setting'],
    ["SELECT set_config('x', 'y', (true))", 'setting'],
    ["SELECT set_config('x', 'y', ! true)", 'setting'],
    ["SELECT set_config('x', 'y', \"true\")", 'setting'],
    ["SELECT set_config(setting_name => 'x', is_local => true, new_value => 'y')", 'setting'],
    ["SELECT set_config('x', 'y')", 'setting'],
    ["SELECT set_config('x', set_config('y', 'z', false), true)", 'setting'],
    ["SELECT set_config('x', set_config('y', 'z', true), true)", 'setting'],
    ["SELECT \"set_config\"('x', 'y', false)", 'setting'],
    ["SELECT \"set_config\"('x', 'y', true)"],
    ["SELECT \"SET_CONFIG\"('x', 'y', false)"],
    ['SELECT SET_CONFIG/* */(name, setting, false) FROM saved', 'setting'],
    ['SELECT set_config', 'setting'],
    ["COPY (SELECT set_config('x', 'y', false)) TO STDOUT", 'setting'],
    ["WITH c AS (SELECT set_config('x', 'y', false)) SELECT 1", 'setting'],
    ["INSERT INTO t SELECT set_config('x', 'y', false)", 'setting'],
    ["UPDATE t SET a = set_config('x', 'y', false)", 'setting'],
    ["EXPLAIN (ANALYZE, COSTS off) SELECT set_config('x', 'y', false)", 'setting'],
    ["EXPLAIN ANALYZE SELECT set_config('x', 'y', false)", 'setting'],
    ["CREATE TABLE t AS SELECT set_config('x', 'y', false)", 'setting'],
    ["CREATE RULE r AS ON INSERT TO t DO ALSO SELECT set_config('x', 'y', false)", 'setting'],
    ['SELECT set_limit(0.5)', 'setting'],
  ],
  'PG-59: comments, several statements': [
    ['/* a */ SET x = 1', 'setting'],
    ['/* a /* nested */ */SET x = 1', 'setting'],
    ['-- a\nSET x = 1', 'setting'],
    ['-- a\rSET x = 1', 'setting'],
    ['SET/**/x = 1', 'setting'],
    ['SELECT 1;SET x = 1', 'setting'],
    ['SELECT 1 ; /* c */ SET x = 1; SELECT 2', 'setting'],
    ['SET x = 1; SET y = 2', 'setting'],
    ['SET LOCAL x = 1; SET y = 2', 'setting'],
    ['BEGIN; SET LOCAL x = 1; COMMIT'],
    ['SET x = 1; LISTEN a; PREPARE p AS SELECT 1', 'setting', 'listen', 'preparedStatement'],
    ["SELECT ';'; SELECT '; SET x = 1'"],
    ['SELECT 1 -- ; SET x = 1'],
    ['SELECT 1 /* ; SET x = 1 */'],
    ['SELECT 1 /* /* */ ; SET x = 1 */'],
    ['SELECT 1 --\n; SET x = 1', 'setting'],
    ['SELECT $a$; SET x = 1; $a$'],
    ['SELECT $a$ $b$ $a$; SET x = 1; --$b$', 'setting'],
    ["SELECT E'\\'; SET x = 1; --'"],
    ["SELECT '\\'; SET x = 1; --'", 'setting'],
    ["SELECT E'a'\n'\\'; SET x = 1; --'"],
    ["SELECT E'a' -- b\n -- c\n'\\'; SET x = 1; --'"],
    ["SELECT 'a'\n'\\'; SET x = 1; --'", 'setting'],
    ["SELECT ''''; SET x = 1", 'setting'],
    ['SELECT "a""; SET x = 1; "'],
    ['SELECT "a"; SET x = 1; --"', 'setting'],
    ['SELECT a$b$; SET x = 1; --$b$', 'setting'],
    ["SELECT 1e'\\'; SET x = 1; --'"],
    ["SELECT 1-- '\n; SET x = 1; --'", 'setting'],
    ["SELECT 1*/* ' */2; SET x = 1; --'", 'setting'],
  ],
  'prepared statements': [
    ['PREPARE p AS SELECT 1', 'preparedStatement'],
    ['PREPARE p (int) AS UPDATE t SET a = $1', 'preparedStatement'],
    ['PREPARE "transaction" AS SELECT 1', 'preparedStatement'],
    ['PREPARE transaction AS SELECT 1', 'preparedStatement'],
    ['PREPARE transaction (int) AS SELECT 1', 'preparedStatement'],
    ["PREPARE TRANSACTION 'a'"],
    ['PREPARE TRANSACTION $$a$$'],
    ['DEALLOCATE p', 'preparedStatement'],
    ['DEALLOCATE ALL', 'preparedStatement'],
    ['DEALLOCATE PREPARE p', 'preparedStatement'],
    ["PREPARE p AS SELECT set_config('x', 'y', false)", 'preparedStatement', 'setting'],
  ],
  'PG-66: temporary objects': [
    ['CREATE TEMP TABLE t (a int)', 'temporaryObject'],
    ['CREATE TEMPORARY TABLE IF NOT EXISTS t (a int)', 'temporaryObject'],
    ['CREATE LOCAL TEMP TABLE t (a int)', 'temporaryObject'],
    ['CREATE GLOBAL TEMPORARY TABLE t (a int) ON COMMIT DROP', 'temporaryObject'],
    ['create/**/temp/**/sequence s', 'temporaryObject'],
    ['CREATE TEMP VIEW v AS SELECT 1', 'temporaryObject'],
    ['CREATE OR REPLACE TEMP VIEW v AS SELECT 1', 'temporaryObject'],
    ['CREATE TEMP RECURSIVE VIEW v (a) AS SELECT 1', 'temporaryObject'],
    ['CREATE TEMP TABLE t AS SELECT 1', 'temporaryObject'],
    ['EXPLAIN ANALYZE CREATE TEMP TABLE t AS SELECT 1', 'temporaryObject'],
    ['SELECT 1 INTO TEMP t', 'temporaryObject'],
    ['SELECT * INTO TEMPORARY TABLE t FROM s', 'temporaryObject'],
    ['SELECT * INTO LOCAL TEMP t FROM s', 'temporaryObject'],
    ['SELECT insert INTO TEMP t FROM s', 'temporaryObject'],
    ['WITH c AS (SELECT 1) SELECT * INTO TEMP t FROM c', 'temporaryObject'],
    ['CREATE TABLE pg_temp.t (a int)', 'temporaryObject'],
    ['CREATE FUNCTION "pg_temp".f() RETURNS int LANGUAGE sql AS \'select 1\'', 'temporaryObject'],
    ['SELECT * FROM pg_temp_3.t', 'temporaryObject'],
    ['SELECT 1 INTO t'],
    ['CREATE TABLE temp (temp int, temporary int)'],
    ['INSERT INTO temp VALUES (1)'],
    ['INSERT INTO temp (a) SELECT 1'],
    ['SELECT temp, t.temporary FROM temp'],
    ['CREATE TABLE templates (a int)'],
    ['CREATE UNLOGGED TABLE t (a int)'],
    ['DROP TABLE temp'],
    ["SELECT 'pg_temp.t'::regclass"],
  ],
  'PG-69: notifications': [
    ['LISTEN news', 'listen'],
    ['listen "News"', 'listen'],
    ['UNLISTEN news', 'listen'],
    ['UNLISTEN *', 'listen'],
    ['BEGIN; LISTEN news; ROLLBACK', 'listen'],
    ["SELECT pg_notify('a', 'b')"],
    ['SELECT listen FROM t'],
  ],
  'PG-67: locks': [
    ['SELECT pg_advisory_lock(1)', 'sessionLock'],
    ['SELECT pg_advisory_lock_shared(1, 2)', 'sessionLock'],
    ['SELECT pg_try_advisory_lock(1)', 'sessionLock'],
    ['SELECT pg_try_advisory_lock_shared(1)', 'sessionLock'],
    ['SELECT pg_advisory_unlock(1)', 'sessionLock'],
    ['SELECT pg_advisory_unlock_shared(1)', 'sessionLock'],
    ['SELECT PG_CATALOG.PG_ADVISORY_UNLOCK_ALL()', 'sessionLock'],
    ['SELECT id FROM t WHERE pg_try_advisory_lock(id) LIMIT 1', 'sessionLock'],
    ['SELECT pg_advisory_xact_lock(1)'],
    ['SELECT pg_advisory_xact_lock_shared(1)'],
    ['SELECT pg_try_advisory_xact_lock(1)'],
    ['SELECT pg_try_advisory_xact_lock_shared(1)'],
    ["SELECT 'pg_advisory_lock(1)'"],
  ],
  'PG-66: cursors': [
    ['DECLARE c CURSOR WITH HOLD FOR SELECT 1', 'heldCursor'],
    ['DECLARE c BINARY NO SCROLL CURSOR WITH/**/HOLD FOR SELECT 1', 'heldCursor'],
    ['BEGIN; DECLARE hold CURSOR WITH HOLD FOR SELECT 1', 'heldCursor'],
    ['DECLARE c CURSOR FOR SELECT 1'],
    ['EXPLAIN ANALYZE DECLARE c CURSOR WITH HOLD FOR SELECT 1'],
    ['DECLARE c CURSOR WITHOUT HOLD FOR SELECT 1'],
    ['DECLARE c CURSOR FOR WITH hold AS (SELECT 1) SELECT * FROM hold'],
    ['WITH hold AS (SELECT 1) SELECT * FROM hold'],
  ],
  'PG-66: sequences, libraries, seeds, snapshots': [
    ["SELECT nextval('s')", 'sequence'],
    ["SELECT setval('s', 1)", 'sequence'],
    ["SELECT currval('s')", 'sequence'],
    ['SELECT lastval()', 'sequence'],
    ["INSERT INTO t VALUES (nextval('s'))", 'sequence'],
    ['CREATE TABLE t (id serial)'],
    ["SELECT 'nextval'"],
    ["LOAD 'auto_explain'", 'library'],
    ['SELECT load FROM t'],
    ['SELECT a\nload FROM t'],
    ['SELECT setseed(0.5)', 'hiddenState'],
    ['SELECT pg_export_snapshot()'],
    ['SELECT set_bit(a, 1, 1) FROM t'],
    ["SELECT dblink_connect('a', 'b')", 'hiddenState'],
    ["SELECT query_to_xml('select 1', true, true, '')", 'hiddenState'],
    ["SELECT pg_backup_start('a')", 'hiddenState'],
  ],
  'spelled otherwise': [
    ["SELECT U&\"\\0073et_config\"('x', 'y', false)", 'hiddenState'],
    ["select u&\"!0073et_config\" uescape '!' ('x', 'y', false)", 'hiddenState'],
    ["SELECT U&'\\0073et_config'"],
    ['SELECT u & "set" FROM t'],
    ["SELECT 1set_config('x', 'y', false)", 'setting'],
    ["SELECT 1e5set_config('x', 'y', false)", 'setting'],
    ["SELECT 1.set_config('x', 'y', false)", 'setting'],
    ["SELECT $1set_config('x', 'y', false)", 'setting'],
    [`SELECT $${'t'.repeat(65)}$ nextval $${'t'.repeat(65)}$`, 'hiddenState'],
    [`SELECT $${'t'.repeat(64)}$ nextval $${'t'.repeat(64)}$`],
  ],
  'DO and CALL': [
    ["DO $$ BEGIN RAISE NOTICE 'hello'; END $$"],
    ['DO LANGUAGE plpgsql $$ BEGIN PERFORM 1; END $$'],
    ['DO $$ BEGIN SET x = 1; END $$', 'hiddenState'],
    ["DO 'BEGIN SET x = 1; END'", 'hiddenState'],
    ["DO $$ BEGIN PERFORM set_config('x', 'y', false); END $$", 'hiddenState'],
    ["DO $$ BEGIN EXECUTE 'se' || 't x = 1'; END $$", 'hiddenState'],
    ["DO E'BEGIN \\x73et x = 1; END'", 'hiddenState'],
    ["DO U&'BEGIN \\0073et x = 1; END'", 'hiddenState'],
    ['DO LANGUAGE plperl $$ anything $$', 'hiddenState'],
    ["DO LANGUAGE 'plperl' $$ anything $$", 'hiddenState'],
    ['DO $$ anything $$ LANGUAGE plpython3u', 'hiddenState'],
    ['-- now\nDO $$ BEGIN CREATE TEMP TABLE t (a int); END $$', 'hiddenState'],
    ['CALL p(1)'],
    ["CALL p('a', $1)"],
    ["CALL run('set x = 1')", 'hiddenState'],
    ["CALL p(nextval('s'))", 'sequence', 'hiddenState'],
  ],
};

const rows = Object.values(table).flat();

for (const [name, some] of Object.entries(table)) {
  describe(name, () => {
    for (const [sql, ...reasons] of some) {
      test(JSON.stringify(sql), () => {
        const expected = [...reasons].toSorted();
        expect([...classify(sql).reasons].toSorted()).toEqual(expected);
        expect([...classify(` ${sql} `).reasons].toSorted()).toEqual(expected);
        expect([...classify(`select 1; ${sql}`).reasons].toSorted()).toEqual(expected);
      });
    }
  });
}

describe('the classifier', () => {
  test('has a long table', () => {
    expect(rows.length).toBeGreaterThan(150);
  });

  test('streams to the same verdict, wherever the pieces end', () => {
    for (const [sql] of rows) {
      if (/^(-- now\n)?(do|call)/i.test(sql)) continue;
      for (const pieceBytes of [1, 2, 7]) expect(stream(sql, pieceBytes)).toEqual(classify(sql));
    }
  });

  test('does not trust a DO or a CALL that is too long to be looked at as a whole', () => {
    expect(stream('DO $$ BEGIN END $$', 5).reasons).toEqual(['hiddenState']);
    expect(stream('CALL p(1)', 5).reasons).toEqual(['hiddenState']);
  });

  test('gives one shared verdict for what leaves nothing behind', () => {
    expect(classify('select 1')).toBe(CLEAN);
    expect(classify('update t\nset a = 1')).toBe(CLEAN);
  });

  test('remembers verdicts, but neither all of them nor those on long texts', () => {
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
    expect(classifier.classify(bytes, 0, 9)).toBe(CLEAN);
    expect(classifier.classify(bytes, 9, bytes.length).reasons).toEqual(['setting']);
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
      expect(classifier.digest(bytes, 0, bytes.length)).toBe(digest);
    });
  }

  test('are empty where there is nothing to report, unless asked for', () => {
    expect(classify("select 'a'").digest).toBe('');
    expect(classifier.digest(utf8("select 'a'"), 0, 10)).toBe('select $1');
  });

  test('are never longer than their limit', () => {
    const { digest } = classify(`listen a; select ${"größe, 'secret', ".repeat(1_000)} 1`);
    expect(Buffer.byteLength(digest)).toBeLessThanOrEqual(limits.statementDigestBytes.value);
    expect(Buffer.byteLength(digest)).toBeGreaterThan(limits.statementDigestBytes.value - 70);
    expect(digest).toEndWith('…');
    expect(digest).not.toContain('secret');
  });
});
