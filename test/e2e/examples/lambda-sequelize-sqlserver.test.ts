import { afterAll, beforeAll, describe, expect, test } from 'bun:test';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { buildFunction, Functions, schemaPath } from '../../../src/cli/demo/function/functions.ts';
import type { FunctionAnswer, FunctionRequest } from '../../../src/cli/demo/function/functions.ts';
import { generateCertificate } from '../../../src/net/certificate.ts';
import { nodeProgram } from '../../support/node-client.ts';
import type { Sluice } from '../../support/sluice.ts';
import { startSluice } from '../../support/sluice.ts';
import { sqlServerSettingsFor, withSqlServer } from '../../support/sqlserver.ts';
import type { SqlServerAtTests } from '../../support/sqlserver.ts';
import { eventually } from '../clients/stage.ts';

const REGION = 'eu-central-1';
const accessKey = { accessKeyId: 'AKIAFUNCTION00000000', secretAccessKey: 'a-secret-access-key' };
const CONNECTIONS = 3;
const CLIENTS = 'sluice_client_connections{proxy="app",endpoint="default"}';
const proxyCertificate = generateCertificate(['localhost']);
const otherCertificate = generateCertificate(['elsewhere.example.com']);

type Environment = Readonly<Record<string, string>>;

describe('the function behind API Gateway, in front of SQL Server', () => {
  let directory: string;
  let program: string;
  let server: SqlServerAtTests;
  let sluice: Sluice;
  let usual: Functions;
  const running: Functions[] = [];

  beforeAll(async () => {
    directory = await mkdtemp(join(tmpdir(), 'sluice-function-'));
    program = await buildFunction(directory);
    await writeFile(join(directory, 'proxy.crt'), proxyCertificate.certPem);
    await writeFile(join(directory, 'other.crt'), otherCertificate.certPem);
    server = await withSqlServer();
    await server.query(await readFile(schemaPath('mssql'), 'utf8'));
    const proxy = (name: string, certificate: string): object => ({
      name,
      engineFamily: 'SQLSERVER',
      listen: '127.0.0.1:0',
      hostnames: ['localhost'],
      target: 'db',
      requireTls: true,
      tls: { certFile: `${certificate}.crt`, keyFile: `${certificate}.key` },
      auth: [{ secret: 'app', iamAuth: 'ENABLED' }],
      pool: { maxConnectionsPercent: 50 },
    });
    const settings = sqlServerSettingsFor(server, {
      // One more than clients get: each proxy watches the database on a connection of its own.
      database: { maxConnections: 2 * (CONNECTIONS + 1) },
      proxies: [proxy('app', 'proxy'), proxy('misnamed', 'other')],
      principals: [
        {
          ...accessKey,
          policy: { Statement: { Effect: 'Allow', Action: 'rds-db:connect', Resource: '*' } },
        },
      ],
      admin: { listen: '127.0.0.1:0' },
    });
    sluice = await startSluice(settings, {
      files: {
        'proxy.crt': proxyCertificate.certPem,
        'proxy.key': proxyCertificate.keyPem,
        'other.crt': otherCertificate.certPem,
        'other.key': otherCertificate.keyPem,
      },
    });
    usual = functions();
  });

  afterAll(async () => {
    for (const one of running) await one[Symbol.asyncDispose]();
    expect(await sluice.stop()).toBe(0);
    await server.query('DROP TABLE orders; DROP TABLE products');
    expect(JSON.stringify(sluice.logs())).not.toMatch(/X-Amz-Signature=|a-secret-access-key/);
    await rm(directory, { recursive: true });
  });

  function functions(env: Environment = {}, node = nodeProgram): Functions {
    const { PATH = '' } = process.env;
    const one = new Functions(
      program,
      {
        PATH,
        REGION,
        DB_DIALECT: 'mssql',
        DB_PROXY_ENDPOINT: 'localhost',
        DB_PROXY_PORT: String(sluice.endpoint('app').port),
        DB_USERNAME: server.user,
        DB_NAME: server.database,
        NODE_EXTRA_CA_CERTS: join(directory, 'proxy.crt'),
        AWS_EC2_METADATA_DISABLED: 'true',
        HOME: directory,
        AWS_ACCESS_KEY_ID: accessKey.accessKeyId,
        AWS_SECRET_ACCESS_KEY: accessKey.secretAccessKey,
        ...env,
      },
      node,
    );
    running.push(one);
    return one;
  }

  const order = (id: string, productId: unknown = 7): FunctionRequest => ({
    id,
    method: 'POST',
    path: '/orders',
    body: JSON.stringify({ productId }),
  });

  const said = ({ statusCode, body, log }: FunctionAnswer): object => ({
    statusCode,
    body: JSON.parse(body) as unknown,
    log,
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
      const invoked = functions({}, node);
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
    const invoked = functions({ PAYMENT_MS: '25' });
    const before = sluice.logs('serverConnected').length;
    const answers = await Promise.all(
      Array.from({ length: 100 }, (_, at) => invoked.invoke(order(`crowd ${at}`, 1 + (at % 3)))),
    );
    expect(answers.filter(({ statusCode }) => statusCode !== 201)).toEqual([]);
    expect(await ordersIn('crowd %')).toHaveLength(100);
    const connected = sluice.logs('serverConnected').length - before;
    expect(connected).toBeLessThanOrEqual(CONNECTIONS);
  });

  test('signs in with a password where it has one', async () => {
    const answer = await functions({ DB_PASSWORD: server.password }).invoke(order('by password'));
    expect(answer).toMatchObject({ statusCode: 201, log: [] });
  });

  test('takes anybody’s certificate where it is told to', async () => {
    const env = { DB_TLS: 'trust', NODE_EXTRA_CA_CERTS: join(directory, 'other.crt') };
    expect(await functions(env).invoke(order('in trust'))).toMatchObject({ statusCode: 201 });
  });

  /** Whatever is wrong: the client hears nothing of it, and neither it nor the log hears a secret. */
  test.each<[string, () => Environment, RegExp]>([
    ['its key is not the right one', () => ({ AWS_SECRET_ACCESS_KEY: 'guessed' }), /Login failed/],
    ['it has no key', () => ({ AWS_ACCESS_KEY_ID: '' }), /credentials/i],
    ['the password is wrong', () => ({ DB_PASSWORD: 'guessed' }), /Login failed for user/],
    [
      'the certificate is of somebody else',
      () => ({ NODE_EXTRA_CA_CERTS: join(directory, 'other.crt') }),
      /self-signed certificate/,
    ],
    [
      'the certificate is for another name',
      () => ({
        DB_PROXY_PORT: String(sluice.endpoint('misnamed').port),
        NODE_EXTRA_CA_CERTS: join(directory, 'other.crt'),
      }),
      /does not match certificate's altnames/,
    ],
    ['it is to do without TLS', () => ({ DB_TLS: 'off' }), /encrypt|TLS/i],
    ['nobody listens', () => ({ DB_PROXY_PORT: '1' }), /ECONNREFUSED|Failed to connect/],
    // The server says which first, and tedious hands on what it says last.
    ['the database is not there', () => ({ DB_NAME: 'nowhere' }), /Login failed for user|nowhere/],
  ])('fails where %s', async (_, env, why) => {
    const id = 'failing';
    const answer = await functions(env()).invoke(order(id));
    expect({ statusCode: answer.statusCode, body: JSON.parse(answer.body) as unknown }).toEqual({
      statusCode: 500,
      body: { message: 'Internal server error', requestId: id },
    });
    expect(answer.log).toHaveLength(1);
    expect(JSON.parse(answer.log[0] ?? '')).toMatchObject({ level: 'ERROR', requestId: id });
    expect(answer.log[0]).toMatch(why);
    expect(JSON.stringify(answer)).not.toMatch(/X-Amz|guessed|a-secret-access-key|password'/);
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
    const none = functions({ DB_TLS: 'perhaps' });
    await expect(none.invoke(order('never'))).rejects.toThrow(
      'DB_TLS is none of verify, trust, off',
    );
  });

  test('leaves no connection and no pin behind', async () => {
    await eventually(
      async () => (await sluice.metrics()).get(CLIENTS),
      (clients) => clients === 0,
    );
    expect(sluice.logs('pinned')).toEqual([]);
  });
});
