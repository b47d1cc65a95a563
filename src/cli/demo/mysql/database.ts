import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { must } from '../../../base/assert.ts';
import type { DemoDatabase, Surroundings } from '../database.ts';
import {
  DATABASE,
  MAX_CONNECTIONS,
  newPasswords,
  PASSWORD_USER,
  PRODUCTS,
  TOKEN_USER,
} from '../database.ts';
import { buildFunction, schemaPath } from './functions.ts';
import { peakDuring, rowsOf, untilAlone } from './observe.ts';
import { directRoute, proxiedRoute } from './routes.ts';
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
  const home = { program: await buildFunction(directory), path: env['PATH'] ?? '' };
  const passwords = newPasswords(random);
  const users = Object.entries(passwords).map(([name, password]) => ({ name, password }));
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
    passwords,
    certPem,
    directRoute: () => directRoute(home, { port, certPath }, passwords[TOKEN_USER]),
    proxiedRoute: (proxy) => proxiedRoute(home, proxy),
    peakDuring: (_, work) => peakDuring(server, work),
    rowsOf: (route) => rowsOf(route, server),
    untilAlone: () => untilAlone(server, clock),
    [Symbol.asyncDispose]: () => held.disposeAsync(),
  };
}

async function schema(): Promise<string> {
  const products = Array.from({ length: PRODUCTS }, (_, at) => `(${at + 1}, ${100 * (at + 1)})`);
  const grants = [PASSWORD_USER, TOKEN_USER].map(
    (user) => `GRANT SELECT, INSERT ON ${DATABASE}.* TO ${user};`,
  );
  return `
    CREATE DATABASE ${DATABASE};
    USE ${DATABASE};
    ${await readFile(schemaPath, 'utf8')}
    REPLACE INTO products (id, cents) VALUES ${products.join(', ')};
    ${grants.join('\n')}`;
}
