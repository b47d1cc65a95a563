import { describe, expect, test } from 'bun:test';
import fc from 'fast-check';
import type { Caller } from './caller.ts';
import { parsePolicy } from './policy.ts';
import { mayDo } from './resource-policy.ts';
import { asResourcePolicy, parseTrustPolicy, trustsCaller, trustsService } from './trust-policy.ts';

const RDS = 'rds.amazonaws.com';
const role = 'arn:aws:iam::123456789012:role/team/reader';

const trust = (...statements: readonly object[]) =>
  parseTrustPolicy({
    Version: '2012-10-17',
    Statement: statements.map((one) =>
      Object.assign({ Effect: 'Allow', Action: 'sts:AssumeRole' }, one),
    ),
  });
const caller = (changes: Partial<Caller> = {}): Caller => ({
  accessKeyId: 'AKIDEXAMPLE',
  account: '123456789012',
  arn: 'arn:aws:iam::123456789012:user/alice',
  userId: 'AIDAEXAMPLE',
  policies: [],
  ...changes,
});
const mayAssume = parsePolicy({
  Statement: { Effect: 'Allow', Action: 'sts:AssumeRole', Resource: role },
});

describe('a service may assume a role', () => {
  test('whose trust policy names it', () => {
    expect(trustsService(trust({ Principal: { Service: RDS } }), RDS)).toBe(true);
    const several = trust({ Principal: { Service: ['lambda.amazonaws.com', RDS] } });
    expect(trustsService(several, RDS)).toBe(true);
    expect(trustsService(several, 'ecs.amazonaws.com')).toBe(false);
    expect(
      trustsService(trust({ Principal: { Service: RDS }, Action: ['sts:TagSession'] }), RDS),
    ).toBe(false);
    expect(trustsService(trust({ Principal: { Service: RDS }, Action: 'STS:Assume*' }), RDS)).toBe(
      true,
    );
  });

  test('but not because everybody may', () => {
    expect(trustsService(trust({ Principal: '*' }), RDS)).toBe(false);
    expect(trustsService(trust({ Principal: { AWS: '123456789012' } }), RDS)).toBe(false);
  });

  test('unless another statement denies it', () => {
    const named = { Principal: { Service: RDS } };
    expect(trustsService(trust(named, { ...named, Effect: 'Deny' }), RDS)).toBe(false);
    expect(trustsService(trust(named, { Principal: '*', Effect: 'Deny' }), RDS)).toBe(false);
  });
});

describe('a caller may assume a role', () => {
  const assumes = (policy: ReturnType<typeof trust>, who: Caller) =>
    trustsCaller(policy, who) && mayDo(who, 'sts:AssumeRole', role, asResourcePolicy(policy));

  test('that names them, whatever their own policies say', () => {
    const named = trust({ Principal: { AWS: caller().arn } });
    expect(assumes(named, caller())).toBe(true);
    expect(assumes(named, caller({ arn: `${caller().arn}2` }))).toBe(false);
    expect(assumes(trust({ Principal: '*' }), caller())).toBe(true);
    expect(assumes(trust({ Principal: { AWS: ['*'] } }), caller())).toBe(true);
  });

  test('that names the role which they have assumed, or that session of it', () => {
    const session = caller({
      arn: 'arn:aws:sts::123456789012:assumed-role/ci/build',
      roleArn: 'arn:aws:iam::123456789012:role/tools/ci',
    });
    expect(assumes(trust({ Principal: { AWS: session.roleArn } }), session)).toBe(true);
    expect(assumes(trust({ Principal: { AWS: session.arn } }), session)).toBe(true);
    expect(
      assumes(trust({ Principal: { AWS: 'arn:aws:iam::123456789012:role/ci' } }), session),
    ).toBe(false);
  });

  test.each(['123456789012', 'arn:aws:iam::123456789012:root'])(
    'that names their account, %s, where their own policies allow it',
    (account) => {
      const named = trust({ Principal: { AWS: account } });
      expect(assumes(named, caller())).toBe(false);
      expect(assumes(named, caller({ policies: [mayAssume] }))).toBe(true);
      expect(assumes(named, caller({ account: '210987654321', policies: [mayAssume] }))).toBe(
        false,
      );
    },
  );

  test('but not because of their own policies alone', () => {
    const rdsOnly = trust({ Principal: { Service: RDS } });
    expect(assumes(rdsOnly, caller({ policies: [mayAssume] }))).toBe(false);
  });

  test('unless something denies it', () => {
    const named = { Principal: { AWS: caller().arn } };
    const denied = trust(named, { Effect: 'Deny', Principal: { AWS: '123456789012' } });
    expect(assumes(denied, caller({ policies: [mayAssume] }))).toBe(false);
    const mayNot = parsePolicy({ Statement: { Effect: 'Deny', Action: 'sts:*', Resource: '*' } });
    expect(assumes(trust(named), caller({ policies: [mayNot] }))).toBe(false);
  });
});

describe('a trust policy that cannot be honoured whole is refused', () => {
  const named = { Principal: { Service: RDS } };
  test.each([
    ['a condition', { ...named, Condition: {} }, 'policy.Statement[0].Condition is not supported'],
    ['a resource', { ...named, Resource: '*' }, 'Statement[0].Resource is not supported'],
    ['nobody', {}, 'Statement[0].Principal is missing'],
    ['an empty principal', { Principal: {} }, 'Statement[0].Principal is empty'],
    ['an empty list', { Principal: { AWS: [] } }, 'Principal.AWS is empty'],
    ['NotPrincipal', { NotPrincipal: '*' }, 'NotPrincipal is not supported'],
    ['NotAction', { ...named, NotAction: 'sts:TagSession' }, 'NotAction is not supported'],
    ['a federation', { Principal: { Federated: 'x.com' } }, 'Principal.Federated is not supported'],
    ['half a name', { Principal: { AWS: 'arn:aws:iam::123456789012:user/*' } }, 'whole ARN'],
    ['no ARN', { Principal: { AWS: 'alice' } }, 'whole ARN'],
    ['no service', { Principal: { Service: 'rds' } }, "as in 'rds.amazonaws.com'"],
    ['another action', { ...named, Action: 'rds:*' }, 'may only specify STS AssumeRole actions'],
    ['everything', { ...named, Action: '*' }, 'may only specify STS AssumeRole actions'],
  ])('%s', (_what, statement, message) => {
    expect(() => trust(statement)).toThrow(message);
  });

  test('any value is a trust policy or an Error', () => {
    const statement = fc.record({
      Effect: fc.constant('Allow'),
      Action: fc.constant('sts:AssumeRole'),
      Principal: fc.oneof(fc.anything(), fc.record({ AWS: fc.anything() })),
    });
    fc.assert(
      fc.property(fc.oneof(fc.anything(), statement), (value) => {
        try {
          expect(parseTrustPolicy({ Statement: value }).statements.length).toBeGreaterThan(0);
        } catch (error) {
          expect(String(error)).toMatch(/^Error: policy\.Statement/);
        }
      }),
    );
  });
});
