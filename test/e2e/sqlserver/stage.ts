import { sqlServerSettingsFor, withSqlServer } from '../../support/sqlserver.ts';
import type { GivenServer, SqlServerAtTests } from '../../support/sqlserver.ts';
import { proxyTls, Stage } from '../clients/stage.ts';
import type { Environment, StageOptions } from '../clients/stage.ts';

/** The tests' server and Sluice in front of it. */
export interface SqlServerStage {
  readonly stage: Stage;
  readonly server: SqlServerAtTests;
  /** As the server, for those who come through Sluice. */
  readonly proxied: GivenServer;
}

export type SqlServerStageOptions = Omit<StageOptions, 'version'>;

/** The tests' server and Sluice in front of it, with few connections. */
export async function openSqlServerStage({
  connections = 2,
  proxy = {},
  database = {},
  rest = {},
  certificate,
}: SqlServerStageOptions = {}): Promise<SqlServerStage> {
  const server = await withSqlServer();
  const settings = sqlServerSettingsFor(server, {
    // One more than clients get: the proxy watches the database on a connection of its own.
    database: { maxConnections: connections + 1, ...database },
    proxy: {
      tls: proxyTls,
      pool: { connectionBorrowTimeout: 20, maxConnectionsPercent: 100 },
      ...proxy,
    },
    admin: { listen: '127.0.0.1:0' },
    ...rest,
  });
  const known = {
    ...{ host: server.host, port: server.port, certPem: server.own?.certificatePem },
    query: async (sql: string) =>
      (await server.query(sql)).map((row) => Object.fromEntries(row.entries())),
  };
  const stage = await Stage.before(known, settings, (one) => environment(one, server), certificate);
  const { user, password } = server;
  const proxied = { host: '127.0.0.1', port: stage.port, user, password, tls: false };
  return { stage, server, proxied: { ...proxied, database: server.database } };
}

/** For scripts of ours: there is nothing that clients of SQL Server have agreed on. */
function environment({ port, caFile }: Stage, server: SqlServerAtTests): Environment {
  return {
    DB_HOST: '127.0.0.1',
    DB_PORT: String(port),
    DB_USER: server.user,
    DB_PASSWORD: server.password,
    DB_NAME: server.database,
    DB_TLS: 'disable',
    DB_CA: caFile,
    DB_PRODUCT: server.abilities.product,
  };
}
