import { batch, resetting, say, transact } from '../steps.ts';
import type { Step } from '../steps.ts';
import { LEVEL_AFTER_RESET } from '../scope.ts';
import type { Maker, Scope } from '../scope.ts';
import { assign, look } from './settings.ts';

type Texts = readonly [string, ...string[]];

const begins: Texts = [
  'BEGIN TRANSACTION',
  'BEGIN TRAN',
  'BEGIN TRANSACTION named',
  "EXEC('BEGIN TRAN')",
  'EXEC p_begin',
  'IF 1 = 1 BEGIN TRAN',
  'BEGIN TRAN; UPDATE $n_w SET a = a + 1',
  'SELECT 1; BEGIN TRAN; SELECT @@TRANCOUNT',
];

const ends: Texts = [
  'COMMIT',
  'COMMIT TRANSACTION',
  'ROLLBACK',
  'ROLLBACK TRANSACTION',
  'IF @@TRANCOUNT > 0 COMMIT',
  'WHILE @@TRANCOUNT > 0 ROLLBACK',
  'EXEC p_commit',
  "EXEC('ROLLBACK')",
  'COMMIT; BEGIN TRAN; COMMIT',
];

const failures: Texts = [
  'SELECT * FROM no_such_table',
  'SELEC',
  "INSERT INTO $n_t VALUES (1, 'twice', NULL)",
  'DROP TABLE no_such_table',
  'RAISERROR($token, 16, 1)',
  'THROW 50001, $token, 1',
  'SELECT 1/0',
  "SELECT CAST('x' AS int)",
  'EXEC nobody',
  'INSERT INTO $n_t (a) VALUES (NULL)',
  'PRINT $token',
];

export function failure(scope: Scope): string {
  return scope.fill(scope.chance.pick(failures));
}

const levels = ['current', 'readUncommitted', 'repeatableRead', 'serializable'] as const;

function begin(scope: Scope): readonly Step[] {
  const { chance } = scope;
  scope.transaction = 0;
  if (chance.percent(40))
    return [
      say(
        chance,
        transact('begin', { isolation: chance.pick(levels), name: chance.pick(['', 'named']) }),
      ),
    ];
  return scope.run(scope.fill(chance.pick(begins)));
}

/** For certain, in the end. */
function end(scope: Scope): readonly Step[] {
  const { chance } = scope;
  scope.transaction = undefined;
  const certainly = scope.batch('WHILE @@TRANCOUNT > 0 COMMIT');
  if (chance.percent(40)) {
    const what = chance.pick(['commit', 'rollback'] as const);
    const next = chance.percent(15) ? chance.pick(levels) : undefined;
    const said = say(chance, transact(what, next === undefined ? {} : { next }));
    return next === undefined && chance.percent(60) ? [said] : [said, certainly];
  }
  return [...scope.run(chance.pick(ends)), ...(chance.percent(50) ? [certainly] : [])];
}

function savepoint({ chance }: Scope): Step {
  const name = chance.pick(['a', 'b']);
  if (chance.percent(30)) return say(chance, transact('save', { name }));
  if (chance.percent(30)) return say(chance, transact('rollback', { name }));
  return say(chance, batch(`${chance.pick(['SAVE', 'ROLLBACK'])} TRANSACTION ${name}`));
}

/** What is set in a transaction stays, whatever becomes of it. */
function setInside(scope: Scope): readonly Step[] {
  const { chance } = scope;
  return [
    say(chance, chance.percent(50) ? transact('begin') : batch('BEGIN TRAN')),
    scope.batch(assign(scope)),
    ...(chance.percent(30) ? scope.run(failure(scope)) : []),
    scope.batch(assign(scope)),
    ...scope.run(look(scope)),
    say(chance, chance.percent(50) ? transact('rollback') : batch('IF @@TRANCOUNT > 0 ROLLBACK')),
    ...scope.run(look(scope)),
  ];
}

/** A transaction begins by itself, with what reads or writes a table (trap TD-20). */
function implicit(scope: Scope): readonly Step[] {
  const { chance } = scope;
  const acts = Array.from({ length: chance.between(1, 5) }, () =>
    chance.weighted<() => readonly Step[]>([
      [3, () => scope.run(scope.fill('INSERT INTO $n_w VALUES (11)'))],
      [3, () => scope.run(scope.fill('SELECT COUNT(*) FROM $n_w'))],
      [3, () => scope.run('SELECT @@TRANCOUNT')],
      [2, () => [scope.batch('COMMIT')]],
      [1, () => [scope.batch('ROLLBACK')]],
      [1, () => [say(chance, transact(chance.pick(['commit', 'rollback'] as const)))]],
      [2, () => [scope.batch(assign(scope))]],
      [1, () => scope.run(look(scope))],
      [1, () => scope.run(failure(scope))],
    ])(),
  );
  return [
    scope.batch('SET IMPLICIT_TRANSACTIONS ON'),
    ...acts.flat(),
    ...(chance.percent(80) ? [scope.batch('IF @@TRANCOUNT > 0 COMMIT')] : []),
    scope.batch('SET IMPLICIT_TRANSACTIONS OFF'),
    scope.batch('WHILE @@TRANCOUNT > 0 COMMIT'),
  ];
}

/** One that can only be rolled back. */
function doomed(scope: Scope): readonly Step[] {
  const { chance } = scope;
  return [
    scope.batch('SET XACT_ABORT ON'),
    say(chance, chance.percent(50) ? transact('begin') : batch('BEGIN TRAN')),
    ...scope.run(
      chance.pick([
        'BEGIN TRY SELECT 1/0 END TRY BEGIN CATCH SELECT XACT_STATE() END CATCH',
        'SELECT 1/0',
        'SELECT 1; RAISERROR(50001, 16, 1)',
      ]),
    ),
    ...scope.run('SELECT @@TRANCOUNT, XACT_STATE()'),
    say(chance, chance.percent(30) ? transact('commit') : batch('IF @@TRANCOUNT > 0 ROLLBACK')),
    scope.batch('SET XACT_ABORT OFF'),
    scope.batch('WHILE @@TRANCOUNT > 0 ROLLBACK'),
  ];
}

/** A reset with the transaction open, which ends it or leaves it alone. */
function resetInside(scope: Scope): readonly Step[] {
  const { chance } = scope;
  scope.statements.clear();
  const keeps = chance.percent(40);
  return [
    say(chance, chance.percent(50) ? transact('begin') : batch('BEGIN TRAN')),
    ...scope.run(scope.fill('INSERT INTO $n_w VALUES (12)')),
    say(chance, resetting(batch(`${LEVEL_AFTER_RESET}; SELECT @@TRANCOUNT`), keeps)),
    ...scope.run(scope.fill('SELECT COUNT(*), @@TRANCOUNT FROM $n_w')),
    scope.batch('WHILE @@TRANCOUNT > 0 COMMIT'),
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
    make: (scope) => [savepoint(scope)],
  },
  failure: {
    weight: { settings: 4, statements: 3, objects: 3, plain: 5, everything: 4 },
    make: (scope) => scope.run(failure(scope)),
  },
  implicit: { weight: { settings: 4, statements: 2, plain: 5, everything: 2 }, make: implicit },
  doomed: { weight: { settings: 1, plain: 3, everything: 1 }, make: doomed },
  'set inside': { weight: { settings: 8, everything: 3 }, make: setInside },
  'reset inside': { weight: { statements: 1, plain: 2, everything: 1 }, make: resetInside },
};
