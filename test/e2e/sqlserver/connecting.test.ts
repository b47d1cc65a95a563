import { Signer } from '@aws-sdk/rds-signer';
import { afterAll, beforeAll, describe, expect, test } from 'bun:test';
import { openSqlServerStage } from './stage.ts';
import type { SqlServerStage } from './stage.ts';
import { describeTwins, differences, expectNothingLeft, perform } from './twins.ts';
import type { Scene, Script } from './twins.ts';
import { Visitor } from './visitor.ts';
import type { Arrival } from './visitor.ts';

const long = 'ü'.repeat(20_000);

const introduces: Script = async (one) => {
  await one.batches(
    'SELECT APP_NAME() AS a, DB_NAME() AS d, @@LANGUAGE AS l, SUSER_NAME() AS u',
    `SELECT N'${long}' AS text`,
    'SELECT @@DATEFIRST AS a, @@LOCK_TIMEOUT AS b, @@OPTIONS AS c',
  );
};

describe('connecting', () => {
  const ways = {
    'with nothing said': {},
    'with TDS 7.1': { tdsVersion: '7_1' },
    'with TDS 7.2': { tdsVersion: '7_2' },
    'with TDS 7.3': { tdsVersion: '7_3_B' },
    'with packets of 512 bytes': { packetSize: 512 },
    'with packets of 16,384 bytes': { packetSize: 16_384 },
    // Not all servers take a number that is not of whole words.
    'with packets of 32,764 bytes': { packetSize: 32_764 },
    'with a name of the application': { appName: 'Kassa Ü' },
    'with a language': { language: 'us_english' },
    'with another database': { database: 'tempdb' },
    'to read only': { readOnlyIntent: true },
    'with settings of its own': {
      ...{ datefirst: 3, dateFormat: 'ymd', enableAnsiNull: false, enableArithAbort: false },
      ...{ abortTransactionOnError: true, enableConcatNullYieldsNull: false },
    },
    'to a database that there is not': { database: 'sluice_nowhere' },
  } as const satisfies Readonly<Record<string, Arrival['options']>>;
  describeTwins(
    Object.fromEntries(
      Object.entries(ways).map(([title, options]): [string, Scene] => [
        title,
        { script: introduces, options },
      ]),
    ),
    { isTogether: false },
  );
});

const REGION = 'eu-central-1';
const key = { accessKeyId: 'AKIAALLOWED000000000', secretAccessKey: 'allowed-secret' };

describe.each([false, true])('TLS and who is let in, where TLS is required: %p', (requireTls) => {
  let here: SqlServerStage;
  let plain: readonly string[];
  beforeAll(async () => {
    const policy = { Statement: { Effect: 'Allow', Action: 'rds-db:connect', Resource: '*' } };
    here = await openSqlServerStage({
      proxy: {
        requireTls,
        hostnames: ['localhost'],
        auth: [{ secret: 'app', iamAuth: 'ENABLED' }],
      },
      rest: { principals: [{ ...key, policy }] },
    });
    plain = (await perform({ script: introduces }, here.server)).filter(isBehindLogin());
  });
  afterAll(() => here.stage.close());

  /** By its certificate. */
  const verified = (): Arrival['options'] => ({
    encrypt: true,
    trustServerCertificate: false,
    serverName: 'localhost',
    cryptoCredentialsDetails: { ca: here.stage.caPem },
  });

  async function refusal(arrival: Omit<Arrival, 'server'>): Promise<readonly string[]> {
    const visitor = await Visitor.arrive({ server: here.proxied, ...arrival });
    await visitor.end();
    expect(visitor.lines).not.toContain('let in');
    return visitor.lines;
  }

  const token = (): Promise<string> =>
    new Signer({
      hostname: 'localhost',
      ...{ port: here.stage.port, username: here.server.user, region: REGION, credentials: key },
    }).getAuthToken();

  test('in clear but for the login', async () => {
    if (requireTls) {
      const [line] = await refusal({ options: { encrypt: false } });
      expect(line).toContain('Server requires encryption');
      return;
    }
    const lines = await perform({ script: introduces }, here.proxied);
    expect(differences(plain, lines.filter(isBehindLogin()))).toEqual([]);
  });

  test.each([
    ['by TLS in packets', { encrypt: true }],
    ['by TLS that comes first', { encrypt: 'strict' }],
  ] as const)('TD-13: %s', async (_, how) => {
    const options = { ...verified(), ...how };
    const lines = await perform({ script: introduces, options }, here.proxied);
    expect(differences(plain, lines.filter(isBehindLogin()))).toEqual([]);
  });

  test.each([
    ['a password', { password: 'not the password' }],
    ['the name of a user', { user: 'Nobody' }],
  ])('the wrong one is refused: %s', async (_, wrong) => {
    const server = { ...here.proxied, ...wrong };
    const visitor = await Visitor.arrive({ server, options: verified() });
    await visitor.end();
    expect(visitor.lines[0]).toContain('"number":18456');
    expect(visitor.lines.at(-1)).toBe(`refused: ELOGIN Login failed for user '${server.user}'.`);
  });

  test('TD-35: the name of a user is looked at letter by letter', async () => {
    const user = here.server.user.toUpperCase();
    const visitor = await Visitor.arrive({
      server: { ...here.proxied, user },
      options: verified(),
    });
    await visitor.end();
    expect(visitor.lines.at(-1)).toBe(`refused: ELOGIN Login failed for user '${user}'.`);
  });

  test('an IAM token, as an access token and as a password', async () => {
    const authentications = [
      { type: 'azure-active-directory-access-token', options: { token: await token() } },
      { type: 'default', options: { userName: here.server.user, password: await token() } },
    ] as const;
    for (const authentication of authentications)
      for (const encrypt of [true, 'strict'] as const) {
        const options = { ...verified(), encrypt };
        const visitor = await Visitor.arrive({ server: here.proxied, options, authentication });
        expect(visitor.lines).toContain('let in');
        expect(await visitor.value('SELECT SUSER_NAME()')).toBe(here.server.user);
        await visitor.end();
      }
  });

  test('an IAM token is refused where it was changed, and in clear', async () => {
    const changed = (await token()).replace(/.$/, (last) => (last === '0' ? '1' : '0'));
    const login = { userName: here.server.user, password: changed };
    const authentication = { type: 'default', options: login } as const;
    const lines = await refusal({ options: verified(), authentication });
    expect(lines.at(-1)).toContain('Login failed for user');
    if (requireTls) return;
    const password = await token();
    const clear = { type: 'default', options: { ...login, password } } as const;
    expect(
      (await refusal({ options: { encrypt: false }, authentication: clear })).at(-1),
    ).toContain('IAM authentication is allowed only with SSL connections.');
    expect(JSON.stringify(here.stage.sluice.logs())).not.toContain(password.slice(-20));
  });

  test('nothing is left behind', () => expectNothingLeft(here));
});

/** What is heard when the login is over, which differs by nature. */
function isBehindLogin(): (line: string) => boolean {
  let isBehind = false;
  return (line) => (isBehind ||= line === 'let in');
}
