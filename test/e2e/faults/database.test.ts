import { afterAll, beforeAll, describe, expect, test } from 'bun:test';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { SecretText } from '../../../src/base/secret-text.ts';
import { startEmbeddedPostgres } from '../../../src/cli/embedded-postgres.ts';
import type { EmbeddedServer } from '../../../src/cli/embedded-server.ts';
import { errorFields, frontend } from '../../support/messages.ts';
import type { Message } from '../../support/messages.ts';
import { RawClient, ServerError } from '../../support/raw-client.ts';
import { passwordOf } from '../../support/sluice.ts';
import { transcript } from '../../support/transcript.ts';
import { eventually } from '../clients/stage.ts';
import { refusal, Scene } from './scene.ts';

const TIMED_OUT = 'FATAL 08000 Timed-out waiting to acquire database connection.';

let server: EmbeddedServer;
beforeAll(async () => {
  server = await startEmbeddedPostgres({
    maxConnections: 20,
    users: ['app', 'reader'].map((name) => ({
      name,
      password: new SecretText(passwordOf(name)),
    })),
    databases: ['app', 'closed'],
  });
  await server.query('REVOKE CONNECT ON DATABASE closed FROM PUBLIC');
});
afterAll(() => server.destroy());

/** The process of the database that serves this client: it stays in its transaction. */
async function backendOf(client: RawClient): Promise<string> {
  return String(await client.value('BEGIN; SELECT pg_backend_pid()'));
}

function errors(messages: readonly Message[]): readonly (string | undefined)[] {
  return messages.filter(({ type }) => type === 'E').map(({ body }) => errorFields(body)['C']);
}

describe('a connection that the database ends', () => {
  let scene: Scene;
  beforeAll(async () => {
    scene = await Scene.open(server);
  });
  afterAll(() => scene.close());

  test('while it is idle is replaced before anybody notices (PG-14)', async () => {
    const client = await scene.client();
    for (let round = 0; round < 20; round += 1) {
      const pid = await client.value('SELECT pg_backend_pid()');
      await server.query(`SELECT pg_terminate_backend(${pid}, 5000)`);
      expect(await client.value('SELECT 1')).toBe('1');
    }
    await client.end();
    await scene.expectClean();
    expect(await scene.metric('discards_total')).toBeGreaterThanOrEqual(20);
  });

  test('in the middle of a request says so once, then closes (PG-15)', async () => {
    const client = await scene.client();
    client.send(frontend.query('SELECT pg_sleep(30)'));
    await scene.untilMetric('database_connections_currently_borrowed', 1);
    await server.query(
      "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE query LIKE '%pg_sleep(30)'",
    );
    const last = (await client.readEnd()).filter(({ type }) => type === 'E');
    expect(transcript(last)).toEqual([
      'E FATAL 57P01 terminating connection due to administrator command',
    ]);
    client.destroy();
    expect(await scene.ask('SELECT 1')).toBe('1');
    await scene.expectClean();
  });

  test('in the middle of a transaction says so once, then closes (PG-15)', async () => {
    const client = await scene.client();
    const pid = await backendOf(client);
    await server.query(`SELECT pg_terminate_backend(${pid}, 5000)`);
    expect(errors(await client.readEnd())).toEqual(['57P01']);
    client.destroy();
    await scene.expectClean();
  });
});

describe.each(['fast', 'immediate'] as const)('a %s restart of the server (GX-10)', (mode) => {
  test('leaves idle clients connected, and tells the others once', async () => {
    const scene = await Scene.open(server, { connections: 4 });
    const idle = [await scene.client(), await scene.client({ user: 'reader' })];
    for (const client of idle) expect(await client.value('SELECT 1')).toBe('1');
    const inTransaction = await scene.client();
    await backendOf(inTransaction);
    const inRequest = await scene.client();
    inRequest.send(frontend.query('SELECT pg_sleep(30)'));
    await scene.untilMetric('database_connections_currently_borrowed', 2);

    await server.restart(mode);
    for (const client of [inTransaction, inRequest]) {
      const said = errors(await client.readEnd());
      expect(said).toHaveLength(1);
      // Shut down in order, in a crash, or without a word: then the proxy says it.
      expect(String(said[0])).toMatch(/^(57P01|57P02|08006)$/);
      client.destroy();
    }
    for (const client of idle) {
      expect(await client.value('SELECT 2')).toBe('2');
      await client.end();
    }
    await scene.expectClean();
    await scene.close();
  });
});

describe('a server that is down', () => {
  test.each([0, 1])(
    'is waited for at login, and a borrow timeout of %i s is kept (GX-05)',
    async (seconds) => {
      const scene = await Scene.open(server, {
        proxy: { pool: { connectionBorrowTimeout: seconds } },
      });
      const signedIn = await scene.client();
      await server.stop();
      const started = performance.now();
      expect(await refusal(scene.client({ user: 'reader' }))).toBe(TIMED_OUT);
      expect(performance.now() - started).toBeGreaterThanOrEqual(seconds * 1000);
      expect(performance.now() - started).toBeLessThan(seconds * 1000 + 1_500);
      const askedAt = performance.now();
      const answer = transcript(await signedIn.query('SELECT 1'));
      expect(answer[0]).toStartWith(TIMED_OUT.replace('FATAL', 'E ERROR'));
      expect(answer[1]).toBe('Z I');
      expect(performance.now() - askedAt).toBeLessThan(seconds * 1000 + 1_500);
      expect((await scene.sluice.admin('/healthz')).status).toBe(200);
      await server.restart();
      await eventually(
        () => refusal(signedIn.value('SELECT 3')),
        (fate) => fate === 'let in',
      );
      await eventually(
        () => refusal(scene.ask('SELECT 3', { user: 'reader' })),
        (fate) => fate === 'let in',
      );
      await signedIn.end();
      await scene.expectClean();
      await scene.close();
    },
  );

  test('and comes back serves all who waited (PG-119)', async () => {
    const scene = await Scene.open(server, { connections: 3 });
    const clients = await Promise.all(Array.from({ length: 5 }, () => scene.client()));
    await server.stop('immediate');
    const newcomers = Array.from({ length: 5 }, () => scene.ask('SELECT 5', { user: 'reader' }));
    const answers = clients.map((client) => client.value('SELECT 4'));
    await scene.untilMetric('clients_waiting', 10);
    await server.restart();
    expect(await Promise.all(answers)).toEqual(clients.map(() => '4'));
    expect(await Promise.all(newcomers)).toEqual(newcomers.map(() => '5'));
    for (const client of clients) await client.end();
    await scene.expectClean();
    await scene.close();
  });
});

describe('a login that the database refuses', () => {
  let scene: Scene;
  beforeAll(async () => {
    scene = await Scene.open(server, { connections: 4 });
  });
  afterAll(() => scene.close());

  test('gets the original error: no such database, no right to connect (PG-119)', async () => {
    expect(await refusal(scene.client({ database: 'nowhere' }))).toBe(
      'FATAL 3D000 database "nowhere" does not exist',
    );
    expect(await refusal(scene.client({ database: 'closed' }))).toBe(
      'FATAL 42501 permission denied for database "closed"',
    );
    const problem = await scene.client({ database: 'closed' }).catch((error: unknown) => error);
    expect(problem instanceof ServerError && problem.fields['D']).toBe(
      'User does not have CONNECT privilege.',
    );
    await scene.expectClean();
  });

  test('does not harm those who are served (PG-119)', async () => {
    const served = await scene.client();
    for (let round = 0; round < 5; round += 1) {
      const refused = refusal(scene.client({ database: 'nowhere' }));
      expect(await served.value('SELECT 1')).toBe('1');
      expect(await refused).toStartWith('FATAL 3D000');
    }
    await served.end();
    await scene.expectClean();
  });

  test('because others hold all connections is tried again until one is free (PG-119)', async () => {
    await scene.sluice.waitForLog(({ event }) => event === 'targetHealth');
    await server.query(
      "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = 'app' AND query NOT LIKE '%max_connections%'",
    );
    const { host, port } = server;
    const others: RawClient[] = [];
    const direct = { host, port, user: 'reader', password: passwordOf('reader'), database: 'app' };
    for (;;) {
      try {
        others.push(await RawClient.signIn(direct));
      } catch (problem) {
        expect(String(problem)).toContain('53300');
        break;
      }
    }
    const client = scene.ask('SELECT 9');
    await scene.sluice.waitForLog(
      ({ event, detail }) => event === 'serverFailed' && String(detail).includes('53300'),
    );
    for (const other of others) await other.end();
    expect(await client).toBe('9');
    await scene.expectClean();
  });
});

test('a password changed in the database and in the secret is learnt without a restart (PG-108)', async () => {
  const secret = (password: string): string => JSON.stringify({ username: 'rotated', password });
  await server.query("CREATE ROLE rotated LOGIN PASSWORD 'first word'");
  const scene = await Scene.open(server, {
    connections: 2,
    proxy: { auth: [{ secret: 'rotated' }] },
    rest: { secrets: [{ name: 'rotated', file: 'rotated.json' }] },
    files: { 'rotated.json': secret('first word') },
  });
  const login = { user: 'rotated', password: 'first word' };
  const second = { ...login, password: 'second word' };
  const client = await scene.client(login);
  expect(await client.value('SELECT 1')).toBe('1');
  const before = await client.value('SELECT pg_backend_pid()');

  await writeFile(join(scene.sluice.directory, 'rotated.json'), secret('second word'));
  await server.query("ALTER ROLE rotated PASSWORD 'second word'");
  // Connections that live stay; only a new one needs the new word.
  expect(await client.value('SELECT pg_backend_pid()')).toBe(before);
  await server.query(`SELECT pg_terminate_backend(${before}, 5000)`);
  expect(await client.value('SELECT 2')).toBe('2');
  await client.end();
  expect(await scene.ask('SELECT 3', second)).toBe('3');

  await server.query("ALTER ROLE rotated PASSWORD 'third word'");
  await server.query(
    "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity WHERE usename = 'rotated'",
  );
  const refused = await refusal(scene.ask('SELECT 4', second));
  expect(refused).toContain('password authentication failed');
  // However many ask, the database is not asked by each: accounts may be locked for it.
  const failed = await scene.metric('database_connections_setup_failed_total');
  await Promise.all(Array.from({ length: 20 }, () => refusal(scene.ask('SELECT 4', second))));
  expect((await scene.metric('database_connections_setup_failed_total')) - failed).toBeLessThan(4);
  await writeFile(join(scene.sluice.directory, 'rotated.json'), secret('third word'));
  await eventually(
    () => refusal(scene.ask('SELECT 5', { ...login, password: 'third word' })),
    (fate) => fate === 'let in',
  );
  await scene.expectClean();
  expect(JSON.stringify(scene.sluice.logs())).not.toMatch(/(first|second|third) word/);
  await scene.close();
});
