import { z } from 'zod';
import type { Clock } from '../../../base/clock.ts';
import type { MysqlServer } from '../../embedded-mysql.ts';
import type { RouteName } from '../database.ts';
import { DATABASE, MAX_CONNECTIONS } from '../database.ts';
import { pause } from '../pause.ts';

const ASK_EVERY_MS = 20;

/** Runs `work` and tells how many clients the server had at most meanwhile: it counts them itself. */
export async function peakDuring<T>(
  server: MysqlServer,
  work: () => Promise<T>,
): Promise<readonly [T, number]> {
  await server.query(forgetPeak(server));
  const outcome = await work();
  const { Max_used_connections: most, Threads_connected: now } = await connections(server);
  // Where there were never more than now, the one who asks is among them. And one more than there may be is let in for
  // administrators, so that it is counted before it is known to be none.
  return [outcome, Math.min(most === now ? most - 1 : most, MAX_CONNECTIONS)];
}

/** Resolves when the server has no other client left than the one who asks. */
export async function untilAlone(server: MysqlServer, clock: Clock): Promise<void> {
  while ((await connections(server)).Threads_connected > 1) await pause(clock, ASK_EVERY_MS);
}

/** How many invocations left their row behind on this route. */
export async function rowsOf(route: RouteName, server: MysqlServer): Promise<number> {
  const sql = `SELECT COUNT(*) AS count FROM orders WHERE request LIKE '${route}-%'`;
  return rowsWithCount.parse(await server.query(sql, DATABASE))[0].count;
}

const rowsWithCount = z.tuple([z.object({ count: z.coerce.number().int() })]);

/** From MariaDB 11.5 on, `FLUSH STATUS` means the session's own. */
function forgetPeak({ isMariadb, version }: MysqlServer): string {
  const [major = 0, minor = 0] = version.split('.').map(Number);
  const ofSession = isMariadb && (major > 11 || (major === 11 && minor >= 5));
  return ofSession ? 'FLUSH GLOBAL STATUS' : 'FLUSH STATUS';
}

const counts = z.object({
  Max_used_connections: z.coerce.number().int(),
  Threads_connected: z.coerce.number().int(),
});

async function connections(server: MysqlServer): Promise<z.infer<typeof counts>> {
  const names = Object.keys(counts.shape).map((name) => `'${name}'`);
  const rows = await server.query(
    `SHOW GLOBAL STATUS WHERE Variable_name IN (${names.join(', ')})`,
  );
  return counts.parse(Object.fromEntries(rows.map((row) => [row['Variable_name'], row['Value']])));
}
