import { afterAll, beforeAll, describe, expect, test } from 'bun:test';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { EmbeddedServer } from '../../../src/cli/embedded-server.ts';
import type { Credentials } from '../../support/api.ts';
import type { Sluice } from '../../support/sluice.ts';
import { passwordOf, startSluice, withPostgres } from '../../support/sluice.ts';
import { AwsStage, allowing, untilTarget } from './aws-stage.ts';
import { ACCOUNT, attempt, REGION, signIn } from './control-stage.ts';

describe('credentials for AWS', () => {
  const folder = mkdtempSync(join(tmpdir(), 'sluice-aws-'));
  const file = join(folder, 'credentials');
  const sluices: Sluice[] = [];
  let server: EmbeddedServer;
  let stage: AwsStage;
  let roleArn: string;

  beforeAll(async () => {
    server = await withPostgres();
    stage = await AwsStage.open();
    await stage.aws.secret('app', 'app', passwordOf('app'));
    await stage.aws.register('orders', server);
    await stage.aws.iam.createRole({
      RoleName: 'reader',
      AssumeRolePolicyDocument: JSON.stringify({
        Version: '2012-10-17',
        Statement: [{ Effect: 'Allow', Principal: { AWS: ACCOUNT }, Action: 'sts:AssumeRole' }],
      }),
    });
    roleArn = `arn:aws:iam::${ACCOUNT}:role/reader`;
    const PolicyDocument = allowing(['secretsmanager:GetSecretValue', 'rds:Describe*']);
    await stage.aws.iam.putRolePolicy({ RoleName: 'reader', PolicyName: 'read', PolicyDocument });
    await stage.allow('assume', ['sts:AssumeRole']);
  });
  afterAll(async () => {
    for (const sluice of sluices) await sluice.stop('SIGKILL');
    await stage.aws.close();
    rmSync(folder, { recursive: true });
  });

  /** Settings of a proxy that has all from AWS, `aws` added to what the stage has there. */
  const settings = (aws: object): object => {
    const { settings: ours } = stage;
    return {
      ...{ region: REGION, account: ACCOUNT, admin: { listen: '127.0.0.1:0' } },
      ...ours,
      aws: { ...Reflect.get(ours, 'aws'), ...aws },
      secrets: [{ name: 'app', awsSecret: 'app' }],
      databases: [{ identifier: 'orders', engine: 'postgres', awsInstance: 'orders' }],
      proxies: [
        {
          ...{ name: 'orders', engineFamily: 'POSTGRESQL', listen: '127.0.0.1:0' },
          ...{ target: 'orders', auth: [{ secret: 'app' }] },
        },
      ],
    };
  };
  const start = async (aws: object, env: Record<string, string>): Promise<Sluice> => {
    const nothing = {
      AWS_CONFIG_FILE: '/nonexistent',
      AWS_SHARED_CREDENTIALS_FILE: '/nonexistent',
    };
    const sluice = await startSluice(settings(aws), { env: { ...nothing, ...env } });
    sluices.push(sluice);
    return sluice;
  };
  const write = ({ accessKeyId, secretAccessKey }: Credentials): void =>
    writeFileSync(
      file,
      `[prod]\naws_access_key_id = ${accessKeyId}\naws_secret_access_key = ${secretAccessKey}\n`,
    );

  test('come from a profile of the shared file, which is read again where AWS refuses them', async () => {
    write({ ...stage.user, secretAccessKey: 'wrong' });
    const sluice = await start({ profile: 'prod' }, { AWS_SHARED_CREDENTIALS_FILE: file });
    const target = await untilTarget(sluice, 'orders', 'UNAVAILABLE');
    expect(target?.description).toContain('there are no credentials that AWS accepts');
    write(stage.user);
    await untilTarget(sluice, 'orders', 'AVAILABLE');
  });

  test('may be those of a role', async () => {
    await stage.allow('read', []);
    const sluice = await start({ roleArn }, stage.env);
    await untilTarget(sluice, 'orders', 'AVAILABLE');
  });

  test('come from the metadata service of the machine', async () => {
    const { Credentials: given } = await stage.aws.sts.assumeRole({
      RoleArn: roleArn,
      RoleSessionName: 'instance',
    });
    const metadata = Bun.serve({
      port: 0,
      fetch(request) {
        const { pathname } = new URL(request.url);
        if (pathname === '/latest/api/token') return new Response('token');
        if (pathname.endsWith('/security-credentials/')) return new Response('reader');
        return Response.json({
          Code: 'Success',
          AccessKeyId: given?.AccessKeyId,
          SecretAccessKey: given?.SecretAccessKey,
          Token: given?.SessionToken,
          Expiration: given?.Expiration,
        });
      },
    });
    const sluice = await start(
      {},
      { AWS_EC2_METADATA_SERVICE_ENDPOINT: `http://127.0.0.1:${metadata.port}` },
    );
    await untilTarget(sluice, 'orders', 'AVAILABLE');
    await metadata.stop(true);
  });

  test('that are nowhere are missed, and named', async () => {
    const sluice = await start({}, { AWS_EC2_METADATA_DISABLED: 'true' });
    const target = await untilTarget(sluice, 'orders', 'UNAVAILABLE');
    expect(target).toMatchObject({ reason: 'AUTH_FAILURE' });
    expect(target?.description).toContain(
      'The secret app: there are no credentials that AWS accepts: Could not load credentials from any providers',
    );
  });

  test('may come by a reload, with all that is there', async () => {
    const before = {
      ...settings({ roleArn }),
      aws: undefined,
      secrets: [{ name: 'app', value: { username: 'app', password: 'another' } }],
      databases: [{ identifier: 'orders', engine: 'postgres', host: server.host, port: 1 }],
    };
    const sluice = await startSluice(JSON.stringify(before), { env: stage.env });
    sluices.push(sluice);
    await untilTarget(sluice, 'orders', 'UNAVAILABLE');
    const { port } = sluice;
    await Bun.write(sluice.settingsPath, JSON.stringify(settings({ roleArn })));
    sluice.signal('SIGHUP');
    await untilTarget(sluice, 'orders', 'AVAILABLE');
    expect(sluice.logs('settings')).toEqual([]);
    expect(await attempt(signIn(port, 'app', passwordOf('app')))).toBe('app');
  });

  test('serve `sluice check`, too', async () => {
    const path = join(folder, 'sluice.yaml');
    writeFileSync(path, JSON.stringify(settings({ roleArn })));
    const check = Bun.spawn([process.execPath, 'src/main.ts', 'check', '--config', path], {
      env: { PATH: process.env['PATH'], ...stage.env },
      stdout: 'pipe',
      stderr: 'pipe',
    });
    const said = await new Response(check.stdout).text();
    expect(said).toContain('instance orders at AWS');
    expect(said).toMatch(/orders +app +ok +PostgreSQL/);
    expect(await check.exited).toBe(0);
  });
});
