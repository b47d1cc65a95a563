// Rows as a stream, which reads no faster than its consumer.
import assert from 'node:assert/strict';
import QueryStream from 'pg-query-stream';
import { inRounds, one, pause, play, printVersion, withClients } from './common.mjs';

const CLIENTS = 8;
const SERIES = `SELECT g, $1::int AS n, repeat('x', 200) AS filler FROM generate_series(1, $2::int) g`;

const stream = (client, n, count, options) =>
  client.query(new QueryStream(SERIES, [n, count], options));

await play({
  async version() {
    await withClients(1, {}, async ([client]) => {
      assert.equal((await stream(client, 0, 3).toArray()).length, 3);
    });
    printVersion('pg-query-stream');
  },

  async streams() {
    await withClients(CLIENTS, {}, async (clients) => {
      await inRounds(2, clients, async (client, n) => {
        let count = 0;
        for await (const row of stream(client, n, 2_000, { batchSize: 150 })) {
          count += 1;
          assert.equal(row.g, count);
          assert.equal(row.n, n);
          if (count % 500 === 0) await pause();
        }
        assert.equal(count, 2_000);
        assert.deepEqual(await one(client, 'SELECT $1::int AS n', [n]), { n });
      });
    });
  },

  async destroyed_early() {
    await withClients(CLIENTS, {}, async (clients) => {
      await inRounds(3, clients, async (client, n) => {
        let count = 0;
        for await (const _ of stream(client, n, 2_000, { highWaterMark: 20 })) {
          count += 1;
          if (count === 30) break;
        }
        assert.deepEqual(await one(client, 'SELECT $1::int AS n', [n]), { n });
      });
    });
  },

  async in_transactions() {
    await withClients(CLIENTS, {}, async (clients) => {
      await inRounds(2, clients, async (client, n) => {
        await client.query('BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY');
        const rows = await stream(client, n, 300, { batchSize: 50 }).toArray();
        assert.equal(rows.length, 300);
        assert.ok(rows.every((row) => row.n === n));
        await client.query('COMMIT');
      });
    });
  },
});
