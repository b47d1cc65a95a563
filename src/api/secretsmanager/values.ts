import { z } from 'zod';
import type { Secret, SecretStore, SecretVersion } from '../../state/secrets.ts';
import type { Call, Operation, Output } from '../service.ts';
import { operation } from '../service.ts';
import { permittedAlive } from './access.ts';
import {
  givenValue,
  listField,
  MOST_STAGES,
  neededToken,
  requestToken,
  secretId,
  stage,
  valueFields,
  versionId,
} from './fields.ts';
import { invalidParameter, invalidRequest, noValueFor, violation } from './problems.ts';
import { dateOf } from './shapes.ts';
import { checkStages, openValue, putVersion } from './versions.ts';

export function valueOperations(secrets: SecretStore): Readonly<Record<string, Operation>> {
  return {
    GetSecretValue: operation(
      z.object({
        SecretId: secretId,
        VersionId: versionId.optional(),
        VersionStage: stage.optional(),
      }),
      (input, call) => readValue(secrets, input, call),
      violation,
    ),
    PutSecretValue: putSecretValue(secrets),
    UpdateSecretVersionStage: updateSecretVersionStage(secrets),
  };
}

/** As GetSecretValue answers, and for its permission. */
export function readValue(
  secrets: SecretStore,
  asked: {
    readonly SecretId: string;
    readonly VersionId?: string | undefined;
    readonly VersionStage?: string | undefined;
  },
  call: Call,
): Output {
  const secret = permittedAlive(secrets, call, 'GetSecretValue', asked.SecretId);
  const version = askedVersion(secrets, secret, asked.VersionId, asked.VersionStage);
  const { kind, text } = openValue(secrets, secret.arn, version.versionId);
  secrets.noteRead(secret, version, call.nowMs);
  return {
    ARN: secret.arn,
    Name: secret.name,
    VersionId: version.versionId,
    [kind === 'binary' ? 'SecretBinary' : 'SecretString']: text.reveal(),
    VersionStages: version.stages.length === 0 ? undefined : version.stages,
    CreatedDate: dateOf(version.createdMs),
  };
}

function askedVersion(
  secrets: SecretStore,
  { arn }: Secret,
  id: string | undefined,
  label: string | undefined,
): SecretVersion {
  const wanted = label ?? 'AWSCURRENT';
  const found = id ?? secrets.holder(arn, wanted);
  const version = found === undefined ? undefined : secrets.version(arn, found);
  if (version === undefined)
    throw id === undefined ? noValueFor(wanted, 'staging label') : noValueFor(id, 'VersionId');
  if (label !== undefined && !version.stages.includes(label))
    throw invalidRequest(
      'You provided a VersionStage that is not associated to the provided VersionId.',
    );
  return version;
}

function putSecretValue(secrets: SecretStore): Operation {
  const schema = z.object({
    SecretId: secretId,
    ClientRequestToken: requestToken,
    VersionStages: listField(stage, 1, MOST_STAGES).optional(),
    ...valueFields,
  });
  return operation(
    schema,
    (input, call) => {
      const secret = permittedAlive(secrets, call, 'PutSecretValue', input.SecretId);
      const token = neededToken(input.ClientRequestToken);
      const value = givenValue(input);
      if (value === undefined)
        throw invalidRequest('You must provide either SecretString or SecretBinary.');
      const stages = secrets.write(() => {
        secrets.save({ ...secret, changedMs: call.nowMs });
        const wanted = { token, value, stages: input.VersionStages ?? ['AWSCURRENT'] };
        return putVersion(secrets, secret, wanted, call.nowMs);
      });
      return { ARN: secret.arn, Name: secret.name, VersionId: token, VersionStages: stages };
    },
    violation,
  );
}

function updateSecretVersionStage(secrets: SecretStore): Operation {
  const schema = z.object({
    SecretId: secretId,
    VersionStage: stage,
    RemoveFromVersionId: versionId.optional(),
    MoveToVersionId: versionId.optional(),
  });
  return operation(
    schema,
    (input, call) => {
      const { VersionStage: label, RemoveFromVersionId: from, MoveToVersionId: to } = input;
      const secret = permittedAlive(secrets, call, 'UpdateSecretVersionStage', input.SecretId);
      checkMove(secrets, secret, label, from, to);
      secrets.write(() => {
        if (to === undefined) secrets.detach(secret.arn, label);
        else {
          secrets.attach(secret.arn, label, to, call.nowMs);
          checkStages(secrets.version(secret.arn, to)?.stages ?? []);
        }
        secrets.save({ ...secret, changedMs: call.nowMs });
      });
      return { ARN: secret.arn, Name: secret.name };
    },
    violation,
  );
}

function checkMove(
  secrets: SecretStore,
  { arn }: Secret,
  label: string,
  from: string | undefined,
  to: string | undefined,
): void {
  if (from === undefined && to === undefined)
    throw invalidParameter('Give MoveToVersionId, RemoveFromVersionId, or both.');
  for (const id of [from, to])
    if (id !== undefined && secrets.version(arn, id) === undefined)
      throw noValueFor(id, 'VersionId');
  const holder = secrets.holder(arn, label);
  if (from !== undefined && from !== holder)
    throw invalidParameter(
      `The staging label ${label} isn't attached to version ${from}, which RemoveFromVersionId names.`,
    );
  if (to === undefined && label === 'AWSCURRENT')
    throw invalidParameter(
      "You can only move staging label AWSCURRENT to a different secret version. It can't be completely removed.",
    );
  if (from === undefined && holder !== undefined && holder !== to)
    throw invalidParameter(
      `The parameter RemoveFromVersionId can't be empty. Staging label ${label} is currently attached to version ${holder}, so you must explicitly reference that version in RemoveFromVersionId.`,
    );
}
