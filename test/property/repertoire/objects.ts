import { literal } from '../scope.ts';
import type { Maker, Scope } from '../scope.ts';
import { query, say } from '../steps.ts';
import type { Step } from '../steps.ts';
import { look } from './settings.ts';

const tables: readonly [string, ...string[]] = ['tmp1', 'tmp2', 'tmp3'];

function temporary({ chance, token }: Scope): string {
  const name = chance.pick(tables);
  const mine = literal(token);
  return chance.weighted([
    [4, `CREATE TEMP TABLE ${name} (x text)`],
    [1, `CREATE LOCAL TEMPORARY TABLE ${name} (x text) ON COMMIT DELETE ROWS`],
    [2, `CREATE TEMP TABLE ${name} (x text) ON COMMIT DROP`],
    [1, `CREATE TABLE pg_temp.${name} (x text)`],
    [1, `SELECT ${mine}::text AS x INTO TEMP ${name}`],
    [1, `CREATE TEMP VIEW ${name} AS SELECT ${mine}::text AS x`],
    [1, `CREATE TEMP SEQUENCE ${name}`],
    [5, `INSERT INTO ${name} VALUES (${mine})`],
    [8, `SELECT x FROM ${name}`],
    [
      1,
      `SELECT count(*) FROM pg_class WHERE relname LIKE 'tmp_' AND relnamespace = pg_my_temp_schema()`,
    ],
    [2, `DROP TABLE ${name}`],
    [1, `DROP TABLE IF EXISTS ${name}, tmp9`],
    [1, 'DISCARD TEMP'],
    [1, `CREATE FUNCTION pg_temp.f() RETURNS text LANGUAGE sql AS $$ SELECT ${mine}::text $$`],
  ]);
}

function listening({ chance, channel, token }: Scope): string {
  return chance.weighted([
    [5, `LISTEN ${channel}`],
    [1, `LISTEN ${channel}_2`],
    [5, `NOTIFY ${channel}, ${literal(token)}`],
    [2, `SELECT pg_notify('${channel}', ${literal(token)})`],
    [2, `NOTIFY ${channel}_2`],
    [1, `NOTIFY ${channel}; NOTIFY ${channel}, ${literal(token)}; SELECT 1`],
    [2, `UNLISTEN ${channel}`],
    [1, 'UNLISTEN *'],
    [2, 'SELECT channel FROM pg_listening_channels() AS channel ORDER BY 1'],
  ]);
}

function locking({ chance, lock }: Scope): string {
  const key = chance.pick([String(lock), `${lock}, 2`]);
  const shared = chance.percent(25) ? '_shared' : '';
  return chance.weighted([
    [5, `SELECT pg_advisory_lock${shared}(${key})`],
    [3, `SELECT pg_try_advisory_lock${shared}(${key})`],
    [2, `SELECT pg_advisory_xact_lock${shared}(${key})`],
    [1, `SELECT pg_try_advisory_xact_lock${shared}(${key})`],
    [5, `SELECT pg_advisory_unlock${shared}(${key})`],
    [1, 'SELECT pg_advisory_unlock_all()'],
    [3, `SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND pid = pg_backend_pid()`],
  ]);
}

function cursor({ chance, token }: Scope): string {
  const name = chance.pick(['c1', 'c2']);
  const rows = `SELECT g, ${literal(token)} FROM generate_series(1, 5) g`;
  return chance.weighted([
    [4, `DECLARE ${name} CURSOR WITH HOLD FOR ${rows}`],
    [2, `DECLARE ${name} CURSOR FOR ${rows}`],
    [1, `DECLARE ${name} NO SCROLL CURSOR WITHOUT HOLD FOR ${rows}`],
    [6, `FETCH ${chance.between(1, 3)} FROM ${name}`],
    [1, `MOVE 1 FROM ${name}`],
    [2, `CLOSE ${name}`],
    [1, 'CLOSE ALL'],
    [1, 'SELECT name, is_holdable FROM pg_cursors WHERE name LIKE $$c_$$ ORDER BY name'],
  ]);
}

function sequence({ chance, schema, other }: Scope): string {
  const name = chance.pick([schema, schema, other]);
  return chance.weighted([
    [5, `SELECT nextval('${name}.seq')`],
    [4, `SELECT currval('${name}.seq')`],
    [4, 'SELECT lastval()'],
    [1, `SELECT setval('${name}.seq', ${chance.between(10, 99)}, ${chance.percent(50)})`],
    [1, `ALTER SEQUENCE ${name}.seq RESTART`],
    [1, 'DISCARD SEQUENCES'],
    [1, `SELECT nextval('seq')`],
  ]);
}

/** A library changes what settings there are; only superusers may load this one. */
function library(scope: Scope): readonly Step[] {
  const probe = say(scope.chance, query('SHOW auto_explain.log_min_duration'));
  return scope.chance.percent(50) ? [probe] : [...scope.run(`LOAD 'auto_explain'`), probe];
}

function several(make: (scope: Scope) => string): Maker['make'] {
  return (scope) => {
    const count = scope.chance.below(3) + 1;
    return Array.from({ length: count }, () => scope.run(make(scope))).flat();
  };
}

export const objectMakers: Readonly<Record<string, Maker>> = {
  'temporary objects': { weight: { objects: 18, everything: 5 }, make: several(temporary) },
  'a temporary function': {
    weight: { objects: 2, everything: 0.5 },
    make({ chance }) {
      const call = say(chance, query('SELECT pg_temp.f()'));
      return [{ ...call, exception: 'temporary schema' }];
    },
  },
  channels: { weight: { objects: 10, everything: 3 }, make: several(listening) },
  'a notification': { weight: { objects: 5, everything: 1.5 }, make: () => [{ kind: 'hear' }] },
  locks: { weight: { objects: 10, everything: 3 }, make: several(locking) },
  'the lock of all': {
    weight: { objects: 4, everything: 1, plain: 2 },
    make: ({ chance }) => [{ kind: 'turnstile', requests: chance.below(4) }],
  },
  cursors: { weight: { objects: 10, everything: 3 }, make: several(cursor) },
  sequences: { weight: { objects: 10, everything: 3 }, make: several(sequence) },
  'a library': { weight: { objects: 2, everything: 0.5 }, make: library },
  'a look at the rest': {
    weight: { objects: 3, everything: 1 },
    make: (scope) => scope.run(look(scope)),
  },
};
