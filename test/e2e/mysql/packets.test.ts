import { afterAll, beforeAll, describe, expect, test } from 'bun:test';
import type { EmbeddedMysql } from '../../../src/cli/embedded-mysql.ts';
import { mysqlReleasesHere, mysqlSettingsFor, withMysql } from '../../support/mysql.ts';
import { runInNode } from '../../support/node-client.ts';
import type { Sluice } from '../../support/sluice.ts';
import { passwordOf, startSluice } from '../../support/sluice.ts';

const MOST_BYTES = 64 << 20;
const TOO_LARGE = 1153;
const RESET = -104;

/** The lengths of texts that went there and back, or the number of the error, directly and through Sluice. */
const script = `
  const { default: mysql2 } = await import('mysql2/promise');
  const connect = (port) => mysql2.createConnection({ ...args.login, port });
  const told = {};
  for (const [way, port] of Object.entries(args.ports)) {
    told[way] = [];
    for (const bytes of args.sizes) {
      const connection = await connect(port);
      const sql = "SELECT '" + 'x'.repeat(bytes - "X SELECT '' AS a".length) + "' AS a";
      told[way].push(await connection.query(sql).then(
        ([rows]) => rows[0].a.length,
        // The server closes while there is more to read, by which its error may be lost on the way to us.
        ({ errno }) => (way === 'directly' && errno === ${RESET} ? ${TOO_LARGE} : errno),
      ));
      connection.destroy();
    }
  }
  return told;
`;

describe.each([...(await mysqlReleasesHere())])('in front of %s', (release) => {
  let server: EmbeddedMysql;
  let sluice: Sluice;
  beforeAll(async () => {
    server = await withMysql(release);
    sluice = await startSluice(mysqlSettingsFor(server));
  }, 120_000);
  afterAll(async () => {
    expect(sluice.logs('bug')).toEqual([]);
    await sluice.stop();
  });

  test('statements around 16 MB, and larger than the database takes, end as they do directly (MY-01, MY-16)', async () => {
    const whole = 0xffffff;
    const sizes = [whole - 1, whole, whole + 1, 2 * whole, MOST_BYTES + (1 << 20)];
    const login = { host: '127.0.0.1', user: 'app', password: passwordOf('app'), database: 'app' };
    const ports = { directly: server.port, through: sluice.port };
    const told = await runInNode(script, { login, ports, sizes });
    const lengths = sizes.slice(0, -1).map((bytes) => bytes - "X SELECT '' AS a".length);
    expect(told).toEqual({
      directly: [...lengths, TOO_LARGE],
      through: [...lengths, TOO_LARGE],
    });
  }, 60_000);
});
