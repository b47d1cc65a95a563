import { limits } from '../../base/limits.ts';
import type { Principal } from '../../core/engine.ts';
import type { StartupMessage } from '../../wire/postgres/startup.ts';
import type { Realm, Realms } from './realm.ts';
import { readOptions } from './startup-options.ts';

/** A signed-in PostgreSQL client: connections are shared among equal users and databases. */
export interface PostgresPrincipal extends Principal {
  readonly database: string;
  /** Start-up parameters that only a connection of one's own can have. */
  readonly parameters: ReadonlyMap<string, string>;
  /** The other start-up parameters, by names in lower case: every connection that the client gets is brought to them. */
  readonly wishes: ReadonlyMap<string, string>;
  /** Wishes that only the database can put into its own words, and a key for the set of them. */
  readonly questions: readonly (readonly [name: string, value: string])[];
  readonly questionsKey: string;
  readonly realm: Realm;
}

/** The name that goes into pg_stat_activity; many clients give one, and some each its own: it is not asked about. */
export const NAME = 'application_name';
export const PLAIN_NAME = /^[ -~]{0,63}$/;

/** What is read once, as a connection begins, or decides who one is. */
const onlyAtStart: readonly string[] = [
  'ignore_system_indexes',
  'jit_debugging_support',
  'jit_profiling_support',
  'local_preload_libraries',
  'log_connections',
  'log_disconnections',
  'post_auth_delay',
  'role',
  'session_authorization',
  'session_preload_libraries',
];

/** Who connects for each request says the same each time: it is read once. */
export function principalOf(startup: StartupMessage, realms: Realms): PostgresPrincipal {
  const known = realms.acquaintances.get(startup.key);
  if (known !== undefined) return known.who;
  const who = read(startup, realms);
  if (realms.acquaintances.size >= limits.knownPrincipals.value) realms.acquaintances.clear();
  realms.acquaintances.set(startup.key, { startup, who });
  return who;
}

function read(startup: StartupMessage, realms: Realms): PostgresPrincipal {
  const { user } = startup;
  const parameters = new Map<string, string>();
  const wishes = new Map<string, string>();
  const take = (name: string, value: string): void => {
    const setting = name.toLowerCase();
    (onlyAtStart.includes(setting) ? parameters : wishes).set(setting, value);
  };
  const options = startup.parameters.get('options');
  if (options !== undefined) {
    const settings = readOptions(options);
    if (settings === undefined) parameters.set('options', options);
    // Parameters of their own count more, wherever they stand.
    for (const [name, value] of settings ?? []) take(name, value);
  }
  for (const [name, value] of startup.parameters) {
    if (!['user', 'database', 'options', 'replication'].includes(name)) take(name, value);
  }
  const named = startup.parameters.get('database') ?? '';
  return makePrincipal(user, named === '' ? user : named, { parameters, wishes, realms });
}

export function makePrincipal(
  user: string,
  database: string,
  parts: {
    parameters: ReadonlyMap<string, string>;
    wishes: ReadonlyMap<string, string>;
    realms: Realms;
  },
): PostgresPrincipal {
  const poolKey = JSON.stringify([user, database, ...sorted(parts.parameters)]);
  const wishes = sorted(parts.wishes);
  const questions = wishes.filter(([name, value]) => name !== NAME || !PLAIN_NAME.test(value));
  return {
    user,
    database,
    poolKey,
    parameters: parts.parameters,
    wishes: new Map(wishes),
    questions,
    questionsKey: JSON.stringify(questions),
    realm: parts.realms.of(poolKey),
  };
}

/** As the server has it. */
const NAME_BYTES = 63;

/** The same client with its address behind its name, in the words of PgBouncer; where both are too long, the name is cut. */
export function withAddress(
  who: PostgresPrincipal,
  address: string | undefined,
): PostgresPrincipal {
  if (address === undefined) return who;
  const given = who.wishes.get(NAME) ?? '';
  // Other characters come to the server by another way than the rest, and are shown as question marks by many versions.
  const name = (given === '' ? 'app' : given).replaceAll(/[^ -~]/g, '?');
  const behind = ` - ${address}`;
  const shown = name.slice(0, Math.max(0, NAME_BYTES - behind.length)) + behind;
  const questions = who.questions.filter(([setting]) => setting !== NAME);
  return {
    ...who,
    wishes: new Map(who.wishes).set(NAME, shown.slice(0, NAME_BYTES)),
    questions,
    questionsKey: JSON.stringify(questions),
  };
}

function sorted(map: ReadonlyMap<string, string>): [name: string, value: string][] {
  return [...map].sort(([a], [b]) => (a < b ? -1 : 1));
}
