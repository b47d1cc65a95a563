import { describe, expect, test } from 'bun:test';
import { classify, mariadb, mysql, stream, told } from '../../../../test/support/mysql-effects.ts';
import type { Dialect } from './dialect.ts';

type Row = readonly [sql: string, ...effects: string[]];

const both: Record<string, readonly Row[]> = {
  'ordinary statements': [
    ['SELECT abalance FROM pgbench_accounts WHERE aid = 12345;'],
    ["SELECT 'GET_LOCK(1)', \"get_lock('a', 1)\" FROM t"],
    ['SELECT `get_lock`, t.release_lock FROM t'],
    ['SELECT get_lock FROM t'],
    ["INSERT INTO t (a, b) VALUES ('ann@example.org', '# -- /* */ ; :=')"],
    ['INSERT INTO `bench` . `t`(`a`) VALUES (1), (2)'],
    ['insert ignore into t(a) select count(*) from u'],
    ['REPLACE t (a) VALUES (now())'],
    ['UPDATE t SET last_login = now(), next_row_count = 1 WHERE id IN (1, 2)'],
    ['DELETE FROM t WHERE a = 1'],
    ['BEGIN'],
    ['BEGIN WORK'],
    ['START TRANSACTION WITH CONSISTENT SNAPSHOT'],
    ['COMMIT'],
    ['COMMIT AND CHAIN'],
    ['ROLLBACK TO SAVEPOINT a'],
    ['ROLLBACK TO release'],
    ['SAVEPOINT a'],
    ['RELEASE SAVEPOINT a'],
    ['SHOW TABLES'],
    ["SHOW VARIABLES LIKE 'x'"],
    ['SHOW CREATE TABLE warnings'],
    ['TRUNCATE TABLE t'],
    ['CREATE TABLE t (a int, temporary int, KEY k (a), PRIMARY KEY (a))'],
    ['CREATE TABLE IF NOT EXISTS t LIKE u'],
    ['DROP DATABASE d'],
    ['ALTER TABLE t ADD COLUMN a varchar(10), RENAME COLUMN b TO c, RENAME INDEX d TO e'],
    ['USE d'],
    ['SELECT 1 -- @x := 1'],
    ["SELECT 1 # GET_LOCK('a', 1)"],
    ["SELECT 1 /* GET_LOCK('a', 1) */ + 1"],
    ['/* traceparent=1 */ SELECT 1'],
    ['SELECT /*+ MAX_EXECUTION_TIME(1000) */ 1'],
    ["SELECT X'1f', b'01', N'a', _utf8mb4'@x', 0x1f, 1e5, 1.5e-3"],
    ["GRANT ALL ON *.* TO 'a'@'b', `c`@`d`, e@f"],
    ["CREATE USER 'a'@'%' IDENTIFIED BY 'x'"],
    [''],
    [';'],
    ['; ;'],
    ['-- nothing'],
    ["SELECT a AS `x` FROM t USE INDEX (i) WHERE MATCH (a) AGAINST ('b')"],
    ["SIGNAL SQLSTATE '45000' SET MESSAGE_TEXT = 'x'"],
  ],
  'MY-45: SET in all its forms': [
    ['SET a = 1', 'sets a'],
    ['set @@a := 1', 'sets a'],
    [
      'SET SESSION a = 1, @@session.b = 2, @@local . c = 3, `D` = 4',
      'sets a',
      'sets b',
      'sets c',
      'sets d',
    ],
    [
      'SET a=1, b=(SELECT max(x), 2 FROM t), @x:=3, NAMES utf8mb4 COLLATE utf8mb4_bin, @@global.x=1, SESSION y=DEFAULT',
      'sets a',
      'sets b',
      'sets names',
      'sets y',
      'assigns x',
      'uses variables',
    ],
    ["SET @a = 1, @`b` = @c, @'D' = 2", 'assigns a', 'assigns b', 'assigns d', 'uses variables'],
    ['SET @é = 1', 'assigns any', 'uses variables'],
    ['SET GLOBAL a = 1'],
    ['SET @@global.a = 1, @@persist.b = 2, PERSIST_ONLY c = 3'],
    ['SET GLOBAL a = 1, b = 2', 'sets b'],
    ['SET NAMES utf8mb4', 'sets names'],
    ['SET NAMES DEFAULT', 'sets names'],
    ['SET CHARACTER SET utf8mb4', 'sets character set'],
    ['SET CHARSET utf8mb4, autocommit = 0', 'sets character set', 'sets autocommit'],
    ["SET PASSWORD = 'x'"],
    ["SET PASSWORD FOR 'a'@'b' = 'x'"],
    ['SET DEFAULT ROLE r TO a@b'],
    ['SET ROLE r', 'pins hiddenState'],
    ['SET RESOURCE GROUP g', 'pins hiddenState'],
    ['SET RESOURCE GROUP g FOR 1'],
    ['SET/**/a=1', 'sets a'],
    ['SET@x=1', 'assigns x', 'uses variables'],
    ['SET session_track_schema = OFF', 'sets session_track_schema'],
    ['SET validate_password.length = 1', 'sets validate_password.length'],
  ],
  'MY-43: transactions': [
    ['SET TRANSACTION ISOLATION LEVEL SERIALIZABLE', 'next transaction'],
    ['SET TRANSACTION READ ONLY', 'next transaction'],
    ["SET @@transaction_isolation = 'SERIALIZABLE'", 'next transaction'],
    ["SET transaction_isolation = 'SERIALIZABLE'", 'sets transaction_isolation'],
    ["SET @@session.tx_isolation = 'SERIALIZABLE'", 'sets tx_isolation'],
    [
      'SET SESSION TRANSACTION READ ONLY',
      'sets transaction_isolation',
      'sets transaction_read_only',
    ],
    ['SET GLOBAL TRANSACTION READ ONLY'],
    ['COMMIT RELEASE', 'ends session'],
    ['ROLLBACK WORK AND NO CHAIN RELEASE', 'ends session'],
    ["XA START 'a'", 'takes globalTransaction xa'],
    ["XA BEGIN 'a', 'b', 1", 'takes globalTransaction xa'],
    ["XA PREPARE 'a'"],
    ["XA COMMIT 'a' ONE PHASE", 'drops globalTransaction xa'],
    ["XA ROLLBACK 'a'", 'drops globalTransaction xa'],
    ['XA RECOVER'],
  ],
  'MY-46: variables that a value does not bring back': [
    ['SET timestamp = 1', 'pins setting', 'sets timestamp'],
    ['SET timestamp = DEFAULT', 'sets timestamp'],
    ['SET timestamp = 0, a = 1', 'sets timestamp', 'sets a'],
    ['SET insert_id = 5', 'pins setting', 'sets insert_id'],
    ['SET rand_seed1 = 5, @@rand_seed2 = 6', 'pins setting', 'sets rand_seed1', 'sets rand_seed2'],
    ['SET last_insert_id = 5', 'sets last_insert_id', 'sets last insert id'],
    ['SET profiling = 1', 'pins setting', 'sets profiling'],
    [
      'SET sql_safe_updates = 1, sql_select_limit = 1',
      'sets sql_safe_updates',
      'sets sql_select_limit',
    ],
  ],
  'MY-47: user variables': [
    ['SELECT @x', 'uses variables'],
    ['SELECT @x := @x + 1', 'assigns x', 'uses variables'],
    ['SELECT 1 INTO @a', 'assigns a', 'uses variables'],
    ['SELECT a, b FROM t INTO @A, @`B`', 'assigns a', 'assigns b', 'uses variables'],
    ['SELECT @c INTO @a FROM t WHERE x = @b', 'assigns a', 'uses variables'],
    ['UPDATE t SET a = (@r := a)', 'assigns r', 'uses variables'],
    ["LOAD DATA INFILE 'x' INTO TABLE t (a, @b) SET c = @b", 'assigns b', 'uses variables'],
    ["LOAD DATA LOCAL INFILE 'x' INTO TABLE t", 'local file'],
    ['CALL p(1, @a, @b)', 'assigns a', 'assigns b', 'uses variables', 'routines'],
    ['SELECT @@x, @@session.y'],
    ["SELECT @'a b'", 'uses variables'],
    ["SELECT @'a b' := 1", 'assigns any', 'uses variables'],
  ],
  'MY-47: temporary tables': [
    ['CREATE TEMPORARY TABLE t (a int)', 'takes temporaryObject t'],
    ['create temporary table if not exists `d`.`T` as select 1', 'takes temporaryObject d.T'],
    ['CREATE /* */ TEMPORARY\nTABLE d . t LIKE u', 'takes temporaryObject d.t'],
    ['DROP TABLE t', 'drops temporaryObject t'],
    [
      'DROP TEMPORARY TABLE IF EXISTS a, d.b, `c` CASCADE',
      'drops temporaryObject a',
      'drops temporaryObject d.b',
      'drops temporaryObject c',
    ],
    ['ALTER TABLE t ADD a int, RENAME TO u, ADD b int', 'renames temporaryObject t to u'],
    ['ALTER TABLE t RENAME d.u', 'renames temporaryObject t to d.u'],
    ['ALTER TABLE t RENAME = u', 'renames temporaryObject t to u'],
    [
      'USE d; CREATE TEMPORARY TABLE t (a int); USE e; DROP TABLE t',
      'takes temporaryObject d.t',
      'drops temporaryObject e.t',
    ],
    [
      'DROP TABLE t; CREATE TEMPORARY TABLE t (a int)',
      'drops temporaryObject t',
      'takes temporaryObject t',
    ],
    ['CREATE TEMPORARY TABLE t SELECT f(1)', 'takes temporaryObject t', 'routines'],
  ],
  'MY-47: locks': [
    ['LOCK TABLES t READ, u AS v WRITE', 'takes tableLock tables'],
    ['LOCK TABLE t WRITE', 'takes tableLock tables'],
    ['UNLOCK TABLES', 'drops tableLock tables'],
    ['FLUSH TABLES WITH READ LOCK', 'takes tableLock tables'],
    ['FLUSH LOCAL TABLES t, u FOR EXPORT', 'takes tableLock tables'],
    ['FLUSH TABLES'],
    ["SELECT GET_LOCK('a', 10)", 'takes sessionLock a'],
    [
      "SELECT get_lock ('a' , 10), GET_LOCK('b', 1) AS x FROM DUAL",
      'takes sessionLock a',
      'takes sessionLock b',
    ],
    ["SELECT `get_lock`('a', 1)", 'takes sessionLock ?', 'routines'],
    ["DO GET_LOCK('a', 1)", 'takes sessionLock a'],
    ["SET @r = GET_LOCK('a', 1)", 'takes sessionLock a', 'assigns r', 'uses variables'],
    ['SELECT GET_LOCK(?, ?)', 'takes sessionLock ?'],
    ["SELECT GET_LOCK('a' 'b', 1)", 'takes sessionLock ?'],
    ["SELECT GET_LOCK(concat('a', 1), 1)", 'takes sessionLock ?'],
    ["SELECT GET_LOCK('é', 1)", 'takes sessionLock ?'],
    ["SELECT GET_LOCK('a', 1) FROM t", 'takes sessionLock ?'],
    ["INSERT INTO t SELECT GET_LOCK('a', 1)", 'takes sessionLock ?'],
    ["SELECT IF(GET_LOCK('a', 1), 1, 2)", 'takes sessionLock ?'],
    ["SELECT RELEASE_LOCK('a')", 'drops sessionLock a'],
    [
      "SELECT RELEASE_LOCK('a') AS released, RELEASE_LOCK('b')",
      'drops sessionLock a',
      'drops sessionLock b',
    ],
    ["SELECT 1 AND RELEASE_LOCK('a')"],
    ["SELECT 1 || RELEASE_LOCK('a')"],
    ["SELECT coalesce(1, RELEASE_LOCK('a'))"],
    ["SELECT RELEASE_LOCK('a') FROM t"],
    ["SELECT RELEASE_LOCK('a') LIMIT 0"],
    ['SELECT RELEASE_LOCK(?)'],
    ['SELECT RELEASE_ALL_LOCKS()', 'drops all sessionLock'],
    ["SELECT IS_FREE_LOCK('a')"],
    ["SELECT service_get_write_locks('a', 'b', 1)", 'pins hiddenState', 'routines'],
    ["SELECT d.get_lock('a', 1)", 'takes sessionLock ?', 'routines'],
    ['HANDLER t OPEN', 'takes handler t'],
    ['HANDLER d.t OPEN AS h', 'takes handler h'],
    ['HANDLER t OPEN h', 'takes handler h'],
    ['HANDLER h READ FIRST'],
    ['HANDLER h CLOSE', 'drops handler h'],
  ],
  'MY-48: what the statement before has left behind': [
    ['SELECT LAST_INSERT_ID()', 'asks for lastInsertId'],
    ['SELECT last_insert_id ( )', 'asks for lastInsertId'],
    ['INSERT INTO t VALUES (LAST_INSERT_ID())', 'asks for lastInsertId'],
    ['UPDATE t SET a = LAST_INSERT_ID(a + 1)', 'sets last insert id'],
    ['SELECT @@last_insert_id, @@session.identity', 'asks for lastInsertId'],
    ['SELECT ROW_COUNT()', 'asks for rowCount'],
    ['SELECT FOUND_ROWS()', 'asks for foundRows'],
    ['SELECT SQL_CALC_FOUND_ROWS a FROM t LIMIT 1', 'calculates found rows'],
    ['SHOW WARNINGS LIMIT 1', 'asks for diagnostics'],
    ['SHOW COUNT(*) ERRORS', 'asks for diagnostics'],
    ['SHOW/**/ERRORS', 'asks for diagnostics'],
    ['SELECT @@warning_count, @@SESSION.error_count', 'asks for diagnostics'],
    ['GET DIAGNOSTICS @a = NUMBER', 'assigns a', 'uses variables', 'asks for diagnostics'],
    [
      'GET CURRENT DIAGNOSTICS CONDITION 1 @b = MESSAGE_TEXT',
      'assigns b',
      'uses variables',
      'asks for diagnostics',
    ],
  ],
  'MY-67: text PREPARE': [
    ["PREPARE s FROM 'SELECT 1'", 'takes preparedStatement s'],
    [
      "PREPARE S FROM 'CREATE TEMPORARY TABLE t (a int)'",
      'takes preparedStatement s',
      'takes temporaryObject ?',
    ],
    [
      "PREPARE s FROM 'SELECT GET_LOCK(''a'', 1)'",
      'takes preparedStatement s',
      'takes sessionLock ?',
    ],
    ["PREPARE s FROM 'SELECT @x := ?'", 'takes preparedStatement s', 'assigns x'],
    ["PREPARE s FROM 'SET insert_id = 1'", 'pins setting', 'takes preparedStatement s'],
    ['PREPARE s FROM @x', 'pins hiddenState', 'takes preparedStatement s', 'uses variables'],
    ["PREPARE s FROM 'SELECT' ' 1'", 'pins hiddenState', 'takes preparedStatement s'],
    [
      'EXECUTE s USING @a',
      'assigns any',
      'uses variables',
      'asks for lastInsertId',
      'asks for rowCount',
      'asks for foundRows',
      'asks for diagnostics',
      'routines',
    ],
    ['DEALLOCATE PREPARE S', 'drops preparedStatement s'],
    ['DROP PREPARE s', 'drops preparedStatement s'],
  ],
  'MY-30: KILL': [
    ['KILL 5', 'kills connection 5'],
    ['KILL CONNECTION 5', 'kills connection 5'],
    ['kill query 5', 'kills query 5'],
    ['KILL QUERY CONNECTION_ID()', 'kills query own'],
    ['KILL @x', 'uses variables', 'kills connection ?'],
    ['KILL 5 + 1', 'kills connection ?'],
  ],
  'MY-55: what the server has been taught': [
    ['CALL p()', 'routines'],
    ['SELECT f(1)', 'routines'],
    ['SELECT d.f (1) FROM t', 'routines'],
    ['SELECT a FROM t WHERE `f`(a) = 1', 'routines'],
    ['SELECT d.count(1)', 'routines'],
    ['SELECT d . count(1)', 'routines'],
    ['SELECT d./**/count(1)', 'routines'],
    ['SELECT f/* */(1)', 'routines'],
    ['SELECT f -- a\n (1)', 'routines'],
    ['INSERT INTO t (a) VALUES (f(1))', 'routines'],
    ['INSERT INTO t SET a = f(1)', 'routines'],
    ['INSERT INTO t SELECT f(1)', 'routines'],
  ],
  'MY-54: what is executed in a comment': [
    ['/*!50000 SET @x = 1 */', 'assigns x', 'uses variables'],
    ['/*! SET a = 1, */ /*! @x = 2 */', 'sets a', 'assigns x', 'uses variables'],
    ["SELECT 1 /*!99999 , GET_LOCK('a', 1) */"],
    ["SELECT /*! GET_LOCK('a', */ 1)", 'takes sessionLock a'],
    ['/*!40101 SET NAMES utf8 */', 'sets names'],
  ],
  'several statements': [
    ['SELECT 1; SELECT 2'],
    ["SELECT 1; SELECT GET_LOCK('a', 1)", 'takes sessionLock a'],
    ['SELECT \';\'; SELECT "; SET @x = 1"'],
    ['SET @a = 1; SELECT @a', 'assigns a', 'uses variables'],
    ['SET NAMES utf8mb4; SELECT 1', 'sets names'],
    ["SET NAMES gbk; SELECT 'a\\\\'", 'unsure'],
    ['SET sql_mode = \'ANSI_QUOTES\'; SELECT "a"', 'unsure'],
    ['CALL p(); SELECT "a"', 'unsure'],
    ['SET a = 1; SELECT "a"', 'sets a'],
  ],
  'routines are defined, not run': [
    ["CREATE PROCEDURE p() SELECT GET_LOCK('a', 1)"],
    [
      'CREATE DEFINER=`a`@`b` PROCEDURE p() BEGIN SET @x = 1; IF @x THEN SELECT 1; END IF; CASE @x WHEN 1 THEN SELECT 2; END CASE; END',
    ],
    ['CREATE DEFINER = event@localhost FUNCTION f() RETURNS int RETURN CASE 1 WHEN 1 THEN @x END'],
    ['CREATE TRIGGER t BEFORE INSERT ON u FOR EACH ROW BEGIN SET @x = 1; SET @y = 2; END'],
    ['CREATE EVENT e ON SCHEDULE EVERY 1 DAY DO BEGIN SET @x = 1; END'],
    ['CREATE PROCEDURE p() SELECT 1; SET @x = 1', 'assigns x', 'uses variables'],
    ['CREATE PROCEDURE p() BEGIN SET @x = 1; END; SET @y = 1', 'assigns y', 'uses variables'],
    ['CREATE PROCEDURE p() BEGIN SET @x = 1; SET @y = 1', 'unsure'],
    ['CREATE TABLE event (a int) SELECT @x', 'uses variables'],
    ['DROP PROCEDURE p'],
  ],
  'what cannot be told': [
    ['IF 1 THEN SET @x = 1; END IF', 'unsure'],
    ['BEGIN NOT ATOMIC SET @x = 1; END', 'unsure'],
    ['FOR i IN 1..3 DO SET @x = i; END FOR', 'unsure'],
    ['SET @@x = 1.5e, @y = 2', 'unsure'],
    [`SET ${Array.from({ length: 600 }, (_, i) => `@v${i} = 1`).join(', ')}`, 'unsure'],
  ],
};

const onlyMysql: readonly Row[] = [
  ["SELECT GET_LOCK('Ab', 1)", 'takes sessionLock ab'],
  ['RENAME TABLE a TO b'],
  ['LOCK INSTANCE FOR BACKUP', 'takes tableLock instance'],
  ['UNLOCK INSTANCE', 'drops tableLock instance'],
  ['SELECT 1 /*!80000 , @x */', 'uses variables'],
  ['SELECT 1 /*!090700 , @x */', 'uses variables'],
  ['SELECT 1 /*M! , @x */'],
  [
    "CREATE FUNCTION f() RETURNS int LANGUAGE JAVASCRIPT AS $$ ; let x = 'a; $$; SET @y = 1",
    'assigns y',
    'uses variables',
  ],
  ['SELECT sformat(1)', 'routines'],
  ['SELECT $a FROM t'],
];

const onlyMariadb: readonly Row[] = [
  ["SELECT GET_LOCK('Ab', 1)", 'takes sessionLock Ab'],
  [
    'RENAME TABLE a TO b, d.c WAIT 5 TO d',
    'renames temporaryObject a to b',
    'renames temporaryObject d.c to d',
  ],
  ['CREATE OR REPLACE TEMPORARY TABLE t (a int)', 'takes temporaryObject t'],
  ['CREATE TEMPORARY SEQUENCE s', 'takes temporaryObject s'],
  ['DROP SEQUENCE s', 'drops temporaryObject s'],
  ['BACKUP STAGE START', 'takes tableLock stage'],
  ['BACKUP STAGE END', 'drops tableLock stage'],
  ['BACKUP LOCK t', 'takes tableLock backup'],
  ['BACKUP UNLOCK', 'drops tableLock backup'],
  ['KILL HARD QUERY 5', 'kills query 5'],
  ['KILL SOFT CONNECTION 5', 'kills softly connection 5'],
  ['KILL QUERY ID 5', 'kills queryId 5'],
  ["KILL USER 'ann'", 'kills user ?'],
  ['SET STATEMENT max_statement_time = 1 FOR SELECT 1'],
  ['SET STATEMENT a = 1, b = 2 FOR SET @x = 1', 'assigns x', 'uses variables'],
  ["SET STATEMENT a = 1 FOR SELECT GET_LOCK('a', 1)", 'takes sessionLock a'],
  [
    "EXECUTE IMMEDIATE 'CREATE TEMPORARY TABLE t (a int)'",
    'takes temporaryObject t',
    'assigns any',
    'uses variables',
    'asks for lastInsertId',
    'asks for rowCount',
    'asks for foundRows',
    'asks for diagnostics',
    'routines',
  ],
  ['EXECUTE IMMEDIATE @x', 'unsure'],
  ["EXECUTE IMMEDIATE 'EXECUTE IMMEDIATE ''SELECT 1'''", 'unsure'],
  ['SELECT NEXTVAL(s)', 'pins sequence'],
  ['SELECT NEXT\nVALUE FOR s', 'pins sequence'],
  ['SELECT next, value FROM t'],
  ['SELECT 1 /*!80000 , @x */'],
  ['SELECT 1 /*!100100 , @x */', 'uses variables'],
  ['SELECT 1 /*M! , @x */', 'uses variables'],
  ['SELECT 1 /*M!80000 , @x */', 'uses variables'],
  ['SELECT 1 /*M!999999 , @x */'],
  ['/*M!999999\\- enable the sandbox mode */'],
  ['SELECT sformat(1)'],
  ['SELECT $a$ FROM t'],
];

const rows: readonly (readonly [Dialect, Row])[] = [
  ...Object.values(both)
    .flat()
    .flatMap((row): (readonly [Dialect, Row])[] => [
      [mysql, row],
      [mariadb, row],
    ]),
  ...onlyMysql.map((row): readonly [Dialect, Row] => [mysql, row]),
  ...onlyMariadb.map((row): readonly [Dialect, Row] => [mariadb, row]),
];

function expectRow(dialect: Dialect, [sql, ...expected]: Row): void {
  expect([sql, ...told(classify(sql, dialect))]).toEqual([sql, ...expected]);
  expect(told(classify(` ${sql} `, dialect))).toEqual(expected);
  expect(told(classify(`select 1; ${sql}`, dialect))).toEqual(expected);
}

for (const [name, some] of Object.entries(both)) {
  describe(name, () => {
    for (const row of some) {
      test(JSON.stringify(row[0].slice(0, 200)), () => {
        expectRow(mysql, row);
        expectRow(mariadb, row);
      });
    }
  });
}

describe('MySQL only', () => {
  for (const row of onlyMysql) test(JSON.stringify(row[0]), () => expectRow(mysql, row));
});

describe('MariaDB only', () => {
  for (const row of onlyMariadb) test(JSON.stringify(row[0]), () => expectRow(mariadb, row));
});

describe('the table', () => {
  test('is long', () => {
    expect(rows.length).toBeGreaterThan(400);
  });

  test('streams to the same effects, wherever the pieces end, but for a text within the text', () => {
    for (const [dialect, [sql]] of rows) {
      if (/(prepare \w+ from|immediate) /i.test(sql)) continue;
      for (const pieceBytes of [1, 2, 7])
        expect([sql, told(stream(sql, pieceBytes, dialect))]).toEqual([
          sql,
          told(classify(sql, dialect)),
        ]);
    }
  });
});
