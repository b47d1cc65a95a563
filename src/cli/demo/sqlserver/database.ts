import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import type { Clock } from '../../../base/clock.ts';
import type { Random } from '../../../base/random.ts';
import { bracketed } from '../../../engine/sqlserver/state.ts';
import { sayAddress } from '../../../net/wording.ts';
import type { DatabaseTls, DemoDatabase, Surroundings } from '../database.ts';
import { MAX_CONNECTIONS } from '../database.ts';
import { buildFunction, productRows, schemaPath } from '../function/functions.ts';
import { directRoute, proxiedRoute } from '../function/routes.ts';
import { pause } from '../pause.ts';
import type { Login } from './connection.ts';
import { Connection } from './connection.ts';
import { Observer } from './observe.ts';
import type { GivenServer } from './options.ts';

const TABLES = ['orders', 'products'] as const;
const DROP_EVERY_MS = 250;
/** Whoever has been killed is noticed by the server in its own time. */
const DROP_PATIENCE_MS = 10_000;

/** Makes the tables at the user's own server, and the function ready that is to use them. What it has made there it takes away. */
export async function openSqlServerDatabase(
  server: GivenServer,
  { clock, env, random }: Surroundings,
): Promise<DemoDatabase> {
  await using cleanup = new AsyncDisposableStack();
  const directory = await mkdtemp(join(tmpdir(), 'sluice-demo-function-'));
  cleanup.defer(() => rm(directory, { recursive: true, force: true }));
  const program = await buildFunction(directory);
  const { host, port, user, password } = server;
  const caPem = server.tlsCaFile && (await readFile(server.tlsCaFile, 'utf8'));
  const login = { host, port, user, password, tls: server.tls, caPem, database: undefined };
  const stage = { clock, random };
  const door = cleanup.use(await open({ ...login, database: server.database }, stage));
  const database = server.database ?? `sluice_demo_${Buffer.from(random.bytes(4)).toString('hex')}`;
  if (server.database === undefined) {
    await make(door, database);
    cleanup.defer(() => drop(login, database, stage));
  }
  const observed = cleanup.use(await open({ ...login, database }, stage));
  if (server.database !== undefined) {
    await expectNone(observed, database);
    cleanup.defer(() => dropTables({ ...login, database }, stage));
  }
  await makeTables(observed);
  const observer = await Observer.of(observed, door, clock);
  const account = { user, password };
  const home = { program, path: env['PATH'] ?? '', dialect: 'mssql', user, database } as const;
  const tls = tlsOf(server, observed, caPem);
  const place = {
    host,
    port,
    certPath: server.tlsCaFile && resolve(server.tlsCaFile),
    tls: ways[tls.mode],
  };
  const product =
    String(await observed.value('SELECT @@VERSION'))
      .split('\n')[0]
      ?.trim() ?? '';
  const held = cleanup.move();
  return {
    origin: `${product}${observed.isEncrypted ? '' : ', without TLS'}`,
    host,
    port,
    name: database,
    tls,
    accounts: { byPassword: account, byToken: account },
    // As though it were one of those that the others are: what a real one grants are thousands.
    maxConnections: MAX_CONNECTIONS,
    directRoute: () => directRoute(home, place, password),
    proxiedRoute: (proxy) => proxiedRoute(home, proxy),
    peakDuring: (_, work) => observer.peakDuring(work),
    rowsOf: (route) => observer.rowsOf(route),
    untilAlone: () => observer.untilAlone(),
    [Symbol.asyncDispose]: () => held.disposeAsync(),
  };
}

/** As the function calls them. */
const ways = { 'verify-full': undefined, require: 'trust', disable: 'off' } as const;

/** What `prefer` has come to is what all others are to do. */
function tlsOf(
  { tls }: GivenServer,
  { isEncrypted }: Connection,
  certPem: string | undefined,
): DatabaseTls {
  if (tls === 'verify-full') return { mode: 'verify-full', certPem };
  return { mode: isEncrypted ? 'require' : 'disable' };
}

interface Stage {
  readonly clock: Clock;
  readonly random: Random;
}

async function open(login: Login, stage: Stage): Promise<Connection> {
  try {
    return await Connection.open(login, stage);
  } catch (problem) {
    const place = sayAddress(login.host, login.port);
    throw new Error(`the server at ${place} does not let us in: ${words(problem)}`, {
      cause: problem,
    });
  }
}

async function make(door: Connection, database: string): Promise<void> {
  try {
    await door.query(`CREATE DATABASE ${bracketed(database)}`);
  } catch (problem) {
    throw new Error(
      `no database can be made there: ${words(problem)}\n` +
        'Give one with --database where this user may make and drop tables.',
      { cause: problem },
    );
  }
}

async function expectNone(connection: Connection, database: string): Promise<void> {
  for (const table of TABLES) {
    if ((await connection.value(`SELECT OBJECT_ID('${table}')`)) !== undefined)
      throw new Error(
        `the database ${database} has something called ${table} already, which is not to be touched: ` +
          'give another one with --database, or none',
      );
  }
}

async function makeTables(connection: Connection): Promise<void> {
  await connection.query(await readFile(schemaPath('mssql'), 'utf8'));
  await connection.query(
    `DELETE FROM products; INSERT INTO products (id, cents) VALUES ${productRows()}`,
  );
}

/** Its own connection is anybody's: the one that we have may be what has failed. */
async function dropTables(login: Login, stage: Stage): Promise<void> {
  await using connection = await open(login, stage);
  for (const table of TABLES) await connection.query(`DROP TABLE IF EXISTS ${table}`);
}

/** Rejects where it cannot be dropped, and says what is left behind. */
async function drop(login: Login, database: string, stage: Stage): Promise<void> {
  const { clock } = stage;
  const untilMs = clock.nowMs() + DROP_PATIENCE_MS;
  await using connection = await open(login, stage);
  for (;;) {
    try {
      await connection.query(`DROP DATABASE ${bracketed(database)}`);
      return;
    } catch (problem) {
      if (clock.nowMs() > untilMs)
        throw new Error(`the database ${database} could not be dropped: ${words(problem)}`, {
          cause: problem,
        });
    }
    await pause(clock, DROP_EVERY_MS);
  }
}

function words(problem: unknown): string {
  return problem instanceof Error ? problem.message : String(problem);
}
