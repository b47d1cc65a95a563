import { mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { systemRandom } from '../../src/base/random.ts';
import { SecretText } from '../../src/base/secret-text.ts';
import type { Line } from '../support/line.ts';
import { DATABASE, USER } from '../support/line.ts';
import { loginOf } from '../support/load/order.ts';
import type { Address } from '../support/options.ts';
import { freePort } from '../support/port.ts';
import { Program } from '../support/program.ts';
import { Client } from './load/client.ts';
import { IDS, TABLE } from './load/statements.ts';

const HOST = '127.0.0.1';
const START_TIMEOUT_MS = 30_000;
const POLL_MS = 50;
/** As many as one INSERT may have. */
const ROWS_AT_ONCE = 1_000;

const main = fileURLToPath(new URL('../../test/support/tds-server/main.ts', import.meta.url));

/** The database that all poolers stand in front of. */
export interface BenchDatabase extends Line, AsyncDisposable {
  readonly version: string;
  readonly hasTls: boolean;
}

/** This project's own test server, or one that is there already; with a table that is full. To be disposed of. */
export async function startDatabase(
  address: Address | undefined,
  signal: AbortSignal,
): Promise<BenchDatabase> {
  await using cleanup = new AsyncDisposableStack();
  const line = address === undefined ? await startServer(cleanup, signal) : lineTo(address);
  const version = await fill(line);
  if (address !== undefined) cleanup.defer(() => ask(line, `DROP TABLE ${TABLE}`));
  const hasTls = await Client.hasTls(line);
  const held = cleanup.move();
  return { ...line, version, hasTls, [Symbol.asyncDispose]: () => held.disposeAsync() };
}

function lineTo({ password, ...where }: Address): Line {
  return { ...where, password: new SecretText(password), tls: false };
}

async function startServer(cleanup: AsyncDisposableStack, signal: AbortSignal): Promise<Line> {
  const password = new SecretText(Buffer.from(systemRandom.bytes(18)).toString('base64url'));
  const port = freePort();
  const directory = await mkdtemp(join(tmpdir(), 'sluice-bench-tds-server-'));
  const program = new Program({
    ...{ name: 'the test server', directory, logPath: join(directory, 'log') },
    command: [
      ...[process.execPath, main, '--port', String(port)],
      ...['--user', `${USER}:${password.reveal()}`, '--database', DATABASE],
    ],
    env: { PATH: process.env['PATH'] ?? '' },
  });
  cleanup.defer(() => program.stop());
  const line = { host: HOST, port, user: USER, database: DATABASE, password, tls: false };
  const deadline = performance.now() + START_TIMEOUT_MS;
  for (;;) {
    try {
      await ask(line, 'SELECT 1 AS n');
      return line;
    } catch (problem) {
      program.expectAlive();
      if (performance.now() > deadline) throw problem;
    }
    await pause(POLL_MS, undefined, { signal });
  }
}

/** Returns what the server says that it is. */
async function fill(line: Line): Promise<string> {
  const client = await Client.signIn(loginOf(line));
  try {
    await client.ask(`DROP TABLE IF EXISTS ${TABLE}`);
    await client.ask(`CREATE TABLE ${TABLE} (id int NOT NULL PRIMARY KEY, balance int NOT NULL)`);
    for (let at = 0; at < IDS.count; at += ROWS_AT_ONCE) {
      const rows = Array.from({ length: ROWS_AT_ONCE }, (_, row) => `(${IDS.first + at + row}, 0)`);
      await client.ask(`INSERT INTO ${TABLE} (id, balance) VALUES ${rows.join(', ')}`);
    }
    return client.server;
  } finally {
    client.destroy();
  }
}

async function ask(line: Line, sql: string): Promise<void> {
  const client = await Client.signIn(loginOf(line));
  try {
    await client.ask(sql);
  } finally {
    client.destroy();
  }
}
