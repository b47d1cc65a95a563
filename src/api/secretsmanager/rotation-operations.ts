import { z } from 'zod';
import type { Secret, SecretStore } from '../../state/secrets.ts';
import type { Call, Operation, Output } from '../service.ts';
import { operation } from '../service.ts';
import { authorizeFor, permitted, permittedAlive } from './access.ts';
import { flagField, neededToken, requestToken, secretId, textField } from './fields.ts';
import { invalidParameter, invalidRequest, violation } from './problems.ts';
import { nextRotationMs, rotationRules, withRules } from './rotation-schedule.ts';
import type { Rotations } from './rotation.ts';

const OURS =
  /^arn:aws:lambda:[\w-]+:\d{12}:function:Sluice(?:SingleUser|AlternatingUsers)Rotation$/;

const schema = z.object({
  SecretId: secretId,
  ClientRequestToken: requestToken,
  RotationLambdaARN: textField(0, 2_048).optional(),
  RotationRules: rotationRules,
  RotateImmediately: flagField(),
  ExternalSecretRotationMetadata: z.array(z.unknown()).optional(),
  ExternalSecretRotationRoleArn: z.string().optional(),
});

type RotateInput = z.output<typeof schema>;

/**
 * Rotation is Sluice's own, and follows AWS's functions for one user and for two that alternate; `RotationLambdaARN` is told back.
 * @param rotations undefined where nothing can set passwords in databases
 */
export function rotationOperations(
  secrets: SecretStore,
  rotations: Rotations | undefined,
): Readonly<Record<string, Operation>> {
  return {
    RotateSecret: operation(
      schema,
      (input, call) => {
        const secret = permittedAlive(secrets, call, 'RotateSecret', input.SecretId);
        const token = neededToken(input.ClientRequestToken);
        if (rotations === undefined)
          throw invalidRequest(
            'This Sluice rotates no secrets: it was started without anything that sets passwords in databases.',
          );
        return rotate(secrets, rotations, secret, { ...input, token }, call);
      },
      violation,
    ),

    CancelRotateSecret: operation(
      z.object({ SecretId: secretId }),
      ({ SecretId }, call) => {
        const secret = permittedAlive(secrets, call, 'CancelRotateSecret', SecretId);
        secrets.save({
          ...secret,
          rotation: { ...secret.rotation, isEnabled: false },
          nextRotationMs: undefined,
          changedMs: call.nowMs,
        });
        const pending = secrets.holder(secret.arn, 'AWSPENDING');
        return { ARN: secret.arn, Name: secret.name, VersionId: pending };
      },
      violation,
    ),

    ...replicationOperations(secrets),
  };
}

function rotate(
  secrets: SecretStore,
  rotations: Rotations,
  former: Secret,
  input: RotateInput & { readonly token: string },
  call: Call,
): Output {
  const { token } = input;
  checkFunction(input);
  const answer = { ARN: former.arn, Name: former.name };
  const running = rotations.underWay(former.arn);
  if (running === token) return { ...answer, VersionId: running };
  if (running !== undefined)
    throw invalidRequest("A previous rotation isn't complete. That rotation will be reattempted.");
  const secret = configured(secrets, rotations, former, input, call);
  const isDone =
    secrets.version(secret.arn, token) !== undefined &&
    secrets.holder(secret.arn, 'AWSPENDING') !== token;
  if (isDone) return { ...answer, VersionId: token };
  if (input.RotateImmediately === false) {
    secrets.save(secret);
    return answer;
  }
  return { ...answer, VersionId: rotations.begin(secret, token, call.nowMs) };
}

/** The secret with what the request says of its rotation; not saved yet. */
function configured(
  secrets: SecretStore,
  rotations: Rotations,
  former: Secret,
  input: RotateInput,
  call: Call,
): Secret {
  const lambdaArn = input.RotationLambdaARN ?? former.rotation?.lambdaArn;
  const superuser = rotations.superuserFor(former.arn, lambdaArn);
  if (superuser !== undefined) {
    const { secretArn } = superuser;
    const master = secrets.find(secretArn) ?? {
      arn: secrets.askedArn(secretArn),
      policy: undefined,
    };
    // Else who may change this secret could have a superuser do what they like.
    authorizeFor(call, 'GetSecretValue', master);
  }
  const rotation = { ...withRules(former.rotation, input.RotationRules), lambdaArn, superuser };
  return {
    ...former,
    rotation,
    nextRotationMs: nextRotationMs({ rotation }, call.nowMs),
    changedMs: call.nowMs,
  };
}

function checkFunction({
  RotationLambdaARN: arn,
  ExternalSecretRotationMetadata: metadata = [],
  ExternalSecretRotationRoleArn: role,
}: RotateInput): void {
  if (arn !== undefined && !OURS.test(arn))
    throw invalidParameter(
      'Sluice runs no Lambda functions: leave RotationLambdaARN out, or name one of its own rotations, as in arn:aws:lambda:us-east-1:123456789012:function:SluiceSingleUserRotation or …:SluiceAlternatingUsersRotation.',
    );
  if (metadata.length > 0 || role !== undefined)
    throw invalidParameter(
      'External secrets are not supported: leave ExternalSecretRotation… out.',
    );
}

/** Told to be unknown here, to who may ask. */
function replicationOperations(secrets: SecretStore): Readonly<Record<string, Operation>> {
  const refuse = (name: string): Operation =>
    operation(
      z.object({ SecretId: secretId }),
      ({ SecretId }, call) => {
        permitted(secrets, call, name, SecretId);
        throw invalidRequest(
          `${name} is not supported: Sluice keeps secrets in one region and replicates none.`,
        );
      },
      violation,
    );
  const names = [
    'ReplicateSecretToRegions',
    'RemoveRegionsFromReplication',
    'StopReplicationToReplica',
  ];
  return Object.fromEntries(names.map((name) => [name, refuse(name)]));
}
