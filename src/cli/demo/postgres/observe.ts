import { z } from 'zod';
import type { Clock } from '../../../base/clock.ts';
import type { EmbeddedServer } from '../../embedded-server.ts';
import { DATABASE } from '../database.ts';
import { pause } from '../pause.ts';
import { Connection } from './connection.ts';

const ASK_EVERY_MS = 20;

/** Everybody but the one who asks. Who is in the midst of the TLS handshake is not in the list yet. */
const CLIENTS = `
  SELECT count(*)::int FROM pg_stat_activity
  WHERE backend_type = 'client backend' AND pid <> pg_backend_pid()`;

/**
 * `peak_clients` looks every 20 ms until it is told to stop, and returns the highest number of clients. It does so inside
 * the database, since hundreds of handshakes keep this process too busy to look that often.
 */
const SCHEMA = `
  CREATE TABLE observed (route text);
  CREATE FUNCTION peak_clients(of_route text) RETURNS int LANGUAGE plpgsql AS $$
  DECLARE
    peak int := 0;
  BEGIN
    WHILE NOT EXISTS (SELECT FROM observed WHERE route = of_route) LOOP
      PERFORM pg_stat_clear_snapshot();
      peak := greatest(peak, (${CLIENTS}));
      PERFORM pg_sleep(0.02);
    END LOOP;
    RETURN peak;
  END $$;
`;

/** Opens a superuser's connection, for which PostgreSQL keeps room. To be disposed of. */
export async function openObserver(server: EmbeddedServer, certPem: string): Promise<Connection> {
  await server.query(SCHEMA, DATABASE);
  const { host, port, superuser: user, superuserPassword: password } = server;
  return await Connection.open({ host, port, database: DATABASE, user, password, certPem });
}

/** Runs `work` and tells how many clients the database had at most meanwhile, the observer aside. */
export async function peakDuring<T>(
  route: string,
  server: EmbeddedServer,
  { observer: { sql }, work }: { readonly observer: Connection; readonly work: () => Promise<T> },
): Promise<readonly [T, number]> {
  const observedWork = async (): Promise<T> => {
    try {
      return await work();
    } finally {
      await server.query(`INSERT INTO observed VALUES ('${route}')`, DATABASE);
    }
  };
  return await Promise.all([observedWork(), numberIn(sql`SELECT peak_clients(${route}) AS count`)]);
}

/** Resolves when the database has no other client left. */
export async function untilAlone({ sql }: Connection, clock: Clock): Promise<void> {
  while ((await numberIn(sql.unsafe(CLIENTS))) > 0) await pause(clock, ASK_EVERY_MS);
}

/** How many invocations left their row behind on this route. */
export async function rowsOf(route: string, { sql }: Connection): Promise<number> {
  return await numberIn(sql`SELECT count(*)::int FROM orders WHERE route = ${route}`);
}

const rowsWithCount = z.tuple([z.object({ count: z.int() })]);

async function numberIn(answer: PromiseLike<unknown>): Promise<number> {
  return rowsWithCount.parse(await answer)[0].count;
}
