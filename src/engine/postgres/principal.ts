import type { Principal } from '../../core/engine.ts';
import type { StartupMessage } from '../../wire/postgres/startup.ts';

/** A signed-in PostgreSQL client: connections are shared among equal users, databases and start-up parameters. */
export interface PostgresPrincipal extends Principal {
  readonly database: string;
  /** The start-up parameters beyond user and database, as the client sent them: the server applies them as its RESET defaults. */
  readonly parameters: ReadonlyMap<string, string>;
}

export function principalOf(startup: StartupMessage): PostgresPrincipal {
  const parameters = new Map(startup.parameters);
  parameters.delete('user');
  const named = parameters.get('database') ?? '';
  parameters.delete('database');
  const { user } = startup;
  return makePrincipal(user, named === '' ? user : named, parameters);
}

export function makePrincipal(
  user: string,
  database: string,
  parameters: ReadonlyMap<string, string>,
): PostgresPrincipal {
  const sorted = [...parameters].sort(([a], [b]) => (a < b ? -1 : 1));
  return { user, database, parameters, poolKey: JSON.stringify([user, database, ...sorted]) };
}
