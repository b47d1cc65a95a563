import { afterAll, beforeAll, describe, expect, test } from 'bun:test';
import { connect } from 'node:net';
import { join } from 'node:path';
import { stringify } from 'yaml';
import type { EmbeddedMysql } from '../../../src/cli/embedded-mysql.ts';
import { concat, utf8 } from '../../../src/base/bytes.ts';
import { generateCertificate } from '../../../src/net/certificate.ts';
import { probe } from '../../../src/server/probe.ts';
import { loadSettings } from '../../../src/server/settings/load.ts';
import { capability } from '../../../src/wire/mysql/capabilities.ts';
import { packet } from '../../../src/wire/mysql/framing.ts';
import { clientHeader, readHandshake } from '../../../src/wire/mysql/handshake.ts';
import { SettingsFolder } from '../../support/in-process.ts';
import { mysqlPrograms, mysqlReleasesHere, mysqlUsers, withMysql } from '../../support/mysql.ts';
import type { Json } from '../../support/node-client.ts';
import { runInNode } from '../../support/node-client.ts';
import type { Sluice } from '../../support/sluice.ts';
import { passwordOf, startSluice } from '../../support/sluice.ts';

const REGION = 'eu-central-1';
const key = { accessKeyId: 'AKIAALLOWED000000000', secretAccessKey: 'allowed-secret' };

/** One proxy for each way to sign in, and `own`, whose certificate nobody has signed. */
const ways = {
  own: {},
  native: { clientPasswordAuthType: 'MYSQL_NATIVE_PASSWORD' },
  sha2: { clientPasswordAuthType: 'MYSQL_CACHING_SHA2_PASSWORD' },
  ed25519: { clientPasswordAuthType: 'MARIADB_ED25519' },
  tokens: { iamAuth: 'REQUIRED' },
  encrypted: {},
  introduced: {},
} as const;
type Way = keyof typeof ways;

const certificate = generateCertificate(['localhost', '127.0.0.1']);

function settingsFor(server: EmbeddedMysql, users: readonly string[], database: object = {}) {
  return {
    region: REGION,
    account: '123456789012',
    principals: [
      {
        ...key,
        policy: { Statement: { Effect: 'Allow', Action: 'rds-db:connect', Resource: '*' } },
      },
    ],
    secrets: users.map((username) => ({
      name: username,
      value: { username, password: passwordOf(username) },
    })),
    databases: [
      {
        identifier: 'db',
        engine: server.release === 'mysql' ? 'mysql' : 'mariadb',
        host: server.host,
        port: server.port,
        maxConnections: 60,
        ...database,
      },
    ],
    proxies: Object.keys(ways).map((name) => proxyOf(name as Way, users)),
  };
}

function proxyOf(way: Way, users: readonly string[]): object {
  const tls = { certFile: 'proxy.crt', keyFile: 'proxy.key' };
  const introduced = { proxyProtocol: 'required', proxyProtocolNetworks: ['127.0.0.1'] };
  return {
    name: way,
    engineFamily: 'MYSQL',
    listen: '127.0.0.1:0',
    hostnames: ['localhost', '127.0.0.1'],
    target: 'db',
    auth: users.map((secret) => Object.assign({ secret }, ways[way])),
    requireTls: way === 'encrypted',
    pool: { maxConnectionsPercent: 14 },
    ...(way === 'own' ? {} : { tls }),
    ...(way === 'introduced' ? introduced : {}),
  };
}

const files = { 'proxy.crt': certificate.certPem, 'proxy.key': certificate.keyPem };

/** By a driver: who one is by the database's word, and in which schema; or the error. */
const ASK = `
  const { driver, ...given } = args;
  const { default: mysql2 } = await import('mysql2/promise');
  const mariadb = await import('mariadb');
  const create = driver === 'mysql2' ? mysql2.createConnection : mariadb.createConnection;
  const { token, ...options } = given;
  if (token !== undefined) {
    options.password = token;
    if (driver === 'mysql2')
      options.authPlugins = { mysql_clear_password: () => async () => Buffer.from(token + '\\0') };
  }
  let connection;
  try {
    connection = await create(options);
    const answer = await connection.query("SELECT CURRENT_USER() AS user, DATABASE() AS name");
    const [row] = driver === 'mysql2' ? answer[0] : answer;
    return { user: row.user.split('@')[0], name: row.name };
  } catch (problem) {
    return { errno: problem.errno, state: problem.sqlState, message: problem.sqlMessage ?? problem.message };
  } finally {
    await connection?.end();
  }`;

const here = await mysqlReleasesHere();
const folder = new SettingsFolder();
afterAll(() => folder.remove());

describe.each([...here])('signing in at a proxy of %s', (release) => {
  let server: EmbeddedMysql;
  let sluice: Sluice;
  const users = mysqlUsers(release)
    .map(({ name }) => name)
    .filter((name) => !['open', 'few', 'socket'].includes(name));

  beforeAll(async () => {
    server = await withMysql(release);
    sluice = await startSluice(settingsFor(server, users), { files });
  });
  afterAll(async () => {
    await sluice.stop();
  });

  const addressOf = (way: Way) => ({ host: '127.0.0.1', port: sluice.endpoint(way).port });

  async function ask(driver: 'mysql2' | 'mariadb', way: Way, more: Record<string, Json> = {}) {
    const user = 'app';
    const usual = { driver, ...addressOf(way), user, password: passwordOf(user), database: 'app' };
    const keyed = driver === 'mariadb' ? { allowPublicKeyRetrieval: true } : {};
    return await runInNode(ASK, { ...usual, ...keyed, ...more });
  }

  /** By the client that comes with the server. */
  async function run(way: Way, options: readonly string[], user = 'app') {
    const { isMariadb, client } = await mysqlPrograms(release);
    const { host, port } = addressOf(way);
    const child = Bun.spawn(
      [
        ...client(isMariadb ? 'mariadb' : 'mysql'),
        `--host=${host}`,
        `--port=${port}`,
        `--user=${user}`,
        `--password=${passwordOf(user)}`,
        '--skip-column-names',
        '--execute=SELECT CURRENT_USER(), DATABASE()',
        ...options,
      ],
      { stdin: Buffer.from(certificate.certPem), stdout: 'pipe', stderr: 'pipe' },
    );
    const said = await Promise.all([
      new Response(child.stdout).text(),
      new Response(child.stderr).text(),
    ]);
    return said.join('');
  }

  const tls = { ssl: { ca: certificate.certPem, rejectUnauthorized: true } };
  const isMariadb = release !== 'mysql';
  const verified = isMariadb
    ? ['--ssl-verify-server-cert', '--ssl-ca=/dev/stdin']
    : ['--ssl-mode=VERIFY_IDENTITY', '--ssl-ca=/dev/stdin'];
  const unencrypted = isMariadb
    ? ['--skip-ssl']
    : ['--ssl-mode=DISABLED', '--get-server-public-key'];

  test.each(['mysql2', 'mariadb'] as const)('%s comes in by passwords', async (driver) => {
    // mysql2 does not know client_ed25519.
    const possible: readonly Way[] = [
      'native',
      'sha2',
      ...(driver === 'mariadb' ? ['ed25519' as const] : []),
    ];
    for (const way of possible)
      for (const encryption of [{}, tls])
        expect(await ask(driver, way, encryption)).toEqual({ user: 'app', name: 'app' });
  });

  test("the server's own client comes in, encrypted and not", async () => {
    const possible: readonly Way[] = isMariadb ? ['native', 'ed25519'] : ['sha2', 'native'];
    for (const way of possible) {
      if (way === 'native' && !isMariadb) continue; // it has forgotten it
      for (const options of [verified, unencrypted])
        expect(await run(way, [...options, 'app'])).toContain('app@%\tapp\n');
    }
  });

  test('users come in by whichever plug-in the database has for them', async () => {
    for (const user of users) {
      const credentials = { user, password: passwordOf(user) };
      expect(await ask('mariadb', 'native', credentials)).toEqual({ user, name: 'app' });
    }
  });

  test.each(['mysql2', 'mariadb'] as const)('%s comes in by a token, over TLS', async (driver) => {
    const { port } = sluice.endpoint('tokens');
    const script = `
      const { Signer } = await import('@aws-sdk/rds-signer');
      const { hostname, port, username, region, credentials } = args;
      return await new Signer({ hostname, port, username, region, credentials }).getAuthToken();`;
    const signing = {
      hostname: '127.0.0.1',
      port,
      username: 'app',
      region: REGION,
      credentials: key,
    };
    const token = String(await runInNode(script, signing));
    expect(await ask(driver, 'tokens', { ...tls, token })).toEqual({ user: 'app', name: 'app' });
    expect(await ask(driver, 'tokens', { token })).toMatchObject({ errno: 3159, state: 'HY000' });
    expect(await ask(driver, 'tokens', { ...tls, token: 'no token' })).toMatchObject({
      errno: 1045,
      state: '28000',
    });
  });

  test('without a schema, and with one that is not there', async () => {
    expect(await ask('mysql2', 'native', { database: '' })).toEqual({ user: 'app', name: null });
    const direct = { host: server.host, port: server.port, database: 'nope' };
    const expected = await ask('mysql2', 'native', direct);
    expect(await ask('mysql2', 'native', { database: 'nope' })).toEqual(
      expected as Record<string, unknown>,
    );
    // Nobody else of the same kind is harmed by that.
    expect(await ask('mysql2', 'native')).toEqual({ user: 'app', name: 'app' });
  });

  test('who is refused hears what the database would say', async () => {
    const denied = (user: string, word: string) => ({
      errno: 1045,
      state: '28000',
      message: expect.stringContaining(
        `Access denied for user '${user}'@'%' (using password: ${word})`,
      ),
    });
    for (const driver of ['mysql2', 'mariadb'] as const)
      for (const way of ['native', 'sha2'] as const) {
        expect(await ask(driver, way, { password: 'wrong' })).toEqual(denied('app', 'YES'));
        expect(await ask(driver, way, { user: 'stranger' })).toEqual(denied('stranger', 'YES'));
        expect(await ask(driver, way, { password: '' })).toEqual(denied('app', 'NO'));
      }
    expect(await ask('mysql2', 'encrypted')).toMatchObject({
      errno: 3159,
      message: 'This RDS Proxy requires TLS connections.',
    });
    expect(await ask('mysql2', 'encrypted', tls)).toEqual({ user: 'app', name: 'app' });
  });

  test('many at once are not taken for each other (MY-22)', async () => {
    const script = `
      const { default: mysql2 } = await import('mysql2/promise');
      const { clients, ...options } = args;
      const seen = await Promise.all(clients.map(async (client) => {
        try {
          const connection = await mysql2.createConnection({ ...options, ...client });
          const [[row]] = await connection.query('SELECT CURRENT_USER() AS it');
          await connection.end();
          return row.it;
        } catch (problem) {
          return problem.errno;
        }
      }));
      return seen;`;
    const clients = Array.from({ length: 120 }, (_, at) => {
      const user = at % 2 === 0 ? 'app' : 'reader';
      return { user, password: passwordOf(at % 3 === 0 ? 'somebody else' : user) };
    });
    const expected = clients.map(({ user }, at) => (at % 3 === 0 ? 1045 : `${user}@%`));
    for (const way of ['native', 'sha2'] as const)
      expect(await runInNode(script, { ...addressOf(way), clients })).toEqual(expected);
  });

  test('collations that one byte cannot tell are taken as they are (MY-14)', async () => {
    const script = `
      const { default: mysql2 } = await import('mysql2/promise');
      const connection = await mysql2.createConnection(args);
      const [[row]] = await connection.query('SELECT @@collation_connection AS it');
      await connection.end();
      return row.it;`;
    for (const charset of ['latin1', 'utf8mb4', 'utf8mb4_unicode_ci', 'latin1_bin']) {
      const usual = { user: 'app', password: passwordOf('app'), charset };
      const direct = await runInNode(script, { ...usual, host: server.host, port: server.port });
      expect(await runInNode(script, { ...usual, ...addressOf('native') })).toBe(String(direct));
    }
  });

  if (release === 'mariadb-11.8')
    test('its client trusts a certificate that nobody has signed, where the password is proven', async () => {
      expect(await run('own', ['--ssl-verify-server-cert', 'app'])).toContain('app@%\tapp\n');
      const wrong = await run('own', ['--ssl-verify-server-cert', '--password=wrong', 'app']);
      expect(wrong).toContain('ERROR 1045');
    });

  /** All that a client hears that says this, be it asked or not. */
  async function heardBy(way: Way, said: Uint8Array): Promise<Buffer> {
    const { host, port } = addressOf(way);
    return await new Promise<Buffer>((resolve) => {
      const chunks: Buffer[] = [];
      const socket = connect(port, host, () => socket.write(said));
      socket.on('data', (chunk: Buffer) => chunks.push(chunk));
      socket.on('error', () => {}); // it may be shown the door rather roughly
      socket.on('close', () => resolve(Buffer.concat(chunks)));
    });
  }

  test('what is no client of its kind is shown the door (GX-08)', async () => {
    for (const said of ['GET / HTTP/1.1\r\n\r\n', '\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03']) {
      const heard = await heardBy('native', Buffer.from(said, 'latin1'));
      // The handshake, and nothing else.
      expect(heard.readUIntLE(0, 3)).toBe(heard.length - 4);
    }
  });

  test('what follows a request for TLS in the clear is not heard', async () => {
    const flags = capability.protocol41 | capability.secureConnection | capability.ssl;
    const capabilities = { flags, extensions: 0 };
    const header = clientHeader({ capabilities, maxPacketBytes: 1, collation: 45 });
    const response = concat([header, utf8('app\0'), Uint8Array.of(0)]);
    const heard = await heardBy('native', concat([packet(1, header), packet(2, response)]));
    const behind = heard.subarray(4 + heard.readUIntLE(0, 3));
    // Nothing, or an alert of TLS: it was no hello.
    expect([undefined, 0x15]).toContain(behind[0]);
  });

  test('behind a load balancer, a client is greeted when it has been introduced', async () => {
    const heard = await heardBy(
      'introduced',
      utf8('PROXY TCP4 192.0.2.1 192.0.2.2 1 2\r\nno packet'),
    );
    expect(readHandshake(heard.subarray(4, 4 + heard.readUIntLE(0, 3))).serverVersion).toContain(
      '.',
    );
    expect((await heardBy('introduced', utf8('no header'))).length).toBe(0);
  });
});

describe.each([...here])('the way from a proxy to %s', (release) => {
  /** What comes of one sign-in with each of these users. */
  async function signIn(users: readonly string[], database: object) {
    const server = await withMysql(release);
    const settings = settingsFor(server, users, database);
    folder.write('ca.pem', server.certPem ?? '');
    folder.write('sluice.yaml', stringify({ ...settings, proxies: settings.proxies.slice(0, 1) }));
    const results = await probe(loadSettings(join(folder.path, 'sluice.yaml'), {}));
    return results.map(({ secret, detail }) => `${secret}: ${detail}`);
  }

  const product = release === 'mysql' ? 'MySQL' : 'MariaDB';
  const plugins = ['app', ...mysqlUsers(release).map(({ name }) => name)].filter((name) =>
    ['app', 'ed', 'parsec'].includes(name),
  );

  test('is encrypted as the settings say', async () => {
    const told = (user: string, encryption: string) =>
      expect.stringMatching(
        new RegExp(`^${user}: ${product} [\\d.]+, ${encryption}, 100 connections `),
      );
    const users = [...new Set(plugins)];
    for (const name of ['disable', 'prefer', 'require', 'verify-full'] as const) {
      const ca = name === 'verify-full' ? { tlsCaFile: 'ca.pem' } : {};
      const encryption = name === 'disable' ? 'no TLS' : 'TLSv1\\.[23]';
      expect(await signIn(users, { tls: name, ...ca })).toEqual(
        users.map((user) => told(user, encryption)),
      );
    }
  });

  test('is not gone where the certificate is not trusted', async () => {
    const [verdict] = await signIn(['app'], { tls: 'verify-full' });
    expect(verdict).toContain('the certificate was not accepted');
  });

  test('is refused to users that the database wants to see encrypted', async () => {
    const [plain] = await signIn(['secure'], { tls: 'disable' });
    expect(plain).toMatch(/^secure: Access denied for user 'secure'@.* \(1045\)$/);
    const [encrypted] = await signIn(['secure'], { tls: 'require' });
    expect(encrypted).toContain(product);
  });
});
