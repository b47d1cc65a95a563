import { describe, expect, test } from 'bun:test';
import { SecretText } from '../../base/secret-text.ts';
import { ApiError } from '../api-error.ts';
import { openService } from './fixture.test-support.ts';

const ARN = 'arn:aws:secretsmanager:eu-west-1:123456789012:secret:app/db';
const TOLD = 'declared in the settings file of Sluice: change it there, and reload.';

function declared(text = '{"username":"app","password":"hunter2"}') {
  const service = openService();
  service.secrets.declared.replace(
    [{ name: 'app/db', text: new SecretText(text) }],
    service.clock.nowMs,
  );
  return service;
}

async function errorOf(work: Promise<unknown>): Promise<string> {
  const error: unknown = await work.catch((reason: unknown) => reason);
  return error instanceof ApiError ? `${error.code}: ${error.message}` : String(error);
}

describe('a secret that the settings file declares', () => {
  test('is told as others are, by name and ARN', async () => {
    const { ask, store } = declared();
    await ask('CreateSecret', { Name: 'other', SecretString: 'x' });
    const listed = await ask('ListSecrets', { SortBy: 'name' });
    expect(listed['SecretList']).toMatchObject([{ ARN, Name: 'app/db' }, { Name: 'other' }]);
    for (const SecretId of ['app/db', ARN]) {
      expect(await ask('DescribeSecret', { SecretId })).toMatchObject({
        ARN,
        Description: 'Declared in the settings file of Sluice.',
      });
      expect(await ask('GetSecretValue', { SecretId })).toMatchObject({
        ARN,
        SecretString: '{"username":"app","password":"hunter2"}',
        VersionStages: ['AWSCURRENT'],
      });
    }
    expect(await ask('BatchGetSecretValue', { SecretIdList: ['app/db', 'other'] })).toMatchObject({
      SecretValues: [{ ARN }, { Name: 'other' }],
    });
    expect(store.all('SELECT name FROM secrets')).toEqual([{ name: 'other' }]);
  });

  test('is told to nobody who may not read it', async () => {
    const { ask, denied, asked } = declared();
    denied.add('secretsmanager:GetSecretValue');
    expect(await errorOf(ask('GetSecretValue', { SecretId: 'app/db' }))).toStartWith(
      'AccessDenied',
    );
    expect(asked).toEqual([`secretsmanager:GetSecretValue ${ARN}`]);
  });

  test('has a version of its own for each value', async () => {
    const { ask, secrets } = declared();
    const idOf = async (): Promise<unknown> =>
      (await ask('GetSecretValue', { SecretId: ARN }))['VersionId'];
    const first = await idOf();
    expect(first).toMatch(/^[\da-f]{8}(?:-[\da-f]{4}){3}-[\da-f]{12}$/);
    const again = {
      name: 'app/db',
      text: new SecretText('{"username":"app","password":"hunter2"}'),
    };
    secrets.declared.replace([again], 2);
    expect(await idOf()).toBe(first);
    secrets.declared.replace([{ name: 'app/db', text: new SecretText('{}') }], 3);
    const second = await idOf();
    expect(second).not.toBe(first);
    const old = ask('GetSecretValue', { SecretId: ARN, VersionId: first });
    expect(await errorOf(old)).toStartWith('ResourceNotFoundException');
    secrets.declared.replace([], 4);
    expect(await errorOf(ask('DescribeSecret', { SecretId: ARN }))).toStartWith(
      'ResourceNotFoundException',
    );
  });

  const { operations } = openService();
  const inputs: Readonly<Record<string, Record<string, unknown>>> = {
    PutSecretValue: { SecretString: 'x' },
    UpdateSecretVersionStage: { VersionStage: 'X' },
    PutResourcePolicy: { ResourcePolicy: '{"Statement":[]}' },
    TagResource: { Tags: [{ Key: 'a', Value: 'b' }] },
    UntagResource: { TagKeys: ['a'] },
  };
  const reading = /^(?:Batch|Describe|Get|List|Validate)/;

  test.each(Object.keys(operations).filter((name) => !reading.test(name)))(
    'cannot be changed by %s',
    async (name) => {
      const { ask, store } = declared();
      const input = { SecretId: ARN, Name: 'app/db', ...inputs[name] };
      const code = name === 'CreateSecret' ? 'ResourceExists' : 'InvalidRequest';
      expect(await errorOf(ask(name, input))).toBe(
        `${code}Exception: The secret app/db is ${TOLD}`,
      );
      expect(store.all('SELECT * FROM secrets')).toEqual([]);
    },
  );

  test('is not what proxies read as their role', () => {
    const { secrets } = declared();
    expect(secrets.valueOf(ARN, 'AWSCURRENT')).toBeUndefined();
    expect(secrets.findKept('app/db')).toBeUndefined();
  });
});
