// Knex over mysql2, with what `afterCreate` says to each connection.
import assert from 'node:assert/strict';
import knexPackage from 'knex';
import {
  address,
  inRounds,
  isMariadb,
  numbers,
  play,
  printVersion,
  schemas,
  together,
  withSchemas,
  zones,
} from './common.mjs';

/** Applications with a schema, a time zone and a pool of their own each. */
const withTenants = (work) =>
  withSchemas(async () => {
    const tenants = schemas.map((database, n) =>
      knexPackage({
        client: 'mysql2',
        connection: { ...address, database, timezone: 'Z' },
        pool: {
          ...{ min: 0, max: 3 },
          afterCreate(connection, done) {
            connection.query(`SET time_zone = '${zones[n]}', @tenant = ${n}`, (error) => {
              if (error) done(error, connection);
              else
                connection.query('SET SESSION lock_wait_timeout = 50', (e) => done(e, connection));
            });
          },
        },
      }),
    );
    try {
      for (const knex of tenants) {
        await knex.schema.createTable('person', (table) => {
          table.increments();
          table.string('email').unique();
          table.integer('credit').defaultTo(0);
          table.json('profile');
          table.timestamps(true, true);
        });
      }
      await work(tenants);
    } finally {
      await together(tenants, (knex) => knex.destroy());
    }
  });

await play({
  async version() {
    const knex = knexPackage({ client: 'mysql2', connection: address });
    await knex.raw('SELECT 1');
    await knex.destroy();
    printVersion('knex');
  },

  async settings_on_connect() {
    await withTenants(async (tenants) => {
      await inRounds(4, tenants, (knex, n) =>
        together(numbers(3), async () => {
          const [[row]] = await knex.raw(
            'SELECT @@time_zone AS zone, @tenant AS tenant, @@lock_wait_timeout AS timeout, DATABASE() AS name',
          );
          assert.deepEqual(row, { zone: zones[n], tenant: n, timeout: 50, name: schemas[n] });
        }),
      );
    });
  },

  async queries() {
    await withTenants(async (tenants) => {
      await together(tenants, async (knex, n) => {
        const people = numbers(20).map((at) => ({ email: `user${at}@${n}.example`, credit: at }));
        const ids = await together(
          people,
          async (person) => (await knex('person').insert(person))[0],
        );
        assert.equal(new Set(ids).size, 20);
        await assert.rejects(knex('person').insert(people[0]), { errno: 1062 });
        await knex('person')
          .insert({ ...people[0], credit: 7 })
          .onConflict('email')
          .merge();
        assert.equal((await knex('person').where({ id: ids[0] }).first()).credit, 7);
        await knex('person').whereIn('id', ids.slice(0, 5)).increment('credit', n);
        const [{ sum }] = await knex('person').sum({ sum: 'credit' });
        assert.equal(Number(sum), 190 + 7 + 5 * n);
        const many = numbers(2_000).map((at) => ({ email: `many${at}@${n}.example` }));
        await knex.batchInsert('person', many, 500);
        assert.equal(await knex('person').where('email', 'like', 'many%').del(), 2_000);
        await knex.schema.alterTable('person', (table) => table.text('note'));
        assert.equal(await knex.schema.hasColumn('person', 'note'), true);
      });
    });
  },

  async transactions() {
    const level = `SELECT @@${isMariadb ? 'tx_isolation' : 'transaction_isolation'} AS level`;
    await withTenants(async (tenants) => {
      await inRounds(3, tenants, async (knex, n, round) => {
        const email = (name) => ({ email: `${name}${round}@${n}.example` });
        await knex.transaction(
          async (trx) => {
            await trx('person').insert(email('kept'));
            const nested = trx.transaction(async (inner) => {
              await inner('person').insert(email('undone'));
              throw new Error('inner');
            });
            await assert.rejects(nested, { message: 'inner' });
            await trx('person').where(email('kept')).forUpdate().first();
          },
          { isolationLevel: ['read committed', 'serializable'][round % 2] },
        );
        const trx = await knex.transaction();
        await trx('person').insert(email('refused'));
        await trx.rollback();
        // The level was for one transaction.
        assert.deepEqual((await knex.raw(level))[0], [{ level: 'REPEATABLE-READ' }]);
        const [{ count }] = await knex('person').count({ count: '*' });
        assert.equal(count, round + 1);
      });
    });
  },

  async streams() {
    await withTenants(async (tenants) => {
      await inRounds(2, tenants, async (knex, n) => {
        const series =
          'WITH RECURSIVE s (g) AS (SELECT 1 UNION ALL SELECT g + 1 FROM s WHERE g < 500)';
        let sum = 0;
        for await (const row of knex.raw(`${series} SELECT g, ? AS n FROM s`, [n]).stream()) {
          assert.equal(Number(row.n), n);
          sum += row.g;
        }
        assert.equal(sum, 125_250);
      });
    });
  },

  /** Its migrations lock a table's row, in transactions. */
  async migrations() {
    const migrations = {
      getMigrations: async () => ['1-make', '2-fill'],
      getMigrationName: (name) => name,
      getMigration: async (name) => ({
        up: (knex) =>
          name === '1-make'
            ? knex.schema.createTable('thing', (table) => table.increments())
            : knex('thing').insert(numbers(9).map((n) => ({ id: n + 1 }))),
        down: (knex) => (name === '1-make' ? knex.schema.dropTable('thing') : knex('thing').del()),
      }),
    };
    await withTenants(async (tenants) => {
      await together(tenants, async (knex) => {
        const [, applied] = await knex.migrate.latest({ migrationSource: migrations });
        assert.deepEqual(applied, ['1-make', '2-fill']);
        assert.equal((await knex('thing').select()).length, 9);
        await knex.migrate.rollback({ migrationSource: migrations }, true);
        assert.equal(await knex.schema.hasTable('thing'), false);
      });
    });
  },
});
