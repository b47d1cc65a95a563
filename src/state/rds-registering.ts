import type { ProxyStore } from './proxies.ts';
import type { Database, DatabaseOrigin, StoredDatabase, StoredProxy, Target } from './rds-types.ts';

/** Adds a database, or replaces what is known of it; proxies that lead to it, or to its cluster, follow. */
export function registerDatabase(
  proxies: ProxyStore,
  database: Database,
  origin: DatabaseOrigin,
): void {
  proxies.write(() => {
    const before = proxies.databases.find(database.identifier);
    const led = leadingTo(proxies, before);
    proxies.databases.put(database, origin, proxies.nowMs());
    const now = proxies.databases.find(database.identifier);
    if (before?.cluster !== undefined && !isSame(before.cluster, now?.cluster)) {
      for (const proxy of led) tellOfRemoval(proxies, proxy, before);
      dropEmptyCluster(proxies, before.cluster);
    }
    for (const proxy of new Set([...led, ...leadingTo(proxies, now)])) proxies.touch(proxy.id);
    if (now?.cluster !== undefined && !isSame(before?.cluster, now.cluster))
      for (const proxy of leadingToCluster(proxies, now.cluster)) {
        const message = `RDS detected the addition of the DB instance and automatically added it to the target group of the DB proxy ${proxy.name}.`;
        proxies.record(proxy, '0213', 'configuration change', message);
      }
  });
}

/** Removes a database; proxies that led to it lose their target, and those that lead to its cluster a member of it. */
export function deregisterDatabase(proxies: ProxyStore, database: StoredDatabase): void {
  proxies.write(() => {
    const led = leadingTo(proxies, database);
    proxies.databases.remove(database.identifier);
    proxies.tags.removeAll(proxies.arn('database', database.identifier));
    for (const proxy of led) {
      tellOfRemoval(proxies, proxy, database);
      if (proxy.group.target?.kind === 'instance') proxies.setTarget(proxy.id, undefined);
      else proxies.touch(proxy.id);
    }
    if (database.cluster !== undefined) dropEmptyCluster(proxies, database.cluster);
  });
}

/** A cluster without members is gone. */
function dropEmptyCluster(proxies: ProxyStore, cluster: string): void {
  if (proxies.databases.findCluster(cluster) !== undefined) return;
  proxies.tags.removeAll(proxies.arn('cluster', cluster));
  for (const proxy of leadingToCluster(proxies, cluster)) {
    const message = `RDS detected deletion of DB cluster ${cluster} and automatically removed it from target group default of DB proxy ${proxy.name}.`;
    proxies.record(proxy, '0215', 'configuration change', message);
    proxies.setTarget(proxy.id, undefined);
  }
}

function tellOfRemoval(proxies: ProxyStore, proxy: StoredProxy, { identifier }: Database): void {
  const message = `RDS detected deletion of DB instance ${identifier} and automatically removed it from target group default of DB proxy ${proxy.name}.`;
  proxies.record(proxy, '0214', 'configuration change', message);
}

function leadingTo(
  proxies: ProxyStore,
  database: StoredDatabase | undefined,
): readonly StoredProxy[] {
  if (database === undefined) return [];
  const { identifier, cluster } = database;
  return proxies
    .listAll()
    .filter(({ group: { target } }) =>
      target?.kind === 'cluster'
        ? isSame(target.identifier, cluster)
        : isSame(target?.identifier, identifier),
    );
}

/** The proxies that lead to this cluster. */
export function leadingToCluster(proxies: ProxyStore, cluster: string): readonly StoredProxy[] {
  return proxies
    .listAll()
    .filter((proxy) => leadsTo(proxy, { kind: 'cluster', identifier: cluster }));
}

/** The proxies that lead to this database itself, not to its cluster. */
export function leadingToInstance(proxies: ProxyStore, database: string): readonly StoredProxy[] {
  return proxies
    .listAll()
    .filter((proxy) => leadsTo(proxy, { kind: 'instance', identifier: database }));
}

/** Whether this is the proxy's target. */
export function leadsTo({ group }: StoredProxy, { kind, identifier }: Target): boolean {
  return group.target?.kind === kind && isSame(group.target.identifier, identifier);
}

/** Identifiers are compared without regard to case; none is the same as none. */
export function isSame(one: string | undefined, other: string | undefined): boolean {
  return one !== undefined && other !== undefined && one.toLowerCase() === other.toLowerCase();
}
