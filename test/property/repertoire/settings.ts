import type { Chance } from '../../support/chance.ts';
import { literal } from '../scope.ts';
import type { Maker, Scope } from '../scope.ts';
import { bind, execute, parse, query, say, sync } from '../steps.ts';
import type { Step } from '../steps.ts';

type Values = readonly [string, ...string[]];

/** Values as a client may give them; some are refused. `TOKEN` is the session's own. */
const reported: Readonly<Record<string, Values>> = {
  TimeZone: ['UTC', 'America/New_York', 'Asia/Kathmandu', '<-03>+3', '-7', 'nonsense'],
  DateStyle: ['ISO, MDY', 'ISO', 'German', 'SQL, DMY', 'Postgres, MDY', 'nonsense'],
  IntervalStyle: ['postgres', 'sql_standard', 'iso_8601', 'postgres_verbose'],
  application_name: ['TOKEN', '', `it's "TOKEN" \\ here, and`, 'ünï TOKEN'],
  client_encoding: ['UTF8', 'LATIN1', 'UTF8', 'WIN1252', 'SQL_ASCII', 'SJIS', 'nonsense'],
  standard_conforming_strings: ['on', 'off', 'on'],
  default_transaction_read_only: ['off', 'on', 'off'],
};

const unreported: Readonly<Record<string, Values>> = {
  work_mem: ['64kB', '1MB', '77777', '2GB', 'nonsense'],
  statement_timeout: ['1h', '3600001', '0'],
  lock_timeout: ['2h', '0'],
  idle_in_transaction_session_timeout: ['3h', '0'],
  extra_float_digits: ['-3', '0', '3', '99'],
  lc_monetary: ['C', 'POSIX'],
  lc_time: ['POSIX', 'C'],
  bytea_output: ['escape', 'hex'],
  client_min_messages: ['error', 'notice', 'warning'],
  plan_cache_mode: ['force_generic_plan', 'force_custom_plan', 'auto'],
  default_transaction_isolation: ['repeatable read', 'serializable', 'read committed'],
  transform_null_equals: ['on', 'off'],
  backslash_quote: ['on', 'off', 'safe_encoding'],
  xmloption: ['document', 'content'],
  enable_seqscan: ['off', 'on'],
};

const own: Values = [
  'TOKEN',
  '',
  `it's TOKEN`,
  '"TOKEN"',
  'a, TOKEN',
  'back\\slash TOKEN',
  'ü TOKEN',
];
const ownNames: Values = ['my.x', 'my.y', 'other.x'];

/** As in a list after SET; `SCHEMA` and `OTHER` are the session's own. */
const paths: Values = [
  'SCHEMA',
  'OTHER',
  'SCHEMA, OTHER, public',
  'OTHER, SCHEMA',
  '"$user", public',
  '"we ird", SCHEMA',
  `''`,
  'pg_catalog, SCHEMA',
  'pg_temp, SCHEMA',
  'DEFAULT',
];

interface Assignment {
  readonly name: string;
  /** As a text, for set_config. */
  readonly value: string;
  /** As SQL after SET … TO. */
  readonly sql: string;
}

function assignment(scope: Scope): Assignment {
  const { chance, token, schema, other } = scope;
  const kind = chance.below(10);
  if (kind === 0) {
    const picked = chance.pick(paths).replaceAll('SCHEMA', schema).replaceAll('OTHER', other);
    const sql = picked === 'DEFAULT' && scope.beganWith('search_path') ? schema : picked;
    const value = sql === 'DEFAULT' || sql === `''` ? schema : sql;
    return { name: 'search_path', value, sql };
  }
  if (kind < 3) {
    const name = chance.pick(ownNames);
    const value = chance.pick(own).replaceAll('TOKEN', token);
    return { name, value, sql: literal(value) };
  }
  const from = kind < 7 ? reported : unreported;
  const [name, values] = chance.any(Object.entries(from)) ?? ['TimeZone', ['UTC']];
  const value = chance.pick(values).replaceAll('TOKEN', token);
  const isDefault = chance.percent(10) && !scope.beganWith(name);
  return { name, value, sql: isDefault ? 'DEFAULT' : literal(value) };
}

/** SET in all its forms. */
export function assign(scope: Scope): string {
  const { chance } = scope;
  const { name, sql } = assignment(scope);
  const spelt = chance.percent(10) ? name.toUpperCase() : name;
  switch (chance.below(12)) {
    case 0:
    case 1:
    case 2:
      return `SET LOCAL ${spelt} = ${sql}`;
    case 3:
      return `SET SESSION ${spelt} TO ${sql}`;
    case 4:
      return `/* a */ set/**/${spelt} -- ü\n=${sql};`;
    default:
      return `SET ${spelt} TO ${sql}`;
  }
}

const otherForms: Values = [
  `SET TIME ZONE 'Asia/Tokyo'`,
  `SET TIME ZONE INTERVAL '-05:30' HOUR TO MINUTE`,
  'SET TIME ZONE LOCAL',
  'SET TIME ZONE 5',
  'SET LOCAL TIME ZONE DEFAULT',
  `SET NAMES 'LATIN1'`,
  `SET NAMES 'UTF8'`,
  'SET NAMES DEFAULT',
  'SET DateStyle TO SQL, DMY',
  `SET my.x TO a, 'b c', "D"`,
  'SET my.x = 1.50',
  'SET my.x = on',
  `SET SCHEMA 'SCHEMA'`,
  'SET XML OPTION DOCUMENT',
  'SET SESSION CHARACTERISTICS AS TRANSACTION ISOLATION LEVEL REPEATABLE READ',
  'SET SESSION CHARACTERISTICS AS TRANSACTION READ ONLY',
  'SET SESSION CHARACTERISTICS AS TRANSACTION READ WRITE',
  'SET SESSION CHARACTERISTICS AS TRANSACTION ISOLATION LEVEL READ COMMITTED, NOT DEFERRABLE',
  'SET TRANSACTION ISOLATION LEVEL SERIALIZABLE',
  'SET TRANSACTION READ ONLY',
  'SET CONSTRAINTS ALL IMMEDIATE',
  'SET work_mem FROM CURRENT',
  'SET server_version = 1',
  'SET max_connections = 5',
  'SET log_statement = none',
  'SET nonsense = 1',
  'RESET my.x',
  'RESET TIME ZONE',
  'RESET SESSION AUTHORIZATION',
  'RESET TRANSACTION ISOLATION LEVEL',
];

const roles: Values = [
  'SET ROLE mask',
  'SET ROLE other_mask',
  'SET LOCAL ROLE mask',
  'SET ROLE NONE',
  'RESET ROLE',
  'SET ROLE postgres',
  `SELECT set_config('role', 'mask', false)`,
  `SELECT set_config('role', 'none', true)`,
  'SET SESSION AUTHORIZATION reader',
  'SET SESSION AUTHORIZATION app',
  'SET SESSION AUTHORIZATION DEFAULT',
  'SET LOCAL SESSION AUTHORIZATION app',
];

/** What shows settings at work, rather than tells them. */
const effects: Values = [
  `SELECT '2020-02-03'::date, '2020-02-03 12:00+00'::timestamptz, '1 year 2 days 03:04:05'::interval`,
  `SELECT '04/05/2021'::date + 1, to_char(1234.5, 'L9G999D99')`,
  `SELECT (10::float8 / 3), '1.1'::float4, '\\x00ff41'::bytea`,
  'SELECT current_user, session_user, current_schema, current_schemas(false)',
  `SELECT 'a\\nb', length('a\\\\b'), 'ü', NULL = NULL`,
  'SHOW transaction_isolation',
  'SHOW transaction_read_only',
  'SHOW session_authorization',
  'SHOW is_superuser',
  'SELECT kind FROM here',
  `SELECT kind FROM here WHERE kind <> ''`,
  `SELECT current_setting('role'), current_setting('search_path'), current_setting('DateStyle')`,
  `SELECT coalesce(current_setting('my.x', true), ''), coalesce(current_setting('my.y', true), '')`,
];

/** What sessions sow. */
export const seeds: Values = ['0.25', '-0.5'];

/** But not those of libraries, which are there where one has been used before, by whomever (docs/differences.md). */
const ALL = `SELECT name, setting FROM pg_settings WHERE name NOT LIKE '%.%' ORDER BY name`;

function nameOf(chance: Chance): string {
  const names = [...Object.keys(reported), ...Object.keys(unreported), 'search_path'];
  return chance.any(names) ?? 'TimeZone';
}

export function look(scope: Scope): string {
  const { chance } = scope;
  switch (chance.below(6)) {
    case 0:
    case 1:
      return chance.pick(effects);
    case 2:
      return `SELECT current_setting(${literal(nameOf(chance))})`;
    case 3: {
      const names = [nameOf(chance), nameOf(chance)];
      return `SELECT ${names.map((name) => `current_setting('${name}')`).join(', ')}, ${literal(scope.token)}`;
    }
    default:
      return `SHOW ${nameOf(chance)}`;
  }
}

/** By the function, with what it is told as literals, as parameters, or not called at all. */
function setConfig(scope: Scope): readonly Step[] {
  const { chance } = scope;
  const { name, value } = assignment(scope);
  const local = chance.percent(30);
  const call = (isLocal: string): string =>
    `set_config(${literal(name)}, ${literal(value)}, ${isLocal})`;
  switch (chance.below(9)) {
    case 0:
      return scope.extended('SELECT set_config($1, $2, $3)', [name, value, local ? 't' : 'f']);
    case 1:
      return scope.extended(`SELECT set_config(${literal(name)}, $1, ${local})`, [value]);
    case 2:
      return scope.run(`SELECT ${call('false')} WHERE false`);
    case 3: {
      const more = assignment(scope);
      const second = `pg_catalog.set_config(${literal(more.name)}, ${literal(more.value)}, false)`;
      return scope.run(`SELECT ${call(String(local))}, ${second}`);
    }
    case 4:
      return scope.run(`DO $$ BEGIN PERFORM ${call(String(local))}; END $$`);
    case 5:
      return scope.beganWith(name)
        ? []
        : scope.run(`SELECT * FROM set_config(${literal(name)}, NULL, ${local})`);
    default:
      return scope.run(`SELECT ${call(String(local))}`);
  }
}

/** By a function whose name says nothing: only what the database reports tells that it has happened. */
function hidden(scope: Scope): readonly Step[] {
  const { chance } = scope;
  const name = chance.pick(['TimeZone', 'DateStyle', 'IntervalStyle', 'application_name']);
  const value = chance.pick(reported[name] ?? ['UTC']).replaceAll('TOKEN', scope.token);
  return scope.run(`SELECT public.turn('${name}', ${literal(value)})`);
}

/** Prepared in one request, carried out in later ones. */
function setLater(scope: Scope): readonly Step[] {
  const { chance } = scope;
  const name = `set${scope.next()}`;
  const run = (): Step => say(chance, bind('', name, []), execute(), sync());
  const looks = scope.run(look(scope));
  const sql = assign(scope).replaceAll('ü', 'u').replaceAll('ï', 'i');
  return [say(chance, parse(name, sql), sync()), run(), ...looks, run()];
}

export const settingMakers: Readonly<Record<string, Maker>> = {
  set: {
    weight: { settings: 22, everything: 8, statements: 3 },
    make: (scope) => scope.run(assign(scope)),
  },
  'set in other forms': {
    weight: { settings: 6, everything: 2 },
    make(scope) {
      const sql = scope.chance.pick(otherForms).replaceAll('SCHEMA', scope.schema);
      // What the session began with comes back between two requests, and not in a transaction.
      const isLate = sql === 'SET LOCAL TIME ZONE DEFAULT' && scope.beganWith('TimeZone');
      return isLate ? [] : scope.run(sql);
    },
  },
  'set_config()': { weight: { settings: 10, everything: 4 }, make: setConfig },
  reset: {
    weight: { settings: 6, everything: 2 },
    make(scope) {
      const { chance } = scope;
      const one = chance.percent(30) ? chance.pick(ownNames) : nameOf(chance);
      return scope.run(chance.percent(25) ? 'RESET ALL' : `RESET ${one}`);
    },
  },
  look: {
    weight: { settings: 28, everything: 8, statements: 4, plain: 6, objects: 2 },
    make: (scope) => scope.run(look(scope)),
  },
  'look at all': {
    weight: { settings: 1, everything: 0.3 },
    make: ({ chance }) => [say(chance, query(ALL))],
  },
  'look at a made-up setting': {
    weight: { settings: 2, everything: 1 },
    make({ chance }) {
      const step = say(chance, query(`SHOW ${chance.pick(ownNames)}`));
      return [{ ...step, exception: 'made-up setting', needs: 'no transaction' }];
    },
  },
  roles: {
    weight: { settings: 4, everything: 1 },
    make: (scope) => scope.run(scope.chance.pick(roles)),
  },
  'set by a function': { weight: { settings: 2, everything: 1 }, make: hidden },
  'set by a prepared statement': { weight: { settings: 3, everything: 1 }, make: setLater },
  'discard all': {
    weight: { settings: 2, everything: 1, statements: 1, objects: 2 },
    make(scope) {
      const what = scope.chance.pick(['ALL', 'ALL', 'PLANS', 'SEQUENCES', 'TEMP', 'TEMPORARY']);
      if (what === 'ALL') scope.statements.clear();
      return scope.run(`DISCARD ${what}`);
    },
  },
  'random numbers': {
    weight: { settings: 2, everything: 1 },
    make({ chance }) {
      const seed = chance.pick(seeds);
      const plant = say(chance, query(`SELECT setseed(${seed})`));
      return [{ ...plant, needs: 'no transaction', gives: 'random seed' }, { kind: 'draw' }];
    },
  },
  'random number': {
    weight: { settings: 2, everything: 1, plain: 0.5 },
    make: () => [{ kind: 'draw' }],
  },
};
