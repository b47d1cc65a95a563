import type { Secret, SecretStore, SecretValue } from '../../state/secrets.ts';
import { ApiError } from '../api-error.ts';
import { MOST_STAGES, tokenInUse } from './fields.ts';
import { limitExceeded, noValueFor } from './problems.ts';

/**
 * A version by this token with these stages, unless it is there already: then nothing is done, if it has the same value. Returns its
 * stages. The caller saves when the secret was changed.
 */
export function putVersion(
  secrets: SecretStore,
  { arn }: Secret,
  wanted: {
    readonly token: string;
    readonly value: SecretValue;
    readonly stages: readonly string[];
  },
  nowMs: number,
): readonly string[] {
  const { token, value, stages } = wanted;
  if (secrets.version(arn, token) === undefined)
    secrets.addVersion(arn, { versionId: token, value, stages, nowMs });
  else if (!sameValue(secrets, arn, token, value)) throw tokenInUse(token, arn);
  const now = secrets.version(arn, token)?.stages ?? [];
  checkStages(now);
  return now;
}

export function checkStages(stages: readonly string[]): void {
  if (stages.length > MOST_STAGES)
    throw limitExceeded(
      `A version can have at most ${MOST_STAGES} staging labels: remove some with UpdateSecretVersionStage.`,
    );
}

export function sameValue(
  secrets: SecretStore,
  arn: string,
  versionId: string,
  value: SecretValue | undefined,
): boolean {
  const former = openValue(secrets, arn, versionId);
  return former.kind === value?.kind && former.text.sameAs(value.text);
}

/** Throws DecryptionFailure where it cannot be opened. */
export function openValue(secrets: SecretStore, arn: string, versionId: string): SecretValue {
  const value = decrypted(() => secrets.value(arn, versionId));
  if (value === undefined) throw noValueFor(versionId, 'VersionId');
  return value;
}

function decrypted<Value>(open: () => Value): Value {
  try {
    return open();
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    throw new ApiError(
      'DecryptionFailure',
      `Secrets Manager can't decrypt the protected secret text using the provided KMS key: ${why}.`,
    );
  }
}
