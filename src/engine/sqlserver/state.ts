import { Known } from '../../base/known.ts';
import type { SettingName } from './sql/effects.ts';

/**
 * What a session has set and others of its lot have not: settings with their values, and the database in use. Equal ones are one
 * object, so that comparing is a glance.
 */
export class SessionState {
  /** Undefined where it is not known. */
  readonly database: string | undefined;
  /** Options are `ON` or `OFF`; what has a value of its own has that as SQL writes it, but for names, which stand bare. */
  readonly values: ReadonlyMap<SettingName, string>;
  readonly #ways = new Map<SessionState, { beginning: Beginning; way: Way | undefined }>();

  private constructor(database: string | undefined, values: ReadonlyMap<SettingName, string>) {
    this.database = database;
    this.values = values;
  }

  static of(database: string | undefined, values: ReadonlyMap<SettingName, string>): SessionState {
    const sorted = [...values].sort(([a], [b]) => (a < b ? -1 : 1));
    const key = JSON.stringify([database ?? null, ...sorted]);
    return known.of(key, () => new SessionState(database, values));
  }

  /** Nothing is set, with this database in use. */
  static fresh(database: string | undefined): SessionState {
    return SessionState.of(database, NOTHING);
  }

  /** Nothing is set but perhaps a database. */
  get isFresh(): boolean {
    return this.values.size === 0;
  }

  /** What a reset leaves of it; it brings back the login's database. Not every server's reset undoes the isolation level (trap TD-03). */
  anew(database: string | undefined): SessionState {
    const fresh = SessionState.fresh(database);
    return this.values.has(ISOLATION) ? fresh.with([[ISOLATION, UNKNOWN]]) : fresh;
  }

  in(database: string | undefined): SessionState {
    return database === this.database ? this : SessionState.of(database, this.values);
  }

  /** An undefined value is what sessions begin with. */
  with(changes: Iterable<readonly [name: SettingName, value: string | undefined]>): SessionState {
    const values = new Map(this.values);
    for (const [name, value] of changes) {
      if (value === undefined) values.delete(name);
      else values.set(name, value);
    }
    return SessionState.of(this.database, values);
  }

  /** The way here from another state, on a connection with this beginning; undefined where there is nothing to do. */
  wayFrom(state: SessionState, beginning: Beginning): Way | undefined {
    if (state === this) return undefined;
    let known = this.#ways.get(state);
    if (known?.beginning !== beginning) {
      known = { beginning, way: wayBetween(state, this, beginning) };
      if (this.#ways.size >= KNOWN_WAYS) this.#ways.clear();
      this.#ways.set(state, known);
    }
    return known.way;
  }
}

/** A batch of SQL; or `reset` where only that leads there: from what it leaves (`anew`) there is a way. */
export type Way = string;
export const RESET = 'reset';

/** The values that settings have on a connection before any session has set them; those that are missing the server cannot tell. */
export type Beginning = ReadonlyMap<SettingName, string>;

/** A value that no session wants: it differs from all. */
export const UNKNOWN = '';

/** The one object for these values. */
export function intern(values: Beginning): Beginning {
  const key = JSON.stringify([...values].sort(([a], [b]) => (a < b ? -1 : 1)));
  return beginnings.of(key, () => values);
}

/** What a setting is where no session has set it; undefined where only a reset can tell. */
export function initialValue(name: SettingName, beginning: Beginning): string | undefined {
  return beginning.get(name) ?? always.get(name);
}

const ISOLATION = 'isolation level';

/** What these are at the beginning, whatever the server's configuration. */
const always: Beginning = new Map<SettingName, string>([
  [ISOLATION, 'READ COMMITTED'],
  ['deadlock_priority', '0'],
  ['lock_timeout', '-1'],
  ['rowcount', '0'],
]);

/** These come with a language. */
export const ofLanguage = ['datefirst', 'dateformat'] as const;

/** In this order; options before them. */
const values: readonly SettingName[] = [
  'language',
  'datefirst',
  'dateformat',
  'lock_timeout',
  'deadlock_priority',
  'query_governor_cost_limit',
  'textsize',
  'context_info',
  'rowcount',
  ISOLATION,
];

const NOTHING: ReadonlyMap<SettingName, string> = new Map();
/** There are few different states; should somebody make many, equal ones may become two: then there is nothing on the way between them. */
const known = new Known<string, SessionState>(4_096);
const beginnings = new Known<string, Beginning>(256);
const KNOWN_WAYS = 64;

function wayBetween(from: SessionState, to: SessionState, beginning: Beginning): Way | undefined {
  const changed = new Map<SettingName, string>();
  for (const name of new Set([...from.values.keys(), ...to.values.keys()])) {
    const value = to.values.get(name);
    if (from.values.get(name) === value) continue;
    const target = value ?? initialValue(name, beginning);
    if (target === undefined) return RESET;
    changed.set(name, target);
  }
  if (changed.has('language')) {
    for (const name of ofLanguage) {
      const target = to.values.get(name) ?? initialValue(name, beginning);
      if (target !== undefined) changed.set(name, target);
    }
  }
  const statements: string[] = [];
  const { database } = to;
  if (database !== undefined && database !== from.database)
    statements.push(`USE ${bracketed(database)}`);
  // One of two that exclude each other is OFF before the other one is ON.
  for (const value of ['OFF', 'ON']) {
    const names = [...changed.keys()].filter((name) => changed.get(name) === value);
    if (names.length > 0) statements.push(`SET ${names.sort().join(', ')} ${value}`);
  }
  for (const name of values) {
    const value = changed.get(name);
    if (value !== undefined) statements.push(`SET ${assignment(name, value)}`);
  }
  return statements.length === 0 ? undefined : `${statements.join('; ')};`;
}

function assignment(name: SettingName, value: string): string {
  if (name === ISOLATION) return `TRANSACTION ISOLATION LEVEL ${value}`;
  // Babelfish knows no such name in N'…'.
  if (name === 'language' && !PLAIN_NAME.test(value)) return `LANGUAGE ${quoted(value)}`;
  return `${name.toUpperCase()} ${value}`;
}

const PLAIN_NAME = /^[a-z_]+$/i;

/** A name that means the same whatever QUOTED_IDENTIFIER is. */
export function bracketed(name: string): string {
  return `[${name.replaceAll(']', ']]')}]`;
}

/** A text, as SQL writes it. */
export function quoted(text: string): string {
  return `N'${text.replaceAll("'", "''")}'`;
}
