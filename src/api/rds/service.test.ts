import { describe, expect, test } from 'bun:test';
import { ApiError } from '../api-error.ts';
import { readForm } from '../query-form.ts';
import {
  ACCOUNT,
  createForm,
  database,
  registerCluster,
  ROLE,
  stage,
} from './fixture.test-support.ts';
import { registerDatabase } from '../../state/rds-registering.ts';

const SUBNETS = 'VpcSubnetIds.member.1=a&VpcSubnetIds.member.2=b';
const ARN = '{proxy}';

/** What each operation is asked with, and what it may be done to: `{proxy}`, `{group}`, `{endpoint}` are the ARNs of what there is. */
const operations: Readonly<Record<string, readonly [form: string, ...resources: string[]]>> = {
  CreateDBProxy: [createForm('new'), 'db-proxy:*', ROLE],
  ModifyDBProxy: [`DBProxyName=orders&RoleArn=${ROLE}`, '{proxy}', ROLE],
  DeleteDBProxy: ['DBProxyName=orders', '{proxy}'],
  DescribeDBProxies: ['', 'db-proxy:*'],
  DescribeDBProxyTargetGroups: ['DBProxyName=orders', '{group}'],
  ModifyDBProxyTargetGroup: ['DBProxyName=orders&TargetGroupName=default', '{group}'],
  RegisterDBProxyTargets: ['DBProxyName=orders&DBInstanceIdentifiers.member.1=db', '{group}'],
  DeregisterDBProxyTargets: ['DBProxyName=led&DBClusterIdentifiers.member.1=c', '{led}'],
  DescribeDBProxyTargets: ['DBProxyName=orders', '{group}'],
  CreateDBProxyEndpoint: [
    `DBProxyName=orders&DBProxyEndpointName=new&${SUBNETS}`,
    '{proxy}',
    'db-proxy-endpoint:*',
  ],
  ModifyDBProxyEndpoint: ['DBProxyEndpointName=e&NewDBProxyEndpointName=f', '{endpoint}'],
  DeleteDBProxyEndpoint: ['DBProxyEndpointName=e', '{endpoint}'],
  DescribeDBProxyEndpoints: ['', 'db-proxy-endpoint:*'],
  AddTagsToResource: [`ResourceName=${ARN}&Tags.Tag.1.Key=a`, '{proxy}'],
  RemoveTagsFromResource: [`ResourceName=${ARN}&TagKeys.member.1=a`, '{proxy}'],
  ListTagsForResource: [`ResourceName=${ARN}`, '{proxy}'],
  DescribeDBInstances: ['', 'db:*'],
  DescribeDBClusters: ['DBClusterIdentifier=c', 'cluster:c'],
  RegisterDatabase: [
    'DBInstanceIdentifier=x&Engine=mysql&Host=h&DBClusterIdentifier=d',
    'db:x',
    'cluster:d',
  ],
  DeregisterDatabase: ['DBInstanceIdentifier=db', 'db:db'],
  DescribeEvents: ['', '*'],
};

/** Two proxies, `orders` with an endpoint `e` and `led` to a cluster `c`, and a database `db`. */
async function furnished() {
  const on = stage();
  registerDatabase(on.proxies, database('db'), 'api');
  registerCluster(on.proxies, 'c');
  for (const name of ['orders', 'led']) await on.ask('CreateDBProxy', createForm(name));
  await on.ask('RegisterDBProxyTargets', 'DBProxyName=led&DBClusterIdentifiers.member.1=c');
  await on.ask('CreateDBProxyEndpoint', `DBProxyName=orders&DBProxyEndpointName=e&${SUBNETS}`);
  const [led, orders] = on.proxies.list();
  const { proxies } = on;
  const arns: Readonly<Record<string, string>> = {
    '{proxy}': proxies.arn('proxy', orders!.id),
    '{group}': proxies.arn('group', orders!.group.id),
    '{led}': proxies.arn('group', led!.group.id),
    '{endpoint}': proxies.arn('endpoint', orders!.endpoints[0]!.id),
  };
  const arnOf = (resource: string): string =>
    arns[resource] ??
    (resource === '*' || resource.startsWith('arn:')
      ? resource
      : `arn:aws:rds:eu-west-1:${ACCOUNT}:${resource}`);
  return { ...on, arnOf };
}

describe('the RDS service', () => {
  test('has all operations that are tried here', () => {
    expect(Object.keys(stage().service.operations).toSorted()).toEqual(
      Object.keys(operations).toSorted(),
    );
  });

  test.each(Object.keys(operations))('%s does nothing without permission', async (name) => {
    const { arnOf, service, store } = await furnished();
    const [form, ...resources] = operations[name]!;
    let writes = 0;
    store.onWrite(() => (writes += 1));
    for (const denied of resources.map(arnOf)) {
      const answer = async () =>
        service.operations[name]!(readForm(form.replace(ARN, arnOf('{proxy}'))), {
          caller: { accessKeyId: '', account: ACCOUNT, arn: '', userId: '', policies: [] },
          requestId: '',
          nowMs: 0,
          authorize(_action, resource) {
            if (resource === denied) throw new ApiError('AccessDenied', 'No.', 403);
          },
        });
      expect(await answer().catch((error: unknown) => error)).toMatchObject({
        code: 'AccessDenied',
      });
    }
    expect(writes).toBe(0);
  });

  test.each(Object.keys(operations))('%s asks for the right permissions', async (name) => {
    const { arnOf, ask, asked } = await furnished();
    const [form, ...resources] = operations[name]!;
    await ask(name, form.replace(ARN, arnOf('{proxy}')));
    const wanted = resources.map(
      (one) => `${one === ROLE ? 'iam:PassRole' : `rds:${name}`} ${arnOf(one)}`,
    );
    expect([...new Set(asked)]).toEqual(wanted);
  });
});
