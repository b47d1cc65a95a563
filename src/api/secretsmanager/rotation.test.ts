import { describe, expect, test } from 'bun:test';
import type { Input } from '../service.ts';
import { ApiError } from '../api-error.ts';
import { DAY_MS, openService, START_MS, tokenOf } from './fixture.test-support.ts';
import type { PasswordChange, Rotator } from './rotator.ts';
import { outcomeOf } from '../../../test/support/outcome.ts';

const SecretId = 'app';
const HOUR_MS = 3_600_000;
const server = { engine: 'postgres', host: 'db.internal', port: 5432 };
const LAMBDA = 'arn:aws:lambda:eu-west-1:123456789012:function:Sluice';

/** A database server with users, that can be out of order. */
class FakeDatabase implements Rotator {
  readonly users = new Map([
    ['app', 'old'],
    ['root', 'root-password'],
  ]);
  readonly changes: PasswordChange[] = [];
  readonly failing = { setPassword: false, test: false };
  tests = 0;
  /** Called before a password is set. */
  meanwhile: () => unknown = () => {};

  async setPassword(change: PasswordChange): Promise<void> {
    this.changes.push(change);
    await Promise.resolve();
    this.meanwhile();
    if (this.failing.setPassword) throw new Error('the database is away');
    const isIn = ({ username, password }: PasswordChange['signInAs'][0]) =>
      this.users.get(username) === password.reveal();
    if (!change.signInAs.some(isIn)) throw new Error('nobody may sign in');
    this.users.set(change.username, change.password.reveal());
  }

  async test({ username, password }: Parameters<Rotator['test']>[0]): Promise<void> {
    this.tests += 1;
    if (this.failing.test || this.users.get(username) !== password.reveal())
      throw new Error('the password is wrong');
  }
}

const login = (username: string, password: string, more: object = {}) =>
  JSON.stringify({ ...server, username, password, ...more });

async function open(SecretString = login('app', 'old')) {
  const database = new FakeDatabase();
  const proxies = { hear: async (): Promise<void> => {} };
  const service = openService(database, () => proxies.hear());
  const create = (Name: string, value: string, number: number) =>
    service.ask('CreateSecret', {
      Name,
      SecretString: value,
      ClientRequestToken: tokenOf(number),
    });
  await create(SecretId, SecretString, 1_000);
  const value = async (VersionStage = 'AWSCURRENT') => {
    const read = await service.ask('GetSecretValue', { SecretId, VersionStage });
    return JSON.parse(String(read['SecretString']));
  };
  const rotate = async (more: Input = {}) => {
    const answer = await service.ask('RotateSecret', { SecretId, ...more });
    await service.rotations.settled();
    return answer;
  };
  const stages = async () =>
    (await service.ask('DescribeSecret', { SecretId }))['VersionIdsToStages'];
  return { ...service, database, proxies, create, value, rotate, stages };
}

const alternating = () => login('app', 'old', { masterarn: 'root' });

async function withMaster(master: object = {}, secret = alternating()) {
  const service = await open(secret);
  await service.create('root', login('root', 'root-password', master), 1_001);
  return service;
}

describe('the rotation of one user', () => {
  test('sets the new password once the proxies let clients in with it, and not before', async () => {
    const { ask, rotations, stages, database, proxies } = await open();
    const heard = Promise.withResolvers<void>();
    proxies.hear = () => heard.promise;
    await ask('RotateSecret', { SecretId, ClientRequestToken: tokenOf(2_000) });
    await Bun.sleep(1);
    expect(await stages()).toMatchObject({ [tokenOf(2_000)]: ['AWSPENDING'] });
    expect(database.changes).toEqual([]);
    heard.resolve();
    await rotations.settled();
    expect(database.changes).toHaveLength(1);
    expect(await stages()).toMatchObject({ [tokenOf(2_000)]: ['AWSCURRENT'] });
  });

  test('sets a new password by the old one, and makes it current', async () => {
    const { rotate, value, stages, database, outcomes } = await open();
    const ClientRequestToken = tokenOf(2_000);
    expect(await rotate({ ClientRequestToken })).toMatchObject({ VersionId: ClientRequestToken });
    expect(outcomes).toMatchObject([{ versionId: ClientRequestToken, error: undefined }]);
    const { password, ...rest } = await value();
    expect(rest).toEqual({ ...server, username: 'app' });
    expect(password).toHaveLength(32);
    expect(database.users.get('app')).toBe(password);
    expect(await stages()).toEqual({
      [tokenOf(1_000)]: ['AWSPREVIOUS'],
      [ClientRequestToken]: ['AWSCURRENT'],
    });
    expect(database.changes).toMatchObject([
      {
        target: { engine: 'postgres', host: 'db.internal', port: '5432' },
        username: 'app',
        signInAs: [{ username: 'app' }],
      },
    ]);
    expect(database.changes[0]).not.toHaveProperty('cloneOf');
  });

  test('is told by DescribeSecret', async () => {
    const { ask, rotate, clock } = await open();
    clock.nowMs += 5;
    const RotationLambdaARN = `${LAMBDA}SingleUserRotation`;
    const RotationRules = { AutomaticallyAfterDays: 30, Duration: '3h' };
    await rotate({ RotationRules, RotationLambdaARN });
    expect(await ask('DescribeSecret', { SecretId })).toMatchObject({
      RotationEnabled: true,
      RotationLambdaARN,
      RotationRules,
      LastRotatedDate: new Date(START_MS + 5),
      NextRotationDate: new Date(START_MS + 5 + 30 * DAY_MS),
    });
  });

  test('that failed keeps its pending password, which the next attempt takes up', async () => {
    const { rotate, value, stages, database, outcomes } = await open();
    database.failing.setPassword = true;
    const { VersionId } = await rotate();
    expect(outcomes).toMatchObject([{ error: { message: 'the database is away' } }]);
    expect(await stages()).toEqual({
      [tokenOf(1_000)]: ['AWSCURRENT'],
      [String(VersionId)]: ['AWSPENDING'],
    });
    const { password } = await value('AWSPENDING');
    database.failing.setPassword = false;
    expect(await rotate()).toMatchObject({ VersionId });
    expect(await value()).toMatchObject({ password });
    expect(database.users.get('app')).toBe(password);
  });

  test('that was cut off behind the database is only finished', async () => {
    const { rotate, value, database, outcomes } = await open();
    database.failing.test = true;
    await rotate();
    expect(outcomes).toMatchObject([{ error: { message: 'the password is wrong' } }]);
    database.failing.test = false;
    await rotate();
    expect(database.changes).toHaveLength(1);
    expect(database.users.get('app')).toBe((await value()).password);
  });

  test('may sign in with the previous password', async () => {
    const { ask, rotate, database, outcomes } = await open();
    await ask('PutSecretValue', { SecretId, SecretString: login('app', 'never set') });
    await rotate();
    expect(outcomes).toMatchObject([{ error: undefined }]);
    expect(database.changes[0]?.signInAs.map(({ password }) => password.reveal())).toEqual([
      'never set',
      'old',
    ]);
  });

  test('under way is not begun again', async () => {
    const { ask, rotations, database } = await open();
    const ClientRequestToken = tokenOf(2_000);
    const first = await ask('RotateSecret', { SecretId, ClientRequestToken });
    expect(await ask('RotateSecret', { SecretId, ClientRequestToken })).toEqual(first);
    expect(await outcomeOf(ask('RotateSecret', { SecretId }))).toThrow(
      "A previous rotation isn't complete. That rotation will be reattempted.",
    );
    await rotations.settled();
    expect(database.changes).toHaveLength(1);
    expect(await ask('RotateSecret', { SecretId, ClientRequestToken })).toEqual(first);
    expect(database.changes).toHaveLength(1);
  });

  test('ends where it is cancelled, or the secret is deleted', async () => {
    for (const name of ['CancelRotateSecret', 'DeleteSecret']) {
      const { ask, rotate, database, outcomes, value } = await open();
      database.meanwhile = () => void ask(name, { SecretId });
      await rotate();
      expect(outcomes).toMatchObject([{ error: { message: 'The rotation was cancelled.' } }]);
      if (name === 'DeleteSecret') await ask('RestoreSecret', { SecretId });
      expect(await value()).toMatchObject({ password: 'old' });
    }
  });
});

describe('the rotation of alternating users', () => {
  test('makes a clone by the superuser, and goes back to the first in the next one', async () => {
    const { rotate, value, database } = await withMaster();
    await rotate();
    expect(database.changes).toMatchObject([
      { username: 'app_clone', cloneOf: 'app', signInAs: [{ username: 'root' }] },
    ]);
    expect(await value()).toMatchObject({ username: 'app_clone', masterarn: 'root' });
    expect(database.users.get('app_clone')).toBe((await value()).password);
    expect(database.users.get('app')).toBe('old');
    await rotate();
    expect(await value()).toMatchObject({ username: 'app' });
    expect(database.users.get('app')).toBe((await value()).password);
  });

  test('is for who may read the secret of the superuser', async () => {
    const { ask, asked, denied, secrets } = await withMaster();
    asked.length = 0;
    denied.add('secretsmanager:GetSecretValue');
    expect(await outcomeOf(ask('RotateSecret', { SecretId }))).toThrow('denied');
    expect(asked).toEqual([
      `secretsmanager:RotateSecret ${secrets.find(SecretId)?.arn}`,
      `secretsmanager:GetSecretValue ${secrets.find('root')?.arn}`,
    ]);
    expect(secrets.find(SecretId)?.rotation).toBeUndefined();
  });

  test('does not follow a secret that was changed to another user or superuser', async () => {
    for (const changed of [
      login('postgres_clone', 'x', { masterarn: 'root' }),
      login('app', 'old', { masterarn: 'other' }),
    ]) {
      const { ask, rotate, rotations, outcomes, database, create } = await withMaster();
      await create('other', login('other', 'p'), 1_002);
      await rotate({ RotateImmediately: false, RotationRules: { AutomaticallyAfterDays: 1 } });
      await ask('PutSecretValue', { SecretId, SecretString: changed });
      await rotations.runDue(START_MS + DAY_MS);
      expect(outcomes[0]?.error?.message).toContain('call RotateSecret again');
      expect(database.changes).toEqual([]);
    }
  });

  test.each([
    ['another host', { host: 'elsewhere' }, 'host must be the same'],
    ['no host', { host: undefined }, 'must be a JSON object with the texts engine, host'],
    ['another port', { port: 5433 }, 'port must be the same'],
  ])("sends no superuser's password to %s", async (_what, master, why) => {
    const { rotate, outcomes, database } = await withMaster(master);
    await rotate();
    expect(outcomes[0]?.error?.message).toContain(why);
    expect(database.changes).toEqual([]);
  });

  test('is not for names that become too long', async () => {
    const long = login('u'.repeat(27), 'p', { masterarn: 'root' });
    const { ask } = await withMaster({}, long);
    expect(await outcomeOf(ask('RotateSecret', { SecretId }))).toThrow('more than 32 characters');
  });

  test('is chosen by the function, where one is named', async () => {
    const { rotate, database } = await withMaster();
    await rotate({ RotationLambdaARN: `${LAMBDA}SingleUserRotation` });
    expect(database.changes).toMatchObject([{ username: 'app', signInAs: [{ username: 'app' }] }]);
    const { ask } = await open();
    expect(
      await outcomeOf(
        ask('RotateSecret', { SecretId, RotationLambdaARN: `${LAMBDA}AlternatingUsersRotation` }),
      ),
    ).toThrow('Alternating users need a superuser');
  });
});

describe('what cannot be rotated', () => {
  test.each([
    ['no JSON', 'hunter2', 'must be a JSON object'],
    ['an array', '["hunter2"]', 'must be a JSON object'],
    ['without a host', '{"engine":"x","username":"u","password":"hunter2"}', '(look at host)'],
    ['a number as password', login('u', '').replace('""', '12345'), '(look at password)'],
  ])('is refused, and not shown: %s', async (_what, secret, why) => {
    const { ask, stages } = await open(secret);
    const before = await stages();
    const error: unknown = await ask('RotateSecret', { SecretId }).catch((one: unknown) => one);
    expect(error).toBeInstanceOf(ApiError);
    expect(String(error)).toContain(why);
    expect(Bun.inspect(error)).not.toMatch(/hunter2|12345/);
    expect(await stages()).toEqual(before);
  });

  test.each([
    [{ RotationLambdaARN: 'arn:aws:lambda:x:123456789012:function:mine' }, 'runs no Lambda'],
    [{ RotationRules: { ScheduleExpression: 'cron(5 16 1,15 * ? *)' } }, 'minutes must be 0'],
    [{ RotationRules: { ScheduleExpression: 'at(2026-01-01)' } }, 'must be rate(N days)'],
    [{ RotationRules: { ScheduleExpression: 'rate(3 hours)' } }, 'at least 4 hours'],
    [{ RotationRules: { ScheduleExpression: 'rate(0 days)' } }, 'rate(N days)'],
    [
      { RotationRules: { AutomaticallyAfterDays: 1_001 } },
      "'rotationRules.automaticallyAfterDays'",
    ],
    [
      { RotationRules: { AutomaticallyAfterDays: 1, ScheduleExpression: 'rate(1 day)' } },
      'either AutomaticallyAfterDays or ScheduleExpression',
    ],
  ])('is refused by its rules (%#)', async (input, why) => {
    const { ask, secrets } = await open();
    expect(await outcomeOf(ask('RotateSecret', { SecretId, ...input }))).toThrow(why);
    expect(secrets.find(SecretId)?.rotation).toBeUndefined();
  });
});

describe('rotation by schedule', () => {
  test('is done when a cron expression says', async () => {
    const { rotate, rotations, outcomes, ask } = await open();
    // On the first of June, at noon.
    const RotationRules = { ScheduleExpression: 'cron(0 16 1,15 * ? *)', Duration: '2h' };
    await rotate({ RotationRules, RotateImmediately: false });
    const told = async (): Promise<unknown> =>
      (await ask('DescribeSecret', { SecretId }))['NextRotationDate'];
    expect(await told()).toEqual(new Date(START_MS + 4 * HOUR_MS));
    await rotations.runDue(START_MS + 4 * HOUR_MS);
    expect(outcomes).toHaveLength(1);
    expect(await told()).toEqual(new Date(Date.UTC(2026, 5, 15, 16)));
  });

  test('is done when it is due, and again an hour after it failed', async () => {
    const { rotate, rotations, database, outcomes, ask, value } = await open();
    const RotationRules = { ScheduleExpression: 'rate(4 hours)' };
    expect(await rotate({ RotationRules, RotateImmediately: false })).not.toHaveProperty(
      'VersionId',
    );
    await rotations.runDue(START_MS + 4 * HOUR_MS - 1);
    expect(outcomes).toEqual([]);
    database.failing.setPassword = true;
    const dueMs = START_MS + 4 * HOUR_MS;
    await rotations.runDue(dueMs);
    await rotations.runDue(dueMs + HOUR_MS - 1);
    expect(outcomes.map(({ error }) => error?.message)).toEqual(['the database is away']);
    database.failing.setPassword = false;
    await rotations.runDue(dueMs + HOUR_MS);
    expect(outcomes.at(-1)?.error).toBeUndefined();
    expect(database.users.get('app')).toBe((await value()).password);
    expect(await ask('DescribeSecret', { SecretId })).toMatchObject({
      LastRotatedDate: new Date(dueMs + HOUR_MS),
      NextRotationDate: new Date(dueMs + 5 * HOUR_MS),
    });
  });

  test('is not done once it is cancelled', async () => {
    const { rotate, rotations, ask, database } = await open();
    await rotate({ RotateImmediately: false, RotationRules: { AutomaticallyAfterDays: 1 } });
    await ask('CancelRotateSecret', { SecretId });
    await rotations.runDue(START_MS + 2 * DAY_MS);
    expect(database.changes).toEqual([]);
    expect(await ask('DescribeSecret', { SecretId })).toMatchObject({
      RotationEnabled: false,
      RotationRules: { AutomaticallyAfterDays: 1 },
    });
  });

  test('of a secret that is of no use is told, and does not stop the others', async () => {
    const { rotate, rotations, ask, create, outcomes } = await open();
    const rules = { RotateImmediately: false, RotationRules: { AutomaticallyAfterDays: 1 } };
    await rotate(rules);
    await create('second', login('app', 'old'), 1_005);
    await ask('RotateSecret', { ...rules, SecretId: 'second' });
    await ask('PutSecretValue', { SecretId, SecretString: 'nonsense' });
    await Promise.all([rotations.runDue(START_MS + DAY_MS), rotations.runDue(START_MS + DAY_MS)]);
    expect(outcomes.map(({ error }) => error === undefined)).toEqual([false, true]);
  });
});
