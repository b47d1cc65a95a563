import { afterAll, beforeAll, describe, expect, test } from 'bun:test';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { buildFunction, Functions } from '../../../src/cli/demo/function/functions.ts';
import type { FunctionAnswer, FunctionRequest } from '../../../src/cli/demo/function/functions.ts';
import type { EmbeddedMysql } from '../../../src/cli/embedded-mysql.ts';
import { generateCertificate } from '../../../src/net/certificate.ts';
import { mysqlReleasesHere, mysqlSettingsFor, withMysql } from '../../support/mysql.ts';
import { nodeProgram } from '../../support/node-client.ts';
import type { Sluice } from '../../support/sluice.ts';
import { passwordOf, startSluice } from '../../support/sluice.ts';
import { eventually } from '../clients/stage.ts';

const REGION = 'eu-central-1';
const accessKey = { accessKeyId: 'AKIAFUNCTION00000000', secretAccessKey: 'a-secret-access-key' };
const CONNECTIONS = 3;
const CLIENTS = 'sluice_client_connections{proxy="app",endpoint="default"}';
const example = fileURLToPath(new URL('../../../examples/lambda-sequelize/', import.meta.url));
const proxyCertificate = generateCertificate(['localhost']);
const otherCertificate = generateCertificate(['elsewhere.example.com']);

let directory: string;
let program: string;
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'sluice-function-'));
  program = await buildFunction(directory);
  await writeFile(join(directory, 'proxy.crt'), proxyCertificate.certPem);
  await writeFile(join(directory, 'other.crt'), otherCertificate.certPem);
});
afterAll(() => rm(directory, { recursive: true }));

type Environment = Readonly<Record<string, string>>;

const here = await mysqlReleasesHere();

describe.each([...here])('the function behind API Gateway, in front of %s', (release) => {
  let server: EmbeddedMysql;
  let sluice: Sluice;
  let usual: Functions;
  const running: Functions[] = [];

  beforeAll(async () => {
    server = await withMysql(release);
    await server.query(
      'CREATE DATABASE shop; GRANT SELECT, INSERT ON shop.* TO app; GRANT SELECT, INSERT ON shop.* TO reader',
    );
    await server.query(await readFile(join(example, 'schema.sql'), 'utf8'), 'shop');
    const proxy = (name: string, certificate: string): object => ({
      name,
      engineFamily: 'MYSQL',
      listen: '127.0.0.1:0',
      hostnames: ['localhost'],
      target: 'db',
      requireTls: true,
      tls: { certFile: `${certificate}.crt`, keyFile: `${certificate}.key` },
      auth: [{ secret: 'app', iamAuth: 'REQUIRED' }, { secret: 'reader' }],
      pool: { maxConnectionsPercent: 50 },
    });
    const settings = mysqlSettingsFor(server, {
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
    await server.query('DROP DATABASE shop');
    expect(await sluice.stop()).toBe(0);
    expect(JSON.stringify(sluice.logs())).not.toMatch(/X-Amz-Signature=|a-secret-access-key/);
  });

  function functions(env: Environment = {}, node = nodeProgram): Functions {
    const { PATH = '' } = process.env;
    const one = new Functions(
      program,
      {
        PATH,
        REGION,
        DB_PROXY_ENDPOINT: 'localhost',
        DB_PROXY_PORT: String(sluice.endpoint('app').port),
        DB_USERNAME: 'app',
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
    const env = { DB_USERNAME: 'reader', DB_PASSWORD: passwordOf('reader') };
    const answer = await functions(env).invoke(order('by password'));
    expect(answer).toMatchObject({ statusCode: 201, log: [] });
  });

  /** Whatever is wrong: the client hears nothing of it, and neither it nor the log hears a secret. */
  async function expectFailure(env: Environment, why: RegExp): Promise<void> {
    const id = 'failing';
    const answer = await functions(env).invoke(order(id));
    expect({ statusCode: answer.statusCode, body: JSON.parse(answer.body) as unknown }).toEqual({
      statusCode: 500,
      body: { message: 'Internal server error', requestId: id },
    });
    expect(answer.log).toHaveLength(1);
    expect(JSON.parse(answer.log[0] ?? '')).toMatchObject({ level: 'ERROR', requestId: id });
    expect(answer.log[0]).toMatch(why);
    expect(JSON.stringify(answer)).not.toMatch(/X-Amz|guessed|a-secret-access-key|password'/);
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
      { NODE_EXTRA_CA_CERTS: join(directory, 'other.crt') },
      /self-signed certificate/,
    ));
  test('fails where the certificate is for another name', () =>
    expectFailure(
      {
        DB_PROXY_PORT: String(sluice.endpoint('misnamed').port),
        NODE_EXTRA_CA_CERTS: join(directory, 'other.crt'),
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
    const none = functions({ DB_PROXY_ENDPOINT: '' });
    const missing = 'DB_PROXY_ENDPOINT is not set';
    await expect(none.invoke(order('never'))).rejects.toThrow(missing);
    await expect(none.ended).rejects.toThrow(missing);
    await expect(none.invoke(order('not now either'))).rejects.toThrow(missing);
  });

  test('leaves no connection and no pin behind', async () => {
    await eventually(
      async () => (await sluice.metrics()).get(CLIENTS),
      (clients) => clients === 0,
    );
    expect(sluice.logs('pinned')).toEqual([]);
  });
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
