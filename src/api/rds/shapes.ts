import type { Output } from '../service.ts';
import { members } from '../fields.ts';
import type { DataPlane, Health } from '../../state/rds-data-plane.ts';
import { hasReached } from '../../state/rds-data-plane.ts';
import type {
  AuthEntry,
  ClientPasswordAuthType,
  DatabaseEngine,
  StoredDatabase,
  StoredEndpoint,
  StoredProxy,
} from '../../state/rds-types.ts';
import type { RdsParts } from './parts.ts';

// How proxies, target groups, endpoints and targets are told.

/** There is no VPC here; tools want to read the id of one. */
const VPC_ID = 'vpc-00000000000000000';

/**
 * What a proxy or an endpoint is told as: AWS's words. `reactivating` is one that was available and does not listen now;
 * `incompatible-network` one that cannot, where its targets' health says why.
 */
export type ToldStatus =
  | 'available'
  | 'creating'
  | 'modifying'
  | 'deleting'
  | 'reactivating'
  | 'incompatible-network';

export function statusOf({ id, phase, modifiedIn }: StoredProxy, dataPlane: DataPlane): ToldStatus {
  if (phase === 'deleting') return 'deleting';
  const status = dataPlane.statusOf(id);
  if (status.trouble !== undefined) return 'incompatible-network';
  if (hasReached(status, modifiedIn)) return 'available';
  if (phase === 'creating') return 'creating';
  return status.listening ? 'modifying' : 'reactivating';
}

function endpointStatusOf(
  { proxyId, phase, changedIn }: StoredEndpoint,
  dataPlane: DataPlane,
): ToldStatus {
  if (phase === 'deleting') return 'deleting';
  if (hasReached(dataPlane.statusOf(proxyId), changedIn)) return 'available';
  return phase === 'creating' ? 'creating' : 'modifying';
}

/** @param status what it is told as; by default what it is */
export function proxyShape(
  parts: RdsParts,
  proxy: StoredProxy,
  status: ToldStatus = statusOf(proxy, parts.dataPlane),
): Output {
  const engine = engineOf(parts, proxy);
  return {
    DBProxyName: proxy.name,
    DBProxyArn: parts.proxies.arn('proxy', proxy.id),
    Status: status,
    EngineFamily: proxy.engineFamily,
    VpcId: VPC_ID,
    VpcSecurityGroupIds: members(proxy.securityGroupIds),
    VpcSubnetIds: members(proxy.subnetIds),
    DefaultAuthScheme: proxy.defaultAuthScheme,
    Auth: members(proxy.auth.map((entry) => authShape(proxy, entry, engine))),
    RoleArn: proxy.roleArn,
    Endpoint: parts.hostName(proxy.name, proxy.id),
    RequireTLS: proxy.requireTls,
    IdleClientTimeout: proxy.idleClientTimeoutS,
    DebugLogging: proxy.debugLogging,
    CreatedDate: new Date(proxy.createdMs),
    UpdatedDate: new Date(proxy.updatedMs),
    EndpointNetworkType: proxy.endpointNetworkType,
    TargetConnectionNetworkType: proxy.targetConnectionNetworkType,
  };
}

function authShape(
  proxy: StoredProxy,
  entry: AuthEntry,
  engine: DatabaseEngine | undefined,
): Output {
  return {
    Description: entry.description,
    AuthScheme: 'SECRETS',
    SecretArn: entry.secretArn,
    IAMAuth: entry.iamAuth,
    ClientPasswordAuthType: entry.clientPasswordAuthType ?? usualAuthType(proxy, engine),
  };
}

/** What clients of this proxy prove their passwords by if nobody has said: MariaDB's cannot do what MySQL's do. */
export function usualAuthType(
  { engineFamily }: StoredProxy,
  engine: DatabaseEngine | undefined,
): ClientPasswordAuthType {
  switch (engineFamily) {
    case 'POSTGRESQL':
      return 'POSTGRES_SCRAM_SHA_256';
    case 'SQLSERVER':
      return 'SQL_SERVER_AUTHENTICATION';
    case 'MYSQL':
      return engine === 'mariadb' ? 'MYSQL_NATIVE_PASSWORD' : 'MYSQL_CACHING_SHA2_PASSWORD';
  }
}

/** The engine of the proxy's target; undefined where it has none. */
function engineOf(
  { proxies }: RdsParts,
  { group: { target } }: StoredProxy,
): DatabaseEngine | undefined {
  if (target === undefined) return;
  return target.kind === 'cluster'
    ? proxies.databases.findCluster(target.identifier)?.engine
    : proxies.databases.find(target.identifier)?.engine;
}

export function groupShape({ proxies, dataPlane }: RdsParts, proxy: StoredProxy): Output {
  const { name, group } = proxy;
  const { pool } = group;
  return {
    DBProxyName: name,
    TargetGroupName: 'default',
    TargetGroupArn: proxies.arn('group', group.id),
    IsDefault: true,
    // It has no other ones: tools wait for it to become available again.
    Status: statusOf(proxy, dataPlane) === 'modifying' ? 'modifying' : 'available',
    ConnectionPoolConfig: {
      MaxConnectionsPercent: pool.maxConnectionsPercent,
      MaxIdleConnectionsPercent: pool.maxIdleConnectionsPercent,
      ConnectionBorrowTimeout: pool.connectionBorrowTimeoutS,
      SessionPinningFilters: members(pool.excludeVariableSets ? ['EXCLUDE_VARIABLE_SETS'] : []),
      InitQuery: pool.initQuery === '' ? undefined : pool.initQuery,
    },
    CreatedDate: new Date(group.createdMs),
    UpdatedDate: new Date(group.updatedMs),
  };
}

export function endpointShape(
  parts: RdsParts,
  endpoint: StoredEndpoint,
  status: ToldStatus = endpointStatusOf(endpoint, parts.dataPlane),
): Output {
  return {
    DBProxyEndpointName: endpoint.name,
    DBProxyEndpointArn: parts.proxies.arn('endpoint', endpoint.id),
    DBProxyName: parts.proxies.findById(endpoint.proxyId)?.name,
    Status: status,
    VpcId: VPC_ID,
    VpcSecurityGroupIds: members(endpoint.securityGroupIds),
    VpcSubnetIds: members(endpoint.subnetIds),
    Endpoint: parts.hostName(`${endpoint.name}.endpoint`, endpoint.proxyId),
    CreatedDate: new Date(endpoint.createdMs),
    TargetRole: endpoint.role,
    IsDefault: false,
    EndpointNetworkType: endpoint.networkType,
  };
}

/** What a target group's target comes to: an instance, or a cluster and behind it its members. */
export function targetShapes(
  parts: RdsParts,
  proxy: StoredProxy,
  healthOf = healthFrom(parts, proxy),
): readonly Output[] {
  const { target } = proxy.group;
  if (target === undefined) return [];
  const { databases } = parts.proxies;
  if (target.kind === 'instance') {
    const database = databases.find(target.identifier);
    return database === undefined ? [] : [memberShape(database, healthOf)];
  }
  const cluster = databases.findCluster(target.identifier);
  if (cluster === undefined) return [];
  const healths = cluster.members.map(healthOf);
  const health = healths.find(({ state }) => state === 'AVAILABLE') ?? healths[0];
  return [
    {
      RdsResourceId: cluster.identifier,
      Port: cluster.members[0]?.port,
      Type: 'TRACKED_CLUSTER',
      TargetHealth: health && healthShape(health),
    },
    ...cluster.members.map((member) => memberShape(member, healthOf)),
  ];
}

function healthFrom({ dataPlane }: RdsParts, { id }: StoredProxy) {
  return ({ identifier }: StoredDatabase): Health => dataPlane.healthOf(id, identifier);
}

function memberShape(
  database: StoredDatabase,
  healthOf: (database: StoredDatabase) => Health,
): Output {
  return {
    Endpoint: database.host,
    TrackedClusterId: database.cluster,
    RdsResourceId: database.identifier,
    Port: database.port,
    Type: 'RDS_INSTANCE',
    Role: database.role === 'writer' ? 'READ_WRITE' : 'READ_ONLY',
    TargetHealth: healthShape(healthOf(database)),
  };
}

const descriptions: Readonly<Record<string, string>> = {
  PENDING_PROXY_CAPACITY: 'DBProxy Target is waiting for proxy to scale to desired capacity',
  AUTH_FAILURE: 'Proxy does not have any registered credentials',
};

function healthShape({ state, reason, description }: Health): Output {
  // AWS says no more of one that is there; we do where something is amiss with it all the same.
  if (state === 'AVAILABLE') return { State: state, Description: description };
  return {
    State: state,
    Reason: reason,
    Description: description ?? (reason === undefined ? undefined : descriptions[reason]),
  };
}
