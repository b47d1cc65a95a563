import type { Problems } from './problems.ts';
import type { Parts } from './shape.ts';

/** Where a proxy may refer to the members of a cluster by its name, one of them must be the writer, and only one. */
export function checkClusters({ databases, names }: Parts, problems: Problems): void {
  const clusters = new Map<string, (typeof databases)[number]>();
  for (const { at, item } of databases) {
    const { memberOf, role } = item;
    if (memberOf === undefined) {
      if (role === 'reader')
        problems.add([...at, 'role'], 'a reader belongs to a cluster; give memberOf, too');
      continue;
    }
    if (names.databases.has(memberOf))
      problems.add(
        [...at, 'memberOf'],
        'a database has this identifier; call the cluster otherwise',
      );
    const first = clusters.get(memberOf);
    if (first === undefined) clusters.set(memberOf, { at, item });
    else if (first.item.engine !== item.engine)
      problems.add(
        [...at, 'engine'],
        `must be ${first.item.engine}, as of the other members of the cluster`,
      );
  }
  for (const [name, { at }] of clusters) {
    const writers = databases.filter(
      ({ item }) => item.memberOf === name && item.role === 'writer',
    );
    if (writers.length === 0)
      problems.add([...at, 'memberOf'], 'the cluster has no writer; one of its members must be it');
    for (const writer of writers.slice(1))
      problems.add([...writer.at, 'role'], 'the cluster has a writer already; give role: reader');
  }
}

/** Endpoints have names of their own, and those that lead to readers need some. */
export function checkEndpoints({ databases, proxies }: Parts, problems: Problems): void {
  const seen = new Set<string>();
  for (const { at, item } of proxies) {
    const hasReaders = databases.some(
      (one) => one.item.memberOf === item.target && one.item.role === 'reader',
    );
    item.endpoints.forEach(({ name, targetRole }, index) => {
      const path = [...at, 'endpoints', index];
      const id = name.toLowerCase();
      if (id === 'default')
        problems.add(
          [...path, 'name'],
          'is what the endpoint that comes with the proxy is called; give another name',
        );
      if (seen.has(id)) problems.add([...path, 'name'], 'is given twice; each needs its own');
      seen.add(id);
      if (targetRole === 'READ_ONLY' && !hasReaders)
        problems.add(
          [...path, 'targetRole'],
          'needs readers; give as target a cluster, and databases with memberOf and role: reader',
        );
    });
  }
}
