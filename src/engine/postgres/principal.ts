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
  readonly realm: Realm;
}

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

export function principalOf(startup: StartupMessage, realms: Realms): PostgresPrincipal {
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
  return {
    user,
    database,
    poolKey,
    parameters: parts.parameters,
    wishes: new Map(sorted(parts.wishes)),
    realm: parts.realms.of(poolKey),
  };
}

function sorted(map: ReadonlyMap<string, string>): [name: string, value: string][] {
  return [...map].sort(([a], [b]) => (a < b ? -1 : 1));
}
