import { SQL } from 'bun';
import type { Clock } from '../../../base/clock.ts';
import type { Login } from '../../../api/secretsmanager/rotator.ts';
import type { DatabaseSettings } from '../../settings/settings.ts';
import { readClientFiles } from '../../tls-material.ts';

export type SqlRow = Readonly<Record<string, unknown>>;

/** Asks a database; each call is one statement. Values are for the statement's own parameters. */
export type Ask = (sql: string, values?: readonly string[]) => Promise<readonly SqlRow[]>;

/** All of it together. */
export const TIMEOUT_MS = 20_000;
const CONNECT_TIMEOUT_S = 5;
/** Everybody may connect to these. */
const USUAL_DATABASE = { POSTGRESQL: 'postgres', MYSQL: 'information_schema' } as const;

/** Does the work on a connection of its own. Rejects with the database's words, or where it takes too long. */
export async function withSqlClient<Result>(
  database: DatabaseSettings,
  { username, password }: Login,
  clock: Clock,
  work: (ask: Ask) => Promise<Result>,
): Promise<Result> {
  const family = database.engineFamily === 'MYSQL' ? 'MYSQL' : 'POSTGRESQL';
  const { host, port, tlsMode, tlsServerName } = database;
  const name = database.database ?? USUAL_DATABASE[family];
  const scheme = family === 'MYSQL' ? 'mysql' : 'postgres';
  const files = tlsMode === 'disable' ? {} : await readClientFiles(database);
  const client = new SQL({
    adapter: family === 'MYSQL' ? 'mysql' : 'postgres',
    // Bun takes what is not said here from DATABASE_URL, PGOPTIONS and their like; of these words it takes `sslmode` only here.
    url: `${scheme}://${host.includes(':') ? `[${host}]` : host}:${port}/?sslmode=${tlsMode}`,
    username,
    password: password.reveal(),
    database: name,
    ...(tlsMode === 'disable' ? { tls: false } : { tls: { serverName: tlsServerName, ...files } }),
    ...(family === 'MYSQL' ? { allowPublicKeyRetrieval: true } : { connection: { options: '' } }),
    connectionTimeout: CONNECT_TIMEOUT_S,
    max: 1,
  });
  const ask: Ask = async (sql, values = []) => await client.unsafe<SqlRow[]>(sql, [...values]);
  try {
    return await inTime(clock, work(ask));
  } finally {
    await client.close({ timeout: 0 });
  }
}

/** Rejects where the work takes too long. */
export async function inTime<Result>(clock: Clock, work: Promise<Result>): Promise<Result> {
  const late = Promise.withResolvers<never>();
  const stop = clock.after(TIMEOUT_MS, () =>
    late.reject(new Error(`the database did not answer within ${TIMEOUT_MS / 1_000} s`)),
  );
  try {
    return await Promise.race([work, late.promise]);
  } finally {
    stop();
  }
}
