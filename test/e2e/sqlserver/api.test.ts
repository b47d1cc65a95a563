import { afterAll, beforeAll, expect, test } from 'bun:test';
import { TdsClient } from '../../support/tds-client.ts';
import { TdsServer } from '../../support/tds-server/server.ts';
import { ControlStage } from '../api/control-stage.ts';

const PASSWORD = 'Secret-1';
const server = new TdsServer({ encrypt: 'none', users: { app: PASSWORD } });
let stage: ControlStage;
let port: number;

beforeAll(async () => {
  await server.listen();
  stage = await ControlStage.open({});
  const roleArn = await stage.role('proxy');
  const secretArn = await stage.secret('app', 'app', PASSWORD, { engine: 'sqlserver' });
  const database = { host: '127.0.0.1', port: server.port };
  await stage.register('db', database, { Engine: 'sqlserver' });
  port = await stage.proxy('orders', {
    engineFamily: 'SQLSERVER',
    auth: [{ AuthScheme: 'SECRETS', SecretArn: secretArn, IAMAuth: 'ENABLED' }],
    target: 'db',
    roleArn,
  });
}, 60_000);
afterAll(async () => {
  await stage.close();
  await server.stop();
});

test('a proxy that the API makes serves clients', async () => {
  const client = await TdsClient.signIn({ port, user: 'app', password: PASSWORD });
  expect(await client.value('SELECT DB_NAME()')).toBe('master');
  await client.end();
});

test('takes a tenth of the connections that there are', async () => {
  const metrics = await stage.sluice.metrics();
  const allowed = [...metrics].find(([name]) =>
    name.startsWith('sluice_max_database_connections_allowed{'),
  );
  expect(allowed?.[1]).toBe(Math.floor((32_767 - 1) / 10));
});
