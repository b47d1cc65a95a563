// Drizzle over mysql2.
import assert from 'node:assert/strict';
import { createRequire } from 'node:module';
import mysql2 from 'mysql2/promise';
import {
  address,
  administer,
  inRounds,
  numbers,
  play,
  printVersion,
  schemas,
  together,
  withSchemas,
} from './common.mjs';

// As modules, its hundreds of files take Node six times as long to load.
const require = createRequire(import.meta.url);
const { asc, count, eq, inArray, relations, sql } = require('drizzle-orm');
const { int, json, mysqlTable, varchar } = require('drizzle-orm/mysql-core');
const { drizzle } = require('drizzle-orm/mysql2');

const person = mysqlTable('person', {
  id: int().autoincrement().primaryKey(),
  email: varchar({ length: 80 }),
  credit: int().default(0),
  profile: json(),
});
const post = mysqlTable('post', {
  id: int().autoincrement().primaryKey(),
  title: varchar({ length: 80 }),
  author: int(),
});
const schema = {
  person,
  post,
  personRelations: relations(person, ({ many }) => ({ posts: many(post) })),
  postRelations: relations(post, (r) => ({
    author: r.one(person, { fields: [post.author], references: [person.id] }),
  })),
};

function open(database) {
  const pool = mysql2.createPool({ ...address, database, connectionLimit: 3 });
  return { db: drizzle(pool, { schema, mode: 'default' }), end: () => pool.end() };
}

/** Applications with a schema and a pool of their own each. */
const withTenants = (work) =>
  withSchemas(async () => {
    await administer(
      ...schemas.flatMap((name) => [
        `CREATE TABLE ${name}.person (id INT AUTO_INCREMENT PRIMARY KEY, email VARCHAR(80) UNIQUE, credit INT DEFAULT 0, profile JSON)`,
        `CREATE TABLE ${name}.post (id INT AUTO_INCREMENT PRIMARY KEY, title VARCHAR(80), author INT REFERENCES person (id))`,
      ]),
    );
    const tenants = schemas.map(open);
    try {
      await work(tenants);
    } finally {
      await together(tenants, ({ end }) => end());
    }
  });

await play({
  async version() {
    const { db, end } = open(address.database);
    await db.execute(sql`SELECT 1`);
    await end();
    printVersion('drizzle-orm');
  },

  async queries() {
    await withTenants(async (tenants) => {
      await together(tenants, async ({ db }, n) => {
        const values = numbers(20).map((at) => ({
          email: `user${at}@${n}.example`,
          profile: { at },
        }));
        const made = await together(
          values,
          async (value) => (await db.insert(person).values(value).$returningId())[0].id,
        );
        await db.insert(post).values(made.map((author) => ({ title: `of ${author}`, author })));
        await assert.rejects(
          db.insert(person).values(values[0]),
          ({ cause }) => cause.errno === 1062,
        );
        await db
          .insert(person)
          .values(values[0])
          .onDuplicateKeyUpdate({ set: { credit: 1 } });
        await db
          .update(person)
          .set({ credit: sql`${person.credit} + ${n}` })
          .where(inArray(person.id, made.slice(0, 5)));
        const rows = await db
          .select({ email: person.email, credit: person.credit, title: post.title })
          .from(person)
          .innerJoin(post, eq(post.author, person.id))
          .where(eq(person.id, made[0]))
          .orderBy(asc(person.id));
        assert.deepEqual(rows, [{ email: values[0].email, credit: n + 1, title: `of ${made[0]}` }]);
        assert.deepEqual(await db.select({ n: count() }).from(person), [{ n: 20 }]);
      });
    });
  },

  /** They are statements of the protocol, of one text in all schemas (traps MY-60, MY-63). */
  async prepared_statements() {
    await withTenants(async (tenants) => {
      const statements = tenants.map(({ db }) => ({
        byEmail: db
          .select({ credit: person.credit })
          .from(person)
          .where(eq(person.email, sql.placeholder('email')))
          .prepare(),
        insert: db
          .insert(person)
          .values({ email: sql.placeholder('email'), credit: sql.placeholder('credit') })
          .prepare(),
      }));
      await inRounds(4, tenants, async (_, n, round) => {
        const { byEmail, insert } = statements[n];
        await together(numbers(3), (at) =>
          insert.execute({ email: `${round} ${at}`, credit: n * 10 + at }),
        );
        const found = await together(numbers(3), (at) =>
          byEmail.execute({ email: `${round} ${at}` }),
        );
        assert.deepEqual(
          found,
          numbers(3).map((at) => [{ credit: n * 10 + at }]),
        );
      });
    });
  },

  /** `SET TRANSACTION` ahead of each (trap MY-43), savepoints. */
  async transactions() {
    await withTenants(async (tenants) => {
      await inRounds(3, tenants, async ({ db }, n, round) => {
        const email = (name) => `${name}${round}@${n}.example`;
        const isolationLevel = ['serializable', 'repeatable read', 'read committed'][
          (n + round) % 3
        ];
        await db.transaction(
          async (tx) => {
            await tx.insert(person).values({ email: email('kept') });
            const inner = tx.transaction(async (nested) => {
              await nested.insert(person).values({ email: email('undone') });
              nested.rollback();
            });
            await assert.rejects(inner, { message: 'Rollback' });
          },
          {
            isolationLevel,
            ...(round === 0 ? { withConsistentSnapshot: true } : { accessMode: 'read write' }),
          },
        );
        const reader = db.transaction((tx) => tx.insert(person).values({ email: email('no') }), {
          accessMode: 'read only',
        });
        await assert.rejects(reader, ({ cause }) => cause.errno === 1792);
        assert.deepEqual(await db.select({ n: count() }).from(person), [{ n: round + 1 }]);
      });
    });
  },
});
