import type { EngineFamily } from '../../core/engine.ts';
import type { ClientPasswordAuthType, DatabaseInput } from './schema.ts';

/** What follows from the kind of a database where the settings do not say otherwise. */
export interface EngineDefaults {
  /** The protocol that it speaks. */
  readonly family: EngineFamily;
  readonly port: number;
  /** What the proxy connects to in order to watch the server; undefined where that takes no database. */
  readonly database: string | undefined;
  readonly clientPasswordAuthType: ClientPasswordAuthType;
}

export const engines: Readonly<Record<DatabaseInput['engine'], EngineDefaults>> = {
  postgres: {
    family: 'POSTGRESQL',
    port: 5432,
    database: 'postgres',
    clientPasswordAuthType: 'POSTGRES_SCRAM_SHA_256',
  },
  mysql: {
    family: 'MYSQL',
    port: 3306,
    database: undefined,
    clientPasswordAuthType: 'MYSQL_CACHING_SHA2_PASSWORD',
  },
  // Its clients know the other one only lately.
  mariadb: {
    family: 'MYSQL',
    port: 3306,
    database: undefined,
    clientPasswordAuthType: 'MYSQL_NATIVE_PASSWORD',
  },
  sqlserver: {
    family: 'SQLSERVER',
    port: 1433,
    database: 'master',
    clientPasswordAuthType: 'SQL_SERVER_AUTHENTICATION',
  },
};

/** How clients of each protocol can prove that they know a password. */
export const passwordAuthTypes = {
  POSTGRESQL: ['POSTGRES_SCRAM_SHA_256', 'POSTGRES_MD5'],
  MYSQL: ['MYSQL_CACHING_SHA2_PASSWORD', 'MYSQL_NATIVE_PASSWORD', 'MARIADB_ED25519'],
  SQLSERVER: ['SQL_SERVER_AUTHENTICATION'],
} as const satisfies Record<EngineFamily, readonly ClientPasswordAuthType[]>;
