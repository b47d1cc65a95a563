// What must tie a client of node-postgres to its connection, and what unties it: each in turn, more than there are connections.
import assert from 'node:assert/strict';
import { administer, inTurn, one, withClients } from './common.mjs';

const CLIENTS = 6;

/** Ties the client and unties it at once, perhaps before the proxy has asked the database whether it is tied. */
async function passing(client, cause, end) {
  await client.query(cause);
  await client.query(end);
  await client.query('SELECT 1');
}

export const pinning = {
  /** Whoever gives up its lock gives up its connection too, or the third would wait for ever. */
  async session_locks() {
    await withClients(CLIENTS, {}, async (clients) => {
      await inTurn(clients, async (client, n) => {
        await client.query('SELECT pg_advisory_lock(4711)');
        const other = clients[(n + 1) % CLIENTS];
        const { locked } = await one(other, 'SELECT pg_try_advisory_lock(4711) AS locked');
        assert.equal(locked, false);
        assert.deepEqual(await one(client, 'SELECT pg_advisory_unlock(4711) AS mine'), {
          mine: true,
        });
        await passing(client, 'SELECT pg_advisory_lock(1)', 'SELECT pg_advisory_unlock(1)');
      });
    });
  },

  async listen() {
    await withClients(CLIENTS, {}, async (clients) => {
      await inTurn(clients, async (client, n) => {
        const other = clients[(n + 1) % CLIENTS];
        const heard = [];
        const two = new Promise((resolve) => {
          client.on('notification', ({ channel, payload }) => {
            if (heard.push(`${channel}: ${payload}`) === 2) resolve();
          });
        });
        await client.query('LISTEN "the news"');
        await other.query(`NOTIFY "the news", 'one for ${n}'`);
        await other.query('SELECT pg_notify($1, $2)', ['the news', 'two']);
        await two;
        assert.deepEqual(heard, [`the news: one for ${n}`, 'the news: two']);
        await client.query('UNLISTEN *');
        await passing(client, 'LISTEN other', 'UNLISTEN other');
        await passing(client, 'LISTEN other', 'DISCARD ALL');
      });
    });
  },

  async temporary_tables() {
    await withClients(CLIENTS, {}, async (clients) => {
      await inTurn(clients, async (client, n) => {
        await client.query(`CREATE TEMP TABLE basket AS SELECT ${n} AS n`);
        assert.deepEqual(await one(client, 'SELECT n FROM basket'), { n });
        const other = clients[(n + 1) % CLIENTS];
        await assert.rejects(other.query('SELECT n FROM basket'), { code: '42P01' });
        await client.query('INSERT INTO basket SELECT generate_series(1, 9)');
        assert.deepEqual(await one(client, 'SELECT count(*)::int FROM basket'), { count: 10 });
        await client.query('DROP TABLE basket');
        await passing(client, 'CREATE TEMP TABLE basket ()', 'DROP TABLE basket');
      });
    });
  },

  async held_cursors() {
    await withClients(CLIENTS, {}, async (clients) => {
      await inTurn(clients, async (client, n) => {
        await client.query('BEGIN');
        await client.query(
          `DECLARE held CURSOR WITH HOLD FOR SELECT g * ${n} AS n FROM generate_series(1, 9) g`,
        );
        await client.query('COMMIT');
        assert.deepEqual(await one(client, 'FETCH ABSOLUTE 3 FROM held'), { n: 3 * n });
        assert.deepEqual(await one(client, 'FETCH ABSOLUTE 9 FROM held'), { n: 9 * n });
        await client.query('CLOSE held');
        const cause = 'BEGIN; DECLARE held CURSOR WITH HOLD FOR SELECT 1; COMMIT';
        await passing(client, cause, 'CLOSE held');
      });
    });
  },

  async sequences() {
    await administer('DROP SEQUENCE IF EXISTS ticket; CREATE SEQUENCE ticket');
    await withClients(CLIENTS, {}, async (clients) => {
      await inTurn(clients, async (client, n) => {
        const { mine } = await one(client, "SELECT nextval('ticket')::int AS mine");
        assert.equal(mine, 2 * n + 1);
        await one(clients[(n + 1) % CLIENTS], "SELECT nextval('ticket')");
        await clients[(n + 1) % CLIENTS].query('DISCARD SEQUENCES');
        assert.deepEqual(await one(client, "SELECT currval('ticket')::int AS mine"), { mine });
        await client.query('DISCARD SEQUENCES');
        await assert.rejects(client.query('SELECT lastval()'), { code: '55000' });
      });
    });
    await administer('DROP SEQUENCE ticket');
  },

  /** The name of the setting is nowhere in the statement. */
  async settings_by_bound_names() {
    await withClients(CLIENTS, {}, async (clients) => {
      await inTurn(clients, async (client, n) => {
        const name = `app.number_${n}`;
        await client.query('SELECT set_config($1, $2, false)', [name, `${n}`]);
        const seen = (who) => one(who, 'SELECT current_setting($1, true) AS value', [name]);
        assert.deepEqual(await seen(client), { value: `${n}` });
        assert.ok(!(await seen(clients[(n + 1) % CLIENTS])).value);
        await client.query('RESET ALL');
        assert.ok(!(await seen(client)).value);
      });
    });
  },
};
