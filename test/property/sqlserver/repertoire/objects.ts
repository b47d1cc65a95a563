import { call, rpc, say } from '../steps.ts';
import type { Step } from '../steps.ts';
import { literal } from '../scope.ts';
import type { Maker, Scope } from '../scope.ts';
import { look } from './settings.ts';

/** Names that all sessions use, each for its own. */
function temporary(scope: Scope): string {
  const { chance, token } = scope;
  const name = chance.pick(['#tmp1', '#tmp2', '#TMP1', '[#tmp 3]']);
  return chance.weighted<string>([
    [4, `CREATE TABLE ${name} (a int, b nvarchar(100))`],
    [2, `SELECT a, ${literal(token)} AS b INTO ${name} FROM many`],
    [3, `INSERT INTO ${name} (b) VALUES (${literal(token)})`],
    [4, `SELECT b FROM ${name}`],
    [4, `DROP TABLE ${name}`],
    [3, `DROP TABLE IF EXISTS ${name}`],
    [2, `IF OBJECT_ID('tempdb..#tmp1') IS NULL CREATE TABLE #tmp1 (a int, b nvarchar(100))`],
    [2, `CREATE TABLE ${name} (a int); SELECT 1/0; DROP TABLE ${name}`],
    [1, `CREATE TABLE ${name} (a int); DROP TABLE ${name}; SELECT * FROM no_such_table`],
    [1, `EXEC('CREATE TABLE ${name} (a int); SELECT * FROM ${name}')`],
    [1, `CREATE TABLE ${name} (a int`],
    [1, 'EXEC p_sets'],
  ]);
}

/** Everybody sees those: they have names of the life's own. */
function globalTemporary(scope: Scope): readonly Step[] {
  const { chance, token } = scope;
  const name = scope.fill('##$n_$side');
  return [
    scope.batch(
      `CREATE TABLE ${name} (b nvarchar(100)); INSERT INTO ${name} VALUES (${literal(token)})`,
    ),
    ...scope.run(`SELECT b FROM ${name}`),
    ...(chance.percent(80) ? [scope.batch(`DROP TABLE ${name}`)] : []),
  ];
}

/** Of the session or of the transaction; the server has them all, so that every life has names of its own. */
function lock(scope: Scope): Step {
  const { chance } = scope;
  const name = scope.fill(`$n_${chance.pick(['1', '2'])}_$side`);
  const owner = chance.pick(['Session', 'Session', 'Transaction']);
  const take = chance.percent(55);
  const mode = chance.pick(['Exclusive', 'Shared']);
  const said = take
    ? `sp_getapplock '${name}', '${mode}', '${owner}', 0`
    : `sp_releaseapplock '${name}', '${owner}'`;
  if (chance.percent(70)) return scope.batch(`DECLARE @r int; EXEC @r = ${said}; SELECT @r`);
  const resource = { name: '@Resource', text: name };
  const by = { name: '@LockOwner', text: owner };
  const called = take
    ? call('sp_getapplock', said, ({ text }) => [
        { ...resource, text: text(name) },
        { name: '@LockMode', text: mode },
        by,
        { name: '@LockTimeout', int: 0 },
      ])
    : call('sp_releaseapplock', said, ({ text }) => [{ ...resource, text: text(name) }, by]);
  return say(chance, rpc(called));
}

function sessionContext(scope: Scope): Step {
  const { chance, token } = scope;
  const key = chance.pick(['key', 'key', 'other key']);
  const value = chance.pick([literal(token), 'NULL', "N'1'", '5']);
  if (chance.percent(25))
    return say(
      chance,
      rpc(
        call('sp_set_session_context', `sp_set_session_context ${key}`, () => [
          { name: '@key', text: key },
          { name: '@value', text: token },
        ]),
      ),
    );
  return scope.batch(
    chance.weighted<string>([
      [5, `EXEC sp_set_session_context N'${key}', ${value}`],
      [4, `SELECT SESSION_CONTEXT(N'${key}')`],
      [1, `EXEC sp_set_session_context @key = N'${key}', @value = ${value}, @read_only = 0`],
      [2, `EXEC sp_set_session_context N'${key}', NULL`],
    ]),
  );
}

function cursor(scope: Scope): string {
  const { chance } = scope;
  const name = chance.pick(['c1', 'c2']);
  return scope.fill(
    chance.weighted<string>([
      [4, `DECLARE ${name} CURSOR GLOBAL FOR SELECT a FROM many ORDER BY a`],
      [
        2,
        `DECLARE ${name} CURSOR FOR SELECT b FROM $n_t ORDER BY a; OPEN ${name}; FETCH NEXT FROM ${name}`,
      ],
      [
        2,
        `DECLARE ${name} CURSOR LOCAL FOR SELECT a FROM many; OPEN ${name}; FETCH NEXT FROM ${name}`,
      ],
      [3, `OPEN ${name}`],
      [5, `FETCH NEXT FROM ${name}`],
      [2, `CLOSE ${name}`],
      [4, `DEALLOCATE ${name}`],
      [2, `SELECT CURSOR_STATUS('global', '${name}')`],
    ]),
  );
}

/** Ways of SET that nothing tells of; they are turned off again, as a rule. */
function untold(scope: Scope): readonly Step[] {
  const { chance } = scope;
  const name = chance.pick(['NOEXEC', 'PARSEONLY', 'STATISTICS IO', 'FMTONLY']);
  return [
    scope.batch(`SET ${name} ON`),
    ...scope.run(look(scope)),
    scope.batch(`SET ${name} OFF`),
    ...scope.run(look(scope)),
  ];
}

function identityInsert(scope: Scope): readonly Step[] {
  const { chance } = scope;
  return [
    scope.batch(scope.fill('SET IDENTITY_INSERT $n_auto ON')),
    ...scope.run(scope.fill(`INSERT INTO $n_auto (id, v) VALUES (${scope.next()}, 'given')`)),
    ...(chance.percent(80) ? [scope.batch(scope.fill('SET IDENTITY_INSERT $n_auto OFF'))] : []),
    ...scope.run(scope.fill(`INSERT INTO $n_auto (v) VALUES ('v${scope.next()}')`)),
  ];
}

/** A temporary table that is rolled back. */
function undone(scope: Scope): readonly Step[] {
  const { chance } = scope;
  return [
    scope.batch('BEGIN TRAN'),
    scope.batch('CREATE TABLE #undone (a int)'),
    ...(chance.percent(50) ? scope.run('SELECT * FROM #undone') : []),
    scope.batch(chance.pick(['ROLLBACK', 'COMMIT'])),
    ...scope.run('SELECT * FROM #undone'),
    scope.batch('DROP TABLE IF EXISTS #undone'),
  ];
}

export const objectMakers: Readonly<Record<string, Maker>> = {
  'temporary tables': {
    weight: { objects: 26, statements: 3, everything: 6 },
    make: (scope) =>
      scope.chance.percent(75) ? [scope.batch(temporary(scope))] : scope.run(temporary(scope)),
  },
  'global temporary tables': { weight: { objects: 3, everything: 1 }, make: globalTemporary },
  'temporary tables undone': { weight: { objects: 3, everything: 1 }, make: undone },
  'application locks': {
    weight: { objects: 16, everything: 4 },
    make: (scope) => [lock(scope)],
  },
  'session context': {
    weight: { objects: 10, settings: 2, everything: 3 },
    make: (scope) => [sessionContext(scope)],
  },
  cursors: {
    weight: { objects: 12, everything: 3 },
    make: (scope) => [scope.batch(cursor(scope))],
  },
  untold: { weight: { objects: 2, settings: 2, everything: 1 }, make: untold },
  'identity insert': { weight: { objects: 2, everything: 1 }, make: identityInsert },
};
