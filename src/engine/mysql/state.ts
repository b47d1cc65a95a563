import { Known } from '../../base/known.ts';

/**
 * Whether a text may hold several statements, which COM_SET_OPTION says and no reset takes back. It is kept among the variables,
 * by a name that none of them has, as `ON` or `OFF`; missing where it is as it was at sign-in.
 */
export const SEVERAL_STATEMENTS = 'several statements';

/** A value that no session wants: it differs from all. */
export const UNKNOWN = '';

/** What brings a connection from one state to another. */
export interface Way {
  /** What `SEVERAL_STATEMENTS` is to become; empty for what it was at sign-in. */
  readonly several: string | undefined;
  /** The schema to change to. */
  readonly schema: string | undefined;
  /** A statement that sets variables. */
  readonly sql: string | undefined;
}

/**
 * What a session has set and others of its lot have not: session variables by their names in lower case, user variables by
 * theirs behind an @, with values as SQL writes them; and the current schema. Equal ones are one object, so that comparing is
 * a glance.
 */
export class SessionState {
  /** Undefined where no schema is in use. */
  readonly schema: string | undefined;
  readonly values: ReadonlyMap<string, string>;
  #parsing: SessionState | undefined;
  readonly #ways = new Map<SessionState, { beginning: Beginning; way: Way }>();

  private constructor(schema: string | undefined, values: ReadonlyMap<string, string>) {
    this.schema = schema;
    this.values = values;
  }

  static of(schema: string | undefined, values: ReadonlyMap<string, string>): SessionState {
    const sorted = [...values].sort(([a], [b]) => (a < b ? -1 : 1));
    const key = JSON.stringify([schema ?? null, ...sorted]);
    return known.of(key, () => new SessionState(schema, values));
  }

  /** Nothing is set, with this schema in use. */
  static fresh(schema: string | undefined): SessionState {
    return SessionState.of(schema, NOTHING);
  }

  /** What a reset leaves of it, with this schema in use. */
  anew(schema: string | undefined): SessionState {
    const several = this.values.get(SEVERAL_STATEMENTS);
    const fresh = SessionState.fresh(schema);
    return several === undefined ? fresh : fresh.with([[SEVERAL_STATEMENTS, several]]);
  }

  /** Nothing is set but perhaps a schema. */
  get isFresh(): boolean {
    return this.values.size === 0;
  }

  /** The part of it that decides what a statement's text means. */
  get parsing(): SessionState {
    this.#parsing ??= SessionState.of(
      this.schema,
      new Map([...this.values].filter(([name]) => parsing.includes(name))),
    );
    return this.#parsing;
  }

  /** The same, but for what decides what a text means: that is as in `state`. */
  parsingAs(state: SessionState): SessionState {
    const others = [...this.values].filter(([name]) => !parsing.includes(name));
    return SessionState.of(state.schema, new Map([...others, ...state.parsing.values]));
  }

  in(schema: string | undefined): SessionState {
    return schema === this.schema ? this : SessionState.of(schema, this.values);
  }

  /** An undefined value is what sessions begin with. */
  with(changes: Iterable<readonly [name: string, value: string | undefined]>): SessionState {
    const values = new Map(this.values);
    for (const [name, value] of changes) {
      if (value === undefined) values.delete(name);
      else values.set(name, value);
    }
    return SessionState.of(this.schema, values);
  }

  /**
   * The way here from another state, on a connection with this beginning; undefined where the two are equal.
   */
  wayFrom(state: SessionState, beginning: Beginning): Way | undefined {
    if (state === this) return undefined;
    let known = this.#ways.get(state);
    if (known?.beginning !== beginning) {
      known = { beginning, way: wayBetween(state, this, beginning) };
      if (this.#ways.size >= KNOWN_WAYS) this.#ways.clear();
      this.#ways.set(state, known);
    }
    const { way } = known;
    const { several, schema, sql } = way;
    return several === undefined && schema === undefined && sql === undefined ? undefined : way;
  }
}

/** The values that variables have on a connection before any session has set them; of those that are missing, the default. */
export type Beginning = ReadonlyMap<string, string>;

/** The one object for these values. */
export function intern(values: ReadonlyMap<string, string>): Beginning {
  return beginnings.of(JSON.stringify([...values]), () => values);
}

const parsing: readonly string[] = [
  'sql_mode',
  'character_set_client',
  'character_set_connection',
  'collation_connection',
];

const NOTHING: ReadonlyMap<string, string> = new Map();
/** There are few different states; should somebody make many, equal ones may become two: then the way between them is empty. */
const known = new Known<string, SessionState>(4_096);
const beginnings = new Known<string, Beginning>(256);
const KNOWN_WAYS = 64;

/**
 * These show the name of a character set, and are a collation: that of the handshake or of `SET NAMES`, or the default. Column
 * definitions are told with the one for results; to MariaDB, parameters of statements have the client's. Values of the first one are
 * the collation's number for MySQL, which may be set as well; of both for MariaDB, where that is not so, what is behind `SET NAMES`,
 * or only the name of the character set, where it is the default.
 */
export const RESULTS = 'character_set_results';
export const CLIENT = 'character_set_client';

/** The number of the first one's collation, among the values that variables have at the beginning: for MariaDB, where it is known. */
export const RESULTS_NUMBER = 'number of the collation for results';

/**
 * What `SET NAMES` sets. These come first, in this order, then what hangs on them; `sql_mode` decides how others are written,
 * and their values are such that it does not matter.
 */
export const NAMES: readonly string[] = [
  RESULTS,
  CLIENT,
  'character_set_connection',
  'collation_connection',
];

function wayBetween(from: SessionState, to: SessionState, beginning: Beginning): Way {
  const differs = (name: string): boolean => from.values.get(name) !== to.values.get(name);
  const changed = [...new Set([...from.values.keys(), ...to.values.keys()])].filter(
    (name) => name !== SEVERAL_STATEMENTS && differs(name),
  );
  const valueOf = (name: string): string => to.values.get(name) ?? beginning.get(name) ?? 'DEFAULT';
  // A collation that does not show is set with all that SET NAMES sets.
  if (changed.some((name) => isCollation(name, valueOf(name))))
    changed.push(...NAMES.filter((name) => !changed.includes(name)));
  // A character set brings its collation along, which may have been another one.
  if (changed.includes('character_set_connection') && !changed.includes('collation_connection'))
    changed.push('collation_connection');
  // And this one the other, which must come behind it.
  if (changed.includes('max_join_size')) {
    const at = changed.indexOf('sql_big_selects');
    if (at >= 0) changed.splice(at, 1);
    changed.push('sql_big_selects');
  }
  const names = NAMES.filter((name) => changed.includes(name));
  const assignments = [
    ...settingNames(names.map((name) => [name, valueOf(name)])),
    ...changed
      .filter((name) => !names.includes(name))
      .map((name) => assignment(name, to.values.get(name), beginning)),
  ];
  const several = to.values.get(SEVERAL_STATEMENTS) ?? '';
  return {
    several: differs(SEVERAL_STATEMENTS) ? several : undefined,
    schema: to.schema === from.schema ? undefined : to.schema,
    sql: changed.length === 0 ? undefined : `SET ${assignments.join(', ')}`,
  };
}

function assignment(name: string, value: string | undefined, beginning: Beginning): string {
  if (name.startsWith('@')) {
    // What is NULL by that word keeps the type and the collation that it had; in MySQL, what is NULL by any.
    const variable = `@${quoted(name.slice(1))}`;
    return value === undefined
      ? `${variable} = X'', ${variable} = NULLIF(X'', X'')`
      : `${variable} = ${value}`;
  }
  return assigned(name, value ?? beginning.get(name) ?? 'DEFAULT');
}

/** A part of a SET statement. */
function assigned(name: string, value: string): string {
  return `@@session.${quoted(name)} = ${value}`;
}

/** The parts of a SET statement that give variables of `NAMES` these values; all of them, where one is a collation that does not show. */
export function settingNames(
  values: readonly (readonly [name: string, value: string])[],
): string[] {
  // Should the two differ, the number of the one for results may be that of several.
  const named = values
    .filter(([name, value]) => isCollation(name, value))
    .map(([, value]) => value)
    .at(-1);
  const singly = values
    .filter(([, value]) => value !== named)
    .map(([name, value]) => assigned(name, isCollation(name, value) ? charsetIn(value) : value));
  return named === undefined ? singly : [`NAMES ${named}`, ...singly];
}

function isCollation(name: string, value: string): boolean {
  return (name === RESULTS || name === CLIENT) && value.includes(COLLATE);
}

/** Of a value that may tell a collation, the name of the character set as SQL writes it. */
export function charsetIn(value: string): string {
  const at = value.indexOf(COLLATE);
  return at < 0 ? value : value.slice(0, at);
}

const COLLATE = ' COLLATE ';

/** A name that means the same whatever `sql_mode` is. */
export function quoted(name: string): string {
  return `\`${name.replaceAll('`', '``')}\``;
}
