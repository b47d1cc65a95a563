import { afterAll, beforeAll, describe, expect, test } from 'bun:test';
import { runInNode } from '../../support/node-client.ts';
import { Stage } from './stage.ts';

/** In scope of every script: `connect(more)` and `sql`, which is ended for it. */
function program(body: string): string {
  return `
    const { default: postgres } = await import('postgres');
    const { host, port, user, password, database, ca, prepare } = args;
    const ssl = ca === null ? false : { ca };
    const notices = [];
    const connect = (more) => postgres({ host, port, user, password, database, ssl, prepare, max: 3, onnotice: (n) => notices.push(n.message), ...more });
    const sql = connect({});
    const code = (error) => error.code;
    try {
${body}
    } finally { await sql.end({ timeout: 5 }); }`;
}

const cases = [
  { version: 18, tls: false, prepare: true },
  { version: 18, tls: true, prepare: false },
  { version: 14, tls: true, prepare: true },
] as const;

for (const { version, tls, prepare } of cases) {
  const name = `PostgreSQL ${version}, ${tls ? 'TLS' : 'plain'}, prepare: ${prepare}`;
  describe(`postgres.js under Node with ${name}`, () => {
    let stage: Stage;
    beforeAll(async () => {
      stage = await Stage.open({ version });
    });
    afterAll(() => stage.close());

    const run = (body: string): Promise<unknown> =>
      runInNode(program(body), { ...stage.address, ca: tls ? stage.caPem : null, prepare });

    test('pipelines many queries on each connection (PG-01)', async () => {
      const answer = await run(`
        const rows = await Promise.all(Array.from({ length: 500 }, (_, n) =>
          n % 50 === 7 ? sql\`SELECT 1 / \${0}::int AS n\`.catch(code) : sql\`SELECT \${n}::int AS n\`));
        return rows.every((row, n) => n % 50 === 7 ? row === '22012' : row[0].n === n);`);
      expect(answer).toBe(true);
    });

    test('ten clients on three connections', async () => {
      // Prepared statements pin: their sessions need a connection each, and wait for one where there is none.
      const answer = await run(`
        const one = async (n) => {
          const client = connect({ max: 1 });
          const [row] = await client\`SELECT \${n}::int + 1 AS n, \${'t' + n} AS t\`;
          await client.end();
          return row.n === n + 1 && row.t === 't' + n;
        };
        await sql.end();
        return await Promise.all(Array.from({ length: 10 }, (_, n) => one(n)));`);
      expect(answer).toEqual(Array.from({ length: 10 }, () => true));
    });

    test('transactions with savepoints', async () => {
      const answer = await run(`
        await sql\`DROP TABLE IF EXISTS step\`;
        await sql\`CREATE TABLE step (n int)\`;
        const result = await sql.begin('isolation level repeatable read', async (sql) => {
          await sql\`INSERT INTO step VALUES (1)\`;
          await sql.savepoint(async (sql) => {
            await sql\`INSERT INTO step VALUES (2)\`;
            throw new Error('undo');
          }).catch(() => {});
          await sql.savepoint((sql) => sql\`INSERT INTO step \${sql([{ n: 3 }, { n: 4 }])}\`);
          return sql\`SELECT array_agg(n ORDER BY n) AS all FROM step\`;
        });
        const failed = await sql.begin(async (sql) => { await sql\`INSERT INTO step VALUES (5)\`; await sql\`SELECT 1/0\`; }).catch(code);
        const [{ count }] = await sql\`SELECT count(*)::int FROM step\`;
        await sql\`DROP TABLE step\`;
        return { all: result[0].all, failed, count, notices };`);
      expect(answer).toEqual({
        all: [1, 3, 4],
        failed: '22012',
        count: 3,
        notices: ['table "step" does not exist, skipping'],
      });
    });

    test('cursors, by portals with row limits (PG-03, PG-04)', async () => {
      const answer = await run(`
        let sum = 0, batches = 0;
        for await (const rows of sql\`SELECT generate_series(1, 1000) AS n\`.cursor(64)) {
          batches += 1;
          for (const { n } of rows) sum += n;
        }
        let early = 0;
        await sql\`SELECT generate_series(1, 1000) AS n\`.cursor(10, (rows) => { early += rows.length; if (early >= 30) return sql.CLOSE; });
        let each = 0;
        await sql\`SELECT generate_series(1, 100) AS n\`.forEach(() => { each += 1; });
        return { sum, batches, early, each };`);
      expect(answer).toEqual({ sum: 500_500, batches: 16, early: 30, each: 100 });
    });

    test('listens and notifies', async () => {
      const answer = await run(`
        const heard = Promise.withResolvers?.() ?? (() => { const o = {}; o.promise = new Promise((r) => { o.resolve = r; }); return o; })();
        const { unlisten } = await sql.listen('news', heard.resolve);
        await sql.notify('news', 'hello');
        const text = await heard.promise;
        await unlisten();
        return text;`);
      expect(answer).toBe('hello');
    });

    test('several statements at once, and a file of them', async () => {
      const answer = await run(`
        const results = await sql.unsafe('SELECT 1 AS a; SELECT 2 AS b; SELECT 3 AS c');
        const raw = await sql.unsafe('SELECT $1::int AS n', [9]);
        const described = await sql\`SELECT \${1}::int AS n, 'x'::text AS t\`.describe();
        return { results: results.map(([row]) => row), raw: raw[0].n, types: described.types, columns: described.columns.map(({ name }) => name) };`);
      expect(answer).toEqual({
        results: [{ a: 1 }, { b: 2 }, { c: 3 }],
        raw: 9,
        types: [23],
        columns: ['n', 't'],
      });
    });

    test('copies in and out by streams', async () => {
      const answer = await run(`
        const { pipeline } = await import('node:stream/promises');
        const { Readable } = await import('node:stream');
        const { text } = await import('node:stream/consumers');
        return await sql.begin(async (sql) => {
          await sql\`CREATE TEMP TABLE copied (n int, t text) ON COMMIT DROP\`;
          const into = await sql\`COPY copied FROM STDIN\`.writable();
          await pipeline(Readable.from(Array.from({ length: 1000 }, (_, n) => n + '\\tx' + n + '\\n')), into);
          const [{ count }] = await sql\`SELECT count(*)::int FROM copied\`;
          const out = await text(await sql\`COPY (SELECT n FROM copied ORDER BY n LIMIT 3) TO STDOUT\`.readable());
          return { count, out };
        });`);
      expect(answer).toEqual({ count: 1000, out: '0\n1\n2\n' });
    });

    test('cancels a running query, and only that (PG-40)', async () => {
      const answer = await run(`
        const other = sql\`SELECT pg_sleep(1.5), 'whole' AS t\`.execute();
        const query = sql\`SELECT pg_sleep(60), 'cancel me' AS t\`;
        const outcome = query.execute().catch(code);
        for (;;) {
          const [{ busy }] = await sql\`SELECT count(*)::int AS busy FROM pg_stat_activity WHERE state = 'active' AND query LIKE '%cancel me%' AND pid <> pg_backend_pid()\`;
          if (busy > 0) break;
        }
        query.cancel();
        return { outcome: await outcome, other: (await other)[0].t };`);
      expect(answer).toEqual({ outcome: '57014', other: 'whole' });
      expect(await stage.metric('sluice_cancel_requests_total')).toBe(1);
    });

    test('nothing is left behind', async () => {
      await stage.expectClean();
      expect(
        stage.discards('violation', 'bytesWhileIdle', 'resetFailed', 'databaseClosed'),
      ).toEqual([]);
    });
  });
}
