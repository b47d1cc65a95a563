// Knex asks each connection for its version, sets the search path, and runs what `afterCreate` says.
import assert from 'node:assert/strict';
import knexPackage from 'knex';
import {
  address,
  administer,
  inRounds,
  numbers,
  play,
  printVersion,
  together,
  zones,
} from './common.mjs';

const TENANTS = zones.length;

const schemas = numbers(TENANTS).map((n) => `tenant_${n}`);
const dropSchemas = schemas.map((name) => `DROP SCHEMA IF EXISTS ${name} CASCADE`).join('; ');

/** Applications with a schema, a time zone and a pool of their own each. */
async function withTenants(work) {
  await administer(`${dropSchemas}; ${schemas.map((name) => `CREATE SCHEMA ${name}`).join('; ')}`);
  const tenants = schemas.map((name, n) =>
    knexPackage({
      client: 'pg',
      connection: { ...address, application_name: `shop ${n}` },
      searchPath: [name, 'public'],
      pool: {
        min: 0,
        max: 3,
        afterCreate(connection, done) {
          connection.query(
            `SET timezone = '${zones[n]}'; SET statement_timeout = ${30_001 + n}`,
            (error) => {
              if (error) done(error, connection);
              else
                connection.query("SELECT set_config('app.tenant', $1, false)", [name], (e) =>
                  done(e, connection),
                );
            },
          );
        },
      },
    }),
  );
  try {
    await together(tenants, (knex) =>
      knex.schema.createTable('person', (table) => {
        table.increments();
        table.string('email').unique();
        table.integer('credit').defaultTo(0);
        table.jsonb('profile');
        table.timestamps(true, true);
      }),
    );
    await work(tenants);
  } finally {
    await together(tenants, (knex) => knex.destroy());
  }
  await administer(dropSchemas);
}

await play({
  async version() {
    const knex = knexPackage({ client: 'pg', connection: address });
    await knex.raw('SELECT 1');
    await knex.destroy();
    printVersion('knex');
  },

  async settings_on_connect() {
    await withTenants(async (tenants) => {
      await inRounds(4, tenants, (knex, n) =>
        together(numbers(3), async () => {
          const { rows } = await knex.raw(`SELECT current_setting('timezone') AS zone,
            current_setting('statement_timeout') AS timeout, current_setting('app.tenant') AS tenant,
            current_setting('application_name') AS name, current_schema() AS schema`);
          assert.deepEqual(rows, [
            {
              zone: zones[n],
              timeout: `${30_001 + n}ms`,
              tenant: schemas[n],
              name: `shop ${n}`,
              schema: schemas[n],
            },
          ]);
        }),
      );
    });
  },

  async queries() {
    await withTenants(async (tenants) => {
      await together(tenants, async (knex, n) => {
        const people = numbers(20).map((at) => ({
          email: `user${at}@${n}.example`,
          profile: { at },
        }));
        const made = await knex('person').insert(people).returning(['id', 'email']);
        assert.equal(made.length, 20);
        await assert.rejects(knex('person').insert(people[0]), { code: '23505' });
        await knex('person').insert(people[0]).onConflict('email').merge({ credit: n });
        await knex('person')
          .whereIn(
            'email',
            people.slice(0, 5).map(({ email }) => email),
          )
          .increment('credit', 2);
        const rows = await knex('person')
          .where('credit', '>', 0)
          .orderBy('id')
          .select('email', 'credit', 'profile');
        assert.equal(rows.length, 5);
        assert.deepEqual(rows[0], { ...people[0], credit: n + 2 });
        const [{ sum }] = await knex('person').sum('credit');
        assert.equal(Number(sum), 10 + n);
        const many = numbers(3_000).map((at) => ({ email: `many${at}@${n}.example`, credit: 0 }));
        await knex.batchInsert('person', many, 500);
        assert.equal(await knex('person').where('email', 'like', 'many%').del(), 3_000);
        await knex.schema.alterTable('person', (table) => table.text('note'));
        assert.equal(await knex.schema.hasColumn('person', 'note'), true);
      });
    });
  },

  async transactions() {
    await withTenants(async (tenants) => {
      const levels = ['read committed', 'repeatable read', 'serializable'];
      await inRounds(3, tenants, async (knex, n, round) => {
        const email = (name) => ({ email: `${name}${round}@${n}.example` });
        const isolationLevel = levels[(n + round) % levels.length];
        await knex.transaction(
          async (trx) => {
            await trx('person').insert(email('kept'));
            const nested = trx.transaction(async (inner) => {
              await inner('person').insert(email('undone'));
              throw new Error('inner');
            });
            await assert.rejects(nested, { message: 'inner' });
            await trx.raw("SET LOCAL timezone = 'UTC'");
            const { rows } =
              await trx.raw(`SELECT current_setting('transaction_isolation') AS level,
              current_setting('timezone') AS zone`);
            assert.deepEqual(rows, [{ level: isolationLevel, zone: 'UTC' }]);
          },
          { isolationLevel },
        );
        const trx = await knex.transaction();
        await trx('person').insert(email('refused'));
        await trx.rollback();
        const { rows } = await knex.raw(
          "SELECT current_setting('timezone') AS zone, count(*)::int FROM person",
        );
        assert.deepEqual(rows, [{ zone: zones[n], count: round + 1 }]);
      });
    });
  },

  async streams() {
    await withTenants(async (tenants) => {
      await inRounds(2, tenants, async (knex, n) => {
        let sum = 0;
        const rows = knex
          .select(knex.raw('g, ?::int AS n', [n]))
          .from(knex.raw('generate_series(1, 500) g'));
        for await (const row of rows.stream({ batchSize: 40 })) {
          assert.equal(row.n, n);
          sum += row.g;
        }
        assert.equal(sum, 125_250);
        for await (const row of rows.stream()) if (row.g === 10) break;
      });
    });
  },

  /** Its migrations lock a table's row, in transactions. */
  async migrations() {
    await withTenants(async (tenants) => {
      const migrations = {
        getMigrations: async () => ['1-make', '2-fill'],
        getMigrationName: (name) => name,
        getMigration: async (name) => ({
          up: (knex) =>
            name === '1-make'
              ? knex.schema.createTable('thing', (table) => table.increments())
              : knex.raw('INSERT INTO thing SELECT generate_series(1, 9)'),
          down: (knex) =>
            name === '1-make' ? knex.schema.dropTable('thing') : knex('thing').del(),
        }),
      };
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
