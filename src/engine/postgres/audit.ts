import { text } from '../../base/bytes.ts';
import type { PinReason } from '../../core/pin.ts';
import { literal } from './state.ts';

/** Reasons whose cause the database can be asked about. */
export const probes = {
  temporaryObject: `pg_catalog.pg_my_temp_schema() <> 0 and exists (select from pg_catalog.pg_depend
 where refclassid = 'pg_catalog.pg_namespace'::pg_catalog.regclass and refobjid = pg_catalog.pg_my_temp_schema())`,
  listen: 'exists (select from pg_catalog.pg_listening_channels())',
  sessionLock: `exists (select from pg_catalog.pg_locks where locktype = 'advisory' and pid = pg_catalog.pg_backend_pid())`,
  heldCursor: 'exists (select from pg_catalog.pg_cursors where is_holdable)',
} as const satisfies Partial<Record<PinReason, string>>;

export type Probed = keyof typeof probes;

export function isProbed(reason: PinReason): reason is Probed {
  return reason in probes;
}

/** What is asked of the database between two requests, in one query. */
export interface AuditQuestions {
  /** Settings whose values are wanted, in lower case. */
  readonly settings: readonly string[];
  /** Those among them that are known to be made up: the server has no list of these, and asking for it costs. */
  readonly madeUp: ReadonlySet<string>;
  /** All settings that the server knows and the session has changed are wanted, too. */
  readonly allKnown: boolean;
  readonly reasons: readonly Probed[];
  /** Those that were made up and have been set, perhaps to nothing: others are not set where they are empty. */
  readonly mayBeEmpty: ReadonlySet<string>;
  /** The database speaks another encoding than UTF-8: values come in hexadecimal digits. */
  readonly inHex: boolean;
}

export interface AuditAnswers {
  /** The value of each setting that was asked for; undefined where the session has not set it. */
  readonly settings: ReadonlyMap<string, string | undefined>;
  /** Settings that the server does not know. */
  readonly madeUp: readonly string[];
  /** Which of the reasons hold. */
  readonly reasons: ReadonlySet<Probed>;
}

/** Who the session is has no source. */
const identity: readonly string[] = ['role', 'session_authorization'];

export function auditQuery(questions: AuditQuestions): string {
  const { settings, reasons, allKnown, inHex } = questions;
  const columns = settings.map((name) => `pg_catalog.current_setting(${literal(name)}, true)`);
  const listed = listedOf(questions);
  if (allKnown) columns.push(jsonOf('pg_catalog.current_setting(name)', `source = 'session'`));
  else if (listed.length > 0) {
    const condition = `pg_catalog.lower(name) in (${listed.map(literal).join(', ')})`;
    columns.push(
      jsonOf(`case source when 'session' then pg_catalog.current_setting(name) end`, condition),
    );
  }
  const values = inHex ? columns.map(hexOf) : columns;
  return `select ${[...values, ...reasons.map((reason) => probes[reason])].join(', ')}`;
}

function hexOf(value: string): string {
  return `pg_catalog.encode(pg_catalog.convert_to((${value})::pg_catalog.text, 'UTF8'), 'hex')`;
}

/** Settings that the server's own list is to be asked about. */
function listedOf({ settings, madeUp }: AuditQuestions): readonly string[] {
  return settings.filter((name) => !identity.includes(name) && !madeUp.has(name));
}

function jsonOf(value: string, condition: string): string {
  return `(select pg_catalog.json_object_agg(pg_catalog.lower(name), ${value})
 from pg_catalog.pg_settings where ${condition})`;
}

/** Reads the one row that answers. `login` is the user that the connection has signed in as. */
export function readAudit(
  questions: AuditQuestions,
  row: readonly (string | null)[],
  login: string,
): AuditAnswers {
  const { settings: names, allKnown, reasons, inHex } = questions;
  const hasList = allKnown || listedOf(questions).length > 0;
  const valueAt = (index: number): string | null => {
    const value = row[index] ?? null;
    return inHex && value !== null ? text(Buffer.from(value, 'hex')) : value;
  };
  const list = hasList ? readObject(valueAt(names.length)) : new Map<string, string | null>();
  const settings = new Map<string, string | undefined>();
  const madeUp: string[] = [];
  if (allKnown) for (const [name, value] of list) settings.set(name, value ?? undefined);
  for (const [index, name] of names.entries()) {
    const value = valueAt(index);
    if (identity.includes(name)) {
      const unset = name === 'role' ? 'none' : login;
      settings.set(name, value === null || value === unset ? undefined : value);
    } else if (list.has(name)) settings.set(name, list.get(name) ?? undefined);
    else {
      // A made-up setting that is not set any more is empty.
      const isSet = value !== null && (value !== '' || questions.mayBeEmpty.has(name));
      settings.set(name, name.includes('.') && isSet ? value : undefined);
      if (!allKnown && value !== null) madeUp.push(name);
    }
  }
  const answers = row.slice(names.length + (hasList ? 1 : 0));
  return {
    settings,
    madeUp,
    reasons: new Set(reasons.filter((_, index) => answers[index] === 't')),
  };
}

function readObject(json: string | null): ReadonlyMap<string, string | null> {
  const object = new Map<string, string | null>();
  const value: unknown = json === null ? {} : JSON.parse(json);
  if (typeof value !== 'object' || value === null) return object;
  for (const [key, one] of Object.entries(value)) {
    object.set(key, typeof one === 'string' ? one : null);
  }
  return object;
}
