import { afterEach, describe, expect, test } from 'bun:test';
import {
  AddTagsToResourceCommand,
  CreateDBProxyCommand,
  CreateDBProxyEndpointCommand,
  DBProxyAlreadyExistsFault,
  DBProxyEndpointNotFoundFault,
  DBProxyNotFoundFault,
  DBProxyTargetAlreadyRegisteredFault,
  DeleteDBProxyCommand,
  DeleteDBProxyEndpointCommand,
  DeregisterDBProxyTargetsCommand,
  DescribeDBClustersCommand,
  DescribeDBInstancesCommand,
  DescribeDBProxiesCommand,
  DescribeDBProxyEndpointsCommand,
  DescribeDBProxyTargetGroupsCommand,
  DescribeDBProxyTargetsCommand,
  DescribeEventsCommand,
  InvalidDBProxyStateFault,
  ListTagsForResourceCommand,
  ModifyDBProxyCommand,
  ModifyDBProxyEndpointCommand,
  ModifyDBProxyTargetGroupCommand,
  paginateDescribeDBProxies,
  RegisterDBProxyTargetsCommand,
  RemoveTagsFromResourceCommand,
} from '@aws-sdk/client-rds';
import type { CreateDBProxyCommandInput, DBProxy, RDSClient } from '@aws-sdk/client-rds';
import {
  database,
  registerCluster,
  ROLE,
  SECRET,
} from '../../../src/api/rds/fixture.test-support.ts';
import { registerDatabase } from '../../../src/state/rds-registering.ts';
import { errorOf } from './iam-stage.ts';
import type { OpenRds } from './rds-stage.ts';
import { openRds } from './rds-stage.ts';

let opened: OpenRds | undefined;

function open(...parts: Parameters<typeof openRds>): OpenRds {
  opened = openRds(...parts);
  return opened;
}

afterEach(async () => {
  expect(opened?.api.failures ?? []).toEqual([]);
  await opened?.close();
  opened = undefined;
});

function creating(name: string, more: Partial<CreateDBProxyCommandInput> = {}) {
  return new CreateDBProxyCommand({
    DBProxyName: name,
    EngineFamily: 'POSTGRESQL',
    RoleArn: ROLE,
    VpcSubnetIds: ['subnet-a', 'subnet-b'],
    Auth: [{ AuthScheme: 'SECRETS', SecretArn: SECRET, IAMAuth: 'REQUIRED' }],
    ...more,
  });
}

async function describeOne(client: RDSClient, name: string): Promise<DBProxy> {
  const { DBProxies } = await client.send(new DescribeDBProxiesCommand({ DBProxyName: name }));
  expect(DBProxies).toHaveLength(1);
  return DBProxies![0]!;
}

const group = { DBProxyName: 'orders', TargetGroupName: 'default' };

describe('a proxy through the AWS SDK', () => {
  test('is created, told and deleted', async () => {
    const { client, plane } = open();
    const { DBProxy: created } = await client.send(creating('orders', { RequireTLS: true }));
    expect(created).toMatchObject({
      DBProxyName: 'orders',
      Status: 'creating',
      EngineFamily: 'POSTGRESQL',
      VpcSubnetIds: ['subnet-a', 'subnet-b'],
      VpcSecurityGroupIds: [],
      Auth: [
        {
          AuthScheme: 'SECRETS',
          SecretArn: SECRET,
          IAMAuth: 'REQUIRED',
          ClientPasswordAuthType: 'POSTGRES_SCRAM_SHA_256',
        },
      ],
      RequireTLS: true,
      IdleClientTimeout: 1800,
      DebugLogging: false,
    });
    expect(created?.CreatedDate).toBeInstanceOf(Date);
    plane.follow();
    expect(await describeOne(client, 'orders')).toEqual({ ...created!, Status: 'available' });

    const again = await client.send(creating('orders')).catch((error: unknown) => error);
    expect(again).toBeInstanceOf(DBProxyAlreadyExistsFault);

    const { DBProxy: deleted } = await client.send(
      new DeleteDBProxyCommand({ DBProxyName: 'orders' }),
    );
    expect(deleted?.Status).toBe('deleting');
    const twice = await client
      .send(new DeleteDBProxyCommand({ DBProxyName: 'orders' }))
      .catch((error: unknown) => error);
    expect(twice).toBeInstanceOf(InvalidDBProxyStateFault);
    plane.follow();
    const gone = await describeOne(client, 'orders').catch((error: unknown) => error);
    expect(gone).toBeInstanceOf(DBProxyNotFoundFault);
  });

  test('is refused with codes, statuses and words', async () => {
    const { client } = open();
    expect(await errorOf(client.send(creating('orders', { IdleClientTimeout: 0 })))).toBe(
      '400 InvalidParameterValue: The parameter IdleClientTimeout must be a number from 1 to 28800.',
    );
    expect(
      await errorOf(
        client.send(creating('orders', { Auth: [{ SecretArn: SECRET, UserName: 'a' }] })),
      ),
    ).toBe(
      '400 InvalidParameterValue: UserName must not be set in UserAuthConfig when SECRETS AuthScheme is used.',
    );
    expect(await errorOf(client.send(new ModifyDBProxyCommand({ DBProxyName: 'none' })))).toBe(
      "404 DBProxyNotFoundFault: The specified proxy name none doesn't correspond to a proxy owned by your Amazon Web Services account in the specified Amazon Web Services Region.",
    );
    expect(await errorOf(client.send(new DescribeDBProxiesCommand({ MaxRecords: 5 })))).toBe(
      '400 InvalidParameterValue: Invalid value 5 for MaxRecords. Must be between 20 and 100',
    );
  });

  test('is seen by who may see it, and changed by who may change it', async () => {
    const { client, clientOf, api } = open();
    const { DBProxy: created } = await client.send(creating('orders'));
    await client.send(creating('bills'));
    const viewer = clientOf(
      api.as({
        Statement: { Effect: 'Allow', Action: 'rds:Describe*', Resource: created?.DBProxyArn },
      }),
    );
    expect((await describeOne(viewer, 'orders')).DBProxyName).toBe('orders');
    for (const refused of [
      describeOne(viewer, 'bills'),
      describeOne(viewer, 'none'),
      viewer.send(new DescribeDBProxiesCommand({})),
      viewer.send(new DeleteDBProxyCommand({ DBProxyName: 'orders' })),
    ])
      expect(await errorOf(refused)).toStartWith('403 AccessDenied');
    const noRole = clientOf(
      api.as({ Statement: { Effect: 'Allow', Action: 'rds:*', Resource: '*' } }),
    );
    expect(await errorOf(noRole.send(creating('more')))).toStartWith('403 AccessDenied');
  });

  test('is one of many, which are told page by page', async () => {
    const { client } = open({ quotas: { proxies: 25 } });
    const names = Array.from({ length: 25 }, (_, number) => `p-${number}`);
    for (const name of names) await client.send(creating(name));
    expect(await errorOf(client.send(creating('more')))).toStartWith(
      '400 DBProxyQuotaExceededFault',
    );
    const pages: number[] = [];
    const told: (string | undefined)[] = [];
    for await (const { DBProxies } of paginateDescribeDBProxies({ client, pageSize: 20 }, {})) {
      pages.push(DBProxies!.length);
      told.push(...DBProxies!.map(({ DBProxyName }) => DBProxyName));
    }
    expect(pages).toEqual([20, 5]);
    expect(new Set(told)).toEqual(new Set(names));
  });

  test('is what one of those says who change it at the same time', async () => {
    const { client, proxies } = open();
    await client.send(creating('orders'));
    const timeouts = Array.from({ length: 20 }, (_, number) => number + 1);
    await Promise.all(
      timeouts.map((IdleClientTimeout) => {
        const Auth = [{ SecretArn: `${SECRET}${IdleClientTimeout}` }];
        return client.send(
          new ModifyDBProxyCommand({ DBProxyName: 'orders', IdleClientTimeout, Auth }),
        );
      }),
    );
    const { IdleClientTimeout, Auth } = await describeOne(client, 'orders');
    expect(timeouts).toContain(IdleClientTimeout!);
    expect(Auth?.map(({ SecretArn }) => SecretArn)).toEqual([`${SECRET}${IdleClientTimeout}`]);
    expect(proxies.find('orders')?.revision).toBe(21);
    const created = await Promise.allSettled(timeouts.map(() => client.send(creating('one'))));
    expect(created.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
  });
});

describe('targets, endpoints and the rest through the AWS SDK', () => {
  test('a cluster and its target group', async () => {
    const { client, proxies, plane } = open();
    await client.send(creating('orders'));
    registerCluster(proxies, 'c');
    const target = { ...group, DBClusterIdentifiers: ['c'] };
    const { DBProxyTargets } = await client.send(new RegisterDBProxyTargetsCommand(target));
    expect(DBProxyTargets).toEqual([
      {
        RdsResourceId: 'c',
        Port: 5432,
        Type: 'TRACKED_CLUSTER',
        TargetHealth: { State: 'REGISTERING' },
      },
      {
        Endpoint: 'c-1.internal',
        TrackedClusterId: 'c',
        RdsResourceId: 'c-1',
        Port: 5432,
        Type: 'RDS_INSTANCE',
        Role: 'READ_WRITE',
        TargetHealth: { State: 'REGISTERING' },
      },
      {
        Endpoint: 'c-2.internal',
        TrackedClusterId: 'c',
        RdsResourceId: 'c-2',
        Port: 5432,
        Type: 'RDS_INSTANCE',
        Role: 'READ_ONLY',
        TargetHealth: { State: 'REGISTERING' },
      },
    ]);
    const twice = await client
      .send(new RegisterDBProxyTargetsCommand(target))
      .catch((error: unknown) => error);
    expect(twice).toBeInstanceOf(DBProxyTargetAlreadyRegisteredFault);
    plane.setHealth('c-1', { state: 'AVAILABLE' });
    const { Targets } = await client.send(new DescribeDBProxyTargetsCommand(group));
    expect(Targets?.map(({ TargetHealth }) => TargetHealth?.State)).toEqual([
      'AVAILABLE',
      'AVAILABLE',
      'REGISTERING',
    ]);
    const { DBProxyTargetGroup } = await client.send(
      new ModifyDBProxyTargetGroupCommand({
        ...group,
        ConnectionPoolConfig: { MaxConnectionsPercent: 80, InitQuery: "SET a = '<&>'" },
      }),
    );
    expect(DBProxyTargetGroup?.ConnectionPoolConfig).toEqual({
      MaxConnectionsPercent: 80,
      MaxIdleConnectionsPercent: 40,
      ConnectionBorrowTimeout: 120,
      SessionPinningFilters: [],
      InitQuery: "SET a = '<&>'",
    });
    const { TargetGroups } = await client.send(new DescribeDBProxyTargetGroupsCommand(group));
    expect(TargetGroups).toEqual([DBProxyTargetGroup!]);
    await client.send(new DeregisterDBProxyTargetsCommand(target));
    expect(await errorOf(client.send(new DeregisterDBProxyTargetsCommand(target)))).toStartWith(
      '404 DBProxyTargetNotFoundFault',
    );
    const { DBClusters } = await client.send(new DescribeDBClustersCommand({}));
    expect(DBClusters).toMatchObject([
      {
        DBClusterIdentifier: 'c',
        DBClusterMembers: [{ IsClusterWriter: true }, { IsClusterWriter: false }],
      },
    ]);
  });

  test('an endpoint', async () => {
    const { client, plane } = open();
    await client.send(creating('orders'));
    const { DBProxyEndpoint: created } = await client.send(
      new CreateDBProxyEndpointCommand({
        DBProxyName: 'orders',
        DBProxyEndpointName: 'reports',
        VpcSubnetIds: ['subnet-a', 'subnet-b'],
        TargetRole: 'READ_ONLY',
        Tags: [{ Key: 'a', Value: 'b' }],
      }),
    );
    expect(created).toMatchObject({
      Status: 'creating',
      TargetRole: 'READ_ONLY',
      IsDefault: false,
    });
    plane.follow();
    const name = { DBProxyEndpointName: 'reports' };
    const { DBProxyEndpoints } = await client.send(new DescribeDBProxyEndpointsCommand(name));
    expect(DBProxyEndpoints).toEqual([{ ...created!, Status: 'available' }]);
    const { DBProxyEndpoint: modified } = await client.send(
      new ModifyDBProxyEndpointCommand({
        ...name,
        NewDBProxyEndpointName: 'bi',
        VpcSecurityGroupIds: ['sg'],
      }),
    );
    expect(modified).toMatchObject({ DBProxyEndpointName: 'bi', VpcSecurityGroupIds: ['sg'] });
    await client.send(new DeleteDBProxyEndpointCommand({ DBProxyEndpointName: 'bi' }));
    plane.follow();
    const gone = await client
      .send(new DescribeDBProxyEndpointsCommand({ DBProxyEndpointName: 'bi' }))
      .catch((error: unknown) => error);
    expect(gone).toBeInstanceOf(DBProxyEndpointNotFoundFault);
  });

  test('databases, by operations of our own', async () => {
    const { client, post } = open();
    const registered = await post({
      Action: 'RegisterDatabase',
      DBInstanceIdentifier: 'db',
      Engine: 'mysql',
      Host: '10.0.0.1',
    });
    expect(registered).toMatchObject({
      status: 200,
      body: expect.stringContaining('<RegisterDatabaseResult><DBInstance>'),
    });
    const { DBInstances } = await client.send(
      new DescribeDBInstancesCommand({ DBInstanceIdentifier: 'db' }),
    );
    expect(DBInstances).toMatchObject([
      {
        DBInstanceIdentifier: 'db',
        Engine: 'mysql',
        Endpoint: { Address: '10.0.0.1', Port: 3306 },
      },
    ]);
    expect(await post({ Action: 'DeregisterDatabase', DBInstanceIdentifier: 'db' })).toMatchObject({
      status: 200,
    });
    expect(
      await errorOf(client.send(new DescribeDBInstancesCommand({ DBInstanceIdentifier: 'db' }))),
    ).toBe('404 DBInstanceNotFoundFault: DBInstance db not found.');
  });

  test('events', async () => {
    const { client } = open();
    const { DBProxy } = await client.send(creating('orders'));
    await client.send(new ModifyDBProxyCommand({ DBProxyName: 'orders', RequireTLS: true }));
    const { Events } = await client.send(
      new DescribeEventsCommand({
        SourceType: 'db-proxy',
        SourceIdentifier: 'orders',
        EventCategories: ['creation'],
        StartTime: DBProxy!.CreatedDate!,
      }),
    );
    expect(Events).toEqual([
      {
        SourceIdentifier: 'orders',
        SourceType: 'db-proxy',
        Message: 'RDS created DB proxy orders.',
        EventCategories: ['creation'],
        Date: expect.any(Date),
        SourceArn: DBProxy!.DBProxyArn!,
      },
    ]);
  });
});

describe('Terraform', () => {
  /** What it waits for: nothing but `pending` may come before `target`. */
  async function waitFor(
    on: OpenRds,
    name: string,
    pending: 'creating' | 'modifying',
  ): Promise<DBProxy> {
    expect((await describeOne(on.client, name)).Status).toBe(pending);
    on.plane.follow();
    const proxy = await describeOne(on.client, name);
    expect(proxy.Status).toBe('available');
    return proxy;
  }

  test('creates, reads back, modifies, renames and destroys without a difference', async () => {
    const on = open();
    const { client } = on;
    const Tags = [{ Key: 'Name', Value: 'orders' }];
    const { DBProxy: created } = await client.send(
      creating('tf-Orders', { Tags, VpcSecurityGroupIds: ['sg-1'], IdleClientTimeout: 600 }),
    );
    const read = await waitFor(on, 'tf-Orders', 'creating');
    expect(read).toMatchObject({
      DBProxyName: 'tf-Orders',
      IdleClientTimeout: 600,
      VpcSecurityGroupIds: ['sg-1'],
    });
    const tagsOf = async (ResourceName: string) => {
      const { TagList } = await client.send(new ListTagsForResourceCommand({ ResourceName }));
      // It leaves out what is AWS's own.
      return TagList!.filter(({ Key }) => !Key!.startsWith('aws:'));
    };
    const arn = created!.DBProxyArn!;
    expect(await tagsOf(arn)).toEqual(Tags);

    await client.send(
      new ModifyDBProxyCommand({
        DBProxyName: 'tf-Orders',
        NewDBProxyName: 'tf-orders2',
        Auth: [],
        DefaultAuthScheme: 'IAM_AUTH',
        DebugLogging: true,
        RequireTLS: true,
        RoleArn: ROLE,
        IdleClientTimeout: 600,
        SecurityGroups: ['sg-1', 'sg-2'],
      }),
    );
    const updated = await waitFor(on, 'tf-orders2', 'modifying');
    expect(updated).toEqual({
      ...read,
      DBProxyName: 'tf-orders2',
      Endpoint: read.Endpoint!.replace('tf-orders', 'tf-orders2'),
      Auth: [],
      DefaultAuthScheme: 'IAM_AUTH',
      DebugLogging: true,
      RequireTLS: true,
      VpcSecurityGroupIds: ['sg-1', 'sg-2'],
      UpdatedDate: expect.any(Date),
    });
    await client.send(
      new AddTagsToResourceCommand({
        ResourceName: arn,
        Tags: [
          { Key: 'Name', Value: 'b' },
          { Key: 'x', Value: '' },
        ],
      }),
    );
    await client.send(new RemoveTagsFromResourceCommand({ ResourceName: arn, TagKeys: ['x'] }));
    expect(await tagsOf(arn)).toEqual([{ Key: 'Name', Value: 'b' }]);

    await client.send(new DeleteDBProxyCommand({ DBProxyName: 'tf-orders2' }));
    expect((await describeOne(client, 'tf-orders2')).Status).toBe('deleting');
    on.plane.follow();
    expect(await describeOne(client, 'tf-orders2').catch((error: unknown) => error)).toBeInstanceOf(
      DBProxyNotFoundFault,
    );
  });

  test('sets up the default target group and a target', async () => {
    const on = open();
    const { client, plane } = on;
    registerDatabase(on.proxies, database('db'), 'api');
    await client.send(creating('orders'));
    await waitFor(on, 'orders', 'creating');
    const ConnectionPoolConfig = {
      ConnectionBorrowTimeout: 120,
      InitQuery: '',
      MaxConnectionsPercent: 100,
      MaxIdleConnectionsPercent: 50,
      SessionPinningFilters: [],
    };
    await client.send(new ModifyDBProxyTargetGroupCommand({ ...group, ConnectionPoolConfig }));
    const groupOf = async () =>
      (await client.send(new DescribeDBProxyTargetGroupsCommand({ DBProxyName: 'orders' })))
        .TargetGroups![0]!;
    expect((await groupOf()).Status).toBe('modifying');
    plane.follow();
    const read = await groupOf();
    expect(read.Status).toBe('available');
    expect({ InitQuery: '', ...read.ConnectionPoolConfig }).toEqual(ConnectionPoolConfig);
    await client.send(
      new RegisterDBProxyTargetsCommand({ ...group, DBInstanceIdentifiers: ['db'] }),
    );
    const { Targets } = await client.send(new DescribeDBProxyTargetsCommand(group));
    expect(Targets).toMatchObject([{ Type: 'RDS_INSTANCE', RdsResourceId: 'db', Port: 5432 }]);
    await client.send(
      new DeregisterDBProxyTargetsCommand({ ...group, DBInstanceIdentifiers: ['db'] }),
    );
  });
});

describe('CloudFormation', () => {
  test('sets up a proxy, its target group and an endpoint, moves the target, and takes all away', async () => {
    const { client, plane, proxies } = open();
    for (const name of ['one', 'two']) registerDatabase(proxies, database(name), 'api');
    await client.send(creating('orders', { RequireTLS: true, DebugLogging: false }));
    plane.follow();
    expect((await describeOne(client, 'orders')).Status).toBe('available');

    const target = (...names: string[]) => ({
      ...group,
      DBInstanceIdentifiers: names,
      DBClusterIdentifiers: [],
    });
    await client.send(
      new ModifyDBProxyTargetGroupCommand({
        ...group,
        ConnectionPoolConfig: { MaxConnectionsPercent: 90 },
      }),
    );
    await client.send(new RegisterDBProxyTargetsCommand(target('one')));
    const states = async () =>
      (await client.send(new DescribeDBProxyTargetsCommand(group))).Targets!.map(
        ({ TargetHealth }) => TargetHealth?.State,
      );
    expect(await states()).toEqual(['REGISTERING']);
    plane.setHealth('one', { state: 'AVAILABLE' });
    expect(await states()).toEqual(['AVAILABLE']);

    const endpoint = { DBProxyEndpointName: 'more' };
    await client.send(
      new CreateDBProxyEndpointCommand({
        ...endpoint,
        DBProxyName: 'orders',
        VpcSubnetIds: ['a', 'b'],
      }),
    );
    plane.follow();
    const { DBProxyEndpoints } = await client.send(new DescribeDBProxyEndpointsCommand(endpoint));
    expect(DBProxyEndpoints?.[0]).toMatchObject({
      Status: 'available',
      IsDefault: false,
      VpcId: expect.any(String),
    });

    await client.send(new DeregisterDBProxyTargetsCommand(target('one')));
    await client.send(new RegisterDBProxyTargetsCommand(target('two')));
    expect(await states()).toEqual(['REGISTERING']);

    await client.send(new DeleteDBProxyCommand({ DBProxyName: 'orders' }));
    // Its handler goes on where it reads DELETING.
    expect(await errorOf(client.send(new DeregisterDBProxyTargetsCommand(target('two'))))).toMatch(
      /^400 InvalidDBProxyStateFault: .*DELETING/,
    );
    plane.follow();
    expect(await describeOne(client, 'orders').catch((error: unknown) => error)).toBeInstanceOf(
      DBProxyNotFoundFault,
    );
    const { DBProxyEndpoints: left } = await client.send(new DescribeDBProxyEndpointsCommand({}));
    expect(left).toEqual([]);
  });
});
