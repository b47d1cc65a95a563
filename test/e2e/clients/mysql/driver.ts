import type { MysqlRelease } from '../../../../src/cli/embedded-mysql-install.ts';
import { mysqlReleasesHere } from '../../../support/mysql.ts';
import type { Driver } from '../driver.ts';
import { CONNECTIONS, describeDriversOf } from '../driver.ts';
import { openMysqlStage } from './stage.ts';

const titles: Readonly<Record<MysqlRelease, string>> = {
  mysql: 'MySQL',
  'mariadb-11.8': 'MariaDB 11.8',
  'mariadb-10.11': 'MariaDB 10.11',
};

const here = await mysqlReleasesHere();

/** As `describeDriversOf`, for those of MySQL and MariaDB. Scripts find the database by `DB_HOST`, `DB_PORT` and so on. */
export function describeMysqlDrivers(drivers: readonly Driver[]): void {
  const servers = here.map((release) => ({
    title: titles[release],
    open: () => openMysqlStage(release, { connections: CONNECTIONS }),
  }));
  describeDriversOf(
    {
      family: 'MySQL and MariaDB',
      servers,
      tls: (mode) => ({ DB_TLS: mode }),
      directly: ({ server }) => ({ DB_HOST: server.host, DB_PORT: String(server.port) }),
    },
    drivers,
  );
}
