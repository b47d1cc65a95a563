// What Rails' adapter for PostgreSQL says on each of its connections, said by pg: SETs when it connects, statements named
// a1, a2, …, DEALLOCATE when there are too many, DISCARD ALL and the SETs again when a connection is reset.
import assert from 'node:assert/strict';
import {
  inRounds,
  inTurn,
  numbers,
  one,
  play,
  printVersion,
  together,
  withClients,
  zones,
} from './common.mjs';

const CLIENTS = 30;

/** One in three applications has settings of its own. */
const settingsOf = (n) => ({
  client_min_messages: n % 3 === 0 ? 'error' : 'warning',
  search_path: n % 3 === 0 ? `"$user", tenant_${n}` : '"$user", public',
  standard_conforming_strings: 'on',
  intervalstyle: 'iso_8601',
  timezone: n % 3 === 0 ? zones[(n / 3) % zones.length] : 'UTC',
  statement_timeout: n % 3 === 0 ? `${30_001 + n}ms` : '30s',
});

async function configure(client, n) {
  const settings = settingsOf(n);
  await client.query(`SET client_min_messages TO '${settings.client_min_messages}'`);
  await client.query(`SET search_path TO ${settings.search_path}`);
  await client.query('SET standard_conforming_strings = on');
  await client.query('SET intervalstyle = iso_8601');
  await client.query(`SET SESSION timezone TO '${settings.timezone}'`);
  await client.query(`SET SESSION statement_timeout TO '${settings.statement_timeout}'`);
  await client.query('SHOW max_identifier_length');
}

/** Whether it sees what it has set, and nothing of what the others have. */
async function expectSettings(client, n) {
  const settings = settingsOf(n);
  const list = Object.keys(settings).map((name) => `current_setting('${name}') AS "${name}"`);
  assert.deepEqual(
    await one(client, `SELECT ${list.join(', ')}, (interval '1 day')::text AS day`),
    {
      ...settings,
      day: 'P1D',
    },
  );
}

/** A pool of connections as Rails has it. */
const withConnections = (work) =>
  withClients(
    CLIENTS,
    (n) => ({ application_name: `puma ${n % 2}` }),
    async (clients) => {
      await together(clients, configure);
      await work(clients);
    },
  );

await play({
  async version() {
    await withClients(1, {}, ([client]) => configure(client, 0));
    printVersion('pg');
  },

  async set_storm() {
    await withConnections((clients) => inRounds(5, clients, expectSettings));
  },

  /** Functions that connect, say all that, and ask one question. */
  async short_connections() {
    await inTurn(numbers(4), () => withConnections((clients) => together(clients, expectSettings)));
  },

  /** More than its pool of statements holds, so that it forgets the oldest by SQL (PG-85). */
  async prepared_statements() {
    await withConnections(async (clients) => {
      await inRounds(6, clients, async (client, n, round) => {
        const find = (number) => {
          const text = `SELECT $1::int + ${number} AS sum, ${n} AS n`;
          return one(client, { name: `a${number}`, text, values: [100] });
        };
        for (const number of [round, round + 1]) {
          assert.deepEqual(await find(number), { sum: 100 + number, n });
        }
        await client.query(`DEALLOCATE a${round}`);
        if (round % 3 === 0) await expectSettings(client, n);
      });
    });
  },

  /** `reset!` */
  async discard_all() {
    await withConnections(async (clients) => {
      await inRounds(3, clients, async (client, n, round) => {
        await client.query('BEGIN');
        await client.query('SET LOCAL client_min_messages TO log');
        const query = { name: `r${round}`, text: `SELECT ${n} AS n` };
        assert.deepEqual(await one(client, query), { n });
        await client.query('ROLLBACK');
        await client.query('DISCARD ALL');
        const clean = `SELECT current_setting('intervalstyle') AS style,
          current_setting('client_min_messages') AS level`;
        assert.deepEqual(await one(client, clean), { style: 'postgres', level: 'notice' });
        await configure(client, n);
        await expectSettings(client, n);
      });
    });
  },

  async reset_all() {
    await withConnections(async (clients) => {
      await inRounds(3, clients, async (client, n) => {
        await client.query('RESET ALL');
        const { style } = await one(client, "SELECT current_setting('intervalstyle') AS style");
        assert.equal(style, 'postgres');
        await configure(client, n);
        await expectSettings(client, n);
      });
    });
  },

  /** Migrations hold a session lock, one process after another. */
  async migration_lock() {
    await withConnections(async (clients) => {
      await inTurn(clients.slice(0, 5), async (client, n) => {
        const lock = await one(client, 'SELECT pg_try_advisory_lock(4242424242) AS got');
        assert.deepEqual(lock, { got: true });
        await expectSettings(client, n);
        await together(clients.slice(10, 15), (other, at) => expectSettings(other, 10 + at));
        const unlock = await one(client, 'SELECT pg_advisory_unlock(4242424242) AS gave');
        assert.deepEqual(unlock, { gave: true });
      });
    });
  },
});
