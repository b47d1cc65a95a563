import { Database } from 'bun:sqlite';
import { afterAll, beforeAll, describe, expect, test } from 'bun:test';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { SecretText } from '../../../src/base/secret-text.ts';
import { startEmbeddedPostgres } from '../../../src/cli/embedded-postgres.ts';
import type { EmbeddedServer } from '../../../src/cli/embedded-server.ts';
import type { Credentials } from '../../support/api.ts';
import type { RawClient } from '../../support/raw-client.ts';
import { passwordOf, withPostgres } from '../../support/sluice.ts';
import { eventually } from '../clients/stage.ts';
import { Load } from './load.ts';
import {
  ACCOUNT,
  attempt,
  authEntry,
  ControlStage,
  freePort,
  mayConnect,
  readAll,
  signIn,
  tokenFor,
  trusting,
} from './control-stage.ts';
import { outcomeOf } from '../../support/outcome.ts';

describe.each([1, 2])('what the API makes, with %d workers', (workers) => {
  const password = passwordOf('app');
  const names = { user: `rotating${workers}`, second: `second${workers}` };
  let server: EmbeddedServer;
  let stage: ControlStage;
  let roleArn: string;
  let appArn: string;
  let port: number;

  beforeAll(async () => {
    server = await withPostgres();
    stage = await ControlStage.open({ settings: { workers } });
    roleArn = await stage.role('proxy');
    appArn = await stage.secret('app', 'app', password);
    await stage.register('db', server, { MaxConnections: '20' });
    port = await stage.proxy('orders', { auth: [appArn], target: 'db', roleArn });
  });
  afterAll(() => stage.close());

  const connect = (user = 'app', secret = passwordOf(user), more = {}): Promise<RawClient> =>
    signIn(port, user, secret, more);
  const modify = async (
    changes: Omit<Parameters<ControlStage['rds']['modifyDBProxy']>[0], 'DBProxyName'>,
    name = 'orders',
  ): Promise<void> => {
    await stage.rds.modifyDBProxy({ DBProxyName: name, ...changes });
    await stage.untilStatus(changes.NewDBProxyName ?? name, 'available');
  };

  test('a proxy serves clients that come with the password of the secret, and no others', async () => {
    expect(await attempt(connect())).toBe('app');
    expect(await attempt(connect('app', 'wrong'))).toContain('28P01');
    expect(await attempt(connect('reader'))).toContain('28P01');
  });

  test('all workers show the same certificate', async () => {
    const shown = new Set<string>();
    for (let round = 0; round < 12; round += 1) {
      const client = await connect('app', password, { tls: 'startTls' });
      shown.add(client.socket.peerCertificate.fingerprint256);
      client.destroy();
    }
    expect(shown.size).toBe(1);
  });

  test('a new name changes neither the id nor those who are connected', async () => {
    const client = await connect();
    const id = await stage.idOf('orders');
    await modify({ NewDBProxyName: 'renamed' });
    expect(await stage.idOf('renamed')).toBe(id);
    expect(await stage.portOf('renamed')).toBe(port);
    expect(await client.value('SELECT 1')).toBe('1');
    expect(await attempt(connect())).toBe('app');
    await modify({ NewDBProxyName: 'orders' }, 'renamed');
    client.destroy();
  });

  test('TLS is required from the change on, and no longer from the next', async () => {
    const client = await connect();
    await modify({ RequireTLS: true });
    expect(await attempt(connect())).toContain('This RDS Proxy requires TLS connections.');
    expect(await attempt(connect('app', password, { tls: 'startTls' }))).toBe('app');
    expect(await client.value('SELECT 1')).toBe('1');
    await modify({ RequireTLS: false });
    expect(await attempt(connect())).toBe('app');
    client.destroy();
  });

  test('an entry more lets its user in, and drops nobody', async () => {
    const client = await connect();
    const readerArn = await stage.secret('reader', 'reader', passwordOf('reader'));
    await modify({ Auth: [authEntry(appArn), authEntry(readerArn)] });
    expect(await attempt(connect('reader'))).toBe('reader');
    expect(await client.value('SELECT 1')).toBe('1');
    await modify({ Auth: [authEntry(appArn)] });
    expect(await attempt(connect('reader'))).toContain('28P01');
    client.destroy();
  });

  test('pool sizes and the init query take effect', async () => {
    const configure = async (ConnectionPoolConfig: object): Promise<void> => {
      const group = { DBProxyName: 'orders', TargetGroupName: 'default', ConnectionPoolConfig };
      await stage.rds.modifyDBProxyTargetGroup(group);
      await stage.untilStatus('orders', 'available');
    };
    const allowed = async (): Promise<number> => {
      const metrics = await stage.sluice.metrics();
      return [...metrics]
        .filter(([name]) => name.startsWith('sluice_max_database_connections_allowed{'))
        .reduce((sum, [, value]) => sum + value, 0);
    };
    await configure({ MaxConnectionsPercent: 50, InitQuery: "SET statement_timeout = '41s'" });
    await eventually(
      allowed,
      (sum) => sum === (20 - workers) / 2 || sum === (20 - workers - 1) / 2,
    );
    const client = await connect();
    expect(await client.value('SHOW statement_timeout')).toBe('41s');
    client.destroy();
    await configure({ MaxConnectionsPercent: 100, InitQuery: '' });
    await eventually(allowed, (sum) => sum === 20 - workers);
  });

  describe('IAM tokens', () => {
    let tokens: number;
    let id: string;
    const withToken = async (
      credentials: Credentials,
      host = 'localhost',
      at = tokens,
    ): Promise<string> => {
      const token = await tokenFor({ port: at, user: 'app', host }, credentials);
      return await attempt(signIn(at, 'app', token, { tls: 'startTls' }));
    };

    beforeAll(async () => {
      const auth = [authEntry(appArn, 'REQUIRED')];
      tokens = await stage.proxy('tokens', { auth, target: 'db', roleArn });
      id = await stage.idOf('tokens');
    });

    test("signed with a user's key let in whom a policy allows", async () => {
      const UserName = `signer${workers}`;
      await stage.iam.createUser({ UserName });
      const { AccessKey } = await stage.iam.createAccessKey({ UserName });
      const credentials = {
        accessKeyId: AccessKey?.AccessKeyId ?? '',
        secretAccessKey: AccessKey?.SecretAccessKey ?? '',
      };
      expect(await withToken(credentials)).toContain('28P01');
      const policy = { UserName, PolicyName: 'connect', PolicyDocument: mayConnect(id, 'app') };
      await stage.iam.putUserPolicy(policy);
      expect(await withToken(credentials)).toBe('app');
      await stage.iam.deleteUserPolicy({ UserName, PolicyName: 'connect' });
      expect(await withToken(credentials)).toContain('28P01');
    });

    test('signed with temporary credentials let in until those expire', async () => {
      const RoleName = `application${workers}`;
      const { Role } = await stage.iam.createRole({
        RoleName,
        AssumeRolePolicyDocument: JSON.stringify({
          Version: '2012-10-17',
          Statement: [{ Effect: 'Allow', Principal: { AWS: ACCOUNT }, Action: 'sts:AssumeRole' }],
        }),
      });
      const PolicyDocument = mayConnect(id, 'app');
      await stage.iam.putRolePolicy({ RoleName, PolicyName: 'connect', PolicyDocument });
      const { Credentials: given } = await stage.sts.assumeRole({
        RoleArn: Role?.Arn,
        RoleSessionName: 'test',
        DurationSeconds: 900,
      });
      const credentials = {
        accessKeyId: given?.AccessKeyId ?? '',
        secretAccessKey: given?.SecretAccessKey ?? '',
        sessionToken: given?.SessionToken ?? '',
      };
      expect(await withToken(credentials)).toBe('app');
      const { sessionToken: _none, ...without } = credentials;
      expect(await withToken(without)).toContain('28P01');
      // As if the quarter of an hour were over.
      const database = new Database(join(stage.directory, 'sluice.db'));
      const expire = 'UPDATE iam_sessions SET expires_ms = ? WHERE id = ?';
      database.query(expire).run(Date.now() - 1, credentials.accessKeyId);
      database.close();
      expect(await withToken(credentials)).toContain('28P01');
    });

    test('are for the host names of the proxy and of its endpoints', async () => {
      const administrator = stage.credentials;
      expect(await withToken(administrator, 'elsewhere.example.com')).toContain('28P01');
      await stage.rds.createDBProxyEndpoint({
        DBProxyName: 'tokens',
        DBProxyEndpointName: 'second',
        VpcSubnetIds: ['subnet-a', 'subnet-b'],
      });
      const { DBProxyEndpoints = [] } = await eventually(
        () => stage.rds.describeDBProxyEndpoints({ DBProxyEndpointName: 'second' }),
        (answer) => answer.DBProxyEndpoints?.[0]?.Status === 'available',
      );
      const { Endpoint = '', DBProxyEndpointArn: ResourceName = '' } = DBProxyEndpoints[0] ?? {};
      const { TagList = [] } = await stage.rds.listTagsForResource({ ResourceName });
      const at = Number(TagList.find(({ Key }) => Key === 'aws:sluice:port')?.Value);
      expect(await withToken(administrator, Endpoint, at)).toBe('app');
      await stage.rds.deleteDBProxyEndpoint({ DBProxyEndpointName: 'second' });
    });
  });

  describe('a secret that is rotated by hand', () => {
    /** The database's processes for sessions of this user. */
    const backends = async (user: string): Promise<readonly number[]> => {
      const rows = await server.query(
        `SELECT pid FROM pg_stat_activity WHERE usename = '${user}' AND application_name <> 'sluice watcher'`,
      );
      return rows.map(({ pid }) => Number(pid));
    };

    test('fails nobody under load, and clients may come with the password before it', async () => {
      const { user } = names;
      await server.query(`CREATE ROLE ${user} LOGIN PASSWORD 'first'`);
      const arn = await stage.secret(user, user, 'first');
      const at = await stage.proxy('rotation', { auth: [arn], target: 'db', roleArn });
      let [current, before] = ['first', 'first'];
      const load = new Load(() => signIn(at, user, current));
      await load.goesOn();
      for (const next of ['second', 'third', 'fourth']) {
        await server.query(`ALTER ROLE ${user} PASSWORD '${next}'`);
        const SecretString = JSON.stringify({ username: user, password: next });
        await stage.secrets.putSecretValue({ SecretId: arn, SecretString });
        await eventually(
          () => attempt(signIn(at, user, next)),
          (answer) => answer === user,
        );
        [before, current] = [current, next];
        expect(await attempt(signIn(at, user, before))).toBe(user);
        await load.goesOn();
      }
      await load.end();
      expect(load.failures).toEqual([]);
      expect(await attempt(signIn(at, user, 'first'))).toContain('28P01');
    });

    // Takes its time; with one worker it is no other.
    if (workers > 1)
      test.if(workers === 2)(
        'has the connections of its user replaced, and drops nobody',
        async () => {
          const { user } = names;
          const at = await stage.portOf('rotation');
          const [idle, busy] = [await signIn(at, user, 'fourth'), await signIn(at, user, 'fourth')];
          await busy.query('BEGIN');
          const pid = await busy.value('SELECT pg_backend_pid()');
          const load = new Load(() => signIn(at, user, 'fourth'));
          await load.goesOn();
          const before = await backends(user);
          expect(before).toContain(Number(pid));
          await server.query(`ALTER ROLE ${user} PASSWORD 'changed'`);
          const SecretString = JSON.stringify({ username: user, password: 'changed' });
          await stage.secrets.putSecretValue({ SecretId: user, SecretString });
          for (let waitedMs = 0; waitedMs < 20_000; waitedMs += 200) {
            const left = (await backends(user)).filter((one) => before.includes(one));
            if (left.length === 1) break;
            await Bun.sleep(200);
          }
          const left = (await backends(user)).filter((one) => before.includes(one));
          expect(left).toEqual([Number(pid)]); // in a transaction
          expect(await busy.value('SELECT pg_backend_pid()')).toBe(pid);
          await busy.query('COMMIT');
          expect(await busy.value('SELECT 1')).toBe('1');
          await eventually(
            () => backends(user),
            (now) => !now.includes(Number(pid)),
          );
          await load.end();
          expect(load.failures).toEqual([]);
          expect(await idle.value('SELECT 1')).toBe('1');
          for (const client of [idle, busy]) client.destroy();
        },
      );

    test('lets in whoever comes, whether secret or database is first', async () => {
      const { user } = names;
      await server.query(`ALTER ROLE ${user} PASSWORD 'fifth'`);
      const at = await stage.portOf('rotation');
      const SecretString = JSON.stringify({ username: user, password: 'sixth' });
      await stage.secrets.putSecretValue({
        SecretId: user,
        SecretString: JSON.stringify({ username: user, password: 'fifth' }),
      });
      await stage.secrets.putSecretValue({ SecretId: user, SecretString });
      await eventually(
        () => attempt(signIn(at, user, 'sixth')),
        (answer) => answer === user,
      );
      const health = await eventually(
        () => stage.health('rotation'),
        (found) => found?.State === 'AVAILABLE' && found.Description !== undefined,
      );
      expect(health?.Description).toStartWith(
        `The current password of the user ${user} does not let the proxy in; connections that were made before stay.`,
      );
      // On connections that are opened now.
      const clients = await Promise.all(Array.from({ length: 5 }, () => signIn(at, user, 'sixth')));
      await Promise.all(clients.map((client) => client.value('BEGIN')));
      for (const client of clients) client.destroy();
      await server.query(`ALTER ROLE ${user} PASSWORD 'sixth'`);
      expect(await attempt(signIn(at, user, 'sixth'))).toBe(user);
    });
  });

  describe("the proxy's role", () => {
    const RoleName = 'proxy';

    test('that may no longer read the secret is told of; sessions go on, and all is well again afterwards', async () => {
      const client = await connect();
      await stage.iam.deleteRolePolicy({ RoleName, PolicyName: 'read' });
      const health = await stage.untilHealth('orders', 'UNAVAILABLE');
      expect(health?.Reason).toBe('AUTH_FAILURE');
      expect(health?.Description).toContain(
        `The IAM role ${roleArn} is not authorized to perform secretsmanager:GetSecretValue on ${appArn}`,
      );
      expect(await attempt(connect())).toContain('FATAL');
      expect(await client.value('SELECT 1')).toBe('1');
      const PolicyDocument = JSON.stringify(readAll);
      await stage.iam.putRolePolicy({ RoleName, PolicyName: 'read', PolicyDocument });
      await stage.untilHealth('orders', 'AVAILABLE');
      expect(await attempt(connect())).toBe('app');
      client.destroy();
    });

    test('that does not trust rds.amazonaws.com likewise', async () => {
      const trust = (service: string) =>
        stage.iam.updateAssumeRolePolicy({ RoleName, PolicyDocument: trusting(service) });
      await trust('lambda.amazonaws.com');
      const health = await stage.untilHealth('orders', 'UNAVAILABLE');
      expect(health?.Reason).toBe('AUTH_FAILURE');
      expect(health?.Description).toContain(
        `The IAM role ${roleArn} cannot be assumed by rds.amazonaws.com`,
      );
      await trust('rds.amazonaws.com');
      await stage.untilHealth('orders', 'AVAILABLE');
    });
  });

  test('a target that is deregistered is left, and another one served', async () => {
    const second = await startEmbeddedPostgres({
      users: [{ name: 'app', password: new SecretText(password) }],
      databases: ['app', names.second],
    });
    await stage.register('second', second);
    const at = await stage.proxy('moving', { auth: [appArn], target: 'db', roleArn });
    expect(await attempt(signIn(at, 'app', password))).toBe('app');
    await stage.rds.deregisterDBProxyTargets({
      DBProxyName: 'moving',
      DBInstanceIdentifiers: ['db'],
    });
    await eventually(
      () => attempt(signIn(at, 'app', password)),
      (answer) => answer !== 'app',
    );
    await stage.rds.registerDBProxyTargets({
      DBProxyName: 'moving',
      DBInstanceIdentifiers: ['second'],
    });
    await stage.untilHealth('moving', 'AVAILABLE');
    const database = names.second;
    expect(await attempt(signIn(at, 'app', password, { database }))).toBe('app');
    await second.destroy();
  });

  test('a proxy that is deleted lets a transaction end, and is told of until then', async () => {
    const at = await stage.proxy('leaving', { auth: [appArn], target: 'db', roleArn });
    const client = await signIn(at, 'app', password);
    await client.query('BEGIN');
    await stage.rds.deleteDBProxy({ DBProxyName: 'leaving' });
    await eventually(
      () => attempt(signIn(at, 'app', password)),
      (answer) => answer !== 'app',
    );
    expect(await client.value('SELECT 5')).toBe('5');
    expect((await stage.describe('leaving'))?.Status).toBe('deleting');
    await client.query('COMMIT');
    await client.readEnd();
    await stage.untilGone('leaving');
    client.destroy();
  });

  test('a proxy without a target can be deleted', async () => {
    await stage.proxy('idle', { auth: [appArn], roleArn });
    await stage.rds.deleteDBProxy({ DBProxyName: 'idle' });
    await stage.untilGone('idle');
  });

  test('a proxy whose port somebody has taken says so, and comes when the port is free', async () => {
    await stage.proxy('late', { auth: [appArn], roleArn });
    const at = await stage.portOf('late');
    const thief = createServer();
    await new Promise<void>((resolve) => thief.listen(at, '127.0.0.1', resolve));
    await stage.rds.registerDBProxyTargets({ DBProxyName: 'late', DBInstanceIdentifiers: ['db'] });
    const health = await stage.untilHealth('late', 'UNAVAILABLE');
    expect(health?.Description).toContain(`cannot listen on 127.0.0.1:${at}`);
    await stage.untilStatus('late', 'incompatible-network');
    expect(stage.sluice.logs('changeFailed').at(-1)?.['message']).toContain('proxy late:');
    expect(await attempt(connect())).toBe('app');
    await new Promise((resolve) => thief.close(resolve));
    await stage.untilStatus('late', 'available');
    await stage.untilHealth('late', 'AVAILABLE');
    expect(await attempt(signIn(at, 'app', password))).toBe('app');
    await stage.rds.deleteDBProxy({ DBProxyName: 'late' });
    await stage.untilGone('late');
  });

  test('a port that somebody has is not given to a proxy', async () => {
    const next = async (): Promise<number> => {
      await stage.proxy('next', { auth: [appArn], roleArn });
      const at = await stage.portOf('next');
      await stage.rds.deleteDBProxy({ DBProxyName: 'next' });
      await stage.untilGone('next');
      return at;
    };
    const at = await next();
    const holder = createServer();
    await new Promise<void>((resolve) => holder.listen(at, '127.0.0.1', resolve));
    expect(await next()).not.toBe(at);
    await new Promise((resolve) => holder.close(resolve));
  });

  test('everything is back after a restart', async () => {
    const before = (await stage.rds.describeDBProxies({})).DBProxies ?? [];
    expect(await stage.stop()).toBe(0);
    await stage.start();
    await stage.untilStatus('orders', 'available');
    const after = (await stage.rds.describeDBProxies({})).DBProxies ?? [];
    const told = ({ DBProxyName, DBProxyArn, Endpoint, Auth }: (typeof before)[0]) => ({
      DBProxyName,
      DBProxyArn,
      Endpoint,
      Auth,
    });
    expect(after.map(told)).toEqual(before.map(told));
    expect(await attempt(connect())).toBe('app');
  });

  test('nothing went wrong on the way', () => {
    expect(stage.sluice.logs('bug')).toEqual([]);
    expect(stage.sluice.stderr).toEqual([]);
  });
});

describe.each([1, 2])('what the settings file declares, with %d workers', (workers) => {
  const password = passwordOf('app');
  let stage: ControlStage;
  let declared: Record<string, unknown>;
  let port: number;

  beforeAll(async () => {
    const server = await withPostgres();
    port = await freePort();
    declared = {
      name: 'declared',
      engineFamily: 'POSTGRESQL',
      listen: `127.0.0.1:${port}`,
      target: 'file-db',
      auth: [{ secret: 'app' }],
    };
    const settings = {
      workers,
      secrets: [{ name: 'app', value: { username: 'app', password } }],
      databases: [
        {
          identifier: 'file-db',
          engine: 'postgres',
          host: server.host,
          port: server.port,
          maxConnections: 20,
        },
      ],
      proxies: [declared],
    };
    stage = await ControlStage.open({ settings });
  });
  afterAll(() => stage.close());

  const connect = (user = 'app'): Promise<RawClient> => signIn(port, user, passwordOf(user));
  const redeclare = (changes: object, event?: string): Promise<void> =>
    stage.reload((settings) => {
      declared = { ...declared, ...changes };
      settings['proxies'] = [declared];
    }, event);

  test('is told of by the API, which does not change it', async () => {
    await stage.untilStatus('declared', 'available');
    await stage.untilHealth('declared', 'AVAILABLE');
    expect(await stage.portOf('declared')).toBe(port);
    expect(await attempt(connect())).toBe('app');
    const DBProxyName = 'declared';
    const changes: readonly (() => Promise<unknown>)[] = [
      () => stage.rds.modifyDBProxy({ DBProxyName, RequireTLS: true }),
      () => stage.rds.deleteDBProxy({ DBProxyName }),
      () => stage.rds.deregisterDBProxyTargets({ DBProxyName, DBInstanceIdentifiers: ['file-db'] }),
    ];
    for (const change of changes)
      expect(await outcomeOf(change())).toThrow(
        'The DB proxy declared is declared in the settings file of Sluice: change it there, and reload.',
      );
  });

  test('has secrets that are told of, and changed by the file only', async () => {
    const { Auth = [] } = (await stage.describe('declared')) ?? {};
    const SecretId = Auth[0]?.SecretArn ?? '';
    const { SecretString = '', Name } = await stage.secrets.getSecretValue({ SecretId });
    expect([Name, JSON.parse(SecretString)]).toEqual(['app', { username: 'app', password }]);
    expect(await outcomeOf(stage.secrets.putSecretValue({ SecretId, SecretString }))).toThrow(
      'The secret app is declared in the settings file of Sluice: change it there, and reload.',
    );
  });

  test('may have more endpoints, which are told of', async () => {
    const at = await freePort();
    await redeclare({ endpoints: [{ name: 'more', listen: `127.0.0.1:${at}` }] });
    await eventually(
      () => attempt(signIn(at, 'app', password)),
      (answer) => answer === 'app',
    );
    const { DBProxyEndpoints } = await stage.rds.describeDBProxyEndpoints({});
    expect(DBProxyEndpoints).toMatchObject([
      { DBProxyEndpointName: 'more', DBProxyName: 'declared', TargetRole: 'READ_WRITE' },
    ]);
    await redeclare({ endpoints: [] });
    expect((await stage.rds.describeDBProxyEndpoints({})).DBProxyEndpoints ?? []).toEqual([]);
    await eventually(
      () => attempt(signIn(at, 'app', password)),
      (answer) => answer !== 'app',
    );
  });

  test('may use secrets that the API keeps, as the role that it names', async () => {
    const secret = await stage.secret('reader', 'reader', passwordOf('reader'));
    const roleArn = await stage.role('declared-proxy');
    const auth = [{ secret: 'app' }, { secret }];
    expect(await outcomeOf(redeclare({ auth }))).toThrow('roleArn');
    await redeclare({ auth, roleArn });
    await eventually(
      () => attempt(connect('reader')),
      (answer) => answer === 'reader',
    );
    expect(await attempt(connect())).toBe('app');
    expect((await stage.describe('declared'))?.RoleArn).toBe(roleArn);
  });

  test('is what the file says after SIGHUP, and keeps clients', async () => {
    const client = await connect();
    await redeclare({ requireTls: true, idleClientTimeout: 77 });
    await eventually(
      () => attempt(connect()),
      (answer) => answer.includes('requires TLS'),
    );
    const told = await stage.describe('declared');
    expect([told?.RequireTLS, told?.IdleClientTimeout]).toEqual([true, 77]);
    expect(await client.value('SELECT 1')).toBe('1');
    await redeclare({ requireTls: false });
    client.destroy();
  });

  test('must not have the name of a proxy that the API has made; then all stays as it was', async () => {
    const { DBProxies: [one] = [] } = await stage.rds.describeDBProxies({
      DBProxyName: 'declared',
    });
    const auth = one?.Auth?.flatMap(({ SecretArn = '' }) => SecretArn).slice(1) ?? [];
    await stage.proxy('mine', { auth, roleArn: one?.RoleArn ?? '' });
    await redeclare({ name: 'mine' }, 'reloadFailed');
    expect(stage.sluice.logs('reloadFailed').at(-1)?.['message']).toContain(
      'the proxy mine was made by the API',
    );
    expect(await attempt(connect())).toBe('app');
    expect(await stage.describe('declared')).toBeDefined();
    await redeclare({ name: 'declared' });
    expect(await attempt(connect())).toBe('app');
  });

  test('that clashes with what the API has made does not keep the rest from running', async () => {
    const at = await stage.portOf('mine');
    await redeclare({ listen: `127.0.0.1:${at}` });
    await stage.rds.registerDBProxyTargets({
      DBProxyName: 'mine',
      DBInstanceIdentifiers: ['file-db'],
    });
    const health = await stage.untilHealth('mine', 'UNAVAILABLE');
    expect(health?.Description).toContain(`cannot listen on 127.0.0.1:${at}`);
    await redeclare({ listen: `127.0.0.1:${port}` });
    await stage.untilHealth('mine', 'AVAILABLE');
    await eventually(
      () => attempt(connect()),
      (answer) => answer === 'app',
    );
  });

  test('is gone with the file', async () => {
    await stage.reload((settings) => {
      settings['proxies'] = [];
    });
    await stage.untilGone('declared');
    await eventually(
      () => attempt(connect()),
      (answer) => answer !== 'app',
    );
    expect(stage.sluice.stderr).toEqual([]);
  });
});
