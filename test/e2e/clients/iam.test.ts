import { afterAll, beforeAll, describe, expect, test } from 'bun:test';
import { proxyId } from '../../../src/iam/proxy-id.ts';
import { runInNode } from '../../support/node-client.ts';
import type { Json } from '../../support/node-client.ts';
import { Stage } from './stage.ts';

const REGION = 'eu-central-1';
const ACCOUNT = '123456789012';
const USER = 'app';

/** Allowed and denied by their policies; `app` signs in with tokens only, `reader` with a password. */
const principals = [
  { accessKeyId: 'AKIAALLOWED000000000', secretAccessKey: 'allowed-secret', effect: 'Allow' },
  { accessKeyId: 'AKIADENIED0000000000', secretAccessKey: 'denied-secret', effect: 'Deny' },
] as const;
const [ALLOWED, DENIED] = principals;

/** A token as AWS's own library makes it; `ageSeconds` makes it an old one. */
const SIGN = `
  const { host, port, user, region, key, ageSeconds } = args;
  const { Signer } = await import('@aws-sdk/rds-signer');
  const now = Date.now();
  if (ageSeconds > 0) {
    const RealDate = Date;
    globalThis.Date = class extends RealDate {
      constructor(...given) { if (given.length === 0) super(now - ageSeconds * 1000); else super(...given); }
      static now() { return now - ageSeconds * 1000; }
    };
  }
  const signer = new Signer({ hostname: host, port, username: user, region, credentials: key });
  return await signer.getAuthToken();`;

interface Signing {
  readonly host?: string;
  readonly port?: number;
  readonly user?: string;
  readonly region?: string;
  readonly key?: { readonly accessKeyId: string; readonly secretAccessKey: string };
  readonly ageSeconds?: number;
}

describe('signing in with IAM tokens', () => {
  let stage: Stage;
  beforeAll(async () => {
    const resource = `arn:aws:rds-db:${REGION}:${ACCOUNT}:dbuser:${proxyId(ACCOUNT, REGION, 'app')}/${USER}`;
    const statement = (effect: string): Json => [
      { Effect: 'Allow', Action: 'rds-db:*', Resource: '*' },
      { Effect: effect, Action: 'rds-db:connect', Resource: resource },
    ];
    stage = await Stage.open({
      proxy: {
        hostnames: ['localhost'],
        auth: [{ secret: USER, iamAuth: 'REQUIRED' }, { secret: 'reader' }],
      },
      rest: {
        principals: principals.map(({ accessKeyId, secretAccessKey, effect }) => ({
          accessKeyId,
          secretAccessKey,
          policy: { Version: '2012-10-17', Statement: statement(effect) },
        })),
      },
    });
  });
  afterAll(() => stage.close());

  async function token(signing: Signing = {}): Promise<string> {
    const { accessKeyId, secretAccessKey } = signing.key ?? ALLOWED;
    return String(
      await runInNode(SIGN, {
        ...{ host: 'localhost', port: stage.port, user: USER, region: REGION, ageSeconds: 0 },
        ...signing,
        key: { accessKeyId, secretAccessKey },
      }),
    );
  }

  const psql = (password: string, env: Readonly<Record<string, string>> = {}) =>
    stage.run(['psql', '-X', '-A', '-t', '-c', 'SELECT current_user'], {
      env: { PGPASSWORD: password, PGSSLMODE: 'verify-full', ...env },
    });

  async function expectRefused(password: string, why: RegExp): Promise<void> {
    const known = stage.sluice.logs('clientRefused').length;
    const { code, stdout, stderr } = await psql(password);
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
    expect(stderr).toContain(
      `The IAM authentication failed for the role ${USER}. Check the IAM token for this role and try again.`,
    );
    const line = stage.sluice.logs('clientRefused')[known];
    expect(String(line?.['detail'])).toMatch(why);
    // A token is as good as a password: it must be nowhere in the log.
    const signature = /X-Amz-Signature=(\w+)/.exec(password)?.[1] ?? password;
    expect(JSON.stringify(stage.sluice.logs())).not.toContain(signature);
  }

  test('psql, over TLS', async () => {
    expect(await psql(await token())).toEqual({ code: 0, stdout: `${USER}\n`, stderr: '' });
  });

  test('pg under Node, with a pool that makes a token for each connection', async () => {
    const answer = await runInNode(
      `const { default: pg } = await import('pg');
       const { Signer } = await import('@aws-sdk/rds-signer');
       const { port, user, ca, region, credentials } = args;
       const signer = new Signer({ hostname: 'localhost', port, username: user, region, credentials });
       const pool = new pg.Pool({ host: 'localhost', port, user, database: 'app', max: 5, ssl: { ca }, password: () => signer.getAuthToken() });
       const rows = await Promise.all(Array.from({ length: 20 }, (_, n) => pool.query('SELECT $1::int AS n, current_user AS who', [n])));
       await pool.end();
       return rows.every(({ rows: [row] }, n) => row.n === n && row.who === user);`,
      {
        port: stage.port,
        user: USER,
        ca: stage.caPem,
        region: REGION,
        credentials: { accessKeyId: ALLOWED.accessKeyId, secretAccessKey: ALLOWED.secretAccessKey },
      },
    );
    expect(answer).toBe(true);
  });

  test('one token signs in as often as wanted while it is young', async () => {
    const one = await token({ ageSeconds: 14 * 60 });
    for (const { code } of await Promise.all([psql(one), psql(one), psql(one)]))
      expect(code).toBe(0);
  });

  test('another user of the same proxy signs in with a password', async () => {
    const env = { PGUSER: 'reader', PGSSLMODE: 'disable' };
    expect((await psql("reader's password", env)).stdout).toBe('reader\n');
    expect((await psql(await token({ user: 'reader' }), env)).code).toBe(2);
  });

  test('without TLS it is refused before a token is asked for', async () => {
    const { code, stderr } = await psql(await token(), { PGSSLMODE: 'disable' });
    expect(code).toBe(2);
    expect(stderr).toContain('IAM authentication is allowed only with SSL connections.');
  });

  test('refused: an old token', async () =>
    expectRefused(await token({ ageSeconds: 16 * 60 }), /expired/i));
  test('refused: a token for another host', async () =>
    expectRefused(await token({ host: 'elsewhere.example.com' }), /host/i));
  test('refused: a token for another port', async () =>
    expectRefused(await token({ port: 5432 }), /port|host/i));
  test('refused: a token for another user', async () =>
    expectRefused(await token({ user: 'reader' }), /user/i));
  test('refused: a token for another region', async () =>
    expectRefused(await token({ region: 'us-east-1' }), /region|scope/i));
  test('refused: a token signed with the wrong secret', async () =>
    expectRefused(await token({ key: { ...ALLOWED, secretAccessKey: 'guessed' } }), /signature/i));
  test('refused: a token of an unknown principal', async () =>
    expectRefused(
      await token({ key: { ...ALLOWED, accessKeyId: 'AKIAUNKNOWN000000000' } }),
      /access key/i,
    ));
  test('refused: a policy that denies', async () =>
    expectRefused(await token({ key: DENIED }), /polic|denie|allow/i));
  test('refused: the password of the database', () => expectRefused("app's password", /token/i));

  test('nothing is left behind', () => stage.expectClean());
});
