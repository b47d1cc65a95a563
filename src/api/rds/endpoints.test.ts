import { describe, expect, test } from 'bun:test';
import type { Output } from '../service.ts';
import { createForm, database, refusal, registerCluster, stage } from './fixture.test-support.ts';
import type { Stage } from './fixture.test-support.ts';
import { registerDatabase } from '../../state/rds-registering.ts';
import { PORT_TAG } from './tags.ts';

const SUBNETS = 'VpcSubnetIds.member.1=subnet-a&VpcSubnetIds.member.2=subnet-b';
const form = (name: string, more = ''): string =>
  `DBProxyName=orders&DBProxyEndpointName=${name}&${SUBNETS}&${more}`;
const endpointOf = (output: Output): Output => output['DBProxyEndpoint'] as Output;

async function withProxy(): Promise<Stage> {
  const on = stage();
  await on.ask('CreateDBProxy', createForm('orders'));
  on.plane.follow();
  return on;
}

async function all(on: Stage, query = ''): Promise<readonly Output[]> {
  const told = await on.ask('DescribeDBProxyEndpoints', query);
  return (told['DBProxyEndpoints'] as { readonly member: readonly Output[] }).member;
}

describe('an endpoint', () => {
  test('is created, modified and deleted as the data plane follows', async () => {
    const on = await withProxy();
    const created = endpointOf(await on.ask('CreateDBProxyEndpoint', form('Reports')));
    expect(created).toEqual({
      DBProxyEndpointName: 'Reports',
      DBProxyEndpointArn: expect.stringMatching(/:db-proxy-endpoint:prx-endpoint-[a-z0-9]{17}$/),
      DBProxyName: 'orders',
      Status: 'creating',
      VpcId: expect.stringMatching(/^vpc-/),
      VpcSecurityGroupIds: { member: [] },
      VpcSubnetIds: { member: ['subnet-a', 'subnet-b'] },
      Endpoint: 'reports.endpoint.proxy-abcdefghijkl.eu-west-1.rds.sluice.test',
      CreatedDate: new Date(on.clock.wallMs()),
      TargetRole: 'READ_WRITE',
      IsDefault: false,
      EndpointNetworkType: 'IPV4',
    });
    expect(await all(on)).toEqual([created]);
    on.plane.follow();
    expect(await all(on, 'DBProxyName=orders')).toEqual([{ ...created, Status: 'available' }]);

    const change =
      'DBProxyEndpointName=REPORTS&NewDBProxyEndpointName=bi&VpcSecurityGroupIds.member.1=sg-1';
    const modified = endpointOf(await on.ask('ModifyDBProxyEndpoint', change));
    expect(modified).toEqual({
      ...created,
      DBProxyEndpointName: 'bi',
      Status: 'modifying',
      Endpoint: 'bi.endpoint.proxy-abcdefghijkl.eu-west-1.rds.sluice.test',
      VpcSecurityGroupIds: { member: ['sg-1'] },
    });
    on.plane.follow();
    expect(await all(on, 'DBProxyEndpointName=bi')).toEqual([{ ...modified, Status: 'available' }]);

    const deleted = endpointOf(await on.ask('DeleteDBProxyEndpoint', 'DBProxyEndpointName=bi'));
    expect(deleted['Status']).toBe('deleting');
    expect((await all(on))[0]!['Status']).toBe('deleting');
    for (const operation of ['DeleteDBProxyEndpoint', 'ModifyDBProxyEndpoint'])
      expect(await refusal(on.ask(operation, 'DBProxyEndpointName=bi'))).toMatchObject({
        code: 'InvalidDBProxyEndpointStateFault',
        status: 400,
      });
    on.plane.follow();
    expect(await refusal(all(on, 'DBProxyEndpointName=bi'))).toEqual({
      code: 'DBProxyEndpointNotFoundFault',
      status: 404,
      message: "The DB proxy endpoint bi doesn't exist.",
    });
    // It was the endpoint's affair alone.
    const proxies = (await on.ask('DescribeDBProxies'))['DBProxies'] as { member: Output[] };
    expect(proxies.member[0]!['Status']).toBe('available');
  });

  test('tells its port by its tags: that of the proxy, or one of its own for readers', async () => {
    const on = await withProxy();
    const portOf = async (more: string) => {
      const { DBProxyEndpointArn: arn } = endpointOf(await on.ask('CreateDBProxyEndpoint', more));
      return on.ask('ListTagsForResource', `ResourceName=${String(arn)}`);
    };
    const told = (port: string) => ({ TagList: { Tag: [{ Key: PORT_TAG, Value: port }] } });
    expect(await portOf(form('a'))).toEqual(told('5432'));
    expect(await portOf(form('b', 'TargetRole=READ_ONLY'))).toEqual(told('7000'));
  });

  test('for readers needs a port that is free', async () => {
    const ports = { host: '127.0.0.1', preferDefault: true, from: 7000, to: 7001 };
    const on = stage({ ports: { ...ports, isFree: (port) => port !== 7000 } });
    await on.ask('CreateDBProxy', createForm('orders'));
    await on.ask('CreateDBProxyEndpoint', form('a', 'TargetRole=READ_ONLY'));
    expect(on.proxies.takenPorts()).toEqual(new Set([5432, 7001]));
    expect(
      await refusal(on.ask('CreateDBProxyEndpoint', form('b', 'TargetRole=READ_ONLY'))),
    ).toMatchObject({ code: 'DBProxyEndpointQuotaExceededFault' });
    await on.ask('CreateDBProxyEndpoint', form('b'));
  });

  test('goes with its proxy', async () => {
    const on = await withProxy();
    await on.ask('CreateDBProxyEndpoint', form('a'));
    on.plane.follow();
    await on.ask('DeleteDBProxy', 'DBProxyName=orders');
    expect((await all(on))[0]!['Status']).toBe('deleting');
    on.plane.follow();
    expect(await all(on)).toEqual([]);
  });

  test.each([
    [form('1'), 'InvalidParameterValue', 400],
    [form('default'), 'InvalidParameterValue', 400],
    [form('a', 'TargetRole=WRITE'), 'InvalidParameterValue', 400],
    [form('TAKEN'), 'DBProxyEndpointAlreadyExistsFault', 400],
    ['DBProxyName=orders&DBProxyEndpointName=a', 'MissingParameter', 400],
    ['DBProxyName=orders&DBProxyEndpointName=a&VpcSubnetIds.member.1=b', 'InvalidSubnet', 400],
    [`DBProxyName=none&DBProxyEndpointName=a&${SUBNETS}`, 'DBProxyNotFoundFault', 404],
  ])('is not created by %s', async (query, code, status) => {
    const on = await withProxy();
    await on.ask('CreateDBProxyEndpoint', form('taken'));
    expect(await refusal(on.ask('CreateDBProxyEndpoint', query))).toMatchObject({ code, status });
  });

  test('can be had twenty times', async () => {
    const on = await withProxy();
    for (let number = 0; number < 20; number += 1)
      await on.ask('CreateDBProxyEndpoint', form(`e${number}`));
    expect(await refusal(on.ask('CreateDBProxyEndpoint', form('more')))).toMatchObject({
      code: 'DBProxyEndpointQuotaExceededFault',
    });
    expect(
      await refusal(
        on.ask('ModifyDBProxyEndpoint', 'DBProxyEndpointName=e1&NewDBProxyEndpointName=E2'),
      ),
    ).toMatchObject({
      code: 'DBProxyEndpointAlreadyExistsFault',
    });
  });
});

describe('an endpoint for readers', () => {
  const create = (on: Stage, name: string) =>
    on.ask('CreateDBProxyEndpoint', form(name, 'TargetRole=READ_ONLY'));

  test('needs a cluster that has some', async () => {
    const on = await withProxy();
    await create(on, 'before-there-is-a-target');
    registerDatabase(on.proxies, database('db'), 'api');
    await on.ask('RegisterDBProxyTargets', 'DBProxyName=orders&DBInstanceIdentifiers.member.1=db');
    expect(await refusal(create(on, 'a'))).toMatchObject({ code: 'InvalidDBProxyStateFault' });
    await on.ask(
      'DeregisterDBProxyTargets',
      'DBProxyName=orders&DBInstanceIdentifiers.member.1=db',
    );
    registerCluster(on.proxies, 'c', 0);
    await on.ask('RegisterDBProxyTargets', 'DBProxyName=orders&DBClusterIdentifiers.member.1=c');
    expect(await refusal(create(on, 'a'))).toMatchObject({ code: 'InvalidDBProxyStateFault' });
    registerCluster(on.proxies, 'c', 1);
    expect(endpointOf(await create(on, 'a'))['TargetRole']).toBe('READ_ONLY');
  });

  test('is not there for SQLSERVER', async () => {
    const on = stage();
    await on.ask('CreateDBProxy', createForm('orders', '', 'SQLSERVER'));
    expect(await refusal(create(on, 'a'))).toMatchObject({ code: 'InvalidParameterValue' });
  });
});
