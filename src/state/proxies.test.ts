import { describe, expect, test } from 'bun:test';
import { ManualClock } from '../base/clock.ts';
import { seededRandom } from '../base/random.ts';
import type { NewEndpoint, NewProxy } from './proxies.ts';
import { ProxyStore } from './proxies.ts';
import type { ProxyStatus } from './rds-data-plane.ts';
import { newId, resourceId } from './rds-names.ts';
import type { DeclaredProxy } from './rds-declaring.ts';
import { DeclarationConflict, declare } from './rds-declaring.ts';
import { registerDatabase } from './rds-registering.ts';
import { rdsSchema } from './rds-schema.ts';
import type { Database } from './rds-types.ts';
import { Store } from './store.ts';

const place = { region: 'eu-west-1', account: '123456789012' };

function open() {
  const store = Store.inMemory([rdsSchema]);
  const clock = new ManualClock();
  const proxies = new ProxyStore(store, { ...place, clock, random: seededRandom(1) });
  return { store, clock, proxies };
}

const proxy = (name: string, more: Partial<NewProxy> = {}): NewProxy => ({
  name,
  settings: {
    engineFamily: 'POSTGRESQL',
    roleArn: '',
    auth: [{ secretArn: 'arn', iamAuth: 'DISABLED' }],
    defaultAuthScheme: 'NONE',
    requireTls: false,
    idleClientTimeoutS: 1800,
    debugLogging: false,
    subnetIds: [],
    securityGroupIds: [],
    endpointNetworkType: 'IPV4',
    targetConnectionNetworkType: 'IPV4',
  },
  pool: {},
  target: undefined,
  listenHost: '127.0.0.1',
  listenPort: 6432,
  origin: 'api',
  ...more,
});

const database = (identifier: string, more: Partial<Database> = {}): Database => ({
  identifier,
  engine: 'postgres',
  host: 'db',
  port: 5432,
  cluster: undefined,
  role: 'writer',
  connection: { tlsMode: 'prefer' },
  ...more,
});

const declared = (name: string, more: Partial<DeclaredProxy> = {}): DeclaredProxy => ({
  ...proxy(name),
  id: `prx-${name.toLowerCase()}`,
  target: { kind: 'instance', identifier: 'db' },
  endpoints: [],
  ...more,
});

const plane = (status: ProxyStatus) => ({
  statusOf: () => status,
  healthOf: () => ({ state: 'REGISTERING' }) as const,
});

describe('the store of proxies', () => {
  test('keeps what it is given', () => {
    const { proxies } = open();
    const target = { kind: 'instance', identifier: 'db' } as const;
    const created = proxies.create(
      proxy('Orders', { pool: { maxConnectionsPercent: 11 }, target }),
    );
    expect(created).toMatchObject({
      ...proxy('Orders').settings,
      name: 'Orders',
      phase: 'creating',
      revision: 1,
      group: {
        target,
        pool: {
          maxConnectionsPercent: 11,
          maxIdleConnectionsPercent: 5,
          connectionBorrowTimeoutS: 120,
          excludeVariableSets: false,
          initQuery: '',
        },
      },
      endpoints: [],
    });
    expect(created.id).toMatch(/^prx-[a-z0-9]{17}$/);
    expect(proxies.find('ORDERS')).toEqual(created);
    expect(proxies.findById(created.id)).toEqual(created);
    expect(proxies.findByGroupId(created.group.id)).toEqual(created);
    expect(proxies.list()).toEqual([created]);
  });

  test('counts every change, and those that make it modifying', () => {
    const { proxies } = open();
    const { id } = proxies.create(proxy('orders'));
    expect(proxies.setTarget(id, { kind: 'cluster', identifier: 'c' })).toMatchObject({
      revision: 2,
      modifiedIn: 1,
    });
    expect(proxies.modify(id, { name: 'bills' })).toMatchObject({ revision: 3, modifiedIn: 3 });
    expect(proxies.setPool(id, { initQuery: 'x' })).toMatchObject({ revision: 4, modifiedIn: 4 });
  });

  test('settles what the data plane runs, and writes nothing otherwise', () => {
    const { proxies, store } = open();
    const created = proxies.create(proxy('orders'));
    let writes = 0;
    store.onWrite(() => (writes += 1));
    const idle = plane({ listening: false, port: undefined });
    const running = plane({ listening: true, port: 1 });
    proxies.settle(idle);
    expect(writes).toBe(0);
    proxies.settle(running);
    proxies.settle(running);
    expect(writes).toBe(1);
    expect(proxies.find('orders')?.phase).toBe('live');
    proxies.startDeleting(created.id);
    proxies.settle(running);
    expect(proxies.list()).toEqual([]);
    expect(proxies.listAll()).toHaveLength(1);
    proxies.settle(idle);
    expect(proxies.listAll()).toEqual([]);
  });

  test('waits for the revision that the data plane runs', () => {
    const { proxies } = open();
    const created = proxies.create(proxy('orders'));
    const endpoint = proxies.createEndpoint(created, {
      name: 'e',
      role: 'READ_WRITE',
      subnetIds: [],
      securityGroupIds: [],
      networkType: 'IPV4',
      listenPort: 7000,
    });
    const phases = () => [proxies.find('orders')?.phase, proxies.findEndpoint('E')?.phase];
    proxies.settle(plane({ listening: true, port: 1, revision: 1 }));
    expect(phases()).toEqual(['live', 'creating']);
    proxies.settle(plane({ listening: true, port: 1, revision: 2 }));
    expect(phases()).toEqual(['live', 'live']);
    expect(proxies.takenPorts()).toEqual(new Set([6432, 7000]));
    proxies.startDeletingEndpoint(endpoint);
    proxies.settle(plane({ listening: true, port: 1, revision: 2 }));
    expect(phases()).toEqual(['live', 'deleting']);
    expect(proxies.list()[0]?.endpoints).toEqual([]);
    proxies.settle(plane({ listening: true, port: 1, revision: 3 }));
    expect(phases()).toEqual(['live', undefined]);
  });

  test('makes resource ids that follow from what they name', () => {
    const { proxies } = open();
    registerDatabase(proxies, database('Db'), 'api');
    expect(proxies.databases.find('DB')?.resourceId).toBe(resourceId('db-', place, 'db'));
    expect(resourceId('db-', place, 'db')).not.toBe(resourceId('db-', place, 'db2'));
    expect(newId('prx-tg-', seededRandom(3))).toMatch(/^prx-tg-[a-z0-9]{17}$/);
  });
});

describe('what the settings file declares', () => {
  test('is there as it says, and gone when it no longer says so', () => {
    const { proxies, store } = open();
    const file = { proxies: [declared('orders')], databases: [database('db')] };
    declare(proxies, file);
    const [before] = proxies.list();
    expect(before).toMatchObject({
      id: 'prx-orders',
      origin: 'declared',
      group: { target: { identifier: 'db' } },
    });
    let writes = 0;
    store.onWrite(() => (writes += 1));
    declare(proxies, structuredClone(file));
    expect(writes).toBe(0);
    expect(proxies.list()).toEqual([before!]);

    const changed = declared('orders', { listenPort: 6433, pool: { initQuery: 'SET a=1' } });
    declare(proxies, {
      proxies: [changed],
      databases: [database('db', { port: 5433 }), database('other')],
    });
    expect(writes).toBe(1);
    expect(proxies.list()).toMatchObject([
      { listenPort: 6433, group: { id: before!.group.id, pool: { initQuery: 'SET a=1' } } },
    ]);
    expect(proxies.databases.list().map(({ port }) => port)).toEqual([5433, 5432]);

    declare(proxies, { proxies: [], databases: [] });
    expect(proxies.listAll()).toEqual([]);
    expect(proxies.databases.list()).toEqual([]);
  });

  test('with their endpoints, which may go from one proxy to another', () => {
    const { store, proxies } = open();
    const reading: NewEndpoint = {
      name: 'reading',
      role: 'READ_ONLY',
      listenPort: 7,
      networkType: 'IPV4',
      subnetIds: [],
      securityGroupIds: [],
    };
    const file = (a: readonly NewEndpoint[], b: readonly NewEndpoint[]) => ({
      proxies: [declared('a', { endpoints: a }), declared('b', { endpoints: b })],
      databases: [database('db')],
    });
    const told = (): readonly string[] =>
      proxies
        .listEndpoints()
        .map(({ name, listenPort, proxyId }) => `${name} ${listenPort} ${proxyId}`);
    declare(proxies, file([], [reading]));
    expect(told()).toEqual(['reading 7 prx-b']);
    let writes = 0;
    store.onWrite(() => (writes += 1));
    declare(proxies, file([], [reading]));
    expect(writes).toBe(0);
    declare(proxies, file([reading], []));
    expect(told()).toEqual(['reading 7 prx-a']);
    declare(proxies, file([{ ...reading, listenPort: 8 }], []));
    expect(told()).toEqual(['reading 8 prx-a']);
    const made = proxies.create(proxy('made'));
    proxies.createEndpoint(made, { ...reading, name: 'other' });
    expect(() => declare(proxies, file([{ ...reading, name: 'Other' }], []))).toThrow(
      DeclarationConflict,
    );
    expect(() => declare(proxies, file([reading], [reading]))).toThrow(DeclarationConflict);
    expect(told()).toHaveLength(2);
  });

  test('leaves alone what the API has made', () => {
    const { proxies } = open();
    const made = proxies.create(proxy('api'));
    registerDatabase(proxies, database('api-db'), 'api');
    declare(proxies, { proxies: [declared('orders')], databases: [database('db')] });
    declare(proxies, { proxies: [], databases: [] });
    expect(proxies.list()).toEqual([made]);
    expect(proxies.databases.list().map(({ identifier }) => identifier)).toEqual(['api-db']);
  });

  test('takes over a database, and proxies of the API lead to it until it is gone', () => {
    const { proxies } = open();
    registerDatabase(proxies, database('db'), 'api');
    const target = { kind: 'instance', identifier: 'db' } as const;
    proxies.create(proxy('api', { target }));
    declare(proxies, { proxies: [], databases: [database('DB')] });
    expect(proxies.databases.list()).toMatchObject([{ origin: 'declared', identifier: 'db' }]);
    declare(proxies, { proxies: [], databases: [] });
    expect(proxies.list()[0]?.group.target).toBeUndefined();
  });

  test('changes nothing where it names a proxy of the API', () => {
    const { proxies } = open();
    proxies.create(proxy('orders'));
    expect(() => {
      declare(proxies, { proxies: [declared('Orders')], databases: [database('db')] });
    }).toThrow(DeclarationConflict);
    expect(() => {
      declare(proxies, { proxies: [declared('a'), declared('A', { id: 'prx-2' })], databases: [] });
    }).toThrow('differ in case only');
    expect(proxies.databases.list()).toEqual([]);
  });

  test('may give a name to another proxy', () => {
    const { proxies } = open();
    declare(proxies, { proxies: [declared('a'), declared('b')], databases: [] });
    declare(proxies, { proxies: [declared('b', { id: 'prx-new' })], databases: [] });
    expect(proxies.list().map(({ id }) => id)).toEqual(['prx-new']);
  });
});
