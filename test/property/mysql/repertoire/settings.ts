import { initDb, ping, resetConnection } from '../../../e2e/differential/mysql/steps.ts';
import { query, say } from '../steps.ts';
import type { Step, User } from '../steps.ts';
import { literal } from '../scope.ts';
import type { Maker, Scope } from '../scope.ts';

type Values = readonly [string, ...string[]];

/** Variables that everybody may set, with values of which some are refused. */
const settings: readonly (readonly [name: string, values: Values])[] = [
  ['sql_mode', ["''", 'ANSI_QUOTES', 'NO_BACKSLASH_ESCAPES', 'PIPES_AS_CONCAT', "'ANSI'"]],
  ['sql_mode', ["'STRICT_ALL_TABLES,NO_ZERO_DATE'", 'TRADITIONAL', 'IGNORE_SPACE', 'DEFAULT']],
  ['sql_mode', ["CONCAT(@@sql_mode, ',ANSI_QUOTES')", "REPLACE(@@sql_mode, 'ANSI_QUOTES', '')"]],
  ['sql_mode', ["'nonsense'", 'HIGH_NOT_PRECEDENCE', "'NO_BACKSLASH_ESCAPES,ANSI_QUOTES'"]],
  ['time_zone', ["'+03:00'", "'-08:00'", 'SYSTEM', 'DEFAULT', "'nowhere'"]],
  ['group_concat_max_len', ['4', '10', '1000', 'DEFAULT', '@@group_concat_max_len + 1']],
  ['sort_buffer_size', ['65536', '131072', 'DEFAULT', "'much'"]],
  ['div_precision_increment', ['0', '2', '9', 'DEFAULT']],
  ['auto_increment_increment', ['1', '7', 'DEFAULT']],
  ['auto_increment_offset', ['1', '3', 'DEFAULT']],
  ['lc_time_names', ["'de_DE'", "'ja_JP'", 'DEFAULT', "'xx_XX'"]],
  ['default_week_format', ['0', '3', 'DEFAULT']],
  ['sql_select_limit', ['1', '2', 'DEFAULT', '18446744073709551615']],
  ['foreign_key_checks', ['0', 'ON', 'DEFAULT']],
  ['unique_checks', ['0', '1']],
  ['sql_safe_updates', ['0', '1', 'DEFAULT']],
  ['sql_auto_is_null', ['0', '1']],
  ['sql_notes', ['0', '1']],
  ['sql_warnings', ['0', '1']],
  ['sql_quote_show_create', ['0', '1', 'DEFAULT']],
  ['sql_big_selects', ['0', '1', 'DEFAULT']],
  ['max_join_size', ['5', '1000000', 'DEFAULT']],
  ['big_tables', ['0', '1']],
  ['max_sort_length', ['1024', 'DEFAULT']],
  ['max_error_count', ['1', '64', 'DEFAULT']],
  ['lock_wait_timeout', ['3000', 'DEFAULT']],
  ['net_write_timeout', ['61', 'DEFAULT']],
  ['net_read_timeout', ['300', 'DEFAULT']],
  ['wait_timeout', ['5000', 'DEFAULT']],
  ['interactive_timeout', ['5001', 'DEFAULT']],
  ['completion_type', ['NO_CHAIN', 'DEFAULT']],
  ['optimizer_switch', ["'index_merge=off'", "'mrr=off,index_merge=on'", 'DEFAULT']],
  ['max_recursive_iterations', ['500', 'DEFAULT']],
  ['cte_max_recursion_depth', ['500', 'DEFAULT']],
  ['transaction_isolation', ["'READ-COMMITTED'", "'SERIALIZABLE'", 'DEFAULT']],
  ['tx_isolation', ["'READ-COMMITTED'", "'SERIALIZABLE'", 'DEFAULT']],
  ['character_set_client', ['latin1', 'utf8mb4', 'cp1251', 'ucs2']],
  ['character_set_results', ['NULL', 'latin1', 'utf8mb4', 'DEFAULT']],
  ['character_set_connection', ['latin1', 'utf8mb4', 'DEFAULT']],
  ['collation_connection', ['latin1_german2_ci', 'utf8mb4_bin', 'utf8mb4_unicode_ci', 'DEFAULT']],
  ['profiling', ['0']],
  ['sql_log_bin', ['0', '1']],
  ['max_allowed_packet', ['2048']],
  ['read_only', ['1']],
  ['no_such_variable', ['1']],
];

const wholes: readonly [string, ...string[]] = [
  'SET NAMES latin1',
  'SET NAMES utf8mb4',
  `SET NAMES 'utf8mb3'`,
  'SET NAMES utf8mb4 COLLATE utf8mb4_bin',
  'SET NAMES latin1 COLLATE latin1_german1_ci',
  'SET NAMES binary',
  'SET NAMES cp1251',
  'SET NAMES sjis',
  'SET NAMES gbk',
  'SET NAMES DEFAULT',
  'SET NAMES klingon',
  'SET CHARACTER SET latin1',
  'SET CHARACTER SET DEFAULT',
  'SET SESSION TRANSACTION ISOLATION LEVEL READ COMMITTED',
  'SET SESSION TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY',
  'SET SESSION TRANSACTION READ WRITE',
  `SET @@session.time_zone = '+01:00', @x = 5, sql_mode = ''`,
  `SET group_concat_max_len = 12, no_such_variable = 1`,
  `SET @@sql_mode = (SELECT 'ANSI_QUOTES')`,
  '/*!50000 SET group_concat_max_len = 33 */',
  '/* why */ SET -- so\n LOCAL group_concat_max_len = 44',
];

/** Those that only know one of the two. */
const ofMysql: Values = [
  'SELECT /*+ SET_VAR(group_concat_max_len = 5) */ GROUP_CONCAT(a, b) FROM SCHEMA.t',
  `SET @j = CAST('{"a": 1}' AS JSON)`,
];
const ofMariadb: Values = [
  'SET STATEMENT group_concat_max_len = 5 FOR SELECT GROUP_CONCAT(a, b) FROM SCHEMA.t',
  'SET @y = (SELECT MAX(a) FROM SCHEMA.t)',
  'SET SESSION sql_mode = ORACLE',
];

const userNames: Values = ['x', 'y', 'X', 'kept', '`a b`', "'q'", 'z$1'];
const userValues: Values = [
  '1',
  '-7',
  '1.50',
  '1e10',
  '18446744073709551615',
  'NULL',
  'TOKEN',
  "x'00ff27'",
  "_latin1'abc' COLLATE latin1_german2_ci",
  "'it''s \\\\ here'",
  'CAST(2 AS UNSIGNED)',
  "DATE '2020-01-02'",
  'PI()',
  '@x',
  '@@session.group_concat_max_len',
  "CONCAT('a', NULL)",
];

export function userVariable({ chance }: Scope): string {
  return `@${chance.pick(userNames)}`;
}

/** Sets something. */
export function assign(scope: Scope): string {
  const sql = draw(scope);
  return scope.isMariadb && UNSEEN.test(sql) ? assign(scope) : sql;
}

/** By these MariaDB changes a collation that shows nowhere but in column definitions (docs/differences.md). */
const UNSEEN = /character.set(?:_results)?\b.*\bdefault$/i;

function draw(scope: Scope): string {
  const { chance, schema, token, isMariadb } = scope;
  const [name, values] = chance.any(settings) ?? ['sql_mode', ["''"]];
  const value = chance.any(values) ?? 'DEFAULT';
  const userValue = chance.pick(userValues).replaceAll('TOKEN', literal(token));
  const variable = userVariable(scope);
  return chance
    .weighted<() => string>([
      [20, () => `SET ${name} = ${value}`],
      [8, () => `SET SESSION ${name} = ${value}`],
      [6, () => `SET @@${name} = ${value}`],
      [6, () => `SET @@session.${name} := ${value}`],
      [3, () => `set @@local.${name.toUpperCase()}=${value}`],
      [14, () => chance.pick(wholes)],
      [16, () => `SET ${variable} = ${userValue}`],
      [4, () => `SELECT ${variable} := ${userValue}`],
      [3, () => `SELECT a, b INTO @x, @y FROM ${schema}.t WHERE a = ${chance.between(1, 4)}`],
      [3, () => `SELECT @x := @x + a FROM ${schema}.t ORDER BY a`],
      [3, () => `CALL ${schema}.turn(${chance.pick(['5', '6', '9'])})`],
      [4, () => (isMariadb ? chance.pick(ofMariadb) : chance.pick(ofMysql))],
      [2, () => `SET TIMESTAMP = ${chance.pick(['1000000000', 'DEFAULT'])}`],
    ])()
    .replaceAll('SCHEMA', schema);
}

const looks: Values = [
  "SELECT 'a' || 'b', 1 / 3",
  `SELECT "t" FROM SCHEMA.t`,
  "SELECT LENGTH('a\\nb'), LENGTH('\\\\')",
  'SELECT GROUP_CONCAT(a, b ORDER BY a) FROM SCHEMA.t',
  "SELECT DAYNAME('2020-02-20'), FROM_UNIXTIME(0), WEEK('2020-02-20')",
  "SELECT CHARSET('x'), COLLATION('x'), HEX('ü')",
  "SELECT CONVERT(x'fc' USING latin1)",
  'SELECT @x, @y, @X, @kept, @`a b`, @q, @z$1',
  'SELECT IF(@x IS NULL, NULL, CHARSET(@x)), IF(@x IS NULL, NULL, COLLATION(@x)), @x + 1',
  'SELECT @x IS NULL, @kept IS NULL, @j IS NULL',
  'SELECT @@sql_mode, @@time_zone, @@group_concat_max_len',
  'SELECT @@character_set_client, @@character_set_connection, @@character_set_results, @@collation_connection',
  'SELECT @@autocommit, @@foreign_key_checks, @@unique_checks, @@sql_safe_updates, @@sql_auto_is_null',
  'SELECT @@wait_timeout, @@lock_wait_timeout, @@net_write_timeout, @@sort_buffer_size',
  'SELECT DATABASE(), CURRENT_USER()',
  "SHOW VARIABLES LIKE 'coll%'",
  "SHOW SESSION VARIABLES LIKE 'sql%'",
  'SELECT kind FROM here',
  'SELECT * FROM SCHEMA.t ORDER BY a',
  'SELECT NOT 1 BETWEEN -5 AND 5',
  'SHOW CREATE TABLE SCHEMA.t',
  'SELECT COUNT (*) FROM SCHEMA.t',
  "SELECT 'é', 'ﾊ', X'835C', N'x'",
];

/** Looks at what may have been set, by name or by what it does. */
export function look(scope: Scope): string {
  const { chance, schema } = scope;
  const [name] = chance.any(settings) ?? ['sql_mode'];
  if (chance.percent(30)) return `SELECT @@session.${name}`;
  return chance.pick(looks).replaceAll('SCHEMA', schema);
}

/** The current schema. */
function use(scope: Scope): readonly Step[] {
  const { chance, schema, other } = scope;
  const where = chance.pick([schema, other, other, schema, 'nowhere_at_all', 'information_schema']);
  if (chance.percent(50)) return [say(chance, query(`USE ${where}`))];
  return [say(chance, initDb(where))];
}

/** MySQL's own reset takes the handshake's character sets away, Sluice's does not (docs/differences.md). */
function resetAll({ chance, isMariadb }: Scope): readonly Step[] {
  const after = isMariadb ? [] : [query('SET NAMES utf8mb4')];
  return [say(chance, resetConnection, ...after)];
}

function becomeAnother({ chance, schema, other }: Scope): readonly Step[] {
  const user = chance.pick<User>(['app', 'app', 'reader', 'chief']);
  return [{ kind: 'change user', user, schema: chance.pick([schema, other, undefined]) }];
}

export const settingMakers: Readonly<Record<string, Maker>> = {
  assign: {
    weight: { settings: 30, statements: 10, objects: 5, plain: 5, everything: 14 },
    make: (scope) => scope.run(assign(scope)),
  },
  look: {
    weight: { settings: 30, statements: 10, objects: 10, plain: 15, everything: 16 },
    make: (scope) => scope.run(look(scope)),
  },
  'assign and look at once': {
    weight: { settings: 5, everything: 2 },
    make: (scope) => [say(scope.chance, query(assign(scope)), query(look(scope)))],
  },
  'several statements in one text': {
    weight: { settings: 6, plain: 2, everything: 3 },
    make: (scope) => [
      say(scope.chance, query([assign(scope), look(scope), assign(scope)].join('; '))),
    ],
  },
  use: {
    weight: { settings: 6, statements: 8, objects: 2, plain: 3, everything: 4 },
    make: use,
  },
  'reset the connection': { weight: { settings: 2, everything: 1 }, make: resetAll },
  'change user': { weight: { settings: 2, everything: 1 }, make: becomeAnother },
  ping: { weight: { plain: 2, everything: 1 }, make: ({ chance }) => [say(chance, ping)] },
};
