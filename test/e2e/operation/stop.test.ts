import { expect, test } from 'bun:test';
import { frontend } from '../../support/messages.ts';
import { withPostgres } from '../../support/sluice.ts';
import { transcript } from '../../support/transcript.ts';
import { refusal, Scene } from '../faults/scene.ts';

const GOODBYE = 'E FATAL 57P01 terminating connection due to administrator command';

test('SIGTERM sends idle clients away, lets work end, takes no new clients, and exits with 0 (PG-122)', async () => {
  const scene = await Scene.open(await withPostgres(), { connections: 2 });
  const clients = await Promise.all(Array.from({ length: 3 }, () => scene.client()));
  const [idle, inTransaction, inRequest] = clients;
  if (idle === undefined || inTransaction === undefined || inRequest === undefined)
    throw new Error();
  await inTransaction.query('BEGIN; SELECT 1');
  inRequest.send(frontend.query('SELECT pg_sleep(1), 5'));
  await scene.untilMetric('database_connections_currently_borrowed', 2);
  scene.sluice.signal('SIGTERM');
  expect(transcript(await idle.readEnd())).toEqual([GOODBYE]);
  expect(await refusal(scene.client())).not.toBe('let in');
  // Whoever runs the proxy can see what it waits for.
  expect((await scene.sluice.admin('/healthz')).status).toBe(200);
  expect(await scene.metric('client_connections')).toBe(2);
  expect(transcript(await inTransaction.query('SELECT 2'))).toContain('D 2');
  expect(transcript(await inRequest.readUntilReady())).toContain('D |5');
  expect(transcript(await inRequest.readEnd())).toEqual([GOODBYE]);
  inTransaction.send(frontend.query('COMMIT'));
  expect(transcript(await inTransaction.readEnd())).toEqual(['C COMMIT', 'Z I', GOODBYE]);
  expect(await scene.sluice.ended).toBe(0);
  for (const client of clients) client.destroy();
});

test('SIGTERM refuses those who wait, and ends at drainTimeout (PG-122)', async () => {
  const scene = await Scene.open(await withPostgres(), { rest: { drainTimeout: 1 } });
  const [holder, waiter] = [await scene.client(), await scene.client()];
  await holder.query('BEGIN');
  waiter.send(frontend.query('SELECT 1'));
  await scene.untilMetric('clients_waiting', 1);
  const started = performance.now();
  scene.sluice.signal('SIGTERM');
  expect(transcript(await waiter.readEnd())).toEqual([GOODBYE]);
  expect(transcript(await holder.readEnd())).toEqual([GOODBYE]);
  expect(performance.now() - started).toBeGreaterThan(900);
  expect(await scene.sluice.ended).toBe(0);
  expect(performance.now() - started).toBeLessThan(4_000);
  for (const client of [holder, waiter]) client.destroy();
});

test('a second SIGTERM ends it at once', async () => {
  const scene = await Scene.open(await withPostgres());
  const client = await scene.client();
  await client.query('BEGIN');
  scene.sluice.signal('SIGTERM');
  await scene.sluice.waitForLog(({ event }) => event === 'draining');
  const started = performance.now();
  scene.sluice.signal('SIGTERM');
  expect(await scene.sluice.ended).not.toBe(0);
  expect(performance.now() - started).toBeLessThan(2_000);
  client.destroy();
});
