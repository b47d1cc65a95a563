import { afterAll, beforeAll, describe, expect, test } from 'bun:test';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Functions } from '../../../src/cli/demo/function/functions.ts';
import { schemaPath } from '../../../src/cli/demo/function/functions.ts';
import { nodeProgram } from '../../support/node-client.ts';
import { sqlServerSettingsFor, withSqlServer } from '../../support/sqlserver.ts';
import type { SqlServerAtTests } from '../../support/sqlserver.ts';
import type { Environment, Workshop } from './function-stage.ts';
import { closeWorkshop, FunctionStage, openWorkshop, order, said } from './function-stage.ts';
import { outcomeOf } from '../../support/outcome.ts';

describe('the function behind API Gateway, in front of SQL Server', () => {
  let workshop: Workshop;
  let server: SqlServerAtTests;
  let stage: FunctionStage;
  let usual: Functions;

  beforeAll(async () => {
    workshop = await openWorkshop();
    server = await withSqlServer();
    await server.query(await readFile(schemaPath('mssql'), 'utf8'));
    stage = await FunctionStage.open(workshop, (parts) => sqlServerSettingsFor(server, parts), {
      proxy: { engineFamily: 'SQLSERVER', auth: [{ secret: 'app', iamAuth: 'ENABLED' }] },
      env: { DB_DIALECT: 'mssql', DB_USERNAME: server.user, DB_NAME: server.database },
    });
    usual = stage.functions();
  });

  afterAll(async () => {
    await stage.close();
    await server.query('DROP TABLE orders; DROP TABLE products');
    await closeWorkshop(workshop);
  });

  async function ordersIn(requests: string): Promise<readonly unknown[]> {
    return await server.query(
      `SELECT request, product_id, cents FROM orders WHERE request LIKE '${requests}' ORDER BY id`,
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
      expect(await ordersIn(request)).toEqual([[request, '7', '700']]);
    },
  );

  test('tells the id that the database gave to the order', async () => {
    const { body } = await usual.invoke(order('numbered'));
    const { id } = JSON.parse(body) as { id: number };
    const rows = await server.query("SELECT id FROM orders WHERE request = 'numbered'");
    expect(rows).toEqual([[String(id)]]);
  });

  test('writes an order that comes twice once', async () => {
    expect((await usual.invoke(order('twice'))).statusCode).toBe(201);
    // Sequelize does not know Babelfish's words for it.
    const refused = server.abilities.product === 'Babelfish' ? 500 : 409;
    expect((await usual.invoke(order('twice'))).statusCode).toBe(refused);
    expect(await ordersIn('twice')).toHaveLength(1);
  });

  test('a hundred at once share three database connections, and none fails', async () => {
    await stage.expectCrowdShares();
    expect(await ordersIn('crowd %')).toHaveLength(100);
  });

  test('signs in with a password where it has one', async () => {
    const answer = await stage
      .functions({ DB_PASSWORD: server.password })
      .invoke(order('by password'));
    expect(answer).toMatchObject({ statusCode: 201, log: [] });
  });

  test('takes anybody’s certificate where it is told to', async () => {
    const env = { DB_TLS: 'trust', NODE_EXTRA_CA_CERTS: join(workshop.directory, 'other.crt') };
    expect(await stage.functions(env).invoke(order('in trust'))).toMatchObject({ statusCode: 201 });
  });

  test.each<[string, () => Environment, RegExp]>([
    ['its key is not the right one', () => ({ AWS_SECRET_ACCESS_KEY: 'guessed' }), /Login failed/],
    ['it has no key', () => ({ AWS_ACCESS_KEY_ID: '' }), /credentials/i],
    ['the password is wrong', () => ({ DB_PASSWORD: 'guessed' }), /Login failed for user/],
    [
      'the certificate is of somebody else',
      () => ({ NODE_EXTRA_CA_CERTS: join(workshop.directory, 'other.crt') }),
      /self-signed certificate/,
    ],
    [
      'the certificate is for another name',
      () => ({
        DB_PROXY_PORT: stage.portOf('misnamed'),
        NODE_EXTRA_CA_CERTS: join(workshop.directory, 'other.crt'),
      }),
      /does not match certificate's altnames/,
    ],
    ['it is to do without TLS', () => ({ DB_TLS: 'off' }), /encrypt|TLS/i],
    ['nobody listens', () => ({ DB_PROXY_PORT: '1' }), /ECONNREFUSED|Failed to connect/],
    // The server says which first, and tedious hands on what it says last.
    ['the database is not there', () => ({ DB_NAME: 'nowhere' }), /Login failed for user|nowhere/],
  ])('fails where %s', async (_, env, why) => {
    const id = 'failing';
    await stage.expectFailure(id, env(), why);
    expect(await ordersIn(id)).toEqual([]);
  });

  test('fails where the database does, with a statement that it does not repeat', async () => {
    await server.query("EXEC sp_rename 'orders', 'others', 'OBJECT'");
    try {
      const answer = await usual.invoke(order('no table'));
      expect(answer.statusCode).toBe(500);
      expect(answer.log[0]).toMatch(/['"]orders['\\]/);
      expect(answer.log[0]).not.toContain('INSERT');
    } finally {
      await server.query("EXEC sp_rename 'others', 'orders', 'OBJECT'");
    }
  });

  test('does not start with words that it does not know, and says which there are', async () => {
    const none = stage.functions({ DB_TLS: 'perhaps' });
    expect(await outcomeOf(none.invoke(order('never')))).toThrow(
      'DB_TLS is none of verify, trust, off',
    );
  });

  test('leaves no connection and no pin behind', () => stage.expectNothingLeft());
});
