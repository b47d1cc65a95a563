import { afterAll, beforeAll, describe, expect, test } from 'bun:test';
import { connect } from 'node:net';
import { fileURLToPath } from 'node:url';
import { mysqlReleasesHere, startMysql } from '../../test/support/mysql.ts';
import { orphan } from '../../test/support/orphan.ts';
import { SecretText } from '../base/secret-text.ts';
import type { EmbeddedMysql } from './embedded-mysql.ts';
import { outcomeOf } from '../../test/support/outcome.ts';

const SECRET = "it's a \\ secret";

const here = await mysqlReleasesHere();

describe.each([...here])('an embedded %s', (release) => {
  let server: EmbeddedMysql;

  beforeAll(async () => {
    server = await startMysql({
      release,
      maxConnections: 17,
      settings: { 'max-allowed-packet': '32M' },
      users: [{ name: "o'neill", password: new SecretText(SECRET), attributes: 'ACCOUNT LOCK' }],
      databases: ['Sales `2026`'],
    });
  }, 120_000);

  afterAll(() => server.destroy());

  test('listens below the ephemeral ports with the settings asked for', async () => {
    expect(server.port).toBeLessThan(32_768);
    expect(server.certPem).toBeUndefined();
    expect(
      await server.query('SELECT @@max_connections AS connections, @@max_allowed_packet AS packet'),
    ).toEqual([{ connections: 17, packet: 32 * 1024 * 1024 }]);
  });

  test('has its users, who may use its databases', async () => {
    const grants = await server.query("SHOW GRANTS FOR `o'neill`");
    expect(JSON.stringify(grants)).toContain('ALL PRIVILEGES ON `Sales ``2026```.*');
  });

  test('lets nobody in from elsewhere without a password', async () => {
    expect(
      await server.query(`SELECT user AS name, authentication_string <> '' AS password
        FROM mysql.user WHERE host <> 'localhost' ORDER BY name`),
    ).toEqual([
      { name: "o'neill", password: 1 },
      { name: 'root', password: 1 },
    ]);
  });

  test('tells the rows of the last statement, and errors in the words of the server', async () => {
    expect(await server.query('SELECT 1 AS a; SELECT 2 AS b UNION SELECT 3 ORDER BY b')).toEqual([
      { b: 2 },
      { b: 3 },
    ]);
    expect(await server.query('SELECT 1 WHERE false')).toEqual([]);
    expect(await outcomeOf(server.query('SELECT nothing'))).toThrow("Unknown column 'nothing'");
  });

  test('keeps port and data over a crash, and comes back after a stop', async () => {
    const { pid, port } = server;
    await server.query('CREATE TABLE `Sales ``2026```.kept AS SELECT 42 AS answer');
    await server.restart('immediate');
    expect(server.port).toBe(port);
    expect(server.pid).not.toBe(pid);
    const kept = 'SELECT * FROM `Sales ``2026```.kept';
    expect(await server.query(kept)).toEqual([{ answer: 42 }]);
    await server.stop();
    expect(await outcomeOf(server.query('SELECT 1'))).toThrow();
    await server.restart();
    expect(await server.query(kept)).toEqual([{ answer: 42 }]);
  }, 30_000);
});

test('an embedded MariaDB knows its version when its log has lost it behind many warnings', async () => {
  const server = await startMysql({ release: 'mariadb-10.11' });
  const toldAt = server.log().findIndex((line) => line.includes("Version: '"));
  expect(toldAt).toBeGreaterThanOrEqual(0);
  const lost = (): boolean => !server.log().some((line) => line.includes("Version: '"));
  // Whoever leaves without a word is worth a warning.
  for (let visits = 0; !lost() && visits < 10_000; visits += 1) {
    const { promise, resolve } = Promise.withResolvers<void>();
    const visitor = connect(server.port, server.host);
    visitor.once('data', () => visitor.destroy());
    visitor.once('close', () => resolve());
    await promise;
  }
  expect(lost()).toBe(true);
  expect(server.version).toMatch(/^10\.11\./);
  await server.destroy();
}, 60_000);

test('an embedded MariaDB dies with its parent, even by SIGKILL, and leaves no data', async () => {
  const module = fileURLToPath(new URL('../../test/support/mysql.ts', import.meta.url));
  const script = `
    const { startMysql } = await import(${JSON.stringify(module)});
    const { pid, dataDir } = await startMysql({ release: 'mariadb-10.11' });
    console.log(pid + ' ' + dataDir);
  `;
  const { pid, hadFolder, hasGone } = await orphan(script);
  expect(hadFolder).toBe(true);
  expect(hasGone).toBe(true);
  expect(() => process.kill(pid, 0)).toThrow();
}, 30_000);
