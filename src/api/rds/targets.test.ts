import { describe, expect, test } from 'bun:test';
import type { Output } from '../service.ts';
import { createForm, database, refusal, registerCluster, stage } from './fixture.test-support.ts';
import type { Stage } from './fixture.test-support.ts';
import { registerDatabase } from '../../state/rds-registering.ts';

const listOf = (output: Output, name: string): readonly Output[] =>
  (output[name] as { readonly member: readonly Output[] }).member;

async function withProxy(family = 'POSTGRESQL'): Promise<Stage> {
  const on = stage();
  await on.ask('CreateDBProxy', createForm('orders', '', family));
  return on;
}

const REGISTER = 'DBProxyName=orders&DBInstanceIdentifiers.member.1=';
const REGISTER_CLUSTER = 'DBProxyName=orders&DBClusterIdentifiers.member.1=';

describe('an instance as a target', () => {
  test('is registering until the data plane says what it is', async () => {
    const on = await withProxy();
    registerDatabase(on.proxies, database('Db-1'), 'api');
    const target = {
      Endpoint: 'Db-1.internal',
      TrackedClusterId: undefined,
      RdsResourceId: 'Db-1',
      Port: 5432,
      Type: 'RDS_INSTANCE',
      Role: 'READ_WRITE',
      TargetHealth: { State: 'REGISTERING', Reason: undefined, Description: undefined },
    };
    const registered = await on.ask('RegisterDBProxyTargets', `${REGISTER}db-1`);
    expect(listOf(registered, 'DBProxyTargets')).toEqual([target]);
    expect(on.asked).toEqual([
      `rds:RegisterDBProxyTargets ${on.proxies.arn('group', on.proxies.list()[0]!.group.id)}`,
    ]);
    on.plane.setHealth('Db-1', { state: 'UNAVAILABLE', reason: 'PENDING_PROXY_CAPACITY' });
    const describing = await on.ask('DescribeDBProxyTargets', 'DBProxyName=orders');
    expect(listOf(describing, 'Targets')[0]!['TargetHealth']).toEqual({
      State: 'UNAVAILABLE',
      Reason: 'PENDING_PROXY_CAPACITY',
      Description: 'DBProxy Target is waiting for proxy to scale to desired capacity',
    });
    on.plane.setHealth('Db-1', { state: 'AVAILABLE', description: 'well' });
    const available = await on.ask('DescribeDBProxyTargets', 'DBProxyName=orders');
    expect(listOf(available, 'Targets')).toEqual([
      { ...target, TargetHealth: { State: 'AVAILABLE', Description: 'well' } },
    ]);
    await on.ask('DeregisterDBProxyTargets', `${REGISTER}DB-1`);
    expect(listOf(await on.ask('DescribeDBProxyTargets', 'DBProxyName=orders'), 'Targets')).toEqual(
      [],
    );
  });

  test('is the only one', async () => {
    const on = await withProxy();
    for (const name of ['one', 'two']) registerDatabase(on.proxies, database(name), 'api');
    await on.ask('RegisterDBProxyTargets', `${REGISTER}one`);
    expect(await refusal(on.ask('RegisterDBProxyTargets', `${REGISTER}ONE`))).toEqual({
      code: 'DBProxyTargetAlreadyRegisteredFault',
      status: 400,
      message:
        'The proxy is already associated with the specified RDS DB instance or Aurora DB cluster.',
    });
    expect(await refusal(on.ask('RegisterDBProxyTargets', `${REGISTER}two`))).toMatchObject({
      code: 'DBProxyTargetAlreadyRegisteredFault',
    });
    expect(await refusal(on.ask('DeregisterDBProxyTargets', `${REGISTER}two`))).toMatchObject({
      code: 'DBProxyTargetNotFoundFault',
      status: 404,
    });
  });

  test.each([
    [`${REGISTER}none`, 'DBInstanceNotFound', 404],
    [`${REGISTER_CLUSTER}none`, 'DBClusterNotFoundFault', 404],
    [`${REGISTER}db&DBClusterIdentifiers.member.1=c`, 'InvalidParameterCombination', 400],
    [`${REGISTER}db&DBInstanceIdentifiers.member.2=other`, 'InvalidParameterCombination', 400],
    ['DBProxyName=orders', 'InvalidParameterCombination', 400],
    [`${REGISTER}mysql`, 'InvalidParameterValue', 400],
    [`${REGISTER}c-1`, 'InvalidParameterValue', 400],
    [`${REGISTER}db&TargetGroupName=other`, 'DBProxyTargetGroupNotFoundFault', 404],
    ['DBProxyName=none&DBInstanceIdentifiers.member.1=db', 'DBProxyNotFoundFault', 404],
  ])('is not registered by %s', async (form, code, status) => {
    const on = await withProxy();
    registerDatabase(on.proxies, database('db'), 'api');
    registerDatabase(on.proxies, database('mysql', { engine: 'mysql' }), 'api');
    registerCluster(on.proxies, 'c');
    expect(await refusal(on.ask('RegisterDBProxyTargets', form))).toMatchObject({ code, status });
  });

  test('must be in a state to be one', async () => {
    const on = await withProxy();
    registerDatabase(on.proxies, database('db'), 'api');
    on.store.run("UPDATE rds_databases SET status = 'configuring-enhanced-monitoring'");
    expect(await refusal(on.ask('RegisterDBProxyTargets', `${REGISTER}db`))).toEqual({
      code: 'InvalidDBInstanceState',
      status: 400,
      message:
        'DB Instance db is in an unsupported state - CONFIGURING_ENHANCED_MONITORING, needs to be in [AVAILABLE, MODIFYING, BACKING_UP, CREATING]',
    });
  });

  test('tells how clients prove their passwords by default', async () => {
    const on = await withProxy('MYSQL');
    registerDatabase(on.proxies, database('db', { engine: 'mariadb' }), 'api');
    const typeOf = async () => {
      const [proxy] = listOf(await on.ask('DescribeDBProxies'), 'DBProxies');
      return listOf(proxy!, 'Auth')[0]!['ClientPasswordAuthType'];
    };
    expect(await typeOf()).toBe('MYSQL_CACHING_SHA2_PASSWORD');
    await on.ask('RegisterDBProxyTargets', `${REGISTER}db`);
    expect(await typeOf()).toBe('MYSQL_NATIVE_PASSWORD');
  });
});

describe('a cluster as a target', () => {
  test('is told with its members, the writer first', async () => {
    const on = await withProxy();
    registerCluster(on.proxies, 'c', 2);
    on.plane.setHealth('c-2', { state: 'AVAILABLE' });
    await on.ask('RegisterDBProxyTargets', `${REGISTER_CLUSTER}C`);
    const targets = listOf(await on.ask('DescribeDBProxyTargets', 'DBProxyName=orders'), 'Targets');
    expect(
      targets.map((one) => [
        one['RdsResourceId'],
        one['Type'],
        one['Role'],
        one['TrackedClusterId'],
      ]),
    ).toEqual([
      ['c', 'TRACKED_CLUSTER', undefined, undefined],
      ['c-1', 'RDS_INSTANCE', 'READ_WRITE', 'c'],
      ['c-2', 'RDS_INSTANCE', 'READ_ONLY', 'c'],
      ['c-3', 'RDS_INSTANCE', 'READ_ONLY', 'c'],
    ]);
    expect(targets[0]).toMatchObject({ Port: 5432, TargetHealth: { State: 'AVAILABLE' } });
  });

  test('is told page by page', async () => {
    const on = await withProxy();
    registerCluster(on.proxies, 'c', 24);
    await on.ask('RegisterDBProxyTargets', `${REGISTER_CLUSTER}c`);
    const form = 'DBProxyName=orders&MaxRecords=20';
    const first = await on.ask('DescribeDBProxyTargets', form);
    const next = await on.ask(
      'DescribeDBProxyTargets',
      `${form}&Marker=${String(first['Marker'])}`,
    );
    expect([first, next].map((page) => listOf(page, 'Targets').length)).toEqual([20, 6]);
  });

  test('of another family is refused in the words of AWS', async () => {
    const on = await withProxy('MYSQL');
    registerCluster(on.proxies, 'c');
    expect(await refusal(on.ask('RegisterDBProxyTargets', `${REGISTER_CLUSTER}c`))).toEqual({
      code: 'InvalidParameterValue',
      status: 400,
      message: 'Unsupported Database engine or engine mode for DB Cluster',
    });
  });
});

describe('the target group', () => {
  const MODIFY = 'DBProxyName=orders&TargetGroupName=default&ConnectionPoolConfig.';
  const configOf = async (on: Stage) =>
    listOf(await on.ask('DescribeDBProxyTargetGroups', 'DBProxyName=orders'), 'TargetGroups')[0]![
      'ConnectionPoolConfig'
    ];

  test('comes with the proxy and has the defaults of AWS', async () => {
    const on = await withProxy();
    const told = await on.ask(
      'DescribeDBProxyTargetGroups',
      'DBProxyName=orders&TargetGroupName=default',
    );
    expect(listOf(told, 'TargetGroups')).toEqual([
      {
        DBProxyName: 'orders',
        TargetGroupName: 'default',
        TargetGroupArn: expect.stringMatching(/:target-group:prx-tg-[a-z0-9]{17}$/),
        IsDefault: true,
        Status: 'available',
        ConnectionPoolConfig: {
          MaxConnectionsPercent: 100,
          MaxIdleConnectionsPercent: 50,
          ConnectionBorrowTimeout: 120,
          SessionPinningFilters: { member: [] },
          InitQuery: undefined,
        },
        CreatedDate: new Date(on.clock.wallMs()),
        UpdatedDate: new Date(on.clock.wallMs()),
      },
    ]);
    const sqlServer = await withProxy('SQLSERVER');
    expect(await configOf(sqlServer)).toMatchObject({
      MaxConnectionsPercent: 10,
      MaxIdleConnectionsPercent: 5,
    });
    expect(
      await refusal(
        on.ask('DescribeDBProxyTargetGroups', 'DBProxyName=orders&TargetGroupName=other'),
      ),
    ).toMatchObject({ code: 'DBProxyTargetGroupNotFoundFault', status: 404 });
  });

  test('keeps what is not given', async () => {
    const on = await withProxy();
    await on.ask('ModifyDBProxyTargetGroup', `${MODIFY}MaxConnectionsPercent=40`);
    expect(await configOf(on)).toMatchObject({
      MaxConnectionsPercent: 40,
      MaxIdleConnectionsPercent: 20,
    });
    await on.ask('ModifyDBProxyTargetGroup', `${MODIFY}MaxIdleConnectionsPercent=30`);
    await on.ask('ModifyDBProxyTargetGroup', `${MODIFY}InitQuery=SET%20a%3D1`);
    await on.ask('ModifyDBProxyTargetGroup', `${MODIFY}ConnectionBorrowTimeout=0`);
    expect(await configOf(on)).toMatchObject({
      MaxConnectionsPercent: 40,
      MaxIdleConnectionsPercent: 30,
      ConnectionBorrowTimeout: 0,
      InitQuery: 'SET a=1',
    });
    await on.ask('ModifyDBProxyTargetGroup', `${MODIFY}InitQuery=`);
    expect(await configOf(on)).toMatchObject({ InitQuery: undefined });
  });

  test('pins by filters with MYSQL only', async () => {
    const form = `${MODIFY}SessionPinningFilters.member.1=EXCLUDE_VARIABLE_SETS`;
    const mysql = await withProxy('MYSQL');
    await mysql.ask('ModifyDBProxyTargetGroup', form);
    expect(await configOf(mysql)).toMatchObject({
      SessionPinningFilters: { member: ['EXCLUDE_VARIABLE_SETS'] },
    });
    await mysql.ask('ModifyDBProxyTargetGroup', `${MODIFY}SessionPinningFilters=`);
    expect(await configOf(mysql)).toMatchObject({ SessionPinningFilters: { member: [] } });
    const postgres = await withProxy();
    expect(await refusal(postgres.ask('ModifyDBProxyTargetGroup', form))).toMatchObject({
      code: 'InvalidParameterCombination',
    });
  });

  test.each([
    ['ConnectionPoolConfig.MaxConnectionsPercent=0', 'InvalidParameterValue'],
    ['ConnectionPoolConfig.MaxConnectionsPercent=101', 'InvalidParameterValue'],
    [
      'ConnectionPoolConfig.MaxConnectionsPercent=49&ConnectionPoolConfig.MaxIdleConnectionsPercent=50',
      'InvalidParameterCombination',
    ],
    ['ConnectionPoolConfig.ConnectionBorrowTimeout=301', 'InvalidParameterValue'],
    ['ConnectionPoolConfig.SessionPinningFilters.member.1=X', 'InvalidParameterValue'],
    [`ConnectionPoolConfig.InitQuery=${'a'.repeat(16_385)}`, 'InvalidParameterValue'],
    ['ConnectionPoolConfig=x', 'InvalidParameterValue'],
    ['NewName=other', 'InvalidParameterValue'],
  ])('refuses %.70s', async (more, code) => {
    const on = await withProxy();
    const form = `DBProxyName=orders&TargetGroupName=default&${more}`;
    expect(await refusal(on.ask('ModifyDBProxyTargetGroup', form))).toMatchObject({
      code,
      status: 400,
    });
  });
});
