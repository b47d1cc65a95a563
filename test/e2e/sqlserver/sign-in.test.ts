import { Signer } from '@aws-sdk/rds-signer';
import { afterAll, beforeAll, describe, expect, test } from 'bun:test';
import { makeCertificate } from '../../support/certificates.ts';
import type { Sluice } from '../../support/sluice.ts';
import { startSluice } from '../../support/sluice.ts';
import type { TdsLogin } from '../../support/tds-client.ts';
import { TdsClient, TdsRefusal } from '../../support/tds-client.ts';
import type { ServerOptions } from '../../support/tds-server/server.ts';
import { TdsServer } from '../../support/tds-server/server.ts';

const certificate = makeCertificate('RSA with SHA-256');
const PASSWORD = 'Secret-1 ünd more';
const users = { app: PASSWORD, both: PASSWORD, token: PASSWORD };

/** Databases by what they say of encryption, and a proxy for each way to reach them. */
const kinds = {
  none: { encrypt: 'none' },
  off: { encrypt: 'off' },
  unasked: { encrypt: 'off' },
  required: { encrypt: 'required' },
  strict: { encrypt: 'strict' },
  sending: { encrypt: 'off' },
} as const satisfies Record<string, ServerOptions>;

type Kind = keyof typeof kinds;

interface Way {
  readonly kind: Kind;
  readonly tls: string;
  readonly tlsFirst?: true;
}

const ways = {
  plain: { kind: 'none', tls: 'prefer' },
  disabled: { kind: 'unasked', tls: 'disable' },
  preferred: { kind: 'off', tls: 'prefer' },
  required: { kind: 'required', tls: 'require' },
  verified: { kind: 'required', tls: 'verify-full' },
  strict: { kind: 'strict', tls: 'verify-full', tlsFirst: true },
  sent: { kind: 'sending', tls: 'verify-full' },
  cannot: { kind: 'none', tls: 'require' },
  mayNot: { kind: 'required', tls: 'disable' },
} as const satisfies Record<string, Way>;

const guarded = 'guarded';

let sluice: Sluice;
const servers = new Map<Kind, TdsServer>();

beforeAll(async () => {
  for (const [kind, options] of Object.entries(kinds) as [Kind, ServerOptions][]) {
    const server = new TdsServer({ ...options, certificate, users, databases: ['shop'] });
    await server.listen();
    servers.set(kind, server);
  }
  const secrets = Object.entries(users).map(([username, password]) => ({
    name: username,
    value: { username, password },
  }));
  const proxy = (name: string, target: string) => ({
    name,
    engineFamily: 'SQLSERVER',
    listen: '127.0.0.1:0',
    hostnames: ['localhost'],
    tls: { certFile: 'cert.pem', keyFile: 'key.pem' },
    auth: [
      { secret: 'app' },
      { secret: 'both', iamAuth: 'ENABLED' },
      { secret: 'token', iamAuth: 'REQUIRED' },
    ],
    target,
    pool: { maxConnectionsPercent: 100 },
  });
  const settings = {
    region: 'eu-central-1',
    account: '123456789012',
    principals: [
      {
        accessKeyId: 'AKIATEST',
        secretAccessKey: 'secret',
        policy: {
          Version: '2012-10-17',
          Statement: [{ Effect: 'Allow', Action: 'rds-db:connect', Resource: '*' }],
        },
      },
    ],
    secrets,
    databases: Object.entries(ways).map(([identifier, way]: [string, Way]) => ({
      identifier,
      engine: 'sqlserver',
      host: 'localhost',
      port: servers.get(way.kind)?.port,
      tls: way.tls,
      tlsFirst: way.tlsFirst === true,
      tlsCaFile: 'cert.pem',
    })),
    proxies: [
      ...Object.keys(ways).map((name) => proxy(name, name)),
      { ...proxy(guarded, 'preferred'), requireTls: true },
    ],
  };
  sluice = await startSluice(settings, {
    files: { 'cert.pem': certificate.certPem, 'key.pem': certificate.keyPem },
  });
}, 60_000);

afterAll(async () => {
  expect(sluice.logs('bug')).toEqual([]);
  await sluice.stop();
  for (const server of servers.values()) {
    expect(server.offences).toEqual([]);
    expect(server.failures).toEqual([]);
    await server.stop();
  }
});

function signIn(
  proxy: string,
  options: TdsLogin['options'] = {},
  login: Partial<TdsLogin> = {},
): Promise<TdsClient> {
  return TdsClient.signIn({
    port: sluice.endpoint(proxy).port,
    user: 'app',
    password: PASSWORD,
    options: { cryptoCredentialsDetails: { ca: certificate.certPem }, ...options },
    ...login,
  });
}

async function refusal(signingIn: Promise<TdsClient>): Promise<TdsRefusal> {
  try {
    await (await signingIn).end();
  } catch (error) {
    if (error instanceof TdsRefusal) return error;
    throw error;
  }
  throw new Error('it was let in');
}

function isEncrypted(kind: Kind): boolean {
  const session = servers
    .get(kind)
    ?.sessions()
    .find(({ userName }) => userName === 'app');
  return session?.isEncrypted === true;
}

const clients = [
  ['in clear but for the login', { encrypt: false }],
  ['by TLS in packets', { encrypt: true, trustServerCertificate: false }],
  ['by TLS that comes first', { encrypt: 'strict', trustServerCertificate: false }],
] as const;

describe.each(['plain', 'disabled', 'preferred', 'required', 'verified', 'strict'] as const)(
  'TD-12, TD-13: towards a database that is reached: %s',
  (way) => {
    test.each(clients)('a client comes %s', async (_, options) => {
      const client = await signIn(way, options);
      expect(await client.value("SELECT 'ä' + CAST(1 AS nvarchar)")).toBe('ä1');
      expect(isEncrypted(ways[way].kind)).toBe(!['plain', 'disabled'].includes(way));
      await client.end();
    });
  },
);

describe('TD-14: nobody is silently without TLS', () => {
  test.each([
    ['cannot', 'the database does not offer TLS, which its settings require'],
    ['mayNot', 'the database requires TLS, which its settings switch off'],
  ] as const)('%s', async (way, why) => {
    await sluice.waitForLog(
      ({ event, proxy, detail }) =>
        event === 'targetHealth' && proxy === way && String(detail).includes(why),
    );
  });

  test('a proxy that requires it has it, and says so to whoever has none', async () => {
    const client = await signIn(guarded, { encrypt: true });
    expect(await client.value('SELECT 1')).toBe('1');
    await client.end();
    expect((await refusal(signIn(guarded, { encrypt: false }))).message).toContain(
      'Server requires encryption',
    );
  });
});

describe('a login', () => {
  test.each(['7_1', '7_2', '7_3_A', '7_3_B', '7_4'])('TD-15: of TDS %s', async (tdsVersion) => {
    const client = await signIn('preferred', { tdsVersion });
    expect(await client.value('SELECT 1')).toBe('1');
    await client.end();
  });

  test.each([512, 4_096, 32_767])('TD-16: with packets of %d bytes', async (packetSize) => {
    const client = await signIn('preferred', { packetSize });
    const text = 'x'.repeat(20_000);
    expect(await client.value(`SELECT '${text}'`)).toBe(text);
    await client.end();
  });

  test('names a database', async () => {
    const client = await signIn('preferred', { database: 'shop' });
    expect(client.changes).toContain('database shop');
    expect(await client.value('SELECT DB_NAME()')).toBe('shop');
    await client.end();
  });

  test('names one that is not there, and hears the database', async () => {
    const { said } = await refusal(signIn('preferred', { database: 'nope' }));
    expect(said[0]).toStartWith('4060 Cannot open database "nope"');
    expect(said.at(-1)).toStartWith('18456 Login failed');
  });

  test.each([
    ['the wrong password', 'app', 'nope'],
    ['another name', 'App', PASSWORD],
    ['a password in place of a token', 'token', PASSWORD],
  ])('has %s', async (_, user, password) => {
    const options = { encrypt: true };
    const { said } = await refusal(signIn('preferred', options, { user, password }));
    expect(said).toEqual([`18456 Login failed for user '${user}'.`]);
  });
});

describe('IAM tokens', () => {
  const tokenFor = (username: string): Promise<string> =>
    new Signer({
      hostname: 'localhost',
      port: sluice.endpoint('preferred').port,
      username,
      region: 'eu-central-1',
      credentials: { accessKeyId: 'AKIATEST', secretAccessKey: 'secret' },
    }).getAuthToken();

  test.each([
    ['by TLS in packets', { encrypt: true }],
    ['by TLS that comes first', { encrypt: 'strict', trustServerCertificate: false }],
  ] as const)('come as access tokens and as passwords, %s', async (_, options) => {
    for (const user of ['token', 'both']) {
      const token = await tokenFor(user);
      for (const login of [{ token }, { user, password: token }]) {
        const client = await signIn('preferred', options, login);
        expect(await client.value('SELECT SUSER_NAME()')).toBe(user);
        await client.end();
      }
    }
    const client = await signIn('preferred', options, { user: 'both' });
    await client.end();
  });

  test('are refused where they are not good, or not asked for', async () => {
    const options = { encrypt: true };
    const token = (await tokenFor('token')).replace('DBUser=token', 'DBUser=both');
    expect((await refusal(signIn('preferred', options, { token }))).said).toEqual([
      "18456 Login failed for user 'both'.",
    ]);
    expect(
      (await refusal(signIn('preferred', options, { token: await tokenFor('app') }))).said,
    ).toEqual(["18456 Login failed for user 'app'."]);
  });

  test('are not taken in clear', async () => {
    const login = { user: 'token', password: await tokenFor('token') };
    expect((await refusal(signIn('preferred', {}, login))).said).toEqual([
      '18456 IAM authentication is allowed only with SSL connections.',
    ]);
  });
});

test('TD-27: a database that sends connections on is followed, and nobody hears where', async () => {
  const [from, to] = [servers.get('sending'), servers.get('required')];
  if (from === undefined || to === undefined) throw new Error('there is no such server');
  const before = await signIn('sent');
  await before.end();
  from.route = { host: 'localhost', port: to.port, isOfReaders: true };
  const client = await signIn('sent', { database: 'shop', readOnlyIntent: true });
  expect(await client.value('SELECT DB_NAME()')).toBe('shop');
  expect(to.sessions().some(({ database }) => database === 'shop')).toBe(true);
  expect([...client.infos, ...client.changes].join()).not.toContain('localhost');
  await client.end();
  const writer = await signIn('sent', { database: 'shop' });
  expect(from.sessions().some(({ database }) => database === 'shop')).toBe(true);
  await writer.end();
});

test('TD-28: integrated security is refused in clear words', async () => {
  const options = { encrypt: true };
  const { port } = sluice.endpoint('preferred');
  const { said } = await refusal(
    TdsClient.signIn({ port, user: 'app', password: PASSWORD, domain: 'AD', options }),
  );
  expect(said[0]).toStartWith('40510 Feature not supported: Windows authentication.');
});
