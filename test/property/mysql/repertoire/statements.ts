import {
  close,
  execute,
  fetch,
  longData,
  prepare,
  reset,
} from '../../../e2e/differential/mysql/steps.ts';
import type { Parameter } from '../../../e2e/differential/mysql/steps.ts';
import { careful, query, say } from '../steps.ts';
import type { Command, Step } from '../steps.ts';
import { literal, statementNames } from '../scope.ts';
import type { Maker, Scope, Template } from '../scope.ts';
import { assign, look } from './settings.ts';

const LONGLONG = 8;
const VAR_STRING = 253;
const BLOB = 252;

type Templates = readonly [Template, ...Template[]];

/** Texts whose meaning hangs on the schema, on modes, or on character sets; all sessions prepare equal ones. */
const shared: Templates = [
  { sql: 'SELECT kind FROM here', parameters: 0 },
  { sql: 'SELECT kind, ? FROM here', parameters: 1 },
  { sql: 'SELECT a, b FROM t WHERE a >= ? ORDER BY a', parameters: 1 },
  { sql: 'SELECT ? AS it', parameters: 1 },
  { sql: 'SELECT "kind" FROM here', parameters: 0 },
  { sql: `SELECT 'a' || 'b', '\\\\', 'ü'`, parameters: 0 },
  { sql: `SELECT LENGTH('a\\nb'), CHARSET('x'), ?`, parameters: 1 },
  { sql: 'SELECT @x, @kept', parameters: 0 },
  { sql: 'SELECT @x := ?', parameters: 1 },
  { sql: 'SELECT @@sql_mode, @@group_concat_max_len', parameters: 0 },
  { sql: 'INSERT INTO auto (v) VALUES (?)', parameters: 1 },
  { sql: 'UPDATE w SET a = a + ?', parameters: 1 },
  { sql: 'SET @kept = ?', parameters: 1 },
  { sql: 'SELECT * FROM no_such_table', parameters: 0 },
  { sql: 'SELEC', parameters: 0 },
  { sql: 'SELECT COUNT(*) FROM many m, many n WHERE m.a > ?', parameters: 1 },
];

/**
 * What is prepared before there is a schema is prepared again in the one that the session is in by then: DATABASE() tells. In MySQL a user
 * variable keeps the type that it had when the statement was prepared (docs/differences.md).
 */
function preparable(sql: string, isMariadb: boolean): string {
  const asks = sql.replace('DATABASE(), ', '');
  return isMariadb || !/^SELECT (?:@x, |IF\(@x)/.test(asks) ? asks : 'SELECT 1';
}

function common({ chance, isMariadb }: Scope): Template {
  const { sql, parameters } = chance.pick(shared);
  return { sql: preparable(sql, isMariadb), parameters };
}

function template(scope: Scope): Template {
  const { chance, schema, token, isMariadb } = scope;
  return chance.weighted<Template>([
    [20, common(scope)],
    [3, { sql: `SELECT ${literal(token)}, ?`, parameters: 1 }],
    [2, { sql: `SELECT b FROM ${schema}.t WHERE a = ?`, parameters: 1 }],
    [2, { sql: preparable(look(scope), isMariadb), parameters: 0 }],
    [2, { sql: assign(scope), parameters: 0 }],
  ]);
}

function number(value: number): Parameter {
  const bytes = Buffer.alloc(8);
  bytes.writeBigInt64LE(BigInt(value));
  return { type: LONGLONG, value: bytes };
}

function text(value: string): Parameter {
  const bytes = Buffer.from(value);
  return { type: VAR_STRING, value: Buffer.concat([Uint8Array.of(bytes.length), bytes]) };
}

/**
 * MySQL prepares a statement again, with a warning, where a parameter's type changes; and what a NULL is taken for hangs on what it
 * was before on the connection (docs/differences.md). So there are none, and with MySQL there each text is always run
 * with the type that MySQL itself takes the parameter for.
 */
function valuesFor(scope: Scope, { sql, parameters }: Template): readonly Parameter[] {
  const { chance, token, isMariadb } = scope;
  if (parameters === 0) return [];
  const given = number(chance.between(0, 4));
  const words = text(chance.percent(50) ? token : chance.pick(['1', '2', '', 'x']));
  if (!isMariadb) return [/(?:>=?|\+|a =) \?/.test(sql) ? given : words];
  return [chance.percent(50) ? given : words];
}

/** A name that is probably there; now and then one that is not. */
function knownName(scope: Scope): string {
  const known = [...scope.statements.keys()];
  if (known.length === 0 || scope.chance.percent(6)) return scope.chance.pick(statementNames);
  return scope.chance.any(known) ?? 's1';
}

function prepareNamed(scope: Scope): Command {
  const name = scope.chance.pick(statementNames);
  const made = template(scope);
  scope.statements.set(name, made);
  return prepare(made.sql, name);
}

function runNamed(scope: Scope, flags = 0): Command {
  const name = knownName(scope);
  const known = scope.statements.get(name) ?? { sql: '', parameters: 0 };
  const run = scope.chance.percent(80) ? careful : execute;
  return run(valuesFor(scope, known), { name, flags });
}

/** The second time the types need not be said, whatever the connection. */
function runTwice(scope: Scope): readonly Step[] {
  const { chance } = scope;
  const name = `twice${scope.next()}`;
  const made = common(scope);
  const values = valuesFor(scope, made);
  const again = valuesFor(scope, made).map((value) =>
    value.value !== null && value.type !== values[0]?.type ? (values[0] ?? value) : value,
  );
  const between = chance.percent(60)
    ? scope.run(chance.percent(50) ? look(scope) : assign(scope))
    : [];
  return [
    say(chance, prepare(made.sql, name)),
    say(chance, careful(values, { name })),
    ...between,
    say(chance, careful(again, { name, withoutTypes: true })),
    say(chance, close(name)),
  ];
}

/** Parts of a parameter go ahead. */
function sendLong(scope: Scope): readonly Step[] {
  const { chance, token } = scope;
  const name = `long${scope.next()}`;
  const value = { type: BLOB, value: Buffer.alloc(0), isLong: true };
  const run = careful([value], { name });
  const between = chance.percent(50) ? scope.run(look(scope)) : [];
  return [
    say(chance, prepare('SELECT ?, kind FROM here', name)),
    say(chance, longData(0, Buffer.from(token), name)),
    ...between,
    say(
      chance,
      longData(0, Buffer.from(' and more'), name),
      ...(chance.percent(20) ? [reset(name)] : []),
    ),
    say(chance, run, close(name)),
  ];
}

/** Rows are read bit by bit. */
function cursor(scope: Scope): readonly Step[] {
  const { chance, schema, token } = scope;
  const name = `cursor${scope.next()}`;
  const sql = `SELECT a, ${literal(token)} FROM ${schema}.many`;
  const between = (): readonly Step[] => (chance.percent(40) ? scope.run(look(scope)) : []);
  const end = chance.percent(50) ? [fetch(100, name)] : [];
  return [
    say(chance, prepare(sql, name)),
    say(chance, careful([], { name, flags: 1 })),
    say(chance, fetch(2, name)),
    ...between(),
    say(chance, fetch(chance.between(1, 3), name)),
    ...between(),
    say(chance, ...end, ...(chance.percent(30) ? [reset(name)] : []), close(name)),
  ];
}

/** PREPARE and its kin. */
function bySql(scope: Scope): string {
  const { chance } = scope;
  const name = chance.pick(['p1', 'p2', '`P 3`']);
  switch (chance.below(6)) {
    case 0:
    case 1:
    case 2: {
      const { sql } = template(scope);
      return `PREPARE ${name} FROM '${sql.replaceAll('\\', '\\\\').replaceAll("'", "''")}'`;
    }
    case 3:
    case 4:
      return `EXECUTE ${name}${chance.percent(60) ? ' USING @x' : ''}`;
    default:
      return `${chance.pick(['DEALLOCATE', 'DROP'])} PREPARE ${name}`;
  }
}

/** What a statement returns changes under it. */
function changedResult(scope: Scope): readonly Step[] {
  const { chance, schema } = scope;
  const name = `star${scope.next()}`;
  const run = careful([], { name });
  return [
    say(chance, prepare(`SELECT * FROM ${schema}.w`, name)),
    say(chance, run),
    say(chance, query(`ALTER TABLE ${schema}.w ADD COLUMN c${scope.next()} INT`)),
    { ...say(chance, run), exception: 'changed result' },
    { ...say(chance, run, close(name)), exception: 'changed result' },
  ];
}

export const statementMakers: Readonly<Record<string, Maker>> = {
  'prepare by the protocol': {
    weight: { statements: 20, everything: 8, settings: 5 },
    make: (scope) => [say(scope.chance, prepareNamed(scope))],
  },
  'run a statement': {
    weight: { statements: 40, everything: 14, settings: 8 },
    make: (scope) => [say(scope.chance, runNamed(scope))],
  },
  'run some at once': {
    weight: { statements: 8, everything: 3 },
    make: (scope) => [
      say(scope.chance, runNamed(scope), query(look(scope)), runNamed(scope), prepareNamed(scope)),
    ],
  },
  'close a statement': {
    weight: { statements: 4, everything: 1 },
    make(scope) {
      const name = knownName(scope);
      if (scope.chance.percent(70)) scope.statements.delete(name);
      return [say(scope.chance, close(name))];
    },
  },
  'reset a statement': {
    weight: { statements: 2, everything: 1 },
    make: (scope) => [say(scope.chance, reset(knownName(scope)))],
  },
  'run twice': { weight: { statements: 10, everything: 3, plain: 8 }, make: runTwice },
  'long data': { weight: { statements: 5, everything: 2 }, make: sendLong },
  cursors: { weight: { statements: 5, everything: 2, plain: 3 }, make: cursor },
  'prepare by SQL': {
    weight: { statements: 16, everything: 5 },
    make: (scope) => scope.run(bySql(scope)),
  },
  'a changed result': { weight: { statements: 2, everything: 0.5 }, make: changedResult },
};
