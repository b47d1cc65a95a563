import { afterAll, beforeAll, describe, expect, test } from 'bun:test';
import { fileURLToPath } from 'node:url';
import { SQL } from 'bun';
import { orphan } from '../../test/support/orphan.ts';
import { SecretText } from '../base/secret-text.ts';
import { startEmbeddedPostgres } from './embedded-postgres.ts';
import type { EmbeddedServer } from './embedded-server.ts';
import { outcomeOf } from '../../test/support/outcome.ts';

const SECRET = "it's a secret";

describe('an embedded PostgreSQL', () => {
  let server: EmbeddedServer;

  beforeAll(async () => {
    server = await startEmbeddedPostgres({
      tls: true,
      maxConnections: 17,
      settings: { work_mem: '3MB' },
      hba: 'host all refused all reject',
      users: [
        { name: 'a "quoted" name', password: new SecretText(SECRET), attributes: 'CREATEDB' },
        { name: 'old', password: new SecretText(SECRET), passwordEncryption: 'md5' },
        { name: 'refused', password: new SecretText(SECRET) },
      ],
      databases: ['Sales 2026'],
    });
  }, 30_000);

  afterAll(() => server.destroy());

  async function signIn(username: string, tls: object | false): Promise<unknown> {
    const { host, port } = server;
    const client = new SQL({
      adapter: 'postgres',
      hostname: host,
      port,
      username,
      password: SECRET,
      database: 'Sales 2026',
      tls,
      max: 1,
    });
    try {
      const [row] = await client`
        SELECT current_user AS who, (SELECT ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid())`;
      return row;
    } finally {
      await client.close();
    }
  }

  test('listens below the ephemeral ports with the settings asked for', async () => {
    expect(server.port).toBeLessThan(32_768);
    expect(server.version).toMatch(/^18\.\d+$/);
    expect(
      await server.query(`SELECT current_setting('max_connections') AS connections,
        current_setting('work_mem') AS memory, current_setting('fsync') AS fsync`),
    ).toEqual([{ connections: '17', memory: '3MB', fsync: 'off' }]);
  });

  test('lets its users in by SCRAM and MD5, in the clear and by verified TLS', async () => {
    const trusted = { ca: server.certPem, rejectUnauthorized: true };
    expect(await signIn('a "quoted" name', false)).toEqual({ who: 'a "quoted" name', ssl: false });
    expect(await signIn('old', trusted)).toEqual({ who: 'old', ssl: true });
  });

  test('puts the given access rules first', async () => {
    expect(await outcomeOf(signIn('refused', false))).toThrow('pg_hba.conf rejects');
  });

  test('tells the rows of the last statement, and errors in the words of the server', async () => {
    expect(await server.query('SELECT 1 AS a; SELECT 2 AS b UNION SELECT 3 ORDER BY b')).toEqual([
      { b: 2 },
      { b: 3 },
    ]);
    expect(await server.query('SELECT 1 WHERE false')).toEqual([]);
    expect(await outcomeOf(server.query('SELECT 1/0'))).toThrow('division by zero');
  });

  test('keeps port and data over a crash, and comes back after a stop', async () => {
    const { pid, port } = server;
    await server.query('CREATE TABLE kept AS SELECT 42 AS answer');
    await server.restart('immediate');
    expect(server.port).toBe(port);
    expect(server.pid).not.toBe(pid);
    expect(await server.query('TABLE kept')).toEqual([{ answer: 42 }]);
    await server.stop();
    expect(await outcomeOf(server.query('SELECT 1'))).toThrow();
    await server.restart();
    expect(await server.query('TABLE kept')).toEqual([{ answer: 42 }]);
  }, 20_000);
});

test('an embedded PostgreSQL dies with its parent, even by SIGKILL, and leaves no data', async () => {
  const module = fileURLToPath(new URL('embedded-postgres.ts', import.meta.url));
  const script = `
    const { startEmbeddedPostgres } = await import(${JSON.stringify(module)});
    const { pid, dataDir } = await startEmbeddedPostgres();
    console.log(pid + ' ' + dataDir);
  `;
  const { pid, hadFolder, hasGone } = await orphan(script);
  expect(hadFolder).toBe(true);
  expect(hasGone).toBe(true);
  expect(() => process.kill(pid, 0)).toThrow();
}, 30_000);
