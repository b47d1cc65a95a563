import { afterAll, beforeAll, describe, expect, test } from 'bun:test';
import { join } from 'node:path';
import { mysqlPrograms, mysqlReleasesHere } from '../../../support/mysql.ts';
import { runInNode } from '../../../support/node-client.ts';
import type { Environment, Finished, Stage } from '../stage.ts';
import { openMysqlStage } from './stage.ts';

const REGION = 'eu-central-1';
const key = { accessKeyId: 'AKIAALLOWED000000000', secretAccessKey: 'allowed-secret' };

const SIGN = `
  const { Signer } = await import('@aws-sdk/rds-signer');
  const { port, region, credentials } = args;
  return await new Signer({ hostname: 'localhost', port, username: 'app', region, credentials }).getAuthToken();`;

/** A pool that makes a token for each connection, as functions in the cloud do. */
const POOL = `
  const { default: mysql2 } = await import('mysql2/promise');
  const { Signer } = await import('@aws-sdk/rds-signer');
  const { port, ca, region, credentials } = args;
  const signer = new Signer({ hostname: 'localhost', port, username: 'app', region, credentials });
  const token = async () => Buffer.from((await signer.getAuthToken()) + '\\0');
  const pool = mysql2.createPool({
    host: 'localhost', port, user: 'app', database: 'app', connectionLimit: 6, ssl: { ca },
    authPlugins: { mysql_clear_password: () => token },
  });
  const rows = await Promise.all(Array.from({ length: 20 }, (_, n) => pool.execute('SELECT ? AS n, USER() AS name', [n])));
  await pool.end();
  return rows.every(([[row]], n) => Number(row.n) === n && row.name.startsWith('app@'));`;

describe.each([...(await mysqlReleasesHere())])('IAM tokens at a proxy of %s', (release) => {
  let stage: Stage;
  let token: string;
  beforeAll(async () => {
    const policy = {
      Statement: { Effect: 'Allow', Action: 'rds-db:connect', Resource: '*' },
    };
    stage = await openMysqlStage(release, {
      proxy: { hostnames: ['localhost'], auth: [{ secret: 'app', iamAuth: 'REQUIRED' }] },
      rest: { principals: [{ ...key, policy }] },
    });
    token = String(await runInNode(SIGN, { port: stage.port, region: REGION, credentials: key }));
  });
  afterAll(() => stage.close());

  /** The client that comes with the newest server of its family. */
  async function commandLine(password: string, ...more: readonly string[]): Promise<Finished> {
    const isMariadb = release !== 'mysql';
    const { client } = await mysqlPrograms(isMariadb ? 'mariadb-11.8' : 'mysql');
    const tls = isMariadb ? ['--ssl-verify-server-cert'] : ['--ssl-mode=VERIFY_IDENTITY'];
    const cleartext = isMariadb ? [] : ['--enable-cleartext-plugin'];
    return await stage.run([
      ...client(isMariadb ? 'mariadb' : 'mysql'),
      ...['--host=localhost', '--protocol=tcp', `--port=${stage.port}`, '--user=app'],
      ...[`--password=${password}`, `--ssl-ca=${stage.caFile}`, '--skip-column-names'],
      ...[...tls, ...cleartext, ...more],
      ...['--execute=SELECT USER(), DATABASE()', 'app'],
    ]);
  }

  function script(command: readonly string[], password: string): Promise<Finished> {
    const env: Environment = { DB_HOST: 'localhost', DB_PASSWORD: password, DB_TLS: 'verify-full' };
    return stage.run(command, { env, stdin: 'version\n' });
  }

  test('the command line', async () => {
    const { stdout, code } = await commandLine(token);
    expect({ code, stdout }).toEqual({ code: 0, stdout: expect.stringMatching(/^app@.*\tapp\n$/) });
  });

  test('mysql2, with a pool that makes a token for each connection', async () => {
    const credentials = { ...key };
    const args = { port: stage.port, ca: stage.caPem, region: REGION, credentials };
    expect(await runInNode(POOL, args)).toBe(true);
  });

  test('PyMySQL', async () => {
    const path = join(import.meta.dirname, 'python', 'dbapi_scenarios.py');
    const command = ['/usr/bin/python3', '-B', path, 'pymysql'];
    expect(await script(command, token)).toMatchObject({ code: 0, stderr: '' });
  });

  test('refused: a token that has been changed, the password of the database', async () => {
    for (const wrong of [token.replace(/.$/, (last) => (last === '0' ? '1' : '0')), 'no token']) {
      const { stderr, code } = await commandLine(wrong);
      expect(code).toBe(1);
      expect(stderr).toContain("ERROR 1045 (28000): Access denied for user 'app'");
      expect(JSON.stringify(stage.sluice.logs())).not.toContain(wrong.slice(-20));
    }
  });

  test('refused without TLS, before a token is asked for', async () => {
    const plain = release === 'mysql' ? '--ssl-mode=DISABLED' : '--skip-ssl';
    const { stderr, code } = await commandLine(token, plain);
    expect(code).toBe(1);
    expect(stderr).toContain('IAM authentication is allowed only with SSL connections.');
  });

  test('nothing is left behind', () => stage.expectClean());
});
