import { withSqlServer } from '../../../support/sqlserver.ts';
import type { Driver } from '../../clients/driver.ts';
import { CONNECTIONS, describeDriversOf } from '../../clients/driver.ts';
import { openSqlServerStage } from '../stage.ts';

const server = await withSqlServer();

/** As `describeDriversOf`, for those of SQL Server. Scripts find the database by `DB_HOST`, `DB_PORT` and so on. */
export function describeSqlServerDrivers(drivers: readonly Driver[]): void {
  const title = server.abilities.product;
  const open = async () => (await openSqlServerStage({ connections: CONNECTIONS })).stage;
  describeDriversOf(
    {
      family: 'SQL Server',
      servers: [{ title, open }],
      tls: (mode) => ({ DB_TLS: mode }),
      directly: () => ({
        DB_HOST: server.host,
        DB_PORT: String(server.port),
        DB_TLS: server.tls ? 'trust' : 'disable',
      }),
    },
    drivers,
  );
}
