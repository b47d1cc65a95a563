import { afterAll, beforeAll, expect, test } from 'bun:test';
import { runInNode } from '../../support/node-client.ts';
import { withMysql } from '../../support/mysql.ts';
import type { Sluice } from '../../support/sluice.ts';
import { passwordOf } from '../../support/sluice.ts';
import { AwsStage, clientToken, untilTarget } from './aws-stage.ts';
import { authEntry } from './control-stage.ts';

// As in aws-source.test.ts: one Sluice is AWS, and its proxy, which takes IAM tokens only, a database of RDS.

const QUERY = `
  const { default: mysql } = await import('mysql2/promise');
  const { port, user, password, tls } = args;
  try {
    const connection = await mysql.createConnection({
      host: 'localhost', port, user, password, database: 'app', enableCleartextPlugin: true,
      ...(tls && { ssl: { rejectUnauthorized: false } }),
    });
    const [[row]] = await connection.query('SELECT USER() AS name');
    await connection.end();
    return row.name;
  } catch (problem) {
    return problem.message;
  }`;

let stage: AwsStage;
let sluice: Sluice;

beforeAll(async () => {
  const server = await withMysql('mariadb-11.8');
  stage = await AwsStage.open();
  const { aws } = stage;
  const appArn = await aws.secret('app', 'app', passwordOf('app'));
  await aws.register('orders', server, { Engine: 'mariadb', MaxConnections: '30' });
  const port = await aws.proxy('gate', {
    engineFamily: 'MYSQL',
    auth: [authEntry(appArn, 'REQUIRED')],
    target: 'orders',
    roleArn: await aws.role('rds'),
  });
  await aws.register('iam', { host: 'localhost', port }, { Engine: 'mariadb' });
  await stage.allow('connect', ['rds-db:connect']);
  sluice = await stage.start({
    databases: [{ identifier: 'iam', engine: 'mariadb', awsInstance: 'iam' }],
    proxies: [
      {
        ...{ name: 'tokens', engineFamily: 'MYSQL', listen: '127.0.0.1:0', target: 'iam' },
        ...{ hostnames: ['localhost'], auth: [], defaultAuthScheme: 'IAM_AUTH' },
      },
    ],
  });
});
afterAll(async () => {
  await sluice.stop('SIGKILL');
  await stage.aws.close();
});

test('IAM tokens all the way, with MariaDB', async () => {
  await untilTarget(sluice, 'tokens', 'AVAILABLE');
  const { port } = sluice;
  const said = async (user: string, password: string, tls = true): Promise<unknown> =>
    await runInNode(QUERY, { port, user, password, tls });
  const [app, reader] = await Promise.all([clientToken(port, 'app'), clientToken(port, 'reader')]);
  const answers = await Promise.all([
    said('app', app),
    said('reader', reader),
    said('app', passwordOf('app')),
    said('app', app, false),
  ]);
  expect(answers).toEqual([
    expect.stringMatching(/^app@/),
    expect.stringContaining("Access denied for user 'reader'@'%' (using password: YES)"),
    expect.stringContaining("Access denied for user 'app'@'%' (using password: YES)"),
    expect.stringContaining('IAM authentication is allowed only with SSL connections.'),
  ]);
  expect(JSON.stringify(sluice.logs())).toContain('It gave a password, and the user has no secret');
});
