import { SecretText } from '../../src/base/secret-text.ts';
import { cacheFolder, PackagesUnavailable } from '../../src/cli/debian-packages.ts';
import { installMysql } from '../../src/cli/embedded-mysql-install.ts';
import type { MysqlInstallation, MysqlRelease } from '../../src/cli/embedded-mysql-install.ts';
import { startEmbeddedMysql } from '../../src/cli/embedded-mysql.ts';
import type {
  EmbeddedMysql,
  EmbeddedMysqlOptions,
  MysqlUser,
} from '../../src/cli/embedded-mysql.ts';
import { passwordOf } from './sluice.ts';
import type { SettingsParts } from './sluice.ts';

export const mysqlReleases = [
  'mysql',
  'mariadb-11.8',
  'mariadb-10.11',
] as const satisfies readonly MysqlRelease[];

const cache = cacheFolder(process.env);

/** The programs of one of them, fetched where they are not there yet. */
export function mysqlPrograms(release: MysqlRelease): Promise<MysqlInstallation> {
  return installMysql(release, { cache });
}

/** Such as `MySQL 9.7.4-2` or `MariaDB 11.8.9`: sid's moves on, and a run is to say what it had. */
export async function mysqlVersion(release: MysqlRelease): Promise<string> {
  const { isMariadb, server } = await mysqlPrograms(release);
  const child = Bun.spawn([...server('/nonexistent'), '--version'], { stderr: 'ignore' });
  const told = /\bVer (\S+?)(?:-MariaDB\S*)? /.exec(await new Response(child.stdout).text())?.[1];
  return `${isMariadb ? 'MariaDB' : 'MySQL'} ${told ?? '?'}`;
}

/**
 * Those that tests can run against. Debian keeps MySQL only among what is not released yet, where it may be missing for a
 * time: then it is left out, and `say` hears of it. What is missing of the others is an error.
 */
export async function mysqlReleasesHere(
  say: (line: string) => void = console.warn,
): Promise<readonly MysqlRelease[]> {
  const here = await Promise.all(
    mysqlReleases.map(async (release) => {
      try {
        await mysqlPrograms(release);
        return [release];
      } catch (problem) {
        if (release !== 'mysql' || !(problem instanceof PackagesUnavailable)) throw problem;
        say(
          `NO MYSQL: what needs it is NOT TESTED; Debian's sid does not have it: ${problem.message}`,
        );
        return [];
      }
    }),
  );
  return here.flat();
}

/** Of those, MySQL and the newest MariaDB: for what is the same in all of a family. */
export async function mysqlFamiliesHere(): Promise<readonly MysqlRelease[]> {
  return (await mysqlReleasesHere()).filter((release) => release !== 'mariadb-10.11');
}

/** A server of a test's own, likewise. It is to be destroyed by the test; it ends with the test process in any case. */
export function startMysql(options: Omit<EmbeddedMysqlOptions, 'cache'>): Promise<EmbeddedMysql> {
  return startEmbeddedMysql({ ...options, cache });
}

/**
 * The users of the servers that tests share; passwords are `passwordOf` their names, but for `open`, who has none, and
 * `socket`, who comes by another way only. `app` and `reader` sign in by the server's default, `ed` and `parsec` by the plug-in
 * that they are named after.
 */
export function mysqlUsers(release: MysqlRelease): readonly MysqlUser[] {
  const withPassword = (name: string): MysqlUser => ({
    name,
    password: new SecretText(passwordOf(name)),
  });
  const everywhere = [
    withPassword('app'),
    withPassword('reader'),
    { name: 'open' },
    { ...withPassword('secure'), attributes: 'REQUIRE SSL' },
    { ...withPassword('few'), attributes: 'WITH MAX_USER_CONNECTIONS 2' },
  ];
  const ed = { ...withPassword('ed'), plugin: 'ed25519' };
  const socket = { name: 'socket', plugin: 'unix_socket' };
  switch (release) {
    case 'mysql':
      return [...everywhere, { name: 'socket', plugin: 'auth_socket' }];
    case 'mariadb-11.8':
      return [...everywhere, socket, ed, { ...withPassword('parsec'), plugin: 'parsec' }];
    case 'mariadb-10.11':
      return [...everywhere, socket, ed];
  }
}

const shared = new Map<MysqlRelease, Promise<EmbeddedMysql>>();

/**
 * A real server, shared by all tests of the process: TLS, 100 connections, the database `app`, and `mysqlUsers`, who may do
 * everything in it. A test that needs to change the server starts its own.
 */
export function withMysql(release: MysqlRelease): Promise<EmbeddedMysql> {
  const known = shared.get(release);
  if (known !== undefined) return known;
  const users = mysqlUsers(release);
  const server = startMysql({ release, tls: true, users, databases: ['app'] });
  shared.set(release, server);
  return server;
}

/**
 * Settings of one proxy, `app`, on any free port, in front of this server, for users with a password that is `passwordOf` their
 * names; the rest adds to it or replaces.
 */
export function mysqlSettingsFor(
  server: Pick<EmbeddedMysql, 'host' | 'port' | 'isMariadb'>,
  { proxy = {}, database = {}, users = ['app', 'reader'], ...rest }: MysqlSettingsParts = {},
): object {
  const engine = server.isMariadb ? 'mariadb' : 'mysql';
  return {
    region: 'eu-central-1',
    account: '123456789012',
    secrets: users.map((username) => ({
      name: username,
      value: { username, password: passwordOf(username) },
    })),
    databases: [{ identifier: 'db', engine, host: server.host, port: server.port, ...database }],
    proxies: [
      {
        name: 'app',
        engineFamily: 'MYSQL',
        listen: '127.0.0.1:0',
        target: 'db',
        auth: users.map((secret) => ({ secret, iamAuth: 'DISABLED' })),
        ...proxy,
      },
    ],
    ...rest,
  };
}

export interface MysqlSettingsParts extends SettingsParts {
  readonly users?: readonly string[];
}
