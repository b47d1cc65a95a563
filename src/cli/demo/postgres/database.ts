import { must } from '../../../base/assert.ts';
import { startEmbeddedPostgres } from '../../embedded-postgres.ts';
import type { DemoDatabase, Surroundings } from '../database.ts';
import {
  DATABASE,
  MAX_CONNECTIONS,
  newAccounts,
  PASSWORD_USER,
  PRODUCTS,
  TOKEN_USER,
  usersOf,
} from '../database.ts';
import { openObserver, peakDuring, rowsOf, untilAlone } from './observe.ts';
import { directRoute, proxiedRoute } from './routes.ts';

/** Starts PostgreSQL's newest version, which npm has. */
export async function startPostgresDatabase({
  clock,
  random,
}: Surroundings): Promise<DemoDatabase> {
  await using cleanup = new AsyncDisposableStack();
  const accounts = newAccounts(random);
  const server = await startEmbeddedPostgres({
    maxConnections: MAX_CONNECTIONS,
    tls: true,
    users: usersOf(accounts),
    databases: [DATABASE],
    // Its own limit of a minute is too short where hundreds sign in on one slow core.
    settings: { authentication_timeout: '10min' },
    random,
  });
  cleanup.defer(() => server.destroy());
  await server.query(schema, DATABASE);
  const { host, port, version } = server;
  const certPem = must(server.certPem, 'the database has no certificate');
  const observer = cleanup.use(await openObserver(server, certPem));
  const held = cleanup.move();
  return {
    origin: `PostgreSQL ${version} from npm`,
    host,
    port,
    name: DATABASE,
    accounts,
    tls: { mode: 'verify-full', certPem },
    directRoute: async () => directRoute({ host, port, certPem }, accounts, clock),
    proxiedRoute: async (proxy) => proxiedRoute(proxy, accounts, clock),
    peakDuring: (route, work) => peakDuring(route, server, { observer, work }),
    rowsOf: (route) => rowsOf(route, observer),
    untilAlone: () => untilAlone(observer, clock),
    [Symbol.asyncDispose]: () => held.disposeAsync(),
  };
}

const schema = `
  CREATE TABLE products (id int PRIMARY KEY, cents int NOT NULL);
  INSERT INTO products SELECT id, 100 * id FROM generate_series(1, ${PRODUCTS}) AS id;
  CREATE TABLE orders (
    route text, invocation int, cents int NOT NULL, PRIMARY KEY (route, invocation)
  );
  GRANT SELECT ON products TO ${PASSWORD_USER}, ${TOKEN_USER};
  GRANT INSERT, SELECT ON orders TO ${PASSWORD_USER}, ${TOKEN_USER};
`;
