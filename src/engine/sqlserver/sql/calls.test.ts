import { describe, expect, test } from 'bun:test';
import { told } from '../../../../test/support/sqlserver-effects.ts';
import type { Parameter } from './classifier.ts';
import { Classifier } from './classifier.ts';

type Row = readonly [sql: string, ...effects: string[]];

const within: readonly Row[] = [
  ['SET NOCOUNT ON; SELECT 1', 'sets nocount = ON within'],
  ['IF @a = 1 SET NOCOUNT ON', 'sets nocount = ON? within'],
  [
    'SET TRANSACTION ISOLATION LEVEL SERIALIZABLE; SELECT 1',
    'sets isolation level = SERIALIZABLE within',
  ],
  ['SET CONTEXT_INFO 0x01', 'sets context_info = 0x01'],
  ['USE d'],
  ['CREATE TABLE #t (a int)', 'takes temporaryObject #t within'],
  ['CREATE PROC #p AS SELECT 1', 'takes temporaryObject #p?'],
  ["SELECT set_config('a', 'b', false)", 'pins setting'],
  ['SELECT a.set_config FROM t'],
  [
    'SELECT * INTO #t FROM u; DROP TABLE #t',
    'takes temporaryObject #t within',
    'drops temporaryObject #t',
  ],
  ['CREATE TABLE ##t (a int)', 'takes temporaryObject ##t'],
  ['DECLARE c CURSOR FOR SELECT 1', 'takes cursor c'],
  ["EXECUTE AS USER = 'u'"],
  ['REVERT'],
  ['SET IDENTITY_INSERT t ON', 'takes setting identity_insert t'],
  ['SET STATISTICS IO ON', 'takes setting statistics io within'],
  ['SET WHATEVER ON', 'takes setting within'],
  ['DBCC TRACEON (3604)', 'takes setting trace 3604'],
  ['BEGIN TRAN', 'transaction'],
  ['SELECT SCOPE_IDENTITY()'],
  ['SELECT @@IDENTITY', 'asks'],
  ["EXEC sp_getapplock @p0, 'Exclusive', 'Session'", 'takes sessionLock'],
  ["EXEC sp_set_session_context N'a', @p0", 'takes sessionContext a'],
  ['OPEN SYMMETRIC KEY k DECRYPTION BY CERTIFICATE c', 'takes hiddenState key k'],
];

describe('TD-25: a text that sp_executesql runs', () => {
  test.each(within.map((row) => [row[0], row]))('%j', (_, [sql, ...effects]) => {
    expect(told(new Classifier().executeSql(sql)).toSorted()).toEqual(effects.toSorted());
  });
});

describe('a call by the protocol', () => {
  const named = (name: string, value: string | null | undefined): Parameter => ({
    name,
    isNull: value === null,
    text: () => value ?? undefined,
  });
  const classifier = new Classifier();

  test.each([
    ['sp_datatype_info_100', [], []],
    ['sys.sp_describe_first_result_set', [], []],
    ['[dbo].[p]', [], ['inserts', 'transaction']],
    ['sp_reset_connection', [], ['inserts', 'transaction']],
    ['sp_setapprole', [], ['pins hiddenState']],
    [
      'sp_getapplock',
      [named('@Resource', 'a'), named('@LockMode', 'Exclusive'), named('@LockOwner', 'Session')],
      ['takes sessionLock a'],
    ],
    ['sp_getapplock', [named('@Resource', 'a'), named('@LockMode', 'Exclusive')], []],
    [
      'sys.SP_SET_SESSION_CONTEXT',
      [named('', 'a'), named('', undefined)],
      ['takes sessionContext a'],
    ],
    [
      'sp_set_session_context',
      [named('@key', 'a'), named('@value', null)],
      ['drops sessionContext a'],
    ],
    [
      'sp_getapplock',
      [named('', 'a'.repeat(300)), named('', 'x'), named('', 'Session')],
      ['takes sessionLock'],
    ],
  ])('%s', (name, parameters, effects) => {
    expect(told(classifier.procedure(name, parameters))).toEqual(effects);
  });

  test('by a number may do what cannot be seen', () => {
    expect(told(classifier.numbered(12))).toEqual(['inserts', 'transaction']);
    expect(told(classifier.numbered(15))).toEqual([]);
    expect(classifier.numbered(2)?.awsPins).toEqual(['cursor']);
    expect(classifier.numbered(13)?.awsPins).toEqual(['preparedStatement']);
  });

  test('comes one after the other', () => {
    const [one, two] = [
      classifier.batch('SET NOCOUNT ON'),
      classifier.batch('CREATE TABLE ##a (i int)'),
    ];
    expect(told(classifier.together([one, two].flatMap((each) => each ?? [])))).toEqual([
      'sets nocount = ON',
      'takes temporaryObject ##a',
    ]);
  });
});

describe('what pins in Amazon RDS Proxy', () => {
  test.each([
    ['SET ANSI_NULLS ON SET DATEFIRST 1 SET LANGUAGE us_english', []],
    ['SET TRANSACTION ISOLATION LEVEL SNAPSHOT', []],
    ['USE d', []],
    ['SET NOCOUNT ON', ['setting']],
    ['SET ANSI_DEFAULTS ON', ['setting']],
    ['SET STATISTICS IO ON', ['setting']],
    ['SET IDENTITY_INSERT t OFF', ['setting']],
    ['BEGIN TRAN', ['explicitTransaction']],
    ['CREATE TABLE #t (a int)', ['temporaryObject']],
    ['DECLARE c CURSOR LOCAL FOR SELECT 1', ['cursor']],
    ['DECLARE @c CURSOR', ['cursor']],
    ["EXEC sp_prepare @h OUTPUT, N'', N'x'", ['preparedStatement']],
    ['BEGIN DISTRIBUTED TRAN', ['explicitTransaction', 'globalTransaction']],
  ])('%s', (sql, reasons) => {
    const given: readonly string[] = new Classifier().batch(sql)?.awsPins ?? [];
    expect(given).toEqual(reasons);
  });
});
