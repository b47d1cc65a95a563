import { afterAll, beforeAll, describe, expect, test } from 'bun:test';
import { RawClient } from '../support/raw-client.ts';
import * as messages from '../support/messages.ts';
import type { Sluice } from '../support/sluice.ts';
import { transcript } from '../support/transcript.ts';
import { passwordOf, settingsFor, startSluice, withPostgres } from '../support/sluice.ts';
import { outcomeOf } from '../support/outcome.ts';

/** Below the ephemeral ports. Several processes share it, so the system cannot choose it. */
const port = 20_000 + (process.pid % 10_000);
const workers = 3;
const poolPercent = 20;
let sluice: Sluice;

beforeAll(async () => {
  const server = await withPostgres(18);
  sluice = await startSluice(
    settingsFor(server, {
      workers,
      admin: { listen: '127.0.0.1:0' },
      proxy: {
        listen: `127.0.0.1:${port}`,
        pool: { maxConnectionsPercent: poolPercent },
        maxClientConnections: 600,
      },
    }),
  );
});
afterAll(async () => {
  await sluice.stop();
});

function signIn(tls: 'none' | 'startTls' = 'none', minor = 0): Promise<RawClient> {
  return RawClient.signIn({
    host: '127.0.0.1',
    port,
    tls,
    minor,
    user: 'app',
    password: passwordOf('app'),
    database: 'app',
  });
}

/** Clients until every worker has one. */
async function oneAtEach(): Promise<Map<number, RawClient>> {
  const clients = new Map<number, RawClient>();
  for (let tries = 0; clients.size < workers && tries < 200; tries += 1) {
    const client = await signIn();
    const worker = workerOf(client);
    if (clients.has(worker)) client.destroy();
    else clients.set(worker, client);
  }
  return clients;
}

/** The upper bits of a cancel key's number say where its session lives (PG-45). */
function workerOf({ welcome }: RawClient): number {
  return welcome.pid >>> 24;
}

function samples(metrics: ReadonlyMap<string, number>, name: string): number[] {
  return [...metrics].filter(([key]) => key.startsWith(`${name}{`)).map(([, value]) => value);
}

describe('several workers behind one port', () => {
  test('serve clients, each with its part of the connections, and tell of themselves in one page', async () => {
    const clients = await oneAtEach();
    expect(clients.size).toBe(workers);
    for (const client of clients.values()) expect(await client.value('select 42')).toBe('42');
    const metrics = await sluice.metrics();
    const allowed = samples(metrics, 'sluice_max_database_connections_allowed');
    expect(allowed).toHaveLength(workers);
    // 100 connections, 3 for superusers, one for each worker's watcher: 20 % of 94.
    expect(allowed.reduce((a, b) => a + b)).toBe(18);
    expect(samples(metrics, 'sluice_query_requests_total').every((count) => count > 0)).toBe(true);
    expect((await sluice.admin('/readyz')).status).toBe(200);
    for (const client of clients.values()) client.destroy();
  });

  test.each([0, 2])(
    'PG-45: a cancel request that lands at another worker finds its session, 3.%d',
    async (minor) => {
      const client = await signIn('none', minor);
      expect(client.welcome.secret.length).toBe(minor === 2 ? 32 : 4);
      for (let round = 0; round < 10; round += 1) {
        const sleeping = client.query('select pg_sleep(30)');
        await untilBusy(client);
        await sendCancel(client);
        expect(transcript(await sleeping)).toContain(
          'E ERROR 57014 canceling statement due to user request',
        );
      }
      client.destroy();
    },
  );

  test('show the same certificate to whoever comes', () => {
    const certificates = new Set<string>();
    for (let round = 0; round < 12; round += 1) {
      const shown = Bun.spawnSync(
        ['openssl', 's_client', '-starttls', 'postgres', '-connect', `127.0.0.1:${port}`],
        { stdin: new Uint8Array() },
      );
      certificates.add(
        /-----BEGIN[^]*END CERTIFICATE-----/.exec(shown.stdout.toString())?.[0] ?? '',
      );
    }
    expect([...certificates]).toEqual([expect.stringContaining('BEGIN CERTIFICATE')]);
  });

  test('PG-103: tell the same salt to the same user', async () => {
    const salts = new Map<number, string>();
    for (let round = 0; round < 12; round += 1) {
      const client = await signIn();
      const challenge = client.welcome.messages.find(
        ({ type, body }) => type === 'R' && body[3] === 11,
      );
      const salt = /s=([^,]+)/.exec(Buffer.from(challenge?.body ?? []).toString('latin1'))?.[1];
      salts.set(workerOf(client), salt ?? 'none');
      client.destroy();
    }
    expect(salts.size).toBeGreaterThan(1);
    expect(new Set(salts.values()).size).toBe(1);
  });

  test('one that dies takes only its own sessions with it, and is started again', async () => {
    const clients = await oneAtEach();
    const [victim, ...others] = clients.values();
    const pid = workerPids()[0];
    if (victim === undefined || pid === undefined) throw new Error('no worker to kill');
    process.kill(pid, 'SIGKILL');
    await sluice.waitForLog(({ event }) => event === 'workerEnded');
    const answers = await Promise.allSettled(
      [victim, ...others].map((client) => client.value('select 1')),
    );
    expect(answers.filter(({ status }) => status === 'rejected')).toHaveLength(1);
    await sluice.waitForLog(
      (line) => line.event === 'listening' && sluice.logs('listening').length > workers,
    );
    const again = await oneAtEach();
    expect(again.size).toBe(workers);
    for (const client of [...clients.values(), ...again.values()]) client.destroy();
  });

  test('a second Sluice on the same port says so instead of sharing it', async () => {
    const server = await withPostgres(18);
    const settings = settingsFor(server, { workers: 2, proxy: { listen: `127.0.0.1:${port}` } });
    expect(await outcomeOf(startSluice(settings))).toThrow(`cannot listen on 127.0.0.1:${port}`);
  });

  test('drain together and leave no process behind', async () => {
    const client = await signIn();
    const pids = workerPids();
    expect(await sluice.stop('SIGTERM')).toBe(0);
    await client.readEnd();
    for (const pid of pids) expect(() => process.kill(pid, 0)).toThrow();
  });
});

/** The processes that the supervisor has started. */
function workerPids(): number[] {
  const { stdout } = Bun.spawnSync(['pgrep', '-P', String(sluice.pid)]);
  return stdout.toString().split('\n').filter(Boolean).map(Number);
}

async function untilBusy(client: RawClient): Promise<void> {
  const server = await withPostgres(18);
  const deadline = Date.now() + 10_000;
  while (Date.now() < deadline) {
    const [row] = await server.query(
      `select count(*)::int as busy from pg_stat_activity where query like '%pg_sleep(30)%' and state = 'active' and pid <> pg_backend_pid()`,
    );
    if (row?.['busy'] === 1) return;
  }
  throw new Error(`client ${workerOf(client)} did not begin`);
}

async function sendCancel(client: RawClient): Promise<void> {
  const { pid, secret } = client.welcome;
  const other = await RawClient.connect({ host: '127.0.0.1', port, tls: 'none' });
  other.send(messages.frontend.cancelRequest(pid, secret));
  await other.readEnd();
}
