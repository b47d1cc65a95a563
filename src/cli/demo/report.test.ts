import { describe, expect, test } from 'bun:test';
import { SecretText } from '../../base/secret-text.ts';
import { mariadb, mysql, psql, sqlcmd } from './client.ts';
import type { Results } from './report.ts';
import { comparison, conclusion, connectionCommands } from './report.ts';

const full = 'sorry, too many clients already';
const results: Results = {
  direct: {
    figures: {
      invocations: 500,
      failed: 104,
      p50Ms: 1194.1,
      p95Ms: 1700,
      p99Ms: 1873.5,
      peakDatabaseConnections: 82,
    },
    errors: ['Connection closed', ...Array.from({ length: 103 }, () => full)],
  },
  proxied: {
    figures: {
      invocations: 500,
      failed: 0,
      p50Ms: null,
      p95Ms: 900,
      p99Ms: 990,
      peakDatabaseConnections: 25,
    },
    errors: [],
  },
};

test('the table sets both routes side by side in 80 columns', () => {
  expect(comparison(results, 80).split('\n')).toEqual([
    '                           straight at the database               through Sluice',
    'invocations                500                                    500',
    'failed                     104                                    0',
    'most frequent error        103 × sorry, too many clients already  –',
    'median (p50)               1194 ms                                –',
    'p95                        1700 ms                                900 ms',
    'p99                        1874 ms                                990 ms',
    'peak database connections  82                                     25',
  ]);
});

test('one sentence says what was seen', () => {
  expect(conclusion(results)).toBe(
    'Of 500 invocations, 104 failed straight at the database and none through Sluice, ' +
      'which needed 25 database connections instead of 82.',
  );
  expect(conclusion({ direct: results.proxied, proxied: results.direct })).toContain(
    'none failed straight at the database and 104 through Sluice',
  );
});

describe('the commands to paste', () => {
  const accessKey = { accessKeyId: 'AKIA1', secretAccessKey: new SecretText('s-3') };
  const database = {
    name: 'shop',
    accounts: {
      byPassword: { user: 'app', password: new SecretText('p-1') },
      byToken: { user: 'lambda', password: new SecretText('p-2') },
    },
  };
  const proxy = { port: 6432, certPath: "/tmp/it's here/proxy.crt", accessKey };

  test.each([psql, mysql, mariadb, sqlcmd])(
    'do not show the password of the user who needs a token',
    (client) => {
      const commands = connectionCommands(client, proxy, database);
      expect(commands).toContain('p-1');
      expect(commands).not.toContain('p-2');
      expect(commands).toContain('AWS_ACCESS_KEY_ID=AKIA1 AWS_SECRET_ACCESS_KEY=s-3');
    },
  );

  test('keep odd paths in one piece, in URLs as in the shell', () => {
    const commands = connectionCommands(psql, proxy, database);
    expect(commands).toContain(
      "psql 'postgresql://app:p-1@localhost:6432/shop?sslmode=verify-full&sslrootcert=/tmp/it%27s%20here/proxy.crt'",
    );
    expect(commands).toContain("'postgresql://lambda@localhost:6432/");
  });

  test('let the client of MySQL send a token as it is, and MariaDB’s as it does by itself', () => {
    const [ofMysql, ofMariadb] = [mysql, mariadb].map((client) =>
      connectionCommands(client, proxy, database),
    );
    expect(ofMysql).toContain('--user=app --password=p-1 \\\n  --ssl-mode=VERIFY_IDENTITY');
    expect(ofMysql).toContain(' --enable-cleartext-plugin \\\n');
    expect(ofMariadb).toContain(
      "--ssl-verify-server-cert --ssl-ca='/tmp/it'\\''s here/proxy.crt' shop",
    );
    expect(ofMariadb).not.toContain('cleartext');
  });
});
