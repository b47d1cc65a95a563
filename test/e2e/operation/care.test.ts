import { afterAll, beforeAll, describe, expect, test } from 'bun:test';
import { SecretText } from '../../../src/base/secret-text.ts';
import { startEmbeddedPostgres } from '../../../src/cli/embedded-postgres.ts';
import type { EmbeddedServer } from '../../../src/cli/embedded-server.ts';
import { frontend } from '../../support/messages.ts';
import { passwordOf } from '../../support/sluice.ts';
import { transcript } from '../../support/transcript.ts';
import { eventually } from '../clients/stage.ts';
import { refusal, Scene } from '../faults/scene.ts';

const SHORT_CONNECTIONS = 4_000;
const MB = 1024 * 1024;
const BATCH = 10;

let server: EmbeddedServer;
beforeAll(async () => {
  server = await startEmbeddedPostgres({
    users: ['app', 'reader'].map((name) => ({ name, password: new SecretText(passwordOf(name)) })),
    databases: ['app'],
    settings: { log_statement: 'all' },
  });
});
afterAll(() => server.destroy());

const askedOfDatabase = (): number =>
  server.log().filter((line) => line.includes('statement: SELECT 42')).length;

describe('the admin port', () => {
  test('answers while the pool is exhausted, and tells what is so (GX-14, GX-15)', async () => {
    const scene = await Scene.open(server);
    const [holder, waiter] = [await scene.client(), await scene.client()];
    await holder.query('BEGIN');
    waiter.send(frontend.query('SELECT 1'));
    await scene.untilMetric('clients_waiting', 1);
    for (const path of ['/healthz', '/readyz', '/metrics']) {
      const started = performance.now();
      expect((await scene.sluice.admin(path)).status).toBe(200);
      expect(performance.now() - started).toBeLessThan(500);
    }
    expect(await scene.metric('database_connections_currently_in_transaction')).toBe(1);
    await holder.end();
    await waiter.readUntilReady();
    await waiter.end();
    await scene.expectClean();
    await scene.close();
  });

  test('tells when the database is down, and when it is back (GX-15)', async () => {
    const scene = await Scene.open(server);
    const readiness = () => scene.sluice.admin('/readyz');
    const ready = async (): Promise<number> => (await readiness()).status;
    expect(await ready()).toBe(200);
    await server.stop();
    await eventually(ready, (status) => status === 503);
    // Before that, it may have told us that it was shutting down.
    await eventually(
      async () => await (await readiness()).text(),
      (state) => state.includes('UNREACHABLE'),
    );
    expect((await scene.sluice.admin('/healthz')).status).toBe(200);
    expect(await scene.metric('target_up')).toBe(0);
    await server.restart();
    await eventually(ready, (status) => status === 200);
    expect(await scene.metric('target_up')).toBe(1);
    await scene.close();
  });

  test('counts each query once, as the database does (PG-34)', async () => {
    const scene = await Scene.open(server, { connections: 2 });
    const before = askedOfDatabase();
    const client = await scene.client();
    for (let i = 0; i < 10; i += 1) await client.query('SELECT 42');
    for (let i = 0; i < 5; i += 1) client.send(frontend.query('SELECT 42'));
    await client.readUntilReady(5);
    await client.end();
    const tls = await scene.client({ tls: 'startTls' });
    for (let i = 0; i < 3; i += 1) await tls.query('SELECT 42');
    await tls.end();
    await scene.expectClean();
    expect(askedOfDatabase() - before).toBe(18);
    expect(await scene.metric('query_requests_total')).toBe(18);
    expect(await scene.metric('query_requests_tls_total')).toBe(3);
    expect(await scene.metric('query_response_latency_seconds_count')).toBeGreaterThanOrEqual(14);
    expect(await scene.metric('client_connections_received_total')).toBe(2);
    expect(await scene.metric('client_connections_closed_total')).toBe(2);
    await scene.close();
  });
});

describe('the pool', () => {
  test('replaces old connections, and nobody notices', async () => {
    const scene = await Scene.open(server, { proxy: { serverLifetime: 1, serverPingInterval: 1 } });
    const client = await scene.client();
    const pids = new Set<unknown>();
    await eventually(
      async () => pids.add(await client.value('SELECT pg_backend_pid()')).size,
      (count) => count >= 3,
    );
    expect(await scene.metric('discards_total')).toBeGreaterThanOrEqual(2);
    await client.end();
    await scene.expectClean();
    await scene.close();
  });

  test('closes what is idle beyond its share', async () => {
    const scene = await Scene.open(server, {
      connections: 4,
      proxy: {
        serverIdleTimeout: 1,
        pool: { maxIdleConnectionsPercent: 25 },
      },
    });
    const clients = await Promise.all(Array.from({ length: 4 }, () => scene.client()));
    for (const client of clients) client.send(frontend.query('SELECT pg_sleep(0.2)'));
    for (const client of clients) await client.readUntilReady();
    expect(await scene.metric('database_connections')).toBe(4);
    await scene.untilMetric('database_connections', 1);
    for (const client of clients) await client.end();
    await scene.close();
  });

  test('runs initQuery once on each connection, and a client that sets the same sees its own (PG-73)', async () => {
    const scene = await Scene.open(server, {
      connections: 2,
      proxy: { pool: { initQuery: "SET work_mem = '3MB'; SET application_name = 'initialised'" } },
    });
    const clients = [await scene.client(), await scene.client()];
    for (const client of clients) {
      await client.query('BEGIN');
      expect(await client.value('SHOW work_mem')).toBe('3MB');
    }
    for (const client of clients) await client.query('COMMIT');
    const [one, other] = clients;
    await one?.query("SET work_mem = '5MB'");
    for (let round = 0; round < 3; round += 1) {
      expect(await one?.value('SHOW work_mem')).toBe('5MB');
      expect(await other?.value('SHOW work_mem')).toBe('3MB');
    }
    for (const client of clients) await client.end();
    const ran = server.log().filter((line) => line.includes("work_mem = '3MB'"));
    expect(ran).toHaveLength(2);
    await scene.expectClean();
    await scene.close();
  });

  test('logs in again where the database has a new salt for the same password (PG-102)', async () => {
    const scene = await Scene.open(server);
    const client = await scene.client();
    expect(await client.value('SELECT 1')).toBe('1');
    await server.query(`ALTER ROLE app PASSWORD '${passwordOf('app').replaceAll("'", "''")}'`);
    await server.query(
      "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity WHERE usename = 'app'",
    );
    await scene.untilMetric('database_connections', 0);
    expect(await client.value('SELECT 2')).toBe('2');
    await client.end();
    await scene.close();
  });

  test('does not run initQuery where it watches the server: that may be another database', async () => {
    await server.query('CREATE TABLE only_here ()', 'app');
    await server.query('GRANT SELECT ON only_here TO app', 'app');
    const scene = await Scene.open(server, {
      proxy: { pool: { initQuery: 'SELECT FROM only_here' } },
    });
    expect((await scene.sluice.admin('/readyz')).status).toBe(200);
    expect(await scene.ask('SELECT 1')).toBe('1');
    await scene.close();
  });

  test('tells of an initQuery that fails', async () => {
    const scene = await Scene.open(server, {
      proxy: { pool: { initQuery: 'SELECT no_such_function()', connectionBorrowTimeout: 1 } },
    });
    expect(await refusal(scene.client())).toContain('no_such_function');
    await scene.sluice.waitForLog(
      ({ event, detail }) =>
        event === 'serverFailed' && String(detail).includes('no_such_function'),
    );
    await scene.expectClean();
    await scene.close();
  });

  test('serves 200 who wait for one connection in the order of their coming (GX-03)', async () => {
    const scene = await Scene.open(server, { proxy: { pool: { connectionBorrowTimeout: 60 } } });
    const holder = await scene.client();
    await holder.query('BEGIN');
    const waiters = await Promise.all(Array.from({ length: 200 }, () => scene.client()));
    for (const [at, waiter] of waiters.entries()) {
      waiter.send(frontend.query('SELECT clock_timestamp()'));
      // Batch by batch, since the system says in which order sockets are read that have something at the same time.
      if (at % BATCH === BATCH - 1) await scene.untilMetric('clients_waiting', at + 1);
    }
    await holder.query('COMMIT');
    const times: string[] = [];
    for (const waiter of waiters) {
      times.push(String(transcript(await waiter.readUntilReady())[1]));
      waiter.destroy();
    }
    const served = times.toSorted();
    const batches = times.map((time) => Math.floor(served.indexOf(time) / BATCH));
    expect(batches).toEqual(times.map((_, at) => Math.floor(at / BATCH)));
    await holder.end();
    await scene.expectClean();
    await scene.close();
  });

  test('lets two users who share its one place both go on (GX-03)', async () => {
    const scene = await Scene.open(server, { proxy: { pool: { connectionBorrowTimeout: 10 } } });
    const [one, two] = [await scene.client(), await scene.client({ user: 'reader' })];
    const turns = { one: 0, two: 0 };
    const until = performance.now() + 3_000;
    const go = async (name: keyof typeof turns): Promise<void> => {
      const client = name === 'one' ? one : two;
      while (performance.now() < until) {
        expect(await client.value('SELECT 1')).toBe('1');
        turns[name] += 1;
      }
    };
    await Promise.all([go('one'), go('two')]);
    expect(Math.min(turns.one, turns.two)).toBeGreaterThan(5);
    await Promise.all([one.end(), two.end()]);
    await scene.expectClean();
    await scene.close();
  });
});

test(`${SHORT_CONNECTIONS} short connections leave memory and descriptors flat (GX-12)`, async () => {
  const scene = await Scene.open(server, { connections: 4 });
  const come = async (count: number): Promise<void> => {
    for (let left = count; left > 0; left -= 1) await scene.ask('SELECT 1');
  };
  const rush = (count: number): Promise<unknown> =>
    Promise.all(Array.from({ length: 8 }, () => come(count / 8)));
  await rush(SHORT_CONNECTIONS / 2);
  await scene.expectClean();
  const [memory, descriptors] = [await scene.memoryBytes(), await scene.descriptors()];
  await rush(SHORT_CONNECTIONS / 2);
  await scene.expectClean();
  expect((await scene.memoryBytes()) - memory).toBeLessThan(25 * MB);
  expect(await scene.descriptors()).toBeLessThanOrEqual(descriptors + 2);
  await scene.close();
});

test('the log never shows passwords or values, also when it shows everything (GX-11)', async () => {
  const scene = await Scene.open(server, {
    proxy: { debugLogging: true },
    rest: { log: { level: 'debug' } },
  });
  const client = await scene.client();
  client.send(
    frontend.parse('', "SELECT $1, 'literal secret'"),
    frontend.bind('', '', ['bound secret']),
  );
  client.send(frontend.execute(), frontend.sync());
  await client.readUntilReady();
  await client.query("SET application_name = 'setting secret'");
  await client.query("PREPARE p AS SELECT 'prepared secret'");
  await client.query("SELECT 'broken secret");
  await client.end();
  await refusal(scene.client({ password: 'wrong secret' }));
  await scene.expectClean();
  const log = JSON.stringify(scene.sluice.logs());
  expect(log).not.toMatch(/(literal|bound|setting|prepared|broken|wrong) secret/);
  expect(log).not.toContain(passwordOf('app'));
  await scene.close();
});
