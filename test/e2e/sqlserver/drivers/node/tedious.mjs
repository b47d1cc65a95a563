// tedious sends a dozen SETs on each connection, and runs everything else by sp_executesql.
import assert from 'node:assert/strict';
import { ISOLATION_LEVEL, Request, TYPES } from 'tedious';
import {
  ask,
  batch,
  CROWD,
  inRounds,
  play,
  printVersion,
  together,
  withClients,
  withTables,
} from './common.mjs';

const promised = (send) =>
  new Promise((resolve, reject) =>
    send((error, value) => (error ? reject(error) : resolve(value))),
  );

/** A statement that is prepared; its rows come when it is executed. */
function prepare(client, sql) {
  const statement = new Request(sql, () => {});
  statement.addParameter('a', TYPES.Int);
  return new Promise((resolve, reject) => {
    statement.once('prepared', () => resolve(statement));
    statement.once('error', reject);
    client.prepare(statement);
  });
}

async function execute(client, statement, values) {
  const rows = [];
  const listen = (columns) => rows.push(columns[0].value);
  statement.on('row', listen);
  await promised((done) => {
    statement.callback = done;
    client.execute(statement, values);
  });
  statement.off('row', listen);
  return rows;
}

await play({
  async version() {
    await withClients(1, {}, ([client]) => ask(client, 'SELECT 1 AS a'));
    printVersion('tedious');
  },

  async settings_on_connect() {
    const more = (n) => ({
      enableQuotedIdentifier: n % 2 === 0,
      abortTransactionOnError: n % 3 === 0,
      appName: `shop ${n % 2}`,
    });
    const sql =
      'SELECT @@OPTIONS & 256 AS quoted, @@OPTIONS & 16384 AS xact_abort, APP_NAME() AS a, @n AS n';
    await withClients(CROWD, more, (clients) =>
      inRounds(4, clients, async (client, n) => {
        assert.deepEqual(await ask(client, sql, { n }), [
          {
            quoted: n % 2 === 0 ? 256 : 0,
            xact_abort: n % 3 === 0 ? 16_384 : 0,
            a: `shop ${n % 2}`,
            n,
          },
        ]);
      }),
    );
  },

  async settings_by_batches() {
    await withClients(CROWD, {}, async (clients) => {
      await together(clients, (client, n) => batch(client, `SET LOCK_TIMEOUT ${1_000 + n}`));
      await inRounds(4, clients, async (client, n) => {
        assert.deepEqual(await ask(client, 'SELECT @@LOCK_TIMEOUT AS t'), [{ t: 1_000 + n }]);
      });
    });
  },

  async prepared_statements() {
    await withClients(CROWD, {}, async (clients) => {
      const statements = await together(clients, (client, n) =>
        prepare(client, `SELECT @a + ${n * 100} AS c`),
      );
      await inRounds(4, clients, async (client, n, round) => {
        assert.deepEqual(await execute(client, statements[n], { a: round }), [n * 100 + round]);
      });
      await together(clients, (client, n) =>
        promised((done) => {
          statements[n].callback = done;
          client.unprepare(statements[n]);
        }),
      );
    });
  },

  async transactions() {
    await withTables('tedious', 'id int PRIMARY KEY', (tables) =>
      withClients(CROWD, {}, (clients) =>
        inRounds(4, clients, async (client, n, round) => {
          await promised((done) =>
            client.beginTransaction(done, '', ISOLATION_LEVEL.READ_COMMITTED),
          );
          await ask(client, `INSERT INTO ${tables[n]} VALUES (@round)`, { round });
          await promised((done) => client.saveTransaction(done, 'here'));
          await ask(client, `INSERT INTO ${tables[n]} VALUES (@id)`, { id: 100 + round });
          await promised((done) => client.rollbackTransaction(done, 'here'));
          await promised((done) => client.commitTransaction(done));
          const rows = await ask(client, `SELECT COUNT(*) AS n FROM ${tables[n]}`);
          assert.deepEqual(rows, [{ n: round + 1 }]);
        }),
      ),
    );
  },

  async bulk_loads() {
    await withTables('tedious', 'id int NOT NULL, name nvarchar(50)', (tables) =>
      withClients(CROWD, {}, (clients) =>
        inRounds(2, clients, async (client, n, round) => {
          await promised((done) => {
            const load = client.newBulkLoad(tables[n], done);
            load.addColumn('id', TYPES.Int, { nullable: false });
            load.addColumn('name', TYPES.NVarChar, { length: 50, nullable: true });
            client.execBulkLoad(
              load,
              Array.from({ length: 100 }, (_, id) => [id, `row ${id}`]),
            );
          });
          const rows = await ask(client, `SELECT COUNT(*) AS n FROM ${tables[n]}`);
          assert.deepEqual(rows, [{ n: (round + 1) * 100 }]);
        }),
      ),
    );
  },

  async resets() {
    await withClients(CROWD, {}, (clients) =>
      inRounds(4, clients, async (client, n, round) => {
        await batch(client, `SET LOCK_TIMEOUT ${n + 1}`);
        if (round % 2 === 0) {
          assert.deepEqual(await ask(client, 'SELECT @@LOCK_TIMEOUT AS t'), [{ t: n + 1 }]);
          return;
        }
        await promised((done) => client.reset(done));
        assert.deepEqual(await ask(client, 'SELECT @@LOCK_TIMEOUT AS t'), [{ t: -1 }]);
      }),
    );
  },

  async long_statements() {
    await withClients(CROWD, {}, (clients) =>
      inRounds(2, clients, async (client, n) => {
        const text = `${n} `.repeat(20_000);
        assert.deepEqual(await batch(client, `SELECT N'${text}' AS t`), [{ t: text }]);
      }),
    );
  },

  async temporary_tables() {
    await withClients(CROWD, {}, (clients) =>
      inRounds(3, clients, async (client, n) => {
        await batch(client, `CREATE TABLE #mine (n int); INSERT INTO #mine VALUES (${n})`);
        assert.deepEqual(await ask(client, 'SELECT n FROM #mine'), [{ n }]);
        await batch(client, 'DROP TABLE #mine');
      }),
    );
  },
});
