import { describe, expect, test } from 'bun:test';
import {
  classifier,
  classify,
  mariadb,
  mysql,
  told,
} from '../../../../test/support/mysql-effects.ts';
import { utf8 } from '../../../base/bytes.ts';
import { limits } from '../../../base/limits.ts';
import type { PinReason } from '../../../core/pin.ts';
import { dialectOf, serverTraits } from './dialect.ts';

describe('the classifier', () => {
  test('says of several statements that they are', () => {
    expect(classify('SET a = 1')?.hasSeveralStatements).toBe(false);
    expect(classify('SET a = 1; -- nothing')?.hasSeveralStatements).toBe(false);
    expect(classify('; SET a = 1;;')?.hasSeveralStatements).toBe(false);
    expect(classify('SET a = 1; SELECT 1')?.hasSeveralStatements).toBe(true);
    expect(classify('SELECT 1; SET a = 1')?.hasSeveralStatements).toBe(true);
  });

  test('compares names of tables as the server does', () => {
    const folding = dialectOf(serverTraits('8.4.3', true), '', 'utf8mb4');
    const latin1 = dialectOf(serverTraits('8.4.3', false), '', 'latin1');
    const sql = 'CREATE TEMPORARY TABLE D.`Größe` (a int)';
    expect(told(classify(sql))).toEqual(['takes temporaryObject D.Größe']);
    expect(told(classify(sql, folding))).toEqual(['takes temporaryObject ?']);
    expect(told(classify(sql, latin1))).toEqual(['takes temporaryObject ?']);
    expect(told(classify('DROP TABLE D.`T`', folding))).toEqual(['drops temporaryObject d.t']);
  });

  test('MY-52: reads quotes and backslashes as sql_mode says', () => {
    const ansi = dialectOf(serverTraits('9.7.4', false), 'ANSI_QUOTES', 'utf8mb4');
    const plain = dialectOf(serverTraits('9.7.4', false), 'NO_BACKSLASH_ESCAPES', 'utf8mb4');
    const tricky = String.raw`SELECT "a\", 'GET_LOCK(1)', "", GET_LOCK('a', 1), "`;
    expect(told(classify(tricky))).toEqual([]);
    expect(told(classify(tricky, plain))).toEqual(['takes sessionLock a']);
    expect(told(classify(tricky, ansi))).toEqual(['takes sessionLock ?']);
    const quoted = `SELECT "get_lock"('a', 1), "'", @x, "'"`;
    expect(told(classify(quoted))).toEqual(['uses variables']);
    expect(told(classify(quoted, ansi))).toEqual([
      'takes sessionLock ?',
      'uses variables',
      'routines',
    ]);
  });

  test('trusts no text in which a byte of a longer character may look like a quote', () => {
    const gbk = dialectOf(serverTraits('9.7.4', false), '', 'gbk');
    expect(told(classify("SELECT 'a'", gbk))).toEqual([]);
    expect(told(classify("SELECT 'ä'", gbk))).toEqual(['unsure']);
    const koi8r = dialectOf(serverTraits('9.7.4', false), '', 'koi8r');
    expect(told(classify("SELECT 'ä'", koi8r))).toEqual([]);
    expect(told(classify('SELECT ä', koi8r))).toEqual(['unsure']);
    const oracle = dialectOf(serverTraits('11.8.9-MariaDB', false), 'ORACLE,ANSI_QUOTES', 'utf8');
    expect(told(classify('SELECT 1', oracle))).toEqual(['unsure']);
  });

  test('knows a blank of latin1 for one', () => {
    const latin1 = dialectOf(serverTraits('9.7.4', false), '', 'latin1');
    const bytes = Buffer.from('\xa0SET\xa0a=1', 'latin1');
    expect(told(classifier.classify(bytes, 0, bytes.length, latin1))).toEqual(['sets a']);
  });

  test('knows what Amazon RDS Proxy pins for', () => {
    const pinning: Readonly<Record<string, readonly PinReason[]>> = {
      'SET x = 1': ['setting'],
      'SET LOCAL x = 1': ['setting'],
      'SET autocommit = 1, NAMES utf8, time_zone = 1': [],
      'SET autocommit = 1, sql_auto_is_null = 0': ['setting'],
      'SET SESSION TRANSACTION READ ONLY': [],
      'SET TRANSACTION READ ONLY': ['nextTransaction'],
      "SET @@tx_isolation = 'SERIALIZABLE'": ['nextTransaction'],
      'SET session_track_schema = 1': [],
      "SET session_track_system_variables = '*'": ['setting'],
      'SET @x = 1': ['userVariable'],
      'SELECT @x := 1': ['userVariable'],
      'SELECT @x': [],
      'LOCK TABLES t READ': ['tableLock'],
      'FLUSH TABLES WITH READ LOCK': ['tableLock'],
      "SELECT GET_LOCK('a', 1)": ['sessionLock'],
      'CREATE TEMPORARY TABLE t (a int)': ['temporaryObject'],
      'SELECT ROW_COUNT()': ['previousStatement'],
      'SELECT FOUND_ROWS()': ['previousStatement'],
      'SELECT LAST_INSERT_ID()': [],
      "PREPARE s FROM 'SELECT 1'": ['preparedStatement'],
      'EXECUTE s': ['preparedStatement'],
      'DEALLOCATE PREPARE s': ['preparedStatement'],
      'SELECT 1 /*! + 1 */': ['hiddenState'],
      'CALL p()': [],
      'DROP DATABASE d': [],
      'USE d': [],
      'SELECT 1': [],
    };
    for (const [sql, reasons] of Object.entries(pinning))
      expect([sql, classify(sql)?.awsPins ?? []]).toEqual([sql, reasons]);
  });

  test('remembers texts, but neither all of them nor long ones', () => {
    const first = classify('set a = 0');
    expect(classify('set a = 0')).toBe(first);
    const same = dialectOf(serverTraits('9.7.4', false), 'STRICT_ALL_TABLES', 'utf8');
    expect(classify('set a = 0', same)).toBe(first);
    expect(classify('set a = 0', mariadb)).not.toBe(first);
    const long = `set a = '${'x'.repeat(4_096)}'`;
    expect(classify(long)).toEqual(classify(long));
    expect(classify(long)).not.toBe(classify(long));
    for (let value = 1; value <= 2_048; value += 1) classify(`set a = ${value}`);
    expect(classify('set a = 0')).not.toBe(first);
    expect(classify('set a = 0')).toEqual(first);
  });

  test('names no more than it has room for', () => {
    const many = (item: (index: number) => string): string =>
      Array.from({ length: 2_000 }, (_, index) => item(index)).join('; ');
    expect(told(classify(many((index) => `DROP TABLE t${index}`)))).toEqual(['unsure']);
    expect(told(classify(many((index) => `SET v${index} = 1`)))).toEqual(['unsure']);
    expect(told(classify(many((index) => `SET @v${index} = 1`)))).toEqual([
      'assigns any',
      'uses variables',
    ]);
    const locks = Array.from({ length: 300 }, (_, index) => `GET_LOCK('${index}', 1)`).join();
    expect(told(classify(`SELECT ${locks}`))).toEqual(['unsure']);
  });

  test('looks at nothing beyond the text', () => {
    const bytes = utf8('select 1; set x = 1');
    expect(classifier.classify(bytes, 0, 9, mysql)).toBeUndefined();
    expect(told(classifier.classify(bytes, 9, bytes.length, mysql))).toEqual(['sets x']);
    const call = utf8('f(1)');
    expect(classifier.classify(call, 1, call.length, mysql)).toBeUndefined();
  });

  test('needs no more than a moment for hostile texts', () => {
    const hostile = [
      ...['\n', ' ', ';', '/', '/*', '*/', '/*!', '-', '--', '#', '$a', '$$', "'", '"', '`', '\\'],
      ...['@', '@@', '.', '1', '1e', '0x', '(', ')', ',', 'a ', 'a(', 'into ', '`a`.', 'a.'],
      ...['set ', 'get_lock(', 'begin ', 'end ', 'case ', 'create procedure ', '@a:=1,', 'é'],
    ];
    for (const piece of hostile) {
      const text = piece.repeat(limits.inspectedMessageBytes.value / 4 / piece.length);
      const startedMs = performance.now();
      classify(text);
      classify(`set ${text}`, mariadb);
      classify(`select 1 into ${text}(`, mariadb);
      expect(performance.now() - startedMs).toBeLessThan(3_000);
    }
  });
});
