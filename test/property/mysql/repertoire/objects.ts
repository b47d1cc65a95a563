import { query, say } from '../steps.ts';
import type { Step } from '../steps.ts';
import { literal } from '../scope.ts';
import type { Maker, Scope } from '../scope.ts';
import { look } from './settings.ts';

/** Names that all sessions use, each for its own. */
function temporary(scope: Scope): string {
  const { chance, schema, token } = scope;
  const name = chance.pick(['tmp1', 'tmp2', `${schema}.tmp1`, 't']);
  return chance.weighted<string>([
    [4, `CREATE TEMPORARY TABLE ${name} (a INT, b VARCHAR(100))`],
    [2, `CREATE TEMPORARY TABLE IF NOT EXISTS ${name} SELECT ${literal(token)} AS b`],
    [3, `INSERT INTO ${name} (b) VALUES (${literal(token)})`],
    [4, `SELECT b FROM ${name}`],
    [4, `DROP TEMPORARY TABLE IF EXISTS ${name}`],
    [2, `DROP TEMPORARY TABLE ${name}`],
    [1, `ALTER TABLE tmp1 RENAME tmp2`],
    [1, `CREATE TEMPORARY TABLE tmp1 (a INT`],
  ]);
}

/** Locks of names; the server has them, so that every life has names of its own. */
function nameLock(scope: Scope): string {
  const { chance, schema } = scope;
  const name = literal(`${schema}_${chance.pick(['1', '2'])}`);
  return chance.weighted<string>([
    [5, `SELECT GET_LOCK(${name}, 0)`],
    [1, `DO GET_LOCK(${name}, 1)`],
    [5, `SELECT RELEASE_LOCK(${name})`],
    [2, `SELECT IS_FREE_LOCK(${name})`],
    [2, 'SELECT RELEASE_ALL_LOCKS()'],
  ]);
}

function tableLock(scope: Scope): readonly Step[] {
  const { chance, schema } = scope;
  const inside = Array.from({ length: chance.between(1, 3) }, () =>
    scope.run(
      chance.weighted([
        [3, `SELECT COUNT(*) FROM ${schema}.w`],
        [2, `INSERT INTO ${schema}.w VALUES (12)`],
        [2, `SELECT * FROM ${schema}.t`],
        [1, look(scope)],
      ]),
    ),
  );
  const kind = chance.pick(['READ', 'WRITE', 'READ LOCAL']);
  return [
    ...scope.run(`LOCK TABLES ${schema}.w ${kind}`),
    ...inside.flat(),
    ...scope.run(chance.pick(['UNLOCK TABLES', 'UNLOCK TABLES', 'BEGIN', 'COMMIT'])),
    say(chance, query('UNLOCK TABLES')),
  ];
}

function handler(scope: Scope): string {
  const { chance, schema } = scope;
  const name = chance.pick(['h1', 'h2']);
  return chance.weighted<string>([
    [4, `HANDLER ${schema}.t OPEN AS ${name}`],
    [3, `HANDLER ${name} READ \`PRIMARY\` NEXT`],
    [3, `HANDLER ${name} READ FIRST LIMIT 2`],
    [3, `HANDLER ${name} CLOSE`],
  ]);
}

export const objectMakers: Readonly<Record<string, Maker>> = {
  'temporary tables': {
    weight: { objects: 30, statements: 3, everything: 6 },
    make: (scope) => scope.run(temporary(scope)),
  },
  'locks of names': {
    weight: { objects: 20, everything: 4 },
    make: (scope) => scope.run(nameLock(scope)),
  },
  'locks of tables': { weight: { objects: 6, everything: 1.5 }, make: tableLock },
  handlers: { weight: { objects: 8, everything: 2 }, make: (scope) => scope.run(handler(scope)) },
};
