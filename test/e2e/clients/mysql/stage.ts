import type { MysqlRelease } from '../../../../src/cli/embedded-mysql-install.ts';
import { mysqlSettingsFor, withMysql } from '../../../support/mysql.ts';
import { passwordOf } from '../../../support/sluice.ts';
import type { Environment, StageOptions } from '../stage.ts';
import { proxyTls, Stage } from '../stage.ts';

export type MysqlStageOptions = Omit<StageOptions, 'version'>;

/**
 * A real server of this release and Sluice in front of it. The user `app` may do everything in the database `app`, and in those
 * whose names begin with `tenant_`, which it may make.
 */
export async function openMysqlStage(
  release: MysqlRelease,
  { connections = 3, proxy = {}, database = {}, rest = {}, certificate }: MysqlStageOptions = {},
): Promise<Stage> {
  const server = await withMysql(release);
  await server.query("GRANT ALL ON `tenant\\_%`.* TO 'app'@'%'");
  const settings = mysqlSettingsFor(server, {
    // One more than clients get: the proxy watches the database on a connection of its own.
    database: { maxConnections: connections + 1, ...database },
    proxy: { tls: proxyTls, pool: { connectionBorrowTimeout: 20 }, ...proxy },
    admin: { listen: '127.0.0.1:0' },
    ...rest,
  });
  const flavour = server.isMariadb ? 'mariadb' : 'mysql';
  return await Stage.before(server, settings, (stage) => environment(stage, flavour), certificate);
}

/** For scripts of ours: there is nothing that clients of these databases have agreed on. */
function environment({ port, caFile }: Stage, flavour: string): Environment {
  return {
    DB_FLAVOUR: flavour,
    DB_HOST: '127.0.0.1',
    DB_PORT: String(port),
    DB_USER: 'app',
    DB_PASSWORD: passwordOf('app'),
    DB_NAME: 'app',
    DB_TLS: 'disable',
    DB_CA: caFile,
  };
}
