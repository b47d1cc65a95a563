import { afterAll, beforeAll, describe, expect, test } from 'bun:test';
import type { EmbeddedServer } from '../../../src/cli/embedded-server.ts';
import type { Sluice } from '../../support/sluice.ts';
import { passwordOf, withPostgres } from '../../support/sluice.ts';
import { eventually } from '../clients/stage.ts';
import { allowing, AwsStage, clientToken, targetOf, untilTarget } from './aws-stage.ts';
import { Load } from './load.ts';
import { ACCOUNT, attempt, authEntry, freePort, signIn } from './control-stage.ts';

// One Sluice is AWS, with its Secrets Manager, RDS, IAM and STS, and with a proxy that takes IAM tokens only in the place of a
// database of RDS; another one has nothing of its own, and asks there.

const ROTATING = 'rotating_at_aws';

describe('AWS as the source', () => {
  const password = passwordOf('app');
  let server: EmbeddedServer;
  let stage: AwsStage;
  let sluice: Sluice;
  let roleArn: string;
  let gateId: string;

  beforeAll(async () => {
    server = await withPostgres();
    stage = await AwsStage.open();
    const { aws } = stage;
    const appArn = await aws.secret('app', 'app', password);
    await server.query(`CREATE ROLE ${ROTATING} LOGIN PASSWORD 'first'`);
    await aws.secret(ROTATING, ROTATING, 'first');
    const readerArn = await aws.secret('reader', 'reader', passwordOf('reader'));
    await aws.register('orders', server, { MaxConnections: '30' });
    await aws.register('moving', { host: '127.0.0.1', port: await freePort() });
    const auth = [authEntry(appArn, 'REQUIRED')];
    const ownRole = await aws.role('rds');
    const port = await aws.proxy('gate', { auth, target: 'orders', roleArn: ownRole });
    gateId = await aws.idOf('gate');
    await aws.register('iam', { host: 'localhost', port });
    await aws.iam.createRole({
      RoleName: 'proxy',
      AssumeRolePolicyDocument: JSON.stringify({
        Version: '2012-10-17',
        Statement: [{ Effect: 'Allow', Principal: { AWS: ACCOUNT }, Action: 'sts:AssumeRole' }],
      }),
    });
    roleArn = `arn:aws:iam::${ACCOUNT}:role/proxy`;
    await stage.allow('assume', ['sts:AssumeRole']);
    const database = (identifier: string, awsInstance: string) => ({
      ...{ identifier, engine: 'postgres', awsInstance },
    });
    const proxy = (name: string, more: object) => ({
      ...{ name, engineFamily: 'POSTGRESQL', listen: '127.0.0.1:0', target: 'orders' },
      ...{ hostnames: ['localhost'], auth: [{ secret: 'app' }], ...more },
    });
    sluice = await stage.start({
      secrets: ['app', ROTATING].map((name) => ({ name, awsSecret: name })),
      databases: [
        database('orders', 'orders'),
        database('moving', 'moving'),
        database('iam', 'iam'),
      ],
      proxies: [
        proxy('plain', { auth: [{ secret: 'app' }, { secret: ROTATING }] }),
        proxy('moving', { target: 'moving' }),
        proxy('role', { roleArn, auth: [{ secret: readerArn }] }),
        proxy('tokens', { target: 'iam', auth: [], defaultAuthScheme: 'IAM_AUTH' }),
      ],
    });
  });
  afterAll(async () => {
    await sluice.stop('SIGKILL');
    await stage.aws.close();
    await server.query(`DROP ROLE ${ROTATING}`);
  });

  const portOf = (proxy: string): number => sluice.endpoint(proxy).port;
  const connect = (proxy: string, user = 'app', secret = passwordOf(user), more = {}) =>
    signIn(portOf(proxy), user, secret, more);
  const byToken = async (user = 'app'): Promise<string> => {
    const token = await clientToken(portOf('tokens'), user);
    return await attempt(connect('tokens', user, token, { tls: 'startTls' }));
  };

  test('a secret by its name and a database by its identifier are found there', async () => {
    await untilTarget(sluice, 'plain', 'AVAILABLE');
    expect(await attempt(connect('plain'))).toBe('app');
    expect(await attempt(connect('plain', 'app', 'wrong'))).toContain('28P01');
  });

  test('a database that moves is followed', async () => {
    expect(await targetOf(sluice, 'moving')).toMatchObject({ state: 'UNAVAILABLE' });
    await stage.aws.register('moving', server);
    await untilTarget(sluice, 'moving', 'AVAILABLE');
    expect(await attempt(connect('moving'))).toBe('app');
  });

  test('a role is assumed; what it may not is told, and counts again once it may', async () => {
    const description = `User: arn:aws:sts::${ACCOUNT}:assumed-role/proxy/sluice is not authorized to perform: secretsmanager:GetSecretValue`;
    const denied = await untilTarget(sluice, 'role', 'UNAVAILABLE');
    expect(denied).toMatchObject({ reason: 'AUTH_FAILURE' });
    expect(denied?.description).toContain(description);
    const named = { RoleName: 'proxy', PolicyName: 'read' };
    const PolicyDocument = allowing(['secretsmanager:GetSecretValue']);
    await stage.aws.iam.putRolePolicy({ ...named, PolicyDocument });
    await untilTarget(sluice, 'role', 'AVAILABLE');
    const client = await connect('role', 'reader');
    await stage.aws.iam.deleteRolePolicy(named);
    expect((await untilTarget(sluice, 'role', 'UNAVAILABLE'))?.description).toContain(description);
    expect(await attempt(connect('role', 'reader'))).toContain('FATAL');
    expect(await client.value('SELECT 1')).toBe('1');
    client.destroy();
  });

  test('a rotation there is seen here, and fails nobody', async () => {
    const rotate = async (to: string): Promise<void> => {
      await server.query(`ALTER ROLE ${ROTATING} PASSWORD '${to}'`);
      const SecretString = JSON.stringify({ username: ROTATING, password: to });
      await stage.aws.secrets.putSecretValue({ SecretId: ROTATING, SecretString });
      await eventually(
        () => attempt(connect('plain', ROTATING, to)),
        (answer) => answer === ROTATING,
      );
    };
    let current = 'first';
    const load = new Load(() => connect('plain', ROTATING, current));
    await load.goesOn();
    await rotate('second');
    expect(await attempt(connect('plain', ROTATING, 'first'))).toBe(ROTATING);
    current = 'second';
    await load.goesOn();
    await rotate('third');
    await load.goesOn();
    await load.end();
    expect(load.failures).toEqual([]);
    expect(await attempt(connect('plain', ROTATING, 'second'))).toBe(ROTATING);
    expect(await attempt(connect('plain', ROTATING, 'first'))).toContain('28P01');
  });

  describe('IAM tokens all the way', () => {
    test('let nobody in whose proxy may not connect', async () => {
      const target = await untilTarget(sluice, 'tokens', 'UNAVAILABLE');
      expect(target).toMatchObject({ reason: 'AUTH_FAILURE' });
      expect(target?.description).toContain('The IAM authentication failed for the role app');
      expect(await byToken()).toContain('IAM authentication failed for the role app');
      const refused = await eventually(
        async () => stage.aws.sluice.logs('clientRefused'),
        (lines) => lines.length > 0,
      );
      expect(JSON.stringify(refused)).toContain(`does not allow rds-db:connect on arn:aws:rds-db`);
    });

    test('let in whom both sides allow, and no others', async () => {
      const resource = `arn:aws:rds-db:eu-central-1:${ACCOUNT}:dbuser:${gateId}/app`;
      const PolicyDocument = JSON.stringify({
        Version: '2012-10-17',
        Statement: [{ Effect: 'Allow', Action: 'rds-db:connect', Resource: resource }],
      });
      const named = { UserName: 'sluice', PolicyName: 'connect' };
      await stage.aws.iam.putUserPolicy({ ...named, PolicyDocument });
      await untilTarget(sluice, 'tokens', 'AVAILABLE');
      // What the database has said last is remembered for a second.
      await eventually(byToken, (answer) => answer === 'app');
      expect(await byToken('reader')).toContain('IAM authentication failed for the role reader');
    });

    test('are what a client must come with, over TLS', async () => {
      const token = await clientToken(portOf('tokens'), 'app');
      expect(await attempt(connect('tokens', 'app', password, { tls: 'startTls' }))).toContain(
        'Enable IAM authentication for the client connection to the proxy and try again.',
      );
      expect(await attempt(connect('tokens', 'app', token))).toContain(
        'IAM authentication is allowed only with SSL connections.',
      );
    });
  });

  test('when AWS is gone, all goes on, and the log says so', async () => {
    const { endpoint } = stage.aws;
    await stage.aws.stop();
    const line = await sluice.waitForLog(
      ({ event, message }) =>
        event === 'secretTrouble' && String(message).includes('cannot be reached'),
    );
    expect(line['message']).toContain(`AWS Secrets Manager at ${endpoint} cannot be reached`);
    expect(await attempt(connect('plain'))).toBe('app');
    expect(await attempt(connect('moving'))).toBe('app');
    expect(await targetOf(sluice, 'plain')).toMatchObject({ state: 'AVAILABLE' });
  });

  test('nothing secret has been told', () => {
    const told = JSON.stringify([sluice.logs(), sluice.stderr]);
    for (const secret of [password, '"third"', 'X-Amz-Signature', stage.user.secretAccessKey])
      expect(told).not.toContain(secret);
  });
});
