import type { ProxyStore } from '../../state/proxies.ts';
import type { StoredDatabase, StoredProxy } from '../../state/rds-types.ts';
import { isSame } from '../../state/rds-registering.ts';
import type { Data } from './data.ts';
import { clusterOf, databaseSettings, proxySettings } from '../settings/normalise.ts';
import type { TargetSettings } from '../settings/normalise.ts';
import { databaseSchema, proxySchema } from '../settings/schema.ts';
import type { DatabaseSettings, ProxySettings, Settings } from '../settings/settings.ts';

/** The settings with what the API has made, which is held to the same schema as what the settings file declares. */
export function mergeStored(settings: Settings, { proxies }: Pick<Data, 'proxies'>): Settings {
  const stored = proxies.databases.list();
  const made = proxies.list().filter(({ origin }) => origin === 'api');
  const declared = new Set(settings.databases.map(({ identifier }) => identifier.toLowerCase()));
  const databases = [
    ...settings.databases,
    ...stored
      .filter(({ identifier }) => !declared.has(identifier.toLowerCase()))
      .map((database) => storedDatabase(database, settings, policyId(database, proxies))),
  ];
  return {
    ...settings,
    databases,
    proxies: [
      ...settings.proxies,
      ...made.flatMap((proxy) => {
        const target = targetOf(proxy, databases);
        return target === undefined ? [] : [storedProxy(proxy, target, settings)];
      }),
    ],
  };
}

/** Undefined where the proxy has no target, or one that is gone, or that has no writer. */
function targetOf(
  { group: { target } }: StoredProxy,
  databases: readonly DatabaseSettings[],
): TargetSettings | undefined {
  if (target === undefined) return undefined;
  // A declared one may be written otherwise than when the API has made it.
  if (target.kind === 'instance') {
    const writer = databases.find(({ identifier }) => isSame(identifier, target.identifier));
    return writer && { writer, cluster: undefined, readers: [] };
  }
  const members = databases.filter(({ cluster }) => isSame(cluster, target.identifier));
  return clusterOf(members, target.identifier);
}

/** What IAM policies name it by: a member of a cluster goes by that. */
function policyId(
  { cluster, resourceId }: StoredDatabase,
  { databases }: Pick<ProxyStore, 'databases'>,
): string {
  const found = cluster === undefined ? undefined : databases.findCluster(cluster);
  return found?.resourceId ?? resourceId;
}

function storedDatabase(
  database: StoredDatabase,
  settings: Settings,
  resourceId: string,
): DatabaseSettings {
  const { tlsMode, tlsCa, ...connection } = database.connection;
  const input = databaseSchema.parse({
    identifier: database.identifier,
    engine: database.engine,
    host: database.host,
    port: database.port,
    ...withoutUndefined({ memberOf: database.cluster }),
    role: database.role,
    tls: tlsMode,
    ...withoutUndefined(connection),
  });
  return { ...databaseSettings(input, settings.path), tlsCa, resourceId };
}

function storedProxy(
  proxy: StoredProxy,
  target: TargetSettings,
  settings: Settings,
): ProxySettings {
  const { pool } = proxy.group;
  const readers = proxy.endpoints.filter(({ listenPort }) => listenPort !== undefined);
  const input = proxySchema.parse({
    name: proxy.name,
    engineFamily: proxy.engineFamily,
    listen: addressText(proxy.listenHost, proxy.listenPort),
    hostnames: hostNamesOf(proxy, settings),
    requireTls: proxy.requireTls,
    roleArn: proxy.roleArn,
    target: target.writer.identifier,
    endpoints: readers.map(({ name, role, listenPort = 0 }) => ({
      name,
      targetRole: role,
      listen: addressText(proxy.listenHost, listenPort),
      hostnames: [hostName(settings, `${name}.endpoint`, proxy.id)],
    })),
    idleClientTimeout: proxy.idleClientTimeoutS,
    debugLogging: proxy.debugLogging,
    defaultAuthScheme: proxy.defaultAuthScheme,
    auth: proxy.auth.map(({ secretArn, ...entry }) => ({
      secret: secretArn,
      ...withoutUndefined(entry),
    })),
    pool: {
      maxConnectionsPercent: pool.maxConnectionsPercent,
      maxIdleConnectionsPercent: pool.maxIdleConnectionsPercent,
      connectionBorrowTimeout: pool.connectionBorrowTimeoutS,
      sessionPinningFilters: pool.excludeVariableSets ? ['EXCLUDE_VARIABLE_SETS'] : [],
      initQuery: pool.initQuery,
    },
  });
  const { id, revision } = proxy;
  const made = proxySettings(input, id, target, settings.path);
  // Names change: what runs is known by the id.
  const endpoints = made.endpoints.map(({ name, role, listen, hostnames }) => ({
    id: readers.find((endpoint) => endpoint.name === name)?.id ?? name,
    name,
    role,
    listen,
    hostnames,
  }));
  return { ...made, revision, endpoints };
}

function hostNamesOf({ name, id, endpoints }: StoredProxy, settings: Settings): readonly string[] {
  const endpointNames = endpoints
    .filter(({ listenPort }) => listenPort === undefined)
    .map((endpoint) => `${endpoint.name}.endpoint`);
  return [...new Set([name, ...endpointNames].map((one) => hostName(settings, one, id)))];
}

/** The name by which clients know a proxy that the API has made, or an endpoint of it: `name` is `<endpoint>.endpoint` then. */
export function hostName({ api }: Settings, name: string, id: string): string {
  return api.hostname.replaceAll('{name}', name).replaceAll('{id}', id);
}

function addressText(host: string, port: number): string {
  return host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`;
}

function withoutUndefined(object: Readonly<Record<string, unknown>>): Record<string, unknown> {
  return Object.fromEntries(Object.entries(object).filter(([, value]) => value !== undefined));
}
