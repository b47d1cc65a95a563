import { Violation } from '../../base/assert.ts';
import type { Conversation } from '../../core/conversation.ts';
import { capability } from '../../wire/mysql/capabilities.ts';
import type { Answer, Listener } from './ask.ts';
import { ask, query } from './ask.ts';
import { refusedBy } from './refusal.ts';
import type { Reports } from './memory.ts';
import type { Beginning } from './state.ts';
import { CLIENT, NAMES, RESULTS, RESULTS_NUMBER, settingNames } from './state.ts';
import type { Target, TargetGreeting } from './target.ts';

/** What the handshake decides: MySQL's reset makes the server's own of them. */
const FROM_HANDSHAKE = [...NAMES, 'wait_timeout'] as const;

/**
 * In the server they are bits of one word, and MariaDB reports any of them as if it were another. What they begin with must
 * be known: DEFAULT is OFF for some of MySQL's that are ON, and not everyone may set all of them.
 */
export const FLAGS = [
  'autocommit',
  'foreign_key_checks',
  'sql_auto_is_null',
  'sql_big_selects',
  'sql_log_bin',
  'sql_log_off',
  'sql_notes',
  'sql_quote_show_create',
  'sql_safe_updates',
  'sql_warnings',
  'unique_checks',
] as const;

/** One more of them, of MariaDB's alone. */
export const MARIADB_FLAG = 'check_constraint_checks';

/** These decide what is reported. Clients may set them, and hear what they want to (trap MY-49); what we hear does not change. */
export const TRACKED_VARIABLES = 'session_track_system_variables';
export const TRACKED_SCHEMA = 'session_track_schema';

/**
 * Everything. MariaDB 11.8 reports all of its flags by the name of the one that it has met first: that is to be the one that clients
 * are told of unless they say otherwise.
 */
const MARIADB_TRACKED = 'autocommit,*';

/** What sessions begin with, beside what is the database's default. */
function startNames({ isMariaDb, version }: TargetGreeting): readonly string[] {
  const isOld = version < (isMariaDb ? 110_101 : 50_720);
  return [
    ...FROM_HANDSHAKE,
    'sql_mode',
    'autocommit',
    'time_zone',
    'max_allowed_packet',
    isOld ? 'tx_isolation' : 'transaction_isolation',
    isOld ? 'tx_read_only' : 'transaction_read_only',
    ...FLAGS.slice(1),
    ...(isMariaDb ? [MARIADB_FLAG] : []),
  ];
}

/** Asks for the values that sessions begin with, and for those of `more`. */
export function beginningQuery(target: TargetGreeting, more: readonly string[] = []): string {
  // Of others it is not known whether sessions have them at all.
  const columns = [...startNames(target).map(read), ...more.map((name) => `@@${name}`)];
  return `SELECT ${columns.join(', ')}`;
}

/** Its answer, as SQL writes the values. */
export function readBeginning(
  target: TargetGreeting,
  answer: Answer,
  tracked: string | undefined,
  more: readonly string[] = [],
): ReadonlyMap<string, string> {
  const { rows, error, numeric, collations } = answer;
  if (error !== undefined) throw refusedBy(error);
  const [row] = rows;
  if (row === undefined) throw new Violation('the database did not tell what sessions begin with');
  const names = [...startNames(target), ...more];
  const beginning = new Map(
    names.map((name, at) => [name, literal(name, row[at] ?? null, numeric[at] === true)]),
  );
  beginning.set(RESULTS, resultsOf(target, beginning, collations[0]));
  if (target.isMariaDb) {
    beginning.set(CLIENT, collationOf(CLIENT, beginning));
    beginning.set(RESULTS_NUMBER, String(collations[0]));
  }
  if (tracked !== undefined)
    beginning.set(TRACKED_VARIABLES, `'${tracked}'`).set(TRACKED_SCHEMA, '1');
  return beginning;
}

/** As `RESULTS` in `state.ts` says; an init query may have set it, too. */
function resultsOf(
  { isMariaDb }: TargetGreeting,
  beginning: Beginning,
  collation: number | undefined,
): string {
  const shown = beginning.get(RESULTS) ?? 'NULL';
  if (shown === 'NULL') return shown;
  if (!isMariaDb) return String(collation);
  return collationOf(RESULTS, beginning);
}

/** The handshake and SET NAMES set it with those that show; nothing else sets another one than the default. */
function collationOf(name: string, beginning: Beginning): string {
  const shown = beginning.get(name) ?? 'NULL';
  const isNamed = shown === beginning.get('character_set_connection');
  return isNamed ? `${shown} COLLATE ${beginning.get('collation_connection')}` : shown;
}

function read(name: string): string {
  return `@@session.${name}`;
}

/** A setting's value as SQL writes it, whatever `sql_mode` is: with a backslash it would depend on that. */
function literal(name: string, value: string | null, isNumeric: boolean): string {
  if (value === null) return 'NULL';
  if (value.includes('\\')) throw new Violation(`a value of ${name} that cannot be written`);
  return isNumeric ? value : `'${value.replaceAll("'", "''")}'`;
}

/** What the database itself would report, and by which number it knows the connection. */
export function reportsQuery({ capabilities }: TargetGreeting): string {
  const names = [TRACKED_VARIABLES, TRACKED_SCHEMA].map(read);
  const asked = (capabilities.flags & capability.sessionTrack) === 0 ? [] : names;
  return `SELECT ${['CONNECTION_ID()', ...asked].join(', ')}`;
}

export function readReports(answer: Answer): {
  readonly threadId: number;
  readonly reports: Reports;
} {
  if (answer.error !== undefined) throw refusedBy(answer.error);
  const [id, variables, schema] = answer.rows[0] ?? [];
  const threadId = Number(id ?? Number.NaN);
  if (!Number.isSafeInteger(threadId)) throw new Violation('the database did not tell its number');
  return { threadId, reports: { variables: variables ?? '', schema: schema === '1' } };
}

/**
 * Has the database report each variable that changes, and the schema, and nothing else; and restores what a reset has taken
 * away. Undefined where there is nothing to say: a database without session tracking, and no reset.
 */
export function reportQuery(tracked: string | undefined, restored?: Beginning): string | undefined {
  const values = FROM_HANDSHAKE.flatMap((name) => {
    const value = restored?.get(name);
    return value === undefined ? [] : [[name, value] as const];
  });
  const restoring = settingNames(values);
  const reporting = reportsFor(tracked).map(([name, value]) => `${read(name)} = ${value}`);
  const all = [...restoring, ...reporting];
  return all.length === 0 ? undefined : `SET ${all.join(', ')}`;
}

/** What the database is made to report, by variables as SQL writes them: all that changes, and nothing that says so again. */
function reportsFor(tracked: string | undefined): readonly (readonly [string, string])[] {
  if (tracked === undefined) return [];
  return [
    [TRACKED_VARIABLES, `'${tracked}'`],
    [TRACKED_SCHEMA, 'ON'],
    ['session_track_state_change', 'OFF'],
    ['session_track_transaction_info', 'OFF'],
  ];
}

/** All variables, as `readVariables` wants them. */
export const VARIABLES_QUERY = 'SHOW SESSION VARIABLES';

export function readVariables(answer: Answer): ReadonlyMap<string, string> {
  if (answer.error !== undefined) throw refusedBy(answer.error);
  const named = answer.rows.map(([name, value]) => [name ?? '', value ?? ''] as const);
  // What is reported is for us to say.
  return new Map(named.filter(([name]) => /^(?!session_track_)[\w.]+$/.test(name)));
}

/** MySQL counts statements in a variable, which it would report with each reply. */
const NOT_TRACKED: readonly string[] = ['statement_id'];

/** From MySQL 9.4 on; before, there is no telling which variables sessions have. */
const SESSION_VARIABLES =
  "SELECT variable_name FROM performance_schema.variables_metadata WHERE variable_scope <> 'GLOBAL'";

/**
 * What `session_track_system_variables` must be so that a change of any is reported; undefined where the database reports none.
 * It is asked for once for each version of a target.
 */
export function* findTracked(
  listener: Listener,
  target: Target,
  greeting: TargetGreeting,
): Conversation<string | undefined> {
  if ((greeting.capabilities.flags & capability.sessionTrack) === 0) return undefined;
  if (greeting.isMariaDb) return MARIADB_TRACKED;
  const known = target.trackedOf(greeting);
  if (known !== undefined) return known;
  let [answer] = yield* ask(listener, query(SESSION_VARIABLES, listener.capabilities));
  if (answer === undefined || answer.rows.length === 0)
    [answer] = yield* ask(listener, query(VARIABLES_QUERY, listener.capabilities));
  const names = (answer?.rows ?? []).map(([name]) => name ?? '');
  const tracked = names.filter((name) => /^[\w.]+$/.test(name) && !NOT_TRACKED.includes(name));
  if (tracked.length === 0) return '*';
  return target.learnTracked(greeting, tracked.join(','));
}
