import { afterAll, beforeAll, describe, expect, test } from 'bun:test';
import { DescribeDBProxiesCommand, RDSClient } from '@aws-sdk/client-rds';
import { GetSecretValueCommand, SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { GetCallerIdentityCommand, STSClient } from '@aws-sdk/client-sts';
import { systemClock } from '../../../src/base/clock.ts';
import { ApiError } from '../../../src/api/api-error.ts';
import type { Service } from '../../../src/api/service.ts';
import { openApi } from '../../support/api.ts';
import type { OpenApi } from '../../support/api.ts';
import { signedHeaders } from '../../support/signed.ts';
import type { Plain } from '../../support/signed.ts';
import { outcomeOf } from '../../support/outcome.ts';

// Services that know hardly more than what they are asked, behind the front that real ones have.

let shakes = 0;

const rds: Service = {
  name: 'rds',
  protocol: {
    kind: 'query',
    version: '2014-10-31',
    namespace: 'http://rds.amazonaws.com/doc/2014-10-31/',
  },
  operations: {
    DescribeDBProxies(input, call) {
      call.authorize('rds:DescribeDBProxies', '*');
      const { DBProxyName: name } = input;
      if (name === undefined) return { DBProxies: { member: [] } };
      if (name === 'broken') throw new Error('something secret');
      if (name === 'shaky' && (shakes += 1) < 3) throw new ApiError('InternalFailure', 'Oh.', 500);
      if (name === 'gone') throw new ApiError('DBProxyNotFoundFault', 'There is none.', 404);
      const proxy = { DBProxyName: name, RequireTLS: true, IdleClientTimeout: 1800 };
      const CreatedDate = new Date(Date.UTC(2026, 0, 2, 3, 4, 5, 678));
      return { DBProxies: { member: [proxy, { ...proxy, CreatedDate }] } };
    },
  },
};

const secretsmanager: Service = {
  name: 'secretsmanager',
  protocol: { kind: 'json', targetPrefix: 'secretsmanager' },
  operations: {
    GetSecretValue({ SecretId: name }, call) {
      call.authorize('secretsmanager:GetSecretValue', '*');
      if (name === 'none') throw new ApiError('ResourceNotFoundException', 'There is none.');
      return {
        Name: name,
        SecretBinary: new Uint8Array([0, 255, 1]),
        CreatedDate: new Date(Date.UTC(2026, 0, 2, 3, 4, 5, 678)),
        VersionStages: [],
      };
    },
  },
};

const sts: Service = {
  name: 'sts',
  protocol: {
    kind: 'query',
    version: '2011-06-15',
    namespace: 'https://sts.amazonaws.com/doc/2011-06-15/',
  },
  open: ['GetCallerIdentity'],
  operations: {
    GetCallerIdentity: (_input, { caller }) => ({
      Account: caller.account,
      Arn: caller.arn,
      UserId: caller.userId,
    }),
  },
};

let api: OpenApi;
beforeAll(() => {
  api = openApi({ services: [rds, secretsmanager, sts] });
});
afterAll(() => api.close());

const odd = 'a <b> & "c" \u{1F600} \'d\' é \r\n\t]]>';

test('SDK clients are understood, and understand', async () => {
  const { endpoint, region, credentials } = api;
  const client = new RDSClient({ endpoint, region, credentials });
  const one = { DBProxyName: odd, RequireTLS: true, IdleClientTimeout: 1800 };
  const { DBProxies } = await client.send(new DescribeDBProxiesCommand({ DBProxyName: odd }));
  expect(DBProxies).toEqual([
    one,
    { ...one, CreatedDate: new Date(Date.UTC(2026, 0, 2, 3, 4, 5, 678)) },
  ]);
  const none = await client.send(new DescribeDBProxiesCommand({}));
  expect(none.DBProxies).toEqual([]);
  expect(none.$metadata.requestId).toMatch(/^[0-9a-f-]{36}$/);

  const secrets = new SecretsManagerClient({ endpoint, region, credentials });
  const secret = await secrets.send(new GetSecretValueCommand({ SecretId: odd }));
  expect(secret).toMatchObject({
    Name: odd,
    SecretBinary: new Uint8Array([0, 255, 1]),
    CreatedDate: new Date(Date.UTC(2026, 0, 2, 3, 4, 5, 678)),
    VersionStages: [],
  });
});

test('global services may be asked as in us-east-1, and those who may do nothing may ask who they are', async () => {
  for (const region of [api.region, 'us-east-1']) {
    const client = new STSClient({ endpoint: api.endpoint, region, credentials: api.as() });
    const { Arn, Account } = await client.send(new GetCallerIdentityCommand({}));
    expect([Arn, Account]).toEqual([
      expect.stringMatching(/^arn:aws:iam::123456789012:user\/user-/),
      '123456789012',
    ]);
  }
});

test('clients that try again, and that ask the same at the same time, are served', async () => {
  const { endpoint, region, credentials } = api;
  const client = new RDSClient({ endpoint, region, credentials });
  const { DBProxies, $metadata } = await client.send(
    new DescribeDBProxiesCommand({ DBProxyName: 'shaky' }),
  );
  expect([DBProxies?.length, $metadata.attempts]).toEqual([2, 3]);
  const asked = Array.from({ length: 20 }, () => client.send(new DescribeDBProxiesCommand({})));
  expect(await Promise.all(asked)).toHaveLength(20);
});

test('what was recorded is not served again', async () => {
  const { endpoint, credentials } = api;
  const host = new URL(endpoint).host;
  const numbered = { 'amz-sdk-invocation-id': 'f0', 'amz-sdk-request': 'attempt=1; max=3' };
  const send = async (plain: Plain): Promise<readonly [number, string]> => {
    const headers = await signedHeaders(plain, credentials);
    const response = await fetch(endpoint, { method: 'POST', headers, body: String(plain.body) });
    return [response.status, await response.text()];
  };
  const plain = { host, body: 'Action=DescribeDBProxies', dateMs: systemClock.wallMs() };
  // One second of a client that does not number its attempts.
  expect(await send(plain)).toMatchObject([200, expect.anything()]);
  expect(await send(plain)).toMatchObject([200, expect.anything()]);
  const once = { ...plain, headers: numbered };
  expect(await send(once)).toMatchObject([200, expect.anything()]);
  expect(await send(once)).toEqual([403, expect.stringContaining('has been used already')]);
  const old = { ...plain, dateMs: plain.dateMs - 301_000 };
  expect(await send(old)).toEqual([403, expect.stringContaining('Signature expired: ')]);
});

describe('errors have the names that SDKs know', () => {
  const ask = (changes: object, DBProxyName?: string) =>
    new RDSClient({
      endpoint: api.endpoint,
      region: api.region,
      credentials: api.credentials,
      maxAttempts: 1,
      ...changes,
    }).send(new DescribeDBProxiesCommand({ ...(DBProxyName !== undefined && { DBProxyName }) }));
  const tell = (changes: object, SecretId = 'a') =>
    new SecretsManagerClient({
      endpoint: api.endpoint,
      region: api.region,
      credentials: api.credentials,
      maxAttempts: 1,
      ...changes,
    }).send(new GetSecretValueCommand({ SecretId }));

  test('of an operation', async () => {
    expect(await outcomeOf(ask({}, 'gone'))).toThrow(
      expect.objectContaining({
        name: 'DBProxyNotFoundFault',
        message: 'There is none.',
        $fault: 'client',
        $metadata: expect.objectContaining({ httpStatusCode: 404 }),
      }),
    );
    expect(await outcomeOf(tell({}, 'none'))).toThrow(
      expect.objectContaining({
        name: 'ResourceNotFoundException',
        message: 'There is none.',
        $metadata: expect.objectContaining({ httpStatusCode: 400 }),
      }),
    );
  });

  test('of a policy', async () => {
    const credentials = api.as({
      Statement: [
        { Effect: 'Allow', Action: 'rds:Modify*', Resource: '*' },
        { Effect: 'Deny', Action: 'secretsmanager:*', Resource: '*' },
      ],
    });
    expect(await outcomeOf(ask({ credentials }))).toThrow(
      expect.objectContaining({
        name: 'AccessDenied',
        message: expect.stringMatching(
          /^User: arn:aws:iam::123456789012:user\/user-\d+ is not authorized to perform: rds:DescribeDBProxies on resource: \* because no identity-based policy allows the rds:DescribeDBProxies action$/,
        ),
        $metadata: expect.objectContaining({ httpStatusCode: 403 }),
      }),
    );
    expect(await outcomeOf(tell({ credentials }))).toThrow(
      expect.objectContaining({
        name: 'AccessDeniedException',
        message: expect.stringContaining('with an explicit deny in an identity-based policy'),
        $metadata: expect.objectContaining({ httpStatusCode: 400 }),
      }),
    );
  });

  test('of a signature', async () => {
    const wrong = { ...api.credentials, secretAccessKey: 'wrong' };
    const unknown = { ...wrong, accessKeyId: 'AKIANOBODY' };
    const names = async (...all: readonly Promise<unknown>[]) =>
      (await Promise.allSettled(all)).map((one) =>
        one.status === 'rejected' ? one.reason.name : 'let in',
      );
    expect(
      await names(
        ask({ credentials: wrong }),
        ask({ credentials: unknown }),
        ask({ credentials: { ...api.credentials, sessionToken: 'x' } }),
        ask({ region: 'us-east-1' }),
        tell({ credentials: wrong }),
        tell({ credentials: unknown }),
        tell({ region: 'us-east-1' }),
      ),
    ).toEqual([
      'SignatureDoesNotMatch',
      'InvalidClientTokenId',
      'InvalidClientTokenId',
      'SignatureDoesNotMatch',
      'InvalidSignatureException',
      'UnrecognizedClientException',
      'InvalidSignatureException',
    ]);
  });

  test('of ours, without what was wrong', async () => {
    const error: unknown = await ask({}, 'broken').catch((reason: unknown) => reason);
    expect(error).toMatchObject({ name: 'InternalFailure', $metadata: { httpStatusCode: 500 } });
    expect(String(error)).not.toContain('secret');
    expect(api.failures).toEqual([
      {
        error: new Error('something secret'),
        about: {
          service: 'rds',
          operation: 'DescribeDBProxies',
          requestId: expect.any(String),
        },
      },
    ]);
  });
});
