// TypeORM over mysql2, with entities, schema synchronization, transactions, the query builder and streams.
import assert from 'node:assert/strict';
import { DataSource, EntitySchema, In } from 'typeorm';
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

const Person = new EntitySchema({
  name: 'Person',
  columns: {
    id: { type: 'int', primary: true, generated: 'increment' },
    email: { type: 'varchar', length: 80, unique: true },
    credit: { type: 'int', default: 0 },
    tags: { type: 'simple-array', nullable: true },
    role: { type: 'enum', enum: ['member', 'admin'], default: 'member' },
    made: { type: 'datetime', createDate: true },
  },
  relations: {
    posts: { type: 'one-to-many', target: 'Post', inverseSide: 'author', cascade: true },
  },
});
const Post = new EntitySchema({
  name: 'Post',
  columns: {
    id: { type: 'varchar', primary: true, generated: 'uuid' },
    title: { type: 'varchar', length: 80 },
  },
  relations: { author: { type: 'many-to-one', target: 'Person', inverseSide: 'posts' } },
});

function open(database, more = {}) {
  const { user: username, ...rest } = address;
  const type = isMariadb ? 'mariadb' : 'mysql';
  return new DataSource({
    ...{ type, connectorPackage: 'mysql2', ...rest, username, database, entities: [Person, Post] },
    ...{ poolSize: 3, ...more },
  }).initialize();
}

/** Applications with a schema and a pool of their own each, which they fill with tables. */
const withTenants = (work) =>
  withSchemas(async () => {
    const tenants = [];
    try {
      for (const [n, name] of schemas.entries())
        tenants.push(await open(name, { synchronize: true, timezone: zones[n] }));
      await work(tenants);
    } finally {
      await together(tenants, (source) => source.destroy());
    }
  });

await play({
  async version() {
    const source = await open(address.database);
    await source.query('SELECT 1');
    await source.destroy();
    printVersion('typeorm');
  },

  /** What applications with a schema for each tenant do on the connection of a query runner (trap MY-51). */
  async settings_on_query_runner() {
    await withTenants(async (tenants) => {
      await inRounds(4, tenants, async (source, n, round) => {
        const runner = source.createQueryRunner();
        try {
          const tenant = (n + round) % tenants.length;
          await runner.query(`USE ${schemas[tenant]}`);
          await runner.query('SET @tenant = ?, time_zone = ?', [`${tenant}`, zones[tenant]]);
          await runner.query('INSERT INTO person (email) VALUES (?)', [`${n} in ${round}`]);
          const rows = await runner.query(
            'SELECT @tenant AS tenant, @@time_zone AS zone, DATABASE() AS name',
          );
          assert.deepEqual(rows, [
            { tenant: `${tenant}`, zone: zones[tenant], name: schemas[tenant] },
          ]);
          await runner.query(`USE ${schemas[n]}`);
        } finally {
          await runner.release();
        }
      });
      await together(tenants, async (source) =>
        assert.equal(await source.getRepository(Person).count(), 4),
      );
    });
  },

  async entities() {
    await withTenants(async (tenants) => {
      await together(tenants, async (source, n) => {
        const people = source.getRepository(Person);
        await together(numbers(15), (at) =>
          people.save({
            ...{ email: `user${at}@${n}.example`, tags: ['a', 'b'] },
            posts: [{ title: 'first' }, { title: 'second' }],
          }),
        );
        const twice = people.insert({ email: `user1@${n}.example` });
        await assert.rejects(twice, { name: 'QueryFailedError', errno: 1062 });
        const where = { email: `user7@${n}.example` };
        const found = await people.findOne({ where, relations: { posts: true } });
        assert.deepEqual([found.tags, found.posts.length], [['a', 'b'], 2]);
        await people.increment({ email: In([found.email]) }, 'credit', n + 1);
        await people.upsert({ email: found.email, role: 'admin' }, ['email']);
        const page = await people.findAndCount({ take: 5, skip: 10, order: { id: 'ASC' } });
        assert.deepEqual([page[0].length, page[1]], [5, 15]);
        assert.equal((await people.findOneBy(where)).credit, n + 1);
      });
      // Nothing is left to be synchronized.
      await together(tenants, async (source) => {
        const { upQueries } = await source.driver.createSchemaBuilder().log();
        assert.deepEqual(
          upQueries.map(({ query }) => query),
          [],
        );
      });
    });
  },

  async transactions() {
    const levels = ['READ COMMITTED', 'REPEATABLE READ', 'SERIALIZABLE'];
    await withTenants(async (tenants) => {
      await inRounds(3, tenants, async (source, n, round) => {
        const email = (name) => ({ email: `${name}${round}@${n}.example` });
        await source.transaction(levels[(n + round) % levels.length], async (manager) => {
          await manager.save(Person, email('kept'));
          const nested = manager.transaction(async (inner) => {
            await inner.save(Person, email('undone'));
            throw new Error('inner');
          });
          await assert.rejects(nested, { message: 'inner' });
          const lock = { mode: 'pessimistic_write' };
          const locked = await manager.findOne(Person, { where: email('kept'), lock });
          assert.equal(locked.email, email('kept').email);
        });
        const refused = source.transaction(async (manager) => {
          await manager.insert(Person, email('refused'));
          throw new Error('refused by the handler');
        });
        await assert.rejects(refused, { message: 'refused by the handler' });
        assert.equal(await source.getRepository(Person).count(), round + 1);
      });
    });
  },

  async streams() {
    await withTenants(async (tenants) => {
      await inRounds(2, tenants, async (source, n, round) => {
        await source
          .getRepository(Person)
          .insert(numbers(300).map((at) => ({ email: `${round} ${at}`, credit: n })));
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
    });
  },
});
