import { isDeepStrictEqual } from 'node:util';
import type { NewEndpoint, NewProxy, ProxyStore } from './proxies.ts';
import { deregisterDatabase, isSame, registerDatabase } from './rds-registering.ts';
import type { Database, StoredEndpoint, StoredProxy } from './rds-types.ts';
import { proxySettingsSchema } from './rds-types.ts';

export interface DeclaredProxy extends Omit<NewProxy, 'id' | 'origin'> {
  /** `prx-…`, as policies already name it. */
  readonly id: string;
  /** Beside the one that comes with the proxy. */
  readonly endpoints: readonly NewEndpoint[];
}

/** What the settings file says that there is. */
export interface Declared {
  readonly proxies: readonly DeclaredProxy[];
  readonly databases: readonly Database[];
}

/** The settings file names a proxy as another one is named already. */
export class DeclarationConflict extends Error {}

/**
 * Makes the declared proxies and databases what the settings file says: what it names is there afterwards, as it says, and what it
 * no longer names is gone. A database that the API has made is the file's from then on. What is as it was is not written. Throws
 * `DeclarationConflict`, and changes nothing, where a proxy of the API has the name of a declared one (it has another id, and
 * policies that name it would no longer fit), and where the names of two differ in case only.
 */
export function declare(proxies: ProxyStore, declared: Declared): void {
  const taken = declared.proxies.find(({ name }) => proxies.find(name)?.origin === 'api');
  if (taken !== undefined)
    throw new DeclarationConflict(
      `the proxy ${taken.name} was made by the API: delete it there, or give the one in the settings file another name`,
    );
  const names = Map.groupBy(declared.proxies, ({ name }) => name.toLowerCase());
  const alike = [...names.values()].find(({ length }) => length > 1);
  if (alike !== undefined)
    throw new DeclarationConflict(
      `the proxies ${alike.map(({ name }) => name).join(' and ')} have names that differ in case only: rename one`,
    );
  refuseTakenEndpoints(proxies, declared);
  const work = [
    ...removals(proxies, declared),
    ...declared.proxies.flatMap((proxy) => endpointRemovals(proxies, proxy)),
    ...declared.databases.flatMap((database) => databaseWork(proxies, database)),
    ...declared.proxies.flatMap((proxy) => proxyWork(proxies, proxy)),
    ...databaseRemovals(proxies, declared),
  ];
  if (work.length > 0)
    proxies.write(() => {
      for (const step of work) step();
    });
}

type Work = readonly (() => void)[];

function removals(proxies: ProxyStore, declared: Declared): Work {
  return proxies
    .listAll()
    .filter(
      ({ origin, id }) => origin === 'declared' && !declared.proxies.some((one) => one.id === id),
    )
    .map((proxy) => () => proxies.remove(proxy));
}

function databaseRemovals(proxies: ProxyStore, declared: Declared): Work {
  const isNamed = (identifier: string): boolean =>
    declared.databases.some((one) => isSame(one.identifier, identifier));
  return proxies.databases
    .list()
    .filter(({ origin, identifier }) => origin === 'declared' && !isNamed(identifier))
    .map((database) => () => deregisterDatabase(proxies, database));
}

function databaseWork(proxies: ProxyStore, database: Database): Work {
  const before = proxies.databases.find(database.identifier);
  const { engine, host, port, cluster, role, connection } = database;
  const isAsItWas =
    before?.origin === 'declared' &&
    [engine, host, port, role].join('\n') ===
      [before.engine, before.host, before.port, before.role].join('\n') &&
    cluster === before.cluster &&
    sameJson(connection, before.connection);
  return isAsItWas ? [] : [() => registerDatabase(proxies, database, 'declared')];
}

function proxyWork(proxies: ProxyStore, declared: DeclaredProxy): Work {
  const before = proxies.findById(declared.id);
  const missing = declared.endpoints
    .filter((one) => before?.endpoints.some((other) => isSameEndpoint(one, other)) !== true)
    .map((one) => () => addEndpoint(proxies, declared, one));
  if (before === undefined)
    return [() => proxies.create({ ...declared, origin: 'declared' }), ...missing];
  return [
    ...missing,
    ...(isAsDeclared(before, declared) ? [] : [() => modify(proxies, declared)]),
    ...(sameJson(before.group.given, declared.pool)
      ? []
      : [() => proxies.setPool(declared.id, declared.pool)]),
    ...(sameJson(before.group.target, declared.target)
      ? []
      : [() => proxies.setTarget(declared.id, declared.target)]),
  ];
}

/** Throws `DeclarationConflict`: endpoints of all proxies have names of their own. */
function refuseTakenEndpoints(proxies: ProxyStore, declared: Declared): void {
  const all = declared.proxies.flatMap(({ endpoints }) => endpoints.map(({ name }) => name));
  const taken = all.find((name) => {
    const other = proxies.findEndpoint(name);
    const owner = other && proxies.findById(other.proxyId);
    return owner?.origin === 'api' || all.filter((one) => isSame(one, name)).length > 1;
  });
  if (taken !== undefined)
    throw new DeclarationConflict(
      `another endpoint is called ${taken}, too: delete it where the API has made it, or give the one in the settings file another name`,
    );
}

/** One that leads elsewhere, or listens elsewhere, is another one. Names are free before they are given again. */
function endpointRemovals(proxies: ProxyStore, declared: DeclaredProxy): Work {
  const proxy = proxies.findById(declared.id);
  if (proxy === undefined) return [];
  return proxy.endpoints
    .filter((before) => !declared.endpoints.some((one) => isSameEndpoint(one, before)))
    .map((before) => () => proxies.removeEndpoint(before, proxy));
}

function addEndpoint(proxies: ProxyStore, { id }: DeclaredProxy, endpoint: NewEndpoint): void {
  const proxy = proxies.findById(id);
  if (proxy !== undefined) proxies.createEndpoint(proxy, endpoint);
}

function isSameEndpoint(one: NewEndpoint, other: StoredEndpoint): boolean {
  return one.name === other.name && one.role === other.role && one.listenPort === other.listenPort;
}

function isAsDeclared(before: StoredProxy, declared: DeclaredProxy): boolean {
  return (
    before.name === declared.name &&
    before.listenHost === declared.listenHost &&
    before.listenPort === declared.listenPort &&
    sameJson(proxySettingsSchema.parse(before), proxySettingsSchema.parse(declared.settings))
  );
}

function modify(proxies: ProxyStore, declared: DeclaredProxy): void {
  const { id, name, settings, listenHost: host, listenPort: port } = declared;
  proxies.modify(id, { name, settings, listen: { host, port } });
}

/** As they are when they have been written and read: members that are undefined are none, and order is nothing. */
function sameJson(one: unknown, other: unknown): boolean {
  return isDeepStrictEqual(written(one), written(other));
}

function written(value: unknown): unknown {
  return value === undefined ? undefined : JSON.parse(JSON.stringify(value));
}
