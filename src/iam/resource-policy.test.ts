import { describe, expect, test } from 'bun:test';
import fc from 'fast-check';
import type { Caller } from './caller.ts';
import { parsePolicy } from './policy.ts';
import { decideFor, mayDo, parseResourcePolicy } from './resource-policy.ts';

const secret = 'arn:aws:secretsmanager:eu-west-1:123456789012:secret:db/app-AbCdEf';
const read = 'secretsmanager:GetSecretValue';

const policy = (...statements: readonly object[]) =>
  parseResourcePolicy({
    Version: '2012-10-17',
    Statement: statements.map((one) =>
      Object.assign({ Effect: 'Allow', Action: read, Resource: '*' }, one),
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
const identity = (statement: object) =>
  parsePolicy({ Statement: { Effect: 'Allow', Action: '*', Resource: '*', ...statement } });

describe("a resource's policy", () => {
  test('allows what it allows to the caller themselves', () => {
    const named = policy({ Principal: { AWS: caller().arn } });
    expect(mayDo(caller(), read, secret, named)).toBe(true);
    expect(mayDo(caller(), 'secretsmanager:PutSecretValue', secret, named)).toBe(false);
    expect(mayDo(caller({ arn: `${caller().arn}b` }), read, secret, named)).toBe(false);
    expect(mayDo(caller(), read, secret, policy({ Principal: '*' }))).toBe(true);
    const other = policy({ Principal: '*', Resource: `${secret}x` });
    expect(mayDo(caller(), read, secret, other)).toBe(false);
  });

  test("leaves it to an account's policies whom of it they allow it to", () => {
    const toAccount = policy({ Principal: { AWS: 'arn:aws:iam::123456789012:root' } });
    expect(mayDo(caller(), read, secret, toAccount)).toBe(false);
    expect(mayDo(caller({ policies: [identity({})] }), read, secret, toAccount)).toBe(true);
  });

  test('denies to an account what its own policies allow', () => {
    const denied = policy({ Effect: 'Deny', Principal: { AWS: '123456789012' } });
    const admin = caller({ policies: [identity({})] });
    expect(decideFor(admin, read, secret, denied)).toBe('explicitDeny');
    expect(decideFor({ ...admin, account: '210987654321' }, read, secret, denied)).toBe('allowed');
  });

  test('is not needed where the caller may do it anyway, and of no use where they must not', () => {
    expect(mayDo(caller({ policies: [identity({})] }), read, secret)).toBe(true);
    expect(decideFor(caller(), read, secret)).toBe('implicitDeny');
    const named = policy({ Principal: { AWS: caller().arn } });
    const denied = caller({ policies: [identity({ Effect: 'Deny' })] });
    expect(decideFor(denied, read, secret, named)).toBe('explicitDeny');
  });

  test.each([
    ['a condition', { Principal: '*', Condition: {} }, 'Condition is not supported'],
    ['NotPrincipal', { NotPrincipal: '*' }, 'NotPrincipal is not supported'],
    ['a service', { Principal: { Service: 'rds.amazonaws.com' } }, 'Service is not supported'],
    ['nobody', {}, 'Principal is missing'],
  ])('with %s is refused', (_what, statement, message) => {
    expect(() => policy(statement)).toThrow(message);
  });

  test('is any value, or it is an Error', () => {
    fc.assert(
      fc.property(fc.anything(), fc.anything(), (value, principal) => {
        for (const document of [
          value,
          { Statement: value },
          { Statement: { Effect: 'Deny', Principal: principal, Action: '*', Resource: '*' } },
        ]) {
          try {
            expect(parseResourcePolicy(document).statements.length).toBeGreaterThan(0);
          } catch (error) {
            expect(String(error)).toMatch(/^Error: policy/);
          }
        }
      }),
    );
  });
});
