import { z } from 'zod';
import type { Secret, SecretStore, SecretValue } from '../../state/secrets.ts';
import type { Call, Operation, Output } from '../service.ts';
import { operation } from '../service.ts';
import { authorizeFor, permitted, permittedAlive } from './access.ts';
import {
  checkName,
  description,
  flagField,
  givenValue,
  kmsKeyId,
  neededToken,
  requestToken,
  secretId,
  secretName,
  tagList,
  tokenInUse,
  valueFields,
} from './fields.ts';
import {
  alreadyExists,
  declaredInFile,
  invalidParameter,
  invalidRequest,
  violation,
} from './problems.ts';
import { describe, stagesOf } from './shapes.ts';
import { mergeTags } from './tags.ts';
import { putVersion, sameValue } from './versions.ts';

const DAY_MS = 86_400_000;
const DEFAULT_WINDOW_DAYS = 30;

/** How a secret is made, told of, changed, deleted, and brought back. */
export function lifecycleOperations(secrets: SecretStore): Readonly<Record<string, Operation>> {
  return {
    CreateSecret: createSecret(secrets),
    UpdateSecret: updateSecret(secrets),
    DeleteSecret: deleteSecret(secrets),

    DescribeSecret: operation(
      z.object({ SecretId: secretId }),
      ({ SecretId }, call) => {
        const secret = permitted(secrets, call, 'DescribeSecret', SecretId);
        return describe(secret, { VersionIdsToStages: stagesOf(secrets, secret.arn) });
      },
      violation,
    ),

    RestoreSecret: operation(
      z.object({ SecretId: secretId }),
      ({ SecretId }, call) => {
        const secret = permitted(secrets, call, 'RestoreSecret', SecretId);
        if (secret.deletionMs !== undefined)
          secrets.save({ ...secret, deletionMs: undefined, changedMs: call.nowMs });
        return { ARN: secret.arn, Name: secret.name };
      },
      violation,
    ),
  };
}

/** `KmsKeyId` is kept and told, and has no other effect: all values are encrypted with the key of the data directory. */
function createSecret(secrets: SecretStore): Operation {
  const schema = z.object({
    Name: secretName,
    ClientRequestToken: requestToken,
    Description: description,
    KmsKeyId: kmsKeyId,
    Tags: tagList.optional(),
    AddReplicaRegions: z.array(z.unknown()).optional(),
    ...valueFields,
  });
  return operation(
    schema,
    (input, call) => {
      checkName(input.Name);
      const former = secrets.find(input.Name);
      const arn = former?.arn ?? secrets.newArn(input.Name);
      authorizeFor(call, 'CreateSecret', { arn, policy: undefined });
      if ((input.Tags ?? []).length > 0)
        authorizeFor(call, 'TagResource', { arn, policy: undefined });
      if ((input.AddReplicaRegions ?? []).length > 0)
        throw invalidParameter(
          'AddReplicaRegions is not supported: Sluice keeps secrets in one region. Leave it out.',
        );
      const token = neededToken(input.ClientRequestToken);
      const value = givenValue(input);
      if (former?.isDeclared === true) throw alreadyExists(declaredInFile(former.name));
      if (former !== undefined) return againCreated(secrets, former, token, value);
      const secret: Secret = {
        arn,
        name: input.Name,
        isDeclared: false,
        createToken: token,
        description: orNothing(input.Description),
        kmsKeyId: orNothing(input.KmsKeyId),
        tags: input.Tags === undefined ? undefined : mergeTags([], input.Tags),
        policy: undefined,
        rotation: undefined,
        createdMs: call.nowMs,
        changedMs: call.nowMs,
        accessedMs: undefined,
        deletionMs: undefined,
        rotatedMs: undefined,
        nextRotationMs: undefined,
      };
      secrets.write(() => {
        secrets.save(secret);
        if (value !== undefined)
          secrets.addVersion(arn, { versionId: token, value, stages: [], nowMs: call.nowMs });
      });
      return created(secret, token, value);
    },
    violation,
  );
}

/** A secret of this name exists: the request may be the one that has made it, sent again. */
function againCreated(
  secrets: SecretStore,
  secret: Secret,
  token: string,
  value: SecretValue | undefined,
): Output {
  if (secret.deletionMs !== undefined)
    throw invalidRequest(
      "You can't create this secret because a secret with this name is already scheduled for deletion.",
    );
  const hasVersion = secrets.version(secret.arn, token) !== undefined;
  if (hasVersion && !sameValue(secrets, secret.arn, token, value))
    throw tokenInUse(token, secret.arn);
  if (!hasVersion && (secret.createToken !== token || value !== undefined))
    throw alreadyExists(`The operation failed because the secret ${secret.name} already exists.`);
  return created(secret, token, value);
}

function created(secret: Secret, token: string, value: SecretValue | undefined): Output {
  return {
    ARN: secret.arn,
    Name: secret.name,
    VersionId: value === undefined ? undefined : token,
  };
}

function updateSecret(secrets: SecretStore): Operation {
  const schema = z.object({
    SecretId: secretId,
    ClientRequestToken: requestToken,
    Description: description,
    KmsKeyId: kmsKeyId,
    ...valueFields,
  });
  return operation(
    schema,
    (input, call) => {
      const secret = permittedAlive(secrets, call, 'UpdateSecret', input.SecretId);
      const token = neededToken(input.ClientRequestToken);
      const value = givenValue(input);
      secrets.write(() => {
        if (value !== undefined)
          putVersion(secrets, secret, { token, value, stages: ['AWSCURRENT'] }, call.nowMs);
        secrets.save({
          ...secret,
          description:
            input.Description === undefined ? secret.description : orNothing(input.Description),
          kmsKeyId: input.KmsKeyId === undefined ? secret.kmsKeyId : orNothing(input.KmsKeyId),
          changedMs: call.nowMs,
        });
      });
      return created(secret, token, value);
    },
    violation,
  );
}

function deleteSecret(secrets: SecretStore): Operation {
  const schema = z.object({
    SecretId: secretId,
    RecoveryWindowInDays: z.int({ error: 'must be a whole number' }).optional(),
    ForceDeleteWithoutRecovery: flagField(),
  });
  return operation(
    schema,
    (input, call) => {
      const { SecretId: id, RecoveryWindowInDays: days, ForceDeleteWithoutRecovery: now } = input;
      if (now === true && secrets.find(id) === undefined) return deletedAlready(secrets, call, id);
      const secret = permitted(secrets, call, 'DeleteSecret', id);
      if (now === true && days !== undefined)
        throw invalidParameter(
          "You can't use ForceDeleteWithoutRecovery in conjunction with RecoveryWindowInDays.",
        );
      if (days !== undefined && (days < 7 || days > 30))
        throw invalidParameter(
          'The RecoveryWindowInDays value must be between 7 and 30 days (inclusive).',
        );
      if (now === true) {
        secrets.remove(secret.arn);
        return { ARN: secret.arn, Name: secret.name, DeletionDate: new Date(call.nowMs) };
      }
      if (secret.deletionMs !== undefined)
        throw invalidRequest(
          "You can't perform this operation on the secret because it was already scheduled for deletion.",
        );
      const deletionMs = call.nowMs + (days ?? DEFAULT_WINDOW_DAYS) * DAY_MS;
      secrets.save({ ...secret, deletionMs });
      return { ARN: secret.arn, Name: secret.name, DeletionDate: new Date(deletionMs) };
    },
    violation,
  );
}

/** As in AWS, so that the request can be sent again. */
function deletedAlready(secrets: SecretStore, call: Call, id: string): Output {
  const arn = secrets.askedArn(id);
  authorizeFor(call, 'DeleteSecret', { arn, policy: undefined });
  return { ARN: arn, Name: id, DeletionDate: new Date(call.nowMs) };
}

function orNothing(text: string | undefined): string | undefined {
  return text === '' ? undefined : text;
}
