import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { systemRandom } from '../../src/base/random.ts';
import { SecretText } from '../../src/base/secret-text.ts';
import type { Certificate } from '../../src/net/certificate.ts';
import type { Line } from '../support/line.ts';
import { DATABASE, USER } from '../support/line.ts';
import { freePort } from '../support/port.ts';
import { Program } from '../support/program.ts';
import { IDS, TABLE } from './load/statements.ts';
import type { Server } from './server.ts';
import { installServer } from './server.ts';
import { visit } from './visit.ts';

/** HAProxy brings each client, and there are 5 000 that do nothing. */
const MAX_CONNECTIONS = 8_000;
const HOST = '127.0.0.1';
const START_TIMEOUT_MS = 60_000;
const POLL_MS = 50;

/** The database that all poolers stand in front of. */
export interface BenchDatabase extends Line, AsyncDisposable {
  readonly version: string;
}

/** Starts a server and fills a table, which then fits in its memory. To be disposed of. */
export async function startDatabase(
  server: Server,
  certificate: Certificate,
  signal: AbortSignal,
): Promise<BenchDatabase> {
  const { version, command, initialise } = await installServer(server, signal);
  await using cleanup = new AsyncDisposableStack();
  const directory = await mkdtemp(join(tmpdir(), `sluice-bench-${server}-`));
  cleanup.defer(() => rm(directory, { recursive: true, force: true }));
  const dataDir = join(directory, 'data');
  await mkdir(dataDir);
  await initialise(dataDir, signal);
  const password = new SecretText(Buffer.from(systemRandom.bytes(18)).toString('base64url'));
  const port = freePort();
  const files = {
    'init.sql': script(password),
    'server.crt': certificate.certPem,
    'server.key': certificate.keyPem,
  };
  for (const [name, content] of Object.entries(files))
    await writeFile(join(directory, name), content, { mode: 0o600 });
  const program = new Program({
    name: server,
    command: [
      ...command(dataDir),
      `--port=${port}`,
      `--socket=${join(directory, 'socket')}`,
      `--pid-file=${join(directory, 'pid')}`,
      `--init-file=${join(directory, 'init.sql')}`,
      `--ssl-cert=${join(directory, 'server.crt')}`,
      `--ssl-key=${join(directory, 'server.key')}`,
      ...settings,
      ...(server === 'mysql' ? mysqlSettings : mariadbSettings),
    ],
    directory,
    logPath: join(directory, 'log'),
    env: { PATH: process.env['PATH'] ?? '' },
  });
  const line = { host: HOST, port, password, tls: false };
  cleanup.defer(() => program.stop());
  await untilReady(program, line, signal);
  const held = cleanup.move();
  return { ...line, version, [Symbol.asyncDispose]: () => held.disposeAsync() };
}

/** Durability costs the same behind every pooler, and a disk's time is nobody's that is measured here. */
const settings = [
  `--bind-address=${HOST}`,
  '--skip-name-resolve',
  '--skip-log-bin',
  '--performance-schema=OFF',
  `--max-connections=${MAX_CONNECTIONS}`,
  '--max-connect-errors=1000000',
  '--max-prepared-stmt-count=1000000',
  '--back-log=4096',
  '--thread-cache-size=300',
  '--innodb-buffer-pool-size=256M',
  '--innodb-flush-log-at-trx-commit=0',
  '--innodb-doublewrite=OFF',
] as const;
const mysqlSettings = [
  '--mysqlx=OFF',
  '--secure-file-priv=NULL',
  '--innodb-redo-log-capacity=1G',
] as const;
// As MySQL: a transaction that comes second waits for the first, and does not fail.
const mariadbSettings = ['--innodb-snapshot-isolation=OFF', '--innodb-log-file-size=1G'] as const;

/** For `--init-file`: one statement a line. The server lets nobody in before it has run them. */
function script(password: SecretText): string {
  const digits = Array.from('0123456789', (digit) => `SELECT ${digit} AS d`).join(' UNION ALL ');
  const places = Array.from(String(IDS.count - 1), (_, place) => `${10 ** place} * p${place}.d`);
  const tables = places.map((_, place) => `digit p${place}`);
  return [
    `CREATE DATABASE ${DATABASE}`,
    `CREATE USER ${USER} IDENTIFIED BY '${password.reveal()}'`,
    `GRANT ALL ON *.* TO ${USER}`,
    `USE ${DATABASE}`,
    `CREATE TABLE digit AS ${digits}`,
    `CREATE TABLE ${TABLE} (id INT PRIMARY KEY, balance INT NOT NULL, filler CHAR(84) NOT NULL)`,
    `INSERT INTO ${TABLE} SELECT ${IDS.first} + ${places.join(' + ')}, 0, '' FROM ${tables.join(', ')}`,
    `ANALYZE TABLE ${TABLE}`,
    '',
  ].join(';\n');
}

async function untilReady(program: Program, line: Line, signal: AbortSignal): Promise<void> {
  const deadline = performance.now() + START_TIMEOUT_MS;
  for (;;) {
    try {
      const visitor = await visit(line);
      visitor.destroy();
      return;
    } catch (problem) {
      program.expectAlive();
      if (performance.now() > deadline) throw problem;
    }
    await pause(POLL_MS, undefined, { signal });
  }
}
