import { afterAll, beforeAll, describe, expect, test } from 'bun:test';
import * as Iam from '@aws-sdk/client-iam';
import {
  AssumeRoleCommand,
  GetCallerIdentityCommand,
  GetSessionTokenCommand,
} from '@aws-sdk/client-sts';
import type { AssumeRoleCommandInput } from '@aws-sdk/client-sts';
import { systemClock } from '../../../src/base/clock.ts';
import type { Credentials } from '../../support/api.ts';
import { TEST_ACCOUNT } from '../../support/api.ts';
import { errorOf, openIam } from './iam-stage.ts';

const user = (name: string) => `arn:aws:iam::${TEST_ACCOUNT}:user/${name}`;
const role = (name: string) => `arn:aws:iam::${TEST_ACCOUNT}:role/team/${name}`;

let laterMs = 0;
let stage: ReturnType<typeof openIam>;
beforeAll(() => {
  const wallMs = () => systemClock.wallMs() + laterMs;
  stage = openIam({ clock: { ...systemClock, wallMs } });
});
afterAll(async () => {
  expect(stage.api.failures).toEqual([]);
  await stage.close();
});

async function makeUser(UserName: string, ...statements: readonly object[]): Promise<Credentials> {
  const iam = stage.iam();
  await iam.send(new Iam.CreateUserCommand({ UserName }));
  if (statements.length > 0)
    await iam.send(
      new Iam.PutUserPolicyCommand({
        UserName,
        PolicyName: 'p',
        PolicyDocument: JSON.stringify({ Statement: statements }),
      }),
    );
  const { AccessKey } = await iam.send(new Iam.CreateAccessKeyCommand({ UserName }));
  return {
    accessKeyId: AccessKey!.AccessKeyId!,
    secretAccessKey: AccessKey!.SecretAccessKey!,
  };
}

async function makeRole(RoleName: string, Principal: unknown): Promise<void> {
  const iam = stage.iam();
  const statement = { Effect: 'Allow', Principal, Action: 'sts:AssumeRole' };
  const AssumeRolePolicyDocument = JSON.stringify({ Statement: statement });
  await iam.send(new Iam.CreateRoleCommand({ RoleName, Path: '/team/', AssumeRolePolicyDocument }));
  const allow = { Effect: 'Allow', Action: ['iam:ListUsers', 'sts:*'], Resource: '*' };
  await iam.send(
    new Iam.PutRolePolicyCommand({
      RoleName,
      PolicyName: 'p',
      PolicyDocument: JSON.stringify({ Statement: allow }),
    }),
  );
}

const assume = (who: Credentials, name: string, more: Partial<AssumeRoleCommandInput> = {}) =>
  stage
    .sts(who)
    .send(new AssumeRoleCommand({ RoleArn: role(name), RoleSessionName: 'build', ...more }));

async function session(who: Credentials, name: string): Promise<Credentials> {
  const { Credentials: made } = await assume(who, name);
  return {
    accessKeyId: made!.AccessKeyId!,
    secretAccessKey: made!.SecretAccessKey!,
    sessionToken: made!.SessionToken!,
  };
}

describe('whoever is named by a role', () => {
  test('assumes it, and signs with what they get until it expires', async () => {
    const alice = await makeUser('alice');
    await makeRole('named', { AWS: user('alice') });
    const answer = await assume(alice, 'named', { DurationSeconds: 900, ExternalId: 'x-1' });
    expect(answer.AssumedRoleUser).toEqual({
      AssumedRoleId: expect.stringMatching(/^AROA[A-Z2-7]{17}:build$/),
      Arn: `arn:aws:sts::${TEST_ACCOUNT}:assumed-role/named/build`,
    });
    const { AccessKeyId, SecretAccessKey, SessionToken, Expiration } = answer.Credentials!;
    expect(AccessKeyId).toMatch(/^ASIA[A-Z2-7]{16}$/);
    expect(SessionToken!.length).toBeGreaterThan(200);
    expect(Expiration!.getTime()).toBeGreaterThan(systemClock.wallMs() + 800_000);
    const credentials = {
      accessKeyId: AccessKeyId!,
      secretAccessKey: SecretAccessKey!,
      sessionToken: SessionToken!,
    };
    const whoAmI = await stage.sts(credentials).send(new GetCallerIdentityCommand({}));
    expect(whoAmI).toMatchObject({
      Account: TEST_ACCOUNT,
      Arn: answer.AssumedRoleUser!.Arn!,
      UserId: answer.AssumedRoleUser!.AssumedRoleId!,
    });
    await stage.iam(credentials).send(new Iam.ListUsersCommand({}));
    const denied = stage.iam(credentials).send(new Iam.ListRolesCommand({}));
    expect(await errorOf(denied)).toMatch(/^403 AccessDenied.*assumed-role\/named\/build/);
    const { sessionToken: _token, ...bare } = credentials;
    const withoutToken = stage.sts(bare).send(new GetCallerIdentityCommand({}));
    expect(await errorOf(withoutToken)).toStartWith('403 ');
    laterMs = 901_000;
    const sts = stage.sts(credentials);
    sts.config.systemClockOffset = laterMs;
    expect(await errorOf(sts.send(new GetCallerIdentityCommand({})))).toContain('ExpiredToken');
    laterMs = 0;
  });

  test('is kept out by a Deny of their own', async () => {
    const deny = { Effect: 'Deny', Action: 'sts:AssumeRole', Resource: '*' };
    const denied = await makeUser('denied', deny);
    await makeRole('open', { AWS: '*' });
    expect(await errorOf(assume(denied, 'open'))).toMatch(/^403 AccessDenied/);
  });

  test('is nobody once the role is deleted', async () => {
    const gone = await makeUser('gone');
    await makeRole('gone', { AWS: user('gone') });
    const credentials = await session(gone, 'gone');
    const name = { RoleName: 'gone' };
    await stage.iam().send(new Iam.DeleteRolePolicyCommand({ ...name, PolicyName: 'p' }));
    await stage.iam().send(new Iam.DeleteRoleCommand(name));
    const call = stage.sts(credentials).send(new GetCallerIdentityCommand({}));
    expect(await errorOf(call)).toContain('InvalidClientTokenId');
  });
});

describe('a user', () => {
  const sessionOf = async (who: Credentials): Promise<Credentials> => {
    const { Credentials: made } = await stage
      .sts(who)
      .send(new GetSessionTokenCommand({ DurationSeconds: 900 }));
    return {
      accessKeyId: made!.AccessKeyId!,
      secretAccessKey: made!.SecretAccessKey!,
      sessionToken: made!.SessionToken!,
    };
  };

  test('gets temporary credentials, which may do as much, but for what takes a second factor', async () => {
    const dora = await makeUser('dora', { Effect: 'Allow', Action: '*', Resource: '*' });
    const temporary = await sessionOf(dora);
    expect(temporary.accessKeyId).toStartWith('ASIA');
    const whoAmI = await stage.sts(temporary).send(new GetCallerIdentityCommand({}));
    expect(whoAmI).toMatchObject({
      Arn: user('dora'),
      UserId: expect.stringMatching(/^AIDA/),
    });
    await makeRole('dora', { AWS: user('dora') });
    await assume(temporary, 'dora');
    await stage.iam(dora).send(new Iam.ListUsersCommand({}));
    const denied = stage.iam(temporary).send(new Iam.ListUsersCommand({}));
    expect(await errorOf(denied)).toMatch(/^403 AccessDenied.*explicit deny/);
    expect(await errorOf(sessionOf(temporary))).toBe(
      '403 AccessDenied: Cannot call GetSessionToken with session credentials',
    );
  });

  test('who is deleted has none any more', async () => {
    const emil = await makeUser('emil');
    const temporary = await sessionOf(emil);
    const iam = stage.iam();
    const { accessKeyId: AccessKeyId } = emil;
    await iam.send(new Iam.DeleteAccessKeyCommand({ UserName: 'emil', AccessKeyId }));
    await iam.send(new Iam.DeleteUserCommand({ UserName: 'emil' }));
    const call = stage.sts(temporary).send(new GetCallerIdentityCommand({}));
    expect(await errorOf(call)).toContain('InvalidClientTokenId');
  });
});

test('where a role names the account, the caller’s own policies decide', async () => {
  await makeRole('account', { AWS: `arn:aws:iam::${TEST_ACCOUNT}:root` });
  const may = await makeUser('may', {
    Effect: 'Allow',
    Action: 'sts:AssumeRole',
    Resource: role('account'),
  });
  const mayNot = await makeUser('maynot');
  await assume(may, 'account');
  expect(await errorOf(assume(mayNot, 'account'))).toStartWith(
    `403 AccessDenied: User: ${user('maynot')} is not authorized to perform: sts:AssumeRole on resource: ${role('account')}`,
  );
});

test('not even an administrator assumes a role that does not trust them, or is not there', async () => {
  await makeRole('rds', { Service: 'rds.amazonaws.com' });
  for (const name of ['rds', 'none'])
    expect(await errorOf(assume(stage.api.credentials, name))).toMatch(
      /^403 AccessDenied: User: .* is not authorized to perform: sts:AssumeRole on resource: /,
    );
});

test('a session of a role assumes another, for an hour at most', async () => {
  const first = await makeUser('first');
  await makeRole('outer', { AWS: user('first') });
  await makeRole('inner', { AWS: role('outer') });
  const inner = { RoleName: 'inner', MaxSessionDuration: 7_200 };
  await stage.iam().send(new Iam.UpdateRoleCommand(inner));
  const credentials = await session(first, 'outer');
  await assume(credentials, 'inner', { DurationSeconds: 3_600 });
  expect(await errorOf(assume(credentials, 'inner', { DurationSeconds: 7_200 }))).toContain(
    '400 ValidationError: The requested DurationSeconds exceeds the 1 hour session limit',
  );
});

test.each([
  [{ DurationSeconds: 899 }, 'must be a number from 900 to 43200'],
  [{ DurationSeconds: 3_601 }, 'exceeds the MaxSessionDuration set for this role'],
  [{ RoleSessionName: 'a b' }, 'The specified value for roleSessionName is invalid'],
  [{ Policy: '{}' }, 'is not supported: a session may do what its role may do'],
  [{ Tags: [{ Key: 'a', Value: 'b' }] }, 'is not supported'],
])('a role is not assumed with %p', async (more, message) => {
  const failure = await errorOf(assume(stage.api.credentials, 'open', more));
  expect(failure).toMatch(/^400 ValidationError/);
  expect(failure).toContain(message);
});
