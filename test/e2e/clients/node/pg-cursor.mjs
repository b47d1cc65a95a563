// Portals that are read in steps, by Execute with a row limit and Flush (PG-03, PG-04).
import assert from 'node:assert/strict';
import Cursor from 'pg-cursor';
import { inRounds, one, play, printVersion, together, withClients } from './common.mjs';

const CLIENTS = 8;
const SERIES = 'SELECT g, $1::int AS n FROM generate_series(1, 500) g';

/** Reads to the end in steps; the number of rows and of steps. */
async function readAll(cursor, step, n) {
  let [count, steps] = [0, 0];
  for (;;) {
    const rows = await cursor.read(step);
    if (rows.length === 0) return { count, steps };
    for (const row of rows) {
      count += 1;
      assert.deepEqual(row, { g: count, n });
    }
    steps += 1;
  }
}

await play({
  async version() {
    await withClients(1, {}, async ([client]) => {
      const cursor = client.query(new Cursor('SELECT 1 AS one'));
      assert.deepEqual(await cursor.read(10), [{ one: 1 }]);
      await cursor.close();
    });
    printVersion('pg-cursor');
  },

  async outside_transactions() {
    await withClients(CLIENTS, {}, async (clients) => {
      await inRounds(3, clients, async (client, n) => {
        const cursor = client.query(new Cursor(SERIES, [n]));
        assert.deepEqual(await readAll(cursor, 70, n), { count: 500, steps: 8 });
        await cursor.close();
        assert.deepEqual(await one(client, 'SELECT $1::int AS n', [n]), { n });
      });
    });
  },

  async closed_early() {
    await withClients(CLIENTS, {}, async (clients) => {
      await inRounds(3, clients, async (client, n) => {
        const cursor = client.query(new Cursor(SERIES, [n]));
        assert.equal((await cursor.read(10)).length, 10);
        await cursor.close();
        assert.deepEqual(await one(client, 'SELECT $1::int AS n', [n]), { n });
      });
    });
  },

  /** Several queries between its steps, and two cursors at a time, as only a transaction allows. */
  async in_transactions() {
    await withClients(CLIENTS, {}, async (clients) => {
      await inRounds(2, clients, async (client, n) => {
        await client.query('BEGIN');
        const first = client.query(new Cursor(SERIES, [n]));
        assert.deepEqual(await readAll(first, 200, n), { count: 500, steps: 3 });
        await first.close();
        await client.query('SAVEPOINT s');
        const bad = client.query(
          new Cursor('SELECT 10 / (3 - g) AS q FROM generate_series(1, 9) g'),
        );
        assert.deepEqual(await bad.read(2), [{ q: 5 }, { q: 10 }]);
        await assert.rejects(bad.read(2), { code: '22012' });
        await client.query('ROLLBACK TO s');
        const second = client.query(new Cursor(SERIES, [n]));
        assert.equal((await second.read(1)).length, 1);
        await second.close();
        await client.query('COMMIT');
      });
    });
  },

  async with_errors() {
    await withClients(CLIENTS, {}, async (clients) => {
      await together(clients, async (client, n) => {
        const unknown = client.query(new Cursor('SELECT nothing'));
        await assert.rejects(unknown.read(1), { code: '42703' });
        const late = client.query(
          new Cursor('SELECT 10 / (3 - g) AS q FROM generate_series(1, 9) g'),
        );
        assert.deepEqual(await late.read(1), [{ q: 5 }]);
        await assert.rejects(late.read(5), { code: '22012' });
        assert.deepEqual(await one(client, 'SELECT $1::int AS n', [n]), { n });
      });
    });
  },
});
