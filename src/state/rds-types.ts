import { z } from 'zod';

// What the store keeps of proxies and databases. What has many members and is only ever read whole is JSON in one column,
// and held to its schema when it is read.

export const engineFamilies = ['MYSQL', 'POSTGRESQL', 'SQLSERVER'] as const;
export type EngineFamily = (typeof engineFamilies)[number];

export const databaseEngines = ['postgres', 'mysql', 'mariadb', 'sqlserver'] as const;
export type DatabaseEngine = (typeof databaseEngines)[number];

/** The family of proxies that a database of this engine can be a target of. */
export const familyOf: Readonly<Record<DatabaseEngine, EngineFamily>> = {
  postgres: 'POSTGRESQL',
  mysql: 'MYSQL',
  mariadb: 'MYSQL',
  sqlserver: 'SQLSERVER',
};

export const defaultPort: Readonly<Record<EngineFamily, number>> = {
  MYSQL: 3306,
  POSTGRESQL: 5432,
  SQLSERVER: 1433,
};

/** Which methods clients of a family can prove their password by. MARIADB_ED25519 is Sluice's own. */
export const clientPasswordAuthTypes = {
  MYSQL: ['MYSQL_CACHING_SHA2_PASSWORD', 'MYSQL_NATIVE_PASSWORD', 'MARIADB_ED25519'],
  POSTGRESQL: ['POSTGRES_SCRAM_SHA_256', 'POSTGRES_MD5'],
  SQLSERVER: ['SQL_SERVER_AUTHENTICATION'],
} as const;

export const clientPasswordAuthType = z.enum([
  ...clientPasswordAuthTypes.MYSQL,
  ...clientPasswordAuthTypes.POSTGRESQL,
  ...clientPasswordAuthTypes.SQLSERVER,
]);
export type ClientPasswordAuthType = z.output<typeof clientPasswordAuthType>;

export const iamAuthModes = ['DISABLED', 'REQUIRED', 'ENABLED'] as const;
export const defaultAuthSchemes = ['NONE', 'IAM_AUTH'] as const;
export const endpointNetworkTypes = ['IPV4', 'IPV6', 'DUAL'] as const;
export const targetNetworkTypes = ['IPV4', 'IPV6'] as const;
export const endpointRoles = ['READ_WRITE', 'READ_ONLY'] as const;
export const tlsModes = ['disable', 'prefer', 'require', 'verify-ca', 'verify-full'] as const;

export const authEntrySchema = z.object({
  secretArn: z.string(),
  iamAuth: z.enum(iamAuthModes),
  /** Undefined: what the target's engine is used to. */
  clientPasswordAuthType: clientPasswordAuthType.optional(),
  description: z.string().optional(),
});
export type AuthEntry = Readonly<z.output<typeof authEntrySchema>>;

export const proxySettingsSchema = z.object({
  engineFamily: z.enum(engineFamilies),
  /** Empty where the settings file declares none. */
  roleArn: z.string(),
  auth: z.array(authEntrySchema),
  defaultAuthScheme: z.enum(defaultAuthSchemes),
  requireTls: z.boolean(),
  idleClientTimeoutS: z.number(),
  debugLogging: z.boolean(),
  /** Since when it is on, in milliseconds since 1970. */
  debugLoggingSinceMs: z.number().optional(),
  /** Told back, and otherwise without effect, like all that is of a VPC. */
  subnetIds: z.array(z.string()),
  securityGroupIds: z.array(z.string()),
  endpointNetworkType: z.enum(endpointNetworkTypes),
  targetConnectionNetworkType: z.enum(targetNetworkTypes),
});
export type ProxySettings = Readonly<z.output<typeof proxySettingsSchema>>;

/** What has been given; `poolOf` fills in the rest. */
export const poolSchema = z.object({
  maxConnectionsPercent: z.number().optional(),
  maxIdleConnectionsPercent: z.number().optional(),
  /** Seconds. */
  connectionBorrowTimeoutS: z.number().optional(),
  excludeVariableSets: z.boolean().optional(),
  /** Empty for none. */
  initQuery: z.string().optional(),
});
export type GivenPool = Readonly<z.output<typeof poolSchema>>;
export type Pool = { readonly [Name in keyof GivenPool]-?: Exclude<GivenPool[Name], undefined> };

export const endpointSettingsSchema = z.object({
  role: z.enum(endpointRoles),
  subnetIds: z.array(z.string()),
  securityGroupIds: z.array(z.string()),
  networkType: z.enum(endpointNetworkTypes),
});
export type EndpointSettings = Readonly<z.output<typeof endpointSettingsSchema>>;

/** How a database is connected to. Paths are for declared databases only: who may call the API may not read files by it. */
export const databaseConnectionSchema = z.object({
  tlsMode: z.enum(tlsModes),
  tlsServerName: z.string().optional(),
  /** PEM certificates to trust instead of the system's. */
  tlsCa: z.string().optional(),
  tlsCaFile: z.string().optional(),
  tlsCertFile: z.string().optional(),
  tlsKeyFile: z.string().optional(),
  channelBinding: z.enum(['disable', 'prefer', 'require']).optional(),
  allowCleartextPassword: z.boolean().optional(),
  /** Instead of what the database says that it grants. */
  maxConnections: z.number().optional(),
  /** The database that the proxy itself connects to in order to watch the server. */
  database: z.string().optional(),
});
export type DatabaseConnection = Readonly<z.output<typeof databaseConnectionSchema>>;

/** Who has made it: the API, or the settings file, which alone can change it. */
export type Origin = 'api' | 'declared';

/** A database may also be AWS's, which is asked about it from time to time. */
export type DatabaseOrigin = Origin | 'aws';

/** Whether the data plane has run it yet, and whether it shall end. */
export type Phase = 'creating' | 'live' | 'deleting';

/** What the proxy's one target group leads to. */
export interface Target {
  readonly kind: 'instance' | 'cluster';
  readonly identifier: string;
}

export interface TargetGroup {
  /** `prx-tg-…` */
  readonly id: string;
  readonly given: GivenPool;
  readonly pool: Pool;
  readonly target: Target | undefined;
  readonly createdMs: number;
  readonly updatedMs: number;
}

export interface StoredEndpoint extends EndpointSettings {
  /** `prx-endpoint-…` */
  readonly id: string;
  readonly name: string;
  /** The proxy's `id`. */
  readonly proxyId: string;
  /** Undefined: it shares the proxy's, since it leads where the proxy's own endpoint leads. */
  readonly listenPort: number | undefined;
  readonly phase: Phase;
  /** The proxy's revision since which this endpoint is as it is. */
  readonly changedIn: number;
  readonly createdMs: number;
}

export interface StoredProxy extends ProxySettings {
  /** `prx-…`; policies name it, and it survives renames. */
  readonly id: string;
  readonly name: string;
  readonly listenHost: string;
  /** 0 where the system chooses. */
  readonly listenPort: number;
  readonly phase: Phase;
  /** Grows with every change to the proxy, its target group, its target or its endpoints. */
  readonly revision: number;
  /** The revision of the latest change that makes the proxy `modifying`. */
  readonly modifiedIn: number;
  readonly origin: Origin;
  readonly createdMs: number;
  readonly updatedMs: number;
  readonly group: TargetGroup;
  /** By name. */
  readonly endpoints: readonly StoredEndpoint[];
}

export interface Database {
  readonly identifier: string;
  readonly engine: DatabaseEngine;
  readonly host: string;
  readonly port: number;
  /** The cluster that it is a member of. */
  readonly cluster: string | undefined;
  readonly role: 'writer' | 'reader';
  readonly connection: DatabaseConnection;
  /** `db-…`; made from the identifier where it is not given. */
  readonly resourceId?: string | undefined;
  /** `cluster-…`, likewise. */
  readonly clusterResourceId?: string | undefined;
}

/** One database server: what AWS calls a DB instance. */
export interface StoredDatabase extends Database {
  /** `db-…`; it follows from the identifier, so that a policy still fits after the database was registered anew. */
  readonly resourceId: string;
  /** Such as `available`. */
  readonly status: string;
  readonly origin: DatabaseOrigin;
  readonly createdMs: number;
}

export interface StoredCluster {
  readonly identifier: string;
  readonly engine: DatabaseEngine;
  /** `cluster-…` */
  readonly resourceId: string;
  readonly createdMs: number;
  /** The writer first, then by identifier. */
  readonly members: readonly StoredDatabase[];
}

/** The pool settings with AWS's defaults for what is not given. SQL Server grants more connections than it can bear. */
export function poolOf(family: EngineFamily, given: GivenPool): Pool {
  const max = given.maxConnectionsPercent ?? (family === 'SQLSERVER' ? 10 : 100);
  return {
    maxConnectionsPercent: max,
    maxIdleConnectionsPercent: given.maxIdleConnectionsPercent ?? Math.floor(max / 2),
    connectionBorrowTimeoutS: given.connectionBorrowTimeoutS ?? 120,
    excludeVariableSets: given.excludeVariableSets ?? false,
    initQuery: given.initQuery ?? '',
  };
}
