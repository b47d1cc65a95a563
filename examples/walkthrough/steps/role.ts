import type { Calls } from '../cloud.ts';
import { readingOf, trustInProxies } from '../documents.ts';
import type { Seen } from '../teller.ts';
import type { SecretMade } from './secret.ts';

export const ROLE_NAME = 'shop-proxy';
export const POLICY_NAME = 'read-the-secret';

export interface RoleMade {
  readonly arn: string;
}

/** The role that the proxy reads the secret as: who may take it on, and what it may do. */
export async function makeRole(calls: Calls, secret: SecretMade): Promise<Seen<RoleMade>> {
  const { Role } = await calls.call('CreateRole', {
    RoleName: ROLE_NAME,
    AssumeRolePolicyDocument: JSON.stringify(trustInProxies),
  });
  await allowReading(calls, secret);
  return { value: { arn: Role.Arn }, detail: Role.Arn };
}

export async function allowReading(calls: Calls, secret: SecretMade): Promise<void> {
  await calls.call('PutRolePolicy', {
    RoleName: ROLE_NAME,
    PolicyName: POLICY_NAME,
    PolicyDocument: JSON.stringify(readingOf(secret.arn)),
  });
}
