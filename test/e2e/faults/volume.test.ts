import { afterAll, beforeAll, expect, test } from 'bun:test';
import { errorFields, frontend, i32 } from '../../support/messages.ts';
import { withPostgres } from '../../support/sluice.ts';
import { eventually } from '../clients/stage.ts';
import { Scene } from './scene.ts';

const MB = 1024 * 1024;
/** What the proxy may take beyond its rest, whatever streams through it. */
const GROWTH_BYTES = 100 * MB;

let scene: Scene;
let restBytes: number;

beforeAll(async () => {
  scene = await Scene.open(await withPostgres(), {
    connections: 2,
    proxy: { clientSendTimeout: 2 },
  });
  expect(await scene.ask('SELECT 1')).toBe('1');
  restBytes = await scene.memoryBytes();
});
afterAll(() => scene.close());

/** The proxy's greatest growth while the work is done. */
async function growthDuring(work: Promise<unknown>): Promise<number> {
  const watch = { over: false };
  const done = work.finally(() => {
    watch.over = true;
  });
  let most = 0;
  while (!watch.over) {
    most = Math.max(most, await scene.memoryBytes());
    await Bun.sleep(20);
  }
  await done;
  return most - restBytes;
}

test('a client that does not read 200 MB costs little, and is cut off in time (PG-113)', async () => {
  const client = await scene.client({ deadlineMs: 20_000 });
  client.send(frontend.query("SELECT repeat('x', 1000000) FROM generate_series(1, 200)"));
  client.socket.pause();
  await scene.untilMetric('database_connections_currently_borrowed', 1);
  const started = performance.now();
  const growth = await growthDuring(scene.untilMetric('client_connections', 0));
  expect(performance.now() - started).toBeGreaterThan(1_500);
  expect(performance.now() - started).toBeLessThan(5_000);
  expect(growth).toBeLessThan(GROWTH_BYTES);
  expect(scene.sluice.logs('serverDiscarded').map(({ reason }) => reason)).toContain(
    'clientTooSlow',
  );
  client.destroy();
  await scene.expectClean();
  expect(await scene.ask('SELECT 2')).toBe('2');
});

test('a client that reads slowly, but does read, gets all of it (PG-113)', async () => {
  const client = await scene.client({ deadlineMs: 20_000 });
  client.send(frontend.query("SELECT repeat('x', 1000000) FROM generate_series(1, 30)"));
  let rows = 0;
  const turns = setInterval(() => {
    client.socket.pause();
    setTimeout(() => client.socket.resume(), 40);
  }, 60);
  for (let type = ''; type !== 'Z';) {
    ({ type } = await client.read());
    if (type === 'D') rows += 1;
  }
  clearInterval(turns);
  expect(rows).toBe(30);
  client.socket.resume();
  await client.end();
  await scene.expectClean();
});

test('1 GB of results for a reader that keeps up leaves memory flat (PG-113)', async () => {
  const wanted = 1000 * MB;
  let heard = 0;
  const { promise, resolve } = Promise.withResolvers<void>();
  const client = await scene.client({ deadlineMs: 60_000 });
  // Counted as it arrives: a test client that kept it would be what grows.
  client.socket.data = (bytes) => {
    heard += bytes.length;
    if (heard > wanted) resolve();
  };
  client.send(frontend.query(`SELECT repeat('x', ${MB}) FROM generate_series(1, 1001)`));
  expect(await growthDuring(promise)).toBeLessThan(GROWTH_BYTES);
  client.destroy();
  await scene.expectClean();
});

test('a statement of 100 MB leaves memory flat, and is answered (PG-113)', async () => {
  const size = 100 * MB;
  const client = await scene.client({ deadlineMs: 60_000 });
  const head = Buffer.from("SELECT length('");
  const tail = Buffer.from("')\0");
  client.send(Buffer.from('Q'), i32(4 + head.length + size + tail.length), head);
  const chunk = Buffer.alloc(MB, 'x');
  const sending = (async () => {
    for (let left = size; left > 0; left -= MB) {
      client.send(chunk);
      await eventually(
        async () => client.socket.unsent,
        (unsent) => unsent < 4 * MB,
      );
    }
    client.send(tail);
    return await client.readUntilReady();
  })();
  const growth = await growthDuring(sending);
  const [, row] = await sending;
  expect(Buffer.from(row?.body ?? []).toString()).toEndWith(String(size));
  expect(growth).toBeLessThan(GROWTH_BYTES);
  await client.end();
  await scene.expectClean();
});

test('a client that sends ahead while it waits is paused, and costs little', async () => {
  const holders = [await scene.client(), await scene.client()];
  for (const holder of holders) await holder.query('BEGIN');
  const client = await scene.client({ deadlineMs: 60_000 });
  const query = frontend.query(`SELECT length('${'x'.repeat(MB)}')`);
  client.send(...Array.from({ length: 64 }, () => query));
  await scene.untilMetric('clients_waiting', 1);
  expect((await scene.memoryBytes()) - restBytes).toBeLessThan(GROWTH_BYTES);
  expect(client.socket.unsent).toBeGreaterThan(32 * MB);
  for (const holder of holders) await holder.end();
  const answers = await client.readUntilReady(64);
  expect(answers.filter(({ type }) => type === 'D')).toHaveLength(64);
  expect(answers.filter(({ type, body }) => type === 'E' && errorFields(body))).toEqual([]);
  await client.end();
  await scene.expectClean();
});
