import { describe, expect, test } from 'bun:test';
import { ManualClock } from '../base/clock.ts';
import { AwsAccount } from './account.ts';
import { AwsDatabases, engineOf, keyOf, locate } from './databases.ts';
import type { Located } from './databases.ts';
import { FakeAws, instance, unavailable } from './fixture.test-support.ts';
import { Kept } from './kept.ts';
import { outcomeOf } from '../../test/support/outcome.ts';

const target = { kind: 'instance', identifier: 'orders' } as const;

describe('a database of AWS', () => {
  test.each([
    ['postgres', 'postgres'],
    ['aurora-postgresql', 'postgres'],
    ['mysql', 'mysql'],
    ['aurora-mysql', 'mysql'],
    ['aurora', 'mysql'],
    ['mariadb', 'mariadb'],
    ['sqlserver-web', 'sqlserver'],
  ] as const)('of the engine %s is one of %s', (said, engine) =>
    expect(engineOf('It', said)).toBe(engine),
  );

  test('of another engine is refused', () => {
    for (const engine of ['oracle-ee', 'db2-se', 'neptune', ''])
      expect(() => engineOf('It', engine)).toThrow('It: there is no proxy for the engine');
  });

  test('is where AWS says; of a cluster the writer', async () => {
    const client = new FakeAws();
    client.instances.set('orders', instance('orders'));
    client.clusters.set('orders', {
      ...instance('orders'),
      engine: 'aurora-mysql',
      host: 'writer.example.com',
      members: [],
    });
    expect(await locate(client, target)).toEqual({
      engine: 'postgres',
      host: 'orders.example.com',
      port: 5432,
      resourceId: 'db-ORDERS',
    });
    expect(await locate(client, { kind: 'cluster', identifier: 'orders' })).toMatchObject({
      engine: 'mysql',
      host: 'writer.example.com',
    });
    client.instances.set('orders', instance('orders', { host: undefined }));
    expect(await outcomeOf(locate(client, target))).toThrow(
      'The DB instance orders: it has no endpoint yet',
    );
  });

  test('is remembered, and looked for again where it cannot be reached', async () => {
    const [clock, client] = [new ManualClock(), new FakeAws()];
    let changes = 0;
    const changed = (): void => {
      changes += 1;
    };
    const kept = new Kept<Located>({ clock, refreshMs: 60_000, changed });
    const databases = new AwsDatabases(client, kept);
    expect(databases.find(target)).toBeUndefined();
    client.problem = unavailable;
    await databases.lookUp(target);
    expect(databases.find(target)).toEqual(unavailable);
    client.problem = undefined;
    client.instances.set('orders', instance('orders'));
    const pass = async (doubted: readonly string[] = []): Promise<void> => {
      clock.advance(5_000);
      kept.tick(doubted);
      for (let turn = 0; turn < 20; turn += 1) await Promise.resolve();
    };
    await pass();
    expect(databases.find(target)).toMatchObject({ host: 'orders.example.com' });
    await pass([keyOf(target)]);
    expect([client.asked.length, changes]).toEqual([3, 1]);
    client.instances.set('orders', instance('orders', { host: 'moved.example.com' }));
    await pass();
    await pass([keyOf(target)]);
    expect(databases.find(target)).toMatchObject({ host: 'moved.example.com' });
    expect([client.asked.length, changes]).toEqual([4, 2]);
  });

  test('is remembered as long as somebody wants it', async () => {
    const [clock, client] = [new ManualClock(), new FakeAws()];
    client.instances.set('orders', instance('orders'));
    const settings = {
      ...{ region: 'eu-central-1', profile: undefined, roleArn: undefined, watchUser: undefined },
      endpoints: { secretsManager: undefined, rds: undefined, sts: undefined },
      refreshMs: 60_000,
    };
    const account = new AwsAccount(settings, { clock, changed: () => {}, client });
    account.wanted = () => [{ target, isLost: false }];
    await account.databases.lookUp(target);
    const pass = async (): Promise<void> => {
      for (let minute = 0; minute < 60; minute += 1) {
        clock.advance(60_000);
        for (let turn = 0; turn < 10; turn += 1) await Promise.resolve();
      }
    };
    await pass();
    expect(account.databases.find(target)).toMatchObject({ host: 'orders.example.com' });
    account.wanted = () => [];
    await pass();
    expect(account.databases.find(target)).toBeUndefined();
    account.stop();
  });
});
