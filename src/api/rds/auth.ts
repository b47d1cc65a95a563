import type { AuthEntry, ProxySettings } from '../../state/rds-types.ts';
import { clientPasswordAuthTypes } from '../../state/rds-types.ts';
import { invalidCombination, invalidValue } from './faults.ts';
import type { AuthInput } from './inputs.ts';

/** Throws InvalidParameterValue. */
export function readAuth(entries: readonly AuthInput[]): AuthEntry[] {
  const secrets = new Set<string>();
  return entries.map((entry) => {
    if (entry.UserName !== undefined)
      throw invalidValue(
        'UserName must not be set in UserAuthConfig when SECRETS AuthScheme is used.',
      );
    if (secrets.has(entry.SecretArn))
      throw invalidValue(
        `Auth has two entries for the secret ${entry.SecretArn}: a user can have only one.`,
      );
    secrets.add(entry.SecretArn);
    return {
      secretArn: entry.SecretArn,
      iamAuth: entry.IAMAuth ?? 'DISABLED',
      clientPasswordAuthType: entry.ClientPasswordAuthType,
      description: entry.Description,
    };
  });
}

/** What cannot be said of one parameter alone. Throws InvalidParameterCombination. */
export function checkSettings({ engineFamily, auth, defaultAuthScheme }: ProxySettings): void {
  if (defaultAuthScheme === 'IAM_AUTH' && engineFamily === 'SQLSERVER')
    throw invalidCombination(
      'DefaultAuthScheme IAM_AUTH is not supported for the engine family SQLSERVER: use NONE, and IAMAuth in Auth.',
    );
  if (defaultAuthScheme === 'NONE' && auth.length === 0)
    throw invalidCombination(
      'Auth must have at least one entry when DefaultAuthScheme is NONE: nobody could sign in.',
    );
  const types: readonly string[] = clientPasswordAuthTypes[engineFamily];
  for (const { iamAuth, clientPasswordAuthType: type } of auth) {
    if (iamAuth === 'ENABLED' && engineFamily !== 'SQLSERVER')
      throw invalidCombination(
        `IAMAuth ENABLED is only supported for the engine family SQLSERVER: use REQUIRED or DISABLED for ${engineFamily}.`,
      );
    if (type !== undefined && !types.includes(type))
      throw invalidCombination(
        `ClientPasswordAuthType ${type} is not supported for the engine family ${engineFamily}: use ${types.join(' or ')}.`,
      );
  }
}
