import type { ResourcePolicy } from '../../iam/resource-policy.ts';
import { parseResourcePolicy } from '../../iam/resource-policy.ts';
import type { Secret, SecretStore } from '../../state/secrets.ts';
import { ApiError } from '../api-error.ts';
import type { Call } from '../service.ts';
import { declaredInFile, invalidRequest, markedForDeletion, notFound } from './problems.ts';

/**
 * The secret that is asked for, once the caller may do this with it. Where there is none, that is told only to who may do this with
 * one of that name. Throws InvalidRequestException for what cannot be done with one that the settings file declares.
 */
export function permitted(secrets: SecretStore, call: Call, operation: string, id: string): Secret {
  const secret = secrets.find(id);
  authorizeFor(call, operation, secret ?? { arn: secrets.askedArn(id), policy: undefined });
  if (secret === undefined) throw notFound();
  if (secret.isDeclared && !reading.has(operation))
    throw invalidRequest(declaredInFile(secret.name));
  return secret;
}

/** What can be done with a secret that only the settings file can change. */
const reading: ReadonlySet<string> = new Set([
  'DescribeSecret',
  'GetResourcePolicy',
  'GetSecretValue',
  'ListSecretVersionIds',
  'ValidateResourcePolicy',
]);

/** The same, of one that is not marked for deletion. */
export function permittedAlive(
  secrets: SecretStore,
  call: Call,
  operation: string,
  id: string,
): Secret {
  const secret = permitted(secrets, call, operation, id);
  if (secret.deletionMs !== undefined) throw markedForDeletion();
  return secret;
}

export function authorizeFor(
  call: Call,
  operation: string,
  { arn, policy }: Pick<Secret, 'arn' | 'policy'>,
): void {
  call.authorize(
    `secretsmanager:${operation}`,
    arn,
    policy === undefined ? undefined : readPolicy(policy),
  );
}

/** Throws MalformedPolicyDocumentException, which says what is wrong with it. */
export function readPolicy(text: string): ResourcePolicy {
  try {
    return parseResourcePolicy(parseJson(text), 'ResourcePolicy');
  } catch (error) {
    throw new ApiError(
      'MalformedPolicyDocumentException',
      error instanceof Error ? error.message : 'ResourcePolicy is malformed',
    );
  }
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw new Error('ResourcePolicy must be JSON');
  }
}
