import { concat } from '../../base/bytes.ts';
import { Known } from '../../base/known.ts';
import { bind, closePortal, execute, flush, parse } from '../../wire/postgres/frontend.ts';
import { owed } from './ledger.ts';

/** Statements of ours that bring a connection from one state to another, ready to be sent. */
export interface Way {
  /** Parse, Bind and Execute of each step, and no Sync: whatever fails, the database passes over all that follows. */
  readonly bytes: Uint8Array;
  /** What the database owes for them. */
  readonly owed: readonly number[];
}

/**
 * What a session has set: settings that differ from those of a fresh connection, by their names in lower case, with values in
 * the server's own canonical words. Equal ones are one object, so that comparing is a glance.
 */
export class SettingsState {
  readonly values: ReadonlyMap<string, string>;
  #planning: SettingsState | undefined;
  readonly #ways = new Map<SettingsState, Way>();

  private constructor(values: ReadonlyMap<string, string>) {
    this.values = values;
  }

  static of(values: ReadonlyMap<string, string>): SettingsState {
    if (values.size === 0) return FRESH;
    const key = JSON.stringify([...values].sort(([a], [b]) => (a < b ? -1 : 1)));
    return known.of(key, () => new SettingsState(values));
  }

  static fresh(): SettingsState {
    return new SettingsState(new Map());
  }

  /** The part of it on which the meaning of a prepared statement depends (traps PG-80, PG-81). */
  get planning(): SettingsState {
    this.#planning ??= SettingsState.of(
      new Map([...this.values].filter(([name]) => !isPlanNeutral(name))),
    );
    return this.#planning;
  }

  with(changes: Iterable<readonly [name: string, value: string | undefined]>): SettingsState {
    const values = new Map(this.values);
    for (const [name, value] of changes) {
      if (value === undefined) values.delete(name);
      else values.set(name, value);
    }
    return SettingsState.of(values);
  }

  /** The way here from another state; undefined where the two are equal. */
  wayFrom(state: SettingsState): Way | undefined {
    if (state === this) return undefined;
    let way = this.#ways.get(state);
    if (way === undefined) {
      way = wayOf(statementsBetween(state.values, this.values));
      if (this.#ways.size >= KNOWN_WAYS) this.#ways.clear();
      this.#ways.set(state, way);
    }
    return way.owed.length === 0 ? undefined : way;
  }
}

/** There are few different states; should somebody make many, equal ones may become two: then the way between them is empty. */
const known = new Known<string, SettingsState>(4_096);
const KNOWN_WAYS = 64;

/** Nothing is set. */
export const FRESH = SettingsState.fresh();

/** Settings that change neither what a statement means nor how it is planned. */
const planNeutral = new Set([
  'application_name',
  'client_min_messages',
  'deadlock_timeout',
  'idle_in_transaction_session_timeout',
  'idle_session_timeout',
  'lock_timeout',
  'statement_timeout',
  'transaction_timeout',
  'extra_float_digits',
]);

/** Functions read made-up settings when they run, not when they are planned. */
function isPlanNeutral(name: string): boolean {
  return planNeutral.has(name) || name.includes('.') || name.startsWith('log_');
}

/** Lists of names, which SET would take for one name if they came as one string (trap PG-52). */
const nameLists: readonly string[] = ['search_path', 'temp_tablespaces'];
/** Who one is decides what one may set: changed first and last. */
const identity: readonly string[] = ['session_authorization', 'role'];

/** The statements that change only what differs: first who one was, last who one is (trap PG-58). */
export function statementsBetween(
  from: ReadonlyMap<string, string>,
  to: ReadonlyMap<string, string>,
): readonly string[] {
  const changed = [...new Set([...from.keys(), ...to.keys()])].filter(
    (name) => from.get(name) !== to.get(name),
  );
  if (changed.length === 0) return [];
  const statements: string[] = [];
  if (from.has('session_authorization')) statements.push('RESET SESSION AUTHORIZATION');
  else if (from.has('role')) statements.push('RESET ROLE');
  const settings = changed.filter((name) => !identity.includes(name) && name !== ENCODING);
  const changesEncoding = changed.includes(ENCODING);
  // Values are sent in UTF-8; what is not ASCII would be taken for something else under another encoding.
  const speaksUtf8 = settings.some((name) => /[^ -~]/.test(to.get(name) ?? ''));
  if (speaksUtf8) statements.push(set(ENCODING, 'UTF8'));
  for (const name of settings) statements.push(set(name, to.get(name)));
  if (changesEncoding || speaksUtf8) statements.push(set(ENCODING, to.get(ENCODING)));
  const user = to.get('session_authorization');
  if (user !== undefined) statements.push(`SET SESSION AUTHORIZATION ${literal(user)}`);
  const role = to.get('role');
  if (role !== undefined) statements.push(`SET ROLE ${literal(role)}`);
  return statements;
}

const ENCODING = 'client_encoding';

function set(name: string, value: string | undefined): string {
  const quoted = name
    .split('.')
    .map((part) => `"${part.replaceAll('"', '""')}"`)
    .join('.');
  if (value === undefined) return `RESET ${quoted}`;
  if (!nameLists.includes(name)) return `SET ${quoted} TO ${literal(value)}`;
  return `SELECT pg_catalog.set_config(${literal(name)}, ${literal(value)}, false)`;
}

/** A string that means the same whatever standard_conforming_strings is. */
export function literal(value: string): string {
  const doubled = value.replaceAll("'", "''");
  return value.includes('\\') ? `E'${doubled.replaceAll('\\', '\\\\')}'` : `'${doubled}'`;
}

/**
 * Statements in a transaction of their own that no default makes unusual. Nothing is committed unless all of them succeed, and
 * without a Sync of ours the database skips what the client sent behind them where one did not.
 */
export function wayOf(statements: readonly string[]): Way {
  if (statements.length === 0) return { bytes: new Uint8Array(0), owed: [] };
  const all = ['BEGIN ISOLATION LEVEL READ COMMITTED', ...statements, 'COMMIT'];
  // What has become of them is to be known while what comes behind them still runs.
  return { bytes: concat([run(all), flush()]), owed: all.map(() => owed.ownStep) };
}

/** One after the other. */
export function both(first: Way | undefined, second: Way | undefined): Way | undefined {
  if (first === undefined || second === undefined) return first ?? second;
  return {
    bytes: concat([first.bytes, second.bytes]),
    owed: [...first.owed, ...second.owed],
  };
}

/** Statements that take part in the transaction that is open, and leave the client's portals alone: also the one without a name. */
export function inside(statements: readonly (string | Uint8Array)[]): Way {
  const bytes = statements.flatMap((sql) => [
    parse('', sql),
    bind(PORTAL, ''),
    execute(PORTAL),
    closePortal(PORTAL),
  ]);
  return { bytes: concat(bytes), owed: statements.flatMap(() => [owed.ownStep, owed.ownClose]) };
}

const PORTAL = 'sluice_0';

/** Parse, Bind and Execute of each statement. */
function run(statements: readonly (string | Uint8Array)[]): Uint8Array {
  return concat(statements.flatMap((sql) => [parse('', sql), bind('', ''), execute('')]));
}

/**
 * A PREPARE ahead of a message of the client's which needs it, and which the database skips if it fails. Where a query comes
 * next and no transaction is open, one must have ended: what has been executed and not been ended by a Sync makes PostgreSQL
 * take a query for a part of a block that is never ended.
 */
export function making(sql: Uint8Array, comesBefore: 'query' | 'other'): Way {
  if (comesBefore === 'other')
    return { bytes: inside([sql]).bytes, owed: [owed.ownMake, owed.ownClose] };
  const { bytes, owed: more } = ENDING;
  return { bytes: concat([run([sql]), bytes]), owed: [owed.ownMake, ...more] };
}

/** Ends what has been executed without a Sync, where no transaction is open. */
export const ENDING: Way = { bytes: run(['BEGIN', 'COMMIT']), owed: [owed.ownStep, owed.ownStep] };
