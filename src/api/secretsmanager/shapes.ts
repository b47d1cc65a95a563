import type { Secret, SecretStore } from '../../state/secrets.ts';
import type { Output } from '../service.ts';

/** What DescribeSecret and ListSecrets tell of a secret; they have different names for its versions. */
export function describe(secret: Secret, versions: Output): Output {
  const { rotation, tags } = secret;
  return {
    ARN: secret.arn,
    Name: secret.name,
    Description: secret.description,
    KmsKeyId: secret.kmsKeyId,
    RotationEnabled: rotation?.isEnabled,
    RotationLambdaARN: rotation?.lambdaArn,
    RotationRules: rulesOf(secret),
    LastRotatedDate: dateOf(secret.rotatedMs),
    LastChangedDate: dateOf(secret.changedMs),
    LastAccessedDate: dateOf(secret.accessedMs),
    DeletedDate: dateOf(secret.deletionMs),
    NextRotationDate: dateOf(secret.nextRotationMs),
    Tags: tags?.map(({ key, value }) => ({ Key: key, Value: value })),
    CreatedDate: dateOf(secret.createdMs),
    ...versions,
  };
}

function rulesOf({ rotation }: Secret): Output | undefined {
  const { afterDays, schedule, duration } = rotation ?? {};
  if (afterDays === undefined && schedule === undefined) return undefined;
  return {
    AutomaticallyAfterDays: afterDays,
    Duration: duration,
    ScheduleExpression: schedule,
  };
}

export function dateOf(ms: number | undefined): Date | undefined {
  return ms === undefined ? undefined : new Date(ms);
}

/** Versions that have stages, and which; undefined where there are none. */
export function stagesOf(
  secrets: SecretStore,
  arn: string,
): Readonly<Record<string, readonly string[]>> | undefined {
  const versions = secrets.versions(arn).filter(({ stages }) => stages.length > 0);
  return versions.length === 0
    ? undefined
    : Object.fromEntries(versions.map(({ versionId, stages }) => [versionId, stages]));
}
