import { describe, expect, test } from 'bun:test';
import type { Output } from '../service.ts';
import { createForm, database, refusal, registerCluster, stage } from './fixture.test-support.ts';
import type { Stage } from './fixture.test-support.ts';
import { registerDatabase } from '../../state/rds-registering.ts';

const REGISTER = 'DBInstanceIdentifier=db&Engine=postgres&Host=db.internal';

async function instances(on: Stage, query = ''): Promise<readonly Output[]> {
  const told = await on.ask('DescribeDBInstances', query);
  return (told['DBInstances'] as { readonly DBInstance: readonly Output[] }).DBInstance;
}

async function clusters(on: Stage, query = ''): Promise<readonly Output[]> {
  const told = await on.ask('DescribeDBClusters', query);
  return (told['DBClusters'] as { readonly DBCluster: readonly Output[] }).DBCluster;
}

const filter = (name: string, ...values: readonly string[]): string =>
  [
    `Filters.Filter.1.Name=${name}`,
    ...values.map((value, at) => `Filters.Filter.1.Values.Value.${at + 1}=${value}`),
  ].join('&');

describe('RegisterDatabase', () => {
  test('makes a database known', async () => {
    const on = stage();
    const { DBInstance: told } = await on.ask(
      'RegisterDatabase',
      `${REGISTER}&Port=6000&TlsMode=verify-full&TlsServerName=db&MaxConnections=50&Database=app`,
    );
    expect(told).toEqual({
      DBInstanceIdentifier: 'db',
      Engine: 'postgres',
      DBInstanceStatus: 'available',
      Endpoint: { Address: 'db.internal', Port: 6000 },
      InstanceCreateTime: new Date(on.clock.wallMs()),
      DBClusterIdentifier: undefined,
      DbiResourceId: expect.stringMatching(/^db-[A-Z0-9]{26}$/),
      DBInstanceArn: 'arn:aws:rds:eu-west-1:123456789012:db:db',
      TagList: { Tag: [] },
    });
    expect(on.asked).toEqual(['rds:RegisterDatabase arn:aws:rds:eu-west-1:123456789012:db:db']);
    expect(on.proxies.databases.find('db')?.connection).toEqual({
      tlsMode: 'verify-full',
      tlsServerName: 'db',
      maxConnections: 50,
      database: 'app',
    });
    expect(await instances(on, 'DBInstanceIdentifier=DB')).toEqual([told as Output]);
  });

  test.each([
    ['postgres', 5432],
    ['mysql', 3306],
    ['mariadb', 3306],
    ['sqlserver', 1433],
  ])('takes the port of %s where none is given', async (engine, port) => {
    const on = stage();
    await on.ask(
      'RegisterDatabase',
      `DBInstanceIdentifier=db&Engine=${engine}&Endpoint.Address=::1`,
    );
    expect((await instances(on))[0]).toMatchObject({ Endpoint: { Address: '::1', Port: port } });
  });

  test('replaces what is known, and its resource id stays', async () => {
    const on = stage();
    await on.ask('RegisterDatabase', REGISTER);
    const [before] = await instances(on);
    await on.ask('RegisterDatabase', `${REGISTER.replace('=db&', '=DB&')}2`);
    const [after, ...more] = await instances(on);
    expect(more).toEqual([]);
    expect(after).toEqual({ ...before, Endpoint: { Address: 'db.internal2', Port: 5432 } });
  });

  test.each([
    ['DBInstanceIdentifier=db&Engine=postgres', 'MissingParameter', 'Host'],
    ['Engine=postgres&Host=h', 'MissingParameter', 'DBInstanceIdentifier'],
    ['DBInstanceIdentifier=db&Engine=oracle&Host=h', 'InvalidParameterValue', 'postgres or mysql'],
    ['DBInstanceIdentifier=db&Engine=mysql&Host=h h', 'InvalidParameterValue', 'without a port'],
    [`${REGISTER}&Endpoint.Address=other`, 'InvalidParameterCombination', 'either'],
    [`${REGISTER}&Port=0`, 'InvalidParameterValue', '1 to 65535'],
    [`${REGISTER}&Role=reader`, 'InvalidParameterCombination', 'DBClusterIdentifier'],
    [`${REGISTER}&DBClusterIdentifier=c&Role=writer`, 'InvalidParameterCombination', 'c-1'],
    [
      `${REGISTER.replace('postgres', 'mysql')}&DBClusterIdentifier=c`,
      'InvalidParameterCombination',
      'same Engine',
    ],
    [`${REGISTER}&TlsMode=on`, 'InvalidParameterValue', 'disable or prefer'],
    [`${REGISTER}&TlsCaCertificate=x`, 'InvalidParameterValue', 'PEM'],
    [
      'DBInstanceIdentifier=declared&Engine=postgres&Host=h',
      'InvalidDBInstanceState',
      'settings file',
    ],
  ])('refuses %s', async (form, code, words) => {
    const on = stage();
    registerCluster(on.proxies, 'c');
    registerDatabase(on.proxies, database('declared'), 'declared');
    const refused = await refusal(on.ask('RegisterDatabase', form));
    expect(refused).toMatchObject({ code, status: 400 });
    expect(refused?.message).toContain(words);
  });

  test('has at most as many as are allowed', async () => {
    const on = stage({ quotas: { databases: 1 } });
    await on.ask('RegisterDatabase', REGISTER);
    await on.ask('RegisterDatabase', REGISTER);
    expect(
      await refusal(on.ask('RegisterDatabase', 'DBInstanceIdentifier=b&Engine=mysql&Host=h')),
    ).toMatchObject({ code: 'InstanceQuotaExceeded', status: 400 });
  });

  test('changes no database so that its proxy could not lead to it', async () => {
    const on = stage();
    await on.ask('RegisterDatabase', REGISTER);
    await on.ask('CreateDBProxy', createForm('orders'));
    await on.ask('RegisterDBProxyTargets', 'DBProxyName=orders&DBInstanceIdentifiers.member.1=db');
    for (const form of [REGISTER.replace('postgres', 'mysql'), `${REGISTER}&DBClusterIdentifier=c`])
      expect(await refusal(on.ask('RegisterDatabase', form))).toMatchObject({
        code: 'InvalidDBInstanceState',
      });
    const { revision } = on.proxies.list()[0]!;
    await on.ask('RegisterDatabase', `${REGISTER}&Port=1`);
    expect(on.proxies.list()[0]!.revision).toBeGreaterThan(revision);
  });
});

describe('DeregisterDatabase', () => {
  test('takes the database from the proxies that lead to it', async () => {
    const on = stage();
    await on.ask('RegisterDatabase', REGISTER);
    await on.ask('CreateDBProxy', createForm('orders'));
    await on.ask('RegisterDBProxyTargets', 'DBProxyName=orders&DBInstanceIdentifiers.member.1=db');
    await on.ask('DeregisterDatabase', 'DBInstanceIdentifier=db');
    expect(on.proxies.list()[0]!.group.target).toBeUndefined();
    expect(await refusal(instances(on, 'DBInstanceIdentifier=db'))).toEqual({
      code: 'DBInstanceNotFound',
      status: 404,
      message: 'DBInstance db not found.',
    });
    expect(await refusal(on.ask('DeregisterDatabase', 'DBInstanceIdentifier=db'))).toMatchObject({
      code: 'DBInstanceNotFound',
    });
  });

  test('leaves the databases of the settings file alone', async () => {
    const on = stage();
    registerDatabase(on.proxies, database('db'), 'declared');
    expect(await refusal(on.ask('DeregisterDatabase', 'DBInstanceIdentifier=db'))).toMatchObject({
      code: 'InvalidDBInstanceState',
    });
  });
});

describe('clusters', () => {
  test('are there from their first member to their last', async () => {
    const on = stage();
    for (const name of ['one', 'two'])
      await on.ask(
        'RegisterDatabase',
        `DBInstanceIdentifier=${name}&Engine=mysql&Host=${name}&DBClusterIdentifier=c`,
      );
    expect(await clusters(on)).toEqual([
      {
        DBClusterIdentifier: 'c',
        Engine: 'mysql',
        Status: 'available',
        Endpoint: 'one',
        Port: 3306,
        ClusterCreateTime: new Date(on.clock.wallMs()),
        DbClusterResourceId: expect.stringMatching(/^cluster-[A-Z0-9]{26}$/),
        DBClusterArn: 'arn:aws:rds:eu-west-1:123456789012:cluster:c',
        DBClusterMembers: {
          DBClusterMember: [
            { DBInstanceIdentifier: 'one', IsClusterWriter: true },
            { DBInstanceIdentifier: 'two', IsClusterWriter: false },
          ],
        },
        TagList: { Tag: [] },
      },
    ]);
    for (const name of ['one', 'two'])
      await on.ask('DeregisterDatabase', `DBInstanceIdentifier=${name}`);
    expect(await clusters(on)).toEqual([]);
    expect(await refusal(clusters(on, 'DBClusterIdentifier=c'))).toMatchObject({
      code: 'DBClusterNotFoundFault',
      status: 404,
    });
  });

  test('and instances are found by filters and by ARN', async () => {
    const on = stage();
    registerCluster(on.proxies, 'c');
    registerDatabase(on.proxies, database('db', { engine: 'mysql' }), 'api');
    const names = async (query: string) =>
      (await instances(on, query)).map((one) => one['DBInstanceIdentifier']);
    expect(await names('')).toEqual(['c-1', 'c-2', 'db']);
    expect(await names(filter('db-cluster-id', 'C'))).toEqual(['c-1', 'c-2']);
    expect(await names(filter('engine', 'mysql', 'mariadb'))).toEqual(['db']);
    expect(await names(`DBInstanceIdentifier=${on.proxies.arn('database', 'db')}`)).toEqual(['db']);
    expect(await clusters(on, filter('db-cluster-id', 'c', 'd'))).toHaveLength(1);
    expect(await clusters(on, filter('engine', 'mysql'))).toEqual([]);
    expect(await refusal(names(filter('toString', 'x')))).toMatchObject({
      code: 'InvalidParameterValue',
    });
  });
});
