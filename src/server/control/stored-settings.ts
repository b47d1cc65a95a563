import type { StoredDatabase, StoredProxy } from '../../state/rds-types.ts';
import type { Data } from './data.ts';
import { databaseSettings, proxySettings } from '../settings/normalise.ts';
import { engines } from '../settings/engines.ts';
import { databaseSchema, proxySchema } from '../settings/schema.ts';
import type { DatabaseSettings, ProxySettings, Settings } from '../settings/settings.ts';

type RunnableEngine = keyof typeof engines;

/** The settings with what the API has made, which is held to the same schema as what the settings file declares. */
export function mergeStored(settings: Settings, { proxies }: Pick<Data, 'proxies'>): Settings {
  const stored = proxies.databases.list();
  const made = proxies.list().filter(({ origin }) => origin === 'api');
  const declared = new Set(settings.databases.map(({ identifier }) => identifier.toLowerCase()));
  const databases = [
    ...settings.databases,
    ...stored
      .filter(({ identifier }) => !declared.has(identifier.toLowerCase()))
      .flatMap((database) => storedDatabase(database, settings)),
  ];
  return {
    ...settings,
    databases,
    proxies: [
      ...settings.proxies,
      ...made.flatMap((proxy) => {
        const wanted = databaseOf(proxy, stored)?.identifier.toLowerCase();
        // A declared one may be written otherwise than when the API has made it.
        const database = databases.find(({ identifier }) => identifier.toLowerCase() === wanted);
        return database === undefined ? [] : [storedProxy(proxy, database, settings)];
      }),
    ],
  };
}

/** Of a cluster its writer. Undefined where the proxy has no target, or one that is gone. */
function databaseOf(
  { group: { target } }: StoredProxy,
  databases: readonly StoredDatabase[],
): StoredDatabase | undefined {
  if (target === undefined) return undefined;
  const wanted = target.identifier.toLowerCase();
  return databases.find(({ identifier, cluster, role }) =>
    target.kind === 'instance'
      ? identifier.toLowerCase() === wanted
      : cluster?.toLowerCase() === wanted && role === 'writer',
  );
}

function storedDatabase(database: StoredDatabase, settings: Settings): DatabaseSettings[] {
  const engine = runnable(database.engine);
  if (engine === undefined) return [];
  const { tlsMode, tlsCa, ...connection } = database.connection;
  const input = databaseSchema.parse({
    identifier: database.identifier,
    engine,
    host: database.host,
    port: database.port,
    tls: tlsMode,
    ...withoutUndefined(connection),
  });
  return [{ ...databaseSettings(input, settings.path), tlsCa }];
}

function storedProxy(
  proxy: StoredProxy,
  database: DatabaseSettings,
  settings: Settings,
): ProxySettings {
  const { pool } = proxy.group;
  const input = proxySchema.parse({
    name: proxy.name,
    engineFamily: proxy.engineFamily,
    listen: addressText(proxy.listenHost, proxy.listenPort),
    hostnames: hostNamesOf(proxy, settings),
    requireTls: proxy.requireTls,
    roleArn: proxy.roleArn,
    target: database.identifier,
    idleClientTimeout: proxy.idleClientTimeoutS,
    debugLogging: proxy.debugLogging,
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
  return { ...proxySettings(input, id, engines[database.engine], settings.path), revision };
}

function runnable(engine: StoredDatabase['engine']): RunnableEngine | undefined {
  return engine === 'sqlserver' ? undefined : engine;
}

function hostNamesOf({ name, id, endpoints }: StoredProxy, settings: Settings): readonly string[] {
  const endpointNames = endpoints
    .filter(({ role }) => role === 'READ_WRITE')
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
