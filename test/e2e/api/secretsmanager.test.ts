import { afterAll, describe, expect, test } from 'bun:test';
import {
  paginateListSecrets,
  SecretsManager,
  SecretsManagerServiceException,
} from '@aws-sdk/client-secrets-manager';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Rotations } from '../../../src/api/secretsmanager/rotation.ts';
import { secretsManagerService } from '../../../src/api/secretsmanager/service.ts';
import { systemRandom } from '../../../src/base/random.ts';
import { AesSealer } from '../../../src/state/sealed.ts';
import { loadOrMakeKey } from '../../../src/state/sealing-key.ts';
import { SecretStore, secretsSchema } from '../../../src/state/secrets.ts';
import { Store } from '../../../src/state/store.ts';
import { openApi, TEST_ACCOUNT } from '../../support/api.ts';

const REGION = 'eu-west-1';
const PREFIX = `arn:aws:secretsmanager:${REGION}:${TEST_ACCOUNT}:secret:`;

const directory = mkdtempSync(join(tmpdir(), 'sluice-secretsmanager-'));
const store = Store.open(directory, [secretsSchema]);
const sealer = new AesSealer({ ...loadOrMakeKey(directory, systemRandom), random: systemRandom });
const parts = { store, sealer, random: systemRandom, region: REGION, account: TEST_ACCOUNT };
const secrets = new SecretStore(parts);
const rotations = new Rotations({
  secrets,
  random: systemRandom,
  rotator: { setPassword: async () => {}, test: async () => {} },
});
const service = secretsManagerService({ secrets, random: systemRandom, rotations });
const api = openApi({ services: [service], region: REGION });

const clientOf = (credentials: typeof api.credentials) =>
  new SecretsManager({ endpoint: api.endpoint, region: REGION, credentials, maxAttempts: 1 });
const client = clientOf(api.credentials);

afterAll(async () => {
  client.destroy();
  await api.close();
  store.close();
  rmSync(directory, { recursive: true });
});

async function errorOf(work: Promise<unknown>): Promise<string> {
  const error: unknown = await work.catch((reason: unknown) => reason);
  expect(error).toBeInstanceOf(SecretsManagerServiceException);
  const { name, message } = error as SecretsManagerServiceException;
  return `${name}: ${message}`;
}

const policyFor = (Principal: unknown, Action = 'secretsmanager:GetSecretValue') => ({
  Version: '2012-10-17',
  Statement: [{ Effect: 'Allow', Principal, Action, Resource: '*' }],
});

describe('Secrets Manager by its SDK', () => {
  test('keeps what Terraform makes, without a difference', async () => {
    const Name = 'terraform/db';
    const made = await client.createSecret({
      Name,
      Description: 'of the app',
      ForceOverwriteReplicaSecret: false,
      Tags: [{ Key: 'env', Value: 'prod' }],
    });
    expect(made.ARN).toStartWith(`${PREFIX}${Name}-`);
    expect(made.VersionId).toBeUndefined();
    const SecretId = made.ARN!;
    const policy = JSON.stringify(policyFor({ AWS: `arn:aws:iam::${TEST_ACCOUNT}:user/app` }));
    await client.putResourcePolicy({ SecretId, ResourcePolicy: policy, BlockPublicPolicy: true });
    expect(await client.getResourcePolicy({ SecretId })).toMatchObject({
      ARN: SecretId,
      ResourcePolicy: policy,
    });
    expect(await client.describeSecret({ SecretId })).toMatchObject({
      ARN: SecretId,
      Name,
      Description: 'of the app',
      Tags: [{ Key: 'env', Value: 'prod' }],
    });

    const put = await client.putSecretValue({ SecretId, SecretString: '{"password":"hunter2"}' });
    expect(put.VersionStages).toEqual(['AWSCURRENT']);
    const version = { SecretId, VersionId: put.VersionId! };
    const read = await client.getSecretValue(version);
    expect(read).toMatchObject({
      SecretString: '{"password":"hunter2"}',
      VersionStages: ['AWSCURRENT'],
    });
    expect(read.CreatedDate).toBeInstanceOf(Date);

    await client.updateSecret({ SecretId, Description: 'changed' });
    await client.untagResource({ SecretId, TagKeys: ['env'] });
    await client.tagResource({ SecretId, Tags: [{ Key: 'team', Value: 'db' }] });
    await client.putSecretValue({ SecretId, SecretString: '{"password":"hunter3"}' });
    expect(await client.describeSecret({ SecretId: Name })).toMatchObject({
      Description: 'changed',
      Tags: [{ Key: 'team', Value: 'db' }],
      VersionIdsToStages: { [put.VersionId!]: ['AWSPREVIOUS'] },
    });

    await client.updateSecretVersionStage({
      SecretId,
      VersionStage: 'AWSPREVIOUS',
      RemoveFromVersionId: put.VersionId!,
    });
    await client.deleteResourcePolicy({ SecretId });
    expect((await client.getResourcePolicy({ SecretId })).ResourcePolicy).toBeUndefined();
    await client.deleteSecret({ SecretId, RecoveryWindowInDays: 7 });
    expect((await client.describeSecret({ SecretId })).DeletedDate).toBeInstanceOf(Date);
    await client.restoreSecret({ SecretId });
    await client.deleteSecret({ SecretId, ForceDeleteWithoutRecovery: true });
    expect(await errorOf(client.describeSecret({ SecretId }))).toBe(
      "ResourceNotFoundException: Secrets Manager can't find the specified secret.",
    );
  });

  test('has bytes as they were, and the largest values', async () => {
    const bytes = Uint8Array.from({ length: 65_536 }, (_, at) => at % 256);
    await client.createSecret({ Name: 'bytes', SecretBinary: bytes });
    expect((await client.getSecretValue({ SecretId: 'bytes' })).SecretBinary).toEqual(bytes);
    const SecretString = '"'.repeat(65_536);
    await client.updateSecret({ SecretId: 'bytes', SecretString });
    expect(await client.getSecretValue({ SecretId: 'bytes' })).toMatchObject({ SecretString });
  });

  test('lists two hundred secrets page by page', async () => {
    const names = Array.from({ length: 200 }, (_, n) => `many/${String(n).padStart(3, '0')}`);
    for (const Name of names) await client.createSecret({ Name, SecretString: Name });
    const Filters = [{ Key: 'name' as const, Values: ['many/'] }];
    const found: string[] = [];
    let pages = 0;
    const input = { Filters, MaxResults: 30, SortBy: 'name' as const };
    for await (const { SecretList = [] } of paginateListSecrets({ client }, input)) {
      pages += 1;
      found.push(...SecretList.map(({ Name = '' }) => Name));
    }
    expect(found).toEqual(names);
    expect(pages).toBe(7);
    const batch = await client.batchGetSecretValue({ Filters, MaxResults: 3 });
    expect(batch.SecretValues?.map(({ SecretString }) => SecretString)).toHaveLength(3);
    expect(batch.NextToken).toBeString();
    const ids = { SecretIdList: ['many/007', 'nothing'] };
    expect(await client.batchGetSecretValue(ids)).toMatchObject({
      SecretValues: [{ Name: 'many/007', SecretString: 'many/007' }],
      Errors: [{ SecretId: 'nothing', ErrorCode: 'ResourceNotFoundException' }],
    });
    const versions = await client.listSecretVersionIds({ SecretId: 'many/000' });
    expect(versions.Versions).toMatchObject([{ VersionStages: ['AWSCURRENT'] }]);
  });

  test('makes passwords, judges policies, and rotates', async () => {
    const { RandomPassword } = await client.getRandomPassword({ PasswordLength: 20 });
    expect(RandomPassword).toHaveLength(20);
    const judge = (policy: object) =>
      client.validateResourcePolicy({ ResourcePolicy: JSON.stringify(policy) });
    expect(await judge(policyFor({ AWS: TEST_ACCOUNT }))).toMatchObject({
      PolicyValidationPassed: true,
    });
    expect(await judge(policyFor('*'))).toMatchObject({
      PolicyValidationPassed: false,
      ValidationErrors: [{ CheckName: 'PUBLIC_POLICY' }],
    });

    const SecretId = 'rotated';
    const login = { engine: 'postgres', host: 'db', username: 'app', password: 'old' };
    await client.createSecret({ Name: SecretId, SecretString: JSON.stringify(login) });
    const RotationRules = { AutomaticallyAfterDays: 7 };
    const { VersionId } = await client.rotateSecret({ SecretId, RotationRules });
    await rotations.settled();
    const { SecretString = '', ...read } = await client.getSecretValue({ SecretId });
    expect(read).toMatchObject({ VersionId, VersionStages: ['AWSCURRENT'] });
    expect(JSON.parse(SecretString)).toMatchObject({ host: 'db', username: 'app' });
    expect(JSON.parse(SecretString).password).not.toBe('old');
    await client.cancelRotateSecret({ SecretId });
    expect((await client.describeSecret({ SecretId })).RotationEnabled).toBe(false);
  });

  test('refuses in the words of AWS', async () => {
    const Name = 'refusals';
    const SecretId = Name;
    const { VersionId = '' } = await client.createSecret({ Name, SecretString: 'x' });
    const cases: readonly (readonly [Promise<unknown>, string])[] = [
      [client.createSecret({ Name }), `the secret ${Name} already exists.`],
      [client.createSecret({ Name: 'a b' }), 'ValidationException: Invalid name.'],
      [client.getSecretValue({ SecretId: 'none' }), 'ResourceNotFoundException'],
      [
        client.putSecretValue({ SecretId, SecretString: 'y', ClientRequestToken: VersionId }),
        'ResourceExistsException',
      ],
      [client.listSecrets({ NextToken: 'x' }), 'InvalidNextTokenException'],
      [client.putResourcePolicy({ SecretId, ResourcePolicy: '{}' }), 'MalformedPolicyDocument'],
      [
        client.putResourcePolicy({
          SecretId,
          ResourcePolicy: JSON.stringify(policyFor('*')),
          BlockPublicPolicy: true,
        }),
        'PublicPolicyException',
      ],
      [
        client.replicateSecretToRegions({ SecretId, AddReplicaRegions: [{ Region: 'x' }] }),
        'ReplicateSecretToRegions is not supported',
      ],
      [
        client.removeRegionsFromReplication({ SecretId, RemoveReplicaRegions: ['x'] }),
        'RemoveRegionsFromReplication is not supported',
      ],
      [client.stopReplicationToReplica({ SecretId }), 'StopReplicationToReplica is not supported'],
    ];
    for (const [work, why] of cases) expect(await errorOf(work)).toContain(why);
  });

  test("lets in by the user's policy, or the secret's", async () => {
    const Name = 'guarded';
    const { ARN = '' } = await client.createSecret({ Name, SecretString: 'hunter4' });
    const allowed = { Effect: 'Allow', Action: 'secretsmanager:GetSecretValue' };
    const some = clientOf(
      api.as({ Statement: { ...allowed, Resource: `${PREFIX}guarded-??????` } }),
    );
    expect(await some.getSecretValue({ SecretId: Name })).toMatchObject({ ARN });
    expect(await errorOf(some.describeSecret({ SecretId: Name }))).toContain(
      `is not authorized to perform: secretsmanager:DescribeSecret on resource: ${ARN}`,
    );
    const arn = `arn:aws:iam::${TEST_ACCOUNT}:user/guest`;
    const guest = clientOf(api.as(undefined, { arn }));
    const isDenied = 'AccessDeniedException';
    expect(await errorOf(guest.getSecretValue({ SecretId: Name }))).toStartWith(isDenied);
    expect(await errorOf(guest.getSecretValue({ SecretId: 'none' }))).toStartWith(isDenied);
    const ResourcePolicy = JSON.stringify(policyFor({ AWS: arn }));
    await client.putResourcePolicy({ SecretId: Name, ResourcePolicy });
    expect(await guest.getSecretValue({ SecretId: Name })).toMatchObject({
      SecretString: 'hunter4',
    });
    for (const one of [some, guest]) one.destroy();
  });

  test('has left no value in the clear in any file, and nothing unexplained', () => {
    const files = readdirSync(directory).map((name) => readFileSync(join(directory, name)));
    expect(files.some((bytes) => bytes.includes('guarded'))).toBe(true);
    for (const bytes of files) expect(bytes.includes('hunter')).toBe(false);
    expect(api.failures).toEqual([]);
  });
});
