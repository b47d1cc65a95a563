import { procedure } from '../../../../src/wire/tds/rpc.ts';
import {
  batch,
  call,
  executeSql,
  prepare,
  prepareAndRun,
  rpc,
  run,
  say,
  unprepare,
} from '../steps.ts';
import type { Call, Step, Value } from '../steps.ts';
import { literal, statementNames } from '../scope.ts';
import type { Maker, Scope, Template } from '../scope.ts';
import { assign, look } from './settings.ts';

type Templates = readonly [Template, ...Template[]];

/** Texts whose meaning hangs on the database and on options; all sessions prepare equal ones. */
const shared: Templates = [
  { sql: 'SELECT kind FROM here', parameter: 'none' },
  { sql: 'SELECT kind, @p0 FROM here', parameter: 'text' },
  { sql: 'SELECT a FROM many WHERE a >= @p0 ORDER BY a', parameter: 'int' },
  { sql: 'SELECT @p0 AS it', parameter: 'int' },
  { sql: 'SELECT @p0 AS it', parameter: 'text' },
  { sql: 'SELECT "kind" FROM here', parameter: 'none' },
  { sql: "SELECT 'a' + NULL, @p0", parameter: 'int' },
  { sql: 'SELECT 1 WHERE @p0 = NULL OR NULL = NULL', parameter: 'int' },
  { sql: "SELECT CAST('01/02/2020' AS datetime), @p0", parameter: 'int' },
  { sql: "SELECT DATEPART(weekday, CAST('20200220' AS datetime))", parameter: 'none' },
  { sql: 'SELECT DB_NAME(), @@TRANCOUNT', parameter: 'none' },
  { sql: 'SELECT @@OPTIONS', parameter: 'none' },
  { sql: 'SET NOCOUNT ON; SET DATEFIRST 4; SELECT @@DATEFIRST, @p0', parameter: 'int' },
  { sql: 'BEGIN TRAN; SELECT @@TRANCOUNT; COMMIT', parameter: 'none' },
  { sql: 'SELECT * FROM no_such_table', parameter: 'none' },
  { sql: 'SELEC', parameter: 'none' },
  { sql: 'SELECT 1 / @p0', parameter: 'int' },
  {
    sql: 'CREATE TABLE #own (a int); INSERT #own VALUES (@p0); SELECT a FROM #own',
    parameter: 'int',
  },
];

function template(scope: Scope): Template {
  const { chance, token } = scope;
  return chance.weighted<Template>([
    [20, chance.pick(shared)],
    [3, { sql: `SELECT ${literal(token)}, @p0`, parameter: 'int' }],
    [2, { sql: scope.fill('SELECT b FROM $n_t WHERE a = @p0'), parameter: 'int' }],
    [2, { sql: scope.fill('UPDATE $n_w SET a = a + @p0'), parameter: 'int' }],
    [2, { sql: scope.fill('INSERT INTO $n_auto (v) VALUES (@p0)'), parameter: 'text' }],
    [2, { sql: look(scope), parameter: 'none' }],
    [2, { sql: assign(scope), parameter: 'none' }],
  ]);
}

function valuesFor({ chance, token }: Scope, { parameter }: Template): readonly Value[] {
  if (parameter === 'none') return [];
  if (parameter === 'int') return [chance.percent(8) ? undefined : chance.between(0, 4)];
  return [chance.percent(50) ? token : chance.pick(['1', '', 'x', 'ü'])];
}

/** A name that is probably there; now and then one that is not. */
function knownName(scope: Scope): string {
  const known = [...scope.statements.keys()];
  if (known.length === 0 || scope.chance.percent(6)) return scope.chance.pick(statementNames);
  return scope.chance.any(known) ?? 's1';
}

/** Under the old name there may be another one: it stays prepared, and nobody knows it any more. */
function prepareNamed(scope: Scope): Call {
  const { chance } = scope;
  const name = chance.pick(statementNames);
  const made = template(scope);
  const isReplaced = scope.statements.has(name) && chance.percent(50);
  scope.statements.set(name, made);
  const values = valuesFor(scope, made);
  if (chance.percent(50)) return prepare(name, made.sql, values);
  return prepareAndRun(name, made.sql, values, isReplaced ? name : undefined);
}

function runNamed(scope: Scope): Call {
  const name = knownName(scope);
  const known = scope.statements.get(name) ?? { sql: '', parameter: 'none' };
  return run(name, valuesFor(scope, known));
}

function closeNamed(scope: Scope): Call {
  const name = knownName(scope);
  if (scope.chance.percent(70)) scope.statements.delete(name);
  return unprepare(name);
}

/** What is prepared keeps some of the options that were set then. */
function keptOptions(scope: Scope): readonly Step[] {
  const { chance } = scope;
  const name = `kept${scope.next()}`;
  const text = chance.pick([
    'SELECT 1 WHERE NULL = NULL',
    'SELECT "kind" FROM here',
    "SELECT 'a' + NULL",
    'SELECT kind FROM here',
  ]);
  const set = (): Step =>
    scope.batch(
      `SET ${chance.pick(['ANSI_NULLS', 'QUOTED_IDENTIFIER', 'CONCAT_NULL_YIELDS_NULL'])} ${chance.pick(['ON', 'OFF'])}`,
    );
  return [
    set(),
    say(chance, rpc(chance.percent(50) ? prepare(name, text) : prepareAndRun(name, text))),
    set(),
    say(chance, rpc(run(name))),
    ...(chance.percent(40)
      ? [scope.batch(chance.pick(['USE other_$side', 'USE home_$side']))]
      : []),
    say(chance, rpc(run(name))),
    say(chance, rpc(unprepare(name))),
  ];
}

/** Several calls in one message. What is closed comes last: equal statements are one on a connection. */
function together(scope: Scope): Step {
  const { chance } = scope;
  const calls = Array.from({ length: chance.between(2, 4) }, () =>
    chance.weighted<() => Call>([
      [4, () => runNamed(scope)],
      [3, () => executeSql(look(scope))],
      [3, () => prepareNamed(scope)],
      [1, () => executeSql(`SELECT ${literal(scope.token)}, @p0`, [chance.below(9)])],
    ])(),
  );
  return say(chance, rpc(...calls, ...(chance.percent(20) ? [closeNamed(scope)] : [])));
}

const SCROLL = { keyset: 1, static: 8 } as const;
const READ_ONLY = 1;
const FETCH = { first: 1, next: 2, previous: 4 } as const;

/** A cursor of the protocol's: it ties. */
function protocolCursor(scope: Scope): readonly Step[] {
  const { chance } = scope;
  const name = `cursor${scope.next()}`;
  const text = scope.fill('SELECT a, $token FROM many ORDER BY a');
  const open = call(
    procedure.cursorOpen,
    `sp_cursoropen ${name}`,
    () => [
      { int: undefined, isOutput: true },
      { text },
      { int: SCROLL.static, isOutput: true },
      { int: READ_ONLY, isOutput: true },
      { int: 0, isOutput: true },
    ],
    [name],
  );
  const fetch = (kind: number, rows: number): Call =>
    call(procedure.cursorFetch, `sp_cursorfetch ${name} ${kind} ${rows}`, ({ handle }) => [
      { int: handle(name) },
      { int: kind },
      { int: 1 },
      { int: rows },
    ]);
  const close = call(procedure.cursorClose, `sp_cursorclose ${name}`, ({ handle }) => [
    { int: handle(name) },
  ]);
  const between = (): readonly Step[] =>
    chance.percent(40) ? scope.run(chance.percent(50) ? look(scope) : assign(scope)) : [];
  return [
    say(chance, rpc(open)),
    say(chance, rpc(fetch(FETCH.first, 2))),
    ...between(),
    say(chance, rpc(fetch(FETCH.next, chance.between(1, 3)))),
    ...between(),
    ...(chance.percent(50) ? [say(chance, rpc(fetch(FETCH.previous, 1)))] : []),
    ...(chance.percent(85) ? [say(chance, rpc(close))] : []),
  ];
}

/** Procedures by their names, and with values that they give back. */
function byName(scope: Scope): Step {
  const { chance, token } = scope;
  const looked = look(scope);
  const made = chance.weighted<() => Call>([
    [3, () => call('p_rows', 'p_rows', () => [])],
    [
      3,
      () =>
        call('p_echo', 'p_echo', () => [
          { name: '@what', text: token },
          { name: '@back', text: 'x', isOutput: true },
        ]),
    ],
    [2, () => call('p_sets', 'p_sets', () => [])],
    [1, () => call('nobody', 'nobody', () => [])],
    [1, () => call('sp_executesql', `sp_executesql by name: ${looked}`, () => [{ text: looked }])],
    [1, () => call('sp_tables', 'sp_tables', () => [{ text: 'here' }])],
  ])();
  return say(chance, rpc(made));
}

export const statementMakers: Readonly<Record<string, Maker>> = {
  'prepare a statement': {
    weight: { statements: 20, everything: 8, settings: 5 },
    make: (scope) => [say(scope.chance, rpc(prepareNamed(scope)))],
  },
  'run a statement': {
    weight: { statements: 40, everything: 14, settings: 8 },
    make: (scope) => [say(scope.chance, rpc(runNamed(scope)))],
  },
  'run some at once': {
    weight: { statements: 10, everything: 4 },
    make: (scope) => [together(scope)],
  },
  'close a statement': {
    weight: { statements: 5, everything: 1 },
    make: (scope) => [say(scope.chance, rpc(closeNamed(scope)))],
  },
  'run with values': {
    weight: { statements: 6, plain: 8, everything: 4 },
    make(scope) {
      const made = template(scope);
      return [say(scope.chance, rpc(executeSql(made.sql, valuesFor(scope, made))))];
    },
  },
  'keep options': { weight: { statements: 6, settings: 3, everything: 2 }, make: keptOptions },
  'cursors of the protocol': {
    weight: { statements: 3, objects: 4, everything: 2 },
    make: protocolCursor,
  },
  'procedures by name': {
    weight: { statements: 5, plain: 6, everything: 3 },
    make: (scope) => [byName(scope)],
  },
  'sp_prepare in a batch': {
    weight: { statements: 1, everything: 0.5 },
    make: ({ chance }) => [
      say(
        chance,
        batch(
          "DECLARE @h int; EXEC sp_prepare @h OUTPUT, N'', N'SELECT 1'; EXEC sp_execute @h; EXEC sp_unprepare @h",
        ),
      ),
    ],
  },
};
