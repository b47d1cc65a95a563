// Prisma with its driver adapter for node-postgres: no engine but the one that is part of the package.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { PrismaPg } from '@prisma/adapter-pg';
import { getPrismaClient, sqltag } from '@prisma/client/runtime/client';
import { address, administer, inRounds, numbers, play, printVersion, together } from './common.mjs';

const CLIENTS = 6;

/**
 * What `prisma generate` makes of the schema that stands in it, less the types. The command wants to download an engine
 * that it does not use for this; PRISMA_SCHEMA_ENGINE_BINARY=/bin/true is enough to keep it from that.
 */
const generated = JSON.parse(readFileSync(new URL('prisma-client.json', import.meta.url), 'utf8'));
const compiler = '@prisma/client/runtime/query_compiler_fast_bg.postgresql';
const PrismaClient = getPrismaClient({
  ...generated,
  compilerWasm: {
    getRuntime: () => import(`${compiler}.mjs`),
    getQueryCompilerWasmModule: async () => {
      const { wasm } = await import(`${compiler}.wasm-base64.mjs`);
      return new WebAssembly.Module(Buffer.from(wasm, 'base64'));
    },
    importName: './query_compiler_fast_bg.js',
  },
});

const schemas = numbers(CLIENTS).map((n) => `tenant_${n}`);
const dropSchemas = schemas.map((name) => `DROP SCHEMA IF EXISTS ${name} CASCADE`).join('; ');
const createSchemas = schemas
  .map(
    (name) => `CREATE SCHEMA ${name}; CREATE TYPE ${name}."Role" AS ENUM ('member', 'admin');
      CREATE TABLE ${name}.person (id serial PRIMARY KEY, email text NOT NULL UNIQUE,
        credit int NOT NULL DEFAULT 0, role ${name}."Role" NOT NULL DEFAULT 'member',
        tags text[], profile jsonb);
      CREATE TABLE ${name}.order (id serial PRIMARY KEY, total decimal(10, 2) NOT NULL,
        placed timestamp NOT NULL DEFAULT now(),
        "personId" int NOT NULL REFERENCES ${name}.person ON DELETE CASCADE);`,
  )
  .join('\n');

/** Applications with a schema and a pool of their own each. */
async function withTenants(options, work) {
  await administer(`${dropSchemas}; ${createSchemas}`);
  const clients = schemas.map((schema, n) => {
    const { adapter, ...more } = options(schema, n);
    return new PrismaClient({
      adapter: new PrismaPg({ ...address, max: 3, ...more }, { schema, ...adapter }),
    });
  });
  try {
    await work(clients);
  } finally {
    await together(clients, (prisma) => prisma.$disconnect());
  }
  await administer(dropSchemas);
}

/** Creates, reads, updates and deletes, with relations. */
async function models(options) {
  await withTenants(options, async (clients) => {
    await together(clients, async (prisma, n) => {
      const emails = numbers(15).map((at) => `user${at}@${n}.example`);
      await together(emails, (email, at) =>
        prisma.person.create({
          data: {
            ...{ email, tags: ['a', 'b,c'], profile: { at }, credit: n },
            orders: { create: [{ total: '1.50' }, { total: '2.25' }] },
          },
          include: { orders: true },
        }),
      );
      await assert.rejects(prisma.person.create({ data: { email: emails[1] } }), { code: 'P2002' });
      const where = { email: emails[7] };
      const found = await prisma.person.findUnique({ where, include: { orders: true } });
      assert.deepEqual([found.tags, found.profile, found.credit], [['a', 'b,c'], { at: 7 }, n]);
      assert.deepEqual(
        found.orders.map(({ total }) => total.toString()),
        ['1.5', '2.25'],
      );
      const many = await prisma.person.updateMany({
        where: { profile: { path: ['at'], lt: 5 } },
        data: { role: 'admin', credit: { increment: 1 } },
      });
      assert.equal(many.count, 5);
      const groups = await prisma.person.groupBy({
        by: ['role'],
        _count: true,
        orderBy: { role: 'asc' },
      });
      assert.deepEqual(groups, [
        { role: 'member', _count: 10 },
        { role: 'admin', _count: 5 },
      ]);
      const upserted = await prisma.person.upsert({
        where,
        update: { credit: 100 },
        create: where,
      });
      assert.equal(upserted.credit, 100);
      assert.equal((await prisma.person.deleteMany({ where: { role: 'member' } })).count, 10);
      assert.equal(await prisma.order.count(), 10);
    });
  });
}

await play({
  async version() {
    const prisma = new PrismaClient({ adapter: new PrismaPg(address) });
    await prisma.$queryRaw`SELECT 1`;
    await prisma.$disconnect();
    printVersion('@prisma/client');
  },

  models: () => models(() => ({})),

  /** The adapter can be told to give its statements names. */
  named_statements: () =>
    models(() => ({
      adapter: {
        statementNameGenerator: ({ sql }) => `p${Buffer.from(sql).toString('base64').slice(-50)}`,
      },
    })),

  async transactions() {
    await withTenants(
      () => ({}),
      async (clients) => {
        await inRounds(2, clients, async (prisma, n, round) => {
          const data = (name) => ({ email: `${name}${round}@${n}.example` });
          const levels = ['ReadCommitted', 'RepeatableRead', 'Serializable'];
          const isolationLevel = levels[(n + round) % levels.length];
          const seen = await prisma.$transaction(
            async (tx) => {
              await tx.person.create({ data: data('kept') });
              return await tx.$queryRaw`SELECT current_setting('transaction_isolation') AS level`;
            },
            { isolationLevel },
          );
          assert.equal(seen[0].level.replaceAll(' ', ''), isolationLevel.toLowerCase());
          const refused = prisma.$transaction(async (tx) => {
            await tx.person.create({ data: data('refused') });
            throw new Error('refused by the handler');
          });
          await assert.rejects(refused, { message: 'refused by the handler' });
          const batch = [data('a'), data('b'), data('a')].map((body) =>
            prisma.person.create({ data: body }),
          );
          await assert.rejects(prisma.$transaction(batch), { code: 'P2002' });
          await prisma.$transaction([
            prisma.person.create({ data: data('batch') }),
            prisma.person.updateMany({ data: { credit: { increment: 1 } } }),
          ]);
          assert.equal(await prisma.person.count(), 2 * (round + 1));
        });
      },
    );
  },

  /** The search path by a SET in a transaction of raw statements, and as a start-up parameter. */
  async search_path() {
    await withTenants(
      (schema, n) => (n % 2 === 0 ? { options: `-c search_path=${schema}` } : {}),
      async (clients) => {
        await inRounds(4, clients, async (prisma, n, round) => {
          if (n % 2 === 0) {
            const seen = await prisma.$queryRaw`SELECT current_schema() AS schema`;
            assert.deepEqual(seen, [{ schema: schemas[n] }]);
            return;
          }
          const tenant = (n + round) % CLIENTS;
          const [, , [row], [after]] = await prisma.$transaction([
            prisma.$executeRawUnsafe(`SET search_path TO ${schemas[tenant]}, public`),
            prisma.$executeRawUnsafe(`INSERT INTO person (email) VALUES ('${round} of ${n}')`),
            prisma.$queryRaw`SELECT count(*)::int FROM person WHERE email = ${`${round} of ${n}`}`,
            prisma.$queryRaw`SELECT current_setting('search_path') AS path`,
          ]);
          assert.deepEqual([row, after], [{ count: 1 }, { path: `${schemas[tenant]}, public` }]);
        });
      },
    );
  },

  /** Row-level security as Prisma's documentation does it: set_config in a batch before each request. */
  async settings_per_request() {
    await withTenants(
      () => ({}),
      async (clients) => {
        await inRounds(3, clients, async (prisma, n, round) => {
          await together(numbers(4), async (at) => {
            const user = `${n} ${round} ${at}`;
            const [, seen] = await prisma.$transaction([
              prisma.$executeRaw`SELECT set_config('app.who', ${user}, TRUE)`,
              prisma.$queryRaw`SELECT current_setting('app.who') AS who`,
            ]);
            assert.deepEqual(seen, [{ who: user }]);
          });
          const [{ who }] = await prisma.$queryRaw`SELECT current_setting('app.who', true) AS who`;
          assert.ok(!who);
        });
      },
    );
  },

  /** Amazon RDS Proxy pins what is longer than 16 KB. */
  async long_statements() {
    await withTenants(
      () => ({}),
      async (clients) => {
        await together(clients, async (prisma, n) => {
          await prisma.person.createMany({
            data: numbers(2_000).map((at) => ({ email: `user${at}@${n}.example`, credit: at })),
          });
          const wanted = numbers(3_000).map((at) => at - 1_500);
          assert.equal(await prisma.person.count({ where: { credit: { in: wanted } } }), 1_500);
          const raw = sqltag`SELECT length(${'x'.repeat(40_000 + n)}) AS length`;
          assert.deepEqual(await prisma.$queryRaw(raw), [{ length: 40_000 + n }]);
        });
      },
    );
  },
});
