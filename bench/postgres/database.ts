import { must } from '../../src/base/assert.ts';
import { systemRandom } from '../../src/base/random.ts';
import { SecretText } from '../../src/base/secret-text.ts';
import { startEmbeddedPostgres } from '../../src/cli/embedded-postgres.ts';
import type { Line } from '../support/line.ts';
import { DATABASE, USER } from '../support/line.ts';
import { pgbench } from './pgbench.ts';

/** A million rows. */
const SCALE = 10;
/** For 200 clients without a pooler, and the connections of several poolers. */
const MAX_CONNECTIONS = 320;

/** The database that all poolers stand in front of. */
export interface BenchDatabase extends Line, AsyncDisposable {
  readonly version: string;
  /** What the database has stored of the password. */
  readonly scramSecret: SecretText;
}

/** Starts PostgreSQL and fills it with pgbench's tables, which then fit in its memory. To be disposed of. */
export async function startDatabase(signal: AbortSignal): Promise<BenchDatabase> {
  await using cleanup = new AsyncDisposableStack();
  const password = new SecretText(Buffer.from(systemRandom.bytes(18)).toString('base64url'));
  const server = await startEmbeddedPostgres({
    maxConnections: MAX_CONNECTIONS,
    users: [{ name: USER, password }],
    databases: [DATABASE],
    settings: { shared_buffers: '256MB', autovacuum: 'off', max_wal_size: '4GB' },
    signal,
  });
  cleanup.defer(() => server.destroy());
  await server.query(`ALTER DATABASE ${DATABASE} OWNER TO ${USER}`);
  const { host, port, version } = server;
  const line = { host, port, user: USER, database: DATABASE, password, tls: false };
  await pgbench(['--initialize', '--quiet', `--scale=${SCALE}`], line, { signal });
  await server.query('CHECKPOINT');
  const [row] = await server.query(`SELECT rolpassword FROM pg_authid WHERE rolname = '${USER}'`);
  const scramSecret = new SecretText(String(must(row, 'the user is gone')['rolpassword']));
  const held = cleanup.move();
  return {
    ...{ ...line, version, scramSecret },
    [Symbol.asyncDispose]: () => held.disposeAsync(),
  };
}
