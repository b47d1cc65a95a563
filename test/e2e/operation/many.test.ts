import { afterAll, beforeAll, expect, test } from 'bun:test';
import { frontend } from '../../support/messages.ts';
import type { RawClient } from '../../support/raw-client.ts';
import { withPostgres } from '../../support/sluice.ts';
import { Scene } from '../faults/scene.ts';

const WARM_UP = 1_500;
const IDLE_CLIENTS = 1_500;
/** Sockets in the kernel are not counted: what the process itself keeps for a client that does nothing. */
const BYTES_PER_IDLE_CLIENT = 12_000;

let scene: Scene;
beforeAll(async () => {
  scene = await Scene.open(await withPostgres(18));
});
afterAll(() => scene.close());

test(`GX-09: ${IDLE_CLIENTS} idle clients cost little memory`, async () => {
  const clients: RawClient[] = [];
  const arrive = async (count: number): Promise<number> => {
    for (let left = count; left > 0; left -= 1) clients.push(await scene.client());
    return await scene.memoryBytes();
  };
  try {
    // The first clients make the heap what it is going to be.
    const before = await arrive(WARM_UP);
    const after = await arrive(IDLE_CLIENTS);
    expect((after - before) / IDLE_CLIENTS).toBeLessThan(BYTES_PER_IDLE_CLIENT);
    expect(await scene.metric('client_connections')).toBe(WARM_UP + IDLE_CLIENTS);
    // All of them are served by the one connection of the pool.
    for (const client of clients.slice(0, 50)) expect(await client.value('select 7')).toBe('7');
  } finally {
    for (const client of clients) client.destroy();
  }
  await scene.expectClean();
});

test('PG-114: a connection goes on to the next client while the last still reads, and nothing of it goes along', async () => {
  const slow = await scene.client({ deadlineMs: 20_000 });
  slow.send(frontend.query("SELECT repeat('s', 1000) FROM generate_series(1, 1000)"));
  slow.socket.pause();
  await scene.untilMetric('database_connections_currently_borrowed', 0);
  const next = await scene.client();
  for (let round = 0; round < 20; round += 1) {
    expect(await next.rows("SELECT 'next' AS who")).toEqual([['next']]);
  }
  slow.socket.resume();
  const heard = await slow.readUntilReady();
  expect(heard.filter(({ type }) => type === 'D')).toHaveLength(1000);
  expect(heard.some(({ body }) => Buffer.from(body).includes('next'))).toBe(false);
  slow.destroy();
  next.destroy();
  await scene.expectClean();
});

test('PG-23: a client that leaves an open pipeline behind disturbs nobody', async () => {
  for (let round = 0; round < 5; round += 1) {
    const gone = await scene.client();
    gone.send(
      frontend.query('SET work_mem = 65536'),
      frontend.parse('', 'select pg_advisory_lock(1)'),
      frontend.bind('', ''),
      frontend.execute(),
    );
    gone.destroy();
    const next = await scene.client();
    expect(await next.value('select count(*) from pg_locks where locktype = $$advisory$$')).toBe(
      '0',
    );
    expect(await next.value("select setting from pg_settings where name = 'work_mem'")).toBe(
      '4096',
    );
    next.destroy();
  }
  await scene.expectClean();
  expect(scene.sluice.logs('bug')).toEqual([]);
});

test('GX-13: what has been counted is still counted after a reload', async () => {
  const before = await scene.metric('query_requests_total');
  expect(before).toBeGreaterThan(0);
  scene.sluice.signal('SIGHUP');
  await scene.sluice.waitForLog(({ event }) => event === 'reloaded');
  expect(await scene.ask('select 1')).toBe('1');
  expect(await scene.metric('query_requests_total')).toBe(before + 1);
});
