import { literal } from '../scope.ts';
import type { Maker, Scope } from '../scope.ts';
import { bind, execute, parse, query, say, sync } from '../steps.ts';
import type { Step } from '../steps.ts';
import { assign, look } from './settings.ts';

const begins: readonly [string, ...string[]] = [
  'BEGIN',
  'BEGIN',
  'START TRANSACTION',
  'BEGIN ISOLATION LEVEL REPEATABLE READ',
  'BEGIN READ ONLY',
  'BEGIN ISOLATION LEVEL SERIALIZABLE, READ WRITE',
];

const ends: readonly [string, ...string[]] = [
  'COMMIT',
  'COMMIT',
  'COMMIT',
  'END',
  'ROLLBACK',
  'ROLLBACK',
  'ABORT',
  'COMMIT AND CHAIN',
  'ROLLBACK AND CHAIN',
  `PREPARE TRANSACTION 'no'`,
];

const savepoints: readonly [string, ...string[]] = ['a', 'b', '"C d"'];

const failures: readonly [string, ...string[]] = [
  'SELECT 1/0',
  `SELECT 'x'::int`,
  'SELECT * FROM no_such_table',
  'SELEC',
  'INSERT INTO SCHEMA.t VALUES (1, NULL)',
  'DROP TABLE no_such_table',
  `DO $$ BEGIN RAISE EXCEPTION 'refused' USING ERRCODE = 'ZZ001', DETAIL = 'TOKEN'; END $$`,
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
  scope.transaction = sql.endsWith('CHAIN') ? 0 : undefined;
  return scope.run(sql);
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

/** A transaction whose COMMIT fails, by a constraint that is looked at only then (trap PG-68). */
function failsAtCommit(scope: Scope): readonly Step[] {
  const { chance, schema } = scope;
  const orphan = `INSERT INTO ${schema}.d VALUES (${scope.next()}, -1)`;
  if (chance.percent(30)) return scope.extended(orphan);
  if (chance.percent(30))
    return [
      say(chance, query(`BEGIN; ${assign(scope)}; ${orphan}; COMMIT`)),
      ...scope.run(look(scope)),
    ];
  return [
    say(chance, query('BEGIN')),
    ...scope.run(assign(scope)),
    ...scope.run(orphan),
    ...scope.run(assign(scope)),
    ...scope.run(chance.percent(30) ? 'COMMIT AND CHAIN' : 'COMMIT'),
    ...scope.run(look(scope)),
  ];
}

/** One statement of those that go into a batch. */
function piece(scope: Scope): string {
  const { chance } = scope;
  return chance.weighted<() => string>([
    [30, () => assign(scope)],
    [30, () => look(scope)],
    [8, () => failure(scope)],
    [6, () => chance.pick(begins)],
    [10, () => chance.pick(ends)],
    [6, () => savepoint(scope)],
    [8, () => `SELECT ${literal(scope.token)}`],
    [2, () => ''],
  ])();
}

/** Several statements in one query are one transaction, unless they say otherwise (trap PG-21). */
function batch(scope: Scope): readonly Step[] {
  const { chance } = scope;
  const pieces = Array.from({ length: chance.between(2, 5) }, () => piece(scope));
  return [say(chance, query(pieces.join('; ')))];
}

/** The same by the extended protocol: up to the Sync it is one transaction. */
function pipelined(scope: Scope): readonly Step[] {
  const { chance } = scope;
  const send: Uint8Array[] = [];
  for (let left = chance.between(2, 5); left > 0; left -= 1) {
    send.push(parse('', piece(scope)), bind('', '', []), execute());
    if (chance.percent(20)) send.push(sync());
  }
  return [say(chance, ...send, sync())];
}

/** All that a transaction may do to a setting, in a row (traps PG-53, PG-54). */
function layered(scope: Scope): readonly Step[] {
  const { chance } = scope;
  // Those come first whose value the database does not report: what became of them must be known.
  const name = chance.weighted([
    [4, 'work_mem'],
    [3, 'my.x'],
    [1, 'search_path'],
    [1, 'TimeZone'],
    [1, 'application_name'],
  ]);
  const value = (): string =>
    name === 'TimeZone'
      ? chance.pick([`'Asia/Tokyo'`, `'Africa/Cairo'`])
      : chance.pick([`'128kB'`, `'256kB'`]);
  const show = (): readonly Step[] =>
    scope.run(
      name === 'my.x' ? `SELECT coalesce(current_setting('my.x', true), '')` : `SHOW ${name}`,
    );
  const acts: (() => readonly Step[])[] = [
    () => scope.run(`SET ${name} = ${value()}`),
    () => scope.run(`SET LOCAL ${name} = ${value()}`),
    () => scope.run(`RESET ${name}`),
    () => scope.run('SAVEPOINT a'),
    () => scope.run('ROLLBACK TO a'),
    () => scope.run('RELEASE a'),
    show,
  ];
  const inside = Array.from({ length: chance.between(2, 6) }, () => chance.any(acts)?.() ?? []);
  const transaction = [
    ...scope.run('BEGIN'),
    ...inside.flat(),
    ...scope.run(chance.percent(50) ? 'COMMIT' : 'ROLLBACK'),
  ];
  // Another connection may come, which has the values that Sluice believes to be the session's.
  const afterwards = Array.from({ length: chance.between(1, 4) }, show).flat();
  return chance.percent(30)
    ? [...scope.run(`SET ${name} = ${value()}`), ...transaction, ...afterwards]
    : [...transaction, ...afterwards];
}

export const transactionMakers: Readonly<Record<string, Maker>> = {
  begin: {
    weight: { settings: 8, statements: 5, objects: 5, plain: 12, everything: 6 },
    make: begin,
  },
  end: { weight: { settings: 6, statements: 4, objects: 4, plain: 8, everything: 5 }, make: end },
  savepoint: {
    weight: { settings: 6, statements: 2, objects: 3, plain: 4, everything: 4 },
    make: (scope) => scope.run(savepoint(scope)),
  },
  failure: {
    weight: { settings: 4, statements: 3, objects: 3, plain: 5, everything: 4 },
    make: (scope) => scope.run(failure(scope)),
  },
  'a commit that fails': { weight: { settings: 3, plain: 1, everything: 1 }, make: failsAtCommit },
  batch: { weight: { settings: 8, plain: 3, everything: 4 }, make: batch },
  'batch by the protocol': { weight: { settings: 5, everything: 3 }, make: pipelined },
  'layers of a setting': { weight: { settings: 14, everything: 4 }, make: layered },
};
