import { describe, expect, test } from 'bun:test';
import fc from 'fast-check';
import { ApiError } from '../api-error.ts';
import { DAY_MS, openService, START_MS, tokenOf } from './fixture.test-support.ts';

const PREFIX = 'arn:aws:secretsmanager:eu-west-1:123456789012:secret:';
const SecretId = 'app/db';

async function withSecret(more: Record<string, unknown> = {}) {
  const service = openService();
  const { ARN } = await service.ask('CreateSecret', {
    Name: SecretId,
    SecretString: 'hunter2',
    ClientRequestToken: tokenOf(1_000),
    ...more,
  });
  service.asked.length = 0;
  return { ...service, arn: String(ARN) };
}

async function errorOf(work: Promise<unknown>): Promise<string> {
  const error: unknown = await work.catch((reason: unknown) => reason);
  expect(error).toBeInstanceOf(ApiError);
  const { code, message } = error as ApiError;
  return `${code}: ${message}`;
}

describe('permission', () => {
  const inputs: Readonly<Record<string, Record<string, unknown>>> = {
    PutSecretValue: { SecretString: 'x' },
    UpdateSecret: { SecretString: 'x' },
    UpdateSecretVersionStage: { VersionStage: 'X', MoveToVersionId: tokenOf(1_000) },
    PutResourcePolicy: { ResourcePolicy: '{"Statement":[]}' },
    ValidateResourcePolicy: { ResourcePolicy: '{"Statement":[]}' },
    TagResource: { Tags: [{ Key: 'a', Value: 'b' }] },
    UntagResource: { TagKeys: ['a'] },
    CreateSecret: { Name: SecretId },
    BatchGetSecretValue: { SecretIdList: [SecretId] },
  };
  const { operations } = openService();

  test.each(Object.keys(operations))('%s is asked about before anything is told', async (name) => {
    const { ask, denied, asked, arn, store } = await withSecret();
    const before = JSON.stringify(store.all('SELECT * FROM secrets'));
    denied.add(`secretsmanager:${name}`);
    for (const [id, resource] of [
      [SecretId, arn],
      ['unknown', `${PREFIX}unknown-??????`],
    ]) {
      asked.length = 0;
      const input = { SecretId: id, ...inputs[name] };
      expect(await errorOf(ask(name, input))).toBe('AccessDeniedException: denied');
      const general = ['ListSecrets', 'GetRandomPassword', 'BatchGetSecretValue'];
      const expected = general.includes(name) ? '*' : name === 'CreateSecret' ? arn : resource;
      expect(asked).toEqual([`secretsmanager:${name} ${expected}`]);
    }
    expect(JSON.stringify(store.all('SELECT * FROM secrets'))).toBe(before);
  });

  test('to create is asked about with the ARN that it gets, and tags for themselves', async () => {
    const { ask, asked } = openService();
    const { ARN } = await ask('CreateSecret', { Name: 'a', Tags: [{ Key: 'k', Value: 'v' }] });
    expect(asked).toEqual([
      `secretsmanager:CreateSecret ${ARN}`,
      `secretsmanager:TagResource ${ARN}`,
    ]);
  });

  test('of each secret is asked about in a batch, and what is refused is told apart', async () => {
    const { ask, asked, denied, arn } = await withSecret();
    const input = { SecretIdList: [SecretId, 'unknown'] };
    const { SecretValues, Errors } = await ask('BatchGetSecretValue', input);
    expect(SecretValues).toMatchObject([{ ARN: arn, SecretString: 'hunter2' }]);
    expect(Errors).toMatchObject([{ SecretId: 'unknown', ErrorCode: 'ResourceNotFoundException' }]);
    expect(asked.slice(1)).toEqual([
      `secretsmanager:GetSecretValue ${arn}`,
      `secretsmanager:GetSecretValue ${PREFIX}unknown-??????`,
    ]);
    denied.add('secretsmanager:GetSecretValue');
    expect(await ask('BatchGetSecretValue', input)).toMatchObject({
      SecretValues: [],
      Errors: [{ ErrorCode: 'AccessDeniedException' }, { ErrorCode: 'AccessDeniedException' }],
    });
    asked.length = 0;
    await ask('BatchGetSecretValue', { Filters: [{ Key: 'name', Values: ['app'] }] });
    expect(asked.slice(0, 2)).toEqual([
      'secretsmanager:BatchGetSecretValue *',
      'secretsmanager:ListSecrets *',
    ]);
  });

  test("regards the secret's own policy", async () => {
    const { ask, policies } = await withSecret();
    const statement = { Effect: 'Deny', Principal: '*', Action: '*', Resource: '*' };
    const ResourcePolicy = JSON.stringify({ Version: '2012-10-17', Statement: [statement] });
    await ask('PutResourcePolicy', { SecretId, ResourcePolicy });
    await ask('GetSecretValue', { SecretId });
    expect(policies.at(-1)?.statements).toHaveLength(1);
    expect(policies.at(-2)).toBeUndefined();
  });
});

describe('creation', () => {
  test('sent again is the same; with another value or token it is refused', async () => {
    const { ask, arn } = await withSecret();
    const again = { Name: SecretId, ClientRequestToken: tokenOf(1_000) };
    expect(await ask('CreateSecret', { ...again, SecretString: 'hunter2' })).toEqual({
      ARN: arn,
      Name: SecretId,
      VersionId: tokenOf(1_000),
    });
    for (const other of [{ SecretString: 'other' }, { SecretBinary: 'aHVudGVyMg==' }, {}])
      expect(await errorOf(ask('CreateSecret', { ...again, ...other }))).toBe(
        `ResourceExistsException: You can't use ClientRequestToken ${tokenOf(1_000)} because that value is already in use for a version of secret ${arn}.`,
      );
    expect(await errorOf(ask('CreateSecret', { Name: SecretId, SecretString: 'hunter2' }))).toBe(
      'ResourceExistsException: The operation failed because the secret app/db already exists.',
    );
  });

  test('of one without a value may be sent again, too', async () => {
    const { ask } = openService();
    const input = { Name: 'a', ClientRequestToken: tokenOf(5) };
    const { ARN, VersionId } = await ask('CreateSecret', input);
    expect(VersionId).toBeUndefined();
    expect(await ask('CreateSecret', input)).toMatchObject({ ARN });
    expect(await errorOf(ask('CreateSecret', { ...input, SecretString: 'x' }))).toStartWith(
      'ResourceExistsException',
    );
    expect(await errorOf(ask('GetSecretValue', { SecretId: 'a' }))).toBe(
      "ResourceNotFoundException: Secrets Manager can't find the specified secret value for staging label: AWSCURRENT",
    );
  });

  test.each([
    [{ Name: 'white space' }, 'ValidationException: Invalid name.'],
    [{ Name: 'new\nline' }, 'ValidationException: Invalid name.'],
    [{ Name: 'a'.repeat(513) }, "Value at 'name' failed to satisfy constraint"],
    [{ Name: undefined }, "Value at 'name' failed to satisfy constraint: Member must not be null"],
    [{ SecretString: '' }, 'InvalidParameterException: SecretString must have from 1'],
    [{ SecretString: 'ä'.repeat(32_769) }, 'InvalidParameterException: SecretString must have'],
    [{ SecretBinary: 'AAAA'.repeat(21_846) }, 'Exception'],
    [{ SecretBinary: 'no base64' }, "Value at 'secretBinary' failed"],
    [{ SecretString: 'x', SecretBinary: 'AAAA' }, "You can't specify both a binary"],
    [{ ClientRequestToken: 'short' }, "Value at 'clientRequestToken' failed"],
    [{ ClientRequestToken: undefined }, 'You must provide a ClientRequestToken value'],
    [{ AddReplicaRegions: [{ Region: 'us-east-1' }] }, 'AddReplicaRegions is not supported'],
    [{ Tags: [{ Key: 'aws:x', Value: '' }] }, 'begins with aws:'],
    [{ Tags: [0, 1].map(() => ({ Key: 'k', Value: '' })) }, 'k is given twice'],
    [
      { Tags: Array.from({ length: 51 }, (_, n) => ({ Key: `k${n}`, Value: '' })) },
      'LimitExceededException: A secret can have at most 50 tags.',
    ],
  ])('of something else is refused (%#)', async (input, why) => {
    const { ask, secrets } = openService();
    expect(await errorOf(ask('CreateSecret', { Name: 'a', ...input }))).toContain(why);
    expect(secrets.all()).toEqual([]);
  });

  test('takes the largest value', async () => {
    const { ask } = openService();
    await ask('CreateSecret', { Name: 'a', SecretString: 'x'.repeat(65_536) });
    const binary = Buffer.alloc(65_536, 1).toString('base64');
    await ask('CreateSecret', { Name: 'b', SecretBinary: binary });
    expect(await ask('GetSecretValue', { SecretId: 'b' })).toMatchObject({ SecretBinary: binary });
  });
});

describe('a value', () => {
  test('put again with the same token is the same; with another value it is refused', async () => {
    const { ask, arn } = await withSecret();
    const put = { SecretId, ClientRequestToken: tokenOf(2_000), SecretString: 'new' };
    const first = await ask('PutSecretValue', put);
    expect(first).toEqual({
      ARN: arn,
      Name: SecretId,
      VersionId: tokenOf(2_000),
      VersionStages: ['AWSCURRENT'],
    });
    expect(await ask('PutSecretValue', put)).toEqual(first);
    expect(await errorOf(ask('PutSecretValue', { ...put, SecretString: 'other' }))).toStartWith(
      "ResourceExistsException: You can't use ClientRequestToken",
    );
    expect(await ask('GetSecretValue', { SecretId })).toMatchObject({ SecretString: 'new' });
  });

  test('is found by version and stage', async () => {
    const { ask } = await withSecret();
    await ask('PutSecretValue', { SecretId, SecretString: 'new', VersionStages: ['X'] });
    const get = (more: object) => ask('GetSecretValue', { SecretId, ...more });
    expect(await get({ VersionStage: 'X' })).toMatchObject({ SecretString: 'new' });
    expect(await get({ VersionId: tokenOf(1_000) })).toMatchObject({ SecretString: 'hunter2' });
    expect(await errorOf(get({ VersionId: tokenOf(1_000), VersionStage: 'X' }))).toBe(
      'InvalidRequestException: You provided a VersionStage that is not associated to the provided VersionId.',
    );
    expect(await errorOf(get({ VersionStage: 'AWSPREVIOUS' }))).toContain(
      "can't find the specified secret value for staging label: AWSPREVIOUS",
    );
    expect(await errorOf(get({ VersionId: tokenOf(77) }))).toContain(`VersionId: ${tokenOf(77)}`);
  });

  test('that cannot be decrypted is told to be so', async () => {
    const { ask, store } = await withSecret();
    store.run('UPDATE secret_versions SET sealed = zeroblob(64)');
    const error = await errorOf(ask('GetSecretValue', { SecretId }));
    expect(error).toStartWith("DecryptionFailure: Secrets Manager can't decrypt");
  });

  test('is needed to put one', async () => {
    const { ask } = await withSecret();
    expect(await errorOf(ask('PutSecretValue', { SecretId }))).toContain(
      'You must provide either SecretString or SecretBinary.',
    );
  });
});

describe('a stage', () => {
  const v1 = tokenOf(1_000);
  const v2 = tokenOf(2_000);
  const move = (more: object) => ({ SecretId, VersionStage: 'AWSCURRENT', ...more });
  async function withTwo() {
    const service = await withSecret();
    const second = { ClientRequestToken: v2, SecretString: '2', VersionStages: ['AWSPENDING'] };
    await service.ask('PutSecretValue', { SecretId, ...second });
    return service;
  }

  test('is moved where it is said from where', async () => {
    const { ask } = await withTwo();
    const input = move({ MoveToVersionId: v2, RemoveFromVersionId: v1 });
    await ask('UpdateSecretVersionStage', input);
    expect(await ask('DescribeSecret', { SecretId })).toMatchObject({
      VersionIdsToStages: { [v1]: ['AWSPREVIOUS'], [v2]: ['AWSCURRENT', 'AWSPENDING'] },
    });
    const rest = { SecretId, VersionStage: 'AWSPENDING', RemoveFromVersionId: v2 };
    await ask('UpdateSecretVersionStage', rest);
    expect(await ask('DescribeSecret', { SecretId })).toMatchObject({
      VersionIdsToStages: { [v2]: ['AWSCURRENT'] },
    });
  });

  test.each([
    [move({ MoveToVersionId: v2 }), `is currently attached to version ${v1}`],
    [move({ MoveToVersionId: v2, RemoveFromVersionId: v2 }), "isn't attached to version"],
    [move({ RemoveFromVersionId: v1 }), "It can't be completely removed."],
    [move({ MoveToVersionId: tokenOf(9) }), "can't find the specified secret value for VersionId"],
    [move({}), 'Give MoveToVersionId, RemoveFromVersionId, or both.'],
  ])('of something else is refused (%#)', async (input, why) => {
    const { ask } = await withTwo();
    const before = await ask('DescribeSecret', { SecretId });
    expect(await errorOf(ask('UpdateSecretVersionStage', input))).toContain(why);
    expect(await ask('DescribeSecret', { SecretId })).toEqual(before);
  });

  test('is one of twenty at most', async () => {
    const { ask } = await withSecret();
    const VersionStages = Array.from({ length: 20 }, (_, n) => `S${n}`);
    await ask('PutSecretValue', {
      SecretId,
      SecretString: 'x',
      ClientRequestToken: v2,
      VersionStages,
    });
    const more = { SecretId, VersionStage: 'S20', MoveToVersionId: v2 };
    expect(await errorOf(ask('UpdateSecretVersionStage', more))).toStartWith('LimitExceeded');
    expect((await ask('ListSecretVersionIds', { SecretId }))['Versions']).toHaveLength(2);
  });
});

describe('deletion', () => {
  test('waits, hides the value, and can be taken back', async () => {
    const { ask, arn, clock, secrets } = await withSecret();
    expect(await ask('DeleteSecret', { SecretId, RecoveryWindowInDays: 7 })).toEqual({
      ARN: arn,
      Name: SecretId,
      DeletionDate: new Date(START_MS + 7 * DAY_MS),
    });
    const marked =
      "InvalidRequestException: You can't perform this operation on the secret because it was marked for deletion.";
    const value = { SecretId, SecretString: 'x' };
    for (const name of ['GetSecretValue', 'PutSecretValue', 'UpdateSecret', 'RotateSecret'])
      expect(await errorOf(ask(name, value))).toBe(marked);
    expect(await errorOf(ask('TagResource', { SecretId, Tags: [] }))).toBe(marked);
    expect(await errorOf(ask('DeleteSecret', { SecretId }))).toContain('already scheduled for');
    expect(await errorOf(ask('CreateSecret', { Name: SecretId }))).toBe(
      "InvalidRequestException: You can't create this secret because a secret with this name is already scheduled for deletion.",
    );
    expect(await ask('DescribeSecret', { SecretId })).toMatchObject({
      DeletedDate: new Date(START_MS + 7 * DAY_MS),
    });
    expect(await ask('ListSecrets')).toMatchObject({ SecretList: [] });
    expect((await ask('ListSecrets', { IncludePlannedDeletion: true }))['SecretList']).toHaveLength(
      1,
    );
    clock.nowMs += 6 * DAY_MS;
    expect(secrets.purge(clock.nowMs)).toBe(0);
    expect(await ask('RestoreSecret', { SecretId })).toEqual({ ARN: arn, Name: SecretId });
    expect(await ask('GetSecretValue', { SecretId })).toMatchObject({ SecretString: 'hunter2' });
  });

  test('may be at once, again and again, and the name is free', async () => {
    const { ask, arn } = await withSecret();
    const input = { SecretId, ForceDeleteWithoutRecovery: true };
    const answer = { Name: SecretId, DeletionDate: new Date(START_MS) };
    expect(await ask('DeleteSecret', input)).toEqual({ ...answer, ARN: arn });
    expect(await ask('DeleteSecret', input)).toMatchObject(answer);
    expect(await errorOf(ask('DeleteSecret', { SecretId }))).toStartWith('ResourceNotFound');
    expect((await ask('CreateSecret', { Name: SecretId }))['ARN']).not.toBe(arn);
  });

  test.each([
    [{ RecoveryWindowInDays: 6 }, 'must be between 7 and 30 days (inclusive).'],
    [{ RecoveryWindowInDays: 31 }, 'must be between 7 and 30 days (inclusive).'],
    [{ RecoveryWindowInDays: 7, ForceDeleteWithoutRecovery: true }, "You can't use ForceDelete"],
  ])('of something else is refused (%#)', async (input, why) => {
    const { ask } = await withSecret();
    expect(await errorOf(ask('DeleteSecret', { SecretId, ...input }))).toContain(why);
  });
});

describe('an update', () => {
  test('changes what is given, and makes a version only of a value', async () => {
    const { ask, arn, clock } = await withSecret({ Description: 'before', KmsKeyId: 'alias/x' });
    clock.nowMs += 1_000;
    expect(await ask('UpdateSecret', { SecretId, Description: 'after' })).toEqual({
      ARN: arn,
      Name: SecretId,
    });
    expect(await ask('DescribeSecret', { SecretId })).toMatchObject({
      Description: 'after',
      KmsKeyId: 'alias/x',
      LastChangedDate: new Date(START_MS + 1_000),
      VersionIdsToStages: { [tokenOf(1_000)]: ['AWSCURRENT'] },
    });
    const changed = { SecretId, KmsKeyId: '', SecretString: 'new', ClientRequestToken: tokenOf(7) };
    expect(await ask('UpdateSecret', changed)).toMatchObject({ VersionId: tokenOf(7) });
    expect(await ask('DescribeSecret', { SecretId })).toMatchObject({
      KmsKeyId: undefined,
      VersionIdsToStages: { [tokenOf(1_000)]: ['AWSPREVIOUS'], [tokenOf(7)]: ['AWSCURRENT'] },
    });
  });
});

describe('lists', () => {
  test('have pages, and an order', async () => {
    const { ask, clock } = openService();
    for (const Name of ['b', 'd', 'a', 'c']) {
      await ask('CreateSecret', { Name });
      clock.nowMs += 1;
    }
    const names = async (more: object) => {
      const found: unknown[] = [];
      let NextToken: unknown;
      do {
        const page = await ask('ListSecrets', { MaxResults: 3, NextToken, ...more });
        found.push(...(page['SecretList'] as { Name: string }[]).map((one) => one.Name));
        NextToken = page['NextToken'];
      } while (NextToken !== undefined);
      return found.join('');
    };
    expect(await names({})).toBe('bdac');
    expect(await names({ SortOrder: 'desc' })).toBe('cadb');
    expect(await names({ SortBy: 'name' })).toBe('abcd');
    expect(await names({ SortBy: 'last-accessed-date', SortOrder: 'desc' })).toBe('dcba');
    const { NextToken } = await ask('ListSecrets', { MaxResults: 2 });
    for (const token of ['nonsense', `${NextToken}x`.slice(4)])
      expect(await errorOf(ask('ListSecrets', { NextToken: token }))).toStartWith(
        'InvalidNextTokenException',
      );
    expect(await errorOf(ask('ListSecrets', { NextToken, SortOrder: 'desc' }))).toStartWith(
      'InvalidNextTokenException',
    );
  });

  test.each([
    ['name', ['Prod'], 'Prod/one'],
    ['name', ['prod'], ''],
    ['name', ['!Prod'], 'test/two'],
    ['name', ['Prod', 'test'], 'Prod/one test/two'],
    ['description', ['MAIN'], 'Prod/one'],
    ['tag-key', ['own'], 'Prod/one'],
    ['tag-value', ['Alice'], 'Prod/one'],
    ['tag-value', ['alice'], ''],
    ['all', ['alice database'], 'Prod/one'],
    ['all', ['two'], 'test/two'],
    ['owning-service', ['rds'], ''],
  ])('filtered by %s %p', async (Key, Values, expected) => {
    const { ask } = openService();
    const Tags = [{ Key: 'owner', Value: 'Alice' }];
    await ask('CreateSecret', { Name: 'Prod/one', Description: 'The main database', Tags });
    await ask('CreateSecret', { Name: 'test/two' });
    const { SecretList } = await ask('ListSecrets', { Filters: [{ Key, Values }] });
    expect((SecretList as { Name: string }[]).map(({ Name }) => Name).join(' ')).toBe(expected);
  });

  test('of versions have those without stages where they are asked for', async () => {
    const { ask } = await withSecret();
    for (const n of [1, 2, 3])
      await ask('PutSecretValue', {
        SecretId,
        SecretString: 'x',
        ClientRequestToken: tokenOf(50 + n),
      });
    const ids = async (more: object) =>
      ((await ask('ListSecretVersionIds', { SecretId, ...more }))['Versions'] as object[]).length;
    expect(await ids({})).toBe(2);
    expect(await ids({ IncludeDeprecated: true })).toBe(4);
    const { NextToken } = await ask('ListSecretVersionIds', { SecretId, MaxResults: 1 });
    expect(await ask('ListSecretVersionIds', { SecretId, NextToken })).toMatchObject({
      Versions: [{ VersionStages: ['AWSCURRENT'], KmsKeyIds: ['DefaultEncryptionKey'] }],
      NextToken: undefined,
    });
  });
});

describe('any input', () => {
  const { operations } = openService();
  test.each(Object.keys(operations))('to %s is answered or refused', async (name) => {
    const field = fc.oneof(fc.string(), fc.integer(), fc.boolean(), fc.anything());
    const names = [
      ...['SecretId', 'Name', 'SecretString', 'SecretBinary', 'Tags', 'TagKeys', 'NextToken'],
      ...['Filters', 'MaxResults', 'VersionId', 'VersionStages', 'VersionStage', 'ResourcePolicy'],
      ...['RotationRules', 'RotationLambdaARN', 'PasswordLength', 'SecretIdList'],
    ];
    const input = fc.dictionary(fc.constantFrom(...names), field);
    await fc.assert(
      fc.asyncProperty(input, fc.boolean(), async (given, isKnown) => {
        const { ask } = await withSecret();
        try {
          await ask(name, isKnown ? { ...given, SecretId } : given);
        } catch (error) {
          expect(error).toBeInstanceOf(ApiError);
        }
      }),
      { numRuns: 40 },
    );
  });
});
