// Knex runs everything by sp_executesql, over tedious.
import assert from 'node:assert/strict';
import knexPackage from 'knex';
import { Request } from 'tedious';
import {
  address,
  CROWD,
  inRounds,
  numbers,
  options,
  play,
  printVersion,
  together,
} from './common.mjs';

/** It does not tell Knex how many rows were changed, with or without a proxy; migrations ask for that. */
const isBabelfish = process.env.DB_PRODUCT === 'Babelfish';

const { database: _, port: __, ...rest } = options;

const connect = (n) =>
  knexPackage({
    client: 'mssql',
    connection: { ...address, options: { ...rest, appName: 'shop' } },
    pool: {
      min: 0,
      max: 3,
      afterCreate(connection, done) {
        const sql = `SET LOCK_TIMEOUT ${30_000 + n}`;
        connection.execSqlBatch(new Request(sql, (error) => done(error, connection)));
      },
    },
  });

/** Applications with a table and a pool of their own each. */
async function withShops(work) {
  const shops = numbers(CROWD).map((n) => ({ knex: connect(n), person: `sluice_person_${n}` }));
  try {
    await together(shops, async ({ knex, person }) => {
      await knex.schema.dropTableIfExists(person);
      await knex.schema.createTable(person, (table) => {
        table.increments();
        table.string('email', 100).unique();
        table.integer('credit').defaultTo(0);
      });
      assert.equal(await knex.schema.hasTable(person), true);
    });
    await work(shops);
    await together(shops, ({ knex, person }) => knex.schema.dropTable(person));
  } finally {
    await together(shops, ({ knex }) => knex.destroy());
  }
}

await play({
  async version() {
    const knex = connect(0);
    await knex.raw('SELECT 1 AS a');
    await knex.destroy();
    printVersion('knex');
  },

  async settings_on_connect() {
    await withShops((shops) =>
      inRounds(4, shops, ({ knex }, n) =>
        together(numbers(3), async () => {
          const rows = await knex.raw('SELECT @@LOCK_TIMEOUT AS t, ? AS n', [n]);
          assert.deepEqual(rows, [{ t: 30_000 + n, n }]);
        }),
      ),
    );
  },

  async queries() {
    await withShops((shops) =>
      inRounds(3, shops, async ({ knex, person }, n, round) => {
        const email = `p${round}@${n}.example`;
        const [{ id }] = await knex(person).insert({ email }).returning('id');
        assert.equal(id, round + 1);
        await knex(person).where({ id }).update({ credit: round });
        assert.deepEqual(await knex(person).where({ id }).first(), { id, email, credit: round });
        const page = await knex(person).orderBy('id').limit(1).offset(round);
        assert.equal(page[0].email, email);
        const gone = await knex(person).where({ id: -1 }).del();
        if (!isBabelfish) assert.equal(gone, 0);
      }),
    );
  },

  async transactions() {
    await withShops((shops) =>
      inRounds(3, shops, async ({ knex, person }, n, round) => {
        const email = (name) => ({ email: `${name}${round}@${n}.example` });
        await knex.transaction(
          async (trx) => {
            await trx(person).insert(email('kept'));
            const nested = trx.transaction(async (inner) => {
              await inner(person).insert(email('undone'));
              throw new Error('inner');
            });
            await assert.rejects(nested, { message: 'inner' });
          },
          { isolationLevel: n % 2 === 0 ? 'read committed' : 'serializable' },
        );
        const trx = await knex.transaction();
        await trx(person).insert(email('refused'));
        await trx.rollback();
        assert.equal((await knex(person).select()).length, round + 1);
      }),
    );
  },

  async streams() {
    const ten = '(VALUES (0), (1), (2), (3), (4), (5), (6), (7), (8), (9))';
    const sql = `SELECT a.n + 10 * b.n + 100 * c.n AS n FROM ${ten} AS a (n) CROSS JOIN ${ten} AS b (n) CROSS JOIN ${ten} AS c (n)`;
    await withShops((shops) =>
      inRounds(2, shops, async ({ knex }) => {
        let sum = 0;
        for await (const row of knex.raw(sql).stream()) sum += row.n;
        assert.equal(sum, 499_500);
      }),
    );
  },

  /** Its migrations lock a table's row, in transactions. */
  async migrations() {
    if (isBabelfish) return;
    await withShops((shops) =>
      together(shops, async ({ knex }, n) => {
        const thing = `sluice_thing_${n}`;
        const migrations = {
          getMigrations: async () => ['1-make', '2-fill'],
          getMigrationName: (name) => name,
          getMigration: async (name) => ({
            up: (one) =>
              name === '1-make'
                ? one.schema.createTable(thing, (table) => table.integer('id'))
                : one(thing).insert([{ id: 1 }, { id: 2 }]),
            down: (one) => (name === '1-make' ? one.schema.dropTable(thing) : one(thing).del()),
          }),
        };
        const tableName = `sluice_migrations_${n}`;
        const settings = { migrationSource: migrations, tableName };
        const [, applied] = await knex.migrate.latest(settings);
        assert.deepEqual(applied, ['1-make', '2-fill']);
        assert.equal((await knex(thing).select()).length, 2);
        await knex.migrate.rollback(settings, true);
        assert.equal(await knex.schema.hasTable(thing), false);
        await knex.schema.dropTable(tableName);
        await knex.schema.dropTable(`${tableName}_lock`);
      }),
    );
  },
});
