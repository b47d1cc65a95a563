import { systemRandom } from '../../src/base/random.ts';
import { SecretText } from '../../src/base/secret-text.ts';
import { cacheFolder } from '../../src/cli/debian-packages.ts';
import { startEmbeddedMysql } from '../../src/cli/embedded-mysql.ts';
import type { Line } from '../support/line.ts';
import { DATABASE, USER } from '../support/line.ts';
import { IDS, TABLE } from './load/statements.ts';

/** The databases that this benchmark can have behind the poolers, and where they come from. */
const releases = { mysql: 'mysql', mariadb: 'mariadb-11.8' } as const;
export type Server = keyof typeof releases;
export const servers: readonly Server[] = ['mysql', 'mariadb'];

/** HAProxy brings each client, and there are 5 000 that do nothing. */
const MAX_CONNECTIONS = 8_000;

/** The database that all poolers stand in front of. */
export interface BenchDatabase extends Line, AsyncDisposable {
  readonly version: string;
}

/** Durability costs the same behind every pooler, and a disk's time is nobody's that is measured here. */
const settings = {
  'max-connect-errors': '1000000',
  'max-prepared-stmt-count': '1000000',
  'back-log': '4096',
  'thread-cache-size': '300',
  'innodb-buffer-pool-size': '256M',
};
const settingsOf = {
  mysql: { ...settings, 'innodb-redo-log-capacity': '1G' },
  // As MySQL: a transaction that comes second waits for the first, and does not fail.
  mariadb: { ...settings, 'innodb-snapshot-isolation': 'OFF', 'innodb-log-file-size': '1G' },
} as const;

/** Starts a server and fills a table, which then fits in its memory. To be disposed of. */
export async function startDatabase(server: Server, signal: AbortSignal): Promise<BenchDatabase> {
  const password = new SecretText(Buffer.from(systemRandom.bytes(18)).toString('base64url'));
  const database = await startEmbeddedMysql({
    release: releases[server],
    cache: cacheFolder(process.env),
    maxConnections: MAX_CONNECTIONS,
    tls: true,
    users: [{ name: USER, password }],
    databases: [DATABASE],
    settings: settingsOf[server],
    signal,
  });
  const { host, port, version } = database;
  try {
    await database.query(script(), DATABASE);
  } catch (problem) {
    await database.destroy();
    throw problem;
  }
  const line = { host, port, user: USER, database: DATABASE, password, tls: false };
  return { ...line, version, [Symbol.asyncDispose]: () => database.destroy() };
}

function script(): string {
  const digits = Array.from('0123456789', (digit) => `SELECT ${digit} AS d`).join(' UNION ALL ');
  const places = Array.from(String(IDS.count - 1), (_, place) => `${10 ** place} * p${place}.d`);
  const tables = places.map((_, place) => `digit p${place}`);
  return [
    `GRANT ALL ON *.* TO ${USER}`,
    `CREATE TABLE digit AS ${digits}`,
    `CREATE TABLE ${TABLE} (id INT PRIMARY KEY, balance INT NOT NULL, filler CHAR(84) NOT NULL)`,
    `INSERT INTO ${TABLE} SELECT ${IDS.first} + ${places.join(' + ')}, 0, '' FROM ${tables.join(', ')}`,
    `ANALYZE TABLE ${TABLE}`,
  ].join(';\n');
}
