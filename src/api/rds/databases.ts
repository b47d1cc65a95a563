import { z } from 'zod';
import { memberList } from '../fields.ts';
import type { Operation, Output } from '../service.ts';
import { operation } from '../service.ts';
import { readArn } from '../../state/rds-names.ts';
import { isSame } from '../../state/rds-registering.ts';
import type { StoredCluster, StoredDatabase } from '../../state/rds-types.ts';
import { clusterNotFound, complain, instanceNotFound, invalidValue } from './faults.ts';
import { reference } from './inputs.ts';
import { pageFields, pageOf } from './paging.ts';
import type { RdsParts } from './parts.ts';
import { authorize } from './parts.ts';
import { tagList } from './tags.ts';

const filters = memberList(
  z.object({ Name: z.string(), Values: memberList(z.string(), { name: 'Value' }).unwrap() }),
  { name: 'Filter', most: 100 },
);
type Filters = z.output<typeof filters>;

/** DescribeDBInstances and DescribeDBClusters, with as much as is known of databases that somebody else runs. */
export function databaseOperations(parts: RdsParts): Readonly<Record<string, Operation>> {
  const { databases } = parts.proxies;
  return {
    DescribeDBInstances: operation(
      z.object({ DBInstanceIdentifier: reference.optional(), Filters: filters, ...pageFields }),
      (input, call) => {
        const name = nameOf(parts, 'database', input.DBInstanceIdentifier);
        const one = name === undefined ? undefined : databases.find(name);
        authorize(parts, call, 'DescribeDBInstances', 'database', one?.identifier);
        if (name !== undefined && one === undefined) throw instanceNotFound(name);
        mustKnow(INSTANCE_FILTERS, input.Filters);
        const found = (one === undefined ? databases.list() : [one]).filter((database) =>
          fits(input.Filters, instanceValues(parts, database)),
        );
        const { items, marker } = pageOf(found, ({ identifier }) => identifier, input);
        return {
          DBInstances: { DBInstance: items.map((database) => instanceShape(parts, database)) },
          Marker: marker,
        };
      },
      complain,
    ),

    DescribeDBClusters: operation(
      z.object({ DBClusterIdentifier: reference.optional(), Filters: filters, ...pageFields }),
      (input, call) => {
        const name = nameOf(parts, 'cluster', input.DBClusterIdentifier);
        const one = name === undefined ? undefined : databases.findCluster(name);
        authorize(parts, call, 'DescribeDBClusters', 'cluster', one?.identifier);
        if (name !== undefined && one === undefined) throw clusterNotFound(name);
        mustKnow(CLUSTER_FILTERS, input.Filters);
        const found = (one === undefined ? databases.clusters() : [one]).filter((cluster) =>
          fits(input.Filters, clusterValues(parts, cluster)),
        );
        const { items, marker } = pageOf(found, ({ identifier }) => identifier, input);
        return {
          DBClusters: { DBCluster: items.map((cluster) => clusterShape(parts, cluster)) },
          Marker: marker,
        };
      },
      complain,
    ),
  };
}

/** Databases may be called by their ARNs, too. */
function nameOf(parts: RdsParts, kind: 'database' | 'cluster', given: string | undefined) {
  const read = given === undefined ? undefined : readArn(parts.proxies.place, given);
  return read?.kind === kind ? read.key : given;
}

const INSTANCE_FILTERS = ['db-instance-id', 'db-cluster-id', 'dbi-resource-id', 'engine'];
const CLUSTER_FILTERS = ['db-cluster-id', 'db-cluster-resource-id', 'engine'];

function instanceValues(
  { proxies }: RdsParts,
  { identifier, cluster, resourceId, engine }: StoredDatabase,
): ReadonlyMap<string, readonly string[]> {
  return new Map([
    ['db-instance-id', [identifier, proxies.arn('database', identifier)]],
    ['db-cluster-id', cluster === undefined ? [] : [cluster, proxies.arn('cluster', cluster)]],
    ['dbi-resource-id', [resourceId]],
    ['engine', [engine]],
  ]);
}

function clusterValues(
  { proxies }: RdsParts,
  { identifier, resourceId, engine }: StoredCluster,
): ReadonlyMap<string, readonly string[]> {
  return new Map([
    ['db-cluster-id', [identifier, proxies.arn('cluster', identifier)]],
    ['db-cluster-resource-id', [resourceId]],
    ['engine', [engine]],
  ]);
}

/** Throws InvalidParameterValue. */
function mustKnow(known: readonly string[], filters: Filters): void {
  const stranger = filters?.find(({ Name: name }) => !known.includes(name));
  if (stranger !== undefined)
    throw invalidValue(
      `Unrecognized filter name: ${stranger.Name}. Known are ${known.join(', ')}.`,
    );
}

/** Filters must all fit; one fits that has one of the values. */
function fits(filters: Filters, values: ReadonlyMap<string, readonly string[]>): boolean {
  return (filters ?? []).every(({ Name: name, Values: wanted }) =>
    values.get(name)?.some((value) => wanted.some((one) => isSame(one, value))),
  );
}

export function instanceShape({ proxies }: RdsParts, database: StoredDatabase): Output {
  const arn = proxies.arn('database', database.identifier);
  return {
    DBInstanceIdentifier: database.identifier,
    Engine: database.engine,
    DBInstanceStatus: database.status,
    Endpoint: { Address: database.host, Port: database.port },
    InstanceCreateTime: new Date(database.createdMs),
    DBClusterIdentifier: database.cluster,
    DbiResourceId: database.resourceId,
    DBInstanceArn: arn,
    TagList: tagList(proxies.tags.of(arn)),
  };
}

function clusterShape({ proxies }: RdsParts, cluster: StoredCluster): Output {
  const arn = proxies.arn('cluster', cluster.identifier);
  const [first] = cluster.members;
  const writer = cluster.members.find(({ role }) => role === 'writer');
  return {
    DBClusterIdentifier: cluster.identifier,
    Engine: cluster.engine,
    Status: 'available',
    Endpoint: writer?.host,
    Port: first?.port,
    ClusterCreateTime: new Date(cluster.createdMs),
    DbClusterResourceId: cluster.resourceId,
    DBClusterArn: arn,
    DBClusterMembers: {
      DBClusterMember: cluster.members.map(({ identifier, role }) => ({
        DBInstanceIdentifier: identifier,
        IsClusterWriter: role === 'writer',
      })),
    },
    TagList: tagList(proxies.tags.of(arn)),
  };
}
