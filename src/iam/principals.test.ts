import { expect, test } from 'bun:test';
import fc from 'fast-check';
import { SecretText } from '../base/secret-text.ts';
import { allows, parsePolicy } from './policy.ts';
import { dbUserArn, Principals } from './principals.ts';
import type { IamPrincipal } from './principals.ts';
import { proxyId } from './proxy-id.ts';

const where = { region: 'us-east-1', account: '123456789012' };
const id = proxyId(where.account, where.region, 'orders');
const app = dbUserArn({ ...where, proxyId: id, user: 'app' });

const principal = (accessKeyId: string): IamPrincipal => ({
  accessKeyId,
  secretAccessKey: new SecretText('secret'),
  policy: parsePolicy({ Statement: { Effect: 'Allow', Action: 'rds-db:connect', Resource: app } }),
});

test('principals are found by their access key', () => {
  const [first, second] = [principal('AKIDONE'), principal('AKIDTWO')];
  const principals = new Principals([first, second], where.account);
  for (const { accessKeyId, secretAccessKey, policy } of [first, second])
    expect(principals.find(accessKeyId)).toEqual({
      secretAccessKey,
      caller: {
        accessKeyId,
        account: where.account,
        arn: `arn:aws:iam::${where.account}:user/${accessKeyId}`,
        userId: accessKeyId,
        policies: [policy],
      },
    });
  for (const unknown of ['', 'akidone', '__proto__', 'constructor']) {
    expect(principals.find(unknown)).toBeUndefined();
  }
});

test('one access key for two principals is refused', () => {
  expect(() => new Principals([principal('AKIDONE'), principal('AKIDONE')], where.account)).toThrow(
    'AKIDONE',
  );
});

test('a database user has an ARN that policies can name', () => {
  expect(app).toBe(`arn:aws:rds-db:us-east-1:123456789012:dbuser:${id}/app`);
  const { policy } = principal('AKIDONE');
  expect(allows([policy], 'rds-db:connect', app)).toBe(true);
  const admin = dbUserArn({ ...where, proxyId: id, user: 'admin' });
  expect(allows([policy], 'rds-db:connect', admin)).toBe(false);
});

test('a proxy id never changes', () => {
  // Written down: policies of users name it.
  expect(proxyId('123456789012', 'us-east-1', 'orders')).toBe('prx-qerfr4iphfqglqmh4');
});

test('a proxy id has the form that AWS gives it, and is another for every proxy', () => {
  const seen = new Map<string, string>();
  fc.assert(
    fc.property(fc.string(), fc.string(), fc.string(), (account, region, name) => {
      const made = proxyId(account, region, name);
      expect(made).toMatch(/^prx-[a-z0-9]{17}$/);
      const from = JSON.stringify([account, region, name]);
      expect(seen.get(made) ?? from).toBe(from);
      seen.set(made, from);
    }),
  );
});
