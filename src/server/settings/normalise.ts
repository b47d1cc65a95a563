import { resolve } from 'node:path';
import { must } from '../../base/assert.ts';
import type { AwsSettings } from '../../aws/client.ts';
import type { AwsTarget } from '../../aws/databases.ts';
import { proxyId } from '../../iam/proxy-id.ts';
import type { DeclaredSecret } from '../../secrets/declared.ts';
import { poolOf } from '../../state/rds-types.ts';
import { engines } from './engines.ts';
import type { AwsInput } from './aws-schema.ts';
import type { DatabaseInput, ProxyInput, SettingsInput } from './schema.ts';
import type {
  CertificateFiles,
  DatabaseSettings,
  PrincipalSettings,
  ProxySettings,
  Settings,
} from './settings.ts';

/** From what is written to what the program works with: milliseconds, absolute paths, defaults that follow from other keys. */
export function normalise(
  input: SettingsInput,
  from: {
    /** Absolute. */
    readonly path: string;
    readonly directory: string;
    readonly secrets: readonly DeclaredSecret[];
    readonly warnings: readonly string[];
  },
): Settings {
  return {
    path: from.path,
    region: input.region,
    account: input.account,
    principals: input.principals.map(principal),
    secrets: from.secrets,
    awsSecrets: new Map(
      input.secrets.flatMap(({ name, awsSecret }) =>
        awsSecret === undefined ? [] : [[name, awsSecret] as const],
      ),
    ),
    aws: input.aws && awsSettings(input.aws, input.region),
    databases: input.databases.map((database) => databaseSettings(database, from.directory)),
    proxies: input.proxies.map((proxy) => {
      const target = targetIn(input.databases, proxy.target);
      const id = proxyId(input.account, input.region, proxy.name);
      return proxySettings(proxy, id, must(target, 'a proxy without its target'), from.directory);
    }),
    admin: {
      listen: input.admin.listen,
      tls: input.admin.tls && certificateFiles(input.admin.tls, from.directory),
    },
    api: input.api,
    log: input.log,
    drainTimeoutMs: ms(input.drainTimeout),
    workers: input.workers,
    ioUring: input.ioUring,
    warnings: from.warnings,
  };
}

function certificateFiles(
  { certFile, keyFile }: CertificateFiles,
  directory: string,
): CertificateFiles {
  return { certFile: resolve(directory, certFile), keyFile: resolve(directory, keyFile) };
}

const ms = (seconds: number): number => seconds * 1000;

function awsSettings(input: AwsInput, region: string): AwsSettings {
  const { secretsManager, rds, sts } = input.endpoints;
  return {
    region: input.region ?? region,
    profile: input.profile,
    roleArn: input.roleArn,
    endpoints: { secretsManager, rds, sts },
    refreshMs: ms(input.refreshInterval),
    watchUser: input.watchUser,
  };
}

function awsTarget({ awsInstance, awsCluster }: DatabaseInput): AwsTarget | undefined {
  if (awsInstance !== undefined) return { kind: 'instance', identifier: awsInstance };
  return awsCluster === undefined ? undefined : { kind: 'cluster', identifier: awsCluster };
}

function principal(input: SettingsInput['principals'][number]): PrincipalSettings {
  const { accessKeyId, secretAccessKey, sessionToken, policy } = input;
  const token = sessionToken === undefined ? {} : { sessionToken };
  return { accessKeyId, secretAccessKey, policy, ...token };
}

export function databaseSettings(input: DatabaseInput, directory: string): DatabaseSettings {
  const path = (file: string | undefined) =>
    file === undefined ? undefined : resolve(directory, file);
  const byDefault = engines[input.engine];
  const aws = awsTarget(input);
  return {
    identifier: input.identifier,
    engine: input.engine,
    engineFamily: byDefault.family,
    cluster: input.memberOf,
    role: input.role,
    host: input.host ?? '',
    port: input.port ?? byDefault.port,
    tlsMode: input.tls,
    tlsFirst: input.tlsFirst,
    tlsCa: undefined,
    tlsCaFile: path(input.tlsCaFile),
    tlsCertFile: path(input.tlsCertFile),
    tlsKeyFile: path(input.tlsKeyFile),
    tlsServerName: input.tlsServerName ?? input.host ?? '',
    channelBinding: input.channelBinding ?? 'prefer',
    allowCleartextPassword: input.allowCleartextPassword,
    maxConnections: input.maxConnections,
    database: input.database ?? byDefault.database,
    ...(aws && { aws, trouble: 'AWS has not been asked yet where it is' }),
  };
}

/** What a proxy leads to: a database, or the members of a cluster. */
export interface TargetSettings {
  readonly writer: Pick<DatabaseInput, 'identifier' | 'engine'>;
  readonly cluster: string | undefined;
  readonly readers: readonly Pick<DatabaseInput, 'identifier'>[];
}

/** Undefined where there is no such database, and no cluster of the name that has a writer. */
export function targetIn(
  databases: readonly DatabaseInput[],
  target: string,
): TargetSettings | undefined {
  const one = databases.find(({ identifier }) => identifier === target);
  if (one !== undefined) return { writer: one, cluster: undefined, readers: [] };
  return clusterOf(
    databases.filter(({ memberOf }) => memberOf === target),
    target,
  );
}

/** Undefined where it has no writer. */
export function clusterOf(
  members: readonly Pick<DatabaseInput, 'identifier' | 'engine' | 'role'>[],
  cluster: string,
): TargetSettings | undefined {
  const writer = members.find(({ role }) => role === 'writer');
  const readers = members.filter(({ role }) => role === 'reader');
  return writer && { writer, cluster, readers };
}

export function proxySettings(
  input: ProxyInput,
  id: string,
  { writer, cluster, readers }: TargetSettings,
  directory: string,
): ProxySettings {
  const { pool, tls } = input;
  const byDefault = engines[writer.engine];
  const percents = poolOf(input.engineFamily, pool);
  return {
    name: input.name,
    id,
    revision: undefined,
    roleArn: input.roleArn,
    engineFamily: input.engineFamily,
    listen: input.listen,
    hostnames: input.hostnames ?? [input.listen.host],
    proxyProtocol: input.proxyProtocol,
    proxyProtocolNetworks: input.proxyProtocolNetworks,
    requireTls: input.requireTls,
    tls: tls && certificateFiles(tls, directory),
    auth: input.auth.map((entry) => ({
      ...entry,
      clientPasswordAuthType: entry.clientPasswordAuthType ?? byDefault.clientPasswordAuthType,
      description: entry.description,
    })),
    defaultAuthScheme: input.defaultAuthScheme,
    target: writer.identifier,
    cluster,
    readers: readers.map(({ identifier }) => identifier),
    endpoints: input.endpoints.map(({ name, targetRole, listen, hostnames = [listen.host] }) => ({
      id: name,
      name,
      role: targetRole,
      listen,
      hostnames,
    })),
    previousPasswordGraceMs: ms(input.previousPasswordGrace),
    debugLogging: input.debugLogging,
    maxClientConnections: input.maxClientConnections,
    idleClientTimeoutMs: ms(input.idleClientTimeout),
    clientLoginTimeoutMs: ms(input.clientLoginTimeout),
    clientSendTimeoutMs: ms(input.clientSendTimeout),
    applicationNameAddHost: input.applicationNameAddHost,
    pool: {
      maxConnectionsPercent: percents.maxConnectionsPercent,
      maxIdleConnectionsPercent: percents.maxIdleConnectionsPercent,
      borrowTimeoutMs: ms(pool.connectionBorrowTimeout),
      idleTimeoutMs: ms(input.serverIdleTimeout),
      lifetimeMs: ms(input.serverLifetime),
      pingIntervalMs: ms(input.serverPingInterval),
      connectTimeoutMs: ms(input.serverConnectTimeout),
      maxConnecting: input.maxConnecting,
    },
    initQuery: pool.initQuery,
    relay: {
      pinning: input.pinning,
      maxPreparedStatements: input.maxPreparedStatements,
      ignoreSetsForPinning: pool.sessionPinningFilters.length > 0,
    },
  };
}
