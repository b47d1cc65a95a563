import { frontend, i16, i32, message } from '../../support/messages.ts';
import { literal } from '../scope.ts';
import type { Maker, Scope } from '../scope.ts';
import { bind, execute, flush, parse, query, say, sync } from '../steps.ts';
import type { Step } from '../steps.ts';

const { copyData, copyDone, copyFail } = frontend;

/** Functions of the catalogue, whose numbers never change. */
const INT4_PLUS = 177;
const INT4_DIVIDE = 154;

function plain(scope: Scope): string {
  const { chance, schema, token } = scope;
  const mine = literal(token);
  return chance.weighted([
    [6, `SELECT ${mine}, ${scope.next()}`],
    [3, `SELECT a, b FROM ${schema}.t ORDER BY a`],
    [3, `INSERT INTO ${schema}.t VALUES (${100 + scope.next()}, ${mine}) RETURNING a, b`],
    [2, `UPDATE ${schema}.t SET b = ${mine} WHERE a = 2 RETURNING *`],
    [1, `DELETE FROM ${schema}.t WHERE a > 100`],
    [2, `SELECT ${mine} FROM generate_series(1, ${chance.between(2, 300)})`],
    [1, `SELECT ${mine} WHERE false`],
    [1, `SELECT repeat(${mine}, ${chance.between(10, 5_000)})`],
    [1, `CREATE TABLE ${schema}.made (a int); DROP TABLE ${schema}.made`],
    [1, `CREATE TABLE IF NOT EXISTS ${schema}.t ()`],
    [1, `DO $$ BEGIN RAISE NOTICE ${literal(`notice ${token}`)}; END $$`],
    [1, `DO $$ BEGIN RAISE WARNING 'w' USING HINT = ${mine}; END $$`],
    [1, `SELECT pg_sleep(0.002), ${mine}`],
    [1, `VALUES (1, ${mine}), (2, NULL)`],
    [1, ''],
    [1, '/* nothing */ ;'],
  ]);
}

function copyIn(scope: Scope): readonly Step[] {
  const { chance, schema, token } = scope;
  const row = (): Uint8Array => copyData(`${1_000 + scope.next()}\t${token}\n`);
  const bad = chance.pick([
    copyData('x\ty\n'),
    copyData(`1\t${token}\n`),
    copyData('1'),
    copyFail('no'),
  ]);
  const rows = Array.from({ length: chance.between(0, 5) }, row);
  const data = chance.percent(65) ? [...rows, copyDone()] : [...rows, bad, row(), copyDone()];
  const into = chance.pick([`${schema}.t`, `${schema}.t`, 'no_such_table']);
  const sql = `COPY ${into} FROM STDIN`;
  switch (chance.below(4)) {
    case 0:
      return [say(chance, parse('', sql), bind('', '', []), execute(), ...data, sync())];
    case 1:
      return [say(chance, query(`${sql}; SELECT count(*) FROM ${schema}.t`), ...data)];
    default:
      return [say(chance, query(sql), ...data)];
  }
}

function copyOut(scope: Scope): readonly Step[] {
  const { chance, schema, token } = scope;
  const what = chance.pick([
    `COPY ${schema}.t TO STDOUT`,
    `COPY (SELECT ${literal(token)} FROM generate_series(1, 50)) TO STDOUT CSV`,
    'COPY (SELECT 6 / (3 - g) FROM generate_series(1, 5) g) TO STDOUT',
  ]);
  return scope.run(what);
}

function functionCall({ chance }: Scope): readonly Step[] {
  const call = (oid: number, b: number): Uint8Array =>
    message('F', i32(oid), i16(1), i16(1), i16(2), i32(4), i32(6), i32(4), i32(b), i16(1));
  const one = chance.percent(70) ? call(INT4_PLUS, 7) : call(INT4_DIVIDE, 0);
  return [say(chance, one, ...(chance.percent(50) ? [query('SELECT 1'), call(INT4_PLUS, 1)] : []))];
}

/** More than fits into the buffers between. */
function large({ token, chance }: Scope): readonly Step[] {
  const sql = `SELECT repeat(${literal(token)}, 1000) FROM generate_series(1, ${chance.between(60, 200)})`;
  const send = chance.percent(50)
    ? [query(sql)]
    : [parse('', sql), bind('', '', []), execute(), sync()];
  return [{ kind: 'dawdle', send }];
}

/** Many requests at once, before any answer is read. */
function burst(scope: Scope): readonly Step[] {
  const { chance } = scope;
  const send = Array.from({ length: chance.between(2, 12) }, () =>
    chance.percent(50)
      ? [query(plain(scope))]
      : [
          parse('', plain(scope)),
          bind('', '', []),
          execute(),
          ...(chance.percent(10) ? [flush()] : []),
          sync(),
        ],
  );
  return [say(chance, ...send.flat())];
}

function cancelled({ chance, token }: Scope): readonly Step[] {
  const sql = chance.pick([
    `SELECT pg_sleep(0.0${chance.between(1, 30)}), ${literal(token)}`,
    `SELECT count(*), ${literal(token)} FROM generate_series(1, ${chance.between(1, 200)}000)`,
    `SELECT ${literal(token)}`,
  ]);
  return [{ kind: 'cancel', sql, turns: chance.percent(30) ? 0 : chance.between(1, 60) }];
}

export const dataMakers: Readonly<Record<string, Maker>> = {
  'plain statements': {
    weight: { plain: 30, settings: 4, statements: 4, objects: 4, everything: 8 },
    make: (scope) => scope.run(plain(scope)),
  },
  burst: { weight: { plain: 8, everything: 2 }, make: burst },
  'copy in': { weight: { plain: 5, everything: 3, objects: 2 }, make: copyIn },
  'copy out': { weight: { plain: 4, everything: 2 }, make: copyOut },
  'call a function': { weight: { plain: 2, everything: 1 }, make: functionCall },
  'a large result': { weight: { plain: 1, everything: 0.4 }, make: large },
  cancel: {
    weight: { plain: 6, everything: 3, settings: 2, statements: 2, objects: 2 },
    make: cancelled,
  },
};
