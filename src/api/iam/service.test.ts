import { describe, expect, test } from 'bun:test';
import fc from 'fast-check';
import { seededRandom } from '../../base/random.ts';
import type { Caller } from '../../iam/caller.ts';
import { iamSchema, IamState } from '../../state/iam.ts';
import { AesSealer, KEY_BYTES } from '../../state/sealed.ts';
import { Store } from '../../state/store.ts';
import { ApiError } from '../api-error.ts';
import type { Call } from '../service.ts';
import { stsService } from '../sts/service.ts';
import { PolicyReader } from './documents.ts';
import { IamKeyRing } from './key-ring.ts';
import { iamService } from './service.ts';

const account = '123456789012';
const arn = (what: string) => `arn:aws:iam::${account}:${what}`;
const trust = JSON.stringify({
  Statement: { Effect: 'Allow', Principal: { AWS: account }, Action: 'sts:AssumeRole' },
});
const document = '{"Statement":{"Effect":"Allow","Action":"*","Resource":"*"}}';

class Denied extends Error {}

const caller: Caller = {
  accessKeyId: 'AKIDADMIN',
  account,
  arn: arn('user/u'),
  userId: 'AIDAADMIN',
  policies: [],
};

function open() {
  const random = seededRandom(7);
  const sealer = new AesSealer({ key: new Uint8Array(KEY_BYTES), random });
  const store = Store.inMemory([iamSchema]);
  const state = new IamState(store, { account, sealer, random });
  const parts = { state, reader: new PolicyReader() };
  const user = state.identities.addUser({ name: 'u', path: '/', nowMs: 1 });
  const role = state.identities.addRole({
    name: 'r',
    path: '/',
    trust,
    maxSessionSeconds: 3_600,
    nowMs: 1,
  });
  const policy = state.managed.add({ name: 'p', path: '/', document, nowMs: 1 });
  const key = state.keys.add(user.id, 1);
  const services = [iamService(parts), stsService(parts)];
  const operations = services.flatMap((service) =>
    Object.entries(service.operations).map(([name, run]) => ({
      name,
      run,
      action: `${service.name}:${name}`,
      isOpen: service.open?.includes(name) === true,
    })),
  );
  return { store, state, parts, user, role, policy, key, operations };
}

function callOf(authorize: Call['authorize'] = () => {}): Call {
  return { caller, requestId: 'id', nowMs: 1_000, authorize };
}

/** Enough for every operation. */
const input = {
  UserName: 'u',
  RoleName: 'r',
  PolicyName: 'n',
  PolicyArn: arn('policy/p'),
  PolicySourceArn: arn('user/u'),
  RoleArn: arn('role/r'),
  RoleSessionName: 'session',
  ActionNames: { member: ['iam:GetUser'] },
  PolicyDocument: document,
  AssumeRolePolicyDocument: trust,
  Description: 'd',
  VersionId: 'v1',
  Tags: { member: [{ Key: 'k', Value: 'v' }] },
  TagKeys: { member: ['k'] },
  Status: 'Inactive',
};

const contents = (store: Store) =>
  JSON.stringify(
    [
      'identities',
      'access_keys',
      'sessions',
      'policies',
      'policy_versions',
      'inline_policies',
      'attachments',
      'tags',
    ].map((table) => store.all(`SELECT * FROM iam_${table}`)),
  );

describe('every operation', () => {
  for (const { name, action } of open().operations.filter(({ isOpen }) => !isOpen)) {
    test(`${name} asks whether its caller may, and does nothing where not`, async () => {
      const { store, key, operations } = open();
      const run = operations.find((one) => one.name === name)?.run;
      const before = contents(store);
      // What is there and what is not look the same to whoever may know of neither.
      for (const suffix of ['', 'x']) {
        const asked: string[] = [];
        const call = callOf((asks, resource) => {
          asked.push(asks);
          expect(resource).toMatch(/^arn:aws:iam::\d{12}:(?:user|role|policy|mfa)\//);
          throw new Denied();
        });
        const wish = {
          ...input,
          AccessKeyId: key.id,
          UserName: `u${suffix}`,
          RoleName: `r${suffix}`,
          PolicyArn: input.PolicyArn + suffix,
          PolicySourceArn: input.PolicySourceArn + suffix,
          RoleArn: input.RoleArn + suffix,
          Tags: name === 'AssumeRole' ? undefined : input.Tags,
        };
        const failure = await Promise.try(() => run?.(wish, call)).catch((error: unknown) => error);
        expect(failure).toBeInstanceOf(Denied);
        expect(asked).toEqual([action]);
      }
      expect(contents(store)).toBe(before);
    });
  }

  test('answers any input with an answer or an error of the API', () => {
    const { operations, key } = open();
    const value = fc.oneof(
      fc.constantFrom<unknown>('', 'u', 'r', arn('policy/p'), document, trust, '1', 'v1', key.id),
      fc.string(),
      fc.record({
        member: fc.array(fc.oneof(fc.string(), fc.dictionary(fc.string(), fc.string()))),
      }),
      fc.dictionary(fc.string(), fc.string()),
    );
    const anyInput = fc.record(
      Object.fromEntries(
        [...Object.keys(input), 'Path', 'PathPrefix', 'Marker', 'MaxItems', 'AccessKeyId'].map(
          (name) => [name, value],
        ),
      ),
      { requiredKeys: [] },
    );
    fc.assert(
      fc.property(anyInput, fc.constantFrom(...operations), (wish, { run }) => {
        try {
          expect(typeof run({ ...input, AccessKeyId: key.id, ...wish }, callOf())).toBe('object');
        } catch (error) {
          expect(error).toBeInstanceOf(ApiError);
        }
      }),
      { numRuns: 2_000 },
    );
  });
});

describe('the key ring', () => {
  test('knows active keys of users, and what they may do now', () => {
    const { state, parts, user, key, policy } = open();
    const ring = new IamKeyRing(parts);
    const found = ring.find(key.id);
    expect(found?.secretAccessKey.reveal()).toBe(key.secretAccessKey.reveal());
    expect(found?.caller).toEqual({
      accessKeyId: key.id,
      account,
      arn: user.arn,
      userId: user.id,
      policies: [],
    });
    state.policies.attach(user.id, policy.id);
    state.policies.putInline(user.id, { name: 'n', document });
    expect(ring.find(key.id)?.caller.policies).toHaveLength(2);
    state.keys.setActive(key.id, false);
    expect(ring.find(key.id)).toBeUndefined();
    state.keys.setActive(key.id, true);
    state.identities.remove(user.id);
    expect(ring.find(key.id)).toBeUndefined();
    expect(ring.find('')).toBeUndefined();
  });

  test('knows sessions of roles, those that have just expired, too', () => {
    const { state, parts, role } = open();
    const ring = new IamKeyRing(parts);
    const made = state.sessions.add({ identityId: role.id, name: 's', expiresMs: 5, nowMs: 1 });
    expect(ring.find(made.accessKeyId)).toMatchObject({
      expiresMs: 5,
      caller: {
        arn: `arn:aws:sts::${account}:assumed-role/r/s`,
        roleArn: role.arn,
        userId: `${role.id}:s`,
      },
    });
    state.identities.remove(role.id);
    expect(ring.find(made.accessKeyId)).toBeUndefined();
  });
});
