import { resolve } from 'node:path';
import { must } from '../../base/assert.ts';
import { proxyId } from '../../iam/proxy-id.ts';
import type { DeclaredSecret } from '../../secrets/declared.ts';
import type { EngineDefaults } from './engines.ts';
import { engines } from './engines.ts';
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
    databases: input.databases.map((database) => databaseSettings(database, from.directory)),
    proxies: input.proxies.map((proxy) => {
      const target = input.databases.find(({ identifier }) => identifier === proxy.target);
      const { engine } = must(target, 'a proxy without its target');
      const id = proxyId(input.account, input.region, proxy.name);
      return proxySettings(proxy, id, engines[engine], from.directory);
    }),
    admin: {
      listen: input.admin.listen,
      tls: input.admin.tls && certificateFiles(input.admin.tls, from.directory),
    },
    api: input.api,
    log: input.log,
    drainTimeoutMs: ms(input.drainTimeout),
    workers: input.workers,
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

function principal(input: SettingsInput['principals'][number]): PrincipalSettings {
  const { accessKeyId, secretAccessKey, sessionToken, policy } = input;
  const token = sessionToken === undefined ? {} : { sessionToken };
  return { accessKeyId, secretAccessKey, policy, ...token };
}

export function databaseSettings(input: DatabaseInput, directory: string): DatabaseSettings {
  const path = (file: string | undefined) =>
    file === undefined ? undefined : resolve(directory, file);
  const byDefault = engines[input.engine];
  return {
    identifier: input.identifier,
    engine: input.engine,
    engineFamily: byDefault.family,
    host: input.host,
    port: input.port ?? byDefault.port,
    tlsMode: input.tls,
    tlsCa: undefined,
    tlsCaFile: path(input.tlsCaFile),
    tlsCertFile: path(input.tlsCertFile),
    tlsKeyFile: path(input.tlsKeyFile),
    tlsServerName: input.tlsServerName ?? input.host,
    channelBinding: input.channelBinding ?? 'prefer',
    allowCleartextPassword: input.allowCleartextPassword,
    maxConnections: input.maxConnections,
    database: input.database ?? byDefault.database,
  };
}

export function proxySettings(
  input: ProxyInput,
  id: string,
  byDefault: EngineDefaults,
  directory: string,
): ProxySettings {
  const { pool, tls } = input;
  const max = pool.maxConnectionsPercent;
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
    target: input.target,
    debugLogging: input.debugLogging,
    maxClientConnections: input.maxClientConnections,
    idleClientTimeoutMs: ms(input.idleClientTimeout),
    clientLoginTimeoutMs: ms(input.clientLoginTimeout),
    clientSendTimeoutMs: ms(input.clientSendTimeout),
    applicationNameAddHost: input.applicationNameAddHost,
    pool: {
      maxConnectionsPercent: max,
      maxIdleConnectionsPercent: pool.maxIdleConnectionsPercent ?? Math.floor(max / 2),
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
