import { query, say } from '../steps.ts';
import type { Step } from '../steps.ts';
import type { Maker, Scope } from '../scope.ts';
import { assign, look } from './settings.ts';

const begins: readonly [string, ...string[]] = [
  'BEGIN',
  'BEGIN',
  'START TRANSACTION',
  // Not READ ONLY: where `SET autocommit = 1` ends such a one, the next is read-only, too (docs/differences.md).
  'START TRANSACTION READ WRITE',
  'START TRANSACTION WITH CONSISTENT SNAPSHOT',
  'SET autocommit = 0',
];

const ends: readonly [string, ...string[]] = [
  'COMMIT',
  'COMMIT',
  'COMMIT',
  'ROLLBACK',
  'ROLLBACK',
  'COMMIT AND CHAIN',
  'ROLLBACK AND CHAIN',
  'COMMIT AND NO CHAIN NO RELEASE',
  'SET autocommit = 1',
  'SET autocommit = ON',
];

const savepoints: readonly [string, ...string[]] = ['a', 'b', '`C d`'];

const failures: readonly [string, ...string[]] = [
  'SELECT * FROM no_such_table',
  'SELEC',
  `INSERT INTO SCHEMA.t VALUES (1, 'twice', NULL)`,
  'DROP TABLE no_such_table',
  `SIGNAL SQLSTATE '45000' SET MESSAGE_TEXT = 'TOKEN'`,
  'SELECT 1 + (SELECT 1 UNION ALL SELECT 2)',
  'CALL SCHEMA.nobody()',
  'SELECT @@no_such_variable',
];

export function failure({ chance, schema, token }: Scope): string {
  return chance.pick(failures).replaceAll('SCHEMA', schema).replaceAll('TOKEN', token);
}

function begin(scope: Scope): readonly Step[] {
  scope.transaction = 0;
  return scope.run(scope.chance.pick(begins));
}

function end(scope: Scope): readonly Step[] {
  const sql = scope.chance.pick(ends);
  scope.transaction = sql.endsWith('AND CHAIN') ? 0 : undefined;
  if (sql.startsWith('SET') || scope.chance.percent(70)) return scope.run(sql);
  return [...scope.run(sql), ...scope.run('SET autocommit = 1')];
}

function savepoint({ chance }: Scope): string {
  const name = chance.pick(savepoints);
  return chance.pick([
    `SAVEPOINT ${name}`,
    `SAVEPOINT ${name}`,
    `ROLLBACK TO SAVEPOINT ${name}`,
    `ROLLBACK TO ${name}`,
    `RELEASE SAVEPOINT ${name}`,
  ]);
}

/** One statement of those that go into a batch. */
function piece(scope: Scope): string {
  const { chance } = scope;
  return chance.weighted<() => string>([
    [25, () => assign(scope)],
    [30, () => look(scope)],
    [6, () => failure(scope)],
    [6, () => scope.chance.pick(begins)],
    [10, () => chance.pick(ends)],
    [6, () => savepoint(scope)],
    [8, () => `SELECT '${scope.token}'`],
  ])();
}

function batch(scope: Scope): readonly Step[] {
  const pieces = Array.from({ length: scope.chance.between(2, 5) }, () => piece(scope));
  return [say(scope.chance, query(pieces.join('; ')))];
}

/** For the next transaction only. */
function oneShot(scope: Scope): readonly Step[] {
  const { chance, schema } = scope;
  const what = chance.pick(['READ ONLY', 'READ WRITE', 'ISOLATION LEVEL SERIALIZABLE']);
  const write = (): readonly Step[] => scope.run(`UPDATE ${schema}.w SET a = a + 1`);
  const between = chance.percent(40) ? scope.run(look(scope)) : [];
  return [
    ...scope.run(`SET TRANSACTION ${what}`),
    ...between,
    ...write(),
    ...scope.run('BEGIN'),
    ...write(),
    ...scope.run('COMMIT'),
    ...write(),
  ];
}

/** Statements that end a transaction by themselves. */
function implicitCommit(scope: Scope): readonly Step[] {
  const { schema } = scope;
  const table = `${schema}.made${scope.next()}`;
  return [
    ...scope.run('BEGIN'),
    ...scope.run(`INSERT INTO ${schema}.w VALUES (9)`),
    ...scope.run(`CREATE TABLE ${table} (a INT)`),
    ...scope.run('ROLLBACK'),
    ...scope.run(`SELECT COUNT(*) FROM ${schema}.w`),
  ];
}

function xa(scope: Scope): readonly Step[] {
  const { chance, schema } = scope;
  const id = `'${schema}_${scope.next()}'`;
  const finish = chance.percent(50)
    ? [`XA COMMIT ${id} ONE PHASE`]
    : [`XA PREPARE ${id}`, `XA ${chance.pick(['COMMIT', 'ROLLBACK'])} ${id}`];
  const texts = [
    `XA START ${id}`,
    `INSERT INTO ${schema}.w VALUES (10)`,
    ...(chance.percent(50) ? [look(scope)] : []),
    `XA END ${id}`,
    ...finish,
  ];
  return texts.flatMap((sql): readonly Step[] => [
    { ...say(chance, query(sql)), needs: 'no transaction' },
  ]);
}

/** With autocommit off nothing tells at once that a transaction is open (trap MY-41). */
function withoutAutocommit(scope: Scope): readonly Step[] {
  const { chance, schema } = scope;
  const acts = Array.from({ length: chance.between(1, 4) }, () =>
    scope.run(
      chance.weighted([
        [3, `INSERT INTO ${schema}.w VALUES (11)`],
        [3, `SELECT COUNT(*) FROM ${schema}.w`],
        [2, 'COMMIT'],
        [1, 'ROLLBACK'],
        [2, assign(scope)],
        [1, look(scope)],
      ]),
    ),
  );
  return [...scope.run('SET autocommit = 0'), ...acts.flat(), ...scope.run('SET autocommit = 1')];
}

/** What is set in a transaction stays, whatever becomes of it. */
function setInside(scope: Scope): readonly Step[] {
  const { chance } = scope;
  return [
    ...scope.run('BEGIN'),
    ...scope.run(assign(scope)),
    ...(chance.percent(30) ? scope.run(failure(scope)) : []),
    ...scope.run(assign(scope)),
    ...scope.run(chance.pick(['COMMIT', 'ROLLBACK'])),
    ...scope.run(look(scope)),
  ];
}

export const transactionMakers: Readonly<Record<string, Maker>> = {
  begin: {
    weight: { settings: 5, statements: 4, objects: 4, plain: 10, everything: 5 },
    make: begin,
  },
  end: { weight: { settings: 6, statements: 4, objects: 4, plain: 8, everything: 5 }, make: end },
  savepoint: {
    weight: { settings: 3, statements: 1, objects: 2, plain: 4, everything: 2 },
    make: (scope) => scope.run(savepoint(scope)),
  },
  failure: {
    weight: { settings: 4, statements: 3, objects: 3, plain: 5, everything: 4 },
    make: (scope) => scope.run(failure(scope)),
  },
  batch: { weight: { settings: 8, plain: 3, everything: 4 }, make: batch },
  'for the next transaction': { weight: { settings: 3, plain: 2, everything: 2 }, make: oneShot },
  'an implicit commit': { weight: { plain: 2, everything: 1 }, make: implicitCommit },
  xa: { weight: { plain: 2, everything: 1 }, make: xa },
  'without autocommit': {
    weight: { settings: 3, plain: 4, everything: 2 },
    make: withoutAutocommit,
  },
  'set inside': { weight: { settings: 8, everything: 3 }, make: setInside },
};
