// TypeORM with entities, schema synchronization, transactions, the query builder and streams.
import assert from 'node:assert/strict';
import { DataSource, EntitySchema, In } from 'typeorm';
import { address, administer, inRounds, numbers, play, printVersion, together } from './common.mjs';

const TENANTS = 6;

const schemas = numbers(TENANTS).map((n) => `tenant_${n}`);
const dropSchemas = schemas.map((name) => `DROP SCHEMA IF EXISTS ${name} CASCADE`).join('; ');

const Person = new EntitySchema({
  name: 'Person',
  columns: {
    id: { type: 'int', primary: true, generated: 'increment' },
    email: { type: 'text', unique: true },
    credit: { type: 'int', default: 0 },
    tags: { type: 'text', array: true, default: '{}' },
    profile: { type: 'jsonb', nullable: true },
    role: { type: 'enum', enum: ['member', 'admin'], default: 'member' },
    made: { type: 'timestamptz', createDate: true },
  },
  relations: {
    posts: { type: 'one-to-many', target: 'Post', inverseSide: 'author', cascade: true },
  },
});
const Post = new EntitySchema({
  name: 'Post',
  columns: {
    id: { type: 'uuid', primary: true, generated: 'uuid' },
    title: { type: 'text' },
  },
  relations: { author: { type: 'many-to-one', target: 'Person', inverseSide: 'posts' } },
});

function open(schema, more) {
  const { user: username, ...rest } = address;
  return new DataSource({
    ...{ type: 'postgres', ...rest, username, schema, entities: [Person, Post] },
    // The database makes such numbers without an extension.
    ...{ uuidExtension: 'pgcrypto', installExtensions: false, poolSize: 3, ...more },
  }).initialize();
}

/** Applications with a schema and a pool of their own each, which they fill with tables. */
async function withTenants(options, work) {
  await administer(`${dropSchemas}; ${schemas.map((name) => `CREATE SCHEMA ${name}`).join('; ')}`);
  const tenants = await together(schemas, (schema, n) =>
    open(schema, { synchronize: true, ...options(n) }),
  );
  try {
    await work(tenants);
  } finally {
    await together(tenants, (source) => source.destroy());
  }
  await administer(dropSchemas);
}

await play({
  async version() {
    const source = await open('public', {});
    await source.query('SELECT 1');
    await source.destroy();
    printVersion('typeorm');
  },

  async settings_on_connect() {
    const options = (n) => ({
      applicationName: `shop ${n}`,
      extra: { statement_timeout: 30_001 + n, options: `-c search_path=${schemas[n]}` },
    });
    await withTenants(options, async (tenants) => {
      await inRounds(3, tenants, (source, n) =>
        together(numbers(3), async () => {
          const rows = await source.query(`SELECT current_setting('application_name') AS name,
            current_setting('statement_timeout') AS timeout, current_schema() AS schema`);
          assert.deepEqual(rows, [
            { name: `shop ${n}`, timeout: `${30_001 + n}ms`, schema: schemas[n] },
          ]);
        }),
      );
    });
  },

  /** What applications with a schema for each tenant do on the connection of a query runner. */
  async settings_on_query_runner() {
    await withTenants(
      () => ({}),
      async (tenants) => {
        await inRounds(4, tenants, async (source, n, round) => {
          const runner = source.createQueryRunner();
          try {
            const tenant = (n + round) % TENANTS;
            await runner.query(
              `SET search_path TO ${schemas[tenant]}; SET timezone TO 'Asia/Tokyo'`,
            );
            await runner.query("SELECT set_config('app.tenant', $1, false)", [`${tenant}`]);
            await runner.query('INSERT INTO person (email) VALUES ($1)', [`${n} in ${round}`]);
            const rows = await runner.query(`SELECT current_setting('app.tenant') AS tenant,
            current_setting('timezone') AS zone, current_schema() AS schema`);
            assert.deepEqual(rows, [
              { tenant: `${tenant}`, zone: 'Asia/Tokyo', schema: schemas[tenant] },
            ]);
            await runner.query('RESET ALL');
          } finally {
            await runner.release();
          }
        });
        await together(tenants, async (source) =>
          assert.equal(await source.getRepository(Person).count(), 4),
        );
      },
    );
  },

  async entities() {
    await withTenants(
      () => ({}),
      async (tenants) => {
        await together(tenants, async (source, n) => {
          const people = source.getRepository(Person);
          await together(numbers(15), (at) =>
            people.save({
              ...{ email: `user${at}@${n}.example`, tags: ['a', 'b,c'], profile: { at } },
              posts: [{ title: 'first' }, { title: 'second' }],
            }),
          );
          const twice = people.insert({ email: `user1@${n}.example` });
          await assert.rejects(twice, { name: 'QueryFailedError', code: '23505' });
          const found = await people.findOne({
            where: { email: `user7@${n}.example` },
            relations: { posts: true },
          });
          assert.deepEqual(
            [found.tags, found.profile, found.posts.length],
            [['a', 'b,c'], { at: 7 }, 2],
          );
          await people.increment({ email: In([found.email]) }, 'credit', n + 1);
          const built = await people
            .createQueryBuilder('p')
            .leftJoin('p.posts', 'post')
            .select(['p.email AS email', 'p.credit AS credit', 'count(post.id)::int AS posts'])
            .where('p.credit > :least', { least: 0 })
            .groupBy('p.id')
            .getRawMany();
          assert.deepEqual(built, [{ email: found.email, credit: n + 1, posts: 2 }]);
          await people.upsert({ email: found.email, role: 'admin' }, ['email']);
          const [page, total] = await people.findAndCount({
            take: 5,
            skip: 10,
            order: { id: 'ASC' },
          });
          assert.deepEqual([page.length, total], [5, 15]);
          await source
            .getRepository(Post)
            .createQueryBuilder()
            .delete()
            .where('title = :t', { t: 'first' })
            .execute();
          assert.equal(await source.getRepository(Post).count(), 15);
        });
        // Nothing is left to be synchronized.
        await together(tenants, async (source) => {
          const { upQueries } = await source.driver.createSchemaBuilder().log();
          assert.deepEqual(
            upQueries.map(({ query }) => query),
            [],
          );
        });
      },
    );
  },

  async transactions() {
    const levels = ['READ COMMITTED', 'REPEATABLE READ', 'SERIALIZABLE'];
    await withTenants(
      () => ({}),
      async (tenants) => {
        await inRounds(3, tenants, async (source, n, round) => {
          const level = levels[(n + round) % levels.length];
          const email = (name) => ({ email: `${name}${round}@${n}.example` });
          await source.transaction(level, async (manager) => {
            await manager.save(Person, email('kept'));
            const nested = manager.transaction(async (inner) => {
              await inner.save(Person, email('undone'));
              throw new Error('inner');
            });
            await assert.rejects(nested, { message: 'inner' });
            const [seen] = await manager.query(
              "SELECT current_setting('transaction_isolation') AS level",
            );
            assert.deepEqual(seen, { level: level.toLowerCase() });
            const locked = await manager.findOne(Person, {
              where: email('kept'),
              lock: { mode: 'pessimistic_write' },
            });
            assert.equal(locked.email, email('kept').email);
          });
          const refused = source.transaction(async (manager) => {
            await manager.insert(Person, email('refused'));
            throw new Error('refused by the handler');
          });
          await assert.rejects(refused, { message: 'refused by the handler' });
          assert.equal(await source.getRepository(Person).count(), round + 1);
        });
      },
    );
  },

  async streams() {
    await withTenants(
      () => ({}),
      async (tenants) => {
        await inRounds(2, tenants, async (source, n, round) => {
          await source.query(`INSERT INTO ${schemas[n]}.person (email, credit)
          SELECT '${round} ' || g, ${n} FROM generate_series(1, 300) g`);
          const rows = await source
            .getRepository(Person)
            .createQueryBuilder('p')
            .select('p.credit', 'credit')
            .stream();
          let count = 0;
          for await (const { credit } of rows) {
            assert.equal(credit, n);
            count += 1;
          }
          assert.equal(count, 300 * (round + 1));
        });
      },
    );
  },
});
