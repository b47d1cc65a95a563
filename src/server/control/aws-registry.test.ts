import { describe, expect, test } from 'bun:test';
import { FakeAws, instance, unavailable } from '../../aws/fixture.test-support.ts';
import { ManualClock } from '../../base/clock.ts';
import { seededRandom } from '../../base/random.ts';
import { ProxyStore } from '../../state/proxies.ts';
import { registerDatabase } from '../../state/rds-registering.ts';
import { rdsSchema } from '../../state/rds-schema.ts';
import type { Target } from '../../state/rds-types.ts';
import { Store } from '../../state/store.ts';
import { AwsRegistry } from './aws-registry.ts';

/** A store without databases, one proxy, and AWS with an instance and a cluster of two. */
function scene() {
  const [clock, client] = [new ManualClock(), new FakeAws()];
  const place = { region: 'eu-central-1', account: '123456789012' };
  const store = Store.inMemory([rdsSchema]);
  const proxies = new ProxyStore(store, { ...place, clock, random: seededRandom(1) });
  const troubles: string[] = [];
  const troubled = (why: string): void => void troubles.push(why);
  const registry = new AwsRegistry({ client, proxies, clock, refreshMs: 60_000, troubled });
  const proxy = proxies.create({
    name: 'one',
    settings: {
      ...{ engineFamily: 'POSTGRESQL', roleArn: '', auth: [], defaultAuthScheme: 'NONE' },
      ...{ requireTls: false, idleClientTimeoutS: 1, debugLogging: false, subnetIds: [] },
      ...{ securityGroupIds: [], endpointNetworkType: 'IPV4' },
      targetConnectionNetworkType: 'IPV4',
    },
    ...{ pool: {}, target: undefined, listenHost: 'h', listenPort: 1, origin: 'api' },
  });
  client.instances.set('alone', instance('alone'));
  const cluster = (writer: string): void => {
    const members = ['a', 'b'].map((identifier) => ({
      identifier,
      isWriter: identifier === writer,
    }));
    client.clusters.set('pair', { ...instance('pair'), resourceId: 'cluster-PAIR', members });
  };
  for (const one of ['a', 'b']) client.instances.set(one, instance(one, { cluster: 'pair' }));
  cluster('a');
  const lead = async (target: Target): Promise<void> => {
    await registry.adopt(target);
    proxies.setTarget(proxy.id, target);
  };
  const known = (): readonly string[] =>
    proxies.databases.list().map(({ identifier, role, host }) => `${identifier} ${role} ${host}`);
  return { ...{ clock, client, proxies, registry, proxy, troubles }, cluster, lead, known };
}

const alone = { kind: 'instance', identifier: 'alone' } as const;
const pair = { kind: 'cluster', identifier: 'pair' } as const;

describe('databases of AWS', () => {
  test('are adopted by their names, with what AWS calls them', async () => {
    const { registry, proxies, known } = scene();
    expect(await registry.adopt(alone)).toEqual({ kind: 'adopted' });
    expect(await registry.adopt(pair)).toEqual({ kind: 'adopted' });
    expect(known()).toEqual([
      'a writer a.example.com',
      'alone writer alone.example.com',
      'b reader b.example.com',
    ]);
    expect(proxies.databases.find('alone')).toMatchObject({
      resourceId: 'db-ALONE',
      origin: 'aws',
    });
    expect(proxies.databases.findCluster('pair')?.resourceId).toBe('cluster-PAIR');
  });

  test('are not adopted where that makes no sense', async () => {
    const { registry, client, known } = scene();
    client.instances.set('new', instance('new', { host: undefined }));
    client.instances.set('odd', instance('odd', { engine: 'oracle-ee' }));
    const adopt = (identifier: string) => registry.adopt({ kind: 'instance', identifier });
    expect(await adopt('nothing')).toEqual({ kind: 'none' });
    expect(await adopt('a')).toEqual({ kind: 'memberOf', cluster: 'pair' });
    expect(await adopt('new')).toEqual({
      kind: 'trouble',
      why: 'The DB instance new has no endpoint yet.',
    });
    expect(await adopt('odd')).toEqual({
      kind: 'trouble',
      why: 'The DB instance odd: there is no proxy for the engine oracle-ee',
    });
    client.problem = unavailable;
    expect(await adopt('alone')).toEqual({ kind: 'trouble', why: 'AWS cannot be reached' });
    expect(known()).toEqual([]);
  });

  test('are followed where a proxy leads to them: once a period, and when they cannot be reached', async () => {
    const { registry, client, clock, lead, cluster, known, proxies, proxy } = scene();
    await lead(pair);
    const asked = client.asked.length;
    await registry.follow(['a']);
    expect(client.asked).toHaveLength(asked);
    clock.advance(5_000);
    await registry.follow(['elsewhere']);
    expect(client.asked).toHaveLength(asked);
    const { revision } = proxies.findById(proxy.id) ?? {};
    await registry.follow(['a']);
    expect(client.asked).toHaveLength(asked + 2);
    expect(proxies.findById(proxy.id)?.revision).toBe(revision ?? -1);
    cluster('b');
    client.instances.set('b', instance('b', { cluster: 'pair', host: 'moved.example.com' }));
    clock.advance(60_000);
    await registry.follow([]);
    expect(known()).toEqual(['a reader a.example.com', 'b writer moved.example.com']);
    client.instances.delete('a');
    clock.advance(60_000);
    await registry.follow([]);
    expect(known()).toEqual(['b writer moved.example.com']);
  });

  test('stay while AWS does not answer, which is told once', async () => {
    const { registry, client, clock, lead, known, troubles } = scene();
    await lead(alone);
    client.problem = unavailable;
    for (let round = 0; round < 3; round += 1) {
      clock.advance(60_000);
      await registry.follow([]);
    }
    expect(troubles).toEqual(['AWS cannot be reached']);
    client.problem = undefined;
    client.instances.delete('alone');
    clock.advance(5_000);
    await registry.follow([]);
    expect(troubles).toEqual(['AWS cannot be reached', 'The DB instance alone: there is none']);
    expect(known()).toEqual(['alone writer alone.example.com']);
  });

  test('are forgotten where no proxy leads to them any more', async () => {
    const { registry, clock, lead, known, proxies, proxy } = scene();
    await lead(alone);
    proxies.setTarget(proxy.id, undefined);
    await registry.follow([]);
    expect(known()).toHaveLength(1);
    clock.advance(61_000);
    await registry.follow([]);
    expect(known()).toEqual([]);
  });

  test('are the administrator’s from the moment that they are registered', async () => {
    const { registry, client, clock, lead, proxies } = scene();
    await lead(alone);
    const mine = { identifier: 'alone', engine: 'postgres', host: 'mine', port: 1 } as const;
    const more = { cluster: undefined, role: 'writer', connection: { tlsMode: 'prefer' } } as const;
    registerDatabase(proxies, { ...mine, ...more }, 'api');
    const asked = client.asked.length;
    clock.advance(600_000);
    await registry.follow(['alone']);
    expect(client.asked).toHaveLength(asked);
    expect(proxies.databases.find('alone')?.host).toBe('mine');
  });
});
