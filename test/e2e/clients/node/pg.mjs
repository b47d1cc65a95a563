// node-postgres with its pool, as applications use it.
import assert from 'node:assert/strict';
import {
  administer,
  inRounds,
  lend,
  numbers,
  one,
  play,
  printVersion,
  together,
  withClients,
  withPools,
  zones,
} from './common.mjs';
import { pinning } from './pg-pinning.mjs';

const CLIENTS = 12;

await play({
  async version() {
    await withClients(1, {}, ([client]) => client.query('SELECT 1'));
    printVersion('pg');
  },

  /** Equal names with different texts, different names with equal texts (PG-80, PG-84). */
  async named_statements() {
    await withClients(CLIENTS, {}, async (clients) => {
      await inRounds(6, clients, async (client, n, round) => {
        const text = `SELECT $1::int + ${n} AS sum`;
        assert.deepEqual(await one(client, { name: 'mine', text, values: [round] }), {
          sum: round + n,
        });
        const shared = { name: `number ${n}`, text: 'SELECT $1::text AS said', values: ['x'] };
        assert.deepEqual(await one(client, shared), { said: 'x' });
        const many = { name: `s${round}`, text: `SELECT ${round} AS round, ${n} AS n` };
        assert.deepEqual(await one(client, many), { round, n });
      });
      // A text that the database refuses, then a better one of the same name (PG-82).
      await together(clients, async (client, n) => {
        const bad = client.query({ name: 'late', text: 'SELECT nothing' });
        await assert.rejects(bad, { code: '42703' });
        const good = { name: 'late', text: `SELECT ${n} AS n` };
        assert.deepEqual([await one(client, good), await one(client, good)], [{ n }, { n }]);
      });
      // An error when it runs leaves the statement usable.
      await together(clients, async (client, n) => {
        const quotient = (by) =>
          one(client, { name: 'quotient', text: `SELECT ${n} / $1::int AS q`, values: [by] });
        await assert.rejects(quotient(0), { code: '22012' });
        assert.deepEqual(await quotient(1), { q: n });
      });
    });
  },

  /** Who prepares a statement after its table has changed gets one of the changed table, whoever else had it before. */
  async named_statements_of_changed_tables() {
    const select = { name: 'all', text: 'SELECT * FROM shape' };
    const insert = { name: 'add', text: 'INSERT INTO shape (x) VALUES ($1) RETURNING x' };
    await administer("DROP TABLE IF EXISTS shape; CREATE TABLE shape AS SELECT '1'::text AS x");
    await withClients(CLIENTS, {}, async (clients) => {
      await inRounds(2, clients, async (client) => {
        assert.deepEqual(await one(client, select), { x: '1' });
        await client.query('BEGIN');
        assert.deepEqual(await one(client, { ...insert, values: ['2'] }), { x: '2' });
        await client.query('ROLLBACK');
      });
    });
    await administer('ALTER TABLE shape ALTER x TYPE int USING x::int, ADD y text DEFAULT 7');
    await withClients(CLIENTS, {}, async (clients) => {
      await inRounds(2, clients, async (client, n) => {
        await client.query('BEGIN');
        if (n % 2 === 0) assert.deepEqual(await one(client, select), { x: 1, y: '7' });
        assert.deepEqual(await one(client, { ...insert, values: [2] }), { x: 2 });
        await client.query('ROLLBACK');
        assert.deepEqual(await one(client, select), { x: 1, y: '7' });
      });
    });
    await administer('DROP TABLE shape');
  },

  async named_statements_in_transactions() {
    await withClients(CLIENTS, {}, async (clients) => {
      await inRounds(4, clients, async (client, n, round) => {
        const add = (value) =>
          one(client, { name: 'add', text: `SELECT $1::int + ${n} AS sum`, values: [value] });
        await client.query('BEGIN');
        assert.deepEqual(await add(round), { sum: round + n });
        await client.query('SAVEPOINT s');
        await assert.rejects(add('no number'), { code: '22P02' });
        await client.query('ROLLBACK TO s');
        assert.deepEqual(await add(1), { sum: 1 + n });
        await client.query(round % 2 === 0 ? 'COMMIT' : 'ROLLBACK');
      });
    });
  },

  /** What applications with a schema and a time zone for each tenant do. */
  async settings_on_connect() {
    await administer(
      zones
        .map(
          (_, n) => `DROP SCHEMA IF EXISTS "Tenant ${n}" CASCADE; CREATE SCHEMA "Tenant ${n}";
            CREATE TABLE "Tenant ${n}".item AS SELECT 'of ' || ${n} AS name;`,
        )
        .join('\n'),
    );
    const options = zones.map((zone, n) => ({
      async onConnect(client) {
        await client.query(`SET search_path TO "Tenant ${n}", public; SET timezone TO '${zone}'`);
        await client.query(`SET statement_timeout = ${10_001 + n}`);
        await client.query("SELECT set_config('app.tenant', $1, false)", [`it's "${n}", \\`]);
      },
    }));
    await withPools(options, async (pools) => {
      const seen = `SELECT name, current_setting('timezone') AS zone,
          current_setting('app.tenant') AS tenant, current_setting('statement_timeout') AS timeout
        FROM item`;
      await inRounds(5, pools, (pool, n) =>
        together(numbers(3), async () =>
          assert.deepEqual(await one(pool, seen), {
            name: `of ${n}`,
            zone: zones[n],
            tenant: `it's "${n}", \\`,
            timeout: `${10_001 + n}ms`,
          }),
        ),
      );
    });
    await administer(zones.map((_, n) => `DROP SCHEMA "Tenant ${n}" CASCADE`).join('; '));
  },

  /** Row-level security by a setting that each request makes and unmakes. */
  async settings_per_request() {
    await administer(`DROP TABLE IF EXISTS secret_note;
      CREATE TABLE secret_note (owner text DEFAULT current_setting('app.who'), said text,
        trace text DEFAULT current_setting('app.trace'));
      ALTER TABLE secret_note ENABLE ROW LEVEL SECURITY;
      ALTER TABLE secret_note FORCE ROW LEVEL SECURITY;
      CREATE POLICY mine ON secret_note USING (owner = current_setting('app.who', true))`);
    await withPools([{}, {}, {}, {}], async (pools) => {
      const request = (client, user, round) => async () => {
        await client.query("SELECT set_config('app.who', $1, false)", [user]);
        await client.query('BEGIN');
        await client.query("SELECT set_config('app.trace', $1, true)", [`${user} ${round}`]);
        await client.query('INSERT INTO secret_note (said) VALUES ($1)', [String(round)]);
        await client.query('COMMIT');
        const { rows } = await client.query('SELECT * FROM secret_note ORDER BY said');
        assert.deepEqual(
          rows,
          numbers(round + 1).map((said) => ({
            owner: user,
            said: `${said}`,
            trace: `${user} ${said}`,
          })),
        );
        const { trace } = await one(client, "SELECT current_setting('app.trace', true) AS trace");
        assert.ok(!trace, 'what was set for a transaction outlived it');
        await client.query(round % 2 === 0 ? 'RESET app.who' : "SET app.who TO ''");
      };
      await inRounds(4, numbers(CLIENTS), (n, _, round) =>
        lend(pools[n % pools.length], (client) => request(client, `user ${n}`, round)()),
      );
    });
    await administer('DROP TABLE secret_note');
  },

  /** What a transaction set is kept if it commits, and only then (PG-53, PG-54, PG-56). */
  async settings_in_transactions() {
    await withClients(CLIENTS, {}, async (clients) => {
      const seen = async (client) => {
        const row = await one(
          client,
          `SELECT current_setting('work_mem') AS memory,
          current_setting('intervalstyle') AS style, current_setting('transaction_isolation') AS level`,
        );
        return [row.memory, row.style, row.level];
      };
      await inRounds(2, clients, async (client, n, round) => {
        const memory = `${1025 + 10 * n + round}kB`;
        await client.query(`BEGIN; SET work_mem = '${memory}'; SET LOCAL intervalstyle = iso_8601`);
        assert.deepEqual(await seen(client), [memory, 'iso_8601', 'read committed']);
        await client.query('COMMIT');
        assert.deepEqual(await seen(client), [memory, 'postgres', 'read committed']);
        await client.query('BEGIN');
        await client.query("SET work_mem = '64kB'");
        await client.query('SAVEPOINT s');
        await client.query('SET intervalstyle = sql_standard');
        await client.query('ROLLBACK TO s');
        assert.deepEqual(await seen(client), ['64kB', 'postgres', 'read committed']);
        await client.query('ROLLBACK');
        assert.deepEqual(await seen(client), [memory, 'postgres', 'read committed']);
        const level = n % 2 === 0 ? 'serializable' : 'repeatable read';
        await client.query(`SET SESSION CHARACTERISTICS AS TRANSACTION ISOLATION LEVEL ${level}`);
        assert.deepEqual(await seen(client), [memory, 'postgres', level]);
        await client.query('RESET default_transaction_isolation');
        await assert.rejects(client.query("SET work_mem = 'much'"), { code: '22023' });
        assert.deepEqual(await seen(client), [memory, 'postgres', 'read committed']);
      });
    });
  },

  /** A pool that cleans its clients when they come back: to what they were connected with (PG-63, PG-65). */
  async reset_on_return() {
    const options = numbers(4).map((n) => ({
      application_name: `shop ${n}`,
      options: `-c statement_timeout=${20_001 + n}`,
    }));
    await withPools(options, async (pools) => {
      const resets = [];
      const seen = (client) =>
        one(
          client,
          `SELECT current_setting('application_name') AS name,
          current_setting('statement_timeout') AS timeout, current_setting('datestyle') AS style`,
        );
      for (const [n, pool] of pools.entries()) {
        const reset = ['DISCARD ALL', 'RESET ALL'][n % 2];
        pool.on('release', (_, client) => {
          resets.push(client.query(reset).catch(({ message }) => message));
        });
      }
      await inRounds(4, numbers(CLIENTS), (n) =>
        lend(pools[n % 4], async (client) => {
          const clean = {
            name: `shop ${n % 4}`,
            timeout: `${20_001 + (n % 4)}ms`,
            style: 'ISO, MDY',
          };
          assert.deepEqual(await seen(client), clean);
          await client.query(
            `SET application_name = 'client ${n}'; SET statement_timeout = '${n + 1}min'`,
          );
          await client.query('SET datestyle = German');
          const dirty = { name: `client ${n}`, timeout: `${n + 1}min`, style: 'German, DMY' };
          assert.deepEqual(await seen(client), dirty);
        }),
      );
      assert.deepEqual(
        (await Promise.all(resets)).filter((result) => typeof result === 'string'),
        [],
      );
    });
  },

  /** Most of these Amazon RDS Proxy refuses. */
  async startup_parameters() {
    const options = (n) => ({
      application_name: `worker ${n}`,
      statement_timeout: 30_001 + n,
      lock_timeout: 5_001 + n,
      idle_in_transaction_session_timeout: 40_001 + n,
      options: `-c search_path=app,\\ public -c my.number=${n} --geqo=off`,
    });
    await withClients(6, options, async (clients) => {
      const names = ['application_name', 'statement_timeout', 'lock_timeout'];
      names.push('idle_in_transaction_session_timeout', 'search_path', 'my.number', 'geqo');
      const seen = async (client) => {
        const { rows } = await client.query(
          'SELECT current_setting(name) AS value FROM unnest($1::text[]) WITH ORDINALITY AS t (name, n) ORDER BY n',
          [names],
        );
        return rows.map(({ value }) => value);
      };
      await inRounds(3, clients, async (client, n) => {
        const timeouts = [`${30_001 + n}ms`, `${5_001 + n}ms`, `${40_001 + n}ms`];
        const expected = [`worker ${n}`, ...timeouts, 'app, public', `${n}`, 'off'];
        assert.deepEqual(await seen(client), expected);
        await client.query("SET statement_timeout = '1min'; SET my.number = 'none'");
        assert.deepEqual((await seen(client))[1], '1min');
        await client.query('RESET statement_timeout; RESET my.number');
        assert.deepEqual(await seen(client), expected);
      });
    });
  },

  async prepare_by_sql() {
    await withClients(CLIENTS, {}, async (clients) => {
      await inRounds(3, clients, async (client, n) => {
        await client.query(`PREPARE plan (int) AS SELECT $1 + ${n} AS sum`);
        assert.deepEqual(await one(client, 'EXECUTE plan (1)'), { sum: n + 1 });
        await assert.rejects(client.query('PREPARE plan AS SELECT 1'), { code: '42P05' });
        assert.deepEqual(await one(client, 'EXECUTE plan (2)'), { sum: n + 2 });
        await client.query('DEALLOCATE plan');
        await assert.rejects(client.query('EXECUTE plan (3)'), { code: '26000' });
      });
    });
  },

  /** Amazon RDS Proxy pins what is longer than 16 KB. */
  async long_statements() {
    await withClients(6, {}, async (clients) => {
      await inRounds(3, clients, async (client, n) => {
        const simple = `SELECT length('${'x'.repeat(40_000 + n)}') AS length`;
        assert.deepEqual(await one(client, simple), { length: 40_000 + n });
        const values = numbers(5_000).map((value) => value + n);
        const list = values.map((_, at) => `$${at + 1}::int`).join(', ');
        const sum = await one(
          client,
          `SELECT sum(v)::int AS sum FROM unnest(ARRAY[${list}]) v`,
          values,
        );
        assert.deepEqual(sum, { sum: 12_497_500 + 5_000 * n });
      });
    });
  },

  /** Requests without waiting for replies, errors among them (PG-01, PG-06). */
  async pipeline() {
    await withClients(6, { pipeline: true }, async (clients) => {
      await inRounds(3, clients, async (client, n) => {
        const outcomes = await together(numbers(60), (at) => {
          const by = at % 20 === 7 ? 0 : 1;
          const query = { text: `SELECT ${at} / $1::int AS q, ${n} AS n`, values: [by] };
          const named = at % 3 === 0 ? { ...query, name: `q${at}` } : query;
          return one(client, named).catch(({ code }) => code);
        });
        assert.deepEqual(
          outcomes,
          numbers(60).map((at) => (at % 20 === 7 ? '22012' : { q: at, n })),
        );
      });
    });
  },

  async transaction_locks() {
    await administer('DROP TABLE IF EXISTS counter; CREATE TABLE counter AS SELECT 0 AS n');
    await withClients(CLIENTS, {}, async (clients) => {
      await inRounds(3, clients, async (client) => {
        await client.query('BEGIN');
        await client.query("SELECT pg_advisory_xact_lock(hashtext('counter'))");
        const { n } = await one(client, 'SELECT n FROM counter');
        await client.query('UPDATE counter SET n = $1', [n + 1]);
        await client.query('COMMIT');
      });
      assert.deepEqual(await one(clients[0], 'SELECT n FROM counter'), { n: 3 * CLIENTS });
    });
    await administer('DROP TABLE counter');
  },

  /** Of a sequence's value, only what RETURNING says of it. */
  async serial_columns() {
    await administer('DROP TABLE IF EXISTS ticket; CREATE TABLE ticket (id serial, said text)');
    await withClients(CLIENTS, {}, async (clients) => {
      const ids = new Set();
      await inRounds(3, clients, async (client, n) => {
        const insert = 'INSERT INTO ticket (said) VALUES ($1) RETURNING id';
        ids.add((await one(client, insert, [`from ${n}`])).id);
      });
      assert.equal(ids.size, 3 * CLIENTS);
    });
    await administer('DROP TABLE ticket');
  },

  ...pinning,
});
