import { afterAll, beforeAll, describe, expect, test } from 'bun:test';
import type { EmbeddedMysql } from '../../../src/cli/embedded-mysql.ts';
import type { MysqlRelease } from '../../../src/cli/embedded-mysql-install.ts';
import {
  mysqlPrograms,
  mysqlReleasesHere,
  mysqlSettingsFor,
  withMysql,
} from '../../support/mysql.ts';
import type { Json } from '../../support/node-client.ts';
import { runInNode } from '../../support/node-client.ts';
import type { Sluice } from '../../support/sluice.ts';
import { passwordOf, startSluice } from '../../support/sluice.ts';

/** What both drivers are asked to do; each has its own way to tell a value. */
const work = `
  const told = {};
  told.result = (await value("SELECT REPEAT('abc', 1000000)")).length;
  told.parameter = (await valueOf('SELECT ?', ['x'.repeat(500000)])).length;
  told.huge = (await valueOf('SELECT ?', [Buffer.alloc(17 << 20)])).length;
  told.directly = await value("SHOW STATUS LIKE 'Compression'");
  const many = Array.from({ length: 50 }, (_, at) => value('SELECT ' + at));
  told.inOrder = (await Promise.all(many)).every((number, at) => Number(number) === at);
  told.problem = await value('SELECT nonsense').catch(({ errno }) => errno);
  if (args.changesUser) await connection.changeUser(args.other);
  told.user = await value('SELECT CURRENT_USER()');
  await connection.end();
  return told;
`;

const drivers = {
  mysql2: `
    const { default: mysql2 } = await import('mysql2/promise');
    const connection = await mysql2.createConnection({ ...args.login, compress: true });
    const first = ([rows]) => Object.values(rows[0]).at(-1);
    const value = async (sql) => first(await connection.query(sql));
    const valueOf = async (sql, values) => first(await connection.execute(sql, values));
  `,
  mariadb: `
    const mariadb = await import('mariadb');
    const options = { compress: true, allowPublicKeyRetrieval: true };
    const connection = await mariadb.createConnection({ ...args.login, ...options });
    const first = (rows) => Object.values(rows[0]).at(-1);
    const value = async (sql) => first(await connection.query(sql));
    const valueOf = async (sql, values) => first(await connection.execute(sql, values));
  `,
} as const;

const here = await mysqlReleasesHere();

describe.each([...here])('MY-13: in front of %s', (release) => {
  let server: EmbeddedMysql;
  let sluice: Sluice;
  beforeAll(async () => {
    server = await withMysql(release);
    sluice = await startSluice(mysqlSettingsFor(server, { admin: { listen: '127.0.0.1:0' } }));
  }, 120_000);
  afterAll(async () => {
    expect(sluice.logs('bug')).toEqual([]);
    await sluice.stop();
  });

  const bytesToClients = async (): Promise<number> =>
    [...(await sluice.metrics())]
      .filter(([name]) => name.startsWith('sluice_bytes_to_clients'))
      .reduce((sum, [, bytes]) => sum + bytes, 0);

  const login = (user: string) => ({
    ...{ host: '127.0.0.1', port: sluice.port, database: 'app' },
    ...{ user, password: passwordOf(user) },
  });

  test.each(['mysql2', 'mariadb'] as const)(
    'the driver %s, in the clear and by TLS, over COM_CHANGE_USER and packets of 17 MB (MY-01, MY-24)',
    async (driver) => {
      // The MariaDB connector does not change users on servers of MySQL's.
      const changesUser = driver === 'mysql2' || server.isMariadb;
      const { user, password, database } = login('reader');
      const other = { user, password, database };
      for (const ssl of [undefined, { rejectUnauthorized: false }]) {
        const before = await bytesToClients();
        const args: Json = { login: { ...login('app'), ssl }, other, changesUser };
        expect(await runInNode(drivers[driver] + work, args)).toEqual({
          result: 3_000_000,
          parameter: 500_000,
          huge: 17 << 20,
          directly: 'OFF',
          inOrder: true,
          problem: 1054,
          user: changesUser ? 'reader@%' : 'app@%',
        });
        expect((await bytesToClients()) - before).toBeLessThan(500_000);
      }
    },
    60_000,
  );

  const commandLines: readonly (readonly [release: MysqlRelease, options: string])[] = [
    ['mysql', '--compression-algorithms=zlib'],
    ['mysql', '--compression-algorithms=zstd'],
    ['mysql', '--compression-algorithms=zstd --zstd-compression-level=22'],
    ['mysql', '--compression-algorithms=zstd,zlib'],
    ['mariadb-11.8', '--compress'],
  ];

  test.each(commandLines.filter(([client]) => here.includes(client)))(
    "%s's command line with %s, which sends a file (MY-10)",
    async (program, options) => {
      const { isMariadb, client } = await mysqlPrograms(program);
      const before = await bytesToClients();
      const child = Bun.spawn(
        [
          ...client(isMariadb ? 'mariadb' : 'mysql'),
          ...['--host=127.0.0.1', `--port=${sluice.port}`, '--user=app'],
          ...[`--password=${passwordOf('app')}`, '--skip-column-names', '--local-infile'],
          ...(isMariadb ? ['--skip-ssl'] : ['--ssl-mode=DISABLED', '--get-server-public-key']),
          ...options.split(' '),
          `--execute=CREATE TEMPORARY TABLE words (word text);
            LOAD DATA LOCAL INFILE '${import.meta.path}' INTO TABLE words;
            SELECT COUNT(*) > 100 FROM words;
            SELECT REPEAT('x', 2000000);
            SELECT 'the end'`,
          'app',
        ],
        { stdout: 'pipe', stderr: 'pipe' },
      );
      const [said, problems] = await Promise.all([
        new Response(child.stdout).text(),
        new Response(child.stderr).text(),
      ]);
      expect(said.split('\n'), problems).toEqual(['1', 'x'.repeat(2_000_000), 'the end', '']);
      expect((await bytesToClients()) - before).toBeLessThan(100_000);
    },
    60_000,
  );
});
