import { describe, expect, test } from 'bun:test';
import { Signer } from '@aws-sdk/rds-signer';
import { limits } from '../base/limits.ts';
import { SecretText } from '../base/secret-text.ts';
import { systemClock } from '../base/clock.ts';
import { parsePolicy } from '../iam/policy.ts';
import { Principals } from '../iam/principals.ts';
import { proxyId } from '../iam/proxy-id.ts';
import { DeclaredSecrets } from '../secrets/declared.ts';
import { CredentialBook } from './credentials.ts';
import { Keeper } from './keeper.ts';
import type { KeeperParts } from './keeper.ts';

const region = 'eu-west-1';
const account = '123456789012';
const id = proxyId(account, region, 'app');
const host = 'proxy.example.com';
const port = 5432;
const secretAccessKey = 'wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY';

const users = ['app', 'reader'];
const credentials = new CredentialBook({
  source: new DeclaredSecrets(
    users.map((username) => ({
      name: username,
      value: { username, password: new SecretText('database password') },
      file: undefined,
    })),
  ),
  auth: users.map((secret) => ({
    secret,
    iamAuth: 'REQUIRED',
    clientPasswordAuthType: 'POSTGRES_SCRAM_SHA_256',
    description: undefined,
  })),
  unknowable: new SecretText('nobody knows'),
  clock: systemClock,
  graceMs: 0,
  troubled: (problem) => expect.unreachable(problem),
});
await credentials.load();

function allowing(resource: string, effect = 'Allow'): unknown {
  return { Effect: effect, Action: 'rds-db:connect', Resource: resource };
}

const dbuser = `arn:aws:rds-db:${region}:${account}:dbuser:${id}`;
const policies: Readonly<Record<string, unknown>> = {
  AKIAEVERYONE: { Statement: allowing('*') },
  AKIAJUSTAPP: { Statement: allowing(`${dbuser}/app`) },
  AKIANOTREADER: { Statement: [allowing('*'), allowing(`${dbuser}/reader`, 'Deny')] },
  AKIAOTHERPROXY: {
    Statement: allowing(`arn:aws:rds-db:${region}:${account}:dbuser:prx-other/*`),
  },
  AKIANOTHING: { Statement: { Effect: 'Allow', Action: 's3:*', Resource: '*' } },
};
const principals = new Principals(
  Object.entries(policies).map(([accessKeyId, policy]) => ({
    accessKeyId,
    secretAccessKey: new SecretText(secretAccessKey),
    policy: parsePolicy(policy),
  })),
  account,
);

function keeper(parts: Partial<KeeperParts> = {}): Keeper {
  return new Keeper({
    credentials,
    keys: principals,
    region,
    account,
    proxyId: id,
    hostnames: ['localhost', host],
    port,
    requiresTls: true,
    saltKey: new Uint8Array(32).fill(7),
    clock: systemClock,
    ...parts,
  });
}

/** What the log would hear, `let in` for nothing. */
async function judge(
  accessKeyId: string,
  signed: { hostname?: string; port?: number; username?: string; region?: string } = {},
  asked: { user?: string; keeper?: Keeper; secret?: string } = {},
): Promise<string> {
  const user = asked.user ?? 'app';
  const signer = new Signer({
    hostname: host,
    port,
    username: user,
    region,
    credentials: { accessKeyId, secretAccessKey: asked.secret ?? secretAccessKey },
    ...signed,
  });
  const token = await signer.getAuthToken();
  const verdict = await (asked.keeper ?? keeper()).checkToken(user, new SecretText(token));
  if (verdict.ok) return 'let in';
  expect(verdict.why).not.toContain(/X-Amz-Signature=(\w+)/.exec(token)?.[1] ?? '?');
  return verdict.why;
}

describe('a token', () => {
  test('lets in whom the policy allows', async () => {
    expect(await judge('AKIAEVERYONE')).toBe('let in');
    expect(await judge('AKIAJUSTAPP')).toBe('let in');
    expect(await judge('AKIANOTREADER')).toBe('let in');
    expect(await judge('AKIAEVERYONE', { hostname: 'localhost' })).toBe('let in');
  });

  test('keeps out whom the policy does not allow, and names what it would need', async () => {
    const denied = (key: string, user: string): string =>
      `The policy of access key ${key} does not allow rds-db:connect on ${dbuser}/${user}`;
    for (const key of ['AKIAOTHERPROXY', 'AKIANOTHING'])
      expect(await judge(key)).toBe(denied(key, 'app'));
    for (const key of ['AKIAJUSTAPP', 'AKIANOTREADER'])
      expect(await judge(key, {}, { user: 'reader' })).toBe(denied(key, 'reader'));
    expect(await judge('AKIAEVERYONE', {}, { user: 'reader' })).toBe('let in');
  });

  test.each([
    ['another port', { port: 5433 }, 'for another port than 5432'],
    ['another host', { hostname: 'db.example.com' }, 'for another host than localhost, proxy'],
    ['another region', { region: 'us-east-1' }, 'for another region than eu-west-1'],
    ['another user', { username: 'reader' }, 'for another database user'],
  ])('for %s keeps out', async (_what, signed, why) => {
    const reason = await judge('AKIAEVERYONE', signed);
    expect(reason).toStartWith('The token was refused: ');
    expect(reason).toContain(why);
  });

  test('is held to the port where the proxy really listens', async () => {
    const elsewhere = keeper({ port: 6000 });
    expect(await judge('AKIAEVERYONE', {}, { keeper: elsewhere })).toContain(
      'another port than 6000',
    );
    expect(await judge('AKIAEVERYONE', { port: 6000 }, { keeper: elsewhere })).toBe('let in');
  });

  test('of a stranger, with a wrong key or of no sense keeps out', async () => {
    expect(await judge('AKIASTRANGER')).toBe('The token was refused: its access key is unknown');
    expect(await judge('AKIAEVERYONE', {}, { secret: 'guess' })).toContain(
      'its signature does not fit',
    );
    expect(await keeper().checkToken('app', new SecretText('a password'))).toMatchObject({
      ok: false,
    });
    expect(await keeper().checkToken('app', new SecretText(''))).toMatchObject({ ok: false });
  });

  test('in order, for a user of whom the proxy has no secret, keeps out', async () => {
    expect(await judge('AKIAEVERYONE', {}, { user: 'nobody' })).toBe(
      'This RDS proxy has no credentials for the role nobody. Check the credentials for this role and try again.',
    );
  });

  test('does not live longer than it says', async () => {
    const later = { ...systemClock, wallMs: () => systemClock.wallMs() + 16 * 60_000 };
    expect(await judge('AKIAEVERYONE', {}, { keeper: keeper({ clock: later }) })).toContain(
      'it expired',
    );
  });
});

describe('a salt', () => {
  const salt = (of: Keeper, user: string, count = 16): string =>
    Buffer.from(of.salt(user, count)).toString('hex');

  test('PG-103: is the same each time for each user, known or not, and another for every user', () => {
    const names = ['app', 'reader', 'nobody', 'Nobody', '', 'x'.repeat(1_000)];
    const salts = names.map((name) => salt(keeper(), name));
    expect(names.map((name) => salt(keeper(), name))).toEqual(salts);
    expect(new Set(salts).size).toBe(names.length);
  });

  test('is remembered for as many users as the limit says, and the same when it is made again', () => {
    const { value: most } = limits.knownSalts;
    const one = keeper();
    const first = one.salt('app', 16);
    expect(one.salt('app', 16)).toBe(first);
    expect(one.salt('app', 4)).toEqual(first.slice(0, 4));
    for (let number = 0; number < most; number += 1) one.salt(`user${number}`, 16);
    expect(one.salt('app', 16)).not.toBe(first);
    expect(one.salt('app', 16)).toEqual(first);
  });

  test('depends on the key behind it, and has the length that was asked for', () => {
    const other = keeper({ saltKey: new Uint8Array(32).fill(8) });
    expect(salt(other, 'app')).not.toBe(salt(keeper(), 'app'));
    for (const count of [4, 16, 32]) expect(keeper().salt('app', count).length).toBe(count);
  });
});

describe('a keeper', () => {
  test('tells what its proxy asks for', () => {
    expect(keeper()).toMatchObject({ offersTls: true, requiresTls: true });
    expect(keeper({ requiresTls: false }).requiresTls).toBe(false);
    expect(keeper().rule('app')).toEqual({ kind: 'token' });
  });
});

test('a password is told from a token where the user has no secret', async () => {
  const tokens = { watchUser: 'app', current: async () => new SecretText('t') };
  const book = new CredentialBook({
    ...{ source: new DeclaredSecrets([]), auth: [], tokens },
    ...{ unknowable: new SecretText('?'), clock: systemClock, graceMs: 0, troubled: () => {} },
  });
  const one = keeper({ credentials: book });
  expect(one.rule('anybody')).toEqual({ kind: 'token' });
  expect(await one.checkToken('anybody', new SecretText('a password'))).toMatchObject({
    ok: false,
    fault: 'iamExpected',
  });
  const token = `${host}:${port}/?Action=connect&DBUser=anybody&X-Amz-Credential=x`;
  expect(await one.checkToken('anybody', new SecretText(token))).toEqual({
    ok: false,
    why: expect.stringContaining('The token was refused'),
  });
});
