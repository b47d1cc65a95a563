import { batch, resetting, say } from '../steps.ts';
import type { Step } from '../steps.ts';
import { LEVEL_AFTER_RESET } from '../scope.ts';
import type { Maker, Scope } from '../scope.ts';

type Values = readonly [string, ...string[]];

/** Those that are ON or OFF. */
const options: Values = [
  'ANSI_NULLS',
  'ANSI_PADDING',
  'ANSI_WARNINGS',
  'ANSI_NULL_DFLT_ON',
  'ANSI_NULL_DFLT_OFF',
  'ARITHABORT',
  'ARITHIGNORE',
  'CONCAT_NULL_YIELDS_NULL',
  'CURSOR_CLOSE_ON_COMMIT',
  'NOCOUNT',
  'NUMERIC_ROUNDABORT',
  'QUOTED_IDENTIFIER',
  'XACT_ABORT',
  'ANSI_DEFAULTS',
  'ANSI_NULLS, QUOTED_IDENTIFIER',
  'NOCOUNT, XACT_ABORT, ARITHABORT',
];

/** Those with values, of which some are refused. */
const settings: readonly (readonly [name: string, values: Values])[] = [
  ['DATEFIRST', ['1', '3', '7', '9', '0x2']],
  ['DATEFORMAT', ['dmy', 'mdy', 'ymd', "'ydm'", 'xyz']],
  [
    'LANGUAGE',
    ['us_english', 'Deutsch', "N'Français'", 'British', '日本語', 'Klingon', "'German'"],
  ],
  ['LOCK_TIMEOUT', ['0', '1000', '-1', '20000']],
  ['TEXTSIZE', ['5', '4096', '2147483647', '-1', '0']],
  ['ROWCOUNT', ['0', '2', '5']],
  ['DEADLOCK_PRIORITY', ['LOW', 'NORMAL', 'HIGH', '3', '-7']],
  ['CONTEXT_INFO', ['0x01020304', '0x', '0xff', '0x544f4b']],
  ['QUERY_GOVERNOR_COST_LIMIT', ['0', '9000']],
  [
    'TRANSACTION ISOLATION LEVEL',
    ['READ UNCOMMITTED', 'READ COMMITTED', 'REPEATABLE READ', 'SERIALIZABLE', 'SNAPSHOT', 'CHAOS'],
  ],
];

/** Where the words do not show what comes of it. */
const wholes: Values = [
  'IF 1 = 1 SET NOCOUNT ON',
  'IF 1 = 2 SET XACT_ABORT ON',
  'IF (SELECT COUNT(*) FROM here) > 0 SET ANSI_NULLS OFF ELSE SET ANSI_NULLS ON',
  'DECLARE @n int = 4; SET DATEFIRST @n',
  'DECLARE @n int; SET @n = 250; SET LOCK_TIMEOUT @n',
  "DECLARE @l nvarchar(30) = N'Deutsch'; SET LANGUAGE @l",
  'DECLARE @n int = 3; SET ROWCOUNT @n; SET ROWCOUNT 0',
  'DECLARE @n int = 77; SET TEXTSIZE @n',
  "DECLARE @f nvarchar(10) = N'dmy'; SET DATEFORMAT @f",
  'DECLARE @c varbinary(128) = 0x0708; SET CONTEXT_INFO @c',
  'SET NOCOUNT ON; SELECT 1/0; SET XACT_ABORT ON',
  'SET NOCOUNT OFF; SELECT * FROM no_such_table; SET ARITHABORT ON',
  'SET XACT_ABORT ON; SELECT 1/0; SET NOCOUNT ON',
  'BEGIN TRY SET NOCOUNT ON; SELECT 1/0; SET ARITHABORT ON; END TRY BEGIN CATCH SET DATEFIRST 2; END CATCH',
  "EXEC('SET NOCOUNT ON; SET DATEFIRST 5')",
  "EXEC('USE other_$side; SELECT DB_NAME()')",
  "EXEC sp_executesql N'SET ANSI_NULLS OFF; SELECT 1 WHERE NULL = NULL'",
  'EXEC p_sets',
  '/* SET NOCOUNT ON */ SET -- why\n ARITHABORT ON',
  'set\tNoCount\non;',
  "SELECT 'SET NOCOUNT ON'",
  'SET NOCOUNT ON SET NOCOUNT OFF SELECT 1',
  'WHILE 1 = 1 BEGIN SET DATEFIRST 6; BREAK END',
  'SET STATISTICS IO ON; SET STATISTICS IO OFF',
  'SET NOEXEC ON; SELECT 1; SET NOEXEC OFF; SELECT 2',
  'SET IMPLICIT_TRANSACTIONS OFF',
  'RETURN; SET NOCOUNT ON',
  'SET NOCOUNT ON; RETURN; SET NOCOUNT OFF',
  'GOTO done; SET XACT_ABORT ON; done: SELECT 5',
  'SET NO_SUCH_OPTION ON',
  'SET',
  'DECLARE @SET int = 1; SELECT @SET',
];

/** Sets something. */
export function assign({ chance }: Scope): string {
  const [name, values] = chance.any(settings) ?? ['DATEFIRST', ['7']];
  return chance.weighted<() => string>([
    [24, () => `SET ${chance.pick(options)} ${chance.pick(['ON', 'OFF'])}`],
    [26, () => `SET ${name} ${chance.any(values) ?? '0'}`],
    [16, () => chance.pick(wholes)],
  ])();
}

const looks: Values = [
  "SELECT 'a' + NULL, 1",
  'SELECT 1 WHERE NULL = NULL',
  'SELECT a, "b" FROM $n_t ORDER BY a',
  'SELECT @@OPTIONS',
  "SELECT @@DATEFIRST, DATEPART(weekday, CAST('20200220' AS datetime))",
  "SELECT CAST('01/02/2020' AS datetime)",
  "SELECT DATENAME(month, CAST('20200220' AS datetime)), @@LANGUAGE",
  'SELECT @@LOCK_TIMEOUT, @@TRANCOUNT, XACT_STATE()',
  'SELECT @@TEXTSIZE',
  'SELECT CONTEXT_INFO()',
  'SELECT DB_NAME(), SUSER_SNAME()',
  'SELECT kind FROM here',
  'SELECT a FROM many',
  'SELECT COUNT(*) FROM many',
  'SELECT transaction_isolation_level, date_format, deadlock_priority, text_size FROM sys.dm_exec_sessions WHERE session_id = @@SPID',
  'SELECT 1/0',
  'SELECT kind FROM $n_here',
  'SELECT TOP 3 a, $token FROM many ORDER BY a',
  'SELECT CAST(REPLICATE($token, 9) AS ntext)',
  "SELECT SESSION_CONTEXT(N'key')",
];

/** Looks at what may have been set, by name or by what it does. */
export function look(scope: Scope): string {
  return scope.fill(scope.chance.pick(looks));
}

/** The current database. */
function use({ chance }: Scope): Step {
  const where = chance.pick([
    'home_$side',
    'other_$side',
    'other_$side',
    '[home_$side]',
    '"other_$side"',
    'nowhere_at_all',
    'master',
    'tempdb',
  ]);
  const sql = chance.weighted<string>([
    [8, `USE ${where}`],
    [1, `USE ${where}; SELECT DB_NAME()`],
    [1, `SELECT kind FROM here; USE ${where}; SELECT kind FROM here`],
    [1, `IF 1 = 1 USE ${where}`],
    [1, `USE ${where}; SELECT 1/0; USE home_$side`],
  ]);
  return say(chance, batch(sql));
}

/** A driver's pool hands out its connection to somebody else. */
function reset(scope: Scope): readonly Step[] {
  const { chance } = scope;
  scope.begin();
  const more = chance.percent(50) ? `; ${look(scope)}` : '';
  return [say(chance, resetting(batch(`${LEVEL_AFTER_RESET}${more}`)))];
}

export const settingMakers: Readonly<Record<string, Maker>> = {
  assign: {
    weight: { settings: 32, statements: 9, objects: 4, plain: 5, everything: 14 },
    make: (scope) =>
      scope.chance.percent(80) ? [scope.batch(assign(scope))] : scope.run(assign(scope)),
  },
  look: {
    weight: { settings: 30, statements: 10, objects: 10, plain: 15, everything: 16 },
    make: (scope) => scope.run(look(scope)),
  },
  'several statements in one text': {
    weight: { settings: 8, plain: 2, everything: 3 },
    make: (scope) => [scope.batch([assign(scope), look(scope), assign(scope)].join('; '))],
  },
  use: {
    weight: { settings: 6, statements: 8, objects: 3, plain: 3, everything: 4 },
    make: (scope) => [use(scope)],
  },
  'reset the connection': {
    weight: { settings: 3, statements: 3, objects: 3, plain: 2, everything: 3 },
    make: reset,
  },
};
