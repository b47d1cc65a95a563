import { afterAll, beforeAll, describe, expect, test } from 'bun:test';
import { join } from 'node:path';
import type { EmbeddedServer } from '../../../src/cli/embedded-server.ts';
import { passwordOf, withPostgres } from '../../support/sluice.ts';
import { eventually } from '../clients/stage.ts';
import {
  attempt,
  ControlStage,
  mayConnect,
  readAll,
  REGION,
  signIn,
  trusting,
} from './control-stage.ts';

/** Debian's. */
const AWS = '/usr/bin/aws';

let server: EmbeddedServer;
let stage: ControlStage;
beforeAll(async () => {
  server = await withPostgres();
  stage = await ControlStage.open();
});
afterAll(() => stage.close());

interface Finished {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs it with the administrator's credentials file and nothing else. */
async function run(
  args: readonly string[],
  env: Readonly<Record<string, string>> = {},
): Promise<Finished> {
  const child = Bun.spawn([AWS, '--endpoint-url', stage.endpoint, ...args], {
    env: {
      PATH: '/usr/bin:/bin',
      HOME: stage.directory,
      AWS_SHARED_CREDENTIALS_FILE: join(stage.directory, 'credentials'),
      AWS_CONFIG_FILE: '/dev/null',
      AWS_EC2_METADATA_DISABLED: 'true',
      AWS_DEFAULT_REGION: REGION,
      AWS_PAGER: '',
      ...env,
    },
    stdin: 'ignore',
    stdout: 'pipe',
    stderr: 'pipe',
  });
  const [stdout, stderr, code] = await Promise.all([
    new Response(child.stdout).text(),
    new Response(child.stderr).text(),
    child.exited,
  ]);
  return { code, stdout, stderr };
}

/** What it writes, for what must succeed. */
async function aws(...args: readonly string[]): Promise<string> {
  const { code, stdout, stderr } = await run(args);
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
  return stdout.trim();
}

/** A part of the answer, in JMESPath's words. */
async function ask(query: string, ...args: readonly string[]): Promise<string> {
  return await aws(...args, '--query', query, '--output', 'text');
}

describe('the AWS CLI', () => {
  const name = ['--db-proxy-name', 'orders'];
  let secretArn: string;
  let roleArn: string;
  let port: number;

  const health = (): Promise<string> =>
    ask('Targets[0].TargetHealth.State', 'rds', 'describe-db-proxy-targets', ...name);

  test('knows who it is by the file that Sluice has written', async () => {
    const arn = await ask('Arn', 'sts', 'get-caller-identity');
    expect(arn).toBe('arn:aws:iam::123456789012:user/administrator');
  });

  test('keeps a secret, and makes a role that may read it', async () => {
    const value = JSON.stringify({ username: 'app', password: passwordOf('app') });
    const secret = ['--name', 'app', '--secret-string', value];
    secretArn = await ask('ARN', 'secretsmanager', 'create-secret', ...secret);
    const kept = ['secretsmanager', 'get-secret-value', '--secret-id', 'app'];
    expect(await ask('SecretString', ...kept)).toBe(value);
    const role = ['--role-name', 'proxy'];
    const trust = ['--assume-role-policy-document', trusting('rds.amazonaws.com')];
    roleArn = await ask('Role.Arn', 'iam', 'create-role', ...role, ...trust);
    const policy = ['--policy-name', 'read', '--policy-document', JSON.stringify(readAll)];
    expect(await aws('iam', 'put-role-policy', ...role, ...policy)).toBe('');
  });

  test('makes a proxy with a target', async () => {
    await stage.register('db', server);
    const created = await ask(
      'DBProxy.[DBProxyName, Status, EngineFamily]',
      ...['rds', 'create-db-proxy', ...name],
      ...['--engine-family', 'POSTGRESQL', '--role-arn', roleArn],
      ...['--vpc-subnet-ids', 'subnet-a', 'subnet-b'],
      ...['--auth', `AuthScheme=SECRETS,SecretArn=${secretArn},IAMAuth=REQUIRED`],
      ...['--tags', 'Key=team,Value=orders'],
    );
    expect(created).toBe('orders\tcreating\tPOSTGRESQL');
    const register = ['register-db-proxy-targets', ...name, '--db-instance-identifiers', 'db'];
    expect(await ask('DBProxyTargets[0].RdsResourceId', 'rds', ...register)).toBe('db');
    await eventually(health, (state) => state === 'AVAILABLE');
    const status = () =>
      ask('DBProxies[0].Status', 'rds', 'describe-db-proxies', '--db-proxy-name', 'orders');
    expect(await eventually(status, (found) => found === 'available')).toBe('available');
  });

  test('changes its pool', async () => {
    const pool = 'MaxConnectionsPercent=50,ConnectionBorrowTimeout=7';
    const group = [...name, '--target-group-name', 'default', '--connection-pool-config', pool];
    const modified = await ask(
      'DBProxyTargetGroup.ConnectionPoolConfig.[MaxConnectionsPercent, ConnectionBorrowTimeout]',
      ...['rds', 'modify-db-proxy-target-group', ...group],
    );
    expect(modified).toBe('50\t7');
  });

  test('shows proxies as a table and as JSON', async () => {
    const table = await aws('rds', 'describe-db-proxies', '--output', 'table');
    expect(table).toMatch(/\|\|  DBProxyName +\|  orders +\|\|/);
    const shown: unknown = JSON.parse(await aws('rds', 'describe-db-proxies', '--output', 'json'));
    expect(shown).toMatchObject({
      DBProxies: [
        {
          DBProxyName: 'orders',
          RequireTLS: false,
          IdleClientTimeout: 1800,
          RoleArn: roleArn,
          Auth: [{ AuthScheme: 'SECRETS', SecretArn: secretArn, IAMAuth: 'REQUIRED' }],
        },
      ],
    });
    const arn = await ask('DBProxies[0].DBProxyArn', 'rds', 'describe-db-proxies', ...name);
    const tags = ['list-tags-for-resource', '--resource-name', arn];
    expect(await ask("TagList[?Key=='team'].Value", 'rds', ...tags)).toBe('orders');
    port = Number(await ask("TagList[?Key=='aws:sluice:port'].Value", 'rds', ...tags));
  });

  test('signs tokens that sign in, for a user who may', async () => {
    const user = ['--user-name', 'application'];
    await aws('iam', 'create-user', ...user);
    const policy = mayConnect(await stage.idOf('orders'), 'app');
    const named = ['--policy-name', 'connect', '--policy-document', policy];
    await aws('iam', 'put-user-policy', ...user, ...named);
    const key = await ask(
      'AccessKey.[AccessKeyId, SecretAccessKey]',
      ...['iam', 'create-access-key', ...user],
    );
    const [AWS_ACCESS_KEY_ID = '', AWS_SECRET_ACCESS_KEY = ''] = key.split('\t');
    const place = ['--hostname', 'localhost', '--port', String(port), '--username', 'app'];
    const { stdout } = await run(['rds', 'generate-db-auth-token', ...place], {
      AWS_ACCESS_KEY_ID,
      AWS_SECRET_ACCESS_KEY,
    });
    expect(await attempt(signIn(port, 'app', stdout.trim(), { tls: 'startTls' }))).toBe('app');
    const refused = await run(['rds', 'describe-db-proxies'], {
      AWS_ACCESS_KEY_ID,
      AWS_SECRET_ACCESS_KEY,
    });
    expect(refused.code).toBe(254);
    expect(refused.stderr).toContain(
      'An error occurred (AccessDenied) when calling the DescribeDBProxies operation: User: arn:aws:iam::123456789012:user/application is not authorized to perform: rds:DescribeDBProxies',
    );
  });

  test("tells in AWS's words what is not there", async () => {
    const missing = await run(['rds', 'describe-db-proxies', '--db-proxy-name', 'missing']);
    expect(missing.code).toBe(254);
    expect(missing.stderr.trim()).toBe(
      "An error occurred (DBProxyNotFoundFault) when calling the DescribeDBProxies operation: The specified proxy name missing doesn't correspond to a proxy owned by your Amazon Web Services account in the specified Amazon Web Services Region.",
    );
    const secret = await run(['secretsmanager', 'get-secret-value', '--secret-id', 'missing']);
    expect(secret.stderr.trim()).toBe(
      "An error occurred (ResourceNotFoundException) when calling the GetSecretValue operation: Secrets Manager can't find the specified secret.",
    );
  });

  test('deletes what it has made', async () => {
    const instance = ['--db-instance-identifiers', 'db'];
    await aws('rds', 'deregister-db-proxy-targets', ...name, ...instance);
    expect(await ask('DBProxy.Status', 'rds', 'delete-db-proxy', ...name)).toBe('deleting');
    await stage.untilGone('orders');
    const forced = ['--secret-id', 'app', '--force-delete-without-recovery'];
    expect(await ask('Name', 'secretsmanager', 'delete-secret', ...forced)).toBe('app');
    await aws('iam', 'delete-role-policy', '--role-name', 'proxy', '--policy-name', 'read');
    await aws('iam', 'delete-role', '--role-name', 'proxy');
    expect(await ask('Roles', 'iam', 'list-roles')).toBe('');
  });
});
