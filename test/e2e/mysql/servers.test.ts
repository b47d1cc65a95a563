import { beforeAll, describe, expect, test } from 'bun:test';
import type { EmbeddedMysql } from '../../../src/cli/embedded-mysql.ts';
import { mysqlPrograms, mysqlReleasesHere, mysqlUsers, withMysql } from '../../support/mysql.ts';
import { runInNode } from '../../support/node-client.ts';
import { passwordOf } from '../../support/sluice.ts';

/** What a driver saw: who it is by the server's word, and whether by TLS; or the error. */
interface Seen {
  readonly user?: string;
  readonly tls?: boolean;
  readonly errno?: number;
}

/** Signs in by each driver as each of these users, over TLS or not, and stays as long as `together` says. */
const signIn = `
  const { default: mysql2 } = await import('mysql2/promise');
  const mariadb = await import('mariadb');
  const drivers = { mysql2: mysql2.createConnection, mariadb: mariadb.createConnection };
  const { driver, host, port, ca, users } = args;
  const connect = (tls, { user, password }) => drivers[driver]({
    host, port, user, password, database: 'app',
    ...(tls ? { ssl: { ca, rejectUnauthorized: true } } : {}),
    ...(driver === 'mariadb' ? { allowPublicKeyRetrieval: true } : {}),
  });
  const seen = async (tls, user) => {
    let connection;
    try {
      connection = await connect(tls, user);
      const name = await connection.query("SELECT CURRENT_USER() AS it");
      const cipher = await connection.query("SHOW STATUS LIKE 'Ssl_cipher'");
      const [first] = driver === 'mysql2' ? name[0] : name;
      const [second] = driver === 'mysql2' ? cipher[0] : cipher;
      return { user: first.it.split('@')[0], tls: second.Value !== '' };
    } catch (problem) {
      return { errno: problem.errno };
    } finally {
      await connection?.end();
    }
  };
  const answer = {};
  for (const user of users) answer[user.user] = { plain: await seen(false, user), tls: await seen(true, user) };
  return answer;
`;

const here = await mysqlReleasesHere();

test('each server says which it is', async () => {
  const versions = await Promise.all(
    here.map(async (release) => [release, (await withMysql(release)).version]),
  );
  console.log(versions.map((one) => one.join(' ')).join(', '));
  expect(Object.fromEntries(versions)).toMatchObject({
    'mariadb-11.8': expect.stringMatching(/^11\.8\.\d+-MariaDB/),
    'mariadb-10.11': expect.stringMatching(/^10\.11\.\d+-MariaDB/),
  });
  // sid's MySQL is whatever it is today.
  for (const [, version] of versions) expect(version).toMatch(/^\d+\.\d+\.\d+/);
});

describe.each([...here])('%s', (release) => {
  let server: EmbeddedMysql;
  beforeAll(async () => {
    server = await withMysql(release);
  });

  async function seenBy(driver: 'mysql2' | 'mariadb', ...names: readonly string[]) {
    const users = names.map((user) =>
      user === 'open' ? { user } : { user, password: passwordOf(user) },
    );
    const { host, port, certPem: ca } = server;
    return await runInNode(signIn, { driver, host, port, ca, users });
  }

  const welcome = (user: string): { readonly plain: Seen; readonly tls: Seen } => ({
    plain: { user, tls: false },
    tls: { user, tls: true },
  });

  test('listens below the ephemeral ports', () => {
    expect(server.port).toBeLessThan(32_768);
  });

  test('lets users in with and without a password, in the clear and by verified TLS', async () => {
    const names = ['app', 'reader', 'open', 'few'];
    const expected = Object.fromEntries(names.map((name) => [name, welcome(name)]));
    expect(await seenBy('mysql2', ...names)).toEqual(expected);
    expect(await seenBy('mariadb', ...names)).toEqual(expected);
  });

  test('lets users in by the plug-ins that they were made for', async () => {
    const names = mysqlUsers(release)
      .map(({ name }) => name)
      .filter((name) => name === 'ed' || name === 'parsec');
    expect(await seenBy('mariadb', ...names)).toEqual(
      Object.fromEntries(names.map((name) => [name, welcome(name)])),
    );
    const rows = await server.query(
      "SELECT user, plugin FROM mysql.user WHERE user IN ('app', 'ed', 'parsec')",
    );
    expect(new Set(rows.map((row) => row['plugin']))).toEqual(
      new Set([
        release === 'mysql' ? 'caching_sha2_password' : 'mysql_native_password',
        ...names.map((name) => (name === 'ed' ? 'ed25519' : name)),
      ]),
    );
  });

  test('refuses in the clear who must come by TLS', async () => {
    expect(await seenBy('mysql2', 'secure')).toEqual({
      secure: { plain: { errno: ACCESS_DENIED }, tls: { user: 'secure', tls: true } },
    });
  });

  test('refuses by TCP who must come by a socket, and passwords that are wrong', async () => {
    const refused = (errno: number) => ({ plain: { errno }, tls: { errno } });
    expect(await seenBy('mariadb', 'socket', 'stranger')).toEqual({
      socket: refused(ACCESS_DENIED_NO_PASSWORD),
      stranger: refused(ACCESS_DENIED),
    });
  });

  test('refuses a connection too many of a user who may have two', async () => {
    const script = `
      const { default: mysql2 } = await import('mysql2/promise');
      const connections = [];
      try {
        for (let at = 0; at < 3; at += 1) connections.push(await mysql2.createConnection(args));
      } catch (problem) {
        return { connections: connections.length, errno: problem.errno };
      } finally {
        for (const connection of connections) await connection.end();
      }
    `;
    const { host, port } = server;
    expect(
      await runInNode(script, { host, port, user: 'few', password: passwordOf('few') }),
    ).toEqual({ connections: 2, errno: TOO_MANY_OF_A_USER });
  });

  test("has its own client, which finds its plug-ins, and lets it send a file's lines", async () => {
    const { isMariadb, client } = await mysqlPrograms(release);
    const users = mysqlUsers(release).map(({ name }) => name);
    const user = ['parsec', 'ed', 'app'].find((name) => users.includes(name)) ?? '';
    const child = Bun.spawn(
      [
        ...client(isMariadb ? 'mariadb' : 'mysql'),
        `--host=${server.host}`,
        `--port=${server.port}`,
        `--user=${user}`,
        `--password=${passwordOf(user)}`,
        `--ssl-ca=/dev/stdin`,
        isMariadb ? '--ssl-verify-server-cert' : '--ssl-mode=VERIFY_IDENTITY',
        '--local-infile',
        '--skip-column-names',
        `--execute=CREATE TEMPORARY TABLE words (word text);
          LOAD DATA LOCAL INFILE '${import.meta.path}' INTO TABLE words;
          SELECT CURRENT_USER(), COUNT(*) > 100 FROM words;`,
        'app',
      ],
      { stdin: Buffer.from(server.certPem ?? ''), stdout: 'pipe', stderr: 'pipe' },
    );
    const said = await Promise.all([
      new Response(child.stdout).text(),
      new Response(child.stderr).text(),
    ]);
    expect(said.join('')).toContain(`${user}@%\t1\n`);
  });
});

const ACCESS_DENIED = 1045;
const ACCESS_DENIED_NO_PASSWORD = 1698;
const TOO_MANY_OF_A_USER = 1226;
