import { afterAll, beforeAll, describe, expect, test } from 'bun:test';
import type { EmbeddedServer } from '../../../src/cli/embedded-server.ts';
import { passwordOf, withPostgres } from '../../support/sluice.ts';
import { eventually } from '../clients/stage.ts';
import { allowing, AwsStage, clientToken } from './aws-stage.ts';
import { ACCOUNT, attempt, authEntry, ControlStage, signIn, trusting } from './control-stage.ts';
import { outcomeOf } from '../../support/outcome.ts';

// As in aws-source.test.ts one Sluice is AWS; the other one has an API of its own, whose proxies lead to databases there.

describe.each([1, 2])(
  'proxies of the API in front of databases of AWS, with %d workers',
  (workers) => {
    const password = passwordOf('app');
    let server: EmbeddedServer;
    let stage: AwsStage;
    let api: ControlStage;
    let appArn: string;
    /** AWS's own, which the user of the other Sluice may assume. */
    let roleArn: string;

    beforeAll(async () => {
      server = await withPostgres();
      stage = await AwsStage.open();
      const { aws } = stage;
      appArn = await aws.secret('app', 'app', password);
      await aws.register('orders', server, { MaxConnections: '30' });
      for (const [name, Role] of [
        ['one', 'writer'],
        ['two', 'reader'],
      ] as const)
        await aws.register(name, server, { DBClusterIdentifier: 'cluster', Role });
      await aws.iam.createRole({
        RoleName: 'proxy',
        AssumeRolePolicyDocument: JSON.stringify({
          Version: '2012-10-17',
          Statement: [{ Effect: 'Allow', Principal: { AWS: ACCOUNT }, Action: 'sts:AssumeRole' }],
        }),
      });
      roleArn = `arn:aws:iam::${ACCOUNT}:role/proxy`;
      const PolicyDocument = allowing(['secretsmanager:GetSecretValue', 'rds-db:connect']);
      await aws.iam.putRolePolicy({ RoleName: 'proxy', PolicyName: 'read', PolicyDocument });
      await stage.allow('assume', ['sts:AssumeRole']);
      api = await ControlStage.open({ settings: { ...stage.settings, workers }, env: stage.env });
    });
    afterAll(async () => {
      await api.close();
      await stage.aws.close();
    });

    const membersOf = async (name: string) => {
      const { Targets = [] } = await api.rds.describeDBProxyTargets({ DBProxyName: name });
      return Targets.map(({ RdsResourceId, Role }) => `${RdsResourceId} ${Role ?? ''}`.trim());
    };

    test('an instance is found by its identifier, and the secret by its ARN', async () => {
      const port = await api.proxy('orders', { auth: [appArn], target: 'orders', roleArn });
      expect(await attempt(signIn(port, 'app', password))).toBe('app');
      const { DBInstances = [] } = await api.rds.describeDBInstances({});
      const { DBInstances: there = [] } = await stage.aws.rds.describeDBInstances({
        DBInstanceIdentifier: 'orders',
      });
      expect(DBInstances.map(({ DbiResourceId }) => DbiResourceId)).toEqual(
        there.map(({ DbiResourceId }) => DbiResourceId),
      );
    });

    test('an identifier that AWS does not know either is none', async () => {
      await api.proxy('none', { auth: [appArn], roleArn });
      const register = (more: object) =>
        api.rds.registerDBProxyTargets({ DBProxyName: 'none', ...more });
      expect(await outcomeOf(register({ DBInstanceIdentifiers: ['nowhere'] }))).toThrow(
        'DBInstance nowhere not found.',
      );
      expect(await outcomeOf(register({ DBClusterIdentifiers: ['nowhere'] }))).toThrow(
        'DBCluster nowhere not found.',
      );
      expect(await outcomeOf(register({ DBInstanceIdentifiers: ['one'] }))).toThrow(
        'DB Instance one is a member of the DB cluster cluster: register the cluster',
      );
    });

    test('the members of a cluster are followed when they change their roles', async () => {
      await api.proxy('cluster', { auth: [appArn], roleArn });
      await api.rds.registerDBProxyTargets({
        DBProxyName: 'cluster',
        DBClusterIdentifiers: ['cluster'],
      });
      await eventually(
        () => api.health('cluster'),
        (health) => health?.State === 'AVAILABLE',
      );
      expect(await membersOf('cluster')).toEqual(['cluster', 'one READ_WRITE', 'two READ_ONLY']);
      const port = await api.portOf('cluster');
      expect(await attempt(signIn(port, 'app', password))).toBe('app');
      await api.rds.createDBProxyEndpoint({
        DBProxyName: 'cluster',
        DBProxyEndpointName: 'readers',
        TargetRole: 'READ_ONLY',
        VpcSubnetIds: ['subnet-a', 'subnet-b'],
      });
      const { DBProxyEndpoints = [] } = await eventually(
        () => api.rds.describeDBProxyEndpoints({ DBProxyEndpointName: 'readers' }),
        (answer) => answer.DBProxyEndpoints?.[0]?.Status === 'available',
      );
      const { DBProxyEndpointArn: ResourceName = '' } = DBProxyEndpoints[0] ?? {};
      const { TagList = [] } = await api.rds.listTagsForResource({ ResourceName });
      const readers = Number(TagList.find(({ Key }) => Key === 'aws:sluice:port')?.Value);
      await eventually(
        () => attempt(signIn(readers, 'app', password)),
        (answer) => answer === 'app',
      );
      const member = { DBClusterIdentifier: 'cluster' };
      await stage.aws.register('one', server, { ...member, Role: 'reader' });
      await stage.aws.register('two', server, { ...member, Role: 'writer' });
      await eventually(
        () => membersOf('cluster'),
        ([, first]) => first === 'two READ_WRITE',
      );
      await eventually(
        () => attempt(signIn(port, 'app', password)),
        (answer) => answer === 'app',
      );
    });

    test('a role of the API gets no more of AWS than its own policy allows', async () => {
      await api.iam.createRole({
        RoleName: 'own',
        AssumeRolePolicyDocument: trusting('rds.amazonaws.com'),
      });
      await api.rds.modifyDBProxy({
        DBProxyName: 'orders',
        RoleArn: `arn:aws:iam::${ACCOUNT}:role/own`,
      });
      const health = await api.untilHealth('orders', 'UNAVAILABLE');
      expect(health?.Reason).toBe('AUTH_FAILURE');
      expect(health?.Description).toContain(
        `role/own is not authorized to perform secretsmanager:GetSecretValue on ${appArn}`,
      );
      const PolicyDocument = allowing(['secretsmanager:GetSecretValue']);
      await api.iam.putRolePolicy({ RoleName: 'own', PolicyName: 'read', PolicyDocument });
      await api.untilHealth('orders', 'AVAILABLE');
    });

    test('DefaultAuthScheme IAM_AUTH signs in with tokens that the role has signed', async () => {
      const { aws } = stage;
      const auth = [authEntry(appArn, 'REQUIRED')];
      const gate = await aws.proxy('gate', {
        auth,
        target: 'orders',
        roleArn: await aws.role('rds'),
      });
      await aws.register('iam', { host: 'localhost', port: gate });
      await api.rds.createDBProxy({
        DBProxyName: 'tokens',
        EngineFamily: 'POSTGRESQL',
        DefaultAuthScheme: 'IAM_AUTH',
        RoleArn: roleArn,
        VpcSubnetIds: ['subnet-a', 'subnet-b'],
      });
      await api.rds.registerDBProxyTargets({
        DBProxyName: 'tokens',
        DBInstanceIdentifiers: ['iam'],
      });
      await api.untilHealth('tokens', 'AVAILABLE');
      const port = await api.portOf('tokens');
      const token = await clientToken(port, 'app');
      expect(await attempt(signIn(port, 'app', token, { tls: 'startTls' }))).toBe('app');
      const PolicyDocument = allowing(['secretsmanager:GetSecretValue']);
      await aws.iam.putRolePolicy({ RoleName: 'proxy', PolicyName: 'read', PolicyDocument });
      const refused = await attempt(
        signIn(port, 'reader', await clientToken(port, 'reader'), { tls: 'startTls' }),
      );
      expect(refused).toContain('IAM authentication failed for the role reader');
    });

    test('all goes on while AWS is gone', async () => {
      await stage.aws.stop();
      await api.sluice.waitForLog(({ event }) => event === 'awsTrouble');
      expect(await attempt(signIn(await api.portOf('orders'), 'app', password))).toBe('app');
    });
  },
);
