import { afterAll, beforeAll, describe, expect, test } from 'bun:test';
import { runInNode } from '../../support/node-client.ts';
import type { Json } from '../../support/node-client.ts';
import { Stage } from './stage.ts';

/** In scope of every script: `pg`, `options` for its clients, and a connected `client` that is ended for it. */
function program(body: string): string {
  return `
    const { default: pg } = await import('pg');
    const { options, tlsOptions } = args;
    const client = new pg.Client(options);
    await client.connect();
    const code = (error) => error.code;
    try {
${body}
    } finally { await client.end(); }`;
}

for (const version of [18, 14] as const) {
  for (const tls of [false, true]) {
    describe(`pg under Node with PostgreSQL ${version}, ${tls ? 'TLS' : 'plain'}`, () => {
      let stage: Stage;
      beforeAll(async () => {
        stage = await Stage.open({ version });
        await stage.server.query(
          'DROP TABLE IF EXISTS app.account; CREATE TABLE app.account (id int PRIMARY KEY, balance int NOT NULL); ALTER TABLE app.account OWNER TO app',
          'app',
        );
      });
      afterAll(() => stage.close());

      const run = (body: string): Promise<unknown> => {
        const ssl: Json = tls ? { ca: stage.caPem, servername: 'localhost' } : false;
        return runInNode(program(body), { options: { ...stage.address, ssl } });
      };

      test('a pool of twenty on three connections: transactions add up', async () => {
        const answer = await run(`
          await client.query('TRUNCATE account');
          await client.query('INSERT INTO account SELECT g, 100 FROM generate_series(1, 10) g');
          const pool = new pg.Pool({ ...options, max: 20 });
          const move = async (n) => {
            const one = await pool.connect();
            try {
              await one.query('BEGIN');
              const [from, to] = [1 + (n % 10), 1 + ((n * 7 + 3) % 10)].sort((a, b) => a - b);
              const { rows } = await one.query('SELECT id FROM account WHERE id = ANY($1) ORDER BY id FOR UPDATE', [[from, to]]);
              await one.query('UPDATE account SET balance = balance - $1 WHERE id = $2', [n, from]);
              await one.query('UPDATE account SET balance = balance + $1 WHERE id = $2', [n, to]);
              await one.query(n % 3 === 0 ? 'ROLLBACK' : 'COMMIT');
              return rows.length;
            } finally { one.release(); }
          };
          await Promise.all(Array.from({ length: 100 }, (_, n) => move(n)));
          const echoes = await Promise.all(Array.from({ length: 200 }, (_, n) => pool.query('SELECT $1::int AS n', [n])));
          await pool.end();
          const { rows } = await client.query('SELECT sum(balance)::int AS sum FROM account');
          return { sum: rows[0].sum, echoed: echoes.every(({ rows }, n) => rows[0].n === n) };`);
        expect(answer).toEqual({ sum: 1000, echoed: true });
      });

      test('values, types and errors', async () => {
        const answer = await run(`
          const { rows, fields } = await client.query('SELECT $1::int AS i, $2::text AS t, $3::jsonb AS j, $4::timestamptz AS d, $5::bytea AS b, $6::text[] AS a, NULL AS n',
            [42, 'ü', { a: [1] }, '2020-01-01T00:00:00Z', Buffer.from([0, 255]), ['x', 'y,z']]);
          const failed = await client.query('SELECT 1/0').catch(code);
          const again = await client.query('INSERT INTO account VALUES (1, 1), (1, 1)').catch((e) => [e.code, e.constraint, e.detail]);
          const several = await client.query('SELECT 1 AS a; SELECT 2 AS b');
          const empty = await client.query('');
          const array = await client.query({ text: 'SELECT 1, 2', rowMode: 'array' });
          return { row: { ...rows[0], b: [...rows[0].b] }, names: fields.length, failed, again,
            several: several.map(({ rows }) => rows[0]), empty: empty.rowCount, array: array.rows };`);
        expect(answer).toEqual({
          row: {
            i: 42,
            t: 'ü',
            j: { a: [1] },
            d: '2020-01-01T00:00:00.000Z',
            b: [0, 255],
            a: ['x', 'y,z'],
            n: null,
          },
          names: 7,
          failed: '22012',
          again: ['23505', 'account_pkey', 'Key (id)=(1) already exists.'],
          several: [{ a: 1 }, { b: 2 }],
          empty: null,
          array: [[1, 2]],
        });
      });

      test('named prepared statements, bad ones among them (PG-82)', async () => {
        const answer = await run(`
          const named = (n) => client.query({ name: 'plus', text: 'SELECT $1::int + 1 AS n', values: [n] });
          const sums = [];
          for (let n = 0; n < 5; n += 1) sums.push((await named(n)).rows[0].n);
          const bad = await client.query({ name: 'bad', text: 'SELEC', values: [] }).catch(code);
          const good = await client.query({ name: 'bad', text: 'SELECT 7 AS n', values: [] });
          const pipelined = await Promise.all([1, 2, 3].map(named));
          return { sums, bad, good: good.rows[0].n, pipelined: pipelined.map(({ rows }) => rows[0].n) };`);
        expect(answer).toEqual({
          sums: [1, 2, 3, 4, 5],
          bad: '42601',
          good: 7,
          pipelined: [2, 3, 4],
        });
      });

      test('a failed transaction, savepoints, a cursor', async () => {
        const answer = await run(`
          await client.query('BEGIN');
          const first = await client.query('SELECT nothing').catch(code);
          const second = await client.query('SELECT 1').catch(code);
          await client.query('ROLLBACK');
          await client.query('BEGIN');
          await client.query('SAVEPOINT s');
          await client.query('SELECT 1/0').catch(code);
          await client.query('ROLLBACK TO s');
          await client.query('DECLARE c CURSOR FOR SELECT generate_series(1, 1000) AS n');
          let sum = 0;
          for (;;) {
            const { rows } = await client.query('FETCH 300 FROM c');
            if (rows.length === 0) break;
            for (const { n } of rows) sum += n;
          }
          await client.query('COMMIT');
          return { first, second, sum };`);
        expect(answer).toEqual({ first: '42703', second: '25P02', sum: 500_500 });
      });

      test('LISTEN is pinned and hears what others say', async () => {
        const answer = await run(`
          const heard = [];
          const two = new Promise((resolve) => client.on('notification', (message) => {
            if (heard.push(message.channel + ':' + message.payload) === 2) resolve();
          }));
          await client.query('LISTEN news');
          const other = new pg.Client(options);
          await other.connect();
          await other.query("NOTIFY news, 'one'");
          await other.query('SELECT pg_notify($1, $2)', ['news', 'two']);
          await other.end();
          await two;
          return heard;`);
        expect(answer).toEqual(['news:one', 'news:two']);
        expect(stage.sluice.logs('pinned').some(({ reason }) => reason === 'listen')).toBe(true);
      });

      test('notices, and a big result', async () => {
        const answer = await run(`
          const notices = [];
          client.on('notice', ({ message }) => notices.push(message));
          await client.query("DO $$ BEGIN RAISE NOTICE 'heard'; END $$");
          const { rows } = await client.query("SELECT g, repeat('x', 100) AS x FROM generate_series(1, 50000) g");
          return { notices, count: rows.length, last: rows.at(-1).g };`);
        expect(answer).toEqual({ notices: ['heard'], count: 50_000, last: 50_000 });
      });

      test('nothing is left behind', async () => {
        await stage.expectClean();
        expect(
          stage.discards('violation', 'bytesWhileIdle', 'resetFailed', 'databaseClosed'),
        ).toEqual([]);
        const encrypted = await stage.metric('sluice_query_requests_tls_total');
        expect(encrypted > 0).toBe(tls);
      });
    });
  }
}
