// postgres.js: tagged templates, each a named prepared statement unless told otherwise, all pipelined.
import assert from 'node:assert/strict';
import { Readable } from 'node:stream';
import { text } from 'node:stream/consumers';
import { pipeline } from 'node:stream/promises';
import postgres from 'postgres';
import {
  address,
  administer,
  inRounds,
  inTurn,
  numbers,
  play,
  printVersion,
  together,
  zones,
} from './common.mjs';

const CLIENTS = 8;

/** Clients with a pool of their own each; `options` may be a function of the client's number. */
async function withClients(count, options, work) {
  const clients = numbers(count).map((n) => {
    const more = typeof options === 'function' ? options(n) : options;
    return postgres({ ...address, max: 2, onnotice: () => {}, ...more });
  });
  try {
    await work(clients);
  } finally {
    await together(clients, (sql) => sql.end({ timeout: 5 }));
  }
}

/** Many queries at once, errors among them; equal texts and different ones (PG-01, PG-80). */
async function queries(options) {
  await withClients(CLIENTS, options, async (clients) => {
    await inRounds(4, clients, async (sql, n, round) => {
      const outcomes = await together(numbers(40), async (at) => {
        if (at % 20 === 7) return await sql`SELECT 1 / ${0}::int AS q`.catch(({ code }) => code);
        if (at % 2 === 0) return (await sql`SELECT ${at}::int + ${n}::int AS sum`)[0].sum;
        return (await sql.unsafe(`SELECT ${at} + ${n} + $1::int AS sum`, [round]))[0].sum;
      });
      const expected = (at) => (at % 2 === 0 ? at + n : at + n + round);
      assert.deepEqual(
        outcomes,
        numbers(40).map((at) => (at % 20 === 7 ? '22012' : expected(at))),
      );
    });
    await together(clients, async (sql, n) => {
      await assert.rejects(sql`SELECT nothing`, { code: '42703' });
      const [row] = await sql`SELECT ${[n, n + 1]}::int[] AS list, ${sql.json({ n })}::jsonb AS doc,
        ${new Date(0)}::timestamptz AS day, ${Buffer.from([n])}::bytea AS bytes, ${null}::text AS none`;
      assert.deepEqual(
        { ...row, bytes: [...row.bytes] },
        {
          list: [n, n + 1],
          doc: { n },
          day: new Date(0),
          bytes: [n],
          none: null,
        },
      );
      const several = await sql.unsafe(`SELECT ${n} AS a; SELECT ${n + 1} AS b`);
      assert.deepEqual(
        several.map(([first]) => first),
        [{ a: n }, { b: n + 1 }],
      );
    });
  });
}

await play({
  async version() {
    await withClients(1, {}, ([sql]) => sql`SELECT 1`);
    printVersion('postgres');
  },

  prepared: () => queries({}),
  unprepared: () => queries({ prepare: false }),

  /** Told that a table has changed under a statement, it prepares it anew and reads what comes by what that says. */
  async prepared_for_changed_tables() {
    await administer("DROP TABLE IF EXISTS shape; CREATE TABLE shape AS SELECT '1'::text AS x");
    await withClients(CLIENTS, { max: 1 }, async (clients) => {
      const select = async (sql) => (await sql`SELECT * FROM shape`)[0];
      const add = async (sql) =>
        (await sql`INSERT INTO shape (x) VALUES (${'2'}) RETURNING x`)[0].x;
      await together(clients, async (sql) => {
        assert.deepEqual({ ...(await select(sql)) }, { x: '1' });
        assert.equal(await add(sql), '2');
      });
      await administer(`DELETE FROM shape WHERE x = '2';
        ALTER TABLE shape ALTER x TYPE int USING x::int, ADD y text DEFAULT 7`);
      await inRounds(2, clients, async (sql) => {
        assert.deepEqual({ ...(await select(sql)) }, { x: 1, y: '7' });
        assert.equal(await add(sql), 2);
      });
    });
    await administer('DROP TABLE shape');
  },

  async settings_on_connect() {
    const options = (n) => ({
      connection: {
        application_name: `shop ${n}`,
        TimeZone: zones[n],
        search_path: 'app, public',
        statement_timeout: 30_001 + n,
      },
    });
    await withClients(zones.length, options, async (clients) => {
      await inRounds(4, clients, (sql, n) =>
        together(numbers(3), async () => {
          const [row] = await sql`SELECT current_setting('application_name') AS name,
            current_setting('timezone') AS zone, current_setting('search_path') AS path,
            current_setting('statement_timeout') AS timeout`;
          const timeout = `${30_001 + n}ms`;
          assert.deepEqual(
            { ...row },
            { name: `shop ${n}`, zone: zones[n], path: 'app, public', timeout },
          );
        }),
      );
    });
  },

  /** On a connection that is reserved, as settings are made and relied on. */
  async settings_on_reserved() {
    await withClients(CLIENTS, {}, async (clients) => {
      await inRounds(3, clients, async (sql, n, round) => {
        const reserved = await sql.reserve();
        try {
          const zone = zones[(n + round) % zones.length];
          await reserved.unsafe(`SET timezone TO '${zone}'`);
          await reserved`SELECT set_config('app.tenant', ${`tenant ${n}`}, false)`;
          const [row] = await reserved`SELECT current_setting('timezone') AS zone,
            current_setting('app.tenant') AS tenant`;
          assert.deepEqual({ ...row }, { zone, tenant: `tenant ${n}` });
          await reserved`RESET ALL`;
        } finally {
          reserved.release();
        }
      });
    });
  },

  async transactions() {
    await administer('DROP TABLE IF EXISTS step; CREATE TABLE step (owner int, n int)');
    await withClients(CLIENTS, {}, async (clients) => {
      await inRounds(2, clients, async (sql, n) => {
        const all = await sql.begin('isolation level repeatable read', async (tx) => {
          await tx`DELETE FROM step WHERE owner = ${n}`;
          await tx`INSERT INTO step VALUES (${n}, 1)`;
          const undone = tx.savepoint(async (inner) => {
            await inner`INSERT INTO step VALUES (${n}, 2)`;
            await inner`SELECT 1 / 0`;
          });
          await assert.rejects(undone, { code: '22012' });
          const rows = [3, 4].map((value) => ({ owner: n, n: value }));
          await tx.savepoint((inner) => inner`INSERT INTO step ${inner(rows)}`);
          await tx`SET LOCAL work_mem = '64kB'`;
          return await tx`SELECT n, current_setting('work_mem') AS memory FROM step WHERE owner = ${n} ORDER BY n`;
        });
        assert.deepEqual(
          all.map((row) => row.n),
          [1, 3, 4],
        );
        assert.equal(all[0].memory, '64kB');
        const [{ memory }] = await sql`SELECT current_setting('work_mem') AS memory`;
        assert.notEqual(memory, '64kB');
        const failed = sql.begin(async (tx) => {
          await tx`INSERT INTO step VALUES (${n}, 5)`;
          await tx`SELECT 1 / 0`;
        });
        await assert.rejects(failed, { code: '22012' });
        const [{ count }] = await sql`SELECT count(*)::int FROM step WHERE owner = ${n}`;
        assert.equal(count, 3);
      });
    });
    await administer('DROP TABLE step');
  },

  /** Portals with row limits, other requests of the same client behind them (PG-03, PG-04). */
  async cursors() {
    await withClients(CLIENTS, {}, async (clients) => {
      await inRounds(2, clients, async (sql, n) => {
        let sum = 0;
        for await (const rows of sql`SELECT g, ${n}::int AS n FROM generate_series(1, 500) g`.cursor(
          64,
        )) {
          for (const row of rows) {
            sum += row.g;
            assert.equal(row.n, n);
          }
        }
        assert.equal(sum, 125_250);
        let early = 0;
        await sql`SELECT generate_series(1, 500) AS g`.cursor(10, (rows) => {
          early += rows.length;
          return early >= 30 ? sql.CLOSE : undefined;
        });
        assert.equal(early, 30);
        let each = 0;
        await sql`SELECT generate_series(1, ${100 + n}::int) AS g`.forEach(() => {
          each += 1;
        });
        assert.equal(each, 100 + n);
      });
    });
  },

  async copies() {
    await administer('DROP TABLE IF EXISTS copied; CREATE TABLE copied (owner int, n int UNIQUE)');
    await withClients(CLIENTS, {}, async (clients) => {
      await together(clients, async (sql, n) => {
        const lines = numbers(500).map((at) => `${n}\t${n * 1_000 + at}\n`);
        await pipeline(Readable.from(lines), await sql`COPY copied FROM STDIN`.writable());
        const breaks = function* () {
          yield `${n}\t${-n}\n`;
          throw new Error('the source dried up');
        };
        const broken = pipeline(
          Readable.from(breaks()),
          await sql`COPY copied FROM STDIN`.writable(),
        );
        await assert.rejects(broken, { message: 'the source dried up' });
        const [{ count }] = await sql`SELECT count(*)::int FROM copied WHERE owner = ${n}`;
        assert.equal(count, 500);
        const out = sql.unsafe(
          `COPY (SELECT n FROM copied WHERE owner = ${n} ORDER BY n LIMIT 2) TO STDOUT`,
        );
        assert.equal(await text(await out.readable()), `${n * 1_000}\n${n * 1_000 + 1}\n`);
      });
    });
    await administer('DROP TABLE copied');
  },

  /** It listens on a connection of its own, and keeps it. */
  async listen() {
    await withClients(4, {}, async (clients) => {
      await inTurn(clients, async (sql, n) => {
        const heard = [];
        let done;
        const two = new Promise((resolve) => {
          done = resolve;
        });
        const { unlisten } = await sql.listen('news', (payload) => {
          if (heard.push(payload) === 2) done();
        });
        await clients[(n + 1) % 4].notify('news', `one for ${n}`);
        await sql.notify('news', 'two');
        await two;
        assert.deepEqual(heard, [`one for ${n}`, 'two']);
        await unlisten();
      });
    });
  },

  async long_statements() {
    await withClients(4, {}, async (clients) => {
      await inRounds(2, clients, async (sql, n) => {
        const values = numbers(5_000).map((value) => value + n);
        const [{ count }] =
          await sql`SELECT count(*)::int FROM generate_series(0, 9999) g WHERE g IN ${sql(values)}`;
        assert.equal(count, 5_000);
      });
    });
  },
});
