import { describe, expect, test } from 'bun:test';
import type { Output } from '../service.ts';
import {
  createForm,
  database,
  newProxy,
  refusal,
  registerCluster,
  stage,
} from './fixture.test-support.ts';
import type { Stage } from './fixture.test-support.ts';
import { deregisterDatabase, registerDatabase } from '../../state/rds-registering.ts';

const DAY_MS = 86_400_000;

async function events(on: Stage, query = ''): Promise<readonly Output[]> {
  const told = await on.ask('DescribeEvents', query);
  return (told['Events'] as { readonly Event: readonly Output[] }).Event;
}

const messages = async (on: Stage, query = '') =>
  (await events(on, query)).map((event) => event['Message']);

describe('events', () => {
  test('tell what has happened to proxies and endpoints, in the words of AWS', async () => {
    const on = stage();
    await on.ask('CreateDBProxy', createForm('orders'));
    await on.ask('ModifyDBProxy', 'DBProxyName=orders&RequireTLS=true');
    const endpoint =
      'DBProxyName=orders&DBProxyEndpointName=e&VpcSubnetIds.member.1=a&VpcSubnetIds.member.2=b';
    await on.ask('CreateDBProxyEndpoint', endpoint);
    await on.ask('ModifyDBProxyEndpoint', 'DBProxyEndpointName=e&VpcSecurityGroupIds.member.1=sg');
    await on.ask('DeleteDBProxyEndpoint', 'DBProxyEndpointName=e');
    on.plane.follow();
    on.proxies.settle(on.plane);
    await on.ask('DeleteDBProxy', 'DBProxyName=orders');
    on.plane.follow();
    on.proxies.settle(on.plane);
    expect(await messages(on)).toEqual([
      'RDS created DB proxy orders.',
      'RDS modified DB proxy orders.',
      'RDS created endpoint e for DB proxy orders.',
      'RDS modified endpoint e of DB Proxy orders.',
      'RDS deleted endpoint e for DB proxy orders.',
      'RDS deleted DB proxy orders.',
    ]);
    expect(on.asked).toEqual(['rds:DescribeEvents *']);
    expect((await events(on))[0]).toEqual({
      SourceIdentifier: 'orders',
      SourceType: 'db-proxy',
      Message: 'RDS created DB proxy orders.',
      EventCategories: { EventCategory: ['creation'] },
      Date: new Date(on.clock.wallMs()),
      SourceArn: expect.stringContaining(':db-proxy:prx-'),
    });
  });

  test('tell what becomes of the members of a cluster', async () => {
    const on = stage();
    registerCluster(on.proxies, 'c', 0);
    on.proxies.create(newProxy('orders', { target: { kind: 'cluster', identifier: 'c' } }));
    registerDatabase(on.proxies, database('new', { cluster: 'c', role: 'reader' }), 'api');
    registerDatabase(on.proxies, database('new', { cluster: 'c', role: 'reader', port: 1 }), 'api');
    for (const name of ['new', 'c-1'])
      deregisterDatabase(on.proxies, on.proxies.databases.find(name)!);
    expect((await messages(on)).slice(1)).toEqual([
      'RDS detected the addition of the DB instance and automatically added it to the target group of the DB proxy orders.',
      'RDS detected deletion of DB instance new and automatically removed it from target group default of DB proxy orders.',
      'RDS detected deletion of DB instance c-1 and automatically removed it from target group default of DB proxy orders.',
      'RDS detected deletion of DB cluster c and automatically removed it from target group default of DB proxy orders.',
    ]);
    expect(on.proxies.list()[0]!.group.target).toBeUndefined();
  });

  test('are found by source, by category and by time', async () => {
    const on = stage();
    await on.ask('CreateDBProxy', createForm('a'));
    on.clock.advance(30 * 60_000);
    await on.ask('CreateDBProxy', createForm('b'));
    on.clock.advance(45 * 60_000);
    await on.ask('ModifyDBProxy', 'DBProxyName=b&RequireTLS=true');
    const created = (name: string): string => `RDS created DB proxy ${name}.`;
    const at = (minutes: number): string =>
      encodeURIComponent(new Date(Date.UTC(2026, 0, 1) + minutes * 60_000).toISOString());
    const modified = 'RDS modified DB proxy b.';
    // The last hour.
    expect(await messages(on)).toEqual([created('b'), modified]);
    expect(await messages(on, 'Duration=75')).toEqual([created('a'), created('b'), modified]);
    expect(await messages(on, 'Duration=76&SourceType=db-proxy&SourceIdentifier=A')).toEqual([
      created('a'),
    ]);
    expect(await messages(on, 'SourceType=db-cluster')).toEqual([]);
    expect(await messages(on, 'EventCategories.EventCategory.1=creation')).toEqual([created('b')]);
    expect(await messages(on, `StartTime=${at(0)}&EndTime=${at(1)}`)).toEqual([created('a')]);
    expect(await messages(on, `StartTime=${at(0)}&Duration=31`)).toEqual([
      created('a'),
      created('b'),
    ]);
    expect(await messages(on, `EndTime=${at(31)}&Duration=2`)).toEqual([created('b')]);
    expect(await messages(on, 'StartTime=2026-01-01T00:00')).toHaveLength(3);
  });

  test('are told page by page', async () => {
    const on = stage();
    await on.ask('CreateDBProxy', createForm('a'));
    for (let number = 0; number < 24; number += 1)
      await on.ask('ModifyDBProxy', 'DBProxyName=a&RequireTLS=true');
    const first = await on.ask('DescribeEvents', 'MaxRecords=20');
    const next = await on.ask('DescribeEvents', `MaxRecords=20&Marker=${String(first['Marker'])}`);
    const counts = [first, next].map(
      (page) => (page['Events'] as { Event: Output[] }).Event.length,
    );
    expect(counts).toEqual([20, 5]);
  });

  test('are forgotten after two weeks', async () => {
    const on = stage();
    await on.ask('CreateDBProxy', createForm('a'));
    on.clock.advance(14 * DAY_MS);
    expect(await messages(on, 'Duration=20160')).toHaveLength(1);
    on.clock.advance(1);
    expect(await messages(on, 'StartTime=2026-01-01')).toEqual([]);
    expect(on.store.all('SELECT * FROM rds_events')).toHaveLength(1);
    await on.ask('CreateDBProxy', createForm('b'));
    expect(on.store.all('SELECT * FROM rds_events')).toHaveLength(1);
  });

  test('are some thousand at most', () => {
    const on = stage();
    const event = {
      eventId: 'RDS-EVENT-0204',
      category: 'failure',
      source: 'a',
      sourceArn: 'b',
      message: 'c',
    } as const;
    on.proxies.write(() => {
      for (let number = 0; number < 5_010; number += 1) on.proxies.events.record(event, 1);
    });
    expect(on.store.one('SELECT count(*) AS many FROM rds_events')).toEqual({ many: 5_000 });
  });

  test.each([
    ['SourceIdentifier=a', 'InvalidParameterCombination'],
    ['SourceType=proxy', 'InvalidParameterValue'],
    ['StartTime=yesterday', 'InvalidParameterValue'],
    ['StartTime=2026-13-01', 'InvalidParameterValue'],
    ['Duration=0', 'InvalidParameterValue'],
    ['Duration=20161', 'InvalidParameterValue'],
    ['StartTime=2026-01-01&EndTime=2026-01-02&Duration=5', 'InvalidParameterCombination'],
    ['StartTime=2026-01-02&EndTime=2026-01-01', 'InvalidParameterCombination'],
  ])('are not asked for by %s', async (query, code) => {
    expect(await refusal(stage().ask('DescribeEvents', query))).toMatchObject({
      code,
      status: 400,
    });
  });
});
