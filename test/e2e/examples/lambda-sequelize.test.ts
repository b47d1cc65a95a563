import { afterAll, beforeAll, describe, expect, test } from 'bun:test';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Functions } from '../../../src/cli/demo/function/functions.ts';
import type { EmbeddedMysql } from '../../../src/cli/embedded-mysql.ts';
import { mysqlReleasesHere, mysqlSettingsFor, withMysql } from '../../support/mysql.ts';
import { nodeProgram } from '../../support/node-client.ts';
import { passwordOf } from '../../support/sluice.ts';
import type { Environment, Workshop } from './function-stage.ts';
import { closeWorkshop, FunctionStage, openWorkshop, order, said } from './function-stage.ts';
import { outcomeOf } from '../../support/outcome.ts';

const example = fileURLToPath(new URL('../../../examples/lambda-sequelize/', import.meta.url));

let workshop: Workshop;
beforeAll(async () => {
  workshop = await openWorkshop();
});
afterAll(() => closeWorkshop(workshop));

const here = await mysqlReleasesHere();

describe.each([...here])('the function behind API Gateway, in front of %s', (release) => {
  let server: EmbeddedMysql;
  let stage: FunctionStage;
  let usual: Functions;

  beforeAll(async () => {
    server = await withMysql(release);
    await server.query(
      'CREATE DATABASE shop; GRANT SELECT, INSERT ON shop.* TO app; GRANT SELECT, INSERT ON shop.* TO reader',
    );
    await server.query(await readFile(join(example, 'schema.sql'), 'utf8'), 'shop');
    const auth = [{ secret: 'app', iamAuth: 'REQUIRED' }, { secret: 'reader' }];
    stage = await FunctionStage.open(workshop, (parts) => mysqlSettingsFor(server, parts), {
      proxy: { engineFamily: 'MYSQL', auth },
      env: { DB_USERNAME: 'app' },
    });
    usual = stage.functions();
  });

  afterAll(async () => {
    await stage.close();
    await server.query('DROP DATABASE shop');
  });

  async function ordersIn(requests: string): Promise<unknown> {
    return await server.query(
      `SELECT request, product_id, cents FROM orders WHERE request LIKE '${requests}' ORDER BY id`,
      'shop',
    );
  }

  // The machine's own Node may be older than the one from npm.
  test.each([...new Set([nodeProgram, 'node'])])(
    'reads and writes with IAM tokens over TLS, run by %s',
    async (node) => {
      const invoked = stage.functions({}, node);
      const request = `first by ${node}`;
      expect(said(await invoked.invoke({ id: 'r', method: 'GET', path: '/products/7' }))).toEqual({
        statusCode: 200,
        body: { id: 7, cents: 700 },
        log: [],
      });
      expect(said(await invoked.invoke(order(request)))).toEqual({
        statusCode: 201,
        body: { id: expect.any(Number), productId: 7, cents: 700 },
        log: [],
      });
      expect(await ordersIn(request)).toEqual([{ request, product_id: 7, cents: 700 }]);
    },
  );

  test('tells the id that the database gave to the order', async () => {
    const { body } = await usual.invoke(order('numbered'));
    const { id } = JSON.parse(body) as { id: number };
    const rows = await server.query("SELECT id FROM orders WHERE request = 'numbered'", 'shop');
    expect(rows).toEqual([{ id }]);
  });

  test.each([
    [{ method: 'GET', path: '/products/8' }, 404, 'There is no such product'],
    [{ method: 'GET', path: '/products/x' }, 400, 'A product is asked for by its number'],
    [{ method: 'GET', path: '/elsewhere' }, 404, 'There is nothing here'],
    [{ method: 'POST', path: '/orders', body: '{' }, 400, 'The order must be {"productId": …}'],
    [{ method: 'POST', path: '/orders' }, 400, 'The order must be {"productId": …}'],
  ] as const)('%j is answered with %i', async (request, statusCode, message) => {
    expect(said(await usual.invoke({ id: 'wrong', ...request }))).toEqual({
      statusCode,
      body: { message },
      log: [],
    });
  });

  test('writes an order that comes twice once', async () => {
    expect((await usual.invoke(order('twice'))).statusCode).toBe(201);
    expect((await usual.invoke(order('twice'))).statusCode).toBe(409);
    expect(await ordersIn('twice')).toHaveLength(1);
  });

  test('a hundred at once share three database connections, and none fails', async () => {
    await stage.expectCrowdShares();
    expect(await ordersIn('crowd %')).toHaveLength(100);
  });

  test('signs in with a password where it has one', async () => {
    const env = { DB_USERNAME: 'reader', DB_PASSWORD: passwordOf('reader') };
    const answer = await stage.functions(env).invoke(order('by password'));
    expect(answer).toMatchObject({ statusCode: 201, log: [] });
  });

  async function expectFailure(env: Environment, why: RegExp): Promise<void> {
    const id = 'failing';
    await stage.expectFailure(id, env, why);
    expect(await ordersIn(id)).toEqual([]);
  }

  test('fails where its key is not the right one', () =>
    expectFailure({ AWS_SECRET_ACCESS_KEY: 'guessed' }, /Access denied for user 'app'/));
  test('fails where it has no key', () => expectFailure({ AWS_ACCESS_KEY_ID: '' }, /credentials/i));
  test('fails where the password is wrong', () =>
    expectFailure(
      { DB_USERNAME: 'reader', DB_PASSWORD: 'guessed' },
      /Access denied for user 'reader'/,
    ));
  test('fails where the certificate is of somebody else', () =>
    expectFailure(
      { NODE_EXTRA_CA_CERTS: join(workshop.directory, 'other.crt') },
      /self-signed certificate/,
    ));
  test('fails where the certificate is for another name', () =>
    expectFailure(
      {
        DB_PROXY_PORT: stage.portOf('misnamed'),
        NODE_EXTRA_CA_CERTS: join(workshop.directory, 'other.crt'),
      },
      /does not match certificate's altnames/,
    ));
  test('fails where nobody listens', () => expectFailure({ DB_PROXY_PORT: '1' }, /ECONNREFUSED/));
  test('fails where the database is not there', () =>
    expectFailure({ DB_NAME: 'nowhere' }, /nowhere/));
  test('fails where the database does, with a statement that it does not repeat', async () => {
    await server.query('RENAME TABLE orders TO others', 'shop');
    try {
      const answer = await usual.invoke(order('no table'));
      expect(answer.statusCode).toBe(500);
      expect(answer.log[0]).toContain("'shop.orders'");
      expect(answer.log[0]).not.toContain('INSERT');
    } finally {
      await server.query('RENAME TABLE others TO orders', 'shop');
    }
  });

  test('does not start without its settings, and says which is missing', async () => {
    const none = stage.functions({ DB_PROXY_ENDPOINT: '' });
    const missing = 'DB_PROXY_ENDPOINT is not set';
    expect(await outcomeOf(none.invoke(order('never')))).toThrow(missing);
    expect(await outcomeOf(none.ended)).toThrow(missing);
    expect(await outcomeOf(none.invoke(order('not now either')))).toThrow(missing);
  });

  test('leaves no connection and no pin behind', () => stage.expectNothingLeft());
});

test('the example asks for the packages that it is tested with', async () => {
  const read = async (path: string): Promise<unknown> =>
    JSON.parse(await readFile(join(example, path), 'utf8'));
  const ours = (await read('../../package.json')) as Manifest;
  const all = { ...ours.dependencies, ...ours.devDependencies };
  const { dependencies, devDependencies } = (await read('package.json')) as Manifest;
  for (const [name, range] of Object.entries({ ...dependencies, ...devDependencies }))
    expect([name, all[name]]).toEqual([name, range]);
});

interface Manifest {
  readonly dependencies: Readonly<Record<string, string>>;
  readonly devDependencies: Readonly<Record<string, string>>;
}
