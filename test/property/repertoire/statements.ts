import type { Chance } from '../../support/chance.ts';
import { literal, quoted, statementNames } from '../scope.ts';
import type { Maker, Scope, Template } from '../scope.ts';
import { bind, close, describe, execute, flush, parse, query, say, sync } from '../steps.ts';
import type { Step } from '../steps.ts';
import { assign, look } from './settings.ts';

const INT4 = 23;
const TEXT = 25;
const EXECUTE = 0x45;
const SYNC = 0x53;

/** Texts that many sessions prepare alike, and texts that are one's own. Some cannot be prepared, some fail when they run. */
function template(scope: Scope): Template {
  const { chance, schema, token } = scope;
  const mine = literal(token);
  const choices: readonly (readonly [number, Template])[] = [
    [4, { sql: 'SELECT $1 AS echo', parameters: 1 }],
    [3, { sql: 'SELECT $1::text AS echo, current_user', parameters: 1 }],
    [3, { sql: 'SELECT kind FROM here WHERE kind <> $1', parameters: 1 }],
    [2, { sql: 'SELECT kind, length(kind) FROM here', parameters: 0 }],
    // Not to be computed as it is planned: how often a statement is depends on the connection.
    [2, { sql: 'SELECT 12 / n AS quotient FROM (SELECT $1::int AS n OFFSET 0) t', parameters: 1 }],
    [2, { sql: `SELECT current_setting('DateStyle'), $1::date`, parameters: 1 }],
    [1, { sql: `SELECT '01/02/2020'::date`, parameters: 0 }],
    [1, { sql: `SELECT '2020-01-02 03:04'::timestamptz`, parameters: 0 }],
    [1, { sql: `SELECT 'ü', 'a\\nb', length('ü')`, parameters: 0 }],
    [3, { sql: `SELECT ${mine} || $1::text`, parameters: 1 }],
    [3, { sql: `SELECT ${mine}`, parameters: 0 }],
    [2, { sql: `SELECT b FROM ${schema}.t WHERE a > $1 ORDER BY a`, parameters: 1 }],
    [2, { sql: `INSERT INTO ${schema}.t VALUES ($1, ${mine}) RETURNING a`, parameters: 1 }],
    [1, { sql: `UPDATE ${schema}.t SET b = b || $1 WHERE a < 3`, parameters: 1 }],
    [1, { sql: `DELETE FROM ${schema}.t WHERE a = $1::int RETURNING b`, parameters: 1 }],
    [1, { sql: `SELECT generate_series(1, $1::int)`, parameters: 1 }],
    [1, { sql: `SELECT x FROM tmp1 WHERE x <> $1`, parameters: 1 }],
    [1, { sql: `SELECT nextval('${schema}.seq'), $1::text`, parameters: 1 }],
    [
      scope.beganWith('application_name') ? 0 : 1,
      { sql: `SELECT set_config('application_name', $1, false)`, parameters: 1 },
    ],
    [1, { sql: look(scope), parameters: 0 }],
    [1, { sql: assign(scope), parameters: 0 }],
    [1, { sql: chance.pick(['BEGIN', 'COMMIT', 'ROLLBACK', 'SAVEPOINT a']), parameters: 0 }],
    [1, { sql: chance.pick(['SELEC', 'SELECT nothing', '', 'SELECT 1; SELECT 2']), parameters: 0 }],
  ];
  return chance.weighted(choices);
}

/** What is not is gone with the encoding in which it was prepared (docs/differences.md, "Afterwards"). */
function inAscii(sql: string): string {
  return sql.replaceAll('ü', 'u').replaceAll('ï', 'i');
}

/**
 * A text to be run in later requests: constants whose meaning depends on settings are not among these, as they are read again
 * where it is made again (docs/differences.md, "Afterwards").
 */
function lasting(scope: Scope): Template {
  const made = template(scope);
  const isFickle = /'[^']*'::(?:date|timestamptz|interval|float4|bytea)|\\|NULL = NULL/.test(
    made.sql,
  );
  return isFickle ? lasting(scope) : { ...made, sql: inAscii(made.sql) };
}

function valuesFor(chance: Chance, { parameters }: Template, token: string): (string | null)[] {
  if (chance.percent(3)) return ['one', 'too many'];
  if (parameters === 0) return [];
  return [chance.pick(['1', '2', '3', '7', '0', '04/05/2021', token, 'x', '', null])];
}

/** A text that is cast may be so as it is planned, or as it is run: that is left out, for how often it is planned may differ. */
function typesFor(chance: Chance, { parameters, sql }: Template): number[] {
  const types = /\$1::(?:int|date)/.test(sql) ? [INT4, 0] : [INT4, TEXT, 0];
  return parameters === 1 && chance.percent(25) ? [chance.any(types) ?? 0] : [];
}

/** A name that is probably there; now and then one that is not. */
function knownName(scope: Scope): string {
  const known = [...scope.statements.keys()];
  if (known.length === 0 || scope.chance.percent(12)) return scope.chance.pick(statementNames);
  return scope.chance.any(known) ?? 's1';
}

function parseNamed(scope: Scope): Uint8Array {
  const { chance } = scope;
  const name = chance.pick(statementNames);
  const made = lasting(scope);
  if (!scope.statements.has(name)) scope.statements.set(name, made);
  return parse(name, made.sql, typesFor(chance, made));
}

function runNamed(scope: Scope): Uint8Array[] {
  const { chance } = scope;
  const name = knownName(scope);
  const known = scope.statements.get(name) ?? { sql: '', parameters: 0 };
  const values = valuesFor(chance, known, scope.token);
  const limit = chance.percent(15) ? 1 : 0;
  return [
    bind('', name, values, chance.percent(10)),
    ...(chance.percent(40) ? [describe('P')] : []),
    execute('', limit),
    ...(limit > 0 && chance.percent(50) ? [execute()] : []),
  ];
}

function closeNamed(scope: Scope): Uint8Array {
  const name = knownName(scope);
  scope.statements.delete(name);
  return close('S', name);
}

function runUnnamed(scope: Scope): Uint8Array[] {
  const { chance } = scope;
  const made = template(scope);
  const values = valuesFor(chance, made, scope.token);
  return [
    parse('', made.sql, typesFor(chance, made)),
    ...(chance.percent(20) ? [describe('S')] : []),
    bind('', '', values),
    ...(chance.percent(50) ? [describe('P')] : []),
    execute(),
  ];
}

/** An Execute and no Sync: `Dues` says why no query may follow. */
function isExecuted(send: readonly Uint8Array[]): boolean {
  const rest = send.slice(send.findLastIndex(([type]) => type === SYNC) + 1);
  return rest.some(([type]) => type === EXECUTE);
}

/** Messages of all kinds in one go, with Syncs, Flushes and queries among them. */
function pipeline(scope: Scope): readonly Step[] {
  const { chance } = scope;
  const send: Uint8Array[] = [];
  for (let left = chance.between(2, 9); left > 0; left -= 1) {
    const makers: readonly (readonly [number, () => readonly Uint8Array[]])[] = [
      [20, () => [parseNamed(scope)]],
      [35, () => runNamed(scope)],
      [15, () => runUnnamed(scope)],
      [8, () => [closeNamed(scope)]],
      [5, () => [describe('S', knownName(scope))]],
      [5, () => [...(isExecuted(send) ? [sync()] : []), query(look(scope))]],
      [3, () => [parse('', assign(scope)), bind('', '', []), execute()]],
      [2, () => [parse('', 'SELECT 1/0'), bind('', '', []), execute()]],
      [12, () => [sync()]],
      [3, () => [flush()]],
      [1, () => [close('P', 'nobody'), close('S', 'nobody')]],
    ];
    send.push(...chance.weighted(makers)());
  }
  return [say(chance, ...send, chance.percent(8) ? flush() : sync())];
}

const SQL_NAMES = statementNames.map(quoted);

/** PREPARE and its kin: the same names as the protocol's. */
function bySql(scope: Scope): string {
  const { chance, token } = scope;
  const name = chance.any(SQL_NAMES) ?? 's1';
  switch (chance.below(12)) {
    case 0:
    case 1:
    case 2: {
      const made = lasting(scope);
      const types = made.parameters === 1 && chance.percent(40) ? ' (text)' : '';
      return `PREPARE ${name}${types} AS ${made.sql}`;
    }
    case 3:
    case 4:
    case 5:
    case 6: {
      const value = chance.pick([literal(token), `'1'`, `'0'`, 'NULL', '7']);
      return `EXECUTE ${name}${chance.percent(60) ? ` (${value})` : ''}`;
    }
    case 7:
      return `EXPLAIN (COSTS OFF) EXECUTE ${name}${chance.percent(60) ? ` ('1')` : ''}`;
    case 8:
      return `CREATE TEMP TABLE tmp${chance.between(1, 3)} AS EXECUTE ${name}`;
    case 9:
      return chance.percent(40) ? 'DEALLOCATE ALL' : `DEALLOCATE PREPARE ${name}`;
    default:
      return `DEALLOCATE ${name}`;
  }
}

/** Prepared without a name in one request, and run in another one (trap PG-90). */
function runLater(scope: Scope): readonly Step[] {
  const { chance } = scope;
  const plain = parse('', `SELECT ${literal(scope.token)}`);
  const rest = chance.percent(60) ? [describe('S')] : [bind('', '', []), execute()];
  const first = say(chance, plain, ...rest, sync());
  const between = chance.percent(30) ? scope.run(look(scope)) : [];
  const later = say(chance, bind('', '', []), execute(), sync());
  return [first, ...between, later];
}

/** Portals live as long as their transaction, and are read bit by bit. */
function portal(scope: Scope): readonly Step[] {
  const { chance } = scope;
  const rows = chance.between(3, 9);
  const open = [
    parse('', `SELECT g, ${literal(scope.token)} FROM generate_series(1, ${rows}) g`),
    bind('p1', '', []),
    execute('p1', 2),
  ];
  const more = (): Step => say(chance, execute('p1', chance.below(3)), sync());
  if (chance.percent(50))
    return [say(chance, ...open, flush()), say(chance, execute('p1', 2), sync()), more()];
  const rest = [more(), ...scope.run(look(scope)), more(), say(chance, close('P', 'p1'), sync())];
  return [
    say(chance, query('BEGIN')),
    say(chance, ...open, sync()),
    ...rest,
    say(chance, query('COMMIT')),
  ];
}

/** What a statement returns changes under it, all on one connection (trap PG-83). */
function changedResult(scope: Scope): readonly Step[] {
  const { chance, schema } = scope;
  const name = `star${scope.next()}`;
  const run = [bind('', name, []), describe('P'), execute()];
  const alter = [
    parse('', `ALTER TABLE ${schema}.w ADD COLUMN more int`),
    bind('', '', []),
    execute(),
  ];
  return [
    say(chance, query('BEGIN'), parse(name, `SELECT * FROM ${schema}.w`), ...run, sync()),
    say(chance, ...alter, sync()),
    say(chance, ...run, sync()),
    say(chance, query('ROLLBACK')),
    say(chance, ...run, close('S', name), sync()),
  ];
}

export const statementMakers: Readonly<Record<string, Maker>> = {
  pipeline: { weight: { statements: 40, everything: 10 }, make: pipeline },
  'run a named statement': {
    weight: { statements: 22, everything: 8, settings: 6 },
    make: (scope) => [say(scope.chance, ...runNamed(scope), sync())],
  },
  'prepare by the protocol': {
    weight: { statements: 12, everything: 5, settings: 4 },
    make(scope) {
      const { chance } = scope;
      const asks = chance.percent(30) ? [describe('S', knownName(scope))] : [];
      return [say(chance, parseNamed(scope), ...asks, sync())];
    },
  },
  'prepare by SQL': {
    weight: { statements: 22, everything: 6 },
    make: (scope) => scope.run(bySql(scope)),
  },
  'close a statement': {
    weight: { statements: 4, everything: 1 },
    make: (scope) => [say(scope.chance, closeNamed(scope), sync())],
  },
  'run a statement without a name': {
    weight: { statements: 8, everything: 6, plain: 25, settings: 2 },
    make: (scope) => [say(scope.chance, ...runUnnamed(scope), sync())],
  },
  'run it in a later request': {
    weight: { statements: 4, everything: 1, plain: 1 },
    make: runLater,
  },
  portals: { weight: { statements: 5, everything: 2, plain: 3 }, make: portal },
  'a changed result': { weight: { statements: 2, everything: 0.5 }, make: changedResult },
};
