import { query, say } from '../steps.ts';
import type { Step } from '../steps.ts';
import { literal } from '../scope.ts';
import type { Maker, Scope } from '../scope.ts';
import { look } from './settings.ts';
import { failure } from './transactions.ts';

/** Numbers are not given with rows: that is not told apart until somebody has asked (docs/differences.md). */
function change(scope: Scope): string {
  const { chance, schema, token } = scope;
  return chance.weighted<() => string>([
    [4, () => `INSERT INTO ${schema}.auto (v) VALUES ('v${scope.next()}')`],
    [2, () => `INSERT INTO ${schema}.auto (v) VALUES ('v${scope.next()}'), ('v${scope.next()}')`],
    [1, () => `INSERT IGNORE INTO ${schema}.auto (v) VALUES ('same')`],
    [1, () => `REPLACE INTO ${schema}.auto (v) VALUES ('same')`],
    [
      1,
      () =>
        `INSERT INTO ${schema}.auto (v) VALUES ('same') ON DUPLICATE KEY UPDATE id = LAST_INSERT_ID(id)`,
    ],
    [2, () => `UPDATE ${schema}.t SET b = ${literal(token)} WHERE a = ${chance.between(1, 4)}`],
    [1, () => `UPDATE ${schema}.w SET a = LAST_INSERT_ID(a + 1)`],
    [2, () => `DELETE FROM ${schema}.w WHERE a > 8`],
    [1, () => `INSERT INTO ${schema}.t VALUES (${scope.next()}, NULL, 'no date')`],
    [1, () => `SELECT SQL_CALC_FOUND_ROWS a FROM ${schema}.many LIMIT 2`],
  ])();
}

const remnants: readonly [string, ...string[]] = [
  'SELECT ROW_COUNT()',
  'SELECT FOUND_ROWS()',
  'SHOW WARNINGS',
  'SHOW ERRORS',
  'SHOW COUNT(*) WARNINGS',
  'SELECT @@warning_count, @@error_count',
  'GET DIAGNOSTICS @diagnosed = NUMBER',
];

/** Asks for what the statement before has left behind. */
function askForRemnant(scope: Scope): readonly Step[] {
  const { chance } = scope;
  const first = chance.weighted<string>([
    [3, change(scope)],
    [2, failure(scope)],
    [1, "SELECT CAST('12x' AS SIGNED)"],
    [1, look(scope)],
  ]);
  return [
    say(chance, query(first)),
    { ...say(chance, query(chance.pick(remnants))), exception: 'remnant' },
  ];
}

const asks: readonly [string, ...string[]] = [
  'SELECT LAST_INSERT_ID()',
  'SELECT @@last_insert_id, @@identity',
  'SELECT LAST_INSERT_ID() + 1',
  'INSERT INTO SCHEMA.w VALUES (LAST_INSERT_ID())',
];

function askForNumber({ chance, schema }: Scope): string {
  return chance.percent(15)
    ? `SELECT LAST_INSERT_ID(${chance.between(3, 900)})`
    : chance.pick(asks).replaceAll('SCHEMA', schema);
}

/** Answers of many rows, or long ones. */
function large({ chance, schema, token }: Scope): string {
  return chance.pick([
    `SELECT x.a, ${literal(token)} FROM ${schema}.many x, ${schema}.many y, ${schema}.many z`,
    `SELECT REPEAT(${literal(token)}, 3000)`,
    `SELECT x.a, REPEAT('y', 900) FROM ${schema}.many x, ${schema}.many y`,
  ]);
}

const results: readonly [string, ...string[]] = [
  `SELECT 1; SELECT 'TOKEN'; SELECT 3`,
  'SELECT 1; SELEC; SELECT 3',
  'CALL SCHEMA.rows_and_more()',
  `SELECT 'TOKEN'; CALL SCHEMA.rows_and_more(); SET @x = 3`,
  'INSERT INTO SCHEMA.w VALUES (1); SELECT COUNT(*) FROM SCHEMA.w; DELETE FROM SCHEMA.w WHERE a = 1',
];

function several({ chance, schema, token }: Scope): string {
  return chance.pick(results).replaceAll('SCHEMA', schema).replaceAll('TOKEN', token);
}

function loadFile({ chance, schema }: Scope): string {
  return chance.pick([
    `LOAD DATA LOCAL INFILE 'file' INTO TABLE ${schema}.w (a, @x)`,
    `LOAD DATA LOCAL INFILE 'missing' INTO TABLE ${schema}.w (a, @x)`,
    `LOAD DATA LOCAL INFILE 'file' INTO TABLE ${schema}.no_such_table`,
  ]);
}

export const dataMakers: Readonly<Record<string, Maker>> = {
  change: {
    weight: { plain: 20, statements: 4, settings: 4, objects: 6, everything: 8 },
    make: (scope) => scope.run(change(scope)),
  },
  'last numbers': {
    weight: { plain: 12, settings: 2, everything: 5 },
    make: (scope) => scope.run(askForNumber(scope)),
  },
  remnants: { weight: { plain: 8, settings: 2, everything: 4 }, make: askForRemnant },
  large: { weight: { plain: 4, everything: 2 }, make: (scope) => scope.run(large(scope)) },
  'several results': {
    weight: { plain: 6, everything: 3 },
    make: (scope) => [say(scope.chance, query(several(scope)))],
  },
  'a file': {
    weight: { plain: 2, everything: 1 },
    make: (scope) => [say(scope.chance, query(loadFile(scope)))],
  },
  cancel: {
    weight: { plain: 2, settings: 1, statements: 1, everything: 1 },
    make: ({ chance }) => [{ kind: 'cancel', turns: chance.below(60) }],
  },
  turnstile: {
    weight: { objects: 2, plain: 3, everything: 2 },
    make: ({ chance }) => [{ kind: 'turnstile', requests: chance.between(1, 4) }],
  },
};
