import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { SQL } from 'bun';
import type { SecretText } from '../../src/base/secret-text.ts';
import type { Surroundings } from '../../src/cli/demo/database.ts';
import { newSecret } from '../../src/cli/demo/database.ts';
import { startServer } from '../../src/cli/demo/mysql/server.ts';
import { cacheFolder } from '../../src/cli/debian-packages.ts';
import { startEmbeddedMysql } from '../../src/cli/embedded-mysql.ts';
import type { MysqlServer } from '../../src/cli/embedded-mysql.ts';
import { startEmbeddedPostgres } from '../../src/cli/embedded-postgres.ts';
import type { EmbeddedServer } from '../../src/cli/embedded-server.ts';

/** The last two are certain releases of MariaDB. */
export const engineNames = [
  'postgres',
  'mysql',
  'mariadb',
  'mariadb-10.11',
  'mariadb-11.8',
] as const;
export type EngineName = (typeof engineNames)[number];

export const DATABASE = 'shop';
/** Whom the function is to the database. */
export const USER = 'app';

/** The shop's database, on a server of its own. */
export interface ShopDatabase {
  /** Such as `PostgreSQL 18.4 from npm`. */
  readonly origin: string;
  readonly server: EmbeddedServer;
  /** As RDS calls it: `postgres`, `mysql`, `mariadb`. */
  readonly engine: 'postgres' | 'mysql' | 'mariadb';
  readonly engineFamily: 'POSTGRESQL' | 'MYSQL';
  /** As the function calls it. */
  readonly dialect: 'postgres' | 'mysql';
  /** The user's, at the start. */
  readonly password: SecretText;
  /** Lets nobody write an order while `work` goes on: whoever has begun one keeps the connection. */
  holdOrders(work: () => Promise<void>): Promise<void>;
  countOrders(): Promise<number>;
}

/** Starts the server; the user `app` may read products and write orders in the database `shop`. */
export function startDatabase(name: EngineName, start: Surroundings): Promise<ShopDatabase> {
  return name === 'postgres' ? startPostgres(start) : startMysql(name, start);
}

async function startPostgres({ random }: Surroundings): Promise<ShopDatabase> {
  const password = newSecret(random);
  const server = await startEmbeddedPostgres({
    tls: true,
    users: [{ name: USER, password }],
    databases: [DATABASE],
    random,
  });
  try {
    await server.query(await schema('schema.postgres.sql'), DATABASE);
    await server.query(`GRANT SELECT, INSERT ON products, orders TO ${USER}`, DATABASE);
  } catch (problem) {
    await server.destroy();
    throw problem;
  }
  return {
    origin: `PostgreSQL ${server.version} from npm`,
    server,
    engine: 'postgres',
    engineFamily: 'POSTGRESQL',
    dialect: 'postgres',
    password,
    holdOrders: (work) =>
      holding(
        server,
        'postgres',
        { begin: 'BEGIN; LOCK TABLE orders IN EXCLUSIVE MODE', end: 'COMMIT' },
        work,
      ),
    countOrders: () => countOrders(server),
  };
}

async function startMysql(
  name: Exclude<EngineName, 'postgres'>,
  start: Surroundings,
): Promise<ShopDatabase> {
  const password = newSecret(start.random);
  const { server, origin } = await startMysqlServer(name, password, start);
  try {
    await server.query(await schema('schema.sql'), DATABASE);
  } catch (problem) {
    await server.destroy();
    throw problem;
  }
  return {
    origin,
    server,
    engine: server.isMariadb ? 'mariadb' : 'mysql',
    engineFamily: 'MYSQL',
    dialect: 'mysql',
    password,
    holdOrders: (work) =>
      holding(server, 'mysql', { begin: 'LOCK TABLES orders WRITE', end: 'UNLOCK TABLES' }, work),
    countOrders: () => countOrders(server),
  };
}

async function startMysqlServer(
  name: Exclude<EngineName, 'postgres'>,
  password: SecretText,
  start: Surroundings,
): Promise<{ readonly server: MysqlServer; readonly origin: string }> {
  const options = {
    tls: true,
    users: [{ name: USER, password }],
    databases: [DATABASE],
    random: start.random,
  };
  if (name === 'mysql' || name === 'mariadb') return await startServer(name, start, options);
  const cache = cacheFolder(start.env);
  const server = await startEmbeddedMysql({ release: name, cache, ...options });
  return { server, origin: `MariaDB ${server.version} from Debian's packages` };
}

function schema(file: string): Promise<string> {
  return readFile(fileURLToPath(new URL(`../lambda-sequelize/${file}`, import.meta.url)), 'utf8');
}

/** A connection of its own, with something at its beginning and its end. */
async function holding(
  { host, port, superuser, superuserPassword }: EmbeddedServer,
  adapter: 'postgres' | 'mysql',
  lock: { readonly begin: string; readonly end: string },
  work: () => Promise<void>,
): Promise<void> {
  await using sql = new SQL({
    adapter,
    url: `${adapter}://${host}:${port}`,
    username: superuser,
    password: superuserPassword.reveal(),
    database: DATABASE,
    tls: false,
    allowPublicKeyRetrieval: true,
    max: 1,
  });
  await sql.unsafe(lock.begin).simple();
  try {
    await work();
  } finally {
    await sql.unsafe(lock.end).simple();
  }
}

async function countOrders(server: EmbeddedServer): Promise<number> {
  const [row] = await server.query('SELECT COUNT(*) AS count FROM orders', DATABASE);
  return Number(row?.['count']);
}
