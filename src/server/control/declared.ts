import type { Declared } from '../../state/rds-declaring.ts';
import type { Database } from '../../state/rds-types.ts';
import type { DatabaseSettings, ProxySettings, Settings } from '../settings/settings.ts';

/** What the settings file declares, as the API tells of it. */
export function declaredIn(settings: Settings): Declared {
  return {
    databases: settings.databases.map(declaredDatabase),
    proxies: settings.proxies.map((proxy) => ({
      id: proxy.id,
      name: proxy.name,
      listenHost: proxy.listen.host,
      listenPort: proxy.listen.port,
      target:
        proxy.cluster === undefined
          ? { kind: 'instance', identifier: proxy.target }
          : { kind: 'cluster', identifier: proxy.cluster },
      endpoints: proxy.endpoints.map(({ name, role, listen }) => ({
        name,
        role,
        listenPort: listen.port,
        networkType: 'IPV4',
        subnetIds: [],
        securityGroupIds: [],
      })),
      settings: {
        engineFamily: proxy.engineFamily,
        roleArn: proxy.roleArn ?? '',
        auth: proxy.auth.map(({ secret, iamAuth, clientPasswordAuthType, description }) => ({
          secretArn: secretArn(secret, settings),
          iamAuth,
          clientPasswordAuthType,
          description,
        })),
        defaultAuthScheme: proxy.defaultAuthScheme,
        requireTls: proxy.requireTls,
        idleClientTimeoutS: seconds(proxy.idleClientTimeoutMs),
        debugLogging: proxy.debugLogging,
        subnetIds: [],
        securityGroupIds: [],
        endpointNetworkType: 'IPV4',
        targetConnectionNetworkType: 'IPV4',
      },
      pool: poolOf(proxy),
    })),
  };
}

function poolOf({ pool, relay, initQuery }: ProxySettings) {
  return {
    maxConnectionsPercent: pool.maxConnectionsPercent,
    maxIdleConnectionsPercent: pool.maxIdleConnectionsPercent,
    connectionBorrowTimeoutS: seconds(pool.borrowTimeoutMs),
    excludeVariableSets: relay.ignoreSetsForPinning,
    initQuery,
  };
}

function declaredDatabase(database: DatabaseSettings): Database {
  const { identifier, engine, host, port, cluster, role, tlsMode, resourceId } = database;
  return {
    identifier,
    engine,
    host,
    port,
    cluster,
    role,
    connection: { tlsMode },
    resourceId,
  };
}

/** A secret that the settings declare has no ARN of its own unless AWS has it: it is told as one without the random end. */
function secretArn(name: string, { region, account, awsSecrets }: Settings): string {
  const secret = awsSecrets.get(name) ?? name;
  return secret.startsWith('arn:')
    ? secret
    : `arn:aws:secretsmanager:${region}:${account}:secret:${secret}`;
}

function seconds(ms: number): number {
  return Math.round(ms / 1000);
}
