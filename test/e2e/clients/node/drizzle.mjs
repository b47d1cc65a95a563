// Drizzle over node-postgres and over postgres.js.
import assert from 'node:assert/strict';
import { createRequire } from 'node:module';
import pg from 'pg';
import postgres from 'postgres';
import { address, administer, inRounds, numbers, play, printVersion, together } from './common.mjs';

// As modules, its hundreds of files take Node six times as long to load.
const require = createRequire(import.meta.url);
const { asc, count, eq, inArray, relations, sql } = require('drizzle-orm');
const { drizzle: overPg } = require('drizzle-orm/node-postgres');
const { drizzle: overPostgres } = require('drizzle-orm/postgres-js');
const { integer, jsonb, pgSchema, serial, text } = require('drizzle-orm/pg-core');

const TENANTS = 6;

const schemas = numbers(TENANTS).map((n) => `tenant_${n}`);
const dropSchemas = schemas.map((name) => `DROP SCHEMA IF EXISTS ${name} CASCADE`).join('; ');
const createSchemas = schemas
  .map(
    (name) => `CREATE SCHEMA ${name};
      CREATE TABLE ${name}.person (id serial PRIMARY KEY, email text UNIQUE, credit int DEFAULT 0, profile jsonb);
      CREATE TABLE ${name}.post (id serial PRIMARY KEY, title text, author int REFERENCES ${name}.person)`,
  )
  .join(';\n');

function tables(name) {
  const schema = pgSchema(name);
  const person = schema.table('person', {
    id: serial().primaryKey(),
    email: text(),
    credit: integer().default(0),
    profile: jsonb(),
  });
  const post = schema.table('post', {
    id: serial().primaryKey(),
    title: text(),
    author: integer(),
  });
  return {
    person,
    post,
    personRelations: relations(person, ({ many }) => ({ posts: many(post) })),
    postRelations: relations(post, (r) => ({
      author: r.one(person, { fields: [post.author], references: [person.id] }),
    })),
  };
}

const drivers = {
  'node-postgres': (schema) => {
    const pool = new pg.Pool({ ...address, max: 3 });
    return { db: overPg(pool, { schema }), end: () => pool.end() };
  },
  'postgres-js': (schema) => {
    const client = postgres({ ...address, max: 2, onnotice: () => {} });
    return { db: overPostgres(client, { schema }), end: () => client.end({ timeout: 5 }) };
  },
  'postgres-js, unprepared': (schema) => {
    const client = postgres({ ...address, max: 2, prepare: false, onnotice: () => {} });
    return { db: overPostgres(client, { schema }), end: () => client.end({ timeout: 5 }) };
  },
};

/** Applications with a schema and a pool of their own each, two of each driver. */
async function withTenants(work) {
  await administer(`${dropSchemas}; ${createSchemas}`);
  const connects = Object.values(drivers);
  const tenants = schemas.map((name, n) => {
    const schema = tables(name);
    return Object.assign(connects[n % connects.length](schema), schema);
  });
  try {
    await work(tenants);
  } finally {
    await together(tenants, ({ end }) => end());
  }
  await administer(dropSchemas);
}

/** The drivers answer to a raw statement in ways of their own. */
const rowsOf = (result) => Array.from(result.rows ?? result);

await play({
  async version() {
    for (const connect of Object.values(drivers)) {
      const { db, end } = connect({});
      await db.execute(sql`SELECT 1`);
      await end();
    }
    printVersion('drizzle-orm');
  },

  async queries() {
    await withTenants(async (tenants) => {
      await together(tenants, async ({ db, person, post }, n) => {
        const values = numbers(20).map((at) => ({
          email: `user${at}@${n}.example`,
          profile: { at },
        }));
        const made = await together(
          values,
          async (value) => (await db.insert(person).values(value).returning())[0],
        );
        await db
          .insert(post)
          .values(made.map(({ id, email }) => ({ title: `of ${email}`, author: id })));
        const again = db.insert(person).values(values[0]);
        await assert.rejects(again, ({ cause }) => cause.code === '23505');
        await db.insert(person).values(values[0]).onConflictDoNothing();
        const ids = made.slice(0, 5).map(({ id }) => id);
        await db
          .update(person)
          .set({ credit: sql`${person.credit} + ${n}` })
          .where(inArray(person.id, ids));
        const rows = await db
          .select({
            email: person.email,
            credit: person.credit,
            title: post.title,
            profile: person.profile,
          })
          .from(person)
          .innerJoin(post, eq(post.author, person.id))
          .where(eq(person.id, made[0].id))
          .orderBy(asc(person.id));
        const { email, profile } = made[0];
        assert.deepEqual(rows, [{ email, profile, credit: n, title: `of ${email}` }]);
        const found = await db.query.person.findFirst({
          where: eq(person.email, values[7].email),
          with: { posts: true },
        });
        assert.deepEqual(
          found.posts.map(({ title }) => title),
          [`of ${values[7].email}`],
        );
        const raw = rowsOf(await db.execute(sql`SELECT ${n}::int + 1 AS sum`));
        assert.deepEqual({ ...raw[0] }, { sum: n + 1 });
        assert.deepEqual(await db.select({ n: count() }).from(person), [{ n: 20 }]);
      });
    });
  },

  /** `prepare(name)`: a named statement of the protocol with node-postgres. */
  async prepared_statements() {
    await withTenants(async (tenants) => {
      const statements = tenants.map(({ db, person }) => ({
        byEmail: db
          .select({ credit: person.credit })
          .from(person)
          .where(eq(person.email, sql.placeholder('email')))
          .prepare('by_email'),
        insert: db
          .insert(person)
          .values({ email: sql.placeholder('email'), credit: sql.placeholder('credit') })
          .prepare('insert_person'),
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

  async transactions() {
    await withTenants(async (tenants) => {
      await inRounds(2, tenants, async ({ db, person }, n, round) => {
        const level = ['serializable', 'repeatable read', 'read committed'][(n + round) % 3];
        const email = (name) => `${name}${round}@${n}.example`;
        await db.transaction(
          async (tx) => {
            await tx.insert(person).values({ email: email('kept') });
            const inner = tx.transaction(async (nested) => {
              await nested.insert(person).values({ email: email('undone') });
              nested.rollback();
            });
            await assert.rejects(inner, { message: 'Rollback' });
            const seen = rowsOf(
              await tx.execute(sql`SELECT current_setting('transaction_isolation') AS level,
              current_setting('transaction_read_only') AS read_only`),
            );
            assert.deepEqual({ ...seen[0] }, { level, read_only: 'off' });
          },
          { isolationLevel: level, accessMode: 'read write', deferrable: true },
        );
        const reader = db.transaction((tx) => tx.insert(person).values({ email: email('no') }), {
          accessMode: 'read only',
        });
        await assert.rejects(reader, ({ cause }) => cause.code === '25006');
        assert.deepEqual(await db.select({ n: count() }).from(person), [{ n: round + 1 }]);
      });
    });
  },

  /** Row-level security by set_config in a transaction, as Drizzle's guide to it does, and a setting of the session. */
  async settings() {
    await withTenants(async (tenants) => {
      await inRounds(3, tenants, async ({ db }, n, round) => {
        await together(numbers(3), (at) =>
          db.transaction(async (tx) => {
            const user = `${n} ${round} ${at}`;
            await tx.execute(sql`SELECT set_config('request.jwt.claim.sub', ${user}, TRUE)`);
            await tx.execute(sql.raw("SET LOCAL timezone TO 'Asia/Tokyo'"));
            const seen = rowsOf(
              await tx.execute(sql`SELECT current_setting('request.jwt.claim.sub') AS sub,
              current_setting('timezone') AS zone`),
            );
            assert.deepEqual({ ...seen[0] }, { sub: user, zone: 'Asia/Tokyo' });
          }),
        );
        const [{ sub, zone }] = rowsOf(
          await db.execute(
            sql`SELECT current_setting('request.jwt.claim.sub', true) AS sub, current_setting('timezone') AS zone`,
          ),
        );
        assert.ok(!sub);
        assert.notEqual(zone, 'Asia/Tokyo');
      });
    });
  },
});
