import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { must } from '../../../base/assert.ts';
import type { DemoDatabase, Surroundings } from '../database.ts';
import {
  DATABASE,
  MAX_CONNECTIONS,
  newAccounts,
  PASSWORD_USER,
  TOKEN_USER,
  usersOf,
} from '../database.ts';
import { buildFunction, productRows, schemaPath } from '../function/functions.ts';
import { directRoute, proxiedRoute } from '../function/routes.ts';
import { HOSTNAME } from '../proxy.ts';
import { peakDuring, rowsOf, untilAlone } from './observe.ts';
import type { MysqlKind } from './server.ts';
import { startServer } from './server.ts';

/** Hundreds sign in at the same time, perhaps on one slow core. */
const settings = { 'connect-timeout': '300', 'back-log': '1000' };

/** Starts MySQL or MariaDB, and makes the function ready that is to use it. */
export async function startMysqlDatabase(
  kind: MysqlKind,
  surroundings: Surroundings,
): Promise<DemoDatabase> {
  const { clock, env, random } = surroundings;
  await using cleanup = new AsyncDisposableStack();
  const directory = await mkdtemp(join(tmpdir(), 'sluice-demo-function-'));
  cleanup.defer(() => rm(directory, { recursive: true, force: true }));
  const home = {
    program: await buildFunction(directory),
    path: env['PATH'] ?? '',
    dialect: 'mysql',
    user: TOKEN_USER,
    database: DATABASE,
  } as const;
  const accounts = newAccounts(random);
  const users = usersOf(accounts);
  const options = { maxConnections: MAX_CONNECTIONS, tls: true, users, settings, random };
  const { server, origin } = await startServer(kind, surroundings, options);
  cleanup.defer(() => server.destroy());
  await server.query(await schema());
  const { host, port } = server;
  const certPem = must(server.certPem, 'the database has no certificate');
  const certPath = join(directory, 'database.crt');
  await writeFile(certPath, certPem);
  const held = cleanup.move();
  return {
    origin,
    host,
    port,
    name: DATABASE,
    accounts,
    tls: { mode: 'verify-full', certPem },
    directRoute: () =>
      directRoute(home, { host: HOSTNAME, port, certPath }, accounts.byToken.password),
    proxiedRoute: (proxy) => proxiedRoute(home, proxy),
    peakDuring: (_, work) => peakDuring(server, work),
    rowsOf: (route) => rowsOf(route, server),
    untilAlone: () => untilAlone(server, clock),
    [Symbol.asyncDispose]: () => held.disposeAsync(),
  };
}

async function schema(): Promise<string> {
  const grants = [PASSWORD_USER, TOKEN_USER].map(
    (user) => `GRANT SELECT, INSERT ON ${DATABASE}.* TO ${user};`,
  );
  return `
    CREATE DATABASE ${DATABASE};
    USE ${DATABASE};
    ${await readFile(schemaPath('mysql'), 'utf8')}
    REPLACE INTO products (id, cents) VALUES ${productRows()};
    ${grants.join('\n')}`;
}
